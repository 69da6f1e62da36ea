// synthdata/data/table_cache_impl.hpp: the layout of a table cache, and bodies of data/table_cache.hpp.
//
// All numbers are little-endian 64-bit integers, all sections begin at multiples of 64 bytes:
//   "synthdata table\n"
//   for each group, for each column: values | offsets of texts | texts | marks of missing values; those it has
//   JSON: version, key, schema
//   index: for each group its place, rows and sum, and for each column bytes of texts (-1: none) and missing (0 or 1)
//   trailer: place and bytes of the JSON, place of the index, groups, rows of a group, sum of JSON and index,
//            "synthdata table\n"
//
// SPDX-License-Identifier: MIT
#pragma once

#include <sys/stat.h>

#include <synthdata/data/csv_impl.hpp>
#include <synthdata/data/table_cache.hpp>
#include <synthdata/io/mapped_file.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>

namespace synthdata {
namespace detail {

static_assert(std::endian::native == std::endian::little, "a table cache is little-endian");

inline constexpr std::string_view cache_magic = "synthdata table\n";
inline constexpr std::int64_t cache_version = 1, cache_alignment = 64;
inline constexpr std::int64_t max_group_rows = std::int64_t{1} << 30;

/// The numbers before the magic text at the end.
struct CacheTrailer {
  std::int64_t json_at = 0, json_bytes = 0, index_at = 0, groups = 0, group_rows = 0;
  std::uint64_t sum = 0;
};
inline constexpr std::int64_t cache_trailer_bytes =
    static_cast<std::int64_t>(sizeof(CacheTrailer) + cache_magic.size());

/// A sum of bytes that any change of one word changes, since each step is one to one. Not against an adversary: what a
/// group holds is checked as well. `before` chains sections.
SYNTHDATA_INLINE std::uint64_t cache_sum(const void* data, std::int64_t bytes, std::uint64_t before) {
  std::uint64_t lane[4] = {before ^ 0x9E3779B97F4A7C15u, before + 0xD1B54A32D192ED03u, ~before, before};
  const auto mix = [](std::uint64_t& into, std::uint64_t word) {
    into = std::rotl((into ^ word) * 0xD6E8FEB86659FD93u, 29);
  };
  const auto* at = static_cast<const char*>(data);
  std::uint64_t words[4];
  std::int64_t left = bytes;
  for (; left >= 32; left -= 32, at += 32) {
    std::memcpy(words, at, 32);
    for (int i = 0; i < 4; ++i) mix(lane[i], words[i]);
  }
  std::uint64_t tail[4] = {};
  if (left > 0) std::memcpy(tail, at, static_cast<std::size_t>(left));
  for (int i = 0; i < 4; ++i) mix(lane[i], tail[i]);
  std::uint64_t sum = static_cast<std::uint64_t>(bytes);
  for (const std::uint64_t value : lane) mix(sum, value);
  return sum ^ sum >> 32;
}

inline std::int64_t padded(std::int64_t bytes) {
  return (bytes + cache_alignment - 1) / cache_alignment * cache_alignment;
}
/// Bytes of a value in ColumnParts::values; 0 where there are only texts.
SYNTHDATA_INLINE std::int64_t value_bytes(const ColumnSchema& schema) {
  if (holds_texts(schema)) return 0;
  if (schema.type == ColumnType::categorical) return code_width(static_cast<std::int64_t>(schema.categories.size()));
  return static_cast<std::int64_t>(size_of(stored_as(schema.type)));
}
inline bool keeps_texts(const ColumnSchema& schema) { return holds_texts(schema) || schema.as_written; }

}  // namespace detail

SYNTHDATA_INLINE TableCacheWriter::TableCacheWriter(std::string path, std::string key, std::int64_t group_rows)
    : file_(std::move(path)), key_(std::move(key)), group_rows_(group_rows) {
  if (group_rows < 1 || group_rows > detail::max_group_rows) {
    throw DataError(
        concat("TableCacheWriter: expects groups of 1 to ", detail::max_group_rows, " rows, got ", group_rows));
  }
  std::string start(detail::cache_magic);
  start.resize(static_cast<std::size_t>(detail::cache_alignment), '\0');
  file_.write(start);
  at_ = detail::cache_alignment;
}

SYNTHDATA_INLINE void TableCacheWriter::write(const Table& table) {
  if (!started_) schema_ = table.schema();
  started_ = true;
  if (table.schema() != schema_) {
    throw DataError(
        concat(file_.path(), ": expects pieces of one schema:\n", schema_.str(), "got:\n", table.schema().str()));
  }
  for (std::int64_t at = 0; at < table.size();) {
    const std::int64_t count = std::min(group_rows_ - pending_rows_, table.size() - at);
    pending_.push_back(table.rows(at, at + count));
    at += count;
    pending_rows_ += count;
    if (pending_rows_ == group_rows_) write_group(detail::join_pieces(std::exchange(pending_, {}), schema_));
  }
}

SYNTHDATA_INLINE void TableCacheWriter::write_group(const Table& group) {
  std::string bytes;
  std::uint64_t sum = 0;
  std::vector<std::int64_t> of_columns;
  const auto add = [&](const void* data, std::int64_t count) {
    sum = detail::cache_sum(data, count, sum);
    if (count > 0) bytes.append(static_cast<const char*>(data), static_cast<std::size_t>(count));
    bytes.resize(static_cast<std::size_t>(detail::padded(static_cast<std::int64_t>(bytes.size()))), '\0');
  };
  for (std::size_t c = 0; c < group.columns().size(); ++c) {
    const Column& column = group.columns()[c];
    const ColumnParts& parts = column.parts();
    if (parts.values.defined() && detail::value_bytes(schema_.columns[c]) > 0) {
      add(parts.values.bytes(), parts.values.size_bytes());
    }
    if (parts.texts.defined()) {  // they may be a part of a longer buffer
      const std::int64_t* offsets = parts.texts.offsets.data<std::int64_t>();
      std::vector<std::int64_t> own(offsets, offsets + column.size() + 1);
      for (std::int64_t& offset : own) offset -= offsets[0];
      add(own.data(), static_cast<std::int64_t>(own.size() * sizeof(std::int64_t)));
      add(static_cast<const char*>(parts.texts.bytes.bytes()) + offsets[0], own.back());
      of_columns.push_back(own.back());
    } else {
      of_columns.push_back(-1);
    }
    of_columns.push_back(parts.missing.defined());
    if (parts.missing.defined()) add(parts.missing.bytes(), parts.missing.size_bytes());
  }
  index_.insert(index_.end(), {at_, group.size(), static_cast<std::int64_t>(sum)});
  index_.insert(index_.end(), of_columns.begin(), of_columns.end());
  file_.write(bytes);
  at_ += static_cast<std::int64_t>(bytes.size());
  rows_ += group.size();
  pending_rows_ = 0;
}

SYNTHDATA_INLINE void TableCacheWriter::commit() {
  if (pending_rows_ > 0) write_group(detail::join_pieces(std::exchange(pending_, {}), schema_));
  const std::string json =
      Json(Json::Object{{"version", detail::cache_version}, {"key", key_}, {"schema", schema_.json()}}).dump();
  const std::size_t width = 3 + 2 * schema_.columns.size();
  detail::CacheTrailer trailer{.json_at = at_,
                               .json_bytes = static_cast<std::int64_t>(json.size()),
                               .groups = static_cast<std::int64_t>(index_.size() / width),
                               .group_rows = group_rows_};
  std::string end = json;
  end.resize(static_cast<std::size_t>(detail::padded(trailer.json_bytes)), '\0');
  trailer.index_at = at_ + static_cast<std::int64_t>(end.size());
  const auto index_bytes = static_cast<std::int64_t>(index_.size() * sizeof(std::int64_t));
  end.append(reinterpret_cast<const char*>(index_.data()), static_cast<std::size_t>(index_bytes));
  trailer.sum = detail::cache_sum(index_.data(), index_bytes, detail::cache_sum(json.data(), trailer.json_bytes, 0));
  end.append(reinterpret_cast<const char*>(&trailer), sizeof trailer);
  end += detail::cache_magic;
  file_.write(end);
  file_.commit();
}

struct TableCache::Impl {
  /// Where a column's parts lie within a group; offset -1: it has none.
  struct Place {
    std::int64_t values = -1, offsets = -1, texts = -1, text_bytes = 0, missing = -1;
  };

