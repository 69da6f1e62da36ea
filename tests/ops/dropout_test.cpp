// SPDX-License-Identifier: MIT
#include <synthdata/ops/check.hpp>
#include <synthdata/ops/dropout.hpp>

#include "../test.hpp"

using namespace synthdata;
using std::int64_t;

namespace {

struct Restore {
  ~Restore() {
    backend::cpu::force_isa(backend::cpu::detect_isa());
    set_threads(0);
  }
};

Var apply(const Var& x, double rate, const Activation& act = {}, std::uint64_t seed = 5) {
  Rng rng{seed};
  return dropout(x, rate, rng, act);
}

const Activation activations[] = {fused::none, fused::relu, fused::leaky_relu(0.2), fused::tanh, fused::sigmoid};

}  // namespace

TEST_CASE("an element's fate is a function of the generator's state and its index") {
  for (const int64_t n : {1, 63, 64, 100, 128, 129, 40000}) {
    CAPTURE(n);
    Rng draw{1}, rng{2};
    rng.next_u32();
    const RngState before = rng.state();
    const Tensor x = normal({n}, draw);
    const Tensor y = dropout(x, 0.25, rng).value();
    int64_t wrong = 0;
    for (int64_t i = 0; i < n; ++i) {
      // 128 elements take 64 words: word w of counter c is element 16 w + c, in its low half, then in its high half
      const int64_t group = i / 128, place = i % 64;
      const auto counter = before.counter + static_cast<std::uint64_t>(16 * group + place % 16);
      const std::uint32_t word = detail::philox(before.seed, before.stream, counter).word[place / 16];
      const std::uint32_t bits = i % 128 < 64 ? word & 0xFFFFu : word >> 16;
      wrong += y.data<float>()[i] != (bits < 49152 ? x.data<float>()[i] * static_cast<float>(1 / 0.75) : 0.0f);
    }
    CHECK(wrong == 0);
    CHECK(rng.state().counter == before.counter + static_cast<std::uint64_t>((n + 127) / 128 * 16));
  }
}

TEST_CASE("dropout keeps the mean and drops the stated share") {
  const Tensor y = apply(ones({400000}), 0.25).value();
  double sum = 0;
  int64_t dropped = 0;
  for (const float v : y.span<float>()) {
    sum += double{v};
    dropped += v == 0.0f;
  }
  CHECK(sum / 400000 == Approx(1.0).margin(0.004));  // four standard deviations
  CHECK(static_cast<double>(dropped) / 400000 == Approx(0.25).margin(0.003));
}

TEST_CASE("dropout has the right derivatives, behind any activation") {
  Rng rng{3};
  const std::vector<Tensor> at = {normal({7, 13}, rng, DType::f64)};
  for (const Activation& act : activations) {
    CAPTURE(static_cast<int>(act.kind));
    const auto f = [&](const std::vector<Var>& v) { return apply(v[0], 0.4, act); };
    CHECK(gradcheck(f, at).worst_relative < 1e-7);
    CHECK(gradgradcheck(f, at).worst_relative < 1e-6);
  }
}

TEST_CASE("fused dropout: like its parts, the same bits for two threads and every instruction set") {
  const Restore restore;
  Rng rng{4};
  const Tensor x = normal({300, 333}, rng), seed = normal({300, 333}, rng);
  for (const Activation& act : activations) {
    CAPTURE(static_cast<int>(act.kind));
    const auto run = [&](bool fused, bool recorded) {
      const Var v = leaf(x);
      const Var y = fused ? apply(v, 0.3, act) : apply(detail::activated(act, v), 0.3);
      return std::pair(y.value(), grad(y, v, {.create_graph = recorded, .seed = seed}).value());
    };
    for (const auto isa : {backend::cpu::Isa::baseline, backend::cpu::Isa::avx2, backend::cpu::Isa::avx512}) {
      backend::cpu::force_isa(isa);
      set_threads(1);
      const auto [y, g] = run(true, false);
      const auto [apart, apart_gradient] = run(false, false);
      CHECK(same_bits(y, apart));
      const Tensor recorded = run(true, true).second;
      double worst = 0;
      for (int64_t i = 0; i < x.size(); ++i) {
        const auto against = [&](const Tensor& t) {
          return std::fabs(double{g.data<float>()[i]} - double{t.data<float>()[i]});
        };
        worst = std::fmax(worst, std::fmax(against(apart_gradient), against(recorded)));
      }
      CHECK(worst < 2e-6);
      set_threads(2);
      const auto [y2, g2] = run(true, false);
      CHECK(same_bits(y, y2));
      CHECK(same_bits(g, g2));
    }
  }
}

TEST_CASE("every instruction set drops the same elements") {
  const Restore restore;
  backend::cpu::force_isa(backend::cpu::Isa::baseline);
  const Tensor expected = apply(ones({1000}), 0.5).value();
  for (const auto isa : {backend::cpu::Isa::avx2, backend::cpu::Isa::avx512}) {
    backend::cpu::force_isa(isa);
    CHECK(same_bits(apply(ones({1000}), 0.5).value(), expected));
  }
}

TEST_CASE("a dropped infinity is zero; rate 0 and empty tensors pass; bad rates throw") {
  const Tensor y = apply(Tensor::full({1000}, 1e39), 0.5).value();  // infinity in f32
  for (const float v : y.span<float>()) CHECK((v == 0.0f || std::isinf(v)));
  Rng rng{6};
  const RngState before = rng.state();
  const Tensor x = normal({10}, rng);
  Rng same{before};
  CHECK(same_bits(dropout(x, 0.0, same).value(), x));
  CHECK(same.state() == before);
  CHECK(dropout(x, 0.0, rng, fused::relu).value().size() == 10);
  CHECK(apply(zeros({0, 4}), 0.5).shape() == Shape{0, 4});
  for (const double rate : {1.0, -0.1, std::nan("")}) CHECK_THROWS_AS(dropout(x, rate, rng), NumericError);
}
