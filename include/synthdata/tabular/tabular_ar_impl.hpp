// synthdata/tabular/tabular_ar_impl.hpp: bodies of tabular_ar.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/parallel.hpp>
#include <synthdata/data/index_permutation.hpp>
#include <synthdata/ops/activation.hpp>
#include <synthdata/ops/dropout.hpp>
#include <synthdata/ops/embedding_bag.hpp>
#include <synthdata/ops/loss.hpp>
#include <synthdata/ops/matmul.hpp>
#include <synthdata/ops/shape.hpp>
#include <synthdata/ops/softmax.hpp>
#include <synthdata/optim/ema.hpp>
#include <synthdata/optim/optimizer.hpp>
#include <synthdata/tabular/column_codes_impl.hpp>
#include <synthdata/tabular/model_file.hpp>
#include <synthdata/tabular/packed_codes_impl.hpp>
#include <synthdata/tabular/softmax_draw.hpp>
#include <synthdata/tabular/tabular_ar.hpp>
#include <synthdata/tabular/training_loop_impl.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>
#include <optional>

namespace synthdata::models {
namespace detail {

/// Codes of several columns, row after row; -1 is one that is not known.
struct CodeTable {
  std::int64_t rows = 0, width = 0;
  std::vector<std::int32_t> codes;

  CodeTable(std::int64_t n, std::int64_t k) : rows(n), width(k), codes(static_cast<std::size_t>(n * k), -1) {}
  std::int32_t& at(std::int64_t row, std::int64_t k) { return codes[static_cast<std::size_t>(row * width + k)]; }
  std::int32_t at(std::int64_t row, std::int64_t k) const { return codes[static_cast<std::size_t>(row * width + k)]; }
};

/// Where the codes of each column stand among all: column c has first[c] ... first[c + 1] - 1.
inline std::vector<std::int64_t> first_places(const std::vector<ColumnCodes>& columns) {
  std::vector<std::int64_t> first{0};
  for (const ColumnCodes& column : columns) {
    first.push_back(first.back() + static_cast<std::int64_t>(column.cardinalities().size()));
  }
  return first;
}
inline std::vector<std::int64_t> all_cardinalities(const std::vector<ColumnCodes>& columns) {
  std::vector<std::int64_t> all;
  for (const ColumnCodes& column : columns) {
    all.insert(all.end(), column.cardinalities().begin(), column.cardinalities().end());
  }
  return all;
}

/// A column's code as one or two.
inline void put_code(CodeTable& into, std::int64_t row, std::int64_t first, const ColumnCodes& column,
                     std::int64_t code) {
  if (code < 0 || code >= column.total()) return;  // not known
  if (column.cardinalities().size() == 1) {
    into.at(row, first) = static_cast<std::int32_t>(code);
  } else {
    into.at(row, first) = static_cast<std::int32_t>(code / column.cardinalities()[1]);
    into.at(row, first + 1) = static_cast<std::int32_t>(code % column.cardinalities()[1]);
  }
}
inline std::int64_t get_code(const CodeTable& from, std::int64_t row, std::int64_t first, const ColumnCodes& column) {
  const std::int64_t high = from.at(row, first);
  return column.cardinalities().size() == 1 || high < 0 ? high
                                                        : high * column.cardinalities()[1] + from.at(row, first + 1);
}

inline std::vector<std::int64_t> column_of(const CodeTable& codes, std::int64_t first, const ColumnCodes& column) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(codes.rows));
  for (std::int64_t row = 0; row < codes.rows; ++row) {
    out[static_cast<std::size_t>(row)] = get_code(codes, row, first, column);
  }
  return out;
}

/// The codes of all columns; those that the table lacks are not known.
inline CodeTable encode_table(const std::vector<ColumnCodes>& columns, const Table& table) {
  const std::vector<std::int64_t> first = first_places(columns);
  CodeTable codes(table.size(), first.back());
  parallel_for(static_cast<std::int64_t>(columns.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto c = static_cast<std::size_t>(begin); c < static_cast<std::size_t>(end); ++c) {
      const std::int64_t place = table.find(columns[c].schema().name);
      if (place < 0) continue;
      const std::vector<std::int64_t> column = columns[c].encode(table[static_cast<std::size_t>(place)]);
      for (std::int64_t row = 0; row < table.size(); ++row) {
        put_code(codes, row, first[c], columns[c], column[static_cast<std::size_t>(row)]);
      }
    }
  });
  return codes;
}

/// Draws the codes of some columns for a few rows, one after the other.
class ArPass {
 public:
  ArPass(const TabularArNet& net, const std::vector<Tensor>& parts, const CodeTable& codes)
      : net_(net), parts_(parts), codes_(codes) {}

  /// Rows of the net's table for the columns known so far, of these rows.
  Tensor known(const std::vector<std::int64_t>& rows, const std::vector<std::int64_t>& before) const {
    Tensor index = Tensor::empty({static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(before.size())},
                                 DType::i64, Device::cpu());
    auto* to = index.data<std::int64_t>();
    for (const std::int64_t row : rows) {
      for (const std::int64_t k : before) {
        const std::int64_t code = codes_.at(row, k);
        *to++ = code < 0 ? net_.unknown_row() : net_.row_of(k, code);
      }
    }
    return index;
  }
  /// f32 [rows, cardinality of k]
  Tensor probabilities(std::int64_t k, const std::vector<std::int64_t>& rows,
                       const std::vector<std::int64_t>& before) const {
    return softmax(logits(k, rows, before)).value();
  }
  Tensor log_probabilities(std::int64_t k, const std::vector<std::int64_t>& rows,
                           const std::vector<std::int64_t>& before) const {
    return log_softmax(logits(k, rows, before)).value();
  }
  Var logits(std::int64_t k, const std::vector<std::int64_t>& rows, const std::vector<std::int64_t>& before) const {
    return net_.logits(k, parts_[static_cast<std::size_t>(k)], known(rows, before));
  }

 private:
  const TabularArNet& net_;
  const std::vector<Tensor>& parts_;
  const CodeTable& codes_;
};

inline std::vector<std::string> cells_of(const Column& column) {
  std::vector<std::string> cells;
  for (std::int64_t row = 0; row < column.size(); ++row) cells.push_back(column.cell(row));
  return cells;
}
inline std::vector<bool> missing_of(const Column& column) {
  std::vector<bool> missing;
  for (std::int64_t row = 0; row < column.size(); ++row) missing.push_back(column.is_missing(row));
  return missing;
}

/// Rows begin ... end - 1.
inline std::vector<std::int64_t> row_range(std::int64_t begin, std::int64_t end) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(end - begin));
  std::iota(rows.begin(), rows.end(), begin);
  return rows;
}

