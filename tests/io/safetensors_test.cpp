// SPDX-License-Identifier: MIT
#include <synthdata/io/safetensors.hpp>

#include "../test.hpp"
#include "files.hpp"

#include <array>
#include <cstring>
#include <vector>

using namespace synthdata;
using test::data_error, test::has, test::slurp, test::spit;

namespace {

/// A file of this header, which is not padded, and these bytes behind it.
std::string raw(std::string_view header, std::string_view data, std::int64_t claimed = -1) {
  const auto length = static_cast<std::uint64_t>(claimed < 0 ? static_cast<std::int64_t>(header.size()) : claimed);
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes.append(header).append(data);
}

// numpy arrays saved by Python's safetensors 0.8.0:
// {"w": f32 [[1, 2.5], [-3, 4]], "n": i64 [7, -8], "m": [True, False, True], "s": f64 0.5}, metadata {"who": "é"}
constexpr std::string_view python_header =
    "{\"__metadata__\":{\"who\":\"\xc3\xa9\"},\"n\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[0,16]},"
    "\"s\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[16,24]},\"w\":{\"dtype\":\"F32\",\"shape\":[2,2],"
    "\"data_offsets\":[24,40]},\"m\":{\"dtype\":\"BOOL\",\"shape\":[3],\"data_offsets\":[40,43]}}      ";
constexpr std::string_view python_data(
    "\x07\x00\x00\x00\x00\x00\x00\x00\xf8\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\xe0\x3f\x00\x00\x80\x3f"
    "\x00\x00\x20\x40\x00\x00\x40\xc0\x00\x00\x80\x40\x01\x00\x01",
    43);

}  // namespace

TEST_CASE("a file of Python's safetensors is read") {
  const test::Scratch scratch;
  spit(scratch / "a", raw(python_header, python_data));
  const Archive archive = load_safetensors(scratch / "a");
  REQUIRE(archive.tensors.size() == 4);
  CHECK(archive.tensors[0].name == "n");
  CHECK(same_bits(archive.at("w"), Tensor::from(std::vector<float>{1, 2.5f, -3, 4}, {2, 2})));
  CHECK(same_bits(archive.at("n"), Tensor::from(std::vector<std::int64_t>{7, -8})));
  CHECK(same_bits(archive.at("s"), Tensor::scalar(0.5, DType::f64)));
  const std::array<bool, 3> mask = {true, false, true};
  CHECK(same_bits(archive.at("m"), Tensor::from(std::span<const bool>(mask), {3})));
  CHECK(archive.text("who") == "\xc3\xa9");
  CHECK(has(data_error([&] { archive.at("x"); }), "no tensor is called \"x\" among 4"));
  CHECK(has(data_error([&] { archive.text("x"); }), "no entry \"x\""));
  CHECK(archive.find("x") == nullptr);
}

TEST_CASE("safetensors has these bytes: wider types first, the header padded to 8") {
  const test::Scratch scratch;
  Archive archive;
  archive.add("b", Tensor::from(std::vector<std::uint8_t>{1, 2, 3}));
  archive.add("d", Tensor::scalar(0.5, DType::f64));
  archive.metadata["k"] = "v";
  save_safetensors(scratch / "a", archive);
  std::string header = R"({"__metadata__":{"k":"v"},"b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]},)"
                       R"("d":{"dtype":"F64","shape":[],"data_offsets":[0,8]}})";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  CHECK(slurp(scratch / "a") == raw(header, std::string_view("\x00\x00\x00\x00\x00\x00\xe0\x3f\x01\x02\x03", 11)));
}

