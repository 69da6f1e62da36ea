// synthdata/data/nearest_impl.hpp: bodies of data/nearest.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/gemm.hpp>
#include <synthdata/core/parallel.hpp>
#include <synthdata/data/nearest.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace synthdata {
namespace detail {

/// |x|² of each row. @throws NumericError if one is not finite.
SYNTHDATA_INLINE std::vector<double> squared_norms(const Tensor& rows, const char* caller, const char* what,
                                                   std::int64_t first) {
  const std::int64_t width = rows.shape(1);
  std::vector<double> squares(static_cast<std::size_t>(rows.shape(0)));
  visit_dtype(rows.dtype(), [&]<class T>() {
    parallel_for(rows.shape(0), 64, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const T* x = rows.data<T>() + i * width;
        double sum = 0.0;
        for (std::int64_t j = 0; j < width; ++j) sum += static_cast<double>(x[j]) * static_cast<double>(x[j]);
        squares[static_cast<std::size_t>(i)] = sum;
      }
    });
  });
  for (std::size_t i = 0; i < squares.size(); ++i) {
    if (!std::isfinite(squares[i])) {
      throw NumericError(concat(caller, ": ", what, " ", first + static_cast<std::int64_t>(i),
                                " has values that are not finite, or whose squares are not"));
    }
  }
  return squares;
}

SYNTHDATA_INLINE NearestSearch::NearestSearch(const Tensor& rows, std::int64_t k, bool but_itself,
                                              const NearestNames& names)
    : rows_(rows), k_(k), but_itself_(but_itself), names_(names) {
  if (!rows.defined() || rows.rank() != 2) {
    throw ShapeError(concat(names.caller, ": expects ", names.row, "s [N, D], got ", rows.str()));
  }
  if (rows.dtype() != DType::f32 && rows.dtype() != DType::f64) {
    throw DTypeError(concat(names.caller, ": expects ", names.row, "s of f32 or f64, got ", rows.str()));
  }
  if (k < 1) throw NumericError(concat(names.caller, ": expects k >= 1, got ", k));
  squares_ = squared_norms(rows, names.caller, names.row, 0);
  large_ = std::any_of(squares_.begin(), squares_.end(), [](double square) { return square > 1e36; });
  found_.resize(static_cast<std::size_t>(rows.shape(0) * k));
  found_counts_.resize(static_cast<std::size_t>(rows.shape(0)));
}

SYNTHDATA_INLINE double NearestSearch::limit(std::int64_t row) const {
  const bool full = found_counts_[static_cast<std::size_t>(row)] == k_;
  return full ? found_[static_cast<std::size_t>(row * k_)].first : std::numeric_limits<double>::infinity();
}

SYNTHDATA_INLINE void NearestSearch::offer(std::int64_t row, double distance, std::int64_t point) {
  if (but_itself_ && point == row) return;
  std::int64_t& count = found_counts_[static_cast<std::size_t>(row)];
  const auto begin = found_.begin() + row * k_;
  const Found found{distance, point};
  if (count == k_) {
    if (!(found < *begin)) return;
    std::pop_heap(begin, begin + count);
  } else {
    ++count;
  }
  begin[count - 1] = found;
  std::push_heap(begin, begin + count);
}

/// |x - p|² = |x|² + |p|² - 2 x·p with the products of a whole block. Their error is at most g |x| |p|, where
/// g = (D + 1) u / (1 - (D + 1) u) and u is half the unit of the last place (Higham 2002, "Accuracy and stability of
/// numerical algorithms", section 3.1), whatever the order of the sums.
template <class T>
void NearestSearch::add_piece(const Tensor& rows, const Tensor& points, std::int64_t first,
                              const std::vector<double>& squares) {
  constexpr std::int64_t block = 512;
  const std::int64_t count = points.shape(0), width = points.shape(1), all = rows.shape(0);
  const double units = static_cast<double>(width + 1) * static_cast<double>(std::numeric_limits<T>::epsilon()) / 2.0;
  // also covers what f64 rounds in the rest of the formula; a bound beyond 1 rules nothing out, as it must
  const double slack = 2.0 * units / (1.0 - std::min(units, 0.5)) + 1e-14 * static_cast<double>(width + 8);
  // products that underflow are off by no more than the least number each
  const double least = 2.0 * static_cast<double>(width) * static_cast<double>(std::numeric_limits<T>::min());
  std::vector<double> low(squares.size()), lengths(squares.size());
  for (std::size_t j = 0; j < squares.size(); ++j) {
    low[j] = squares[j] * (1.0 - 1e-14 * static_cast<double>(width + 8)) - least;
    lengths[j] = std::sqrt(squares[j]);
  }
  const T* p = points.data<T>();
  std::vector<T> products(static_cast<std::size_t>(std::min(block, all) * count));
  for (std::int64_t begin = 0; begin < all; begin += block) {
    const std::int64_t here = std::min(block, all - begin);
    const T* block_rows = rows.data<T>() + begin * width;
    backend::cpu::gemm(false, true, here, count, width, block_rows, width, p, width, products.data(), count);
    parallel_for(here, 4, [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t r = from; r < to; ++r) {
        const std::int64_t i = begin + r;
        const T* product = products.data() + r * count;
        const T* x = block_rows + r * width;
        const double square = squares_[static_cast<std::size_t>(i)] * (1.0 - 1e-14 * static_cast<double>(width + 8));
        const double error = slack * std::sqrt(squares_[static_cast<std::size_t>(i)]);
        double most = limit(i) - square;
        for (std::int64_t j = 0; j < count; ++j) {
          const auto at = static_cast<std::size_t>(j);
          if (low[at] - 2.0 * static_cast<double>(product[j]) - error * lengths[at] > most) continue;
          const T* y = p + j * width;
          double distance = 0.0;
          for (std::int64_t d = 0; d < width; ++d) {
            const double difference = static_cast<double>(x[d]) - static_cast<double>(y[d]);
            distance += difference * difference;
          }
          offer(i, distance, first + j);
          most = limit(i) - square;
        }
      }
    });
  }
}

