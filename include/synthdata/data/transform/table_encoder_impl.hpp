// synthdata/data/transform/table_encoder_impl.hpp: bodies of data/transform/table_encoder.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/parallel.hpp>
#include <synthdata/data/table_impl.hpp>
#include <synthdata/data/transform/date_parts_impl.hpp>
#include <synthdata/data/transform/kinds_impl.hpp>
#include <synthdata/data/transform/table_encoder.hpp>

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace synthdata {
namespace detail {

inline constexpr std::int64_t encoder_rows =
    4096;  // of one task; a multiple of 8, so that tasks share no byte of marks
inline constexpr const char* missing_rules[] = {"mark", "fill", "refuse"};

[[noreturn]] SYNTHDATA_COLD SYNTHDATA_INLINE void throw_column(std::string_view column, const std::string& text) {
  throw DataError(concat("column ", in_quotes(column), ": ", text));
}

/// Fewest decimals that give back all values, or -1 if more than 15 are needed.
SYNTHDATA_INLINE std::int64_t decimals_of(std::span<const double> values) {
  std::int64_t decimals = 0;
  double power = 1.0;
  for (const double value : values) {
    while (std::round(value * power) / power != value) {
      if (++decimals > 15 || std::fabs(value * power) > 9e15) return -1;
      power *= 10.0;
    }
  }
  return decimals;
}

/// The levels of a chain that ends in categories, or null.
SYNTHDATA_INLINE const transform::Levels* levels_of(const ColumnTransform& chain) {
  if (const auto* one_hot = chain.find<transform::OneHot>()) return &one_hot->levels();
  if (const auto* ordinal = chain.find<transform::Ordinal>()) return &ordinal->levels();
  if (const auto* frequency = chain.find<transform::Frequency>()) return &frequency->levels();
  return nullptr;
}

}  // namespace detail

SYNTHDATA_INLINE TableEncoder::Fitted TableEncoder::fit_column(const Column& column, const EncoderOptions& options,
                                                               const Rng& rng) {
  Fitted out;
  out.schema = column.schema();
  out.missing = options.missing;
  const std::string& name = column.name();
  const auto chosen = options.columns.find(name);
  const bool texts = detail::holds_texts(column.schema());
  if (chosen != options.columns.end()) {
    out.transform = chosen->second.transform;
    out.missing = chosen->second.missing;
    if (texts && !out.transform.find<transform::LeaveOut>()) {
      detail::throw_column(name, concat(column.type(), " can only be left out, got ", out.transform.str()));
    }
  } else if (texts) {
    out.transform = transform::LeaveOut{};
  } else if (column.type() == ColumnType::categorical || column.type() == ColumnType::boolean) {
    out.transform = options.categories;
  } else {
    out.transform = column.type() == ColumnType::date_time ? options.date_times : options.numbers;
  }
  out.left_out = out.transform.find<transform::LeaveOut>() != nullptr;
  if (out.left_out) return out;
  out.schema.as_written = false;  // new values have no text of their own

  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(column.size()));
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (column.is_missing(row)) continue;
    values.push_back(column.number(row));
    if (!std::isfinite(values.back())) {
      detail::throw_column(name, concat("expects finite numbers, row ", row, " is ", values.back()));
    }
  }
  const std::int64_t missing = column.size() - static_cast<std::int64_t>(values.size());
  if (missing > 0 && out.missing == MissingRule::refuse) detail::throw_column(name, concat(missing, " missing values"));
  if (values.empty() && out.missing == MissingRule::fill) {
    detail::throw_column(name, "all values are missing: nothing to fill them with");
  }
  if (chosen == options.columns.end() && column.type() == ColumnType::integer && options.few > 0) {
    std::vector<double> seen;
    for (const double value : values) {
      if (std::find(seen.begin(), seen.end(), value) == seen.end()) seen.push_back(value);
      if (static_cast<std::int64_t>(seen.size()) > options.few) break;
    }
    if (static_cast<std::int64_t>(seen.size()) <= options.few) out.transform = options.categories;
  }
  const bool levels = out.transform.takes_missing();
  if (values.empty() && !levels) values.push_back(0.0);  // all missing: the flag says all
  if (!values.empty()) {
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    out.low = *low;
    out.high = *high;
    if (column.type() == ColumnType::real) {
      out.decimals =
          out.schema.decimals >= 0 && out.schema.decimals <= 15 ? out.schema.decimals : detail::decimals_of(values);
    }
  }
  out.flag = missing > 0 && out.missing == MissingRule::mark && !levels;
  out.transform.fit({.values = values,
                     .missing_count = levels && out.missing == MissingRule::mark ? missing : 0,
                     .schema = out.schema,
                     .rng = rng});
  if (levels) {
    const transform::Levels* const table = detail::levels_of(out.transform);
    if (table && !values.empty()) {
      std::int64_t best = 0;
      for (std::int64_t i = 1; i < table->size() - table->has_missing(); ++i) {
        if (table->count(i) > table->count(best)) best = i;
      }
      out.fill = table->value_of(best, nullptr);
    }
  } else {  // the median: a value that occurs, so that every transform takes it
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
    std::nth_element(values.begin(), middle, values.end());
    out.fill = *middle;
  }
  return out;
}

