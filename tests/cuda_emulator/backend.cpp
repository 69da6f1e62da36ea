// The CUDA backend compiled against the emulator: its kernels run on the CPU.
#include <synthdata/cuda_main.cuh>