  explicit Impl(const std::string& path) : file(std::make_shared<MappedFile>(path, true)) {
    using detail::CacheTrailer, detail::cache_magic, detail::cache_trailer_bytes;
    const std::string_view bytes = file->bytes();
    const auto length = static_cast<std::int64_t>(bytes.size());
    if (!bytes.starts_with(cache_magic)) fail(0, "is not a table cache");
    if (length < detail::cache_alignment + cache_trailer_bytes || !bytes.ends_with(cache_magic)) {
      fail(length, "the table cache is not whole");
    }
    CacheTrailer trailer;
    const std::int64_t trailer_at = length - cache_trailer_bytes;
    std::memcpy(&trailer, bytes.data() + trailer_at, sizeof trailer);
    if (trailer.json_at < detail::cache_alignment || trailer.json_at > trailer_at || trailer.json_bytes < 0 ||
        trailer.json_bytes > trailer_at - trailer.json_at || trailer.index_at < trailer.json_at + trailer.json_bytes ||
        trailer.index_at > trailer_at || trailer.index_at % cache_alignment() != 0 || trailer.groups < 0 ||
        trailer.group_rows < 1 || trailer.group_rows > detail::max_group_rows) {
      fail(trailer_at, "the trailer of the table cache is damaged");
    }
    const std::int64_t index_bytes = trailer_at - trailer.index_at;
    const std::string_view json_text =
        bytes.substr(static_cast<std::size_t>(trailer.json_at), static_cast<std::size_t>(trailer.json_bytes));
    const std::uint64_t sum = detail::cache_sum(bytes.data() + trailer.index_at, index_bytes,
                                                detail::cache_sum(json_text.data(), trailer.json_bytes, 0));
    if (!same_sum(sum, trailer.sum)) fail(trailer.json_at, "the sum of the index does not fit it");

    const Json json = parse_json(json_text, {.source = path, .first_byte = trailer.json_at});
    const Json *version = json.find("version"), *given_key = json.find("key"), *columns = json.find("schema");
    const std::int64_t* number = version ? version->get_if<std::int64_t>() : nullptr;
    if (!number || *number != detail::cache_version) {
      fail(trailer.json_at, concat("expects version ", detail::cache_version, " of the table cache"));
    }
    const std::string* text = given_key ? given_key->get_if<std::string>() : nullptr;
    if (!text || !columns) fail(trailer.json_at, "expects a key and a schema");
    key = *text;
    schema = Schema::from_json(*columns);
    empty_table(schema);  // names that come twice

    const auto column_count = static_cast<std::int64_t>(schema.columns.size());
    const std::int64_t width = 3 + 2 * column_count;
    if (index_bytes / 8 / width < trailer.groups || index_bytes != trailer.groups * width * 8) {
      fail(trailer.index_at, concat("expects an index of ", trailer.groups, " groups of ", column_count, " columns"));
    }
    group_rows = trailer.group_rows;
    groups = trailer.groups;
    index.resize(static_cast<std::size_t>(groups * width));
    if (!index.empty())
      std::memcpy(index.data(), bytes.data() + trailer.index_at, static_cast<std::size_t>(index_bytes));
    for (std::int64_t group = 0; group < groups; ++group) place(group, trailer.json_at);
    checked = std::make_unique<std::atomic<bool>[]>(static_cast<std::size_t>(groups));
  }

