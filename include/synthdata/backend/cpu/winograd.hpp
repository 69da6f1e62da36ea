// synthdata/backend/cpu/winograd.hpp: convolutions by single steps with fewer products, on tiles of 6 or 8 points a
// side.
//
// Along an axis, m outputs of r taps need m r products, or m + r - 1 of transformed values: y = A^T [(G w) * (B^T x)].
// A and G evaluate polynomials at the points 0, 1, -1, 2, -2, (1/2, -1/2) and infinity, so that B^T, the costly
// transform, is the same for every number of taps. In two axes the 64 products of 8 x 8 points make (9 - r)^2 outputs:
// with 5 x 5 taps 16, which take 400 otherwise. A side has 6 points where less of the last tile is then wasted: 7
// outputs of 3 taps are two tiles of 4. Each product is a matrix product over the channels. Transforms round: on terms
// below 1 the error is some 5e-6 times the square root of their number, that of a plain sum 1.5e-7, so f64 never takes
// this way. Source: Lavin and Gray 2016, arXiv:1509.09308; the points are those of common use for such tiles.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/gather.hpp>
#include <synthdata/backend/cpu/gemm_tiles.hpp>

#include <cstdlib>

namespace synthdata::backend::cpu {

/// One side of a tile in a transform: its values (2 to 7), outputs or taps, its points (6 or 8), and what each row of A
/// is multiplied with.
struct WinogradSide {
  int values, points;
  const float* scale;
};

/// The transforms of one instruction set, on n channels at a time (a multiple of 16). Planes are the values of a tile
/// at its points, row by row.
struct WinogradKernels {
  /// Planes = B^T in B, `in` being pointers to the channels of height x width pixels. Rows of planes are rows of a
  /// panel: with pairs of bf16, half as long.
  void (*data)(const float* const* in, int height, int width, std::int64_t n, float* out, std::int64_t plane);
  /// Planes = A in A^T, `in` being pointers to height x width values.
  void (*evaluate)(const float* const* in, const WinogradSide& height, const WinogradSide& width, std::int64_t n,
                   float* out, std::int64_t plane);
  /// out [pointers to height x width values, null where nothing is wanted] = [out +] A^T planes A [+ bias].
  void (*combine)(const float* in, std::int64_t plane, const WinogradSide& height, const WinogradSide& width,
                  const float* bias, bool accumulate, std::int64_t n, float* const* out);
};

/// For the points 0, +-1, +-2, +-1/2: nothing for outputs; for taps 1 over the product of the distances to the others.
inline constexpr float winograd_plain[4] = {1.0f, 1.0f, 1.0f, 1.0f};
inline constexpr float winograd_normalised_6[3] = {1.0f / 4.0f, -1.0f / 6.0f, 1.0f / 24.0f};
inline constexpr float winograd_normalised_8[4] = {-1.0f, -1.0f / 4.5f, 1.0f / 90.0f, 1.0f / 1.40625f};

}  // namespace synthdata::backend::cpu

#define SYNTHDATA_KERNEL_PAIRS 0
#define SYNTHDATA_KERNEL_ISA baseline
#define SYNTHDATA_KERNEL_TARGET
#include <synthdata/backend/cpu/winograd_kernels.inc.hpp>
#undef SYNTHDATA_KERNEL_ISA
#undef SYNTHDATA_KERNEL_TARGET

#if SYNTHDATA_X86_KERNELS
#define SYNTHDATA_KERNEL_ISA avx2
#define SYNTHDATA_KERNEL_TARGET SYNTHDATA_TARGET_AVX2
#include <synthdata/backend/cpu/winograd_kernels.inc.hpp>
#undef SYNTHDATA_KERNEL_ISA
#undef SYNTHDATA_KERNEL_TARGET

#define SYNTHDATA_KERNEL_ISA avx512
#define SYNTHDATA_KERNEL_TARGET SYNTHDATA_TARGET_AVX512
#include <synthdata/backend/cpu/winograd_kernels.inc.hpp>
#undef SYNTHDATA_KERNEL_ISA
#undef SYNTHDATA_KERNEL_PAIRS

