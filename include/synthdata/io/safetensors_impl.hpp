// synthdata/io/safetensors_impl.hpp: bodies of io/safetensors.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/io/file.hpp>
#include <synthdata/io/json.hpp>
#include <synthdata/io/safetensors.hpp>

#include <algorithm>
#include <bit>
#include <optional>

namespace synthdata {

static_assert(std::endian::native == std::endian::little, "the file formats here are written in native byte order");

namespace detail {

inline constexpr std::int64_t max_safetensors_header = 100'000'000;  // the limit of the reference implementation
inline constexpr const char* safetensors_dtypes[] = {"F32", "F64", "U8", "I32", "I64", "BOOL"};  // in DType's order

/// What the header says about one tensor; offsets count from the end of the header.
struct SafetensorsEntry {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
  std::int64_t begin = 0, end = 0;
};

/// Checks one member of the header, short of its place among the others.
SYNTHDATA_INLINE SafetensorsEntry parse_safetensors_entry(const std::string& path, const Json::Member& member) {
  const auto fail = [&](const std::string& text) {
    throw DataError(concat(path, ": tensor ", in_quotes(member.key), ": ", text));
  };
  SafetensorsEntry entry;
  entry.name = member.key;
  const Json* const dtype = member.value.find("dtype");
  const Json* const shape = member.value.find("shape");
  const Json* const offsets = member.value.find("data_offsets");
  if (!dtype || !shape || !offsets) fail("expects an object with dtype, shape and data_offsets");

  const auto* const dtype_name = dtype->get_if<std::string>();
  if (!dtype_name) fail("dtype is not a string");
  const auto* const known = std::find(std::begin(safetensors_dtypes), std::end(safetensors_dtypes), *dtype_name);
  if (known == std::end(safetensors_dtypes)) {
    fail(concat("expects a dtype of F32 F64 U8 I32 I64 BOOL, got ", in_quotes(*dtype_name)));
  }
  entry.dtype = static_cast<DType>(known - std::begin(safetensors_dtypes));

  const auto* const extents = shape->get_if<Json::Array>();
  if (!extents) fail("shape is not an array");
  if (extents->size() > Shape::max_rank) {
    fail(concat("expects at most ", Shape::max_rank, " axes, got ", extents->size()));
  }
  for (const Json& json : *extents) {
    const auto* const extent = json.get_if<std::int64_t>();
    if (!extent || *extent < 0) fail("shape holds something other than whole numbers >= 0");
    entry.shape.push_back(*extent);
  }
  std::int64_t count = 0, bytes = 0;
  if (!entry.shape.count(count) ||
      __builtin_mul_overflow(count, static_cast<std::int64_t>(size_of(entry.dtype)), &bytes)) {
    fail(concat("shape ", entry.shape, " overflows 64 bits"));
  }

  const auto* const pair = offsets->get_if<Json::Array>();
  if (!pair || pair->size() != 2) fail("data_offsets is not an array of two");
  const auto* const begin = (*pair)[0].get_if<std::int64_t>();
  const auto* const end = (*pair)[1].get_if<std::int64_t>();
  if (!begin || !end || *begin < 0 || *end < *begin) {
    fail(concat("data_offsets ", offsets->dump(), " are not whole numbers 0 <= begin <= end"));
  }
  if (*end - *begin != bytes) {
    fail(concat(entry.shape, " ", entry.dtype, " needs ", bytes, " bytes, data_offsets ", offsets->dump(), " give ",
                *end - *begin));
  }
  entry.begin = *begin;
  entry.end = *end;
  return entry;
}

/// Throws unless the entries cover the data of the file exactly once.
SYNTHDATA_INLINE void check_safetensors_cover(const std::string& path, const std::vector<SafetensorsEntry>& entries,
                                              std::int64_t data_bytes) {
  std::vector<const SafetensorsEntry*> order;
  for (const SafetensorsEntry& entry : entries) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const SafetensorsEntry* a, const SafetensorsEntry* b) {
    return a->begin != b->begin ? a->begin < b->begin : a->end < b->end;
  });
  std::int64_t covered = 0;
  for (const SafetensorsEntry* entry : order) {
    if (entry->begin != covered || entry->end > data_bytes) {
      const char* const text = entry->end > data_bytes  ? "reach beyond the end of the file"
                               : entry->begin < covered ? "overlap those of another tensor"
                                                        : "leave a hole before them";
      throw DataError(concat(path, ": tensor ", in_quotes(entry->name), ": data_offsets [", entry->begin, ", ",
                             entry->end, "] ", text, " (data so far end at ", covered, ", the file's at ", data_bytes,
                             ")"));
    }
    covered = entry->end;
  }
  if (covered != data_bytes) {
    throw DataError(concat(path, ": the tensors end at byte ", covered, " of the data, but ", data_bytes - covered,
                           " more bytes follow"));
  }
}

}  // namespace detail

SYNTHDATA_INLINE void Archive::add(std::string name, const Tensor& tensor) {
  tensors.push_back({std::move(name), tensor.to(Device::cpu())});
}

SYNTHDATA_INLINE const Tensor* Archive::find(std::string_view name) const {
  for (const NamedTensor& entry : tensors) {
    if (entry.name == name) return &entry.tensor;
  }
  return nullptr;
}

SYNTHDATA_INLINE const Tensor& Archive::at(std::string_view name) const {
  if (const Tensor* tensor = find(name)) return *tensor;
  throw DataError(concat("archive: no tensor is called ", in_quotes(name), " among ", tensors.size()));
}