/// What a column may become: weights of its codes from 0 to 1, and whether a condition says so. Where a code is two,
/// high * low_codes + low, `highs` are 1 for those that allow any.
struct ColumnChoice {
  std::vector<float> weights{}, highs{};
  bool conditioned = false;
  std::int64_t fixed = -1;  // the only code there is
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
};

/// All places that the codes of a column have, used or not.
inline std::size_t code_places(const ColumnCodes& column) {
  std::size_t places = 1;
  for (const std::int64_t n : column.cardinalities()) places *= static_cast<std::size_t>(n);
  return places;
}
inline void fill_highs(ColumnChoice& choice, const ColumnCodes& column) {
  if (column.cardinalities().size() == 1) return;
  const auto low_codes = static_cast<std::size_t>(column.cardinalities()[1]);
  choice.highs.assign(choice.weights.size() / low_codes, 0.0f);
  for (std::size_t code = 0; code < choice.weights.size(); ++code) {
    if (choice.weights[code] > 0.0f) choice.highs[code / low_codes] = 1.0f;
  }
}

inline ColumnChoice free_choice(const ColumnCodes& column, bool missing = true) {
  ColumnChoice choice;
  choice.weights.resize(code_places(column), 0.0f);
  for (std::int64_t code = 0; code < column.total(); ++code) {
    choice.weights[static_cast<std::size_t>(code)] = static_cast<float>(column.sampled(code));
  }
  if (column.has_missing() && !missing) choice.weights[0] = 0.0f;
  fill_highs(choice, column);
  return choice;
}

inline ColumnChoice conditioned_choice(const ColumnCodes& column, const Condition& condition) {
  const std::string& name = column.schema().name;
  ColumnChoice choice{.weights = std::vector<float>(code_places(column), 0.0f), .conditioned = true};
  if (condition.is_range()) {
    if (!column.is_number()) {
      throw DataError(
          concat("condition on column ", in_quotes(name), ": a number or range, but it is ", column.schema().type));
    }
    choice.low = condition.low(), choice.high = condition.high();
    for (std::int64_t code = 0; code < column.total(); ++code) {
      choice.weights[static_cast<std::size_t>(code)] =
          static_cast<float>(column.share_between(code, choice.low, choice.high));
    }
  } else {
    for (const std::string& text : condition.texts()) {
      if (column.is_number()) {
        const double value = column.value_of(text);
        if (condition.texts().size() == 1) choice.low = choice.high = value;
        for (std::int64_t code = 0; code < column.total(); ++code) {
          float& weight = choice.weights[static_cast<std::size_t>(code)];
          weight = std::max(weight, static_cast<float>(column.share_between(code, value, value)));
        }
      } else if (const std::int64_t code = column.code_of(text); code >= 0) {
        choice.weights[static_cast<std::size_t>(code)] = 1.0f;
      }
    }
  }
  const auto possible = std::count_if(choice.weights.begin(), choice.weights.end(), [](float w) { return w > 0.0f; });
  if (possible == 0) {
    throw DataError(concat("condition on column ", in_quotes(name), ": the model has learnt no such value",
                           condition.is_range()        ? concat(" between ", condition.low(), " and ", condition.high())
                           : condition.texts().empty() ? std::string()
                                                       : concat(": ", in_quotes(condition.texts()[0]))));
  }
  if (possible == 1) {
    choice.fixed = std::find_if(choice.weights.begin(), choice.weights.end(), [](float w) { return w > 0.0f; }) -
                   choice.weights.begin();
  }
  fill_highs(choice, column);
  return choice;
}

/// SoftmaxDraw of all rows, f32 [rows, width].
template <int lanes, DrawWeights by>
struct DrawCodes {
  SYNTHDATA_HD void operator()(std::int64_t rows, std::int64_t width, const float* logits, const float* const* weights,
                               const float* uniform, float* scratch, std::int64_t* codes, float* shares) const {
    for (std::int64_t first = 0; first < rows; first += lanes) {
      const int real = static_cast<int>(rows - first < lanes ? rows - first : lanes);
      const float *from[lanes], *weight[lanes];
      alignas(64) float draw[lanes], share[lanes];
      std::int64_t drawn[lanes];
      for (int l = 0; l < lanes; ++l) {
        const std::int64_t row = first + (l < real ? l : real - 1);  // lanes beyond the last row repeat it
        from[l] = logits + row * width;
        weight[l] = by == DrawWeights::own ? weights[row] : by == DrawWeights::common ? weights[0] : nullptr;
        draw[l] = uniform[row];
      }
      SoftmaxDraw<lanes, by>{width, scratch}(from, weight, draw, drawn, share);
      for (int l = 0; l < real; ++l) {
        codes[first + l] = drawn[l];
        shares[first + l] = share[l];
      }
    }
  }
};

/// Draws the columns `order` of pending rows, those before them being known; returns whether each row is to be kept.
struct ArDraw {
  const TabularArNet& net;
  const std::vector<Tensor>& parts;
  const std::vector<ColumnCodes>& columns;
  const std::vector<std::int64_t>& first;
  const std::vector<ColumnChoice>& choices;
  static constexpr int many = 16;  // rows that are drawn side by side

  /// @param given  columns whose codes stand in `codes` already, in any order
  std::vector<std::uint8_t> operator()(CodeTable& codes, const std::vector<std::int64_t>& rows,
                                       const std::vector<std::int64_t>& given, const std::vector<std::int64_t>& order,
                                       std::vector<Rng>& rngs) const {
    std::vector<std::uint8_t> kept(rows.size(), 1);
    std::vector<std::int64_t> before;
    for (const std::int64_t c : given) append_places(before, c);
    std::vector<float> uniform(rows.size()), keep(rows.size()), share(rows.size()), scratch;
    std::vector<std::int64_t> code(rows.size());
    std::vector<const float*> weights(rows.size());
    bool drawn = false;  // by chance: from there on the share of what a condition allows differs from row to row
    for (const std::int64_t c : order) {
      const auto at = static_cast<std::size_t>(c);
      const ColumnCodes& column = columns[at];
      const ColumnChoice& choice = choices[at];
      const bool split = column.cardinalities().size() == 2;
      const std::int64_t low_codes = split ? column.cardinalities()[1] : 1;
      for (std::int64_t part = 0; part < (split ? 2 : 1); ++part) {
        const std::int64_t k = first[at] + part;
        const Tensor logits = ArPass(net, parts, codes).logits(k, rows, before).value();
        const bool by_chance = choice.conditioned && (drawn || part == 1);
        for (std::size_t i = 0; i < rows.size(); ++i) {
          if (by_chance) keep[i] = static_cast<float>(uniform_double(rngs[i]));
          uniform[i] = rngs[i].uniform();
          weights[i] = split && part == 0 ? choice.highs.data() : choice.weights.data();
          if (part == 1) weights[i] += codes.at(rows[i], first[at]) * low_codes;
        }
        scratch.resize(static_cast<std::size_t>(logits.shape(1) * many));
        const auto run = [&](auto kernel) {
          backend::cpu::run<float>(kernel, logits.shape(0), logits.shape(1), logits.data<float>(), weights.data(),
                                   uniform.data(), scratch.data(), code.data(), share.data());
        };
        if (part == 1) {
          run(DrawCodes<many, DrawWeights::own>{});
        } else if (logits.shape(0) < many / 2) {
          run(DrawCodes<1, DrawWeights::common>{});
        } else {
          run(DrawCodes<many, DrawWeights::common>{});
        }
        for (std::size_t i = 0; i < rows.size(); ++i) {
          if ((by_chance && keep[i] >= share[i]) || code[i] < 0) kept[i] = 0;  // < 0: nothing allowed has a probability
          codes.at(rows[i], k) = static_cast<std::int32_t>(std::max<std::int64_t>(code[i], 0));
        }
        before.push_back(k);
      }
      drawn = true;
    }
    return kept;
  }

