// synthdata/io/tensorboard_impl.hpp: bodies of io/tensorboard.hpp.
//
// Field numbers are those of event.proto and summary.proto; the wire format is protobuf's: a key is
// number * 8 + kind, kinds are 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <unistd.h>

#include <synthdata/io/png.hpp>
#include <synthdata/io/tensorboard.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>

namespace synthdata {

static_assert(std::endian::native == std::endian::little, "the file formats here are written in native byte order");

namespace detail {

SYNTHDATA_INLINE std::uint32_t crc32c(std::string_view bytes) {
  static constexpr auto table = [] {
    std::array<std::uint32_t, 256> t = {};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t crc = i;
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78u : 0u);
      t[i] = crc;
    }
    return t;
  }();
  std::uint32_t crc = 0xffffffffu;
  for (const char c : bytes) crc = (crc >> 8) ^ table[(crc ^ static_cast<unsigned char>(c)) & 0xff];
  return ~crc;
}

template <class T>
void append_raw(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

SYNTHDATA_INLINE std::string tfrecord(std::string_view payload) {
  // masked, because the checksum of data that hold their own checksum is weak
  const auto masked = [](std::uint32_t crc) { return std::rotr(crc, 15) + 0xa282ead8u; };
  std::string out;
  append_raw(out, std::uint64_t{payload.size()});
  append_raw(out, masked(crc32c(out)));
  out += payload;
  append_raw(out, masked(crc32c(payload)));
  return out;
}

SYNTHDATA_INLINE void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(static_cast<unsigned char>(value | 0x80));
  out += static_cast<char>(static_cast<unsigned char>(value));
}
SYNTHDATA_INLINE void put_varint(std::string& out, int field, std::int64_t value) {
  append_varint(out, static_cast<std::uint64_t>(field) * 8 + 0);
  append_varint(out, static_cast<std::uint64_t>(value));
}
SYNTHDATA_INLINE void put_double(std::string& out, int field, double value) {
  append_varint(out, static_cast<std::uint64_t>(field) * 8 + 1);
  append_raw(out, value);
}
SYNTHDATA_INLINE void put_bytes(std::string& out, int field, std::string_view bytes) {
  append_varint(out, static_cast<std::uint64_t>(field) * 8 + 2);
  append_varint(out, bytes.size());
  out += bytes;
}

SYNTHDATA_INLINE double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

SYNTHDATA_INLINE std::string event_file_name() {
  static std::atomic<int> counter{0};
  char host[256] = {};
  if (::gethostname(host, sizeof host - 1) != 0 || host[0] == '\0') std::snprintf(host, sizeof host, "localhost");
  std::replace(host, host + sizeof host, '/', '_');
  return concat("events.out.tfevents.", static_cast<std::int64_t>(seconds_since_1970()), ".",
                static_cast<const char*>(host), ".", ::getpid(), ".", counter.fetch_add(1));
}

}  // namespace detail

SYNTHDATA_INLINE TensorBoard::TensorBoard(const std::string& folder)
    : file_(concat(folder, "/", detail::event_file_name())) {
  std::string event;
  detail::put_double(event, 1, detail::seconds_since_1970());
  detail::put_bytes(event, 3, "brain.Event:2");  // file_version: every reader expects it first
  file_.append(detail::tfrecord(event));
}

/// Event{wall_time = 1, step = 2, summary = 5: Summary{value = 1: Value{tag = 1, `field`}}}.
SYNTHDATA_INLINE void TensorBoard::append(std::int64_t step, std::string_view tag, int field, std::string_view value) {
  std::string entry, summary, event;
  detail::put_bytes(entry, 1, tag);
  if (field == 2) {
    detail::append_varint(entry, 2 * 8 + 5);  // simple_value, a float: `value` holds its four bytes
    entry += value;
  } else {
    detail::put_bytes(entry, field, value);
  }
  detail::put_bytes(summary, 1, entry);
  detail::put_double(event, 1, detail::seconds_since_1970());
  detail::put_varint(event, 2, step);
  detail::put_bytes(event, 5, summary);
  file_.append(detail::tfrecord(event));
}

SYNTHDATA_INLINE void TensorBoard::scalar(std::int64_t step, std::string_view tag, double value) {
  std::string bytes;
  detail::append_raw(bytes, static_cast<float>(value));
  append(step, tag, 2, bytes);
}

SYNTHDATA_INLINE void TensorBoard::image(std::int64_t step, std::string_view tag, const Tensor& image) {
  const std::string png = encode_png(image);
  std::string message;  // Image{height = 1, width = 2, colorspace = 3, encoded_image_string = 4}
  detail::put_varint(message, 1, image.shape(0));
  detail::put_varint(message, 2, image.shape(1));
  detail::put_varint(message, 3, image.shape(2));
  detail::put_bytes(message, 4, png);
  append(step, tag, 4, message);
}

SYNTHDATA_INLINE void TensorBoard::histogram(std::int64_t step, std::string_view tag, const Tensor& x) {
  constexpr int bins = 30;
  double low = 0, high = 0, width = 0, sum = 0, squares = 0, count = 0;
  double counts[bins] = {};
  visit_floating(x.dtype(), "histogram", [&]<class T>() {
    for (const T element : x.span<T>()) {
      const auto value = static_cast<double>(element);
      if (!std::isfinite(value)) continue;
      low = count == 0 ? value : std::min(low, value);
      high = count == 0 ? value : std::max(high, value);
      sum += value;
      squares += value * value;
      count += 1;
    }
    width = high / bins - low / bins;  // in this order, since high - low may overflow
    for (const T element : x.span<T>()) {
      const auto value = static_cast<double>(element);
      if (!std::isfinite(value)) continue;
      const double bin = width > 0 ? (value / bins - low / bins) / width * bins : 0;
      counts[std::min(bins - 1, static_cast<int>(bin))] += 1;
    }
  });
  std::string limits, heights, message;  // HistogramProto: 1 ... 5 numbers, bucket_limit = 6, bucket = 7
  for (int bin = 0; bin < bins; ++bin) {
    // where all values are equal the bins get some width, or readers would divide by zero
    const double top = width > 0 ? high : low + std::max(std::abs(low), 1.0) * 1e-5;
    const double part = (bin + 1.0) / bins;
    detail::append_raw(limits, low * (1 - part) + top * part);
    detail::append_raw(heights, counts[bin]);
  }
  detail::put_double(message, 1, low);
  detail::put_double(message, 2, high);
  detail::put_double(message, 3, count);
  detail::put_double(message, 4, sum);
  detail::put_double(message, 5, squares);
  detail::put_bytes(message, 6, limits);
  detail::put_bytes(message, 7, heights);
  append(step, tag, 5, message);
}

}  // namespace synthdata
