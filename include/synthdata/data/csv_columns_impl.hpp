// synthdata/data/csv_columns_impl.hpp: bodies of data/csv_columns.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/cells_impl.hpp>
#include <synthdata/data/csv_columns.hpp>

#include <algorithm>
#include <cstring>

namespace synthdata::detail {

inline constexpr std::size_t max_names = std::size_t{1} << 24;  // more texts are not checked for being all different

inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const Unsigned128 product = static_cast<Unsigned128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline std::uint64_t hash_text(const char* at, std::size_t size) {
  constexpr std::uint64_t k0 = 0xa0761d6478bd642fu, k1 = 0xe7037ed1a0b428dbu;
  const std::uint64_t length = size;
  std::uint64_t state = k1;
  for (; size > 16; at += 16, size -= 16) state = mix(load8(at) ^ k0, load8(at + 8) ^ state);
  std::uint64_t a = 0, b = 0;
  if (size >= 8) {
    a = load8(at);
    b = load8(at + size - 8);
  } else if (size >= 4) {
    std::uint32_t first = 0, last = 0;
    std::memcpy(&first, at, 4);
    std::memcpy(&last, at + size - 4, 4);
    a = first;
    b = last;
  } else if (size > 0) {
    a = static_cast<unsigned char>(at[0]) | static_cast<std::uint64_t>(static_cast<unsigned char>(at[size / 2])) << 8;
    b = static_cast<unsigned char>(at[size - 1]);
  }
  return mix(mix(a ^ k0, b ^ state), k1 ^ length);
}
SYNTHDATA_INLINE std::uint64_t Dictionary::hash(std::string_view text) { return hash_text(text.data(), text.size()); }

/// a == b, without the call that memcmp costs for the few bytes that categories have.
[[gnu::always_inline]] inline bool same_text(std::string_view a, std::string_view b) {
  const std::size_t size = a.size();
  if (size != b.size()) return false;
  if (size >= 8 && size <= 16) {
    return ((load8(a.data()) ^ load8(b.data())) | (load8(a.data() + size - 8) ^ load8(b.data() + size - 8))) == 0;
  }
  if (size >= 4 && size < 8) {
    std::uint32_t x[4];
    std::memcpy(&x[0], a.data(), 4);
    std::memcpy(&x[1], b.data(), 4);
    std::memcpy(&x[2], a.data() + size - 4, 4);
    std::memcpy(&x[3], b.data() + size - 4, 4);
    return ((x[0] ^ x[1]) | (x[2] ^ x[3])) == 0;
  }
  return a == b;
}

SYNTHDATA_INLINE std::uint32_t Dictionary::find(std::string_view text, std::uint64_t hash) const {
  if (slots_.empty()) return none;
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = hash & mask;; i = (i + 1) & mask) {
    const Slot slot = slots_[i];
    if (slot.number == none) return none;
    if (slot.hash == static_cast<std::uint32_t>(hash >> 32) && same_text((*this)[slot.number], text))
      return slot.number;
  }
}

SYNTHDATA_INLINE void Dictionary::grow() {
  std::vector<Slot> slots(std::max<std::size_t>(16, 2 * slots_.size()));
  for (std::uint32_t n = 0; n < size(); ++n) {
    std::size_t i = entries_[n].hash & (slots.size() - 1);
    while (slots[i].number != none) i = (i + 1) & (slots.size() - 1);
    slots[i] = {static_cast<std::uint32_t>(entries_[n].hash >> 32), n};
  }
  slots_ = std::move(slots);
}

SYNTHDATA_INLINE std::uint32_t Dictionary::add(std::string_view text, std::uint64_t hash, bool missing) {
  if (2 * entries_.size() >= slots_.size()) grow();
  const std::uint32_t number = size();
  std::size_t i = hash & (slots_.size() - 1);
  while (slots_[i].number != none) i = (i + 1) & (slots_.size() - 1);
  slots_[i] = {static_cast<std::uint32_t>(hash >> 32), number};
  entries_.push_back({bytes_.size(), static_cast<std::uint32_t>(text.size()), missing, hash});
  bytes_ += text;
  categories_ += !missing;
  return number;
}

inline std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

