// synthdata/data/privacy/patterns_impl.hpp: bodies of data/privacy/patterns.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/cells.hpp>
#include <synthdata/data/privacy/names.hpp>
#include <synthdata/data/privacy/patterns.hpp>

#include <algorithm>
#include <array>
#include <iterator>

namespace synthdata {

namespace detail {

inline bool digit(char c) { return c >= '0' && c <= '9'; }
inline bool upper(char c) { return c >= 'A' && c <= 'Z'; }
inline bool lower(char c) { return c >= 'a' && c <= 'z'; }
inline bool beyond_ascii(char c) { return (static_cast<unsigned char>(c) & 0x80) != 0; }
inline bool letter(char c) { return upper(c) || lower(c) || beyond_ascii(c); }

inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Digits and letters, those capital, of a text that has nothing else but `separators`, none of them at an end.
class Compact {
 public:
  Compact(std::string_view text, std::string_view separators) {
    bool separated = true;
    for (const char c : text) {
      if (digit(c) || upper(c) || lower(c)) {
        if (size_ == sizeof text_) {
          size_ = 0;
          return;
        }
        text_[size_++] = lower(c) ? static_cast<char>(c - 'a' + 'A') : c;
        separated = false;
      } else if (separated || separators.find(c) == std::string_view::npos) {
        size_ = 0;
        return;
      } else {
        separated = true;
      }
    }
    if (separated) size_ = 0;
  }
  /// Empty if the text is too long or of another form.
  std::string_view text() const { return {text_, size_}; }
  bool all_digits() const {
    return size_ > 0 && std::all_of(text_, text_ + size_, [](char c) { return digit(c); });
  }

 private:
  char text_[40];
  std::size_t size_ = 0;
};

/// Value of up to 18 digits.
inline std::int64_t value_of(std::string_view digits) {
  std::int64_t value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}
/// `shape` has 9 for a digit and A for a capital letter.
inline bool shaped(std::string_view text, std::string_view shape) {
  return text.size() == shape.size() && std::equal(text.begin(), text.end(), shape.begin(),
                                                   [](char c, char s) { return s == '9' ? digit(c) : upper(c); });
}

SYNTHDATA_INLINE bool luhn_holds(std::string_view digits) {
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const int value = digits[digits.size() - 1 - i] - '0', doubled = i % 2 ? 2 * value : value;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return !digits.empty() && sum % 10 == 0;
}

SYNTHDATA_INLINE bool verhoeff_holds(std::string_view digits) {
  // The dihedral group of order 10: 0 ... 4 are rotations, 5 ... 9 reflections.
  const auto product = [](int a, int b) {
    if (a < 5) return b < 5 ? (a + b) % 5 : 5 + (a + b) % 5;
    return b < 5 ? 5 + (a - b) % 5 : (a - b + 5) % 5;
  };
  constexpr std::array<int, 10> step = {1, 5, 7, 6, 2, 8, 3, 0, 9, 4};
  int check = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    int value = digits[digits.size() - 1 - i] - '0';
    for (std::size_t times = 0; times < i % 8; ++times) value = step[static_cast<std::size_t>(value)];
    check = product(check, value);
  }
  return !digits.empty() && check == 0;
}

SYNTHDATA_INLINE std::string folded(std::string_view text) {
  constexpr std::string_view plain =  // U+00C0 ... U+017F
      "aaaaaaaceeeeiiiidnooooo.ouuuuytsaaaaaaaceeeeiiiidnooooo.ouuuuytyaaaaaaccccccccddddeeeeeeeeeegggg"
      "gggghhhhiiiiiiiiiiiijjkkkllllllllllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead >= 0xC3 && lead <= 0xC5 && i + 1 < text.size() &&
        (static_cast<unsigned char>(text[i + 1]) & 0xC0) == 0x80) {
      const char base = plain[(lead - 0xC3u) * 64 + (static_cast<unsigned char>(text[i + 1]) & 0x3Fu)];
      if (base != '.') {
        out += text.substr(i, 2) == "\xc3\x9f" ? "ss" : std::string(1, base);
        ++i;
        continue;
      }
    }
    out += upper(text[i]) ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
  }
  return out;
}

/// Number * 10^n ... mod 97 over digits and letters, A being 10.
inline int mod_97(std::string_view text, int start = 0) {
  int remainder = start;
  for (const char c : text) {
    remainder = digit(c) ? (remainder * 10 + (c - '0')) % 97 : (remainder * 100 + (c - 'A' + 10)) % 97;
  }
  return remainder;
}

