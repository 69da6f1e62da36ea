// synthdata/data/augment/text_impl.hpp: bodies of data/augment/text.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/augment/text.hpp>

#include <algorithm>

namespace synthdata {
namespace detail {

struct Word {
  std::string letters, blanks;  // what stands between this word and the next
};

inline bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

/// Blanks before the first word make a word without letters.
inline std::vector<Word> words_of(const std::string& text) {
  std::vector<Word> words;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && !is_blank(text[end])) ++end;
    std::size_t next = end;
    while (next < text.size() && is_blank(text[next])) ++next;
    words.push_back({text.substr(at, end - at), text.substr(end, next - end)});
    at = next;
  }
  return words;
}
inline std::string joined(const std::vector<Word>& words) {
  std::string text;
  for (const Word& word : words) text.append(word.letters).append(word.blanks);
  return text;
}
inline std::size_t draw_below(std::size_t n, Rng& rng) {
  return static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(n)));
}

/// Another word of the first list that has this one, or the word itself.
inline std::string synonym(const std::string& word, const Synonyms& synonyms, Rng& rng) {
  for (const auto& list : synonyms) {
    const auto found = std::find(list.begin(), list.end(), word);
    if (found == list.end() || list.size() < 2) continue;
    const std::size_t other = draw_below(list.size() - 1, rng);
    return list[other + (other >= static_cast<std::size_t>(found - list.begin()) ? 1 : 0)];
  }
  return word;
}

}  // namespace detail

SYNTHDATA_INLINE Tensor text_tensor(std::string_view text) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  return Tensor::from(std::span(bytes, text.size()), {static_cast<std::int64_t>(text.size())}, Device::cpu());
}
SYNTHDATA_INLINE std::string tensor_text(const Tensor& text) {
  const auto* bytes = text.data<std::uint8_t>();
  return {bytes, bytes + text.size()};
}

SYNTHDATA_INLINE std::string random::SwapWords::operator()(const std::string& text, Rng& rng) const {
  std::vector<detail::Word> words = detail::words_of(text);
  for (detail::Word& word : words) {
    if (rng.uniform() < share) std::swap(word.letters, words[detail::draw_below(words.size(), rng)].letters);
  }
  return detail::joined(words);
}

SYNTHDATA_INLINE std::string random::DeleteWords::operator()(const std::string& text, Rng& rng) const {
  const std::vector<detail::Word> words = detail::words_of(text);
  std::vector<detail::Word> kept;
  for (const detail::Word& word : words) {
    if (rng.uniform() >= share) kept.push_back(word);
  }
  if (kept.empty() && !words.empty()) kept.push_back(words[detail::draw_below(words.size(), rng)]);
  return detail::joined(kept);
}

SYNTHDATA_INLINE std::string random::InsertWords::operator()(const std::string& text, Rng& rng) const {
  std::vector<detail::Word> words = detail::words_of(text);
  const std::size_t count = words.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (rng.uniform() >= share) continue;
    const std::string more = detail::synonym(words[detail::draw_below(words.size(), rng)].letters, synonyms, rng);
    const std::size_t place = detail::draw_below(words.size(), rng);
    words.insert(words.begin() + static_cast<std::ptrdiff_t>(place), {more, " "});
  }
  return detail::joined(words);
}

SYNTHDATA_INLINE std::string random::ReplaceWords::operator()(const std::string& text, Rng& rng) const {
  std::vector<detail::Word> words = detail::words_of(text);
  for (detail::Word& word : words) {
    if (rng.uniform() < share) word.letters = detail::synonym(word.letters, synonyms, rng);
  }
  return detail::joined(words);
}

}  // namespace synthdata
