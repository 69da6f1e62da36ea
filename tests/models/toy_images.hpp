// tests/models/toy_images.hpp: small labelled images that a classifier learns in a second.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/random.hpp>
#include <synthdata/data/in_memory.hpp>

namespace test {

/// A bright bar on noise: label 0 lying, 1 upright, 2 both. [count, height, width, channels] around -1 ... 1
inline synthdata::TensorDataset bars(std::int64_t count, std::int64_t height, std::int64_t width, std::int64_t channels,
                                     std::uint64_t seed) {
  using namespace synthdata;
  Rng rng{seed};
  Tensor images = normal({count, height, width, channels}, rng, DType::f32, -0.5, 0.25);
  Tensor labels = Tensor::empty({count}, DType::i64);
  float* p = images.data<float>();
  for (std::int64_t n = 0; n < count; ++n) {
    const std::int64_t label = n % 3, row = 1 + rng.below(height - 2), column = 1 + rng.below(width - 2);
    labels.data<std::int64_t>()[n] = label;
    for (std::int64_t y = 0; y < height; ++y) {
      for (std::int64_t x = 0; x < width; ++x) {
        for (std::int64_t c = 0; c < channels; ++c, ++p) {
          if ((label != 1 && y == row) || (label != 0 && x == column)) *p += 1.2f;
        }
      }
    }
  }
  return TensorDataset(images, labels, ValueRange{-1.0f, 1.0f});
}

}  // namespace test