 private:
  void append_places(std::vector<std::int64_t>& places, std::int64_t c) const {
    for (std::int64_t k = first[static_cast<std::size_t>(c)]; k < first[static_cast<std::size_t>(c) + 1]; ++k) {
      places.push_back(k);
    }
  }
};

/// The column, with what `drawn` has where it lacks a value. A column of texts stays one.
inline Column fill_from(const Column& column, Column drawn) {
  if (column.type() != drawn.type()) {
    const Column texts = Column::texts(column.name(), cells_of(drawn));
    return fill_from(Column::texts(column.name(), cells_of(column), missing_of(column)), texts);
  }
  std::vector<std::int64_t> rows = row_range(0, column.size());
  const bool real = column.type() == ColumnType::real;
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (column.is_missing(row) || (real && std::isnan(column.real(row))))
      rows[static_cast<std::size_t>(row)] += column.size();
  }
  return column.append(drawn).take(rows);
}

/// Rows that change slowly from one to the next, of mean square 1: random sums of eight cosines.
inline void fill_smoothly(Tensor rows, Rng& rng) {
  constexpr int waves = 8;
  const std::int64_t count = rows.shape()[0], width = rows.shape()[1];
  std::vector<float> strength(static_cast<std::size_t>(waves * width));
  for (float& s : strength) s = static_cast<float>(rng.normal() * std::sqrt(2.0 / waves));
  std::fill_n(rows.data<float>(), rows.size(), 0.0f);
  for (std::int64_t i = 0; i < count; ++i) {
    for (int wave = 0; wave < waves; ++wave) {
      const double at = 3.14159265358979 * (wave + 1) * (static_cast<double>(i) + 0.5) / static_cast<double>(count);
      const auto c = static_cast<float>(std::cos(at));
      for (std::int64_t j = 0; j < width; ++j) {
        rows.data<float>()[i * width + j] += c * strength[static_cast<std::size_t>(wave * width + j)];
      }
    }
  }
}

/// For each code column whether its codes are in an order.
inline std::vector<bool> ordered_codes(const std::vector<ColumnCodes>& columns) {
  std::vector<bool> ordered;
  for (const ColumnCodes& column : columns)
    ordered.insert(ordered.end(), column.cardinalities().size(), column.is_number());
  return ordered;
}

/// Which codes of a column are ranges of numbers; none of a column that is no number, or given as two codes.
inline std::vector<bool> range_codes(const ColumnCodes& column) {
  std::vector<bool> ranges;
  if (!column.is_number() || column.cardinalities().size() > 1) return ranges;
  for (std::int64_t code = 0; code < column.total(); ++code) ranges.push_back(column.is_range(code));
  return ranges;
}
/// How many cosines stand for these codes of a column; none for few.
inline std::int64_t waves_of(const std::vector<bool>& codes) {
  const auto count = static_cast<std::int64_t>(std::count(codes.begin(), codes.end(), true));
  return count < 64 ? 0 : std::min<std::int64_t>(64, count / 2);
}

inline constexpr std::int64_t sample_block = 256;
inline constexpr std::int64_t sample_piece = 65536;  // rows that wait for each other to meet conditions

/// A table in memory as a TableReader of one piece.
class OneTable {
 public:
  explicit OneTable(const Table& table) : table_(&table), schema_(table.schema()) {}
  std::optional<Table> next() { return table_ ? std::optional<Table>(*std::exchange(table_, nullptr)) : std::nullopt; }
  const Schema& schema() const { return schema_; }

 private:
  const Table* table_;
  Schema schema_;
};

}  // namespace detail

SYNTHDATA_INLINE TabularArNet::TabularArNet(std::vector<std::int64_t> cardinalities, const std::vector<bool>& ordered,
                                            std::int64_t hidden, double dropout, Rng& rng)
    : cardinalities_(std::move(cardinalities)), hidden_(hidden), dropout_(dropout) {
  first_row_ = {0};
  for (const std::int64_t n : cardinalities_) first_row_.push_back(first_row_.back() + n);
  const auto columns = static_cast<std::int64_t>(cardinalities_.size()), width = columns * hidden;
  const double scale = 1.0 / std::sqrt(static_cast<double>(columns));
  Tensor table = normal({first_row_.back() + 1, width}, rng, DType::f32);
  for (std::int64_t k = 0; k < columns; ++k) {
    if (ordered[static_cast<std::size_t>(k)]) detail::fill_smoothly(table.rows(row_of(k, 0), row_of(k + 1, 0)), rng);
  }
  table_ = Param((Var(table) * scale).value());
  bias_ = Param(Tensor::zeros({width}));
  for (std::int64_t k = 0; k < columns; ++k) {
    middle_.emplace_back(hidden, hidden, rng, LinearOptions{.init = init::he_uniform});
    heads_.emplace_back(hidden, cardinalities_[static_cast<std::size_t>(k)], rng);
  }
}

SYNTHDATA_INLINE void TabularArNet::begin_with(std::int64_t k, const std::vector<std::int64_t>& rows) {
  std::vector<float> logits;
  for (const std::int64_t n : rows) logits.push_back(static_cast<float>(std::log(static_cast<double>(n) + 0.5)));
  double sum = 0.0;  // logits are about 0, as weights keep them
  for (const float logit : logits) sum += static_cast<double>(logit) / static_cast<double>(logits.size());
  for (float& logit : logits) logit -= static_cast<float>(sum);
  Linear::visit(heads_[static_cast<std::size_t>(k)], [&](std::string_view name, Param& param) {
    if (name == "bias") param = Param(Tensor::from(logits));
  });
}