#define SYNTHDATA_KERNEL_ISA avx512_bf16
#define SYNTHDATA_KERNEL_PAIRS 1
#include <synthdata/backend/cpu/winograd_kernels.inc.hpp>
#undef SYNTHDATA_KERNEL_ISA
#undef SYNTHDATA_KERNEL_TARGET
#endif
#undef SYNTHDATA_KERNEL_PAIRS

namespace synthdata::backend::cpu {

inline const WinogradKernels& winograd_kernels_in_use([[maybe_unused]] Precision precision = Precision::f32) {
#if SYNTHDATA_X86_KERNELS
  if (precision == Precision::bf16 && has_bf16()) return avx512_bf16::winograd_kernels;
  if (isa() == Isa::avx512) return avx512::winograd_kernels;
  if (isa() == Isa::avx2) return avx2::winograd_kernels;
#endif
  return baseline::winograd_kernels;
}

/// An axis of a gather cut into tiles of six or eight source positions, the gather's scale apart.
struct WinogradAxis {
  explicit WinogradAxis(const Axis& axis)
      : count(axis.count),
        extent(axis.extent),
        taps(axis.taps),
        points(6 * tiles_of(6) < 8 * tiles_of(8) ? 6 : 8),
        outputs(points + 1 - axis.taps),
        tiles(tiles_of(points)),
        step(axis.scale),
        start(axis.tap_scale > 0 ? axis.offset : axis.offset - (axis.taps - 1) * axis.scale),
        reversed(axis.tap_scale < 0) {}

  std::int64_t tiles_of(std::int64_t n) const { return (count + n - taps) / (n + 1 - taps); }
  WinogradSide output_side() const { return {static_cast<int>(outputs), static_cast<int>(points), winograd_plain}; }
  WinogradSide tap_side() const {
    return {static_cast<int>(taps), static_cast<int>(points),
            points == 6 ? winograd_normalised_6 : winograd_normalised_8};
  }
  /// The tap that takes the source position `i` behind the first one.
  std::int64_t tap(std::int64_t i) const { return reversed ? taps - 1 - i : i; }
  /// Source position i of a tile, or -1 outside.
  std::int64_t source(std::int64_t tile, std::int64_t i) const {
    const std::int64_t s = (tile * outputs + i) * step + start;
    return s >= 0 && s < extent ? s : -1;
  }
  /// Output i of a tile, or -1 outside.
  std::int64_t output(std::int64_t tile, std::int64_t i) const {
    const std::int64_t q = tile * outputs + i;
    return q < count ? q : -1;
  }

  std::int64_t count, extent, taps, points, outputs, tiles, step, start;
  bool reversed;
};

/// The tiles of a gather over two axes; `row` counts them through all images.
struct WinogradTiles {
  explicit WinogradTiles(const Gather<float>& g)
      : gather(g), height(g.axis[1]), width(g.axis[2]), rows(g.batch * height.tiles * width.tiles) {}

  struct Place {
    std::int64_t image, h, w;
  };
  Place place(std::int64_t row) const {
    return {row / (height.tiles * width.tiles), row / width.tiles % height.tiles, row % width.tiles};
  }

  std::int64_t planes() const { return height.points * width.points; }
  static constexpr std::int64_t most_planes = 64;

  /// The source pixels of a tile; `zeros` outside the image.
  void sources(std::int64_t row, const float* zeros, const float** out) const {
    const Place p = place(row);
    const float* image = gather.source + p.image * gather.image_size();
    for (std::int64_t i = 0; i < height.points; ++i)
      for (std::int64_t j = 0; j < width.points; ++j) {
        const std::int64_t h = height.source(p.h, i), w = width.source(p.w, j);
        *out++ = h < 0 || w < 0 ? zeros : image + (h * width.extent + w) * gather.channels;
      }
  }
  /// The results of a tile, [outputs of height, of width]: `at(image, position)`, or `none` outside.
  template <class P, class F>
  void results(std::int64_t row, P none, const F& at, P* out) const {
    const Place p = place(row);
    for (std::int64_t i = 0; i < height.outputs; ++i)
      for (std::int64_t j = 0; j < width.outputs; ++j) {
        const std::int64_t h = height.output(p.h, i), w = width.output(p.w, j);
        *out++ = h < 0 || w < 0 ? none : at(p.image, Index{0, h, w});
      }
  }
  /// Kernel index of the tap that takes source position (i, j) behind the first one.
  std::int64_t kernel_index(std::int64_t i, std::int64_t j) const {
    return gather.kernel_index({0, height.tap(i), width.tap(j)});
  }

