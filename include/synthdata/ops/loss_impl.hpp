// synthdata/ops/loss_impl.hpp: bodies of ops/loss.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/copy.hpp>
#include <synthdata/backend/reduce.hpp>
#include <synthdata/backend/softmax.hpp>
#include <synthdata/ops/gather.hpp>
#include <synthdata/ops/loss.hpp>
#include <synthdata/ops/pointwise.hpp>
#include <synthdata/ops/reduce.hpp>
#include <synthdata/ops/softmax.hpp>

namespace synthdata {
namespace detail {

/// mean(f(a, b)).
template <class F>
Var mean_loss(const char* op, const F& f, const Var& a, const Var& b) {
  if (!(a.shape() == b.shape())) throw_shape(op, "shapes differ", {{"first", a.value()}, {"second", b.value()}});
  if (a.size() == 0) throw_shape(op, "there is nothing to average", {{"first", a.value()}});
  const double share = 1.0 / static_cast<double>(a.size());
  Tensor y = backend::sum_to(backend::map(op, BinaryValueOf<F>{f}, a.value(), b.value()), Shape{}).clone();
  backend::scale_in_place(y, share);
  return record(
      op, std::move(y),
      [f, a, b, share, op](const Var& g, Backward& out) {
        if (grad_enabled() || !g.device().is_cpu()) {  // elsewhere the number g is not at hand
          const Var each = g * share;
          if (out.needs(0)) out.add(0, mul(f.slope_a(a, b), each));
          if (out.needs(1)) out.add(1, mul(f.slope_b(a, b), each));
          return;
        }
        const double each = g.item() * share;
        if (out.needs(0)) out.add(0, backend::map(op, ScaledSlope<F, true>{f, each}, a.value(), b.value()));
        if (out.needs(1)) out.add(1, backend::map(op, ScaledSlope<F, false>{f, each}, a.value(), b.value()));
      },
      a, b);
}

/// x[i, labels[i]] += value
inline void add_at_labels(Tensor& x, const Tensor& labels, double value) {
  visit_floating(x.dtype(), "cross_entropy", [&]<class T>() {
    for (std::int64_t i = 0; i < labels.size(); ++i) {
      x.data<T>()[i * x.shape(1) + labels.data<std::int64_t>()[i]] += static_cast<T>(value);
    }
  });
}

/// The labels as i64, all within [0, classes).
inline Tensor checked_labels(const Tensor& logits, const Tensor& labels) {
  if (logits.rank() != 2 || !(labels.shape() == Shape{logits.shape(0)}) || logits.size() == 0) {
    throw_shape("cross_entropy", "expects logits [N, C] and labels [N], N and C at least 1",
                {{"logits", logits}, {"labels", labels}});
  }
  if (labels.dtype() != DType::i64 && labels.dtype() != DType::i32) {
    throw DTypeError(concat("cross_entropy: expects labels of i64 or i32, got ", labels.dtype()));
  }
  backend::detail::check_devices("cross_entropy", logits, labels);
  const Tensor checked = labels.to(DType::i64);
  if (!checked.device().is_cpu()) {
    backend::check_index("cross_entropy", checked, logits.shape(1));
    return checked;
  }
  for (std::int64_t i = 0; i < checked.size(); ++i) {
    const std::int64_t label = checked.data<std::int64_t>()[i];
    if (label < 0 || label >= logits.shape(1)) {
      throw ShapeError(concat("cross_entropy: label ", label, " of row ", i, " is outside [0, ", logits.shape(1), ")"));
    }
  }
  return checked;
}

/// Cross entropy of plain operations: devices other than the CPU have no kernel of its own for it.
inline Var composed_cross_entropy(const Var& logits, const Tensor& labels, double smoothing) {
  const double n = static_cast<double>(logits.shape(0)), spread = smoothing / static_cast<double>(logits.shape(1));
  const Var y = log_softmax(logits);
  Var total = (smoothing - 1.0) * sum(take_along_axis(y, labels.reshape({-1, 1}), 1));
  if (spread > 0.0) total = total - spread * sum(y);
  return total * (1.0 / n);
}

}  // namespace detail

SYNTHDATA_INLINE Var cross_entropy(const Var& logits, const Tensor& any_labels, const CrossEntropyOptions& options) {
  const double smoothing = options.label_smoothing;
  if (!(smoothing >= 0.0 && smoothing < 1.0)) {
    throw NumericError(concat("cross_entropy: expects label_smoothing in [0, 1), got ", smoothing));
  }
  const Tensor labels = detail::checked_labels(logits.value(), any_labels);
  if (!logits.device().is_cpu()) return detail::composed_cross_entropy(logits, labels, smoothing);
  const std::int64_t n = logits.shape(0), classes = logits.shape(1);
  const double spread = smoothing / static_cast<double>(classes), share = 1.0 / static_cast<double>(n);
  const Tensor y = backend::softmax(backend::SoftmaxKind::log, logits.value(), {}, 1.0, {&classes, 1});
  double total = 0.0;
  visit_floating(y.dtype(), "cross_entropy", [&]<class T>() {
    for (std::int64_t i = 0; i < n; ++i) {
      const T* row = y.data<T>() + i * classes;
      total -= (1.0 - smoothing) * static_cast<double>(row[labels.data<std::int64_t>()[i]]);
      for (std::int64_t c = 0; c < classes && spread > 0.0; ++c) total -= spread * static_cast<double>(row[c]);
    }
  });
  return detail::record(
      "cross_entropy", Tensor::scalar(total * share, y.dtype()),
      [logits, labels, y, smoothing, spread, share](const Var& g, Backward& out) {
        if (grad_enabled()) {
          Tensor target = Tensor::full(y.shape(), spread, y.dtype());
          detail::add_at_labels(target, labels, 1.0 - smoothing);
          out.add(0, mul(softmax(logits) - Var(target), g * share));
          return;
        }
        const double each = g.item() * share;
        Tensor gradient = backend::map("cross_entropy", detail::ScaledExp{each, each * spread}, y);
        detail::add_at_labels(gradient, labels, -each * (1.0 - smoothing));
        out.add(0, gradient);
      },
      logits);
}

SYNTHDATA_INLINE Var binary_cross_entropy_with_logits(const Var& logits, const Var& targets) {
  return detail::mean_loss("binary_cross_entropy_with_logits", detail::BinaryCrossEntropy{}, logits, targets);
}

SYNTHDATA_INLINE Var mse_loss(const Var& a, const Var& b) {
  return detail::mean_loss("mse_loss", detail::SquaredError{}, a, b);
}

SYNTHDATA_INLINE Var l1_loss(const Var& a, const Var& b) {
  return detail::mean_loss("l1_loss", detail::AbsoluteError{}, a, b);
}

}  // namespace synthdata
