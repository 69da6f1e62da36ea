// SPDX-License-Identifier: MIT
#include <synthdata/ops/check.hpp>

#include "../test.hpp"

#include <limits>

using namespace synthdata;

namespace {

using In = std::vector<Var>;
using Function = Var (*)(const In&);  // one type for all: the checks below are compiled once

struct Row {
  const char* name;
  Function f;
  std::vector<Tensor> at;
};

// points away from 0, 0.5, 1 and -1, where some of the functions below have a kink
const std::vector<double> any{-2.3, -1.2, -0.4, 0.3, 0.9, 1.7}, positive{0.2, 0.6, 0.9, 1.3, 2.1, 4.0};

Tensor real(const Shape& shape = {2, 3}) {
  std::vector<double> values;
  for (std::size_t i = 0; i < static_cast<std::size_t>(shape.size()); ++i)
    values.push_back(any[i * 5 % 6] + 0.01 * static_cast<double>(i));
  return Tensor::from(values, shape);
}
Tensor above_zero(const Shape& shape = {2, 3}) {
  std::vector<double> values;
  for (std::size_t i = 0; i < static_cast<std::size_t>(shape.size()); ++i)
    values.push_back(positive[i * 5 % 6] + 0.01 * static_cast<double>(i));
  return Tensor::from(values, shape);
}
Tensor floats(const std::vector<float>& values) { return Tensor::from(values); }
std::vector<float> values_of(const Var& x) {
  const auto span = x.value().span<float>();
  return {span.begin(), span.end()};
}

struct Cubic {
  static constexpr Keep keep = Keep::input;
  double scale;
  template <class V>
  V value(const V& x) const {
    return V(scale) * x * x * x;
  }
  template <class V>
  V slope(const V& x, const V&) const {
    return V(3 * scale) * x * x;
  }
};

constexpr float inf = std::numeric_limits<float>::infinity();
const float not_a_number = std::numeric_limits<float>::quiet_NaN();

void check_derivatives(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.name);
    // central differences with step 1e-6 of values below 100 in double: truncation 1e-10, rounding 1e-8
    CHECK(gradcheck(row.f, row.at).worst_relative < 1e-7);
    CHECK(gradgradcheck(row.f, row.at).worst_relative < 1e-6);
  }
}

}  // namespace

TEST_CASE("functions of one argument have the right first and second derivatives") {
  check_derivatives({
      {"neg", [](const In& v) { return -v[0]; }, {real()}},
      {"affine", [](const In& v) { return affine(v[0], -1.5, 0.3); }, {real()}},
      {"x + s", [](const In& v) { return 2.0 + v[0] - 1.0; }, {real()}},
      {"s - x", [](const In& v) { return 2.0 - v[0] / 3.0; }, {real()}},
      {"s / x", [](const In& v) { return 2.0 / v[0]; }, {above_zero()}},
      {"exp", [](const In& v) { return exp(v[0]); }, {real()}},
      {"expm1", [](const In& v) { return expm1(v[0]); }, {real()}},
      {"log", [](const In& v) { return log(v[0]); }, {above_zero()}},
      {"log1p", [](const In& v) { return log1p(v[0]); }, {above_zero()}},
      {"sqrt", [](const In& v) { return sqrt(v[0]); }, {above_zero()}},
      {"rsqrt", [](const In& v) { return rsqrt(v[0]); }, {above_zero()}},
      {"square", [](const In& v) { return square(v[0]); }, {real()}},
      {"reciprocal", [](const In& v) { return reciprocal(v[0]); }, {above_zero()}},
      {"pow 2.5", [](const In& v) { return pow(v[0], 2.5); }, {above_zero()}},
      {"pow 3", [](const In& v) { return pow(v[0], 3.0); }, {real()}},
      {"pow 2", [](const In& v) { return pow(v[0], 2.0); }, {real()}},
      {"pow 1", [](const In& v) { return pow(v[0], 1.0); }, {real()}},
      {"pow 0", [](const In& v) { return pow(v[0], 0.0); }, {real()}},
      {"pow -1", [](const In& v) { return pow(v[0], -1.0); }, {real()}},
      {"abs", [](const In& v) { return abs(v[0]); }, {real()}},
      {"sign", [](const In& v) { return sign(v[0]); }, {real()}},
      {"sin", [](const In& v) { return sin(v[0]); }, {real()}},
      {"cos", [](const In& v) { return cos(v[0]); }, {real()}},
      {"erf", [](const In& v) { return erf(v[0]); }, {real()}},
      {"round", [](const In& v) { return round(v[0]); }, {real()}},
      {"clamp", [](const In& v) { return clamp(v[0], -1.0, 1.0); }, {real()}},
  });
}

