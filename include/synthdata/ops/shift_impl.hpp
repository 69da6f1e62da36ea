// synthdata/ops/shift_impl.hpp: bodies of ops/shift.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/device_kernels.hpp>
#include <synthdata/core/parallel.hpp>
#include <synthdata/ops/shift.hpp>

#include <algorithm>

namespace synthdata {
namespace detail {

/// The pixels of one axis that stay within it when all move by `shift`: result indices [begin, end).
struct ShiftedAxis {
  std::int64_t begin, end;
  ShiftedAxis(std::int64_t extent, std::int64_t shift)
      : begin(std::clamp<std::int64_t>(shift, 0, extent)),
        end(std::clamp<std::int64_t>(shift < 0 ? extent + std::max(shift, -extent) : extent, begin, extent)) {}
};

/// The images moved by `sign` times their shifts.
template <class T>
Tensor shifted_images(const Tensor& x, const Tensor& shifts, std::int64_t sign) {
  backend::detail::check_devices("shift_images", x, shifts);
  const std::int64_t n = x.shape(0), h = x.shape(1), w = x.shape(2), c = x.shape(3);
  Tensor y = Tensor::zeros(x.shape(), x.dtype(), x.device());
  if (!x.device().is_cpu()) {
    if (x.size() > 0) backend::device_kernels().shift_images(x, shifts, sign, y);
    return y;
  }
  const std::int64_t* const by = shifts.data<std::int64_t>();
  parallel_for(n, std::max<std::int64_t>(1, 65536 / std::max<std::int64_t>(1, h * w * c)),
               [&, from = x.data<T>(), to = y.data<T>()](std::int64_t first, std::int64_t last) {
                 for (std::int64_t image = first; image < last; ++image) {
                   const std::int64_t down = sign * by[2 * image], right = sign * by[2 * image + 1];
                   const ShiftedAxis rows(h, down), columns(w, right);
                   for (std::int64_t i = rows.begin; i < rows.end && columns.begin < columns.end; ++i) {
                     const std::int64_t source = (image * h + i - down) * w + columns.begin - right;
                     std::copy_n(from + source * c, (columns.end - columns.begin) * c,
                                 to + ((image * h + i) * w + columns.begin) * c);
                   }
                 }
               });
  return y;
}

/// Its adjoint moves back.
inline Var shift_images(const Var& x, const Tensor& shifts, std::int64_t sign) {
  Tensor y =
      visit_floating(x.dtype(), "shift_images", [&]<class T>() { return shifted_images<T>(x.value(), shifts, sign); });
  return linear_op("shift_images", std::move(y), x,
                   [shifts, sign](const Var& g) { return shift_images(g, shifts, -sign); });
}

}  // namespace detail

SYNTHDATA_INLINE Var shift_images(const Var& x, const Tensor& shifts) {
  if (x.rank() != 4 || !(shifts.shape() == Shape{x.shape(0), 2}) || shifts.dtype() != DType::i64) {
    throw_shape("shift_images", "expects images [N, H, W, C] and shifts [N, 2] of i64",
                {{"x", x.value()}, {"shifts", shifts}});
  }
  return detail::shift_images(x, shifts, 1);
}

}  // namespace synthdata
