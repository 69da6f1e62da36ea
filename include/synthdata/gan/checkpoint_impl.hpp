// synthdata/gan/checkpoint_impl.hpp: bodies of gan/checkpoint.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/gan/checkpoint.hpp>

namespace synthdata::detail {

SYNTHDATA_INLINE void add_integers(Archive& archive, const char* name, std::initializer_list<std::int64_t> values) {
  const std::span<const std::int64_t> numbers(values.begin(), values.size());
  archive.add(name, Tensor::from(numbers, {static_cast<std::int64_t>(values.size())}, Device::cpu()));
}

SYNTHDATA_INLINE std::span<const std::int64_t> read_integers(const Archive& archive, const char* name,
                                                             std::int64_t count) {
  const Tensor& t = archive.at(name);
  if (t.dtype() != DType::i64 || t.size() != count) {
    throw DataError(concat("'", name, "' is ", t.str(), ", expected ", count, " i64 numbers"));
  }
  return t.span<std::int64_t>();
}

SYNTHDATA_INLINE void add_rng(Archive& archive, const Rng& rng) {
  const RngState& r = rng.state();
  add_integers(archive, "rng",
               {static_cast<std::int64_t>(r.seed), static_cast<std::int64_t>(r.stream),
                static_cast<std::int64_t>(r.counter), static_cast<std::int64_t>(r.used)});
}

SYNTHDATA_INLINE Rng read_rng(const Archive& archive) {
  const auto r = read_integers(archive, "rng", 4);
  return Rng(RngState{static_cast<std::uint64_t>(r[0]), static_cast<std::uint64_t>(r[1]),
                      static_cast<std::uint64_t>(r[2]), static_cast<std::uint64_t>(r[3])});
}

SYNTHDATA_INLINE void add_position(Archive& archive, const SourceState& position) {
  add_integers(archive, "data", {static_cast<std::int64_t>(position.seed), position.epoch, position.position});
}

SYNTHDATA_INLINE SourceState read_position(const Archive& archive) {
  const auto data = read_integers(archive, "data", 3);
  return {static_cast<std::uint64_t>(data[0]), data[1], data[2]};
}

SYNTHDATA_INLINE void add_optimizer(Archive& archive, const std::string& prefix, const Optimizer& optimizer) {
  for (NamedTensor& t : optimizer.state(prefix)) archive.add(std::move(t.name), t.tensor);
}

SYNTHDATA_INLINE Optimizer read_optimizer(const Archive& archive, const std::string& prefix, const Optimizer& like) {
  Optimizer optimizer = like;
  optimizer.restore(prefix, [&](const std::string& name) { return archive.find(name); });
  return optimizer;
}

SYNTHDATA_INLINE void add_state(Archive& archive, const std::string& prefix, const ModuleState& state) {
  for (const NamedParam& p : state.parameters) archive.add(prefix + p.path, p.param->value());
  for (const NamedBuffer& b : state.buffers) archive.add(prefix + b.path, b.buffer->value());
}

SYNTHDATA_INLINE void check_state(const Archive& archive, const std::string& prefix, const ModuleState& state) {
  const auto check = [&](const std::string& name, const Tensor& like) {
    const Tensor& t = archive.at(prefix + name);
    if (!(t.shape() == like.shape()) || t.dtype() != like.dtype()) {
      throw DataError(concat("'", prefix, name, "' is ", t.str(), ", expected ", like.str()));
    }
  };
  for (const NamedParam& p : state.parameters) check(p.path, p.param->value());
  for (const NamedBuffer& b : state.buffers) check(b.path, b.buffer->value());
}

SYNTHDATA_INLINE void take_state(const Archive& archive, const std::string& prefix, const ModuleState& state) {
  for (const NamedParam& p : state.parameters) p.param->assign(archive.at(prefix + p.path).clone());
  for (const NamedBuffer& b : state.buffers) b.buffer->assign(archive.at(prefix + b.path));
}

SYNTHDATA_INLINE void check_text(const Archive& archive, const char* name, const std::string& expected) {
  const std::string& found = archive.text(name);
  if (found != expected) throw DataError(concat("'", name, "' is '", found, "', expected '", expected, "'"));
}

}  // namespace synthdata::detail
