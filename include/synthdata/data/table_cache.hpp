// synthdata/data/table_cache.hpp: a table as a file of columns that is mapped, so that nothing is parsed a second time.
//
// Rows lie in groups; within a group each column has its values, texts and marks of missing values as in memory, so
// opening a file reads its index only, any rows are at hand, and the system reads and drops pages as it needs to.
// Each group is checked, sums and values, when it is first touched. The layout is described in table_cache_impl.hpp.
// The file is for this machine and library (little-endian, version 1), a cache and not an archive.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/csv.hpp>
#include <synthdata/data/table_batches.hpp>

#include <memory>

namespace synthdata {

/// Writes tables one below the other; the file appears at commit(). A TableWriter. Memory: one group.
class TableCacheWriter {
 public:
  /// @param key         what the file was made from, see source_key(); kept in the file
  /// @param group_rows  rows of a group; random access is as fast for any number
  /// @throws DataError if the file cannot be made, as do write() and commit() for a full disk
  explicit TableCacheWriter(std::string path, std::string key = {}, std::int64_t group_rows = 65536);

  /// @throws DataError unless the schema is that of the first table, categories included.
  void write(const Table& table);
  void commit();

 private:
  void write_group(const Table& group);

  AtomicFile file_;
  std::string key_;
  std::int64_t group_rows_, at_ = 0, rows_ = 0;
  bool started_ = false;
  Schema schema_;
  std::vector<Table> pending_;  // rows of the next group
  std::int64_t pending_rows_ = 0;
  std::vector<std::int64_t> index_;
};

/// A file of columns, mapped. Copies share it; all functions may be called by several threads at a time.
class TableCache {
 public:
  /// @throws DataError if the file is no such file, is cut, or its index is damaged or does not fit its size.
  explicit TableCache(const std::string& path);

  std::int64_t size() const;
  const Schema& schema() const;
  const std::string& key() const;

  /// The rows named, in that order, and of them the columns named, or all. Memory: those rows, besides the system's
  /// pages of the file. @throws ShapeError out of range; DataError for a group that is damaged and columns that are not
  /// there.
  Table take(std::span<const std::int64_t> rows, std::span<const std::string> columns = {}) const;
  /// Rows [begin, end); shares the mapped values where they lie in one group. @throws as take
  Table rows(std::int64_t begin, std::int64_t end) const;

  /// A group of rows, shared with the map; and how many groups there are.
  Table group(std::int64_t index) const;
  std::int64_t groups() const;
  /// Lets the system take back the pages of a group.
  void forget(std::int64_t index) const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

/// Reads a cache group by group, as the TableReader that it was written from. Pages of groups before the last one are
/// given back, so that memory stays that of two groups.
class TableCacheReader {
 public:
  explicit TableCacheReader(TableCache cache) : cache_(std::move(cache)) {}
  std::optional<Table> next() {
    if (at_ > 1) cache_.forget(at_ - 2);
    if (at_ == cache_.groups()) return {};
    return cache_.group(at_++);
  }
  const Schema& schema() const { return cache_.schema(); }

 private:
  TableCache cache_;
  std::int64_t at_ = 0;
};

/// The rows of a cache as samples in any order: with a DataLoader, full shuffling of a table larger than memory.
class TableCacheDataset {
 public:
  explicit TableCacheDataset(TableCache cache, TableSamples samples = {});
  std::int64_t size() const { return cache_.size(); }
  Sample get(std::int64_t index, Rng& rng) const;
  Batch gather(std::span<const std::int64_t> indices) const {
    return encode_rows(cache_.take(indices, needed_), samples_);
  }

 private:
  TableCache cache_;
  TableSamples samples_;
  std::vector<std::string> needed_;  // columns; empty for all
};

/// Path, size, time of change and `options` of a file in one text: another one when the file changes.
/// @throws DataError if it is not there.
std::string source_key(const std::string& path, std::string_view options = {});

/// True if `path` is a whole, readable cache with this key. A file there that is no cache at all is a DataError, since
/// it would be overwritten.
bool is_table_cache(const std::string& path, std::string_view key);

/// The cache at `path` if it has this key; else it is written from open(), a TableReader, and opened.
/// @throws DataError, also if a file that is no cache is in the way
template <class Open>
TableCache cached_table(const std::string& path, const std::string& key, Open open) {
  if (!is_table_cache(path, key)) {
    auto reader = open();
    TableCacheWriter writer(path, key);
    writer.write(empty_table(reader.schema()));  // so that a stream without rows has its schema too
    copy_table(reader, writer);
  }
  return TableCache(path);
}

/// The cache of a CSV file, `cache` or the file's name with ".cache"; made again when the file or the options change.
TableCache cached_csv(const std::string& path, const CsvOptions& options = {}, std::string cache = {});

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/table_cache_impl.hpp>
#endif
