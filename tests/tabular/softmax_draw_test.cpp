// tests/tabular/softmax_draw_test.cpp: draws from softmaxes side by side, and encoded rows made of them.
//
// SPDX-License-Identifier: MIT
#include "../test.hpp"

#include <synthdata/core/random.hpp>
#include <synthdata/tabular/encoded_rows.hpp>
#include <synthdata/tabular/softmax_draw.hpp>

#include <array>
#include <cmath>

using namespace synthdata;
using models::detail::DrawWeights, models::detail::SoftmaxDraw;

namespace {

struct Drawn {
  std::int64_t place;
  float share;
};
template <int lanes, DrawWeights by>
std::vector<Drawn> draw(const std::vector<float>& logits, const std::vector<float>& weights, float uniform) {
  const auto width = static_cast<std::int64_t>(logits.size());
  std::vector<float> scratch(logits.size() * lanes);
  std::array<const float*, lanes> from, weight;
  std::array<float, lanes> u, share;
  std::array<std::int64_t, lanes> place;
  from.fill(logits.data());
  weight.fill(weights.data());
  u.fill(uniform);
  SoftmaxDraw<lanes, by>{width, scratch.data()}(from.data(), weight.data(), u.data(), place.data(), share.data());
  std::vector<Drawn> all;
  for (std::size_t l = 0; l < lanes; ++l) all.push_back({place[l], share[l]});
  return all;
}

}  // namespace

TEST_CASE("draws from a softmax follow its probabilities times the weights") {
  const std::vector<float> logits{90.0f, 91.0f, 88.0f, 92.0f, 50.0f}, weights{1.0f, 0.0f, 0.5f, 0.25f, 0.0f};
  std::vector<double> exact;
  double all = 0.0, allowed = 0.0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double e = std::exp(static_cast<double>(logits[i]) - 92.0);
    all += e;
    exact.push_back(e * static_cast<double>(weights[i]));
    allowed += exact.back();
  }
  std::vector<int> counts(logits.size(), 0);
  constexpr int steps = 10000;
  for (int i = 0; i < steps; ++i) {
    const float u = (static_cast<float>(i) + 0.5f) / steps;
    const Drawn one = draw<1, DrawWeights::common>(logits, weights, u)[0];
    REQUIRE(one.place >= 0);
    ++counts[static_cast<std::size_t>(one.place)];
    if (i % 97 != 0) continue;
    for (const Drawn& other : draw<16, DrawWeights::common>(logits, weights, u)) CHECK(other.place == one.place);
    for (const Drawn& other : draw<16, DrawWeights::own>(logits, weights, u)) CHECK(other.place == one.place);
    CHECK(static_cast<double>(one.share) == Approx(allowed / all).epsilon(1e-5));
  }
  for (std::size_t i = 0; i < counts.size(); ++i) CHECK(std::abs(counts[i] - exact[i] / allowed * steps) <= 1.0);
}

TEST_CASE("draws from a softmax at its ends") {
  const std::vector<float> logits{0.0f, 1.0f, 0.0f}, middle{0.0f, 1.0f, 0.0f}, none{0.0f, 0.0f, 0.0f};
  for (const float u : {0.0f, 0.5f, 1.0f}) {  // 1: what rounding may make of a number below it
    CHECK(draw<1, DrawWeights::common>(logits, middle, u)[0].place == 1);
    CHECK(draw<16, DrawWeights::own>(logits, middle, u)[15].place == 1);
    CHECK(draw<16, DrawWeights::own>(logits, none, u)[3].place == -1);
    CHECK(draw<1, DrawWeights::none>({2.0f}, {}, u)[0].place == 0);
  }
  CHECK(draw<1, DrawWeights::none>(logits, {}, 0.0f)[0].place == 0);
  CHECK(draw<1, DrawWeights::none>(logits, {}, 1.0f)[0].place == 2);
  const float nan = std::nanf("");
  for (std::size_t bad = 0; bad < 3; ++bad) {
    std::vector<float> broken = logits;
    broken[bad] = nan;
    CHECK(draw<16, DrawWeights::none>(broken, {}, 0.5f)[0].place == -1);
    CHECK(std::isnan(draw<1, DrawWeights::none>(broken, {}, 0.5f)[0].share));
  }
}

TEST_CASE("encoded rows are drawn alike few or many at a time, and keep what is not a number") {
  const std::vector<EncodedBlock> blocks{{.column = "n", .begin = 0, .width = 1, .kind = BlockKind::number},
                                         {.column = "n", .begin = 1, .width = 3, .kind = BlockKind::one_hot},
                                         {.column = "c", .begin = 4, .width = 2, .kind = BlockKind::one_hot}};
  constexpr std::int64_t rows = 37;
  Tensor logits = Tensor::empty({rows, 6}, DType::f32, Device::cpu());
  for (std::int64_t i = 0; i < logits.size(); ++i) logits.data<float>()[i] = 0.1f * static_cast<float>(i % 29) - 1.0f;
  Tensor all = logits.clone();
  Rng rng(3);
  models::detail::draw_encoded(all, blocks, rng);
  for (std::int64_t row = 0; row < rows; ++row) {
    const float *const x = logits.data<float>() + row * 6, *const y = all.data<float>() + row * 6;
    CHECK(y[0] == Approx(std::tanh(x[0])).margin(1e-6));
    CHECK(y[1] + y[2] + y[3] == Approx(1.0));
    CHECK(y[4] + y[5] == Approx(1.0));
    for (int i = 1; i < 6; ++i) CHECK((std::fabs(y[i]) < 1e-6f || std::fabs(y[i] - 1.0f) < 1e-6f));
  }
  // The first rows alone are drawn one by one, and with the same numbers.
  Tensor few = logits.rows(0, 3).clone();
  Rng same(3);
  models::detail::draw_encoded(few, blocks, same);
  for (std::int64_t i = 0; i < few.size(); ++i)
    CHECK(few.data<float>()[i] == Approx(all.data<float>()[i]).margin(1e-6));
  logits.data<float>()[6 + 4] = std::nanf("");
  Rng again(3);
  models::detail::draw_encoded(logits, blocks, again);
  CHECK(std::isnan(logits.data<float>()[6 + 4]));
  CHECK(logits.data<float>()[2 * 6 + 1] == all.data<float>()[2 * 6 + 1]);
}
