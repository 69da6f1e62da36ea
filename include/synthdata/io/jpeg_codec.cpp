// synthdata/io/jpeg_codec.cpp: brings JPEG to io/image.hpp, over libjpeg-turbo. The CMake target synthdata::image
// compiles it into the program that links it.
//
// SPDX-License-Identifier: MIT
#include <synthdata/io/file.hpp>
#include <synthdata/io/image.hpp>

#include <csetjmp>
#include <cstdio>
#include <cstdlib>

#include <jpeglib.h>

namespace synthdata::detail {
namespace {

/// libjpeg calls back into this; it leaves the decoder by a jump to `back`, with the reason in `text`.
struct JpegErrors {
  jpeg_error_mgr manager;
  std::jmp_buf back;
  char text[JMSG_LENGTH_MAX];
};

[[noreturn]] void leave(j_common_ptr info) {
  auto* errors = reinterpret_cast<JpegErrors*>(info->err);
  (*info->err->format_message)(info, errors->text);
  std::longjmp(errors->back, 1);
}
void on_message(j_common_ptr info, int level) {
  if (level < 0) leave(info);  // what libjpeg calls a warning is an image partly made up
}
/// A small file can ask for thousands of passes over a large image.
void on_progress(j_common_ptr info) {
  constexpr int most_scans = 200;
  const auto* decoder = reinterpret_cast<j_decompress_ptr>(info);
  if (decoder->input_scan_number <= most_scans) return;
  auto* errors = reinterpret_cast<JpegErrors*>(info->err);
  std::snprintf(errors->text, sizeof errors->text, "more than %d scans", most_scans);
  std::longjmp(errors->back, 1);
}

void set_up(JpegErrors& errors) {
  jpeg_std_error(&errors.manager);
  errors.manager.error_exit = leave;
  errors.manager.emit_message = on_message;
  errors.text[0] = '\0';
}

/// Everything a decoder needs. Only its own members are touched between setjmp and the jump back.
struct Decoder {
  JpegErrors errors;
  jpeg_decompress_struct info = {};
  jpeg_progress_mgr progress = {};
  bool failed = false;

  Decoder() {
    set_up(errors);
    info.err = &errors.manager;
    if (setjmp(errors.back)) {
      failed = true;
      return;
    }
    jpeg_create_decompress(&info);
    progress.progress_monitor = on_progress;
    info.progress = &progress;
  }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { jpeg_destroy_decompress(&info); }

  bool read_header(const unsigned char* bytes, unsigned long size) {
    if (failed || setjmp(errors.back)) return false;
    jpeg_mem_src(&info, bytes, size);
    jpeg_read_header(&info, TRUE);
    return true;
  }
  /// Rows of `bytes` each.
  bool read_rows(unsigned char* to, std::size_t bytes) {
    if (setjmp(errors.back)) return false;
    jpeg_start_decompress(&info);
    while (info.output_scanline < info.output_height) {
      JSAMPROW row = to + info.output_scanline * bytes;
      jpeg_read_scanlines(&info, &row, 1);
    }
    jpeg_finish_decompress(&info);
    return true;
  }
};

Tensor decode(std::string_view bytes, std::int64_t max_pixels, const std::string& name) {
  Decoder decoder;
  jpeg_decompress_struct& info = decoder.info;
  const auto check = [&](bool done) {
    if (done) return;
    const auto left = info.src ? static_cast<std::int64_t>(info.src->bytes_in_buffer) : 0;
    throw_data_at(name, static_cast<std::int64_t>(bytes.size()) - left,
                  concat("cannot decode the JPEG image: ", decoder.errors.text));
  };
  check(decoder.read_header(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
  const std::int64_t height = info.image_height, width = info.image_width;
  if (width > max_pixels / height) {
    throw DataError(concat(name, ": the image has ", width, " x ", height, " pixels, at most ", max_pixels,
                           " are accepted (max_pixels)"));
  }
  const bool cmyk = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
  const bool grey = info.jpeg_color_space == JCS_GRAYSCALE;
  info.out_color_space = grey ? JCS_GRAYSCALE : cmyk ? JCS_CMYK : JCS_RGB;
  const std::int64_t stored = grey ? 1 : cmyk ? 4 : 3;
  Tensor image = Tensor::empty({height, width, stored}, DType::u8, Device::cpu());
  check(decoder.read_rows(image.data<std::uint8_t>(), static_cast<std::size_t>(width * stored)));
  if (!cmyk) return image;
  Tensor rgb = Tensor::empty({height, width, 3}, DType::u8, Device::cpu());  // Adobe stores inks inverted: 255 is none
  const std::uint8_t* from = image.data<std::uint8_t>();
  std::uint8_t* to = rgb.data<std::uint8_t>();
  for (std::int64_t i = 0; i < height * width; ++i, from += 4) {
    for (int c = 0; c < 3; ++c) *to++ = static_cast<std::uint8_t>((from[c] * from[3] + 127) / 255);
  }
  return rgb;
}

/// The compressed image, in memory of libjpeg's.
struct Encoder {
  JpegErrors errors;
  jpeg_compress_struct info = {};
  unsigned char* bytes = nullptr;
  unsigned long size = 0;

  Encoder() {
    set_up(errors);
    info.err = &errors.manager;
  }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
  ~Encoder() {
    jpeg_destroy_compress(&info);
    std::free(bytes);
  }

  bool run(const std::uint8_t* pixels, unsigned height, unsigned width, int channels, int quality) {
    if (setjmp(errors.back)) return false;
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, &bytes, &size);
    info.image_height = height;
    info.image_width = width;
    info.input_components = channels;
    info.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, quality, TRUE);
    jpeg_start_compress(&info, TRUE);
    const std::size_t row_bytes = static_cast<std::size_t>(width) * static_cast<std::size_t>(channels);
    while (info.next_scanline < height) {
      JSAMPROW row = const_cast<std::uint8_t*>(pixels + info.next_scanline * row_bytes);
      jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    return true;
  }
};

std::string encode(const Tensor& image, int quality) {
  Encoder encoder;
  if (!encoder.run(image.data<std::uint8_t>(), static_cast<unsigned>(image.shape(0)),
                   static_cast<unsigned>(image.shape(1)), static_cast<int>(image.shape(2)), quality)) {
    throw Error(concat("encode_jpeg: ", encoder.errors.text));
  }
  return {reinterpret_cast<const char*>(encoder.bytes), encoder.size};
}

[[maybe_unused]] const bool registered = (jpeg_codec() = {decode, encode}, true);

}  // namespace
}  // namespace synthdata::detail
