// synthdata/data/augment/mix_impl.hpp: bodies of data/augment/mix.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/augment/mix.hpp>

#include <algorithm>
#include <cmath>

namespace synthdata {
namespace detail {

/// A draw from Gamma(shape), shape > 0.
SYNTHDATA_INLINE double gamma_draw(double shape, Rng& rng) {
  if (shape < 1.0) {  // in logarithms: for a small shape the result itself is often 0
    const double u = (static_cast<double>(rng.next_u64() >> 11) + 1.0) * 0x1p-53;
    return gamma_draw(shape + 1.0, rng) * std::pow(u, 1.0 / shape);
  }
  const double d = shape - 1.0 / 3.0, c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double x = rng.normal(), v = std::pow(1.0 + c * x, 3.0);
    const double u = (static_cast<double>(rng.next_u64() >> 11) + 1.0) * 0x1p-53;
    if (v > 0.0 && std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

/// The batch in f32, its labels and those of a random partner of each; `order` says whose.
SYNTHDATA_INLINE MixedBatch pair_up(const char* op, const Batch& batch, Rng& rng, std::vector<std::int64_t>& order) {
  if (batch.data.rank() < 1 || batch.data.dtype() != DType::f32) {
    throw DTypeError(concat(op, ": expects a batch [N, ...] of f32, got ", batch.data.str()));
  }
  order = rng.permutation(batch.data.shape(0));
  MixedBatch mixed{.data = batch.data.clone(), .labels = batch.labels, .partners = {}};
  if (!batch.labels.defined()) return mixed;
  mixed.partners = Tensor::empty(batch.labels.shape(), DType::i64, Device::cpu());
  for (std::size_t i = 0; i < order.size(); ++i) {
    mixed.partners.data<std::int64_t>()[i] = batch.labels.data<std::int64_t>()[order[i]];
  }
  return mixed;
}

inline void check_alpha(const char* op, float alpha) {
  if (!(alpha > 0.0f && alpha < 1e6f)) throw NumericError(concat(op, ": expects alpha > 0, got ", alpha));
}

}  // namespace detail

SYNTHDATA_INLINE Tensor MixedBatch::targets(std::int64_t classes) const {
  if (!labels.defined()) throw DataError("MixedBatch::targets: the batch has no labels");
  Tensor out = Tensor::zeros({labels.size(), classes}, DType::f32, Device::cpu());
  const auto add = [&](const Tensor& numbers, float weight) {
    for (std::int64_t i = 0; i < labels.size(); ++i) {
      const std::int64_t label = numbers.data<std::int64_t>()[i];
      if (label < 0 || label >= classes) {
        throw DataError(concat("MixedBatch::targets: expects labels of 0 to ", classes - 1, ", got ", label));
      }
      out.data<float>()[i * classes + label] += weight;
    }
  };
  add(labels, share);
  add(partners, 1.0f - share);
  return out;
}

SYNTHDATA_INLINE double random::symmetric_beta(double alpha, Rng& rng) {
  const double a = detail::gamma_draw(alpha, rng), b = detail::gamma_draw(alpha, rng);
  return a + b > 0.0 ? a / (a + b) : rng.uniform() < 0.5f ? 0.0 : 1.0;
}

SYNTHDATA_INLINE MixedBatch random::Mixup::operator()(const Batch& batch, Rng& rng) const {
  detail::check_alpha("Mixup", alpha);
  std::vector<std::int64_t> order;
  MixedBatch mixed = detail::pair_up("Mixup", batch, rng, order);
  mixed.share = static_cast<float>(symmetric_beta(double{alpha}, rng));
  const std::int64_t size = order.empty() ? 0 : batch.data.size() / batch.data.shape(0);
  float* to = mixed.data.data<float>();
  for (const std::int64_t partner : order) {
    const float* other = batch.data.data<float>() + partner * size;
    for (std::int64_t i = 0; i < size; ++i, ++to) *to = mixed.share * *to + (1.0f - mixed.share) * other[i];
  }
  return mixed;
}

SYNTHDATA_INLINE MixedBatch random::CutMix::operator()(const Batch& batch, Rng& rng) const {
  detail::check_alpha("CutMix", alpha);
  if (batch.data.rank() != 4 || batch.data.size() == 0) {
    throw_shape("CutMix", "expects images [N, H, W, C]", {{"data", batch.data}});
  }
  std::vector<std::int64_t> order;
  MixedBatch mixed = detail::pair_up("CutMix", batch, rng, order);
  const std::int64_t h = batch.data.shape(1), w = batch.data.shape(2), c = batch.data.shape(3);
  const double side = std::sqrt(1.0 - symmetric_beta(double{alpha}, rng));
  struct Span {
    std::int64_t begin, end;
  };
  const auto span = [&](std::int64_t extent) {
    const std::int64_t length = std::lround(side * static_cast<double>(extent)), begin = rng.below(extent) - length / 2;
    return Span{std::max<std::int64_t>(begin, 0), std::min(begin + length, extent)};
  };
  const Span rows = span(h), columns = span(w);
  for (std::size_t n = 0; n < order.size(); ++n) {
    for (std::int64_t y = rows.begin; y < rows.end; ++y) {
      const float* from = batch.data.data<float>() + ((order[n] * h + y) * w + columns.begin) * c;
      float* to = mixed.data.data<float>() + ((static_cast<std::int64_t>(n) * h + y) * w + columns.begin) * c;
      std::copy_n(from, std::max<std::int64_t>(0, columns.end - columns.begin) * c, to);
    }
  }
  const auto length = [](const Span& s) { return static_cast<double>(std::max<std::int64_t>(0, s.end - s.begin)); };
  mixed.share = static_cast<float>(1.0 - length(rows) * length(columns) / static_cast<double>(h * w));
  return mixed;
}

}  // namespace synthdata
