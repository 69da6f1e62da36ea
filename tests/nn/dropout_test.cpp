// SPDX-License-Identifier: MIT
#include <synthdata/nn/conv.hpp>
#include <synthdata/nn/dropout.hpp>
#include <synthdata/nn/linear.hpp>
#include <synthdata/nn/sequential.hpp>

#include "nets.hpp"

namespace sd = synthdata;
namespace {

sd::Var train(const auto& net, const sd::Var& x, std::uint64_t seed = 1) {
  sd::Rng rng{seed};
  sd::Context context{.mode = sd::Mode::training, .rng = &rng};
  return sd::forward(net, x, context);
}

}  // namespace

TEST_CASE("Dropout zeroes its share in training, scales the rest, and rests in inference") {
  const sd::Var x = sd::ones({200, 500});
  const sd::Var y = train(sd::Dropout(0.3), x);
  std::int64_t zeros = 0;
  for (const float value : y.value().span<float>()) {
    if (value == 0.0f) {
      ++zeros;
    } else if (value != Approx(1.0 / 0.7)) {
      FAIL("neither dropped nor scaled: " << value);
    }
  }
  CHECK(static_cast<double>(zeros) / 1e5 == Approx(0.3).margin(5 * 0.00145));  // five standard deviations
  CHECK(sd::same_bits(test::run(sd::Dropout(0.3), x).value(), x.value()));
  CHECK(sd::same_bits(train(sd::Dropout(0.0), x).value(), x.value()));
}

TEST_CASE("Dropout repeats itself for one seed and differs for another") {
  const sd::Var x = sd::ones({10, 10});
  CHECK(sd::same_bits(train(sd::Dropout(0.5), x, 7).value(), train(sd::Dropout(0.5), x, 7).value()));
  CHECK(!sd::same_bits(train(sd::Dropout(0.5), x, 7).value(), train(sd::Dropout(0.5), x, 8).value()));
}

TEST_CASE("Dropout has the right derivatives, alone and with what is fused into it") {
  sd::Rng rng{1};
  const sd::Sequential net{sd::Linear(3, 6, rng), sd::LeakyRelu{0.3}, sd::Dropout(0.4),
                           sd::Linear(6, 3, rng), sd::Tanh{},         sd::Dropout(0.4)};
  const auto d = test::check_derivatives(net, test::normal_f64({3, 3}));
  CHECK(d.first < 1e-7);
  CHECK(d.second < 1e-6);
}

TEST_CASE("an activation fused into dropout gives the same bits, forward and backward") {
  sd::Rng rng{2};
  const sd::Tensor image = sd::normal({2, 6, 6, 3}, rng);
  const auto check = [&](const auto& activation) {
    const sd::Conv2d conv(3, 8, 3, rng);
    sd::Sequential fused{conv, activation, sd::Dropout(0.3)};
    sd::Sequential head{conv, activation};
    const sd::Sequential tail{sd::Dropout(0.3)};
    const sd::Var xa = sd::leaf(image), xb = sd::leaf(image);
    const sd::Var a = train(fused, xa), b = train(tail, train(head, xb));
    CHECK(sd::same_bits(a.value(), b.value()));
    std::vector<sd::Var> wa = sd::parameters(fused), wb = sd::parameters(head);
    wa.push_back(xa);
    wb.push_back(xb);
    const auto ga = sd::grad(sd::sum(sd::square(a)), wa), gb = sd::grad(sd::sum(sd::square(b)), wb);
    for (std::size_t i = 0; i < ga.size(); ++i) CHECK(sd::same_bits(ga[i].value(), gb[i].value()));
    CHECK(sd::same_bits(test::run(fused, image).value(), test::run(head, image).value()));
  };
  check(sd::LeakyRelu{0.2});
  check(sd::Relu{});
  check(sd::Tanh{});
}

TEST_CASE("which layers run as one depends on the mode, the result does not") {
  sd::Rng rng{3};
  const sd::Sequential net{sd::Linear(3, 4, rng), sd::Relu{}, sd::Dropout(0.5), sd::Relu{}, sd::Dropout(0.5)};
  const auto names = [&](sd::Mode mode) {
    std::vector<sd::TraceEntry> trace;
    sd::Context context{.mode = mode, .rng = &rng, .trace = &trace};
    net(sd::ones({2, 3}), context);
    std::vector<std::string> all;
    for (const auto& entry : trace) all.push_back(entry.layer);
    return all;
  };
  CHECK(names(sd::Mode::training) ==
        std::vector<std::string>{"linear0", "activation0 + dropout0", "activation1 + dropout1"});
  CHECK(names(sd::Mode::inference) ==
        std::vector<std::string>{"linear0 + activation0", "dropout0", "activation1 + dropout1"});
}

TEST_CASE("Dropout says what is missing") {
  CHECK_THROWS_AS(sd::Dropout(1.0), sd::NumericError);
  CHECK_THROWS_AS(sd::Dropout(-0.1), sd::NumericError);
  const sd::Sequential net{sd::Relu{}, sd::Dropout(0.5)};
  CHECK_THROWS_WITH(test::run(net, sd::ones({2}), sd::Mode::training), ContainsSubstring("has no Rng"));
  CHECK_THROWS_WITH(test::run(net, sd::ones({2}), sd::Mode::training), ContainsSubstring("while running dropout0"));
}
