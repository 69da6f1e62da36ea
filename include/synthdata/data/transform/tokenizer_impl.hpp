// synthdata/data/transform/tokenizer_impl.hpp: bodies of data/transform/tokenizer.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/parallel.hpp>
#include <synthdata/data/transform/tokenizer.hpp>
#include <synthdata/io/json.hpp>
#include <synthdata/io/safetensors.hpp>
#include <synthdata/io/utf8.hpp>

#include <algorithm>
#include <queue>

namespace synthdata {
namespace detail {

inline constexpr const char* token_kinds[] = {"character", "word", "byte_pair"};
inline constexpr std::size_t longest_piece = std::size_t{1} << 16;  // so that a run of anything takes bounded time
inline constexpr std::int64_t most_tokens = std::int64_t{1} << 24;

enum class ByteClass : std::uint8_t { letter, digit, blank, other };
inline ByteClass class_of(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 128 || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z')) return ByteClass::letter;
  if (byte >= '0' && byte <= '9') return ByteClass::digit;
  return byte == ' ' || (byte >= '\t' && byte <= '\r') ? ByteClass::blank : ByteClass::other;
}

/// The piece that begins at `at`. A run of blanks leaves its last one to what follows if that is a space.
inline std::string_view piece_at(std::string_view text, std::size_t at) {
  std::size_t end = at;
  if (text[at] == ' ' && at + 1 < text.size() && class_of(text[at + 1]) != ByteClass::blank) end = at + 1;
  const ByteClass kind = class_of(text[end]);
  const std::size_t last = text.size() - at > longest_piece ? at + longest_piece : text.size();
  while (end < last && class_of(text[end]) == kind) ++end;
  if (kind == ByteClass::blank && end < text.size() && end - at > 1 && text[end - 1] == ' ') --end;
  return text.substr(at, end - at);
}
template <class F>
void for_pieces(std::string_view text, const F& f) {
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view piece = piece_at(text, at);
    f(piece);
    at += piece.size();
  }
}
/// The different pieces, in order of first appearance, and how often each comes.
SYNTHDATA_INLINE std::vector<std::pair<std::string_view, std::int64_t>> count_pieces(std::string_view text) {
  std::unordered_map<std::string_view, std::size_t> places;
  std::vector<std::pair<std::string_view, std::int64_t>> pieces;
  for_pieces(text, [&](std::string_view piece) {
    const auto [found, fresh] = places.try_emplace(piece, pieces.size());
    if (fresh) pieces.emplace_back(piece, 0);
    ++pieces[found->second].second;
  });
  return pieces;
}

inline std::vector<std::string> all_bytes() {
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
  return tokens;
}

using TokenPair = std::pair<std::int32_t, std::int32_t>;
inline std::uint64_t pair_key(std::int32_t a, std::int32_t b) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(a)) << 32 | static_cast<std::uint32_t>(b);
}

}  // namespace detail

SYNTHDATA_INLINE const char* name_of(TokenKind kind) { return detail::token_kinds[static_cast<std::size_t>(kind)]; }

SYNTHDATA_INLINE Tokenizer::Tokenizer(TokenKind kind, std::vector<std::string> tokens)
    : kind_(kind), tokens_(std::move(tokens)) {
  if (kind_ == TokenKind::byte_pair) return;
  for (std::size_t i = 0; i < tokens_.size(); ++i) places_.emplace(tokens_[i], static_cast<std::int32_t>(i));
}

SYNTHDATA_INLINE void Tokenizer::index_merges() {
  merge_places_.reserve(merges_.size());
  for (std::size_t i = 0; i < merges_.size(); ++i) {
    merge_places_.emplace(detail::pair_key(merges_[i].first, merges_[i].second), static_cast<std::int32_t>(256 + i));
  }
}

SYNTHDATA_INLINE Tokenizer Tokenizer::characters(std::string_view text) {
  std::vector<std::string> found;
  std::unordered_map<std::string_view, bool> seen;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = detail::utf8_length(text.substr(at, 4));
    if (length == 0) throw DataError(concat("Tokenizer::characters: byte ", at, " is not UTF-8"));
    if (seen.try_emplace(text.substr(at, length), true).second) found.emplace_back(text.substr(at, length));
    at += length;
  }
  std::sort(found.begin(), found.end());  // the order of bytes in UTF-8 is that of codes
  return Tokenizer(TokenKind::character, std::move(found));
}

