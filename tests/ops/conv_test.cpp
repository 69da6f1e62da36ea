// SPDX-License-Identifier: MIT
#include <synthdata/core/parallel.hpp>
#include <synthdata/ops/check.hpp>
#include <synthdata/ops/conv.hpp>

#include "../test.hpp"

#include <cmath>

using namespace synthdata;

namespace {

using In = std::vector<Var>;

Tensor random(const Shape& shape, std::uint64_t seed = 3, DType dtype = DType::f64) {
  Rng rng{seed};
  return normal(shape, rng, dtype);
}

template <class Options>
struct Row {
  const char* name;
  Shape x, w;
  Options options;
  Shape y;
};

/// Value by the definition: every product of every tap, in one to three dimensions. The geometry is that of a
/// convolution from `x` to `y`; with `adjoint` the values flow from y to x.
Tensor by_definition(const Tensor& from, const Tensor& w, const Shape& to, const Extents& stride,
                     const Extents& padding, const Extents& dilation, std::int64_t groups, bool adjoint) {
  const int rank = from.rank() - 2;
  const Shape& image = adjoint ? to : from.shape();    // the side that taps reach into
  const Shape& windows = adjoint ? from.shape() : to;  // one position per window
  const std::int64_t in = image[rank + 1], out = windows[rank + 1], in_g = in / groups, out_g = out / groups;
  Tensor result = zeros(to, DType::f64);
  std::int64_t positions = 1, taps = 1;
  for (int i = 0; i < rank; ++i) {
    positions *= windows[1 + i];
    taps *= w.shape(1 + i);
  }
  for (std::int64_t n = 0; n < image[0]; ++n) {
    for (std::int64_t p = 0; p < positions; ++p) {
      for (std::int64_t t = 0; t < taps; ++t) {
        std::int64_t rest_p = p, rest_t = t, at = 0, scale = 1;
        bool inside = true;
        for (int i = rank - 1; i >= 0; --i) {
          const std::int64_t window = rest_p % windows[1 + i], tap = rest_t % w.shape(1 + i);
          rest_p /= windows[1 + i];
          rest_t /= w.shape(1 + i);
          const std::int64_t pixel = window * stride.at(i, rank) - padding.at(i, rank) + tap * dilation.at(i, rank);
          inside = inside && pixel >= 0 && pixel < image[1 + i];
          at += pixel * scale;
          scale *= image[1 + i];
        }
        if (!inside) continue;
        for (std::int64_t o = 0; o < out; ++o) {
          for (std::int64_t c = 0; c < in_g; ++c) {
            const std::int64_t pixel = (n * scale + at) * in + o / out_g * in_g + c,
                               window = (n * positions + p) * out + o;
            const double weight = w.data<double>()[(o * taps + t) * in_g + c];
            if (adjoint) {
              result.data<double>()[pixel] += weight * from.data<double>()[window];
            } else {
              result.data<double>()[window] += weight * from.data<double>()[pixel];
            }
          }
        }
      }
    }
  }
  return result;
}

double distance(const Tensor& a, const Tensor& b) {
  double worst = 0;
  for (std::int64_t i = 0; i < a.size(); ++i)
    worst = std::max(worst, std::abs(a.data<double>()[i] - b.data<double>()[i]));
  return worst;
}

}  // namespace

