// benchmarks/kernels_bench.cpp: GFLOP/s of the GEMM and convolution kernels, one and two threads.
//
// Run: kernels_bench [substring of the cases to run]. Prints the median of at least 7 samples of 3 ms or more, its
// spread, and a check against plain loops at a few hundred random elements. Convolutions count every tap, also those
// that fall into the padding and are skipped, so their rate may pass the peak of the machine.
//
// SPDX-License-Identifier: MIT
#include <synthdata/backend/cpu/conv.hpp>
#include <synthdata/backend/cpu/gemm.hpp>
#include <synthdata/core/parallel.hpp>
#include <synthdata/core/tensor.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

namespace cpu = synthdata::backend::cpu;
using std::int64_t;
using synthdata::Precision;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

std::uint32_t random_bits() {
  static std::uint32_t state = 1;
  state = state * 1664525u + 1013904223u;
  return state >> 8;
}
int64_t random_below(int64_t n) { return static_cast<int64_t>(random_bits()) % n; }
/// Numbers in the library's own memory, which is where tensors lie.
class Values {
 public:
  explicit Values(int64_t n) : tensor_(synthdata::Tensor::zeros({n})) {}
  float* data() { return tensor_.data<float>(); }
  const float* data() const { return tensor_.data<float>(); }
  float* begin() { return data(); }
  float* end() { return data() + tensor_.size(); }

 private:
  synthdata::Tensor tensor_;
};
Values random_values(int64_t n) {
  Values x(n);
  for (float& v : x) v = static_cast<float>(random_bits()) / 8388608.0f - 1.0f;
  return x;
}
float at(const Values& x, int64_t i) { return x.data()[i]; }

template <class F>
void measure(const std::string& name, double flops, double worst_error, double allowed, const F& once) {
  for (const int n_threads : {1, 2}) {
    synthdata::set_threads(n_threads);
    once();
    double start = now();
    once();
    const int inner = std::max(1, static_cast<int>(3e-3 / std::max(now() - start, 1e-8)));
    std::vector<double> samples;
    start = now();
    while (samples.size() < 7 || (now() - start < 0.3 && samples.size() < 100)) {
      const double begin = now();
      for (int i = 0; i < inner; ++i) once();
      samples.push_back((now() - begin) / inner);
    }
    std::sort(samples.begin(), samples.end());
    const double median = samples[samples.size() / 2];
    std::printf("%-34s %d thread%s %9.4f ms %7.1f GFLOP/s (best %.1f)  error %.1e %s\n", name.c_str(), n_threads,
                n_threads > 1 ? "s" : " ", median * 1e3, flops / median * 1e-9, flops / samples[0] * 1e-9, worst_error,
                worst_error < allowed ? "" : "WRONG");
    std::fflush(stdout);
  }
}

void bench_gemm(const std::string& tag, bool ta, bool tb, int64_t m, int64_t n, int64_t k, Precision precision) {
  const auto a = random_values(m * k), b = random_values(k * n);
  Values c(m * n);
  const auto once = [&] {
    cpu::gemm(ta, tb, m, n, k, a.data(), ta ? m : k, b.data(), tb ? k : n, c.data(), n, {}, precision);
  };
  once();
  double worst = 0;
  for (int s = 0; s < 300; ++s) {
    const int64_t i = random_below(m), j = random_below(n);
    double sum = 0;
    for (int64_t p = 0; p < k; ++p)
      sum += double{at(a, ta ? p * m + i : i * k + p)} * double{at(b, tb ? j * k + p : p * n + j)};
    worst = std::max(worst, std::abs(sum - double{at(c, i * n + j)}) / std::sqrt(static_cast<double>(k)));
  }
  const bool bf16 = precision == Precision::bf16;
  measure((bf16 ? "bf16 gemm " : "gemm ") + tag + " " + std::to_string(m) + "x" + std::to_string(n) + "x" +
              std::to_string(k) + (ta ? " T" : " N") + (tb ? "T" : "N"),
          2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k), worst, bf16 ? 1e-2 : 1e-4,
          once);
}

