// synthdata/backend/cuda/conv_direct.cuh: convolution and its two adjoints by definition, see backend/cpu/conv.hpp.
//
// The path of f64, of builds without cuDNN and of geometries cuDNN does not take. A thread has one result and sums it
// in one fixed order: a subtotal for each tap or row, then their total. Neighbouring threads have neighbouring
// channels. The weight gradient has few results and long sums: it is cut into chunks of rows that are added up in their
// order.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cuda/conv_plan.hpp>
#include <synthdata/backend/cuda/driver.cuh>
#include <synthdata/backend/cuda/norm.cuh>
#include <synthdata/backend/device_kernels.hpp>

#include <algorithm>
#include <limits>

namespace synthdata::cuda {

inline namespace SYNTHDATA_CUDA_KERNELS {

using backend::cpu::ConvGeometry;

/// into[column, row] = from[row, column]
template <class T>
__global__ void transpose_kernel(const T* from, T* into, std::int64_t rows, std::int64_t columns) {
  for (std::int64_t i = first_item(); i < rows * columns; i += item_step()) {
    into[i] = from[i % rows * columns + i / rows];
  }
}

/// A ConvGeometry in 32 bits where these suffice.
template <class Index>
struct ConvNumbers {
  Index batch, in[3], out[3], kernel[3], stride[3], pad[3], dilation[3], in_channels, out_channels, groups;

  explicit ConvNumbers(const ConvGeometry& g)
      : batch(static_cast<Index>(g.batch)),
        in_channels(static_cast<Index>(g.in_channels)),
        out_channels(static_cast<Index>(g.out_channels)),
        groups(static_cast<Index>(g.groups)) {
    for (int axis = 0; axis < 3; ++axis) {
      in[axis] = static_cast<Index>(g.in[axis]);
      out[axis] = static_cast<Index>(g.out[axis]);
      kernel[axis] = static_cast<Index>(g.kernel[axis]);
      stride[axis] = static_cast<Index>(g.stride[axis]);
      pad[axis] = static_cast<Index>(g.pad[axis]);
      dilation[axis] = static_cast<Index>(g.dilation[axis]);
    }
  }
};

/// y = act(x * w + bias), with `taps` = w as [kD, kH, kW, C / groups, K], so that neighbouring threads read neighbours.
template <class T>
__global__ void __launch_bounds__(block_threads)
    conv_forward_kernel(ConvNumbers<std::int32_t> g, const T* x, const T* taps, const T* bias, DeviceActivation<T> act,
                        T* y) {
  using Index = std::int32_t;  // 64-bit divisions are calls, which spill
  const Index width = g.in_channels / g.groups, of_group = g.out_channels / g.groups;
  const Index size = g.batch * g.out[0] * g.out[1] * g.out[2] * g.out_channels;
  for (std::int64_t i = first_item(); i < size; i += item_step()) {
    const auto item = static_cast<Index>(i);
    const Index k = item % g.out_channels;
    Index rest = item / g.out_channels;
    const Index w0 = rest % g.out[2] * g.stride[2] - g.pad[2];
    rest /= g.out[2];
    const Index h0 = rest % g.out[1] * g.stride[1] - g.pad[1];
    rest /= g.out[1];
    const Index d0 = rest % g.out[0] * g.stride[0] - g.pad[0], n = rest / g.out[0];
    T total = T(0);
    for (Index td = 0; td < g.kernel[0]; ++td) {
      const Index d = d0 + td * g.dilation[0];
      if (d < 0 || d >= g.in[0]) continue;
      for (Index th = 0; th < g.kernel[1]; ++th) {
        const Index h = h0 + th * g.dilation[1];
        if (h < 0 || h >= g.in[1]) continue;
        for (Index tw = 0; tw < g.kernel[2]; ++tw) {
          const Index w = w0 + tw * g.dilation[2];
          if (w < 0 || w >= g.in[2]) continue;
          const T* from = x + (((n * g.in[0] + d) * g.in[1] + h) * g.in[2] + w) * g.in_channels + k / of_group * width;
          const T* tap = taps + ((td * g.kernel[1] + th) * g.kernel[2] + tw) * width * g.out_channels + k;
          T sum = T(0);
          for (Index c = 0; c < width; ++c) sum += from[c] * tap[c * g.out_channels];
          total += sum;
        }
      }
    }
    y[item] = act.value(bias ? total + bias[k] : total);
  }
}

/// The window that sees element `at` with its tap, along one axis; -1 if there is none.
template <class Index>
__device__ Index window_of(Index at, Index stride, Index windows) {
  if (at < 0) return -1;
  const Index window = stride == 1 ? at : at / stride;
  return window < windows && window * stride == at ? window : -1;
}

/// gx = act(adjoint in x of gy + bias)
template <class T>
__global__ void __launch_bounds__(block_threads)
    conv_input_grad_kernel(ConvNumbers<std::int32_t> g, const T* gy, const T* w, const T* bias, DeviceActivation<T> act,
                           T* gx) {
  using Index = std::int32_t;
  const Index width = g.in_channels / g.groups, of_group = g.out_channels / g.groups;
  const Index taps = g.kernel[0] * g.kernel[1] * g.kernel[2];
  const Index size = g.batch * g.in[0] * g.in[1] * g.in[2] * g.in_channels;
  for (std::int64_t i = first_item(); i < size; i += item_step()) {
    const auto item = static_cast<Index>(i);
    const Index c = item % g.in_channels;
    Index rest = item / g.in_channels;
    const Index w0 = rest % g.in[2] + g.pad[2];
    rest /= g.in[2];
    const Index h0 = rest % g.in[1] + g.pad[1];
    rest /= g.in[1];
    const Index d0 = rest % g.in[0] + g.pad[0], n = rest / g.in[0];
    const Index first = c / width * of_group;  // output channel of the group
    T total = T(0);
    for (Index td = 0; td < g.kernel[0]; ++td) {
      const Index od = window_of(d0 - td * g.dilation[0], g.stride[0], g.out[0]);
      if (od < 0) continue;
      for (Index th = 0; th < g.kernel[1]; ++th) {
        const Index oh = window_of(h0 - th * g.dilation[1], g.stride[1], g.out[1]);
        if (oh < 0) continue;
        for (Index tw = 0; tw < g.kernel[2]; ++tw) {
          const Index ow = window_of(w0 - tw * g.dilation[2], g.stride[2], g.out[2]);
          if (ow < 0) continue;
          const Index tap = (td * g.kernel[1] + th) * g.kernel[2] + tw;
          const T* from = gy + (((n * g.out[0] + od) * g.out[1] + oh) * g.out[2] + ow) * g.out_channels + first;
          const T* weight = w + (first * taps + tap) * width + c % width;
          T sum = T(0);
          for (Index k = 0; k < of_group; ++k) sum += from[k] * weight[k * taps * width];
          total += sum;
        }
      }
    }
    gx[item] = act.value(bias ? total + bias[c] : total);
  }
}

/// part[chunk] = the part of the adjoint in w that the rows [chunk * rows, (chunk + 1) * rows) of gy give. A row is all
/// of W; there are N oD oH of them.
template <class T, class Index>
__global__ void __launch_bounds__(block_threads)
    conv_weight_grad_kernel(ConvNumbers<Index> g, const T* x, const T* gy, T* part, Index rows, Index chunks) {
  const Index width = g.in_channels / g.groups, of_group = g.out_channels / g.groups;
  const Index results = g.out_channels * g.kernel[0] * g.kernel[1] * g.kernel[2] * width;
  const Index all_rows = g.batch * g.out[0] * g.out[1];
  for (std::int64_t i = first_item(); i < results * chunks; i += item_step()) {
    const auto item = static_cast<Index>(i);
    const Index begin = item / results * rows, end = all_rows - begin < rows ? all_rows : begin + rows;
    Index rest = item % results;
    const Index c = rest % width;
    rest /= width;
    const Index w0 = rest % g.kernel[2] * g.dilation[2] - g.pad[2];
    rest /= g.kernel[2];
    const Index h0 = rest % g.kernel[1] * g.dilation[1] - g.pad[1];
    rest /= g.kernel[1];
    const Index d0 = rest % g.kernel[0] * g.dilation[0] - g.pad[0], k = rest / g.kernel[0];
    T total = T(0);
    for (Index row = begin; row < end; ++row) {
      const Index h = row % g.out[1] * g.stride[1] + h0, above = row / g.out[1];
      const Index d = above % g.out[0] * g.stride[0] + d0, n = above / g.out[0];
      if (h < 0 || h >= g.in[1] || d < 0 || d >= g.in[0]) continue;
      const T* from = x + ((n * g.in[0] + d) * g.in[1] + h) * g.in[2] * g.in_channels + k / of_group * width + c;
      const T* gradient = gy + row * g.out[2] * g.out_channels + k;
      T sum = T(0);
      for (Index o = 0; o < g.out[2]; ++o) {
        const Index w = o * g.stride[2] + w0;
        if (w >= 0 && w < g.in[2]) sum += from[w * g.in_channels] * gradient[o * g.out_channels];
      }
      total += sum;
    }
    part[item] = total;
  }
}

/// out[i] = part[0, i] + part[1, i] + ...
template <class T>
__global__ void add_parts_kernel(const T* part, T* out, std::int64_t size, std::int64_t parts) {
  for (std::int64_t i = first_item(); i < size; i += item_step()) {
    T total = part[i];
    for (std::int64_t p = 1; p < parts; ++p) total += part[p * size + i];
    out[i] = total;
  }
}

}  // namespace SYNTHDATA_CUDA_KERNELS

/// Calls f with the geometry in the smaller index type that holds every place in tensors of up to `size` elements.
template <class F>
void visit_conv_numbers(const ConvGeometry& g, std::int64_t size, const F& f) {
  for (int axis = 0; axis < 3; ++axis) {
    const std::int64_t reach = g.out[axis] * g.stride[axis] + g.kernel[axis] * g.dilation[axis];
    size = std::max({size, reach, g.in[axis] + g.pad[axis] + reach});
  }
  if (size <= std::numeric_limits<std::int32_t>::max()) {
    f(ConvNumbers<std::int32_t>(g));
  } else {
    f(ConvNumbers<std::int64_t>(g));
  }
}

/// Calls f for as many images at a time as the kernels can count, with the first element of them in tensors `from` and
/// `to`, and the elements of `to` they have.
template <class F>
void over_images(const ConvGeometry& all, const Tensor& from, const Tensor& to, const F& f) {
  if (to.size() == 0) return;
  const std::int64_t at_once = images_at_once(all), from_image = from.size() / all.batch, image = to.size() / all.batch;
  for (std::int64_t first = 0; first < all.batch; first += at_once) {
    ConvGeometry some = all;
    some.batch = std::min(at_once, all.batch - first);
    f(ConvNumbers<std::int32_t>(some), first * from_image, first * image, some.batch * image);
  }
}

template <class T>
const T* conv_data(const Tensor& t) {
  return static_cast<const T*>(t.defined() ? t.address() : nullptr);
}

template <class T>
void direct_conv_forward(const Queue& queue, const backend::ConvCall& call, const Tensor& x, const Tensor& w,
                         const Tensor& bias, Tensor& y) {
  const std::int64_t rows = call.geometry.out_channels, columns = w.size() / rows;
  Tensor taps = w.empty_like({columns, rows});
  launch_over("conv", queue, w.size(), transpose_kernel<T>, conv_data<T>(w), static_cast<T*>(taps.address()), rows,
              columns);
  over_images(call.geometry, x, y,
              [&](const ConvNumbers<std::int32_t>& g, std::int64_t from, std::int64_t to, std::int64_t results) {
                launch_over("conv", queue, results, conv_forward_kernel<T>, g, conv_data<T>(x) + from,
                            conv_data<T>(taps), conv_data<T>(bias), DeviceActivation<T>{call.act, call.slope},
                            static_cast<T*>(y.address()) + to);
              });
}

template <class T>
void direct_conv_input_grad(const Queue& queue, const backend::ConvCall& call, const Tensor& gy, const Tensor& w,
                            const Tensor& bias, Tensor& gx) {
  over_images(call.geometry, gy, gx,
              [&](const ConvNumbers<std::int32_t>& g, std::int64_t from, std::int64_t to, std::int64_t results) {
                launch_over("conv", queue, results, conv_input_grad_kernel<T>, g, conv_data<T>(gy) + from,
                            conv_data<T>(w), conv_data<T>(bias), DeviceActivation<T>{call.act, call.slope},
                            static_cast<T*>(gx.address()) + to);
              });
}

template <class T>
void direct_conv_weight_grad(const Queue& queue, const backend::ConvCall& call, const Tensor& x, const Tensor& gy,
                             Tensor& gw) {
  const ConvGeometry& g = call.geometry;
  const std::int64_t all_rows = g.batch * g.out[0] * g.out[1], results = gw.size();
  // The same chunks, and so the same bits, on every GPU: enough threads for the largest.
  const std::int64_t wanted = std::max<std::int64_t>(1, (std::int64_t{1} << 19) / results);
  const std::int64_t rows = (all_rows + wanted - 1) / wanted, chunks = (all_rows + rows - 1) / rows;
  Tensor parts;
  if (chunks > 1) parts = gw.empty_like({chunks, results});
  T* into = static_cast<T*>(chunks > 1 ? parts.address() : gw.address());
  visit_conv_numbers(call.geometry, std::max({x.size(), results * chunks, gy.size()}),
                     [&]<class I>(const ConvNumbers<I>& n) {
                       launch_over("conv", queue, results * chunks, conv_weight_grad_kernel<T, I>, n, conv_data<T>(x),
                                   conv_data<T>(gy), into, static_cast<I>(rows), static_cast<I>(chunks));
                     });
  if (chunks > 1) {
    launch_over("conv", queue, results, add_parts_kernel<T>, static_cast<const T*>(into), static_cast<T*>(gw.address()),
                results, chunks);
  }
}

}  // namespace synthdata::cuda
