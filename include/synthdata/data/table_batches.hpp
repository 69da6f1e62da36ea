// synthdata/data/table_batches.hpp: rows of tables as samples: of a table in memory, or of a stream of any size.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/in_memory.hpp>
#include <synthdata/data/table_stream.hpp>

#include <functional>

namespace synthdata {

/// How the rows of a table become samples.
struct TableSamples {
  /// The column of classes: categorical (its codes), boolean or integer >= 0. Empty: samples have no label.
  std::string label{};
  /// The columns of a sample, [columns] f32, as Table::to_tensor gives them. Empty: all but the label.
  std::vector<std::string> columns{};
  /// In place of `columns`: makes f32 [N, ...] of a table of N rows, row by row. Called by several threads at a time.
  std::function<Tensor(const Table&)> encode{};
};

/// The rows as one batch.
/// @throws DataError for a missing value in `columns` or in the label, naming column and row, and for a label below 0;
/// DTypeError for texts among the columns and for what `encode` returns, ShapeError for its shape.
Batch encode_rows(const Table& table, const TableSamples& samples);

/// The rows of a table in memory, encoded once. @throws as encode_rows
TensorDataset table_dataset(const Table& table, const TableSamples& samples = {});

/// A reader whose pieces pass through f, a function from a table to a table that may change, add and drop columns and
/// drop rows. The schema is what f makes of a table without rows. See map_tables().
template <TableReader R, class F>
class MappedTableReader {
 public:
  MappedTableReader(R reader, F f)
      : reader_(std::move(reader)), f_(std::move(f)), schema_(f_(empty_table(reader_.schema())).schema()) {}
  std::optional<Table> next() {
    std::optional<Table> piece = reader_.next();
    if (piece) piece = f_(std::move(*piece));
    return piece;
  }
  const Schema& schema() const { return schema_; }

 private:
  R reader_;
  F f_;
  Schema schema_;
};
template <TableReader R, class F>
auto map_tables(R reader, F f) {
  return MappedTableReader<R, F>(std::move(reader), std::move(f));
}

struct TableBatchesOptions {
  std::int64_t batch_size = 128;
  /// Rows are shuffled within windows of so many; 0 keeps their order. For a full shuffle write a TableCache.
  std::int64_t shuffle_rows = 65536;
  std::uint64_t seed = 0;
  bool drop_last = true;  ///< leave out the last, smaller batch of an epoch
  /// Of the rows only rank, rank + ranks, rank + 2 ranks, ...: the same number for every rank; up to ranks - 1 rows at
  /// the end are in none.
  std::int64_t rank = 0, ranks = 1;
};

/// Endless batches of a stream of tables, which is opened anew for each epoch: a BatchSource. Memory, whatever the size
/// of the stream: one piece of the reader and `shuffle_rows` encoded rows. Restoring reads the epoch from its beginning
/// to the place, without encoding.
///   TableBatches batches([=] { return CsvReader("big.csv", {.schema = schema}); }, {.label = "income"});
class TableBatches {
 public:
  /// @param source  of the rows: [] { return CsvReader("big.csv"); }
  /// @throws DataError for an option out of its range
  explicit TableBatches(TableSource source, TableSamples samples = {}, const TableBatchesOptions& options = {});
  TableBatches(TableBatches&&) noexcept;
  TableBatches& operator=(TableBatches&&) noexcept;
  ~TableBatches();

  /// The next batch. @throws what the reader and `encode` throw; the next call tries the same batch again. DataError if
  /// the stream has too few rows for one batch.
  Batch next();
  SourceState state() const;
  /// @throws DataError for negative numbers; next() does for a position beyond the end of the stream.
  void restore(const SourceState& state);

 private:
  struct Impl;
  detail::Owned<Impl> impl_;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/table_batches_impl.hpp>
#endif
