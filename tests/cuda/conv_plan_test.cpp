// SPDX-License-Identifier: MIT
#include <synthdata/backend/cuda/conv_plan.hpp>

#include "../test.hpp"

#include <cstdint>
#include <limits>
#include <unordered_set>
#include <vector>

namespace cuda = synthdata::cuda;
using cuda::ConvGeometry;
using std::int64_t;
using synthdata::Precision;

namespace {

/// An image [8, 32, 20, 16] and a filter [24, 3, 5, 4], four groups.
ConvGeometry image() {
  return {.batch = 8,
          .in = {1, 32, 20},
          .out = {1, 32, 9},
          .kernel = {1, 3, 5},
          .stride = {1, 1, 2},
          .pad = {0, 1, 1},
          .dilation = {1, 1, 1},
          .in_channels = 16,
          .out_channels = 24,
          .groups = 4};
}

cuda::ConvPlanKey key_of(const ConvGeometry& g) { return {0, cuda::ConvOp::forward, Precision::f32, g, 16, {}}; }

std::vector<int64_t> listed(const int64_t* numbers, int64_t count) { return {numbers, numbers + count}; }

}  // namespace

TEST_CASE("the padding behind makes cuDNN count the windows that are wanted, or there is none") {
  int expressed = 0, left_over = 0, refused = 0;
  for (const int64_t in : {1, 2, 5, 8}) {
    for (const int64_t kernel : {1, 2, 3}) {
      for (const int64_t stride : {1, 2, 3}) {
        for (const int64_t dilation : {1, 2}) {
          for (const int64_t pad : {0, 1, 3}) {
            for (int64_t out = 1; out < 9; ++out) {
              ConvGeometry g = image();
              g.in[2] = in, g.out[2] = out, g.kernel[2] = kernel, g.stride[2] = stride, g.pad[2] = pad;
              g.dilation[2] = dilation;
              const auto behind = cuda::padding_behind(g, 2);
              const int64_t width = (kernel - 1) * dilation + 1;
              const auto windows = [&](int64_t after) {
                const int64_t free = in + pad + after - width;
                return free < 0 ? 0 : free / stride + 1;
              };
              if (!behind) {
                CHECK(windows(0) > out);
                ++refused;
                continue;
              }
              REQUIRE(*behind >= 0);
              REQUIRE(windows(*behind) == out);
              if (*behind > 0) REQUIRE(windows(*behind - 1) < out);  // no more than needed
              left_over += *behind == 0 && (in + pad - width) % stride != 0;
              ++expressed;
            }
          }
        }
      }
    }
  }
  CHECK(expressed > 100);
  CHECK(left_over > 10);
  CHECK(refused > 10);
}

TEST_CASE("a convolution of images has two spatial axes and channels-last strides") {
  const auto g = cuda::graph_conv(image());
  REQUIRE(g);
  CHECK(g->axes == 2);
  CHECK(listed(g->x.extent, 4) == std::vector<int64_t>{8, 16, 32, 20});
  CHECK(listed(g->x.stride, 4) == std::vector<int64_t>{32 * 20 * 16, 1, 20 * 16, 16});
  CHECK(listed(g->w.extent, 4) == std::vector<int64_t>{24, 4, 3, 5});
  CHECK(listed(g->w.stride, 4) == std::vector<int64_t>{3 * 5 * 4, 1, 5 * 4, 4});
  CHECK(listed(g->y.extent, 4) == std::vector<int64_t>{8, 24, 32, 9});
  CHECK(listed(g->y.stride, 4) == std::vector<int64_t>{32 * 9 * 24, 1, 9 * 24, 24});
  CHECK(listed(g->before, 2) == std::vector<int64_t>{1, 1});
  CHECK(listed(g->behind, 2) == std::vector<int64_t>{1, 0});
  CHECK(listed(g->stride, 2) == std::vector<int64_t>{1, 2});
  CHECK(listed(g->dilation, 2) == std::vector<int64_t>{1, 1});
}

TEST_CASE("a convolution has three spatial axes where anything happens in the depth") {
  ConvGeometry g = image();
  SECTION("more than one input") { g.in[0] = 2, g.out[0] = 2; }
  SECTION("a kernel that reaches into the padding") { g.kernel[0] = 3, g.pad[0] = 1; }
  SECTION("padding alone") { g.out[0] = 3, g.pad[0] = 1; }
  const auto conv = cuda::graph_conv(g);
  REQUIRE(conv);
  CHECK(conv->axes == 3);
  CHECK(listed(conv->x.extent, 5) == std::vector<int64_t>{8, 16, g.in[0], 32, 20});
  CHECK(listed(conv->x.stride, 5) == std::vector<int64_t>{g.in[0] * 32 * 20 * 16, 1, 32 * 20 * 16, 20 * 16, 16});
  CHECK(listed(conv->before, 3) == std::vector<int64_t>{g.pad[0], 1, 1});
}

TEST_CASE("a convolution that leaves a stride's worth of elements over is not put to cuDNN") {
  ConvGeometry g = image();
  g.out[1] = 30;
  CHECK_FALSE(cuda::graph_conv(g));
  g.stride[1] = 2, g.pad[1] = 0, g.out[1] = 15;  // one element left over, less than a stride
  CHECK(cuda::graph_conv(g));
}

