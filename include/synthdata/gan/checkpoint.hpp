// synthdata/gan/checkpoint.hpp: the parts of a trainer's state as tensors of an archive, and back.
//
// What add_...() puts in, read_...() and take_...() get out. Whatever throws, throws a DataError that names the part,
// and has changed nothing.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/dataset.hpp>
#include <synthdata/io/safetensors.hpp>
#include <synthdata/nn/module.hpp>
#include <synthdata/optim/optimizer.hpp>

namespace synthdata::detail {

void add_integers(Archive& archive, const char* name, std::initializer_list<std::int64_t> values);
/// Valid as long as the archive. @throws DataError unless there are `count` of that name.
std::span<const std::int64_t> read_integers(const Archive& archive, const char* name, std::int64_t count);

void add_rng(Archive& archive, const Rng& rng);
Rng read_rng(const Archive& archive);

void add_position(Archive& archive, const SourceState& position);
SourceState read_position(const Archive& archive);

void add_optimizer(Archive& archive, const std::string& prefix, const Optimizer& optimizer);
/// A copy of `like` as it was when it was added.
Optimizer read_optimizer(const Archive& archive, const std::string& prefix, const Optimizer& like);

/// Parameters and buffers by name, "<prefix><path>".
void add_state(Archive& archive, const std::string& prefix, const ModuleState& state);
/// @throws DataError unless every part of `state` is there with its shape and dtype: take_state() cannot fail then.
void check_state(const Archive& archive, const std::string& prefix, const ModuleState& state);
void take_state(const Archive& archive, const std::string& prefix, const ModuleState& state);

/// @throws DataError unless the metadata have this text under that name.
void check_text(const Archive& archive, const char* name, const std::string& expected);

}  // namespace synthdata::detail

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/gan/checkpoint_impl.hpp>
#endif