SYNTHDATA_INLINE TableEncoder TableEncoder::fit(const Table& training, const EncoderOptions& options, const Rng& rng) {
  if (training.size() < 1) throw DataError("TableEncoder: expects at least one training row, got none");
  for (const auto& [name, choice] : options.columns) {
    if (training.find(name) < 0) detail::throw_column(name, "the training table has none of this name");
  }
  TableEncoder out;
  out.unknown_ = options.unknown;
  out.keep_range_ = options.keep_range;
  out.columns_.resize(training.columns().size());
  parallel_for(static_cast<std::int64_t>(out.columns_.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const Column& column = training[static_cast<std::size_t>(i)];
      try {
        out.columns_[static_cast<std::size_t>(i)] =
            fit_column(column, options, rng.split(static_cast<std::uint64_t>(i)));
      } catch (const Error& error) {
        const std::string text = error.what();
        if (text.starts_with("column ")) throw;
        detail::throw_column(column.name(), text);
      }
    }
  });
  out.place();
  return out;
}

SYNTHDATA_INLINE void TableEncoder::place() {
  blocks_.clear();
  width_ = 0;
  for (Fitted& column : columns_) {
    column.begin = width_;
    column.width = 0;
    std::vector<EncodedBlock> blocks = column.transform.blocks();
    for (const EncodedBlock& block : blocks) column.width += block.width;
    if (column.flag) {
      blocks.push_back({.begin = column.width++, .kind = BlockKind::flag, .low = 0.0, .high = 1.0});
    }
    for (EncodedBlock& block : blocks) {
      block.column = column.schema.name;
      block.begin += width_;
      blocks_.push_back(std::move(block));
    }
    width_ += column.width;
  }
}

SYNTHDATA_INLINE const TableEncoder::Fitted& TableEncoder::find(std::string_view name) const {
  for (const Fitted& column : columns_) {
    if (column.schema.name == name) return column;
  }
  detail::throw_column(name, "the encoder was fitted without it");
}

SYNTHDATA_INLINE std::vector<EncodedBlock> TableEncoder::blocks(std::string_view name) const {
  const Fitted& column = find(name);
  std::vector<EncodedBlock> out;
  for (const EncodedBlock& block : blocks_) {
    if (block.begin >= column.begin && block.begin < column.begin + column.width) out.push_back(block);
  }
  return out;
}

SYNTHDATA_INLINE Schema TableEncoder::schema() const {
  Schema schema;
  for (const Fitted& column : columns_) {
    if (!column.left_out) schema.columns.push_back(column.schema);
  }
  return schema;
}

SYNTHDATA_INLINE std::vector<std::string> TableEncoder::left_out() const {
  std::vector<std::string> names;
  for (const Fitted& column : columns_) {
    if (column.left_out) names.push_back(column.schema.name);
  }
  return names;
}

SYNTHDATA_INLINE const ColumnTransform& TableEncoder::transform(std::string_view column) const {
  return find(column).transform;
}

