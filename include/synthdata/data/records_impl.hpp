// synthdata/data/records_impl.hpp: bodies of data/records.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/parallel.hpp>
#include <synthdata/data/column_pieces_impl.hpp>
#include <synthdata/data/records.hpp>
#include <synthdata/data/table_stream_impl.hpp>
#include <synthdata/data/text_stream_impl.hpp>
#include <synthdata/io/mapped_file.hpp>

#include <algorithm>
#include <cstring>

namespace synthdata::detail {

SYNTHDATA_INLINE RecordRows::RecordRows(const TextPart& whole, const RecordPiece& piece, const RecordColumns& columns,
                                        const RecordOptions& options)
    : whole_(whole),
      columns_(columns),
      options_(options),
      piece_bytes_(piece.end - piece.begin),
      cells_(columns.names.size()),
      kinds_(columns.names.size()) {
  text_.resize(filled_ + piece_bytes_ + 64);
  begins_.reserve(static_cast<std::size_t>(piece.rows));
  sources_.reserve(static_cast<std::size_t>(piece.rows));
}

SYNTHDATA_COLD SYNTHDATA_INLINE void RecordRows::fail(const char* at, const std::string& message) const {
  whole_.fail(static_cast<std::size_t>(at - whole_.text.data()), message);
}

SYNTHDATA_INLINE void RecordRows::begin(const char* at) {
  start_ = at;
  next_ = 0;
  bytes_ = used_room_ = 0;
}

SYNTHDATA_INLINE RecordRows::Cell* RecordRows::find(std::string_view key) {
  const std::uint32_t count = columns_.names.size();
  if (next_ < count && same_text(columns_.names[next_], key)) return &cells_[next_++];
  const std::uint64_t hash = Dictionary::hash(key);
  const std::uint32_t known = columns_.names.find(key, hash);
  if (known != Dictionary::none) {
    next_ = known + 1;
    return &cells_[known];
  }
  if (columns_.fixed) fail(start_, concat("key ", in_quotes(key), " is not in the schema"));
  if (fresh_.find(key, hash) == Dictionary::none) {
    if (count + fresh_.size() >= options_.max_columns) {
      fail(start_, concat("key ", in_quotes(key), " is one more than ", options_.max_columns, " (max_columns)"));
    }
    fresh_.add(key, hash, false);
  }
  return nullptr;
}

SYNTHDATA_INLINE void RecordRows::put(std::string_view key, const char* at, std::size_t size, std::uint8_t kind) {
  Cell* const cell = find(key);
  if (!cell) return;
  if (cell->at) fail(start_, concat("key ", in_quotes(key), " comes twice in this record"));
  *cell = {at, size};
  bytes_ += size;
  kinds_[static_cast<std::size_t>(cell - cells_.data())] |= kind;
}
SYNTHDATA_INLINE void RecordRows::set(std::string_view key, std::string_view value, Kind kind) {
  put(key, value.data(), value.size(), kind);
}
SYNTHDATA_INLINE void RecordRows::set_missing(std::string_view key) {
  put(key, absent_cell.data(), absent_cell.size(), 0);
}
SYNTHDATA_INLINE void RecordRows::set_boolean(std::string_view key, bool value) {
  std::string_view spelled = value ? "true" : "false";
  const std::uint32_t known = columns_.names.find(key, Dictionary::hash(key));
  if (known != Dictionary::none && columns_.booleans[known]) {
    spelled = value ? columns_.booleans[known]->true_text : columns_.booleans[known]->false_text;
  }
  put(key, spelled.data(), spelled.size(), boolean);
}

SYNTHDATA_INLINE char* RecordRows::room(std::size_t bytes) {
  if (room_.size() < piece_bytes_) room_.resize(piece_bytes_);
  if (bytes > room_.size() - used_room_) throw Error("RecordRows: more room than the piece is long");
  return room_.data() + std::exchange(used_room_, used_room_ + bytes);
}

SYNTHDATA_INLINE void RecordRows::end(const char* at) {
  const std::size_t count = cells_.size();
  if (at - start_ > options_.max_record_bytes) {
    fail(start_, concat("this record is longer than ", options_.max_record_bytes, " bytes (max_record_bytes)"));
  }
  // a table of mostly missing values may be large, but only so much larger than its text
  if (ends_.size() + count > 16 * piece_bytes_ + (1 << 20)) {
    fail(start_, concat("expects at most 16 cells for each byte of text, these records have few of ", count,
                        " different keys each"));
  }
  const std::size_t needed = filled_ + bytes_ + 2 * count + 2;
  if (needed > 0xffffffffu) fail(start_, "this record is longer than 4 GB");
  if (needed > text_.size()) text_.resize(std::max(needed, text_.size() + text_.size() / 2));
  begins_.push_back(static_cast<std::uint32_t>(filled_));
  sources_.push_back(static_cast<std::size_t>(start_ - whole_.text.data()));
  const std::size_t row = ends_.size();
  ends_.resize(row + count);
  char* to = text_.data() + filled_;
  for (std::size_t c = 0; c < count; ++c) {
    Cell& cell = cells_[c];
    if (!cell.at) {
      *to++ = absent_cell[0];
    } else {
      std::memcpy(to, cell.at, cell.size);
      to += cell.size;
    }
    if (c + 1 == count) *to++ = '\r';  // which a grid takes for a part of the end of the row
    ends_[row + c] = static_cast<std::uint32_t>(to++ - text_.data());
    cell = {};
  }
  filled_ = static_cast<std::size_t>(to - text_.data());
}

SYNTHDATA_INLINE Grid RecordRows::grid() const {
  return {.text = text_.data(),
          .readable = text_.data() + 16,
          .begins = begins_.data(),
          .ends = ends_.data(),
          .rows = static_cast<std::int64_t>(begins_.size()),
          .columns = static_cast<std::int64_t>(cells_.size())};
}

/// The columns of a file of records and what is known of them, over all passes.
class RecordTable {
 public:
  RecordTable(const std::string_view path, const RecordFormat& format, const RecordOptions& options)
      : path_(path), options_(options) {
    if (options.max_record_bytes < 1 || options.max_record_bytes > (std::int64_t{1} << 31)) {
      throw NumericError(
          concat("RecordOptions: expects max_record_bytes in 1 ... 2^31, got ", options.max_record_bytes));
    }
    cells.max_categories = options.max_categories;
    cells.day_first = options.day_first;
    if (options.missing) cells.missing = *options.missing;
    if (!options.missing && format.typed()) cells.missing.clear();
    cells.missing.emplace_back(absent_cell);
    if (!options.schema.columns.empty()) give(options.schema);
  }

