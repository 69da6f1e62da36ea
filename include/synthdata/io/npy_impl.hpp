// synthdata/io/npy_impl.hpp: bodies of io/npy.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/io/file.hpp>
#include <synthdata/io/json.hpp>
#include <synthdata/io/npy.hpp>

#include <algorithm>
#include <bit>
#include <charconv>

namespace synthdata {

static_assert(std::endian::native == std::endian::little, "the file formats here are written in native byte order");

namespace detail {

inline constexpr const char* npy_dtypes[] = {"<f4", "<f8", "|u1", "<i4", "<i8", "|b1"};  // in DType's order
inline constexpr std::int64_t max_npy_header = 1 << 16;

/// Reads the header, a Python dictionary with the keys descr, fortran_order and shape, and no other Python.
class NpyHeader {
 public:
  NpyHeader(const std::string& path, std::int64_t first_byte, std::string_view text)
      : path_(path), first_byte_(first_byte), text_(text) {}

  void parse() {
    expect('{');
    bool seen_descr = false, seen_order = false, seen_shape = false;
    while (!take('}')) {
      const std::string_view key = quoted_text();
      expect(':');
      if (key == "descr" && !seen_descr) {
        seen_descr = true;
        parse_descr();
      } else if (key == "fortran_order" && !seen_order) {
        seen_order = true;
        if (take_word("True")) fail("expects C order, this array is in Fortran order (use numpy.ascontiguousarray)");
        if (!take_word("False")) fail("expected True or False");
      } else if (key == "shape" && !seen_shape) {
        seen_shape = true;
        parse_shape();
      } else {
        fail(concat("the key ", in_quotes(key), " is unknown or comes twice"));
      }
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    skip_blanks();
    if (at_ < text_.size()) fail("expected the end of the header");
    if (!seen_descr || !seen_order || !seen_shape) fail("expects the keys descr, fortran_order and shape");
  }

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }

 private:
  [[noreturn]] SYNTHDATA_COLD void fail(const std::string& text) const {
    throw_data_at(path_, first_byte_ + static_cast<std::int64_t>(at_), "npy: " + text);
  }
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool take(char c) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take_word(std::string_view word) {
    skip_blanks();
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail(concat("expected ", c));
  }
  std::string_view quoted_text() {
    const char quote = take('\'') ? '\'' : '"';
    if (quote == '"') expect('"');
    const std::size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) fail("a string without end");
    const std::string_view inside = text_.substr(at_, end - at_);
    at_ = end + 1;
    return inside;
  }
  void parse_descr() {
    skip_blanks();
    if (at_ < text_.size() && text_[at_] == '[') fail("records of several fields are not supported");
    const std::string_view descr = quoted_text();
    const auto* const known = std::find(std::begin(npy_dtypes), std::end(npy_dtypes), descr);
    if (known == std::end(npy_dtypes))
      fail(concat("expects a type of <f4 <f8 |u1 <i4 <i8 |b1, got ", in_quotes(descr)));
    dtype_ = static_cast<DType>(known - std::begin(npy_dtypes));
  }
  void parse_shape() {
    expect('(');
    while (!take(')')) {
      skip_blanks();
      std::int64_t extent = 0;
      const auto result = std::from_chars(text_.data() + at_, text_.data() + text_.size(), extent);
      if (result.ec != std::errc() || extent < 0) fail("an extent is not a whole number >= 0 within 64 bits");
      at_ = static_cast<std::size_t>(result.ptr - text_.data());
      if (shape_.rank() == Shape::max_rank) fail(concat("expects at most ", Shape::max_rank, " axes"));
      shape_.push_back(extent);
      if (!take(',')) {
        expect(')');
        break;
      }
    }
  }

