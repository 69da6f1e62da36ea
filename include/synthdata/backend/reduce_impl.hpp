// synthdata/backend/reduce_impl.hpp: bodies of backend/reduce.hpp.
//
// A reduction is a sequence of steps [outer, reduced, inner] -> [outer, inner]. With inner = 1 a row is summed in
// vector lanes; otherwise rows are added to a row of partial sums.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/elementwise.hpp>
#include <synthdata/backend/reduce.hpp>
#include <synthdata/functor/reduce.hpp>

#include <vector>

namespace synthdata::backend {
namespace detail {

inline constexpr std::int64_t reduce_chunk = 16384;  // elements summed in lanes before partial sums are combined
inline constexpr std::int64_t row_chunk = 256;       // rows added up before partial rows are combined
inline constexpr std::int64_t column_piece = 2048;   // columns of a partial row

/// Reduction of n <= reduce_chunk contiguous values: 64 lanes, folded in halves.
template <class T, class Op>
T reduce_run(const Op& op, const T* x, std::int64_t n) {
  constexpr std::int64_t lanes = cpu::block_size;
  alignas(64) T acc[lanes];
  for (T& a : acc) a = Op::template identity<T>();
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) cpu::map<T, 2>(op, acc, {acc, x + i}, {lanes, lanes}, lanes);
  for (std::int64_t j = 0; i + j < n; ++j) acc[j] = op(acc[j], x[i + j]);
  for (std::int64_t width = lanes / 2; width > 0; width /= 2) {
    for (std::int64_t j = 0; j < width; ++j) acc[j] = op(acc[j], acc[j + width]);
  }
  return acc[0];
}

template <class T, class Op>
T reduce_all(const Op& op, const T* x, std::int64_t n, bool inside_parallel) {
  if (n <= reduce_chunk) return reduce_run(op, x, n);
  const std::int64_t chunks = (n + reduce_chunk - 1) / reduce_chunk;
  std::vector<T> partial(static_cast<std::size_t>(chunks));
  const auto chunk_sum = [&](std::int64_t begin, std::int64_t end) {
    partial[static_cast<std::size_t>(begin / reduce_chunk)] = reduce_run(op, x + begin, end - begin);
  };
  if (inside_parallel) {
    for (std::int64_t b = 0; b < n; b += reduce_chunk) chunk_sum(b, b + reduce_chunk < n ? b + reduce_chunk : n);
  } else {
    parallel_for(n, reduce_chunk, chunk_sum);
  }
  return reduce_all(op, partial.data(), chunks, inside_parallel);
}

/// acc[0..width) = op over `rows` rows of x, which lie `stride` apart.
template <class T, class Op>
void reduce_rows(const Op& op, T* acc, const T* x, std::int64_t rows, std::int64_t stride, std::int64_t width) {
  if (stride == width && width < cpu::block_size) {
    // Narrow rows: m of them make one row wide enough for the vector loop; their sums are folded at the end.
    const std::int64_t m = cpu::block_size / width, wide = m * width;
    alignas(64) T lanes[cpu::block_size];
    for (T& a : lanes) a = Op::template identity<T>();
    std::int64_t r = 0;
    for (; r + m <= rows; r += m) {
      cpu::map<T, 2>(op, lanes, {lanes, x + r * width}, {cpu::block_size, cpu::block_size}, wide);
    }
    for (; r < rows; ++r) {
      for (std::int64_t j = 0; j < width; ++j) lanes[j] = op(lanes[j], x[r * width + j]);
    }
    for (std::int64_t j = 0; j < width; ++j) {
      T total = lanes[j];
      for (std::int64_t k = 1; k < m; ++k) total = op(total, lanes[k * width + j]);
      acc[j] = total;
    }
    return;
  }
  for (std::int64_t j = 0; j < width; ++j) acc[j] = x[j];
  for (std::int64_t r = 1; r < rows; ++r) {
    cpu::map<T, 2>(op, acc, {acc, x + r * stride}, {cpu::block_size, cpu::block_size}, width);
  }
}

/// y[o, i] = op over r of x[o, r, i]
template <class T, class Op>
void reduce_step(const Op& op, const T* x, T* y, std::int64_t outer, std::int64_t reduced, std::int64_t inner) {
  if (inner == 1) {
    if (outer == 1) {
      y[0] = reduce_all(op, x, reduced, false);
      return;
    }
    const std::int64_t rows = std::int64_t{1} + (reduce_chunk - 1) / reduced;
    parallel_for(outer, rows, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t o = begin; o < end; ++o) y[o] = reduce_all(op, x + o * reduced, reduced, true);
    });
    return;
  }
  const std::int64_t chunks = (reduced + row_chunk - 1) / row_chunk;
  const std::int64_t pieces = (inner + column_piece - 1) / column_piece;
  Tensor partial;
  T* into = y;
  if (chunks > 1) {
    partial = Tensor::empty({outer * chunks, inner}, dtype_of<T>, Device::cpu());
    into = partial.data<T>();
  }
  const std::int64_t cost = (reduced < row_chunk ? reduced : row_chunk) * (inner < column_piece ? inner : column_piece);
  parallel_for(outer * chunks * pieces, std::int64_t{1} + (reduce_chunk - 1) / cost,
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t item = begin; item < end; ++item) {
                   const std::int64_t piece = item % pieces, chunk = item / pieces % chunks, o = item / pieces / chunks;
                   const std::int64_t from = piece * column_piece, first = chunk * row_chunk;
                   const std::int64_t width = inner - from < column_piece ? inner - from : column_piece;
                   const std::int64_t rows = reduced - first < row_chunk ? reduced - first : row_chunk;
                   reduce_rows(op, into + (o * chunks + chunk) * inner + from, x + (o * reduced + first) * inner + from,
                               rows, inner, width);
                 }
               });
  if (chunks > 1) reduce_step(op, static_cast<const T*>(into), y, outer, chunks, inner);
}

