// synthdata/tabular/sample_reader.hpp: rows of a model as a stream, so that more of them than fit in memory can be
// made.
//
//   SampleReader rows(model, 5'000'000, {}, {.seed = 1});
//   AnyTableWriter file = open_writer("made.csv.gz");
//   copy_table(rows, file);
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/table_stream.hpp>
#include <synthdata/tabular/any_tabular_model.hpp>

#include <algorithm>
#include <memory>

namespace synthdata::models {

/// Rows of a model piece by piece: a TableReader. The same seed gives the same rows. Those of a TabularAr are the rows
/// that its sample() makes. Other models make each piece of 65536 rows by a seed of its own: the first is what sample()
/// makes, and all follow the same distribution.
template <TabularModel M>
class SampleReader {
 public:
  static constexpr std::int64_t piece_rows = 65536;

  /// @throws DataError for a negative number of rows
  SampleReader(M model, std::int64_t rows, const Conditions& conditions = {}, const SampleOptions& options = {})
      : model_(std::make_shared<const M>(std::move(model))),
        schema_(model_->schema()),
        left_(rows),
        more_(detail::sample_pieces(*model_, conditions, options)) {
    if (rows < 0) throw DataError(concat("SampleReader: expects a number of rows >= 0, got ", rows));
  }

  /// At most piece_rows rows. @throws DataError as sample()
  std::optional<Table> next() {
    if (left_ == 0) return {};
    const std::int64_t rows = std::min(left_, piece_rows);
    left_ -= rows;
    return more_(rows);
  }
  const Schema& schema() const { return schema_; }

 private:
  std::shared_ptr<const M> model_;
  Schema schema_;
  std::int64_t left_;
  std::function<Table(std::int64_t rows)> more_;
};

}  // namespace synthdata::models