  const std::string& path_;
  std::int64_t first_byte_;
  std::string_view text_;
  std::size_t at_ = 0;
  DType dtype_ = DType::f32;
  Shape shape_;
};

/// What stands before the elements: they start at a multiple of 64 bytes.
SYNTHDATA_INLINE std::string npy_head(const std::string& name, const Tensor& tensor) {
  if (!tensor.defined()) throw DataError(concat(name, ": cannot write an undefined tensor"));
  std::string shape;
  for (const std::int64_t extent : tensor.shape()) shape += concat(shape.empty() ? "" : ", ", extent);
  if (tensor.rank() == 1) shape += ",";  // Python's tuple of one
  std::string text = concat("{'descr': '", npy_dtypes[static_cast<std::size_t>(tensor.dtype())],
                            "', 'fortran_order': False, 'shape': (", shape, "), }");
  text.append(63 - (10 + text.size()) % 64, ' ');  // with the newline
  text += '\n';
  const auto length = static_cast<std::uint16_t>(text.size());
  std::string head("\x93NUMPY\x01\x00\0\0", 10);
  std::memcpy(head.data() + 8, &length, sizeof length);
  return head + text;
}

/// What an array of a file or archive is, checked against its size.
struct NpyLayout {
  DType dtype;
  Shape shape;
  std::int64_t data_start, bytes;
};

/// Reads what stands before the elements of an array of `size` bytes.
/// @param read  read(into, bytes) gives the next bytes   @param name  for messages
template <class Read>
NpyLayout npy_layout(const std::string& name, std::int64_t size, Read&& read) {
  unsigned char start[12] = {};
  read(start, 10);
  if (std::memcmp(start, "\x93NUMPY", 6) != 0) throw_data_at(name, 0, "npy: expects the bytes 0x93 \"NUMPY\"");
  const int version = start[6];
  if (version < 1 || version > 3 || start[7] != 0) {
    throw_data_at(name, 6, concat("npy: expects version 1.0, 2.0 or 3.0, got ", version, ".", int{start[7]}));
  }
  const std::int64_t header_start = version == 1 ? 10 : 12;
  if (version > 1) read(start + 10, 2);
  std::uint32_t length = 0;
  std::memcpy(&length, start + 8, version == 1 ? 2 : 4);
  if (length > max_npy_header || length > size - header_start) {
    throw_data_at(name, 8,
                  concat("npy: the header claims ", length, " bytes, ", size - header_start,
                         " are left in the file and ", max_npy_header, " are accepted"));
  }
  std::string text(length, '\0');
  read(text.data(), length);
  NpyHeader header(name, header_start, text);
  header.parse();

  const std::int64_t data_start = header_start + length, data_bytes = size - data_start;
  std::int64_t count = 0, bytes = 0;
  if (!header.shape().count(count) ||
      __builtin_mul_overflow(count, static_cast<std::int64_t>(size_of(header.dtype())), &bytes)) {
    throw_data_at(name, header_start, concat("npy: shape ", header.shape(), " overflows 64 bits"));
  }
  if (bytes != data_bytes) {
    throw_data_at(name, data_start,
                  concat("npy: ", header.shape(), " ", header.dtype(), " needs ", bytes,
                         " bytes of data, the file has ", data_bytes));
  }
  return {header.dtype(), header.shape(), data_start, bytes};
}
/// The same of a file.
SYNTHDATA_INLINE NpyLayout npy_layout(const InputFile& file) {
  std::int64_t at = 0;
  return npy_layout(file.path(), file.size(), [&](void* into, std::int64_t bytes) {
    file.read_at(at, into, bytes);
    at += bytes;
  });
}

/// @throws DataError for a bool of another value, which would be undefined behaviour.
SYNTHDATA_INLINE void check_npy_bools(const std::string& name, const NpyLayout& layout, const void* elements) {
  if (layout.dtype != DType::boolean) return;
  const auto* const data = static_cast<const unsigned char*>(elements);
  const auto* const bad = std::find_if(data, data + layout.bytes, [](unsigned char byte) { return byte > 1; });
  if (bad != data + layout.bytes)
    throw_data_at(name, layout.data_start + (bad - data), "npy: a bool is neither 0 nor 1");
}

/// Reads a whole array; see npy_layout.
template <class Read>
Tensor read_npy_from(const std::string& name, std::int64_t size, Read&& read) {
  const NpyLayout layout = npy_layout(name, size, read);
  Tensor tensor = Tensor::empty(layout.shape, layout.dtype, Device::cpu());
  read(tensor.bytes(), layout.bytes);
  check_npy_bools(name, layout, tensor.bytes());
  return tensor;
}

}  // namespace detail

SYNTHDATA_INLINE void write_npy(const std::string& path, const Tensor& tensor) {
  const std::string head = detail::npy_head(path, tensor);
  AtomicFile file(path);
  file.write(head);
  file.write(tensor.bytes(), tensor.size_bytes());
  file.commit();
}

SYNTHDATA_INLINE Tensor read_npy(const std::string& path) {
  const InputFile file(path);
  std::int64_t at = 0;
  return detail::read_npy_from(path, file.size(), [&](void* into, std::int64_t bytes) {
    file.read_at(at, into, bytes);
    at += bytes;
  });
}

}  // namespace synthdata
