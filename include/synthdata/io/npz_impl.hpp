// synthdata/io/npz_impl.hpp: bodies of io/npz.hpp. Source of the format: PKWARE's APPNOTE.TXT 6.3, sections 4.3
// and 4.4.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/io/gzip_impl.hpp>
#include <synthdata/io/npy_impl.hpp>
#include <synthdata/io/npz.hpp>
#include <synthdata/io/utf8.hpp>

#include <algorithm>
#include <limits>
#include <memory>

namespace synthdata {
namespace detail {

inline constexpr std::uint32_t zip_local = 0x04034b50, zip_central = 0x02014b50, zip_end = 0x06054b50;

/// Little-endian numbers at a place in bytes.
inline std::uint32_t zip_u16(std::string_view bytes, std::size_t at) {
  std::uint16_t value = 0;
  std::memcpy(&value, bytes.data() + at, 2);
  return value;
}
inline std::uint32_t zip_u32(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data() + at, 4);
  return value;
}
inline void put_u16(std::string& out, std::size_t value) {
  out += static_cast<char>(value & 0xff);
  out += static_cast<char>(value >> 8 & 0xff);
}
inline void put_u32(std::string& out, std::size_t value) {
  put_u16(out, value & 0xffff);
  put_u16(out, value >> 16 & 0xffff);
}

/// What is wrong with the name of a member; null if nothing is.
SYNTHDATA_INLINE const char* zip_name_fault(std::string_view name) {
  if (name.empty() || name == ".npy") return "is empty";
  if (name.size() > 0xffff) return "is too long";
  if (find_not_utf8(name) != std::string_view::npos) return "is not UTF-8";
  if (name.front() == '/' || name.find('\\') != std::string_view::npos || name.find(':') != std::string_view::npos) {
    return "is a path that leaves its folder";
  }
  for (std::size_t at = 0; at <= name.size();) {
    const std::size_t end = std::min(name.find('/', at), name.size());
    if (name.substr(at, end - at) == "..") return "is a path that leaves its folder";
    at = end + 1;
  }
  const bool control = std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 32; });
  return control ? "has control characters" : nullptr;
}

struct ZipMember {
  std::string name;
  std::uint32_t method = 0, crc = 0;
  std::int64_t packed = 0, size = 0, header = 0, start = 0;  ///< bytes; offsets of its header and its data
};

/// The members of an archive, from its directory, none overlapping another.
SYNTHDATA_INLINE std::vector<ZipMember> zip_members(const InputFile& file) {
  const std::string& path = file.path();
  const auto bytes_at = [&](std::int64_t at, std::int64_t count) {
    std::string bytes(static_cast<std::size_t>(count), '\0');
    file.read_at(at, bytes.data(), count);
    return bytes;
  };
  constexpr std::int64_t end_bytes = 22, entry_bytes = 46, local_bytes = 30;
  const std::int64_t tail_size = std::min<std::int64_t>(file.size(), end_bytes + 0xffff);
  const std::string tail = bytes_at(file.size() - tail_size, tail_size);
  std::int64_t end = tail_size - end_bytes;  // the record is the last one whose comment reaches the end of the file
  const auto fits = [&](std::int64_t at) {
    const auto place = static_cast<std::size_t>(at);
    return zip_u32(tail, place) == zip_end && at + end_bytes + zip_u16(tail, place + 20) == tail_size;
  };
  while (end >= 0 && !fits(end)) --end;
  if (end < 0) throw_data_at(path, file.size(), "npz: expects a ZIP archive, its directory is not there");
  const auto at = static_cast<std::size_t>(end);
  const std::int64_t end_offset = file.size() - tail_size + end;
  const std::uint32_t count = zip_u16(tail, at + 10);
  const std::int64_t size = zip_u32(tail, at + 12), offset = zip_u32(tail, at + 16);
  if (zip_u16(tail, at + 4) != 0 || zip_u16(tail, at + 6) != 0 || zip_u16(tail, at + 8) != count) {
    throw_data_at(path, end_offset, "npz: archives in several parts are not supported");
  }
  if (count == 0xffff || offset == 0xffffffff) throw_data_at(path, end_offset, "npz: ZIP64 is not supported");
  if (offset + size != end_offset || size < count * entry_bytes) {
    throw_data_at(path, end_offset,
                  concat("npz: the directory of ", count, " members claims ", size, " bytes from ", offset,
                         " on, which is not where it is"));
  }
  const std::string directory = bytes_at(offset, size);
  std::vector<ZipMember> members;
  std::size_t place = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::int64_t here = offset + static_cast<std::int64_t>(place);
    if (directory.size() - place < entry_bytes || zip_u32(directory, place) != zip_central) {
      throw_data_at(path, here, concat("npz: expects the entry of member ", i));
    }
    const std::size_t name_bytes = zip_u16(directory, place + 28);
    const std::size_t more = name_bytes + zip_u16(directory, place + 30) + zip_u16(directory, place + 32);
    if (directory.size() - place - entry_bytes < more) throw_data_at(path, here, "npz: an entry beyond the directory");
    ZipMember member{.name = directory.substr(place + entry_bytes, name_bytes),
                     .method = zip_u16(directory, place + 10),
                     .crc = zip_u32(directory, place + 16),
                     .packed = zip_u32(directory, place + 20),
                     .size = zip_u32(directory, place + 24),
                     .header = zip_u32(directory, place + 42)};
    const auto fail = [&](std::string_view what) {
      throw_data_at(path, here, concat("npz: member ", in_quotes(member.name), " ", what));
    };
    if (const char* fault = zip_name_fault(member.name)) fail(fault);
    if (!member.name.ends_with(".npy")) fail("is not a .npy file");
    member.name.resize(member.name.size() - 4);
    if (zip_u16(directory, place + 8) & 1) fail("is encrypted");
    if (member.method != 0 && member.method != 8) fail(concat("is packed by method ", member.method, ", not 0 or 8"));
    if (member.packed == 0xffffffff || member.size == 0xffffffff) fail("is of ZIP64, which is not supported");
    // deflate makes at most 258 bytes of two bits
    if (member.method == 0 ? member.size != member.packed : member.size / 1032 > member.packed) {
      fail(concat("claims ", member.size, " bytes unpacked, which its ", member.packed, " cannot hold"));
    }
    if (member.header + local_bytes > offset) fail("lies outside of the archive");
    const std::string local = bytes_at(member.header, local_bytes);
    const std::int64_t local_name = zip_u16(local, 26);
    member.start = member.header + local_bytes + local_name + zip_u16(local, 28);
    if (zip_u32(local, 0) != zip_local || zip_u16(local, 8) != member.method ||
        local_name != static_cast<std::int64_t>(name_bytes) || member.start > offset ||
        bytes_at(member.header + local_bytes, local_name) != member.name + ".npy") {
      fail("has another header than the directory says");
    }
    if (member.packed > offset - member.start) fail("lies outside of the archive");
    members.push_back(std::move(member));
    place += entry_bytes + more;
  }
  if (place != directory.size()) throw_data_at(path, offset, "npz: the directory is longer than its entries");

  std::vector<const ZipMember*> order;
  for (const ZipMember& member : members) order.push_back(&member);
  std::sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->header < b->header; });
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (order[i - 1]->start + order[i - 1]->packed > order[i]->header) {
      throw_data_at(
          path, order[i]->header,
          concat("npz: members ", in_quotes(order[i - 1]->name), " and ", in_quotes(order[i]->name), " overlap"));
    }
  }
  std::sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->name < b->name; });
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (order[i - 1]->name == order[i]->name) {
      throw DataError(concat(path, ": npz: two members are called ", in_quotes(order[i]->name)));
    }
  }
  return members;
}