  const Gather<float>& gather;
  WinogradAxis height, width;
  std::int64_t rows;
};

/// Whether a gather can be done this way, and saves enough products to pay for the transforms.
inline bool winograd_pays(const Gather<float>& g) {
  const Axis& depth = g.axis[0];
  if (g.groups != 1 || g.channels % 16 != 0 || g.columns % 16 != 0 || g.channels < 32 || g.columns < 32) return false;
  if (depth.count != 1 || depth.taps != 1 || depth.extent != 1 || depth.source(0, 0) != 0) return false;
  std::int64_t direct = 1, products = 1, tiles = 1;
  for (int i = 1; i < 3; ++i) {
    const Axis& axis = g.axis[i];
    if (std::abs(axis.tap_scale) != axis.scale || axis.taps < 2 || axis.taps > 5) return false;
    std::int64_t inside = 0;
    for (std::int64_t j = 0; j < axis.taps; ++j) {
      const Range r = positions_inside(axis, j);
      inside += r.end - r.begin;
    }
    direct *= inside;
    const WinogradAxis cut(axis);
    tiles *= cut.tiles;
    products *= cut.tiles * cut.points;
  }
  return g.batch * tiles >= 32 && 2 * direct >= 3 * products;
}

/// Transformed weights: a packed block of B for each plane and block of channels; see pack_b().
class WinogradWeights {
 public:
  WinogradWeights(const Kernels<float>& kernels, const WinogradTiles& tiles)
      : kernels_(kernels),
        channels_(tiles.gather.channels),
        plane_(kernels.panels(tiles.gather.columns) * kernels.columns * kernels.words(channels_)),
        packed_(tiles.planes() * plane_) {
    const Gather<float>& g = tiles.gather;
    parallel_for(kernels.panels(g.columns), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t panel = begin; panel < end; ++panel)
        for (std::int64_t r0 = 0; r0 < channels_; r0 += panel_depth<float>) transform(tiles, panel, r0);
    });
  }

  std::int64_t depth(std::int64_t r0) const { return std::min(panel_depth<float>, channels_ - r0); }
  /// Plane f of the channels from r0 on; its column panels are panel_size(r0) apart.
  const float* block(std::int64_t f, std::int64_t r0) const { return packed_.data() + offset(f, r0); }
  std::int64_t panel_size(std::int64_t r0) const { return kernels_.words(depth(r0)) * kernels_.columns; }

 private:
  std::int64_t offset(std::int64_t f, std::int64_t r0) const {
    return f * plane_ + plane_ / kernels_.words(channels_) * kernels_.words(r0);
  }

  void transform(const WinogradTiles& tiles, std::int64_t panel, std::int64_t r0) {
    const Gather<float>& g = tiles.gather;
    const WinogradKernels& winograd = winograd_kernels_in_use();
    const std::int64_t width = kernels_.columns, j0 = panel * width, n = std::min(width, g.columns - j0);
    float* to = packed_.data() + offset(0, r0) + panel * panel_size(r0);
    const WinogradSide taps_h = tiles.height.tap_side(), taps_w = tiles.width.tap_side();
    const float* in[25];
    const auto list_taps = [&](std::int64_t r, std::int64_t j) {
      for (int i = 0; i < taps_h.values * taps_w.values; ++i)
        in[i] = g.weight(0, tiles.kernel_index(i / taps_w.values, i % taps_w.values), r, j);
    };
    if (!g.weights_by_column && n == width && kernels_.step == 1) {  // columns lie together: straight into the panel
      for (std::int64_t r = 0; r < depth(r0); ++r) {
        list_taps(r0 + r, j0);
        winograd.evaluate(in, taps_h, taps_w, n, to + r * width, plane_);
      }
      return;
    }
    const std::int64_t outer = g.weights_by_column ? n : depth(r0), inner = g.weights_by_column ? depth(r0) : n;
    const std::int64_t plane = outer * inner + 16;
    const Scratch<float> planes(tiles.planes() * plane);
    for (std::int64_t i = 0; i < outer; ++i) {
      list_taps(g.weights_by_column ? r0 : r0 + i, g.weights_by_column ? j0 + i : j0);
      winograd.evaluate(in, taps_h, taps_w, inner, planes.data() + i * inner, plane);
    }
    for (std::int64_t f = 0; f < tiles.planes(); ++f)
      pack_b(kernels_, g.weights_by_column, depth(r0), n, planes.data() + f * plane, inner, to + f * plane_,
             panel_size(r0));
  }

  const Kernels<float>& kernels_;
  std::int64_t channels_, plane_;
  Scratch<float> packed_;
};

