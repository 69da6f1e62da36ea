// synthdata/backend/cuda/backend.cuh: every operation of backend/device_kernels.hpp on a GPU.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cuda/conv.cuh>
#include <synthdata/backend/cuda/copy.cuh>
#include <synthdata/backend/cuda/gemm.cuh>
#include <synthdata/backend/cuda/graph.cuh>
#include <synthdata/backend/cuda/map.cuh>
#include <synthdata/backend/cuda/norm.cuh>
#include <synthdata/backend/cuda/random.cuh>
#include <synthdata/backend/cuda/reduce.cuh>
#include <synthdata/backend/cuda/softmax.cuh>
#include <synthdata/backend/cuda/update.cuh>
#include <synthdata/backend/cuda/window.cuh>
#include <synthdata/backend/softmax.hpp>

#include <bit>
#include <cmath>

namespace synthdata::cuda {

/// Small tables that kernels read, such as the taps of a resampling, kept on the GPU under their contents.
class Constants {
 public:
  const std::int64_t* at(int device, std::vector<std::int64_t> values) {
    const std::lock_guard lock(mutex_);
    Tensor& table = tables_[{device, values}];
    if (!table.defined()) {
      table = Tensor::from(values, {DeviceType::cuda, static_cast<std::uint8_t>(device)});
      synchronize(table.device());
    }
    return static_cast<const std::int64_t*>(table.address());
  }

 private:
  std::mutex mutex_;
  std::map<std::pair<int, std::vector<std::int64_t>>, Tensor> tables_;  // kept: captured steps hold their addresses
};

class Backend final : public backend::DeviceKernels {
 public:
  // Memory: core/device.hpp.
  int device_count() const override { return driver().count(); }
  std::string why_none() const override { return driver().why_none(); }
  std::string name(int index) const override { return driver()[index].name(); }
  Block* allocate(int index, std::int64_t bytes) override { return driver()[index].allocate(bytes); }
  void release(Block* block) noexcept override { driver()[block->device.index].release(block); }
  backend::DeviceGraph* new_graph(int device) override { return new Graph(device); }
  void copy_to_device(int index, void* into, const void* from, std::int64_t bytes) override {
    refuse_while_recording("copied from the CPU");
    const UseDevice use(index);
    driver()[index].staging().send(driver().queue(index), into, from, bytes);
  }
  Block* send_ahead(int index, const void* from, std::int64_t bytes) override {
    return driver()[index].send_ahead(from, bytes);
  }
  void arrived(Block* block) override {
    refuse_while_recording("received from the CPU");
    driver()[block->device.index].arrived(block);
  }
  void copy_to_host(int index, void* into, const void* from, std::int64_t bytes) override {
    refuse_while_recording("read by the CPU");
    transfer(index, into, from, bytes, cudaMemcpyDeviceToHost);
    driver()[index].synchronize();
  }
  void copy(int into_index, void* into, int from_index, const void* from, std::int64_t bytes) override {
    if (into_index != from_index) driver()[from_index].synchronize();  // another GPU's queue knows nothing of ours
    transfer(into_index, into, from, bytes, cudaMemcpyDeviceToDevice);
    if (into_index != from_index) driver()[into_index].synchronize();
  }
  void fill(int index, void* into, DType dtype, std::int64_t count, double value) override {
    if (count == 0) return;
    visit_dtype(dtype, [&]<class T>() {
      launch_over("fill", driver().queue(index), count, fill_kernel<T>, static_cast<T*>(into), count,
                  static_cast<T>(value));
    });
  }
  void count_up(int index, void* into, DType dtype, std::int64_t count) override {
    if (count == 0) return;
    visit_dtype(dtype, [&]<class T>() {
      launch_over("arange", driver().queue(index), count, count_up_kernel<T>, static_cast<T*>(into), count);
    });
  }
  void convert(int index, void* into, DType into_type, const void* from, DType from_type, std::int64_t count) override {
    if (count == 0) return;
    visit_dtype(from_type, [&]<class From>() {
      visit_dtype(into_type, [&]<class To>() {
        launch_over("convert", driver().queue(index), count, convert_kernel<To, From>, static_cast<To*>(into),
                    static_cast<const From*>(from), count);
      });
    });
  }
  void synchronize(int index) override { driver()[index].synchronize(); }
  MemoryStats memory_stats(int index) override { return driver()[index].stats(); }
  void reset_peak_memory(int index) override { driver()[index].reset_peak(); }
  void empty_cache(int index) override { driver()[index].empty(); }

