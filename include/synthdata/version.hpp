// synthdata/version.hpp: the version number; its only home, the build and the packages read it from here.
//
// SPDX-License-Identifier: MIT
#pragma once

#define SYNTHDATA_VERSION_MAJOR 0
#define SYNTHDATA_VERSION_MINOR 1
#define SYNTHDATA_VERSION_PATCH 0