SYNTHDATA_INLINE const std::string& Archive::text(const std::string& name) const {
  if (const auto found = metadata.find(name); found != metadata.end()) return found->second;
  throw DataError(concat("archive: the metadata have no entry ", in_quotes(name)));
}

SYNTHDATA_INLINE void save_safetensors(const std::string& path, const Archive& archive) {
  std::vector<const NamedTensor*> order;  // of the data: wider types first, so that every tensor is aligned
  std::vector<std::string_view> names;
  for (const NamedTensor& entry : archive.tensors) {
    if (!entry.tensor.defined() || entry.name.empty() || entry.name == "__metadata__") {
      throw DataError(concat(path, ": cannot save tensor ", in_quotes(entry.name), ", ", entry.tensor.str(),
                             ": expects a defined tensor and a name that is not taken"));
    }
    order.push_back(&entry);
    names.push_back(entry.name);
  }
  std::sort(names.begin(), names.end());
  if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end()) {
    throw DataError(concat(path, ": cannot save two tensors of the name ", in_quotes(*twice)));
  }
  std::stable_sort(order.begin(), order.end(), [](const NamedTensor* a, const NamedTensor* b) {
    return size_of(a->tensor.dtype()) > size_of(b->tensor.dtype());
  });
  std::vector<std::int64_t> begins(order.size());
  std::int64_t end = 0;
  for (const NamedTensor* entry : order) {
    begins[static_cast<std::size_t>(entry - archive.tensors.data())] = end;
    end += entry->tensor.size_bytes();
  }

  Json::Object header;
  if (!archive.metadata.empty()) {
    Json::Object texts;
    for (const auto& [name, text] : archive.metadata) texts.push_back({name, text});
    header.push_back({"__metadata__", std::move(texts)});
  }
  for (std::size_t i = 0; i < begins.size(); ++i) {
    const Tensor& tensor = archive.tensors[i].tensor;
    Json::Object entry;
    entry.push_back({"dtype", detail::safetensors_dtypes[static_cast<std::size_t>(tensor.dtype())]});
    entry.push_back({"shape", Json::Array(tensor.shape().begin(), tensor.shape().end())});
    entry.push_back({"data_offsets", Json::Array{begins[i], begins[i] + tensor.size_bytes()}});
    header.push_back({archive.tensors[i].name, std::move(entry)});
  }
  std::string text = Json(std::move(header)).dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  if (static_cast<std::int64_t>(text.size()) > detail::max_safetensors_header) {
    throw DataError(concat(path, ": the header would have ", text.size(), " bytes, readers accept ",
                           detail::max_safetensors_header));
  }

  AtomicFile file(path);
  const std::uint64_t length = text.size();
  file.write(&length, sizeof length);
  file.write(text);
  for (const NamedTensor* entry : order) file.write(entry->tensor.bytes(), entry->tensor.size_bytes());
  file.commit();
}

SYNTHDATA_INLINE Archive load_safetensors(const std::string& path) {
  const InputFile file(path);
  std::uint64_t length = 0;
  file.read_at(0, &length, sizeof length);
  const std::int64_t room = file.size() - 8;
  if (length > static_cast<std::uint64_t>(std::min(room, detail::max_safetensors_header))) {
    detail::throw_data_at(path, 0,
                          concat("safetensors: the header claims ", length, " bytes, ", room,
                                 " are left in the file and ", detail::max_safetensors_header, " are accepted"));
  }
  const auto header_bytes = static_cast<std::int64_t>(length);
  std::string text(static_cast<std::size_t>(length), '\0');
  file.read_at(8, text.data(), header_bytes);
  const Json header = parse_json(text, {.source = path, .first_byte = 8});
  const auto* const members = header.get_if<Json::Object>();
  if (!members || text[0] != '{') detail::throw_data_at(path, 8, "safetensors: the header is not a JSON object");

  Archive archive;
  std::vector<detail::SafetensorsEntry> entries;
  for (const Json::Member& member : *members) {
    if (member.key != "__metadata__") {
      entries.push_back(detail::parse_safetensors_entry(path, member));
      continue;
    }
    const auto* const texts = member.value.get_if<Json::Object>();
    if (!texts) throw DataError(concat(path, ": __metadata__ is not an object"));
    for (const Json::Member& entry : *texts) {
      const auto* const value = entry.value.get_if<std::string>();
      if (!value) throw DataError(concat(path, ": __metadata__ ", in_quotes(entry.key), " is not a string"));
      archive.metadata.emplace(entry.key, *value);
    }
  }
  const std::int64_t data_start = 8 + header_bytes;
  detail::check_safetensors_cover(path, entries, file.size() - data_start);

  for (detail::SafetensorsEntry& entry : entries) {
    Tensor tensor = Tensor::empty(entry.shape, entry.dtype, Device::cpu());
    file.read_at(data_start + entry.begin, tensor.bytes(), tensor.size_bytes());
    if (entry.dtype == DType::boolean) {  // a bool of another value would be undefined behaviour
      const auto* const bytes = static_cast<const unsigned char*>(tensor.bytes());
      const auto* const bad = std::find_if(bytes, bytes + tensor.size(), [](unsigned char byte) { return byte > 1; });
      if (bad != bytes + tensor.size()) {
        detail::throw_data_at(path, data_start + entry.begin + (bad - bytes),
                              concat("tensor ", in_quotes(entry.name), ": a BOOL is neither 0 nor 1"));
      }
    }
    archive.add(std::move(entry.name), std::move(tensor));
  }
  return archive;
}

}  // namespace synthdata
