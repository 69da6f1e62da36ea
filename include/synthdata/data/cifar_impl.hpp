// synthdata/data/cifar_impl.hpp: bodies of data/cifar.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/cifar.hpp>
#include <synthdata/io/gzip.hpp>

namespace synthdata {
namespace detail {
inline constexpr std::int64_t cifar_plane = 32 * 32, cifar_record = 1 + 3 * cifar_plane;
}  // namespace detail

SYNTHDATA_INLINE TensorDataset images_from_cifar(const std::string& path, Split split) {
  std::vector<std::string> files;
  const auto add = [&](const std::string& file) {
    if (is_file(file)) return files.push_back(file);
    if (is_file(file + ".gz")) files.push_back(file + ".gz");
  };
  if (is_folder(path)) {
    if (split == Split::test) add(path + "/test_batch.bin");
    for (int i = 1; split == Split::train && i <= 5; ++i) add(concat(path, "/data_batch_", i, ".bin"));
    if (files.empty()) {
      throw DataError(
          concat(path, ": expects ", split == Split::test ? "test_batch" : "data_batch_1", ".bin or .bin.gz"));
    }
  } else {
    files.push_back(path);
  }
  std::string bytes;
  for (const std::string& file : files) {
    const std::string more = read_gzip_or_plain(file, default_max_bytes);
    const auto size = static_cast<std::int64_t>(more.size());
    if (size == 0 || size % detail::cifar_record != 0) {
      throw DataError(
          concat(file, ": expects whole records of ", detail::cifar_record, " bytes, has ", size, " bytes"));
    }
    for (std::int64_t at = 0; at < size; at += detail::cifar_record) {
      const int label = static_cast<unsigned char>(more[static_cast<std::size_t>(at)]);
      if (label > 9) {
        throw DataError(
            concat(file, ", record ", at / detail::cifar_record, ": expects a label of 0 to 9, got ", label));
      }
    }
    bytes += more;
  }
  const auto count = static_cast<std::int64_t>(bytes.size()) / detail::cifar_record;
  Tensor images = Tensor::empty({count, 32, 32, 3}, DType::u8, Device::cpu()),
         labels = Tensor::empty({count}, DType::u8, Device::cpu());
  const auto* from = reinterpret_cast<const std::uint8_t*>(bytes.data());
  std::uint8_t* to = images.data<std::uint8_t>();
  for (std::int64_t n = 0; n < count; ++n, from += detail::cifar_record) {
    labels.data<std::uint8_t>()[n] = *from;
    for (std::int64_t i = 0; i < detail::cifar_plane; ++i) {
      for (std::int64_t c = 0; c < 3; ++c) *to++ = from[1 + c * detail::cifar_plane + i];
    }
  }
  return TensorDataset(images, labels).scaled({-1.0f, 1.0f});
}

SYNTHDATA_INLINE void write_cifar(const std::string& path, const Tensor& images, const Tensor& labels) {
  if (images.rank() != 4 || !(images.shape().erase(0) == Shape{32, 32, 3}) || images.dtype() != DType::u8 ||
      !(labels.shape() == Shape{images.shape(0)}) || is_floating(labels.dtype())) {
    throw_shape("write_cifar", "expects images [N, 32, 32, 3] of u8 and whole labels [N]",
                {{"images", images}, {"labels", labels}});
  }
  const Tensor numbers = labels.to(DType::i64);
  std::string bytes;
  bytes.reserve(static_cast<std::size_t>(images.shape(0) * detail::cifar_record));
  const std::uint8_t* from = images.data<std::uint8_t>();
  for (std::int64_t n = 0; n < images.shape(0); ++n, from += 3 * detail::cifar_plane) {
    const std::int64_t label = numbers.data<std::int64_t>()[n];
    if (label < 0 || label > 9)
      throw DataError(concat("write_cifar: expects labels of 0 to 9, record ", n, " has ", label));
    bytes += static_cast<char>(label);
    for (std::int64_t c = 0; c < 3; ++c) {
      for (std::int64_t i = 0; i < detail::cifar_plane; ++i) bytes += static_cast<char>(from[3 * i + c]);
    }
  }
  write_file(path, path.ends_with(".gz") ? gzip(bytes) : bytes);
}

}  // namespace synthdata