SYNTHDATA_INLINE void TabularArNet::smooth(std::int64_t k, const std::vector<bool>& codes, Rng& rng) {
  const std::int64_t waves = detail::waves_of(codes);
  constexpr std::int64_t begun = 8;  // of the cosines, which the table begins with
  if (waves == 0) return;
  // Each update moves every wave by about the learning rate, and a row by their sum: the cosines are small, so that
  // rows move as those of other codes do.
  const auto fade = [](std::int64_t wave) { return 0.7 / static_cast<double>(wave + 1); };
  const auto count = static_cast<std::int64_t>(codes.size()), width = bias_.shape()[0];
  Tensor basis = Tensor::zeros({count, waves}, DType::f32, Device::cpu());
  Tensor others = Tensor::full({count, 1}, 1.0, DType::f32, Device::cpu());
  for (std::int64_t code = 0; code < count; ++code) {
    if (!codes[static_cast<std::size_t>(code)]) continue;
    others.data<float>()[code] = 0.0f;
    const double at = 3.141592653589793 * (static_cast<double>(code) + 0.5) / static_cast<double>(count);
    for (std::int64_t w = 0; w < waves; ++w) {
      basis.data<float>()[code * waves + w] = static_cast<float>(fade(w) * std::cos(static_cast<double>(w + 1) * at));
    }
  }
  Tensor start = Tensor::zeros({waves, width}, DType::f32, Device::cpu());
  const double scale = std::sqrt(2.0 / static_cast<double>(begun) / static_cast<double>(cardinalities_.size()));
  for (std::int64_t w = 0; w < begun; ++w) {
    for (std::int64_t j = 0; j < width; ++j) {
      start.data<float>()[w * width + j] = static_cast<float>(rng.normal() * scale / fade(w));
    }
  }
  waves_.push_back({k, std::move(basis), std::move(others)});
  table_waves_.emplace_back(std::move(start));
  head_waves_.emplace_back(Tensor::zeros({waves, hidden_}));
}

SYNTHDATA_INLINE Var TabularArNet::table() const {
  if (waves_.empty()) return table_;
  std::vector<Var> parts;
  std::int64_t done = 0;
  const auto up_to = [&](std::int64_t row) {
    if (row > done) parts.push_back(slice(table_, 0, done, row));
    done = row;
  };
  for (std::size_t i = 0; i < waves_.size(); ++i) {
    const Waves& w = waves_[i];
    up_to(row_of(w.k, 0));
    done = row_of(w.k + 1, 0);
    parts.push_back(slice(table_, 0, row_of(w.k, 0), done) * Var(w.others.to(table_.device())) +
                    matmul(Var(w.basis.to(table_.device())), table_waves_[i]));
  }
  up_to(table_.shape()[0]);
  return concat(parts, 0);
}

SYNTHDATA_INLINE Var TabularArNet::head(std::int64_t k) const {
  const Param& weight = heads_[static_cast<std::size_t>(k)].weight();
  for (std::size_t i = 0; i < waves_.size(); ++i) {
    if (waves_[i].k != k) continue;
    return weight * Var(waves_[i].others.to(weight.device())) +
           matmul(Var(waves_[i].basis.to(weight.device())), head_waves_[i]);
  }
  return weight;
}

SYNTHDATA_INLINE void TabularArNet::settle() {
  const NoGrad no_grad;
  table_ = Param(table().value().clone());
  for (const Waves& w : waves_) {
    const Tensor full = head(w.k).value().clone();
    Linear::visit(heads_[static_cast<std::size_t>(w.k)], [&](std::string_view name, Param& param) {
      if (name == "weight") param = Param(full);
    });
  }
  waves_.clear();
  table_waves_.clear();
  head_waves_.clear();
}

SYNTHDATA_INLINE Var TabularArNet::loss(const Tensor& codes, const std::vector<std::int64_t>& position,
                                        Context& context) const {
  const auto columns = static_cast<std::int64_t>(cardinalities_.size());
  const std::int64_t rows = codes.shape(0), width = columns * hidden_;
  // One table for all columns: what a column must not see of another is zero in its part.
  Tensor mask = Tensor::zeros({first_row_.back() + 1, width}, DType::f32, Device::cpu());
  for (std::int64_t j = 0; j < columns; ++j) {
    for (std::int64_t row = row_of(j, 0); row < row_of(j + 1, 0); ++row) {
      float* to = mask.data<float>() + row * width;
      for (std::int64_t k = 0; k < columns; ++k) {
        if (position[static_cast<std::size_t>(j)] < position[static_cast<std::size_t>(k)]) {
          std::fill_n(to + k * hidden_, hidden_, 1.0f);
        }
      }
    }
  }
  Tensor index = Tensor::empty({rows, columns}, DType::i64, Device::cpu());
  std::vector<Tensor> labels;
  for (std::int64_t k = 0; k < columns; ++k) {
    Tensor label = Tensor::empty({rows}, DType::i64, Device::cpu());
    for (std::int64_t n = 0; n < rows; ++n) {
      const std::int64_t code = codes.data<std::int64_t>()[n * columns + k];
      label.data<std::int64_t>()[n] = code;
      index.data<std::int64_t>()[n * columns + k] = row_of(k, code);
    }
    labels.push_back(label.to(table_.device()));
  }
  const Var sums = embedding_bag(table() * Var(mask.to(table_.device())), index.to(table_.device())) + bias_;
  const std::vector<Var> first = split(relu(sums), 1, columns);
  Var total;
  for (std::int64_t k = 0; k < columns; ++k) {
    const auto at = static_cast<std::size_t>(k);
    Var h = middle_[at].fused(first[at], context, fused::relu);
    if (context.training() && dropout_ > 0.0) h = dropout(h, dropout_, context.random("TabularAr"));
    const Var one = cross_entropy(heads_[at].with_weight(head(k), h), labels[at]);
    total = total.defined() ? total + one : one;
  }
  return total;
}

SYNTHDATA_INLINE Tensor TabularArNet::part(std::int64_t k) const {
  const NoGrad no_grad;
  return slice(table(), 1, k * hidden_, (k + 1) * hidden_).value();
}

SYNTHDATA_INLINE Var TabularArNet::logits(std::int64_t k, const Tensor& part, const Tensor& known) const {
  const auto at = static_cast<std::size_t>(k);
  const Var first = relu(embedding_bag(Var(part), known) + slice(bias_, 0, k * hidden_, (k + 1) * hidden_));
  Context context;
  return heads_[at](middle_[at].fused(first, context, fused::relu));
}

