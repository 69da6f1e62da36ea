// synthdata/backend/elementwise_impl.hpp: the in-place kernels of backend/elementwise.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/elementwise.hpp>

namespace synthdata::backend {

namespace detail {
SYNTHDATA_COLD SYNTHDATA_INLINE void throw_dtypes(const char* op, const Tensor& a, const Tensor& b) {
  throw DTypeError(concat(op, ": operands have different dtypes\n  first  ", a.str(), "\n  second ", b.str()));
}

SYNTHDATA_COLD SYNTHDATA_INLINE Tensor number_on(const char* op, const Tensor& x, Device device) {
  if (x.device() == device) return x;
  if (x.rank() > 0 || !x.device().is_cpu()) {
    throw DeviceError(concat(op, ": expects all operands on ", device, ", got one of ", x.shape(), " on ", x.device()));
  }
  return Tensor::full({}, x.item(), x.dtype(), device);
}
}  // namespace detail

SYNTHDATA_INLINE void add_in_place(Tensor& into, const Tensor& x) {
  if (into.dtype() != x.dtype()) detail::throw_dtypes("add_in_place", into, x);
  if (!(into.shape() == x.shape())) throw_shape("add_in_place", "shapes differ", {{"into", into}, {"x", x}});
  visit_floating(x.dtype(), "add_in_place", [&]<class T>() {
    detail::map_into<T, detail::Sum2, 2>("add_in_place", {}, into, {&into, &x});
  });
}

SYNTHDATA_INLINE void scale_in_place(Tensor& into, double factor) {
  visit_floating(into.dtype(), "scale_in_place",
                 [&]<class T>() { detail::map_into<T, detail::Scaled, 1>("scale_in_place", {factor}, into, {&into}); });
}

}  // namespace synthdata::backend
