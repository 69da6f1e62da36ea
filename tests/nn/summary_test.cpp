// SPDX-License-Identifier: MIT
#include <synthdata/nn/any_module.hpp>
#include <synthdata/nn/conv.hpp>
#include <synthdata/nn/embedding.hpp>
#include <synthdata/nn/linear.hpp>
#include <synthdata/nn/norm.hpp>
#include <synthdata/nn/residual.hpp>
#include <synthdata/nn/sequential.hpp>
#include <synthdata/nn/shape.hpp>
#include <synthdata/nn/summary.hpp>

#include "nets.hpp"

namespace sd = synthdata;

TEST_CASE("summary lists layers, fused ones together, with aligned columns and totals") {
  sd::Rng rng{1};
  const sd::Sequential net{sd::Linear(100, 784, rng, {.bias = false}),
                           sd::BatchNorm(784),
                           sd::LeakyRelu{},
                           sd::Reshape{7, 7, 16},
                           sd::ConvTranspose2d(16, 1, 4, rng, {.stride = 2, .padding = 1}),
                           sd::Tanh{}};
  CHECK(sd::summary(net, {32, 100}) ==
        "layer                          output           parameters  output memory\n"
        "-------------------------------------------------------------------------\n"
        "input                          [32, 100]                         12.5 KiB\n"
        "linear0                        [32, 784]            78,400       98.0 KiB\n"
        "batch_norm0 + activation0      [32, 784]             1,568       98.0 KiB\n"
        "reshape0                       [32, 7, 7, 16]            0       98.0 KiB\n"
        "conv_transpose0 + activation1  [32, 14, 14, 1]         257       24.5 KiB\n"
        "-------------------------------------------------------------------------\n"
        "total                                               80,225      331.0 KiB\n"
        "weights: 313.4 KiB\n");
}

TEST_CASE("summary gives layers inside others their path and counts every parameter once") {
  sd::Rng rng{2};
  const sd::Sequential net{sd::Sequential{sd::Linear(4, 4, rng), sd::Relu{}},
                           sd::Residual{sd::Sequential{sd::Linear(4, 4, rng), sd::Tanh{}}}, sd::Linear(4, 1, rng)};
  const std::string text = sd::summary(net, {2, 4});
  CHECK_THAT(text, ContainsSubstring("sequential0.linear0 + activation0"));
  CHECK_THAT(text, ContainsSubstring("residual0.linear0 + activation0"));
  CHECK_THAT(text, ContainsSubstring("\nresidual0  "));      // the sum is an output of its own
  CHECK(text.find("\nsequential0  ") == std::string::npos);  // a sequence is not
  CHECK_THAT(text, ContainsSubstring(" 45 "));               // 20 + 20 + 5
}

TEST_CASE("summary takes single layers, lists built at run time, and index input") {
  sd::Rng rng{3};
  CHECK_THAT(sd::summary(sd::Linear(3, 2, rng), {5, 3}), ContainsSubstring("linear  [5, 2]"));
  CHECK_THAT(sd::summary(sd::Relu{}, {5, 3}), ContainsSubstring("activation"));
  sd::ModuleList list;
  list.push_back(sd::Linear(3, 2, rng));
  list.push_back(sd::Sequential{sd::Linear(2, 2, rng), sd::Relu{}});
  const std::string text = sd::summary(list, {5, 3});
  CHECK_THAT(text, ContainsSubstring("0 linear"));
  CHECK_THAT(text, ContainsSubstring("1 sequential.linear0 + activation0"));
  CHECK_THAT(sd::summary(sd::Embedding(9, 2, rng), {4}, sd::DType::i64), ContainsSubstring("[4, 2]"));
  CHECK_THROWS_AS(sd::summary(sd::Linear(3, 2, rng), {5, 4}), sd::ShapeError);
}

TEST_CASE("summary leaves the net as it was") {
  sd::Rng rng{4};
  sd::Sequential net{sd::Linear(3, 2, rng), sd::BatchNorm(2)};
  const auto copy = net;
  sd::summary(net, {4, 3});
  CHECK(sd::same_bits(test::run(net, sd::ones({2, 3})).value(), test::run(copy, sd::ones({2, 3})).value()));
  CHECK(sd::detail::readable_bytes(1023) == "1023 B");
  CHECK(sd::detail::readable_bytes(1048575) == "1.0 MiB");
  CHECK(sd::detail::with_commas(0) == "0");
  CHECK(sd::detail::with_commas(1234567) == "1,234,567");
}
