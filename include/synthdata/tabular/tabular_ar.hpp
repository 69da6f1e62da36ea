// synthdata/tabular/tabular_ar.hpp: one network that gives each column's distribution from any other columns.
//
// Rows become codes (column_codes.hpp). The network models p(code k | codes of the columns that stand before it), and
// learns it for random orders of the columns; so it samples given any subset of columns, exactly and without rejection,
// fills in what is missing, gives class probabilities and the likelihood of rows. For each column: the sum of one row
// of a table for each column before it, two hidden layers, a softmax over its codes. Source: Tiwald et al. 2025,
// "TabularARGN", arXiv:2501.12012; the sum of rows instead of a product is that of NADE, Uria et al. 2014,
// arXiv:1310.1757.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/table_stream.hpp>
#include <synthdata/nn/linear.hpp>
#include <synthdata/tabular/column_codes.hpp>
#include <synthdata/tabular/condition.hpp>
#include <synthdata/tabular/training.hpp>

#include <functional>
#include <string>

namespace synthdata::models {

namespace detail {
struct CodeTable;
class ArSampler;
class PackedCodes;
class TabularArLearner;
}  // namespace detail

struct TabularArOptions {
  ColumnCodesOptions codes = {};
  std::int64_t hidden = 64;  ///< units of each of the two hidden layers of a column
  double dropout = 0.1;      ///< of the second hidden layer
  bool any_order = true;     ///< false: only the order of the table, which is a little better for sampling whole rows
  /// For fit() of a TableSource: where the rows lie as codes meanwhile; empty: TMPDIR of the environment, else /tmp.
  std::string folder = {};
};

/// The network: logits of each code column given those before it.
class TabularArNet {
 public:
  static constexpr const char* kind = "tabular_ar";

  /// @param ordered  code columns whose codes are in an order: near ones begin with near rows of the table
  TabularArNet(std::vector<std::int64_t> cardinalities, const std::vector<bool>& ordered, std::int64_t hidden,
               double dropout, Rng& rng);

  /// Begins with the logits of code column k at the logarithms of how often its codes come, so that rare ones need not
  /// be learnt first. @param rows  of each code, 0 or more
  void begin_with(std::int64_t k, const std::vector<std::int64_t>& rows);
  /// From here on, what the table and the head of code column k have for these of its codes, true at each, are sums of
  /// cosines over their order, weak ones for fast waves. So what is learnt of one range of numbers is learnt of those
  /// beside it, where each has few rows. Does nothing if there are few such codes.
  void smooth(std::int64_t k, const std::vector<bool>& codes, Rng& rng);
  /// Writes those sums down as plain rows, which is what is saved.
  void settle();

  /// -log p of the rows' codes, mean over rows. @param codes i64 [N, K]   @param position of each code column in the
  /// order
  Var loss(const Tensor& codes, const std::vector<std::int64_t>& position, Context& context) const;
  /// What the table says to code column k, [rows, hidden]: a copy, to be made once for many logits.
  Tensor part(std::int64_t k) const;
  /// Logits [N, cardinality] of code column k, of a net that has settled. Several threads may ask at the same time.
  /// @param known i64 [N, P]: rows of the table, row_of(column, code)
  Var logits(std::int64_t k, const Tensor& part, const Tensor& known) const;

  std::int64_t row_of(std::int64_t column, std::int64_t code) const {
    return first_row_[static_cast<std::size_t>(column)] + code;
  }
  /// A row that says nothing, for a column whose value is not known.
  std::int64_t unknown_row() const { return first_row_.back(); }
  const std::vector<std::int64_t>& cardinalities() const { return cardinalities_; }
  std::int64_t hidden() const { return hidden_; }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("table", self.table_);
    v("bias", self.bias_);
    v("middle", self.middle_);
    v("head", self.heads_);
    v("table_waves", self.table_waves_);
    v("head_waves", self.head_waves_);
  }

 private:
  /// Code column `k` with codes that are sums of cosines.
  struct Waves {
    std::int64_t k;
    Tensor basis;   // f32 [codes, waves], zero for other codes
    Tensor others;  // f32 [codes, 1], one for other codes
  };
  Var table() const;
  Var head(std::int64_t k) const;

  std::vector<std::int64_t> cardinalities_, first_row_;
  std::int64_t hidden_;
  double dropout_;
  Param table_, bias_;  // [rows, K hidden], [K hidden]
  std::vector<Linear> middle_, heads_;
  std::vector<Waves> waves_{};
  std::vector<Param> table_waves_{}, head_waves_{};  // of each of them, [waves, K hidden] and [waves, hidden]
};

/// The probabilities of a column's values for N rows.
struct ClassProbabilities {
  std::vector<std::string> classes;  ///< as cells are written
  Tensor probabilities;              ///< f64 [N, classes], rows add up to 1
};