SYNTHDATA_INLINE Tokenizer Tokenizer::words(std::string_view text, std::int64_t most) {
  if (most < 257 || most > detail::most_tokens) {
    throw NumericError(concat("Tokenizer::words: expects 257 ... 2^24 tokens, got ", most));
  }
  auto pieces = detail::count_pieces(text);
  std::erase_if(pieces, [](const auto& piece) { return piece.first.size() < 2; });  // a byte is a token already
  std::sort(pieces.begin(), pieces.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  std::vector<std::string> tokens = detail::all_bytes();
  for (const auto& [piece, count] : pieces) {
    if (static_cast<std::int64_t>(tokens.size()) == most) break;
    tokens.emplace_back(piece);
  }
  return Tokenizer(TokenKind::word, std::move(tokens));
}

SYNTHDATA_INLINE Tokenizer Tokenizer::byte_pairs(std::string_view text, std::int64_t merges) {
  if (merges < 0 || merges > detail::most_tokens) {
    throw NumericError(concat("Tokenizer::byte_pairs: expects 0 ... 2^24 merges, got ", merges));
  }
  const auto pieces = detail::count_pieces(text);
  std::vector<std::vector<std::int32_t>> words;
  for (const auto& [piece, count] : pieces) {
    std::vector<std::int32_t>& word = words.emplace_back();
    for (const char byte : piece) word.push_back(static_cast<unsigned char>(byte));
  }
  struct Pair {
    std::int64_t count = 0;
    std::vector<std::int32_t> words;  // where it is, or was
  };
  std::unordered_map<std::uint64_t, Pair> pairs;
  struct Candidate {
    std::int64_t count;
    std::uint64_t key;
    bool operator<(const Candidate& other) const {
      return count != other.count ? count < other.count : key > other.key;
    }
  };
  std::priority_queue<Candidate> queue;
  const auto note = [&](std::uint64_t key, std::int64_t count, std::size_t word) {
    Pair& pair = pairs[key];
    pair.count += count;
    if (count > 0 && (pair.words.empty() || pair.words.back() != static_cast<std::int32_t>(word))) {
      pair.words.push_back(static_cast<std::int32_t>(word));
    }
  };
  for (std::size_t w = 0; w < words.size(); ++w) {
    for (std::size_t i = 0; i + 1 < words[w].size(); ++i) {
      note(detail::pair_key(words[w][i], words[w][i + 1]), pieces[w].second, w);
    }
  }
  for (const auto& [key, pair] : pairs) queue.push({pair.count, key});

  Tokenizer out(TokenKind::byte_pair, detail::all_bytes());
  std::vector<std::uint64_t> touched;
  while (static_cast<std::int64_t>(out.merges_.size()) < merges && !queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    const auto found = pairs.find(best.key);
    if (found == pairs.end() || found->second.count != best.count) continue;  // counted anew since
    if (best.count < 2) break;
    const auto a = static_cast<std::int32_t>(best.key >> 32), b = static_cast<std::int32_t>(best.key & 0xffffffff);
    const auto made = static_cast<std::int32_t>(out.tokens_.size());
    out.tokens_.push_back(out.tokens_[static_cast<std::size_t>(a)] + out.tokens_[static_cast<std::size_t>(b)]);
    out.merges_.emplace_back(a, b);
    std::vector<std::int32_t> where = std::move(found->second.words);
    std::sort(where.begin(), where.end());
    where.erase(std::unique(where.begin(), where.end()), where.end());
    touched.clear();
    for (const std::int32_t index : where) {
      const auto w = static_cast<std::size_t>(index);
      std::vector<std::int32_t>& word = words[w];
      const std::int64_t count = pieces[w].second;
      const auto change = [&](std::int32_t left, std::int32_t right, std::int64_t by) {
        const std::uint64_t key = detail::pair_key(left, right);
        note(key, by, w);
        touched.push_back(key);
      };
      std::size_t to = 0;
      bool changed = false;
      for (std::size_t i = 0; i < word.size() && !changed; ++i) {
        changed = i + 1 < word.size() && word[i] == a && word[i + 1] == b;
      }
      if (!changed) continue;
      for (std::size_t i = 0; i + 1 < word.size(); ++i) change(word[i], word[i + 1], -count);
      for (std::size_t i = 0; i < word.size(); ++i) {
        if (i + 1 < word.size() && word[i] == a && word[i + 1] == b) {
          word[to++] = made;
          ++i;
        } else {
          word[to++] = word[i];
        }
      }
      word.resize(to);
      for (std::size_t i = 0; i + 1 < word.size(); ++i) change(word[i], word[i + 1], count);
    }
    std::sort(touched.begin(), touched.end());
    touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
    for (const std::uint64_t key : touched) {
      const auto pair = pairs.find(key);
      if (pair->second.count > 0) {
        queue.push({pair->second.count, key});
      } else {
        pairs.erase(pair);
      }
    }
  }
  out.index_merges();
  return out;
}

SYNTHDATA_INLINE const std::string& Tokenizer::token(std::int64_t id) const {
  if (id < 0 || id >= size()) throw DataError(concat("Tokenizer: ", id, " is no token, there are ", size()));
  return tokens_[static_cast<std::size_t>(id)];
}

/// The lowest merge first, until none is left: what training did to this piece.
SYNTHDATA_INLINE void Tokenizer::encode_piece(std::string_view piece, std::vector<std::int32_t>& out) const {
  // tokens as a list: each knows its neighbours; a queue of merges by number, then place
  const std::size_t size = piece.size();
  if (size == 1) {
    out.push_back(static_cast<unsigned char>(piece[0]));
    return;
  }
  std::vector<std::int32_t> ids(size), next(size), previous(size);
  using Merge = std::pair<std::int32_t, std::int32_t>;  // what it makes, where
  std::priority_queue<Merge, std::vector<Merge>, std::greater<>> queue;
  const auto offer = [&](std::int32_t at) {
    const std::int32_t right = next[static_cast<std::size_t>(at)];
    if (right < 0) return;
    const auto found =
        merge_places_.find(detail::pair_key(ids[static_cast<std::size_t>(at)], ids[static_cast<std::size_t>(right)]));
    if (found != merge_places_.end()) queue.emplace(found->second, at);
  };
  for (std::size_t i = 0; i < size; ++i) {
    ids[i] = static_cast<unsigned char>(piece[i]);
    next[i] = i + 1 < size ? static_cast<std::int32_t>(i + 1) : -1;
    previous[i] = static_cast<std::int32_t>(i) - 1;
  }
  for (std::size_t i = 0; i + 1 < size; ++i) offer(static_cast<std::int32_t>(i));
  while (!queue.empty()) {
    const auto [made, at] = queue.top();
    queue.pop();
    const auto place = static_cast<std::size_t>(at);
    const std::int32_t right = next[place];
    const detail::TokenPair& merge = merges_[static_cast<std::size_t>(made - 256)];
    if (ids[place] != merge.first || right < 0 || ids[static_cast<std::size_t>(right)] != merge.second) continue;
    ids[place] = made;
    ids[static_cast<std::size_t>(right)] = -1;
    next[place] = next[static_cast<std::size_t>(right)];
    if (next[place] >= 0) previous[static_cast<std::size_t>(next[place])] = at;
    offer(at);
    if (previous[place] >= 0) offer(previous[place]);
  }
  for (std::int32_t i = 0; i >= 0; i = next[static_cast<std::size_t>(i)])
    out.push_back(ids[static_cast<std::size_t>(i)]);
}

SYNTHDATA_INLINE Tensor Tokenizer::encode(std::string_view text, DType dtype) const {
  if (dtype != DType::i32 && dtype != DType::i64) {
    throw DTypeError(concat("Tokenizer::encode: expects i32 or i64, got ", dtype));
  }
  // Cut where a piece begins, so that each part gives the tokens it has in the whole: a letter behind a line's end.
  constexpr std::size_t about = std::size_t{1} << 18;
  std::vector<std::size_t> cuts = {0};
  while (kind_ != TokenKind::character && text.size() - cuts.back() > 2 * about) {
    std::size_t at = cuts.back() + about;
    while (at < text.size() && !(text[at - 1] == '\n' && detail::class_of(text[at]) != detail::ByteClass::blank)) ++at;
    if (at == text.size()) break;
    cuts.push_back(at);
  }
  const auto parts = static_cast<std::int64_t>(cuts.size());
  cuts.push_back(text.size());
  std::vector<std::vector<std::int32_t>> found(static_cast<std::size_t>(parts));
  parallel_for(parts, 1, [&](std::int64_t first, std::int64_t last) {
    std::unordered_map<std::string_view, std::vector<std::int32_t>> known;  // pieces met in this part
    for (std::int64_t part = first; part < last; ++part) {
      std::vector<std::int32_t>& out = found[static_cast<std::size_t>(part)];
      const std::size_t begin = cuts[static_cast<std::size_t>(part)];
      const std::string_view here = text.substr(begin, cuts[static_cast<std::size_t>(part) + 1] - begin);
      if (kind_ == TokenKind::character) {
        std::string key;
        for (std::size_t at = 0; at < here.size();) {
          const std::size_t length = detail::utf8_length(here.substr(at, 4));
          if (length == 0) throw DataError(concat("Tokenizer::encode: byte ", begin + at, " is not UTF-8"));
          key.assign(here.substr(at, length));
          const auto place = places_.find(key);
          if (place == places_.end()) {
            throw DataError(concat("Tokenizer::encode: the character ", in_quotes(key), " at byte ", begin + at,
                                   " is not among the ", size(), " of training"));
          }
          out.push_back(place->second);
          at += length;
        }
        continue;
      }
      std::string key;
      detail::for_pieces(here, [&](std::string_view piece) {
        if (kind_ == TokenKind::word) {
          key.assign(piece);
          const auto place = places_.find(key);
          if (place != places_.end()) {
            out.push_back(place->second);
          } else {
            for (const char byte : piece) out.push_back(static_cast<unsigned char>(byte));
          }
          return;
        }
        const auto [entry, fresh] = known.try_emplace(piece);
        if (fresh) encode_piece(piece, entry->second);
        out.insert(out.end(), entry->second.begin(), entry->second.end());
      });
    }
  });
  std::int64_t total = 0;
  for (const auto& part : found) total += static_cast<std::int64_t>(part.size());
  Tensor ids = Tensor::empty({total}, dtype, Device::cpu());
  std::int64_t at = 0;
  for (const auto& part : found) {
    if (dtype == DType::i32) {
      std::copy(part.begin(), part.end(), ids.data<std::int32_t>() + at);
    } else {
      std::copy(part.begin(), part.end(), ids.data<std::int64_t>() + at);
    }
    at += static_cast<std::int64_t>(part.size());
  }
  return ids;
}

SYNTHDATA_INLINE std::string Tokenizer::decode(const Tensor& given) const {
  if (!given.defined() || given.rank() != 1) throw_shape("Tokenizer::decode", "expects [L]", {{"ids", given}});
  if (given.dtype() != DType::i32 && given.dtype() != DType::i64) {
    throw DTypeError(concat("Tokenizer::decode: expects i32 or i64, got ", given.str()));
  }
  const Tensor ids = given.to(Device::cpu()).to(DType::i64);
  std::string out;
  for (std::int64_t i = 0; i < ids.size(); ++i) {
    const std::int64_t id = ids.data<std::int64_t>()[i];
    if (id < 0 || id >= size()) {
      throw DataError(concat("Tokenizer::decode: number ", id, " at place ", i, " is no token, there are ", size()));
    }
    out += tokens_[static_cast<std::size_t>(id)];
  }
  return out;
}

SYNTHDATA_INLINE void Tokenizer::save(Archive& archive, const std::string& prefix) const {
  archive.metadata[prefix] = Json(Json::Object{{"format", 1}, {"tokenizer", name_of(kind_)}}).dump();
  if (kind_ == TokenKind::byte_pair) {
    Tensor pairs = Tensor::empty({static_cast<std::int64_t>(merges_.size()), 2}, DType::i32, Device::cpu());
    for (std::size_t i = 0; i < merges_.size(); ++i) {
      pairs.data<std::int32_t>()[2 * i] = merges_[i].first;
      pairs.data<std::int32_t>()[2 * i + 1] = merges_[i].second;
    }
    archive.add(prefix + ".merges", pairs);
    return;
  }
  std::int64_t bytes = 0;
  for (const std::string& token : tokens_) bytes += static_cast<std::int64_t>(token.size());
  Tensor texts = Tensor::empty({bytes}, DType::u8, Device::cpu());
  Tensor lengths = Tensor::empty({size()}, DType::i32, Device::cpu());
  std::int64_t at = 0;
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    std::copy(tokens_[i].begin(), tokens_[i].end(), static_cast<char*>(texts.bytes()) + at);
    lengths.data<std::int32_t>()[i] = static_cast<std::int32_t>(tokens_[i].size());
    at += static_cast<std::int64_t>(tokens_[i].size());
  }
  archive.add(prefix + ".texts", texts);
  archive.add(prefix + ".lengths", lengths);
}