/// The bytes of a member from start to end.
class ZipReader {
 public:
  ZipReader(const InputFile& file, const ZipMember& member, const std::string& name)
      : file_(file), member_(member), name_(name) {
    inflater_.next_offset = member.start;
    if (member.method == 8 && ::inflateInit2(&inflater_.stream, -MAX_WBITS) != Z_OK) {
      throw Error("out of memory: cannot start unpacking");
    }
  }

  void read(void* into, std::int64_t bytes) {
    if (bytes > member_.size - done_) fail(concat("ends here, ", bytes, " more bytes were expected"));
    auto* to = static_cast<unsigned char*>(into);
    if (member_.method == 0) {
      file_.read_at(member_.start + done_, to, bytes);
    } else {
      inflate(to, bytes);
    }
    done_ += bytes;
    for (std::int64_t at = 0; at < bytes; at += 1 << 30) {
      crc_ = ::crc32(crc_, to + at, static_cast<uInt>(std::min<std::int64_t>(bytes - at, 1 << 30)));
    }
  }
  /// After the last byte.
  void finish() {
    if (member_.method == 8) {
      unsigned char more = 0;
      inflater_.stream.next_out = &more;
      inflater_.stream.avail_out = 1;
      while (!inflater_.finished && inflater_.stream.avail_out == 1) step();
      const std::int64_t left = member_.start + member_.packed - inflater_.next_offset + inflater_.stream.avail_in;
      if (inflater_.stream.avail_out == 0 || left > 0) fail("is longer than it claims");
    }
    if (crc_ != member_.crc) fail("has another checksum than it claims");
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw_data_at(name_, done_, "npz: the member " + what); }
  void step() {
    z_stream& stream = inflater_.stream;
    if (stream.avail_in == 0) {
      const std::int64_t count = std::min<std::int64_t>(member_.start + member_.packed - inflater_.next_offset,
                                                        static_cast<std::int64_t>(sizeof inflater_.input));
      if (count == 0) fail("is cut off");
      file_.read_at(inflater_.next_offset, inflater_.input, count);
      inflater_.next_offset += count;
      stream.next_in = inflater_.input;
      stream.avail_in = static_cast<uInt>(count);
    }
    const int status = ::inflate(&stream, Z_NO_FLUSH);
    inflater_.finished = status == Z_STREAM_END;
    if (status == Z_MEM_ERROR) throw Error(concat(name_, ": out of memory while unpacking"));
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
      fail(concat("is corrupt: ", stream.msg ? stream.msg : "not deflated data"));
    }
  }
  void inflate(unsigned char* to, std::int64_t bytes) {
    for (std::int64_t at = 0; at < bytes;) {
      if (inflater_.finished) fail("unpacks to less than it claims");
      const auto room = static_cast<uInt>(std::min<std::int64_t>(bytes - at, 1 << 30));
      inflater_.stream.next_out = to + at;
      inflater_.stream.avail_out = room;
      step();
      at += room - inflater_.stream.avail_out;
    }
  }

  const InputFile& file_;
  const ZipMember& member_;
  const std::string& name_;
  Inflater inflater_;
  std::int64_t done_ = 0;
  uLong crc_ = 0;
};

}  // namespace detail

