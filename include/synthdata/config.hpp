// synthdata/config.hpp: the few macros of the library.
//
// SYNTHDATA_HEADER_ONLY is 1 by default: heavy bodies (`*_impl.hpp`) are inline. The CMake target
// `synthdata::compiled` sets it to 0 for its users and compiles the same bodies once into a static library.
//
// SPDX-License-Identifier: MIT
#pragma once

#ifndef SYNTHDATA_HEADER_ONLY
#define SYNTHDATA_HEADER_ONLY 1
#endif

#if SYNTHDATA_HEADER_ONLY
#define SYNTHDATA_INLINE inline
#else
#define SYNTHDATA_INLINE
#endif

// nvcc does not see the CPU's kernels: its part of a program is the GPU's. A .cu file that runs nets itself links
// `synthdata::compiled`.
#ifdef __CUDACC__
#define SYNTHDATA_CPU_BODIES 0
#else
#define SYNTHDATA_CPU_BODIES SYNTHDATA_HEADER_ONLY
#endif

// Functors and their math run on the host and, under nvcc, on the device.
#ifdef __CUDACC__
#define SYNTHDATA_HD __host__ __device__ inline
#elif defined(__GNUC__)
// Forced, so that a kernel compiled for AVX-512 inlines the scalar text instead of calling its baseline copy.
#define SYNTHDATA_HD [[gnu::always_inline]] inline
#else
#define SYNTHDATA_HD inline
#endif

#if defined(__GNUC__)
#define SYNTHDATA_COLD [[gnu::cold, gnu::noinline]]
#else
#define SYNTHDATA_COLD
#endif