namespace detail {

/// The state of a TabularAr in training.
class TabularArLearner final : public Learner {
 public:
  TabularArLearner(std::vector<ColumnCodes> columns, bool any_order, TabularArNet net, const PackedCodes& codes,
                   BatchRows batches, std::vector<std::int64_t> held_out, double average_decay, double rate,
                   const Rng& rng)
      : columns_(std::move(columns)),
        any_order_(any_order),
        codes_(codes),
        batches_(std::move(batches)),
        held_out_(std::move(held_out)),
        first_(first_places(columns_)),
        net_(std::move(net)),
        average_(net_),
        ema_(average_decay),
        rate_(rate),
        rng_(rng) {
    move_to(net_, current_device());
    move_to(average_, current_device());
    state_ = state_of(net_);
    average_state_ = state_of(average_);
    optimizer_.emplace(state_.parameters, Adam{});
  }

  std::int64_t parameters() const { return synthdata::detail::count_values(state_); }
  double update(std::int64_t epoch, std::int64_t step) override {
    Context context{.mode = Mode::training, .rng = &rng_};
    const Tensor codes = codes_.batch(batches_(epoch, step));
    const Var loss = net_.loss(codes, any_order_ ? random_order() : row_range(0, first_.back()), context);
    const double value = loss.item();
    optimizer_->minimize(loss, rate_ * begun_with(epoch));
    ema_.update(average_state_, state_);
    return value;
  }
  double end_epoch() override {
    if (held_out_.empty()) return std::numeric_limits<double>::quiet_NaN();
    const NoGrad no_grad;
    Context context;
    double total = 0.0;
    const auto batch = static_cast<std::size_t>(batches_.size());  // as in training: memory of the same sizes is used
    for (std::size_t begin = 0; begin < held_out_.size(); begin += batch) {
      const std::size_t end = std::min(held_out_.size(), begin + batch);
      const std::vector<std::int64_t> some(held_out_.begin() + static_cast<std::ptrdiff_t>(begin),
                                           held_out_.begin() + static_cast<std::ptrdiff_t>(end));
      total += average_.loss(codes_.batch(some), row_range(0, first_.back()), context).item() *
               static_cast<double>(some.size());
    }
    const double loss = total / static_cast<double>(held_out_.size());
    if (loss < lowest_) {
      lowest_ = loss, since_lowest_ = 0;
    } else if (++since_lowest_ % 2 == 0) {
      rate_ /= 2.0;
    }
    return loss;
  }
  Table sample(std::int64_t rows, std::uint64_t seed) const override {
    return model(average_).sample(rows, {}, {.seed = seed});
  }
  /// Rows of the table as far as their codes tell.
  Table decoded(const std::vector<std::int64_t>& rows) const {
    const Tensor codes = codes_.batch(rows);
    const auto width = codes.shape(1), size = codes.shape(0);
    std::vector<Column> columns;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const std::int64_t low_codes = columns_[c].cardinalities().size() == 2 ? columns_[c].cardinalities()[1] : 1;
      std::vector<std::int64_t> column;
      for (std::int64_t row = 0; row < size; ++row) {
        const std::int64_t* const code = codes.data<std::int64_t>() + row * width + first_[c];
        column.push_back(low_codes == 1 ? code[0] : code[0] * low_codes + code[1]);
      }
      columns.push_back(columns_[c].decode(column, rng_.split(c)));
    }
    return Table(std::move(columns));
  }
  void keep() override { best_.emplace(average_); }
  void save(Archive& archive, bool kept) const override {
    save_state(archive, "net.", net_);
    save_state(archive, "average.", average_);
    if (kept) save_state(archive, "best.", *best_);
    synthdata::detail::add_optimizer(archive, "optimizer.", *optimizer_);
    synthdata::detail::add_rng(archive, rng_);
    synthdata::detail::add_integers(archive, "learner", {ema_.updates(), since_lowest_});
    archive.add("rate", Tensor::from(std::vector<double>{rate_, lowest_}, Device::cpu()));
  }
  void restore(const Archive& archive, bool kept) override {
    load_state(archive, "net.", net_);
    load_state(archive, "average.", average_);
    if (kept) load_state(archive, "best.", best_.emplace(average_));
    optimizer_ = synthdata::detail::read_optimizer(archive, "optimizer.", *optimizer_);
    rng_ = synthdata::detail::read_rng(archive);
    const auto learner = synthdata::detail::read_integers(archive, "learner", 2);
    ema_.restore(learner[0]);
    since_lowest_ = learner[1];
    const Tensor& rate = archive.at("rate");
    if (rate.dtype() != DType::f64 || rate.size() != 2) throw DataError("'rate' is damaged");
    rate_ = rate.data<double>()[0];
    lowest_ = rate.data<double>()[1];
  }
  /// The model that was kept, or else the average as it is.
  TabularAr result(bool kept) const { return model(kept ? *best_ : average_); }

 private:
  TabularAr model(TabularArNet net) const {
    net.settle();
    move_to(net, Device::cpu());
    return TabularAr(columns_, std::move(net), any_order_);
  }
  /// The first steps are larger: what is coarse is learnt several times as fast, and the rest no worse.
  static double begun_with(std::int64_t epoch) {
    constexpr double times = 5.0, epochs = 5.0;
    return std::max(1.0, times - (times - 1.0) * static_cast<double>(epoch) / epochs);
  }
  /// The place of each code column in an order of the columns.
  std::vector<std::int64_t> random_order() {
    std::vector<std::int64_t> position(static_cast<std::size_t>(first_.back()));
    std::int64_t next = 0;
    for (const std::int64_t c : rng_.permutation(static_cast<std::int64_t>(first_.size()) - 1)) {
      const auto at = static_cast<std::size_t>(c);
      for (std::int64_t k = first_[at]; k < first_[at + 1]; ++k) position[static_cast<std::size_t>(k)] = next++;
    }
    return position;
  }

  std::vector<ColumnCodes> columns_;
  bool any_order_;
  const PackedCodes& codes_;
  BatchRows batches_;
  std::vector<std::int64_t> held_out_, first_;
  TabularArNet net_;
  // Small steps at random orders leave the weights trembling; their mean over about the last epoch is what is kept.
  TabularArNet average_;
  std::optional<TabularArNet> best_;
  ModuleState state_, average_state_;
  std::optional<Optimizer> optimizer_;
  Ema ema_;
  double rate_, lowest_ = std::numeric_limits<double>::infinity();
  std::int64_t since_lowest_ = 0;
  Rng rng_;
};

}  // namespace detail

