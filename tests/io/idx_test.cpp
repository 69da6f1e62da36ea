// SPDX-License-Identifier: MIT
#include <synthdata/io/gzip.hpp>
#include <synthdata/io/idx.hpp>

#include "../test.hpp"
#include "files.hpp"

#include <array>
#include <limits>
#include <vector>

using namespace synthdata;
using test::data_error, test::has, test::slurp, test::spit;

namespace {
std::string bytes_of(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes += static_cast<char>(static_cast<unsigned char>(value));
  return bytes;
}
}  // namespace

TEST_CASE("IDX has these bytes") {
  const test::Scratch scratch;
  const Tensor bytes = Tensor::from(std::vector<std::uint8_t>{1, 2, 3, 255}, {2, 2});
  write_idx(scratch / "u8", bytes);
  CHECK(slurp(scratch / "u8") == bytes_of({0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 255}));
  write_idx(scratch / "i32", Tensor::from(std::vector<std::int32_t>{-2, 0x01020304}));
  CHECK(slurp(scratch / "i32") == bytes_of({0, 0, 12, 1, 0, 0, 0, 2, 255, 255, 255, 254, 1, 2, 3, 4}));
  write_idx(scratch / "u8.gz", bytes);
  CHECK(read_gzip_or_plain(scratch / "u8.gz") == slurp(scratch / "u8"));
  CHECK(slurp(scratch / "u8.gz").substr(0, 2) == "\x1f\x8b");
  spit(scratch / "i16", bytes_of({0, 0, 11, 1, 0, 0, 0, 3, 255, 254, 1, 2, 128, 0}));
  CHECK(same_bits(read_idx(scratch / "i16"), Tensor::from(std::vector<std::int32_t>{-2, 258, -32768})));
  spit(scratch / "i8", bytes_of({0, 0, 9, 1, 0, 0, 0, 2, 255, 127}));
  CHECK(same_bits(read_idx(scratch / "i8"), Tensor::from(std::vector<std::int32_t>{-1, 127})));
}

TEST_CASE("IDX files survive a round trip, compressed or not, and whatever their name") {
  const test::Scratch scratch;
  for (const DType dtype : {DType::u8, DType::i32, DType::f32, DType::f64}) {
    for (const Shape& shape : {Shape{7}, Shape{0}, Shape{2, 3, 4}, Shape{1, 2, 1, 2, 1, 2}}) {
      Rng rng{4};
      Tensor tensor = Tensor::empty(shape, dtype);
      visit_dtype(dtype, [&]<class T>() {
        for (T& element : tensor.span<T>()) element = static_cast<T>(rng.uniform(0.0f, 200.0f));
      });
      write_idx(scratch / "a", tensor);
      write_idx(scratch / "a.gz", tensor);
      CHECK(same_bits(read_idx(scratch / "a"), tensor));
      CHECK(same_bits(read_idx(scratch / "a.gz"), tensor));
      std::filesystem::rename(scratch / "a.gz", scratch / "b");
      CHECK(same_bits(read_idx(scratch / "b"), tensor));
    }
  }
}

TEST_CASE("write_idx refuses what the format cannot hold and leaves no file") {
  const test::Scratch scratch;
  CHECK_THROWS_AS(write_idx(scratch / "a", Tensor::zeros({3}, DType::i64)), DTypeError);
  CHECK_THROWS_AS(write_idx(scratch / "a", Tensor::zeros({}, DType::u8)), ShapeError);
  CHECK_THROWS_AS(write_idx(scratch / "a", Tensor::zeros({std::int64_t{1} << 32, 0}, DType::u8)), ShapeError);
  const test::FileSizeLimit limit(1 << 12);
  CHECK(has(data_error([&] { write_idx(scratch / "a", Tensor::zeros({1 << 14}, DType::u8)); }), "File too large"));
  CHECK(scratch.count() == 0);
}

