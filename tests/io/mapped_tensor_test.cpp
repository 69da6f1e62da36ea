// tests/io/mapped_tensor_test.cpp: mapped files as tensors: the same numbers, no copy, bad files refused on opening.
//
// SPDX-License-Identifier: MIT
#include "../test.hpp"
#include "files.hpp"

#include <synthdata/io/idx.hpp>
#include <synthdata/io/mapped_tensor.hpp>
#include <synthdata/io/npy.hpp>

using namespace synthdata;
using test::data_error;
using test::has;

TEST_CASE("map_npy gives the array of the file, of every dtype") {
  const test::Scratch scratch;
  for (const DType dtype : {DType::f32, DType::f64, DType::u8, DType::i32, DType::i64, DType::boolean}) {
    Tensor values = dtype == DType::boolean ? Tensor::ones({4, 5, 3}, dtype) : arange(60, dtype).reshape({4, 5, 3});
    write_npy(scratch / "a.npy", values);
    CHECK(same_bits(map_npy(scratch / "a.npy"), values));
  }
  write_npy(scratch / "empty.npy", Tensor::empty({0, 3}));
  CHECK(map_npy(scratch / "empty.npy").shape() == Shape{0, 3});
}

TEST_CASE("a mapped tensor takes no memory of its own and outlives its source") {
  const test::Scratch scratch;
  write_npy(scratch / "big.npy", Tensor::zeros({1 << 20, 4}));  // 16 MiB
  const MemoryStats before = memory_stats();
  Tensor part;
  {
    const Tensor mapped = map_npy(scratch / "big.npy");
    part = mapped.rows(1000, 1010);
    CHECK(part.shares_elements(mapped));
  }
  CHECK(memory_stats().live_bytes == before.live_bytes);
  std::filesystem::remove(scratch / "big.npy");
  part.data<float>()[0] = 5.0f;  // its own copy of the page
  CHECK(part.data<float>()[0] == 5.0f);
  CHECK(part.data<float>()[39] == 0.0f);
}

TEST_CASE("writing to a mapped tensor leaves the file alone; replacing the file leaves the tensor alone") {
  const test::Scratch scratch;
  const std::string path = scratch / "a.npy";
  write_npy(path, arange(1000, DType::f32));
  Tensor mapped = map_npy(path);
  mapped.data<float>()[3] = -1.0f;
  CHECK(read_npy(path).data<float>()[3] == 3.0f);
  write_npy(path, Tensor::zeros({1}));
  CHECK(mapped.data<float>()[999] == 999.0f);
}

TEST_CASE("map_npy refuses what does not fit its size when it is opened") {
  const test::Scratch scratch;
  write_npy(scratch / "a.npy", arange(100, DType::i64));
  const std::string bytes = test::slurp(scratch / "a.npy");
  test::spit(scratch / "cut.npy", bytes.substr(0, bytes.size() - 1));
  CHECK(has(data_error([&] { map_npy(scratch / "cut.npy"); }), "needs 800 bytes of data, the file has 799"));
  test::spit(scratch / "long.npy", bytes + "x");
  CHECK(has(data_error([&] { map_npy(scratch / "long.npy"); }), "the file has 801"));
  write_npy(scratch / "bool.npy", Tensor::ones({8}, DType::boolean));
  std::string bools = test::slurp(scratch / "bool.npy");
  bools.back() = 2;
  test::spit(scratch / "bool.npy", bools);
  CHECK(has(data_error([&] { map_npy(scratch / "bool.npy"); }), "neither 0 nor 1"));
  // a header of odd length: elements that are not aligned
  std::string odd = bytes;
  odd.insert(odd.find("}"), " ");
  odd[8] = static_cast<char>(odd[8] + 1);
  test::spit(scratch / "odd.npy", odd);
  CHECK(same_bits(read_npy(scratch / "odd.npy"), arange(100, DType::i64)));
  CHECK(has(data_error([&] { map_npy(scratch / "odd.npy"); }), "not aligned"));
  CHECK_FALSE(data_error([&] { map_npy(scratch / "none.npy"); }).empty());
}

TEST_CASE("map_idx maps bytes, and refuses packed files, wider numbers and wrong sizes") {
  const test::Scratch scratch;
  const Tensor images = arange(240, DType::u8).reshape({10, 6, 4});
  write_idx(scratch / "a.idx", images);
  CHECK(same_bits(map_idx(scratch / "a.idx"), images));
  write_idx(scratch / "a.idx.gz", images);
  CHECK(has(data_error([&] { map_idx(scratch / "a.idx.gz"); }), "compressed"));
  write_idx(scratch / "f.idx", Tensor::zeros({3}));
  CHECK(has(data_error([&] { map_idx(scratch / "f.idx"); }), "numbers of 4 bytes"));
  const std::string bytes = test::slurp(scratch / "a.idx");
  test::spit(scratch / "cut.idx", bytes.substr(0, bytes.size() - 1));
  CHECK(has(data_error([&] { map_idx(scratch / "cut.idx"); }), "more data than the file holds"));
  test::spit(scratch / "long.idx", bytes + "x");
  CHECK(has(data_error([&] { map_idx(scratch / "long.idx"); }), "bytes follow"));
}

TEST_CASE("map_raw maps numbers from any place, and finds how many there are") {
  const test::Scratch scratch;
  const Tensor values = arange(24, DType::i32);
  std::string bytes = "12345678";
  bytes.append(static_cast<const char*>(values.bytes()), 96);
  test::spit(scratch / "a.bin", bytes);
  CHECK(same_bits(map_raw(scratch / "a.bin", {-1, 3}, DType::i32, 8), values.reshape({8, 3})));
  CHECK(same_bits(map_raw(scratch / "a.bin", {2, 3}, DType::i32, 8), values.rows(0, 6).reshape({2, 3})));
  CHECK(map_raw(scratch / "a.bin", {-1}, DType::u8).size() == 104);
  CHECK(map_raw(scratch / "a.bin", {-1}, DType::u8, 104).size() == 0);
  CHECK(has(data_error([&] { map_raw(scratch / "a.bin", {-1, 5}, DType::i32, 8); }), "not a whole number"));
  CHECK(has(data_error([&] { map_raw(scratch / "a.bin", {25}, DType::i32, 8); }), "is expected here"));
  CHECK(has(data_error([&] { map_raw(scratch / "a.bin", {3}, DType::i32, 2); }), "not aligned"));
  CHECK(has(data_error([&] { map_raw(scratch / "a.bin", {3}, DType::i32, 105); }), "offset in 0 ... 104"));
  CHECK(has(data_error([&] { map_raw(scratch / "a.bin", {3}, DType::i32, -4); }), "offset"));
  CHECK(has(data_error([&] { map_raw(scratch / "a.bin", {-1, 0}, DType::i32); }), "not a whole number"));
  CHECK_THROWS_AS(map_raw(scratch / "a.bin", {-1, -1}, DType::i32), ShapeError);
  CHECK_THROWS_AS(map_raw(scratch / "a.bin", {-2}, DType::u8), ShapeError);
}
