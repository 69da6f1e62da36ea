// synthdata/nn/summary_impl.hpp: bodies of nn/summary.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/summary.hpp>

#include <array>

namespace synthdata::detail {

SYNTHDATA_INLINE std::string with_commas(std::int64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

SYNTHDATA_INLINE std::string readable_bytes(std::int64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  constexpr const char* units[] = {"KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes) / 1024.0;
  std::size_t unit = 0;
  for (; value >= 1023.95 && unit < 3; ++unit) value /= 1024.0;  // 1023.95 would print as 1024.0
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %s", value, units[unit]);
  return text;
}

SYNTHDATA_INLINE std::string summary_table(const Tensor& input, const std::vector<TraceEntry>& trace,
                                           std::int64_t parameters, std::int64_t weight_bytes) {
  using Row = std::array<std::string, 4>;
  std::vector<Row> rows{{"layer", "output", "parameters", "output memory"}};
  rows.push_back({"input", input.shape().str(), "", readable_bytes(input.size_bytes())});
  std::int64_t output_bytes = input.size_bytes();
  for (const TraceEntry& e : trace) {
    rows.push_back({e.layer, e.output.str(), with_commas(e.parameters), readable_bytes(e.output_bytes)});
    output_bytes += e.output_bytes;
  }
  rows.push_back({"total", "", with_commas(parameters), readable_bytes(output_bytes)});

  std::array<std::size_t, 4> width{};
  for (const Row& row : rows) {
    for (std::size_t c = 0; c < 4; ++c) width[c] = row[c].size() > width[c] ? row[c].size() : width[c];
  }
  const std::string rule(width[0] + width[1] + width[2] + width[3] + 6, '-');
  std::string table;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    if (r == 1 || r + 1 == rows.size()) table += rule + "\n";
    for (std::size_t c = 0; c < 4; ++c) {
      const std::string gap(width[c] - rows[r][c].size(), ' ');
      table += (c ? "  " : "") + (c < 2 ? rows[r][c] + gap : gap + rows[r][c]);  // text to the left, numbers right
    }
    table += "\n";
  }
  return table + "weights: " + readable_bytes(weight_bytes) + "\n";
}

}  // namespace synthdata::detail
