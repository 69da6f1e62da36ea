// synthdata/backend/cpu/gemm_tiles.hpp: packed panels and their product, shared by GEMM and convolution.
//
// C is made of tiles of some rows by `columns` columns, held in registers while k runs. A *panel* of A is the rows of
// one tile, at most panel_depth deep, copied to one small buffer that stays in the L1 cache; a *block* of B is a
// number of column panels of the same depth, copied to one buffer that stays in the L2 cache. Callers decide where the
// copies come from (a matrix, an image) and where the rows of C go.
//
// A panel is stored row by row, its natural order, with a constant stride: the kernel reads one element of each row per
// step at constant displacements, so that packing is a plain copy and not a transposition. The stride is an odd number
// of cache lines: the rows fall into different sets. A transposed A is stored column by column, again a plain copy.
// Panels of bf16 pairs have one word for two steps of k: k counts elements where panels are filled, words in a tile.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/bf16.hpp>
#include <synthdata/backend/cpu/epilogue.hpp>
#include <synthdata/core/parallel.hpp>
#include <synthdata/core/precision.hpp>
#include <synthdata/core/scratch.hpp>
#include <synthdata/functor/activation.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#if defined(__clang__)
#define SYNTHDATA_UNROLL _Pragma("clang loop unroll(full)")
#else
#define SYNTHDATA_UNROLL _Pragma("GCC unroll 16")
#endif

namespace synthdata::backend::cpu {

enum class Layout : std::uint8_t { by_row, by_column };

template <class T>
inline constexpr std::int64_t panel_depth = 1024 / sizeof(T);  ///< most steps of k in one packed panel
template <class T>
inline constexpr std::int64_t panel_stride = panel_depth<T> + 64 / static_cast<std::int64_t>(sizeof(T));
/// Columns of one packed block of B: 512 KB, half of the L2 cache of the processors this is tuned for.
inline constexpr std::int64_t block_columns = 512;
inline constexpr int max_tile_rows = 14;
inline constexpr int max_tile_columns = 32;
inline constexpr int dot_rows = 4, dot_columns = 2, dot_one_rows = 8;

/// The inner loops of one instruction set.
template <class T>
struct Kernels {
  /// c[r][0, columns) = [c[r] +] sum over k of a_r[k] b[k * ldb + ...] [+ bias], for all rows of the tile's height.
  using Tile = void (*)(std::int64_t k, const T* a, const T* b, std::int64_t ldb, T* const* c, bool load_c,
                        const T* bias);
  struct Height {
    int rows;
    Tile tile[2];  ///< by Layout of A
  };
  int columns;
  Height heights[3];  ///< tallest first
  Height narrow;      ///< tallest, half as wide
  /// out[dot_rows][dot_columns] = the products of rows a[i] and b[j], both of length k; dot_one: [dot_one_rows][1]
  void (*dot)(std::int64_t k, const T* const* a, const T* const* b, T* out);
  void (*dot_one)(std::int64_t k, const T* const* a, const T* const* b, T* out);
  int step;  ///< elements along k in one word of a panel
  /// One row of A, k elements.
  void (*copy_row)(std::int64_t k, const T* from, T* to);
  /// Cuts k rows of n elements, at from + (offsets ? offsets[i] : i * ld), into panels of as many columns as a tile has
  /// rows (copy_a) or columns (copy_b), `panel_size` elements apart. The last panel is filled up with zeros.
  void (*copy_a)(std::int64_t k, const T* from, const std::int64_t* offsets, std::int64_t ld, std::int64_t n, T* to,
                 std::int64_t panel_size);
  void (*copy_b)(std::int64_t k, const T* from, const std::int64_t* offsets, std::int64_t ld, std::int64_t n, T* to,
                 std::int64_t panel_size);
  /// One panel of B from its transposed: to[i * columns + r] = from[r * ld + i] for i < k, r < rows; zeros behind.
  void (*transpose)(std::int64_t k, const T* from, std::int64_t ld, int rows, T* to);
  void (*activate)(Act act, T slope, std::int64_t n, T* x);

