// synthdata/io/run_folder_impl.hpp: bodies of io/run_folder.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/io/run_folder.hpp>

namespace synthdata {

SYNTHDATA_INLINE RunFolder::RunFolder(std::string folder)
    : folder_(folder.empty() ? "." : std::move(folder)), log_(file("log.jsonl")), tensorboard_(file("tensorboard")) {
  make_folders(file("grids"));
}

SYNTHDATA_INLINE std::string RunFolder::grid(std::string_view name, std::int64_t step) const {
  return concat(folder_, "/grids/", numbered(name, step, ".png"));
}

SYNTHDATA_INLINE void RunFolder::record(std::int64_t step, Json::Object values) {
  for (const Json::Member& member : values) {
    if (member.value.is_number()) tensorboard_.scalar(step, member.key, member.value.number());
  }
  values.insert(values.begin(), {"step", step});
  log_.write(std::move(values));
}

SYNTHDATA_INLINE void RunFolder::scalar(std::int64_t step, std::string_view name, double value) {
  record(step, {{std::string(name), value}});
}

SYNTHDATA_INLINE void RunFolder::image(std::int64_t step, std::string_view name, const Tensor& image) {
  write_png(grid(name, step), image);
  tensorboard_.image(step, name, image);
  log_.write({{"step", step}, {"image", concat("grids/", numbered(name, step, ".png"))}});
}

}  // namespace synthdata
