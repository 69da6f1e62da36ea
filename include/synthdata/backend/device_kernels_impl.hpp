// synthdata/backend/device_kernels_impl.hpp: bodies of backend/device_kernels.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/device_kernels.hpp>

namespace synthdata::backend::detail {

SYNTHDATA_COLD SYNTHDATA_INLINE void throw_no_kernel(const char* op, Device device) {
  throw DeviceError(concat(op, ": this functor has no kernel for ", device,
                           "; call synthdata::cuda::install<F>() in a .cu file of the program"));
}

SYNTHDATA_COLD SYNTHDATA_INLINE void throw_devices(const char* op, const Tensor& a, const Tensor& b) {
  throw DeviceError(concat(op, ": operands are on different devices\n  first  ", a.shape(), " ", a.dtype(), " ",
                           a.device(), "\n  second ", b.shape(), " ", b.dtype(), " ", b.device()));
}

}  // namespace synthdata::backend::detail
