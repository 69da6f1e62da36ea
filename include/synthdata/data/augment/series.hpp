// synthdata/data/augment/series.hpp: time series with noise, other scales, other paces.
//
// A series is [T] or [T, C], f32. Source: Um et al. 2017, arXiv:1706.00527, which names them jittering, scaling,
// magnitude warping, time warping; Le Guennec et al. 2016, "Data augmentation for time series classification", for
// windows.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/augment/augmentation.hpp>

namespace synthdata {

namespace series {

/// The series at these times, linearly between its own; before the first and after the last it stays.
/// @param times  in steps, ascending or not
Tensor at_times(const Tensor& x, const std::vector<double>& times);
/// A smooth curve through `values`, which are evenly spaced from the first of `length` points to the last
/// (Catmull-Rom).
std::vector<double> smooth_curve(const std::vector<double>& values, std::int64_t length);

}  // namespace series

namespace random {

/// Normal noise; its standard deviation is a multiple of each channel's own.
struct Jitter {
  ValueRange std = {0.0f, 0.1f};

  static constexpr const char* name = "jitter";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("std", self.std, 0.0, 100.0);
  }
  Tensor operator()(const Tensor& x, Rng& rng) const;
};

/// Each channel times a factor of its own.
struct SeriesScale {
  ValueRange factor = {0.8f, 1.25f};

  static constexpr const char* name = "series_scale";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("factor", self.factor);
  }
  Tensor operator()(const Tensor& x, Rng& rng) const;
};

/// Each channel times a smooth curve of its own, whose knots are normal about 1.
struct MagnitudeWarp {
  float std = 0.2f;
  std::int64_t knots = 4;  ///< between the first and the last, which are knots too

  static constexpr const char* name = "magnitude_warp";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("std", self.std, 0.0, 100.0);
    v("knots", self.knots, 0.0, 10000.0);
  }
  Tensor operator()(const Tensor& x, Rng& rng) const;
};

/// Faster in places and slower in others, all channels alike; both ends stay. The pace is the exponential of a smooth
/// curve whose knots are normal about 0.
struct TimeWarp {
  float std = 0.2f;
  std::int64_t knots = 4;

  static constexpr const char* name = "time_warp";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("std", self.std, 0.0, 5.0);
    v("knots", self.knots, 0.0, 10000.0);
  }
  Tensor operator()(const Tensor& x, Rng& rng) const;
};

/// A window at a random place: `length` steps as they are, or for length = 0 a share of the series stretched to its
/// length.
struct Window {
  std::int64_t length = 0;
  ValueRange share = {0.7f, 1.0f};

  static constexpr const char* name = "window";
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("length", self.length, 0.0, 1e12);
    v("share", self.share, 0.0, 1.0);
  }
  /// @throws ShapeError if the series is shorter than the window.
  Tensor operator()(const Tensor& x, Rng& rng) const;
};

}  // namespace random
}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/augment/series_impl.hpp>
#endif
