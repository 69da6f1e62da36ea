// tests/metrics/neighbours_test.cpp
//
// SPDX-License-Identifier: MIT
#include <synthdata/backend/random.hpp>
#include <synthdata/core/parallel.hpp>
#include <synthdata/data/in_memory.hpp>
#include <synthdata/metrics/neighbours.hpp>

#include "../test.hpp"

#include <cmath>
#include <limits>

using namespace synthdata;

namespace {
Neighbours brute_force(const Tensor& a, const Tensor& b) {
  const std::int64_t width = a.size() / a.shape(0);
  Neighbours out{zeros({a.shape(0)}, DType::i64), zeros({a.shape(0)}, DType::f64)};
  for (std::int64_t i = 0; i < a.shape(0); ++i) {
    double best = std::numeric_limits<double>::infinity();
    for (std::int64_t j = 0; j < b.shape(0); ++j) {
      double d = 0.0;
      for (std::int64_t k = 0; k < width; ++k) {
        const double e = static_cast<double>(a.data<float>()[i * width + k]) - b.data<float>()[j * width + k];
        d += e * e;
      }
      if (d < best) {
        best = d;
        out.index.data<std::int64_t>()[i] = j;
      }
    }
    out.distance.data<double>()[i] = std::sqrt(best);
  }
  return out;
}
}  // namespace

TEST_CASE("nearest_neighbours agrees with brute force over several blocks, for any number of threads") {
  Rng rng{3};
  const Tensor samples = normal({530, 3, 2}, rng), real = normal({4100, 3, 2}, rng);
  const Neighbours expected = brute_force(samples, real);
  for (const int n : {1, 2, 3}) {
    set_threads(n);
    const Neighbours found = nearest_neighbours(samples, real);
    CHECK(same_bits(found.index, expected.index));
    CHECK(same_bits(found.distance, expected.distance));
  }
  set_threads(0);
}

TEST_CASE("nearest_neighbours finds copies, in data sets of bytes too") {
  Rng rng{4};
  Tensor bytes = Tensor::empty({3000, 4, 4, 1}, DType::u8);
  for (std::uint8_t& b : bytes.span<std::uint8_t>()) b = static_cast<std::uint8_t>(rng.below(256));
  const TensorDataset real = TensorDataset(bytes).scaled({-1.0f, 1.0f});
  const std::vector<std::int64_t> chosen{0, 2999, 2048, 2047, 17};
  const Neighbours found = nearest_neighbours(real.gather(chosen).data, real);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    CHECK(found.index.span<std::int64_t>()[i] == chosen[i]);
    CHECK(found.distance.span<double>()[i] == 0.0);
  }
}

TEST_CASE("neighbour_picture sets each sample beside the real image nearest to it") {
  Tensor real = zeros({3, 2, 2, 1});
  for (int i = 0; i < 12; ++i) real.data<float>()[i] = static_cast<float>(i / 4) - 1.0f;  // black, grey, white
  Tensor samples = zeros({2, 2, 2, 1});
  for (int i = 0; i < 8; ++i) samples.data<float>()[i] = i < 4 ? 0.9f : -0.9f;
  const Tensor picture = neighbour_picture(samples, real, 9, {-1.0f, 1.0f}, {.padding = 1});
  REQUIRE(picture.shape() == Shape{4, 11, 1});  // two pairs of 2 x 4 in a row
  const std::uint8_t* row = picture.data<std::uint8_t>() + 11;
  CHECK(std::vector<int>(row, row + 11) == std::vector<int>{64, 242, 242, 255, 255, 64, 13, 13, 0, 0, 64});
  CHECK(neighbour_picture(samples, real, 1, {}, {.padding = 1}).shape() == Shape{4, 6, 1});
}

TEST_CASE("neighbours refuse what does not fit") {
  const Tensor x = zeros({2, 3}), images = zeros({2, 4, 4, 1});
  CHECK_THROWS_WITH(nearest_neighbours(x, zeros({2, 4})), ContainsSubstring("differ in shape"));
  CHECK_THROWS_AS(nearest_neighbours(x, zeros({0, 3})), ShapeError);
  CHECK_THROWS_AS(nearest_neighbours(Tensor(), x), ShapeError);
  CHECK_THROWS_AS(nearest_neighbours(x, Tensor()), ShapeError);
  CHECK_THROWS_AS(nearest_neighbours(x, zeros({2, 3}, DType::u8)), DTypeError);
  CHECK_THROWS_AS(nearest_neighbours(zeros({2, 3}, DType::f64), x), DTypeError);
  CHECK_THROWS_WITH(nearest_neighbours(x, full({2, 3}, std::nan(""))), ContainsSubstring("real sample 0"));
  CHECK_THROWS_AS(nearest_neighbours(full({2, 3}, std::nan("")), x), NumericError);
  CHECK(nearest_neighbours(zeros({0, 3}), x).index.size() == 0);
  CHECK_THROWS_AS(neighbour_picture(x, x, 1), ShapeError);
  CHECK_THROWS_AS(neighbour_picture(images, images, 0), NumericError);
  CHECK_THROWS_AS(neighbour_picture(images, images, 1, {1.0f, 1.0f}), NumericError);
}