TEST_CASE("archives survive a round trip in their order") {
  const test::Scratch scratch;
  Archive archive;
  for (const DType dtype : {DType::u8, DType::f64, DType::boolean, DType::f32, DType::i64, DType::i32}) {
    archive.add(concat("layer.0/", dtype, " \"\\\n"), Tensor::ones({3, 5, 1}, dtype));
    archive.add(concat("empty ", dtype), Tensor::ones({2, 0, 7}, dtype));
    archive.add(concat("scalar ", dtype), Tensor::ones({}, dtype));
  }
  archive.metadata = {{"step", "500"}, {"text \"", "line\nline\x01"}, {"", ""}};
  save_safetensors(scratch / "a", archive);
  const Archive again = load_safetensors(scratch / "a");
  CHECK(again.metadata == archive.metadata);
  REQUIRE(again.tensors.size() == archive.tensors.size());
  for (std::size_t i = 0; i < again.tensors.size(); ++i) {
    CHECK(again.tensors[i].name == archive.tensors[i].name);
    CHECK(same_bits(again.tensors[i].tensor, archive.tensors[i].tensor));
  }
  save_safetensors(scratch / "b", {});
  CHECK(load_safetensors(scratch / "b").tensors.empty());
  CHECK(scratch.count() == 2);
}

TEST_CASE("an archive that cannot be saved leaves no file") {
  const test::Scratch scratch;
  Archive archive;
  archive.add("a", Tensor::ones({1 << 16}));
  const auto error_of = [&] { return data_error([&] { save_safetensors(scratch / "a", archive); }); };
  {
    const test::FileSizeLimit limit(1 << 12);
    CHECK(has(error_of(), "cannot write: File too large"));
  }
  archive.add("a", Tensor::ones({1}));
  CHECK(has(error_of(), "cannot save two tensors of the name \"a\""));
  archive.tensors[1].name = "__metadata__";
  CHECK(has(error_of(), "cannot save tensor \"__metadata__\""));
  archive.tensors[1].name = "";
  CHECK(has(error_of(), "cannot save tensor \"\""));
  archive.tensors[1] = {"b", Tensor()};
  CHECK(has(error_of(), "cannot save tensor \"b\", undefined"));
  CHECK(scratch.count() == 0);
}

