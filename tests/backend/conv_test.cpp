// SPDX-License-Identifier: MIT
#include <synthdata/backend/cpu/conv.hpp>
#include <synthdata/backend/cpu/isa.hpp>
#include <synthdata/core/memory.hpp>
#include <synthdata/core/parallel.hpp>

#include "../test.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace cpu = synthdata::backend::cpu;
using std::int64_t;
using synthdata::Precision;

namespace {

std::uint32_t random_bits() {
  static std::uint32_t state = 11;
  state = state * 1664525u + 1013904223u;
  return state >> 8;
}
int64_t random_between(int64_t low, int64_t high) {
  return low + static_cast<int64_t>(random_bits()) % (high - low + 1);
}
template <class T>
std::vector<T> random_values(int64_t n) {
  std::vector<T> x(static_cast<std::size_t>(n));
  for (T& v : x) v = static_cast<T>(static_cast<double>(random_bits()) / 8388608.0 - 1.0);
  return x;
}

int64_t product(const int64_t (&n)[3]) { return n[0] * n[1] * n[2]; }

/// Calls f(x index, w index, y index) for every product of the convolution.
template <class F>
void for_each_term(const cpu::ConvGeometry& g, const F& f) {
  const int64_t cg = g.in_channels / g.groups, kg = g.out_channels / g.groups;
  for (int64_t n = 0; n < g.batch; ++n)
    for (int64_t o = 0; o < product(g.out); ++o)
      for (int64_t t = 0; t < product(g.kernel); ++t) {
        const int64_t oi[3] = {o / (g.out[1] * g.out[2]), o / g.out[2] % g.out[1], o % g.out[2]};
        const int64_t ti[3] = {t / (g.kernel[1] * g.kernel[2]), t / g.kernel[2] % g.kernel[1], t % g.kernel[2]};
        int64_t i = 0;
        bool inside = true;
        for (int a = 0; a < 3; ++a) {
          const int64_t at = oi[a] * g.stride[a] - g.pad[a] + ti[a] * g.dilation[a];
          inside = inside && at >= 0 && at < g.in[a];
          i = i * g.in[a] + at;
        }
        if (!inside) continue;
        for (int64_t k = 0; k < g.out_channels; ++k)
          for (int64_t c = 0; c < cg; ++c)
            f((n * product(g.in) + i) * g.in_channels + k / kg * cg + c, (k * product(g.kernel) + t) * cg + c,
              (n * product(g.out) + o) * g.out_channels + k);
      }
}

/// Largest difference in units of the rounding error of a sum of `terms` terms below 1; infinity if `a` and `b`, the
/// results of one and two threads, differ in a bit.
template <class T>
double distance(const std::vector<T>& a, const std::vector<T>& b, const std::vector<double>& expected, int64_t terms) {
  double worst = a == b ? 0 : std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(static_cast<double>(a[i]) - expected[i]));
  return worst / (std::numeric_limits<T>::epsilon() * (2 + std::sqrt(static_cast<double>(terms))));
}

template <class T>
void check(const cpu::ConvGeometry& g, bool with_epilogue, double tolerance = 8, Precision precision = Precision::f32) {
  const int64_t x_size = g.batch * product(g.in) * g.in_channels, y_size = g.batch * product(g.out) * g.out_channels,
                w_size = g.out_channels * product(g.kernel) * (g.in_channels / g.groups);
  auto x = random_values<T>(x_size), y = random_values<T>(y_size), w = random_values<T>(w_size);
  if (precision == Precision::bf16)
    for (auto* values : {&x, &y, &w})
      for (T& v : *values) v = std::round(v * 64) / 64;  // bf16 holds them, and f32 their products
  const auto bias_y = random_values<T>(g.out_channels), bias_x = random_values<T>(g.in_channels);
  const auto epilogue = [&](const std::vector<T>& bias) {
    return with_epilogue ? cpu::Epilogue<T>{.bias = bias.data(),
                                            .act = cpu::Act::leaky_relu,
                                            .slope = T(0.25),
                                            .accumulate = true}
                         : cpu::Epilogue<T>{};
  };
  const auto at = [](const std::vector<T>& v, int64_t i) {
    return static_cast<double>(v[static_cast<std::size_t>(i)]);
  };
  std::vector<double> ey(y.begin(), y.end()), ex(x.begin(), x.end()), ew(w.size());
  if (!with_epilogue) std::fill(ey.begin(), ey.end(), 0.0), std::fill(ex.begin(), ex.end(), 0.0);
  for_each_term(g, [&](int64_t i, int64_t t, int64_t o) {
    ey[static_cast<std::size_t>(o)] += at(x, i) * at(w, t);
    ex[static_cast<std::size_t>(i)] += at(y, o) * at(w, t);
    ew[static_cast<std::size_t>(t)] += at(x, i) * at(y, o);
  });
  const auto finish = [](std::vector<double>& e, const std::vector<T>& bias) {
    for (std::size_t i = 0; i < e.size(); ++i) {
      e[i] += static_cast<double>(bias[i % bias.size()]);
      if (e[i] < 0) e[i] *= 0.25;
    }
  };
  if (with_epilogue) finish(ey, bias_y), finish(ex, bias_x);

  std::vector<T> ry[2] = {y, y}, rx[2] = {x, x}, rw[2] = {w, w};
  for (const int t : {0, 1}) {
    synthdata::set_threads(t + 1);
    cpu::conv_forward(g, x.data(), w.data(), ry[t].data(), epilogue(bias_y), precision);
    cpu::conv_input_grad(g, y.data(), w.data(), rx[t].data(), epilogue(bias_x), precision);
    cpu::conv_weight_grad(g, x.data(), y.data(), rw[t].data(), precision);
  }
  synthdata::set_threads(0);
  const int64_t taps = product(g.kernel);
  CHECK(distance(ry[0], ry[1], ey, taps * g.in_channels) < tolerance);
  CHECK(distance(rx[0], rx[1], ex, taps * g.out_channels) < tolerance);
  CHECK(distance(rw[0], rw[1], ew, g.batch * product(g.out)) < tolerance);
}