SYNTHDATA_INLINE void TableEncoder::encode_column(const Fitted& to, const Column& from,
                                                  const std::vector<std::int64_t>& codes, std::int64_t begin,
                                                  std::int64_t end, float* out, Rng* rng) const {
  const double absent = std::numeric_limits<double>::quiet_NaN();
  const transform::Levels* const levels = detail::levels_of(to.transform);
  const bool marks = to.missing == MissingRule::mark && (to.flag || (levels && levels->has_missing()));
  std::vector<double> values(static_cast<std::size_t>(end - begin));
  const ColumnType type = from.type();
  const auto fail = [&](std::int64_t row, const std::string& text) {
    detail::throw_column(from.name(), concat("row ", row, ": ", text));
  };
  for (std::int64_t row = begin; row < end; ++row) {
    bool missing = from.is_missing(row);
    double value = 0.0;
    if (!missing) {
      if (type == ColumnType::categorical) {
        const std::int64_t code = codes[detail::load_code(from.parts(), row)];
        value = static_cast<double>(code);
        missing = code < 0 && unknown_ == UnknownRule::missing;
        if (code < 0 && !missing) {
          fail(row, concat("the category ", in_quotes(from.cell(row)), " is not among those of training"));
        }
      } else if (type == ColumnType::real) {
        value = from.real(row);
      } else if (type == ColumnType::boolean) {
        value = from.boolean(row);
      } else {
        value = static_cast<double>(from.integer(row));
      }
      if (!missing && !std::isfinite(value)) fail(row, concat("expects a finite number, got ", value));
      if (!missing && levels && levels->level_of(value) < 0) {
        if (unknown_ == UnknownRule::refuse) {
          fail(row, concat("the value ", in_quotes(from.cell(row)), " is not among those of training"));
        }
        missing = true;
      }
    }
    if (missing) {
      if (!marks && to.missing != MissingRule::fill) {
        fail(row, "a missing value, but training has none; MissingRule::fill would take it");
      }
      value = marks && !to.flag ? absent : to.fill;
    }
    if (to.flag) out[(row - begin) * width_ + to.width - 1] = missing ? 1.0f : 0.0f;
    values[static_cast<std::size_t>(row - begin)] = value;
  }
  to.transform.encode(values, out, width_, rng);
}

SYNTHDATA_INLINE Tensor TableEncoder::encode_rows(const Table& table, Rng* rng) const {
  Tensor out = Tensor::empty({table.size(), width_}, DType::f32, Device::cpu());
  struct Task {
    const Fitted* to;
    const Column* from;
    std::vector<std::int64_t> codes;  // of the table's categories: ours, or -1
  };
  std::vector<Task> tasks;
  for (const Fitted& column : columns_) {
    if (column.left_out) continue;
    const std::string& name = column.schema.name;
    const std::int64_t place = table.find(name);
    if (place < 0) detail::throw_column(name, "the table to encode has none of this name");
    const Column& from = table[static_cast<std::size_t>(place)];
    if (from.type() != column.schema.type) {
      detail::throw_column(name, concat("expects ", column.schema.type, ", got ", from.type()));
    }
    Task task{&column, &from, {}};
    if (from.type() == ColumnType::categorical) {
      const std::vector<std::string>& ours = column.schema.categories;
      const std::vector<std::string>& theirs = from.schema().categories;
      if (ours == theirs) {
        for (std::size_t i = 0; i < theirs.size(); ++i) task.codes.push_back(static_cast<std::int64_t>(i));
      } else {
        std::unordered_map<std::string_view, std::int64_t> places;
        for (std::size_t i = 0; i < ours.size(); ++i) places.emplace(ours[i], static_cast<std::int64_t>(i));
        for (const std::string& category : theirs) {
          const auto found = places.find(category);
          task.codes.push_back(found == places.end() ? -1 : found->second);
        }
      }
    }
    tasks.push_back(std::move(task));
  }
  const auto count = static_cast<std::int64_t>(tasks.size());
  const std::int64_t pieces = (table.size() + detail::encoder_rows - 1) / detail::encoder_rows;
  const Rng seed = rng ? Rng(rng->next_u64()) : Rng(0);
  parallel_for(pieces, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t piece = first; piece < last; ++piece) {
      const std::int64_t begin = piece * detail::encoder_rows;
      const std::int64_t end = std::min(begin + detail::encoder_rows, table.size());
      for (std::int64_t i = 0; i < count; ++i) {
        const Task& task = tasks[static_cast<std::size_t>(i)];
        Rng own = seed.split(static_cast<std::uint64_t>(piece * count + i));
        encode_column(*task.to, *task.from, task.codes, begin, end, out.data<float>() + begin * width_ + task.to->begin,
                      rng ? &own : nullptr);
      }
    }
  });
  return out;
}

