// synthdata/core/device.hpp: where a tensor's elements live, and the driver behind a device that is not the CPU.
//
// An operation runs where its operands are. New tensors are made on the thread's current device, the CPU unless an
// OnDevice says otherwise. Nothing is copied between devices unless Tensor::to() or item() asks for it.
//
// A program has GPUs when it links the CUDA translation unit: `synthdata::cuda` of CMake, or one .cu file that includes
// <synthdata/cuda_main.cuh>. No other file of it has to know.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/config.hpp>
#include <synthdata/core/dtype.hpp>
#include <synthdata/core/error.hpp>

namespace synthdata {

enum class DeviceType : std::uint8_t { cpu, cuda };

/// The CPU, or one of the GPUs by its number.
struct Device {
  DeviceType type = DeviceType::cpu;
  std::uint8_t index = 0;

  static constexpr Device cpu() { return {}; }
  constexpr bool is_cpu() const { return type == DeviceType::cpu; }
  friend constexpr bool operator==(const Device& a, const Device& b) { return a.type == b.type && a.index == b.index; }
};
void append(std::string& out, Device device);  // "cpu", "cuda:0"; found by concat()

/// The device of that name: "cpu"; "cuda" or "cuda:0", "cuda:1", ...; "auto": the first GPU where there is one, else
/// the CPU.
/// @throws DeviceError for other names, and for a GPU that this program or machine does not have, saying which of both.
Device device(std::string_view name);

namespace cuda {
/// GPU number `index`. @throws DeviceError if this program or machine does not have it, saying which of both.
Device device(int index = 0);
/// Number of GPUs this program can use; 0 if it was linked without the CUDA backend or the machine has none.
int device_count();
}  // namespace cuda

/// What the hardware calls itself: "NVIDIA H200", or "CPU".
std::string name_of(Device device);
/// Waits until the device has done all work given to it. @throws DeviceError for what went wrong there meanwhile.
void synchronize(Device device);

namespace detail {
inline Device& device_of_thread() {
  static thread_local Device device;
  return device;
}
}  // namespace detail

/// The device new tensors of this thread are made on.
inline Device current_device() { return detail::device_of_thread(); }

/// Sets it until the end of the scope:   { const OnDevice gpu(device("cuda")); auto x = normal({8}, rng); }
class OnDevice {
 public:
  explicit OnDevice(Device device) : before_(current_device()) { detail::device_of_thread() = device; }
  ~OnDevice() { detail::device_of_thread() = before_; }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

 private:
  Device before_;
};

struct MemoryStats;

namespace detail {

struct Block;

/// What core needs of a device: memory and copies. The kernels are added by backend/device_kernels.hpp.
/// Work is queued; only copy_to_host and synchronize wait for it. All functions throw DeviceError.
class DeviceDriver {
 public:
  virtual ~DeviceDriver() = default;
  virtual int device_count() const = 0;
  /// Why there is no device, if there is none.
  virtual std::string why_none() const = 0;
  virtual std::string name(int index) const = 0;

  /// A block of at least so many bytes, counted once.
  virtual Block* allocate(int index, std::int64_t bytes) = 0;
  virtual void release(Block* block) noexcept = 0;
  virtual void copy_to_device(int index, void* into, const void* from, std::int64_t bytes) = 0;
  /// A block with a copy of memory of the host, made beside the work that is queued. Nothing may read it before
  /// arrived(), but it may be released. Any thread may call this.
  virtual Block* send_ahead(int index, const void* from, std::int64_t bytes) = 0;
  /// Work that is queued from now on waits for the copy.
  virtual void arrived(Block* block) = 0;
  virtual void copy_to_host(int index, void* into, const void* from, std::int64_t bytes) = 0;
  /// Between two devices, or within one.
  virtual void copy(int into_index, void* into, int from_index, const void* from, std::int64_t bytes) = 0;
  virtual void fill(int index, void* into, DType dtype, std::int64_t count, double value) = 0;
  /// 0, 1, ..., count - 1.
  virtual void count_up(int index, void* into, DType dtype, std::int64_t count) = 0;
  virtual void convert(int index, void* into, DType into_type, const void* from, DType from_type,
                       std::int64_t count) = 0;
  virtual void synchronize(int index) = 0;

  virtual MemoryStats memory_stats(int index) = 0;
  virtual void reset_peak_memory(int index) = 0;
  virtual void empty_cache(int index) = 0;
};

/// The driver of the GPUs. @throws DeviceError if the program was linked without one.
DeviceDriver& device_driver();

[[noreturn]] void throw_not_on_host(Device device);

}  // namespace detail
}  // namespace synthdata

/// Defined by the CUDA translation unit and by nothing else, so its address tells whether it was linked.
extern "C" [[gnu::weak]] synthdata::detail::DeviceDriver* synthdata_cuda_driver();

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/core/device_impl.hpp>
#endif