/// A square 5x5 convolution from [batch, size, size, in] to [batch, size / stride, size / stride, out], padding 2.
void bench_conv(const std::string& tag, const char* pass, int64_t size, int64_t in, int64_t out, int64_t stride) {
  const int64_t batch = 128, kernel = 5, result = size / stride;
  const cpu::ConvGeometry g{.batch = batch,
                            .in = {1, size, size},
                            .out = {1, result, result},
                            .kernel = {1, kernel, kernel},
                            .stride = {1, stride, stride},
                            .pad = {0, 2, 2},
                            .dilation = {1, 1, 1},
                            .in_channels = in,
                            .out_channels = out,
                            .groups = 1};
  auto x = random_values(batch * size * size * in), y = random_values(batch * result * result * out),
       w = random_values(out * kernel * kernel * in);
  // visits every tap (output position, input position) of image n
  const auto pairs = [&](int64_t n, int64_t kh, int64_t kw, const auto& f) {
    for (int64_t oh = 0; oh < result; ++oh)
      for (int64_t ow = 0; ow < result; ++ow) {
        const int64_t ih = oh * stride - 2 + kh, iw = ow * stride - 2 + kw;
        if (ih >= 0 && ih < size && iw >= 0 && iw < size)
          f((n * result + oh) * result + ow, (n * size + ih) * size + iw);
      }
  };
  double worst = 0;
  const auto compare = [&](double expected, float found, int64_t terms) {
    worst = std::max(worst, std::abs(expected - double{found}) / std::sqrt(static_cast<double>(terms)));
  };
  const bool forward = std::strcmp(pass, "forward") == 0, input = std::strcmp(pass, "input grad") == 0;
  const auto once = [&] {
    if (forward) cpu::conv_forward(g, x.data(), w.data(), y.data());
    if (input) cpu::conv_input_grad(g, y.data(), w.data(), x.data());
    if (!forward && !input) cpu::conv_weight_grad(g, x.data(), y.data(), w.data());
  };
  once();
  for (int s = 0; s < 30; ++s) {
    const int64_t n = random_below(batch), k = random_below(out), c = random_below(in), kh = random_below(kernel),
                  kw = random_below(kernel);
    const int64_t target = forward ? (n * result + random_below(result)) * result + random_below(result)
                                   : (n * size + random_below(size)) * size + random_below(size);
    double sum = 0;
    if (forward || input) {
      for (int64_t h = 0; h < kernel; ++h)
        for (int64_t v = 0; v < kernel; ++v)
          pairs(n, h, v, [&](int64_t o, int64_t i) {
            const int64_t tap = h * kernel + v;
            if (forward && o == target)
              for (int64_t ci = 0; ci < in; ++ci)
                sum += double{at(x, i * in + ci)} * double{at(w, (k * kernel * kernel + tap) * in + ci)};
            if (input && i == target)
              for (int64_t ko = 0; ko < out; ++ko)
                sum += double{at(y, o * out + ko)} * double{at(w, (ko * kernel * kernel + tap) * in + c)};
          });
      compare(sum, forward ? at(y, target * out + k) : at(x, target * in + c), kernel * kernel * (forward ? in : out));
    } else {
      for (int64_t image = 0; image < batch; ++image)
        pairs(image, kh, kw,
              [&](int64_t o, int64_t i) { sum += double{at(y, o * out + k)} * double{at(x, i * in + c)}; });
      compare(sum, at(w, ((k * kernel + kh) * kernel + kw) * in + c), batch * result * result);
    }
  }
  measure(tag + " " + pass, 2.0 * static_cast<double>(batch * result * result * kernel * kernel * in * out), worst,
          1e-4, once);
}

}  // namespace

int main(int argc, char** argv) {
  const auto wanted = [&](const std::string& name) { return argc < 2 || name.find(argv[1]) != std::string::npos; };
  struct Gemm {
    const char* tag;
    int64_t m, n, k;
    bool ta, tb;
  };
  const Gemm gemms[] = {{"square", 256, 256, 256, false, false},
                        {"square", 512, 512, 512, false, false},
                        {"square", 2048, 2048, 2048, false, false},
                        {"square", 1024, 1024, 1024, false, false},
                        {"square", 1024, 1024, 1024, false, true},
                        {"square", 1024, 1024, 1024, true, false},
                        {"G-dense fwd", 128, 12544, 100, false, false},
                        {"G-dense dW", 100, 12544, 128, true, false},
                        {"mlp fwd", 128, 512, 784, false, false},
                        {"mlp dW", 784, 512, 128, true, false},
                        {"mlp dX", 128, 784, 512, false, true},
                        {"tab", 500, 256, 256, false, false},
                        {"tab dW", 256, 256, 500, true, false},
                        {"tab pac", 50, 256, 2200, false, false},
                        {"small", 32, 32, 32, false, true},
                        {"batch 1", 1, 1024, 1024, false, false},
                        {"batch 1", 1, 1024, 1024, false, true},
                        {"logit", 128, 1, 6272, false, true},
                        {"logit dX", 128, 6272, 1, false, false},
                        {"few k", 25088, 64, 25, false, false},
                        {"few columns", 25088, 25, 64, false, false},
                        {"logit dW", 1, 6272, 128, true, false}};
  if (wanted("gemm"))
    for (const Precision precision : {Precision::f32, Precision::bf16})
      for (const Gemm& s : gemms) bench_gemm(s.tag, s.ta, s.tb, s.m, s.n, s.k, precision);
  struct Conv {
    const char* tag;
    int64_t size, in, out, stride;
  };
  // the generator's transposed convolutions are named by the convolution whose input gradient they are
  const Conv convs[] = {{"G convT1 7x7x256->7x7x128", 7, 128, 256, 1},
                        {"G convT2 7x7x128->14x14x64", 14, 64, 128, 2},
                        {"G convT3 14x14x64->28x28x1", 28, 1, 64, 2},
                        {"D conv1 28x28x1->14x14x64", 28, 1, 64, 2},
                        {"D conv2 14x14x64->7x7x128", 14, 64, 128, 2}};
  for (const Conv& s : convs)
    for (const char* pass : {"forward", "input grad", "weight grad"})
      if (wanted(s.tag) || wanted("conv")) bench_conv(s.tag, pass, s.size, s.in, s.out, s.stride);
}