SYNTHDATA_INLINE void NearestSearch::add(const Tensor& points, std::int64_t first) {
  if (!points.defined() || points.rank() != 2 || points.shape(1) != rows_.shape(1)) {
    throw_shape(names_.caller, concat("expects ", names_.point, "s [M, ", rows_.shape(1), "]"),
                {{names_.row, rows_}, {names_.point, points}});
  }
  if (points.dtype() != rows_.dtype()) {
    throw DTypeError(
        concat(names_.caller, ": ", names_.row, "s are ", rows_.str(), ", ", names_.point, "s are ", points.str()));
  }
  constexpr std::int64_t block = 2048;
  for (std::int64_t begin = 0; begin < points.shape(0); begin += block) {
    const Tensor piece = points.rows(begin, std::min(begin + block, points.shape(0)));
    const std::vector<double> squares = squared_norms(piece, names_.caller, names_.point, first + begin);
    const bool large = std::any_of(squares.begin(), squares.end(), [](double square) { return square > 1e36; });
    if (rows_.dtype() == DType::f64) {
      add_piece<double>(rows_, piece, first + begin, squares);
    } else if (large || large_) {  // products would overflow in f32
      add_piece<double>(rows_.to(DType::f64), piece.to(DType::f64), first + begin, squares);
    } else {
      add_piece<float>(rows_, piece, first + begin, squares);
    }
  }
}

SYNTHDATA_INLINE Nearest NearestSearch::result() const {
  const std::int64_t count = rows_.shape(0);
  Nearest out{Tensor::empty({count, k_}, DType::i64, Device::cpu()),
              Tensor::empty({count, k_}, DType::f64, Device::cpu())};
  std::int64_t* index = out.index.data<std::int64_t>();
  double* distance = out.distance.data<double>();
  parallel_for(count, 64, [&](std::int64_t begin, std::int64_t end) {
    std::vector<Found> sorted;
    for (std::int64_t i = begin; i < end; ++i) {
      sorted.assign(found_.begin() + i * k_, found_.begin() + (i + 1) * k_);
      std::sort_heap(sorted.begin(), sorted.end());
      for (std::int64_t j = 0; j < k_; ++j) {
        index[i * k_ + j] = sorted[static_cast<std::size_t>(j)].second;
        distance[i * k_ + j] = std::sqrt(sorted[static_cast<std::size_t>(j)].first);
      }
    }
  });
  return out;
}

SYNTHDATA_INLINE Nearest nearest_of(const Tensor& rows, const Tensor& points, std::int64_t k, bool but_itself) {
  const std::int64_t most = (points.defined() && points.rank() > 0 ? points.shape(0) : 0) - (but_itself ? 1 : 0);
  if (k < 1 || k > most) throw NumericError(concat("nearest: expects k within 1 ... ", most, ", got ", k));
  NearestSearch search(rows, k, but_itself);
  search.add(points, 0);
  return search.result();
}

}  // namespace detail

SYNTHDATA_INLINE Nearest nearest(const Tensor& rows, const Tensor& points, std::int64_t k) {
  return detail::nearest_of(rows, points, k, false);
}
SYNTHDATA_INLINE Nearest nearest_others(const Tensor& rows, std::int64_t k) {
  return detail::nearest_of(rows, rows, k, true);
}

}  // namespace synthdata
