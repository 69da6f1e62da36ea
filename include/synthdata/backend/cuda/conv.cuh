#pragma once
#include <synthdata/backend/cuda/driver.cuh>
#include <synthdata/backend/device_kernels.hpp>
namespace synthdata::cuda {
inline void run_conv_forward(const Queue&, const backend::ConvCall&, const Tensor&, const Tensor&, const Tensor&,
                             Tensor&) {}
inline void run_conv_input_grad(const Queue&, const backend::ConvCall&, const Tensor&, const Tensor&, const Tensor&,
                                Tensor&) {}
inline void run_conv_weight_grad(const Queue&, const backend::ConvCall&, const Tensor&, const Tensor&, Tensor&) {}
}  // namespace synthdata::cuda
