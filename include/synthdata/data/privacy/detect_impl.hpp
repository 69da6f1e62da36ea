// synthdata/data/privacy/detect_impl.hpp: bodies of data/privacy/detect.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/privacy/detect.hpp>
#include <synthdata/data/privacy/patterns_impl.hpp>
#include <synthdata/data/table_impl.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace synthdata {

namespace detail {

/// What column names say, folded, words apart by a blank. Of several the one with most words counts, then the first.
struct NameHint {
  std::string_view words;
  PersonalKind kind;
  bool means_it = true;  ///< false for phrases that only look personal
};
inline constexpr NameHint name_hints[] = {
    {"file name", PersonalKind::name, false},
    {"product name", PersonalKind::name, false},
    {"company name", PersonalKind::name, false},
    {"brand name", PersonalKind::name, false},
    {"host name", PersonalKind::name, false},
    {"domain name", PersonalKind::name, false},
    {"event name", PersonalKind::name, false},
    {"item name", PersonalKind::name, false},
    {"model name", PersonalKind::name, false},
    {"city name", PersonalKind::name, false},
    {"country name", PersonalKind::name, false},
    {"state name", PersonalKind::name, false},
    {"class name", PersonalKind::name, false},
    {"column name", PersonalKind::name, false},
    {"mac address", PersonalKind::address, false},
    {"web address", PersonalKind::address, false},
    {"name", PersonalKind::name},
    {"names", PersonalKind::name},
    {"first name", PersonalKind::name},
    {"last name", PersonalKind::name},
    {"full name", PersonalKind::name},
    {"firstname", PersonalKind::name},
    {"lastname", PersonalKind::name},
    {"fullname", PersonalKind::name},
    {"forename", PersonalKind::name},
    {"surname", PersonalKind::name},
    {"vorname", PersonalKind::name},
    {"nachname", PersonalKind::name},
    {"familienname", PersonalKind::name},
    {"nom", PersonalKind::name},
    {"prenom", PersonalKind::name},
    {"nombre", PersonalKind::name},
    {"nombres", PersonalKind::name},
    {"apellido", PersonalKind::name},
    {"apellidos", PersonalKind::name},
    {"nome", PersonalKind::name},
    {"cognome", PersonalKind::name},
    {"sobrenome", PersonalKind::name},
    {"naam", PersonalKind::name},
    {"voornaam", PersonalKind::name},
    {"achternaam", PersonalKind::name},
    {"imie", PersonalKind::name},
    {"nazwisko", PersonalKind::name},
    {"mail", PersonalKind::mail},
    {"email", PersonalKind::mail},
    {"e mail", PersonalKind::mail},
    {"email address", PersonalKind::mail},
    {"mail address", PersonalKind::mail},
    {"e mail address", PersonalKind::mail},
    {"mailadresse", PersonalKind::mail},
    {"courriel", PersonalKind::mail},
    {"correo", PersonalKind::mail},
    {"correo electronico", PersonalKind::mail},
    {"phone", PersonalKind::phone},
    {"phone number", PersonalKind::phone},
    {"telephone", PersonalKind::phone},
    {"tel", PersonalKind::phone},
    {"mobile", PersonalKind::phone},
    {"fax", PersonalKind::phone},
    {"telefon", PersonalKind::phone},
    {"telefonnummer", PersonalKind::phone},
    {"telefono", PersonalKind::phone},
    {"telefone", PersonalKind::phone},
    {"celular", PersonalKind::phone},
    {"movil", PersonalKind::phone},
    {"cellulare", PersonalKind::phone},
    {"telefoon", PersonalKind::phone},
    {"address", PersonalKind::address},
    {"street", PersonalKind::address},
    {"adresse", PersonalKind::address},
    {"anschrift", PersonalKind::address},
    {"strasse", PersonalKind::address},
    {"rue", PersonalKind::address},
    {"direccion", PersonalKind::address},
    {"domicilio", PersonalKind::address},
    {"calle", PersonalKind::address},
    {"indirizzo", PersonalKind::address},
    {"endereco", PersonalKind::address},
    {"adres", PersonalKind::address},
    {"ulica", PersonalKind::address},
    {"birth", PersonalKind::birth_date},
    {"birthday", PersonalKind::birth_date},
    {"birthdate", PersonalKind::birth_date},
    {"date of birth", PersonalKind::birth_date},
    {"dob", PersonalKind::birth_date},
    {"born", PersonalKind::birth_date},
    {"geburtsdatum", PersonalKind::birth_date},
    {"geburtstag", PersonalKind::birth_date},
    {"geboren", PersonalKind::birth_date},
    {"naissance", PersonalKind::birth_date},
    {"nacimiento", PersonalKind::birth_date},
    {"nascita", PersonalKind::birth_date},
    {"nascimento", PersonalKind::birth_date},
    {"geboortedatum", PersonalKind::birth_date},
    {"urodzenia", PersonalKind::birth_date},
    {"card number", PersonalKind::card},
    {"credit card", PersonalKind::card},
    {"creditcard", PersonalKind::card},
    {"card no", PersonalKind::card},
    {"kreditkarte", PersonalKind::card},
    {"kartennummer", PersonalKind::card},
    {"carte bancaire", PersonalKind::card},
    {"tarjeta", PersonalKind::card},
    {"carta di credito", PersonalKind::card},
    {"cartao", PersonalKind::card},
    {"iban", PersonalKind::iban},
    {"ip", PersonalKind::ip},
    {"ip address", PersonalKind::ip},
    {"ipaddress", PersonalKind::ip},
    {"ipv4", PersonalKind::ip},
    {"ipv6", PersonalKind::ip},
    {"ip adresse", PersonalKind::ip},
    {"ssn", PersonalKind::us_ssn},
    {"social security", PersonalKind::us_ssn},
    {"social security number", PersonalKind::us_ssn},
    {"nino", PersonalKind::uk_nino},
    {"national insurance", PersonalKind::uk_nino},
    {"steuer id", PersonalKind::german_tax_id},
    {"steuerid", PersonalKind::german_tax_id},
    {"steuer identifikationsnummer", PersonalKind::german_tax_id},
    {"idnr", PersonalKind::german_tax_id},
    {"dni", PersonalKind::spanish_id},
    {"nie", PersonalKind::spanish_id},
    {"nif", PersonalKind::spanish_id},
    {"securite sociale", PersonalKind::french_nir},
    {"numero de securite sociale", PersonalKind::french_nir},
    {"codice fiscale", PersonalKind::italian_fiscal_code},
    {"cpf", PersonalKind::brazilian_cpf},
    {"aadhaar", PersonalKind::indian_aadhaar},
    {"aadhar", PersonalKind::indian_aadhaar},
};

/// "customerFirst_Name" -> " customer first name ": folded words, blanks around each.
SYNTHDATA_INLINE std::string name_words(std::string_view name) {
  std::string apart = " ";
  name = name.substr(0, 200);
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool new_word = i > 0 && upper(name[i]) && lower(name[i - 1]);
    if (new_word) apart += ' ';
    apart += letter(name[i]) || digit(name[i]) ? name[i] : ' ';
  }
  std::string out;
  for (const char c : folded(apart) + " ") {
    if (c != ' ' || out.empty() || out.back() != ' ') out += c;
  }
  return out;
}

