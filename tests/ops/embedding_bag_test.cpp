// tests/ops/embedding_bag_test.cpp
//
// SPDX-License-Identifier: MIT
#include <synthdata/core/parallel.hpp>
#include <synthdata/ops/check.hpp>
#include <synthdata/ops/embedding_bag.hpp>
#include <synthdata/ops/gather.hpp>
#include <synthdata/ops/reduce.hpp>

#include "../test.hpp"

using namespace synthdata;

namespace {

template <class F>
void check_derivatives(const F& f, const std::vector<Tensor>& at) {
  CHECK(gradcheck(f, at).worst_relative < 1e-8);
  const auto squared = [&](const std::vector<Var>& v) { return square(f(v)); };
  CHECK(gradgradcheck(squared, at).worst_relative < 1e-7);
}

double largest_difference(const Var& a, const Var& b) { return max(abs(a - b)).item(); }

}  // namespace

TEST_CASE("embedding_bag is the sum of the rows that embedding gives") {
  Rng rng{3};
  for (const std::int64_t width : {1, 7, 64, 130}) {
    for (const DType dtype : {DType::f32, DType::f64}) {
      const Tensor weight = normal({9, width}, rng, dtype), index = random_integers({5, 4}, 9, rng);
      CHECK(largest_difference(embedding_bag(weight, index), sum(embedding(weight, index), {1})) < 1e-5);
    }
  }
  const Var none = embedding_bag(Tensor::zeros({2, 3}), Tensor::zeros({4, 0}, DType::i64));
  CHECK(none.shape() == Shape{4, 3});
  CHECK(max(abs(none)).item() == 0.0);
}

TEST_CASE("embedding_bag and scatter_bag have the right first and second derivatives") {
  Rng rng{4};
  using V = const std::vector<Var>&;
  const Tensor index = random_integers({5, 3}, 4, rng);
  check_derivatives([&](V v) { return embedding_bag(v[0], index); }, {normal({4, 6}, rng, DType::f64)});
  check_derivatives([&](V v) { return scatter_bag(4, index, v[0]); }, {normal({5, 6}, rng, DType::f64)});
}

TEST_CASE("bags give the same bits for any number of threads") {
  Rng rng{5};
  const Tensor index = random_integers({3000, 12}, 50, rng), weight = normal({50, 300}, rng);
  const Tensor values = normal({3000, 300}, rng);
  set_threads(1);
  const Tensor a = embedding_bag(weight, index).value(), b = scatter_bag(50, index, values).value();
  for (const int n : {2, 3}) {
    set_threads(n);
    CHECK(same_bits(embedding_bag(weight, index).value(), a));
    CHECK(same_bits(scatter_bag(50, index, values).value(), b));
  }
  set_threads(0);
}

TEST_CASE("bags name what does not fit") {
  const Tensor table = Tensor::zeros({4, 3});
  CHECK_THROWS_WITH(embedding_bag(table, Tensor::full({1, 2}, 4, DType::i64)), ContainsSubstring("index 4"));
  CHECK_THROWS_WITH(embedding_bag(table, Tensor::zeros({2}, DType::i64)), ContainsSubstring("two axes each"));
  CHECK_THROWS_WITH(scatter_bag(4, Tensor::zeros({2, 1}, DType::i64), table), ContainsSubstring("as many rows"));
}
