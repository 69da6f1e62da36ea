// synthdata/ops/norm_impl.hpp: bodies of ops/norm.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/norm.hpp>
#include <synthdata/ops/communicate.hpp>
#include <synthdata/ops/norm.hpp>
#include <synthdata/ops/reduce.hpp>
#include <synthdata/ops/shape.hpp>

#include <cmath>

namespace synthdata {
namespace detail {

using backend::NormMoments;
using backend::NormShape;

/// Operands of a normalisation as its rule keeps them.
struct NormCall {
  Var x, gamma, beta;
  NormShape shape;
  double epsilon;
  Activation activation;
  // Of a normalisation over the values of all ranks:
  Communicator* communicator = nullptr;
  Tensor count = {};  // how many values share a mean there, [1]

  backend::NormAffine affine() const {
    return {gamma.value(), beta.value(), epsilon, activation.kind, activation.negative_slope};
  }
};

inline void check_norm(const char* op, const NormCall& call) {
  const Shape channels{call.shape.channels};
  for (const Var* v : {&call.gamma, &call.beta}) {
    if (!v->defined()) continue;
    const char* name = v == &call.gamma ? "gamma" : "beta";
    if (!(v->shape() == channels)) {
      throw_shape(op, concat(name, " expects one value for each of ", call.shape.channels, " channels"),
                  {{"input", call.x.value()}, {name, v->value()}});
    }
    if (v->dtype() != call.x.dtype()) backend::detail::throw_dtypes(op, call.x.value(), v->value());
  }
  if (!(call.epsilon > 0.0)) throw NumericError(concat(op, ": expects epsilon > 0, got ", call.epsilon));
}

/// The gradients in library operations, for a recorded gradient. `given`: moments that do not depend on x, or null.
inline void composed_norm_gradients(const NormCall& call, const NormMoments* given, const Var& g, Backward& out) {
  const NormShape& s = call.shape;
  const Shape channels{s.channels}, spread{1, 1, s.groups, s.channels / s.groups};
  const Shape split{s.samples, s.rows, s.groups, s.channels / s.groups};
  const Axes shared{1, 3};  // what the moments run over
  const auto average = [&](const Var& v) {
    if (!call.communicator) return mean(v, shared, Keepdims::yes);
    return div(all_sum(sum(v, shared, Keepdims::yes), *call.communicator), Var(call.count));
  };
  const Var x = reshape(call.x, split);
  Var deviation, inverse;
  if (given) {
    const Shape moments{s.samples, 1, s.groups, 1};
    deviation = x - Var(given->mean.reshape(moments));
    inverse = rsqrt(Var(given->variance.reshape(moments)) + call.epsilon);
  } else {
    deviation = x - average(x);
    inverse = rsqrt(average(square(deviation)) + call.epsilon);
  }
  const Var normal = mul(deviation, inverse);
  const Var gamma =
      call.gamma.defined() ? reshape(call.gamma, spread) : Var(Tensor::ones(spread, x.dtype(), x.device()));
  Var before = reshape(g, split);
  if (call.activation.kind != backend::cpu::Act::none) {
    Var argument = mul(normal, gamma);
    if (call.beta.defined()) argument = argument + reshape(call.beta, spread);
    before = through_activation(call.activation, before, activated(call.activation, argument));
  }
  if (out.needs(0)) {
    Var scaled = mul(before, gamma);
    if (!given) {
      scaled = scaled - average(scaled) - mul(normal, average(mul(scaled, normal)));
    }
    out.add(0, reshape(mul(scaled, inverse), call.x.shape()));
  }
  if (out.needs(1)) out.add(1, reshape(sum_to(mul(before, normal), spread), channels));
  if (out.needs(2)) out.add(2, reshape(sum_to(before, spread), channels));
}

/// Mean and variance over the values of all ranks; sets call.count. The sums are f64: a mean that is large beside the
/// deviation costs no digits.
inline NormMoments moments_over_ranks(NormCall& call) {
  const std::int64_t channels = call.shape.channels;
  const auto rows = static_cast<double>(call.shape.rows);
  const Tensor& x = call.x.value();
  const NormMoments own = backend::norm_moments(x, call.shape);
  const Var own_mean(own.mean.to(DType::f64)), own_variance(own.variance.to(DType::f64));
  Tensor sums = Tensor::empty({1 + 2 * channels}, DType::f64, x.device());
  const Tensor count = sums.rows(0, 1), first = sums.rows(1, 1 + channels);
  const Tensor second = sums.rows(1 + channels, 1 + 2 * channels);
  Tensor(count).fill(rows);
  Tensor(first).copy_elements((own_mean * rows).value());
  Tensor(second).copy_elements(((own_variance + square(own_mean)) * rows).value());
  call.communicator->reduce(sums, Reduction::sum);
  const Var average = div(Var(first), Var(count));
  const Var variance = clamp(div(Var(second), Var(count)) - square(average), 0.0, INFINITY);
  call.count = count.to(x.dtype());
  const Shape shape{1, channels};
  return {average.value().to(x.dtype()).reshape(shape), variance.value().to(x.dtype()).reshape(shape)};
}

/// The gradients of a normalisation over the values of all ranks. That in x is the one of given moments, less
/// (sum of g + normalised x times sum of g normalised x) gamma / (deviation count), which is a normalisation too.
inline backend::NormGradients gradients_over_ranks(const NormCall& call, const Tensor& g, const NormMoments& moments,
                                                   bool wants_x) {
  const Tensor& x = call.x.value();
  const std::int64_t channels = call.shape.channels;
  backend::NormGradients out =
      backend::norm_gradients(x, g, call.shape, moments, call.affine(), {wants_x, true, true}, true);
  if (!wants_x) return out;
  Tensor sums = x.empty_like({2, channels});
  sums.rows(0, 1).copy_elements(out.gamma);
  sums.rows(1, 2).copy_elements(out.beta);
  call.communicator->reduce(sums, Reduction::sum);
  Var scale = div(rsqrt(Var(moments.variance) + call.epsilon), Var(call.count));
  if (call.gamma.defined()) scale = mul(scale, call.gamma.detach());
  const Tensor scaled = mul(scale, Var(sums)).value();
  const Shape shape{channels};
  out.x = (Var(out.x) - Var(backend::norm_apply(x, call.shape, moments,
                                                {.gamma = scaled.rows(0, 1).reshape(shape),
                                                 .beta = scaled.rows(1, 2).reshape(shape),
                                                 .epsilon = call.epsilon})))
              .value();
  return out;
}

inline Var record_norm(const char* op, Tensor y, const NormCall& call, const NormMoments& moments, bool given) {
  return record(
      op, std::move(y),
      [call, moments, given](const Var& g, Backward& out) {
        if (grad_enabled()) return composed_norm_gradients(call, given ? &moments : nullptr, g, out);
        const backend::NormWanted wanted{out.needs(0), out.needs(1), out.needs(2)};
        const backend::NormGradients gradients =
            call.communicator
                ? gradients_over_ranks(call, g.value(), moments, wanted.x)
                : backend::norm_gradients(call.x.value(), g.value(), call.shape, moments, call.affine(), wanted, given);
        if (wanted.x) out.add(0, gradients.x);
        if (wanted.gamma) out.add(1, gradients.gamma);
        if (wanted.beta) out.add(2, gradients.beta);
      },
      call.x, call.gamma, call.beta);
}

/// Normalises x with its own moments, which are handed out.
inline Var normalize(const char* op, NormCall& call, NormMoments& moments) {
  check_norm(op, call);
  if (call.communicator) {
    moments = moments_over_ranks(call);
    Tensor y = backend::norm_apply(call.x.value(), call.shape, moments, call.affine());
    return record_norm(op, std::move(y), call, moments, false);
  }
  Tensor y = backend::norm(call.x.value(), call.shape, call.affine(), moments);
  return record_norm(op, std::move(y), call, moments, false);
}

inline Var normalize(const char* op, NormCall&& call) {
  NormMoments moments;
  return normalize(op, call, moments);
}

inline std::int64_t channels_of(const char* op, const Var& x, int least_rank) {
  if (x.rank() < least_rank || x.shape(-1) == 0) {
    throw_shape(op, concat("expects at least ", least_rank, " axes, the last of at least one channel"),
                {{"input", x.value()}});
  }
  return x.shape(-1);
}

/// The shape of a normalisation that treats each sample for itself.
inline NormShape per_sample(const char* op, const Var& x, int least_rank, std::int64_t groups) {
  const std::int64_t channels = channels_of(op, x, least_rank);
  if (groups < 1 || channels % groups != 0) {
    throw_shape(op, concat(groups, " groups do not divide ", channels, " channels"), {{"input", x.value()}});
  }
  const std::int64_t rows = x.shape().with(0, 1).with(-1, 1).size();
  if (rows == 0) throw_shape(op, "a sample has no elements", {{"input", x.value()}});
  return {x.shape(0), rows, channels, groups};
}

}  // namespace detail

SYNTHDATA_INLINE Var batch_norm(const Var& x, const Var& gamma, const Var& beta, double epsilon,
                                const Activation& activation, BatchStatistics* statistics, Communicator* communicator) {
  if (communicator && communicator->size() == 1) communicator = nullptr;
  const std::int64_t channels = detail::channels_of("batch_norm", x, 2), rows = x.size() / channels;
  if (rows < (communicator ? 1 : 2)) {
    throw_shape("batch_norm",
                concat("training needs ", communicator ? "one value" : "two values", " per channel, got ", rows),
                {{"input", x.value()}});
  }
  backend::NormMoments moments;
  detail::NormCall call{x, gamma, beta, {1, rows, channels, channels}, epsilon, activation, communicator};
  const Var y = detail::normalize("batch_norm", call, moments);
  if (statistics) {
    statistics->mean = moments.mean.reshape(Shape{channels}).clone();
    statistics->variance = moments.variance.reshape(Shape{channels}).clone();
    if (communicator) {
      const Var count(call.count);
      statistics->variance = mul(Var(statistics->variance), div(count, count - 1.0)).value();
    } else {
      backend::scale_in_place(statistics->variance, static_cast<double>(rows) / static_cast<double>(rows - 1));
    }
  }
  return y;
}

SYNTHDATA_INLINE Var batch_norm_inference(const Var& x, const Var& gamma, const Var& beta, const Tensor& mean,
                                          const Tensor& variance, double epsilon, const Activation& activation) {
  const std::int64_t channels = detail::channels_of("batch_norm_inference", x, 1), rows = x.size() / channels;
  const detail::NormCall call{x, gamma, beta, {1, rows, channels, channels}, epsilon, activation};
  detail::check_norm("batch_norm_inference", call);
  if (!(mean.shape() == Shape{channels}) || !(variance.shape() == Shape{channels})) {
    throw_shape("batch_norm_inference", concat("the statistics expect one value for each of ", channels, " channels"),
                {{"input", x.value()}, {"mean", mean}, {"variance", variance}});
  }
  const backend::NormMoments moments{mean.reshape(Shape{1, channels}), variance.reshape(Shape{1, channels})};
  return detail::record_norm("batch_norm_inference", backend::norm_apply(x.value(), call.shape, moments, call.affine()),
                             call, moments, true);
}

SYNTHDATA_INLINE Var layer_norm(const Var& x, const Var& gamma, const Var& beta, double epsilon,
                                const Activation& activation) {
  const std::int64_t channels = detail::channels_of("layer_norm", x, 1), rows = x.size() / channels;
  return detail::normalize("layer_norm", {x, gamma, beta, {rows, 1, channels, 1}, epsilon, activation});
}

SYNTHDATA_INLINE Var group_norm(const Var& x, std::int64_t groups, const Var& gamma, const Var& beta, double epsilon,
                                const Activation& activation) {
  const backend::NormShape shape = detail::per_sample("group_norm", x, 2, groups);
  return detail::normalize("group_norm", {x, gamma, beta, shape, epsilon, activation});
}

SYNTHDATA_INLINE Var instance_norm(const Var& x, const Var& gamma, const Var& beta, double epsilon,
                                   const Activation& activation) {
  const backend::NormShape shape = detail::per_sample("instance_norm", x, 3, x.rank() ? x.shape(-1) : 1);
  return detail::normalize("instance_norm", {x, gamma, beta, shape, epsilon, activation});
}

}  // namespace synthdata
