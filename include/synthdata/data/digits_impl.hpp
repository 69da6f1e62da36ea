// synthdata/data/digits_impl.hpp: body of data/digits.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/digits.hpp>
#include <synthdata/io/gzip.hpp>

#include <charconv>

namespace synthdata {

SYNTHDATA_INLINE TensorDataset read_digits(const std::string& path) {
  constexpr std::int64_t pixels = 64, max_bytes = std::int64_t{64} << 20;
  constexpr int max_pixel = 16, max_label = 9;
  const std::string text = read_gzip_or_plain(path, max_bytes);

  std::vector<std::uint8_t> images, labels;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (std::int64_t row = 1; at != end; ++row) {
    for (std::int64_t column = 1; column <= pixels + 1; ++column) {
      const bool is_label = column > pixels;
      const int highest = is_label ? max_label : max_pixel;
      const auto fail = [&](const std::string& expected) {
        const char* stop = at;
        while (stop != end && *stop != ',' && *stop != '\n' && stop - at < 20) ++stop;
        throw DataError(concat(path, ", row ", row, ", column ", column, ": expects ", expected, ", got \"",
                               std::string_view(at, static_cast<std::size_t>(stop - at)), "\""));
      };
      int value = -1;
      const auto [rest, error] = std::from_chars(at, end, value);
      if (error != std::errc() || value < 0 || value > highest) {
        fail(concat(is_label ? "a label of 0 to " : "a pixel of 0 to ", highest));
      }
      if (is_label ? rest != end && *rest != '\n' : rest == end || *rest != ',') {
        fail(is_label ? "a label and the end of the row" : "a pixel and a comma");
      }
      (is_label ? labels : images).push_back(static_cast<std::uint8_t>(value));
      at = rest == end ? end : rest + 1;
    }
  }
  if (labels.empty()) throw DataError(concat(path, ": expects rows of 64 pixels and a label, is empty"));

  const auto count = static_cast<std::int64_t>(labels.size());
  return TensorDataset(Tensor::from(images, {count, 8, 8, 1}, Device::cpu()), Tensor::from(labels, Device::cpu()),
                       ValueRange{0.0f, max_pixel})
      .scaled({-1.0f, 1.0f});
}

}  // namespace synthdata
