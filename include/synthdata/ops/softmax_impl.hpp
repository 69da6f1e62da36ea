// synthdata/ops/softmax_impl.hpp: bodies of ops/softmax.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/random.hpp>
#include <synthdata/backend/reduce.hpp>
#include <synthdata/backend/softmax.hpp>
#include <synthdata/ops/pointwise.hpp>
#include <synthdata/ops/reduce.hpp>
#include <synthdata/ops/softmax.hpp>

namespace synthdata {
namespace detail {

using backend::SoftmaxKind;

/// softmax or log_softmax along any axis: the value in plain operations on constants.
inline Tensor composed_softmax(SoftmaxKind kind, const Tensor& x, int axis) {
  const NoGrad constants;
  const Shape kept = x.shape().with(axis, 1);
  const Var shifted = Var(x) - Var(backend::max_to(x, kept));
  const Var powers = exp(shifted);
  const Var total = sum_to(powers, kept);
  return (kind == SoftmaxKind::log ? shifted - log(total) : powers / total).value();
}

inline Var softmax_along(const char* op, SoftmaxKind kind, const Var& x, int any_axis) {
  const int axis = x.shape().wrap(any_axis);
  const bool fused = axis == x.rank() - 1;
  const std::int64_t width = x.shape()[axis];
  Tensor y;
  if (fused) {
    y = backend::softmax(kind, x.value(), {}, 1.0, {&width, 1});
  } else {
    y = x.size() == 0 ? x.value().empty_like(x.shape()) : composed_softmax(kind, x.value(), axis);
  }
  return record(
      op, y,
      [y, kind, axis, fused](const Var& g, Backward& out) {
        const std::int64_t size = y.shape()[axis];
        if (fused && !grad_enabled()) {
          out.add(0, backend::softmax_gradient(kind, y, g.value(), 1.0, {&size, 1}));
          return;
        }
        const Var own = out.output(y);
        if (kind == SoftmaxKind::log) {
          out.add(0, g - mul(exp(own), sum(g, axis, Keepdims::yes)));
        } else {
          out.add(0, mul(own, g - sum(mul(g, own), axis, Keepdims::yes)));
        }
      },
      x);
}

using BlockSizes = std::vector<std::int64_t>;

inline Var block_sum(const Var& x, const BlockSizes& blocks) {
  return linear_op("block_sum", backend::block_sum(x.value(), blocks), x,
                   [blocks](const Var& g) { return block_sum(g, blocks); });
}

inline Var gumbel(const char* op, const Var& logits, const BlockSizes& blocks, Rng& rng, const GumbelOptions& o) {
  if (!(o.temperature > 0.0)) throw NumericError(concat(op, ": expects temperature > 0, got ", o.temperature));
  if (!is_floating(logits.dtype())) throw_not_floating(op, logits.dtype());
  // 2^-25 is half of the smallest step of the draw: u = 0 would make the noise infinite.
  const OnDevice there(logits.device());
  const Tensor noise = backend::map(op, GumbelOf{}, uniform(logits.shape(), rng, logits.dtype(), 0x1p-25, 1.0));
  const double scale = 1.0 / o.temperature;
  Tensor y = backend::softmax(SoftmaxKind::plain, logits.value(), noise, scale, blocks);
  const Var soft = record(
      op, y,
      [y, scale, blocks](const Var& g, Backward& out) {
        if (!grad_enabled()) {
          out.add(0, backend::softmax_gradient(SoftmaxKind::plain, y, g.value(), scale, blocks));
          return;
        }
        const Var own = out.output(y);
        out.add(0, scale * mul(own, g - block_sum(mul(g, own), blocks)));
      },
      logits);
  return o.hard ? straight_through(backend::block_winner(y, blocks), soft) : soft;
}

}  // namespace detail

SYNTHDATA_INLINE Var softmax(const Var& x, int axis) {
  return detail::softmax_along("softmax", backend::SoftmaxKind::plain, x, axis);
}

SYNTHDATA_INLINE Var log_softmax(const Var& x, int axis) {
  return detail::softmax_along("log_softmax", backend::SoftmaxKind::log, x, axis);
}

SYNTHDATA_INLINE Var gumbel_softmax(const Var& logits, Rng& rng, const GumbelOptions& options) {
  return detail::gumbel("gumbel_softmax", logits, {logits.shape(-1)}, rng, options);
}

SYNTHDATA_INLINE Var gumbel_softmax_blocks(const Var& logits, std::span<const std::int64_t> blocks, Rng& rng,
                                           const GumbelOptions& options) {
  std::int64_t total = 0;
  bool positive = true;
  for (const std::int64_t size : blocks) {
    positive = positive && size > 0 && size <= logits.shape(-1) - total;
    total += positive ? size : 0;
  }
  if (!positive || total != logits.shape(-1)) {
    throw_shape("gumbel_softmax_blocks", "expects positive block sizes that add up to the last axis",
                {{"logits", logits.value()}});
  }
  return detail::gumbel("gumbel_softmax_blocks", logits, {blocks.begin(), blocks.end()}, rng, options);
}

}  // namespace synthdata
