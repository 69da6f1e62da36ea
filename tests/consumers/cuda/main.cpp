// tests/consumers/cuda/main.cpp: trains on a GPU if there is one, else on the CPU, and says what asking for one gives.
//
// SPDX-License-Identifier: MIT
#include <synthdata/gan.hpp>

#include <cstdio>

#include "cube.hpp"

namespace sd = synthdata;

sd::Tensor train(std::uint64_t seed);

int main() {
  install_cube();
  const sd::Device device = sd::device("auto");
  const sd::OnDevice there(device);
  const sd::Var x = sd::leaf(sd::full({3}, 2.0));
  const double cubes = sd::sum(sd::pointwise(Cube{}, x)).item();
  const double slopes = sd::sum(sd::grad(sd::sum(sd::pointwise(Cube{}, x)), x)).item();
  double total = 0.0;
  for (const float value : train(1).span<float>()) total += static_cast<double>(value);
  std::printf("auto is %s; cubes %g, slopes %g; samples add up to %.6f\n", sd::name_of(device).c_str(), cubes, slopes,
              total);
  try {
    sd::device("cuda");
  } catch (const sd::DeviceError& e) {
    std::printf("cuda: %s\n", e.what());
  }
}
