// synthdata/tabular/model_file.hpp: nets and numbers of a model's file.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/gan/checkpoint.hpp>
#include <synthdata/io/json.hpp>
#include <synthdata/io/safetensors.hpp>

namespace synthdata::models::detail {

/// Adds the state of a net, "<prefix><path>".
template <class Net>
void save_state(Archive& archive, const std::string& prefix, const Net& net) {
  Net& same = const_cast<Net&>(net);  // listed through pointers to non-const, only read here
  synthdata::detail::add_state(archive, prefix, state_of(same));
}
/// Takes the state of a net of the same structure. @throws DataError unless all of it is there and fits.
template <class Net>
void load_state(const Archive& archive, const std::string& prefix, Net& net) {
  const ModuleState state = state_of(net);
  synthdata::detail::check_state(archive, prefix, state);
  synthdata::detail::take_state(archive, prefix, state);
}

/// A model's file. @throws DataError if a transform of its table (table_transform.hpp) goes with it, which would be
/// lost
inline Archive load_model_alone(const std::string& path) {
  Archive archive = load_safetensors(path);
  if (archive.metadata.contains("transform")) {
    throw DataError(path + ": holds rules or columns made anew beside the model; load it by load_tabular_model");
  }
  return archive;
}

/// The whole number `key`, 1 to most. @throws DataError naming `path` for anything else
inline std::int64_t integer_in(const Json& json, const char* key, std::int64_t most, const std::string& path) {
  const Json* value = json.find(key);
  const std::int64_t* held = value ? value->get_if<std::int64_t>() : nullptr;
  if (!held || *held < 1 || *held > most) throw DataError(concat(path, ": expects ", key, " of 1 to ", most));
  return *held;
}

}  // namespace synthdata::models::detail