SYNTHDATA_INLINE bool is_mail(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos || at == 0 || at > 64) return false;
  const std::string_view local = text.substr(0, at), domain = text.substr(at + 1);
  char before = '.';
  for (const char c : local) {
    if (!letter(c) && !digit(c) && std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) == std::string_view::npos)
      return false;
    if (c == '.' && before == '.') return false;
    before = c;
  }
  if (before == '.') return false;
  std::size_t labels = 0, length = 0;
  bool last_has_letter = false;
  before = '.';
  for (const char c : domain) {
    if (c == '.') {
      if (length == 0 || length > 63 || before == '-') return false;
      ++labels;
      length = 0;
      last_has_letter = false;
    } else {
      if (!letter(c) && !digit(c) && (c != '-' || length == 0)) return false;
      ++length;
      last_has_letter |= letter(c);
    }
    before = c;
  }
  return labels >= 1 && length >= 2 && length <= 63 && before != '-' && last_has_letter;
}

SYNTHDATA_INLINE bool is_phone(std::string_view text, bool hinted) {
  if (const std::size_t extension = text.find_first_of("xX"); extension != std::string_view::npos) {
    std::string_view digits = text.substr(extension + 1), number = text.substr(0, extension);
    if (number.ends_with("e") || number.ends_with("E")) return false;
    digits = trimmed(digits);
    if (digits.empty() || digits.size() > 6 || !std::all_of(digits.begin(), digits.end(), digit)) return false;
    text = trimmed(number);
  }
  std::size_t count = 0, separators = 0, group = 0, groups[8] = {}, used = 0;
  int open = 0;
  bool after_separator = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (digit(c)) {
      ++count;
      ++group;
      after_separator = false;
      continue;
    }
    if (c == '+' && i == 0) continue;
    if (c == '(' && open == 0) {
      open = 1;
    } else if (c == ')' && open == 1 && group > 0) {
      open = 2;
    } else if (std::string_view(" -./").find(c) == std::string_view::npos || count == 0 ||
               (after_separator && c != ' ' && text[i - 1] != ' ' && text[i - 1] != ')')) {
      return false;
    }
    ++separators;
    after_separator = true;
    if (group > 0) {
      if (used == 8) return false;
      groups[used++] = group;
      group = 0;
    }
  }
  if (count < 7 || count > 15 || open == 1 || after_separator) return false;
  if (used < 8) groups[used++] = group;
  if (hinted || text[0] == '+' || text[0] == '(') return true;
  if (text[0] == '0') return separators > 0 ? used <= 6 && text.find('.') == std::string_view::npos : count >= 9;
  const std::size_t first = used == 4 && groups[0] == 1 && text[0] == '1' ? 1 : 0;
  return used == first + 3 && groups[first] == 3 && groups[first + 1] == 3 && groups[first + 2] == 4;
}

SYNTHDATA_INLINE bool is_ipv4(std::string_view text) {
  int parts = 0;
  while (true) {
    std::size_t length = 0;
    while (length < text.size() && digit(text[length])) ++length;
    if (length == 0 || length > 3 || (length > 1 && text[0] == '0') || value_of(text.substr(0, length)) > 255)
      return false;
    ++parts;
    text.remove_prefix(length);
    if (text.empty()) return parts == 4;
    if (text[0] != '.' || parts == 4) return false;
    text.remove_prefix(1);
  }
}
SYNTHDATA_INLINE bool is_ip(std::string_view text) {
  if (is_ipv4(text)) return true;
  if (text.size() < 2 || text.size() > 45 || text.find(':') == std::string_view::npos) return false;
  int groups = 0;
  bool gap = false;
  if (text.starts_with("::")) {
    gap = true;
    text.remove_prefix(2);
    if (text.empty()) return true;
  }
  while (true) {
    if (is_ipv4(text)) {
      groups += 2;
      break;
    }
    std::size_t length = 0;
    while (length < text.size() && (digit(text[length]) || (text[length] >= 'a' && text[length] <= 'f') ||
                                    (text[length] >= 'A' && text[length] <= 'F'))) {
      ++length;
    }
    if (length == 0 || length > 4) return false;
    ++groups;
    text.remove_prefix(length);
    if (text.empty()) break;
    if (text[0] != ':') return false;
    text.remove_prefix(1);
    if (text.starts_with(":")) {
      if (gap) return false;
      gap = true;
      text.remove_prefix(1);
      if (text.empty()) break;
    }
  }
  return gap ? groups <= 7 : groups == 8;
}