/// gather() of conv_impl.hpp. A chunk of tiles goes through all three stages on one thread.
inline void winograd_gather(const Gather<float>& g, const Epilogue<float>& e) {
  const Kernels<float>& kernels = kernels_in_use<float>(g.precision);
  const WinogradKernels& winograd = winograd_kernels_in_use(g.precision);
  const WinogradTiles tiles(g);
  const WinogradWeights weights(kernels, tiles);
  // Tiles at a time, a multiple of a tile of the product: their planes stay near the core, and where there are many
  // channels, so that the weights are large, more share one pass over the weights.
  const std::int64_t chunk = g.channels > 128 ? 56 : 28;
  constexpr std::int64_t stride = panel_stride<float>, depth = panel_depth<float>;
  // Planes are an odd number of cache lines apart, so that the 64 values of a tile fall into different sets. Behind the
  // rows of a plane of data there is room for those that fill up a tile of the product.
  const std::int64_t data_plane = (chunk + max_tile_rows + 1) * stride;
  const std::int64_t planes = tiles.planes(), data_block = planes * data_plane,
                     blocks = (g.channels + depth - 1) / depth;
  const std::int64_t result_plane = chunk * g.columns + (chunk * g.columns / 16 % 2 == 0 ? 16 : 0);
  const WinogradSide height = tiles.height.output_side(), width = tiles.width.output_side();
  const auto points_h = static_cast<int>(tiles.height.points), points_w = static_cast<int>(tiles.width.points);
  const Scratch<float> zeros(g.channels);
  std::fill_n(zeros.data(), g.channels, 0.0f);
  parallel_for(tiles.rows, chunk, [&](std::int64_t begin, std::int64_t end) {
    const Scratch<float> data(blocks * data_block), result(planes * result_plane);
    const float* in[WinogradTiles::most_planes];
    for (std::int64_t row = begin; row < end; ++row) {
      tiles.sources(row, zeros.data(), in);
      for (std::int64_t r0 = 0, block = 0; r0 < g.channels; r0 += depth, ++block) {
        winograd.data(in, points_h, points_w, weights.depth(r0),
                      data.data() + block * data_block + (row - begin) * stride, data_plane);
        for (std::int64_t i = 0; i < planes; ++i) in[i] += depth;
      }
    }
    for (std::int64_t f = 0; f < planes; ++f) {
      for (std::int64_t r0 = 0, block = 0; r0 < g.channels; r0 += depth, ++block) {
        for (std::int64_t i = 0; i < end - begin;) {
          const Panel<float> panel{data.data() + block * data_block + f * data_plane + i * stride, Layout::by_row,
                                   kernels.next_rows(end - begin - i)};
          float* c[max_tile_rows];
          for (int r = 0; r < panel.rows; ++r) c[r] = result.data() + f * result_plane + (i + r) * g.columns;
          multiply_panel(kernels, panel, kernels.words(weights.depth(r0)), weights.block(f, r0), kernels.columns,
                         weights.panel_size(r0), g.columns, c, Finish<float>{.load_c = block > 0});
          i += panel.rows;
        }
      }
    }
    float* out[49];
    for (std::int64_t row = begin; row < end; ++row) {
      tiles.results(
          row, static_cast<float*>(nullptr), [&](std::int64_t n, const Index& q) { return g.destination_row(n, q); },
          out);
      winograd.combine(result.data() + (row - begin) * g.columns, result_plane, height, width, e.bias, e.accumulate,
                       g.columns, out);
      if (e.act == Act::none) continue;
      for (int i = 0; i < height.values * width.values; ++i)
        if (out[i]) kernels.activate(e.act, e.slope, g.columns, out[i]);
    }
  });
}