SYNTHDATA_INLINE TabularMemory TabularAr::memory(const std::vector<ColumnCodes>& columns, std::int64_t rows,
                                                 const TabularArOptions& options, std::int64_t batch) {
  std::int64_t codes = 0;
  const std::vector<std::int64_t> cardinalities = detail::all_cardinalities(columns);
  for (const std::int64_t n : cardinalities) codes += n;
  const auto places = static_cast<std::int64_t>(cardinalities.size());
  const std::int64_t hidden = options.hidden, width = places * hidden, table = (codes + 1) * width;
  std::int64_t waves = 0;
  for (const ColumnCodes& column : columns) waves += detail::waves_of(detail::range_codes(column));
  const std::int64_t weights =
      table + width + places * (hidden * hidden + hidden) + codes * (hidden + 1) + waves * (width + hidden);
  TabularMemory memory;
  for (const std::int64_t n : cardinalities) memory.rows += rows * detail::code_bytes(n);
  memory.weights = 5 * 4 * weights;
  memory.batch = 4 * (3 * table + weights) + 4 * (7 * width + 2 * codes + 6 * places) * batch;
  return memory;
}

SYNTHDATA_INLINE TabularAr TabularAr::fit(const Table& table, const TabularArOptions& options,
                                          const TabularTraining& training, const TabularCallback& progress) {
  const TableSource source = [&] { return detail::OneTable(table); };
  std::vector<ColumnCodes> columns = detail::fit_columns(source, options.codes, "TabularAr");
  const detail::PackedCodes codes(columns, source);
  return train(std::move(columns), codes, &table, options, training, progress);
}

SYNTHDATA_INLINE TabularAr TabularAr::fit(const TableSource& source, const TabularArOptions& options,
                                          const TabularTraining& training, const TabularCallback& progress) {
  std::vector<ColumnCodes> columns = detail::fit_columns(source, options.codes, "TabularAr");
  const detail::PackedCodes codes(columns, source, detail::scratch_file(options.folder));
  return train(std::move(columns), codes, nullptr, options, training, progress);
}

SYNTHDATA_INLINE TabularAr TabularAr::train(std::vector<ColumnCodes> columns, const detail::PackedCodes& codes,
                                            const Table* table, const TabularArOptions& options,
                                            const TabularTraining& training, const TabularCallback& progress) {
  detail::check_training(training, "TabularAr");
  if (options.hidden < 1 || !(options.dropout >= 0.0 && options.dropout < 1.0)) {
    throw DataError("TabularAr: expects hidden >= 1 and dropout in [0, 1)");
  }
  const detail::RowSplit split = detail::split_rows(codes.rows(), training, true, "TabularAr");
  const auto count = static_cast<std::int64_t>(split.learn.size());
  const std::int64_t in_memory = table ? codes.rows() : 0;
  const auto memory = [&](std::int64_t batch) { return TabularAr::memory(columns, in_memory, options, batch); };
  const std::int64_t batch = detail::batch_within(
      training,
      std::min(count, training.batch_size > 0 ? training.batch_size : std::clamp<std::int64_t>(count / 100, 64, 2048)),
      1, "TabularAr", "fewer bins or max_codes, a smaller hidden layer, fewer rows", memory);

  TabularArNet net = [&] {
    const OnDevice host(Device::cpu());
    Rng rng = Rng{training.seed}.split(1);
    TabularArNet made(detail::all_cardinalities(columns), detail::ordered_codes(columns), options.hidden,
                      options.dropout, rng);
    const std::vector<std::int64_t> first = detail::first_places(columns);
    for (std::size_t c = 0; c < columns.size(); ++c) {
      made.smooth(first[c], detail::range_codes(columns[c]), rng);
    }
    std::vector<std::vector<std::int64_t>> rows_of;
    for (const std::int64_t n : made.cardinalities()) rows_of.emplace_back(static_cast<std::size_t>(n), 0);
    for (std::size_t begin = 0; begin < split.learn.size(); begin += 4096) {
      const std::size_t end = std::min(split.learn.size(), begin + 4096);
      const Tensor some = codes.batch({split.learn.data() + begin, end - begin});
      const std::int64_t* code = some.data<std::int64_t>();
      for (std::size_t row = begin; row < end; ++row) {
        for (std::vector<std::int64_t>& of_code : rows_of) ++of_code[static_cast<std::size_t>(*code++)];
      }
    }
    for (std::size_t k = 0; k < rows_of.size(); ++k) made.begin_with(static_cast<std::int64_t>(k), rows_of[k]);
    return made;
  }();
  Archive encoding;
  for (std::size_t c = 0; c < columns.size(); ++c) columns[c].save(encoding, concat("column.", c));
  detail::TabularArLearner learner(
      columns, options.any_order, std::move(net), codes,
      detail::BatchRows(split.learn, batch, Rng{training.seed}.split(3)), split.held_out,
      std::clamp(1.0 - static_cast<double>(batch) / static_cast<double>(count), 0.9, 0.999),
      training.learning_rate > 0.0 ? training.learning_rate : 1e-3, Rng{training.seed}.split(2));
  const detail::TrainingTable rows{
      .fingerprint = [&] { return table ? detail::fingerprint(*table) : codes.fingerprint(); },
      .held_out = [&] { return table ? table->take(split.held_out) : learner.decoded(split.held_out); }};
  const bool kept = detail::run_training(learner, rows, training,
                                         {.rows = count,
                                          .held_out = static_cast<std::int64_t>(split.held_out.size()),
                                          .epochs = training.epochs > 0 ? training.epochs : 100,
                                          .steps = count / batch,
                                          .batch_size = batch,
                                          .parameters = learner.parameters(),
                                          .memory = memory(batch)},
                                         true,
                                         {{"model", "ar"},
                                          {"hidden", options.hidden},
                                          {"dropout", options.dropout},
                                          {"any_order", options.any_order},
                                          {"encoding", detail::fingerprint(encoding)}},
                                         "TabularAr", progress);
  return learner.result(kept);
}

namespace detail {

/// Makes rows of a model piece by piece.
class ArSampler {
 public:
  ArSampler(const TabularAr& model, const Conditions& conditions, const SampleOptions& options)
      : model_(model), options_(options), first_(first_places(model.columns_)), places_(model.columns_.size()) {
    for (const ColumnCodes& column : model.columns_) choices_.push_back(free_choice(column));
    for (const auto& [name, condition] : conditions) {
      const auto c = static_cast<std::size_t>(model.place_of(name));
      if (choices_[c].conditioned) throw DataError(concat("sample: two conditions on column ", in_quotes(name)));
      choices_[c] = conditioned_choice(model.columns_[c], condition);
    }
    // What is given comes first, then choices and ranges, then all else.
    for (const int turn : {0, 1, 2}) {
      for (std::size_t c = 0; c < choices_.size(); ++c) {
        const int when = !model.any_order_ ? 2 : choices_[c].fixed >= 0 ? 0 : choices_[c].conditioned ? 1 : 2;
        if (when == turn) (when == 0 ? given_ : order_).push_back(static_cast<std::int64_t>(c));
      }
    }
  }

