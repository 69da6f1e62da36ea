// synthdata/backend/cuda/conv_plan.hpp: how a convolution is put to cuDNN, and which of its plans is taken.
//
// Plain host code without CUDA, so that it is tested everywhere.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/conv_geometry.hpp>
#include <synthdata/backend/cuda/alignment.hpp>
#include <synthdata/core/error.hpp>
#include <synthdata/core/precision.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>

namespace synthdata::cuda {

using backend::cpu::ConvGeometry;

enum class ConvOp : std::uint8_t { forward, input_grad, weight_grad };

/// Of our own kernels, which count in 32 bits: at most so many images at once that all places in tensors of them are
/// below `places`. @throws ShapeError for an image or a filter that is larger by itself
inline std::int64_t images_at_once(const ConvGeometry& g, std::int64_t places = std::int64_t{1} << 31) {
  std::int64_t in = g.in_channels, out = g.out_channels, filter = g.out_channels * (g.in_channels / g.groups),
               reach = 0;
  for (int axis = 0; axis < 3; ++axis) {
    in *= g.in[axis];
    out *= g.out[axis];
    filter *= g.kernel[axis];
    const std::int64_t windows = g.out[axis] * g.stride[axis] + g.kernel[axis] * g.dilation[axis];
    reach = std::max(reach, g.in[axis] + g.pad[axis] + windows);
  }
  const std::int64_t largest = std::max({in, out, filter, reach, std::int64_t{1}});
  if (largest >= places) {
    throw ShapeError(concat("convolution on a GPU: expects images and filters of less than ", places,
                            " elements, and as few places along an axis, got ", largest));
  }
  return (places - 1) / std::max({in, out, std::int64_t{1}});
}

/// Set before the first convolution; not guarded against other threads.
struct ConvSettings {
  std::int64_t workspace_limit = std::int64_t{256} << 20;  ///< bytes a plan may use for itself
  /// Only plans that give the same bits from run to run.
  bool deterministic = true;
  /// Time up to `measured_plans` plans at the first call with a geometry and take the fastest, else take the first that
  /// works in the order of cuDNN's heuristic. What is measured may differ from run to run, and so may the last bits.
  bool measure = false;

  bool operator==(const ConvSettings&) const = default;
};
inline constexpr std::size_t measured_plans = 8;

inline ConvSettings& conv_settings() {
  static ConvSettings settings;
  return settings;
}

/// Everything a plan depends on. `alignment` is that of the least aligned operand, in bytes.
struct ConvPlanKey {
  int device;
  ConvOp op;
  Precision precision;
  ConvGeometry geometry;
  std::int64_t alignment;
  ConvSettings settings;

