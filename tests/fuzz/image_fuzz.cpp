// tests/fuzz/image_fuzz.cpp: any bytes as an image file: an image within the limits, or a DataError.
//
// The first byte chooses the options. With its bit 6 the checksums of a PNG's chunks are put right, without which
// hardly any change would get past them.
//
// SPDX-License-Identifier: MIT
#include <synthdata/io/image.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffu;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1u) != 0 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
  }
  return ~crc;
}

void repair_checksums(std::string& png) {
  for (std::size_t at = 8; png.size() >= 12 && at <= png.size() - 12;) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = length << 8 | static_cast<unsigned char>(png[at + i]);
    if (length > png.size() - at - 12) return;
    const std::uint32_t crc = crc32(std::string_view(png).substr(at + 4, length + 4));
    for (std::size_t i = 0; i < 4; ++i) png[at + 8 + length + i] = static_cast<char>(crc >> (24 - 8 * i) & 0xff);
    at += length + 12;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace synthdata;
  if (size == 0) return 0;
  std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if ((data[0] & 64) != 0) repair_checksums(bytes);
  const ImageReadOptions options{.channels = data[0] % 5, .as_float = data[0] >= 128, .max_pixels = 1 << 16};
  try {
    const Tensor image = decode_image(bytes, options);
    if (image.rank() != 3 || image.shape(0) * image.shape(1) > options.max_pixels) std::abort();
    if (options.channels != 0 && image.shape(2) != options.channels) std::abort();
  } catch (const DataError&) {
  } catch (const Error&) {  // built without JPEG
    if (detail::jpeg_codec().decode) std::abort();
  }
  return 0;
}