  int rows() const { return heights[0].rows; }
  std::int64_t panels(std::int64_t n) const { return (n + columns - 1) / columns; }
  std::int64_t words(std::int64_t k) const { return (k + step - 1) / step; }
  /// How many of `remaining` rows the next panel takes: two of middle height rather than a tall and a very low one.
  int next_rows(std::int64_t remaining) const {
    const int middle = heights[1].rows;
    if (remaining > rows() && remaining <= 2 * middle) return middle;
    return static_cast<int>(std::min<std::int64_t>(rows(), remaining));
  }
};

/// to[i * stride + r] = from[r * ld + i] for i < k, r < rows; zeros for rows <= r < width. By blocks of 4 x 4.
template <class T>
void transpose_columns(std::int64_t k, const T* from, std::int64_t ld, int rows, int width, int stride, T* to) {
  int r = 0;
  if constexpr (sizeof(T) == 4) {
    typedef T V4 __attribute__((vector_size(16)));
    for (; r + 4 <= rows; r += 4) {
      const T* p = from + r * ld;
      std::int64_t i = 0;
      for (; i + 4 <= k; i += 4) {
        V4 a, b, c, d;
        std::memcpy(&a, p + i, 16);
        std::memcpy(&b, p + ld + i, 16);
        std::memcpy(&c, p + 2 * ld + i, 16);
        std::memcpy(&d, p + 3 * ld + i, 16);
        const V4 ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5),
                 ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
        const V4 cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5),
                 cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
        a = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
        b = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
        c = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
        d = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
        T* q = to + i * stride + r;
        std::memcpy(q, &a, 16);
        std::memcpy(q + stride, &b, 16);
        std::memcpy(q + 2 * stride, &c, 16);
        std::memcpy(q + 3 * stride, &d, 16);
      }
      for (; i < k; ++i)
        for (int s = 0; s < 4; ++s) to[i * stride + r + s] = p[s * ld + i];
    }
  }
  for (; r < rows; ++r)
    for (std::int64_t i = 0; i < k; ++i) to[i * stride + r] = from[r * ld + i];
  for (; r < width; ++r)
    for (std::int64_t i = 0; i < k; ++i) to[i * stride + r] = T(0);
}

}  // namespace synthdata::backend::cpu

#define SYNTHDATA_KERNEL_PAIRS 0
#define SYNTHDATA_KERNEL_ISA baseline
#define SYNTHDATA_KERNEL_TARGET
#define SYNTHDATA_KERNEL_BYTES 16
#define SYNTHDATA_KERNEL_ROWS 6, 4, 2
#include <synthdata/backend/cpu/gemm_kernels.inc.hpp>
#undef SYNTHDATA_KERNEL_ISA
#undef SYNTHDATA_KERNEL_TARGET
#undef SYNTHDATA_KERNEL_BYTES
#undef SYNTHDATA_KERNEL_ROWS

#if SYNTHDATA_X86_KERNELS
#define SYNTHDATA_KERNEL_ISA avx2
#define SYNTHDATA_KERNEL_TARGET SYNTHDATA_TARGET_AVX2
#define SYNTHDATA_KERNEL_BYTES 32
#define SYNTHDATA_KERNEL_ROWS 6, 4, 2
#include <synthdata/backend/cpu/gemm_kernels.inc.hpp>
#undef SYNTHDATA_KERNEL_ISA
#undef SYNTHDATA_KERNEL_TARGET
#undef SYNTHDATA_KERNEL_BYTES
#undef SYNTHDATA_KERNEL_ROWS

#define SYNTHDATA_KERNEL_ISA avx512
#define SYNTHDATA_KERNEL_TARGET SYNTHDATA_TARGET_AVX512
#define SYNTHDATA_KERNEL_BYTES 64
#define SYNTHDATA_KERNEL_ROWS 14, 8, 4
#include <synthdata/backend/cpu/gemm_kernels.inc.hpp>
#undef SYNTHDATA_KERNEL_ISA
#undef SYNTHDATA_KERNEL_PAIRS

#define SYNTHDATA_KERNEL_ISA avx512_bf16
#define SYNTHDATA_KERNEL_PAIRS 1
#include <synthdata/backend/cpu/gemm_kernels.inc.hpp>
#undef SYNTHDATA_KERNEL_ISA
#undef SYNTHDATA_KERNEL_TARGET
#undef SYNTHDATA_KERNEL_BYTES
#undef SYNTHDATA_KERNEL_ROWS
#endif
#undef SYNTHDATA_KERNEL_PAIRS

namespace synthdata::backend::cpu {

template <class T>
const Kernels<T>& kernels_in_use([[maybe_unused]] Precision precision = Precision::f32) {
#if SYNTHDATA_X86_KERNELS
  if constexpr (sizeof(T) == sizeof(float)) {
    if (precision == Precision::bf16 && has_bf16()) return avx512_bf16::kernels<T>;
  }
  if (isa() == Isa::avx512) return avx512::kernels<T>;
  if (isa() == Isa::avx2) return avx2::kernels<T>;
#endif
  return baseline::kernels<T>;
}

/// The rows of one tile of A, packed.
template <class T>
struct Panel {
  T* data;
  Layout layout;
  int rows;

