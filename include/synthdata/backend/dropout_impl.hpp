// synthdata/backend/dropout_impl.hpp: bodies of backend/dropout.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/block.hpp>
#include <synthdata/backend/cpu/philox.hpp>
#include <synthdata/backend/dropout.hpp>

namespace synthdata::backend {
namespace detail {

inline constexpr std::int64_t dropout_group =
    2 * cpu::philox_group;  // elements of 64 words: low halves, then high ones

/// Elements [begin, end); begin is a multiple of 128. With y, the gradient through both; without, the forward pass.
template <class T>
struct DropoutRun {
  DropoutMask mask;
  cpu::BlockActivation<T> act;

  SYNTHDATA_HD void operator()(const T* x, const T* y, T* out, std::int64_t begin, std::int64_t end) const {
    alignas(64) std::uint32_t words[cpu::philox_group];
    for (std::int64_t i = begin; i < end; i += cpu::block_size) {
      const bool low = i % dropout_group == 0;
      if (low) {
        const auto group = static_cast<std::uint64_t>(i / dropout_group);
        cpu::philox_words(mask.seed, mask.stream, mask.first + group * cpu::philox_lanes, words);
      }
      const std::int64_t count = end - i < cpu::block_size ? end - i : cpu::block_size;
      block(words, low ? 0 : 16, count, x + i, y ? y + i : nullptr, out + i);
    }
  }

 private:
  // In the order of the unfused operations, so the bits are theirs; the slope of tanh and sigmoid is read off y keep,
  // which is the activation's output but for a rounding.
  SYNTHDATA_HD void block(const std::uint32_t* words, int shift, std::int64_t count, const T* from, const T* y,
                          T* to) const {
    const T keep = static_cast<T>(mask.keep()), scale = static_cast<T>(1.0 / mask.keep());
    const std::int32_t threshold = mask.threshold;
    alignas(64) T active[cpu::block_size];
    if (act.kind != cpu::Act::none && !y) {
      cpu::for_block(count, [&](int j) SYNTHDATA_INLINE_LAMBDA { active[j] = from[j]; });
      act.apply(count, active);
      from = active;
    }
    cpu::for_block(count, [=](int j) SYNTHDATA_INLINE_LAMBDA {
      const auto bits = static_cast<std::int32_t>(words[j] >> shift & 0xFFFFu);
      to[j] = math::select(bits < threshold, from[j] * scale, T(0));
    });
    if (act.kind != cpu::Act::none && y) {  // where an element was dropped the slope does not matter
      cpu::for_block(count, [&](int j) SYNTHDATA_INLINE_LAMBDA { active[j] = y[j] * keep; });
      act.gradient(count, to, active, to);
    }
  }
};

inline Tensor run_dropout(const Tensor& x, const Tensor& y, const DropoutMask& mask, cpu::Act act, double slope) {
  Tensor out = x.empty_like(x.shape());
  if (!x.device().is_cpu()) {
    if (x.size() > 0) device_kernels().dropout(x, y, mask, act, slope, out);
    return out;
  }
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
  const std::int64_t groups = (size + detail::dropout_group - 1) / detail::dropout_group;
  const RngState state = rng.state();
  const auto threshold = static_cast<std::int32_t>((1.0 - rate) * 65536.0 + 0.5);
  return {state.seed, state.stream, rng.reserve(static_cast<std::uint64_t>(groups) * cpu::philox_lanes),
          threshold < 1 ? 1 : threshold};
}

SYNTHDATA_INLINE Tensor dropout(const Tensor& x, const DropoutMask& mask, cpu::Act act, double slope) {
  return detail::run_dropout(x, {}, mask, act, slope);
}

SYNTHDATA_INLINE Tensor dropout_gradient(const Tensor& y, const Tensor& g, const DropoutMask& mask, cpu::Act act,
                                         double slope) {
  return detail::run_dropout(g, y, mask, act, slope);
}

}  // namespace synthdata::backend
