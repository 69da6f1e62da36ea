// synthdata/data/image_folder_impl.hpp: bodies of data/image_folder.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/image_folder.hpp>

namespace synthdata {

SYNTHDATA_INLINE Sample ImageFolder::get(std::int64_t index, Rng&) const {
  const detail::ClassFolder::File& wanted = files_.file(index);
  return {read_image(wanted.path, options_), wanted.label};
}

}  // namespace synthdata
