// tests/data/nearest_test.cpp: nearest rows against the plain loop.
//
// SPDX-License-Identifier: MIT
#include "../test.hpp"

#include <synthdata/backend/random.hpp>
#include <synthdata/core/parallel.hpp>
#include <synthdata/data/nearest.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace synthdata;

namespace {

Nearest plain(const Tensor& given_rows, const Tensor& given_points, std::int64_t k, bool but_itself = false) {
  const Tensor rows = given_rows.to(DType::f64), points = given_points.to(DType::f64);
  const std::int64_t width = rows.shape(1);
  Nearest out{zeros({rows.shape(0), k}, DType::i64), zeros({rows.shape(0), k}, DType::f64)};
  for (std::int64_t i = 0; i < rows.shape(0); ++i) {
    std::vector<std::pair<double, std::int64_t>> all;
    for (std::int64_t j = 0; j < points.shape(0); ++j) {
      double sum = 0.0;
      for (std::int64_t d = 0; d < width; ++d) {
        const double e = rows.data<double>()[i * width + d] - points.data<double>()[j * width + d];
        sum += e * e;
      }
      if (!but_itself || i != j) all.emplace_back(sum, j);
    }
    std::sort(all.begin(), all.end());
    for (std::int64_t j = 0; j < k; ++j) {
      out.index.data<std::int64_t>()[i * k + j] = all[static_cast<std::size_t>(j)].second;
      out.distance.data<double>()[i * k + j] = std::sqrt(all[static_cast<std::size_t>(j)].first);
    }
  }
  return out;
}

}  // namespace

TEST_CASE("nearest agrees with the plain loop, narrow and wide, f32 and f64, for any number of threads") {
  const auto width = GENERATE(1, 3, 15, 16, 40);
  const auto dtype = GENERATE(DType::f32, DType::f64);
  const auto offset = GENERATE(0.0, 1000.0);  // far from 0 the product of rows is a poor guess in f32
  Rng rng{5};
  Tensor rows = normal({530, width}, rng).to(dtype), points = normal({2300, width}, rng).to(dtype);
  visit_dtype(dtype, [&]<class T>() {
    for (T& x : rows.span<T>()) x = static_cast<T>(static_cast<double>(x) + offset);
    for (T& x : points.span<T>()) x = static_cast<T>(static_cast<double>(x) + offset);
  });
  const Nearest expected = plain(rows, points, 7), others = plain(rows, rows, 3, true);
  for (const int n : {1, 3}) {
    set_threads(n);
    const Nearest found = nearest(rows, points, 7);
    CHECK(same_bits(found.index, expected.index));
    CHECK(same_bits(found.distance, expected.distance));
    CHECK(same_bits(nearest_others(rows, 3).index, others.index));
  }
  set_threads(0);
}

TEST_CASE("of equally near points those with smaller indices are taken, in order") {
  const auto width = GENERATE(2, 20);
  Tensor points = zeros({5000, width});
  for (std::int64_t i = 0; i < 5000; ++i) points.data<float>()[i * width] = i % 2 == 0 ? 1.0f : -1.0f;
  const Nearest found = nearest(zeros({1, width}), points, 4);
  CHECK(found.index.data<std::int64_t>()[3] == 3);
  CHECK(found.index.data<std::int64_t>()[0] == 0);
  CHECK(found.distance.data<double>()[3] == 1.0);
  const Nearest others = nearest_others(points, 2);
  CHECK(others.index.data<std::int64_t>()[0] == 2);
  CHECK(others.index.data<std::int64_t>()[1] == 4);
  CHECK(others.index.data<std::int64_t>()[2 * 4 + 0] == 0);  // of row 4
}

TEST_CASE("nearest keeps very large and very small values apart") {
  const auto width = GENERATE(1, 20);
  Tensor points = zeros({3, width}), row = zeros({1, width});
  for (const float scale : {1e-22f, 1e30f}) {
    for (int i = 0; i < 3; ++i) points.data<float>()[i * width] = scale * static_cast<float>(3 - i);
    const Nearest found = nearest(row, points, 3);
    CHECK(found.index.data<std::int64_t>()[0] == 2);
    CHECK(found.index.data<std::int64_t>()[2] == 0);
    CHECK(found.distance.data<double>()[0] == Approx(static_cast<double>(scale)));
  }
}

TEST_CASE("nearest refuses what does not fit") {
  const Tensor x = zeros({4, 3}), wide = zeros({4, 20});
  CHECK_THROWS_AS(nearest(x, zeros({2, 4}), 1), ShapeError);
  CHECK_THROWS_AS(nearest(zeros({4}), x, 1), ShapeError);
  CHECK_THROWS_AS(nearest(Tensor(), x, 1), ShapeError);
  CHECK_THROWS_AS(nearest(x, zeros({4, 3}, DType::f64), 1), DTypeError);
  CHECK_THROWS_AS(nearest(x.to(DType::i32), x.to(DType::i32), 1), DTypeError);
  CHECK_THROWS_WITH(nearest(x, x, 5), ContainsSubstring("within 1 ... 4, got 5"));
  CHECK_THROWS_WITH(nearest_others(x, 4), ContainsSubstring("within 1 ... 3, got 4"));
  CHECK_THROWS_AS(nearest(x, Tensor(), 1), NumericError);
  CHECK_THROWS_AS(nearest(x, x, 0), NumericError);
  CHECK_THROWS_WITH(nearest(wide, full({2, 20}, std::numeric_limits<double>::quiet_NaN()), 1),
                    ContainsSubstring("point 0"));
  CHECK_THROWS_WITH(nearest(full({2, 3}, std::numeric_limits<double>::infinity()), x, 1), ContainsSubstring("row 0"));
  CHECK(nearest(zeros({0, 3}), x, 2).index.shape() == Shape{0, 2});
}
