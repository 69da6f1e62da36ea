#include <synthdata/gan/loss.hpp>
#include <synthdata/ops/check.hpp>

#include <cmath>

#include "../test.hpp"

using namespace synthdata;

namespace {

static_assert(AdversarialLoss<Minimax> && AdversarialLoss<NonSaturating> && AdversarialLoss<LeastSquares>);
static_assert(AdversarialLoss<Hinge> && AdversarialLoss<Wasserstein> && AdversarialLoss<Relativistic>);

const std::vector<double> real_scores = {0.5, -1.0, 2.0}, fake_scores = {-0.25, 1.5, 0.75};

double mean_of(const std::vector<double>& x, double (*f)(double)) {
  double total = 0.0;
  for (const double v : x) total += f(v);
  return total / static_cast<double>(x.size());
}
double log_sigmoid(double x) { return -std::log1p(std::exp(-x)); }

Var column(const std::vector<double>& x) { return Var(Tensor::from(x, {static_cast<std::int64_t>(x.size()), 1})); }

template <class Loss>
double critic(const Loss& loss) {
  return loss.critic(column(real_scores), column(fake_scores)).item();
}

}  // namespace

TEST_CASE("losses equal their published formulas") {
  const double real_log = mean_of(real_scores, [](double s) { return log_sigmoid(s); });
  const double fake_log = mean_of(fake_scores, [](double s) { return log_sigmoid(-s); });
  CHECK(critic(Minimax{}) == Approx(-real_log - fake_log));
  CHECK(critic(NonSaturating{}) == Approx(-real_log - fake_log));
  CHECK(Minimax{}.generator(column(fake_scores)).item() == Approx(fake_log));
  CHECK(NonSaturating{}.generator(column(fake_scores)).item() ==
        Approx(-mean_of(fake_scores, [](double s) { return log_sigmoid(s); })));

  CHECK(critic(LeastSquares{}) == Approx(0.5 * mean_of(real_scores, [](double s) { return (s - 1) * (s - 1); }) +
                                         0.5 * mean_of(fake_scores, [](double s) { return s * s; })));
  CHECK(critic(Hinge{}) == Approx(mean_of(real_scores, [](double s) { return std::fmax(0.0, 1 - s); }) +
                                  mean_of(fake_scores, [](double s) { return std::fmax(0.0, 1 + s); })));
  CHECK(critic(Wasserstein{}) == Approx(2.0 / 3.0 - 0.5));
  CHECK(Wasserstein{}.generator(column(fake_scores)).item() == Approx(-2.0 / 3.0));
}

TEST_CASE("one-sided label smoothing is the cross entropy with the real target below 1") {
  const double smoothing = 0.1;
  double expected = -mean_of(fake_scores, [](double s) { return log_sigmoid(-s); });
  for (const double s : real_scores) expected -= (0.9 * log_sigmoid(s) + 0.1 * log_sigmoid(-s)) / 3.0;
  CHECK(critic(NonSaturating{.label_smoothing = smoothing}) == Approx(expected));
  CHECK(critic(LeastSquares{.label_smoothing = smoothing}) ==
        Approx(0.5 * mean_of(real_scores, [](double s) { return (s - 0.9) * (s - 0.9); }) +
               0.5 * mean_of(fake_scores, [](double s) { return s * s; })));
}

TEST_CASE("relativistic losses compare real with fake") {
  const double real_mean = 0.5, fake_mean = 2.0 / 3.0;
  double average = 0.0, pairwise = 0.0;
  for (std::size_t i = 0; i < 3; ++i) {
    average -= 0.5 * (log_sigmoid(real_scores[i] - fake_mean) + log_sigmoid(real_mean - fake_scores[i])) / 3.0;
    pairwise -= log_sigmoid(real_scores[i] - fake_scores[i]) / 3.0;
  }
  CHECK(critic(Relativistic{}) == Approx(average));
  CHECK(critic(Relativistic{.average = false}) == Approx(pairwise));
  // The generator wants the reverse.
  CHECK(Relativistic{}.generator(column(real_scores), column(fake_scores)).item() ==
        Approx(Relativistic{}.critic(column(fake_scores), column(real_scores)).item()));
}

TEST_CASE("losses have the right derivatives") {
  const auto check = [](const auto& loss) {
    const std::vector<Tensor> at = {column(real_scores).value(), column(fake_scores).value()};
    const auto f = [&](const std::vector<Var>& v) { return loss.critic(v[0], v[1]); };
    CHECK(gradcheck(f, at).worst_relative < 1e-6);
    CHECK(gradgradcheck(f, at).worst_relative < 1e-5);
  };
  check(Minimax{});
  check(NonSaturating{.label_smoothing = 0.1});
  check(LeastSquares{});
  check(Hinge{});
  check(Wasserstein{});
  check(Relativistic{});
}