TEST_CASE("convolution equals its definition and has the right first and second derivatives") {
  const std::vector<Row<ConvOptions>> rows = {
      {"1d", {2, 7, 3}, {4, 3, 3}, {}, {2, 5, 4}},
      {"1d strided, padded", {2, 8, 2}, {3, 4, 2}, {.stride = 2, .padding = 1}, {2, 4, 3}},
      {"1d dilated", {1, 9, 2}, {2, 3, 2}, {.padding = 2, .dilation = 2}, {1, 9, 2}},
      {"2d", {2, 5, 4, 3}, {4, 3, 3, 3}, {.padding = 1}, {2, 5, 4, 4}},
      {"2d 1x1", {2, 3, 3, 2}, {5, 1, 1, 2}, {}, {2, 3, 3, 5}},
      {"2d strided", {1, 6, 7, 2}, {3, 4, 4, 2}, {.stride = 2, .padding = 1}, {1, 3, 3, 3}},
      {"2d stride beyond the filter", {1, 7, 7, 2}, {2, 2, 2, 2}, {.stride = 3}, {1, 2, 2, 2}},
      {"2d unequal",
       {1, 5, 6, 2},
       {2, 2, 3, 2},
       {.stride = {2, 1}, .padding = {1, 0}, .dilation = {1, 2}},
       {1, 3, 2, 2}},
      {"2d groups", {1, 4, 4, 4}, {6, 3, 3, 2}, {.padding = 1, .groups = 2}, {1, 4, 4, 6}},
      {"2d depthwise", {1, 4, 4, 3}, {6, 3, 3, 1}, {.stride = 2, .padding = 1, .groups = 3}, {1, 2, 2, 6}},
      {"2d wide padding", {1, 2, 2, 1}, {1, 3, 3, 1}, {.padding = 3}, {1, 6, 6, 1}},
      {"3d", {1, 3, 4, 3, 2}, {2, 2, 2, 2, 2}, {.stride = {1, 2, 1}, .padding = {0, 1, 0}}, {1, 2, 3, 2, 2}},
      {"3d groups dilated", {1, 4, 3, 3, 2}, {2, 2, 2, 2, 1}, {.dilation = {2, 1, 1}, .groups = 2}, {1, 2, 2, 2, 2}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const Tensor x = random(row.x, 1), w = random(row.w, 2), b = random({row.w[0]}, 3);
    const auto f = [&](const In& v) { return conv(v[0], v[1], v.size() > 2 ? v[2] : Var(), row.options); };
    const Tensor y = f({x, w}).value();
    REQUIRE(y.shape() == row.y);
    const ConvOptions& o = row.options;
    CHECK(distance(y, by_definition(x, w, row.y, o.stride, o.padding, o.dilation, o.groups, false)) < 1e-13);
    CHECK(gradcheck(f, {x, w, b}).worst_relative < 1e-7);
    CHECK(gradgradcheck(f, {x, w}).worst_relative < 1e-6);
  }
}

TEST_CASE("transposed convolution equals its definition and has the right first and second derivatives") {
  const std::vector<Row<ConvTransposeOptions>> rows = {
      {"1d", {2, 5, 3}, {3, 3, 4}, {}, {2, 7, 4}},
      {"1d strided, output padding", {1, 4, 2}, {2, 3, 3}, {.stride = 2, .padding = 1, .output_padding = 1}, {1, 8, 3}},
      {"2d", {1, 3, 4, 3}, {3, 3, 3, 2}, {.padding = 1}, {1, 3, 4, 2}},
      {"2d DCGAN", {2, 3, 3, 2}, {2, 4, 4, 3}, {.stride = 2, .padding = 1}, {2, 6, 6, 3}},
      {"2d 5x5 same", {1, 3, 3, 2}, {2, 5, 5, 2}, {.stride = 2, .padding = 2, .output_padding = 1}, {1, 6, 6, 2}},
      {"2d stride beyond the filter", {1, 2, 2, 2}, {2, 2, 2, 2}, {.stride = 3}, {1, 5, 5, 2}},
      {"2d unequal",
       {1, 2, 3, 2},
       {2, 3, 2, 2},
       {.stride = {2, 1}, .padding = {1, 0}, .output_padding = {1, 1}, .dilation = {1, 2}},
       {1, 4, 6, 2}},
      {"2d groups", {1, 3, 3, 4}, {4, 3, 3, 3}, {.stride = 2, .padding = 1, .groups = 2}, {1, 5, 5, 6}},
      {"2d on one pixel", {2, 1, 1, 4}, {4, 4, 4, 2}, {}, {2, 4, 4, 2}},
      {"3d", {1, 2, 2, 2, 2}, {2, 2, 2, 2, 2}, {.stride = {1, 2, 1}, .dilation = {1, 1, 2}}, {1, 3, 4, 4, 2}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const Tensor x = random(row.x, 1), w = random(row.w, 2), b = random({row.y.at(-1)}, 3);
    const auto f = [&](const In& v) { return conv_transpose(v[0], v[1], v.size() > 2 ? v[2] : Var(), row.options); };
    const Tensor y = f({x, w}).value();
    REQUIRE(y.shape() == row.y);
    const ConvTransposeOptions& o = row.options;
    CHECK(distance(y, by_definition(x, w, row.y, o.stride, o.padding, o.dilation, o.groups, true)) < 1e-13);
    CHECK(gradcheck(f, {x, w, b}).worst_relative < 1e-7);
    CHECK(gradgradcheck(f, {x, w}).worst_relative < 1e-6);
  }
}

TEST_CASE("a fused activation equals the separate one, in value and both derivatives") {
  struct Act {
    Activation fused;
    Var (*plain)(const Var&);
  };
  const Act acts[] = {{fused::relu, [](const Var& x) { return relu(x); }},
                      {fused::leaky_relu(0.3), [](const Var& x) { return leaky_relu(x, 0.3); }},
                      {fused::tanh, [](const Var& x) { return tanh(x); }},
                      {fused::sigmoid, [](const Var& x) { return sigmoid(x); }}};
  const Tensor x = random({1, 4, 4, 2}, 1), w = random({3, 3, 3, 2}, 2), b = random({3}, 3);
  const Tensor wt = random({2, 3, 3, 3}, 2);
  for (const Act& act : acts) {
    const auto f = [&](const In& v) { return conv2d(v[0], v[1], v[2], {.padding = 1, .activation = act.fused}); };
    const auto t = [&](const In& v) {
      return conv_transpose2d(v[0], v[1], v[2], {.stride = 2, .activation = act.fused});
    };
    CHECK(distance(f({x, w, b}).value(), act.plain(conv2d(x, w, b, {.padding = 1})).value()) < 1e-14);
    CHECK(distance(t({x, wt, b}).value(), act.plain(conv_transpose2d(x, wt, b, {.stride = 2})).value()) < 1e-14);
    CHECK(gradcheck(f, {x, w, b}).worst_relative < 1e-7);
    CHECK(gradgradcheck(f, {x, w, b}).worst_relative < 1e-6);
    CHECK(gradcheck(t, {x, wt, b}).worst_relative < 1e-7);
    CHECK(gradgradcheck(t, {x, wt, b}).worst_relative < 1e-6);
  }
}

TEST_CASE("a third derivative of a convolution is right") {
  // f = sum(conv(x, w)³): third derivative along v is 6 sum(conv(v, w)³)
  const Tensor x = random({1, 4, 4, 2}, 1), w = random({2, 3, 3, 2}, 2), v = random({1, 4, 4, 2}, 4);
  const Var at = leaf(x);
  const Var y = conv2d(at, w, {}, {.padding = 1});
  Var d = sum(y * y * y);
  for (int i = 0; i < 3; ++i) d = sum(mul(grad(d, at, {.create_graph = true}), v));
  const Var along = conv2d(v, w, {}, {.padding = 1});
  CHECK(d.item() == Approx(6.0 * sum(along * along * along).item()).epsilon(1e-11));
}

TEST_CASE("convolution and transposed convolution are adjoint") {
  const Var x = random({2, 7, 6, 4}, 1), w = random({6, 3, 3, 2}, 2), g = random({2, 4, 3, 6}, 3);
  const ConvOptions forth{.stride = 2, .padding = 1, .groups = 2};
  const ConvTransposeOptions back{.stride = 2, .padding = 1, .output_padding = {0, 1}, .groups = 2};
  CHECK(sum(conv2d(x, w, {}, forth) * g).item() ==
        Approx(sum(x * conv_transpose2d(g, w, {}, back)).item()).epsilon(1e-12));
}

TEST_CASE("convolutions have the same bits for any number of threads, gradients too") {
  const Tensor x = random({4, 16, 16, 8}, 1, DType::f32), w = random({16, 3, 3, 8}, 2, DType::f32);
  const auto run = [&](int n) {
    set_threads(n);
    const Var a = leaf(x), b = leaf(w);
    const Var y = conv2d(a, b, {}, {.stride = 2, .padding = 1, .activation = fused::tanh});
    auto g = grad(sum(square(y)), {a, b});
    set_threads(0);
    return std::vector<Tensor>{y.value(), g[0].value(), g[1].value()};
  };
  const auto one = run(1), two = run(2), five = run(5);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(same_bits(one[i], two[i]));
    CHECK(same_bits(one[i], five[i]));
  }
}

TEST_CASE("an empty batch passes through") {
  const Var x = leaf(zeros({0, 5, 5, 2})), w = leaf(ones({3, 3, 3, 2}));
  const Var y = conv2d(x, w);
  CHECK(y.shape() == Shape{0, 3, 3, 3});
  for (const float v : grad(sum(y), w).value().span<float>()) CHECK(v == 0.0f);
  CHECK(conv_transpose2d(zeros({0, 2, 2, 2}), ones({2, 3, 3, 4})).shape() == Shape{0, 4, 4, 4});
}

TEST_CASE("convolutions name what does not fit") {
  const Var x = ones({1, 8, 8, 1}), w = ones({4, 3, 3, 3});
  CHECK_THROWS_WITH(conv2d(x, w), ContainsSubstring("weight expects 3 input channels, input has 1\n") &&
                                      ContainsSubstring("[1, 8, 8, 1] f32") &&
                                      ContainsSubstring("weight [4, 3, 3, 3] f32"));
  CHECK_THROWS_WITH(conv1d(x, w), ContainsSubstring("conv1d: expects [N, 1 spatial axes, C]"));
  CHECK_THROWS_WITH(conv_transpose3d(x, w), ContainsSubstring("conv_transpose3d: expects [N, 3 spatial axes, C]"));
  CHECK_THROWS_WITH(conv_transpose2d(x, w), ContainsSubstring("weight expects 4 input channels, input has 1"));
  const Var w1 = ones({4, 3, 3, 1});
  CHECK_THROWS_WITH(conv2d(x, w1, ones({3})), ContainsSubstring("bias expects one value for each output channel"));
  CHECK_THROWS_WITH(conv2d(x, w1, {}, {.stride = 0}), ContainsSubstring("stride and dilation must be at least 1"));
  CHECK_THROWS_AS(conv2d(x, w1, {}, {.padding = -1}), ShapeError);
  CHECK_THROWS_AS(conv2d(x, w1, {}, {.dilation = 0}), ShapeError);
  CHECK_THROWS_WITH(conv2d(x, w1, {}, {.dilation = 4}),
                    ContainsSubstring("a filter that reaches 9 does not fit 8 + 2 x 0"));
  CHECK_THROWS_WITH(conv2d(x, w1, {}, {.stride = {1, 1, 1}}), ContainsSubstring("3 numbers given for 2 spatial axes"));
  CHECK_THROWS_WITH(conv2d(x, w1, {}, {.groups = 2}), ContainsSubstring("expects 2 input channels, input has 1"));
  CHECK_THROWS_WITH(conv2d(ones({1, 8, 8, 3}), w1, {}, {.groups = 3}),
                    ContainsSubstring("3 groups do not divide 3 and 4 channels"));
  CHECK_THROWS_AS(conv2d(x, w1, {}, {.groups = 0}), ShapeError);
  CHECK_THROWS_WITH(conv2d(x, ones({4, 3, 3, 1}, DType::f64)), ContainsSubstring("different dtypes"));
  CHECK_THROWS_WITH(conv2d(x, ones({4, 0, 3, 1})), ContainsSubstring("the filter has no taps"));
  CHECK_THROWS_AS(conv(ones({2, 3}), ones({2, 3}), {}), ShapeError);
  const Var t = ones({1, 3, 3, 1});
  CHECK_THROWS_WITH(conv_transpose2d(x, t, {}, {.stride = 2, .output_padding = 2}),
                    ContainsSubstring("output_padding must be smaller than stride or dilation, got 2"));
  CHECK_THROWS_WITH(conv_transpose2d(ones({1, 1, 1, 1}), t, {}, {.padding = 2}),
                    ContainsSubstring("the result would have -1 positions"));
  CHECK_THROWS_AS((Extents{1, 2, 3, 4}), ShapeError);
}
