// synthdata/tabular/encoded_rows_impl.hpp: bodies of encoded_rows.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/random.hpp>
#include <synthdata/ops/shape.hpp>
#include <synthdata/ops/softmax.hpp>
#include <synthdata/tabular/encoded_rows.hpp>
#include <synthdata/tabular/softmax_draw.hpp>

#include <algorithm>
#include <cmath>

namespace synthdata::models {

SYNTHDATA_INLINE RowActivation::RowActivation(const std::vector<EncodedBlock>& blocks, double temperature)
    : temperature_(temperature) {
  std::vector<float> scalar;
  for (const EncodedBlock& block : blocks) {
    if (block.kind == BlockKind::code) {
      throw DataError(concat("column ", in_quotes(block.column), ": its encoding as ", name_of(block.kind),
                             " has no activation that a net could make it with"));
    }
    sizes_.push_back(block.width);
    scalar.insert(scalar.end(), static_cast<std::size_t>(block.width), block.kind == BlockKind::one_hot ? 0.0f : 1.0f);
  }
  is_scalar_ = Buffer(Tensor::from(scalar, {1, static_cast<std::int64_t>(scalar.size())}));
}

SYNTHDATA_INLINE Var RowActivation::operator()(const Var& logits, Context& context) const {
  return where(is_scalar_.value(), tanh(logits),
               gumbel_softmax_blocks(logits, sizes_, context.random("RowActivation"), {.temperature = temperature_}));
}

namespace detail {

/// Some rows side by side. `uniform` [rows, blocks] decides what is drawn, `scratch` holds the widest block of so many.
template <int lanes>
struct DrawEncoded {
  SYNTHDATA_HD void operator()(std::int64_t rows, std::int64_t width, std::span<const EncodedBlock> blocks,
                               const float* uniform, float* scratch, float* y) const {
    const auto count = static_cast<std::int64_t>(blocks.size());
    for (std::int64_t first = 0; first < rows; first += lanes) {
      const int real = static_cast<int>(rows - first < lanes ? rows - first : lanes);
      std::int64_t at[lanes];  // of each lane's row; what lies beyond the last row repeats it
      for (int l = 0; l < lanes; ++l) at[l] = first + (l < real ? l : real - 1);
      for (std::int64_t b = 0; b < count; ++b) {
        const EncodedBlock& block = blocks[static_cast<std::size_t>(b)];
        float* to[lanes];
        for (int l = 0; l < lanes; ++l) to[l] = y + at[l] * width + block.begin;
        alignas(64) float draw[lanes], share[lanes];
        if (block.kind != BlockKind::one_hot) {
          for (std::int64_t i = 0; i < block.width; ++i) {
            for (int l = 0; l < lanes; ++l) draw[l] = to[l][i];
            SYNTHDATA_IVDEP
            for (int l = 0; l < lanes; ++l) draw[l] = math::tanh(draw[l]);
            for (int l = 0; l < real; ++l) to[l][i] = draw[l];
          }
          continue;
        }
        std::int64_t drawn[lanes];
        for (int l = 0; l < lanes; ++l) draw[l] = uniform[at[l] * count + b];
        SoftmaxDraw<lanes, DrawWeights::none>{block.width, scratch}(to, nullptr, draw, drawn, share);
        for (int l = 0; l < real; ++l) {
          for (std::int64_t i = 0; i < block.width; ++i) to[l][i] = 0.0f;
          to[l][drawn[l] < 0 ? 0 : drawn[l]] = share[l];  // 1, or not a number
        }
      }
    }
  }
};

SYNTHDATA_INLINE void draw_encoded(Tensor& logits, const std::vector<EncodedBlock>& blocks, Rng& rng) {
  const std::int64_t rows = logits.shape(0);
  std::int64_t widest = 1;
  for (const EncodedBlock& block : blocks) widest = std::max(widest, block.width);
  const Tensor draws = uniform({rows, static_cast<std::int64_t>(blocks.size())}, rng);
  constexpr int many = 16;
  Tensor scratch = Tensor::empty({widest, many}, DType::f32, Device::cpu());
  const auto run = [&](auto kernel) {
    backend::cpu::run<float>(kernel, rows, logits.shape(1), std::span<const EncodedBlock>(blocks), draws.data<float>(),
                             scratch.data<float>(), logits.data<float>());
  };
  rows < many / 2 ? run(DrawEncoded<1>{}) : run(DrawEncoded<many>{});
}

SYNTHDATA_INLINE bool meets(const Column& column, std::int64_t row, const Condition& condition) {
  if (column.is_missing(row)) return false;
  if (condition.is_range()) {
    const double value = column.number(row);
    return value >= condition.low() && value <= condition.high();
  }
  const std::string cell = column.cell(row);
  return std::find(condition.texts().begin(), condition.texts().end(), cell) != condition.texts().end();
}

SYNTHDATA_INLINE Table sample_until(std::int64_t rows, const Conditions& conditions, const Schema& schema,
                                    std::int64_t rounds,
                                    const std::function<Table(std::int64_t n, std::int64_t round)>& make) {
  if (rows < 0) throw DataError(concat("sample: expects a number of rows >= 0, got ", rows));
  for (const auto& [name, condition] : conditions) {
    const ColumnSchema& column = schema[name];
    const bool text = column.type == ColumnType::categorical || column.type == ColumnType::text ||
                      column.type == ColumnType::identifier;
    if (condition.is_range() && text) {
      throw DataError(concat("condition on column ", in_quotes(name), ": a number or range, but it is ", column.type));
    }
  }
  if (conditions.empty() || rows == 0) return make(rows, 0);
  Table found = make(0, 0);
  std::vector<std::int64_t> stopped(conditions.size(), 0);
  std::int64_t made = 0;
  for (std::int64_t round = 0; found.size() < rows; ++round) {
    if (round == rounds) {
      const auto worst = std::max_element(stopped.begin(), stopped.end()) - stopped.begin();
      throw DataError(concat("sample: of ", made, " rows only ", found.size(), " of the ", rows,
                             " asked for meet the conditions; the one on column ",
                             in_quotes(conditions[static_cast<std::size_t>(worst)].first), " stopped most, ",
                             stopped[static_cast<std::size_t>(worst)]));
    }
    // As many as are missing at the rate so far, within bounds.
    const double rate =
        made == 0 ? 0.5 : std::max(0.001, static_cast<double>(found.size()) / static_cast<double>(made));
    const auto wanted = static_cast<std::int64_t>(1.1 * static_cast<double>(rows - found.size()) / rate) + 16;
    const Table some = make(std::min<std::int64_t>(wanted, std::max<std::int64_t>(4 * rows, 4096)), round);
    made += some.size();
    std::vector<std::int64_t> fit;
    for (std::int64_t row = 0; row < some.size(); ++row) {
      bool all = true;
      for (std::size_t c = 0; c < conditions.size(); ++c) {
        const bool one = meets(some[conditions[c].first], row, conditions[c].second);
        stopped[c] += !one;
        all = all && one;
      }
      if (all && found.size() + static_cast<std::int64_t>(fit.size()) < rows) fit.push_back(row);
    }
    found = found.size() == 0 ? some.take(fit) : found.append(some.take(fit));
  }
  return found;
}

SYNTHDATA_INLINE Table sample_encoded(std::int64_t rows, const Conditions& conditions, const SampleOptions& options,
                                      const TableEncoder& encoder,
                                      const std::function<Tensor(std::int64_t n, Rng& rng)>& make) {
  const OnDevice host(Device::cpu());
  // The schema is there to judge conditions; its copy takes longer than a row.
  const Schema schema = conditions.empty() ? Schema{} : encoder.schema();
  return sample_until(rows, conditions, schema, options.rounds, [&](std::int64_t n, std::int64_t round) {
    const Rng rng = Rng{options.seed}.split(static_cast<std::uint64_t>(round));
    Rng last = rng.split(std::uint64_t{1} << 40);
    const auto encoded = [&](std::int64_t begin, std::int64_t end) {
      const ProductPrecision precision(options.precision);
      Rng own = rng.split(static_cast<std::uint64_t>(begin / TableEncoder::piece_rows));
      return make(end - begin, own);
    };
    return encoder.decode(n, encoded, last);
  });
}

}  // namespace detail
}  // namespace synthdata::models
