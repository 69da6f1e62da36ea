// tests/functor/functor_test.cpp: the table of pointwise functors.
//
// Each row names a functor, an independent reference in long double and how far a float value may be off. A new
// functor adds a row and gets: value over a dense range, each instruction set, slope, special values, denormals.
//
// SPDX-License-Identifier: MIT
#include <synthdata/backend/elementwise.hpp>
#include <synthdata/functor/activation.hpp>
#include <synthdata/functor/binary.hpp>

#include "../test.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

using namespace synthdata;
using backend::cpu::force_isa;
using backend::cpu::Isa;

namespace {

constexpr float inf = std::numeric_limits<float>::infinity(), denormal = std::numeric_limits<float>::denorm_min();
const float not_a_number = std::numeric_limits<float>::quiet_NaN();

using Reference = long double (*)(long double);

struct Row {
  const char* name;
  Tensor (*value)(const Tensor&);  // through the vectorised kernel, f32 or f64
  double (*slope)(double);         // in double
  Reference reference;
  float low, high;           // the range that is scanned
  double ulp;                // units in the last place of the result ...
  double absolute;           // ... or this much, whichever is more
  std::vector<float> kinks;  // where the slope jumps
};

template <class F>
Row row(const char* name, Reference reference, float low, float high, double ulp, double absolute = 0.0,
        std::vector<float> kinks = {}) {
  return {name,
          [](const Tensor& x) { return backend::map("functor", synthdata::detail::ValueOf<F>{}, x); },
          [](double x) { return F{}.slope(x, F{}.value(x)); },
          reference,
          low,
          high,
          ulp,
          absolute,
          std::move(kinks)};
}

struct Cube : PowScalar {
  constexpr Cube() : PowScalar{3.0} {}
};
struct ThreeHalves : PowScalar {
  constexpr ThreeHalves() : PowScalar{1.5} {}
};
struct Scaled : Affine {
  constexpr Scaled() : Affine{-1.5, 0.25} {}
};

using L = long double;

const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      row<Neg>(
          "neg", [](L x) { return -x; }, -100, 100, 0.5),
      // two roundings, one when contracted; near the root 1/6 the sum cancels
      row<Scaled>(
          "affine", [](L x) { return -1.5L * x + 0.25L; }, -100, 100, 1, 3e-8),
      row<Square>(
          "square", [](L x) { return x * x; }, -100, 100, 0.5),
      row<Reciprocal>(
          "reciprocal", [](L x) { return 1 / x; }, 0.01f, 100, 0.5),
      row<Exp>(
          "exp", [](L x) { return std::exp(x); }, -87, 88, 3),
      row<Expm1>(
          "expm1", [](L x) { return std::expm1(x); }, -20, 88, 3),
      row<Log>(
          "log", [](L x) { return std::log(x); }, 1e-30f, 1e30f, 3),
      row<Log>(
          "log near 1", [](L x) { return std::log(x); }, 0.5f, 2.0f, 3),
      row<Log1p>(
          "log1p", [](L x) { return std::log1p(x); }, -0.9f, 100, 3),
      row<Sqrt>(
          "sqrt", [](L x) { return std::sqrt(x); }, 1e-30f, 1e30f, 1),
      row<Rsqrt>(
          "rsqrt", [](L x) { return 1 / std::sqrt(x); }, 1e-30f, 1e30f, 2),
      row<Cube>(
          "pow 3", [](L x) { return x * x * x; }, -8, 8, 24),  // math.hpp: error of log times |3 log x|
      row<ThreeHalves>(
          "pow 1.5", [](L x) { return x * std::sqrt(x); }, 0.01f, 100, 24),
      row<Sign>("sign", [](L x) { return x > 0   ? 1.0L
                                         : x < 0 ? -1.0L
                                                 : 0.0L; }, -2, 2, 0, 0, {0}),
      row<Abs>("abs", [](L x) { return std::fabs(x); }, -100, 100, 0, 0, {0}),
      row<Clamp>("clamp", [](L x) { return std::clamp<L>(x, 0, 1); }, -2, 2, 0, 0, {0, 1}),
      // math.hpp: 3e-7 and the reduction, which loses half a unit of x: 3e-6 at 100
      row<Sin>(
          "sin", [](L x) { return std::sin(x); }, -100, 100, 0, 1.2e-5),
      row<Cos>(
          "cos", [](L x) { return std::cos(x); }, -100, 100, 0, 1.2e-5),
      row<Sin>(
          "sin near 0", [](L x) { return std::sin(x); }, -3, 3, 0, 6e-7),
      row<Cos>(
          "cos near 0", [](L x) { return std::cos(x); }, -3, 3, 0, 6e-7),
      row<Erf>(
          "erf", [](L x) { return std::erf(x); }, -6, 6, 0, 1.5e-7),
      row<Round>("round", [](L x) { return std::nearbyint(x); }, -99.9f, 99.7f, 0, 0,
                 {-2.5f, -1.5f, -0.5f, 0.5f, 1.5f, 2.5f}),
      row<Relu>("relu", [](L x) { return x > 0 ? x : 0; }, -5, 5, 0, 0, {0}),
      row<LeakyRelu>("leaky_relu", [](L x) { return x > 0 ? x : 0.2L * x; }, -5, 5, 1.5, 0, {0}),
      row<Elu>("elu", [](L x) { return x > 0 ? x : std::expm1(x); }, -20, 20, 3, 0, {}),
      row<Selu>("selu",
                [](L x) {
                  const L scale = 1.0507009873554804934193349852946L, alpha = 1.6732632423543772848170429916717L;
                  return scale * (x > 0 ? x : alpha * std::expm1(x));
                },
                -20, 20, 4, 0, {0}),
      row<Sigmoid>(
          "sigmoid", [](L x) { return 1 / (1 + std::exp(-x)); }, -80, 80, 4),
      row<Tanh>(
          "tanh", [](L x) { return std::tanh(x); }, -20, 20, 3),
      row<Softplus>(
          "softplus", [](L x) { return std::fmax(x, 0.0L) + std::log1p(std::exp(-std::fabs(x))); }, -80, 80, 4),
      row<Silu>(
          "silu", [](L x) { return x / (1 + std::exp(-x)); }, -80, 80, 5),
      // x times the error of erf: 1.5e-7 |x| / 2 where the tail has died
      row<Gelu>(
          "gelu", [](L x) { return 0.5L * x * std::erfc(-x / std::sqrt(2.0L)); }, -6, 6, 2, 5e-7),
  };
  return all;
}