  static Scratch<T> buffer() { return Scratch<T>(max_tile_rows * panel_stride<T>); }
};

/// Packs columns [0, n) of a [k, n] matrix B into panels, each [k, columns], `panel_size` elements apart.
template <class T>
void pack_b(const Kernels<T>& kernels, bool transposed, std::int64_t k, std::int64_t n, const T* b, std::int64_t ldb,
            T* to, std::int64_t panel_size) {
  if (!transposed) return kernels.copy_b(k, b, nullptr, ldb, n, to, panel_size);
  const int width = kernels.columns;
  for (std::int64_t j = 0; j < n; j += width, to += panel_size)
    kernels.transpose(k, b + j * ldb, ldb, static_cast<int>(std::min<std::int64_t>(width, n - j)), to);
}

/// What multiply_panel does with the sums beyond storing them.
template <class T>
struct Finish {
  bool load_c = false;                    ///< C += instead of C =
  const Epilogue<T>* epilogue = nullptr;  ///< bias and activation, on the last step of k only
  const T* bias = nullptr;                ///< the epilogue's, at the first column of this block
};

/// Rows c[0..a.rows), columns [0, n): [C +] the panel times a block of B, whose column panels are `panel_size` apart.
template <class T>
void multiply_panel(const Kernels<T>& kernels, const Panel<T>& a, std::int64_t k, const T* b, std::int64_t ldb,
                    std::int64_t panel_size, std::int64_t n, T* const* c, const Finish<T>& finish) {
  const typename Kernels<T>::Height* height = &kernels.heights[2];
  while (height->rows < a.rows) --height;
  const auto layout = static_cast<int>(a.layout);
  const T* bias = finish.epilogue ? finish.bias : nullptr;
  alignas(64) T spare[max_tile_rows][max_tile_columns];  // where rows and columns outside C go
  T* out[max_tile_rows];
  if (a.layout == Layout::by_row)  // rows the tile has and C has not
    for (int r = a.rows; r < height->rows; ++r) std::fill_n(a.data + r * panel_stride<T>, k, T(0));

  for (std::int64_t j = 0; j < n; j += kernels.columns, b += panel_size) {
    const auto valid = std::min<std::int64_t>(kernels.columns, n - j);
    const bool inside = valid == kernels.columns;
    const auto valid_bytes = static_cast<std::size_t>(valid) * sizeof(T);
    for (int r = 0; r < height->rows; ++r) out[r] = inside && r < a.rows ? c[r] + j : spare[r];
    T edge_bias[max_tile_columns] = {};
    const T* tile_bias = bias ? bias + j : nullptr;
    if (!inside) {
      if (finish.load_c)
        for (int r = 0; r < a.rows; ++r) std::memcpy(spare[r], c[r] + j, valid_bytes);
      if (bias) {
        std::memcpy(edge_bias, tile_bias, valid_bytes);
        tile_bias = edge_bias;
      }
    }
    const bool narrow = height == kernels.heights && 2 * valid <= kernels.columns;
    (narrow ? kernels.narrow : *height).tile[layout](k, a.data, b, ldb, out, finish.load_c, tile_bias);
    if (finish.epilogue && finish.epilogue->act != Act::none)
      for (int r = 0; r < a.rows; ++r) kernels.activate(finish.epilogue->act, finish.epilogue->slope, valid, out[r]);
    if (!inside)
      for (int r = 0; r < a.rows; ++r) std::memcpy(c[r] + j, spare[r], valid_bytes);
  }
}

/// Column panels of A are packed some at a time: one row of the source then fills several.
inline constexpr int panel_group = 8;
template <class T>
inline constexpr std::int64_t column_panel_size =
    panel_depth<T> * (max_tile_rows + 2) + 64 / static_cast<std::int64_t>(sizeof(T));
template <class T>
Scratch<T> column_panel_buffer() {
  return Scratch<T>(panel_group * column_panel_size<T>);
}

/// C [m, n] = [C +] the transposed of the k rows of m elements that copy_a takes, times a packed block of B.
template <class T>
void multiply_transposed(const Kernels<T>& kernels, std::int64_t m, std::int64_t k, const T* a,
                         const std::int64_t* offsets, std::int64_t lda, const T* b, std::int64_t ldb,
                         std::int64_t panel_size, std::int64_t n, T* c, std::int64_t ldc, const Finish<T>& finish,
                         T* buffer) {
  const std::int64_t group = panel_group * kernels.rows();
  for (std::int64_t i0 = 0; i0 < m; i0 += group) {
    const std::int64_t i1 = std::min(m, i0 + group);
    kernels.copy_a(k, a + i0, offsets, lda, i1 - i0, buffer, column_panel_size<T>);
    Panel<T> panel{buffer, Layout::by_column, 0};
    for (std::int64_t i = i0; i < i1; i += kernels.rows(), panel.data += column_panel_size<T>) {
      panel.rows = static_cast<int>(std::min<std::int64_t>(kernels.rows(), i1 - i));
      T* rows[max_tile_rows];
      for (int r = 0; r < panel.rows; ++r) rows[r] = c + (i + r) * ldc;
      multiply_panel(kernels, panel, kernels.words(k), b, ldb, panel_size, n, rows, finish);
    }
  }
}

/// How C is cut into tasks. Results do not depend on it, so it may follow the number of threads.
struct Tasks {
  std::int64_t row_chunk, column_chunk, row_tasks, column_tasks;
  std::int64_t repeats;  ///< independent products of the same shape: groups, taps

