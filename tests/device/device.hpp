// tests/device/device.hpp: the same computation on the CPU in f64 and on another device in f64 and f32, compared.
//
// The other device is a GPU where the program has one, and the emulator of tests/cuda_emulator where it is linked to
// that. Where there is none the cases are skipped, and counted out loud at the end.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/gan.hpp>

#include "../test.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

namespace test {

namespace sd = synthdata;

using Inputs = std::vector<sd::Tensor>;
using Function = std::function<sd::Var(const std::vector<sd::Var>&)>;

/// A function of some tensors, and where it is looked at. Inputs that are not floating stay as they are.
struct Case {
  std::string name;
  Function f;
  Inputs at;            ///< f64 or integers, on the CPU
  int derivatives = 2;  ///< orders that are compared
  double f32 = 2e-4;    ///< largest relative error in f32
};

inline sd::Tensor normal(const sd::Shape& shape, std::uint64_t seed = 1, double mean = 0.0, double stddev = 1.0) {
  sd::Rng rng{seed};
  return sd::normal(shape, rng, sd::DType::f64, mean, stddev);
}
inline sd::Tensor uniform(const sd::Shape& shape, double low, double high, std::uint64_t seed = 1) {
  sd::Rng rng{seed};
  return sd::uniform(shape, rng, sd::DType::f64, low, high);
}
inline sd::Tensor index(const std::vector<std::int64_t>& values, const sd::Shape& shape) {
  return sd::Tensor::from(values, shape);
}

/// Value, first gradients and second gradients of the case on a device, brought back to the CPU as f64.
inline std::vector<sd::Tensor> results(const Case& c, sd::Device device, sd::DType dtype) {
  const sd::OnDevice there(device);
  std::vector<sd::Var> x, wanted;
  for (const sd::Tensor& t : c.at) {
    const bool number = sd::is_floating(t.dtype());
    const sd::Tensor moved = (number ? t.to(dtype) : t).to(device);
    x.push_back(number && c.derivatives > 0 ? sd::leaf(moved) : sd::Var(moved));
    if (number) wanted.push_back(x.back());
  }
  std::vector<sd::Tensor> out;
  const auto keep = [&](const sd::Tensor& t) {
    REQUIRE(t.device() == device);
    out.push_back(t.to(sd::Device::cpu()).to(sd::DType::f64));
  };
  const sd::Var y = c.f(x);
  keep(y.value());
  if (c.derivatives == 0) return out;
  sd::Rng rng{0x5EED};
  const auto weighted = [&](const sd::Var& v) {
    return sum(mul(v, sd::Var(sd::uniform(v.shape(), rng, v.dtype(), 0.5, 1.5))));
  };
  for (const sd::Var& g : grad(weighted(y), wanted, {.retain_graph = true})) keep(g.value());
  if (c.derivatives == 1) return out;
  sd::Var total(0.0);
  for (const sd::Var& g : grad(weighted(y), wanted, {.create_graph = true})) total = total + weighted(g);
  if (total.requires_grad()) {
    for (const sd::Var& g : grad(total, wanted)) keep(g.value());
  }
  return out;
}

/// Largest |a - b| / max(1, |a|, |b|); infinite where only one of them is NaN.
inline double worst_error(const sd::Tensor& a, const sd::Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  double worst = 0.0;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    const double p = a.data<double>()[i], q = b.data<double>()[i];
    if (std::isnan(p) && std::isnan(q)) continue;
    if (p == q) continue;
    const double error = std::fabs(p - q) / std::max({1.0, std::fabs(p), std::fabs(q)});
    worst = std::isnan(error) ? INFINITY : std::max(worst, error);
  }
  return worst;
}

/// The device under test, if there is one.
inline bool has_device() { return sd::cuda::device_count() > 0; }
inline int& skipped_cases() {
  static int count = 0;
  return count;
}

/// Compares a case on the device under test with the CPU in f64.
inline void compare(const Case& c) {
  if (!has_device()) {
    ++skipped_cases();
    return;
  }
  INFO(c.name);
  const sd::Device gpu = sd::cuda::device(0);
  const std::vector<sd::Tensor> exact = results(c, sd::Device::cpu(), sd::DType::f64);
  for (const auto& [dtype, tolerance] : {std::pair{sd::DType::f64, 1e-9}, std::pair{sd::DType::f32, c.f32}}) {
    INFO(sd::name_of(dtype));
    const std::vector<sd::Tensor> got = results(c, gpu, dtype);
    REQUIRE(got.size() == exact.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      INFO("result " << i << " (the value, then first, then second gradients)");
      CHECK(worst_error(got[i], exact[i]) <= tolerance);
    }
  }
}
inline void compare(const std::vector<Case>& cases) {
  for (const Case& c : cases) compare(c);
}

}  // namespace test
