// synthdata/data/result_columns_impl.hpp: bodies of data/result_columns.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/csv_columns_impl.hpp>
#include <synthdata/data/result_columns.hpp>
#include <synthdata/data/table_impl.hpp>
#include <synthdata/io/utf8.hpp>

#include <algorithm>
#include <unordered_map>

namespace synthdata::detail {

SYNTHDATA_INLINE bool parse_iso_time(std::string_view text, IsoTime& value) {
  value = {};
  if (text.empty()) return false;
  value.date = text.size() >= 10 && text[4] == '-';
  std::string_view rest = text.substr(value.date ? 10 : 0);
  std::string pattern = value.date ? "%Y-%m-%d" : "";
  int minutes = 0;
  if (!rest.empty()) {
    if (value.date) {
      if (rest[0] != ' ' && rest[0] != 'T') return false;
      pattern += rest[0];
      rest.remove_prefix(1);
    }
    value.time = true;
    const std::size_t zone_at = rest.find_first_of("Z+-");
    if (zone_at != std::string_view::npos) {
      std::string zone(rest.substr(zone_at));
      if (zone.size() == 3) zone += "00";  // PostgreSQL's "+02"
      if (!parse_zone(zone, minutes)) return false;
      value.zone = true;
      text.remove_suffix(rest.size() - zone_at);
      rest = rest.substr(0, zone_at);
    }
    pattern += rest.size() == 5 ? "%H:%M" : "%H:%M:%S";
    if (rest.size() > 8) {
      const std::size_t digits = rest.size() - 9;
      if (rest[8] != '.' || digits < 1 || digits > 6) return false;
      pattern += concat(".%", digits, "f");
    }
  }
  if (!parse_date_time(text, pattern, "", value.microseconds)) return false;
  value.microseconds -= minutes * 60 * microseconds_a_second;
  return value.date || !value.zone;  // a time of day with a zone is no point in time
}

SYNTHDATA_INLINE CellColumn::CellColumn(ResultColumn column, const std::string& where, std::int64_t max_categories)
    : column_(std::move(column)), where_(where), max_categories_(max_categories) {
  times_ = column_.declared >= SqlType::date;
}

SYNTHDATA_INLINE void CellColumn::refuse(std::string_view why) const {
  throw DataError(concat(where_, ": row ", rows_before_ + size() + 1, ", column ", in_quotes(column_.name), ": ", why));
}

SYNTHDATA_INLINE std::int64_t CellColumn::size_bytes() const {
  return static_cast<std::int64_t>(8 * (numbers_.size() + ends_.size() + missing_.size()) + 4 * codes_.size() +
                                   bytes_.size());
}

SYNTHDATA_INLINE void CellColumn::other_integer(std::int64_t value) {
  constexpr std::int64_t most = std::int64_t{1} << 53;
  integers_ = true;
  if (cells_ == Cells::none) {
    cells_ = Cells::integers;
    numbers_.push_back(value);
  } else if (cells_ == Cells::reals && value <= most && value >= -most) {
    numbers_.push_back(std::bit_cast<std::int64_t>(static_cast<double>(value)));
  } else {
    exact_ &= cells_ != Cells::reals;
    numbers_to_texts();
    std::string text;
    append_integer_cell(text, value);
    append_text(text);
  }
}

SYNTHDATA_INLINE void CellColumn::other_real(double value) {
  constexpr std::int64_t most = std::int64_t{1} << 53;
  reals_ = true;
  if (cells_ == Cells::integers && std::all_of(numbers_.begin(), numbers_.end(), [&](std::int64_t number) {
        return number <= most && number >= -most;
      })) {
    for (std::int64_t& number : numbers_) number = std::bit_cast<std::int64_t>(static_cast<double>(number));
    zero_or_one_ = false;
    cells_ = Cells::none;
  }
  if (cells_ == Cells::none) {
    cells_ = Cells::reals;  // where rows are missing, 0 is 0.0
    numbers_.push_back(std::bit_cast<std::int64_t>(value));
    return;
  }
  exact_ &= cells_ != Cells::integers;
  numbers_to_texts();
  std::string text;
  append_real_cell(text, value, {});
  append_text(text);
}

SYNTHDATA_INLINE void CellColumn::other_text(std::string_view value) {
  texts_ = true;
  if (cells_ == Cells::none) {
    cells_ = many_ ? Cells::texts : Cells::codes;
    if (many_) ends_.assign(numbers_.size(), 0);
    if (!many_) codes_.assign(numbers_.size(), 0);
    numbers_ = GrowingCells<std::int64_t>();
    return text(value);
  }
  if (find_not_utf8(value) != std::string_view::npos) refuse("expects UTF-8");
  if (cells_ == Cells::codes) {
    if (dictionary_.categories() < max_categories_) {
      return codes_.push_back(dictionary_.add(value, Dictionary::hash(value), false));
    }
    codes_to_texts();
  }
  numbers_to_texts();
  append_text(value);
}

SYNTHDATA_INLINE void CellColumn::append_text(std::string_view value) {
  if (names_) {
    names_ = std::any_of(value.begin(), value.end(), is_digit) && value.find(' ') == std::string_view::npos &&
             hashes_.size() < max_names;
    hashes_.push_back(Dictionary::hash(value));
    if (!names_) hashes_ = {};
  }
  bytes_ += value;
  ends_.push_back(static_cast<std::int64_t>(bytes_.size()));
}

/// Also what remains to be known of the texts of earlier rows, which the dictionary has all.
SYNTHDATA_INLINE void CellColumn::codes_to_texts() {
  many_ = true;
  names_ &= values_ + static_cast<std::int64_t>(codes_.size() - missing_.size()) == dictionary_.categories();
  const bool were_names = names_;
  for (std::uint32_t i = 0; i < dictionary_.size() && names_; ++i) {
    append_text(dictionary_[i]);  // for its hash
  }
  const bool all_names = names_;
  names_ = false;
  bytes_.clear();
  ends_.clear();
  std::size_t next = 0;
  for (std::size_t i = 0; i < codes_.size(); ++i) {
    const bool absent = next < missing_.size() && missing_[next] == static_cast<std::int64_t>(i);
    next += absent;
    append_text(absent ? std::string_view() : dictionary_[codes_[i]]);
  }
  names_ = were_names && all_names;
  codes_ = GrowingCells<std::uint32_t>();
  cells_ = Cells::texts;
}

SYNTHDATA_INLINE void CellColumn::numbers_to_texts() {
  if (cells_ == Cells::texts) return;
  if (cells_ == Cells::codes) return codes_to_texts();
  names_ = false;
  many_ = true;
  std::string text;
  std::size_t next = 0;
  for (std::size_t i = 0; i < numbers_.size(); ++i) {
    const bool absent = next < missing_.size() && missing_[next] == static_cast<std::int64_t>(i);
    next += absent;
    text.clear();
    if (!absent && cells_ == Cells::integers) append_integer_cell(text, numbers_[i]);
    if (!absent && cells_ == Cells::reals) append_real_cell(text, std::bit_cast<double>(numbers_[i]), {});
    append_text(text);
  }
  numbers_ = GrowingCells<std::int64_t>();
  cells_ = Cells::texts;
}

template <class F>
void CellColumn::each_text(F&& f) const {
  std::string spelled;
  std::size_t next = 0;
  const std::int64_t rows = size();
  for (std::int64_t row = 0; row < rows; ++row) {
    if (next < missing_.size() && missing_[next] == row) {
      ++next;
      continue;
    }
    const auto i = static_cast<std::size_t>(row);
    if (cells_ == Cells::codes) {
      f(row, dictionary_[codes_[i]]);
    } else if (cells_ == Cells::texts) {
      const auto begin = static_cast<std::size_t>(i == 0 ? 0 : ends_[i - 1]);
      f(row, std::string_view(bytes_).substr(begin, static_cast<std::size_t>(ends_[i]) - begin));
    } else {
      spelled.clear();
      if (cells_ == Cells::integers) append_integer_cell(spelled, numbers_[i]);
      if (cells_ == Cells::reals) append_real_cell(spelled, std::bit_cast<double>(numbers_[i]), {});
      f(row, std::string_view(spelled));
    }
  }
}

SYNTHDATA_INLINE void CellColumn::see_time(std::string_view text) {
  IsoTime value;
  times_ = times_ && parse_iso_time(text, value);
  if (!times_) return;
  if (!kind_) kind_ = value;
  times_ = kind_->date == value.date && kind_->time == value.time && kind_->zone == value.zone;
  std::int64_t fraction = value.microseconds % microseconds_a_second;
  for (int digits = 6; fraction != 0 && digits > digits_; --digits, fraction /= 10) {
    if (fraction % 10 != 0) digits_ = digits;
  }
}

SYNTHDATA_INLINE void CellColumn::digest() {
  constexpr std::int64_t most = std::int64_t{1} << 53;
  if (cells_ == Cells::integers) {
    for (const std::int64_t number : numbers_) {
      zero_or_one_ &= number == 0 || number == 1;
      exact_ &= number <= most && number >= -most;
    }
  }
  if (texts_ && times_) each_text([&](std::int64_t, std::string_view text) { see_time(text); });
}

SYNTHDATA_INLINE void CellColumn::clear() {
  digest();
  rows_before_ += size();
  absent_ += static_cast<std::int64_t>(missing_.size());
  values_ = rows_before_ - absent_;
  numbers_.clear();
  codes_.clear();
  bytes_.clear();
  ends_.clear();
  missing_.clear();
  cells_ = Cells::none;
}

SYNTHDATA_INLINE ColumnSchema CellColumn::settle() {
  ColumnSchema schema{.name = column_.name};
  const auto as_time = [&](bool date, bool time, bool zone) {
    schema.type = ColumnType::date_time;
    schema.pattern = concat(date ? "%Y-%m-%d" : "", date && time ? " " : "", time ? "%H:%M:%S" : "");
    if (time && digits_ > 0) schema.pattern += concat(".%", digits_, "f");
    if (zone) schema.zone = "Z";
  };
  const std::int64_t values = values_ + size() - static_cast<std::int64_t>(missing_.size());
  const std::int64_t absent = absent_ + static_cast<std::int64_t>(missing_.size());
  const SqlType declared = column_.declared;
  digest();
  if (values == 0) {
    if (declared == SqlType::integer) schema.type = ColumnType::integer;
    if (declared == SqlType::real) schema.type = ColumnType::real;
    if (declared == SqlType::boolean) schema.type = ColumnType::boolean;
    if (declared >= SqlType::date) {
      as_time(declared != SqlType::time, declared != SqlType::date, declared == SqlType::zoned);
    }
  } else if (texts_) {
    if (integers_ || reals_) return schema;
    const std::int64_t different = dictionary_.categories();
    if (times_ && kind_) {
      as_time(kind_->date, kind_->time, kind_->zone);
    } else if (!many_ && 2 * different <= values) {
      schema.type = ColumnType::categorical;
      for (std::uint32_t i = 0; i < dictionary_.size(); ++i) schema.categories.emplace_back(dictionary_[i]);
    } else if (values > 1 && absent == 0 && !many_ && different == values) {
      schema.type = ColumnType::identifier;
      for (std::uint32_t i = 0; i < dictionary_.size(); ++i) {
        const std::string_view text = dictionary_[i];
        if (std::none_of(text.begin(), text.end(), is_digit) || text.find(' ') != std::string_view::npos) {
          schema.type = ColumnType::text;
        }
      }
    } else if (values > 1 && absent == 0 && many_ && names_ && all_different(hashes_)) {
      schema.type = ColumnType::identifier;
    }
  } else if (reals_) {
    if (integers_ && !exact_) return schema;
    schema.type = ColumnType::real;
    schema.decimals = column_.decimals > 0 ? column_.decimals : -1;
  } else {
    schema.type = declared == SqlType::boolean && zero_or_one_ ? ColumnType::boolean : ColumnType::integer;
  }
  return schema;
}

SYNTHDATA_INLINE ColumnSchema CellColumn::complete(ColumnSchema schema) const {
  if (schema.type != ColumnType::categorical || !schema.categories.empty()) return schema;
  if (many_) {
    throw DataError(concat(where_, ": column ", in_quotes(column_.name), ": expects at most ", max_categories_,
                           " categories (max_categories)"));
  }
  for (std::uint32_t i = 0; i < dictionary_.size(); ++i) schema.categories.emplace_back(dictionary_[i]);
  return schema;
}

SYNTHDATA_INLINE void CellColumn::misfit(std::int64_t row, const ColumnSchema& schema) const {
  std::string cell;
  each_text([&](std::int64_t at, std::string_view text) {
    if (at == row) cell = text.substr(0, 60);
  });
  throw DataError(concat(where_, ": row ", rows_before_ + row + 1, ", column ", in_quotes(column_.name), ": expects ",
                         schema.type == ColumnType::categorical ? "one of its categories" : name_of(schema.type),
                         ", got ", in_quotes(cell)));
}

SYNTHDATA_INLINE Column CellColumn::column(const ColumnSchema& schema) const {
  const std::int64_t rows = size();
  ColumnParts parts{.schema = schema, .size = rows};
  parts.schema.name = column_.name;
  parts.schema.as_written = false;
  MissingMarks marks(rows);
  for (const std::int64_t row : missing_) marks.mark(row);
  parts.missing = marks.take();
  const bool numbers = cells_ == Cells::integers || cells_ == Cells::reals || cells_ == Cells::none;
  const auto first_value = [&] {
    std::int64_t row = 0;
    for (const std::int64_t absent : missing_) {
      if (absent != row) break;
      ++row;
    }
    return row;
  };

  if (holds_texts(schema)) {
    if (cells_ == Cells::texts) {
      parts.texts = {Tensor::empty({static_cast<std::int64_t>(bytes_.size())}, DType::u8, Device::cpu()),
                     Tensor::empty({rows + 1}, DType::i64, Device::cpu())};
      if (!bytes_.empty()) std::memcpy(parts.texts.bytes.bytes(), bytes_.data(), bytes_.size());
      auto* offsets = parts.texts.offsets.data<std::int64_t>();
      offsets[0] = 0;
      std::copy(ends_.begin(), ends_.end(), offsets + 1);
    } else {
      std::vector<std::string> texts(static_cast<std::size_t>(rows));
      each_text([&](std::int64_t row, std::string_view text) { texts[static_cast<std::size_t>(row)] = text; });
      parts.texts = join_texts(
          rows, [&](std::int64_t row) -> const std::string& { return texts[static_cast<std::size_t>(row)]; });
    }
    return Column(std::move(parts));
  }
  if (schema.type == ColumnType::categorical) {
    std::unordered_map<std::string_view, std::uint32_t> codes;
    for (const std::string& category : schema.categories) {
      codes.emplace(category, static_cast<std::uint32_t>(codes.size()));
    }
    std::vector<std::uint32_t> known;  // a code of the dictionary as one of the schema
    for (std::uint32_t i = 0; i < dictionary_.size() && cells_ == Cells::codes; ++i) {
      const auto at = codes.find(dictionary_[i]);
      known.push_back(at == codes.end() ? Dictionary::none : at->second);
    }
    make_codes(parts);
    if (rows > 0) std::memset(parts.values.bytes(), 0, static_cast<std::size_t>(parts.values.size_bytes()));
    if (cells_ == Cells::codes) {
      std::size_t next = 0;
      for (std::int64_t row = 0; row < rows; ++row) {
        if (next < missing_.size() && missing_[next] == row) {
          ++next;
          continue;
        }
        const std::uint32_t code = known[codes_[static_cast<std::size_t>(row)]];
        if (code == Dictionary::none) misfit(row, schema);
        store_code(parts, row, code);
      }
    } else {
      each_text([&](std::int64_t row, std::string_view text) {
        const auto at = codes.find(text);
        if (at == codes.end()) misfit(row, schema);
        store_code(parts, row, at->second);
      });
    }
    return Column(std::move(parts));
  }
  parts.values = Tensor::zeros({rows}, stored_as(schema.type), Device::cpu());
  if (schema.type == ColumnType::boolean) {
    auto* values = parts.values.data<std::uint8_t>();
    if (cells_ == Cells::reals) misfit(first_value(), schema);
    for (std::int64_t row = 0; numbers && row < rows; ++row) {
      const std::int64_t number = numbers_[static_cast<std::size_t>(row)];
      if (number != 0 && number != 1) misfit(row, schema);
      values[row] = number == 1;
    }
    if (!numbers) {
      each_text([&](std::int64_t row, std::string_view text) {
        values[row] = text == schema.true_text;
        if (!values[row] && text != schema.false_text) misfit(row, schema);
      });
    }
  } else if (schema.type == ColumnType::date_time) {
    auto* values = parts.values.data<std::int64_t>();
    each_text([&](std::int64_t row, std::string_view text) {
      IsoTime value;
      if (numbers || !parse_iso_time(text, value)) misfit(row, schema);
      values[row] = value.microseconds;
    });
  } else {
    const bool real = schema.type == ColumnType::real;
    if (!numbers || (!real && cells_ == Cells::reals)) misfit(first_value(), schema);
    if (real && cells_ == Cells::integers) {
      for (std::int64_t row = 0; row < rows; ++row) {
        const std::int64_t number = numbers_[static_cast<std::size_t>(row)];
        const auto value = static_cast<double>(number);
        constexpr std::int64_t most = std::int64_t{1} << 53;
        if (number > most || number < -most) misfit(row, schema);  // it has more digits than f64
        parts.values.data<double>()[row] = value;
      }
    } else if (rows > 0) {
      std::memcpy(parts.values.bytes(), numbers_.begin(), 8 * numbers_.size());
    }
  }
  return Column(std::move(parts));
}

}  // namespace synthdata::detail
