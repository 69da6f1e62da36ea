// synthdata/data/csv_impl.hpp: bodies of data/csv.hpp: from files to pieces of rows to tables, and back.
//
// Text is cut into pieces of whole rows whose bounds depend on the text alone. Quotes are what makes that hard: a first
// pass counts, for each piece, its quotes and the rows it ends if it starts outside or inside of quotes.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/parallel.hpp>
#include <synthdata/core/scratch.hpp>
#include <synthdata/data/column_pieces.hpp>
#include <synthdata/data/csv.hpp>
#include <synthdata/data/csv_columns_impl.hpp>
#include <synthdata/data/table_impl.hpp>
#include <synthdata/data/text_stream.hpp>
#include <synthdata/io/mapped_file.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace synthdata {
namespace detail {

inline constexpr std::int64_t csv_sample_bytes = 64 << 10, csv_sample_rows = 1000;

/// How the rows of a file are made.
struct CsvLayout {
  CsvDialect dialect;
  CsvCharacters characters;
  char comment = 0;
  std::int64_t columns() const { return static_cast<std::int64_t>(dialect.names.size()); }
};

inline std::string describe_byte(char c) {
  constexpr const char* digits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  return {'0', 'x', digits[byte >> 4], digits[byte & 15]};
}

/// Reads rows one after the other, character by character, and says what is wrong with them and where: for headers,
/// samples, comments, and texts that the fast path could not make sense of.
class RowReader {
 public:
  RowReader(const TextPart& text, CsvCharacters characters, char comment, const CsvOptions& options)
      : text_(text), characters_(characters), comment_(comment), options_(options) {}

  /// Reads the next row that is not empty or a comment. False after the last.
  /// @param fields  gets its fields, unless null
  bool next(std::vector<std::string>* fields) {
    const std::string_view text = text_.text;
    for (;; ++at_) {
      if (at_ >= text.size()) return false;
      start_ = at_;
      if (comment_ != 0 && text[at_] == comment_) {
        at_ = std::min(text.find('\n', at_), text.size());
        check_bytes(at_);
        continue;
      }
      const std::size_t blank_end = at_ + (text[at_] == '\r');
      if (blank_end < text.size() && text[blank_end] == '\n') {
        at_ = blank_end;
        continue;
      }
      break;
    }
    fields_ = 0;
    if (fields) fields->clear();
    for (bool last = false; !last;) {
      std::string field;
      last = read_field(field);
      if (++fields_ > options_.max_columns) {
        text_.fail(start_, concat("expects at most ", options_.max_columns, " columns (max_columns)"));
      }
      if (fields) fields->push_back(std::move(field));
    }
    check_bytes(at_);
    return true;
  }
  /// Of the row read last: where it starts and ends (behind its newline), and how many fields it has.
  std::size_t start() const { return start_; }
  std::size_t end() const { return at_; }
  std::int64_t fields() const { return fields_; }

 private:
  /// Reads a field and what ends it; true at the end of a row.
  bool read_field(std::string& field) {
    const std::string_view text = text_.text;
    const char quote = characters_.quote;
    if (quote != 0 && at_ < text.size() && text[at_] == quote) {
      const std::size_t open = at_++;
      for (;; ++at_) {
        if (at_ == text.size()) text_.fail(open, "this quote is not closed before the end of the file");
        check_length(open, "this quote is not closed within ");
        if (text[at_] == quote) {
          if (at_ + 1 == text.size() || text[at_ + 1] != quote) break;
          ++at_;
        }
        field += text[at_];
      }
      ++at_;
      const bool crlf = at_ + 1 < text.size() && text[at_] == '\r' && text[at_ + 1] == '\n';
      const bool cr_at_end = at_ + 1 == text.size() && text[at_] == '\r';
      at_ += crlf || cr_at_end;
      if (at_ < text.size() && text[at_] != characters_.delimiter && text[at_] != '\n') {
        text_.fail(at_,
                   "expects a delimiter or the end of the row after a quote that closes a field; a quote inside a "
                   "field is written twice");
      }
    } else {
      for (; at_ < text.size() && text[at_] != characters_.delimiter && text[at_] != '\n'; ++at_) {
        check_length(start_, "this row is longer than ");
        if (quote != 0 && text[at_] == quote) {
          text_.fail(at_,
                     "a quote inside a field that does not begin with one; set quote to 0 if it is a character "
                     "like others");
        }
        field += text[at_];
      }
      if ((at_ == text.size() || text[at_] == '\n') && field.ends_with('\r')) field.pop_back();
    }
    const bool last = at_ >= text.size() || text[at_] == '\n';
    at_ += at_ < text.size();
    return last;
  }
  void check_length(std::size_t from, const char* what) const {
    if (static_cast<std::int64_t>(at_ - start_) < options_.max_row_bytes) return;
    check_bytes(at_);
    text_.fail(from, concat(what, options_.max_row_bytes, " bytes (max_row_bytes)"));
  }
  /// @throws DataError for the first byte of the row that is zero or not UTF-8.
  void check_bytes(std::size_t end) const {
    const std::string_view row = text_.text.substr(start_, end - start_);
    const std::size_t zero = row.find('\0'), broken = find_not_utf8(row);
    if (zero < broken) text_.fail(start_ + zero, "a zero byte, which text does not have; is this UTF-16?");
    if (broken != std::string_view::npos) {
      text_.fail(start_ + broken, concat("byte ", describe_byte(row[broken]),
                                         " is not UTF-8; set encoding if the file has another one"));
    }
  }

