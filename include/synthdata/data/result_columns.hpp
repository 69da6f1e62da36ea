// synthdata/data/result_columns.hpp: the cells of a query's result, as a database gives them, into columns.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/csv_columns.hpp>
#include <synthdata/data/table.hpp>

#include <bit>
#include <cstdlib>
#include <new>
#include <optional>
#include <utility>

namespace synthdata::detail {

/// What a database says that a column holds.
enum class SqlType : std::uint8_t { unknown, integer, real, boolean, text, date, time, date_time, zoned };

/// A column of a result, before its cells.
struct ResultColumn {
  std::string name{};
  SqlType declared = SqlType::unknown;
  int decimals = -1;  ///< of a decimal type such as NUMERIC(10, 2)
};

/// One date-time in the way of ISO 8601, as databases write it: "2020-01-02", "2020-01-02 03:04:05.678", with "T", with
/// a zone, or a time of day alone.
struct IsoTime {
  std::int64_t microseconds = 0;  ///< in UTC where there is a zone
  bool date = false, time = false, zone = false;
};
bool parse_iso_time(std::string_view text, IsoTime& value);

/// A vector of numbers that grows by realloc, which moves large blocks without copying or touching them.
template <class T>
class GrowingCells {
 public:
  GrowingCells() = default;
  GrowingCells(GrowingCells&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        room_(std::exchange(other.room_, 0)) {}
  GrowingCells& operator=(GrowingCells&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(room_, other.room_);
    return *this;
  }
  ~GrowingCells() { std::free(data_); }

  void push_back(T value) {
    if (size_ == room_) [[unlikely]]
      grow(2 * room_);
    data_[size_++] = value;
  }
  void assign(std::size_t count, T value) {
    if (count > room_) grow(count);
    for (size_ = 0; size_ < count; ++size_) data_[size_] = value;
  }
  void clear() { size_ = 0; }
  std::size_t size() const { return size_; }
  T* begin() const { return data_; }
  T* end() const { return data_ + size_; }
  T& operator[](std::size_t i) const { return data_[i]; }

 private:
  [[gnu::noinline]] void grow(std::size_t room) {
    room = room < 64 ? 64 : room;
    void* const grown = std::realloc(data_, room * sizeof(T));
    if (!grown) throw std::bad_alloc();
    data_ = static_cast<T*>(grown);
    room_ = room;
  }
  T* data_ = nullptr;
  std::size_t size_ = 0, room_ = 0;
};

/// The cells of one column: kept as they come, together with what they say about its type. The type is settled by the
/// cells of all rows, see settle(); rows may be dropped by clear() before.
class CellColumn {
 public:
  /// @param where  names the database in messages
  CellColumn(ResultColumn column, const std::string& where, std::int64_t max_categories);

  void missing() {
    missing_.push_back(size());
    if (cells_ == Cells::codes) {
      codes_.push_back(0);
    } else if (cells_ == Cells::texts) {
      ends_.push_back(static_cast<std::int64_t>(bytes_.size()));
    } else {
      numbers_.push_back(0);
    }
  }
  void integer(std::int64_t value) {
    if (cells_ != Cells::integers) return other_integer(value);
    numbers_.push_back(value);
  }
  void real(double value) {
    if (cells_ != Cells::reals) return other_real(value);
    numbers_.push_back(std::bit_cast<std::int64_t>(value));
  }
  /// @throws DataError for bytes that are not UTF-8
  void text(std::string_view value) {
    if (cells_ == Cells::codes) {
      const std::uint64_t hash = Dictionary::hash(value);
      const std::uint32_t code = dictionary_.find(value, hash);
      if (code != Dictionary::none) [[likely]]
        return codes_.push_back(code);
    }
    other_text(value);
  }
  /// For a cell that no column can hold. @throws DataError always
  [[noreturn]] void refuse(std::string_view why) const;

  const std::string& name() const { return column_.name; }
  std::int64_t size() const {
    return static_cast<std::int64_t>(cells_ == Cells::codes   ? codes_.size()
                                     : cells_ == Cells::texts ? ends_.size()
                                                              : numbers_.size());
  }
  /// Bytes of memory of the rows.
  std::int64_t size_bytes() const;

  /// Takes note of what the rows are, then drops them.
  void clear();
  /// The type that fits all rows so far, and its spelling.
  ColumnSchema settle();
  /// `schema`, with the texts seen so far for categories if it is categorical and has none. @throws DataError if they
  /// are too many
  ColumnSchema complete(ColumnSchema schema) const;
  /// The rows as a column of that type. @throws DataError that names the row, counted from 1 over all pieces, and the
  /// column, for a cell that does not fit.
  Column column(const ColumnSchema& schema) const;

 private:
  enum class Cells : std::uint8_t { none, integers, reals, codes, texts };

  void other_integer(std::int64_t value);
  void other_real(double value);
  void other_text(std::string_view value);
  void append_text(std::string_view value);
  void codes_to_texts();
  void numbers_to_texts();
  void digest();
  void see_time(std::string_view text);
  [[noreturn]] void misfit(std::int64_t row, const ColumnSchema& schema) const;
  /// f(row, text) for all values, numbers spelled out
  template <class F>
  void each_text(F&& f) const;

  ResultColumn column_;
  const std::string& where_;
  std::int64_t max_categories_;

  Cells cells_ = Cells::none;
  GrowingCells<std::int64_t> numbers_;  // or the bits of doubles
  GrowingCells<std::uint32_t> codes_;   // of dictionary_
  std::string bytes_;
  GrowingCells<std::int64_t> ends_;    // of texts in bytes_
  std::vector<std::int64_t> missing_;  // rows
  Dictionary dictionary_;

  // evidence, of the rows here only after digest()
  std::int64_t rows_before_ = 0, values_ = 0, absent_ = 0;
  bool integers_ = false, reals_ = false, texts_ = false;
  bool zero_or_one_ = true, exact_ = true;  // integers: 0 and 1 only; all exact as f64
  bool many_ = false;                       // more than max_categories_ texts
  bool names_ = true;                       // texts: each with a digit and without a blank, and hashes_ has them
  std::vector<std::uint64_t> hashes_;
  bool times_ = false;  // texts: all are date-times of one kind
  std::optional<IsoTime> kind_;
  int digits_ = 0;  // of fractions of a second
};

}  // namespace synthdata::detail

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/result_columns_impl.hpp>
#endif
