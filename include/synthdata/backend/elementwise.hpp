// synthdata/backend/elementwise.hpp: pointwise kernels over one to four operands, with broadcasting.
//
// The functor's scalar text is inlined into a loop of 64 elements that the compiler vectorises; f32 loops exist once
// per instruction set and are chosen at run time. A last partial block runs through the same loop on a padded copy,
// so an element's value depends neither on its position nor on how the work was split among threads.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/isa.hpp>
#include <synthdata/backend/device_kernels.hpp>
#include <synthdata/core/parallel.hpp>
#include <synthdata/core/tensor.hpp>
#include <synthdata/functor/fused.hpp>

#include <array>
#include <cstring>

// The iterations of the next loop are independent: it may be vectorised without a look at its pointers. clang warns
// where it is told so of a loop it cannot vectorise (f64 ones that call the standard library), and looks at the
// pointers instead.
#if defined(__GNUC__) && !defined(__clang__)
#define SYNTHDATA_IVDEP _Pragma("GCC ivdep")
#else
#define SYNTHDATA_IVDEP
#endif

namespace synthdata::backend {

namespace cpu {

inline constexpr std::int64_t block_size = 64;
/// Elements one thread takes at a time; smaller work runs on the calling thread.
inline constexpr std::int64_t elementwise_chunk = 16384;

/// y[i] = f(x[0][i], x[1][i], ...) for one block. y may be one of the x. A step of 0 marks a repeated operand,
/// which points to a block of equal values.
template <class T, std::size_t N, class F, std::size_t... I>
SYNTHDATA_HD void map_block(const F& f, T* y, const std::array<const T*, N>& x, std::index_sequence<I...>) {
#if defined(__clang__)
  // The pointers look apart to clang only if the results go through a block of its own; it stays in registers.
  alignas(64) T out[block_size];
  for (int j = 0; j < static_cast<int>(block_size); ++j) out[j] = f(x[I][j]...);
  std::memcpy(y, out, sizeof out);
#else
  SYNTHDATA_IVDEP
  for (int j = 0; j < static_cast<int>(block_size); ++j) y[j] = f(x[I][j]...);
#endif
}

template <class T, std::size_t N, class F>
SYNTHDATA_HD void map_run(const F& f, T* y, std::array<const T*, N> x, const std::array<std::int64_t, N>& step,
                          std::int64_t n) {
  constexpr auto all = std::make_index_sequence<N>{};
  std::int64_t i = 0;
  for (; i + block_size <= n; i += block_size) {
    map_block<T, N>(f, y + i, x, all);
    for (std::size_t k = 0; k < N; ++k) x[k] += step[k];
  }
  if (i == n) return;
  alignas(64) T in[N][block_size] = {}, out[block_size];
  std::array<const T*, N> padded;
  const auto rest = static_cast<std::size_t>(n - i) * sizeof(T);
  for (std::size_t k = 0; k < N; ++k) {
    std::memcpy(in[k], x[k], rest);
    padded[k] = in[k];
  }
  map_block<T, N>(f, out, padded, all);
  std::memcpy(y + i, out, rest);
}

template <class T, std::size_t N, class F>
void map_baseline(const F& f, T* y, const std::array<const T*, N>& x, const std::array<std::int64_t, N>& step,
                  std::int64_t n) {
  map_run<T, N>(f, y, x, step, n);
}
template <class T, std::size_t N, class F>
SYNTHDATA_TARGET_AVX2 void map_avx2(const F& f, T* y, const std::array<const T*, N>& x,
                                    const std::array<std::int64_t, N>& step, std::int64_t n) {
  map_run<T, N>(f, y, x, step, n);
}
template <class T, std::size_t N, class F>
SYNTHDATA_TARGET_AVX512 void map_avx512(const F& f, T* y, const std::array<const T*, N>& x,
                                        const std::array<std::int64_t, N>& step, std::int64_t n) {
  map_run<T, N>(f, y, x, step, n);
}

/// One contiguous run of n outputs. step[k] is 64, or 0 for an operand repeated from a block of equal values.
template <class T, std::size_t N, class F>
void map(const F& f, T* y, const std::array<const T*, N>& x, const std::array<std::int64_t, N>& step, std::int64_t n) {
  if constexpr (sizeof(T) == sizeof(float)) {  // f64 serves checks: one loop is enough
    if (isa() == Isa::avx512) return map_avx512<T, N>(f, y, x, step, n);
    if (isa() == Isa::avx2) return map_avx2<T, N>(f, y, x, step, n);
  }
  map_baseline<T, N>(f, y, x, step, n);
}

}  // namespace cpu

/// How the operands of a broadcast operation walk over its output: axes of equal behaviour are merged.
template <std::size_t N>
struct BroadcastPlan {
  int rank = 0;
  std::int64_t extent[Shape::max_rank] = {};
  std::array<std::array<std::int64_t, Shape::max_rank>, N> stride = {};  // 0 where the operand is repeated

