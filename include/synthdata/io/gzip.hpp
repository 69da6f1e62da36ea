// synthdata/io/gzip.hpp: reads plain or gzip-compressed files in pieces of bounded size; writes gzip.
//
// What a file is shows in its first two bytes, not in its name. Unpacking stops at a stated limit, so that a small file
// that unpacks to terabytes is an error instead of the end of the memory.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/owned.hpp>
#include <synthdata/io/file.hpp>

namespace synthdata {

namespace detail {
struct Inflater;
}  // namespace detail

/// Reads a plain or gzip file from start to end; a gzip file of several members reads as their concatenation.
class UnpackedFile {
 public:
  /// @throws DataError if the file cannot be opened.
  explicit UnpackedFile(const std::string& path);
  UnpackedFile(UnpackedFile&&) noexcept;
  UnpackedFile& operator=(UnpackedFile&&) noexcept;
  ~UnpackedFile();

  /// Fills `into` with the next bytes and returns how many there were: fewer than asked only at the end.
  /// @throws DataError naming file and byte if the stream is corrupt, truncated or followed by something else.
  std::int64_t read_some(void* into, std::int64_t bytes);
  /// The same, but the end of the file is an error: `what` was expected.
  void read(void* into, std::int64_t bytes, const char* what);

  /// Unpacked bytes read so far.
  std::int64_t position() const { return position_; }
  /// The file cannot unpack to more bytes than this; exact if it is plain.
  std::int64_t bound() const;
  const std::string& path() const { return file_.path(); }

 private:
  std::int64_t inflate_some(unsigned char* into, std::int64_t bytes);

  InputFile file_;
  detail::Owned<detail::Inflater> inflater_;  // null for a plain file
  std::int64_t position_ = 0;
};

/// All bytes of a plain or gzip file, unpacked.
/// @throws DataError if they are more than `max_bytes` (memory stays within twice that), or the stream is corrupt.
std::string read_gzip_or_plain(const std::string& path, std::int64_t max_bytes = default_max_bytes);

/// `bytes` as one gzip member, without name or time: the same bytes give the same file. Level 0 ... 9.
std::string gzip(std::string_view bytes, int level = 6);

/// The zlib stream of `bytes`, as PNG holds it.
std::string deflate_zlib(std::string_view bytes, int level = 6);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/io/gzip_impl.hpp>
#endif
