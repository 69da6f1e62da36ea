// synthdata/data/transform/tokenizer.hpp: text as numbers, and back: characters, words, byte pairs.
//
// A vocabulary is learned from training text. Decoding gives back the very bytes that were encoded.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/tensor.hpp>

#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace synthdata {

struct Archive;

enum class TokenKind : std::uint8_t {
  character,  ///< of Unicode
  word,       ///< a piece of text, see Tokenizer::words
  byte_pair,  ///< bytes, joined by the merges learned
};
const char* name_of(TokenKind kind);

class Tokenizer {
 public:
  Tokenizer() = default;

  /// Each different character of the text, by rising code. @throws DataError if the text is not UTF-8
  static Tokenizer characters(std::string_view text);

  /// The 256 bytes, then the most frequent pieces of the text; a piece that is not among them is encoded as its bytes.
  /// Pieces: a run of letters (bytes from 128 on are letters), of digits, of blanks, or of other characters; one blank
  /// before letters, digits or others belongs to them. Runs are cut after 65,536 bytes.
  /// @param most  of the vocabulary, bytes included, 257 ... 2^24. @throws NumericError
  static Tokenizer words(std::string_view text, std::int64_t most = 10'000);

  /// The 256 bytes, then `merges` tokens, each the most frequent pair of neighbouring tokens within a piece when it was
  /// made; of equally frequent pairs the one of smaller numbers. Fewer, if no pair comes twice.
  /// Source: Sennrich, Haddow and Birch 2016, arXiv:1508.07909; on bytes as in GPT-2.
  /// @param merges  0 ... 2^24. @throws NumericError
  static Tokenizer byte_pairs(std::string_view text, std::int64_t merges = 1024);

  TokenKind kind() const { return kind_; }
  /// Number of tokens.
  std::int64_t size() const { return static_cast<std::int64_t>(tokens_.size()); }
  /// The bytes of a token. @throws DataError unless 0 <= id < size()
  const std::string& token(std::int64_t id) const;
  /// byte_pair: the tokens that token 256 + i is made of.
  std::span<const std::pair<std::int32_t, std::int32_t>> merges() const { return merges_; }

  /// Numbers of the tokens, [L] i32 or i64. Long texts are encoded by all threads.
  /// @throws DataError naming the byte for a character that training text does not have, or if that is not UTF-8
  Tensor encode(std::string_view text, DType dtype = DType::i64) const;
  /// The text of numbers [L] i32 or i64. @throws DataError naming the place of a number that is no token
  std::string decode(const Tensor& ids) const;

  /// As `metadata[prefix]` and `prefix.` tensors. load() @throws DataError for what no tokenizer is
  void save(Archive& archive, const std::string& prefix) const;
  static Tokenizer load(const Archive& archive, const std::string& prefix);

  friend bool operator==(const Tokenizer& a, const Tokenizer& b) {
    return a.kind_ == b.kind_ && a.tokens_ == b.tokens_ && a.merges_ == b.merges_;
  }

 private:
  Tokenizer(TokenKind kind, std::vector<std::string> tokens);
  void index_merges();
  void encode_piece(std::string_view piece, std::vector<std::int32_t>& out) const;

  TokenKind kind_ = TokenKind::character;
  std::vector<std::string> tokens_{};
  std::vector<std::pair<std::int32_t, std::int32_t>> merges_{};
  std::unordered_map<std::string, std::int32_t> places_{};          // token -> number
  std::unordered_map<std::uint64_t, std::int32_t> merge_places_{};  // pair -> what it becomes
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/transform/tokenizer_impl.hpp>
#endif
