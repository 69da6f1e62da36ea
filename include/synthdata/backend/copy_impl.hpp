// synthdata/backend/copy_impl.hpp: bodies of backend/copy.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/copy.hpp>
#include <synthdata/backend/elementwise.hpp>

#include <algorithm>
#include <type_traits>

namespace synthdata::backend {
namespace detail {

/// Elements a thread moves at a time; smaller work stays on the calling thread.
inline constexpr std::int64_t copy_chunk = 16384;

/// Copies a StridedBox whose neighbouring axes are merged where they can be.
class BoxCopy {
 public:
  /// Appends an inner axis; where both sides just walk on from the axis outside it, the two become one.
  void axis(std::int64_t extent, std::int64_t from, std::int64_t into) {
    if (extent == 1) return;
    if (box_.rank > 0 && box_.from[box_.rank - 1] == extent * from && box_.into[box_.rank - 1] == extent * into) {
      box_.extent[box_.rank - 1] *= extent;
      box_.from[box_.rank - 1] = from;
      box_.into[box_.rank - 1] = into;
      return;
    }
    insert(box_.rank, extent, from, into);
  }

  /// Copies from x, beginning at element `from_first`, into out from `into_first` on. No extent may be 0.
  void run(const Tensor& x, std::int64_t from_first, Tensor& out, std::int64_t into_first) {
    check_devices("copy", x, out);
    const auto size = static_cast<std::int64_t>(size_of(x.dtype()));
    const auto* source = static_cast<const std::byte*>(x.address()) + from_first * size;
    auto* target = static_cast<std::byte*>(out.address()) + into_first * size;
    if (!x.device().is_cpu()) {
      return device_kernels().copy_box(x.device().index, box_, size_of(x.dtype()), source, target);
    }
    switch (size) {
      case 1:
        return run_sized<1>(source, target);
      case 4:
        return run_sized<4>(source, target);
      default:
        return run_sized<8>(source, target);
    }
  }

 private:
  void insert(int at, std::int64_t extent, std::int64_t from, std::int64_t into) {
    for (int i = box_.rank++; i > at; --i) assign(i, box_.extent[i - 1], box_.from[i - 1], box_.into[i - 1]);
    assign(at, extent, from, into);
  }
  void assign(int i, std::int64_t extent, std::int64_t from, std::int64_t into) {
    box_.extent[i] = extent;
    box_.from[i] = from;
    box_.into[i] = into;
  }

  /// Offsets of the positions of the outer axes, one after the other.
  struct Walk {
    Walk(const StridedBox& b, int count, std::int64_t position) : box(b), axes(count) {
      for (int k = axes - 1; k >= 0; --k) {
        index[k] = position % box.extent[k];
        position /= box.extent[k];
        from += index[k] * box.from[k];
        into += index[k] * box.into[k];
      }
    }
    void next() {
      for (int k = axes - 1; k >= 0; --k) {
        from += box.from[k];
        into += box.into[k];
        if (++index[k] < box.extent[k]) return;
        from -= box.from[k] * box.extent[k];
        into -= box.into[k] * box.extent[k];
        index[k] = 0;
      }
    }
    const StridedBox& box;
    int axes;
    std::int64_t index[Shape::max_rank] = {};
    std::int64_t from = 0, into = 0;
  };

  template <int Bytes>
  void run_sized(const std::byte* from, std::byte* into) {
    if (box_.rank == 0) axis_of_one();
    const int last = box_.rank - 1;
    if (box_.into[last] == 1 && box_.from[last] != 1) {
      for (int k = 0; k < last; ++k) {
        if (box_.from[k] != 1) continue;
        const std::int64_t extent = box_.extent[k], step = box_.into[k];  // moves next to the innermost axis
        for (int i = k; i < last - 1; ++i) assign(i, box_.extent[i + 1], box_.from[i + 1], box_.into[i + 1]);
        assign(last - 1, extent, 1, step);
        return run_tiles<Bytes>(from, into);
      }
    }
    run_rows<Bytes>(from, into);
  }
  void axis_of_one() { insert(0, 1, 1, 1); }

