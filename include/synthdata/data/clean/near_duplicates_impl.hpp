// synthdata/data/clean/near_duplicates_impl.hpp: bodies of near_duplicates.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/parallel.hpp>
#include <synthdata/data/clean/duplicates_impl.hpp>
#include <synthdata/data/clean/features_impl.hpp>
#include <synthdata/data/clean/near_duplicates.hpp>
#include <synthdata/data/table_stream.hpp>
#include <synthdata/io/utf8.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

namespace synthdata {

SYNTHDATA_INLINE NearDuplicates NearDuplicates::fit(const Table& training, const NearDuplicatesOptions& options) {
  if (!(options.distance >= 0.0 && std::isfinite(options.distance))) {
    throw NumericError(concat(kind, ": expects a distance >= 0, got ", options.distance));
  }
  NearDuplicates step;
  step.distance_ = options.distance;
  step.features_ = detail::Features(kind, training, options.columns);
  return step;
}

SYNTHDATA_INLINE Table NearDuplicates::apply(const Table& table, CleaningReport* report) const {
  const Tensor matrix = features_.matrix(table);
  const double* x = matrix.data<double>();
  const std::int64_t rows = table.size(), width = features_.width();
  // rows that differ in a class are at least sqrt(1/2) apart
  const bool by_class = distance_ < 0.7;
  std::vector<std::uint64_t> classes(static_cast<std::size_t>(rows));
  std::int64_t key = -1, most = 0;
  for (std::size_t c = 0; c < features_.columns().size(); ++c) {
    const std::int64_t begin = features_.places()[c], end = features_.places()[c + 1];
    if (detail::is_class(features_.columns()[c].type)) {
      for (std::int64_t i = 0; by_class && i < rows; ++i) {
        const double* row = x + i * width;
        const auto code = static_cast<std::uint64_t>(std::max_element(row + begin, row + end) - row);
        std::uint64_t& hash = classes[static_cast<std::size_t>(i)];
        hash = detail::mix_bits(hash + 0x9e3779b97f4a7c15u) ^ (row[code] > 0.0 ? code + 1 : 0);
      }
      continue;
    }
    std::vector<double> values;
    for (std::int64_t i = 0; i < rows; ++i) values.push_back(x[i * width + begin]);
    std::sort(values.begin(), values.end());
    const auto distinct = std::unique(values.begin(), values.end()) - values.begin();
    if (distinct > most) {
      most = distinct;
      key = begin;
    }
  }
  const auto key_of = [&](std::int64_t row) { return key < 0 ? 0.0 : x[row * width + key]; };
  std::vector<std::int64_t> order(static_cast<std::size_t>(rows)), place(order.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    const std::uint64_t ca = classes[static_cast<std::size_t>(a)], cb = classes[static_cast<std::size_t>(b)];
    if (ca != cb) return ca < cb;
    return key_of(a) != key_of(b) ? key_of(a) < key_of(b) : a < b;
  });
  for (std::size_t i = 0; i < order.size(); ++i)
    place[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
  std::vector<bool> marked(order.size());
  const double bound = distance_ * distance_;
  const auto near = [&](std::int64_t row, std::int64_t other) {
    double sum = 0.0;
    for (std::int64_t d = 0; d < width && sum <= bound; ++d) {
      const double difference = x[row * width + d] - x[other * width + d];
      sum += difference * difference;
    }
    return sum <= bound;
  };
  for (std::int64_t row = 0; row < rows; ++row) {
    for (const std::int64_t way : {-1, 1}) {
      for (std::int64_t at = place[static_cast<std::size_t>(row)] + way; at >= 0 && at < rows; at += way) {
        const std::int64_t other = order[static_cast<std::size_t>(at)];
        if (classes[static_cast<std::size_t>(other)] != classes[static_cast<std::size_t>(row)]) break;
        if (std::abs(key_of(other) - key_of(row)) > distance_) break;
        if (other > row || marked[static_cast<std::size_t>(other)] || !near(row, other)) continue;
        marked[static_cast<std::size_t>(row)] = true;
        break;
      }
      if (marked[static_cast<std::size_t>(row)]) break;
    }
  }
  if (report) report->add(kind, "", "removed", std::count(marked.begin(), marked.end(), true));
  return detail::without_rows(table, marked);
}

SYNTHDATA_INLINE std::string NearDuplicates::str() const {
  return concat("within ", distance_, " in ", features_.columns().str());
}
SYNTHDATA_INLINE void NearDuplicates::save(Archive& archive, const std::string& prefix) const {
  Json::Object members{{"distance", distance_}};
  features_.save(members);
  detail::save_step(archive, prefix, kind, std::move(members), &features_.columns().schema());
}
SYNTHDATA_INLINE NearDuplicates NearDuplicates::load(const Archive& archive, const std::string& prefix) {
  const detail::SavedStep saved(archive, prefix, kind);
  NearDuplicates step;
  step.distance_ = saved.number("distance");
  if (!(step.distance_ >= 0.0)) saved.fail("its distance is below 0");
  step.features_ = detail::Features(kind, saved);
  return step;
}

namespace detail {

SYNTHDATA_INLINE std::u32string characters_of(std::string_view text) {
  std::u32string out;
  while (!text.empty()) {
    const std::size_t length = std::max<std::size_t>(utf8_length(text), 1);
    char32_t code = 0;
    for (std::size_t i = 0; i < length; ++i) code = code << 8 | static_cast<unsigned char>(text[i]);
    out += code;  // the bytes of the character, which tell it from others as well as its number
    text.remove_prefix(length);
  }
  return out;
}

SYNTHDATA_INLINE std::int64_t edit_distance(std::u32string_view a, std::u32string_view b, std::int64_t most) {
  const auto n = std::ssize(a), m = std::ssize(b);
  if (std::abs(n - m) > most) return most + 1;
  // the rows of the table of Wagner and Fischer 1974, within `most` of the diagonal
  std::vector<std::int64_t> row(static_cast<std::size_t>(m + 1)), next(row.size(), most + 1);
  for (std::int64_t j = 0; j <= m; ++j) row[static_cast<std::size_t>(j)] = std::min(j, most + 1);
  for (std::int64_t i = 1; i <= n; ++i) {
    const std::int64_t from = std::max<std::int64_t>(i - most, 1), to = std::min(i + most, m);
    next[static_cast<std::size_t>(from - 1)] = from == 1 ? std::min(i, most + 1) : most + 1;
    std::int64_t least = next[static_cast<std::size_t>(from - 1)];
    for (std::int64_t j = from; j <= to; ++j) {
      const auto at = static_cast<std::size_t>(j);
      const bool equal = a[static_cast<std::size_t>(i - 1)] == b[at - 1];
      const std::int64_t above = j < i + most ? row[at] : most + 1;
      next[at] = std::min({row[at - 1] + !equal, above + 1, next[at - 1] + 1, most + 1});
      least = std::min(least, next[at]);
    }
    if (least > most) return most + 1;
    std::swap(row, next);
  }
  return row[static_cast<std::size_t>(m)];
}

inline std::uint64_t hash_characters(std::u32string_view text, std::uint64_t seed) {
  return hash_text({reinterpret_cast<const char*>(text.data()), text.size() * sizeof(char32_t)}, seed);
}

/// Hashes of the shingles, sorted, each once.
SYNTHDATA_INLINE std::vector<std::uint64_t> shingles_of(std::string_view text, std::int64_t size) {
  const std::u32string characters = characters_of(text);
  const auto length = static_cast<std::size_t>(size);
  std::vector<std::uint64_t> shingles;
  for (std::size_t i = 0; i == 0 || i + length <= characters.size(); ++i) {
    shingles.push_back(hash_characters(std::u32string_view(characters).substr(i, length), 0));
  }
  std::sort(shingles.begin(), shingles.end());
  shingles.erase(std::unique(shingles.begin(), shingles.end()), shingles.end());
  return shingles;
}

/// Rows whose shingles are those of an earlier row that stays, nearly.
SYNTHDATA_INLINE std::vector<bool> alike_by_shingles(const Column& column, std::int64_t size, double similarity) {
  constexpr std::size_t bands = 32, rows_of_band = 4;
  const auto rows = static_cast<std::size_t>(column.size());
  std::vector<std::vector<std::uint64_t>> shingles(rows);
  std::vector<std::uint64_t> keys(rows * bands);
  parallel_for(column.size(), 16, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      if (column.is_missing(static_cast<std::int64_t>(i))) continue;
      shingles[i] = shingles_of(column.parts().texts[static_cast<std::int64_t>(i)], size);
      for (std::size_t band = 0; band < bands; ++band) {
        std::uint64_t key = band;
        for (std::size_t r = 0; r < rows_of_band; ++r) {
          const std::uint64_t seed = mix_bits(band * rows_of_band + r + 1);
          std::uint64_t least = ~std::uint64_t{0};
          for (const std::uint64_t shingle : shingles[i]) least = std::min(least, mix_bits(shingle ^ seed));
          key = mix_bits(key ^ least);
        }
        keys[i * bands + band] = key;
      }
    }
  });
  std::vector<bool> marked(rows);
  std::unordered_map<std::uint64_t, std::vector<std::size_t>> kept;  // by band and key
  std::vector<std::size_t> compared(rows, rows);                     // with which row last
  for (std::size_t i = 0; i < rows; ++i) {
    if (column.is_missing(static_cast<std::int64_t>(i))) continue;
    const auto alike = [&](std::size_t other) {
      if (compared[other] == i) return false;
      compared[other] = i;
      const auto &a = shingles[i], &b = shingles[other];
      const auto less = static_cast<double>(std::min(a.size(), b.size()));
      if (less < similarity * static_cast<double>(std::max(a.size(), b.size()))) return false;
      std::size_t both = 0;
      for (std::size_t p = 0, q = 0; p < a.size() && q < b.size();) {
        both += a[p] == b[q];
        const bool step_a = a[p] <= b[q], step_b = b[q] <= a[p];
        p += step_a;
        q += step_b;
      }
      const auto all = static_cast<double>(a.size() + b.size() - both);
      return static_cast<double>(both) >= similarity * all;
    };
    for (std::size_t band = 0; band < bands && !marked[i]; ++band) {
      const auto found = kept.find(keys[i * bands + band]);
      marked[i] = found != kept.end() && std::any_of(found->second.begin(), found->second.end(), alike);
    }
    for (std::size_t band = 0; band < bands && !marked[i]; ++band) kept[keys[i * bands + band]].push_back(i);
  }
  return marked;
}