  /// Time of one step of k, in products of two numbers: of the thread with the most tasks, and its part of the copies.
  /// Each row task copies all of B, each column task all of A.
  double cost(std::int64_t rows, std::int64_t columns) const {
    constexpr double copy = 5.0;
    const std::int64_t tasks = repeats * row_tasks * column_tasks, rounds = (tasks + threads() - 1) / threads();
    return static_cast<double>(rounds * std::min(row_chunk, rows) * std::min(column_chunk, columns)) +
           copy * static_cast<double>(repeats * (row_tasks * columns + column_tasks * rows)) /
               static_cast<double>(std::min<std::int64_t>(tasks, threads()));
  }

  /// @param rows, columns            the size of C
  /// @param row_unit, column_unit    what must stay together
  /// @param row_limit, column_limit  the most one task takes
  /// @param flops                    of one repeat
  static Tasks plan(std::int64_t rows, std::int64_t row_unit, std::int64_t row_limit, std::int64_t columns,
                    std::int64_t column_unit, std::int64_t column_limit, double flops, std::int64_t repeats = 1) {
    constexpr double worth_a_thread = 1e6;  // some 10 us of work
    const auto up = [](std::int64_t a, std::int64_t b) { return (a + b - 1) / b; };
    const double most = threads() == 1 ? 1.0 : 4.0 * threads() / static_cast<double>(repeats);
    const auto wanted = static_cast<std::int64_t>(std::max(1.0, std::min(flops / worth_a_thread, most)));
    const std::int64_t least_r = up(rows, row_limit), most_r = std::max(least_r, up(rows, 4 * row_unit));
    const std::int64_t least_c = up(columns, column_limit), most_c = up(columns, column_unit);
    Tasks best{};
    double least_cost = 0;
    for (std::int64_t c = least_c; c <= std::max(least_c, std::min(wanted, most_c)); ++c) {
      for (std::int64_t tasks = wanted; tasks > 0; tasks /= 2) {
        Tasks t{};
        t.repeats = repeats;
        t.row_chunk = up(up(rows, std::clamp(up(tasks, c), least_r, most_r)), row_unit) * row_unit;
        t.column_chunk = up(up(columns, c), column_unit) * column_unit;
        t.row_tasks = up(rows, t.row_chunk), t.column_tasks = up(columns, t.column_chunk);
        const double cost = t.cost(rows, columns);
        if (best.repeats == 0 || cost < least_cost) best = t, least_cost = cost;
      }
    }
    return best;
  }
  /// Calls f(repeat, row_begin, row_end, column_begin, column_end) for every task.
  template <class F>
  void run(std::int64_t rows, std::int64_t columns, const F& f) const {
    const std::int64_t each = row_tasks * column_tasks;
    parallel_for(repeats * each, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t t = begin; t < end; ++t) {
        const std::int64_t i = t % each / column_tasks * row_chunk, j = t % column_tasks * column_chunk;
        f(t / each, i, std::min(rows, i + row_chunk), j, std::min(columns, j + column_chunk));
      }
    });
  }
};

}  // namespace synthdata::backend::cpu