  std::int64_t positions(int axes) const {
    std::int64_t n = 1;
    for (int k = 0; k < axes; ++k) n *= box_.extent[k];
    return n;
  }

  /// Runs along the innermost axis; a long run is split in pieces.
  template <int Bytes>
  void run_rows(const std::byte* from, std::byte* into) const {
    const int last = box_.rank - 1;
    const std::int64_t inner = box_.extent[last], piece = std::min(inner, copy_chunk), pieces = (inner - 1) / piece + 1;
    const std::int64_t from_step = box_.from[last] * Bytes, into_step = box_.into[last] * Bytes;
    const bool long_runs =
        box_.from[last] == 1 && box_.into[last] == 1 && inner > 8;  // else a call costs more than it saves
    parallel_for(positions(last) * pieces, pieces > 1 ? 1 : (copy_chunk - 1) / inner + 1,
                 [&](std::int64_t begin, std::int64_t end) {
                   Walk at(box_, last, begin / pieces);
                   std::int64_t part = begin % pieces;
                   for (std::int64_t item = begin; item < end; ++item) {
                     const std::int64_t first = part * piece, n = std::min(piece, inner - first);
                     const std::byte* s = from + at.from * Bytes + first * from_step;
                     std::byte* t = into + at.into * Bytes + first * into_step;
                     if (long_runs) {
                       std::memcpy(t, s, static_cast<std::size_t>(n * Bytes));
                     } else {
                       for (std::int64_t i = 0; i < n; ++i) std::memcpy(t + i * into_step, s + i * from_step, Bytes);
                     }
                     if (++part == pieces) {
                       part = 0;
                       at.next();
                     }
                   }
                 });
  }

  /// The source runs along the last axis but one, the target along the last: square tiles of a cache line each way.
  template <int Bytes>
  void run_tiles(const std::byte* from, std::byte* into) const {
    constexpr std::int64_t tile = 64 / Bytes;
    const int last = box_.rank - 1, across = box_.rank - 2;
    const std::int64_t m = box_.extent[across], n = box_.extent[last];
    const std::int64_t n_piece = std::min<std::int64_t>(n, 256);
    const std::int64_t m_piece = std::max<std::int64_t>(1, copy_chunk / n_piece / tile) * tile;
    const std::int64_t n_pieces = (n - 1) / n_piece + 1, m_pieces = (m - 1) / m_piece + 1;
    const std::int64_t from_step = box_.from[last] * Bytes, into_step = box_.into[across] * Bytes;
    const std::int64_t chunk = std::max<std::int64_t>(1, copy_chunk / (std::min(m, m_piece) * n_piece));
    parallel_for(positions(across) * m_pieces * n_pieces, chunk, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t item = begin; item < end; ++item) {
        const std::int64_t n0 = item % n_pieces * n_piece, m0 = item / n_pieces % m_pieces * m_piece;
        const Walk at(box_, across, item / n_pieces / m_pieces);
        const std::int64_t n1 = std::min(n, n0 + n_piece), m1 = std::min(m, m0 + m_piece);
        for (std::int64_t j0 = n0; j0 < n1; j0 += tile) {
          const std::int64_t j1 = std::min(n1, j0 + tile);
          for (std::int64_t i0 = m0; i0 < m1; i0 += tile) {
            const std::int64_t i1 = std::min(m1, i0 + tile);
            for (std::int64_t i = i0; i < i1; ++i) {
              const std::byte* s = from + (at.from + i) * Bytes;
              std::byte* t = into + at.into * Bytes + i * into_step;
              for (std::int64_t j = j0; j < j1; ++j) std::memcpy(t + j * Bytes, s + j * from_step, Bytes);
            }
          }
        }
      }
    });
  }

  StridedBox box_;
};

