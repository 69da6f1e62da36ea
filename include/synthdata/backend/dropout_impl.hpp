// synthdata/backend/dropout_impl.hpp: bodies of backend/dropout.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/block.hpp>
#include <synthdata/backend/cpu/philox.hpp>
#include <synthdata/backend/dropout.hpp>

namespace synthdata::backend {
namespace detail {

/// Elements [begin, end); begin is a multiple of 64. With y, the gradient through both; without, the forward pass.
template <class T>
struct DropoutRun {
  DropoutMask mask;
  cpu::BlockActivation<T> act;
  SYNTHDATA_HD void operator()(const T* x, const T* y, T* out, std::int64_t begin, std::int64_t end) const {
    const T keep = static_cast<T>(1.0 - mask.rate), scale = static_cast<T>(1.0 / (1.0 - mask.rate));
    alignas(64) std::uint32_t words[cpu::philox_group];
    alignas(64) T before[cpu::philox_group], output[cpu::philox_group];
    for (std::int64_t i = begin; i < end; i += cpu::philox_group) {
      const std::int64_t count = end - i < cpu::philox_group ? end - i : cpu::philox_group;
      cpu::philox_words(mask.seed, mask.stream,
                        mask.first + static_cast<std::uint64_t>(i / cpu::philox_group) * cpu::philox_lanes, words);
      const T* from = x + i;
      if (act.kind != cpu::Act::none && !y) {
        cpu::for_block(count, [&](int j) SYNTHDATA_INLINE_LAMBDA { before[j] = from[j]; });
        act.apply(count, before);
        from = before;
      }
      T* to = out + i;
      cpu::for_block(count, [&](int j) SYNTHDATA_INLINE_LAMBDA {
        const auto u = static_cast<T>(static_cast<std::int32_t>(words[j] >> 8)) * T(0x1p-24);
        to[j] = math::select(u < keep, from[j] * scale, T(0));
      });
      if (act.kind != cpu::Act::none && y) {  // where an element was dropped the slope does not matter
        const T* dropped = y + i;
        cpu::for_block(count, [&](int j) SYNTHDATA_INLINE_LAMBDA {
          before[j] = to[j];  // scaled first, as without fusion: the same bits
          output[j] = dropped[j] * keep;
        });
        act.gradient(count, before, output, to);
      }
    }
  }
};

inline Tensor run_dropout(const Tensor& x, const Tensor& y, const DropoutMask& mask, cpu::Act act, double slope) {
  Tensor out = Tensor::empty(x.shape(), x.dtype());
  visit_floating(x.dtype(), "dropout", [&]<class T>() {
    const T *px = x.data<T>(), *py = y.defined() ? y.data<T>() : nullptr;
    T* to = out.data<T>();
    const DropoutRun<T> kernel{mask, {act, static_cast<T>(slope)}};
    parallel_for(x.size(), cpu::elementwise_chunk,
                 [&](std::int64_t begin, std::int64_t end) { cpu::run<T>(kernel, px, py, to, begin, end); });
  });
  return out;
}

}  // namespace detail

SYNTHDATA_INLINE DropoutMask draw_dropout(std::int64_t size, double rate, Rng& rng) {
  const std::int64_t groups = (size + cpu::philox_group - 1) / cpu::philox_group;
  const RngState state = rng.state();
  return {state.seed, state.stream, rng.reserve(static_cast<std::uint64_t>(groups) * cpu::philox_lanes), rate};
}

SYNTHDATA_INLINE Tensor dropout(const Tensor& x, const DropoutMask& mask, cpu::Act act, double slope) {
  return detail::run_dropout(x, {}, mask, act, slope);
}

SYNTHDATA_INLINE Tensor dropout_gradient(const Tensor& y, const Tensor& g, const DropoutMask& mask, cpu::Act act,
                                         double slope) {
  return detail::run_dropout(g, y, mask, act, slope);
}

}  // namespace synthdata::backend
