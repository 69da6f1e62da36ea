// synthdata/data/csv_columns.hpp: the cells of a piece of CSV text, column by column, into values.
//
// Each column has a plan, the type its cells are expected to have: guessed from the first rows, or given. Pieces of
// text are read by plan, at the same time, and each brings evidence of what its cells allow. Evidence joined over all
// pieces settles the plan; where it changed, the column is read again. So the result depends on all cells and on
// nothing else.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/cells.hpp>
#include <synthdata/data/csv_options.hpp>
#include <synthdata/data/csv_scan.hpp>

#include <climits>

namespace synthdata::detail {

/// What stands for a value that a record does not have: no cell is this, since text has no zero bytes. It counts as
/// missing where CsvOptions::missing lists it, and is spelled as the column's missing values.
inline constexpr std::string_view absent_cell("\0", 1);

/// Texts numbered 0, 1, ... as they come. Some of them mean a missing value.
class Dictionary {
 public:
  static constexpr std::uint32_t none = 0xffffffffu;
  static std::uint64_t hash(std::string_view text);

  std::uint32_t find(std::string_view text, std::uint64_t hash) const;
  /// The number of a text that is not yet here.
  std::uint32_t add(std::string_view text, std::uint64_t hash, bool missing);

  std::uint32_t size() const { return static_cast<std::uint32_t>(entries_.size()); }
  std::string_view operator[](std::uint32_t i) const { return {bytes_.data() + entries_[i].at, entries_[i].length}; }
  bool missing(std::uint32_t i) const { return entries_[i].missing; }
  /// How many do not mean a missing value.
  std::int64_t categories() const { return categories_; }

 private:
  struct Entry {
    std::size_t at;
    std::uint32_t length;
    bool missing;
    std::uint64_t hash;
  };
  struct Slot {
    std::uint32_t hash = 0, number = none;
  };
  void grow();

  std::string bytes_;
  std::vector<Entry> entries_;
  std::vector<Slot> slots_;  // a power of two, at most half full
  std::int64_t categories_ = 0;
};

/// Texts that mean a missing value.
class MissingTexts {
 public:
  explicit MissingTexts(const std::vector<std::string>& texts);
  bool contains(std::string_view text) const;
  /// True if one of them looks like a number, so that numbers must be compared with them first.
  bool has_number() const { return has_number_; }

 private:
  const std::vector<std::string>& texts_;
  std::size_t longest_ = 0;
  bool has_number_ = false;
};

/// What the cells of a column are expected to be.
struct ColumnPlan {
  ColumnSchema schema;
  bool given = false;         ///< by the user: a cell that does not fit is an error
  bool closed = false;        ///< given with categories: there are no others
  bool unknown = false;       ///< no value seen yet
  bool texts = false;         ///< the file says that these are texts: dates perhaps, but neither numbers nor booleans
  bool number_names = false;  ///< text so far, because integers that are all different and named "id" name records
  std::vector<DateTimeFormat> formats;
  Dictionary categories;
};

/// What the cells of a column were.
struct ColumnEvidence {
  bool fits = true;    ///< the plan
  bool number = true;  ///< if not: but all are numbers
  std::int64_t values = 0, missing = 0;
  std::string missing_text;  ///< the first spelling of a missing value
  bool missing_mixed = false;
  std::uint8_t spelling = 0;
  int least_decimals = INT_MAX, most_decimals = 0;
  std::vector<DateTimeFormat> formats;
  Dictionary fresh;                    ///< categories that the plan does not have
  bool many = false;                   ///< more than max_categories
  bool names = true, integers = true;  ///< texts: each with a digit and without a blank; all integers
  std::vector<std::uint64_t> hashes;   ///< of texts, as long as they are names
  std::vector<std::string> sample;     ///< of a column whose plan is unknown

  void join(ColumnEvidence&& later, const ColumnPlan& plan, std::int64_t max_categories);
};

/// The fields of a piece of text: row r is its rows[r] ... ; field c of row r ends at ends[r * columns + c].
struct Grid {
  const char* text = nullptr;
  const char* readable = nullptr;  ///< 16 bytes after the first that may be read
  const std::uint32_t* begins = nullptr;
  const std::uint32_t* ends = nullptr;
  std::int64_t rows = 0, columns = 0;
  char quote = 0;  ///< 0 where there is none in this piece

  /// Without quotes around it; doubled quotes are made single in `buffer`.
  std::string_view cell(std::int64_t row, std::int64_t column, std::string& buffer) const;
  std::string_view unquoted(std::string_view field, std::string& buffer) const;
};

/// What one piece of text brings to one column, beside the numbers it writes in place.
struct ColumnPiece {
  ColumnEvidence evidence;
  std::vector<std::uint32_t> missing;  ///< rows
  std::vector<std::uint32_t> codes;    ///< of plan.categories, then evidence.fresh
  std::string bytes;                   ///< texts
  std::vector<std::uint32_t> lengths;
  std::int64_t bad_row = -1;  ///< the first that a given plan does not fit
};

/// Reads column `c` of the grid. `values` has room for its rows, of the type in which the plan's values are stored.
ColumnPiece read_cells(const Grid& grid, std::int64_t c, const ColumnPlan& plan, const CsvOptions& options,
                       const MissingTexts& missing, void* values);

/// A plan from the first values of a column. @param texts  as in ColumnPlan
ColumnPlan guess_plan(std::string name, const std::vector<std::string>& values, const CsvOptions& options,
                      bool texts = false);
ColumnPlan plan_of(const ColumnSchema& schema);

/// Fits the plan to what was found in all cells; true if they must be read again.
bool settle(ColumnPlan& plan, ColumnEvidence& evidence, const CsvOptions& options);

}  // namespace synthdata::detail

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/csv_columns_impl.hpp>
#endif