SYNTHDATA_INLINE bool is_card(std::string_view number) {
  const std::size_t n = number.size();
  if (n < 12 || n > 19) return false;
  const std::int64_t two = value_of(number.substr(0, 2)), four = value_of(number.substr(0, 4));
  const bool visa = number[0] == '4' && (n == 13 || n == 16 || n == 19);
  const bool mastercard = n == 16 && ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720));
  const bool american = n == 15 && (two == 34 || two == 37);
  const bool diners = n >= 14 && ((four >= 3000 && four <= 3059) || two == 36 || two == 38 || two == 39);
  const bool discover = n >= 16 && (four == 6011 || two == 65 || (four >= 6440 && four <= 6499));
  const bool others = n >= 16 && ((four >= 3528 && four <= 3589) || two == 62);  // JCB, UnionPay
  const bool maestro =
      two == 50 || (two >= 56 && two <= 58) || four == 6304 || four == 6759 || (four >= 6761 && four <= 6763);
  return (visa || mastercard || american || diners || discover || others || maestro) && luhn_holds(number);
}

SYNTHDATA_INLINE bool is_iban(std::string_view text) {
  // Lengths by country: SWIFT, IBAN registry 101.
  constexpr std::string_view lengths =
      "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27GB22"
      "GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20"
      "MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26"
      "UA29VA22VG24XK20YE30";
  if (text.size() < 15 || !shaped(text.substr(0, 4), "AA99")) return false;
  for (std::size_t i = 0; i < lengths.size(); i += 4) {
    if (lengths.substr(i, 2) != text.substr(0, 2)) continue;
    return static_cast<std::int64_t>(text.size()) == value_of(lengths.substr(i + 2, 2)) &&
           mod_97(text.substr(0, 4), mod_97(text.substr(4))) == 1;
  }
  return false;
}

SYNTHDATA_INLINE bool is_us_ssn(std::string_view text, bool hinted) {
  const bool plain = hinted && shaped(text, "999999999");
  if (!plain && (text.size() != 11 || text[3] != '-' || text[6] != '-')) return false;
  const std::string_view area = text.substr(0, 3), group = text.substr(plain ? 3 : 4, 2),
                         serial = text.substr(plain ? 5 : 7);
  return shaped(area, "999") && shaped(group, "99") && shaped(serial, "9999") && area != "000" && area != "666" &&
         area[0] != '9' && group != "00" && serial != "0000";
}

SYNTHDATA_INLINE bool is_uk_nino(std::string_view text) {
  if (!shaped(text, "AA999999A") || text[8] > 'D') return false;
  const std::string_view prefix = text.substr(0, 2);
  if (std::string_view("DFIQUV").find(prefix[0]) != std::string_view::npos) return false;
  if (std::string_view("DFIOQUV").find(prefix[1]) != std::string_view::npos) return false;
  for (const std::string_view unused : {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}) {
    if (prefix == unused) return false;
  }
  return true;
}

SYNTHDATA_INLINE bool is_german_tax_id(std::string_view digits) {
  if (!shaped(digits, "99999999999") || digits[0] == '0') return false;
  int counts[10] = {}, repeated = 0;
  for (std::size_t i = 0; i < 10; ++i) ++counts[digits[i] - '0'];
  for (const int count : counts) {
    if (count > 3) return false;
    repeated += count > 1;
  }
  if (repeated != 1) return false;
  int check = 10;  // ISO 7064, MOD 11,10
  for (std::size_t i = 0; i < 10; ++i) {
    const int sum = (check + digits[i] - '0') % 10;
    check = (sum == 0 ? 10 : sum) * 2 % 11;
  }
  return (11 - check) % 10 == digits[10] - '0';
}

SYNTHDATA_INLINE bool is_spanish_id(std::string_view text) {
  if (text.size() != 9) return false;
  std::string number(text.substr(0, 8));
  if (text[0] >= 'X' && text[0] <= 'Z') number[0] = static_cast<char>(text[0] - 'X' + '0');
  return shaped(number, "99999999") &&
         text[8] == "TRWAGMYFPDXBNJZSQVHLCKE"[static_cast<std::size_t>(value_of(number) % 23)];
}

