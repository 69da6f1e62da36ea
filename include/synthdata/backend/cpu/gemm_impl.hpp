// synthdata/backend/cpu/gemm_impl.hpp: blocking of the matrix product.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/gemm.hpp>
#include <synthdata/backend/cpu/gemm_tiles.hpp>

namespace synthdata::backend::cpu {

template <class T>
struct Matrix {
  const T* data;
  std::int64_t ld;
  bool transposed;
  const T* at(std::int64_t i, std::int64_t j) const { return transposed ? data + j * ld + i : data + i * ld + j; }
};

/// One task: rows [i0, i1), columns [j0, j1) of C. With `few_rows`, B is read once, so copying it first would cost more
/// than it gains; shallow steps then read it in nearly its own order.
template <class T>
void gemm_block(const Kernels<T>& kernels, const Matrix<T>& a, const Matrix<T>& b, std::int64_t k, bool few_rows,
                std::int64_t i0, std::int64_t i1, std::int64_t j0, std::int64_t j1, T* c, std::int64_t ldc,
                const Epilogue<T>& e) {
  const std::int64_t deepest = few_rows ? 32 : panel_depth<T> * kernels.step;
  const std::int64_t blocks = std::max<std::int64_t>(1, (k + deepest - 1) / deepest);
  const std::int64_t depth = std::max<std::int64_t>(1, kernels.words((k + blocks - 1) / blocks)) * kernels.step;
  const bool direct_b = few_rows && (j1 - j0) % kernels.columns == 0;
  const Scratch<T> a_buffer = a.transposed ? column_panel_buffer<T>() : Panel<T>::buffer();
  const Scratch<T> b_buffer(direct_b ? 0 : kernels.panels(j1 - j0) * kernels.words(depth) * kernels.columns);
  for (std::int64_t p = 0, block = 0; block < blocks; ++block, p += depth) {
    const std::int64_t kb = std::min(depth, k - p);
    const std::int64_t panel_size = direct_b ? kernels.columns : kernels.words(kb) * kernels.columns;
    const std::int64_t ldb = direct_b ? b.ld : kernels.columns;
    const T* packed = direct_b ? b.at(p, j0) : b_buffer.data();
    if (!direct_b) pack_b(kernels, b.transposed, kb, j1 - j0, b.at(p, j0), b.ld, b_buffer.data(), panel_size);
    Finish<T> finish{.load_c = block > 0 || e.accumulate};
    if (block == blocks - 1) finish.epilogue = &e, finish.bias = e.bias ? e.bias + j0 : nullptr;
    if (a.transposed) {
      multiply_transposed<T>(kernels, i1 - i0, kb, a.at(i0, p), nullptr, a.ld, packed, ldb, panel_size, j1 - j0,
                             c + i0 * ldc + j0, ldc, finish, a_buffer.data());
      continue;
    }
    for (std::int64_t i = i0; i < i1;) {
      const Panel<T> panel{a_buffer.data(), Layout::by_row, kernels.next_rows(i1 - i)};
      T* rows[max_tile_rows];
      for (int r = 0; r < panel.rows; ++r) {
        kernels.copy_row(kb, a.at(i + r, p), panel.data + r * panel_stride<T>);
        rows[r] = c + (i + r) * ldc + j0;
      }
      // The rows of the next panel are on their way while this one is multiplied.
      for (std::int64_t r = i + panel.rows, end = std::min(r + panel.rows, i1); r < end; ++r)
        for (std::int64_t q = 0; q < kb; q += 64 / sizeof(T)) __builtin_prefetch(a.at(r, p + q), 0, 2);
      multiply_panel(kernels, panel, kernels.words(kb), packed, ldb, panel_size, j1 - j0, rows, finish);
      i += panel.rows;
    }
  }
}

/// The product of the rows of a and the rows of b, few of one of them: sums along k, nothing is packed.
template <class T>
void gemm_dot(const Kernels<T>& kernels, std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t lda,
              const T* b, std::int64_t ldb, T* c, std::int64_t ldc, const Epilogue<T>& e) {
  if (k == 0) lda = ldb = 0;  // factors without numbers may be null, which nothing but 0 may be added to
  // `tall` rows of one side at a time meet `wide` of the other.
  const bool one = m == 1 || n == 1, b_is_tall = one && m == 1;
  const std::int64_t tall = one ? dot_one_rows : dot_rows, wide = one ? 1 : dot_columns;
  const std::int64_t step_i = b_is_tall ? wide : tall, step_j = b_is_tall ? tall : wide;
  const auto dot = one ? kernels.dot_one : kernels.dot;
  const Tasks tasks = Tasks::plan(m, step_i, m, n, step_j, n, 2.0 * static_cast<double>(m * n * k));
  tasks.run(m, n, [&](std::int64_t, std::int64_t i0, std::int64_t i1, std::int64_t j0, std::int64_t j1) {
    for (std::int64_t i = i0; i < i1; i += step_i) {
      for (std::int64_t j = j0; j < j1; j += step_j) {
        const T *a_rows[dot_one_rows], *b_rows[dot_one_rows];
        for (int r = 0; r < step_i; ++r) a_rows[r] = a + std::min(i + r, i1 - 1) * lda;
        for (int s = 0; s < step_j; ++s) b_rows[s] = b + std::min(j + s, j1 - 1) * ldb;
        T out[dot_one_rows];
        b_is_tall ? dot(k, b_rows, a_rows, out) : dot(k, a_rows, b_rows, out);
        for (int r = 0; r < step_i && i + r < i1; ++r)
          for (int s = 0; s < step_j && j + s < j1; ++s) {
            T& to = c[(i + r) * ldc + j + s];
            const T sum = e.accumulate ? to + out[r * step_j + s] : out[r * step_j + s];
            to = e.bias ? sum + e.bias[j + s] : sum;
          }
      }
      for (std::int64_t r = i; r < std::min(i + step_i, i1); ++r)
        kernels.activate(e.act, e.slope, j1 - j0, c + r * ldc + j0);
    }
  });
}

template <class T>
void gemm_any(const Matrix<T>& a, const Matrix<T>& b, std::int64_t m, std::int64_t n, std::int64_t k, T* c,
              std::int64_t ldc, const Epilogue<T>& e, Precision precision = Precision::f32) {
  if (m <= 0 || n <= 0) return;
  const Kernels<T>& kernels = kernels_in_use<T>(precision);
  constexpr std::int64_t few = 6;  // beyond, full tiles with unused columns win

  if (n <= few && !a.transposed) {
    if (b.transposed || (n == 1 && b.ld == 1))
      return gemm_dot(kernels, m, n, k, a.data, a.ld, b.data, b.transposed ? b.ld : k, c, ldc, e);
    const Scratch<T> rows(n * k);
    for (std::int64_t j = 0; j < n; ++j)
      for (std::int64_t p = 0; p < k; ++p) rows.data()[j * k + p] = *b.at(p, j);
    return gemm_dot(kernels, m, n, k, a.data, a.ld, rows.data(), k, c, ldc, e);
  }
  if (m <= few && b.transposed) {
    if (!a.transposed) return gemm_dot(kernels, m, n, k, a.data, a.ld, b.data, b.ld, c, ldc, e);
    const Scratch<T> rows(m * k);
    for (std::int64_t i = 0; i < m; ++i)
      for (std::int64_t p = 0; p < k; ++p) rows.data()[i * k + p] = *a.at(i, p);
    return gemm_dot(kernels, m, n, k, rows.data(), k, b.data, b.ld, c, ldc, e);
  }
  const Tasks tasks = Tasks::plan(m, kernels.rows(), m, n, kernels.columns, block_columns,
                                  2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k));
  const bool few_rows = m <= kernels.heights[1].rows && !b.transposed && kernels.step == 1;
  tasks.run(m, n, [&](std::int64_t, std::int64_t i0, std::int64_t i1, std::int64_t j0, std::int64_t j1) {
    gemm_block(kernels, a, b, k, few_rows, i0, i1, j0, j1, c, ldc, e);
  });
}

SYNTHDATA_INLINE void gemm(bool trans_a, bool trans_b, std::int64_t m, std::int64_t n, std::int64_t k, const float* a,
                           std::int64_t lda, const float* b, std::int64_t ldb, float* c, std::int64_t ldc,
                           const Epilogue<float>& e, Precision precision) {
  gemm_any<float>({a, lda, trans_a}, {b, ldb, trans_b}, m, n, k, c, ldc, e, precision);
}
SYNTHDATA_INLINE void gemm(bool trans_a, bool trans_b, std::int64_t m, std::int64_t n, std::int64_t k, const double* a,
                           std::int64_t lda, const double* b, std::int64_t ldb, double* c, std::int64_t ldc,
                           const Epilogue<double>& e, Precision) {
  gemm_any<double>({a, lda, trans_a}, {b, ldb, trans_b}, m, n, k, c, ldc, e);
}

}  // namespace synthdata::backend::cpu
