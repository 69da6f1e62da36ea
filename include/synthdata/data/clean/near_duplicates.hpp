// synthdata/data/clean/near_duplicates.hpp: rows that are nearly the same as one before them.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/clean/features.hpp>

namespace synthdata {

class NearDuplicates;
class NearDuplicateTexts;

struct NearDuplicatesOptions {
  using Step = NearDuplicates;
  double distance = 0.05;              ///< in standard deviations; rows up to it are the same, >= 0
  std::vector<std::string> columns{};  ///< empty for all but texts and identifiers
};

/// Removes rows whose Euclidean distance to an earlier row that stays is at most a bound, in columns standardised by
/// the training data. Booleans and categories that differ count 1; missing numbers count as the mean.
class NearDuplicates {
 public:
  static constexpr const char* kind = "near duplicates";
  /// @throws DataError for a column that is not there, is text or infinite; NumericError for a distance below 0
  static NearDuplicates fit(const Table& training, const NearDuplicatesOptions& options = {});
  /// Exact. Cost: O(N log N) and a comparison for each pair that agrees in the classes (bounds below 0.7) and is within
  /// the bound in the number column of the most values: few for small bounds, N² / 2 at worst.
  Table apply(const Table& table, CleaningReport* report = nullptr) const;
  std::string str() const;
  void save(Archive& archive, const std::string& prefix) const;
  static NearDuplicates load(const Archive& archive, const std::string& prefix);

 private:
  double distance_ = 0.0;
  detail::Features features_;
};

struct NearDuplicateTextsOptions {
  using Step = NearDuplicateTexts;
  std::string column{};        ///< of texts or identifiers
  double similarity = 0.8;     ///< texts from it on are the same; 0.5 ... 1
  std::int64_t shingle = 4;    ///< characters; 1 ... 64
  std::int64_t max_edits = 0;  ///< above 0: texts of at most so many edits are the same, instead of `similarity`; to 16
};

/// Removes rows whose text is nearly that of an earlier row that stays. By default texts are sets of shingles, runs of
/// so many characters (a shorter text is one), and alike if the sets have so large a share of their union in common
/// (Jaccard). Candidates share one of 32 bands of 4 MinHash values (Broder 1997, "On the resemblance and containment of
/// documents") and are then compared exactly: nothing is removed wrongly, and a pair of similarity s is missed with
/// probability (1 - s⁴)³²: 1e-3 for 0.66, 4e-8 for 0.8.
///
/// With `max_edits`, alike are texts that so many insertions, deletions and replacements of characters turn into each
/// other (Levenshtein), exactly: candidates share one of max_edits + 1 pieces (Li et al. 2011, "Pass-Join"). Missing
/// texts are never alike.
class NearDuplicateTexts {
 public:
  static constexpr const char* kind = "near duplicate texts";
  /// @throws DataError for a column that is not there or has another type; NumericError for options out of range
  static NearDuplicateTexts fit(const Table& training, const NearDuplicateTextsOptions& options);
  /// Cost: 128 hashes a character (or max_edits² pieces a text) and a comparison a candidate; N² / 2 of them at worst,
  /// for texts that share much and yet are not alike.
  Table apply(const Table& table, CleaningReport* report = nullptr) const;
  std::string str() const;
  void save(Archive& archive, const std::string& prefix) const;
  static NearDuplicateTexts load(const Archive& archive, const std::string& prefix);

 private:
  NearDuplicateTextsOptions options_;
  detail::FittedColumns columns_;
};

namespace detail {
/// Edits between two texts of characters; more than `most` is most + 1.   Cost: O(length most).
std::int64_t edit_distance(std::u32string_view a, std::u32string_view b, std::int64_t most);
}  // namespace detail

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/clean/near_duplicates_impl.hpp>
#endif
