// synthdata/data/image_folder.hpp: a folder of PNG and JPEG files as a data set; the sub-folder is the class.
//
// Files are decoded when a sample is taken, so a folder may be larger than the memory. Images may differ in size:
// ImageFolder("photos") | augment(Resize{64, 64}).
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/class_folder.hpp>
#include <synthdata/data/dataset.hpp>
#include <synthdata/io/image.hpp>

#include <string>
#include <vector>

namespace synthdata {

class ImageFolder {
 public:
  /// Lists the .png, .jpg and .jpeg files below folder/CLASS, at any depth, or the images of a folder that has no
  /// sub-folders. Classes are numbered, and files within them ordered, by the bytes of their names. Symbolic links,
  /// hidden entries and other files are passed over.
  /// @throws DataError if the folder cannot be read, has no image, or has images both beside and within sub-folders.
  explicit ImageFolder(const std::string& folder, const ImageReadOptions& options = {.channels = 3})
      : files_(folder, has_image_name, ".png, .jpg or .jpeg"), options_(options) {}

  std::int64_t size() const { return files_.size(); }
  /// u8 [H, W, C], or f32 in [0, 1] where the options ask for it. @throws DataError if out of range or not readable.
  Sample get(std::int64_t index, Rng& rng) const;

  /// Names of the classes, by label; empty where samples have no label.
  const std::vector<std::string>& classes() const { return files_.classes(); }
  const std::string& path(std::int64_t index) const { return files_.file(index).path; }
  /// -1 for none.
  std::int64_t label(std::int64_t index) const { return files_.file(index).label; }

 private:
  detail::ClassFolder files_;
  ImageReadOptions options_;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/image_folder_impl.hpp>
#endif