/// Elements between neighbours along each axis of a row-major tensor.
inline Shape strides_of(const Shape& shape) {
  Shape strides = shape;
  std::int64_t n = 1;
  for (int k = shape.rank() - 1; k >= 0; --k) {
    strides[k] = n;
    n *= shape[k];
  }
  return strides;
}

/// Offset of the element at `begin`.
inline std::int64_t offset_of(const Shape& begin, const Shape& strides) {
  std::int64_t offset = 0;
  for (int k = 0; k < begin.rank(); ++k) offset += begin[k] * strides[k];
  return offset;
}

inline const std::byte* element(const Tensor& x, std::int64_t offset) {
  return static_cast<const std::byte*>(x.bytes()) + offset * static_cast<std::int64_t>(size_of(x.dtype()));
}
inline std::byte* element(Tensor& x, std::int64_t offset) {
  return static_cast<std::byte*>(x.bytes()) + offset * static_cast<std::int64_t>(size_of(x.dtype()));
}

/// A tensor of `shape` as [outer, extent, inner] around `axis`.
struct Split : AxisSplit {
  Split(const Shape& shape, int axis) : AxisSplit{1, shape[axis], 1} {
    for (int k = 0; k < axis; ++k) outer *= shape[k];
    for (int k = axis + 1; k < shape.rank(); ++k) inner *= shape[k];
  }
};

/// Calls f(begin, end) over the positions of an index, as std::int64_t or std::int32_t.
template <class F>
void visit_index(const Tensor& index, F&& f) {
  if (index.dtype() == DType::i32) return f(index.data<std::int32_t>());
  f(index.data<std::int64_t>());
}

inline constexpr std::int64_t column_width = 64;

/// Calls f(o, k0, k1) for each slice o and range of columns [k0, k1): slices of one column range are independent, so
/// sums along the axis between them run in order whatever the threads do.
template <class F>
void for_columns(const Split& s, std::int64_t steps, F&& f) {
  const std::int64_t pieces = (s.inner + column_width - 1) / column_width;
  const std::int64_t work = std::max<std::int64_t>(1, steps * std::min(s.inner, column_width));
  parallel_for(s.outer * pieces, std::max<std::int64_t>(1, copy_chunk / work),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t item = begin; item < end; ++item) {
                   const std::int64_t k0 = item % pieces * column_width;
                   f(item / pieces, k0, std::min(s.inner, k0 + column_width));
                 }
               });
}

}  // namespace detail

SYNTHDATA_INLINE Tensor permute(const Tensor& x, const int* axes) {
  const Shape strides = detail::strides_of(x.shape());
  Shape shape;
  for (int k = 0; k < x.rank(); ++k) shape.push_back(x.shape()[axes[k]]);
  Tensor out = x.empty_like(shape);
  if (out.size() == 0) return out;
  const Shape into = detail::strides_of(shape);
  detail::BoxCopy box;
  for (int k = 0; k < x.rank(); ++k) box.axis(shape[k], strides[axes[k]], into[k]);
  box.run(x, 0, out, 0);
  return out;
}

SYNTHDATA_INLINE Tensor take_box(const Tensor& x, const Shape& begin, const Shape& step, const Shape& shape) {
  Tensor out = x.empty_like(shape);
  if (out.size() == 0) return out;
  const Shape from = detail::strides_of(x.shape()), into = detail::strides_of(shape);
  detail::BoxCopy box;
  for (int k = 0; k < x.rank(); ++k) box.axis(shape[k], from[k] * step[k], into[k]);
  box.run(x, detail::offset_of(begin, from), out, 0);
  return out;
}

SYNTHDATA_INLINE Tensor put_box(const Tensor& x, const Shape& begin, const Shape& step, const Shape& shape,
                                double fill) {
  Tensor out = Tensor::full(shape, fill, x.dtype(), x.device());
  if (x.size() == 0) return out;
  const Shape from = detail::strides_of(x.shape()), into = detail::strides_of(shape);
  detail::BoxCopy box;
  for (int k = 0; k < x.rank(); ++k) box.axis(x.shape()[k], from[k], into[k] * step[k]);
  box.run(x, 0, out, detail::offset_of(begin, into));
  return out;
}