struct IsaGuard {
  explicit IsaGuard(Isa wanted) : used(force_isa(wanted)) {}
  ~IsaGuard() { force_isa(backend::cpu::detect_isa()); }
  Isa used;
};

/// Evenly spaced points, or evenly spaced in the exponent for a positive range of many powers of ten.
Tensor scan(float low, float high, std::int64_t n, DType dtype = DType::f32) {
  Tensor x = Tensor::empty({n}, DType::f32);
  const bool wide = low > 0 && high / low > 1e6f;
  for (std::int64_t i = 0; i < n; ++i) {
    const double t = (static_cast<double>(i) + 0.5) / static_cast<double>(n), a = static_cast<double>(low),
                 b = static_cast<double>(high);
    x.data<float>()[i] = static_cast<float>(wide ? a * std::pow(b / a, t) : a + (b - a) * t);
  }
  return x.to(dtype);
}

double ulp_of(double x) {
  int exponent = 0;
  std::frexp(std::max(std::abs(x), 1.2e-38), &exponent);
  return std::ldexp(1.0, exponent - 24);
}

/// Largest error in units of what the row allows.
double worst_error(const Row& r, const Tensor& x) {
  const Tensor y = r.value(x);
  double worst = 0;
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const auto expected = static_cast<double>(r.reference(static_cast<L>(x.data<float>()[i])));
    const double error = std::abs(static_cast<double>(y.data<float>()[i]) - expected);
    const double allowed = std::max(r.ulp * ulp_of(expected), r.absolute);
    const double share = error == 0 ? 0 : error / allowed;
    worst = share > worst || share != share ? share : worst;
  }
  return worst;
}

float at(const Row& r, float x) { return r.value(Tensor::from(std::vector<float>{x})).span<float>()[0]; }
const Row& named(const std::string& name) {
  return *std::find_if(rows().begin(), rows().end(), [&](const Row& r) { return name == r.name; });
}
bool same(float a, float b) { return a == b || (a != a && b != b); }

}  // namespace

TEST_CASE("functors in float are as exact as their row says, with each instruction set") {
  for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512}) {
    const IsaGuard guard(isa);
    if (guard.used != isa) continue;  // this machine does not have it
    for (const Row& r : rows()) {
      CAPTURE(r.name, static_cast<int>(isa));
      CHECK(worst_error(r, scan(r.low, r.high, 200003)) <= 1.0);
    }
  }
}

