// synthdata/nn/dropout_impl.hpp: bodies of nn/dropout.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/dropout.hpp>

namespace synthdata {

SYNTHDATA_INLINE Dropout::Dropout(double rate) : rate_(rate) {
  if (!(rate >= 0.0 && rate < 1.0)) throw NumericError(concat("Dropout: expects 0 <= rate < 1, got ", rate));
}

}  // namespace synthdata
