// The CUDA backend compiled against the emulator: its kernels run on the CPU.
#define SYNTHDATA_NCCL 1
#include <synthdata/cuda_main.cuh>