  TextPart text_;
  CsvCharacters characters_;
  char comment_;
  const CsvOptions& options_;
  std::size_t at_ = 0, start_ = 0;
  std::int64_t fields_ = 0;
};

/// What lies between the start of a text and its first row of values: fills `layout`, returns the length.
SYNTHDATA_INLINE std::size_t read_preamble(const TextPart& whole, bool complete, const CsvOptions& options,
                                           CsvLayout& layout) {
  const auto check = [&](char c, const char* what, bool required) {
    if ((c == 0 && !required) || (c != '\n' && c != '\r' && c != 0 && static_cast<unsigned char>(c) < 0x80)) return;
    throw DataError(concat("CsvOptions: ", describe_byte(c), " cannot be a ", what));
  };
  check(options.delimiter, "delimiter", false);
  check(options.quote, "quote", false);
  check(options.comment, "comment", false);
  if (options.max_row_bytes < 1 || options.max_row_bytes > (std::int64_t{1} << 31)) {
    throw NumericError(concat("CsvOptions: expects max_row_bytes in 1 ... 2^31, got ", options.max_row_bytes));
  }
  std::size_t start = 0;
  for (std::int64_t i = 0; i < options.skip_lines && start < whole.text.size(); ++i) {
    start = std::min(whole.text.find('\n', start), whole.text.size() - 1) + 1;
  }
  TextPart text{whole.text.substr(start), whole.path, whole.line_of(start)};

  // the sample: whole rows only, if there are any
  TextPart sample = text;
  sample.text = sample.text.substr(0, csv_sample_bytes);
  const bool cut = sample.text.size() < text.text.size() || !complete;
  const auto rows_of = [&](char delimiter) {
    std::vector<std::vector<std::string>> rows;
    CsvOptions tolerant = options;
    tolerant.max_row_bytes = csv_sample_bytes + 1;
    RowReader reader(sample, {delimiter, options.quote}, options.comment, tolerant);
    try {
      for (std::vector<std::string> row; rows.size() < csv_sample_rows && reader.next(&row);) {
        if (cut && reader.end() == sample.text.size() && !rows.empty()) break;
        rows.push_back(row);
      }
    } catch (const DataError&) {  // whoever reads the rows will say it
    }
    return rows;
  };
  char delimiter = options.delimiter;
  std::vector<std::vector<std::string>> rows;
  if (delimiter == 0) {
    double best = 0.0;
    delimiter = ',';
    for (const char candidate : {',', ';', '\t', '|'}) {
      auto split = rows_of(candidate);
      std::vector<std::size_t> counts;
      for (const auto& row : split) counts.push_back(row.size());
      if (counts.empty()) continue;
      std::nth_element(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(counts.size() / 2), counts.end());
      const std::size_t usual = counts[counts.size() / 2];
      const auto same = static_cast<double>(std::count(counts.begin(), counts.end(), usual));
      const double share = same / static_cast<double>(counts.size());
      const double score =
          usual > 1 ? share * share * (1.0 - 1.0 / static_cast<double>(usual + 1)) * static_cast<double>(counts.size())
                    : 0.0;
      if (score > best) {
        best = score;
        delimiter = candidate;
        rows = std::move(split);
      }
    }
  }
  if (rows.empty()) rows = rows_of(delimiter);
  layout.characters = {delimiter, options.quote};
  layout.comment = options.comment;
  layout.dialect.delimiter = delimiter;
  const std::size_t newline = sample.text.find('\n');
  layout.dialect.crlf = newline != std::string_view::npos && newline > 0 && sample.text[newline - 1] == '\r';

  const auto looks_like_names = [&] {
    if (rows.empty()) return false;
    std::vector<std::string> first = rows[0];
    const MissingTexts missing(options.missing);
    Number number;
    bool any = false;
    for (std::size_t c = 0; c < first.size(); ++c) {
      any |= !first[c].empty();
      if (!first[c].empty() && missing.contains(first[c])) return false;
      if (loose_number(first[c], number) || !date_time_formats(first[c], false).empty()) return false;
      for (std::size_t r = 1; r < rows.size(); ++r) {
        if (c < rows[r].size() && !first[c].empty() && rows[r][c] == first[c]) return false;
      }
    }
    std::sort(first.begin(), first.end());
    return any && std::adjacent_find(first.begin(), first.end()) == first.end();
  };
  layout.dialect.header = options.header ? *options.header : looks_like_names();

  RowReader reader(text, layout.characters, options.comment, options);
  std::vector<std::string> first;
  if (!reader.next(&first)) throw DataError(concat(whole.path, ": expects at least one row, is empty"));
  if (!layout.dialect.header) {
    for (std::size_t c = 0; c < first.size(); ++c) first[c].clear();
  }
  for (std::size_t c = 0; c < first.size(); ++c) {
    if (first[c].empty()) first[c] = concat("column ", c + 1);
  }
  Dictionary seen;  // a name that comes again gets a number: "a", "a.2"
  for (std::string& name : first) {
    const std::string base = name;
    for (int n = 2; seen.find(name, Dictionary::hash(name)) != Dictionary::none; ++n) name = concat(base, ".", n);
    seen.add(name, Dictionary::hash(name), false);
  }
  layout.dialect.names = std::move(first);
  return start + (layout.dialect.header ? reader.end() : 0);
}

/// Whole rows of a text: about text_piece_bytes of it.
struct CsvPiece {
  std::size_t begin = 0, end = 0;
  std::int64_t row = 0, rows = 0;  ///< place of its first row, and an upper bound of how many it has
};
struct CsvPieces {
  std::vector<CsvPiece> pieces;
  std::int64_t rows = 0;
  std::size_t complete = 0;  ///< end of the last row that has its newline
  bool open = false;         ///< the text ends inside quotes
};

/// With comments quotes cannot be counted beforehand; the text is then one piece for each text_piece_bytes, found in
/// order.
SYNTHDATA_INLINE CsvPieces cut_by_reading(const TextPart& text, const CsvLayout& layout, const CsvOptions& options,
                                          bool complete) {
  CsvPieces cut;
  RowReader reader(text, layout.characters, layout.comment, options);
  CsvPiece piece;
  const auto close = [&](std::size_t end) {
    piece.end = end;
    if (piece.end > piece.begin) cut.pieces.push_back(piece);
    piece = {.begin = end, .end = end, .row = cut.rows};
  };
  try {
    while (reader.next(nullptr)) {
      if (reader.end() == text.text.size() && !text.text.ends_with('\n') && !complete) break;
      cut.complete = reader.end();
      ++cut.rows;
      ++piece.rows;
      if (static_cast<std::int64_t>(reader.end() - piece.begin) >= text_piece_bytes) close(reader.end());
    }
  } catch (const DataError&) {
    if (complete) throw;
    cut.open = true;  // perhaps only cut off: whoever finds no more text will say it
  }
  close(cut.complete);
  return cut;
}

SYNTHDATA_INLINE CsvPieces cut_rows(const TextPart& text, const CsvLayout& layout, const CsvOptions& options,
                                    bool complete) {
  if (layout.comment != 0) return cut_by_reading(text, layout, options, complete);
  CsvPieces cut;
  const std::string_view all = text.text;
  const auto size = static_cast<std::int64_t>(all.size());
  // long rows make long pieces, so that a piece's own costs, which grow with the columns, do not weigh
  const auto first_row = static_cast<std::int64_t>(std::min(all.find('\n'), all.size()));
  const std::int64_t step = std::max(text_piece_bytes, std::min(64 * first_row, 64 * text_piece_bytes));
  std::vector<RowCount> counts(static_cast<std::size_t>((size + step - 1) / step));
  parallel_for(size, step, [&](std::int64_t begin, std::int64_t end) {
    const auto part = all.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
    counts[static_cast<std::size_t>(begin / step)] = count_rows(part, layout.characters.quote);
  });
  int inside = 0;
  CsvPiece piece;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const RowCount& count = counts[i];
    const std::int64_t newlines = count.newlines[inside], offset = static_cast<std::int64_t>(i) * step;
    if (newlines > 0) {
      if (i > 0) {
        piece.end = static_cast<std::size_t>(offset + count.first[inside] + 1);
        cut.pieces.push_back(piece);
        cut.rows += piece.rows;
        piece = {.begin = piece.end, .end = piece.end, .row = cut.rows};
      } else {
        piece.rows = 1;
      }
      piece.rows += newlines;
      cut.complete = static_cast<std::size_t>(offset + count.last[inside] + 1);
    } else if (i == 0) {
      piece.rows = 1;
    }
    inside ^= count.odd;
  }
  // rows are counted by the newlines before them; the last piece counts one that may not be there
  piece.end = complete ? all.size() : cut.complete;
  if (piece.end > piece.begin) {
    cut.pieces.push_back(piece);
    cut.rows += piece.rows;
  }
  cut.open = inside != 0;
  return cut;
}

