// synthdata/io/run_folder.hpp: the folder of one training run and its two logs.
//
//   <dir>/checkpoint.safetensors   the latest training state
//   <dir>/log.jsonl                one JSON object a record, for programs
//   <dir>/tensorboard/             event files; show them with: tensorboard --logdir <dir>
//   <dir>/grids/                   pictures, numbered by step
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/io/log.hpp>
#include <synthdata/io/png.hpp>
#include <synthdata/io/tensorboard.hpp>

#include <string>
#include <string_view>

namespace synthdata {

/// Opens or creates a run folder. A second run in the same folder goes on in the same logs.
class RunFolder {
 public:
  /// @throws DataError if the folder cannot be created or written.
  explicit RunFolder(std::string folder);

  /// Path of a file in the folder.
  std::string file(std::string_view name) const { return concat(folder_, "/", name); }
  const std::string& path() const { return folder_; }
  std::string checkpoint() const { return file("checkpoint.safetensors"); }
  /// "<dir>/grids/<name>_000500.png"
  std::string grid(std::string_view name, std::int64_t step) const;

  /// One line of the log and a point for each number among the values:
  /// record(500, {{"loss/critic", 1.2}, {"note", "resumed"}}).
  /// @throws DataError if it cannot be written.
  void record(std::int64_t step, Json::Object values);
  void scalar(std::int64_t step, std::string_view name, double value);

  /// Writes a picture, u8 [H, W, C], as grid(name, step), shows it in TensorBoard and notes its name in the log.
  void image(std::int64_t step, std::string_view name, const Tensor& image);

  JsonLines& log() { return log_; }
  TensorBoard& tensorboard() { return tensorboard_; }

 private:
  std::string folder_;
  JsonLines log_;
  TensorBoard tensorboard_;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/io/run_folder_impl.hpp>
#endif