TEST_CASE("instruction sets agree with the baseline within twice a row's error") {
  for (const Isa isa : {Isa::avx2, Isa::avx512}) {
    for (const Row& r : rows()) {
      const Tensor x = scan(r.low, r.high, 20011);
      force_isa(Isa::baseline);
      const Tensor base = r.value(x);
      const IsaGuard guard(isa);
      const Tensor other = r.value(x);
      double worst = 0;
      for (std::int64_t i = 0; i < x.size(); ++i) {
        const auto a = static_cast<double>(base.data<float>()[i]), b = static_cast<double>(other.data<float>()[i]);
        const double allowed = std::max(r.ulp * ulp_of(a), r.absolute);
        worst = std::max(worst, a == b ? 0 : std::abs(a - b) / allowed);
      }
      CAPTURE(r.name, static_cast<int>(isa));
      CHECK(worst <= 2.0);
    }
  }
}

TEST_CASE("an element's value depends neither on its position nor on its neighbours") {
  for (const Row& r : rows()) {
    const Tensor x = scan(r.low, r.high, 131);
    const Tensor y = r.value(x);
    bool equal = true;
    for (std::int64_t i = 0; i < x.size(); ++i) equal = equal && same(y.data<float>()[i], at(r, x.data<float>()[i]));
    CAPTURE(r.name);
    CHECK(equal);
  }
}

TEST_CASE("functors in double agree with long double") {
  for (const Row& r : rows()) {
    const Tensor x = scan(r.low, r.high, 20011, DType::f64);
    const Tensor y = r.value(x);
    double worst = 0;
    for (std::int64_t i = 0; i < x.size(); ++i) {
      const auto expected = static_cast<double>(r.reference(static_cast<L>(x.data<double>()[i])));
      worst = std::max(worst, std::abs(y.data<double>()[i] - expected) / std::max(std::abs(expected), 1e-12));
    }
    CAPTURE(r.name);
    // some roundings of 1e-16; gelu far below 0 loses digits in 1 + erf, absolutely still 1e-15
    CHECK(worst < (std::string(r.name) == "gelu" ? 1e-6 : 1e-12));
  }
}

TEST_CASE("slopes equal finite differences of the reference") {
  for (const Row& r : rows()) {
    const float low = r.low > 0 ? std::max(r.low, 0.01f) : std::max(r.low, -30.0f);  // where steps are small enough
    const Tensor x = scan(low, std::min(r.high, 30.0f), 997, DType::f64);
    double worst = 0;
    for (const double v : x.span<double>()) {
      const double step = 1e-6 * std::max(std::abs(v), 1e-3);
      const bool near_kink = std::any_of(r.kinks.begin(), r.kinks.end(),
                                         [&](float k) { return std::abs(v - static_cast<double>(k)) < 2 * step; });
      const bool jumps = std::string(r.name) == "round" && std::abs(std::abs(v - std::nearbyint(v)) - 0.5) < 2e-4;
      if (near_kink || jumps) continue;
      const L h = static_cast<L>(step), p = static_cast<L>(v);
      const auto numeric = static_cast<double>((r.reference(p + h) - r.reference(p - h)) / (2 * h));
      worst = std::max(worst, std::abs(r.slope(v) - numeric) / std::max({1.0, std::abs(numeric)}));
    }
    CAPTURE(r.name);
    // long double: 1e-19 / step; truncation h² f''' / 6
    CHECK(worst < 1e-8);
  }
}

TEST_CASE("NaN stays NaN") {
  for (const Row& r : rows()) {
    if (std::string(r.name) == "sign") continue;  // neither above nor below 0: 0
    for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512}) {
      const IsaGuard guard(isa);
      CAPTURE(r.name, static_cast<int>(isa));
      CHECK(std::isnan(at(r, not_a_number)));
    }
  }
}