SYNTHDATA_INLINE bool is_french_nir(std::string_view text) {
  if (text.size() != 15) return false;
  std::string number(text);
  if (number[5] == '2' && (number[6] == 'A' || number[6] == 'B')) {  // Corsica
    number[5] = '1';
    number[6] = number[6] == 'A' ? '9' : '8';
  }
  if (!std::all_of(number.begin(), number.end(), digit)) return false;
  if (number[0] == '0' || number[0] == '5' || number[0] == '6' || number[0] == '9') return false;
  const std::int64_t month = value_of(std::string_view(number).substr(3, 2));
  if (month < 1 || (month > 12 && month < 20) || (month > 42 && month < 50)) return false;  // beyond 12: not known
  return 97 - value_of(std::string_view(number).substr(0, 13)) % 97 == value_of(std::string_view(number).substr(13));
}

SYNTHDATA_INLINE bool is_italian_fiscal_code(std::string_view text) {
  if (text.size() != 16) return false;
  const auto number = [](char c) {
    return digit(c) || std::string_view("LMNPQRSTUV").find(c) != std::string_view::npos;
  };
  for (std::size_t i = 0; i < 16; ++i) {
    const bool wants_number = i == 6 || i == 7 || i == 9 || i == 10 || (i >= 12 && i <= 14);
    if (wants_number ? !number(text[i]) : !upper(text[i])) return false;
  }
  if (std::string_view("ABCDEHLMPRST").find(text[8]) == std::string_view::npos) return false;
  constexpr int odd[26] = {1,  0,  5, 7, 9, 13, 15, 17, 19, 21, 2,  4,  18,
                           20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
  int sum = 0;
  for (std::size_t i = 0; i < 15; ++i) {
    const int value = digit(text[i]) ? text[i] - '0' : text[i] - 'A';
    sum += i % 2 == 0 ? odd[value] : value;
  }
  return text[15] == 'A' + sum % 26;
}

SYNTHDATA_INLINE bool is_brazilian_cpf(std::string_view digits) {
  if (!shaped(digits, "99999999999") || digits.find_first_not_of(digits[0]) == std::string_view::npos) return false;
  for (const std::size_t length : {std::size_t{9}, std::size_t{10}}) {
    int sum = 0;
    for (std::size_t i = 0; i < length; ++i) sum += (digits[i] - '0') * static_cast<int>(length + 1 - i);
    if (sum * 10 % 11 % 10 != digits[length] - '0') return false;
  }
  return true;
}

inline bool listed(const std::string_view* first, const std::string_view* last, std::string_view name) {
  const auto less = [](std::string_view a, std::string_view b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
      return (upper(x) ? x - 'A' + 'a' : x) < (upper(y) ? y - 'A' + 'a' : y);
    });
  };
  const auto* at = std::lower_bound(first, last, name, less);
  return at != last && !less(name, *at);
}

SYNTHDATA_INLINE bool is_name(std::string_view text, bool hinted) {
  if (text.size() > 60) return false;
  bool known = false;
  int words = 0;
  while (!text.empty()) {
    std::size_t length = 0;
    while (length < text.size() && letter(text[length])) ++length;
    if (length > 0) {
      const std::string_view word = text.substr(0, length);
      if (++words > 5 || (!hinted && lower(word[0]))) return false;
      const std::string plain = folded(word);
      known |= listed(std::begin(first_names), std::end(first_names), plain) ||
               listed(std::begin(surnames), std::end(surnames), plain);
    } else if (std::string_view(" .,-'").find(text[0]) == std::string_view::npos) {
      return false;
    }
    text.remove_prefix(length > 0 ? length : 1);
  }
  return known;
}

SYNTHDATA_INLINE bool is_address(std::string_view text) {
  constexpr std::string_view words[] = {
      "street",    "st",      "road",  "rd",     "avenue", "ave",      "lane",    "ln",     "drive", "dr",
      "boulevard", "blvd",    "court", "place",  "square", "way",      "strasse", "str",    "weg",   "platz",
      "allee",     "gasse",   "rue",   "chemin", "quai",   "via",      "viale",   "piazza", "corso", "calle",
      "avda",      "avenida", "paseo", "plaza",  "rua",    "travessa", "ulica",   "ul",     "aleja", "straat",
      "laan",      "plein",   "gatan", "gata",   "vagen",  "vej",      "gade",    "utca"};
  constexpr std::string_view ends[] = {"strasse", "str",  "straat", "weg",   "gasse", "platz",
                                       "allee",   "laan", "gatan",  "vagen", "vej",   "gade"};
  if (text.size() > 200) return false;
  bool number = false, street = false;
  const std::string plain = folded(text);
  for (std::size_t at = 0; at < plain.size();) {
    std::size_t end = at;
    while (end < plain.size() && (letter(plain[end]) || digit(plain[end]))) ++end;
    if (end == at) {
      ++at;
      continue;
    }
    const std::string_view word = std::string_view(plain).substr(at, end - at);
    number |= digit(word[0]) && word.size() <= 6;
    street |= std::find(std::begin(words), std::end(words), word) != std::end(words);
    for (const std::string_view ending : ends) street |= word.size() > ending.size() + 2 && word.ends_with(ending);
    at = end;
  }
  return number && street;
}

