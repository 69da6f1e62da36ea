// synthdata/cuda_main.cuh: the CUDA backend of a program. Include it in exactly one .cu file.
//
// That file needs nothing else; no other file of the program has to be compiled by nvcc. It is what the CMake target
// synthdata::cuda consists of. Compile with -std=c++20 --expt-relaxed-constexpr and link cublasLt (and cudnn with
// SYNTHDATA_CUDNN=1, for fast convolutions; and nccl with SYNTHDATA_NCCL=1, for several GPUs).
//
// A functor of your own that is used as a pointwise operation gets its kernels by cuda::install<F>(), an update rule by
// cuda::install_rule<R>(), in any .cu file that includes <synthdata/cuda_install.cuh>.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cuda/backend.cuh>
#if defined(SYNTHDATA_NCCL) && SYNTHDATA_NCCL
#include <synthdata/backend/cuda/nccl.cuh>
#endif
#include <synthdata/cuda_install.cuh>

extern "C" synthdata::detail::DeviceDriver* synthdata_cuda_driver() {
  static synthdata::cuda::Backend& backend = *new synthdata::cuda::Backend;
  static const bool installed = (synthdata::cuda::install_library(), true);
  return installed ? &backend : nullptr;
}

#if defined(SYNTHDATA_NCCL) && SYNTHDATA_NCCL
extern "C" synthdata::Communicator* synthdata_nccl_communicator(int device_index,
                                                                const synthdata::Rendezvous* rendezvous) {
  return new synthdata::cuda::NcclCommunicator(device_index, *rendezvous);
}
#endif