SYNTHDATA_INLINE void TableEncoder::expect_encoded(const Tensor& rows, std::int64_t size) const {
  if (!rows.defined() || rows.rank() != 2 || (size >= 0 && rows.shape(0) != size) || rows.shape(1) != width_ ||
      rows.dtype() != DType::f32) {
    throw_shape("TableEncoder::decode", concat("expects f32 [", size >= 0 ? concat(size) : "N", ", ", width_, "]"),
                {{"rows", rows}});
  }
}

SYNTHDATA_INLINE void TableEncoder::expect_finite(const Tensor& rows, std::int64_t first_row) const {
  const float* const in = rows.data<float>();
  const auto finite = [](const float* begin, const float* end) {
    float lanes[16] = {};  // sums that do not wait for each other
    for (; end - begin >= 16; begin += 16) {
      for (int j = 0; j < 16; ++j) lanes[j] += 0.0f * begin[j];
    }
    for (; begin < end; ++begin) lanes[0] += 0.0f * *begin;
    for (int j = 1; j < 16; ++j) lanes[0] += lanes[j];
    return lanes[0] == 0.0f;
  };
  if (finite(in, in + rows.size())) return;
  for (std::int64_t row = 0; row < rows.shape(0); ++row) {
    for (const Fitted& column : columns_) {
      const float* const begin = in + row * width_ + column.begin;
      if (column.left_out || finite(begin, begin + column.width)) continue;
      throw NumericError(concat("TableEncoder::decode: column ", in_quotes(column.schema.name), ", row ",
                                first_row + row, ": a number is not finite"));
    }
  }
}

SYNTHDATA_INLINE Table TableEncoder::decode_whole(const Tensor& given, Rng* rng) const {
  expect_encoded(given, -1);
  const Tensor rows = given.to(Device::cpu());
  return decode_rows(
      rows.shape(0), [&](std::int64_t begin, std::int64_t end) { return rows.rows(begin, end); }, rng);
}