TEST_CASE("activations have the right first and second derivatives") {
  check_derivatives({
      {"relu", [](const In& v) { return relu(v[0]); }, {real()}},
      {"leaky_relu", [](const In& v) { return leaky_relu(v[0], 0.3); }, {real()}},
      {"leaky_relu 0", [](const In& v) { return leaky_relu(v[0], 0.0); }, {real()}},
      {"elu", [](const In& v) { return elu(v[0], 0.7); }, {real()}},
      {"selu", [](const In& v) { return selu(v[0]); }, {real()}},
      {"gelu", [](const In& v) { return gelu(v[0]); }, {real()}},
      {"silu", [](const In& v) { return silu(v[0]); }, {real()}},
      {"tanh", [](const In& v) { return tanh(v[0]); }, {real()}},
      {"sigmoid", [](const In& v) { return sigmoid(v[0]); }, {real()}},
      {"softplus", [](const In& v) { return softplus(v[0]); }, {real()}},
  });
}

TEST_CASE("functions of two arguments have the right derivatives, broadcast too") {
  const std::vector<std::pair<Shape, Shape>> shapes = {{{2, 3}, {2, 3}},    {{2, 3}, {3}}, {{2, 1}, {1, 3}},
                                                       {{2, 1, 3}, {2, 1}}, {{}, {2, 2}},  {{1}, {}}};
  for (const auto& [a, b] : shapes) {
    CAPTURE(a.str(), b.str());
    const Tensor y = affine(real(b), 1.3, 0.05).value();  // no ties with the first operand
    check_derivatives({
        {"add", [](const In& v) { return v[0] + v[1]; }, {real(a), y}},
        {"sub", [](const In& v) { return v[0] - v[1]; }, {real(a), y}},
        {"mul", [](const In& v) { return v[0] * v[1]; }, {real(a), y}},
        {"div", [](const In& v) { return v[0] / v[1]; }, {real(a), above_zero(b)}},
        {"pow", [](const In& v) { return pow(v[0], v[1]); }, {above_zero(a), y}},
        {"maximum", [](const In& v) { return maximum(v[0], v[1]); }, {real(a), y}},
        {"minimum", [](const In& v) { return minimum(v[0], v[1]); }, {real(a), y}},
        {"where", [](const In& v) { return where(v[0] > v[1], square(v[0]), exp(v[1])); }, {real(a), y}},
        {"straight_through",
         [](const In& v) { return straight_through(square(v[0]) * v[1], square(v[0]) * v[1]); },
         {real(a), y}},
    });
  }
}

TEST_CASE("a product of a variable with itself counts both factors") {
  check_derivatives({
      {"x x", [](const In& v) { return v[0] * v[0]; }, {real()}},
      {"x / x²", [](const In& v) { return v[0] / square(v[0]); }, {above_zero()}},
      {"x^x", [](const In& v) { return pow(v[0], v[0]); }, {above_zero()}},
      {"max(x, x)", [](const In& v) { return maximum(v[0], v[0]); }, {real()}},  // two halves
  });
}