/// Learns a table and makes rows like it.
class TabularAr {
 public:
  /// By default at most 100 epochs of batches of a hundredth of the rows (64 to 2048), Adam at 1e-3, some four times
  /// that in the first epoch and falling to it over five, halved where the loss of the held-out rows stops falling.
  /// Trained on the current device; the model is on the CPU. How: see TabularTraining.
  /// @throws DataError for a table without rows or columns, infinite values, or options out of range; NumericError if
  /// the loss is not finite.
  static TabularAr fit(const Table& table, const TabularArOptions& options = {}, const TabularTraining& training = {},
                       const TabularCallback& progress = {});
  /// The same of a table larger than memory, which is read twice: to find the codes, and to write them to a file in
  /// options.folder, one to four bytes a value, that is removed in the end. Memory: the counts of ColumnCodesFit, the
  /// net, a piece of the stream, and 8 bytes a row for the order. It is the model that the whole table gives.
  /// @throws DataError also if the source gives other rows the second time, and if the file cannot be written
  static TabularAr fit(const TableSource& source, const TabularArOptions& options = {},
                       const TabularTraining& training = {}, const TabularCallback& progress = {});

  /// What fit() needs for so many rows of these columns and batches of `batch`. With K code columns (two for one of
  /// many categories), C codes of all together, h = options.hidden, T = (C + 1) K h and W cosines, at most 64 for each
  /// column of many ranges: one, two or four bytes a row and code column; five copies (weights, average, best, Adam's
  /// two) of T + K h (h + 2) + C (h + 1) + W (K + 1) h weights; and in an update gradients of all weights, 3 tables of
  /// T numbers, and 7 K h + 2 C + 6 K numbers a row of the batch.
  static TabularMemory memory(const std::vector<ColumnCodes>& columns, std::int64_t rows,
                              const TabularArOptions& options, std::int64_t batch);

  /// Rows of the table's schema that meet the conditions. The same seed gives the same rows, whatever the threads.
  /// Conditions of one value cost nothing, nor does one range or choice; with two of those or more rows that miss are
  /// thrown away, so that the distribution stays exact.
  /// @throws DataError for an unknown column or a value that the model has not learnt, and if rows that meet all
  /// conditions are too rare, saying how many were found.
  Table sample(std::int64_t rows, const Conditions& conditions = {}, const SampleOptions& options = {}) const;
  /// Makes the next rows each time it is called: those of sample(), as long as each piece but the last has a multiple
  /// of 65536 rows. Use SampleReader. The model must outlive it.
  std::function<Table(std::int64_t rows)> pieces(const Conditions& conditions = {},
                                                 const SampleOptions& options = {}) const;

  /// The table with its missing values drawn given the present ones. A column that the model knows may be absent.
  Table impute(const Table& table, std::uint64_t seed = 0) const;

  /// Of column `target` given all other columns that `table` has; missing values are passed over.
  /// @throws DataError if the target is a column of ranges, texts or many categories.
  ClassProbabilities probabilities(const Table& table, std::string_view target) const;

  /// log p of each row, f64 [N]: probabilities of values, densities of real numbers within ranges. Minus infinity where
  /// a value has no code.
  Tensor log_prob(const Table& table) const;

  /// One safetensors file with all that is needed. @throws DataError if it cannot be written.
  void save(const std::string& path) const;
  /// @throws DataError naming what does not fit, if the file is damaged or not such a model.
  static TabularAr load(const std::string& path);
  /// The same as an archive, to which others may add entries; `path` is for messages.
  Archive archive() const;
  static TabularAr from_archive(const Archive& archive, const std::string& path);

  Schema schema() const;
  const std::vector<ColumnCodes>& columns() const { return columns_; }
  const TabularArNet& net() const { return net_; }

 private:
  friend class detail::TabularArLearner;
  TabularAr(std::vector<ColumnCodes> columns, TabularArNet net, bool any_order)
      : columns_(std::move(columns)), net_(std::move(net)), any_order_(any_order) {
    for (std::size_t k = 0; k < net_.cardinalities().size(); ++k) {
      parts_.push_back(net_.part(static_cast<std::int64_t>(k)));
    }
  }
  friend class detail::ArSampler;
  static TabularAr train(std::vector<ColumnCodes> columns, const detail::PackedCodes& codes, const Table* table,
                         const TabularArOptions& options, const TabularTraining& training,
                         const TabularCallback& progress);
  std::int64_t place_of(std::string_view name) const;

  std::vector<ColumnCodes> columns_;
  TabularArNet net_;
  std::vector<Tensor> parts_;  // of the net, for each code column
  bool any_order_;
};

}  // namespace synthdata::models

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/tabular/tabular_ar_impl.hpp>
#endif
