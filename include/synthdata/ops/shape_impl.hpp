// synthdata/ops/shape_impl.hpp: bodies of ops/shape.hpp.
//
// slice, pad, split and the adjoints of concat are two operations, each the adjoint of the other: take_box reads a
// regular grid of positions, put_box writes one into zeros.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/copy.hpp>
#include <synthdata/ops/reduce.hpp>
#include <synthdata/ops/shape.hpp>

namespace synthdata {

SYNTHDATA_INLINE Var reshape(const Var& x, const Shape& shape) {
  return detail::linear_op("reshape", x.value().reshape(shape), x,
                           [from = x.shape()](const Var& g) { return reshape(g, from); });
}

SYNTHDATA_INLINE Var reshape(const Var& x, std::initializer_list<std::int64_t> extents) {
  return reshape(x, x.value().infer_shape(std::span(extents.begin(), extents.size())));
}

SYNTHDATA_INLINE Var flatten(const Var& x, int from_axis) {
  const int first = x.shape().wrap(from_axis);
  Shape shape;
  for (int k = 0; k < first; ++k) shape.push_back(x.shape()[k]);
  shape.push_back(1);
  for (int k = first; k < x.rank(); ++k) shape[first] *= x.shape()[k];
  return reshape(x, shape);
}

namespace detail {
/// The place of a new axis in a shape that has one more.
inline int wrap_new(const char* op, const Shape& shape, int axis) {
  const int wrapped = axis < 0 ? axis + shape.rank() + 1 : axis;
  if (wrapped < 0 || wrapped > shape.rank()) {
    throw ShapeError(concat(op, ": axis ", axis, " is out of range for a new axis of ", shape));
  }
  return wrapped;
}
}  // namespace detail

SYNTHDATA_INLINE Var expand_dims(const Var& x, int axis) {
  return reshape(x, x.shape().insert(detail::wrap_new("expand_dims", x.shape(), axis), 1));
}

SYNTHDATA_INLINE Var squeeze(const Var& x, int axis) {
  if (x.shape().at(axis) != 1) {
    throw ShapeError(concat("squeeze: axis ", axis, " of ", x.shape(), " must be 1, it is ", x.shape().at(axis)));
  }
  return reshape(x, x.shape().erase(axis));
}

SYNTHDATA_INLINE Var permute(const Var& x, std::span<const int> axes) {
  const Shape& from = x.shape();
  const int rank = from.rank();
  bool fits = static_cast<int>(axes.size()) == rank, seen[Shape::max_rank] = {};
  std::array<int, Shape::max_rank> order{}, inverse{};
  for (int k = 0; fits && k < rank; ++k) {
    const int axis = axes[static_cast<std::size_t>(k)], wrapped = axis < 0 ? axis + rank : axis;
    fits = wrapped >= 0 && wrapped < rank && !seen[wrapped];
    if (!fits) break;
    seen[wrapped] = true;
    order[static_cast<std::size_t>(k)] = wrapped;
    inverse[static_cast<std::size_t>(wrapped)] = k;
  }
  if (!fits) [[unlikely]] {
    std::string given;
    for (const int axis : axes) given += concat(given.empty() ? "" : ", ", axis);
    throw ShapeError(concat("permute: {", given, "} does not name each axis of ", from, " once"));
  }
  // Moving axes of extent 1 moves no element.
  Shape shape;
  int last = -1;
  bool moves = false;
  for (int k = 0; k < rank; ++k) {
    const int axis = order[static_cast<std::size_t>(k)];
    shape.push_back(from[axis]);
    if (from[axis] == 1) continue;
    moves = moves || axis < last;
    last = axis;
  }
  if (!moves) return reshape(x, shape);
  return detail::linear_op("permute", backend::permute(x.value(), order.data()), x, [inverse, rank](const Var& g) {
    return permute(g, std::span(inverse).first(static_cast<std::size_t>(rank)));
  });
}
SYNTHDATA_INLINE Var permute(const Var& x, std::initializer_list<int> axes) {
  return permute(x, std::span(axes.begin(), axes.size()));
}

SYNTHDATA_INLINE Var transpose(const Var& x, int axis_a, int axis_b) {
  const int a = x.shape().wrap(axis_a), b = x.shape().wrap(axis_b);
  int order[Shape::max_rank];
  for (int k = 0; k < x.rank(); ++k) order[k] = k == a ? b : k == b ? a : k;
  return permute(x, std::span(order, static_cast<std::size_t>(x.rank())));
}

namespace detail {

Var put_box(const Var& x, const Shape& begin, const Shape& step, const Shape& shape, double fill);

SYNTHDATA_INLINE Var take_box(const Var& x, const Shape& begin, const Shape& step, const Shape& shape) {
  return linear_op("slice", backend::take_box(x.value(), begin, step, shape), x,
                   [begin, step, from = x.shape()](const Var& g) { return put_box(g, begin, step, from, 0.0); });
}

SYNTHDATA_INLINE Var put_box(const Var& x, const Shape& begin, const Shape& step, const Shape& shape, double fill) {
  return linear_op("pad", backend::put_box(x.value(), begin, step, shape, fill), x,
                   [begin, step, from = x.shape()](const Var& g) { return take_box(g, begin, step, from); });
}

/// `value` for every axis.
inline Shape uniform_shape(int rank, std::int64_t value) {
  Shape s;
  for (int k = 0; k < rank; ++k) s.push_back(value);
  return s;
}

/// Positions begin, begin + step, ... of one axis, `count` of them.
inline Var take_range(const Var& x, int axis, std::int64_t begin, std::int64_t step, std::int64_t count) {
  return take_box(x, uniform_shape(x.rank(), 0).with(axis, begin), uniform_shape(x.rank(), 1).with(axis, step),
                  x.shape().with(axis, count));
}

}  // namespace detail

SYNTHDATA_INLINE Var slice(const Var& x, int axis, std::int64_t begin, std::int64_t end, std::int64_t step) {
  const int k = x.shape().wrap(axis);
  const std::int64_t extent = x.shape()[k];
  const std::int64_t first = begin < 0 ? begin + extent : begin, last = end < 0 ? end + extent : end;
  if (first < 0 || last < first || last > extent || step < 1) [[unlikely]] {
    throw ShapeError(concat("slice: expects 0 <= begin <= end <= ", extent, " and step >= 1 on axis ", k, " of ",
                            x.value().str(), ", got begin ", begin, ", end ", end, ", step ", step));
  }
  if (first == 0 && last == extent && step == 1) return x;
  return detail::take_range(x, k, first, step, last == first ? 0 : (last - first - 1) / step + 1);
}

SYNTHDATA_INLINE Var concat(const std::vector<Var>& parts, int axis) {
  if (parts.empty()) throw ShapeError("concat: expects at least one part, got none");
  if (parts.size() == 1) return parts[0];
  const Shape& shape = parts[0].shape();
  const int k = shape.wrap(axis);
  std::vector<Tensor> values;
  values.reserve(parts.size());
  for (const Var& part : parts) {
    if (part.dtype() != parts[0].dtype()) {
      throw DTypeError(concat("concat: parts have different dtypes\n  first ", parts[0].value().str(), "\n  part ",
                              values.size(), " ", part.value().str()));
    }
    if (part.rank() != shape.rank() || !(part.shape().with(k, 0) == shape.with(k, 0))) [[unlikely]] {
      throw_shape("concat", concat("part ", values.size(), " may differ from the first on axis ", k, " only"),
                  {{"first", parts[0].value()}, {"part ", part.value()}});
    }
    values.push_back(part.value());
  }
  std::vector<std::int64_t> extents;
  for (const Var& part : parts) extents.push_back(part.shape()[k]);
  return detail::record_list(
      "concat", backend::join(values, k),
      [k, extents = std::move(extents)](const Var& g, Backward& out) {
        std::int64_t at = 0;
        for (std::size_t i = 0; i < extents.size(); ++i) {
          if (out.needs(static_cast<int>(i))) out.add(static_cast<int>(i), detail::take_range(g, k, at, 1, extents[i]));
          at += extents[i];
        }
      },
      parts);
}

SYNTHDATA_INLINE Var stack(const std::vector<Var>& parts, int axis) {
  if (parts.empty()) throw ShapeError("stack: expects at least one part, got none");
  const int k = detail::wrap_new("stack", parts[0].shape(), axis);
  std::vector<Var> rows;
  rows.reserve(parts.size());
  for (const Var& part : parts) {
    if (!(part.shape() == parts[0].shape())) [[unlikely]] {
      throw_shape("stack", concat("part ", rows.size(), " and the first differ in shape"),
                  {{"first", parts[0].value()}, {"part ", part.value()}});
    }
    rows.push_back(reshape(part, part.shape().insert(k, 1)));
  }
  return concat(rows, k);
}

SYNTHDATA_INLINE std::vector<Var> split(const Var& x, int axis, std::span<const std::int64_t> extents) {
  const int k = x.shape().wrap(axis);
  std::int64_t total = 0;
  bool positive = true;
  for (const std::int64_t extent : extents) {
    positive = positive && extent >= 0 && extent <= x.shape()[k] - total;
    if (!positive) break;
    total += extent;
  }
  if (!positive || total != x.shape()[k]) [[unlikely]] {
    std::string given;
    for (const std::int64_t extent : extents) given += concat(given.empty() ? "" : ", ", extent);
    throw ShapeError(concat("split: {", given, "} does not add up to ", x.shape()[k], ", the extent of axis ", k,
                            " of ", x.value().str()));
  }
  std::vector<Var> parts;
  parts.reserve(extents.size());
  std::int64_t at = 0;
  for (const std::int64_t extent : extents) {
    parts.push_back(detail::take_range(x, k, at, 1, extent));
    at += extent;
  }
  return parts;
}
SYNTHDATA_INLINE std::vector<Var> split(const Var& x, int axis, std::initializer_list<std::int64_t> extents) {
  return split(x, axis, std::span(extents.begin(), extents.size()));
}
SYNTHDATA_INLINE std::vector<Var> split(const Var& x, int axis, std::int64_t parts) {
  const std::int64_t extent = x.shape().at(axis);
  if (parts < 1 || extent % parts != 0) {
    throw ShapeError(concat("split: axis ", x.shape().wrap(axis), " of ", x.value().str(), " cannot be cut into ",
                            parts, " equal parts"));
  }
  const std::vector<std::int64_t> extents(static_cast<std::size_t>(parts), extent / parts);
  return split(x, axis, extents);
}

SYNTHDATA_INLINE Var pad(const Var& x, std::span<const PadWidth> widths, double value) {
  if (static_cast<int>(widths.size()) != x.rank()) {
    throw ShapeError(
        concat("pad: expects a width for each of ", x.rank(), " axes of ", x.value().str(), ", got ", widths.size()));
  }
  Shape begin, shape;
  for (int k = 0; k < x.rank(); ++k) {
    const auto [before, after] = widths[static_cast<std::size_t>(k)];
    constexpr std::int64_t most = std::int64_t{1} << 48;  // keeps the sum below in range
    if (before < 0 || after < 0 || before > most || after > most) {
      throw ShapeError(concat("pad: expects widths in [0, 2^48], got {", before, ", ", after, "} for axis ", k));
    }
    begin.push_back(before);
    shape.push_back(x.shape()[k] + before + after);
  }
  if (shape == x.shape()) return x;
  return detail::put_box(x, begin, detail::uniform_shape(x.rank(), 1), shape, value);
}
SYNTHDATA_INLINE Var pad(const Var& x, std::initializer_list<PadWidth> widths, double value) {
  return pad(x, std::span(widths.begin(), widths.size()), value);
}

SYNTHDATA_INLINE Var flip(const Var& x, int axis) {
  const int k = x.shape().wrap(axis);
  return detail::linear_op("flip", backend::flip(x.value(), k), x, [k](const Var& g) { return flip(g, k); });
}

namespace detail {
/// Repeats blocks of x: [outer, inner] -> [outer, count, inner], then `axis` holds `count` times as much.
inline Var repeat_blocks(const char* op, const Var& x, int axis, int first_inner, std::int64_t count) {
  if (count < 1) throw ShapeError(concat(op, ": expects a count >= 1, got ", count));
  std::int64_t outer = 1, inner = 1;
  for (int k = 0; k < x.rank(); ++k) (k < first_inner ? outer : inner) *= x.shape()[k];
  const Var copies = broadcast_to(reshape(x, Shape{outer, 1, inner}), Shape{outer, count, inner});
  return reshape(copies, x.shape().with(axis, x.shape()[axis] * count));
}
}  // namespace detail

SYNTHDATA_INLINE Var tile(const Var& x, int axis, std::int64_t count) {
  const int k = x.shape().wrap(axis);
  return detail::repeat_blocks("tile", x, k, k, count);
}
SYNTHDATA_INLINE Var repeat(const Var& x, int axis, std::int64_t count) {
  const int k = x.shape().wrap(axis);
  return detail::repeat_blocks("repeat", x, k, k + 1, count);
}

}  // namespace synthdata
