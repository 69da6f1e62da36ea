// synthdata/tabular/made_texts.hpp: what the texts of a column look like, so that others like them can be made.
//
// Kept are shapes ("two capital letters, a dash, four digits") that enough rows have, with the letters that all of them
// share, and how many rows have each; no text. Where texts must be new, a table of bits says which hash values
// no training text has. About seven in eight of the bits are set, so that it says next to nothing about who was there.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/random.hpp>
#include <synthdata/data/table.hpp>
#include <synthdata/io/safetensors.hpp>

#include <string>
#include <unordered_set>
#include <vector>

namespace synthdata::models {

struct MadeTextsOptions {
  std::int64_t rare_below = 5;     ///< shapes of fewer rows are not kept
  std::int64_t most_shapes = 100;  ///< the most frequent ones
  bool unique = false;             ///< never make a text twice, nor one that the column has
};

class MadeTexts {
 public:
  /// Texts made so far, if they are to be different.
  struct Given {
    std::unordered_set<std::string> texts;
    std::vector<int> longer;  // digits added to each shape because all its texts are taken
  };

  MadeTexts() = default;
  /// Of long texts that have few shapes in common only the lengths of the first words count.
  /// @param codes  becomes the shape of each row, 0 ... shapes() - 1; of a rare one's some other; -1 where missing
  static MadeTexts fit(const Column& column, const MadeTextsOptions& options, Rng rng,
                       std::vector<std::int64_t>& codes);

  /// At least one.
  std::int64_t shapes() const { return static_cast<std::int64_t>(patterns_.size()); }
  bool unique() const { return unique_; }
  /// A shape, as often as rows had it.
  std::int64_t draw_shape(Rng& rng) const;
  /// A text of that shape.
  std::string draw(std::int64_t shape, Rng& rng) const { return draw_longer(shape, 0, rng); }
  /// A text that neither `given` nor the column has, and puts it there. Once a shape has hardly any left, its texts get
  /// a digit more.
  std::string draw_new(std::int64_t shape, Given& given, Rng& rng) const;
  /// False if the column certainly lacks the text; true for all that it has, and for seven in eight others.
  bool may_have(std::string_view text) const;

  void save(Archive& archive, const std::string& prefix) const;
  /// @throws DataError if the archive does not hold such a thing
  static MadeTexts load(const Archive& archive, const std::string& prefix);

 private:
  std::string draw_longer(std::int64_t shape, int longer, Rng& rng) const;
  std::uint64_t bit_of(std::string_view text) const;

  std::vector<std::string> patterns_;  // \1 a digit, \2 A-Z, \3 a-z, \4 a digit but 0, all else stands for itself
  std::vector<std::int64_t> rows_;     // of each pattern
  bool unique_ = false;
  std::int64_t salt_ = 0;
  std::vector<std::uint8_t> bits_;  // unique: bit of a salted hash, set for each text of the column
};

}  // namespace synthdata::models

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/tabular/made_texts_impl.hpp>
#endif