TEST_CASE("plan keys are equal only if everything is") {
  std::vector<cuda::ConvPlanKey> keys(1, key_of(image()));
  const auto changed = [&](auto change) {
    keys.push_back(keys[0]);
    change(keys.back());
  };
  changed([](auto& k) { k.device = 1; });
  changed([](auto& k) { k.op = cuda::ConvOp::input_grad; });
  changed([](auto& k) { k.op = cuda::ConvOp::weight_grad; });
  changed([](auto& k) { k.precision = Precision::tf32; });
  changed([](auto& k) { k.alignment = 4; });
  changed([](auto& k) { k.settings.deterministic = false; });
  changed([](auto& k) { k.settings.measure = true; });
  changed([](auto& k) { k.settings.workspace_limit = 0; });
  changed([](auto& k) { ++k.geometry.batch; });
  changed([](auto& k) { ++k.geometry.in_channels; });
  changed([](auto& k) { ++k.geometry.out_channels; });
  changed([](auto& k) { ++k.geometry.groups; });
  for (int axis = 0; axis < 3; ++axis) {
    changed([&](auto& k) { k.geometry.in[axis] += 7; });
    changed([&](auto& k) { k.geometry.out[axis] += 7; });
    changed([&](auto& k) { k.geometry.kernel[axis] += 7; });
    changed([&](auto& k) { k.geometry.stride[axis] += 7; });
    changed([&](auto& k) { k.geometry.pad[axis] += 7; });
    changed([&](auto& k) { k.geometry.dilation[axis] += 7; });
  }
  std::unordered_set<std::size_t> hashes;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    for (std::size_t j = 0; j < keys.size(); ++j) CHECK((keys[i] == keys[j]) == (i == j));
    hashes.insert(cuda::ConvPlanHash{}(keys[i]));
  }
  CHECK(hashes.size() == keys.size());
  const cuda::ConvPlanKey copy = keys[0];
  CHECK(cuda::ConvPlanHash{}(copy) == cuda::ConvPlanHash{}(keys[0]));
}

TEST_CASE("the alignment of several addresses is that of the worst, and 16 at most") {
  const auto at = [](std::uintptr_t address) { return reinterpret_cast<const void*>(address); };
  CHECK(cuda::common_alignment({at(256), at(4096)}) == 16);
  CHECK(cuda::common_alignment({at(256), at(4096 + 8)}) == 8);
  CHECK(cuda::common_alignment({at(256 + 4), at(4096 + 8)}) == 4);
}

TEST_CASE("an engine is taken if its numbers are what was asked for") {
  const cuda::ConvSettings any{.deterministic = false}, repeatable{.deterministic = true};
  for (const Precision precision : {Precision::f32, Precision::tf32, Precision::bf16, Precision::f16}) {
    CHECK(cuda::admissible({}, precision, repeatable));
    CHECK(cuda::admissible({.tensor_core = true}, precision, repeatable) == (precision != Precision::f32));
    CHECK_FALSE(cuda::admissible({.down_converts = true}, precision, any));
    CHECK_FALSE(cuda::admissible({.reduced_sums = true}, precision, any));
    CHECK_FALSE(cuda::admissible({.nondeterministic = true}, precision, repeatable));
    CHECK(cuda::admissible({.nondeterministic = true}, precision, any));
  }
}

TEST_CASE("what is tried instead is never less precise, and f32 stays f32") {
  const auto order = [](Precision asked) {
    const auto tried = cuda::precisions_to_try(asked);
    return std::vector<Precision>(tried.begin(), tried.end());
  };
  CHECK(order(Precision::f32) == std::vector{Precision::f32});
  CHECK(order(Precision::tf32) == std::vector{Precision::tf32});
  CHECK(order(Precision::bf16) == std::vector{Precision::bf16, Precision::tf32});
  CHECK(order(Precision::f16) == std::vector{Precision::f16, Precision::tf32});
}

TEST_CASE("of the measured plans the fastest is taken, the first of equals, and none that failed") {
  constexpr float failed = std::numeric_limits<float>::infinity();
  CHECK(cuda::fastest(std::vector{3.0f, 1.0f, 2.0f}) == 1u);
  CHECK(cuda::fastest(std::vector{2.0f, 1.0f, 1.0f}) == 1u);
  CHECK(cuda::fastest(std::vector{failed, 5.0f}) == 1u);
  CHECK_FALSE(cuda::fastest(std::vector{failed, failed}));
  CHECK_FALSE(cuda::fastest(std::vector<float>{}));
}

TEST_CASE("a convolution is described by operation, precision and shapes") {
  auto key = key_of(image());
  key.op = cuda::ConvOp::weight_grad;
  key.precision = Precision::bf16;
  CHECK_THAT(cuda::describe(key), ContainsSubstring("weight gradient in bf16 on cuda:0") &&
                                      ContainsSubstring("input [8, 1, 32, 20, 16]") &&
                                      ContainsSubstring("filter [24, 1, 3, 5, 4]") && ContainsSubstring("groups 4"));
}

TEST_CASE("convolutions on a GPU take as many images at once as 32 bits count") {
  ConvGeometry g = image();
  const int64_t in = 32 * 20 * 16, out = 32 * 9 * 24;
  CHECK(out < in);
  CHECK(cuda::images_at_once(g, in + 1) == 1);
  CHECK(cuda::images_at_once(g, 3 * in) == 2);
  CHECK(cuda::images_at_once(g, 3 * in + 1) == 3);
  CHECK(cuda::images_at_once(g) == ((int64_t{1} << 31) - 1) / in);
  CHECK_THROWS_WITH(cuda::images_at_once(g, in), ContainsSubstring("got 10240"));
  g.in[1] = g.out[1] = int64_t{1} << 24;  // an image of more than 2^31 elements
  CHECK_THROWS_AS(cuda::images_at_once(g), synthdata::ShapeError);
  g = image();
  g.stride[1] = int64_t{1} << 30;
  CHECK_THROWS_AS(cuda::images_at_once(g), synthdata::ShapeError);
}