  // Moving elements.
  void copy_box(int device, const backend::StridedBox& asked, std::size_t element_size, const void* from,
                void* into) override {
    backend::StridedBox box = asked;
    const auto per_pack = static_cast<std::int64_t>(16 / element_size);
    if (common_alignment({from, into}) == 16 && widen(box, per_pack)) {
      return run_copy_box<Pack<std::uint64_t, 2>>(driver().queue(device), box, from, into);
    }
    visit_unit(element_size, [&](auto unit) { run_copy_box<decltype(unit)>(driver().queue(device), box, from, into); });
  }
  void check_index(const char* op, const Tensor& index, std::int64_t extent) override {
    launch_over("check_index", queue_of(index), index.size(), check_index_kernel, index.address(),
                index.dtype() == DType::i64, index.size(), extent, op, driver()[index.device().index].fault());
  }
  void gather(const Tensor& x, const backend::AxisSplit& s, const Tensor& index, Tensor& out) override {
    visit_unit(size_of(x.dtype()), [&](auto unit) {
      using Unit = decltype(unit);
      launch_over("gather", queue_of(x), out.size(), gather_kernel<Unit>, static_cast<const Unit*>(x.address()),
                  static_cast<Unit*>(out.address()), s, view_of(index, s.extent), index.size());
    });
  }
  void take_along(const Tensor& x, const backend::AxisSplit& s, const Tensor& index, Tensor& out) override {
    visit_unit(size_of(x.dtype()), [&](auto unit) {
      using Unit = decltype(unit);
      launch_over("take_along_axis", queue_of(x), out.size(), take_along_kernel<Unit>,
                  static_cast<const Unit*>(x.address()), static_cast<Unit*>(out.address()), s, view_of(index, s.extent),
                  index.size() / (s.outer * s.inner));
    });
  }
  void scatter_add(const Tensor& values, const backend::AxisSplit& s, const Tensor& index, Tensor& out) override {
    visit_floating(values.dtype(), "scatter_add", [&]<class T>() {
      launch_over("scatter_add", queue_of(values), s.outer * s.inner, scatter_add_kernel<T>,
                  static_cast<const T*>(values.address()), static_cast<T*>(out.address()), s, view_of(index, s.extent),
                  index.size());
    });
  }
  void put_along(const Tensor& values, const backend::AxisSplit& s, const Tensor& index, Tensor& out) override {
    visit_floating(values.dtype(), "scatter_along_axis", [&]<class T>() {
      launch_over("scatter_along_axis", queue_of(values), s.outer * s.inner, put_along_kernel<T>,
                  static_cast<const T*>(values.address()), static_cast<T*>(out.address()), s, view_of(index, s.extent),
                  index.size() / (s.outer * s.inner));
    });
  }
  void one_hot(const Tensor& index, std::int64_t classes, Tensor& out) override {
    launch_over("one_hot", queue_of(index), index.size(), one_hot_kernel, static_cast<float*>(out.address()),
                view_of(index, classes), index.size(), classes);
  }

  // Along an axis.
  void reduce(backend::ReduceOp op, const Tensor& x, const backend::AxisSplit& s, Tensor& out) override {
    visit_floating(x.dtype(), "reduce", [&]<class T>() {
      op == backend::ReduceOp::sum ? run_reduce<T, SumReduction>(queue_of(x), x, s, out)
                                   : run_reduce<T, MaxReduction>(queue_of(x), x, s, out);
    });
  }
  void argmax(const Tensor& x, const backend::AxisSplit& s, Tensor& out) override {
    visit_floating(x.dtype(), "argmax", [&]<class T>() {
      launch_over("argmax", queue_of(x), s.outer * s.inner, argmax_kernel<T>, static_cast<const T*>(x.address()),
                  static_cast<std::int64_t*>(out.address()), s.outer, s.extent, s.inner);
    });
  }
  void cumsum(const Tensor& x, const backend::AxisSplit& s, bool reverse, Tensor& out) override {
    visit_floating(x.dtype(), "cumsum", [&]<class T>() {
      launch_over("cumsum", queue_of(x), s.outer * s.inner, cumsum_kernel<T>, static_cast<const T*>(x.address()),
                  static_cast<T*>(out.address()), s.outer, s.extent, s.inner, reverse);
    });
  }
  void softmax(backend::SoftmaxKind kind, const Tensor& x, const Tensor& noise, double scale, backend::Blocks blocks,
               Tensor& y) override {
    visit_floating(x.dtype(), "softmax", [&]<class T>() {
      const Segments segments = segments_of(x, blocks);
      visit_lanes(*std::max_element(blocks.begin(), blocks.end()), [&](auto lanes) {
        launch_segments("softmax", x, segments, lanes(), softmax_kernel<lanes(), T>, segments,
                        kind == backend::SoftmaxKind::log, data<T>(x), noise.defined() ? data<T>(noise) : nullptr,
                        static_cast<T>(scale), data<T>(y));
      });
    });
  }
  void softmax_gradient(backend::SoftmaxKind kind, const Tensor& y, const Tensor& g, double scale,
                        backend::Blocks blocks, Tensor& dx) override {
    visit_floating(y.dtype(), "softmax", [&]<class T>() {
      const Segments segments = segments_of(y, blocks);
      visit_lanes(*std::max_element(blocks.begin(), blocks.end()), [&](auto lanes) {
        launch_segments("softmax", y, segments, lanes(), softmax_gradient_kernel<lanes(), T>, segments,
                        kind == backend::SoftmaxKind::log, data<T>(y), data<T>(g), static_cast<T>(scale), data<T>(dx));
      });
    });
  }
  void block_sum(const Tensor& x, backend::Blocks blocks, Tensor& y) override {
    visit_floating(x.dtype(), "block_sum", [&]<class T>() {
      const Segments segments = segments_of(x, blocks);
      visit_lanes(*std::max_element(blocks.begin(), blocks.end()), [&](auto lanes) {
        launch_segments("block_sum", x, segments, lanes(), block_sum_kernel<lanes(), T>, segments, data<T>(x),
                        data<T>(y));
      });
    });
  }
  void block_winner(const Tensor& x, backend::Blocks blocks, Tensor& y) override {
    visit_floating(x.dtype(), "block_winner", [&]<class T>() {
      const Segments segments = segments_of(x, blocks);
      launch_segments("block_winner", x, segments, 1, block_winner_kernel<T>, segments, data<T>(x), data<T>(y));
    });
  }

