// synthdata/core/device_impl.hpp: bodies of core/device.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/device.hpp>

namespace synthdata {
namespace detail {

SYNTHDATA_INLINE DeviceDriver& device_driver() {
  static DeviceDriver* const driver = &synthdata_cuda_driver ? synthdata_cuda_driver() : nullptr;
  if (!driver) [[unlikely]] {
    throw DeviceError(
        "no GPU can be used: this program was linked without the CUDA backend (CMake: synthdata::cuda; by hand: a .cu "
        "file that includes <synthdata/cuda_main.cuh>)");
  }
  return *driver;
}

SYNTHDATA_COLD SYNTHDATA_INLINE void throw_not_on_host(Device device) {
  throw DeviceError(concat("data: the elements are on ", device, "; copy them with to(Device::cpu()) first"));
}

}  // namespace detail

SYNTHDATA_INLINE void append(std::string& out, Device device) {
  out += device.is_cpu() ? std::string("cpu") : concat("cuda:", static_cast<int>(device.index));
}

SYNTHDATA_INLINE int cuda::device_count() {
  return &synthdata_cuda_driver ? synthdata::detail::device_driver().device_count() : 0;
}

SYNTHDATA_INLINE Device cuda::device(int index) {
  const synthdata::detail::DeviceDriver& driver = synthdata::detail::device_driver();
  const int count = driver.device_count();
  if (count == 0) throw DeviceError(concat("no GPU can be used: ", driver.why_none()));
  if (index < 0 || index >= count) {
    throw DeviceError(concat("there is no GPU number ", index, ": this machine has ", count, ", counted from 0"));
  }
  return {DeviceType::cuda, static_cast<std::uint8_t>(index)};
}

SYNTHDATA_INLINE Device device(std::string_view name) {
  if (name == "cpu") return Device::cpu();
  if (name == "auto") return cuda::device_count() > 0 ? cuda::device(0) : Device::cpu();
  if (name == "cuda") return cuda::device(0);
  constexpr std::string_view prefix = "cuda:";
  if (name.substr(0, prefix.size()) == prefix && name.size() > prefix.size() && name.size() <= prefix.size() + 2) {
    int index = 0;
    for (const char c : name.substr(prefix.size()))
      index = c >= '0' && c <= '9' && index >= 0 ? 10 * index + (c - '0') : -1;
    if (index >= 0) return cuda::device(index);
  }
  throw DeviceError(concat("unknown device '", name, "': expects cpu, cuda, cuda:<number> or auto"));
}

SYNTHDATA_INLINE std::string name_of(Device device) {
  return device.is_cpu() ? std::string("CPU") : detail::device_driver().name(device.index);
}

SYNTHDATA_INLINE void synchronize(Device device) {
  if (!device.is_cpu()) detail::device_driver().synchronize(device.index);
}

}  // namespace synthdata