/// What the name says, or null.
SYNTHDATA_INLINE const NameHint* hint_of(std::string_view column) {
  const std::string words = name_words(column);
  const NameHint* best = nullptr;
  std::ptrdiff_t most = 0;
  for (const NameHint& hint : name_hints) {
    if (words.find(concat(" ", hint.words, " ")) == std::string::npos) continue;
    const std::ptrdiff_t count = 1 + std::count(hint.words.begin(), hint.words.end(), ' ');
    if (count > most) {
      best = &hint;
      most = count;
    }
  }
  return best;
}

/// How telling a form is by itself.
inline double weight_of(PersonalKind kind) {
  switch (kind) {
    case PersonalKind::name:
      return 0.7;
    case PersonalKind::phone:
      return 0.5;
    case PersonalKind::address:
    case PersonalKind::us_ssn:
      return 0.7;
    case PersonalKind::birth_date:
      return 0.0;  // any date has it
    case PersonalKind::ip:
    case PersonalKind::uk_nino:
      return 0.9;
    default:
      return 1.0;
  }
}

}  // namespace detail

SYNTHDATA_INLINE PersonalColumns detect_personal(const Table& table, const DetectOptions& options) {
  if (!(options.least >= 0.0 && options.least <= 1.0) || options.max_rows < 1) {
    throw NumericError(concat("detect_personal: expects 0 <= least <= 1 and max_rows >= 1, got ", options.least,
                              " and ", options.max_rows));
  }
  PersonalColumns found;
  const std::int64_t looked_at = std::min(table.size(), options.max_rows);
  for (const Column& column : table.columns()) {
    const ColumnType type = column.type();
    if (type == ColumnType::real || type == ColumnType::boolean) continue;
    const detail::NameHint* hint = detail::hint_of(column.name());
    if (hint && !hint->means_it) hint = nullptr;

    std::int64_t present = 0, counts[personal_kinds] = {};
    const auto possible = [&](PersonalKind kind) {
      const bool hinted = hint && hint->kind == kind;
      if (kind == PersonalKind::birth_date) return hinted;
      if (type == ColumnType::date_time) return false;
      if (type != ColumnType::integer) return true;
      return kind != PersonalKind::name && kind != PersonalKind::mail && kind != PersonalKind::address &&
             kind != PersonalKind::ip;
    };
    const auto look = [&](std::string_view text, std::int64_t weight) {
      for (int i = 0; i < personal_kinds; ++i) {
        const auto kind = static_cast<PersonalKind>(i);
        if (!possible(kind)) continue;
        const bool dated = type == ColumnType::date_time;
        if (dated || has_form_of(kind, text, hint && hint->kind == kind)) counts[i] += weight;
      }
    };
    std::vector<std::int64_t> categories(type == ColumnType::categorical ? column.schema().categories.size() : 0);
    std::string cell;
    for (std::int64_t i = 0; i < looked_at; ++i) {
      // floor(i * size / looked_at), without overflow
      const std::int64_t row = i * (table.size() / looked_at) + i * (table.size() % looked_at) / looked_at;
      if (column.is_missing(row)) continue;
      ++present;
      if (type == ColumnType::categorical) {
        ++categories[static_cast<std::size_t>(column.code(row))];
      } else if (detail::holds_texts(column.schema())) {
        look(column.parts().texts[row], 1);
      } else {
        cell.clear();
        column.append_cell(cell, row);
        look(cell, 1);
      }
    }
    for (std::size_t code = 0; code < categories.size(); ++code) {
      if (categories[code] > 0) look(column.schema().categories[code], categories[code]);
    }

    PersonalColumn best{.column = column.name()};
    best.dated = type == ColumnType::date_time;
    for (int i = 0; i < personal_kinds; ++i) {
      const auto kind = static_cast<PersonalKind>(i);
      const bool hinted = hint && hint->kind == kind && possible(kind);
      const double share = present ? static_cast<double>(counts[i]) / static_cast<double>(present) : 0.0;
      const double chance = chance_of(kind);
      double beyond = std::max(0.0, (share - chance) / (1.0 - chance));
      if (kind == PersonalKind::name) beyond = std::min(1.0, 3.0 * beyond);
      const double weight = kind == PersonalKind::birth_date && hinted ? 0.8 : detail::weight_of(kind);
      const double confidence = 1.0 - (1.0 - weight * beyond) * (hinted ? 0.5 : 1.0);
      if (confidence <= best.confidence) continue;
      best.kind = kind;
      best.confidence = confidence;
      best.share = share;
      best.by_name = hinted;
    }
    if (best.confidence <= 0.0 || best.confidence < options.least) continue;
    char percent[16];
    std::snprintf(percent, sizeof percent, "%.3g", 100.0 * best.share);
    best.reason = concat(percent, " % of ", present,
                         best.kind == PersonalKind::name ? " cells have a listed name" : " cells have its form",
                         best.by_name ? "; the column's name says so" : "");
    found.columns.push_back(std::move(best));
  }
  return found;
}

SYNTHDATA_INLINE std::string PersonalColumns::str() const {
  if (columns.empty()) return "no column seems personal\n";
  std::string out;
  std::size_t widest = 0;
  for (const PersonalColumn& column : columns)
    widest = std::max(widest, std::min<std::size_t>(column.column.size(), 40));
  for (const PersonalColumn& column : columns) {
    std::string line = column.column;
    line.resize(std::max(widest, line.size()) + 2, ' ');
    const std::size_t kind_at = line.size();
    line += name_of(column.kind);
    line.resize(std::max(kind_at + 20, line.size() + 2), ' ');
    char confidence[16];
    std::snprintf(confidence, sizeof confidence, "%.2f  ", column.confidence);
    out += line + confidence + column.reason + '\n';
  }
  return out;
}

SYNTHDATA_INLINE Json PersonalColumns::json() const {
  Json::Array list;
  for (const PersonalColumn& column : columns) {
    list.push_back(Json::Object{{"column", column.column},
                                {"kind", name_of(column.kind)},
                                {"confidence", column.confidence},
                                {"share", column.share},
                                {"by_name", column.by_name},
                                {"reason", column.reason}});
  }
  return Json::Object{{"columns", std::move(list)}};
}

}  // namespace synthdata
