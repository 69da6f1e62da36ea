// synthdata/data/privacy/pseudonym_impl.hpp: bodies of data/privacy/pseudonym.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/privacy/mask_impl.hpp>
#include <synthdata/data/privacy/members.hpp>
#include <synthdata/data/privacy/names.hpp>
#include <synthdata/data/privacy/pseudonym.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <unordered_map>

namespace synthdata {

namespace detail {

inline constexpr std::initializer_list<const char*> pseudonym_formats = {"token",     "digits", "name", "first_name",
                                                                         "last_name", "mail",   "phone"};

/// The number in bytes 8 part ... 8 part + 7 of the digest.
inline std::uint64_t word_of(const Digest& digest, std::size_t part) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < 8; ++i) word = word << 8 | digest[8 * part + i];
  return word;
}

/// Takes the last decimal digit off a number of 256 bits.
inline char next_digit(Digest& number) {
  unsigned rest = 0;
  for (std::uint8_t& byte : number) {
    const unsigned value = rest * 256 + byte;
    byte = static_cast<std::uint8_t>(value / 10);
    rest = value % 10;
  }
  return static_cast<char>('0' + rest);
}

SYNTHDATA_INLINE std::int64_t different(std::vector<std::uint64_t>& values) {
  std::sort(values.begin(), values.end());
  return std::unique(values.begin(), values.end()) - values.begin();
}

SYNTHDATA_INLINE std::string in_small_letters(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

}  // namespace detail

SYNTHDATA_INLINE const char* name_of(PseudonymFormat format) {
  return detail::pseudonym_formats.begin()[static_cast<std::size_t>(format)];
}

SYNTHDATA_INLINE Pseudonyms::Pseudonyms(std::string_view key, std::vector<PseudonymRule> rules)
    : hash_(key), rules_(std::move(rules)) {
  if (key.size() < 16) throw DataError(concat("Pseudonyms: expects a key of at least 16 bytes, got ", key.size()));
  // "check" cannot be the message of a pseudonym, which has a zero byte
  key_check_ = hex(hash_("check")).substr(0, 8);
  std::unordered_map<std::string_view, int> seen;
  for (const PseudonymRule& rule : rules_) {
    if (++seen[rule.column] > 1)
      throw DataError(concat("Pseudonyms: column ", in_quotes(rule.column), " has two rules"));
    if (rule.domain.find('\0') != std::string::npos) {
      throw DataError(concat("Pseudonyms: column ", in_quotes(rule.column), ": a domain has no zero byte"));
    }
    const int most = rule.format == PseudonymFormat::digits ? 60 : 64;
    if (rule.length < 1 || rule.length > most) {
      throw NumericError(concat("Pseudonyms: column ", in_quotes(rule.column), ": expects a length of 1 to ", most,
                                ", got ", rule.length));
    }
  }
}

SYNTHDATA_INLINE Digest Pseudonyms::digest_of(const PseudonymRule& rule, std::string_view subject) const {
  std::string message = rule.domain;
  message += '\0';
  message += rule.exact ? std::string(subject) : detail::in_small_letters(detail::trimmed(subject));
  return hash_(message);
}

SYNTHDATA_INLINE std::string Pseudonyms::of(const PseudonymRule& rule, std::string_view cell,
                                            std::string_view subject) const {
  return made_of(rule, cell, digest_of(rule, subject));
}

SYNTHDATA_INLINE std::string Pseudonyms::made_of(const PseudonymRule& rule, std::string_view cell,
                                                 Digest digest) const {
  const auto pick = [&](const auto& names, std::size_t part) {
    return names[static_cast<std::size_t>(detail::word_of(digest, part) % std::size(names))];
  };
  const std::string_view first = pick(detail::first_names, 0), last = pick(detail::surnames, 1);
  const auto length = static_cast<std::size_t>(rule.length);
  switch (rule.format) {
    case PseudonymFormat::token:
      return hex(digest).substr(0, length);
    case PseudonymFormat::digits: {
      std::string out(length, '0');
      for (std::size_t i = 0; i < length; ++i) out[i] = detail::next_digit(digest);
      return out;
    }
    case PseudonymFormat::name:
      return concat(first, " ", last);
    case PseudonymFormat::first_name:
      return std::string(first);
    case PseudonymFormat::last_name:
      return std::string(last);
    case PseudonymFormat::mail:
      return concat(detail::in_small_letters(first), ".", detail::in_small_letters(last), ".",
                    hex(digest).substr(40, 8), "@example.org");
    case PseudonymFormat::phone: {
      std::string out(cell);
      int drawn = 0;
      for (char& c : out) {
        if (!detail::digit(c)) continue;
        if (drawn++ % 60 == 59) digest = hash_({reinterpret_cast<const char*>(digest.data()), digest.size()});
        c = detail::next_digit(digest);
      }
      return out;
    }
  }
  return {};
}