/// The fields of one piece, checked; and the rows that are left out.
struct CsvGrid {
  Grid grid;
  bool broken = false;                ///< RowReader will say why
  std::vector<std::uint32_t> ragged;  ///< where such rows begin
};

class GridMaker {
 public:
  GridMaker(const TextPart& text, const CsvLayout& layout, const CsvOptions& options, const CsvPiece& piece)
      : text_(text.text.substr(piece.begin, piece.end - piece.begin)),
        layout_(layout),
        options_(options),
        ends_(static_cast<std::int64_t>(text_.size()) + 1),
        begins_(piece.rows + 1) {
    Grid& grid = made.grid;
    grid.text = text_.data();
    grid.readable = text.text.data() + 16;
    grid.columns = layout.columns();
    grid.begins = begins_.data();
    grid.ends = ends_.data();
    if (text_.size() >= 0xffffffffu) {
      made.broken = true;
      return;
    }
    FieldIndex index{};
    if (layout.comment == 0) {
      index = index_fields(text_, layout.characters, ends_.data());
    } else {
      index = index_with_comments();
    }
    if (!text_.ends_with('\n') && !text_.empty()) {  // the last row of a file may lack its newline
      ends_.data()[index.fields++] = static_cast<std::uint32_t>(text_.size());
      ++index.rows;
    }
    made.broken = index.open || index.zero_byte;
    if (!index.ascii) made.broken |= find_not_utf8(text_) != std::string_view::npos;
    if (index.quotes) grid.quote = layout.characters.quote;
    if (!made.broken && !regular(index)) regularise(index);
    if (!made.broken && grid.quote) check_quotes();
  }

