// synthdata/synthdata.hpp: the whole library.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/gan.hpp>