  BroadcastPlan(const Shape& out, const std::array<const Shape*, N>& shapes) {
    std::array<std::int64_t, N> running;
    running.fill(1);
    // From the innermost axis outwards; then reversed, so that axis rank-1 is the innermost again.
    for (int axis = out.rank() - 1; axis >= 0; --axis) {
      if (out[axis] == 1) continue;
      std::array<std::int64_t, N> s;
      for (std::size_t k = 0; k < N; ++k) {
        const int own = axis - (out.rank() - shapes[k]->rank());
        const std::int64_t e = own < 0 ? 1 : (*shapes[k])[own];
        s[k] = e == 1 ? 0 : running[k];
        running[k] *= e;
      }
      bool merges = rank > 0;
      for (std::size_t k = 0; k < N && merges; ++k) {
        merges = s[k] == stride[k][static_cast<std::size_t>(rank - 1)] * (s[k] == 0 ? 1 : extent[rank - 1]) &&
                 (s[k] != 0 || stride[k][static_cast<std::size_t>(rank - 1)] == 0);
      }
      if (merges) {
        extent[rank - 1] *= out[axis];
      } else {
        for (std::size_t k = 0; k < N; ++k) stride[k][static_cast<std::size_t>(rank)] = s[k];
        extent[rank++] = out[axis];
      }
    }
    if (rank == 0) {
      rank = 1;
      extent[0] = 1;
      for (std::size_t k = 0; k < N; ++k) stride[k][0] = 1;
    }
    for (int i = 0, j = rank - 1; i < j; ++i, --j) {
      std::swap(extent[i], extent[j]);
      for (std::size_t k = 0; k < N; ++k) {
        std::swap(stride[k][static_cast<std::size_t>(i)], stride[k][static_cast<std::size_t>(j)]);
      }
    }
  }
};

namespace detail {

/// cpu::map() of one functor behind a pointer, so that what leads up to it is compiled once for all functors.
template <class T, std::size_t N>
struct Mapping {
  const void* functor;
  void (*run)(const void* functor, T* y, const std::array<const T*, N>& x, const std::array<std::int64_t, N>& step,
              std::int64_t n);

