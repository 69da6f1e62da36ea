// synthdata/data/column_pieces.hpp: the columns of a text that is read in pieces, at the same time.
//
// A pass over the text is: start(), read_piece() of each piece, join(). Plans are settled between passes, and columns
// whose plan changed are read again; table() then puts the pieces together.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/csv_columns.hpp>
#include <synthdata/data/table.hpp>

namespace synthdata::detail {

class ColumnPieces {
 public:
  /// @param options, plans' strings  must outlive this.
  explicit ColumnPieces(const CsvOptions& options) : options_(options), missing_(options.missing) {}

  /// Makes room for the rows of pieces whose first rows, if none is left out, are `places`; `rows` in all.
  void resize(std::vector<std::int64_t> places, std::int64_t rows);
  /// How many categories each plan knows when its column is read.
  void remember(const std::vector<ColumnPlan>& plans, const std::vector<bool>& marked);

  void start(const std::vector<ColumnPlan>& plans, const std::vector<bool>& marked);
  /// Reads the marked columns of piece i. Several threads may, for different pieces.
  void read_piece(std::size_t i, const Grid& grid, const std::vector<ColumnPlan>& plans,
                  const std::vector<bool>& marked);
  void join(const std::vector<ColumnPlan>& plans, const std::vector<bool>& marked,
            std::vector<ColumnEvidence>& evidence) const;

  /// The first cell of piece i that a given plan does not fit; row -1 if there is none.
  struct Misfit {
    std::int64_t row = -1;
    std::size_t column = 0;
  };
  Misfit misfit(std::size_t i, const std::vector<bool>& marked) const;

  /// The table, once the plans are settled.
  Table table(const std::vector<ColumnPlan>& plans);

  const MissingTexts& missing() const { return missing_; }

 private:
  Column column(const ColumnPlan& plan, std::size_t c, const std::vector<std::int64_t>& first);

  const CsvOptions& options_;
  MissingTexts missing_;
  std::vector<std::int64_t> places_;
  std::int64_t total_ = 0;
  std::vector<Tensor> values_;
  std::vector<std::vector<ColumnPiece>> parts_;  // by piece, then column
  std::vector<std::int64_t> rows_;
  std::vector<std::uint32_t> known_;
};

/// What a cell of this column must be: "expects boolean (yes or no)".
std::string expectation(const ColumnSchema& schema);

/// Settles the plans; true if columns, then marked, must be read again.
bool settle_all(std::vector<ColumnPlan>& plans, std::vector<ColumnEvidence>& evidence, const CsvOptions& options,
                std::vector<bool>& marked);

/// The schema that settled plans have.
Schema schema_of(const std::vector<ColumnPlan>& plans);

}  // namespace synthdata::detail

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/column_pieces_impl.hpp>
#endif
