// synthdata/core/shape.hpp: the extents of a tensor, at most six, held inline.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/config.hpp>
#include <synthdata/core/error.hpp>

#include <initializer_list>

namespace synthdata {

/// Extents of a row-major tensor, outermost first. Rank 0 is a scalar.
class Shape {
 public:
  static constexpr int max_rank = 6;

  constexpr Shape() = default;
  /// @throws ShapeError for more than six extents or a negative one.
  Shape(std::initializer_list<std::int64_t> extents) {
    for (const std::int64_t extent : extents) push_back(extent);
  }

  int rank() const { return rank_; }
  std::int64_t operator[](int axis) const { return extents_[axis]; }
  std::int64_t& operator[](int axis) { return extents_[axis]; }
  const std::int64_t* begin() const { return extents_; }
  const std::int64_t* end() const { return extents_ + rank_; }

  /// Extent along `axis`; -1 is the last one. @throws ShapeError out of range.
  std::int64_t at(int axis) const { return extents_[wrap(axis)]; }

  /// Turns an axis counted from the end (-1 is the last) into one counted from the front.
  /// @throws ShapeError out of range.
  int wrap(int axis) const {
    const int wrapped = axis < 0 ? axis + rank_ : axis;
    if (wrapped < 0 || wrapped >= rank_) [[unlikely]]
      throw_axis(axis);
    return wrapped;
  }

  /// Number of elements. @throws ShapeError if it does not fit 62 bits.
  std::int64_t size() const {
    std::int64_t n = 0;
    if (!count(n)) [[unlikely]]
      throw_size();
    return n;
  }
  /// The same for extents from outside: false if it does not fit. The order matters: [huge, huge, 0] has no elements,
  /// but is refused like every product that is too large on the way.
  bool count(std::int64_t& n) const noexcept {
    n = 1;
    for (int i = 0; i < rank_; ++i) {
      if (__builtin_mul_overflow(n, extents_[i], &n) || n > (std::int64_t{1} << 62)) [[unlikely]]
        return false;
    }
    return true;
  }

  void push_back(std::int64_t extent) {
    if (rank_ == max_rank || extent < 0) [[unlikely]]
      throw_extent(extent);
    extents_[rank_++] = extent;
  }

  /// Copies with one extent changed, inserted or removed. The axis may count from the end; for insert that is the end
  /// of the result. @throws ShapeError out of range.
  Shape with(int axis, std::int64_t extent) const {
    Shape s = *this;
    s.extents_[wrap(axis)] = extent;
    return s;
  }
  Shape insert(int axis, std::int64_t extent) const {
    const int place = axis < 0 ? axis + rank_ + 1 : axis;
    if (place < 0 || place > rank_) [[unlikely]]
      throw_axis(axis);
    Shape s;
    for (int i = 0; i <= rank_; ++i) {
      if (i == place) s.push_back(extent);
      if (i < rank_) s.push_back(extents_[i]);
    }
    return s;
  }
  Shape erase(int axis) const {
    const int gone = wrap(axis);
    Shape s;
    for (int i = 0; i < rank_; ++i) {
      if (i != gone) s.push_back(extents_[i]);
    }
    return s;
  }

  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.rank_ != b.rank_) return false;
    for (int i = 0; i < a.rank_; ++i) {
      if (a.extents_[i] != b.extents_[i]) return false;
    }
    return true;
  }

  /// "[128, 28, 28, 1]"
  std::string str() const;

 private:
  [[noreturn]] void throw_axis(int axis) const;
  [[noreturn]] void throw_size() const;
  [[noreturn]] void throw_extent(std::int64_t extent) const;

  std::int64_t extents_[max_rank] = {};
  int rank_ = 0;
};

void append(std::string& out, const Shape& shape);  // found by concat()

/// The shape that a and b broadcast to (NumPy's rule: align at the end, extents equal or 1).
/// @throws ShapeError if they do not broadcast, naming `op`.
Shape broadcast_shape(const char* op, const Shape& a, const Shape& b);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/core/shape_impl.hpp>
#endif
