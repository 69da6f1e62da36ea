// synthdata/data/clean/duplicates.hpp: rows that are there more than once.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/clean/columns.hpp>

namespace synthdata {

class Duplicates;

/// Which row of several equal ones stays.
enum class KeepRows : std::uint8_t { first, last, none };
const char* name_of(KeepRows keep);
void append(std::string& out, KeepRows keep);  // found by concat()

struct DuplicatesOptions {
  using Step = Duplicates;
  std::vector<std::string> columns{};  ///< that must agree; empty for all
  KeepRows keep = KeepRows::first;
};

/// Removes rows that agree with another row of the same table; fitting learns the names of the columns only, and pieces
/// of a stream are looked at each on their own. Missing values agree with each other, as do NaN, and 0 with -0.
class Duplicates {
 public:
  static constexpr const char* kind = "duplicates";
  /// @throws DataError for a column that is not there
  static Duplicates fit(const Table& training, const DuplicatesOptions& options = {});
  /// Cost: O(N columns + N log N).
  Table apply(const Table& table, CleaningReport* report = nullptr) const;
  std::string str() const;
  void save(Archive& archive, const std::string& prefix) const;
  static Duplicates load(const Archive& archive, const std::string& prefix);

 private:
  KeepRows keep_ = KeepRows::first;
  detail::FittedColumns columns_;
};

namespace detail {
/// Rows in groups of equals: [N] i64, the first row that agrees with row i in all of the columns.
std::vector<std::int64_t> first_equal_rows(std::span<const Column* const> columns, std::int64_t rows);
}  // namespace detail

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/clean/duplicates_impl.hpp>
#endif
