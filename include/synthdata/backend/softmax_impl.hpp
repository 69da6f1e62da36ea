// synthdata/backend/softmax_impl.hpp: bodies of backend/softmax.hpp.
//
// A block is walked in pieces of 64 lanes, or of 16 when it is that small; a last partial piece is padded with what
// does not count (-infinity, 0), so small blocks run in vector registers too. The padding is read from, and written
// to, what lies behind the block, which later blocks write again; only at the very end are elements moved one by one.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/block.hpp>
#include <synthdata/backend/softmax.hpp>

#include <limits>

namespace synthdata::backend {
namespace detail {

struct Max2 {
  template <class T>
  SYNTHDATA_HD T operator()(T a, T b) const {
    return math::max(a, b);
  }
};

template <int L, class F>
SYNTHDATA_HD void lanes(const F& f) {
  SYNTHDATA_IVDEP
  for (int j = 0; j < L; ++j) f(j);
}

/// The last, partial piece of a block of n values, padded to L lanes; the block's first `whole` values are whole
/// pieces. `left` values lie between the start of the block and the end of all blocks.
template <int L, class T>
struct Padded {
  alignas(64) T rest[L];
  std::int64_t whole;
  int count;
  bool room;  // for L lanes

  SYNTHDATA_HD Padded(std::int64_t n, std::int64_t left)
      : whole(n / L * L), count(static_cast<int>(n % L)), room(left - whole >= L) {}
  SYNTHDATA_HD void load(const T* p, T padding) {
    p += whole;
    if (room) {
      lanes<L>([&](int j) SYNTHDATA_INLINE_LAMBDA { rest[j] = math::select(j < count, p[j], padding); });
      return;
    }
    for (int j = 0; j < L; ++j) rest[j] = padding;
    for (int j = 0; j < count; ++j) rest[j] = p[j];
  }
  SYNTHDATA_HD void store(T* p) const {
    p += whole;
    if (room && count) {
      lanes<L>([&](int j) SYNTHDATA_INLINE_LAMBDA { p[j] = rest[j]; });
      return;
    }
    for (int j = 0; j < count; ++j) p[j] = rest[j];
  }
};

template <int L, class T>
SYNTHDATA_HD void softmax_block(bool log, std::int64_t n, std::int64_t left, const T* x, const T* noise, T scale,
                                T* y) {
  constexpr T none = -std::numeric_limits<T>::infinity();
  Padded<L, T> tail(n, left);
  tail.load(x, none);
  if (noise) {
    Padded<L, T> more(n, left);
    more.load(noise, T(0));
    lanes<L>([&](int j) SYNTHDATA_INLINE_LAMBDA { tail.rest[j] += more.rest[j]; });
  }
  alignas(64) T acc[L];
  lanes<L>([&](int j) SYNTHDATA_INLINE_LAMBDA { acc[j] = tail.rest[j] *= scale; });
  for (std::int64_t i = 0; i < tail.whole; i += L) {
    if (noise) {
      lanes<L>([&](int j) SYNTHDATA_INLINE_LAMBDA { y[i + j] = (x[i + j] + noise[i + j]) * scale; });
    } else {
      lanes<L>([&](int j) SYNTHDATA_INLINE_LAMBDA { y[i + j] = x[i + j] * scale; });
    }
    lanes<L>([&](int j) SYNTHDATA_INLINE_LAMBDA { acc[j] = math::max(acc[j], y[i + j]); });
  }
  const T peak = cpu::fold<L>(acc, Max2{});

  if (log) {
    if (tail.count) {
      lanes<L>([&](int j) SYNTHDATA_INLINE_LAMBDA { acc[j] = math::exp(tail.rest[j] - peak); });
    } else {
      lanes<L>([&](int j) SYNTHDATA_INLINE_LAMBDA { acc[j] = T(0); });
    }
    for (std::int64_t i = 0; i < tail.whole; i += L) {
      lanes<L>([&](int j) SYNTHDATA_INLINE_LAMBDA { acc[j] += math::exp(y[i + j] - peak); });
    }
    const T log_sum = math::log(cpu::fold<L>(acc, Sum2{}));
    lanes<L>([&](int j) SYNTHDATA_INLINE_LAMBDA { tail.rest[j] = (tail.rest[j] - peak) - log_sum; });
    for (std::int64_t i = 0; i < tail.whole; i += L) {
      lanes<L>([&](int j) SYNTHDATA_INLINE_LAMBDA { y[i + j] = (y[i + j] - peak) - log_sum; });
    }
  } else {
    if (tail.count) {
      lanes<L>([&](int j) SYNTHDATA_INLINE_LAMBDA { acc[j] = tail.rest[j] = math::exp(tail.rest[j] - peak); });
    } else {
      lanes<L>([&](int j) SYNTHDATA_INLINE_LAMBDA { acc[j] = T(0); });
    }
    for (std::int64_t i = 0; i < tail.whole; i += L) {
      lanes<L>([&](int j) SYNTHDATA_INLINE_LAMBDA {
        y[i + j] = math::exp(y[i + j] - peak);
        acc[j] += y[i + j];
      });
    }
    const T share = T(1) / cpu::fold<L>(acc, Sum2{});
    lanes<L>([&](int j) SYNTHDATA_INLINE_LAMBDA { tail.rest[j] *= share; });
    for (std::int64_t i = 0; i < tail.whole; i += L) {
      lanes<L>([&](int j) SYNTHDATA_INLINE_LAMBDA { y[i + j] *= share; });
    }
  }
  tail.store(y);
}

template <int L, class T>
SYNTHDATA_HD void softmax_gradient_block(bool log, std::int64_t n, std::int64_t left, const T* y, const T* g, T scale,
                                         T* dx) {
  Padded<L, T> tail_y(n, left), tail_g(n, left);
  tail_y.load(y, T(0));
  tail_g.load(g, T(0));
  T *ry = tail_y.rest, *rg = tail_g.rest;
  alignas(64) T acc[L];
  lanes<L>([&](int j) SYNTHDATA_INLINE_LAMBDA { acc[j] = log ? rg[j] : rg[j] * ry[j]; });
  for (std::int64_t i = 0; i < tail_y.whole; i += L) {
    if (log) {
      lanes<L>([&](int j) SYNTHDATA_INLINE_LAMBDA { acc[j] += g[i + j]; });
    } else {
      lanes<L>([&](int j) SYNTHDATA_INLINE_LAMBDA { acc[j] += g[i + j] * y[i + j]; });
    }
  }
  const T sum = cpu::fold<L>(acc, Sum2{});
  const auto write = [&](const T* from_g, const T* from_y, T* to) SYNTHDATA_INLINE_LAMBDA {
    if (log) {
      lanes<L>([=](int j) SYNTHDATA_INLINE_LAMBDA { to[j] = scale * (from_g[j] - math::exp(from_y[j]) * sum); });
    } else {
      lanes<L>([=](int j) SYNTHDATA_INLINE_LAMBDA { to[j] = scale * (from_y[j] * (from_g[j] - sum)); });
    }
  };
  for (std::int64_t i = 0; i < tail_y.whole; i += L) write(g + i, y + i, dx + i);
  if (tail_g.count) write(rg, ry, rg);
  tail_g.store(dx);
}

SYNTHDATA_HD std::int64_t total(Blocks blocks) {
  std::int64_t sum = 0;
  for (const std::int64_t n : blocks) sum += n;
  return sum;
}

template <class T>
struct SoftmaxRows {
  bool log;
  T scale;
  SYNTHDATA_HD void operator()(std::int64_t rows, Blocks blocks, const T* x, const T* noise, T* y) const {
    std::int64_t left = rows * total(blocks);
    for (std::int64_t r = 0; r < rows; ++r) {
      for (const std::int64_t n : blocks) {
        if (n == 1) {
          *y = (*x - *x) + (log ? T(0) : T(1));  // NaN stays NaN
        } else if (n <= 16) {
          softmax_block<16, T>(log, n, left, x, noise, scale, y);
        } else {
          softmax_block<64, T>(log, n, left, x, noise, scale, y);
        }
        left -= n;
        x += n;
        y += n;
        noise = noise ? noise + n : nullptr;
      }
    }
  }
};

template <class T>
struct SoftmaxGradientRows {
  bool log;
  T scale;
  SYNTHDATA_HD void operator()(std::int64_t rows, Blocks blocks, const T* y, const T* g, T* dx) const {
    std::int64_t left = rows * total(blocks);
    for (std::int64_t r = 0; r < rows; ++r) {
      for (const std::int64_t n : blocks) {
        if (n <= 16) {
          softmax_gradient_block<16, T>(log, n, left, y, g, scale, dx);
        } else {
          softmax_gradient_block<64, T>(log, n, left, y, g, scale, dx);
        }
        left -= n;
        y += n;
        g += n;
        dx += n;
      }
    }
  }
};

/// f(first row, rows, offset of the first) for chunks of the rows of x.
template <class F>
void for_rows(const Tensor& x, const F& f) {
  if (x.size() == 0) return;
  const std::int64_t width = x.shape(-1);
  parallel_for(x.size() / width, std::int64_t{1} + 8192 / width,
               [&](std::int64_t begin, std::int64_t end) { f(end - begin, begin * width); });
}

/// f(block of x, its size, block of y), y a new tensor like x.
template <class T, class F>
Tensor map_blocks(const Tensor& x, Blocks blocks, const F& f) {
  Tensor y = x.empty_like(x.shape());
  T* to = y.data<T>();
  for_rows(x, [&](std::int64_t rows, std::int64_t at) {
    for (std::int64_t r = 0; r < rows; ++r) {
      for (const std::int64_t n : blocks) {
        f(x.data<T>() + at, n, to + at);
        at += n;
      }
    }
  });
  return y;
}

}  // namespace detail

SYNTHDATA_INLINE Tensor softmax(SoftmaxKind kind, const Tensor& x, const Tensor& noise, double scale, Blocks blocks) {
  Tensor y = x.empty_like(x.shape());
  if (noise.defined()) detail::check_devices("softmax", x, noise);
  if (!x.device().is_cpu()) {
    if (x.size() > 0) device_kernels().softmax(kind, x, noise, scale, blocks, y);
    return y;
  }
  visit_floating(x.dtype(), "softmax", [&]<class T>() {
    const T *px = x.data<T>(), *pn = noise.defined() ? noise.data<T>() : nullptr;
    T* py = y.data<T>();
    const detail::SoftmaxRows<T> kernel{kind == SoftmaxKind::log, static_cast<T>(scale)};
    detail::for_rows(x, [&](std::int64_t rows, std::int64_t at) {
      cpu::run<T>(kernel, rows, blocks, px + at, pn ? pn + at : nullptr, py + at);
    });
  });
  return y;
}

SYNTHDATA_INLINE Tensor softmax_gradient(SoftmaxKind kind, const Tensor& y, const Tensor& g, double scale,
                                         Blocks blocks) {
  Tensor dx = y.empty_like(y.shape());
  detail::check_devices("softmax", y, g);
  if (!y.device().is_cpu()) {
    if (y.size() > 0) device_kernels().softmax_gradient(kind, y, g, scale, blocks, dx);
    return dx;
  }
  visit_floating(y.dtype(), "softmax", [&]<class T>() {
    const T *py = y.data<T>(), *pg = g.data<T>();
    T* to = dx.data<T>();
    const detail::SoftmaxGradientRows<T> kernel{kind == SoftmaxKind::log, static_cast<T>(scale)};
    detail::for_rows(
        y, [&](std::int64_t rows, std::int64_t at) { cpu::run<T>(kernel, rows, blocks, py + at, pg + at, to + at); });
  });
  return dx;
}

SYNTHDATA_INLINE Tensor block_sum(const Tensor& x, Blocks blocks) {
  if (!x.device().is_cpu()) {
    Tensor y = x.empty_like(x.shape());
    if (x.size() > 0) device_kernels().block_sum(x, blocks, y);
    return y;
  }
  return visit_floating(x.dtype(), "block_sum", [&]<class T>() {
    return detail::map_blocks<T>(x, blocks, [](const T* from, std::int64_t n, T* to) {
      T sum = T(0);
      for (std::int64_t j = 0; j < n; ++j) sum += from[j];
      for (std::int64_t j = 0; j < n; ++j) to[j] = sum;
    });
  });
}

SYNTHDATA_INLINE Tensor block_winner(const Tensor& x, Blocks blocks) {
  if (!x.device().is_cpu()) {
    Tensor y = x.empty_like(x.shape());
    if (x.size() > 0) device_kernels().block_winner(x, blocks, y);
    return y;
  }
  return visit_floating(x.dtype(), "block_winner", [&]<class T>() {
    return detail::map_blocks<T>(x, blocks, [](const T* from, std::int64_t n, T* to) {
      std::int64_t best = 0;
      for (std::int64_t j = 1; j < n; ++j) best = from[j] > from[best] ? j : best;
      for (std::int64_t j = 0; j < n; ++j) to[j] = j == best ? T(1) : T(0);
    });
  });
}

}  // namespace synthdata::backend