SYNTHDATA_INLINE Tensor join(const std::vector<Tensor>& parts, int axis) {
  Shape shape = parts[0].shape();
  shape[axis] = 0;
  for (const Tensor& part : parts) shape[axis] += part.shape()[axis];
  Tensor out = parts[0].empty_like(shape);
  const detail::Split whole(shape, axis);
  std::int64_t at = 0;
  for (const Tensor& part : parts) {
    const std::int64_t row = part.shape()[axis] * whole.inner;
    if (part.size() > 0) {
      detail::BoxCopy box;
      box.axis(whole.outer, row, whole.extent * whole.inner);
      box.axis(row, 1, 1);
      box.run(part, 0, out, at);
    }
    at += row;
  }
  return out;
}

SYNTHDATA_INLINE Tensor flip(const Tensor& x, int axis) {
  Tensor out = x.empty_like(x.shape());
  if (out.size() == 0) return out;
  const detail::Split s(x.shape(), axis);
  detail::BoxCopy box;
  box.axis(s.outer, s.extent * s.inner, s.extent * s.inner);
  box.axis(s.extent, -s.inner, s.inner);
  box.axis(s.inner, 1, 1);
  box.run(x, (s.extent - 1) * s.inner, out, 0);
  return out;
}

SYNTHDATA_INLINE void check_index(const char* op, const Tensor& index, std::int64_t extent) {
  if (index.dtype() != DType::i64 && index.dtype() != DType::i32) {
    throw DTypeError(concat(op, ": expects an index of i64 or i32, got ", index.str()));
  }
  if (!index.device().is_cpu()) {
    if (index.size() > 0) device_kernels().check_index(op, index, extent);
    return;
  }
  detail::visit_index(index, [&](const auto* p) {
    for (std::int64_t i = 0; i < index.size(); ++i) {
      if (p[i] < 0 || p[i] >= extent) [[unlikely]] {
        throw ShapeError(
            concat(op, ": index ", p[i], " (element ", i, " of ", index.str(), ") is out of range [0, ", extent, ")"));
      }
    }
  });
}

SYNTHDATA_INLINE Tensor gather(const Tensor& x, int axis, const Tensor& index) {
  const detail::Split s(x.shape(), axis);
  const std::int64_t n = index.size();
  detail::check_devices("gather", x, index);
  Tensor out = x.empty_like(x.shape().with(axis, n));
  if (out.size() == 0) return out;
  if (!x.device().is_cpu()) {
    device_kernels().gather(x, s, index, out);
    return out;
  }
  const auto size = static_cast<std::int64_t>(size_of(x.dtype()));
  const auto run = static_cast<std::size_t>(s.inner * size);
  const std::byte* from = detail::element(x, 0);
  std::byte* into = detail::element(out, 0);
  detail::visit_index(index, [&](const auto* at) {
    parallel_for(s.outer * n, (detail::copy_chunk - 1) / s.inner + 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin, o = begin / n, i = begin % n; row < end; ++row) {
        std::memcpy(into + row * s.inner * size, from + (o * s.extent + at[i]) * s.inner * size, run);
        if (++i == n) {
          i = 0;
          ++o;
        }
      }
    });
  });
  return out;
}