SYNTHDATA_INLINE Table Pseudonyms::apply(const Table& table, CleaningReport* report) const {
  Table result = table;
  for (const PseudonymRule& rule : rules_) {
    const Column& column = table[rule.column];
    const Column& subject = rule.subject.empty() ? column : table[rule.subject];
    const bool own = &subject == &column;
    std::int64_t replaced = 0;
    std::vector<std::uint64_t> subjects, pseudonyms;  // 64 bits of a hash stand for each
    const auto made = [&](std::string_view cell, std::string_view who) {
      const Digest digest = digest_of(rule, who);
      std::string pseudonym = made_of(rule, cell, digest);
      if (report) {
        subjects.push_back(detail::word_of(digest, 0));
        pseudonyms.push_back(std::hash<std::string>()(pseudonym));
      }
      return pseudonym;
    };
    if (own) {
      std::int64_t changed = 0;
      result = result.with(detail::retexted(
          column, [&](std::string_view cell) { return made(cell, cell); }, changed));
      replaced = column.size() - column.missing_count();
    } else {
      std::vector<std::string> texts(static_cast<std::size_t>(table.size()));
      std::vector<bool> missing(texts.size());
      for (std::int64_t row = 0; row < table.size(); ++row) {
        const auto i = static_cast<std::size_t>(row);
        missing[i] = column.is_missing(row) || subject.is_missing(row);
        if (missing[i]) continue;
        texts[i] = made(column.cell(row), subject.cell(row));
        ++replaced;
      }
      Column texted = Column::texts(rule.column, texts, missing);
      ColumnSchema spelling = texted.schema();
      spelling.missing = column.schema().missing;
      result = result.with(texted.spelled(spelling));
    }
    if (!report) continue;
    const std::string step = concat("pseudonym ", name_of(rule.format));
    report->add(step, rule.column, "replaced", replaced);
    // a phone number written in two ways has two pseudonyms
    report->add(step, rule.column, "sharing a pseudonym",
                std::max<std::int64_t>(0, detail::different(subjects) - detail::different(pseudonyms)));
  }
  return result;
}

SYNTHDATA_INLINE Json Pseudonyms::json() const {
  Json::Array list;
  for (const PseudonymRule& rule : rules_) {
    list.push_back(Json::Object{{"column", rule.column},
                                {"format", name_of(rule.format)},
                                {"length", rule.length},
                                {"subject", rule.subject},
                                {"domain", rule.domain},
                                {"exact", rule.exact}});
  }
  return Json::Object{{"kind", "pseudonyms"}, {"key_check", key_check_}, {"rules", std::move(list)}};
}

SYNTHDATA_INLINE Pseudonyms Pseudonyms::from_json(const Json& json, std::string_view key) {
  const detail::JsonMembers members(json, "Pseudonyms", {"kind", "key_check", "rules"});
  std::size_t kind = 0;
  std::string check;
  members.read_name("kind", {"pseudonyms"}, kind);
  members.read("key_check", check);
  std::vector<PseudonymRule> rules;
  for (const Json& item : members.list("rules")) {
    const detail::JsonMembers from(item, "Pseudonyms: rule",
                                   {"column", "format", "length", "subject", "domain", "exact"});
    PseudonymRule rule;
    std::size_t format = 0;
    std::int64_t length = rule.length;
    from.read("column", rule.column);
    from.read_name("format", detail::pseudonym_formats, format);
    from.read("length", length);
    from.read("subject", rule.subject);
    from.read("domain", rule.domain);
    from.read("exact", rule.exact);
    rule.format = static_cast<PseudonymFormat>(format);
    rule.length = length < 0 || length > 1000 ? -1 : static_cast<int>(length);
    rules.push_back(std::move(rule));
  }
  Pseudonyms made(key, std::move(rules));
  if (check != made.key_check_) {
    throw DataError(concat("Pseudonyms: the key is not the one these were made with, its check value is ",
                           made.key_check_, ", not ", in_quotes(check)));
  }
  return made;
}

SYNTHDATA_INLINE double pseudonym_count(PseudonymFormat format, int length) {
  const auto first = static_cast<double>(std::size(detail::first_names)),
             last = static_cast<double>(std::size(detail::surnames));
  switch (format) {
    case PseudonymFormat::token:
      return std::exp2(4.0 * length);
    case PseudonymFormat::digits:
    case PseudonymFormat::phone:
      return std::pow(10.0, length);
    case PseudonymFormat::name:
      return first * last;
    case PseudonymFormat::first_name:
      return first;
    case PseudonymFormat::last_name:
      return last;
    case PseudonymFormat::mail:
      return first * last * 0x1p32;
  }
  return 0.0;
}

SYNTHDATA_INLINE double collision_probability(std::int64_t subjects, double count) {
  const auto n = static_cast<double>(subjects);
  return n < 2.0 ? 0.0 : -std::expm1(-n * (n - 1.0) / (2.0 * count));
}

}  // namespace synthdata
