// synthdata/io/gzip_impl.hpp: bodies of io/gzip.hpp, over zlib.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/io/gzip.hpp>

#include <zlib.h>

#include <algorithm>
#include <memory>

namespace synthdata {

namespace detail {

struct Inflater {
  Inflater() = default;
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { ::inflateEnd(&stream); }

  z_stream stream = {};
  std::int64_t next_offset = 0;  // in the file, of the byte after those in `input`
  bool finished = false;
  unsigned char input[1 << 16];
};

/// Deflates `bytes`; window_bits chooses the wrapper: 15 is zlib's, 31 gzip's.
SYNTHDATA_INLINE std::string deflate_bytes(std::string_view bytes, int level, int window_bits) {
  z_stream stream = {};
  const int made = ::deflateInit2(&stream, level, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  if (made == Z_STREAM_ERROR) throw NumericError(concat("compression level must be 0 ... 9, got ", level));
  if (made != Z_OK) throw Error("out of memory: cannot start compressing");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> closer(&stream, [](z_stream* s) { return ::deflateEnd(s); });
  std::string out;
  int status = Z_OK;
  for (std::size_t used = 0, filled = 0; status != Z_STREAM_END;) {
    const std::size_t piece = std::min<std::size_t>(bytes.size() - used, 1u << 30);  // zlib counts in 32 bits
    if (filled == out.size()) out.resize(std::max<std::size_t>(1024, std::max(bytes.size() / 4, 2 * out.size())));
    const std::size_t room = std::min<std::size_t>(out.size() - filled, 1u << 30);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + used));  // zlib only reads it
    stream.avail_in = static_cast<uInt>(piece);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + filled);
    stream.avail_out = static_cast<uInt>(room);
    status = ::deflate(&stream, used + piece == bytes.size() ? Z_FINISH : Z_NO_FLUSH);
    used += piece - stream.avail_in;
    filled += room - stream.avail_out;
    if (status == Z_STREAM_END) out.resize(filled);
  }
  return out;
}

}  // namespace detail

SYNTHDATA_INLINE UnpackedFile::UnpackedFile(const std::string& path) : file_(path) {
  unsigned char magic[2] = {};
  if (file_.size() < 2) return;
  file_.read_at(0, magic, 2);
  if (magic[0] != 0x1f || magic[1] != 0x8b) return;
  inflater_ = detail::Owned(new detail::Inflater);
  if (::inflateInit2(&inflater_->stream, 16 + MAX_WBITS) != Z_OK) throw Error("out of memory: cannot start unpacking");
}

SYNTHDATA_INLINE UnpackedFile::UnpackedFile(UnpackedFile&&) noexcept = default;
SYNTHDATA_INLINE UnpackedFile& UnpackedFile::operator=(UnpackedFile&&) noexcept = default;
SYNTHDATA_INLINE UnpackedFile::~UnpackedFile() = default;

SYNTHDATA_INLINE std::int64_t UnpackedFile::bound() const {
  if (!inflater_) return file_.size();
  return file_.size() > (std::int64_t{1} << 50) ? std::int64_t{1} << 60
                                                : file_.size() * 1032;  // 258 bytes for two bits at best
}

SYNTHDATA_INLINE std::int64_t UnpackedFile::inflate_some(unsigned char* into, std::int64_t bytes) {
  detail::Inflater& from = *inflater_;
  z_stream& stream = from.stream;
  const auto read_input = [&] {
    const std::int64_t count =
        std::min<std::int64_t>(file_.size() - from.next_offset, static_cast<std::int64_t>(sizeof from.input));
    file_.read_at(from.next_offset, from.input, count);
    from.next_offset += count;
    stream.next_in = from.input;
    stream.avail_in = static_cast<uInt>(count);
  };
  std::int64_t done = 0;
  const auto fail = [&](const char* text) {
    detail::throw_data_at(path(), from.next_offset - static_cast<std::int64_t>(stream.avail_in),
                          concat("gzip: ", text, " (after ", position_ + done, " unpacked bytes)"));
  };
  while (done < bytes && !from.finished) {
    if (stream.avail_in == 0) {
      read_input();
      if (stream.avail_in == 0) fail("the stream is cut off");
    }
    const auto room = static_cast<uInt>(std::min<std::int64_t>(bytes - done, 1 << 30));
    stream.next_out = into + done;
    stream.avail_out = room;
    const int status = ::inflate(&stream, Z_NO_FLUSH);
    done += room - stream.avail_out;
    if (status == Z_STREAM_END) {
      if (stream.avail_in == 0) read_input();
      if (stream.avail_in == 0) {
        from.finished = true;
      } else if (*stream.next_in != 0x1f) {
        fail("something else follows the stream");
      } else {
        ::inflateReset(&stream);
      }
    } else if (status == Z_MEM_ERROR) {
      throw Error(concat(path(), ": out of memory while unpacking"));
    } else if (status != Z_OK && status != Z_BUF_ERROR) {  // Z_BUF_ERROR: wants more of either, and gets it
      fail(stream.msg ? stream.msg : "the stream is corrupt");
    }
  }
  return done;
}

SYNTHDATA_INLINE std::int64_t UnpackedFile::read_some(void* into, std::int64_t bytes) {
  std::int64_t count = 0;
  if (inflater_) {
    count = inflate_some(static_cast<unsigned char*>(into), bytes);
  } else {
    count = std::min(bytes, file_.size() - position_);
    file_.read_at(position_, into, count);
  }
  position_ += count;
  return count;
}

SYNTHDATA_INLINE void UnpackedFile::read(void* into, std::int64_t bytes, const char* what) {
  const std::int64_t count = read_some(into, bytes);
  if (count != bytes) {
    detail::throw_data_at(path(), position_,
                          concat("the file ends within the ", what, ", ", bytes - count, " more bytes were expected"));
  }
}

SYNTHDATA_INLINE std::string read_gzip_or_plain(const std::string& path, std::int64_t max_bytes) {
  UnpackedFile file(path);
  std::string out;
  std::int64_t filled = 0;
  for (;;) {  // one byte of room beyond the data tells that they have ended
    const std::int64_t want = std::max<std::int64_t>(2 * filled, 1 << 16);
    const std::int64_t room = std::min(want, std::min(file.bound(), max_bytes) + 1);
    out.resize(static_cast<std::size_t>(room));
    filled += file.read_some(out.data() + filled, room - filled);
    if (filled > max_bytes) throw DataError(concat(path, ": unpacks to more than ", max_bytes, " bytes, the limit"));
    if (filled < room) break;
  }
  out.resize(static_cast<std::size_t>(filled));
  return out;
}

SYNTHDATA_INLINE std::string gzip(std::string_view bytes, int level) {
  return detail::deflate_bytes(bytes, level, 16 + MAX_WBITS);
}

SYNTHDATA_INLINE std::string deflate_zlib(std::string_view bytes, int level) {
  return detail::deflate_bytes(bytes, level, MAX_WBITS);
}

}  // namespace synthdata
