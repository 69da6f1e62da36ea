// synthdata/tabular/made_texts_impl.hpp: bodies of made_texts.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/privacy/mask.hpp>
#include <synthdata/data/privacy/members.hpp>
#include <synthdata/tabular/made_texts.hpp>

#include <algorithm>
#include <bit>
#include <unordered_map>

namespace synthdata::models {
namespace detail {

inline constexpr char any_digit = '\1', any_upper = '\2', any_lower = '\3', first_digit = '\4';

/// The first words by their lengths, rounded to powers of two: "Dear Mr Smith, 12345" is "Aaaa Aa Aaaa 9999".
inline std::string coarse_shape(std::string_view text, int words) {
  std::string out;
  while (words-- > 0) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    if (text.empty()) break;
    const std::string_view word = text.substr(0, text.find_first_of(" \t\r\n"));
    text.remove_prefix(word.size());
    const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
    const bool number = std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!out.empty()) out += ' ';
    std::string made(std::min<std::size_t>(std::bit_floor(word.size()), 16), number ? '9' : 'a');
    if (capital(word[0])) made[0] = 'A';
    out += made;
  }
  return out;
}

/// Rows of one shape.
struct ShapeRows {
  std::int64_t rows = 0;
  std::string shared;         // the first text; characters in which others differ become zero bytes
  bool leading_zero = false;  // in any of them
};

inline std::string pattern_of(const std::string& shape, const ShapeRows& found) {
  std::string pattern = shape;
  const bool whole = !shape.empty() && shape.find_first_not_of('9') == std::string::npos;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    char& c = pattern[i];
    const bool letter = c == 'A' || c == 'a';
    if (letter && i < found.shared.size() && found.shared[i] != '\0') {
      c = found.shared[i];
    } else if (letter || c == '9') {
      c = c == 'A'                                 ? any_upper
          : c == 'a'                               ? any_lower
          : i == 0 && whole && !found.leading_zero ? first_digit
                                                   : any_digit;
    }
  }
  return pattern;
}

}  // namespace detail

SYNTHDATA_INLINE MadeTexts MadeTexts::fit(const Column& column, const MadeTextsOptions& options, Rng rng,
                                          std::vector<std::int64_t>& codes) {
  if (options.rare_below < 1 || options.most_shapes < 1) {
    throw DataError(concat("MadeTexts: expects rare_below and most_shapes >= 1, got ", options.rare_below, " and ",
                           options.most_shapes));
  }
  MadeTexts made;
  made.unique_ = options.unique;
  made.salt_ = static_cast<std::int64_t>(rng.next_u64());
  const std::int64_t present = column.size() - column.missing_count();
  // Shapes, ever coarser, until half of the rows looked at have one in common with others.
  constexpr std::int64_t looked_at = 200'000;
  const std::int64_t step = std::max<std::int64_t>(1, column.size() / looked_at);
  const auto shape_by = [](std::string_view cell, int words) {
    return words == 0 ? synthdata::detail::shape_of(cell) : detail::coarse_shape(cell, words);
  };
  std::unordered_map<std::string, detail::ShapeRows> shapes;
  std::vector<std::int64_t> lengths;
  int level = 0;
  for (const int words : {0, 8, 4, 2, 1}) {
    level = words;
    shapes.clear();
    std::int64_t seen = 0;
    for (std::int64_t row = 0; row < column.size(); row += step) {
      if (column.is_missing(row)) continue;
      ++seen;
      const std::string cell = column.cell(row), shape = shape_by(cell, words);
      if (words == 0) lengths.push_back(static_cast<std::int64_t>(cell.size()));
      detail::ShapeRows& found = shapes[shape];
      // Letters that are shared stand where the shape has them only if the shape is as long as the text.
      const bool comparable = words == 0 && cell.size() == shape.size();
      if (found.rows++ == 0) {
        if (comparable) found.shared = cell;
      } else {
        for (std::size_t i = 0; i < found.shared.size(); ++i) {
          if (!comparable || cell[i] != found.shared[i]) found.shared[i] = '\0';
        }
      }
      found.leading_zero = found.leading_zero || (!cell.empty() && cell[0] == '0');
    }
    std::int64_t common = 0;
    for (const auto& [text, found] : shapes) common += found.rows >= options.rare_below ? found.rows : 0;
    if (2 * common >= seen) break;
  }
  std::vector<std::pair<std::int64_t, std::string>> kept;
  for (const auto& [text, found] : shapes) {
    if (found.rows >= options.rare_below) kept.emplace_back(-found.rows, text);
  }
  std::sort(kept.begin(), kept.end());
  if (static_cast<std::int64_t>(kept.size()) > options.most_shapes) {
    kept.resize(static_cast<std::size_t>(options.most_shapes));
  }
  std::unordered_map<std::string, std::int64_t> code_of;
  for (const auto& [rows, text] : kept) {
    made.patterns_.push_back(detail::pattern_of(text, shapes.at(text)));
    made.rows_.push_back(-rows);
    code_of.emplace(text, static_cast<std::int64_t>(code_of.size()));
  }
  if (made.patterns_.empty()) {  // hardly any rows: as long as the one in the middle
    std::size_t length = 6;
    if (!lengths.empty()) {
      std::nth_element(lengths.begin(), lengths.begin() + static_cast<std::ptrdiff_t>(lengths.size() / 2),
                       lengths.end());
      length = std::min<std::size_t>(static_cast<std::size_t>(lengths[lengths.size() / 2]), 16);
    }
    made.patterns_.push_back(std::string(length, options.unique ? detail::any_digit : detail::any_lower));
    made.rows_.push_back(1);
  }
  codes.assign(static_cast<std::size_t>(column.size()), -1);
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (column.is_missing(row)) continue;
    const auto found = code_of.find(shape_by(column.cell(row), level));
    codes[static_cast<std::size_t>(row)] = found != code_of.end() ? found->second : made.draw_shape(rng);
  }
  if (!options.unique) return made;
  // Half as many bits as texts: e^-2 of them stay 0. At least a tenth must.
  for (std::size_t bits = std::max<std::size_t>(8, static_cast<std::size_t>(present) / 2);; bits *= 2) {
    made.bits_.assign((bits + 7) / 8, 0);
    for (std::int64_t row = 0; row < column.size(); ++row) {
      if (column.is_missing(row)) continue;
      const std::uint64_t bit = made.bit_of(column.cell(row));
      made.bits_[bit / 8] = static_cast<std::uint8_t>(made.bits_[bit / 8] | 1u << bit % 8);
    }
    std::size_t set = 0;
    for (const std::uint8_t byte : made.bits_) set += static_cast<std::size_t>(std::popcount(byte));
    if (set * 10 <= made.bits_.size() * 8 * 9) return made;
  }
}

