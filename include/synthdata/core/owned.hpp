// synthdata/core/owned.hpp: a pointer that owns its object.
//
// In place of std::unique_ptr, whose header alone costs every program that includes the library a tenth of a second.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

namespace synthdata::detail {

/// Owns one object made by new, or none. Copying copies the object by its clone(), where it has one.
template <class T>
class Owned {
 public:
  Owned() = default;
  explicit Owned(T* object) : object_(object) {}
  Owned(const Owned& other) : object_(other.object_ ? other.object_->clone() : nullptr) {}
  Owned(Owned&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Owned& operator=(Owned other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Owned() { delete object_; }

  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  T* object_ = nullptr;
};

}  // namespace synthdata::detail