  bool operator==(const ConvPlanKey&) const = default;
};

struct ConvPlanHash {
  std::size_t operator()(const ConvPlanKey& key) const {
    std::uint64_t hash = 0;
    const auto add = [&](std::int64_t value) {
      hash = (hash ^ static_cast<std::uint64_t>(value)) * 0x9E3779B97F4A7C15u;
      hash ^= hash >> 32;
    };
    const ConvGeometry& g = key.geometry;
    add(key.device);
    add(static_cast<int>(key.op));
    add(static_cast<int>(key.precision));
    add(key.alignment);
    add(key.settings.workspace_limit);
    add(key.settings.deterministic);
    add(key.settings.measure);
    for (const auto* numbers : {&g.in, &g.out, &g.kernel, &g.stride, &g.pad, &g.dilation}) {
      for (const std::int64_t number : *numbers) add(number);
    }
    for (const std::int64_t number : {g.batch, g.in_channels, g.out_channels, g.groups}) add(number);
    return static_cast<std::size_t>(hash);
  }
};

/// "forward of f32, input [8, 1, 28, 28, 3], filter [...], ...": for messages.
inline std::string describe(const ConvPlanKey& key) {
  static constexpr const char* ops[] = {"forward", "input gradient", "weight gradient"};
  const auto name = [&] {
    switch (key.precision) {
      case Precision::f32:
        return "f32";
      case Precision::bf16:
        return "bf16";
      case Precision::tf32:
        return "tf32";
      case Precision::f16:
        return "f16";
    }
    return "?";
  };
  const auto three = [](const std::int64_t(&n)[3]) { return concat(n[0], ", ", n[1], ", ", n[2]); };
  const ConvGeometry& g = key.geometry;
  return concat(ops[static_cast<int>(key.op)], " in ", name(), " on cuda:", key.device, ", input [", g.batch, ", ",
                three(g.in), ", ", g.in_channels, "], filter [", g.out_channels, ", ", three(g.kernel), ", ",
                g.in_channels / g.groups, "], output [", g.batch, ", ", three(g.out), ", ", g.out_channels,
                "], stride [", three(g.stride), "], padding [", three(g.pad), "], dilation [", three(g.dilation),
                "], groups ", g.groups, ", aligned to ", key.alignment, " bytes");
}

/// Zeros behind the last element that make cuDNN count g.out[axis] windows: none where elements are left over instead.
/// Nothing if more than a stride's worth is left over: cuDNN would count more windows.
inline std::optional<std::int64_t> padding_behind(const ConvGeometry& g, int axis) {
  const std::int64_t reach = (g.out[axis] - 1) * g.stride[axis] + (g.kernel[axis] - 1) * g.dilation[axis] + 1;
  const std::int64_t behind = reach - g.in[axis] - g.pad[axis];
  if (behind >= 0) return behind;
  if (-behind < g.stride[axis]) return 0;
  return std::nullopt;
}

/// A tensor as the graph API counts it: axes in the order N, C, [D,] H, W, laid out channels last by its strides.
struct GraphTensor {
  std::int64_t extent[5], stride[5];
};

/// A convolution as the graph API counts it: two spatial axes, three where the depth matters. The number of groups
/// follows from the channels of x and w.
struct GraphConv {
  std::int64_t axes;
  GraphTensor x, w, y;
  std::int64_t before[3], behind[3], stride[3], dilation[3];
};

/// Nothing if cuDNN cannot express it; see padding_behind.
inline std::optional<GraphConv> graph_conv(const ConvGeometry& g) {
  const bool flat = g.in[0] == 1 && g.out[0] == 1 && g.kernel[0] == 1 && g.pad[0] == 0;
  const int first = flat ? 1 : 0;
  GraphConv out{};
  out.axes = 3 - first;
  const auto tensor = [&](std::int64_t n, const std::int64_t(&spatial)[3], std::int64_t channels) {
    GraphTensor t{};
    t.extent[0] = n;
    t.extent[1] = channels;
    t.stride[1] = 1;
    std::int64_t stride = channels;
    for (int axis = 2; axis >= first; --axis) {
      t.extent[2 + axis - first] = spatial[axis];
      t.stride[2 + axis - first] = stride;
      stride *= spatial[axis];
    }
    t.stride[0] = stride;
    return t;
  };
  out.x = tensor(g.batch, g.in, g.in_channels);
  out.w = tensor(g.out_channels, g.kernel, g.in_channels / g.groups);
  out.y = tensor(g.batch, g.out, g.out_channels);
  for (int axis = first; axis < 3; ++axis) {
    const auto behind = padding_behind(g, axis);
    if (!behind) return std::nullopt;
    out.before[axis - first] = g.pad[axis];
    out.behind[axis - first] = *behind;
    out.stride[axis - first] = g.stride[axis];
    out.dilation[axis - first] = g.dilation[axis];
  }
  return out;
}

/// What an engine of cuDNN says of itself.
struct EngineNotes {
  bool tensor_core = false, down_converts = false, reduced_sums = false, nondeterministic = false;
};

/// Whether an engine may be used. For f32 operands a tensor core means tf32, so f32 takes none of them; engines that
/// convert the operands to a smaller type or sum in one are never asked for.
inline bool admissible(const EngineNotes& notes, Precision precision, const ConvSettings& settings) {
  if (notes.down_converts || notes.reduced_sums) return false;
  if (notes.tensor_core && precision == Precision::f32) return false;
  return !(notes.nondeterministic && settings.deterministic);
}

/// What to try, in this order; what has no plan at all is left to the direct kernels. With tf32 nothing is less precise
/// than it would be with bf16 or f16, nor does it overflow. The result may refer to `asked`.
inline std::span<const Precision> precisions_to_try(const Precision& asked) {
  static constexpr Precision bf16[] = {Precision::bf16, Precision::tf32}, f16[] = {Precision::f16, Precision::tf32};
  if (asked == Precision::bf16) return bf16;
  if (asked == Precision::f16) return f16;
  return {&asked, 1};
}

/// Which of the plans to take, by their times: the fastest, the first of equals. A plan that failed has an infinite
/// one; nothing if all of them did.
inline std::optional<std::size_t> fastest(std::span<const float> times_ms) {
  std::optional<std::size_t> best;
  float least = std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < times_ms.size(); ++i) {
    if (times_ms[i] < least) {
      least = times_ms[i];
      best = i;
    }
  }
  return best;
}

}  // namespace synthdata::cuda
