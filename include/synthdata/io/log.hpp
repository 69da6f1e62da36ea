// synthdata/io/log.hpp: a log for programs to read, one JSON object a line (JSON Lines).
//
// A line is written in one piece and is in the file when write() returns, so the log of a killed run is whole.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/io/file.hpp>
#include <synthdata/io/json.hpp>

#include <string>

namespace synthdata {

class JsonLines {
 public:
  /// Opens a log and goes on after its last whole line; creates it and its folders where missing.
  /// @throws DataError if it cannot be opened for appending.
  explicit JsonLines(std::string path);

  /// Appends one object: log.write({{"step", 500}, {"loss", 0.69}}). NaN and infinities become null.
  /// @throws DataError if the line could not be written in full, such as on a full disk; no part of it is left then.
  void write(Json::Object members);

  const std::string& path() const { return file_.path(); }

 private:
  AppendFile file_;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/io/log_impl.hpp>
#endif