SYNTHDATA_INLINE MissingTexts::MissingTexts(const std::vector<std::string>& texts) : texts_(texts) {
  Number number;
  for (const std::string& text : texts) {
    longest_ = std::max(longest_, text.size());
    has_number_ |= parse_number(text, number);
  }
}
SYNTHDATA_INLINE bool MissingTexts::contains(std::string_view text) const {
  text = trim(text);
  return text.size() <= longest_ && std::find(texts_.begin(), texts_.end(), text) != texts_.end();
}

struct BooleanTexts {
  std::string_view yes, no;
};
inline constexpr BooleanTexts boolean_texts[] = {
    {"true", "false"}, {"True", "False"}, {"TRUE", "FALSE"}, {"yes", "no"}, {"Yes", "No"}, {"YES", "NO"}, {"t", "f"},
    {"T", "F"},        {"y", "n"},        {"Y", "N"},        {"on", "off"}, {"On", "Off"}, {"ON", "OFF"}};

/// Blanks around a number and a plus sign are kept as written.
SYNTHDATA_INLINE bool loose_integer(std::string_view text, std::int64_t& value, std::uint8_t& spelling) {
  if (parse_integer(text, value)) return true;
  std::string_view digits = trim(text);
  if (digits.starts_with('+')) digits.remove_prefix(1);
  if (digits.size() == text.size() || digits.starts_with('-') != trim(text).starts_with('-')) return false;
  spelling |= spelled_not_shortest;
  return parse_integer(digits, value);
}
SYNTHDATA_INLINE bool loose_number(std::string_view text, Number& number) {
  if (parse_number(text, number)) return true;
  const std::string_view digits = trim(text);
  if (digits.size() == text.size() || !parse_number(digits, number)) return false;
  number.spelling |= spelled_not_shortest | spelled_not_fixed;
  return true;
}

/// Offsets of the cell, without a carriage return before the newline.
inline void bounds(const Grid& grid, std::int64_t row, std::int64_t column, const char*& begin, const char*& end) {
  const std::uint32_t* const ends = grid.ends + row * grid.columns + column;
  begin = grid.text + (column == 0 ? grid.begins[row] : ends[-1] + 1);
  end = grid.text + ends[0];
  if (column == grid.columns - 1 && end != begin && end[-1] == '\r') --end;
}

SYNTHDATA_INLINE std::string_view Grid::unquoted(std::string_view field, std::string& buffer) const {
  field = field.substr(1, field.size() - 2);
  if (field.find(quote) == std::string_view::npos) return field;
  buffer.clear();
  for (std::size_t i = 0; i < field.size(); ++i) {
    buffer += field[i];
    i += field[i] == quote;
  }
  return buffer;
}

SYNTHDATA_INLINE std::string_view Grid::cell(std::int64_t row, std::int64_t column, std::string& buffer) const {
  const char *begin = nullptr, *end = nullptr;
  bounds(*this, row, column, begin, end);
  const std::string_view field(begin, static_cast<std::size_t>(end - begin));
  return quote != 0 && field.starts_with(quote) ? unquoted(field, buffer) : field;
}

// A lambda that stays a function of its own keeps what it counts in memory.
#define SYNTHDATA_HOT __attribute__((always_inline))

/// Calls f(row, cell, whether 16 bytes before the cell may be read) until it returns false.
template <class F>
void each_cell(const Grid& grid, std::int64_t c, F&& f) {
  std::string buffer;
  for (std::int64_t row = 0; row < grid.rows; ++row) {
    const char *begin = nullptr, *end = nullptr;
    bounds(grid, row, c, begin, end);
    std::string_view text(begin, static_cast<std::size_t>(end - begin));
    bool quick = begin >= grid.readable;
    if (grid.quote != 0 && text.starts_with(grid.quote)) [[unlikely]] {
      text = grid.unquoted(text, buffer);
      quick = false;
    }
    if (!f(row, text, quick)) return;
  }
}

/// Reads one column of one piece; the functions differ in the type of the plan.
struct CellReader {
  const Grid& grid;
  const std::int64_t c;
  const ColumnPlan& plan;
  const CsvOptions& options;
  const MissingTexts& missing_texts;
  ColumnPiece& piece;
  ColumnEvidence& evidence = piece.evidence;

