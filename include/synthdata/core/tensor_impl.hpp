// synthdata/core/tensor_impl.hpp: bodies of core/tensor.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/tensor.hpp>

#include <limits>
#include <type_traits>

namespace synthdata {

namespace detail {
/// C++ conversion, except that a floating value outside an integer type's range is clamped and NaN becomes 0.
template <class To, class From>
To convert_element(From x) {
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To> && !std::is_same_v<To, bool>) {
    if (x != x) return To(0);
    if (static_cast<double>(x) <= static_cast<double>(std::numeric_limits<To>::min())) {
      return std::numeric_limits<To>::min();
    }
    if (static_cast<double>(x) >= static_cast<double>(std::numeric_limits<To>::max())) {
      return std::numeric_limits<To>::max();
    }
  }
  return static_cast<To>(x);
}
}  // namespace detail

SYNTHDATA_INLINE void Tensor::fill(double value) {
  if (!device_.is_cpu()) return detail::device_driver().fill(device_.index, data_, dtype_, size_, value);
  visit_dtype(dtype_, [&]<class T>() {
    T* p = data<T>();
    for (std::int64_t i = 0; i < size_; ++i) p[i] = static_cast<T>(value);
  });
}

SYNTHDATA_INLINE void Tensor::copy_from_host(const void* values) {
  if (size_ == 0) return;
  if (device_.is_cpu()) {
    std::memcpy(data_, values, static_cast<std::size_t>(size_bytes()));
  } else {
    detail::device_driver().copy_to_device(device_.index, data_, values, size_bytes());
  }
}

SYNTHDATA_INLINE void Tensor::copy_elements(const Tensor& from) {
  if (from.size_ != size_)
    throw_shape("copy_elements", "the numbers of elements differ", {{"into", *this}, {"from", from}});
  if (from.dtype_ != dtype_) throw DTypeError(concat("copy_elements: from ", from.str(), " into ", str()));
  if (size_ == 0) return;
  if (from.device_.is_cpu()) return copy_from_host(from.data_);
  detail::DeviceDriver& driver = detail::device_driver();
  if (device_.is_cpu()) return driver.copy_to_host(from.device_.index, data_, from.data_, size_bytes());
  driver.copy(device_.index, data_, from.device_.index, from.data_, size_bytes());
}

SYNTHDATA_INLINE double Tensor::item() const {
  if (size_ != 1) throw ShapeError(concat("item: expects one element, got shape ", shape_));
  if (!device_.is_cpu()) return to(Device::cpu()).item();
  return visit_dtype(dtype_, [&]<class T>() { return static_cast<double>(*data<T>()); });
}

SYNTHDATA_INLINE Tensor Tensor::reshape(const Shape& shape) const {
  if (shape.size() != size_) {
    throw ShapeError(concat("reshape: ", shape_, " has ", size_, " elements, ", shape, " has ", shape.size()));
  }
  Tensor t = *this;
  t.shape_ = shape;
  return t;
}

SYNTHDATA_INLINE Tensor Tensor::rows(std::int64_t begin, std::int64_t end) const {
  if (rank() == 0 || begin < 0 || end < begin || end > shape_[0]) {
    throw ShapeError(concat("rows: [", begin, ", ", end, ") is out of range for ", shape_));
  }
  Tensor t = *this;
  const std::int64_t row = shape_[0] ? size_ / shape_[0] : 0;
  t.shape_[0] = end - begin;
  t.size_ = row * (end - begin);
  t.data_ = static_cast<std::byte*>(data_) + row * begin * static_cast<std::int64_t>(size_of(dtype_));
  return t;
}

SYNTHDATA_INLINE std::string Tensor::str() const {
  if (!defined()) return "undefined";
  return device_.is_cpu() ? concat(shape_, " ", dtype_) : concat(shape_, " ", dtype_, " ", device_);
}