SYNTHDATA_INLINE std::uint64_t MadeTexts::bit_of(std::string_view text) const {
  // FNV-1a and the finaliser of SplitMix64. Files hold bits by this hash: it must stay as it is.
  std::uint64_t hash = 0xcbf29ce484222325u ^ static_cast<std::uint64_t>(salt_);
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9u;
  hash = (hash ^ hash >> 27) * 0x94d049bb133111ebu;
  return (hash ^ hash >> 31) % (bits_.size() * 8);
}

SYNTHDATA_INLINE bool MadeTexts::may_have(std::string_view text) const {
  if (bits_.empty()) return true;
  const std::uint64_t bit = bit_of(text);
  return (bits_[bit / 8] >> bit % 8 & 1) != 0;
}

SYNTHDATA_INLINE std::int64_t MadeTexts::draw_shape(Rng& rng) const {
  std::int64_t total = 0;
  for (const std::int64_t rows : rows_) total += rows;
  std::int64_t left = rng.below(total);
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    left -= rows_[i];
    if (left < 0) return static_cast<std::int64_t>(i);
  }
  return shapes() - 1;
}

SYNTHDATA_INLINE std::string MadeTexts::draw_longer(std::int64_t shape, int longer, Rng& rng) const {
  std::string text =
      patterns_.at(static_cast<std::size_t>(shape)) + std::string(static_cast<std::size_t>(longer), detail::any_digit);
  for (char& c : text) {
    if (c == detail::any_digit) {
      c = static_cast<char>('0' + rng.below(10));
    } else if (c == detail::first_digit) {
      c = static_cast<char>('1' + rng.below(9));
    } else if (c == detail::any_upper) {
      c = static_cast<char>('A' + rng.below(26));
    } else if (c == detail::any_lower) {
      c = static_cast<char>('a' + rng.below(26));
    }
  }
  return text;
}

SYNTHDATA_INLINE std::string MadeTexts::draw_new(std::int64_t shape, Given& given, Rng& rng) const {
  given.longer.resize(patterns_.size(), 0);
  int& longer = given.longer[static_cast<std::size_t>(shape)];
  for (int tries = 1;; ++tries) {
    std::string text = draw_longer(shape, longer, rng);
    if (!may_have(text) && given.texts.insert(text).second) return text;
    if (tries % 500 == 0) ++longer;
    if (tries == 50'000) throw DataError("there are hardly any texts left to make that the table does not have");
  }
}

SYNTHDATA_INLINE void MadeTexts::save(Archive& archive, const std::string& prefix) const {
  Json::Array rows;
  for (const std::int64_t n : rows_) rows.push_back(n);
  archive.metadata[prefix] = Json(Json::Object{{"patterns", synthdata::detail::json_texts(patterns_)},
                                               {"rows", std::move(rows)},
                                               {"unique", unique_},
                                               {"salt", salt_}})
                                 .dump();
  if (!bits_.empty()) archive.add(prefix + ".bits", Tensor::from(bits_));
}

SYNTHDATA_INLINE MadeTexts MadeTexts::load(const Archive& archive, const std::string& prefix) {
  const std::string owner = "model file, " + in_quotes(prefix);
  const Json json = parse_json(archive.text(prefix), {.source = owner});
  const synthdata::detail::JsonMembers members(json, owner, {"patterns", "rows", "unique", "salt"});
  MadeTexts made;
  members.read("patterns", made.patterns_);
  members.read("unique", made.unique_);
  members.read("salt", made.salt_);
  for (const Json& item : members.list("rows")) {
    const auto* rows = item.get_if<std::int64_t>();
    if (!rows || *rows < 1 || *rows > (std::int64_t{1} << 40)) throw DataError(owner + ": expects rows of 1 to 2^40");
    made.rows_.push_back(*rows);
  }
  if (made.patterns_.empty() || made.patterns_.size() > 100'000 || made.rows_.size() != made.patterns_.size()) {
    throw DataError(owner + ": expects a number of rows for each pattern");
  }
  if (!made.unique_) return made;
  const Tensor& bits = archive.at(prefix + ".bits");
  if (bits.dtype() != DType::u8 || bits.rank() != 1 || bits.size() < 1) throw DataError(owner + ": expects bits");
  made.bits_.assign(bits.data<std::uint8_t>(), bits.data<std::uint8_t>() + bits.size());
  std::size_t set = 0;
  for (const std::uint8_t byte : made.bits_) set += static_cast<std::size_t>(std::popcount(byte));
  if (set * 100 > made.bits_.size() * 8 * 99) {
    throw DataError(owner + ": leaves hardly any text to make");
  }
  return made;
}

}  // namespace synthdata::models