  bool missing(std::int64_t row, std::string_view text) {
    if (!missing_texts.contains(text)) return false;
    note_missing(row, text);
    return true;
  }
  std::string_view spelled(std::string_view text) const {
    if (text != absent_cell) return text;
    return plan.given ? std::string_view(plan.schema.missing) : std::string_view();
  }
  void note_missing(std::int64_t row, std::string_view text) {
    text = spelled(text);
    if (piece.missing.empty()) {
      evidence.missing_text = text;
    } else if (evidence.missing_text != text) {
      evidence.missing_mixed = true;
    }
    piece.missing.push_back(static_cast<std::uint32_t>(row));
  }
  bool misfit(std::int64_t row) {
    evidence.fits = false;
    if (plan.given) piece.bad_row = row;
    return false;
  }

  void integers(std::int64_t* values) {
    each_cell(grid, c, [&](std::int64_t row, std::string_view text, bool quick) SYNTHDATA_HOT {
      std::int64_t value = 0;
      if (quick && evidence.fits && !missing_texts.has_number() &&
          quick_integer(text.data(), text.data() + text.size(), value)) [[likely]] {
        values[row] = value;
        return true;
      }
      return slow_integer(row, text, values[row]);
    });
  }
  [[gnu::noinline]] bool slow_integer(std::int64_t row, std::string_view text, std::int64_t& value) {
    value = 0;
    if (missing(row, text) || (evidence.fits && loose_integer(text, value, evidence.spelling))) return true;
    // not integers: only whether they are numbers is still asked
    Number number;
    misfit(row);
    evidence.number = loose_number(text, number);
    return evidence.number && !plan.given;
  }

  void reals(double* values) {
    std::uint8_t spelling = 0;
    int least = INT_MAX, most = 0;
    each_cell(grid, c, [&](std::int64_t row, std::string_view text, bool quick) SYNTHDATA_HOT {
      Number number;
      if (missing_texts.has_number() || !quick || !quick_number(text.data(), text.data() + text.size(), number)) {
        if (!slow_real(row, text, values[row], number)) return false;
        if (number.decimals < 0) return true;
      }
      values[row] = number.value;
      spelling |= number.spelling;
      least = number.decimals < least ? number.decimals : least;
      most = number.decimals > most ? number.decimals : most;
      return true;
    });
    evidence.spelling = spelling;
    evidence.least_decimals = least;
    evidence.most_decimals = most;
  }
  /// A number that is rarely spelled so, or a missing value, which leaves decimals at -1; false for a misfit.
  [[gnu::noinline]] bool slow_real(std::int64_t row, std::string_view text, double& value, Number& number) {
    Number found;  // its address leaves, which would keep the caller's out of registers
    const bool absent = missing(row, text);
    if (absent) found.decimals = -1;
    const bool fits = absent || loose_number(text, found);
    number = found;
    value = found.value;
    return fits || misfit(row);
  }

  void booleans(std::uint8_t* values) {
    each_cell(grid, c, [&](std::int64_t row, std::string_view text, bool) {
      values[row] = 0;
      if (missing(row, text)) return true;
      values[row] = text == plan.schema.true_text;
      return values[row] || text == plan.schema.false_text || misfit(row);
    });
  }

  void date_times(std::int64_t* values) {
    evidence.formats = plan.formats;
    each_cell(grid, c, [&](std::int64_t row, std::string_view text, bool) {
      values[row] = 0;
      if (missing(row, text)) return true;
      std::int64_t other = 0;
      std::erase_if(evidence.formats, [&](const DateTimeFormat& format) {
        const bool first = &format == evidence.formats.data();
        return !parse_date_time(text, format.pattern, format.zone, first ? values[row] : other);
      });
      return !evidence.formats.empty() || misfit(row);
    });
  }

  /// Number of a text in the plan's dictionary and then in the piece's, which it may be added to.
  std::uint32_t number_of(std::string_view text) {
    const std::uint64_t hash = hash_text(text.data(), text.size());
    const std::uint32_t known = plan.categories.find(text, hash);
    if (known != Dictionary::none) [[likely]]
      return known;
    const std::uint32_t fresh = evidence.fresh.find(text, hash);
    return plan.categories.size() +
           (fresh != Dictionary::none ? fresh : evidence.fresh.add(text, hash, missing_texts.contains(text)));
  }
  bool means_missing(std::uint32_t number) const {
    const std::uint32_t known = plan.categories.size();
    return number < known ? plan.categories.missing(number) : evidence.fresh.missing(number - known);
  }
  bool too_many() const { return plan.categories.categories() + evidence.fresh.categories() > options.max_categories; }