TEST_CASE("functors take infinities, zeros and denormals as mathematics does") {
  struct Special {
    const char* name;
    float x, y;
  };
  const Special table[] = {
      {"neg", 0.0f, -0.0f},
      {"neg", inf, -inf},
      {"square", -inf, inf},
      {"square", denormal, 0.0f},
      {"reciprocal", inf, 0.0f},
      {"reciprocal", 0.0f, inf},
      {"reciprocal", -0.0f, -inf},
      {"exp", inf, inf},
      {"exp", -inf, 0.0f},
      {"exp", 0.0f, 1.0f},
      {"exp", -0.0f, 1.0f},
      {"exp", denormal, 1.0f},
      {"exp", 89.0f, inf},
      {"exp", -110.0f, 0.0f},
      {"exp", 3e38f, inf},
      {"exp", -3e38f, 0.0f},
      {"expm1", inf, inf},
      {"expm1", -inf, -1.0f},
      {"expm1", 0.0f, 0.0f},
      {"expm1", denormal, denormal},
      {"expm1", -1e-20f, -1e-20f},
      {"log", inf, inf},
      {"log", 0.0f, -inf},
      {"log", -0.0f, -inf},
      {"log", 1.0f, 0.0f},
      {"log", -1.0f, not_a_number},
      {"log", -inf, not_a_number},
      {"log", -denormal, not_a_number},
      {"log1p", inf, inf},
      {"log1p", -1.0f, -inf},
      {"log1p", 0.0f, 0.0f},
      {"log1p", denormal, denormal},
      {"log1p", -2.0f, not_a_number},
      {"log1p", 1e-20f, 1e-20f},
      {"sqrt", inf, inf},
      {"sqrt", 0.0f, 0.0f},
      {"sqrt", -0.0f, -0.0f},
      {"sqrt", -1.0f, not_a_number},
      {"rsqrt", inf, 0.0f},
      {"rsqrt", 0.0f, inf},
      {"rsqrt", -1.0f, not_a_number},
      {"pow 3", 0.0f, 0.0f},
      {"pow 3", inf, inf},
      {"pow 3", -inf, -inf},
      {"pow 3", 1.0f, 1.0f},
      {"pow 3", -1.0f, -1.0f},
      {"pow 1.5", 0.0f, 0.0f},
      {"pow 1.5", inf, inf},
      {"pow 1.5", -1.0f, not_a_number},
      {"sign", 0.0f, 0.0f},
      {"sign", -0.0f, 0.0f},
      {"sign", denormal, 1.0f},
      {"sign", -inf, -1.0f},
      {"abs", -0.0f, 0.0f},
      {"abs", -inf, inf},
      {"abs", -denormal, denormal},
      {"clamp", inf, 1.0f},
      {"clamp", -inf, 0.0f},
      {"sin", 0.0f, 0.0f},
      {"cos", 0.0f, 1.0f},
      {"sin", inf, not_a_number},
      {"cos", -inf, not_a_number},
      {"erf", inf, 1.0f},
      {"erf", -inf, -1.0f},
      {"erf", 0.0f, 0.0f},
      {"erf", -0.0f, -0.0f},
      {"round", 0.5f, 0.0f},
      {"round", 1.5f, 2.0f},
      {"round", 2.5f, 2.0f},
      {"round", -0.5f, -0.0f},
      {"round", 8388609.0f, 8388609.0f},
      {"round", -3e38f, -3e38f},
      {"round", inf, inf},
      {"round", 8388607.5f, 8388608.0f},
      {"relu", inf, inf},
      {"relu", -inf, 0.0f},
      {"relu", denormal, denormal},
      {"leaky_relu", inf, inf},
      {"leaky_relu", -inf, -inf},
      {"leaky_relu", 0.0f, 0.0f},
      {"elu", inf, inf},
      {"elu", -inf, -1.0f},
      {"elu", 0.0f, 0.0f},
      {"selu", inf, inf},
      {"selu", 0.0f, 0.0f},
      {"sigmoid", inf, 1.0f},
      {"sigmoid", -inf, 0.0f},
      {"sigmoid", 0.0f, 0.5f},
      {"sigmoid", 3e38f, 1.0f},
      {"sigmoid", -3e38f, 0.0f},
      {"tanh", inf, 1.0f},
      {"tanh", -inf, -1.0f},
      {"tanh", 0.0f, 0.0f},
      {"tanh", -0.0f, -0.0f},
      {"tanh", denormal, denormal},
      {"tanh", 3e38f, 1.0f},
      {"softplus", inf, inf},
      {"softplus", -inf, 0.0f},
      {"softplus", 3e38f, 3e38f},
      {"softplus", -3e38f, 0.0f},
      {"silu", inf, inf},
      {"silu", 0.0f, 0.0f},
      {"silu", -3e38f, 0.0f},
      {"gelu", inf, inf},
      {"gelu", 0.0f, 0.0f},
      {"gelu", -100.0f, 0.0f},
      {"gelu", 100.0f, 100.0f},
  };
  for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512}) {
    const IsaGuard guard(isa);
    for (const Special& s : table) {
      const float y = at(named(s.name), s.x);
      CAPTURE(s.name, s.x, y, s.y, static_cast<int>(isa));
      CHECK(same(y, s.y));
      if (s.y == 0.0f && s.x == 0.0f) CHECK(std::signbit(y) == std::signbit(s.y));
    }
  }
}

