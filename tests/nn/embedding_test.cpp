// SPDX-License-Identifier: MIT
#include <synthdata/nn/embedding.hpp>
#include <synthdata/nn/linear.hpp>
#include <synthdata/nn/sequential.hpp>

#include "nets.hpp"

namespace sd = synthdata;

TEST_CASE("Embedding reads rows of its table") {
  sd::Rng rng{1};
  const sd::Embedding table(5, 3, rng);
  const sd::Tensor index = sd::Tensor::from(std::vector<std::int64_t>{4, 0, 4, 2}, {2, 2});
  const sd::Var y = test::run(table, index);
  CHECK(y.shape() == sd::Shape{2, 2, 3});
  for (int i = 0; i < 4; ++i) {
    CHECK(sd::same_bits(y.value().reshape({4, 3}).rows(i, i + 1),
                        table.weight().value().rows(index.data<std::int64_t>()[i], index.data<std::int64_t>()[i] + 1)));
  }
}

TEST_CASE("Embedding's gradient counts how often a row was read, at first and second order") {
  sd::Rng rng{2};
  auto net = test::to_f64(sd::Sequential{sd::Embedding(4, 2, rng), sd::Linear(2, 2, rng), sd::Tanh{}});
  const sd::Tensor index = sd::Tensor::from(std::vector<std::int64_t>{3, 1, 3});
  std::vector<sd::Tensor> at = test::point(net, index);
  at.erase(at.begin());
  const auto through = test::as_function(net, sd::Mode::training);
  const auto f = [&](std::vector<sd::Var> v) {
    v.insert(v.begin(), sd::Var(index));
    return through(v);
  };
  CHECK(sd::gradcheck(f, at).worst_relative < 1e-7);
  CHECK(sd::gradgradcheck(f, at).worst_relative < 1e-6);
}

TEST_CASE("Embedding names an index outside its vocabulary") {
  sd::Rng rng{3};
  const sd::Sequential net{sd::Embedding(4, 2, rng)};
  CHECK_THROWS_WITH(test::run(net, sd::Tensor::from(std::vector<std::int64_t>{0, 4})), ContainsSubstring("4"));
  CHECK_THROWS_AS(test::run(net, sd::Tensor::from(std::vector<std::int64_t>{-1})), sd::ShapeError);
}
