// tests/consumers/cuda/functor.cu: kernels of the program's own functor.
//
// SPDX-License-Identifier: MIT
#include <synthdata/cuda_install.cuh>

#include "cube.hpp"

void install_cube() { synthdata::cuda::install<Cube>(); }
