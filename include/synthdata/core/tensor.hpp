// synthdata/core/tensor.hpp: a dense, row-major, contiguous array with a run-time dtype and device.
//
// A Tensor is a handle: copying it shares the elements, clone() copies them. Operations never write to their
// operands. Images are [N, H, W, C], sequences [N, T, C]. New tensors are made on the thread's current device, see
// core/device.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/dtype.hpp>
#include <synthdata/core/memory.hpp>
#include <synthdata/core/shape.hpp>

#include <cstring>
#include <span>
#include <vector>

namespace synthdata {

class Tensor {
 public:
  /// An undefined tensor: no elements, no shape.
  Tensor() = default;

  /// Elements are not initialised. @throws Error if there is not enough memory.
  static Tensor empty(const Shape& shape, DType dtype = DType::f32, Device device = current_device()) {
    Tensor t;
    const std::int64_t count = shape.size();
    std::int64_t bytes = 0;
    if (__builtin_mul_overflow(count, static_cast<std::int64_t>(size_of(dtype)), &bytes)) [[unlikely]]
      bytes = -1;
    t.block_ = detail::BlockPtr(detail::allocate_block(bytes, device));
    t.data_ = t.block_.get()->elements;
    t.shape_ = shape;
    t.size_ = count;
    t.dtype_ = dtype;
    t.device_ = device;
    return t;
  }
  /// An uninitialised tensor of another shape, with the dtype and on the device of this one.
  Tensor empty_like(const Shape& shape) const { return empty(shape, dtype_, device_); }
  static Tensor zeros(const Shape& shape, DType dtype = DType::f32, Device device = current_device()) {
    Tensor t = empty(shape, dtype, device);
    if (device.is_cpu()) {
      std::memset(t.data_, 0, static_cast<std::size_t>(t.size_bytes()));
    } else {
      t.fill(0.0);
    }
    return t;
  }
  static Tensor ones(const Shape& shape, DType dtype = DType::f32, Device device = current_device()) {
    return full(shape, 1.0, dtype, device);
  }
  static Tensor full(const Shape& shape, double value, DType dtype = DType::f32, Device device = current_device()) {
    Tensor t = empty(shape, dtype, device);
    t.fill(value);
    return t;
  }
  static Tensor scalar(double value, DType dtype = DType::f32, Device device = current_device()) {
    return full({}, value, dtype, device);
  }

  /// Copies `values` into a tensor of `shape`. @throws ShapeError if the counts differ.
  template <class T>
  static Tensor from(std::span<const T> values, const Shape& shape, Device device = current_device()) {
    if (static_cast<std::int64_t>(values.size()) != shape.size()) throw_count(shape, values.size());
    Tensor t = empty(shape, dtype_of<T>, device);
    t.copy_from_host(values.data());
    return t;
  }
  template <class T>
  static Tensor from(const std::vector<T>& values, const Shape& shape, Device device = current_device()) {
    return from(std::span<const T>(values), shape, device);
  }
  template <class T>
  static Tensor from(const std::vector<T>& values, Device device = current_device()) {
    return from(std::span<const T>(values), {static_cast<std::int64_t>(values.size())}, device);
  }

  /// A tensor on the CPU over elements that lie elsewhere, such as in a mapped file, without a copy. `keeper` owns that
  /// memory, and is destroyed with the last tensor that shares the elements.
  /// @param elements  aligned as the dtype wants, and writable, since whoever holds a tensor may write to it
  template <class Keeper>
  static Tensor over(void* elements, const Shape& shape, DType dtype, Keeper keeper) {
    Tensor t;
    t.size_ = shape.size();
    t.shape_ = shape;
    t.dtype_ = dtype;
    t.device_ = Device::cpu();
    t.data_ = elements;
    t.block_ = detail::BlockPtr(new detail::KeptBy<Keeper>(elements, t.size_bytes(), std::move(keeper)));
    return t;
  }

  bool defined() const { return block_.get() != nullptr; }
  const Shape& shape() const { return shape_; }
  /// Extent along `axis`; -1 is the last one.
  std::int64_t shape(int axis) const { return shape_.at(axis); }
  int rank() const { return shape_.rank(); }
  /// Number of elements.
  std::int64_t size() const { return size_; }
  std::int64_t size_bytes() const { return size_ * static_cast<std::int64_t>(size_of(dtype_)); }
  DType dtype() const { return dtype_; }
  Device device() const { return device_; }