TEST_CASE("third derivatives of an output-kept, an input-kept and a composed function") {
  const Var x = leaf(Tensor::from(std::vector<double>{0.7}));
  const auto third = [&](const Var& y) {
    Var d = sum(y);
    for (int i = 0; i < 3; ++i) d = grad(d, x, {.create_graph = true});
    return d.item();
  };
  const double t = std::tanh(0.7), s = 1 - t * t;
  CHECK(third(tanh(x)) == Approx(-2 * s * s + 4 * t * t * s).epsilon(1e-12));
  CHECK(third(log(x)) == Approx(2 / 0.343).epsilon(1e-12));
  CHECK(third(sqrt(x)) == Approx(0.375 * std::pow(0.7, -2.5)).epsilon(1e-12));
  CHECK(third(pow(x, 3.0)) == Approx(6.0).epsilon(1e-12));
  CHECK(third(pow(x, Var(3.0))) == Approx(6.0).epsilon(1e-12));
}

TEST_CASE("the recorded gradient equals the one of the fused kernel") {
  const Function all[] = {[](const In& v) { return gelu(v[0]); }, [](const In& v) { return silu(v[0]); },
                          [](const In& v) { return elu(v[0]); },  [](const In& v) { return clamp(v[0], -1.0, 1.0); },
                          [](const In& v) { return abs(v[0]); },  [](const In& v) { return softplus(v[0]); }};
  const Var x = leaf(real({8, 9}).to(DType::f32));
  for (const Function f : all) {
    const Tensor fused = grad(sum(f({x})), x).value(), recorded = grad(sum(f({x})), x, {.create_graph = true}).value();
    // the same formula, contracted to fused multiply-adds in one of them: a few roundings
    for (std::size_t i = 0; i < 72; ++i) {
      CHECK(fused.span<float>()[i] == Approx(recorded.span<float>()[i]).epsilon(1e-5).margin(1e-6));
    }
  }
}

TEST_CASE("a scalar constant takes the dtype of the operand it meets") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Var x = leaf(ones({2}, dtype)), s = leaf(Tensor::scalar(2.0, dtype)), c = Var(Tensor::scalar(3.0, dtype));
    for (const Var& y : {x * Var(2.0), Var(2.0) * x, x + Var(2.0), Var(2.0) - x, x / Var(2.0), pow(x, Var(2.0)),
                         maximum(x, Var(0.5)), s * Var(2.0), Var(1.0) - s, s / Var(2.0), c * Var(2.0), Var(2.0) * c,
                         c + Var(1.0), Var(1.0) - c, c / Var(2.0), Var(2.0) / c, maximum(Var(0.5), c),
                         where(x > Var(0.0), x, Var(0.0)), where(Var(ones({2}, DType::boolean)), Var(0.0), s)}) {
      CHECK(y.dtype() == dtype);
    }
    CHECK((x > Var(0.5)).dtype() == dtype);
    CHECK((Var(0.5) > c).dtype() == dtype);
  }
}

