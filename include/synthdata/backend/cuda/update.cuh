// synthdata/backend/cuda/update.cuh: one step of an update rule for all parameters of a net in as few launches as the
// size of a kernel's arguments allows.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cuda/driver.cuh>
#include <synthdata/backend/cuda/graph.cuh>
#include <synthdata/backend/device_kernels.hpp>

#include <algorithm>

namespace synthdata::cuda {

inline namespace SYNTHDATA_CUDA_KERNELS {

inline constexpr int update_items = 64;
inline constexpr std::int64_t update_chunk = 4 * block_threads;  // weights a block takes

struct UpdateList {
  backend::UpdateItem item[update_items];
  std::int32_t first_block[update_items + 1];
  int count;
};

/// `update` comes by value, or from device memory in a captured step, where its numbers change between replays.
template <class T, class Update>
__global__ void __launch_bounds__(block_threads)
    update_kernel(Update by_value, const Update* by_address, const __grid_constant__ UpdateList list) {
  const Update update = by_address ? *by_address : by_value;
  int k = 0;
  while (k + 1 < list.count && static_cast<int>(blockIdx.x) >= list.first_block[k + 1]) ++k;
  const backend::UpdateItem& item = list.item[k];
  const std::int64_t begin = (static_cast<int>(blockIdx.x) - list.first_block[k]) * update_chunk;
  const std::int64_t end = begin + update_chunk < item.size ? begin + update_chunk : item.size;
  auto* weight = static_cast<T*>(item.weight);
  const auto* gradient = static_cast<const T*>(item.gradient);
  auto *first = static_cast<T*>(item.running[0]), *second = static_cast<T*>(item.running[1]);
  for (std::int64_t i = begin + threadIdx.x; i < end; i += blockDim.x) {
    T p = weight[i], a = first ? first[i] : T(0), b = second ? second[i] : T(0);
    update(p, gradient[i], a, b);
    weight[i] = p;
    if (first) first[i] = a;
    if (second) second[i] = b;
  }
}

}  // namespace SYNTHDATA_CUDA_KERNELS

template <class T, class Update>
void run_update(const Update& update, const Update* by_address, int device,
                std::span<const backend::UpdateItem> items) {
  const Queue queue = driver().queue(device);
  for (std::size_t at = 0; at < items.size();) {
    UpdateList list{};
    std::int64_t blocks = 0;
    for (; at < items.size() && list.count < update_items; ++at) {
      if (items[at].size == 0) continue;
      list.first_block[list.count] = static_cast<std::int32_t>(blocks);
      list.item[list.count++] = items[at];
      blocks += (items[at].size + update_chunk - 1) / update_chunk;
    }
    if (list.count == 0) return;
    list.first_block[list.count] = static_cast<std::int32_t>(blocks);
    launch("update", queue, update_kernel<T, Update>, dim3(static_cast<unsigned>(blocks)), dim3(block_threads), 0,
           update, by_address, list);
  }
}

/// Makes the kernels of an update rule's formula known to the library.
template <class Update>
void install_update() {
  backend::DeviceUpdate<Update>::launch = [](const Update& update, int device, DType dtype,
                                             std::span<const backend::UpdateItem> items) {
    const Update* numbers = Graph::next_numbers(update);
    dtype == DType::f32 ? run_update<float, Update>(update, numbers, device, items)
                        : run_update<double, Update>(update, numbers, device, items);
  };
}

}  // namespace synthdata::cuda
