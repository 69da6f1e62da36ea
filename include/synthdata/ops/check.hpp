// synthdata/ops/check.hpp: gradients against finite differences, first and second order.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/random.hpp>
#include <synthdata/ops/pointwise.hpp>
#include <synthdata/ops/reduce.hpp>

namespace synthdata {

struct GradCheck {
  double worst_relative = 0.0;  ///< largest |analytic - numeric| / max(1, |analytic|, |numeric|)
  std::int64_t compared = 0;    ///< number of derivatives compared
};

namespace detail {

/// A fixed random weight for each element of the output turns any function into a scalar one.
template <class F>
Var weighted_output(const F& f, const std::vector<Var>& x) {
  const Var y = f(x);
  const OnDevice there(y.device());
  Rng rng{0x5EED};
  const Var weights = uniform(y.shape(), rng, y.dtype(), 0.5, 1.5);
  return sum(mul(y, weights));
}

/// Compares `analytic` (gradients of `value` at `at`) with central differences.
template <class Value>
GradCheck compare_gradients(const Value& value, const std::vector<Tensor>& at, const std::vector<Tensor>& analytic,
                            double step) {
  GradCheck result;
  for (std::size_t i = 0; i < at.size(); ++i) {
    const Tensor exact_values = analytic[i].to(Device::cpu());
    for (std::int64_t j = 0; j < at[i].size(); ++j) {
      const auto shifted = [&](double by) {
        Tensor numbers = at[i].to(Device::cpu()).clone();
        numbers.template data<double>()[j] += by;
        std::vector<Tensor> moved = at;
        moved[i] = numbers.to(at[i].device());
        return value(moved);
      };
      const double numeric = (shifted(step) - shifted(-step)) / (2.0 * step);
      const double exact = exact_values.template data<double>()[j];
      const double scale = math::max(1.0, math::max(math::abs(exact), math::abs(numeric)));
      const double error = math::abs(exact - numeric) / scale;
      result.worst_relative = error > result.worst_relative || error != error ? error : result.worst_relative;
      ++result.compared;
    }
  }
  return result;
}

std::vector<Var> leaves(const std::vector<Tensor>& at);

}  // namespace detail

/// Compares grad() of f with central differences in every element of every input.
/// @param f   (const std::vector<Var>&) -> Var of any shape
/// @param at  f64 tensors, away from points where f is not smooth
template <class F>
GradCheck gradcheck(const F& f, const std::vector<Tensor>& at, double step = 1e-6) {
  const std::vector<Var> x = detail::leaves(at);
  std::vector<Tensor> analytic;
  analytic.reserve(at.size());
  for (const Var& g : grad(detail::weighted_output(f, x), x)) analytic.push_back(g.value());
  const auto value = [&](const std::vector<Tensor>& moved) {
    const std::vector<Var> constants(moved.begin(), moved.end());
    return detail::weighted_output(f, constants).item();
  };
  return detail::compare_gradients(value, at, analytic, step);
}

/// Compares second derivatives: the gradient of a fixed combination of f's gradients, against differences of it.
template <class F>
GradCheck gradgradcheck(const F& f, const std::vector<Tensor>& at, double step = 1e-6) {
  const auto gradient = [&](const std::vector<Var>& x) {
    Rng rng{0x5EED2};
    Var total(0.0);
    for (const Var& g : grad(detail::weighted_output(f, x), x, {.create_graph = true})) {
      const OnDevice there(g.device());
      total = total + sum(mul(g, Var(uniform(g.shape(), rng, g.dtype(), 0.5, 1.5))));
    }
    return total;
  };
  const std::vector<Var> x = detail::leaves(at);
  const Var total = gradient(x);
  std::vector<Tensor> analytic;
  analytic.reserve(at.size());
  for (const Var& v : x) {
    analytic.push_back(total.requires_grad() ? grad(total, v, {.retain_graph = true}).value()
                                             : Tensor::zeros(v.shape(), v.dtype(), v.device()));
  }
  const auto value = [&](const std::vector<Tensor>& moved) { return gradient(detail::leaves(moved)).item(); };
  return detail::compare_gradients(value, at, analytic, step);
}

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/ops/check_impl.hpp>
#endif
