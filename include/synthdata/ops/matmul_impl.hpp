// synthdata/ops/matmul_impl.hpp: bodies of ops/matmul.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/device_kernels.hpp>
#include <synthdata/ops/matmul.hpp>
#include <synthdata/ops/reduce.hpp>
#include <synthdata/ops/shape.hpp>

namespace synthdata {
namespace detail {

inline Shape batch_axes(const Shape& shape) {
  Shape out;
  for (int i = 0; i + 2 < shape.rank(); ++i) out.push_back(shape[i]);
  return out;
}

inline Shape with_matrix(Shape batch, std::int64_t rows, std::int64_t columns) {
  batch.push_back(rows);
  batch.push_back(columns);
  return batch;
}

/// Product of operands whose leading axes already agree.
inline Tensor batched_product(const Tensor& a, const Tensor& b, const MatmulOptions& o) {
  const std::int64_t m = a.shape(o.transpose_a ? -1 : -2), k = a.shape(o.transpose_a ? -2 : -1);
  const std::int64_t n = b.shape(o.transpose_b ? -2 : -1);
  const Shape batch = batch_axes(a.shape());
  const Precision precision = product_precision();  // of this thread, not of those that share the work
  backend::detail::check_devices("matmul", a, b);
  Tensor out = a.empty_like(with_matrix(batch, m, n));
  if (!a.device().is_cpu()) {
    if (!is_floating(a.dtype())) throw_not_floating("matmul", a.dtype());
    if (out.size() > 0) {
      backend::device_kernels().gemm({.trans_a = o.transpose_a,
                                      .trans_b = o.transpose_b,
                                      .m = m,
                                      .n = n,
                                      .k = k,
                                      .count = batch.size(),
                                      .precision = precision},
                                     a, b, {}, out);
    }
    return out;
  }
  visit_floating(a.dtype(), "matmul", [&]<class T>() {
    const T *pa = a.data<T>(), *pb = b.data<T>();
    T* pc = out.data<T>();
    const std::int64_t count = batch.size(), lda = a.shape(-1), ldb = b.shape(-1);
    const auto one = [&](std::int64_t i) {
      backend::cpu::gemm(o.transpose_a, o.transpose_b, m, n, k, pa + i * m * k, lda, pb + i * k * n, ldb,
                         pc + i * m * n, n, {}, precision);
    };
    // Many small products are shared out whole; few or large ones are split inside gemm.
    if (count > 1 && m * n * k < (std::int64_t{1} << 21)) {
      const std::int64_t chunk = std::int64_t{1} + (std::int64_t{1} << 18) / (m * n * k + 1);
      parallel_for(count, chunk, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) one(i);
      });
    } else {
      for (std::int64_t i = 0; i < count; ++i) one(i);
    }
  });
  return out;
}

}  // namespace detail

SYNTHDATA_INLINE Var matmul(const Var& a, const Var& b, const MatmulOptions& o) {
  if (a.dtype() != b.dtype()) backend::detail::throw_dtypes("matmul", a.value(), b.value());
  if (a.rank() < 2 || b.rank() < 2) {
    throw_shape("matmul", "operands need at least two axes", {{"a", a.value()}, {"b", b.value()}});
  }
  const std::int64_t k = a.shape(o.transpose_a ? -2 : -1), other = b.shape(o.transpose_b ? -1 : -2);
  if (k != other) {
    throw_shape("matmul", concat("inner extents differ, ", k, " and ", other), {{"a", a.value()}, {"b", b.value()}});
  }
  if (a.rank() > 2 && b.rank() == 2 && !o.transpose_a) {  // one product over all leading axes
    const std::int64_t rows = a.size() / (k ? k : 1);
    const Var product = matmul(reshape(a, Shape{k ? rows : a.shape().with(-1, 1).size(), k}), b, o);
    return reshape(product, a.shape().with(-1, product.shape(-1)));
  }
  const Shape batch = broadcast_shape("matmul", detail::batch_axes(a.shape()), detail::batch_axes(b.shape()));
  const Var wide_a = broadcast_to(a, detail::with_matrix(batch, a.shape(-2), a.shape(-1)));
  const Var wide_b = broadcast_to(b, detail::with_matrix(batch, b.shape(-2), b.shape(-1)));
  return detail::record(
      "matmul", detail::batched_product(wide_a.value(), wide_b.value(), o),
      [wide_a, wide_b, o, precision = product_precision()](const Var& g, Backward& out) {
        const ProductPrecision same(precision);
        if (out.needs(0)) {
          out.add(0, o.transpose_a ? matmul(wide_b, g, {.transpose_a = o.transpose_b, .transpose_b = true})
                                   : matmul(g, wide_b, {.transpose_b = !o.transpose_b}));
        }
        if (out.needs(1)) {
          out.add(1, o.transpose_b ? matmul(g, wide_a, {.transpose_a = true, .transpose_b = o.transpose_a})
                                   : matmul(wide_a, g, {.transpose_a = !o.transpose_a}));
        }
      },
      wide_a, wide_b);
}

SYNTHDATA_INLINE Var linear(const Var& x, const Var& weight, const Var& bias, const Activation& activation) {
  if (weight.rank() != 2 || x.rank() < 1 || x.shape(-1) != weight.shape(1)) {
    throw_shape("linear",
                concat("weight expects ", weight.rank() == 2 ? weight.shape(1) : 0, " input features, input has ",
                       x.rank() ? x.shape(-1) : 0),
                {{"input", x.value()}, {"weight", weight.value()}});
  }
  if (x.dtype() != weight.dtype()) backend::detail::throw_dtypes("linear", x.value(), weight.value());
  if (bias.defined() && !(bias.shape() == Shape{weight.shape(0)})) {
    throw_shape("linear", "bias expects one value for each output",
                {{"weight", weight.value()}, {"bias", bias.value()}});
  }
  if (x.rank() != 2) {
    const std::int64_t rows = x.shape().with(-1, 1).size();
    return reshape(linear(reshape(x, Shape{rows, x.shape(-1)}), weight, bias, activation),
                   x.shape().with(-1, weight.shape(0)));
  }
  const std::int64_t n = x.shape(0), in = x.shape(1), out_features = weight.shape(0);
  backend::detail::check_devices("linear", x.value(), weight.value());
  Tensor y = x.value().empty_like({n, out_features});
  visit_floating(x.dtype(), "linear", [&]<class T>() {
    if (!x.device().is_cpu()) {
      if (y.size() == 0) return;
      return backend::device_kernels().gemm({.trans_b = true,
                                             .m = n,
                                             .n = out_features,
                                             .k = in,
                                             .act = activation.kind,
                                             .slope = activation.negative_slope,
                                             .precision = product_precision()},
                                            x.value(), weight.value(), bias.value(), y);
    }
    backend::cpu::gemm(false, true, n, out_features, in, x.value().data<T>(), in, weight.value().data<T>(), in,
                       y.data<T>(), out_features, detail::epilogue<T>(activation, bias.value()), product_precision());
  });
  if (!detail::recording(x, weight, bias)) return Var(std::move(y));
  return detail::record(
      "linear", y,
      [x, weight, y, activation, precision = product_precision()](const Var& g, Backward& out) {
        const ProductPrecision same(precision);
        const Var before = detail::through_activation(activation, g, out.output(y));
        if (out.needs(0)) out.add(0, matmul(before, weight));
        if (out.needs(1)) out.add(1, matmul(before, x, {.transpose_a = true}));
        if (out.needs(2)) out.add(2, sum(before, 0));
      },
      x, weight, bias);
}

}  // namespace synthdata