  Table next(std::int64_t rows) {
    if (rows < 0) throw DataError(concat("sample: expects a number of rows >= 0, got ", rows));
    const OnDevice host(Device::cpu());
    CodeTable codes(rows, first_.back());
    for (std::int64_t begin = 0; begin < rows; begin += sample_piece) {
      draw(codes, begin, std::min(rows, begin + sample_piece));
    }
    row_ += rows;
    std::vector<Column> made(choices_.size());
    const Rng rng = Rng{options_.seed}.split(std::uint64_t{1} << 40);
    const auto columns = static_cast<std::int64_t>(made.size());
    parallel_for(columns, rows < 4096 ? columns : 1,
                 [&](std::int64_t begin, std::int64_t end) {  // few are not worth it
                   for (auto c = static_cast<std::size_t>(begin); c < static_cast<std::size_t>(end); ++c) {
                     made[c] = model_.columns_[c].decode(column_of(codes, first_[c], model_.columns_[c]), rng.split(c),
                                                         places_[c], choices_[c].low, choices_[c].high);
                   }
                 });
    return Table(std::move(made));
  }

 private:
  void draw(CodeTable& codes, std::int64_t piece_begin, std::int64_t piece_end) const {
    const Rng rng{options_.seed};
    std::vector<std::int64_t> pending = row_range(piece_begin, piece_end);
    for (std::int64_t round = 0; !pending.empty(); ++round) {
      if (round == options_.rounds) {
        throw DataError(concat("sample: after ", round, " rounds only ",
                               row_ + piece_end - static_cast<std::int64_t>(pending.size()), " of ", row_ + codes.rows,
                               " rows meet all conditions together; that is too rare"));
      }
      std::vector<std::uint8_t> kept(pending.size());
      parallel_for(static_cast<std::int64_t>(pending.size()), sample_block, [&](std::int64_t begin, std::int64_t end) {
        const NoGrad no_grad;
        const ProductPrecision precision(options_.precision);
        const std::vector<std::int64_t> some(pending.begin() + begin, pending.begin() + end);
        std::vector<Rng> rngs;
        for (const std::int64_t row : some) {
          rngs.push_back(rng.split(static_cast<std::uint64_t>(row_ + row)).split(static_cast<std::uint64_t>(round)));
          for (const std::int64_t c : given_) {
            const auto at = static_cast<std::size_t>(c);
            put_code(codes, row, first_[at], model_.columns_[at], choices_[at].fixed);
          }
        }
        const auto found =
            ArDraw{model_.net_, model_.parts_, model_.columns_, first_, choices_}(codes, some, given_, order_, rngs);
        std::copy(found.begin(), found.end(), kept.begin() + begin);
      });
      std::vector<std::int64_t> missed;
      for (std::size_t i = 0; i < pending.size(); ++i) {
        if (kept[i] == 0) missed.push_back(pending[i]);
      }
      pending = std::move(missed);
    }
  }

  const TabularAr& model_;
  SampleOptions options_;
  std::vector<std::int64_t> first_, given_, order_;
  std::vector<ColumnChoice> choices_;
  std::vector<ColumnCodes::Place> places_;
  std::int64_t row_ = 0;
};

}  // namespace detail

SYNTHDATA_INLINE Table TabularAr::sample(std::int64_t rows, const Conditions& conditions,
                                         const SampleOptions& options) const {
  return detail::ArSampler(*this, conditions, options).next(rows);
}

SYNTHDATA_INLINE std::function<Table(std::int64_t rows)> TabularAr::pieces(const Conditions& conditions,
                                                                           const SampleOptions& options) const {
  return [sampler = std::make_shared<detail::ArSampler>(*this, conditions, options)](std::int64_t rows) {
    return sampler->next(rows);
  };
}

SYNTHDATA_INLINE std::int64_t TabularAr::place_of(std::string_view name) const {
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    if (columns_[c].schema().name == name) return static_cast<std::int64_t>(c);
  }
  throw DataError(concat("the model has no column ", in_quotes(name), "; it has ",
                         synthdata::detail::list_names(schema().columns)));
}

SYNTHDATA_INLINE Schema TabularAr::schema() const {
  Schema schema;
  for (const ColumnCodes& column : columns_) schema.columns.push_back(column.schema());
  return schema;
}

SYNTHDATA_INLINE Table TabularAr::impute(const Table& table, std::uint64_t seed) const {
  const OnDevice host(Device::cpu());
  if (!any_order_) throw DataError("impute: expects a model trained for any order of columns (any_order)");
  const std::vector<std::int64_t> first = detail::first_places(columns_);
  detail::CodeTable codes = detail::encode_table(columns_, table);
  std::vector<detail::ColumnChoice> choices;
  for (const ColumnCodes& column : columns_) {
    choices.push_back(detail::free_choice(column, false));
  }
  // Rows that lack the same columns are filled together.
  std::map<std::vector<bool>, std::vector<std::int64_t>> groups;
  for (std::int64_t row = 0; row < table.size(); ++row) {
    std::vector<bool> lacks(columns_.size());
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const std::int64_t place = table.find(columns_[c].schema().name);
      const Column* column = place < 0 ? nullptr : &table[static_cast<std::size_t>(place)];
      lacks[c] = !column || column->is_missing(row) || (columns_[c].is_number() && std::isnan(column->number(row)));
    }
    groups[lacks].push_back(row);
  }
  const Rng rng{seed};
  for (const auto& [lacks, rows] : groups) {
    std::vector<std::int64_t> given, order;
    for (std::size_t c = 0; c < lacks.size(); ++c) (lacks[c] ? order : given).push_back(static_cast<std::int64_t>(c));
    parallel_for(static_cast<std::int64_t>(rows.size()), detail::sample_block,
                 [&](std::int64_t begin, std::int64_t end) {
                   const NoGrad no_grad;
                   const std::vector<std::int64_t> some(rows.begin() + begin, rows.begin() + end);
                   std::vector<Rng> rngs;
                   for (const std::int64_t row : some) {
                     rngs.push_back(rng.split(static_cast<std::uint64_t>(row)));
                     for (const std::int64_t c :
                          order) {  // missing values have a code of their own, which is not to be looked at
                       const auto at = static_cast<std::size_t>(c);
                       for (std::int64_t k = first[at]; k < first[at + 1]; ++k) codes.at(row, k) = -1;
                     }
                   }
                   detail::ArDraw{net_, parts_, columns_, first, choices}(codes, some, given, order, rngs);
                 });
  }
  Table filled = table;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    const ColumnCodes& column = columns_[c];
    const std::int64_t place = table.find(column.schema().name);
    bool any = place < 0;
    for (const auto& [lacks, rows] : groups) any = any || lacks[c];
    if (!any) continue;
    const Column drawn =
        column.decode(detail::column_of(codes, first[c], column), rng.split(std::uint64_t{1} << 40).split(c));
    filled = filled.with(place < 0 ? drawn : detail::fill_from(table[static_cast<std::size_t>(place)], drawn));
  }
  return filled;
}

