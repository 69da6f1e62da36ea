// synthdata/data/transform/table_encoder.hpp: rows of a table as rows of a tensor, and back.
//
// Fitted on training rows alone; all it learned is saved with a model, so that encoded rows come back as a table of
// the same columns, types and spellings.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/table.hpp>
#include <synthdata/data/transform/kinds.hpp>

#include <functional>
#include <map>

namespace synthdata {

/// What becomes of missing values.
enum class MissingRule : std::uint8_t {
  mark,    ///< they are encoded, so that a model learns them: a level of a category, a flag beside a number
  fill,    ///< the most frequent level, the median of numbers; they do not come back
  refuse,  ///< an error
};
/// What becomes of a value of a category that training rows and schema do not have.
enum class UnknownRule : std::uint8_t {
  refuse,   ///< an error that names it
  missing,  ///< as if it were missing
};

struct ColumnChoice {
  ColumnTransform transform{};
  MissingRule missing = MissingRule::mark;
};

struct EncoderOptions {
  ColumnTransform numbers = transform::Modes{};      ///< for integers and reals
  ColumnTransform categories = transform::OneHot{};  ///< for categories, booleans, and integers of few values
  ColumnTransform date_times = transform::Modes{};
  std::map<std::string, ColumnChoice> columns{};  ///< by name, in place of these; texts can be left out only
  std::int64_t few = 10;  ///< integers of at most so many different values are encoded as `categories`
  MissingRule missing = MissingRule::mark;
  UnknownRule unknown = UnknownRule::refuse;
  bool keep_range = true;  ///< decoded numbers and date-times stay within those of training
};

class TableEncoder {
 public:
  TableEncoder() = default;

  /// Learns from training rows. Texts and identifiers are left out unless `columns` names them.
  /// @throws DataError naming the column: no rows, a column that is not there, a number that is not finite, a
  ///         transform that does not fit the type
  static TableEncoder fit(const Table& training, const EncoderOptions& options = {}, const Rng& rng = Rng(0));

  /// Rows as f32 [N, width()]. With a generator, modes are drawn by their probability (as CTGAN is trained), without
  /// the likeliest is taken. The same for any number of threads. Other columns of the table are ignored.
  /// @throws DataError naming row and column for a value that has no place
  Tensor encode(const Table& table) const { return encode_rows(table, nullptr); }
  Tensor encode(const Table& table, Rng& rng) const { return encode_rows(table, &rng); }

  /// Rows back as a table with schema(). Numbers are rounded to the column's decimals or unit. With a generator, rare
  /// categories that share a level are drawn by their frequency, without the most frequent is taken.
  /// @throws ShapeError unless [N, width()]; NumericError for a number that is not finite
  Table decode(const Tensor& rows) const { return decode_whole(rows, nullptr); }
  Table decode(const Tensor& rows, Rng& rng) const { return decode_whole(rows, &rng); }
  /// The same of `rows` rows that are made meanwhile: `encoded(begin, end)` gives those of begin ... end - 1, f32
  /// [end - begin, width()]. It is asked by several threads at the same time, for `piece_rows` rows and the last for
  /// what is left, so that encoded rows need no memory.
  using EncodedRows = std::function<Tensor(std::int64_t begin, std::int64_t end)>;
  static constexpr std::int64_t piece_rows = 512;
  Table decode(std::int64_t rows, const EncodedRows& encoded, Rng& rng) const {
    return decode_rows(rows, encoded, &rng);
  }

  std::int64_t width() const { return width_; }
  /// What the columns of the tensor are, in order, without gaps. The flag of a column that marks missing values is its
  /// last block.
  const std::vector<EncodedBlock>& blocks() const { return blocks_; }
  /// The blocks of one column of the table; none if it is left out. @throws DataError if there is no such column
  std::vector<EncodedBlock> blocks(std::string_view column) const;
  /// Columns of a decoded table.
  Schema schema() const;
  std::vector<std::string> left_out() const;
  /// @throws DataError if there is no such column
  const ColumnTransform& transform(std::string_view column) const;

  /// A line for each column: its type, its transform, where its numbers lie, and how many rare values were merged.
  std::string str() const;

  /// As `metadata[prefix]` and tensors whose names begin with `prefix.`
  void save(Archive& archive, const std::string& prefix) const;
  /// @throws DataError naming what is wrong
  static TableEncoder load(const Archive& archive, const std::string& prefix);

 private:
  struct Fitted {
    ColumnSchema schema{};
    ColumnTransform transform{};
    MissingRule missing = MissingRule::mark;
    bool flag = false;  // has a block for missing values
    bool left_out = false;
    double low = 0.0, high = 0.0, fill = 0.0;  // of the training values; fill stands in for missing ones
    std::int64_t decimals = -1;                // reals are rounded to; -1 for not
    std::int64_t begin = 0, width = 0;
  };
  static Fitted fit_column(const Column& column, const EncoderOptions& options, const Rng& rng);
  void place();
  const Fitted& find(std::string_view column) const;
  Tensor encode_rows(const Table& table, Rng* rng) const;
  Table decode_whole(const Tensor& rows, Rng* rng) const;
  Table decode_rows(std::int64_t size, const EncodedRows& encoded, Rng* rng) const;
  void expect_encoded(const Tensor& rows, std::int64_t size) const;
  void expect_finite(const Tensor& rows, std::int64_t first_row) const;
  void encode_column(const Fitted& to, const Column& from, const std::vector<std::int64_t>& codes, std::int64_t begin,
                     std::int64_t end, float* out, Rng* rng) const;

  std::vector<Fitted> columns_;
  std::vector<EncodedBlock> blocks_;
  std::int64_t width_ = 0;
  UnknownRule unknown_ = UnknownRule::refuse;
  bool keep_range_ = true;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/transform/table_encoder_impl.hpp>
#endif