SYNTHDATA_COLD SYNTHDATA_INLINE void Tensor::throw_access(DType wanted) const {
  if (defined() && wanted == dtype_) detail::throw_not_on_host(device_);
  throw DTypeError(concat("data: asked for ", wanted, " elements, the tensor is ", str()));
}
SYNTHDATA_COLD SYNTHDATA_INLINE void Tensor::throw_count(const Shape& shape, std::size_t values) {
  throw ShapeError(concat("Tensor::from: shape ", shape, " needs ", shape.size(), " values, got ", values));
}

SYNTHDATA_INLINE Tensor Tensor::to(DType dtype) const {
  if (dtype == dtype_ || !defined()) return *this;
  Tensor out = empty(shape_, dtype, device_);
  if (!device_.is_cpu()) {
    detail::device_driver().convert(device_.index, out.data_, dtype, data_, dtype_, size_);
    return out;
  }
  visit_dtype(dtype_, [&]<class From>() {
    visit_dtype(dtype, [&]<class To>() {
      const From* from = data<From>();
      To* into = out.data<To>();
      for (std::int64_t i = 0; i < size_; ++i) into[i] = detail::convert_element<To>(from[i]);
    });
  });
  return out;
}

SYNTHDATA_INLINE Tensor Tensor::to(Device device) const {
  if (device == device_ || !defined()) return *this;
  Tensor out = empty(shape_, dtype_, device);
  out.copy_elements(*this);
  return out;
}

SYNTHDATA_INLINE Tensor Tensor::send_ahead(Device device) const {
  if (device == device_ || !defined()) return *this;
  if (!device_.is_cpu()) throw DeviceError(concat("send_ahead: expects a tensor on the CPU, got ", str()));
  Tensor out = *this;
  out.block_ = detail::BlockPtr(detail::device_driver().send_ahead(device.index, data_, size_bytes()));
  out.data_ = out.block_.get()->elements;
  out.device_ = device;
  return out;
}

SYNTHDATA_INLINE void Tensor::arrived() const {
  if (defined() && !device_.is_cpu()) detail::device_driver().arrived(block_.get());
}

SYNTHDATA_INLINE Shape Tensor::infer_shape(std::span<const std::int64_t> extents) const {
  Shape shape;
  int inferred = -1;
  for (const std::int64_t extent : extents) {
    if (extent == -1) {
      if (inferred >= 0) throw ShapeError(concat("reshape: only one extent of ", shape_, " can be inferred (-1)"));
      inferred = shape.rank();
      shape.push_back(1);
    } else {
      shape.push_back(extent);
    }
  }
  if (inferred >= 0) {
    const std::int64_t known = shape.size();  // the inferred extent still counts as 1
    if (known == 0 || size_ % known != 0) {
      throw ShapeError(concat("reshape: ", shape_, " has ", size_, " elements, which ", known, " does not divide"));
    }
    shape[inferred] = size_ / known;
  }
  return shape;
}

SYNTHDATA_INLINE Tensor arange(std::int64_t count, DType dtype, Device device) {
  Tensor t = Tensor::empty({count}, dtype, device);
  if (!t.device().is_cpu()) {
    detail::device_driver().count_up(t.device().index, t.address(), dtype, count);
    return t;
  }
  visit_dtype(dtype, [&]<class T>() {
    T* p = t.data<T>();
    for (std::int64_t i = 0; i < count; ++i) p[i] = static_cast<T>(i);
  });
  return t;
}

SYNTHDATA_INLINE bool same_bits(const Tensor& a, const Tensor& b) {
  if (a.defined() != b.defined() || a.dtype() != b.dtype() || !(a.shape() == b.shape())) return false;
  return a.size() == 0 || std::memcmp(a.bytes(), b.bytes(), static_cast<std::size_t>(a.size_bytes())) == 0;
}

SYNTHDATA_COLD SYNTHDATA_INLINE void throw_shape(const char* op, const std::string& text,
                                                 std::initializer_list<Operand> operands) {
  std::string message = concat(op, ": ", text);
  for (const Operand& operand : operands) message += concat("\n  ", operand.name, " ", operand.tensor.str());
  throw ShapeError(message);
}

}  // namespace synthdata