SYNTHDATA_INLINE Tensor scatter_add(const Shape& shape, int axis, const Tensor& index, const Tensor& values) {
  const detail::Split s(shape, axis);
  const std::int64_t n = index.size();
  detail::check_devices("scatter_add", values, index);
  Tensor out = Tensor::zeros(shape, values.dtype(), values.device());
  if (!values.device().is_cpu()) {
    if (values.size() > 0) device_kernels().scatter_add(values, s, index, out);
    return out;
  }
  visit_floating(values.dtype(), "scatter_add", [&]<class T>() {
    const T* from = values.data<T>();
    T* into = out.data<T>();
    detail::visit_index(index, [&](const auto* at) {
      detail::for_columns(s, n, [&](std::int64_t o, std::int64_t k0, std::int64_t k1) {
        for (std::int64_t i = 0; i < n; ++i) {
          const T* v = from + (o * n + i) * s.inner;
          T* y = into + (o * s.extent + at[i]) * s.inner;
          std::int64_t k = k0;
          for (; k + 16 <= k1; k += 16) {  // a fixed trip count, which g++ -O2 turns into vector code
            SYNTHDATA_IVDEP
            for (int j = 0; j < 16; ++j) y[k + j] += v[k + j];
          }
          for (; k < k1; ++k) y[k] += v[k];
        }
      });
    });
  });
  return out;
}

SYNTHDATA_INLINE Tensor take_along(const Tensor& x, int axis, const Tensor& index) {
  const detail::Split s(x.shape(), axis);
  const std::int64_t n = index.shape()[axis];
  detail::check_devices("take_along_axis", x, index);
  Tensor out = x.empty_like(index.shape());
  if (out.size() == 0) return out;
  if (!x.device().is_cpu()) {
    device_kernels().take_along(x, s, index, out);
    return out;
  }
  detail::visit_index(index, [&](const auto* at) {
    const auto take = [&]<class Unit>(Unit) {  // constant-size copies: an element of any dtype of that size
      constexpr int bytes = Unit::value;
      const std::byte* from = detail::element(x, 0);
      std::byte* into = detail::element(out, 0);
      parallel_for(s.outer * n, (detail::copy_chunk - 1) / s.inner + 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
          const std::int64_t base = row / n * s.extent * s.inner;
          for (std::int64_t k = 0; k < s.inner; ++k) {
            const std::int64_t i = row * s.inner + k;
            std::memcpy(into + i * bytes, from + (base + at[i] * s.inner + k) * bytes, bytes);
          }
        }
      });
    };
    switch (size_of(x.dtype())) {
      case 1:
        return take(std::integral_constant<int, 1>{});
      case 4:
        return take(std::integral_constant<int, 4>{});
      default:
        return take(std::integral_constant<int, 8>{});
    }
  });
  return out;
}

SYNTHDATA_INLINE Tensor put_along(const Shape& shape, int axis, const Tensor& index, const Tensor& values) {
  const detail::Split s(shape, axis);
  const std::int64_t n = index.shape()[axis];
  detail::check_devices("scatter_along_axis", values, index);
  Tensor out = Tensor::zeros(shape, values.dtype(), values.device());
  if (!values.device().is_cpu()) {
    if (values.size() > 0) device_kernels().put_along(values, s, index, out);
    return out;
  }
  visit_floating(values.dtype(), "scatter_along_axis", [&]<class T>() {
    const T* from = values.data<T>();
    T* into = out.data<T>();
    detail::visit_index(index, [&](const auto* at) {
      detail::for_columns(s, n, [&](std::int64_t o, std::int64_t k0, std::int64_t k1) {
        for (std::int64_t i = 0; i < n; ++i) {
          const std::int64_t row = (o * n + i) * s.inner;
          T* y = into + o * s.extent * s.inner;
          for (std::int64_t k = k0; k < k1; ++k) y[at[row + k] * s.inner + k] += from[row + k];
        }
      });
    });
  });
  return out;
}

SYNTHDATA_INLINE Tensor one_hot(const Tensor& index, std::int64_t classes) {
  Shape shape = index.shape();
  shape.push_back(classes);
  Tensor out = Tensor::zeros(shape, DType::f32, index.device());
  if (!index.device().is_cpu()) {
    if (index.size() > 0) device_kernels().one_hot(index, classes, out);
    return out;
  }
  detail::visit_index(index, [&](const auto* at) {
    float* y = out.data<float>();
    for (std::int64_t i = 0; i < index.size(); ++i) y[i * classes + at[i]] = 1.0f;
  });
  return out;
}

}  // namespace synthdata::backend
