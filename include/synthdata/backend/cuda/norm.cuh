// synthdata/backend/cuda/norm.cuh: normalisation of x [samples, rows, channels], see backend/norm.hpp.
//
// By columns (batch, instance and group norm): blocks sum chunks of rows for some channels, partial results are
// combined in f64, and one pointwise pass writes the result. By rows (layer norm): a warp or a block has a row.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cuda/driver.cuh>
#include <synthdata/backend/cuda/reduce.cuh>
#include <synthdata/backend/cuda/softmax.cuh>
#include <synthdata/backend/norm.hpp>
#include <synthdata/functor/activation.hpp>

namespace synthdata::cuda {

inline namespace SYNTHDATA_CUDA_KERNELS {

/// An activation with its parameter in the kernel's type.
template <class T>
struct DeviceActivation {
  backend::cpu::Act kind;
  double slope;

  __device__ T value(T x) const {
    switch (kind) {
      case backend::cpu::Act::none:
        return x;
      case backend::cpu::Act::relu:
        return Relu{}.value(x);
      case backend::cpu::Act::leaky_relu:
        return LeakyRelu{slope}.value(x);
      case backend::cpu::Act::tanh:
        return Tanh{}.value(x);
      case backend::cpu::Act::sigmoid:
        return Sigmoid{}.value(x);
    }
    return x;
  }
  /// g times the slope, read off the output y.
  __device__ T gradient(T g, T y) const {
    switch (kind) {
      case backend::cpu::Act::none:
        return g;
      case backend::cpu::Act::relu:
        return g * Relu{}.slope(y, y);
      case backend::cpu::Act::leaky_relu:
        return g * LeakyRelu{slope}.slope(y, y);
      case backend::cpu::Act::tanh:
        return g * Tanh{}.slope(y, y);
      case backend::cpu::Act::sigmoid:
        return g * Sigmoid{}.slope(y, y);
    }
    return g;
  }
};

/// Everything a value needs to be normalised.
template <class T>
struct NormView {
  std::int64_t samples, rows, channels, groups;
  const T *mean, *inverse;  // [samples, groups]; inverse: 1 / sqrt(variance + epsilon)
  const T *gamma, *beta;    // [channels], or null
  DeviceActivation<T> act;

  __device__ std::int64_t moment(std::int64_t sample, std::int64_t channel) const {
    return sample * groups + channel / (channels / groups);
  }
  __device__ T scale(std::int64_t channel) const { return gamma ? gamma[channel] : T(1); }
  /// The argument of the activation.
  __device__ T affine(T x, T m, T inv, std::int64_t channel) const {
    return (x - m) * inv * scale(channel) + (beta ? beta[channel] : T(0));
  }
  /// The gradient before the activation.
  __device__ T before(T g, T x, T m, T inv, std::int64_t channel) const {
    return act.kind == backend::cpu::Act::none ? g : act.gradient(g, act.value(affine(x, m, inv, channel)));
  }
};

template <class T>
__global__ void inverse_deviations(const T* variance, T* inverse, double epsilon, std::int64_t n) {
  for (std::int64_t i = first_item(); i < n; i += item_step()) {
    inverse[i] = static_cast<T>(1.0 / math::sqrt(static_cast<double>(variance[i]) + epsilon));
  }
}

/// Two sums of each channel over chunks of rows: partial [samples, chunks, 2, channels]. `term(x, sample, row, channel,
/// first, second)` adds a value's share.
template <class T, class Term>
__global__ void __launch_bounds__(block_threads)
    column_sums(Term term, const T* x, T* partial, std::int64_t samples, std::int64_t rows, std::int64_t channels,
                std::int64_t chunk, std::int64_t chunks, int columns) {
  __shared__ T part[2][block_threads];
  const int column = static_cast<int>(threadIdx.x) % columns, depth = static_cast<int>(threadIdx.x) / columns;
  const int depths = static_cast<int>(blockDim.x) / columns;
  const std::int64_t pieces = (channels + columns - 1) / columns, items = samples * chunks * pieces;
  for (std::int64_t item = blockIdx.x; item < items; item += gridDim.x) {
    const std::int64_t c = item % pieces * columns + column, k = item / pieces % chunks, n = item / pieces / chunks;
    const std::int64_t begin = k * chunk, end = begin + chunk < rows ? begin + chunk : rows;
    T first = T(0), second = T(0);
    if (c < channels) {
      const std::int64_t base = n * rows * channels + c;
      for (std::int64_t r = begin + depth; r < end; r += depths) {
        term(x + base, begin, r, base + r * channels, n, c, first, second);
      }
    }
    __syncthreads();  // the last use of part is over
    part[0][threadIdx.x] = first;
    part[1][threadIdx.x] = second;
    __syncthreads();
    if (depth == 0 && c < channels) {
      for (int d = 1; d < depths; ++d) {
        first += part[0][d * columns + column];
        second += part[1][d * columns + column];
      }
      T* into = partial + (n * chunks + k) * 2 * channels + c;
      into[0] = first;
      into[channels] = second;
    }
  }
}

/// Sums of x - s and (x - s)² with s the first value of the chunk's column: no digits are lost to a large mean.
template <class T>
struct MomentTerm {
  std::int64_t channels;
  __device__ void operator()(const T* column, std::int64_t first_row, std::int64_t row, std::int64_t, std::int64_t,
                             std::int64_t, T& first, T& second) const {
    const T d = column[row * channels] - column[first_row * channels];
    first += d;
    second += d * d;
  }
};

/// Mean and variance of each group from the sums of chunks; Chan's rule in f64. One thread a group.
template <class T>
__global__ void combine_moments(const T* x, const T* partial, T* mean, T* variance, std::int64_t samples,
                                std::int64_t rows, std::int64_t channels, std::int64_t groups, std::int64_t chunk,
                                std::int64_t chunks) {
  for (std::int64_t item = first_item(); item < samples * groups; item += item_step()) {
    const std::int64_t n = item / groups, width = channels / groups, from = item % groups * width;
    double count = 0.0, m = 0.0, squares = 0.0;
    for (std::int64_t k = 0; k < chunks; ++k) {
      const std::int64_t begin = k * chunk, end = begin + chunk < rows ? begin + chunk : rows;
      const auto more = static_cast<double>(end - begin);
      for (std::int64_t c = from; c < from + width; ++c) {
        const T* sums = partial + (n * chunks + k) * 2 * channels + c;
        const double shift = static_cast<double>(x[(n * rows + begin) * channels + c]);
        const double first = static_cast<double>(sums[0]), second = static_cast<double>(sums[channels]);
        const double own = shift + first / more, spread = second - first * first / more;
        const double d = own - m, all = count + more;
        m += d * more / all;
        squares += spread + d * d * count * more / all;
        count = all;
      }
    }
    mean[item] = static_cast<T>(m);
    variance[item] = static_cast<T>(squares > 0.0 || squares != squares ? squares / count : 0.0);
  }
}

template <class T>
__global__ void __launch_bounds__(block_threads) norm_apply_kernel(NormView<T> v, const T* x, T* y) {
  const std::int64_t size = v.samples * v.rows * v.channels;
  for (std::int64_t i = first_item(); i < size; i += item_step()) {
    const std::int64_t c = i % v.channels, m = v.moment(i / v.channels / v.rows, c);
    y[i] = v.act.value(v.affine(x[i], v.mean[m], v.inverse[m], c));
  }
}

/// Sums of g and g (x - mean), g before the activation.
template <class T>
struct GradientTerm {
  NormView<T> v;
  const T* x;
  const T* g;
  __device__ void operator()(const T*, std::int64_t, std::int64_t, std::int64_t at, std::int64_t n, std::int64_t c,
                             T& first, T& second) const {
    const std::int64_t m = v.moment(n, c);
    const T inv = v.inverse[m], before = v.before(g[at], x[at], v.mean[m], inv, c);
    first += before;
    second += before * (x[at] - v.mean[m]);
  }
};
/// The same for layer norm, where `rows` of column_sums are the samples: sums of g and g (x - mean) / deviation.
template <class T>
struct RowGradientTerm {
  NormView<T> v;
  const T* x;
  const T* g;
  __device__ void operator()(const T*, std::int64_t, std::int64_t row, std::int64_t at, std::int64_t, std::int64_t c,
                             T& first, T& second) const {
    const T inv = v.inverse[row], before = v.before(g[at], x[at], v.mean[row], inv, c);
    first += before;
    second += before * (x[at] - v.mean[row]) * inv;
  }
};

/// Adds the chunks up: total [samples, 2, channels] in f64.
template <class T>
__global__ void add_chunks(const T* partial, double* total, std::int64_t samples, std::int64_t channels,
                           std::int64_t chunks) {
  for (std::int64_t i = first_item(); i < samples * 2 * channels; i += item_step()) {
    const std::int64_t n = i / (2 * channels), rest = i % (2 * channels);
    double sum = 0.0;
    for (std::int64_t k = 0; k < chunks; ++k) {
      sum += static_cast<double>(partial[(n * chunks + k) * 2 * channels + rest]);
    }
    total[i] = sum;
  }
}

/// Gradients of gamma and beta from the totals; null where not asked for. With `scaled` the products already have the
/// inverse deviation in them.
template <class T>
__global__ void parameter_gradients(NormView<T> v, std::int64_t samples, bool scaled, const double* total, T* gamma,
                                    T* beta) {
  for (std::int64_t c = first_item(); c < v.channels; c += item_step()) {
    double sums = 0.0, products = 0.0;
    for (std::int64_t n = 0; n < samples; ++n) {
      sums += total[n * 2 * v.channels + c];
      products += total[(n * 2 + 1) * v.channels + c] * (scaled ? 1.0 : static_cast<double>(v.inverse[v.moment(n, c)]));
    }
    if (gamma) gamma[c] = static_cast<T>(products);
    if (beta) beta[c] = static_cast<T>(sums);
  }
}

/// q and r of each group [samples, groups, 2]: what the dependence of the moments on x adds to its gradient.
template <class T>
__global__ void moment_terms(NormView<T> v, const double* total, T* out) {
  const std::int64_t width = v.channels / v.groups;
  for (std::int64_t item = first_item(); item < v.samples * v.groups; item += item_step()) {
    const std::int64_t n = item / v.groups, from = item % v.groups * width;
    double sums = 0.0, products = 0.0;
    for (std::int64_t c = from; c < from + width; ++c) {
      sums += static_cast<double>(v.scale(c)) * total[n * 2 * v.channels + c];
      products += static_cast<double>(v.scale(c)) * total[(n * 2 + 1) * v.channels + c];
    }
    const double inverse = static_cast<double>(v.inverse[item]), count = static_cast<double>(v.rows * width);
    out[2 * item] = static_cast<T>(-inverse * inverse * inverse * products / count);
    out[2 * item + 1] = static_cast<T>(-inverse * sums / count);
  }
}

/// dx = scale g + q (x - mean) + r; `terms` is null when the moments are constants.
template <class T>
__global__ void __launch_bounds__(block_threads)
    norm_gradient_kernel(NormView<T> v, const T* x, const T* g, const T* terms, T* dx) {
  const std::int64_t size = v.samples * v.rows * v.channels;
  for (std::int64_t i = first_item(); i < size; i += item_step()) {
    const std::int64_t c = i % v.channels, m = v.moment(i / v.channels / v.rows, c);
    const T inv = v.inverse[m], before = v.before(g[i], x[i], v.mean[m], inv, c);
    const T own = inv * v.scale(c) * before;
    dx[i] = terms ? own + terms[2 * m] * (x[i] - v.mean[m]) + terms[2 * m + 1] : own;
  }
}

/// Mean and variance of rows of `size` values.
template <int lanes, class T>
__global__ void __launch_bounds__(block_threads) row_moments(Segments rows, const T* x, T* mean, T* variance) {
  for_segments<lanes>(rows, [=](std::int64_t begin, std::int64_t size, int lane) {
    T sum = T(0), squares = T(0);
    for (std::int64_t i = lane; i < size; i += lanes) sum += x[begin + i];
    const T m = lane_reduce<lanes>(sum, SumReduction{}) / static_cast<T>(size ? size : 1);
    for (std::int64_t i = lane; i < size; i += lanes) squares += (x[begin + i] - m) * (x[begin + i] - m);
    squares = lane_reduce<lanes>(squares, SumReduction{});
    if (lane == 0 && size) {
      mean[begin / size] = m;
      variance[begin / size] = squares / static_cast<T>(size);
    }
  });
}

/// Gradient of layer norm in x.
template <int lanes, class T>
__global__ void __launch_bounds__(block_threads)
    row_gradient(Segments rows, NormView<T> v, const T* x, const T* g, T* dx) {
  for_segments<lanes>(rows, [=](std::int64_t begin, std::int64_t size, int lane) {
    const std::int64_t row = size ? begin / size : 0;
    const T mean = v.mean[row], inv = v.inverse[row];
    const auto scaled = [=](std::int64_t i) { return v.before(g[begin + i], x[begin + i], mean, inv, i) * v.scale(i); };
    T sum = T(0), product = T(0);
    for (std::int64_t i = lane; i < size; i += lanes) {
      const T s = scaled(i);
      sum += s;
      product += s * (x[begin + i] - mean);
    }
    sum = lane_reduce<lanes>(sum, SumReduction{});
    product = lane_reduce<lanes>(product, SumReduction{});
    const T share = inv / static_cast<T>(size ? size : 1);
    for (std::int64_t i = lane; i < size; i += lanes) {
      dx[begin + i] = inv * scaled(i) - share * inv * inv * product * (x[begin + i] - mean) - share * sum;
    }
  });
}

}  // namespace SYNTHDATA_CUDA_KERNELS

/// What the kernels see, and the inverse deviations they read.
template <class T>
struct NormOperands {
  NormOperands(const Queue& queue, const backend::NormShape& s, const backend::NormMoments& m,
               const backend::NormAffine& a)
      : inverse(m.variance.empty_like(m.variance.shape())) {
    const auto data = [](const Tensor& t) { return t.defined() ? static_cast<const T*>(t.address()) : nullptr; };
    launch_over("norm", queue, inverse.size(), inverse_deviations<T>, data(m.variance),
                static_cast<T*>(inverse.address()), a.epsilon, inverse.size());
    view = {s.samples,     s.rows,        s.channels,   s.groups,        data(m.mean),
            data(inverse), data(a.gamma), data(a.beta), {a.act, a.slope}};
  }
  Tensor inverse;
  NormView<T> view;
};

inline bool by_rows(const backend::NormShape& s) { return s.rows == 1 && s.groups == 1; }

/// partial [samples, chunks, 2, channels] of column_sums, and how it was cut.
struct ColumnSums {
  Tensor partial;
  ReduceShape cut;
};
template <class T, class Term>
ColumnSums run_column_sums(const Queue& queue, const Term& term, const Tensor& x, std::int64_t samples,
                           std::int64_t rows, std::int64_t channels) {
  const int columns = reduce_width(channels);
  const std::int64_t pieces = (channels + columns - 1) / columns, depths = block_threads / columns;
  ColumnSums out;
  out.cut = reduce_shape(samples * pieces, rows, 4 * depths, std::int64_t{queue.multiprocessors} * 8);
  out.partial = x.empty_like({samples, out.cut.chunks, 2, channels});
  launch("norm", queue, column_sums<T, Term>,
         dim3(blocks_for(samples * pieces * out.cut.chunks, 1, queue.multiprocessors)), dim3(block_threads), 0, term,
         static_cast<const T*>(x.address()), static_cast<T*>(out.partial.address()), samples, rows, channels,
         out.cut.chunk, out.cut.chunks, columns);
  return out;
}
template <class T>
Tensor run_add_chunks(const Queue& queue, const ColumnSums& sums, std::int64_t samples, std::int64_t channels) {
  Tensor total = Tensor::empty({samples, 2, channels}, DType::f64, sums.partial.device());
  launch_over("norm", queue, total.size(), add_chunks<T>, static_cast<const T*>(sums.partial.address()),
              static_cast<double*>(total.address()), samples, channels, sums.cut.chunks);
  return total;
}

template <class T>
void run_norm_moments(const Queue& queue, const Tensor& x, const backend::NormShape& s, backend::NormMoments& m) {
  auto *mean = static_cast<T*>(m.mean.address()), *variance = static_cast<T*>(m.variance.address());
  const auto* px = static_cast<const T*>(x.address());
  if (by_rows(s)) {
    const Segments rows{s.samples, s.channels, 1, nullptr};
    visit_lanes(s.channels, [&](auto lanes) {
      launch("norm", queue, row_moments<lanes(), T>,
             dim3(blocks_for(s.samples, block_threads / lanes(), queue.multiprocessors)), dim3(block_threads), 0, rows,
             px, mean, variance);
    });
    return;
  }
  const ColumnSums sums = run_column_sums<T>(queue, MomentTerm<T>{s.channels}, x, s.samples, s.rows, s.channels);
  launch_over("norm", queue, s.samples * s.groups, combine_moments<T>, px,
              static_cast<const T*>(sums.partial.address()), mean, variance, s.samples, s.rows, s.channels, s.groups,
              sums.cut.chunk, sums.cut.chunks);
}

template <class T>
void run_norm_gradients(const Queue& queue, const Tensor& x, const Tensor& g, const backend::NormShape& s,
                        const backend::NormMoments& m, const backend::NormAffine& a, bool constant_moments,
                        backend::NormGradients& out) {
  const NormOperands<T> operands(queue, s, m, a);
  const NormView<T>& v = operands.view;
  const auto *px = static_cast<const T*>(x.address()), *pg = static_cast<const T*>(g.address());
  const auto data = [](Tensor& t) { return t.defined() ? static_cast<T*>(t.address()) : nullptr; };
  const bool parameters = out.gamma.defined() || out.beta.defined();
  if (by_rows(s) && !constant_moments) {
    if (parameters) {
      const ColumnSums sums = run_column_sums<T>(queue, RowGradientTerm<T>{v, px, pg}, x, 1, s.samples, s.channels);
      const Tensor total = run_add_chunks<T>(queue, sums, 1, s.channels);
      launch_over("norm", queue, s.channels, parameter_gradients<T>, v, std::int64_t{1}, true,
                  static_cast<const double*>(total.address()), data(out.gamma), data(out.beta));
    }
    if (out.x.defined()) {
      const Segments rows{s.samples, s.channels, 1, nullptr};
      visit_lanes(s.channels, [&](auto lanes) {
        launch("norm", queue, row_gradient<lanes(), T>,
               dim3(blocks_for(s.samples, block_threads / lanes(), queue.multiprocessors)), dim3(block_threads), 0,
               rows, v, px, pg, data(out.x));
      });
    }
    return;
  }
  Tensor terms;
  if (parameters || (out.x.defined() && !constant_moments)) {
    const ColumnSums sums = run_column_sums<T>(queue, GradientTerm<T>{v, px, pg}, x, s.samples, s.rows, s.channels);
    const Tensor total = run_add_chunks<T>(queue, sums, s.samples, s.channels);
    const auto* totals = static_cast<const double*>(total.address());
    if (parameters) {
      launch_over("norm", queue, s.channels, parameter_gradients<T>, v, s.samples, false, totals, data(out.gamma),
                  data(out.beta));
    }
    if (!constant_moments && out.x.defined()) {
      terms = x.empty_like({s.samples, s.groups, 2});
      launch_over("norm", queue, s.samples * s.groups, moment_terms<T>, v, totals, static_cast<T*>(terms.address()));
    }
  }
  if (out.x.defined()) {
    launch_over("norm", queue, x.size(), norm_gradient_kernel<T>, v, px, pg,
                static_cast<const T*>(terms.defined() ? terms.address() : nullptr), data(out.x));
  }
}

}  // namespace synthdata::cuda