TEST_CASE("hostile IDX files are errors that name file and byte") {
  const test::Scratch scratch;
  const std::string path = scratch / "h";
  const bool packed = GENERATE(false, true);
  const auto error_of = [&](const std::string& bytes) {
    spit(path, packed ? gzip(bytes) : bytes);
    const std::string text = data_error([&] { read_idx(path); });
    CHECK(has(text, path + ", byte "));
    return text;
  };
  CHECK(has(error_of(bytes_of({0, 0, 8})), "byte 3: the file ends within the magic number"));
  CHECK(has(error_of(bytes_of({1, 0, 8, 1, 0, 0, 0, 1, 1})), "byte 0: IDX: expects the bytes 0, 0, a type"));
  CHECK(has(error_of(bytes_of({0, 0, 10, 1, 0, 0, 0, 1, 1})), "got 0, 0, 10, 1"));
  CHECK(has(error_of(bytes_of({0, 0, 8, 0, 1})), "byte 3: IDX: expects 1 to 6 axes, got 0"));
  CHECK(has(error_of(bytes_of({0, 0, 8, 7, 1})), "got 7"));
  CHECK(has(error_of(bytes_of({0, 0, 8, 2, 0, 0, 0, 1, 0})), "byte 9: the file ends within the extents"));
  CHECK(has(error_of(bytes_of({0, 0, 8, 1, 0, 0, 0, 2, 9, 9, 9})), "byte 10: IDX: the data of [2] end here"));
  CHECK(has(error_of(bytes_of({0, 0, 8, 1, 0xff, 0xff, 0xff, 0xff})), "byte 4: IDX: extents [4294967295] claim more"));
  CHECK(has(error_of(bytes_of({0, 0, 14, 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})),
            "claim more data than the file holds"));
  CHECK(has(error_of(bytes_of({0, 0, 8, 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0})),
            "claim more data than the file holds"));  // none, but there is no counting that far
  const std::string shorter = error_of(bytes_of({0, 0, 8, 1, 0, 0, 0, 4, 9}));
  CHECK(
      (packed ? has(shorter, "byte 9: the file ends within the data, 3 more bytes") : has(shorter, "claim more data")));
}

TEST_CASE("read_idx keeps to its limit and to what a compressed file can hold") {
  const test::Scratch scratch;
  write_idx(scratch / "a.gz", Tensor::zeros({1 << 20}, DType::u8));
  CHECK(read_idx(scratch / "a.gz", 1 << 20).size() == 1 << 20);
  CHECK(has(data_error([&] { read_idx(scratch / "a.gz", (1 << 20) - 1); }), "or is accepted (1048575)"));
  const std::string cut = slurp(scratch / "a.gz");
  spit(scratch / "cut.gz", cut.substr(0, cut.size() / 2));
  CHECK(!data_error([&] { read_idx(scratch / "cut.gz"); }).empty());
  spit(scratch / "tail.gz", cut.substr(0, cut.size() - 4));  // all data there, the check value cut off
  CHECK(has(data_error([&] { read_idx(scratch / "tail.gz"); }), "the stream is cut off"));
}

TEST_CASE("mutated IDX files load or throw DataError") {
  const test::Scratch scratch;
  const std::string good = bytes_of({0, 0, 13, 2, 0, 0, 0, 2, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8});
  Rng rng{9};
  for (int i = 0; i < 4000; ++i) {
    spit(scratch / "f", i % 2 ? test::mutate(good, rng) : gzip(test::mutate(good, rng)));
    data_error([&] { read_idx(scratch / "f"); });  // any other exception fails the test
  }
}

TEST_CASE("MNIST is read") {
  SYNTHDATA_NEED_DATA("mnist/train-images-idx3-ubyte.gz");
  SYNTHDATA_NEED_DATA("mnist/train-labels-idx1-ubyte.gz");
  const Tensor images = read_idx(data_dir() + "/mnist/train-images-idx3-ubyte.gz");
  const Tensor labels = read_idx(data_dir() + "/mnist/train-labels-idx1-ubyte.gz");
  CHECK(images.str() == "[60000, 28, 28] u8");
  CHECK(labels.str() == "[60000] u8");
  std::array<int, 10> counts = {};
  for (const std::uint8_t label : labels.span<std::uint8_t>()) ++counts.at(label);
  CHECK(counts == std::array<int, 10>{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949});  // as published
  std::int64_t sum = 0;
  for (const std::uint8_t pixel : images.span<std::uint8_t>()) sum += pixel;
  CHECK(static_cast<double>(sum) / static_cast<double>(images.size()) / 255 == Approx(0.1307).margin(5e-5));  // ditto
}