TEST_CASE("exp underflows gradually and log reads denormals") {
  for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512}) {
    const IsaGuard guard(isa);
    CAPTURE(static_cast<int>(isa));
    double worst_exp = 0, worst_log = 0;
    for (float x = -103.0f; x < -87.0f; x += 0.01f) {
      const double y = static_cast<double>(at(named("exp"), x)), expected = std::exp(static_cast<double>(x));
      worst_exp = std::max(worst_exp, std::abs(y - expected) / std::max(expected * 1.8e-7, 1.5e-45));
    }
    for (float x = 2 * denormal; x < 2e-38f; x *= 1.7f) {
      const double y = static_cast<double>(at(named("log"), x)), expected = std::log(static_cast<double>(x));
      worst_log = std::max(worst_log, std::abs(y - expected) / std::abs(expected));
    }
    CHECK(worst_exp < 2);       // of the spacing of denormals, or 3 ulp
    CHECK(worst_log < 1.8e-7);  // 3 ulp
  }
}

TEST_CASE("binary functors: values, slopes and special values") {
  const auto near = [](double a, double b) { return std::abs(a - b) < 1e-12 * std::max(1.0, std::abs(b)); };
  const double a = 1.7, b = -0.6, q = a / b;
  CHECK(near(Div{}.slope_a(a, b, q), 1 / b));
  CHECK(near(Div{}.slope_b(a, b, q), -a / (b * b)));
  CHECK(Mul{}.slope_a(a, b, a * b) == b);
  CHECK(Mul{}.slope_b(a, b, a * b) == a);
  const double p = std::pow(a, b);
  CHECK(near(Pow{}.slope_a(a, b, p), b * std::pow(a, b - 1)));
  CHECK(near(Pow{}.slope_b(a, b, p), p * std::log(a)));
  CHECK(Pow{}.slope_b(-2.0, 2.0, 4.0) == 0.0);
  CHECK(Maximum{}.slope_a(1.0, 1.0, 1.0) == 0.5);
  CHECK(Maximum{}.slope_b(1.0, 2.0, 2.0) == 1.0);
  CHECK(Minimum{}.slope_a(1.0, 2.0, 1.0) == 1.0);
  CHECK(Minimum{}.slope_b(1.0, 1.0, 1.0) == 0.5);
  CHECK(std::isnan(Maximum{}.value(not_a_number, 1.0f)));
  CHECK(std::isnan(Maximum{}.value(1.0f, not_a_number)));
  CHECK(std::isnan(Minimum{}.value(not_a_number, 1.0f)));
  CHECK(std::isnan(Minimum{}.value(1.0f, not_a_number)));
  CHECK(Maximum{}.value(-inf, 1.0f) == 1.0f);
  CHECK(Minimum{}.value(-inf, 1.0f) == -inf);
}

TEST_CASE("pow in float follows the standard where it is exact") {
  const Pow pow;
  const auto f = [&](float x, float y) { return pow.value(x, y); };
  CHECK(f(0.0f, 0.0f) == 1.0f);
  CHECK(f(not_a_number, 0.0f) == 1.0f);
  CHECK(f(0.0f, 2.0f) == 0.0f);
  CHECK(f(0.0f, -1.0f) == inf);
  CHECK(f(-0.0f, 3.0f) == 0.0f);
  CHECK(f(-2.0f, 3.0f) == Approx(-8.0f).epsilon(1e-6));
  CHECK(f(-2.0f, 2.0f) == Approx(4.0f).epsilon(1e-6));
  CHECK(f(-2.0f, -1.0f) == Approx(-0.5f).epsilon(1e-6));
  CHECK(std::isnan(f(-2.0f, 0.5f)));
  CHECK(f(2.0f, 200.0f) == inf);
  CHECK(f(2.0f, -200.0f) == 0.0f);
  CHECK(f(inf, -1.0f) == 0.0f);
  CHECK(f(-2.0f, 16777216.0f) == inf);  // even
  double worst = 0;
  for (float x = 0.01f; x < 50.0f; x *= 1.07f) {
    for (float y = -5.0f; y < 5.0f; y += 0.37f) {
      const double expected = std::pow(static_cast<double>(x), static_cast<double>(y));
      worst = std::max(worst, std::abs(static_cast<double>(f(x, y)) / expected - 1));
    }
  }
  CHECK(worst < 4e-6);  // the rounding of y log x, up to 20, times 6e-8, and more
}

TEST_CASE("sin_turn and cos_turn of one turn") {
  double worst = 0;
  for (int i = 0; i < 100000; ++i) {
    const float v = static_cast<float>(i) * 1e-5f;
    const double angle = 6.283185307179586 * static_cast<double>(v);
    worst = std::max({worst, std::abs(static_cast<double>(math::cos_turn(v)) - std::cos(angle)),
                      std::abs(static_cast<double>(math::sin_turn(v)) - std::sin(angle))});
  }
  CHECK(worst < 3e-7);
}