  CsvGrid made;

 private:
  bool ends_row(std::uint32_t at) const { return at == text_.size() || text_[at] == '\n'; }
  bool too_long(std::size_t begin, std::size_t end) const {
    return static_cast<std::int64_t>(end - begin) > options_.max_row_bytes;
  }

  /// True if every row has the right number of fields and none is empty; then fills `begins`.
  bool regular(const FieldIndex& index) {
    const std::int64_t columns = made.grid.columns;
    if (index.fields != index.rows * columns || columns == 1 || layout_.comment != 0) return false;
    const std::uint32_t* ends = ends_.data() - 1;
    std::uint32_t begin = 0;
    for (std::int64_t row = 0; row < index.rows; ++row) {
      ends += columns;
      if (!ends_row(*ends)) return false;
      made.broken |= too_long(begin, *ends);
      begins_.data()[row] = begin;
      begin = *ends + 1;
    }
    made.grid.rows = index.rows;
    return true;
  }

  /// Leaves out empty rows, comments and, where they are allowed, ragged rows.
  void regularise(const FieldIndex& index) {
    const std::int64_t columns = made.grid.columns;
    std::uint32_t* const ends = ends_.data();
    std::uint32_t begin = 0;
    std::int64_t rows = 0;
    for (std::int64_t from = 0, to = 0; from < index.fields;) {
      const std::int64_t first = from;
      while (!ends_row(ends[from])) ++from;
      const std::uint32_t end = ends[from++], length = end - begin;
      made.broken |= too_long(begin, end);
      const bool empty = length == 0 || (length == 1 && text_[begin] == '\r' && end < text_.size());
      const bool comment = layout_.comment != 0 && !empty && text_[begin] == layout_.comment;
      if (from - first == columns && !empty && !comment) {
        begins_.data()[rows++] = begin;
        for (std::int64_t c = 0; c < columns; ++c) ends[to++] = ends[first + c];
      } else if (!empty && !comment) {
        made.broken |= options_.ragged == nullptr;
        made.ragged.push_back(begin);
      }
      begin = end + 1;
    }
    made.grid.rows = rows;
  }

  void check_quotes() {
    const Grid& grid = made.grid;
    for (std::int64_t row = 0; row < grid.rows; ++row) {
      for (std::int64_t c = 0; c < grid.columns; ++c) {
        const char *begin = nullptr, *end = nullptr;
        bounds(grid, row, c, begin, end);
        std::string_view field(begin, static_cast<std::size_t>(end - begin));
        if (!field.starts_with(grid.quote)) {
          made.broken |= field.find(grid.quote) != std::string_view::npos;
          continue;
        }
        made.broken |= field.size() < 2 || !field.ends_with(grid.quote);
        if (made.broken) return;
        field = field.substr(1, field.size() - 2);
        for (std::size_t at = field.find(grid.quote); at != std::string_view::npos;
             at = field.find(grid.quote, at + 2)) {
          made.broken |= at + 1 == field.size() || field[at + 1] != grid.quote;
        }
      }
    }
  }

