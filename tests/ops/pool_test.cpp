// SPDX-License-Identifier: MIT
#include <synthdata/ops/check.hpp>
#include <synthdata/ops/pool.hpp>

#include "../test.hpp"

#include <limits>

using namespace synthdata;

namespace {

struct Case {
  std::int64_t kernel[3], stride[3], padding[3];
};

/// Pooling of x [N, D, H, W, C] in f64, straight from the definition.
Tensor naive_pool(const Tensor& x, const Case& c, bool average, bool count_include_pad) {
  std::int64_t out[3];
  for (int k = 0; k < 3; ++k) out[k] = (x.shape(k + 1) + 2 * c.padding[k] - c.kernel[k]) / c.stride[k] + 1;
  Tensor y = Tensor::empty({x.shape(0), out[0], out[1], out[2], x.shape(4)}, DType::f64);
  std::int64_t at = 0;
  for (std::int64_t n = 0; n < x.shape(0); ++n) {
    for (std::int64_t o0 = 0; o0 < out[0]; ++o0) {
      for (std::int64_t o1 = 0; o1 < out[1]; ++o1) {
        for (std::int64_t o2 = 0; o2 < out[2]; ++o2) {
          for (std::int64_t channel = 0; channel < x.shape(4); ++channel) {
            double sum = 0.0, largest = -std::numeric_limits<double>::infinity(), count = 0.0;
            for (std::int64_t i = 0; i < c.kernel[0] * c.kernel[1] * c.kernel[2]; ++i) {
              const std::int64_t d = o0 * c.stride[0] - c.padding[0] + i / c.kernel[2] / c.kernel[1];
              const std::int64_t h = o1 * c.stride[1] - c.padding[1] + i / c.kernel[2] % c.kernel[1];
              const std::int64_t w = o2 * c.stride[2] - c.padding[2] + i % c.kernel[2];
              if (d < 0 || h < 0 || w < 0 || d >= x.shape(1) || h >= x.shape(2) || w >= x.shape(3)) continue;
              const double v =
                  x.data<double>()[(((n * x.shape(1) + d) * x.shape(2) + h) * x.shape(3) + w) * x.shape(4) + channel];
              sum += v;
              count += 1.0;
              largest = std::fmax(largest, v);
            }
            if (count_include_pad) count = static_cast<double>(c.kernel[0] * c.kernel[1] * c.kernel[2]);
            y.data<double>()[at++] = average ? sum / count : largest;
          }
        }
      }
    }
  }
  return y;
}

bool near(const Tensor& a, const Tensor& b, double tolerance) {
  if (!(a.shape() == b.shape())) return false;
  const Tensor p = a.to(DType::f64), q = b.to(DType::f64);
  for (std::int64_t i = 0; i < p.size(); ++i) {
    if (!(std::fabs(p.data<double>()[i] - q.data<double>()[i]) <= tolerance)) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("pooling agrees with its definition in one, two and three dimensions") {
  Rng rng{1};
  const std::int64_t channels = GENERATE(1, 3, 21);
  const Case c = GENERATE(Case{{1, 2, 2}, {1, 2, 2}, {0, 0, 0}}, Case{{1, 3, 2}, {1, 2, 1}, {0, 1, 0}},
                          Case{{3, 3, 3}, {2, 1, 2}, {1, 1, 1}}, Case{{1, 1, 4}, {1, 1, 3}, {0, 0, 3}});
  const Tensor x = normal({2, 3, 5, 7, channels}, rng, DType::f64);
  const PoolOptions options{.kernel = {c.kernel[0], c.kernel[1], c.kernel[2]},
                            .stride = {c.stride[0], c.stride[1], c.stride[2]},
                            .padding = {c.padding[0], c.padding[1], c.padding[2]}};
  PoolOptions cut = options;
  cut.count_include_pad = false;
  for (const DType dtype : {DType::f32, DType::f64}) {
    const double tolerance = dtype == DType::f32 ? 1e-6 : 1e-14;  // a few roundings of numbers near 1
    const Tensor input = x.to(dtype), exact = input.to(DType::f64);
    CHECK(near(max_pool(input, options).value(), naive_pool(exact, c, false, true), 0.0));
    CHECK(near(avg_pool(input, options).value(), naive_pool(exact, c, true, true), tolerance));
    CHECK(near(avg_pool(input, cut).value(), naive_pool(exact, c, true, false), tolerance));
  }
}

TEST_CASE("pooling of images and sequences is pooling of flat volumes") {
  Rng rng{2};
  const Tensor x = normal({2, 6, 8, 4}, rng);
  CHECK(max_pool(x, {.kernel = 2}).shape() == Shape{2, 3, 4, 4});
  CHECK(same_bits(
      max_pool(x, {.kernel = {2, 3}, .stride = 2}).value(),
      max_pool(x.reshape({2, 1, 6, 8, 4}), {.kernel = {1, 2, 3}, .stride = {1, 2, 2}}).value().reshape({2, 3, 3, 4})));
  const Tensor sequence = x.reshape({2, 48, 4});
  CHECK(avg_pool(sequence, {.kernel = 5, .stride = 3, .padding = 2}).shape() == Shape{2, 16, 4});
  CHECK(same_bits(avg_pool(sequence, {.kernel = 5, .stride = 3, .padding = 2}).value(),
                  avg_pool(x.reshape({2, 1, 48, 4}), {.kernel = {1, 5}, .stride = {1, 3}, .padding = {0, 2}})
                      .value()
                      .reshape({2, 16, 4})));
}

TEST_CASE("global pooling runs over all spatial axes") {
  const Tensor x = arange(24, DType::f32).reshape({2, 2, 3, 2});
  CHECK(same_bits(global_avg_pool(x).value(), Tensor::from(std::vector<float>{5, 6, 17, 18}, {2, 2})));
  CHECK(same_bits(global_max_pool(x).value(), Tensor::from(std::vector<float>{10, 11, 22, 23}, {2, 2})));
}

TEST_CASE("max_pool gives the gradient to the first of equal values, NaN wins") {
  const Var x = leaf(Tensor::from(std::vector<float>{2, 2, 1, 2}, {1, 4, 1}));
  CHECK(same_bits(grad(sum(max_pool(x, {.kernel = 4})), x).value(),
                  Tensor::from(std::vector<float>{1, 0, 0, 0}, {1, 4, 1})));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor bad = Tensor::from(std::vector<float>{1, nan, 3, 4}, {1, 4, 1});
  CHECK(std::isnan(max_pool(bad, {.kernel = 4}).item()));
  const float low = -std::numeric_limits<float>::infinity();
  CHECK(max_pool(Tensor::full({1, 3, 1}, static_cast<double>(low)), {.kernel = 3}).item() == static_cast<double>(low));
}

TEST_CASE("pooling has the right first and second derivatives") {
  Rng rng{3};
  const auto options =
      GENERATE(PoolOptions{.kernel = 2}, PoolOptions{.kernel = {3, 2}, .stride = {2, 1}, .padding = {1, 0}},
               PoolOptions{.kernel = 3, .stride = 2, .padding = 1, .count_include_pad = false});
  // Shuffled whole numbers: no two are equal, and a step of 1e-6 does not change a winner.
  std::vector<double> values;
  for (const std::int64_t i : rng.permutation(2 * 4 * 5 * 2)) values.push_back(static_cast<double>(i) / 10.0);
  const std::vector<Tensor> at = {Tensor::from(values, {2, 4, 5, 2})};
  const auto largest = [&](const std::vector<Var>& v) { return max_pool(v[0], options); };
  const auto average = [&](const std::vector<Var>& v) { return avg_pool(v[0], options); };
  CHECK(gradcheck(largest, at).worst_relative < 1e-7);
  CHECK(gradcheck(average, at).worst_relative < 1e-7);
  CHECK(gradgradcheck([&](const std::vector<Var>& v) { return square(largest(v)); }, at).worst_relative < 1e-7);
  CHECK(gradgradcheck([&](const std::vector<Var>& v) { return square(average(v)); }, at).worst_relative < 1e-7);
}

TEST_CASE("pooling gives the same bits for any number of threads") {
  Rng rng{4};
  const Var x = leaf(normal({5, 33, 34, 40}, rng));
  const auto run = [&] {
    const Var y = max_pool(x, {.kernel = 3, .stride = 2, .padding = 1});
    const Var z = avg_pool(x, {.kernel = 3, .stride = 2, .padding = 1});
    return std::vector<Tensor>{y.value(), z.value(), grad(sum(square(y)), x).value(), grad(sum(square(z)), x).value()};
  };
  set_threads(1);
  const std::vector<Tensor> expected = run();
  set_threads(3);
  const std::vector<Tensor> got = run();
  set_threads(0);
  for (std::size_t i = 0; i < 4; ++i) CHECK(same_bits(got[i], expected[i]));
}

TEST_CASE("pooling names what does not fit") {
  const Tensor x = Tensor::zeros({1, 4, 6, 2});
  CHECK_THROWS_WITH(max_pool(x, {.kernel = 5}),
                    ContainsSubstring("max_pool: kernel 5 does not fit spatial axis 0 of input [1, 4, 6, 2] f32"));
  CHECK_THROWS_WITH(avg_pool(x, {.kernel = 2, .padding = 2}), ContainsSubstring("0 <= padding < kernel, got kernel 2"));
  CHECK_THROWS_AS(max_pool(x, {.kernel = 0}), ShapeError);
  CHECK_THROWS_AS(max_pool(x, {.kernel = 2, .stride = -1}), ShapeError);
  CHECK_THROWS_AS(max_pool(x, {.kernel = {2, 2, 2}}), ShapeError);
  CHECK_THROWS_AS(max_pool(x, {.kernel = INT64_MAX, .padding = INT64_MAX - 1}), ShapeError);
  CHECK_THROWS_WITH(avg_pool(Tensor::zeros({4, 6}), {.kernel = 1}),
                    ContainsSubstring("one to three spatial axes, C], got [4, 6] f32"));
  CHECK_THROWS_AS(max_pool(Tensor::zeros({1, 4, 1}, DType::i64), {.kernel = 2}), DTypeError);
  CHECK(max_pool(Tensor::zeros({0, 4, 1}), {.kernel = 2}).shape() == Shape{0, 2, 1});
}
