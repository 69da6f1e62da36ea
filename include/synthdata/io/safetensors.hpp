// synthdata/io/safetensors.hpp: named tensors in one file, in the safetensors format.
//
// The file is an 8-byte little-endian length, a JSON header {name: {dtype, shape, data_offsets}, __metadata__: {...}}
// of that length and the elements, row-major; Python's `safetensors` reads what we write and the other way round.
// Nothing in such a file is executed, and nothing is believed before it is checked.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/tensor.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace synthdata {

/// Tensors by name, in the order in which they were added, and texts by name.
struct Archive {
  std::vector<NamedTensor> tensors;
  std::map<std::string, std::string> metadata;

  /// Copies the elements to the CPU if they are elsewhere.
  void add(std::string name, const Tensor& tensor);

  /// The tensor of that name, or null.   Cost: linear in the number of tensors.
  const Tensor* find(std::string_view name) const;
  /// The tensor of that name. @throws DataError if there is none.
  const Tensor& at(std::string_view name) const;
  /// The text of that name. @throws DataError if there is none.
  const std::string& text(const std::string& name) const;
};

/// Writes the archive atomically (see AtomicFile). Elements start at a multiple of 8 bytes, wider types first.
/// @throws DataError if a name is empty, taken twice or "__metadata__", a tensor is undefined, or the file cannot be
///         written.
void save_safetensors(const std::string& path, const Archive& archive);

/// Reads an archive; tensors come in the order of the header.
/// @throws DataError naming the file and the tensor or byte for anything that breaks the format: a header longer than
/// the
///         file or 100 MB, bad JSON, repeated names, offsets that overlap, leave holes, or disagree with dtype and
///         shape. Types other than F32 F64 U8 I32 I64 BOOL, and more than six axes, are refused.
Archive load_safetensors(const std::string& path);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/io/safetensors_impl.hpp>
#endif
