// SPDX-License-Identifier: MIT
#include <synthdata/io/npy.hpp>

#include "../test.hpp"
#include "files.hpp"

#include <vector>

using namespace synthdata;
using test::data_error, test::has, test::slurp, test::spit;

namespace {
std::string npy(std::string_view header, std::string_view data) {
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(static_cast<unsigned char>(header.size() & 255));
  bytes += static_cast<char>(static_cast<unsigned char>(header.size() >> 8));
  return bytes.append(header).append(data);
}
std::string dictionary(std::string_view descr, std::string_view shape) {
  return concat("{'descr': '", descr, "', 'fortran_order': False, 'shape': ", shape, ", }\n");
}
}  // namespace

TEST_CASE("arrays that numpy saved are read") {  // headers as numpy 2.4.6 writes them
  const test::Scratch scratch;
  const std::string path = scratch / "a.npy";
  spit(path,
       npy(dictionary("<i4", "(2, 3)"), std::string_view("\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5\0\0\0\6\0\0\0", 24)));
  CHECK(same_bits(read_npy(path), Tensor::from(std::vector<std::int32_t>{1, 2, 3, 4, 5, 6}, {2, 3})));
  spit(path, npy(dictionary("<f8", "(1,)"), std::string_view("\0\0\0\0\0\0\xf8\x3f", 8)));
  CHECK(same_bits(read_npy(path), Tensor::from(std::vector<double>{1.5})));
  spit(path, npy(dictionary("|u1", "()"), "\3"));
  CHECK(same_bits(read_npy(path), Tensor::full({}, 3, DType::u8)));
  const std::string header = dictionary("<f4", "(2, 0, 3)");  // version 2: a longer length field
  spit(path, std::string("\x93NUMPY\x02\x00", 8) + static_cast<char>(header.size()) + std::string(3, '\0') + header);
  CHECK(same_bits(read_npy(path), Tensor::zeros({2, 0, 3})));
}

TEST_CASE("every dtype and shape survives a round trip, the elements at a multiple of 64") {
  const test::Scratch scratch;
  for (const DType dtype : {DType::f32, DType::f64, DType::u8, DType::i32, DType::i64, DType::boolean}) {
    for (const Shape& shape : {Shape{}, Shape{5}, Shape{0}, Shape{2, 3}, Shape{1, 2, 3, 1, 2, 1}}) {
      const Tensor tensor = Tensor::full(shape, 1, dtype);
      write_npy(scratch / "a.npy", tensor);
      CHECK(same_bits(read_npy(scratch / "a.npy"), tensor));
      CHECK((slurp(scratch / "a.npy").size() - static_cast<std::size_t>(tensor.size_bytes())) % 64 == 0);
    }
  }
  CHECK(has(data_error([&] { write_npy(scratch / "b.npy", Tensor()); }), "undefined"));
  const test::FileSizeLimit limit(100);
  CHECK(has(data_error([&] { write_npy(scratch / "b.npy", Tensor::zeros({100})); }), "cannot write"));
  CHECK(scratch.count() == 1);
}

TEST_CASE("hostile npy files are errors that name file and byte") {
  const test::Scratch scratch;
  const std::string path = scratch / "h.npy";
  const auto error_of = [&](const std::string& bytes) {
    spit(path, bytes);
    const std::string text = data_error([&] { read_npy(path); });
    CHECK(has(text, path));
    return text;
  };
  const std::string eight(8, '\0');
  CHECK(has(error_of(""), "byte 0: the file ends here"));
  CHECK(has(error_of("\x93NUMPX____"), "expects the bytes 0x93"));
  CHECK(has(error_of(std::string("\x93NUMPY\x04\x00__", 10)), "byte 6: npy: expects version 1.0, 2.0 or 3.0, got 4.0"));
  CHECK(has(error_of(npy(dictionary("<f4", "(2,)"), eight).substr(0, 40)), "byte 8: npy: the header claims"));
  CHECK(has(error_of(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12)), "the header claims 4294967295 bytes"));
  CHECK(has(error_of(npy(dictionary("<f4", "(2,)"), eight + "x")), "needs 8 bytes of data, the file has 9"));
  CHECK(has(error_of(npy(dictionary("<f4", "(3,)"), eight)), "needs 12 bytes of data, the file has 8"));
  CHECK(has(error_of(npy(dictionary("<f8", "(4611686018427387904, 4)"), eight)), "overflows 64 bits"));
  CHECK(has(error_of(npy(dictionary("|u1", "(4611686018427387905, 0)"), "")), "overflows 64 bits"));
  CHECK(has(error_of(npy(dictionary("<f8", "(99999999999999999999,)"), eight)), "an extent is not a whole number"));
  CHECK(has(error_of(npy(dictionary("<f4", "(-2,)"), eight)), "an extent is not a whole number"));
  CHECK(has(error_of(npy(dictionary("<f4", "(1, 1, 1, 1, 1, 1, 2)"), eight)), "at most 6 axes"));
  CHECK(has(error_of(npy(dictionary(">f4", "(2,)"), eight)), "got \">f4\""));
  CHECK(has(error_of(npy(dictionary("|O", "(2,)"), eight)), "got \"|O\""));
  CHECK(
      has(error_of(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", eight)), "several fields"));
  CHECK(has(error_of(npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2,)}", eight)), "Fortran order"));
  CHECK(has(error_of(npy("{'descr': '<f4', 'shape': (2,)}", eight)), "expects the keys"));
  CHECK(has(error_of(npy("{'descr': '<f4', 'descr': '<f4', 'shape': (2,)}", eight)), "comes twice"));
  CHECK(has(error_of(npy("{'descr': '<f4', 'x': __import__('os')}", eight)), "the key \"x\" is unknown"));
  CHECK(has(error_of(npy("{'descr", eight)), "a string without end"));
  CHECK(has(error_of(npy("{", eight)), "npy: expected \""));
  CHECK(has(error_of(npy("", eight)), "npy: expected {"));
  CHECK(has(error_of(npy(dictionary("<f4", "(2 3)"), eight)), "expected )"));
  CHECK(has(error_of(npy(dictionary("<f4", "(2,)") + "x", eight)), "expected the end"));
  CHECK(has(error_of(npy(dictionary("|b1", "(2,)"), "\1\2")), "a bool is neither 0 nor 1"));
  Rng rng{2};
  const std::string good = npy(dictionary("<i4", "(2, 1)"), eight);
  for (int i = 0; i < 4000; ++i) {
    spit(path, test::mutate(good, rng));
    data_error([&] { read_npy(path); });  // any other exception fails the test
  }
}
