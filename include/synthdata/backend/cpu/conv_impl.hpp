// synthdata/backend/cpu/conv_impl.hpp: convolutions as products of packed panels.
//
// Forward and input gradient are the same thing, a gather (gather.hpp). One that moves by single steps over few taps of
// many channels is multiplied with fewer products (winograd.hpp).
//
// Measured with benchmarks/kernels_bench on a Zen 4 core (FMA peak 117 GFLOP/s), g++ 12 -O2, one thread, the layers of
// a DCGAN of 28 x 28 at batch 128, in GFLOP/s by the count of all taps (forward, input gradient, weight gradient):
//   7x7x256 -> 7x7x128, stride 1          405  410  340   transformed tiles; 156, 152, 149 without
//   14x14x64 -> 7x7x128, stride 2         195  200  180   the same for its four parts; 124, 118, 107 without
//   28x28x1 -> 14x14x64, stride 2          60   45   42   one channel: copies and sums cost as much as the product
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/conv.hpp>
#include <synthdata/backend/cpu/gather.hpp>
#include <synthdata/backend/cpu/gemm_tiles.hpp>
#include <synthdata/backend/cpu/winograd.hpp>

namespace synthdata::backend::cpu {

template <class T>
void copy_segments(const T* image, const Segment* segments, std::int64_t count, T* to) {
  for (std::int64_t s = 0; s < count; ++s) {
    const auto [source, length] = segments[s];
    if (source < 0) {
      std::fill_n(to, length, T(0));
    } else if (length >= 32) {
      std::memcpy(to, image + source, static_cast<std::size_t>(length) * sizeof(T));
    } else {
      const T* from = image + source;
      std::int64_t i = 0;
      for (; i + 4 <= length; i += 4) std::memcpy(to + i, from + i, 4 * sizeof(T));
      for (; i < length; ++i) to[i] = from[i];
    }
    to += length;
  }
}

/// A step of k: some taps and some of their channels, at most panel_depth deep.
struct DepthBlock {
  Range taps, channels;
};

/// Cuts taps x channels into blocks. Few channels: whole rows of the kernel, or parts of one row; many: parts of a tap,
/// of an even number of channels, since two may share a word.
template <class T, class F>
void for_each_depth_block(const Gather<T>& g, const F& f) {
  constexpr std::int64_t depth = panel_depth<T>;
  const std::int64_t taps = g.taps(), row = g.axis[2].taps;
  if (taps == 0) return f(DepthBlock{{0, 0}, {0, g.channels}});
  const std::int64_t parts = (g.channels + depth - 1) / depth, part = ((g.channels + parts - 1) / parts + 1) / 2 * 2;
  std::int64_t each = std::max<std::int64_t>(1, depth / g.channels);
  const bool whole_rows = each >= row;
  if (whole_rows) {
    each = each / row * row;
  } else {
    const std::int64_t pieces = (row + each - 1) / each;
    each = (row + pieces - 1) / pieces;
  }
  for (std::int64_t t = 0; t < taps;) {
    const std::int64_t limit = whole_rows ? taps : (t / row + 1) * row, end = std::min(t + each, limit);
    for (std::int64_t r = 0; r < g.channels; r += part) f(DepthBlock{{t, end}, {r, std::min(g.channels, r + part)}});
    t = end;
  }
}

template <class T>
void pack_weights(const Kernels<T>& kernels, const Gather<T>& g, std::int64_t group, const DepthBlock& block,
                  std::int64_t j0, std::int64_t j1, std::int64_t panel_size, T* to) {
  const std::int64_t depth = block.channels.end - block.channels.begin;
  for (std::int64_t t = block.taps.begin; t < block.taps.end; ++t, to += kernels.words(depth) * kernels.columns)
    pack_b(kernels, g.weights_by_column, depth, j1 - j0,
           g.weight(group, g.kernel_index(g.tap(t)), block.channels.begin, j0), g.weight_stride(), to, panel_size);
}

/// The rows of a tile are the same position of consecutive images: they reach the same taps, so that those in the
/// padding cost nothing. A small batch takes positions that follow each other instead, leaving out those whose taps are
/// all outside, with zeros where some are.
template <class T>
void gather(const Gather<T>& g, const Epilogue<T>& e) {
  const std::int64_t positions = g.positions();
  if (g.batch * positions * g.columns == 0) return;
  if constexpr (sizeof(T) == sizeof(float)) {
    if (winograd_pays(g)) return winograd_gather(g, e);
  }
  // A pair must not reach from one tap into the next.
  const Kernels<T>& kernels = kernels_in_use<T>(g.channels % 2 == 0 ? g.precision : Precision::f32);
  const bool by_image = g.batch >= kernels.heights[1].rows || positions == 1;
  std::int64_t image_panels = 0;
  for (std::int64_t n = 0; n < g.batch; n += kernels.next_rows(g.batch - n)) ++image_panels;
  const std::int64_t rows = g.batch * positions;
  const std::int64_t panels = by_image ? image_panels * positions : (rows + kernels.rows() - 1) / kernels.rows();

  constexpr std::int64_t panel_limit = 128;  // keeps the rows of C in the L2 cache from one depth block to the next
  const double flops = 2.0 * static_cast<double>(rows * g.columns) * static_cast<double>(g.taps() * g.channels);
  const Tasks tasks = Tasks::plan(panels, 1, panel_limit, g.columns, kernels.columns, block_columns, flops, g.groups);
  tasks.run(
      panels, g.columns, [&](std::int64_t group, std::int64_t p0, std::int64_t p1, std::int64_t j0, std::int64_t j1) {
        const Scratch<T> a_buffer = Panel<T>::buffer();
        const Scratch<T> b_buffer(kernels.panels(j1 - j0) * panel_depth<T> * kernels.columns);
        Segment segments[panel_depth<T>];
        const T* source = g.source + group * g.channels;
        bool first = true;
        for_each_depth_block(g, [&](const DepthBlock& block) {
          const std::int64_t depth = block.channels.end - block.channels.begin;
          const std::int64_t panel_size = (block.taps.end - block.taps.begin) * kernels.words(depth) * kernels.columns;
          const bool final = block.taps.end == g.taps() && block.channels.end == g.channels;
          pack_weights(kernels, g, group, block, j0, j1, panel_size, b_buffer.data());
          Finish<T> finish{.load_c = !first || e.accumulate};
          if (final) finish.epilogue = &e, finish.bias = e.bias ? e.bias + group * g.columns + j0 : nullptr;

          Panel<T> panel{a_buffer.data(), Layout::by_row, 0};
          T* c[max_tile_rows];
          Range taps = block.taps;
          std::int64_t count = 0;
          const auto pack_row = [&](int r, const T* image) {
            T* row = panel.data + r * panel_stride<T>;
            if (kernels.step == 1) return copy_segments(image, segments, count, row);
            T values[panel_depth<T>];
            copy_segments(image, segments, count, values);
            kernels.copy_row((taps.end - taps.begin) * depth, values, row);
          };
          const auto multiply = [&] {
            const T* b = b_buffer.data() + (taps.begin - block.taps.begin) * kernels.words(depth) * kernels.columns;
            multiply_panel(kernels, panel, kernels.words((taps.end - taps.begin) * depth), b, kernels.columns,
                           panel_size, j1 - j0, c, finish);
          };
          if (by_image) {
            std::int64_t n = 0;
            for (std::int64_t i = 0; i < p0 % image_panels; ++i) n += kernels.next_rows(g.batch - n);
            for (std::int64_t p = p0; p < p1; ++p) {
              const Index q = g.position(p / image_panels);
              if (p == p0 || n == 0) {  // a new position; its images share the list
                taps = block.taps;
                count = g.list_segments(q, taps, true, block.channels, segments);
              }
              panel.rows = kernels.next_rows(g.batch - n);
              if (count > 0 || first || final) {
                for (int r = 0; r < panel.rows; ++r) {
                  pack_row(r, source + (n + r) * g.image_size());
                  c[r] = g.destination_row(n + r, q) + group * g.columns + j0;
                }
                multiply();
              }
              n = n + panel.rows < g.batch ? n + panel.rows : 0;
            }
          } else {
            const std::int64_t end = std::min(rows, p1 * kernels.rows());
            for (std::int64_t i = p0 * kernels.rows(); i < end; ++i) {
              const std::int64_t n = i / positions;
              const Index q = g.position(i % positions);
              count = g.list_segments(q, taps, false, block.channels, segments);
              const bool outside = count == 1 && segments[0].source < 0;
              if (!outside || first || final) {
                pack_row(panel.rows, source + n * g.image_size());
                c[panel.rows++] = g.destination_row(n, q) + group * g.columns + j0;
              }
              if (panel.rows == kernels.rows() || (i == end - 1 && panel.rows > 0)) {
                multiply();
                panel.rows = 0;
              }
            }
          }
          first = false;
        });
      });
}

/// For few columns, which would leave most of a tile unused: multiplies every source position with the weights of all
/// taps at once, a product [positions, channels] x [channels, taps * columns], then sums what each destination gathers.
/// Some images at a time, so that the product stays in the L2 cache. `phases` share source and weights; no groups.
template <class T>
void project_then_gather(const Gather<T>* phases, std::int64_t n_phases, const Epilogue<T>& e) {
  const Gather<T>& g = phases[0];
  const std::int64_t taps = product(g.kernel), columns = g.columns, width = taps * columns;
  const std::int64_t sources = g.image_size() / g.channels;
  const std::int64_t tap_step = g.weights_by_column ? 1 : columns, column_step = g.weights_by_column ? taps : 1;
  const std::int64_t pixels = product(g.destination_extent);
  const std::int64_t images = std::max<std::int64_t>(1, 512 / std::max<std::int64_t>(1, sources));
  parallel_for(g.batch, images, [&](std::int64_t n0, std::int64_t n1) {
    const Scratch<T> products((n1 - n0) * sources * width);
    gemm(false, g.weights_by_column, (n1 - n0) * sources, width, g.channels, g.source + n0 * g.image_size(), g.channels,
         g.weights, g.weights_by_column ? g.channels : width, products.data(), width, {}, g.precision);
    for (std::int64_t n = n0; n < n1; ++n) {
      const T* image = products.data() + (n - n0) * sources * width;
      for (std::int64_t f = 0; f < n_phases; ++f) {
        const Gather<T>& phase = phases[f];
        if (phase.positions() == 0) continue;
        const Axis &ad = phase.axis[0], &ah = phase.axis[1], &aw = phase.axis[2];
        const std::int64_t next_source = aw.scale * width, next_result = aw.step * columns;
        for (Index q{0, 0, 0}; q.d < ad.count; q.w = aw.count - 1, q.advance(ah.count, aw.count)) {  // row by row
          const Range d = taps_inside(ad, q.d), h = taps_inside(ah, q.h);
          for (std::int64_t c = 0; c < columns; ++c) {
            T* row = phase.destination_row(n, q) + c;
            const T start = e.bias ? e.bias[c] : T(0);
            for (std::int64_t w = 0; w < aw.count; ++w)
              row[w * next_result] = start + (e.accumulate ? row[w * next_result] : T(0));
            for (std::int64_t jd = d.begin; jd < d.end; ++jd)
              for (std::int64_t jh = h.begin; jh < h.end; ++jh)
                for (std::int64_t jw = 0; jw < aw.taps; ++jw) {
                  const Range w = positions_inside(aw, jw);
                  const std::int64_t s =
                      (ad.source(q.d, jd) * ah.extent + ah.source(q.h, jh)) * aw.extent + aw.source(w.begin, jw);
                  const T* from = image + s * width + phase.kernel_index({jd, jh, jw}) * tap_step + c * column_step;
                  T* to = row + w.begin * next_result;
                  for (std::int64_t i = w.end - w.begin; i > 0; --i, from += next_source, to += next_result)
                    *to += *from;
                }
          }
        }
      }
    }
    T* result = g.destination + n0 * pixels * columns;
    kernels_in_use<T>().activate(e.act, e.slope, (n1 - n0) * pixels * columns, result);
  });
}

/// Whether projecting first does less work, counting the columns that fill up a tile.
template <class T>
bool projection_pays(const Gather<T>& g, std::int64_t destinations) {
  if (g.groups != 1) return false;
  const auto padded = [width = kernels_in_use<T>().columns / 2](std::int64_t n) {
    return (n + width - 1) / width * width;
  };
  const std::int64_t sources = g.image_size() / g.channels;
  const auto direct = static_cast<double>(destinations * padded(g.columns));
  const auto projected = static_cast<double>(sources * padded(product(g.kernel) * g.columns));
  return 1.5 * projected < direct;  // half again for the sums
}

template <class T>
Gather<T> forward_gather(const ConvGeometry& g, const T* x, const T* w, T* y, Precision precision) {
  return {.axis = {forward_axis(g, 0), forward_axis(g, 1), forward_axis(g, 2)},
          .batch = g.batch,
          .groups = g.groups,
          .channels = g.in_channels / g.groups,
          .columns = g.out_channels / g.groups,
          .source = x,
          .weights = w,
          .weights_by_column = true,
          .kernel = {g.kernel[0], g.kernel[1], g.kernel[2]},
          .destination = y,
          .destination_extent = {g.out[0], g.out[1], g.out[2]},
          .precision = precision};
}

/// Part f of a strided convolution: the taps whose distance along each axis is a multiple of the stride, so that they
/// and the positions move by the same steps.
template <class T>
Gather<T> forward_phase(const ConvGeometry& g, const Gather<T>& all, std::int64_t f) {
  Gather<T> phase = all;
  const std::int64_t first[3] = {f / (g.stride[1] * g.stride[2]), f / g.stride[2] % g.stride[1], f % g.stride[2]};
  for (int i = 0; i < 3; ++i) phase.axis[i] = forward_axis(g, i, first[i], g.stride[i]);
  return phase;
}

/// Whether most parts of a strided convolution are worth to be done apart.
inline bool phases_pay(const ConvGeometry& g, const Gather<float>& all) {
  const std::int64_t n = product(g.stride);
  if (n == 1 || product(g.dilation) != 1) return false;
  std::int64_t paying = 0;
  for (std::int64_t f = 0; f < n; ++f) paying += winograd_pays(forward_phase(g, all, f));
  return 2 * paying > n;
}

template <class T>
void conv_forward_any(const ConvGeometry& g, const T* x, const T* w, T* y, const Epilogue<T>& e, Precision precision) {
  const Gather<T> all = forward_gather(g, x, w, y, precision);
  const std::int64_t taps = product(g.kernel);
  const bool one_window = g.groups == 1 && product(g.out) == 1 && g.pad[0] + g.pad[1] + g.pad[2] == 0 &&
                          product(g.dilation) == 1 && std::equal(g.in, g.in + 3, g.kernel);
  if (one_window)  // the kernel covers the image: a plain matrix product
    return gemm(false, true, g.batch, all.columns, taps * all.channels, x, taps * all.channels, w, taps * all.channels,
                y, all.columns, e, precision);
  if (projection_pays(all, product(g.out) * taps)) return project_then_gather(&all, 1, e);
  if constexpr (sizeof(T) == sizeof(float)) {
    if (phases_pay(g, all)) {
      const std::int64_t n = product(g.stride);
      for (std::int64_t f = 0; f < n; ++f)
        gather(forward_phase(g, all, f), f == n - 1 ? Epilogue<T>{e.bias, e.act, e.slope, true}
                                                    : Epilogue<T>{.accumulate = f > 0 || e.accumulate});
      return;
    }
  }
  gather(all, e);
}

template <class T>
void conv_input_grad_any(const ConvGeometry& g, const T* gy, const T* w, T* gx, const Epilogue<T>& e,
                         Precision precision) {
  const std::int64_t n_phases = product(g.stride);
  const Scratch<Gather<T>> phases(n_phases);
  double work = 0;
  for (std::int64_t f = 0; f < n_phases; ++f) {
    const std::int64_t fd = f / (g.stride[1] * g.stride[2]), fh = f / g.stride[2] % g.stride[1], fw = f % g.stride[2];
    new (phases.data() + f) Gather<T>{.axis = {adjoint_axis(g, 0, fd), adjoint_axis(g, 1, fh), adjoint_axis(g, 2, fw)},
                                      .batch = g.batch,
                                      .groups = g.groups,
                                      .channels = g.out_channels / g.groups,
                                      .columns = g.in_channels / g.groups,
                                      .source = gy,
                                      .weights = w,
                                      .weights_by_column = false,
                                      .kernel = {g.kernel[0], g.kernel[1], g.kernel[2]},
                                      .destination = gx,
                                      .destination_extent = {g.in[0], g.in[1], g.in[2]},
                                      .precision = precision};
    work += static_cast<double>(phases.data()[f].positions() * phases.data()[f].taps());
  }
  if (projection_pays(phases.data()[0], static_cast<std::int64_t>(work)))
    return project_then_gather(phases.data(), n_phases, e);
  for (std::int64_t f = 0; f < n_phases; ++f) gather(phases.data()[f], e);
}

/// gw of many channels: for each tap a product gy^T x over the positions whose tap is inside the image.
template <class T>
void weight_grad_by_tap(const Gather<T>& g, const T* gy, T* gw) {
  const Kernels<T>& kernels = kernels_in_use<T>(g.precision);
  const std::int64_t taps = g.taps(), rows = g.columns, columns = g.channels, positions = g.positions();
  const std::int64_t kernel = product(g.kernel);
  const double flops = 2.0 * static_cast<double>(g.batch * positions) * static_cast<double>(rows * columns);
  const Tasks tasks =
      Tasks::plan(rows, kernels.rows(), rows, columns, kernels.columns, block_columns, flops, g.groups * taps);
  tasks.run(rows, columns,
            [&](std::int64_t repeat, std::int64_t i0, std::int64_t i1, std::int64_t j0, std::int64_t j1) {
              const std::int64_t group = repeat / taps, tap = repeat % taps;
              const auto j = g.tap(tap);
              const Range d = positions_inside(g.axis[0], j.d), h = positions_inside(g.axis[1], j.h),
                          w = positions_inside(g.axis[2], j.w);
              const std::int64_t nd = d.end - d.begin, nh = h.end - h.begin, nw = w.end - w.begin;
              const std::int64_t k = g.batch * nd * nh * nw;
              const std::int64_t blocks = std::max<std::int64_t>(1, (k + panel_depth<T> - 1) / panel_depth<T>);
              const std::int64_t depth = std::max<std::int64_t>(1, (k + blocks - 1) / blocks);
              const Scratch<T> a_buffer = column_panel_buffer<T>();
              const Scratch<T> b_buffer(kernels.panels(j1 - j0) * depth * kernels.columns);
              std::int64_t from_x[panel_depth<T>], from_gy[panel_depth<T>], image = 0;
              Index q{0, 0, 0};
              for (std::int64_t block = 0, p = 0; block < blocks; ++block, p += depth) {
                const std::int64_t kb = std::min(depth, k - p);
                for (std::int64_t i = 0; i < kb; ++i) {
                  const Axis &ad = g.axis[0], &ah = g.axis[1], &aw = g.axis[2];
                  const std::int64_t qd = d.begin + q.d, qh = h.begin + q.h, qw = w.begin + q.w;
                  from_gy[i] = (((image * ad.count + qd) * ah.count + qh) * aw.count + qw) * g.groups * rows;
                  from_x[i] = image * g.image_size() +
                              ((ad.source(qd, j.d) * ah.extent + ah.source(qh, j.h)) * aw.extent + aw.source(qw, j.w)) *
                                  g.groups * columns;
                  q.advance(nh, nw);
                  if (q.d == nd) q.d = 0, ++image;
                }
                const std::int64_t panel_size = kernels.words(kb) * kernels.columns;
                kernels.copy_b(kb, g.source + group * columns + j0, from_x, 0, j1 - j0, b_buffer.data(), panel_size);
                multiply_transposed<T>(kernels, i1 - i0, kb, gy + group * rows + i0, from_gy, 0, b_buffer.data(),
                                       kernels.columns, panel_size, j1 - j0,
                                       gw + ((group * rows + i0) * kernel + g.kernel_index(j)) * columns + j0,
                                       kernel * columns, Finish<T>{.load_c = block > 0}, a_buffer.data());
              }
            });
}

/// gw of few channels: gy^T times the patches of the image, all taps at once. Chunks of images are summed apart, then
/// in order, because one such product is too small to share out.
template <class T>
void weight_grad_by_patch(const Gather<T>& g, const T* gy, T* gw) {
  const Kernels<T>& kernels = kernels_in_use<T>();
  const std::int64_t rows = g.columns, columns = g.taps() * g.channels, positions = g.positions();
  constexpr std::int64_t most_chunks = 8, least_depth = 1024;
  const std::int64_t images = std::max(
      {std::int64_t{1}, (g.batch + most_chunks - 1) / most_chunks, least_depth / std::max<std::int64_t>(1, positions)});
  const std::int64_t chunks = std::max<std::int64_t>(1, (g.batch + images - 1) / images),
                     size = g.groups * rows * columns;
  const Scratch<T> partial(chunks * size);
  parallel_for(g.groups * chunks, 1, [&](std::int64_t task, std::int64_t) {
    const std::int64_t group = task % g.groups, chunk = task / g.groups, n0 = chunk * images;
    const std::int64_t n = std::min(images, g.batch - n0), k = n * positions;
    const std::int64_t blocks = std::max<std::int64_t>(1, (k + panel_depth<T> - 1) / panel_depth<T>);
    const std::int64_t depth = std::max<std::int64_t>(1, (k + blocks - 1) / blocks), panels = kernels.panels(columns);
    const Scratch<T> a_buffer = column_panel_buffer<T>();
    const Scratch<T> b_buffer(panels * depth * kernels.columns), patch(panels * kernels.columns);
    const Scratch<Segment> segments(g.taps());
    std::fill_n(patch.data(), panels * kernels.columns, T(0));
    std::fill_n(b_buffer.data(), panels * depth * kernels.columns, T(0));
    Range taps{0, g.taps()};
    std::int64_t from_gy[panel_depth<T>], position = 0, image = 0;
    std::int64_t count = g.list_segments(g.position(0), taps, false, {0, g.channels}, segments.data());
    for (std::int64_t block = 0, p = 0; block < blocks; ++block, p += depth) {
      const std::int64_t kb = std::min(depth, k - p), panel_size = kb * kernels.columns;
      for (std::int64_t i = 0; i < kb; ++i) {  // the images of a position follow each other: one list serves them all
        T* row = panels == 1 ? b_buffer.data() + i * kernels.columns : patch.data();
        copy_segments(g.source + group * g.channels + (n0 + image) * g.image_size(), segments.data(), count, row);
        for (std::int64_t b = 0; panels > 1 && b < panels; ++b)
          std::memcpy(b_buffer.data() + b * panel_size + i * kernels.columns, patch.data() + b * kernels.columns,
                      static_cast<std::size_t>(kernels.columns) * sizeof(T));
        from_gy[i] = ((n0 + image) * positions + position) * g.groups * rows;
        if (++image < n) continue;
        image = 0;
        if (++position < positions)
          count = g.list_segments(g.position(position), taps, false, {0, g.channels}, segments.data());
      }
      multiply_transposed<T>(kernels, rows, kb, gy + group * rows, from_gy, 0, b_buffer.data(), kernels.columns,
                             panel_size, columns, partial.data() + chunk * size + group * rows * columns, columns,
                             Finish<T>{.load_c = block > 0}, a_buffer.data());
    }
  });
  for (std::int64_t i = 0; i < size; ++i) {
    T sum = partial.data()[i];
    for (std::int64_t chunk = 1; chunk < chunks; ++chunk) sum += partial.data()[chunk * size + i];
    gw[i] = sum;
  }
}

template <class T>
void conv_weight_grad_any(const ConvGeometry& g, const T* x, const T* gy, T* gw, Precision precision) {
  const Gather<T> all = forward_gather<T>(g, x, nullptr, nullptr, precision);
  if (all.channels * all.columns * all.taps() == 0) return;
  if constexpr (sizeof(T) == sizeof(float)) {
    if (winograd_pays(all)) return winograd_weight_grad(all, gy, gw);
    if (phases_pay(g, all)) {
      for (std::int64_t f = 0; f < product(g.stride); ++f) {
        const Gather<T> phase = forward_phase(g, all, f);
        winograd_pays(phase) ? winograd_weight_grad(phase, gy, gw) : weight_grad_by_tap(phase, gy, gw);
      }
      return;
    }
  }
  if (2 * all.channels <= kernels_in_use<T>().columns && all.taps() > 1)
    weight_grad_by_patch(all, gy, gw);
  else
    weight_grad_by_tap(all, gy, gw);
}

SYNTHDATA_INLINE void conv_forward(const ConvGeometry& g, const float* x, const float* w, float* y,
                                   const Epilogue<float>& e, Precision precision) {
  conv_forward_any(g, x, w, y, e, precision);
}
SYNTHDATA_INLINE void conv_forward(const ConvGeometry& g, const double* x, const double* w, double* y,
                                   const Epilogue<double>& e, Precision precision) {
  conv_forward_any(g, x, w, y, e, precision);
}
SYNTHDATA_INLINE void conv_input_grad(const ConvGeometry& g, const float* gy, const float* w, float* gx,
                                      const Epilogue<float>& e, Precision precision) {
  conv_input_grad_any(g, gy, w, gx, e, precision);
}
SYNTHDATA_INLINE void conv_input_grad(const ConvGeometry& g, const double* gy, const double* w, double* gx,
                                      const Epilogue<double>& e, Precision precision) {
  conv_input_grad_any(g, gy, w, gx, e, precision);
}
SYNTHDATA_INLINE void conv_weight_grad(const ConvGeometry& g, const float* x, const float* gy, float* gw,
                                       Precision precision) {
  conv_weight_grad_any(g, x, gy, gw, precision);
}
SYNTHDATA_INLINE void conv_weight_grad(const ConvGeometry& g, const double* x, const double* gy, double* gw,
                                       Precision precision) {
  conv_weight_grad_any(g, x, gy, gw, precision);
}

}  // namespace synthdata::backend::cpu
