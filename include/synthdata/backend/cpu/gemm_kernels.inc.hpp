// synthdata/backend/cpu/gemm_kernels.inc.hpp: the inner loops of GEMM and convolution, one text for every instruction
// set.
//
// Included by gemm_tiles.hpp once per instruction set, which is why it has no include guard. The includer defines
//   SYNTHDATA_KERNEL_ISA     namespace of this copy
//   SYNTHDATA_KERNEL_TARGET  its target attribute; every function with vectors in it carries it, because g++ splits
//                            vector operations before it inlines and would split them for the baseline
//   SYNTHDATA_KERNEL_BYTES   bytes of a vector register
//   SYNTHDATA_KERNEL_ROWS    heights of the tiles, tallest first: 14 x 2 vectors of sums, 2 of B and 1 of A fit 32
//                            registers; 6 x 2 fit 16
//   SYNTHDATA_KERNEL_PAIRS   1 if panels hold pairs of bf16 (bf16.hpp)
//
// SPDX-License-Identifier: MIT

namespace synthdata::backend::cpu::SYNTHDATA_KERNEL_ISA {

inline constexpr int tile_rows[] = {SYNTHDATA_KERNEL_ROWS};
inline constexpr int column_step = tile_rows[0] + 2;  // of A by column: 8 or 16, whole vectors

template <class T>
struct VectorOf {
  typedef T type __attribute__((vector_size(SYNTHDATA_KERNEL_BYTES)));
  static constexpr int lanes = SYNTHDATA_KERNEL_BYTES / static_cast<int>(sizeof(T));
};

/// See Kernels::Tile. The sums stay in registers; each step takes one row of B and one element of each row of A.
template <class T, int rows, int vectors, Layout layout>
SYNTHDATA_KERNEL_TARGET void multiply_tile(std::int64_t k, const T* a, const T* b, std::int64_t ldb, T* const* c,
                                           bool load_c, const T* bias) {
  using V = typename VectorOf<T>::type;
  constexpr int lanes = VectorOf<T>::lanes;
  constexpr std::int64_t row_step = layout == Layout::by_row ? panel_stride<T> : 1;
  constexpr std::int64_t k_step = layout == Layout::by_row ? 1 : column_step;
  V sum[rows][vectors] = {};
  for (; k > 0; --k, a += k_step, b += ldb) {
#if SYNTHDATA_KERNEL_PAIRS
    pairs::Words bv[vectors];
    SYNTHDATA_UNROLL
    for (int v = 0; v < vectors; ++v) __builtin_memcpy(&bv[v], b + v * lanes, sizeof(V));
    SYNTHDATA_UNROLL
    for (int r = 0; r < rows; ++r) {
      std::uint32_t word;
      __builtin_memcpy(&word, a + r * row_step, sizeof(word));
      const pairs::Words av = word - pairs::Words{};  // all lanes
      SYNTHDATA_UNROLL
      for (int v = 0; v < vectors; ++v) pairs::multiply_add(sum[r][v], av, bv[v]);
    }
#else
    V bv[vectors];
    SYNTHDATA_UNROLL
    for (int v = 0; v < vectors; ++v) __builtin_memcpy(&bv[v], b + v * lanes, sizeof(V));
    SYNTHDATA_UNROLL
    for (int r = 0; r < rows; ++r) {
      const V av = a[r * row_step] - V{};  // all lanes; x - 0 is x, bit for bit
      SYNTHDATA_UNROLL
      for (int v = 0; v < vectors; ++v) sum[r][v] += av * bv[v];
    }
#endif
  }
  SYNTHDATA_UNROLL
  for (int r = 0; r < rows; ++r) {
    SYNTHDATA_UNROLL
    for (int v = 0; v < vectors; ++v) {
      V x = sum[r][v], y;
      if (load_c) {
        __builtin_memcpy(&y, c[r] + v * lanes, sizeof(V));
        x += y;
      }
      if (bias) {
        __builtin_memcpy(&y, bias + v * lanes, sizeof(V));
        x += y;
      }
      __builtin_memcpy(c[r] + v * lanes, &x, sizeof(V));
    }
  }
}

/// The sum of all lanes, halved until one is left.
template <class V, int... lane>
[[gnu::always_inline]] SYNTHDATA_KERNEL_TARGET inline auto sum_lanes(V v, std::integer_sequence<int, lane...>) {
  constexpr int lanes = sizeof...(lane);
  if constexpr (lanes >= 16) v += __builtin_shufflevector(v, v, (lane ^ 8)...);
  if constexpr (lanes >= 8) v += __builtin_shufflevector(v, v, (lane ^ 4)...);
  if constexpr (lanes >= 4) v += __builtin_shufflevector(v, v, (lane ^ 2)...);
  v += __builtin_shufflevector(v, v, (lane ^ 1)...);
  return v[0];
}

/// See Kernels::dot.
template <class T, int rows, int columns>
SYNTHDATA_KERNEL_TARGET void dot_tile(std::int64_t k, const T* const* a, const T* const* b, T* out) {
  using V = typename VectorOf<T>::type;
  constexpr int lanes = VectorOf<T>::lanes;
  V sum[rows][columns] = {};
  std::int64_t i = 0;
  for (; i + lanes <= k; i += lanes) {
    V bv[columns];
    SYNTHDATA_UNROLL
    for (int c = 0; c < columns; ++c) __builtin_memcpy(&bv[c], b[c] + i, sizeof(V));
    SYNTHDATA_UNROLL
    for (int r = 0; r < rows; ++r) {
      V av;
      __builtin_memcpy(&av, a[r] + i, sizeof(V));
      SYNTHDATA_UNROLL
      for (int c = 0; c < columns; ++c) sum[r][c] += av * bv[c];
    }
  }
  SYNTHDATA_UNROLL
  for (int r = 0; r < rows; ++r) {
    SYNTHDATA_UNROLL
    for (int c = 0; c < columns; ++c) {
      T total = sum_lanes(sum[r][c], std::make_integer_sequence<int, lanes>{});
      for (std::int64_t j = i; j < k; ++j) total += a[r][j] * b[c][j];
      out[r * columns + c] = total;
    }
  }
}

/// See Kernels::copy_a and copy_b: panels of `width` columns, `step` elements from one row to the next. One pass over
/// the rows of the source, so that its cache lines are read once; whole steps are copied where the source has them.
template <class T, int width, int step>
SYNTHDATA_KERNEL_TARGET void copy_columns(std::int64_t k, const T* from, const std::int64_t* offsets, std::int64_t ld,
                                          std::int64_t n, T* to, std::int64_t panel_size) {
  for (std::int64_t i = 0; i < k; ++i, to += step) {
    const T* row = from + (offsets ? offsets[i] : i * ld);
    T* out = to;
    std::int64_t j = 0;
    for (; j + step <= n; j += width, out += panel_size) __builtin_memcpy(out, row + j, step * sizeof(T));
    for (; j + width <= n; j += width, out += panel_size) __builtin_memcpy(out, row + j, width * sizeof(T));
    if (j == n) continue;
    for (int c = 0; c < width; ++c) out[c] = j + c < n ? row[j + c] : T(0);
  }
}

/// Exchanges the lanes of a that have this bit with those of b that have it not.
template <int bit, class V, int... lane>
[[gnu::always_inline]] SYNTHDATA_KERNEL_TARGET inline void exchange(V& a, V& b, std::integer_sequence<int, lane...>) {
  constexpr int lanes = sizeof...(lane);
  const V low = __builtin_shufflevector(a, b, ((lane & bit) != 0 ? lanes + lane - bit : lane)...);
  b = __builtin_shufflevector(a, b, ((lane & bit) != 0 ? lanes + lane : lane + bit)...);
  a = low;
}
template <int bit, class V, int lanes>
[[gnu::always_inline]] SYNTHDATA_KERNEL_TARGET inline void exchange_rows(V (&rows)[lanes]) {
  SYNTHDATA_UNROLL
  for (int r = 0; r < lanes; ++r)
    if ((r & bit) == 0) exchange<bit>(rows[r], rows[r + bit], std::make_integer_sequence<int, lanes>{});
}

/// See Kernels::transpose. Squares as wide as a vector, in log2(lanes) exchanges; what is left over goes by 4 x 4.
template <class T>
SYNTHDATA_KERNEL_TARGET void transpose(std::int64_t k, const T* from, std::int64_t ld, int rows, T* to) {
  using V = typename VectorOf<T>::type;
  constexpr int lanes = VectorOf<T>::lanes, width = 2 * lanes;
  int r = 0;
  for (; r + lanes <= rows; r += lanes) {
    const T* p = from + r * ld;
    std::int64_t i = 0;
    for (; i + lanes <= k; i += lanes) {
      V v[lanes];
      SYNTHDATA_UNROLL
      for (int s = 0; s < lanes; ++s) __builtin_memcpy(&v[s], p + s * ld + i, sizeof(V));
      if constexpr (lanes > 8) exchange_rows<8>(v);
      if constexpr (lanes > 4) exchange_rows<4>(v);
      if constexpr (lanes > 2) exchange_rows<2>(v);
      exchange_rows<1>(v);
      SYNTHDATA_UNROLL
      for (int s = 0; s < lanes; ++s) __builtin_memcpy(to + (i + s) * width + r, &v[s], sizeof(V));
    }
    for (; i < k; ++i)
      for (int s = 0; s < lanes; ++s) to[i * width + r + s] = p[s * ld + i];
  }
  if (r < width) transpose_columns(k, from + r * ld, ld, rows - r, width - r, width, to + r);
}

#if SYNTHDATA_KERNEL_PAIRS
/// See Kernels::transpose: rows become words first, and words are transposed like numbers.
inline void transpose_pairs(std::int64_t k, const float* from, std::int64_t ld, int rows, float* to) {
  constexpr std::int64_t width = panel_stride<float>;
  alignas(64) float words[max_tile_columns * width];
  for (int r = 0; r < rows; ++r) pairs::copy_row(k, from + r * ld, words + r * width);
  transpose<float>((k + 1) / 2, words, width, rows, to);
}
#else
template <class T>
void copy_row(std::int64_t k, const T* from, T* to) {
  std::memcpy(to, from, static_cast<std::size_t>(k) * sizeof(T));
}
#endif

template <class T, class F>
SYNTHDATA_KERNEL_TARGET void apply(const F& f, std::int64_t n, T* x) {
  constexpr int block = 16;  // a fixed count, so that the loop is vectorised at -O2
  for (; n >= block; n -= block, x += block) {
    T y[block];
    for (int i = 0; i < block; ++i) y[i] = f.value(x[i]);
    __builtin_memcpy(x, y, sizeof(y));
  }
  if (n > 0) {  // through the same code: the last elements get the bits they would get inside a block
    T y[block] = {};
    for (int i = 0; i < static_cast<int>(n); ++i) y[i] = x[i];
    for (int i = 0; i < block; ++i) y[i] = f.value(y[i]);
    for (int i = 0; i < static_cast<int>(n); ++i) x[i] = y[i];
  }
}

template <class T>
SYNTHDATA_KERNEL_TARGET void activate(Act act, T slope, std::int64_t n, T* x) {
  switch (act) {
    case Act::none:
      break;
    case Act::relu:
      apply(Relu{}, n, x);
      break;
    case Act::leaky_relu:
      apply(LeakyRelu{static_cast<double>(slope)}, n, x);
      break;
    case Act::tanh:
      apply(Tanh{}, n, x);
      break;
    case Act::sigmoid:
      apply(Sigmoid{}, n, x);
      break;
  }
}

template <class T, int rows, int vectors = 2>
constexpr typename Kernels<T>::Height height() {
  return {rows, {multiply_tile<T, rows, vectors, Layout::by_row>, multiply_tile<T, rows, vectors, Layout::by_column>}};
}

// Low and narrow tiles are for the edges of C. Where speed matters less, one tile serves all: half the compile time.
template <class T>
inline constexpr bool edge_tiles = sizeof(T) == 4 && SYNTHDATA_KERNEL_BYTES > 16;

template <class T>
inline constexpr Kernels<T> kernels = {
    .columns = 2 * VectorOf<T>::lanes,
    .heights = {height<T, tile_rows[0]>(), height<T, tile_rows[edge_tiles<T> ? 1 : 0]>(),
                height<T, tile_rows[edge_tiles<T> ? 2 : 0]>()},
    .narrow = height < T,
    tile_rows[0],
    edge_tiles<T> ? 1 : 2 > (),
    .dot = dot_tile<T, dot_rows, dot_columns>,
    .dot_one = dot_tile<T, dot_one_rows, 1>,
#if SYNTHDATA_KERNEL_PAIRS
    .step = 2,
    .copy_row = pairs::copy_row,
    .copy_a = pairs::copy_columns<tile_rows[0], column_step>,
    .copy_b = pairs::copy_columns<2 * VectorOf<T>::lanes, 2 * VectorOf<T>::lanes>,
    .transpose = transpose_pairs,
#else
    .step = 1,
    .copy_row = copy_row<T>,
    .copy_a = copy_columns<T, tile_rows[0], column_step>,
    .copy_b = copy_columns<T, 2 * VectorOf<T>::lanes, 2 * VectorOf<T>::lanes>,
    .transpose = transpose<T>,
#endif
    .activate = activate<T>};

}  // namespace synthdata::backend::cpu::SYNTHDATA_KERNEL_ISA