  // Normalisation.
  void norm_moments(const Tensor& x, const backend::NormShape& shape, backend::NormMoments& moments) override {
    visit_floating(x.dtype(), "norm", [&]<class T>() { run_norm_moments<T>(queue_of(x), x, shape, moments); });
  }
  void norm_apply(const Tensor& x, const backend::NormShape& shape, const backend::NormMoments& moments,
                  const backend::NormAffine& affine, Tensor& y) override {
    visit_floating(x.dtype(), "norm", [&]<class T>() {
      const NormOperands<T> operands(queue_of(x), shape, moments, affine);
      launch_over("norm", queue_of(x), x.size(), norm_apply_kernel<T>, operands.view, data<T>(x), data<T>(y));
    });
  }
  void norm_gradients(const Tensor& x, const Tensor& g, const backend::NormShape& shape,
                      const backend::NormMoments& moments, const backend::NormAffine& affine, bool constant_moments,
                      backend::NormGradients& out) override {
    visit_floating(x.dtype(), "norm", [&]<class T>() {
      run_norm_gradients<T>(queue_of(x), x, g, shape, moments, affine, constant_moments, out);
    });
  }

  // Windows.
  void resample(const Tensor& x, const backend::SpatialTaps& taps, Tensor& out) override {
    DeviceTaps axis[3];
    for (int k = 0; k < 3; ++k) axis[k] = taps_on(x.device().index, taps.axis[k]);
    visit_floating(x.dtype(), "resample", [&]<class T>() {
      launch_over("resample", queue_of(x), out.size(), resample_kernel<T>, data<T>(x), data<T>(out), axis[0], axis[1],
                  axis[2], x.shape(0), x.shape(-1));
    });
  }
  void max_window(const Tensor& x, const backend::Windows& windows, Tensor& out, Tensor* position) override {
    visit_floating(x.dtype(), "max_pool", [&]<class T>() {
      launch_over("max_pool", queue_of(x), out.size(), max_window_kernel<T>, data<T>(x), data<T>(out),
                  position ? static_cast<std::int32_t*>(position->address()) : nullptr, windows, x.shape(0),
                  x.shape(-1));
    });
  }
  void shift_images(const Tensor& x, const Tensor& shifts, std::int64_t sign, Tensor& y) override {
    visit_floating(x.dtype(), "shift_images", [&]<class T>() {
      launch_over("shift_images", queue_of(x), x.size(), shift_kernel<T>, data<T>(x), data<std::int64_t>(shifts), sign,
                  data<T>(y), x.size(), x.shape(1), x.shape(2), x.shape(3));
    });
  }

  // Random numbers.
  void uniform(const RngState& rng, std::uint64_t first, double low, double high, Tensor& out) override {
    visit_floating(out.dtype(), "uniform", [&]<class T>() {
      const T top = std::nextafter(static_cast<T>(high), static_cast<T>(low));
      draw<T>(rng, first, UniformOf<T>{static_cast<T>(low), static_cast<T>(high - low), top}, out);
    });
  }
  void normal(const RngState& rng, std::uint64_t first, double mean, double stddev, Tensor& out) override {
    visit_floating(out.dtype(), "normal", [&]<class T>() {
      draw<T>(rng, first, NormalOf<T>{static_cast<T>(mean), static_cast<T>(stddev)}, out);
    });
  }
  void bernoulli(const RngState& rng, std::uint64_t first, double probability, Tensor& out) override {
    visit_floating(out.dtype(), "bernoulli",
                   [&]<class T>() { draw<T>(rng, first, BernoulliOf<T>{static_cast<T>(probability)}, out); });
  }
  void dropout(const Tensor& x, const Tensor& y, const backend::DropoutMask& mask, backend::cpu::Act act, double slope,
               Tensor& out) override {
    visit_floating(x.dtype(), "dropout", [&]<class T>() {
      const DropoutOf<T> f{
          {act, slope}, static_cast<T>(mask.keep()), static_cast<T>(1.0 / mask.keep()), mask.threshold};
      launch_over("dropout", queue_of(x), (x.size() + 127) / 128 * philox_lanes, dropout_kernel<T>, f,
                  Counters{mask.seed, mask.stream, mask.first, Graph::shift_address()}, data<T>(x),
                  y.defined() ? data<T>(y) : nullptr, data<T>(out), x.size());
    });
  }