  /// index_fields for text with comments, which may hold quotes of no meaning.
  FieldIndex index_with_comments() {
    FieldIndex index{.ascii = false};
    bool inside = false, comment = false;
    for (std::size_t at = 0, start = 0; at < text_.size(); ++at) {
      const char c = text_[at];
      index.zero_byte |= c == 0;
      if (at == start) comment = c == layout_.comment;
      if (!comment && layout_.characters.quote != 0 && c == layout_.characters.quote) {
        inside = !inside;
        index.quotes = true;
      }
      if (inside || (c != '\n' && (comment || c != layout_.characters.delimiter))) continue;
      ends_.data()[index.fields++] = static_cast<std::uint32_t>(at);
      index.rows += c == '\n';
      if (c == '\n') start = at + 1;
    }
    index.open = inside;
    return index;
  }

  std::string_view text_;
  const CsvLayout& layout_;
  const CsvOptions& options_;
  Scratch<std::uint32_t> ends_, begins_;
};

/// Reads the rows of a text in order until the first that is wrong, and throws what is.
[[noreturn]] SYNTHDATA_COLD SYNTHDATA_INLINE void explain(const TextPart& text, const CsvLayout& layout,
                                                          const CsvOptions& options) {
  RowReader reader(text, layout.characters, layout.comment, options);
  while (reader.next(nullptr)) {
    if (reader.fields() == layout.columns() || options.ragged) continue;
    text.fail(reader.start(), concat("expects ", layout.columns(), " fields, got ", reader.fields()));
  }
  throw DataError(concat(text.path, ": cannot be read as CSV"));
}

/// A text of whole rows being read by plans.
class CsvBody {
 public:
  CsvBody(const TextPart& text, const CsvLayout& layout, const CsvOptions& options, CsvPieces cut)
      : text_(text), layout_(layout), options_(options), cut_(std::move(cut)), columns_(options) {
    if (cut_.open) explain(text_, layout_, options_);
    std::vector<std::int64_t> places;
    for (const CsvPiece& piece : cut_.pieces) places.push_back(piece.row);
    columns_.resize(std::move(places), cut_.rows);
  }

  /// Plans from the first rows, for the columns of the layout.
  std::vector<ColumnPlan> guess() {
    const auto columns = static_cast<std::size_t>(layout_.columns());
    std::vector<std::vector<std::string>> samples(columns);
    if (!cut_.pieces.empty()) {
      const GridMaker maker(text_, layout_, options_, cut_.pieces[0]);
      if (maker.made.broken) explain(text_, layout_, options_);
      const Grid& grid = maker.made.grid;
      std::string buffer;
      for (std::int64_t row = 0; row < std::min(grid.rows, csv_sample_rows); ++row) {
        for (std::size_t c = 0; c < columns; ++c) {
          const std::string_view text = grid.cell(row, static_cast<std::int64_t>(c), buffer);
          if (!columns_.missing().contains(text)) samples[c].emplace_back(text);
        }
      }
    }
    std::vector<ColumnPlan> plans;
    for (std::size_t c = 0; c < columns; ++c)
      plans.push_back(guess_plan(layout_.dialect.names[c], samples[c], options_));
    return plans;
  }

  void remember(const std::vector<ColumnPlan>& plans, const std::vector<bool>& marked) {
    columns_.remember(plans, marked);
  }