  void operator()(T* y, const std::array<const T*, N>& x, const std::array<std::int64_t, N>& step,
                  std::int64_t n) const {
    run(functor, y, x, step, n);
  }
};

template <class T, std::size_t N>
void map_operands(const Mapping<T, N>& map, Tensor& out, const std::array<const Tensor*, N>& operands) {
  std::array<const T*, N> base;
  std::array<const Shape*, N> shapes;
  bool same = true;
  for (std::size_t k = 0; k < N; ++k) {
    base[k] = operands[k]->template data<T>();
    shapes[k] = &operands[k]->shape();
    same = same && *shapes[k] == out.shape();
  }
  T* y = out.data<T>();
  const std::int64_t n = out.size();
  if (n == 0) return;
  std::array<std::int64_t, N> step;
  step.fill(cpu::block_size);
  if (same) {
    parallel_for(n, cpu::elementwise_chunk, [&](std::int64_t begin, std::int64_t end) {
      std::array<const T*, N> x = base;
      for (auto& p : x) p += begin;
      map(y + begin, x, step, end - begin);
    });
    return;
  }
  const BroadcastPlan<N> plan(out.shape(), shapes);
  const auto last = static_cast<std::size_t>(plan.rank - 1);
  const std::int64_t inner = plan.extent[plan.rank - 1], outer = n / inner;
  // Rows are split among threads; a single long row is split inside.
  const std::int64_t rows = std::int64_t{1} + (cpu::elementwise_chunk - 1) / inner;
  const std::int64_t piece = inner > cpu::elementwise_chunk ? cpu::elementwise_chunk : inner;
  const std::int64_t pieces = (inner + piece - 1) / piece;
  parallel_for(outer * pieces, pieces > 1 ? 1 : rows, [&](std::int64_t begin, std::int64_t end) {
    alignas(64) T repeated[N][cpu::block_size];
    for (std::int64_t item = begin; item < end; ++item) {
      const std::int64_t row = item / pieces, from = (item % pieces) * piece;
      const std::int64_t length = inner - from < piece ? inner - from : piece;
      std::array<std::int64_t, N> offset = {};
      for (std::int64_t rest = row, axis = plan.rank - 2; axis >= 0; --axis) {
        const std::int64_t index = rest % plan.extent[axis];
        rest /= plan.extent[axis];
        for (std::size_t k = 0; k < N; ++k) offset[k] += index * plan.stride[k][static_cast<std::size_t>(axis)];
      }
      std::array<const T*, N> x;
      std::array<std::int64_t, N> steps = step;
      for (std::size_t k = 0; k < N; ++k) {
        x[k] = base[k] + offset[k];
        if (plan.stride[k][last] == 0) {
          for (T& value : repeated[k]) value = *x[k];
          x[k] = repeated[k];
          steps[k] = 0;
        } else {
          x[k] += from;
        }
      }
      map(y + row * inner + from, x, steps, length);
    }
  });
}

template <std::size_t N>
MapCall map_call(Tensor& out, const std::array<const Tensor*, N>& operands) {
  MapCall call{out.device(), out.dtype(), out.size(), true, 1, {}, {}, {}, out.address()};
  std::array<const Shape*, N> shapes;
  for (std::size_t k = 0; k < N; ++k) {
    call.in[k] = operands[k]->address();
    shapes[k] = &operands[k]->shape();
    call.same = call.same && *shapes[k] == out.shape();
  }
  const BroadcastPlan<N> plan(out.shape(), shapes);
  call.rank = plan.rank;
  for (int axis = 0; axis < plan.rank; ++axis) {
    call.extent[axis] = plan.extent[axis];
    for (std::size_t k = 0; k < N; ++k) call.stride[k][axis] = plan.stride[k][static_cast<std::size_t>(axis)];
  }
  return call;
}

/// out = f(operands), where they all are; out may be one of them.
template <class T, class F, std::size_t N>
void map_into(const char* op, const F& f, Tensor& out, const std::array<const Tensor*, N>& operands) {
  for (const Tensor* x : operands) check_devices(op, out, *x);
  if (!out.device().is_cpu()) {
    if (!DeviceMap<F, N>::launch) throw_no_kernel(op, out.device());
    if (out.size() > 0) DeviceMap<F, N>::launch(f, map_call<N>(out, operands));
    return;
  }
  const auto run = [](const void* functor, T* y, const std::array<const T*, N>& x,
                      const std::array<std::int64_t, N>& step,
                      std::int64_t n) { cpu::map<T, N>(*static_cast<const F*>(functor), y, x, step, n); };
  map_operands<T, N>({&f, run}, out, operands);
}

[[noreturn]] void throw_dtypes(const char* op, const Tensor& a, const Tensor& b);

/// The device of an operation: that of its operands, among which numbers from the CPU (rank 0) do not count.
inline Device common_device(const Tensor& a, const Tensor& b) {
  return a.rank() == 0 && a.device().is_cpu() ? b.device() : a.device();
}
/// x on that device: a number from the CPU is brought there. @throws DeviceError for anything else.
Tensor number_on(const char* op, const Tensor& x, Device device);

}  // namespace detail

/// f(x) for every element, f32 or f64.
template <class F>
Tensor map(const char* op, const F& f, const Tensor& x) {
  Tensor out = x.empty_like(x.shape());
  visit_floating(x.dtype(), op, [&]<class T>() { detail::map_into<T, F, 1>(op, f, out, {&x}); });
  return out;
}

/// f(a, b), broadcast. @throws ShapeError, DTypeError.
template <class F>
Tensor map(const char* op, const F& f, const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype()) [[unlikely]]
    detail::throw_dtypes(op, a, b);
  if (!(a.device() == b.device())) [[unlikely]] {
    const Device device = detail::common_device(a, b);
    return map(op, f, detail::number_on(op, a, device), detail::number_on(op, b, device));
  }
  Tensor out = a.empty_like(broadcast_shape(op, a.shape(), b.shape()));
  visit_floating(a.dtype(), op, [&]<class T>() { detail::map_into<T, F, 2>(op, f, out, {&a, &b}); });
  return out;
}

/// f(a, b, c), broadcast. @throws ShapeError, DTypeError.
template <class F>
Tensor map(const char* op, const F& f, const Tensor& a, const Tensor& b, const Tensor& c) {
  if (a.dtype() != b.dtype()) [[unlikely]]
    detail::throw_dtypes(op, a, b);
  if (a.dtype() != c.dtype()) [[unlikely]]
    detail::throw_dtypes(op, a, c);
  if (!(a.device() == b.device() && b.device() == c.device())) [[unlikely]] {
    const Device device = a.rank() == 0 && a.device().is_cpu() ? detail::common_device(b, c) : a.device();
    return map(op, f, detail::number_on(op, a, device), detail::number_on(op, b, device),
               detail::number_on(op, c, device));
  }
  Tensor out = a.empty_like(broadcast_shape(op, broadcast_shape(op, a.shape(), b.shape()), c.shape()));
  visit_floating(a.dtype(), op, [&]<class T>() { detail::map_into<T, F, 3>(op, f, out, {&a, &b, &c}); });
  return out;
}

/// Adds x to the elements of `into`, which must be of the same shape and not shared.
void add_in_place(Tensor& into, const Tensor& x);
/// into *= factor, element by element.
void scale_in_place(Tensor& into, double factor);

}  // namespace synthdata::backend

#if SYNTHDATA_CPU_BODIES
#include <synthdata/backend/elementwise_impl.hpp>
#endif
