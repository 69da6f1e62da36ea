// synthdata/io/tensorboard.hpp: event files that TensorBoard opens: scalars, images and histograms.
//
// A file is a row of records (length, its checksum, payload, its checksum), each an `Event` message of TensorFlow's
// event.proto; the few fields used are encoded by hand, so neither TensorFlow nor protobuf is needed.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/tensor.hpp>
#include <synthdata/io/file.hpp>

#include <string>
#include <string_view>

namespace synthdata {

/// Writes one event file. Every call appends one whole record; a TensorBoard that is running shows it at once.
class TensorBoard {
 public:
  /// Starts events.out.tfevents.TIME.HOST.PROCESS.COUNT in the folder, a new file each time: TensorBoard joins the
  /// files of a folder, so a resumed run continues its curves.
  /// @throws DataError if it cannot be created; the other functions throw it too, when the disk is full.
  explicit TensorBoard(const std::string& folder);

  /// One point of the curve `tag`; a slash in the tag groups curves: "loss/critic". Stored as f32.
  void scalar(std::int64_t step, std::string_view tag, double value);

  /// @param image  u8 [H, W, C], see encode_png()
  void image(std::int64_t step, std::string_view tag, const Tensor& image);

  /// The distribution of the values of x (f32 or f64) in 30 bins of equal width; values that are not finite are left
  /// out.
  void histogram(std::int64_t step, std::string_view tag, const Tensor& x);

  const std::string& path() const { return file_.path(); }

 private:
  void append(std::int64_t step, std::string_view tag, int field, std::string_view value);

  AppendFile file_;
};

namespace detail {
/// CRC-32C (Castagnoli), reflected, as in RFC 3720 appendix B.4.
std::uint32_t crc32c(std::string_view bytes);
/// A record of an event file around its payload.
std::string tfrecord(std::string_view payload);
}  // namespace detail

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/io/tensorboard_impl.hpp>
#endif
