// synthdata/core/dtype_impl.hpp: bodies of core/dtype.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/dtype.hpp>

namespace synthdata {

SYNTHDATA_INLINE void append(std::string& out, DType dtype) { out += name_of(dtype); }

SYNTHDATA_COLD SYNTHDATA_INLINE void detail::throw_not_floating(const char* op, DType dtype) {
  throw DTypeError(concat(op, ": expects f32 or f64, got ", name_of(dtype)));
}

}  // namespace synthdata
