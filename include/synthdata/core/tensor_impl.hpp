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

SYNTHDATA_INLINE Tensor Tensor::full(const Shape& shape, double value, DType dtype) {
  Tensor t = empty(shape, dtype);
  visit_dtype(dtype, [&]<class T>() {
    T* p = t.data<T>();
    for (std::int64_t i = 0; i < t.size_; ++i) p[i] = static_cast<T>(value);
  });
  return t;
}

SYNTHDATA_INLINE double Tensor::item() const {
  if (size_ != 1) throw ShapeError(concat("item: expects one element, got shape ", shape_));
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

SYNTHDATA_INLINE std::string Tensor::str() const { return defined() ? concat(shape_, " ", dtype_) : "undefined"; }

SYNTHDATA_COLD SYNTHDATA_INLINE void Tensor::throw_dtype(DType wanted) const {
  throw DTypeError(concat("data: asked for ", wanted, " elements, the tensor is ", str()));
}
SYNTHDATA_COLD SYNTHDATA_INLINE void Tensor::throw_count(const Shape& shape, std::size_t values) {
  throw ShapeError(concat("Tensor::from: shape ", shape, " needs ", shape.size(), " values, got ", values));
}

SYNTHDATA_INLINE Tensor Tensor::to(DType dtype) const {
  if (dtype == dtype_ || !defined()) return *this;
  Tensor out = empty(shape_, dtype);
  visit_dtype(dtype_, [&]<class From>() {
    visit_dtype(dtype, [&]<class To>() {
      const From* from = data<From>();
      To* into = out.data<To>();
      for (std::int64_t i = 0; i < size_; ++i) into[i] = detail::convert_element<To>(from[i]);
    });
  });
  return out;
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

SYNTHDATA_INLINE Tensor arange(std::int64_t count, DType dtype) {
  Tensor t = Tensor::empty({count}, dtype);
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