  /// Reads the marked columns by plan and joins what was found to `evidence`.
  /// @throws DataError for rows that are not as the layout says, and cells that are not as a given plan says.
  void read(const std::vector<ColumnPlan>& plans, const std::vector<bool>& marked,
            std::vector<ColumnEvidence>& evidence) {
    const std::size_t count = cut_.pieces.size();
    columns_.start(plans, marked);
    ragged_.resize(count);
    std::vector<char> broken(count);
    parallel_for(static_cast<std::int64_t>(count), 1, [&](std::int64_t begin, std::int64_t end) {
      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
        const GridMaker maker(text_, layout_, options_, cut_.pieces[i]);
        broken[i] = maker.made.broken;
        if (broken[i]) continue;
        ragged_[i] = maker.made.ragged;
        columns_.read_piece(i, maker.made.grid, plans, marked);
      }
    });
    if (std::find(broken.begin(), broken.end(), 1) != broken.end()) explain(text_, layout_, options_);
    for (std::size_t i = 0; i < count; ++i) report_misfit(i, plans, marked);
    columns_.join(plans, marked, evidence);
  }

  void list_ragged() const {
    for (std::size_t i = 0; i < ragged_.size(); ++i) {
      for (const std::uint32_t offset : ragged_[i]) {
        if (options_.ragged->size() >= 1000) return;
        const std::size_t at = cut_.pieces[i].begin + offset;
        const TextPart rest{text_.text.substr(at), text_.path, 1};
        RowReader reader(rest, layout_.characters, layout_.comment, options_);
        reader.next(nullptr);
        options_.ragged->push_back({text_.line_of(at), reader.fields()});
      }
    }
  }

  Table table(const std::vector<ColumnPlan>& plans) { return columns_.table(plans); }

 private:
  /// Throws for the first cell of piece i that a given plan does not fit.
  void report_misfit(std::size_t i, const std::vector<ColumnPlan>& plans, const std::vector<bool>& marked) const {
    const auto [row, column] = columns_.misfit(i, marked);
    if (row < 0) return;
    const GridMaker maker(text_, layout_, options_, cut_.pieces[i]);
    const Grid& grid = maker.made.grid;
    const char *begin = nullptr, *end = nullptr;
    bounds(grid, row, static_cast<std::int64_t>(column), begin, end);
    std::string buffer;
    const ColumnSchema& schema = plans[column].schema;
    text_.fail(static_cast<std::size_t>(begin - text_.text.data()),
               concat("column ", in_quotes(schema.name), " ", expectation(schema), ", got ",
                      in_quotes(grid.cell(row, static_cast<std::int64_t>(column), buffer))));
  }

  TextPart text_;
  const CsvLayout& layout_;
  const CsvOptions& options_;
  CsvPieces cut_;
  ColumnPieces columns_;
  std::vector<std::vector<std::uint32_t>> ragged_;
};

/// Plans for the columns of a file from a schema. @throws DataError if they are not the schema's.
SYNTHDATA_INLINE std::vector<ColumnPlan> given_plans(std::string_view path, const CsvLayout& layout,
                                                     const Schema& schema) {
  const std::vector<std::string>& names = layout.dialect.names;
  if (schema.columns.size() != names.size()) {
    throw DataError(concat(path, ": the schema has ", schema.columns.size(), " columns, the file ", names.size()));
  }
  std::vector<ColumnPlan> plans;
  for (std::size_t c = 0; c < names.size(); ++c) {
    if (layout.dialect.header && schema.columns[c].name != names[c]) {
      throw DataError(concat(path, ": column ", c + 1, " is ", in_quotes(schema.columns[c].name), " in the schema and ",
                             in_quotes(names[c]), " in the file"));
    }
    plans.push_back(plan_of(schema.columns[c]));
  }
  return plans;
}

SYNTHDATA_INLINE Table read_whole(const TextPart& whole, const CsvOptions& options) {
  CsvLayout layout;
  const std::size_t start = read_preamble(whole, true, options, layout);
  const TextPart text{whole.text.substr(start), whole.path, whole.line_of(start)};
  CsvBody body(text, layout, options, cut_rows(text, layout, options, true));
  auto plans = options.schema.columns.empty() ? body.guess() : given_plans(whole.path, layout, options.schema);
  std::vector<ColumnEvidence> evidence(plans.size());
  std::vector<bool> marked(plans.size(), true);
  do {
    body.remember(plans, marked);
    body.read(plans, marked, evidence);
  } while (settle_all(plans, evidence, options, marked));
  if (options.ragged) body.list_ragged();
  return body.table(plans);
}

/// Windows of whole rows over a file of any size.
class CsvWindows {
 public:
  CsvWindows(const std::string& path, const CsvOptions& options)
      : path_(path), options_(options), source_(path, options.encoding) {
    for (std::int64_t wanted = csv_sample_bytes; more_ && size() < wanted;) {
      more_ = source_.read(buffer_, wanted);
      // the header, and lines to skip, must be within; a single row may be as long as max_row_bytes
      if (more_ && size() >= wanted && !preamble_within() && wanted <= options.max_row_bytes) wanted *= 2;
    }
    const TextPart text{buffer_, path_, 1};
    start_ = read_preamble(text, !more_, options_, layout);
    layout.dialect.encoding = source_.encoding();
    line_ = text.line_of(start_);
  }