/// The same by edits. A text cut into edits + 1 pieces has one that none of so many edits touches; the other text has
/// it too, moved by at most so many places.
SYNTHDATA_INLINE std::vector<bool> alike_by_edits(const Column& column, std::int64_t edits) {
  const auto rows = static_cast<std::size_t>(column.size());
  std::vector<bool> marked(rows);
  std::vector<std::u32string> texts(rows);
  std::unordered_map<std::uint64_t, std::vector<std::size_t>> kept;  // by length, place and text of a piece
  std::vector<std::size_t> compared(rows, rows);
  const auto key = [](std::int64_t length, std::int64_t piece, std::u32string_view text) {
    return hash_characters(text, mix_bits(static_cast<std::uint64_t>(length * 64 + piece)));
  };
  const auto begin_of = [&](std::int64_t length, std::int64_t piece) { return length * piece / (edits + 1); };
  for (std::size_t i = 0; i < rows; ++i) {
    if (column.is_missing(static_cast<std::int64_t>(i))) continue;
    texts[i] = characters_of(column.parts().texts[static_cast<std::int64_t>(i)]);
    const std::u32string_view text = texts[i];
    const auto own = std::ssize(text);
    const auto alike = [&](std::size_t other) {
      if (compared[other] == i) return false;
      compared[other] = i;
      return edit_distance(text, texts[other], edits) <= edits;
    };
    for (std::int64_t length = std::max<std::int64_t>(own - edits, 0); length <= own + edits && !marked[i]; ++length) {
      for (std::int64_t piece = 0; piece <= edits && !marked[i]; ++piece) {
        const std::int64_t begin = begin_of(length, piece), size = begin_of(length, piece + 1) - begin;
        const std::int64_t last = std::min(begin + edits, own - size);
        for (std::int64_t at = std::max<std::int64_t>(begin - edits, 0); at <= last && !marked[i]; ++at) {
          const auto found =
              kept.find(key(length, piece, text.substr(static_cast<std::size_t>(at), static_cast<std::size_t>(size))));
          marked[i] = found != kept.end() && std::any_of(found->second.begin(), found->second.end(), alike);
        }
      }
    }
    for (std::int64_t piece = 0; piece <= edits && !marked[i]; ++piece) {
      const std::int64_t begin = begin_of(own, piece), size = begin_of(own, piece + 1) - begin;
      kept[key(own, piece, text.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(size)))].push_back(i);
    }
  }
  return marked;
}

}  // namespace detail