SYNTHDATA_INLINE Table TableEncoder::decode_rows(std::int64_t size, const EncodedRows& encoded, Rng* rng) const {
  static_assert(piece_rows % 8 == 0, "pieces share no byte of marks");
  std::vector<const Fitted*> wanted;
  std::vector<ColumnParts> parts;
  std::vector<Tensor> marks;
  wanted.reserve(columns_.size()), parts.reserve(columns_.size()), marks.reserve(columns_.size());
  for (const Fitted& column : columns_) {
    if (column.left_out) continue;
    wanted.push_back(&column);
    ColumnParts made{.schema = column.schema, .size = size};
    if (column.schema.type == ColumnType::categorical) {
      detail::make_codes(made);
    } else {
      made.values = Tensor::empty({size}, detail::stored_as(column.schema.type), Device::cpu());
    }
    parts.push_back(std::move(made));
    marks.push_back(Tensor::zeros({(size + 7) / 8}, DType::u8, Device::cpu()));
  }
  const auto count = static_cast<std::int64_t>(wanted.size());
  const std::int64_t pieces = (size + piece_rows - 1) / piece_rows;
  const Rng seed = rng ? Rng(rng->next_u64()) : Rng(0);
  /// Column i of rows begin ... end - 1, which begin at `encoded_rows`.
  const auto decode_piece = [&](const float* encoded_rows, std::int64_t begin, std::int64_t end, std::int64_t i) {
    const Fitted& column = *wanted[static_cast<std::size_t>(i)];
    ColumnParts& to = parts[static_cast<std::size_t>(i)];
    auto* const bits = marks[static_cast<std::size_t>(i)].data<std::uint8_t>();
    const float* const in = encoded_rows + column.begin;
    std::vector<double> values(static_cast<std::size_t>(end - begin));
    Rng own = seed.split(static_cast<std::uint64_t>(begin / piece_rows * count + i));
    column.transform.decode(in, width_, values, rng ? &own : nullptr);
    const ColumnType type = column.schema.type;
    const bool takes_missing = column.transform.takes_missing();
    const std::int64_t unit = type == ColumnType::date_time ? detail::date_time_unit(column.schema.pattern) : 0;
    const double power = std::pow(10.0, static_cast<double>(std::max<std::int64_t>(column.decimals, 0)));
    const auto categories = static_cast<double>(column.schema.categories.size());
    for (std::int64_t row = begin; row < end; ++row) {
      double value = values[static_cast<std::size_t>(row - begin)];
      const bool missing =
          column.flag ? in[(row - begin) * width_ + column.width - 1] > 0.5f : takes_missing && std::isnan(value);
      if (missing) {
        bits[row >> 3] = static_cast<std::uint8_t>(bits[row >> 3] | 1u << (row & 7));
        value = 0.0;
      } else if (!std::isfinite(value)) {
        value = std::isnan(value) ? column.fill : value < 0 ? column.low : column.high;  // an exponential overflowed
      } else if (type == ColumnType::date_time) {
        value = detail::round_date_time(value, unit, column.schema.zone);
      } else if (type == ColumnType::real) {
        const double rounded = std::round(value * power) / power;
        if (column.decimals >= 0 && std::fabs(value * power) < 9e15) value = rounded;
      } else {
        value = std::round(value);
      }
      if (type == ColumnType::categorical) {
        value = std::fmax(std::fmin(value, categories - 1.0), 0.0);
        detail::store_code(to, row, static_cast<std::uint32_t>(value));
        continue;
      }
      if (keep_range_ && !missing) value = std::fmin(std::fmax(value, column.low), column.high);
      if (type == ColumnType::real) {
        to.values.data<double>()[row] = value;
      } else if (type == ColumnType::boolean) {
        to.values.data<std::uint8_t>()[row] = value >= 0.5;
      } else {
        to.values.data<std::int64_t>()[row] = std::llround(std::fmin(std::fmax(value, -9.2e18), 9.2e18));
      }
    }
  };
  parallel_for(pieces, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t piece = first; piece < last; ++piece) {
      const std::int64_t begin = piece * piece_rows, end = std::min(begin + piece_rows, size);
      const Tensor made = encoded(begin, end);
      expect_encoded(made, end - begin);
      const Tensor rows = made.to(Device::cpu());
      expect_finite(rows, begin);  // before any transform takes a number for a place in a table
      for (std::int64_t i = 0; i < count; ++i) decode_piece(rows.data<float>(), begin, end, i);
    }
  });
  std::vector<Column> columns;
  columns.reserve(wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const std::span<const std::uint8_t> bits = marks[i].span<std::uint8_t>();
    if (std::any_of(bits.begin(), bits.end(), [](std::uint8_t byte) { return byte != 0; })) parts[i].missing = marks[i];
    columns.emplace_back(std::move(parts[i]));
  }
  return Table(std::move(columns));
}

