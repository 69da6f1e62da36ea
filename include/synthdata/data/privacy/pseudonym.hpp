// synthdata/data/privacy/pseudonym.hpp: other names for people, the same in all tables, chosen by a hash under a key.
//
// A pseudonym is a function of the key, the subject's domain and the cell, so tables that are replaced one by one still
// join. Whoever has the key can find the person again by trying all candidates; so the result is personal data as long
// as the key exists, and what the other columns say about a person it says all the same.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/clean/report.hpp>
#include <synthdata/data/privacy/hash.hpp>
#include <synthdata/data/table.hpp>

#include <string>
#include <vector>

namespace synthdata {

enum class PseudonymFormat : std::uint8_t {
  token,       ///< `length` hexadecimal digits, 4 bits each
  digits,      ///< `length` decimal digits, leading zeros kept
  name,        ///< "Emma Keller", of some 98,000
  first_name,  ///< of some 300
  last_name,   ///< of some 300
  mail,        ///< "emma.keller.1f2e3d4c@example.org", with 32 bits of the hash; example.org is reserved (RFC 2606)
  phone,       ///< the cell with other digits: "+49 30 1234" becomes "+81 27 5503". It may be somebody's number
};
const char* name_of(PseudonymFormat format);

/// How one column is replaced.
struct PseudonymRule {
  std::string column;
  PseudonymFormat format = PseudonymFormat::token;
  int length = 16;  ///< of tokens (1 ... 64) and digits (1 ... 60)
  /// The column that says who the subject is; empty for `column` itself. With subject = "id" a person's name, mail and
  /// phone belong together, in all tables that have the id.
  std::string subject{};
  /// What kind of thing is named: equal cells in two domains have unlike pseudonyms. Empty for the default domain.
  std::string domain{};
  bool exact = false;  ///< else blanks around cells and the case of ASCII letters do not count
};

/// Replaces columns by pseudonyms. Equal subjects get equal pseudonyms, in any table and any run, under the same key.
class Pseudonyms {
 public:
  /// @param key  secret of at least 16 bytes, best drawn at random: who guesses it can undo all
  /// @throws DataError for a shorter key or a column with two rules; NumericError for a length out of range.
  Pseudonyms(std::string_view key, std::vector<PseudonymRule> rules);

  /// Missing values stay missing; a value whose subject is missing becomes missing too. Columns become text, or stay
  /// categorical if they are their own subject. The report counts values replaced, and as "sharing a pseudonym" the
  /// different subjects of this table less the different pseudonyms.
  /// @throws DataError if a column is not there.
  Table apply(const Table& table, CleaningReport* report = nullptr) const;

  /// The pseudonym of one cell; `subject` is the cell itself unless the rule names a subject column.
  std::string of(const PseudonymRule& rule, std::string_view cell, std::string_view subject) const;

  const std::vector<PseudonymRule>& rules() const { return rules_; }
  /// The rules and a check value of the key, never the key itself.
  Json json() const;
  /// @throws DataError if it is not what json() gives, or `key` is not the one it was made with.
  static Pseudonyms from_json(const Json& json, std::string_view key);

 private:
  Digest digest_of(const PseudonymRule& rule, std::string_view subject) const;
  std::string made_of(const PseudonymRule& rule, std::string_view cell, Digest digest) const;

  HmacSha256 hash_;
  std::string key_check_;
  std::vector<PseudonymRule> rules_;
};

/// Number of different pseudonyms of a format; for phone `length` is the number of digits in the cells.
double pseudonym_count(PseudonymFormat format, int length = 16);
/// Probability that at least two of `subjects` share one of `count` pseudonyms: 1 - exp(-n (n - 1) / (2 count)).
double collision_probability(std::int64_t subjects, double count);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/privacy/pseudonym_impl.hpp>
#endif