  // Products.
  void gemm(const backend::GemmCall& call, const Tensor& a, const Tensor& b, const Tensor& bias, Tensor& c) override {
    gemm_of(c.device().index).run(queue_of(c), call, a, b, bias, c);
  }
  void conv_forward(const backend::ConvCall& call, const Tensor& x, const Tensor& w, const Tensor& bias,
                    Tensor& y) override {
    run_conv_forward(queue_of(y), call, x, w, bias, y);
  }
  void conv_input_grad(const backend::ConvCall& call, const Tensor& gy, const Tensor& w, const Tensor& bias,
                       Tensor& gx) override {
    run_conv_input_grad(queue_of(gx), call, gy, w, bias, gx);
  }
  void conv_weight_grad(const backend::ConvCall& call, const Tensor& x, const Tensor& gy, Tensor& gw) override {
    run_conv_weight_grad(queue_of(gw), call, x, gy, gw);
  }

 private:
  /// A replay would not do it again.
  static void refuse_while_recording(const char* what) {
    if (Graph::current()) [[unlikely]]
      throw DeviceError(concat("a step that is captured as a graph cannot have numbers ", what, " in it"));
  }
  static Queue queue_of(const Tensor& x) { return driver().queue(x.device().index); }
  template <class T>
  static const T* data(const Tensor& x) {
    return static_cast<const T*>(x.address());
  }
  template <class T>
  static T* data(Tensor& x) {
    return static_cast<T*>(x.address());
  }

  static void transfer(int index, void* into, const void* from, std::int64_t bytes, cudaMemcpyKind kind) {
    if (bytes == 0) return;
    const Queue queue = driver().queue(index);
    const UseDevice use(index);
    check(cudaMemcpyAsync(into, from, static_cast<std::size_t>(bytes), kind, queue.stream), "copying between devices");
  }

  template <class... Params, class... Args>
  static void launch_segments(const char* name, const Tensor& x, const Segments& s, int lanes,
                              void (*kernel)(Params...), Args... args) {
    const Queue queue = queue_of(x);
    launch(name, queue, kernel, dim3(blocks_for(s.rows * s.per_row, block_threads / lanes, queue.multiprocessors)),
           dim3(block_threads), 0, args...);
  }
  Segments segments_of(const Tensor& x, backend::Blocks blocks) {
    const std::int64_t width = x.shape(-1);
    if (blocks.size() == 1) return {x.size() / width, width, 1, nullptr};
    std::vector<std::int64_t> starts{0};
    for (const std::int64_t size : blocks) starts.push_back(starts.back() + size);
    return {x.size() / width, width, static_cast<std::int64_t>(blocks.size()),
            constants_.at(x.device().index, std::move(starts))};
  }
  DeviceTaps taps_on(int device, const backend::Taps& taps) {
    std::vector<std::int64_t> weights;
    for (const double w : taps.weight) weights.push_back(std::bit_cast<std::int64_t>(w));
    return {constants_.at(device, taps.start), constants_.at(device, taps.index),
            reinterpret_cast<const double*>(constants_.at(device, std::move(weights))), taps.inputs, taps.outputs()};
  }
  template <class T, class Draw>
  static void draw(const RngState& rng, std::uint64_t first, const Draw& draw, Tensor& out) {
    launch_over("random numbers", queue_of(out), (out.size() + 63) / 64 * philox_lanes, draw_kernel<T, Draw>, draw,
                Counters{rng.seed, rng.stream, first, Graph::shift_address()}, static_cast<T*>(out.address()),
                out.size());
  }
  Gemm& gemm_of(int device) {
    const std::lock_guard lock(mutex_);
    Gemm*& gemm = gemms_[device];
    if (!gemm) {
      const UseDevice use(device);
      gemm = new Gemm;
    }
    return *gemm;
  }

  Constants constants_;
  std::mutex mutex_;
  std::map<int, Gemm*> gemms_;  // never destroyed
};

}  // namespace synthdata::cuda