SYNTHDATA_INLINE Archive read_npz(const std::string& path, std::int64_t max_bytes) {
  const InputFile file(path);
  const std::vector<detail::ZipMember> members = detail::zip_members(file);
  std::int64_t bytes = 0;
  for (const detail::ZipMember& member : members) bytes += member.size;  // 2^16 members of less than 2^32 bytes
  if (bytes > max_bytes) throw DataError(concat(path, ": unpacks to ", bytes, " bytes, the limit is ", max_bytes));
  Archive archive;
  for (const detail::ZipMember& member : members) {
    const std::string name = concat(path, ", member ", in_quotes(member.name));
    detail::ZipReader reader(file, member, name);
    Tensor tensor =
        detail::read_npy_from(name, member.size, [&](void* into, std::int64_t count) { reader.read(into, count); });
    reader.finish();
    archive.add(member.name, tensor);
  }
  return archive;
}

SYNTHDATA_INLINE void write_npz(const std::string& path, const Archive& archive, const NpzOptions& options) {
  const auto fail = [&](const std::string& what) { throw DataError(concat(path, ": npz: ", what)); };
  if (!archive.metadata.empty()) fail("has no place for metadata");
  std::vector<std::string_view> names;
  for (const NamedTensor& tensor : archive.tensors) names.push_back(tensor.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) fail(concat("two tensors are called ", in_quotes(*twice)));
  if (names.size() >= 0xffff) fail("expects less than 65535 tensors");

  AtomicFile file(path);
  std::string directory;
  std::size_t offset = 0;
  constexpr std::size_t most = 0xffffffff;
  for (const auto& [name, tensor] : archive.tensors) {
    const std::string member = name + ".npy";
    if (const char* fault = detail::zip_name_fault(member)) fail(concat("name ", in_quotes(name), " ", fault));
    const std::string head = detail::npy_head(concat(path, ", member ", in_quotes(name)), tensor);
    const std::size_t size = head.size() + static_cast<std::size_t>(tensor.size_bytes());
    if (size >= most) fail(concat("tensor ", in_quotes(name), " is of 4 GB or more"));
    const std::string_view data(static_cast<const char*>(tensor.bytes()),
                                static_cast<std::size_t>(tensor.size_bytes()));
    std::string packed;
    if (options.compressed) packed = detail::deflate_bytes(head + std::string(data), 6, -MAX_WBITS);
    const std::size_t packed_size = options.compressed ? packed.size() : size;
    uLong crc = ::crc32_z(0, reinterpret_cast<const Bytef*>(head.data()), head.size());
    crc = data.empty() ? crc : ::crc32_z(crc, reinterpret_cast<const Bytef*>(data.data()), data.size());
    std::string common;  // what both headers have: version, flags, method, date, checksum, sizes, lengths
    detail::put_u16(common, 20);
    detail::put_u16(common, 0x0800);  // the name is UTF-8
    detail::put_u16(common, options.compressed ? 8 : 0);
    detail::put_u16(common, 0);
    detail::put_u16(common, 0x0021);  // the first of January 1980: the same tensors give the same file
    detail::put_u32(common, crc);
    detail::put_u32(common, packed_size);
    detail::put_u32(common, size);
    detail::put_u16(common, member.size());
    detail::put_u16(common, 0);

    std::string local;
    detail::put_u32(local, detail::zip_local);
    local += common + member;
    detail::put_u32(directory, detail::zip_central);
    detail::put_u16(directory, 20);
    directory += common;
    directory.append(10, '\0');  // no comment, first part, no attributes
    detail::put_u32(directory, offset);
    directory += member;
    file.write(local);
    if (options.compressed) {
      file.write(packed);
    } else {
      file.write(head);
      file.write(data);
    }
    offset += local.size() + packed_size;
    if (offset + directory.size() >= most) fail("4 GB or more in all");
  }
  std::string end;
  detail::put_u32(end, detail::zip_end);
  detail::put_u32(end, 0);
  detail::put_u16(end, archive.tensors.size());
  detail::put_u16(end, archive.tensors.size());
  detail::put_u32(end, directory.size());
  detail::put_u32(end, offset);
  detail::put_u16(end, 0);
  file.write(directory + end);
  file.commit();
}

}  // namespace synthdata
