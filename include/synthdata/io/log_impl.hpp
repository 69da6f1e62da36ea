// synthdata/io/log_impl.hpp: bodies of io/log.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/io/log.hpp>

namespace synthdata {

SYNTHDATA_INLINE JsonLines::JsonLines(std::string path) : file_(std::move(path)) { file_.drop_after_last('\n'); }

SYNTHDATA_INLINE void JsonLines::write(Json::Object members) { file_.append(Json(std::move(members)).dump() + "\n"); }

}  // namespace synthdata