  static constexpr std::int64_t cache_alignment() { return detail::cache_alignment; }
  static bool same_sum(std::uint64_t a, std::uint64_t b) {
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION  // the usual name: lets a fuzzer see what lies behind
    return static_cast<void>(a), static_cast<void>(b), true;
#else
    return a == b;
#endif
  }
  [[noreturn]] void fail(std::int64_t byte, const std::string& text) const {
    detail::throw_data_at(file->path(), byte, text);
  }
  const std::int64_t* entry(std::int64_t group) const {
    return index.data() + group * (3 + 2 * static_cast<std::int64_t>(schema.columns.size()));
  }
  std::int64_t rows_of(std::int64_t group) const { return entry(group)[1]; }

  /// Finds the parts of a group's columns, which must lie before `end`.
  void place(std::int64_t group, std::int64_t end) {
    const std::int64_t* at_index = entry(group);
    std::int64_t at = at_index[0];
    const std::int64_t rows = at_index[1];
    if (at < detail::cache_alignment || at > end || at % detail::cache_alignment != 0 || rows < 1 ||
        rows > group_rows || (rows < group_rows && group + 1 < groups)) {
      fail(end, concat("group ", group, " cannot lie at byte ", at, " with ", rows, " rows"));
    }
    size += rows;
    const auto take = [&](std::int64_t bytes) {
      const std::int64_t here = at;
      if (bytes > end - at || (at += detail::padded(bytes)) > end) {
        fail(here, concat("group ", group, " does not fit into the file"));
      }
      return here;
    };
    at_index += 3;
    for (const ColumnSchema& column : schema.columns) {
      Place found;
      const std::int64_t text_bytes = *at_index++, missing = *at_index++;
      const std::int64_t unit = detail::value_bytes(column);
      const bool texts = detail::keeps_texts(column);
      if (texts ? text_bytes < 0 || text_bytes > end : text_bytes != -1) {
        fail(end, concat("group ", group, ": column ", in_quotes(column.name), " cannot have ", text_bytes,
                         " bytes of texts"));
      }
      if (missing != 0 && missing != 1) fail(end, concat("group ", group, ": expects 0 or 1 for missing values"));
      if (unit > 0) found.values = take(rows * unit);
      if (texts) {
        found.offsets = take((rows + 1) * 8);
        found.text_bytes = text_bytes;
        found.texts = take(text_bytes);
      }
      if (missing == 1) found.missing = take((rows + 7) / 8);
      places.push_back(found);
    }
    ends.push_back(at);
  }