SYNTHDATA_INLINE std::string TableEncoder::str() const {
  std::vector<std::vector<std::string>> cells;
  for (const Fitted& column : columns_) {
    std::string note;
    if (column.left_out) {
      note = "not encoded";
    } else if (column.width == 1) {
      note = concat(column.begin);
    } else {
      note = concat(column.begin, " ... ", column.begin + column.width - 1);
    }
    if (const auto* levels = detail::levels_of(column.transform); levels && levels->rare_size() > 0) {
      const double share = 100.0 * static_cast<double>(levels->count(levels->kept_size())) /
                           static_cast<double>(std::max<std::int64_t>(levels->rows(), 1));
      note +=
          concat(", ", levels->rare_size(), " rare values merged: ", std::round(share * 100.0) / 100.0, " % of rows");
    }
    if (const auto* modes = column.transform.find<transform::Modes>()) note += concat(", ", modes->count(), " modes");
    if (column.flag) note += ", the last a flag for missing";
    cells.push_back({column.schema.name, name_of(column.schema.type), column.transform.str(), std::move(note)});
  }
  std::size_t widths[3] = {};
  for (const auto& line : cells) {
    for (std::size_t i = 0; i < 3; ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  std::string out;
  for (const auto& line : cells) {
    for (std::size_t i = 0; i < 3; ++i) out += line[i] + std::string(widths[i] - line[i].size() + 2, ' ');
    out += line[3] + '\n';
  }
  return out;
}

SYNTHDATA_INLINE void TableEncoder::save(Archive& archive, const std::string& prefix) const {
  Schema schema;
  Json::Array list;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Fitted& column = columns_[i];
    schema.columns.push_back(column.schema);
    list.push_back(Json::Object{{"transform", column.transform.save(archive, concat(prefix, ".", i))},
                                {"missing", detail::missing_rules[static_cast<std::size_t>(column.missing)]},
                                {"flag", column.flag},
                                {"low", column.low},
                                {"high", column.high},
                                {"fill", column.fill},
                                {"decimals", column.decimals}});
  }
  archive.metadata[prefix] = Json(Json::Object{{"format", 1},
                                               {"unknown_is_missing", unknown_ == UnknownRule::missing},
                                               {"keep_range", keep_range_},
                                               {"schema", schema.json()},
                                               {"columns", std::move(list)}})
                                 .dump();
}

SYNTHDATA_INLINE TableEncoder TableEncoder::load(const Archive& archive, const std::string& prefix) {
  const std::string where = prefix + " (TableEncoder)";
  const Json json = parse_json(archive.text(prefix), {.source = where, .max_values = 10'000'000});
  const detail::TransformLoader loader{json, archive, where};
  std::int64_t format = 0;
  loader("format", format);
  if (format != 1) throw DataError(concat(where, ": expects format 1, got ", format));
  TableEncoder out;
  bool unknown_is_missing = false;
  loader("unknown_is_missing", unknown_is_missing);
  out.unknown_ = unknown_is_missing ? UnknownRule::missing : UnknownRule::refuse;
  loader("keep_range", out.keep_range_);
  const Json* const schema_json = json.find("schema");
  Json::Array list;
  detail::load_member(json, where, "columns", list);
  if (!schema_json) throw DataError(where + ": expects a schema");
  const Schema schema = Schema::from_json(*schema_json);
  if (schema.columns.size() != list.size()) throw DataError(where + ": schema and columns are not equally many");
  for (std::size_t i = 0; i < list.size(); ++i) {
    Fitted column;
    column.schema = schema.columns[i];
    const detail::TransformLoader member{list[i], archive, where};
    const Json* const saved = list[i].find("transform");
    if (!saved) throw DataError(where + ": expects \"transform\"");
    column.transform = load_transform(*saved, archive, concat(prefix, ".", i));
    std::string missing;
    member("missing", missing);
    const auto* const rule = std::find(std::begin(detail::missing_rules), std::end(detail::missing_rules), missing);
    if (rule == std::end(detail::missing_rules)) throw DataError(concat(where, ": missing is ", in_quotes(missing)));
    column.missing = static_cast<MissingRule>(rule - std::begin(detail::missing_rules));
    member("flag", column.flag);
    member("low", column.low);
    member("high", column.high);
    member("fill", column.fill);
    member("decimals", column.decimals);
    column.left_out = column.transform.find<transform::LeaveOut>() != nullptr;
    const transform::Levels* const levels = detail::levels_of(column.transform);
    const bool as_it_should = (column.left_out || !detail::holds_texts(column.schema)) && column.low <= column.high &&
                              column.decimals >= -1 && column.decimals <= 15 && !(column.flag && column.left_out) &&
                              (column.left_out || !column.schema.as_written) &&
                              !(column.flag && column.transform.takes_missing()) &&
                              (column.schema.type != ColumnType::categorical || column.left_out || levels == nullptr ||
                               !column.schema.categories.empty() || levels->kept_size() + levels->rare_size() == 0);
    if (!as_it_should) {
      throw DataError(concat(where, ": column ", in_quotes(column.schema.name), " contradicts itself"));
    }
    out.columns_.push_back(std::move(column));
  }
  out.place();
  return out;
}

}  // namespace synthdata