  void categories() {
    piece.codes.resize(static_cast<std::size_t>(grid.rows));
    each_cell(grid, c, [&](std::int64_t row, std::string_view text, bool) SYNTHDATA_HOT {
      const std::uint32_t number = number_of(text), known = plan.categories.size();
      piece.codes[static_cast<std::size_t>(row)] = number;
      if (means_missing(number)) {
        note_missing(row, text);
      } else if (number >= known && (plan.closed || (!plan.given && too_many()))) {
        evidence.many = true;
        return misfit(row);
      }
      return true;
    });
  }

  void keep_texts() {
    piece.lengths.resize(static_cast<std::size_t>(grid.rows));
    if (grid.rows > 0) {
      piece.bytes.reserve(grid.ends[grid.rows * grid.columns - 1] / static_cast<std::size_t>(grid.columns));
    }
    each_cell(grid, c, [&](std::int64_t row, std::string_view text, bool) {
      text = spelled(text);
      piece.lengths[static_cast<std::size_t>(row)] = static_cast<std::uint32_t>(text.size());
      piece.bytes += text;
      return true;
    });
  }

  void texts() {
    std::int64_t ignored = 0;
    Number number;
    evidence.many = plan.given;  // then nobody asks
    evidence.names = !plan.given;
    each_cell(grid, c, [&](std::int64_t row, std::string_view text, bool) {
      bool absent = false;
      if (!evidence.many) {
        absent = means_missing(number_of(text));
        evidence.many = too_many();
      } else {
        absent = missing_texts.contains(text);
      }
      if (absent) {
        evidence.names = false;
        note_missing(row, text);
        return true;
      }
      if (evidence.names) {
        evidence.names = std::any_of(text.begin(), text.end(), is_digit) && text.find(' ') == std::string_view::npos;
        evidence.hashes.push_back(hash_text(text.data(), text.size()));
      }
      if (plan.number_names && evidence.integers) {
        evidence.integers = loose_integer(text, ignored, evidence.spelling);
      }
      if (plan.number_names && evidence.number) evidence.number = loose_number(text, number);
      return true;
    });
  }
};

#undef SYNTHDATA_HOT

SYNTHDATA_INLINE ColumnPiece read_cells(const Grid& grid, std::int64_t c, const ColumnPlan& plan,
                                        const CsvOptions& options, const MissingTexts& missing, void* values) {
  ColumnPiece piece;
  CellReader reader{grid, c, plan, options, missing, piece};
  if (plan.unknown) {
    each_cell(grid, c, [&](std::int64_t, std::string_view text, bool) {
      if (!missing.contains(text)) piece.evidence.sample.emplace_back(text);
      return piece.evidence.sample.size() < 100;
    });
    return piece;
  }
  switch (plan.schema.type) {
    case ColumnType::integer:
      reader.integers(static_cast<std::int64_t*>(values));
      break;
    case ColumnType::real:
      reader.reals(static_cast<double*>(values));
      break;
    case ColumnType::boolean:
      reader.booleans(static_cast<std::uint8_t*>(values));
      break;
    case ColumnType::date_time:
      reader.date_times(static_cast<std::int64_t*>(values));
      break;
    case ColumnType::categorical:
      reader.categories();
      break;
    case ColumnType::text:
    case ColumnType::identifier:
      reader.texts();
  }
  if (piece.evidence.fits &&
      (plan.schema.as_written || plan.schema.type == ColumnType::text || plan.schema.type == ColumnType::identifier)) {
    reader.keep_texts();
  }
  piece.evidence.missing = static_cast<std::int64_t>(piece.missing.size());
  piece.evidence.values = grid.rows - piece.evidence.missing;
  return piece;
}

