// synthdata/core/dtype.hpp: the element types of a tensor, known at run time.
//
// Arithmetic and gradients use f32 (the default) and f64 (checks); the others store data, labels and masks.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/config.hpp>
#include <synthdata/core/error.hpp>

#include <cstddef>

namespace synthdata {

enum class DType : std::uint8_t { f32, f64, u8, i32, i64, boolean };

constexpr std::size_t size_of(DType dtype) {
  constexpr std::size_t sizes[] = {4, 8, 1, 4, 8, 1};
  return sizes[static_cast<std::size_t>(dtype)];
}

constexpr const char* name_of(DType dtype) {
  constexpr const char* names[] = {"f32", "f64", "u8", "i32", "i64", "bool"};
  return names[static_cast<std::size_t>(dtype)];
}

constexpr bool is_floating(DType dtype) { return dtype == DType::f32 || dtype == DType::f64; }

template <class T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::f32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::f64;
};
template <>
struct DTypeOf<std::uint8_t> {
  static constexpr DType value = DType::u8;
};
template <>
struct DTypeOf<std::int32_t> {
  static constexpr DType value = DType::i32;
};
template <>
struct DTypeOf<std::int64_t> {
  static constexpr DType value = DType::i64;
};
template <>
struct DTypeOf<bool> {
  static constexpr DType value = DType::boolean;
};

/// The dtype of a C++ element type.
template <class T>
inline constexpr DType dtype_of = DTypeOf<T>::value;

void append(std::string& out, DType dtype);  // found by concat()

namespace detail {
[[noreturn]] void throw_not_floating(const char* op, DType dtype);
}  // namespace detail

/// Calls `f.template operator()<T>()` with T = float or double.
/// @throws DTypeError for every other dtype, naming `op`.
template <class F>
decltype(auto) visit_floating(DType dtype, const char* op, F&& f) {
  if (dtype == DType::f32) return f.template operator()<float>();
  if (dtype == DType::f64) return f.template operator()<double>();
  detail::throw_not_floating(op, dtype);
}

/// Calls `f.template operator()<T>()` with the C++ type of any dtype.
template <class F>
decltype(auto) visit_dtype(DType dtype, F&& f) {
  switch (dtype) {
    case DType::f64:
      return f.template operator()<double>();
    case DType::u8:
      return f.template operator()<std::uint8_t>();
    case DType::i32:
      return f.template operator()<std::int32_t>();
    case DType::i64:
      return f.template operator()<std::int64_t>();
    case DType::boolean:
      return f.template operator()<bool>();
    case DType::f32:
      break;
  }
  return f.template operator()<float>();
}

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/core/dtype_impl.hpp>
#endif