SYNTHDATA_INLINE NearDuplicateTexts NearDuplicateTexts::fit(const Table& training,
                                                            const NearDuplicateTextsOptions& options) {
  if (!(options.similarity >= 0.5 && options.similarity <= 1.0) || options.shingle < 1 || options.shingle > 64 ||
      options.max_edits < 0 || options.max_edits > 16) {
    throw NumericError(concat(kind,
                              ": expects a similarity of 0.5 to 1, shingles of 1 to 64 characters and at most 16 "
                              "edits, got ",
                              options.similarity, ", ", options.shingle, " and ", options.max_edits));
  }
  NearDuplicateTexts step;
  step.options_ = options;
  step.columns_ = detail::FittedColumns(kind, training, {options.column}, detail::is_textual);
  return step;
}

SYNTHDATA_INLINE Table NearDuplicateTexts::apply(const Table& table, CleaningReport* report) const {
  const Column& column = columns_.in(table, 0);
  const std::vector<bool> marked = options_.max_edits > 0
                                       ? detail::alike_by_edits(column, options_.max_edits)
                                       : detail::alike_by_shingles(column, options_.shingle, options_.similarity);
  if (report) report->add(kind, "", "removed", std::count(marked.begin(), marked.end(), true));
  return detail::without_rows(table, marked);
}

SYNTHDATA_INLINE std::string NearDuplicateTexts::str() const {
  const std::string alike = options_.max_edits > 0 ? concat("at most ", options_.max_edits, " edits apart")
                                                   : concat("alike from ", options_.similarity, " on");
  return concat(alike, " in ", columns_.str());
}
SYNTHDATA_INLINE void NearDuplicateTexts::save(Archive& archive, const std::string& prefix) const {
  detail::save_step(
      archive, prefix, kind,
      {{"similarity", options_.similarity}, {"shingle", options_.shingle}, {"max_edits", options_.max_edits}},
      &columns_.schema());
}
SYNTHDATA_INLINE NearDuplicateTexts NearDuplicateTexts::load(const Archive& archive, const std::string& prefix) {
  const detail::SavedStep saved(archive, prefix, kind);
  const Schema schema = saved.schema();
  if (schema.columns.size() != 1 || !detail::is_textual(schema.columns[0].type))
    saved.fail("expects a column of texts");
  // as fit() checks them
  return fit(empty_table(schema), {.column = schema.columns[0].name,
                                   .similarity = saved.number("similarity"),
                                   .shingle = saved.integer("shingle"),
                                   .max_edits = saved.integer("max_edits")});
}

}  // namespace synthdata