template <class Op>
Tensor reduce_to(const char* name, const Op& op, ReduceOp device_op, const Tensor& x, const Shape& shape) {
  if (!(broadcast_shape(name, x.shape(), shape) == x.shape())) {
    throw ShapeError(concat(name, ": ", shape, " does not broadcast to ", x.shape()));
  }
  if (x.shape() == shape) return x;
  return visit_floating(x.dtype(), name, [&]<class T>() {
    Tensor out = x.empty_like(shape);
    if (x.size() == 0) {
      out.fill(static_cast<double>(Op::template identity<T>()));
      return out;
    }
    const BroadcastPlan<1> plan(x.shape(), {&shape});
    std::int64_t extent[Shape::max_rank];
    bool reduced[Shape::max_rank];
    int rank = plan.rank, remaining = 0;
    for (int i = 0; i < rank; ++i) {
      extent[i] = plan.extent[i];
      reduced[i] = plan.stride[0][static_cast<std::size_t>(i)] == 0;
      remaining += reduced[i];
    }
    if (remaining == 0) return x.reshape(shape);
    Tensor current = x;
    for (int axis = rank - 1; axis >= 0; --axis) {  // innermost first: it shrinks the data most cheaply
      if (!reduced[axis]) continue;
      std::int64_t outer = 1, inner = 1;
      for (int i = 0; i < axis; ++i) outer *= extent[i];
      for (int i = axis + 1; i < rank; ++i) inner *= extent[i];
      Tensor next = --remaining == 0 ? out.reshape(Shape{out.size()}) : x.empty_like({outer * inner});
      if (x.device().is_cpu()) {
        reduce_step(op, std::as_const(current).data<T>(), next.data<T>(), outer, extent[axis], inner);
      } else {
        device_kernels().reduce(device_op, current, {outer, extent[axis], inner}, next);
      }
      extent[axis] = 1;
      current = next;
    }
    return out;
  });
}

}  // namespace detail

SYNTHDATA_INLINE Tensor sum_to(const Tensor& x, const Shape& shape) {
  return detail::reduce_to("sum_to", SumReduction{}, ReduceOp::sum, x, shape);
}

SYNTHDATA_INLINE Tensor max_to(const Tensor& x, const Shape& shape) {
  if (x.size() == 0) throw ShapeError(concat("max: ", x.str(), " has no elements to compare"));
  return detail::reduce_to("max_to", MaxReduction{}, ReduceOp::max, x, shape);
}

SYNTHDATA_INLINE Tensor broadcast_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  if (!(broadcast_shape("broadcast_to", x.shape(), shape) == shape)) {
    throw ShapeError(concat("broadcast_to: ", x.shape(), " does not broadcast to ", shape));
  }
  Tensor out = x.empty_like(shape);
  visit_floating(x.dtype(), "broadcast_to",
                 [&]<class T>() { detail::map_into<T, detail::Identity, 1>("broadcast_to", {}, out, {&x}); });
  return out;
}

SYNTHDATA_INLINE Tensor argmax(const Tensor& x, int axis) {
  const int along = x.shape().wrap(axis);
  const std::int64_t n = x.shape()[along];
  if (n == 0) throw ShapeError(concat("argmax: ", x.str(), " has nothing to compare along axis ", axis));
  std::int64_t outer = 1, inner = 1;
  for (int i = 0; i < along; ++i) outer *= x.shape()[i];
  for (int i = along + 1; i < x.rank(); ++i) inner *= x.shape()[i];
  Tensor out = Tensor::empty(x.shape().erase(along), DType::i64, x.device());
  if (!x.device().is_cpu()) {
    if (out.size() > 0) device_kernels().argmax(x, {outer, n, inner}, out);
    return out;
  }
  std::int64_t* y = out.data<std::int64_t>();
  visit_floating(x.dtype(), "argmax", [&]<class T>() {
    const T* p = x.data<T>();
    parallel_for(outer, std::int64_t{1} + detail::reduce_chunk / (n * inner + 1),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t o = begin; o < end; ++o) {
                     for (std::int64_t i = 0; i < inner; ++i) {
                       const T* row = p + o * n * inner + i;
                       std::int64_t best = 0;
                       for (std::int64_t k = 1; k < n; ++k) {
                         if (row[k * inner] > row[best * inner]) best = k;
                       }
                       y[o * inner + i] = best;
                     }
                   }
                 });
  });
  return out;
}

}  // namespace synthdata::backend