  /// Columns and plans from a schema.
  void give(const Schema& schema) {
    columns = {};
    columns.fixed = true;
    plans.clear();
    for (const ColumnSchema& column : schema.columns) {
      if (columns.names.find(column.name, Dictionary::hash(column.name)) != Dictionary::none) {
        throw DataError(concat("Schema: two columns are called ", in_quotes(column.name)));
      }
      columns.add(column.name);
      if (column.type == ColumnType::boolean) columns.booleans.back() = &column;
      plans.push_back(plan_of(column));
    }
    restart();
  }
  /// Marks all columns to be read.
  void restart() {
    evidence.assign(plans.size(), {});
    marked.assign(plans.size(), true);
    extended = false;
  }
  void add(const Dictionary& fresh) {
    for (std::uint32_t i = 0; i < fresh.size(); ++i) {
      if (columns.names.find(fresh[i], Dictionary::hash(fresh[i])) != Dictionary::none) continue;
      if (columns.names.size() >= options_.max_columns) {
        throw DataError(concat(path_, ": has more than ", options_.max_columns, " different keys (max_columns)"));
      }
      columns.add(fresh[i]);
      ColumnPlan plan;
      plan.schema.name = fresh[i];
      plan.unknown = true;
      plans.push_back(std::move(plan));
      extended = true;
    }
  }
  /// At the end of a pass: true if another is needed.
  bool settle() {
    if (extended) {
      restart();
      return true;
    }
    for (std::size_t c = 0; c < plans.size(); ++c) {
      if (!marked[c] || plans[c].given || (columns.kinds[c] & RecordRows::text) == 0) continue;
      const ColumnType type = plans[c].schema.type;
      plans[c].texts = true;
      if (type == ColumnType::integer || type == ColumnType::real || type == ColumnType::boolean) {
        evidence[c].fits = evidence[c].number = false;
      }
      if (plans[c].number_names) evidence[c].integers = evidence[c].number = false;
    }
    return settle_all(plans, evidence, cells, marked);
  }
  void check_columns() const {
    if (plans.empty()) throw DataError(concat(path_, ": expects at least one record with a field"));
  }

  CsvOptions cells;  ///< how cells are to be read
  RecordColumns columns;
  std::vector<ColumnPlan> plans;
  std::vector<ColumnEvidence> evidence;
  std::vector<bool> marked;
  bool extended = false;  ///< by columns that the pieces before do not know