SYNTHDATA_INLINE void ColumnEvidence::join(ColumnEvidence&& later, const ColumnPlan& plan,
                                           std::int64_t max_categories) {
  const bool has_values = values > 0;
  fits &= later.fits;
  number &= later.number;
  values += later.values;
  if (missing == 0) missing_text = std::move(later.missing_text);
  missing_mixed |= later.missing_mixed || (missing > 0 && later.missing > 0 && missing_text != later.missing_text);
  missing += later.missing;
  spelling |= later.spelling;
  least_decimals = std::min(least_decimals, later.least_decimals);
  most_decimals = std::max(most_decimals, later.most_decimals);
  if (later.values > 0 || !has_values) {
    if (!has_values) {
      formats = std::move(later.formats);
    } else {
      std::erase_if(formats, [&](const DateTimeFormat& format) {
        return std::find(later.formats.begin(), later.formats.end(), format) == later.formats.end();
      });
      fits &= plan.schema.type != ColumnType::date_time || !formats.empty();
    }
  }
  many |= later.many;
  for (std::uint32_t i = 0; i < later.fresh.size() && (!many || plan.given); ++i) {
    const std::string_view text = later.fresh[i];
    const std::uint64_t hash = Dictionary::hash(text);
    if (fresh.find(text, hash) == Dictionary::none) fresh.add(text, hash, later.fresh.missing(i));
    many |= plan.categories.categories() + fresh.categories() > max_categories && !plan.given;
  }
  if (many && plan.schema.type == ColumnType::categorical && !plan.given) fits = false;
  integers &= later.integers;
  names &= later.names && hashes.size() + later.hashes.size() <= max_names;
  if (names) {
    hashes.insert(hashes.end(), later.hashes.begin(), later.hashes.end());
  } else {
    hashes = {};
  }
  for (std::string& text : later.sample) {
    if (sample.size() < 100) sample.push_back(std::move(text));
  }
}

/// "id", "ID", "user_id", "UserId", "user id"; not "paid".
SYNTHDATA_INLINE bool names_an_id(std::string_view name) {
  if (name.size() < 2) return false;
  const std::string_view end = name.substr(name.size() - 2);
  if (end != "id" && end != "Id" && end != "ID") return false;
  if (name.size() == 2) return true;
  const char before = name[name.size() - 3];
  return before == '_' || before == ' ' || before == '-' || before == '.' || end == "Id" ||
         (end == "ID" && !(before >= 'A' && before <= 'Z'));
}

SYNTHDATA_INLINE bool all_different(std::vector<std::uint64_t>& hashes) {
  std::sort(hashes.begin(), hashes.end());
  return std::adjacent_find(hashes.begin(), hashes.end()) == hashes.end();
}

SYNTHDATA_INLINE ColumnPlan guess_plan(std::string name, const std::vector<std::string>& values,
                                       const CsvOptions& options, bool texts) {
  ColumnPlan plan;
  plan.schema.name = std::move(name);
  plan.texts = texts;
  plan.unknown = values.empty();
  if (plan.unknown) return plan;
  const auto all = [&](auto&& test) { return std::all_of(values.begin(), values.end(), test); };
  std::int64_t integer = 0;
  std::uint8_t spelling = 0;
  Number number;
  if (!texts && all([&](const std::string& text) { return loose_integer(text, integer, spelling); })) {
    plan.schema.type = ColumnType::integer;
    if (names_an_id(plan.schema.name)) {
      std::vector<std::uint64_t> hashes;
      for (const std::string& text : values) hashes.push_back(Dictionary::hash(text));
      plan.number_names = all_different(hashes);
      if (plan.number_names) plan.schema.type = ColumnType::text;
    }
    return plan;
  }
  if (!texts && all([&](const std::string& text) { return loose_number(text, number); })) {
    plan.schema.type = ColumnType::real;
    return plan;
  }
  for (const BooleanTexts& either : boolean_texts) {
    if (texts || !all([&](const std::string& text) { return text == either.yes || text == either.no; })) continue;
    plan.schema.type = ColumnType::boolean;
    plan.schema.true_text = either.yes;
    plan.schema.false_text = either.no;
    return plan;
  }
  plan.formats = date_time_formats(values[0], options.day_first);
  std::erase_if(plan.formats, [&](const DateTimeFormat& format) {
    return !all([&](const std::string& text) { return parse_date_time(text, format.pattern, format.zone, integer); });
  });
  if (!plan.formats.empty()) {
    plan.schema.type = ColumnType::date_time;
    return plan;
  }
  const MissingTexts missing(options.missing);
  for (const std::string& text : values) {
    const std::uint64_t hash = Dictionary::hash(text);
    if (plan.categories.find(text, hash) == Dictionary::none) plan.categories.add(text, hash, false);
  }
  const auto different = plan.categories.categories(), count = static_cast<std::int64_t>(values.size());
  if (different > options.max_categories) plan.categories = {};
  if (different <= options.max_categories && 2 * different <= count) plan.schema.type = ColumnType::categorical;
  return plan;
}