SYNTHDATA_INLINE bool is_birth_date(std::string_view text) {
  const std::vector<DateTimeFormat> formats = date_time_formats(text, false);
  if (formats.empty() || formats[0].pattern.find("%Y") == std::string::npos) return false;
  std::int64_t microseconds = 0;
  constexpr std::int64_t year_1850 = -3'786'825'600'000'000;
  return parse_date_time(text, formats[0].pattern, formats[0].zone, microseconds) && microseconds >= year_1850;
}

}  // namespace detail

SYNTHDATA_INLINE const char* name_of(PersonalKind kind) {
  constexpr const char* names[personal_kinds] = {"name",       "mail",           "phone",         "address",
                                                 "birth date", "card",           "IBAN",          "IP address",
                                                 "US SSN",     "UK NINO",        "German tax id", "Spanish DNI or NIE",
                                                 "French NIR", "codice fiscale", "Brazilian CPF", "Aadhaar"};
  return names[static_cast<std::size_t>(kind)];
}

SYNTHDATA_INLINE double chance_of(PersonalKind kind) {
  switch (kind) {
    case PersonalKind::card:
    case PersonalKind::german_tax_id:
    case PersonalKind::indian_aadhaar:
      return 0.1;
    case PersonalKind::spanish_id:
      return 1.0 / 23.0;
    case PersonalKind::italian_fiscal_code:
      return 1.0 / 26.0;
    case PersonalKind::iban:
    case PersonalKind::french_nir:
      return 1.0 / 97.0;
    case PersonalKind::brazilian_cpf:
      return 0.01;
    default:
      return 0.0;
  }
}

SYNTHDATA_INLINE bool has_form_of(PersonalKind kind, std::string_view text, bool hinted) {
  text = detail::trimmed(text);
  if (text.empty() || text.size() > 254) return false;
  const auto number = [&](std::string_view separators, auto&& test) {
    const detail::Compact compact(text, separators);
    return compact.all_digits() && test(compact.text());
  };
  const auto code = [&](std::string_view separators, auto&& test) {
    const detail::Compact compact(text, separators);
    return !compact.text().empty() && test(compact.text());
  };
  switch (kind) {
    case PersonalKind::name:
      return detail::is_name(text, hinted);
    case PersonalKind::mail:
      return detail::is_mail(text);
    case PersonalKind::phone:
      return detail::is_phone(text, hinted);
    case PersonalKind::address:
      return detail::is_address(text);
    case PersonalKind::birth_date:
      return detail::is_birth_date(text);
    case PersonalKind::card:
      return number(" -", detail::is_card);
    case PersonalKind::iban:
      return code(" ", detail::is_iban);
    case PersonalKind::ip:
      return detail::is_ip(text);
    case PersonalKind::us_ssn:
      return detail::is_us_ssn(text, hinted);
    case PersonalKind::uk_nino:
      return code(" -", detail::is_uk_nino);
    case PersonalKind::german_tax_id:
      return number(" -/", detail::is_german_tax_id);
    case PersonalKind::spanish_id:
      return code(" -.", detail::is_spanish_id);
    case PersonalKind::french_nir:
      return code(" .-", detail::is_french_nir);
    case PersonalKind::italian_fiscal_code:
      return code(" -", detail::is_italian_fiscal_code);
    case PersonalKind::brazilian_cpf:
      return number(".- ", detail::is_brazilian_cpf);
    case PersonalKind::indian_aadhaar:
      return number(" -", [](std::string_view digits) {
        return digits.size() == 12 && digits[0] >= '2' && detail::verhoeff_holds(digits);
      });
  }
  return false;
}

}  // namespace synthdata
