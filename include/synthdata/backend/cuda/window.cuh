// synthdata/backend/cuda/window.cuh: resampling and largest values of windows, a thread for each result.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cuda/driver.cuh>
#include <synthdata/backend/window.hpp>

namespace synthdata::cuda {

inline namespace SYNTHDATA_CUDA_KERNELS {

/// A sparse matrix of one axis, see backend::Taps.
struct DeviceTaps {
  const std::int64_t* start;
  const std::int64_t* index;
  const double* weight;
  std::int64_t inputs, outputs;
};

template <class T>
__global__ void __launch_bounds__(block_threads)
    resample_kernel(const T* x, T* y, DeviceTaps d, DeviceTaps h, DeviceTaps w, std::int64_t batch,
                    std::int64_t channels) {
  const std::int64_t size = batch * d.outputs * h.outputs * w.outputs * channels;
  for (std::int64_t i = first_item(); i < size; i += item_step()) {
    const std::int64_t c = i % channels, ow = i / channels % w.outputs, oh = i / channels / w.outputs % h.outputs;
    const std::int64_t rest = i / channels / w.outputs / h.outputs, od = rest % d.outputs, n = rest / d.outputs;
    T total = T(0);
    for (std::int64_t a = d.start[od]; a < d.start[od + 1]; ++a) {
      for (std::int64_t b = h.start[oh]; b < h.start[oh + 1]; ++b) {
        const std::int64_t row = ((n * d.inputs + d.index[a]) * h.inputs + h.index[b]) * w.inputs;
        const double weight = d.weight[a] * h.weight[b];
        for (std::int64_t k = w.start[ow]; k < w.start[ow + 1]; ++k) {
          total += static_cast<T>(weight * w.weight[k]) * x[(row + w.index[k]) * channels + c];
        }
      }
    }
    y[i] = total;
  }
}

template <class T>
__global__ void __launch_bounds__(block_threads)
    max_window_kernel(const T* x, T* y, std::int32_t* position, backend::Windows s, std::int64_t batch,
                      std::int64_t channels) {
  const std::int64_t size = batch * s.out[0] * s.out[1] * s.out[2] * channels;
  for (std::int64_t i = first_item(); i < size; i += item_step()) {
    const std::int64_t c = i % channels;
    std::int64_t from[3], to[3], rest = i / channels;
    for (int k = 2; k >= 0; --k) {
      const std::int64_t begin = rest % s.out[k] * s.stride[k] - s.padding[k], end = begin + s.kernel[k];
      rest /= s.out[k];
      from[k] = begin > 0 ? begin : 0;
      to[k] = end < s.in[k] ? end : s.in[k];
    }
    const T* image = x + rest * s.in[0] * s.in[1] * s.in[2] * channels + c;
    std::int64_t best = (from[0] * s.in[1] + from[1]) * s.in[2] + from[2];
    T largest = image[best * channels];
    for (std::int64_t d = from[0]; d < to[0]; ++d) {
      for (std::int64_t h = from[1]; h < to[1]; ++h) {
        for (std::int64_t w = from[2]; w < to[2]; ++w) {
          const std::int64_t at = (d * s.in[1] + h) * s.in[2] + w;
          const T value = image[at * channels];
          if (value > largest || value != value) {
            largest = value;
            best = at;
          }
        }
      }
    }
    y[i] = largest;
    if (position) position[i] = static_cast<std::int32_t>(best);
  }
}

template <class T>
__global__ void __launch_bounds__(block_threads)
    shift_kernel(const T* x, const std::int64_t* shifts, std::int64_t sign, T* y, std::int64_t size, std::int64_t h,
                 std::int64_t w, std::int64_t channels) {
  for (std::int64_t i = first_item(); i < size; i += item_step()) {
    const std::int64_t c = i % channels, column = i / channels % w, row = i / channels / w % h,
                       n = i / channels / w / h;
    const std::int64_t from_row = row - sign * shifts[2 * n], from_column = column - sign * shifts[2 * n + 1];
    const bool inside = from_row >= 0 && from_row < h && from_column >= 0 && from_column < w;
    y[i] = inside ? x[((n * h + from_row) * w + from_column) * channels + c] : T(0);
  }
}

}  // namespace SYNTHDATA_CUDA_KERNELS
}  // namespace synthdata::cuda