SYNTHDATA_INLINE ColumnPlan plan_of(const ColumnSchema& schema) {
  ColumnPlan plan;
  plan.schema = schema;
  plan.given = true;
  plan.closed = !schema.categories.empty();
  plan.formats = {{schema.pattern, schema.zone}};
  for (const std::string& category : schema.categories) {
    plan.categories.add(category, Dictionary::hash(category), false);
  }
  return plan;
}

/// The format that gives back all numbers, or as_written.
SYNTHDATA_INLINE void choose_real_format(ColumnSchema& schema, const ColumnEvidence& evidence) {
  const auto seen = [&](Spelling spelling) { return (evidence.spelling & spelling) != 0; };
  const bool fixed = !seen(spelled_not_fixed) && !seen(spelled_exponent) &&
                     evidence.least_decimals == evidence.most_decimals && evidence.most_decimals >= 1;
  schema.decimals = fixed ? evidence.most_decimals : -1;
  schema.whole_point = !fixed && seen(spelled_point_zero);
  schema.exponents = fixed || !seen(spelled_digits);
  schema.as_written = !fixed && (seen(spelled_not_shortest) || (seen(spelled_whole) && seen(spelled_point_zero)) ||
                                 (seen(spelled_digits) && seen(spelled_exponent)));
}

SYNTHDATA_INLINE bool settle(ColumnPlan& plan, ColumnEvidence& evidence, const CsvOptions& options) {
  const auto extend = [&] {
    for (std::uint32_t i = 0; i < evidence.fresh.size(); ++i) {
      const std::string_view text = evidence.fresh[i];
      plan.categories.add(text, Dictionary::hash(text), evidence.fresh.missing(i));
    }
    evidence.fresh = {};
  };
  const auto change_to = [&](ColumnType type) {
    const bool keep = type == ColumnType::categorical && plan.schema.type == ColumnType::text;
    if (keep) extend();
    if (!keep) plan.categories = {};
    plan.schema.type = type;
    plan.schema.as_written = false;
    plan.number_names = false;
    return true;
  };
  const ColumnType type = plan.schema.type;
  if (plan.given) {
    if (type == ColumnType::categorical) extend();
    return false;
  }
  if (plan.unknown) {
    plan = guess_plan(plan.schema.name, evidence.sample, options, plan.texts);
    plan.unknown = false;  // a column without values is text
    return true;
  }
  if (!evidence.fits) {
    if (type == ColumnType::integer && evidence.number) return change_to(ColumnType::real);
    return change_to(type == ColumnType::categorical ? ColumnType::text : ColumnType::categorical);
  }
  const std::int64_t different = plan.categories.categories() + evidence.fresh.categories();
  const bool categories =
      !evidence.many && different > 0 && different <= options.max_categories && 2 * different <= evidence.values;
  plan.schema.missing = evidence.missing_text;
  if (type == ColumnType::text) {
    plan.schema.as_written = evidence.missing_mixed;
    if (evidence.names && evidence.values > 1 && all_different(evidence.hashes)) {
      plan.schema.type = ColumnType::identifier;
      return false;
    }
    if (plan.number_names && evidence.integers) return change_to(ColumnType::integer);
    if (plan.number_names && evidence.number) return change_to(ColumnType::real);
    return categories && change_to(ColumnType::categorical);
  }
  const bool was_written = plan.schema.as_written;
  if (type == ColumnType::categorical) {
    if (!categories) return change_to(ColumnType::text);
    extend();
  } else if (type == ColumnType::integer) {
    plan.schema.as_written = (evidence.spelling & spelled_not_shortest) != 0;
  } else if (type == ColumnType::real) {
    choose_real_format(plan.schema, evidence);
  } else if (type == ColumnType::date_time) {
    const bool other_format = evidence.formats[0] != plan.formats[0];
    plan.formats = evidence.formats;
    plan.schema.pattern = plan.formats[0].pattern;
    plan.schema.zone = plan.formats[0].zone;
    if (other_format) return true;
  }
  plan.schema.as_written |= evidence.missing_mixed || was_written;
  return plan.schema.as_written && !was_written;
}

}  // namespace synthdata::detail