  /// The elements. @throws DTypeError if T is not the tensor's dtype, DeviceError if they are not on the CPU.
  template <class T>
  T* data() {
    check_host(dtype_of<T>);
    return static_cast<T*>(data_);
  }
  template <class T>
  const T* data() const {
    check_host(dtype_of<T>);
    return static_cast<const T*>(data_);
  }
  template <class T>
  std::span<T> span() {
    return {data<T>(), static_cast<std::size_t>(size_)};
  }
  template <class T>
  std::span<const T> span() const {
    return {data<T>(), static_cast<std::size_t>(size_)};
  }
  /// The elements as bytes. @throws DeviceError if they are not on the CPU.
  void* bytes() {
    check_host(dtype_);
    return data_;
  }
  const void* bytes() const {
    check_host(dtype_);
    return data_;
  }
  /// The address of the elements on whatever device they are; for kernels.
  void* address() { return data_; }
  const void* address() const { return data_; }

  /// The value of a tensor with one element, of any dtype; waits for the device. @throws ShapeError if it has more or
  /// none.
  double item() const;

  /// Shares the elements under another shape; one extent may be -1 and is inferred.
  /// @throws ShapeError if the counts differ.
  Tensor reshape(std::initializer_list<std::int64_t> extents) const {
    return reshape(infer_shape(std::span(extents.begin(), extents.size())));
  }
  Tensor reshape(const Shape& shape) const;
  /// Replaces one extent of -1 by what the element count leaves. @throws ShapeError if that is not a whole number.
  Shape infer_shape(std::span<const std::int64_t> extents) const;

  /// Rows [begin, end) of the first axis; shares the elements. @throws ShapeError out of range.
  Tensor rows(std::int64_t begin, std::int64_t end) const;

  /// A copy with its own elements.
  Tensor clone() const {
    if (!defined()) return {};
    Tensor t = empty_like(shape_);
    t.copy_elements(*this);
    return t;
  }
  /// Overwrites every element.
  void fill(double value);
  /// Overwrites the elements by those of `from`, which may be on another device. @throws ShapeError, DTypeError unless
  /// it has the same number of them and the same dtype.
  void copy_elements(const Tensor& from);
  /// The same values as another dtype (C++ conversion; a value out of range of an integer dtype is clamped,
  /// NaN becomes 0). Shares the elements when the dtype is already right.
  Tensor to(DType dtype) const;
  /// The same values on another device. Shares the elements when they are there already.
  Tensor to(Device device) const;
  /// Copies the elements of a tensor of the CPU to `device` beside the work that is queued there, so that they are
  /// there when they are wanted. Nothing may read them before arrived(). Any thread may call it.
  Tensor send_ahead(Device device) const;
  /// What send_ahead() sent may be read by all that is queued from now on. To be called by the thread that queues.
  void arrived() const;

  /// True if no other tensor shares the elements.
  bool unique() const { return block_.unique(); }
  bool shares_elements(const Tensor& other) const { return defined() && block_.get() == other.block_.get(); }

  /// "[128, 784] f32", with the device behind it unless that is the CPU.
  std::string str() const;

 private:
  void check_host(DType wanted) const {
    if (wanted != dtype_ || !defined() || !device_.is_cpu()) [[unlikely]]
      throw_access(wanted);
  }
  [[noreturn]] void throw_access(DType wanted) const;
  void copy_from_host(const void* values);
  [[noreturn]] static void throw_count(const Shape& shape, std::size_t values);

  detail::BlockPtr block_;
  void* data_ = nullptr;
  std::int64_t size_ = 0;
  Shape shape_;
  DType dtype_ = DType::f32;
  Device device_;
};

inline Tensor zeros(const Shape& shape, DType dtype = DType::f32, Device device = current_device()) {
  return Tensor::zeros(shape, dtype, device);
}
inline Tensor ones(const Shape& shape, DType dtype = DType::f32, Device device = current_device()) {
  return Tensor::ones(shape, dtype, device);
}
inline Tensor full(const Shape& shape, double value, DType dtype = DType::f32, Device device = current_device()) {
  return Tensor::full(shape, value, dtype, device);
}
/// 0, 1, ..., count - 1.
Tensor arange(std::int64_t count, DType dtype = DType::i64, Device device = current_device());

/// True if dtype, shape and every byte agree. Both on the CPU.
bool same_bits(const Tensor& a, const Tensor& b);

/// A tensor of a saved state.
struct NamedTensor {
  std::string name;
  Tensor tensor;
};

/// One operand of a failed operation, for its message.
struct Operand {
  const char* name;
  const Tensor& tensor;
};
/// Throws a ShapeError of one sentence, "op: text", and a line per operand.
[[noreturn]] void throw_shape(const char* op, const std::string& text, std::initializer_list<Operand> operands);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/core/tensor_impl.hpp>
#endif