  /// The next window; false at the end. The text is good until the next call.
  bool next(TextPart& text, CsvPieces& cut) {
    // line_ already lies behind the preamble
    if (!first_) line_ += std::count(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(start_), '\n');
    first_ = false;
    buffer_.erase(0, start_);
    start_ = 0;
    for (std::int64_t wanted = text_window_bytes;; wanted *= 2) {
      while (more_ && size() < wanted) more_ = source_.read(buffer_, wanted - size());
      if (buffer_.empty()) return false;
      text = {buffer_, path_, line_};
      cut = cut_rows(text, layout, options_, !more_);
      if (!more_) break;
      if (cut.complete > 0) {
        cut.open = false;
        break;
      }
      if (size() > options_.max_row_bytes) {
        cut.open = true;  // a row beyond the limit
        break;
      }
    }
    if (!cut.open) {
      start_ = more_ ? cut.complete : buffer_.size();
      text.text = text.text.substr(0, start_);
    }
    return true;
  }

  CsvLayout layout;

 private:
  std::int64_t size() const { return static_cast<std::int64_t>(buffer_.size()); }
  bool preamble_within() const { return std::count(buffer_.begin(), buffer_.end(), '\n') > options_.skip_lines + 1; }

  std::string path_;
  const CsvOptions& options_;
  TextSource source_;
  std::string buffer_;
  std::size_t start_ = 0;  // what is done with
  std::int64_t line_ = 1;
  bool more_ = true, first_ = true;
};

SYNTHDATA_INLINE std::vector<ColumnPlan> infer_plans(const std::string& path, const CsvOptions& options) {
  std::vector<ColumnPlan> plans;
  std::vector<ColumnEvidence> evidence;
  std::vector<bool> marked;
  for (bool first_pass = true, again = true; again; first_pass = false) {
    CsvWindows windows(path, options);
    TextPart text;
    CsvPieces cut;
    for (bool first_window = true; windows.next(text, cut); first_window = false) {
      CsvBody body(text, windows.layout, options, cut);
      if (first_pass && first_window) {
        plans = body.guess();
        evidence.resize(plans.size());
        marked.assign(plans.size(), true);
      }
      body.read(plans, marked, evidence);
    }
    if (plans.empty()) {  // a header alone
      for (const std::string& name : windows.layout.dialect.names) plans.push_back(guess_plan(name, {}, options));
      evidence.resize(plans.size());
      marked.assign(plans.size(), true);
    }
    again = settle_all(plans, evidence, options, marked);
  }
  return plans;
}

/// Appends `field`, in quotes if it needs them.
SYNTHDATA_INLINE void append_field(std::string& out, std::size_t start, const CsvWriteOptions& options, bool alone) {
  const std::string_view field = std::string_view(out).substr(start);
  const char special[] = {options.delimiter, '\n', '\r', options.quote};
  // bytes that would be a mark at the start of a file are none behind a quote
  const bool needed = (field.empty() && alone) || (start == 0 && byte_order_mark(field).bytes > 0) ||
                      field.find_first_of(std::string_view(special, 4)) != field.npos;
  if (!needed) return;
  std::string quoted(1, options.quote);
  for (const char c : field) {
    if (c == options.quote) quoted += c;
    quoted += c;
  }
  quoted += options.quote;
  out.replace(start, std::string::npos, quoted);
}

SYNTHDATA_INLINE void append_header(std::string& out, const std::vector<Column>& columns,
                                    const CsvWriteOptions& options) {
  for (const Column& column : columns) {
    if (&column != columns.data()) out += options.delimiter;
    const std::size_t start = out.size();
    out += column.name();
    append_field(out, start, options, columns.size() == 1);
  }
  out += options.crlf ? "\r\n" : "\n";
}

SYNTHDATA_INLINE void append_row(std::string& out, const std::vector<Column>& columns, std::int64_t row,
                                 const CsvWriteOptions& options) {
  for (const Column& column : columns) {
    if (&column != columns.data()) out += options.delimiter;
    const std::size_t start = out.size();
    column.append_cell(out, row);
    append_field(out, start, options, columns.size() == 1);
  }
  out += options.crlf ? "\r\n" : "\n";
}

}  // namespace detail

SYNTHDATA_INLINE std::string CsvDialect::str() const {
  constexpr const char* encodings[] = {"?", "utf-8", "latin-1", "utf-16le", "utf-16be"};
  return concat("delimiter ", delimiter == '\t' ? std::string("tab") : in_quotes(std::string_view(&delimiter, 1)),
                header ? ", header, " : ", no header, ", names.size(), " columns, rows end with ",
                crlf ? "\\r\\n, " : "\\n, ", encodings[static_cast<std::size_t>(encoding)]);
}

SYNTHDATA_INLINE CsvDialect detect_csv(const std::string& path, const CsvOptions& options) {
  return detail::CsvWindows(path, options).layout.dialect;
}

