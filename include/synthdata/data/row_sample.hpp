// synthdata/data/row_sample.hpp: an even sample of the rows of a stream, in bounded memory.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/random.hpp>
#include <synthdata/data/table_stream.hpp>

#include <cstdint>
#include <vector>

namespace synthdata {

/// Rows of a table that comes piece by piece, each equally likely to be among them: those whose random number is among
/// the `count` smallest. The pieces do not matter, only their rows and order. Memory: twice as many rows, and a piece.
class RowSample {
 public:
  /// @throws DataError unless count >= 1
  explicit RowSample(std::int64_t count, std::uint64_t seed = 0);
  void add(const Table& piece);
  /// The rows, all if there were no more than `count`, in the order in which they came. @throws DataError if no piece
  /// came
  Table table();

 private:
  void drop();

  std::int64_t count_;
  Rng rng_;
  std::uint64_t below_;  // numbers that may still be among the smallest, or equal
  std::vector<std::uint64_t> numbers_;
  std::vector<Table> pieces_;
};

/// The same of all that is left of a stream.
///   CsvReader reader("big.csv");
///   const Table some = sample_rows(reader, 100'000);
template <TableReader R>
Table sample_rows(R& reader, std::int64_t count, std::uint64_t seed = 0) {
  RowSample sample(count, seed);
  sample.add(empty_table(reader.schema()));
  while (const auto piece = reader.next()) sample.add(*piece);
  return sample.table();
}

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/row_sample_impl.hpp>
#endif