 private:
  std::string path_;
  const RecordOptions& options_;
};

/// A text of whole records being read.
class RecordBody {
 public:
  RecordBody(const TextPart& text, const RecordFormat& format, const RecordOptions& options, RecordCut cut,
             RecordTable& table)
      : text_(text), format_(format), options_(options), cut_(std::move(cut)), table_(table), columns_(table.cells) {
    std::vector<std::int64_t> places;
    for (const RecordPiece& piece : cut_.pieces) places.push_back(piece.row);
    columns_.resize(std::move(places), cut_.rows);
  }

  /// Columns and plans from the first piece.
  void guess() {
    if (cut_.pieces.empty()) return;
    RecordPiece first = cut_.pieces[0];
    const auto parse = [&] {
      RecordRows rows(text_, first, table_.columns, options_);
      format_.parse(text_, first, rows);
      return rows;
    };
    table_.add(parse().fresh());
    const RecordRows rows = parse();
    const Grid grid = rows.grid();
    std::string buffer;
    for (std::size_t c = 0; c < table_.plans.size(); ++c) {
      std::vector<std::string> sample;
      for (std::int64_t row = 0; row < std::min<std::int64_t>(grid.rows, 1000); ++row) {
        const std::string_view cell = grid.cell(row, static_cast<std::int64_t>(c), buffer);
        if (!columns_.missing().contains(cell)) sample.emplace_back(cell);
      }
      table_.plans[c] =
          guess_plan(table_.plans[c].schema.name, sample, table_.cells, (rows.kinds()[c] & RecordRows::text) != 0);
    }
    table_.restart();
  }

  /// A pass over this text. @throws DataError
  void read() {
    const std::size_t count = cut_.pieces.size();
    columns_.remember(table_.plans, table_.marked);
    columns_.start(table_.plans, table_.marked);
    std::vector<std::string> errors(count);
    std::vector<Dictionary> fresh(count);
    std::vector<std::vector<std::uint8_t>> kinds(count);
    parallel_for(static_cast<std::int64_t>(count), 1, [&](std::int64_t begin, std::int64_t end) {
      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
        try {
          RecordRows rows(text_, cut_.pieces[i], table_.columns, options_);
          format_.parse(text_, cut_.pieces[i], rows);
          fresh[i] = rows.fresh();
          kinds[i] = rows.kinds();
          if (!table_.extended && fresh[i].size() == 0) {
            columns_.read_piece(i, rows.grid(), table_.plans, table_.marked);
            explain_misfit(i, rows);
          }
        } catch (const DataError& error) {
          errors[i] = error.what();
        }
      }
    });
    for (const std::string& error : errors) {
      if (!error.empty()) throw DataError(error);
    }
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t c = 0; c < kinds[i].size(); ++c) table_.columns.kinds[c] |= kinds[i][c];
    }
    for (const Dictionary& names : fresh) table_.add(names);
    if (!table_.extended) columns_.join(table_.plans, table_.marked, table_.evidence);
  }

  Table table() { return columns_.table(table_.plans); }

 private:
  void explain_misfit(std::size_t i, const RecordRows& rows) const {
    const auto [row, column] = columns_.misfit(i, table_.marked);
    if (row < 0) return;
    std::string buffer;
    const std::string_view cell = rows.grid().cell(row, static_cast<std::int64_t>(column), buffer);
    const ColumnSchema& schema = table_.plans[column].schema;
    rows.fail(rows.source(row),
              concat("key ", in_quotes(schema.name), " ", expectation(schema), ", got ", in_quotes(cell)));
  }

  TextPart text_;
  const RecordFormat& format_;
  const RecordOptions& options_;
  RecordCut cut_;
  RecordTable& table_;
  ColumnPieces columns_;
};

SYNTHDATA_INLINE Table read_records(const TextPart& whole, const RecordFormat& format, const RecordOptions& options) {
  const Owned<RecordFormat> own(format.clone());
  RecordTable table(whole.path, format, options);
  RecordBody body(whole, *own, options, own->cut(whole, true), table);
  if (!table.columns.fixed) body.guess();
  do {
    body.read();
    table.check_columns();
  } while (table.settle());
  return body.table();
}

SYNTHDATA_INLINE Table read_record_text(std::string_view text, const RecordFormat& format,
                                        const RecordOptions& options) {
  const ByteOrderMark mark = byte_order_mark(text);
  if (mark.encoding == Encoding::utf8) text.remove_prefix(mark.bytes);
  return read_records({text, "text", 1}, format, options);
}