SYNTHDATA_INLINE ClassProbabilities TabularAr::probabilities(const Table& table, std::string_view target) const {
  const OnDevice host(Device::cpu());
  if (!any_order_) throw DataError("probabilities: expects a model trained for any order of columns (any_order)");
  const auto c = static_cast<std::size_t>(place_of(target));
  const std::vector<std::int64_t> first = detail::first_places(columns_);
  const ColumnCodes& column = columns_[c];
  const auto classes = column.class_texts();
  if (classes.empty()) {
    throw DataError(concat("probabilities: column ", in_quotes(target),
                           " has no classes: it is one of ranges, texts or very many categories"));
  }
  const detail::CodeTable codes = detail::encode_table(columns_, table);
  std::vector<std::int64_t> before;
  for (std::int64_t k = 0; k < first.back(); ++k) {
    if (k < first[c] || k >= first[c + 1]) before.push_back(k);
  }
  ClassProbabilities out;
  std::vector<std::int64_t> code_of;
  for (const auto& [code, text] : classes) {
    code_of.push_back(code);
    out.classes.push_back(text);
  }
  const auto width = static_cast<std::int64_t>(code_of.size());
  out.probabilities = Tensor::empty({table.size(), width}, DType::f32, Device::cpu());
  parallel_for(table.size(), detail::sample_block, [&](std::int64_t begin, std::int64_t end) {
    const NoGrad no_grad;
    const Tensor p = detail::ArPass(net_, parts_, codes).probabilities(first[c], detail::row_range(begin, end), before);
    for (std::int64_t row = begin; row < end; ++row) {
      float* to = out.probabilities.data<float>() + row * width;
      float sum = 0.0f;
      for (std::int64_t i = 0; i < width; ++i) {
        to[i] = p.data<float>()[(row - begin) * p.shape(1) + code_of[static_cast<std::size_t>(i)]];
        sum += to[i];
      }
      for (std::int64_t i = 0; i < width; ++i) to[i] /= sum;
    }
  });
  return out;
}

SYNTHDATA_INLINE Tensor TabularAr::log_prob(const Table& table) const {
  const OnDevice host(Device::cpu());
  const std::vector<std::int64_t> first = detail::first_places(columns_);
  for (const ColumnCodes& column : columns_) static_cast<void>(table[column.schema().name]);  // all must be there
  const detail::CodeTable codes = detail::encode_table(columns_, table);
  Tensor out = Tensor::zeros({table.size()}, DType::f64, Device::cpu());
  parallel_for(table.size(), detail::sample_block, [&](std::int64_t begin, std::int64_t end) {
    const NoGrad no_grad;
    const std::vector<std::int64_t> rows = detail::row_range(begin, end);
    std::vector<std::int64_t> before;
    for (std::int64_t k = 0; k < first.back(); ++k) {
      const Tensor log_p = detail::ArPass(net_, parts_, codes).log_probabilities(k, rows, before);
      for (std::int64_t row = begin; row < end; ++row) {
        const std::int64_t code = codes.at(row, k);
        double& sum = out.data<double>()[row];
        sum += code < 0 ? -std::numeric_limits<double>::infinity()
                        : static_cast<double>(log_p.data<float>()[(row - begin) * log_p.shape(1) + code]);
      }
      before.push_back(k);
    }
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      for (std::int64_t row = begin; row < end; ++row) {
        const std::int64_t code = detail::get_code(codes, row, first[c], columns_[c]);
        if (code >= 0) out.data<double>()[row] += columns_[c].log_within(code);
      }
    }
  });
  return out;
}

SYNTHDATA_INLINE Archive TabularAr::archive() const {
  Archive archive;
  archive.metadata["format"] = "synthdata tabular_ar 1";
  archive.metadata["model"] = Json(Json::Object{{"columns", static_cast<std::int64_t>(columns_.size())},
                                                {"hidden", net_.hidden()},
                                                {"any_order", any_order_}})
                                  .dump();
  for (std::size_t c = 0; c < columns_.size(); ++c) columns_[c].save(archive, concat("column.", c));
  detail::save_state(archive, "net.", net_);
  return archive;
}

SYNTHDATA_INLINE void TabularAr::save(const std::string& path) const { save_safetensors(path, archive()); }

SYNTHDATA_INLINE TabularAr TabularAr::load(const std::string& path) {
  return from_archive(detail::load_model_alone(path), path);
}

SYNTHDATA_INLINE TabularAr TabularAr::from_archive(const Archive& archive, const std::string& path) {
  const OnDevice host(Device::cpu());
  const auto fail = [&](const std::string& what) { throw DataError(concat(path, ": ", what)); };
  if (archive.text("format") != "synthdata tabular_ar 1") fail("is not a model of TabularAr, version 1");
  const Json json = parse_json(archive.text("model"), {.source = path});
  const std::int64_t count = detail::integer_in(json, "columns", 100'000, path);
  const std::int64_t hidden = detail::integer_in(json, "hidden", 65536, path);
  const Json* any_order = json.find("any_order");
  if (!any_order || !any_order->get_if<bool>()) fail("expects any_order");
  std::vector<ColumnCodes> columns;
  for (std::int64_t c = 0; c < count; ++c) columns.push_back(ColumnCodes::load(archive, concat("column.", c)));
  // Weights are looked at before a net of that size is made: a small file cannot ask for a large one.
  const std::vector<std::int64_t> cardinalities = detail::all_cardinalities(columns);
  std::int64_t rows = 1;
  for (const std::int64_t n : cardinalities) rows += n;
  const Shape table{rows, static_cast<std::int64_t>(cardinalities.size()) * hidden};
  if (!(archive.at("net.table").shape() == table)) {
    fail(concat("its table is ", archive.at("net.table").str(), ", expected ", table));
  }
  Rng rng;
  TabularArNet net(cardinalities, detail::ordered_codes(columns), hidden, 0.0, rng);
  detail::load_state(archive, "net.", net);
  return TabularAr(std::move(columns), std::move(net), *any_order->get_if<bool>());
}

}  // namespace synthdata::models
