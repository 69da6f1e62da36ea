// synthdata/nn/shape.hpp: layers that move, merge or enlarge: Flatten, Reshape, Permute, Upsample, pooling,
// PixelShuffle.
//
// None of them has parameters. The first axis is the batch and is never touched.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/interpolation.hpp>
#include <synthdata/nn/module.hpp>
#include <synthdata/ops/pool.hpp>
#include <synthdata/ops/resize.hpp>
#include <synthdata/ops/shape.hpp>

namespace synthdata {

/// [N, ...] -> [N, rest]
struct Flatten {
  static constexpr const char* kind = "flatten";
  Var operator()(const Var& x) const { return flatten(x, 1); }
  template <class Self, class Visitor>
  static void visit(Self&, Visitor&&) {}
};

/// Gives each sample another shape: Reshape{7, 7, 256} makes [N, 12544] into [N, 7, 7, 256].
class Reshape {
 public:
  static constexpr const char* kind = "reshape";
  Reshape(std::initializer_list<std::int64_t> sample) : sample_(sample) {}
  explicit Reshape(const Shape& sample) : sample_(sample) {}

  /// @throws ShapeError if a sample has another number of elements.
  Var operator()(const Var& x) const;
  template <class Self, class Visitor>
  static void visit(Self&, Visitor&&) {}

 private:
  Shape sample_;
};

/// Axis k of the result is axis axes[k] of x, the batch being axis 0: Permute{0, 3, 1, 2} makes [N, H, W, C] into
/// [N, C, H, W].
class Permute {
 public:
  static constexpr const char* kind = "permute";
  /// @throws ShapeError unless the batch stays axis 0.
  Permute(std::initializer_list<int> axes);

  Var operator()(const Var& x) const;
  template <class Self, class Visitor>
  static void visit(Self&, Visitor&&) {}

 private:
  std::vector<int> axes_;
};

/// Enlarges images by a whole factor. [N, H, W, C] -> [N, factor H, factor W, C]
struct Upsample {
  static constexpr const char* kind = "upsample";
  std::int64_t factor = 2;
  Interpolation mode = Interpolation::nearest;

  Var operator()(const Var& x) const {
    if (mode == Interpolation::nearest) return upsample_nearest(x, factor);
    return resize_bilinear(x, {.scale = static_cast<double>(factor)});
  }
  template <class Self, class Visitor>
  static void visit(Self&, Visitor&&) {}
};

/// Largest value of each window: MaxPool({.kernel = 2}); see max_pool().
class MaxPool {
 public:
  static constexpr const char* kind = "max_pool";
  explicit MaxPool(const PoolOptions& options) : options_(options) {}

  Var operator()(const Var& x) const { return max_pool(x, options_); }
  template <class Self, class Visitor>
  static void visit(Self&, Visitor&&) {}

 private:
  PoolOptions options_;
};

/// Mean of each window: AvgPool({.kernel = 2}); see avg_pool().
class AvgPool {
 public:
  static constexpr const char* kind = "avg_pool";
  explicit AvgPool(const PoolOptions& options) : options_(options) {}

  Var operator()(const Var& x) const { return avg_pool(x, options_); }
  template <class Self, class Visitor>
  static void visit(Self&, Visitor&&) {}

 private:
  PoolOptions options_;
};

/// Mean over the spatial axes. [N, spatial..., C] -> [N, C]
struct GlobalAvgPool {
  static constexpr const char* kind = "global_avg_pool";
  Var operator()(const Var& x) const { return global_avg_pool(x); }
  template <class Self, class Visitor>
  static void visit(Self&, Visitor&&) {}
};

/// Maximum over the spatial axes. [N, spatial..., C] -> [N, C]
struct GlobalMaxPool {
  static constexpr const char* kind = "global_max_pool";
  Var operator()(const Var& x) const { return global_max_pool(x); }
  template <class Self, class Visitor>
  static void visit(Self&, Visitor&&) {}
};

/// Spreads channels over space, [N, H, W, C r²] -> [N, H r, W r, C]; see pixel_shuffle().
struct PixelShuffle {
  static constexpr const char* kind = "pixel_shuffle";
  std::int64_t factor = 2;
  Var operator()(const Var& x) const { return pixel_shuffle(x, factor); }
  template <class Self, class Visitor>
  static void visit(Self&, Visitor&&) {}
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/nn/shape_impl.hpp>
#endif
