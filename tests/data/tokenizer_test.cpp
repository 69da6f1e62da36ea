// tests/data/tokenizer_test.cpp: text to tokens and back.
//
// SPDX-License-Identifier: MIT
#include "../io/files.hpp"
#include "../test.hpp"

#include <synthdata/core/parallel.hpp>
#include <synthdata/data/transform/tokenizer.hpp>
#include <synthdata/io/gzip.hpp>
#include <synthdata/io/safetensors.hpp>

using namespace synthdata;
using test::data_error, test::has;

namespace {

std::vector<std::int64_t> numbers(const Tensor& ids) {
  const auto span = ids.span<std::int64_t>();
  return {span.begin(), span.end()};
}

/// Bytes of all kinds: blanks, digits, UTF-8 and what is none.
std::string noise(std::int64_t length, Rng& rng) {
  const std::string some = "  \n\t ab cde3 4!?.'\xc3\xa9\xff\x00z";
  std::string out;
  for (std::int64_t i = 0; i < length; ++i) {
    out += some[static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(some.size())))];
  }
  return out;
}

}  // namespace

TEST_CASE("characters are numbered by their code") {
  const Tokenizer tokenizer = Tokenizer::characters("banane, für 3 €");
  CHECK(tokenizer.size() == 11);
  CHECK(tokenizer.token(0) == " ");
  CHECK(tokenizer.token(10) == "€");
  CHECK(numbers(tokenizer.encode("ab€")) == std::vector<std::int64_t>{3, 4, 10});
  CHECK(tokenizer.decode(tokenizer.encode("für 3 €")) == "für 3 €");
  CHECK(tokenizer.encode("aa", DType::i32).dtype() == DType::i32);
  CHECK(tokenizer.encode("").size() == 0);
  CHECK(has(data_error([&] { tokenizer.encode("bax"); }), "the character \"x\" at byte 2 is not among the 11 of training"));
  CHECK(has(data_error([&] { tokenizer.encode("ba\xff"); }), "byte 2 is not UTF-8"));
  CHECK(has(data_error([&] { Tokenizer::characters("a\xc3"); }), "byte 1 is not UTF-8"));
  CHECK(has(data_error([&] { tokenizer.decode(Tensor::from(std::vector<std::int64_t>{0, 11})); }), "number 11 at place 1"));
  CHECK(has(data_error([&] { tokenizer.decode(Tensor::from(std::vector<std::int32_t>{-1})); }), "number -1"));
  CHECK_THROWS_AS(tokenizer.encode("a", DType::f32), DTypeError);
}

TEST_CASE("words take a blank with them; unknown ones become bytes") {
  const Tokenizer tokenizer = Tokenizer::words("the cat, the dog. the cat\n");
  // " the" twice, " cat" twice, " dog", "the" once each; a single byte is a token anyway
  CHECK(tokenizer.size() == 260);
  CHECK(tokenizer.token(256) == " cat");
  CHECK(tokenizer.token(257) == " the");
  CHECK(numbers(tokenizer.encode("the cat!")) == std::vector<std::int64_t>{259, 256, '!'});
  CHECK(numbers(tokenizer.encode("cow")) == std::vector<std::int64_t>{'c', 'o', 'w'});
  CHECK(Tokenizer::words("the cat, the dog. the cat\n", 257).size() == 257);
  CHECK_THROWS_AS(Tokenizer::words("a", 256), NumericError);
}

TEST_CASE("byte pairs join the most frequent pair first") {
  // pieces: "low" 1, " low" 4, " lower" 1, " newest" 2; the pairs lo and ow come 6 times each: of equals the smaller
  const Tokenizer tokenizer = Tokenizer::byte_pairs("low low low low low lower newest newest", 3);
  REQUIRE(tokenizer.size() == 259);
  CHECK(tokenizer.token(256) == "lo");
  CHECK(tokenizer.token(257) == "low");
  CHECK(tokenizer.token(258) == " low");
  CHECK(numbers(tokenizer.encode("low lower")) == std::vector<std::int64_t>{257, 258, 'e', 'r'});
  CHECK(Tokenizer::byte_pairs("abcdef", 100).size() == 256);  // no pair comes twice
  CHECK(Tokenizer::byte_pairs("", 100).size() == 256);
  CHECK(Tokenizer::byte_pairs("aaaaaaaa aaaaaaaa", 100).decode(Tensor::from(std::vector<std::int64_t>{256})) == "aa");
}

