// synthdata/backend/scan_impl.hpp: bodies of backend/scan.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/copy.hpp>
#include <synthdata/backend/copy_impl.hpp>
#include <synthdata/backend/scan.hpp>

namespace synthdata::backend {

SYNTHDATA_INLINE Tensor cumsum(const Tensor& x, int axis, bool reverse) {
  const detail::Split s(x.shape(), axis);
  Tensor out = x.empty_like(x.shape());
  if (!x.device().is_cpu()) {
    if (x.size() > 0) device_kernels().cumsum(x, s, reverse, out);
    return out;
  }
  visit_floating(x.dtype(), "cumsum", [&]<class T>() {
    const T* from = x.data<T>();
    T* into = out.data<T>();
    detail::for_columns(s, s.extent, [&](std::int64_t o, std::int64_t k0, std::int64_t k1) {
      double sum[detail::column_width] = {};
      for (std::int64_t i = 0; i < s.extent; ++i) {
        const std::int64_t row = (o * s.extent + (reverse ? s.extent - 1 - i : i)) * s.inner;
        for (std::int64_t k = k0; k < k1; ++k) {
          sum[k - k0] += static_cast<double>(from[row + k]);
          into[row + k] = static_cast<T>(sum[k - k0]);
        }
      }
    });
  });
  return out;
}

}  // namespace synthdata::backend