SYNTHDATA_INLINE Table read_record_file(const std::string& path, const RecordFormat& format,
                                        const RecordOptions& options) {
  {
    const MappedFile file(path);
    std::string_view text = file.bytes();
    const ByteOrderMark mark = byte_order_mark(text);
    if (!text.starts_with("\x1f\x8b") && mark.encoding == Encoding::utf8) {
      text.remove_prefix(mark.bytes);
      return read_records({text, path, 1}, format, options);
    }
  }
  const std::string text = read_whole_text(path, Encoding::detect, options.max_text_bytes);
  return read_records({text, path, 1}, format, options);
}

/// Windows of whole records over a file of any size.
class RecordWindows {
 public:
  RecordWindows(const std::string& path, const RecordFormat& format, const RecordOptions& options)
      : path_(path), options_(options), source_(path), format_(format.clone()) {}

  /// The next window; false at the end. The text is good until the next call.
  bool next(TextPart& text, RecordCut& cut) {
    while (more_ || !buffer_.empty()) {
      line_ += std::count(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(done_), '\n');
      buffer_.erase(0, done_);
      done_ = 0;
      const auto size = [&] { return static_cast<std::int64_t>(buffer_.size()); };
      const std::int64_t wanted = std::max(text_window_bytes, 2 * size());
      while (more_ && size() < wanted) more_ = source_.read(buffer_, wanted - size());
      text = {buffer_, path_, line_};
      cut = format_->cut(text, !more_);
      done_ = more_ ? cut.complete : buffer_.size();
      if (more_ && size() - static_cast<std::int64_t>(done_) > options_.max_record_bytes) {
        text.fail(done_, concat("this record is longer than ", options_.max_record_bytes, " bytes (max_record_bytes)"));
      }
      if (!cut.pieces.empty()) return true;
    }
    return false;
  }

  const RecordFormat& format() const { return *format_; }

 private:
  std::string path_;
  const RecordOptions& options_;
  TextSource source_;
  Owned<RecordFormat> format_;
  std::string buffer_;
  std::size_t done_ = 0;
  std::int64_t line_ = 1;
  bool more_ = true;
};

SYNTHDATA_INLINE Schema infer_records(const std::string& path, const RecordFormat& format,
                                      const RecordOptions& options) {
  RecordTable table(path, format, options);
  do {
    RecordWindows windows(path, format, options);
    TextPart text;
    RecordCut cut;
    while (windows.next(text, cut)) {
      RecordBody body(text, windows.format(), options, std::move(cut), table);
      if (table.plans.empty()) body.guess();
      body.read();
    }
    table.check_columns();
  } while (table.settle());
  return schema_of(table.plans);
}

struct RecordReader::Impl {
  Impl(const std::string& path, const RecordFormat& format, const RecordOptions& given, std::int64_t rows_wanted)
      : options(given), rows(rows_wanted), table(path, format, options), windows(path, format, options) {
    if (rows < 1) throw NumericError(concat("expects at least one row a piece, got ", rows));
    if (!table.columns.fixed) {
      options.schema = infer_records(path, format, options);
      table.give(options.schema);
    }
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  std::optional<Table> read_window() {
    TextPart text;
    RecordCut cut;
    if (!windows.next(text, cut)) return {};
    RecordBody body(text, windows.format(), options, std::move(cut), table);
    table.restart();
    body.read();
    table.settle();
    return body.table();
  }

  RecordOptions options;
  std::int64_t rows;
  RecordTable table;
  RecordWindows windows;
  Rechunked chunks;
};

SYNTHDATA_INLINE RecordReader::RecordReader(const std::string& path, Owned<RecordFormat> format,
                                            const RecordOptions& options, std::int64_t rows)
    : impl_(new Impl(path, *format, options, rows)) {}
SYNTHDATA_INLINE RecordReader::RecordReader(RecordReader&&) noexcept = default;
SYNTHDATA_INLINE RecordReader& RecordReader::operator=(RecordReader&&) noexcept = default;
SYNTHDATA_INLINE RecordReader::~RecordReader() = default;
SYNTHDATA_INLINE const Schema& RecordReader::schema() const { return impl_->options.schema; }
SYNTHDATA_INLINE std::optional<Table> RecordReader::next() {
  return impl_->chunks.next(impl_->rows, [&] { return impl_->read_window(); });
}

}  // namespace synthdata::detail
