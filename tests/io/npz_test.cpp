// tests/io/npz_test.cpp: archives of NumPy's and our own, and hostile ones.
//
// SPDX-License-Identifier: MIT
#include <synthdata/io/gzip.hpp>
#include <synthdata/io/npz.hpp>

#include "../test.hpp"
#include "files.hpp"

using namespace synthdata;
using test::data_error, test::has, test::slurp, test::spit;

namespace {
// as in tests/reference/make_files.py
Archive known() {
  Archive archive;
  Tensor floats = Tensor::zeros({2, 3, 4}), counts = Tensor::zeros({1000}, DType::i64),
         flags = Tensor::zeros({3}, DType::boolean);
  for (int i = 0; i < 24; ++i) floats.data<float>()[i] = static_cast<float>(i) / 8.0f;
  for (int i = 0; i < 1000; ++i) counts.data<std::int64_t>()[i] = i - 500;
  flags.data<bool>()[0] = flags.data<bool>()[2] = true;
  archive.add("floats", floats);
  archive.add("nested/counts", counts);
  archive.add("flags", flags);
  archive.add("nothing", Tensor::zeros({0, 3}, DType::f64));
  return archive;
}
void check_same(const Archive& a, const Archive& b) {
  REQUIRE(a.tensors.size() == b.tensors.size());
  for (std::size_t i = 0; i < a.tensors.size(); ++i) {
    CHECK(a.tensors[i].name == b.tensors[i].name);
    CHECK(same_bits(a.tensors[i].tensor, b.tensors[i].tensor));
  }
}
std::string patched(std::string bytes, std::size_t at, std::string_view with) {
  return bytes.replace(at, with.size(), with);
}
}  // namespace

TEST_CASE("archives that numpy wrote are read, stored and deflated") {
  check_same(read_npz(test::reference("files/stored.npz")), known());
  check_same(read_npz(test::reference("files/deflated.npz")), known());
}

TEST_CASE("archives are the same when they are read again") {
  const test::Scratch scratch;
  for (const bool compressed : {false, true}) {
    write_npz(scratch / "a.npz", known(), {.compressed = compressed});
    check_same(read_npz(scratch / "a.npz"), known());
    const std::string bytes = slurp(scratch / "a.npz");
    write_npz(scratch / "a.npz", known(), {.compressed = compressed});
    CHECK(slurp(scratch / "a.npz") == bytes);
  }
  write_npz(scratch / "none.npz", {});
  CHECK(read_npz(scratch / "none.npz").tensors.empty());
  CHECK(has(data_error([&] { read_npz(test::reference("files/stored.npz"), 1000); }), "the limit is 1000"));

  const auto refused = [&](const std::string& name) {
    Archive archive;
    archive.add(name, Tensor::zeros({1}));
    return data_error([&] { write_npz(scratch / "b.npz", archive); });
  };
  CHECK(has(refused(""), "is empty"));
  CHECK(has(refused("/etc/a"), "leaves its folder"));
  CHECK(has(refused("a/../../b"), "leaves its folder"));
  CHECK(has(refused("c:a"), "leaves its folder"));
  CHECK(has(refused("a\nb"), "control"));
  CHECK(has(refused("\xff"), "UTF-8"));
  CHECK(refused("a..b/c").empty());
  Archive twice = known();
  twice.add("flags", Tensor::zeros({1}));
  CHECK(has(data_error([&] { write_npz(scratch / "b.npz", twice); }), "two tensors"));
  twice = {};
  twice.metadata["a"] = "b";
  CHECK(has(data_error([&] { write_npz(scratch / "b.npz", twice); }), "metadata"));
}

TEST_CASE("hostile archives are errors that name the member") {
  const test::Scratch scratch;
  const std::string path = scratch / "h.npz";
  Archive two;
  two.add("a", Tensor::zeros({1000}));
  two.add("b", Tensor::zeros({1000}));
  write_npz(path, two, {.compressed = false});
  const std::string good = slurp(path);
  write_npz(path, two);
  const std::string packed = slurp(path);
  const auto error_of = [&](const std::string& bytes) {
    spit(path, bytes);
    return data_error([&] { read_npz(path); });
  };
  CHECK(error_of(good).empty());
  const std::size_t first = good.find("PK\1\2"), second = good.find("PK\1\2", first + 4), end = good.find("PK\5\6");
  const std::size_t packed_first = packed.find("PK\1\2");
  CHECK(has(error_of(""), "is not there"));
  CHECK(has(error_of(good.substr(0, good.size() - 1)), "is not there"));
  CHECK(has(error_of(good + "x"), "is not there"));
  CHECK(has(error_of(good.substr(1)), "not where it is"));
  CHECK(has(error_of(patched(good, end + 10, "\xff\xff").replace(end + 8, 2, "\xff\xff")), "ZIP64"));
  CHECK(has(error_of(patched(good, end + 8, std::string("\3\0\3\0", 4))), "directory of 3 members"));
  CHECK(has(error_of(patched(good, second + 46, "a")), "another header"));
  CHECK(
      has(error_of(patched(patched(good, second + 46, "a"), good.find("b.npy"), "a")), "two members are called \"a\""));
  CHECK(has(error_of(patched(good, second + 42, std::string(4, '\0')).replace(second + 46, 1, "a")), "overlap"));
  CHECK(has(error_of(patched(good, first + 20, "\xf0\xff\xff\x7f\xf0\xff\xff\x7f")), "lies outside"));
  CHECK(has(error_of(patched(good, first + 42, "\xf0\xff\xff\x7f")), "lies outside"));
  CHECK(has(error_of(patched(good, first + 24, "\xf0\xff\xff\x7f")), "cannot hold"));
  CHECK(has(error_of(patched(packed, packed_first + 24, "\xf0\xff\xff\x7f")), "cannot hold"));
  CHECK(has(error_of(patched(good, first + 16, "abcd")), "another checksum"));
  CHECK(has(error_of(patched(good, first + 8, "\1")), "encrypted"));
  CHECK(has(error_of(patched(good, first + 10, "\14")), "method 12"));
  CHECK(has(error_of(patched(patched(good, first + 46, "/"), good.find("a.npy"), "/")), "leaves its folder"));
  CHECK(has(error_of(patched(patched(good, first + 50, "z"), good.find("a.npy") + 4, "z")), "not a .npy"));
  // a size that is too small or too large for what is packed
  const auto packed_claims = [&](int change) {
    const auto size = static_cast<unsigned char>(packed[packed_first + 24]);
    return error_of(patched(packed, packed_first + 24, std::string(1, static_cast<char>(size + change))));
  };
  CHECK(has(packed_claims(-1), "of data, the file has"));
  CHECK(has(packed_claims(1), "of data, the file has"));
  Rng rng(5);
  for (int i = 0; i < 2000; ++i) {
    try {
      error_of(test::mutate(i % 2 ? good : packed, rng));
    } catch (const Error&) {
    }
  }
}
