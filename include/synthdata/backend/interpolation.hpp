// synthdata/backend/interpolation.hpp: how a value between pixels is found.
//
// SPDX-License-Identifier: MIT
#pragma once

namespace synthdata {

enum class Interpolation { nearest, bilinear };

}  // namespace synthdata