SYNTHDATA_INLINE Table parse_csv(std::string_view text, const CsvOptions& options) {
  const detail::ByteOrderMark mark = detail::byte_order_mark(text);
  const Encoding encoding = options.encoding == Encoding::detect ? mark.encoding : options.encoding;
  if (encoding == mark.encoding) text.remove_prefix(mark.bytes);
  std::string converted;
  if (encoding != Encoding::utf8) {
    const std::size_t used = detail::append_converted(converted, text, encoding);
    if (used != text.size()) throw DataError(concat("text, byte ", used + mark.bytes, ": half a character of UTF-16"));
    text = converted;
  }
  return detail::read_whole({text, "text", 1}, options);
}

SYNTHDATA_INLINE Table read_csv(const std::string& path, const CsvOptions& options) {
  {
    const MappedFile file(path);
    std::string_view text = file.bytes();
    const detail::ByteOrderMark mark = detail::byte_order_mark(text);
    const Encoding encoding = options.encoding == Encoding::detect ? mark.encoding : options.encoding;
    if (!text.starts_with("\x1f\x8b") && encoding == Encoding::utf8) {
      text.remove_prefix(mark.bytes);
      return detail::read_whole({text, path, 1}, options);
    }
  }
  const std::string text = detail::read_whole_text(path, options.encoding, options.max_text_bytes);
  return detail::read_whole({text, path, 1}, options);
}

SYNTHDATA_INLINE Schema infer_csv(const std::string& path, const CsvOptions& options) {
  return detail::schema_of(detail::infer_plans(path, options));
}

struct CsvReader::Impl {
  Impl(const std::string& path, const CsvOptions& given, std::int64_t rows_wanted)
      : options(given), rows(rows_wanted), windows(path, options) {
    if (rows < 1) throw NumericError(concat("CsvReader: expects at least one row a piece, got ", rows));
    CsvOptions inferring = options;
    inferring.ragged = nullptr;
    std::vector<RaggedRow> ignored;
    if (options.ragged) inferring.ragged = &ignored;
    if (options.schema.columns.empty()) options.schema = infer_csv(path, inferring);
    plans = detail::given_plans(path, windows.layout, options.schema);
    schema = options.schema;
  }

  /// The rows of the next window; none at the end.
  std::optional<Table> read_window() {
    detail::TextPart text;
    detail::CsvPieces cut;
    if (!windows.next(text, cut)) return {};
    detail::CsvBody body(text, windows.layout, options, std::move(cut));
    std::vector<detail::ColumnEvidence> evidence(plans.size());
    std::vector<bool> marked(plans.size(), true);
    body.remember(plans, marked);
    body.read(plans, marked, evidence);
    detail::settle_all(plans, evidence, options, marked);
    if (options.ragged) body.list_ragged();
    return body.table(plans);
  }

  CsvOptions options;
  std::int64_t rows;
  detail::CsvWindows windows;
  std::vector<detail::ColumnPlan> plans;
  Schema schema;
  detail::Rechunked chunks;
};

SYNTHDATA_INLINE CsvReader::CsvReader(const std::string& path, const CsvOptions& options, std::int64_t rows)
    : impl_(new Impl(path, options, rows)) {}
SYNTHDATA_INLINE CsvReader::CsvReader(CsvReader&&) noexcept = default;
SYNTHDATA_INLINE CsvReader& CsvReader::operator=(CsvReader&&) noexcept = default;
SYNTHDATA_INLINE CsvReader::~CsvReader() = default;
SYNTHDATA_INLINE const Schema& CsvReader::schema() const { return impl_->schema; }
SYNTHDATA_INLINE const CsvDialect& CsvReader::dialect() const { return impl_->windows.layout.dialect; }

SYNTHDATA_INLINE std::optional<Table> CsvReader::next() {
  return impl_->chunks.next(impl_->rows, [&] { return impl_->read_window(); });
}

SYNTHDATA_INLINE void CsvWriter::write(const Table& table) {
  const bool first = sink_.first(table);
  if (first && options_.header && !table.columns().empty()) {
    detail::append_header(sink_.text, table.columns(), options_);
  }
  for (std::int64_t row = 0; row < table.size(); ++row) {
    detail::append_row(sink_.text, table.columns(), row, options_);
    sink_.flush_if_long();
  }
}

SYNTHDATA_INLINE void CsvWriter::commit() { sink_.commit(); }

SYNTHDATA_INLINE void write_csv(const std::string& path, const Table& table, const CsvWriteOptions& options) {
  CsvWriter writer(path, options);
  writer.write(table);
  writer.commit();
}

SYNTHDATA_INLINE std::string format_csv(const Table& table, const CsvWriteOptions& options) {
  std::string text;
  if (options.header && !table.columns().empty()) detail::append_header(text, table.columns(), options);
  for (std::int64_t row = 0; row < table.size(); ++row) detail::append_row(text, table.columns(), row, options);
  return text;
}

}  // namespace synthdata