TEST_CASE("gradients of scalars work in f32, recorded or not") {
  // every functor's slope meets the scalar constants it is written with
  const std::vector<Row> rows = {
      {"neg", [](const In& v) { return -v[0]; }, {}},
      {"round", [](const In& v) { return round(v[0]); }, {}},
      {"sign", [](const In& v) { return sign(v[0]); }, {}},
      {"div", [](const In& v) { return v[0] / v[1]; }, {}},
      {"div constant", [](const In& v) { return v[0] / Var(Tensor::scalar(2.0)); }, {}},
      {"pow", [](const In& v) { return pow(v[0], v[1]); }, {}},
      {"pow constant", [](const In& v) { return pow(v[0], Var(Tensor::scalar(3.0))); }, {}},
      {"pow 3", [](const In& v) { return pow(v[0], 3.0); }, {}},
      {"maximum", [](const In& v) { return maximum(v[0], v[1]); }, {}},
      {"clamp", [](const In& v) { return clamp(v[0], 0.0, 1.0); }, {}},
      {"relu", [](const In& v) { return relu(v[0]); }, {}},
      {"gelu", [](const In& v) { return gelu(v[0]); }, {}},
      {"elu", [](const In& v) { return elu(v[0]); }, {}},
      {"sqrt", [](const In& v) { return sqrt(v[0]); }, {}},
      {"log1p", [](const In& v) { return log1p(v[0]); }, {}},
      {"where", [](const In& v) { return where(v[0] > v[1], v[0], v[1]); }, {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    for (const Shape& shape : {Shape{}, Shape{1}, Shape{3}}) {
      const Var x = leaf(Tensor::full(shape, 0.8)), y = leaf(Tensor::full(shape, 1.5));
      const auto f = [&] { return sum(row.f({x, y})); };
      const double plain = grad(f(), x).value().span<float>()[0];
      const Var recorded = grad(f(), x, {.create_graph = true});
      CHECK(recorded.dtype() == DType::f32);
      CHECK(static_cast<double>(recorded.value().span<float>()[0]) == Approx(plain).epsilon(1e-5));
      grad(sum(recorded), x, {.create_graph = true});
    }
  }
}

TEST_CASE("ties share the slope and kinks have a defined one") {
  const Var x = leaf(floats({1, 2, 3})), y = leaf(floats({2, 2, 2}));
  const auto g = grad(sum(maximum(x, y)), {x, y});
  CHECK(values_of(g[0]) == std::vector<float>{0, 0.5, 1});
  CHECK(values_of(g[1]) == std::vector<float>{1, 0.5, 0});
  const auto slope_at_zero = [](Function f) {
    const Var zero = leaf(floats({0}));
    return grad(sum(f({zero})), zero).value().span<float>()[0];
  };
  CHECK(slope_at_zero([](const In& v) { return abs(v[0]); }) == 0.0f);
  CHECK(slope_at_zero([](const In& v) { return relu(v[0]); }) == 0.0f);
  CHECK(slope_at_zero([](const In& v) { return clamp(v[0], 0.0, 1.0); }) == 1.0f);  // bounds included
  CHECK(slope_at_zero([](const In& v) { return pow(v[0], 2.0); }) == 0.0f);
  CHECK(slope_at_zero([](const In& v) { return pow(v[0], 0.0); }) == 0.0f);
  CHECK(slope_at_zero([](const In& v) { return sqrt(v[0]); }) == inf);
}

TEST_CASE("comparisons give 1 and 0 and carry no gradient") {
  const Var x = leaf(floats({1, 2, not_a_number})), y = floats({2, 2, 2});
  CHECK(values_of(x > y) == std::vector<float>{0, 0, 0});
  CHECK(values_of(x >= y) == std::vector<float>{0, 1, 0});
  CHECK(values_of(x < y) == std::vector<float>{1, 0, 0});
  CHECK(values_of(x <= y) == std::vector<float>{1, 1, 0});
  CHECK(values_of(equal(x, y)) == std::vector<float>{0, 1, 0});
  CHECK(values_of(not_equal(x, y)) == std::vector<float>{1, 0, 1});
  CHECK_FALSE((x > y).requires_grad());
}

TEST_CASE("where takes masks of any dtype and keeps NaN out of the gradient of the other side") {
  const Var a = leaf(floats({1, -1})), zero = floats({0, 0});
  const Var mask = Tensor::from(std::vector<std::uint8_t>{1, 0});
  const Var y = where(mask, a, zero);
  CHECK(values_of(y) == std::vector<float>{1, 0});
  CHECK(values_of(grad(sum(y), a)) == std::vector<float>{1, 0});
  // the slope of log is NaN-free where the other side is taken: the gradient is selected, not multiplied
  const Var z = leaf(floats({4, 0}));
  CHECK(values_of(where(mask, log(z), zero)) == std::vector<float>{std::log(4.0f), 0});
  CHECK(values_of(where(floats({not_a_number, 0}), a, zero))[0] == 1.0f);  // NaN is not 0
}

TEST_CASE("NaN passes through maximum, minimum, clamp and relu; infinities through all") {
  const Var x = floats({not_a_number, 1, -inf, inf}), y = floats({1, not_a_number, 0, 0});
  const auto larger = values_of(maximum(x, y)), smaller = values_of(minimum(x, y));
  const auto clamped = values_of(clamp(x, -1, 2)), rectified = values_of(relu(x));
  CHECK(std::isnan(larger[0]));
  CHECK(std::isnan(larger[1]));
  CHECK(std::isnan(smaller[0]));
  CHECK(std::isnan(smaller[1]));
  CHECK(larger[3] == inf);
  CHECK(smaller[2] == -inf);
  CHECK(std::isnan(clamped[0]));
  CHECK(clamped[2] == -1.0f);
  CHECK(clamped[3] == 2.0f);
  CHECK(std::isnan(rectified[0]));
  CHECK(rectified[3] == inf);
  CHECK(values_of(x + floats({1, 1, 1, 1}))[2] == -inf);
  CHECK(values_of(floats({0}) / floats({0}))[0] != 0.0f);  // NaN
}

TEST_CASE("straight_through has the value of one and the gradient of the other") {
  const Var x = leaf(floats({0.2f, 0.8f}));
  const Var y = straight_through(round(x), square(x));
  CHECK(values_of(y) == std::vector<float>{0, 1});
  CHECK(values_of(grad(sum(y), x)) == std::vector<float>{0.4f, 1.6f});
  CHECK_THROWS_WITH(straight_through(floats({1}), x), ContainsSubstring("straight_through: shapes differ\n  hard [1]"));
}

TEST_CASE("pointwise works for a functor of the user's own") {
  const auto f = [](const In& v) { return pointwise("cubic", Cubic{0.5}, v[0]); };
  CHECK(gradcheck(f, {real()}).worst_relative < 1e-7);
  CHECK(gradgradcheck(f, {real()}).worst_relative < 1e-6);
}

TEST_CASE("broadcast results are right for every position, large and small") {
  const auto at = [](const Tensor& t, std::int64_t i) { return t.data<float>()[i]; };
  for (const std::int64_t inner : {1, 3, 64, 65, 20000}) {
    const Tensor a = arange(6 * inner, DType::f32).reshape({2, 3, inner}), row = arange(inner, DType::f32);
    const Tensor column = arange(3, DType::f32).reshape({3, 1}), outer = arange(2, DType::f32).reshape({2, 1, 1});
    const Tensor by_row = (a - row).value(), by_column = (a - column).value(), by_outer = (outer - a).value();
    bool right = true;
    for (std::int64_t i = 0; i < a.size(); ++i) {
      right = right && at(by_row, i) == at(a, i) - at(row, i % inner) &&
              at(by_column, i) == at(a, i) - at(column, i / inner % 3) &&
              at(by_outer, i) == at(outer, i / inner / 3) - at(a, i);
    }
    CAPTURE(inner);
    CHECK(right);
  }
  CHECK((Var(zeros({0, 3})) + Var(ones({3}))).shape() == Shape{0, 3});
}

TEST_CASE("pointwise operations name what does not fit") {
  const Var x = ones({2, 3}), y = ones({4}), d = ones({2, 3}, DType::f64), n = ones({2, 3}, DType::i64);
  CHECK_THROWS_WITH(x + y, ContainsSubstring("add: shapes [2, 3] and [4] do not broadcast (3 against 4)"));
  CHECK_THROWS_WITH(x * d,
                    ContainsSubstring("mul: operands have different dtypes\n  first  [2, 3] f32\n  second [2, 3] f64"));
  CHECK_THROWS_WITH(exp(n), ContainsSubstring("exp: expects f32 or f64, got i64"));
  CHECK_THROWS_AS(where(x, x, y), ShapeError);
  CHECK_THROWS_WITH(clamp(x, 2, 1), ContainsSubstring("low <= high, got 2 and 1"));
  CHECK_THROWS_WITH(leaky_relu(x, -0.1), ContainsSubstring("a slope >= 0 for negative numbers, got -0.1"));
  CHECK_THROWS_WITH(elu(x, -1), ContainsSubstring("alpha >= 0, got -1"));
}
