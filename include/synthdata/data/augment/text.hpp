// synthdata/data/augment/text.hpp: words of a text swapped, left out, put in, or replaced by others of a table.
//
// A text is its bytes, u8 [L], or a std::string. Words are what stands between blanks; what stands between words stays
// with the word before. Source: Wei and Zou 2019, arXiv:1901.11196.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/augment/augmentation.hpp>

namespace synthdata {

/// Lists of words that may stand for each other: {{"big", "large"}, {"car", "auto"}}.
using Synonyms = std::vector<std::vector<std::string>>;

/// The bytes of a text as a tensor u8 [L], and back. @throws DTypeError unless u8
Tensor text_tensor(std::string_view text);
std::string tensor_text(const Tensor& text);

namespace random {

/// Each word changes places with one drawn among all, with this probability.
struct SwapWords {
  float share = 0.1f;

  static constexpr const char* name = "swap_words";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("share", self.share, 0.0, 1.0);
  }
  std::string operator()(const std::string& text, Rng& rng) const;
  Tensor operator()(const Tensor& text, Rng& rng) const { return text_tensor((*this)(tensor_text(text), rng)); }
};

/// Each word is left out with this probability; one stays in any case.
struct DeleteWords {
  float share = 0.1f;

  static constexpr const char* name = "delete_words";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("share", self.share, 0.0, 1.0);
  }
  std::string operator()(const std::string& text, Rng& rng) const;
  Tensor operator()(const Tensor& text, Rng& rng) const { return text_tensor((*this)(tensor_text(text), rng)); }
};

/// For each word, with this probability, a word of the table that may stand for it is put in at a random place; a word
/// that the table lacks is put in itself.
struct InsertWords {
  float share = 0.1f;
  Synonyms synonyms = {};

  static constexpr const char* name = "insert_words";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("share", self.share, 0.0, 1.0);
    v("synonyms", self.synonyms);
  }
  std::string operator()(const std::string& text, Rng& rng) const;
  Tensor operator()(const Tensor& text, Rng& rng) const { return text_tensor((*this)(tensor_text(text), rng)); }
};

/// Each word of the table becomes another of its list with this probability.
struct ReplaceWords {
  float share = 0.1f;
  Synonyms synonyms = {};

  static constexpr const char* name = "replace_words";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("share", self.share, 0.0, 1.0);
    v("synonyms", self.synonyms);
  }
  std::string operator()(const std::string& text, Rng& rng) const;
  Tensor operator()(const Tensor& text, Rng& rng) const { return text_tensor((*this)(tensor_text(text), rng)); }
};

}  // namespace random
}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/augment/text_impl.hpp>
#endif