  const char* bytes(std::int64_t at) const { return file->bytes().data() + at; }
  const Place* places_of(std::int64_t group) const {
    return places.data() + group * static_cast<std::int64_t>(schema.columns.size());
  }

  /// Sums and values of a group, looked at when it is first used.
  void check(std::int64_t group) const {
    std::atomic<bool>& done = checked[static_cast<std::size_t>(group)];
    if (done.load(std::memory_order_acquire)) return;
    const std::int64_t rows = rows_of(group);
    std::uint64_t sum = 0;
    const Place* at = places_of(group);
    for (const ColumnSchema& column : schema.columns) {
      const Place& place = *at++;
      const std::int64_t unit = detail::value_bytes(column);
      if (unit > 0) sum = detail::cache_sum(bytes(place.values), rows * unit, sum);
      if (place.offsets >= 0) {
        sum = detail::cache_sum(bytes(place.offsets), (rows + 1) * 8, sum);
        sum = detail::cache_sum(bytes(place.texts), place.text_bytes, sum);
        check_texts(group, column, place, rows);
      }
      if (place.missing >= 0) sum = detail::cache_sum(bytes(place.missing), (rows + 7) / 8, sum);
      if (column.type == ColumnType::boolean) {
        const auto* values = reinterpret_cast<const unsigned char*>(bytes(place.values));
        const auto* bad = std::find_if(values, values + rows, [](unsigned char value) { return value > 1; });
        if (bad != values + rows) fail(place.values + (bad - values), "a boolean is neither 0 nor 1");
      }
    }
    if (!same_sum(sum, static_cast<std::uint64_t>(entry(group)[2]))) {
      fail(entry(group)[0], concat("the sum of group ", group, " does not fit it"));
    }
    for (std::size_t c = 0; c < schema.columns.size(); ++c) {
      if (schema.columns[c].type == ColumnType::categorical) column(group, c);  // its codes
    }
    done.store(true, std::memory_order_release);
  }
  void check_texts(std::int64_t group, const ColumnSchema& column, const Place& place, std::int64_t rows) const {
    const auto* offsets = reinterpret_cast<const std::int64_t*>(bytes(place.offsets));
    bool fits = offsets[0] == 0 && offsets[rows] == place.text_bytes;
    for (std::int64_t row = 0; row < rows; ++row) fits &= offsets[row] <= offsets[row + 1];
    if (!fits) {
      fail(place.offsets,
           concat("group ", group, ": the texts of column ", in_quotes(column.name), " do not follow each other"));
    }
  }

  /// A column of a group, shared with the map. @throws DataError for codes beyond the categories
  Column column(std::int64_t group, std::size_t c) const {
    const ColumnSchema& of = schema.columns[c];
    const Place& place = places_of(group)[c];
    const std::int64_t rows = rows_of(group), unit = detail::value_bytes(of);
    const auto share = [&](std::int64_t at, std::int64_t count, DType dtype) {
      return Tensor::over(file->data() + at, {count}, dtype, file);
    };
    ColumnParts parts{.schema = of, .size = rows};
    if (of.type == ColumnType::categorical) {
      parts.width = static_cast<std::uint8_t>(unit);
      parts.values = share(place.values, rows * unit, DType::u8);
    } else if (unit > 0) {
      parts.values = share(place.values, rows, detail::stored_as(of.type));
    }
    if (place.offsets >= 0) {
      parts.texts = {share(place.texts, place.text_bytes, DType::u8), share(place.offsets, rows + 1, DType::i64)};
    }
    if (place.missing >= 0) parts.missing = share(place.missing, (rows + 7) / 8, DType::u8);
    return Column(std::move(parts));
  }