/// conv_weight_grad(): the adjoint of winograd_gather() in the weights, g being the forward gather and gy its result's
/// gradient. The transformed gradient is summed over the tiles in their order.
inline void winograd_weight_grad(const Gather<float>& g, const float* gy, float* gw) {
  const Kernels<float>& kernels = kernels_in_use<float>(g.precision);
  const WinogradKernels& winograd = winograd_kernels_in_use();
  const WinogradTiles tiles(g);
  constexpr std::int64_t chunk = 128;
  static_assert(chunk <= panel_depth<float>);
  const std::int64_t channels = g.channels, columns = g.columns, planes = tiles.planes();
  const std::int64_t x_plane = chunk * channels + 16, y_plane = chunk * columns + 16,
                     sum_plane = channels * columns + 16;
  const Scratch<float> x(planes * x_plane), y(planes * y_plane), sum(planes * sum_plane),
      zeros(std::max(channels, columns));
  std::fill_n(zeros.data(), std::max(channels, columns), 0.0f);
  const WinogradSide height = tiles.height.output_side(), width = tiles.width.output_side();
  const auto points_h = static_cast<int>(tiles.height.points), points_w = static_cast<int>(tiles.width.points);
  for (std::int64_t first = 0; first < tiles.rows; first += chunk) {
    const std::int64_t rows = std::min(chunk, tiles.rows - first);
    parallel_for(rows, 8, [&](std::int64_t begin, std::int64_t end) {
      const float* in[WinogradTiles::most_planes];
      for (std::int64_t row = begin; row < end; ++row) {
        tiles.sources(first + row, zeros.data(), in);
        winograd.data(in, points_h, points_w, channels, x.data() + row * channels, x_plane);
        tiles.results(
            first + row, static_cast<const float*>(zeros.data()),
            [&](std::int64_t n, const Index& q) {
              return gy + ((n * tiles.height.count + q.h) * tiles.width.count + q.w) * columns;
            },
            in);
        winograd.evaluate(in, height, width, columns, y.data() + row * columns, y_plane);
      }
    });
    parallel_for(planes, 4, [&](std::int64_t begin, std::int64_t end) {
      const Scratch<float> a_buffer = column_panel_buffer<float>();
      const Scratch<float> b_buffer(kernels.panels(channels) * kernels.words(rows) * kernels.columns);
      const std::int64_t panel_size = kernels.words(rows) * kernels.columns;
      for (std::int64_t f = begin; f < end; ++f) {
        kernels.copy_b(rows, x.data() + f * x_plane, nullptr, channels, channels, b_buffer.data(), panel_size);
        multiply_transposed<float>(kernels, columns, rows, y.data() + f * y_plane, nullptr, columns, b_buffer.data(),
                                   kernels.columns, panel_size, channels, sum.data() + f * sum_plane, channels,
                                   Finish<float>{.load_c = first > 0}, a_buffer.data());
      }
    });
  }
  const WinogradSide taps_h = tiles.height.tap_side(), taps_w = tiles.width.tap_side();
  parallel_for(columns, 8, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t j = begin; j < end; ++j) {
      float* out[25];
      for (int i = 0; i < taps_h.values * taps_w.values; ++i)
        out[i] = gw + (j * product(g.kernel) + tiles.kernel_index(i / taps_w.values, i % taps_w.values)) * channels;
      winograd.combine(sum.data() + j * channels, sum_plane, taps_h, taps_w, nullptr, false, channels, out);
    }
  });
}

}  // namespace synthdata::backend::cpu
