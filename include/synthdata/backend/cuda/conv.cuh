// synthdata/backend/cuda/conv.cuh: convolutions: by cuDNN where the program has it and the tensors are f32, else by the
// direct kernels.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cuda/conv_direct.cuh>

// Set where cuDNN 9 is there to link with.
#ifndef SYNTHDATA_CUDNN
#define SYNTHDATA_CUDNN 0
#endif
#if SYNTHDATA_CUDNN
#include <synthdata/backend/cuda/conv_cudnn.cuh>
#endif

namespace synthdata::cuda {

inline void run_conv_forward(const Queue& queue, const backend::ConvCall& call, const Tensor& x, const Tensor& w,
                             const Tensor& bias, Tensor& y) {
  if (y.size() == 0) return;
  if (y.dtype() == DType::f64) return direct_conv_forward<double>(queue, call, x, w, bias, y);
#if SYNTHDATA_CUDNN
  cudnn_conv_forward(queue, call, x, w, bias, y);
#else
  direct_conv_forward<float>(queue, call, x, w, bias, y);
#endif
}

inline void run_conv_input_grad(const Queue& queue, const backend::ConvCall& call, const Tensor& gy, const Tensor& w,
                                const Tensor& bias, Tensor& gx) {
  if (gx.size() == 0) return;
  if (gx.dtype() == DType::f64) return direct_conv_input_grad<double>(queue, call, gy, w, bias, gx);
#if SYNTHDATA_CUDNN
  cudnn_conv_input_grad(queue, call, gy, w, bias, gx);
#else
  direct_conv_input_grad<float>(queue, call, gy, w, bias, gx);
#endif
}

inline void run_conv_weight_grad(const Queue& queue, const backend::ConvCall& call, const Tensor& x, const Tensor& gy,
                                 Tensor& gw) {
  if (gw.size() == 0) return;
  if (gw.dtype() == DType::f64) return direct_conv_weight_grad<double>(queue, call, x, gy, gw);
#if SYNTHDATA_CUDNN
  cudnn_conv_weight_grad(queue, call, x, gy, gw);
#else
  direct_conv_weight_grad<float>(queue, call, x, gy, gw);
#endif
}

}  // namespace synthdata::cuda