  std::shared_ptr<MappedFile> file;
  std::string key;
  Schema schema;
  std::int64_t size = 0, groups = 0, group_rows = 1;
  std::vector<std::int64_t> index, ends;
  std::vector<Place> places;  // of all columns of group 0, then of group 1, ...
  std::unique_ptr<std::atomic<bool>[]> checked;
};

SYNTHDATA_INLINE TableCache::TableCache(const std::string& path) : impl_(std::make_shared<const Impl>(path)) {}
SYNTHDATA_INLINE std::int64_t TableCache::size() const { return impl_->size; }
SYNTHDATA_INLINE const Schema& TableCache::schema() const { return impl_->schema; }
SYNTHDATA_INLINE const std::string& TableCache::key() const { return impl_->key; }
SYNTHDATA_INLINE std::int64_t TableCache::groups() const { return impl_->groups; }

SYNTHDATA_INLINE Table TableCache::group(std::int64_t index) const {
  if (index < 0 || index >= groups()) {
    throw ShapeError(concat("TableCache: group ", index, " is out of range, there are ", groups()));
  }
  impl_->check(index);
  std::vector<Column> columns;
  for (std::size_t c = 0; c < impl_->schema.columns.size(); ++c) columns.push_back(impl_->column(index, c));
  return Table(std::move(columns));
}
SYNTHDATA_INLINE void TableCache::forget(std::int64_t index) const {
  impl_->file->forget(impl_->entry(index)[0], impl_->ends[static_cast<std::size_t>(index)]);
}

SYNTHDATA_INLINE Table TableCache::rows(std::int64_t begin, std::int64_t end) const {
  if (begin < 0 || end < begin || end > size()) {
    throw ShapeError(concat("TableCache: expects rows within 0 ... ", size(), ", got ", begin, " ... ", end));
  }
  std::vector<Table> pieces;
  for (std::int64_t at = begin; at < end;) {
    const std::int64_t number = at / impl_->group_rows, first = number * impl_->group_rows;
    const std::int64_t stop = std::min(end, first + impl_->group_rows);
    pieces.push_back(group(number).rows(at - first, stop - first));
    at = stop;
  }
  return detail::join_pieces(std::move(pieces), schema());
}

SYNTHDATA_INLINE Table TableCache::take(std::span<const std::int64_t> rows,
                                        std::span<const std::string> columns) const {
  struct From {
    std::int64_t group, row;
  };
  std::vector<From> from;
  from.reserve(rows.size());
  for (const std::int64_t row : rows) {
    if (row < 0 || row >= size()) {
      throw ShapeError(concat("TableCache: row ", row, " is out of range, there are ", size()));
    }
    from.push_back({row / impl_->group_rows, row % impl_->group_rows});
    impl_->check(from.back().group);
  }
  const auto count = static_cast<std::int64_t>(rows.size());
  const auto make = [&](const ColumnSchema& schema) {
    const std::size_t c = static_cast<std::size_t>(&schema - impl_->schema.columns.data());
    const auto place = [&](std::int64_t i) -> const Impl::Place& {
      return impl_->places_of(from[static_cast<std::size_t>(i)].group)[c];
    };
    const auto row_of = [&](std::int64_t i) { return from[static_cast<std::size_t>(i)].row; };
    ColumnParts parts{.schema = schema, .size = count};
    const auto copy = [&](auto unit) {
      auto* to = static_cast<char*>(parts.values.bytes());
      for (std::int64_t i = 0; i < count; ++i, to += unit) {
        std::memcpy(to, impl_->bytes(place(i).values + row_of(i) * unit), unit);
      }
    };
    const std::int64_t unit = detail::value_bytes(schema);
    if (schema.type == ColumnType::categorical) {
      parts.width = static_cast<std::uint8_t>(unit);
      parts.values = Tensor::empty({count * unit}, DType::u8, Device::cpu());
    } else if (unit > 0) {
      parts.values = Tensor::empty({count}, detail::stored_as(schema.type), Device::cpu());
    }
    if (unit == 1) copy(std::integral_constant<int, 1>());
    if (unit == 2) copy(std::integral_constant<int, 2>());
    if (unit == 4) copy(std::integral_constant<int, 4>());
    if (unit == 8) copy(std::integral_constant<int, 8>());
    if (detail::keeps_texts(schema)) {
      parts.texts = detail::join_texts(count, [&](std::int64_t i) {
        const auto* offsets = reinterpret_cast<const std::int64_t*>(impl_->bytes(place(i).offsets)) + row_of(i);
        return std::string_view(impl_->bytes(place(i).texts + offsets[0]),
                                static_cast<std::size_t>(offsets[1] - offsets[0]));
      });
    }
    detail::MissingMarks marks(count);
    for (std::int64_t i = 0; i < count; ++i) {
      if (place(i).missing < 0) continue;
      const std::int64_t row = row_of(i);
      if (static_cast<unsigned char>(*impl_->bytes(place(i).missing + (row >> 3))) >> (row & 7) & 1) marks.mark(i);
    }
    parts.missing = marks.take();
    return Column(std::move(parts));
  };
  std::vector<Column> made;
  if (columns.empty()) {
    for (const ColumnSchema& schema : impl_->schema.columns) made.push_back(make(schema));
  }
  for (const std::string& name : columns) made.push_back(make(impl_->schema[name]));
  return Table(std::move(made));
}

SYNTHDATA_INLINE TableCacheDataset::TableCacheDataset(TableCache cache, TableSamples samples)
    : cache_(std::move(cache)), samples_(std::move(samples)) {
  if (samples_.encode || samples_.columns.empty()) return;
  needed_ = samples_.columns;
  const bool has_label = std::find(needed_.begin(), needed_.end(), samples_.label) != needed_.end();
  if (!samples_.label.empty() && !has_label) needed_.push_back(samples_.label);
}

SYNTHDATA_INLINE Sample TableCacheDataset::get(std::int64_t index, Rng& /*rng*/) const {
  const std::int64_t indices[] = {index};
  const Batch batch = gather(indices);
  return {batch.data.reshape(batch.data.shape().erase(0)),
          batch.labels.defined() ? batch.labels.data<std::int64_t>()[0] : -1};
}

SYNTHDATA_INLINE std::string source_key(const std::string& path, std::string_view options) {
  struct ::stat info = {};
  if (::stat(path.c_str(), &info) != 0) detail::throw_file_error(path, "open", errno);
  return concat(path, '\n', std::int64_t{info.st_size}, " bytes, changed ", std::int64_t{info.st_mtim.tv_sec}, '.',
                std::int64_t{info.st_mtim.tv_nsec}, '\n', options);
}

SYNTHDATA_INLINE bool is_table_cache(const std::string& path, std::string_view key) {
  struct ::stat info = {};
  if (::stat(path.c_str(), &info) != 0 && errno == ENOENT) return false;
  const InputFile file(path);
  std::string start(detail::cache_magic.size(), '\0');
  if (file.size() >= static_cast<std::int64_t>(start.size())) {
    file.read_at(0, start.data(), static_cast<std::int64_t>(start.size()));
  }
  if (start != detail::cache_magic) {
    throw DataError(concat(path, ": is not a table cache, and would be overwritten by one; choose another name"));
  }
  try {
    return TableCache(path).key() == key;
  } catch (const DataError&) {
    return false;  // damaged, or of another version: to be written again
  }
}

SYNTHDATA_INLINE TableCache cached_csv(const std::string& path, const CsvOptions& options, std::string cache) {
  Json::Array missing;
  for (const std::string& text : options.missing) missing.push_back(text);
  const Json text =
      Json::Object{{"delimiter", int{options.delimiter}},      {"quote", int{options.quote}},
                   {"comment", int{options.comment}},          {"header", options.header ? int{*options.header} : -1},
                   {"skip_lines", options.skip_lines},         {"encoding", static_cast<int>(options.encoding)},
                   {"schema", options.schema.json()},          {"missing", std::move(missing)},
                   {"max_categories", options.max_categories}, {"day_first", options.day_first},
                   {"ragged", options.ragged != nullptr}};
  if (cache.empty()) cache = path + ".cache";
  return cached_table(cache, source_key(path, text.dump()), [&] { return CsvReader(path, options); });
}

}  // namespace synthdata
