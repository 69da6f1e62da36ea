// synthdata/io/npz.hpp: tensors by name in NumPy's .npz format, a ZIP archive of .npy files.
//
// Members may be stored or deflated; archives and members are below 4 GB, without encryption and ZIP64. Nothing is
// unpacked to the disk, and nothing is believed before it is checked: checksums, sizes, names, members that overlap.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/io/file.hpp>
#include <synthdata/io/safetensors.hpp>

namespace synthdata {

struct NpzOptions {
  bool compressed = true;  ///< as numpy.savez_compressed; else as numpy.savez
};
/// Writes the tensors of the archive, atomically; numpy.load reads them. Its metadata, which NPZ lacks, must be empty.
/// @throws DataError for a name that is empty, taken twice, of more than 65535 bytes, not UTF-8 or a path that leaves
///         its folder, an undefined tensor, metadata, 4 GB and more, or a file that cannot be written
void write_npz(const std::string& path, const Archive& archive, const NpzOptions& options = {});

/// Reads what numpy.savez wrote, in the order of the archive; names are without ".npy".
/// @param max_bytes  of all tensors together, unpacked
/// @throws DataError naming the file and member or byte for anything that breaks the format, and what a Tensor cannot
///         hold (see read_npy)
Archive read_npz(const std::string& path, std::int64_t max_bytes = default_max_bytes);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/io/npz_impl.hpp>
#endif
