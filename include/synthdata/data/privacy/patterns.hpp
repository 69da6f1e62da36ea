// synthdata/data/privacy/patterns.hpp: does a text have the form of a mail address, an IBAN, a national id ...?
//
// Forms are tested by hand-written scanners in time linear in the text; texts beyond 254 bytes have none. Check digits
// are computed where a form has them, so such a form rarely arises by chance: see chance_of().
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/config.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace synthdata {

/// What a column says about a person.
enum class PersonalKind : std::uint8_t {
  name,                 ///< a person's first name, surname or both, if one is among the commonest
  mail,                 ///< address of RFC 5321 without quotes and comments, domain of two labels or more
  phone,                ///< 7 to 15 digits with +, a leading 0 or (, or grouped 3-3-4
  address,              ///< a street word of several languages and a number
  birth_date,           ///< a date of 1850 or later; only told from other dates by the column's name
  card,                 ///< payment card: 12 to 19 digits, issuer's range, Luhn's check digit (ISO/IEC 7812)
  iban,                 ///< length of its country, ISO 13616 check digits (mod 97)
  ip,                   ///< IPv4, or IPv6 as in RFC 4291
  us_ssn,               ///< US social security number, AAA-GG-SSSS; it has no check digit
  uk_nino,              ///< UK national insurance number; it has no check digit
  german_tax_id,        ///< Identifikationsnummer: 11 digits, one of the first ten repeated, ISO 7064 MOD 11,10
  spanish_id,           ///< DNI or NIE: the letter is the number mod 23
  french_nir,           ///< social security number: 13 characters and 97 less their remainder mod 97
  italian_fiscal_code,  ///< codice fiscale: 15 characters and a letter, with the letters that avoid equal codes
  brazilian_cpf,        ///< 11 digits, the last two by weighted sums mod 11
  indian_aadhaar,       ///< 12 digits, the last by Verhoeff's scheme
};
inline constexpr int personal_kinds = 16;
const char* name_of(PersonalKind kind);

/// True if `text`, blanks around it aside, has the form of that kind. `hinted` says that the column's name speaks for
/// the kind: then digits without separators will do for a phone number and a social security number, and names may be
/// in small letters.
bool has_form_of(PersonalKind kind, std::string_view text, bool hinted = false);

/// How often a random text of the right length and characters passes the check digits; 0 where something else than
/// digits makes the form unlikely.
double chance_of(PersonalKind kind);

namespace detail {
/// Luhn's check of a text of digits. Source: US patent 2950048; ISO/IEC 7812-1, annex B.
bool luhn_holds(std::string_view digits);
/// Verhoeff's check of a text of digits. Source: Verhoeff 1969, "Error detecting decimal codes".
bool verhoeff_holds(std::string_view digits);
/// Latin letters without accents and in small letters: "Müller" gives "muller". Other characters stay.
std::string folded(std::string_view text);
}  // namespace detail
}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/privacy/patterns_impl.hpp>
#endif
