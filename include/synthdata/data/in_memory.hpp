// synthdata/data/in_memory.hpp: data sets that lie in memory as one tensor, and MNIST-style IDX files read into one.
//
// Bytes stay bytes (a quarter of the memory) and become f32, scaled, when a sample or a batch is taken.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/dataset.hpp>

#include <optional>

namespace synthdata {

/// The rows of a tensor as samples. Copies share the elements.
class TensorDataset {
 public:
  /// @param data    [N, ...] u8 or f32
  /// @param labels  [N] u8, i32 or i64; undefined for none
  /// @param range   where the values of `data` lie; 0 ... 255 for u8 when not given, unknown for f32
  /// @throws ShapeError if the shapes do not fit; DTypeError for other dtypes; DataError for a negative label.
  explicit TensorDataset(Tensor data, Tensor labels = {}, std::optional<ValueRange> range = {});

  /// The same samples with their range mapped to `to`, evenly and with exact ends.
  /// @throws DataError if the range of the data is unknown or empty.
  TensorDataset scaled(ValueRange to) const;

  std::int64_t size() const { return data_.shape()[0]; }
  /// Row `index`: a view where the elements are served as stored, else a new f32 tensor.
  /// @throws DataError out of range.
  Sample get(std::int64_t index, Rng& rng) const;
  /// The rows named by `indices`, in f32. Cost: one pass over the bytes, one allocation (two with labels).
  /// @throws DataError out of range.
  Batch gather(std::span<const std::int64_t> indices) const;

  /// Samples [begin, end), with their labels and range; shares the elements. @throws ShapeError out of range.
  TensorDataset rows(std::int64_t begin, std::int64_t end) const;
  /// All samples as get() serves them, f32 [N, ...].   Cost: one pass and a tensor of that size.
  Tensor values() const;
  /// Shape of one sample.
  Shape sample_shape() const { return data_.shape().erase(0); }

  /// All samples as stored: [N, ...], u8 or f32, not scaled.
  const Tensor& stored() const { return data_; }
  /// [N] i64, or undefined.
  const Tensor& labels() const { return labels_; }
  /// Where the values of samples lie, if known.
  std::optional<ValueRange> range() const { return to_ ? to_ : stored_; }

 private:
  void convert(std::int64_t row, float* to) const;
  void check(std::int64_t index) const {
    if (index < 0 || index >= size()) [[unlikely]]
      throw_index(index);
  }
  [[noreturn]] void throw_index(std::int64_t index) const;

  Tensor data_, labels_;
  std::optional<ValueRange> stored_, to_;
};

/// Which part of a published data set.
enum class Split { train, test };

/// Images from IDX files, plain or .gz: u8 [N, H, W] or [N, H, W, C], served as [H, W, C] in [-1, 1].
/// @param path  an IDX file of images, or a folder with train-images-idx3-ubyte and train-labels-idx1-ubyte
///              (t10k-... for Split::test), each plain or .gz. Without the file of labels samples have no label.
/// @throws DataError if a file is missing, cannot be read or does not hold images.
TensorDataset images_from_idx(const std::string& path, Split split = Split::train);
/// Images and labels from two IDX files. @throws DataError, also if they differ in count.
TensorDataset images_from_idx(const std::string& images, const std::string& labels);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/in_memory_impl.hpp>
#endif