TEST_CASE("any bytes come back from words and byte pairs, for any number of threads") {
  Rng rng{3};
  const std::string training = noise(20000, rng), other = noise(300000, rng);
  for (const Tokenizer& tokenizer : {Tokenizer::words(training, 500), Tokenizer::byte_pairs(training, 200)}) {
    set_threads(1);
    const Tensor ids = tokenizer.encode(other);
    CHECK(tokenizer.decode(ids) == other);
    CHECK(ids.size() < static_cast<std::int64_t>(other.size()));
    set_threads(3);
    CHECK(same_bits(tokenizer.encode(other), ids));
    set_threads(0);
    for (int i = 0; i < 200; ++i) {
      const std::string text = noise(rng.below(20), rng);
      CHECK(tokenizer.decode(tokenizer.encode(text)) == text);
    }
  }
}

TEST_CASE("byte pairs of Tiny Shakespeare are those of a plain program, and the whole text comes back") {
  SYNTHDATA_NEED_DATA("text/tinyshakespeare.txt.gz");
  std::string text(1115394, ' ');
  UnpackedFile(data_dir() + "/text/tinyshakespeare.txt.gz").read(text.data(), 1115394, "text");
  const Archive reference = load_safetensors(test::reference("transforms.safetensors"));
  const Tensor& merges = reference.at("byte_pairs/merges");
  const std::string_view start = std::string_view(text).substr(0, 100000);
  const Tokenizer tokenizer = Tokenizer::byte_pairs(start, merges.shape(0));
  REQUIRE(tokenizer.merges().size() == static_cast<std::size_t>(merges.shape(0)));
  for (std::size_t i = 0; i < tokenizer.merges().size(); ++i) {
    REQUIRE(tokenizer.merges()[i].first == merges.data<std::int32_t>()[2 * i]);
    REQUIRE(tokenizer.merges()[i].second == merges.data<std::int32_t>()[2 * i + 1]);
  }
  CHECK(tokenizer.encode(start).size() == reference.at("byte_pairs/tokens").data<std::int64_t>()[0]);
  CHECK(tokenizer.decode(tokenizer.encode(text)) == text);
  const Tokenizer characters = Tokenizer::characters(text);
  CHECK(characters.size() == 65);
  CHECK(characters.decode(characters.encode(text)) == text);
}

TEST_CASE("tokenizers are saved and loaded; hostile archives are refused") {
  const std::string text = "low low lower newest, für 3 €";
  for (const Tokenizer& tokenizer : {Tokenizer::characters(text), Tokenizer::words(text), Tokenizer::byte_pairs(text, 9)}) {
    Archive archive;
    tokenizer.save(archive, "text");
    const test::Scratch scratch;
    save_safetensors(scratch / "t.safetensors", archive);
    const Tokenizer loaded = Tokenizer::load(load_safetensors(scratch / "t.safetensors"), "text");
    CHECK(loaded == tokenizer);
    CHECK(same_bits(loaded.encode(text), tokenizer.encode(text)));
    for (NamedTensor& tensor : archive.tensors) {
      const Tensor kept = tensor.tensor;
      for (const Tensor& bad : {Tensor::zeros({3}), Tensor::full(kept.shape(), 200, kept.dtype()), Tensor::zeros(kept.shape(), kept.dtype())}) {
        tensor.tensor = bad;
        INFO(name_of(tokenizer.kind()) << " " << tensor.name << " " << bad.str());
        CHECK_THROWS_AS(Tokenizer::load(archive, "text"), DataError);
      }
      tensor.tensor = kept;
    }
    archive.metadata["text"] = R"({"format":1,"tokenizer":"syllable"})";
    CHECK(has(data_error([&] { Tokenizer::load(archive, "text"); }), "no kind is called \"syllable\""));
    archive.metadata["text"] = "{";
    CHECK_THROWS_AS(Tokenizer::load(archive, "text"), DataError);
  }
  // every merge doubles the last token: 2^40 bytes if it were believed
  Archive bomb;
  Tokenizer::byte_pairs(text, 1).save(bomb, "text");
  Tensor merges = Tensor::empty({40, 2}, DType::i32, Device::cpu());
  for (std::int32_t i = 0; i < 40; ++i) {
    merges.data<std::int32_t>()[2 * i] = merges.data<std::int32_t>()[2 * i + 1] = i == 0 ? 'a' : 255 + i;
  }
  bomb.tensors[0].tensor = merges;
  CHECK(has(data_error([&] { Tokenizer::load(bomb, "text"); }), "more than 1 GB"));
}
