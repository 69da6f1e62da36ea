// tests/consumers/cuda/kernels.cu: the CUDA backend of a header-only program, and kernels of its own functor.
//
// SPDX-License-Identifier: MIT
#include <synthdata/cuda_main.cuh>

#include "cube.hpp"

void install_cube() { synthdata::cuda::install<Cube>(); }
