// synthdata/data/in_memory_impl.hpp: bodies of data/in_memory.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/block.hpp>
#include <synthdata/data/in_memory.hpp>
#include <synthdata/io/file.hpp>
#include <synthdata/io/idx.hpp>

namespace synthdata {
namespace detail {

/// Maps x from one range to another; the ends are met exactly.
/// out[i] = in[i] mapped evenly from one range to another, with exact ends, by f64.
template <class T>
struct MapRange {
  double low, high, per_unit, to_low, to_high;

  MapRange(ValueRange from, ValueRange to)
      : low(from.low), high(from.high), per_unit(1.0 / (high - low)), to_low(to.low), to_high(to.high) {}
  SYNTHDATA_HD void operator()(const T* in, float* out, std::int64_t n) const {
    const MapRange m = *this;
    backend::cpu::for_blocks(n, [=](std::int64_t b, std::int64_t count) SYNTHDATA_INLINE_LAMBDA {
      backend::cpu::for_block(count, [=](int j) SYNTHDATA_INLINE_LAMBDA {
        const auto x = static_cast<double>(in[b + j]);
        const double t = x == m.high ? 1.0 : (x - m.low) * m.per_unit;
        out[b + j] = static_cast<float>(t * m.to_high + (1.0 - t) * m.to_low);
      });
    });
  }
};

SYNTHDATA_INLINE void check_range(const char* what, ValueRange range) {
  if (!(range.low < range.high)) {  // also true for NaN
    throw DataError(concat(what, ": expects a range with low < high, got [", range.low, ", ", range.high, "]"));
  }
}

/// The file `name`, or `name`.gz, in a folder; empty if neither is there.
SYNTHDATA_INLINE std::string find_plain_or_gz(const std::string& folder, const std::string& name) {
  for (const char* suffix : {"", ".gz"}) {
    const std::string path = concat(folder, folder.back() == '/' ? "" : "/", name, suffix);
    if (is_file(path)) return path;
  }
  return {};
}

SYNTHDATA_INLINE TensorDataset make_image_dataset(const std::string& images_path, const std::string& labels_path) {
  Tensor images = read_idx(images_path);
  if (images.dtype() != DType::u8 || (images.rank() != 3 && images.rank() != 4)) {
    throw DataError(concat(images_path, ": expects images, u8 [N, H, W] or [N, H, W, C], holds ", images.str()));
  }
  if (images.rank() == 3) images = images.reshape(images.shape().insert(3, 1));
  Tensor labels;
  if (!labels_path.empty()) {
    labels = read_idx(labels_path);
    if (labels.dtype() != DType::u8 || labels.rank() != 1) {
      throw DataError(concat(labels_path, ": expects labels, u8 [N], holds ", labels.str()));
    }
    if (labels.size() != images.shape(0)) {
      throw DataError(concat(labels_path, ": holds ", labels.size(), " labels, but ", images_path, " holds ",
                             images.shape(0), " images"));
    }
  }
  return TensorDataset(std::move(images), std::move(labels)).scaled({-1.0f, 1.0f});
}

}  // namespace detail

SYNTHDATA_INLINE TensorDataset::TensorDataset(Tensor data, Tensor labels, std::optional<ValueRange> range)
    : data_(std::move(data)), stored_(range) {
  if (!data_.defined() || data_.rank() == 0) {
    throw ShapeError(concat("TensorDataset: expects data [N, ...], got ", data_.str()));
  }
  if (data_.dtype() != DType::u8 && data_.dtype() != DType::f32) {
    throw DTypeError(concat("TensorDataset: expects u8 or f32 data, got ", data_.str()));
  }
  if (stored_) detail::check_range("TensorDataset", *stored_);
  if (labels.defined()) {
    if (labels.rank() != 1 || labels.shape(0) != size()) {
      throw_shape("TensorDataset", concat("expects one label for each of ", size(), " samples"),
                  {{"data", data_}, {"labels", labels}});
    }
    if (labels.dtype() != DType::u8 && labels.dtype() != DType::i32 && labels.dtype() != DType::i64) {
      throw DTypeError(concat("TensorDataset: expects u8, i32 or i64 labels, got ", labels.str()));
    }
    labels_ = labels.to(DType::i64);
    for (const std::int64_t& label : std::as_const(labels_).span<std::int64_t>()) {
      if (label < 0) {
        const auto row = &label - std::as_const(labels_).data<std::int64_t>();
        throw DataError(concat("TensorDataset: label ", label, " of sample ", row, " is negative"));
      }
    }
  }
  if (data_.dtype() == DType::u8 && !stored_) stored_ = ValueRange{0.0f, 255.0f};
}

SYNTHDATA_INLINE TensorDataset TensorDataset::scaled(ValueRange to) const {
  detail::check_range("scaled", to);
  if (!stored_) {
    throw DataError(
        concat("scaled: the range of the values is not known; give it to TensorDataset (data ", data_.str(), ")"));
  }
  TensorDataset out = *this;
  out.to_ = to;
  return out;
}

SYNTHDATA_INLINE TensorDataset TensorDataset::rows(std::int64_t begin, std::int64_t end) const {
  TensorDataset out = *this;
  out.data_ = data_.rows(begin, end);
  if (labels_.defined()) out.labels_ = labels_.rows(begin, end);
  return out;
}

SYNTHDATA_INLINE Tensor TensorDataset::values() const {
  Tensor out = Tensor::empty(data_.shape(), DType::f32, Device::cpu());
  const std::int64_t width = size() ? data_.size() / size() : 0;
  for (std::int64_t row = 0; row < size(); ++row) convert(row, out.data<float>() + row * width);
  return out;
}

/// Writes one row as f32.
SYNTHDATA_INLINE void TensorDataset::convert(std::int64_t row, float* to) const {
  const std::int64_t width = size() ? data_.size() / size() : 0;
  if (data_.dtype() == DType::u8) {
    const ValueRange as_is{0.0f, 1.0f};
    backend::cpu::run<float>(detail::MapRange<std::uint8_t>(to_ ? *stored_ : as_is, to_ ? *to_ : as_is),
                             data_.data<std::uint8_t>() + row * width, to, width);
  } else if (to_) {
    backend::cpu::run<float>(detail::MapRange<float>(*stored_, *to_), data_.data<float>() + row * width, to, width);
  } else if (width) {
    std::memcpy(to, data_.data<float>() + row * width, static_cast<std::size_t>(width) * sizeof(float));
  }
}

SYNTHDATA_INLINE Sample TensorDataset::get(std::int64_t index, Rng& /*rng*/) const {
  check(index);
  Sample sample;
  if (to_) {
    sample.data = Tensor::empty(data_.shape().erase(0), DType::f32, Device::cpu());
    convert(index, sample.data.data<float>());
  } else {
    sample.data = data_.rows(index, index + 1).reshape(data_.shape().erase(0));
  }
  if (labels_.defined()) sample.label = labels_.data<std::int64_t>()[index];
  return sample;
}

SYNTHDATA_INLINE Batch TensorDataset::gather(std::span<const std::int64_t> indices) const {
  for (const std::int64_t index : indices) check(index);
  const auto count = static_cast<std::int64_t>(indices.size());
  Batch batch;
  batch.data = Tensor::empty(data_.shape().with(0, count), DType::f32, Device::cpu());
  const std::int64_t width = size() ? data_.size() / size() : 0;
  float* to = batch.data.data<float>();
  for (const std::int64_t index : indices) {
    convert(index, to);
    to += width;
  }
  if (labels_.defined()) {
    batch.labels = Tensor::empty({count}, DType::i64, Device::cpu());
    const std::int64_t* labels = labels_.data<std::int64_t>();
    std::int64_t* label = batch.labels.data<std::int64_t>();
    for (const std::int64_t index : indices) *label++ = labels[index];
  }
  return batch;
}

SYNTHDATA_COLD SYNTHDATA_INLINE void TensorDataset::throw_index(std::int64_t index) const {
  throw DataError(concat("TensorDataset: sample ", index, " is out of range, there are ", size()));
}

SYNTHDATA_INLINE TensorDataset images_from_idx(const std::string& path, Split split) {
  if (!is_folder(path)) return detail::make_image_dataset(path, {});  // if absent, opening it as a file says so
  const std::string prefix = split == Split::train ? "train" : "t10k";
  const std::string images = detail::find_plain_or_gz(path, prefix + "-images-idx3-ubyte");
  if (images.empty()) {
    throw DataError(concat(path, ": expects a file ", prefix, "-images-idx3-ubyte or the same with .gz, has neither"));
  }
  return detail::make_image_dataset(images, detail::find_plain_or_gz(path, prefix + "-labels-idx1-ubyte"));
}

SYNTHDATA_INLINE TensorDataset images_from_idx(const std::string& images, const std::string& labels) {
  if (labels.empty()) throw DataError("images_from_idx: the path of the labels is empty");
  return detail::make_image_dataset(images, labels);
}

}  // namespace synthdata
