// tests/cuda_emulator/cuda_runtime.h: CUDA on the CPU, for tests on machines that have no GPU.
//
// With this folder first on the include path a C++20 compiler takes CUDA source and runs it: the kernels thread by
// thread, the host code around them unchanged. It is strict rather than fast: what CUDA leaves undefined ends the
// program with a message where it can be seen. settings.hpp holds what a test may choose; test hooks are in namespace
// cuda_emulator: thread_order, lazy, guard, device_count, fail_call(), live_allocations(), dynamic_shared().
//
// Not emulated: <<<>>>, clusters and cooperative launches, textures, managed memory, memory nodes in graphs.
//
// SPDX-License-Identifier: MIT
#pragma once

#include "emulator/device_functions.hpp"
#include "emulator/host_functions.hpp"