TEST_CASE("hostile safetensors files are errors that name file and place") {
  const test::Scratch scratch;
  const std::string path = scratch / "h";
  const auto error_of = [&](const std::string& bytes) {
    spit(path, bytes);
    const std::string text = data_error([&] { load_safetensors(path); });
    CHECK(has(text, path));
    return text;
  };
  const std::string eight(8, '\0');
  const auto one = [&](std::string_view dtype, std::string_view shape, std::string_view offsets) {
    return error_of(
        raw(concat(R"({"w":{"dtype":)", dtype, R"(,"shape":)", shape, R"(,"data_offsets":)", offsets, "}}"), eight));
  };
  const auto two = [&](std::string_view first, std::string_view second, std::size_t bytes) {
    return error_of(raw(concat(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)", first,
                               R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)", second, "}}"),
                        std::string(bytes, '\0')));
  };
  REQUIRE(data_error([&] {
            spit(path, raw(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", eight));
            load_safetensors(path);
          }).empty());

  SECTION("the header") {
    CHECK(has(error_of(""), "byte 0: the file ends here, 8 more bytes"));
    CHECK(has(error_of("1234567"), "the file ends here"));
    CHECK(has(error_of(raw("{}", "", 3)), "the header claims 3 bytes, 2 are left"));
    CHECK(has(error_of(raw("{}", "", std::int64_t{1} << 62)), "the header claims"));
    CHECK(has(error_of(std::string(8, '\xff') + "{}"), "claims 18446744073709551615 bytes"));
    CHECK(has(error_of(raw("", "")), "byte 8: JSON"));
    CHECK(has(error_of(raw("{\"a\":}", "")), "byte 13: JSON: expected a value"));
    CHECK(has(error_of(raw("[]", "")), "the header is not a JSON object"));
    CHECK(has(error_of(raw(" {}", "")), "the header is not a JSON object"));
    CHECK(has(error_of(raw("{}", "x")), "1 more bytes follow"));
    CHECK(has(error_of(raw(R"({"__metadata__":[]})", "")), "__metadata__ is not an object"));
    CHECK(has(error_of(raw(R"({"__metadata__":{"k":1}})", "")), "\"k\" is not a string"));
    spit(path, raw("{}", "", 100'000'001));
    std::filesystem::resize_file(path, 200'000'000);  // sparse: the length is in the file, but too much
    CHECK(has(data_error([&] { load_safetensors(path); }), "100000000 are accepted"));
  }
  SECTION("one tensor") {
    CHECK(has(one("\"F16\"", "[4]", "[0,8]"), "expects a dtype of F32 F64 U8 I32 I64 BOOL, got \"F16\""));
    CHECK(has(one("3", "[4]", "[0,8]"), "dtype is not a string"));
    CHECK(has(one("\"F32\"", "8", "[0,8]"), "shape is not an array"));
    CHECK(has(one("\"F32\"", "[-2]", "[0,8]"), "shape holds something other than whole numbers"));
    CHECK(has(one("\"F32\"", "[2.0]", "[0,8]"), "shape holds something other than whole numbers"));
    CHECK(has(one("\"F32\"", "[99999999999999999999]", "[0,8]"), "shape holds something other than whole numbers"));
    CHECK(has(one("\"F32\"", "[3]", "[0,8]"), "[3] f32 needs 12 bytes, data_offsets [0,8] give 8"));
    CHECK(has(one("\"F64\"", "[4611686018427387904,4]", "[0,8]"), "overflows 64 bits"));
    CHECK(has(one("\"F32\"", "[1,1,1,1,1,1,2]", "[0,8]"), "at most 6 axes, got 7"));
    CHECK(has(one("\"F32\"", "[2]", "[8,0]"), "are not whole numbers 0 <= begin <= end"));
    CHECK(has(one("\"F32\"", "[2]", "[-8,0]"), "are not whole numbers"));
    CHECK(has(one("\"F32\"", "[2]", "[0.0,8]"), "are not whole numbers"));
    CHECK(has(one("\"F32\"", "[2]", "[0,8,8]"), "not an array of two"));
    CHECK(has(one("\"F32\"", "[2]", "{}"), "not an array of two"));
    CHECK(has(one("\"F32\"", "[4]", "[0,16]"), "reach beyond the end of the file"));
    CHECK(has(one("\"F32\"", "[1]", "[4,8]"), "leave a hole"));
    CHECK(has(one("\"F32\"", "[1]", "[0,4]"), "4 more bytes follow"));
    CHECK(has(one("\"F32\"", "[2]", "[9223372036854775800,9223372036854775807]"), "needs 8 bytes"));
    CHECK(has(error_of(raw(R"({"w":{"dtype":"F32","shape":[2]}})", eight)), "expects an object with dtype"));
    CHECK(has(error_of(raw(R"({"w":1})", eight)), "expects an object with dtype"));
    const std::string header = R"({"w":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}})";
    CHECK(has(error_of(raw(header, "\x01\x02")),
              concat("byte ", 8 + header.size() + 1, ": tensor \"w\": a BOOL is neither 0 nor 1")));
  }
  SECTION("several tensors") {
    CHECK(has(two("[0,4]", "[2,6]", 6), "tensor \"b\": data_offsets [2, 6] overlap"));
    CHECK(has(two("[0,4]", "[0,4]", 4), "overlap"));
    CHECK(has(two("[0,4]", "[6,10]", 10), "tensor \"b\": data_offsets [6, 10] leave a hole"));
    CHECK(has(two("[0,4]", "[4,8]", 7), "reach beyond"));
    CHECK(has(error_of(raw(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{}})", "")),
              "byte 8: JSON: this object holds the name \"a\" twice"));
    const std::string_view backwards =
        R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
    spit(path, raw(backwards, "xy"));
    CHECK(load_safetensors(path).at("a").item() == 'x');  // the header's order is free
  }
}

TEST_CASE("mutated safetensors files load or throw DataError") {
  const test::Scratch scratch;
  const std::string good = raw(python_header, python_data);
  Rng rng{1};
  int loaded = 0;
  for (int i = 0; i < 4000; ++i) {
    spit(scratch / "f", test::mutate(good, rng));
    loaded += data_error([&] { load_safetensors(scratch / "f"); }).empty();
  }
  CHECK(loaded < 2000);  // changes within the elements cannot be seen
}