SYNTHDATA_INLINE Tokenizer Tokenizer::load(const Archive& archive, const std::string& prefix) {
  const auto fail = [&](const std::string& text) { throw DataError(concat(prefix, ": no tokenizer: ", text)); };
  const Json json = parse_json(archive.text(prefix), {.source = prefix});
  const Json* const format = json.find("format");
  const Json* const kind = json.find("tokenizer");
  if (!format || !format->get_if<std::int64_t>() || *format->get_if<std::int64_t>() != 1) fail("expects format 1");
  const std::string name = kind && kind->get_if<std::string>() ? *kind->get_if<std::string>() : "";
  const auto* const known = std::find(std::begin(detail::token_kinds), std::end(detail::token_kinds), name);
  if (known == std::end(detail::token_kinds)) fail("no kind is called " + in_quotes(name));
  const auto type = static_cast<TokenKind>(known - std::begin(detail::token_kinds));
  // tokens double with every merge in a hostile file: their lengths are bounded together
  constexpr std::int64_t most_bytes = std::int64_t{1} << 30;
  std::int64_t bytes = 0;
  if (type == TokenKind::byte_pair) {
    const Tensor& pairs = archive.at(prefix + ".merges");
    if (pairs.dtype() != DType::i32 || pairs.rank() != 2 || pairs.shape(1) != 2 ||
        pairs.shape(0) > detail::most_tokens) {
      fail("merges are " + pairs.str());
    }
    Tokenizer out(type, detail::all_bytes());
    for (std::int64_t i = 0; i < pairs.shape(0); ++i) {
      const std::int32_t a = pairs.data<std::int32_t>()[2 * i], b = pairs.data<std::int32_t>()[2 * i + 1];
      if (a < 0 || b < 0 || a >= 256 + i || b >= 256 + i) fail(concat("merge ", i, " joins ", a, " and ", b));
      std::string token = out.tokens_[static_cast<std::size_t>(a)];
      const std::string& second = out.tokens_[static_cast<std::size_t>(b)];
      bytes += static_cast<std::int64_t>(token.size() + second.size());
      if (bytes > most_bytes) fail("its tokens are more than 1 GB");
      out.merges_.emplace_back(a, b);
      token += second;
      out.tokens_.push_back(std::move(token));
    }
    out.index_merges();
    if (out.merge_places_.size() != out.merges_.size()) fail("a merge comes twice");
    return out;
  }
  const Tensor& texts = archive.at(prefix + ".texts");
  const Tensor& lengths = archive.at(prefix + ".lengths");
  if (texts.dtype() != DType::u8 || texts.rank() != 1 || lengths.dtype() != DType::i32 || lengths.rank() != 1 ||
      lengths.size() > detail::most_tokens) {
    fail(concat("texts are ", texts.str(), ", lengths ", lengths.str()));
  }
  std::vector<std::string> tokens;
  for (const std::int32_t length : lengths.span<std::int32_t>()) {
    if (length < 1 || length > texts.size() - bytes) fail("lengths do not fit the texts");
    tokens.emplace_back(static_cast<const char*>(texts.bytes()) + bytes, static_cast<std::size_t>(length));
    bytes += length;
  }
  if (bytes != texts.size()) fail("lengths do not fit the texts");
  const std::vector<std::string> first = detail::all_bytes();
  if (type == TokenKind::word && (tokens.size() < 256 || !std::equal(first.begin(), first.end(), tokens.begin()))) {
    fail("words begin with the 256 bytes");
  }
  Tokenizer out(type, std::move(tokens));
  if (out.places_.size() != out.tokens_.size()) fail("a token comes twice");
  return out;
}

}  // namespace synthdata