void check_both(const cpu::ConvGeometry& g, bool with_epilogue) {
  CAPTURE(g.batch, g.in_channels, g.out_channels, g.groups, with_epilogue);
  CAPTURE(g.in[0], g.in[1], g.in[2], g.out[0], g.out[1], g.out[2], g.kernel[0], g.kernel[1], g.kernel[2]);
  CAPTURE(g.stride[0], g.stride[1], g.stride[2], g.pad[0], g.pad[1], g.pad[2], g.dilation[0], g.dilation[1],
          g.dilation[2]);
  check<float>(g, with_epilogue);
  check<double>(g, with_epilogue);
}

cpu::ConvGeometry random_geometry(int dimensions) {
  static constexpr int64_t channels[] = {1, 1, 2, 3, 5, 8, 16, 17, 33, 40};
  cpu::ConvGeometry g{};
  g.batch = random_between(0, 4) == 0 ? random_between(14, 33) : random_between(1, 9);
  g.groups = random_between(0, 3) == 0 ? random_between(2, 3) : 1;
  g.in_channels = g.groups * channels[random_between(0, 9)];
  g.out_channels = g.groups * channels[random_between(0, 9)];
  for (int a = 0; a < 3; ++a) {
    const bool used = a >= 3 - dimensions;
    g.kernel[a] = used ? random_between(1, 4) : 1;
    g.stride[a] = used ? random_between(1, 3) : 1;
    g.dilation[a] = used ? random_between(1, 2) : 1;
    g.pad[a] = used ? random_between(0, g.kernel[a]) : 0;
    const int64_t reach = (g.kernel[a] - 1) * g.dilation[a] + 1, behind = used ? random_between(0, 2) : 0;
    g.in[a] = used ? std::max<int64_t>(reach - g.pad[a], 1) + random_between(0, dimensions == 1 ? 20 : 5) : 1;
    g.out[a] = std::max<int64_t>(1, (g.in[a] + g.pad[a] + behind - reach) / g.stride[a] + 1);
  }
  return g;
}

cpu::ConvGeometry square(int64_t batch, int64_t size, int64_t in, int64_t out, int64_t kernel, int64_t stride,
                         int64_t pad) {
  const int64_t result = (size + 2 * pad - kernel) / stride + 1;
  return {.batch = batch,
          .in = {1, size, size},
          .out = {1, result, result},
          .kernel = {1, kernel, kernel},
          .stride = {1, stride, stride},
          .pad = {0, pad, pad},
          .dilation = {1, 1, 1},
          .in_channels = in,
          .out_channels = out,
          .groups = 1};
}

struct IsaGuard {
  ~IsaGuard() { cpu::force_isa(cpu::detect_isa()); }
};

}  // namespace

TEST_CASE("convolution and its adjoints equal plain loops: 1 to 3 dimensions, strides, dilation, groups, every isa") {
  const IsaGuard guard;
  for (const auto isa : {cpu::Isa::baseline, cpu::Isa::avx2, cpu::Isa::avx512}) {
    if (cpu::force_isa(isa) != isa) continue;
    for (int i = 0; i < 60; ++i) check_both(random_geometry(1 + i % 3), i / 3 % 2 == 1);
  }
}

