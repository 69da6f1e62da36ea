// synthdata/data/transform/kinds.hpp: all transforms of the library, and reading a saved chain of them.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/transform/date_parts.hpp>
#include <synthdata/data/transform/frequency.hpp>
#include <synthdata/data/transform/leave_out.hpp>
#include <synthdata/data/transform/signed_log.hpp>
#include <synthdata/data/transform/min_max.hpp>
#include <synthdata/data/transform/modes.hpp>
#include <synthdata/data/transform/one_hot.hpp>
#include <synthdata/data/transform/ordinal.hpp>
#include <synthdata/data/transform/quantile.hpp>
#include <synthdata/data/transform/standardize.hpp>

namespace synthdata {

/// What ColumnTransform::save() wrote. @throws DataError naming what is wrong, also for a kind it does not know
ColumnTransform load_transform(const Json& json, const Archive& archive, const std::string& prefix);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/transform/kinds_impl.hpp>
#endif
