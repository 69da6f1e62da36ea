// synthdata/data/csv_options.hpp: how a CSV file is to be read, where that is not found out from the file.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/schema.hpp>
#include <synthdata/io/file.hpp>
#include <synthdata/io/utf8.hpp>

#include <optional>
#include <string>
#include <vector>

namespace synthdata {

/// A row whose number of fields is not that of the others.
struct RaggedRow {
  std::int64_t line = 0;  ///< of the file, from 1
  std::int64_t fields = 0;
};

struct CsvOptions {
  char delimiter = 0;            ///< 0: the likeliest of , ; tab |
  char quote = '"';              ///< 0: quotes are characters like others
  char comment = 0;              ///< lines that begin with it are passed over; 0: there are none
  std::optional<bool> header{};  ///< whether the first row names the columns; else guessed, see detect_csv
  std::int64_t skip_lines = 0;
  Encoding encoding = Encoding::detect;

  /// Columns by name; found by looking at all cells where empty. Cells of a schema's column must fit its type, and its
  /// categories, if it lists any; they may be spelled otherwise unless it is as_written. Columns in another order, or
  /// names that are not there, are an error.
  Schema schema{};
  /// Texts that mean a missing value; blanks around them do not count.
  std::vector<std::string> missing = {"", "?", "NA", "N/A", "n/a", "#N/A", "null", "NULL", "NaN", "nan"};
  /// A column of texts is categorical if it has at most so many different ones, and at most half as many as values.
  std::int64_t max_categories = 1000;
  bool day_first = false;  ///< how to read 01/02/2020 where no cell of the column decides

  /// Null: a ragged row is an error. Else such rows are left out and listed here, the first 1000 of them.
  std::vector<RaggedRow>* ragged = nullptr;

  std::int64_t max_row_bytes = std::int64_t{64} << 20;  ///< a longer row, such as after an unclosed quote, is an error
  std::int64_t max_columns = 100'000;
  std::int64_t max_text_bytes = default_max_bytes;  ///< of a file that is unpacked or converted whole
};

}  // namespace synthdata
