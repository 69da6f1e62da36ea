// synthdata/backend/cuda/passes.cuh: what surrounds a product of a library: factors in a smaller type, bias and
// activation.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cuda/alignment.hpp>
#include <synthdata/backend/cuda/driver.cuh>
#include <synthdata/backend/cuda/norm.cuh>

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <type_traits>

namespace synthdata::cuda {

inline namespace SYNTHDATA_CUDA_KERNELS {

template <class To>
__device__ To to_factor(float x) {
  if constexpr (std::is_same_v<To, __half>) {
    return __float2half_rn(x);
  } else {
    return __float2bfloat16_rn(x);
  }
}

/// Rounds to nearest even. Four at a time; the rest one by one.
template <class To>
__global__ void __launch_bounds__(block_threads)
    factors_kernel(const float* x, To* out, std::int64_t size, bool packed) {
  const std::int64_t packs = packed ? size / 4 : 0;
  for (std::int64_t i = first_item(); i < packs; i += item_step()) {
    const auto from = reinterpret_cast<const Pack<float, 4>*>(x)[i];
    Pack<To, 4> into;
    for (int j = 0; j < 4; ++j) into.value[j] = to_factor<To>(from.value[j]);
    reinterpret_cast<Pack<To, 4>*>(out)[i] = into;
  }
  for (std::int64_t i = 4 * packs + first_item(); i < size; i += item_step()) out[i] = to_factor<To>(x[i]);
}

/// y = act(y + bias), bias [channels] or none, `width` neighbours at a time; width divides the channels.
template <class T, int width>
__global__ void __launch_bounds__(block_threads)
    bias_act_kernel(T* y, const T* bias, DeviceActivation<T> act, std::int64_t channels, std::int64_t size) {
  for (std::int64_t i = first_item(); i < size / width; i += item_step()) {
    auto pack = reinterpret_cast<Pack<T, width>*>(y)[i];
    const T* added = bias ? bias + i * width % channels : nullptr;
    for (int j = 0; j < width; ++j) pack.value[j] = act.value(added ? pack.value[j] + added[j] : pack.value[j]);
    reinterpret_cast<Pack<T, width>*>(y)[i] = pack;
  }
}

}  // namespace SYNTHDATA_CUDA_KERNELS

/// x as To, in memory of its own.
template <class To>
Tensor factors_of(const Queue& queue, const Tensor& x) {
  Tensor out = Tensor::empty({x.size() * static_cast<std::int64_t>(sizeof(To))}, DType::u8, x.device());
  launch_over("factors", queue, (x.size() + 3) / 4, factors_kernel<To>, static_cast<const float*>(x.address()),
              static_cast<To*>(out.address()), x.size(), common_alignment({x.address()}) == 16);
  return out;
}

/// y = act(y + bias) in place; nothing to do without both.
template <class T>
void run_bias_act(const Queue& queue, const Tensor& bias, backend::cpu::Act act, double slope, Tensor& y) {
  if (!bias.defined() && act == backend::cpu::Act::none) return;
  const std::int64_t channels = y.shape(-1);
  const auto* added = static_cast<const T*>(bias.defined() ? bias.address() : nullptr);
  const auto run = [&](auto width) {
    launch_over("bias", queue, y.size() / width(), bias_act_kernel<T, width()>, static_cast<T*>(y.address()), added,
                DeviceActivation<T>{act, slope}, channels, y.size());
  };
  constexpr int vector = 16 / static_cast<int>(sizeof(T));
  if (channels % vector == 0 && common_alignment({y.address()}) == 16) {
    run(std::integral_constant<int, vector>{});
  } else {
    run(std::integral_constant<int, 1>{});
  }
}

}  // namespace synthdata::cuda