TEST_CASE("convolution covers the shapes of image GANs") {
  check_both(square(16, 7, 20, 24, 5, 1, 2), false);  // batch panels, padding skipped
  check_both(square(15, 14, 1, 40, 5, 2, 2), true);   // one channel in: projection and patches
  check_both(square(15, 12, 24, 1, 5, 1, 2), true);   // one channel out
  check_both(square(9, 8, 3, 32, 4, 2, 1), false);    // RGB
  check_both(square(20, 4, 70, 1, 4, 1, 0), true);    // one window: the last layer of a discriminator
  check_both(square(20, 4, 64, 70, 4, 1, 0), false);  // its mirror, the first layer of a generator
  check_both(square(3, 6, 300, 8, 3, 1, 1), false);   // more channels than one packed panel is deep
  check_both(square(9, 6, 8, 300, 3, 2, 1), true);
  check_both(square(10, 9, 40, 40, 1, 1, 0), false);  // pointwise
  check_both(square(2, 9, 6, 6, 1, 3, 0), true);      // stride beyond the kernel: positions nobody reaches
  cpu::ConvGeometry dilated = square(5, 4, 6, 7, 4, 1, 0);
  dilated.dilation[1] = dilated.dilation[2] = 2;
  check_both(dilated, true);  // a kernel of the image's size that reaches beyond it
}

TEST_CASE("convolution by transformed tiles of 2 to 5 taps rounds within its bound, every isa") {
  const IsaGuard guard;
  const double bound = 200;  // units: 2.4e-5 of the root of the number of terms; the worst seen, without fma, is 117
  for (const auto isa : {cpu::Isa::baseline, cpu::Isa::avx2, cpu::Isa::avx512}) {
    if (cpu::force_isa(isa) != isa) continue;
    for (const bool with_epilogue : {false, true}) {
      check<float>(square(9, 7, 32, 48, 5, 1, 2), with_epilogue, bound);  // edges in both tiles
      check<float>(square(5, 12, 48, 32, 3, 1, 1), with_epilogue, bound);
      check<float>(square(8, 9, 32, 32, 2, 1, 0), with_epilogue, bound);
      check<float>(square(9, 14, 32, 32, 5, 2, 2), with_epilogue, bound);   // parts of 2 and 3 taps
      check<float>(square(3, 13, 272, 32, 4, 1, 1), with_epilogue, bound);  // more channels than one panel is deep
    }
  }
}

TEST_CASE("convolution with bf16 products: exact for numbers that bf16 holds, rounded on transformed tiles") {
  for (int i = 0; i < 60; ++i) check<float>(random_geometry(1 + i % 3), i / 3 % 2 == 1, 8, Precision::bf16);
  check<float>(square(16, 7, 20, 24, 5, 1, 2), false, 8, Precision::bf16);
  check<float>(square(15, 14, 1, 40, 5, 2, 2), true, 8, Precision::bf16);
  check<float>(square(3, 6, 300, 8, 3, 1, 1), false, 8, Precision::bf16);
  check<float>(square(20, 4, 64, 70, 4, 1, 0), false, 8, Precision::bf16);
  const double tiles = 1.7e6;  // units: a fifth of the root of the number of terms; the worst seen is a tenth
  check<float>(square(9, 7, 32, 48, 5, 1, 2), true, tiles, Precision::bf16);
  check<float>(square(9, 14, 32, 32, 5, 2, 2), false, tiles, Precision::bf16);
  check<float>(square(3, 13, 272, 32, 4, 1, 1), false, tiles, Precision::bf16);
}

TEST_CASE("convolution takes no memory from the system once it has run") {
  const auto g = square(16, 8, 16, 32, 3, 1, 1);
  const auto x = random_values<float>(16 * 64 * 16), w = random_values<float>(32 * 9 * 16);
  std::vector<float> y(16 * 64 * 32), gx(x.size()), gw(w.size());
  const auto step = [&] {
    cpu::conv_forward(g, x.data(), w.data(), y.data());
    cpu::conv_input_grad(g, y.data(), w.data(), gx.data());
    cpu::conv_weight_grad(g, x.data(), y.data(), gw.data());
  };
  synthdata::set_threads(1);
  step();
  const auto before = synthdata::memory_stats().system_allocations;
  step();
  CHECK(synthdata::memory_stats().system_allocations == before);
  synthdata::set_threads(0);
}
