// synthdata/backend/device_kernels.hpp: every kernel a device other than the CPU must have.
//
// The functions of backend/ check shapes, make the result and hand over to the CPU's loops or to these. All operands
// are on one device, which is the result's; results are made and have the right shape; sizes may be 0 only where it
// says so. A device that lacks one of them does not compile. Pointwise kernels and update rules are templates over
// functors and are found through DeviceMap and DeviceUpdate.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/conv_geometry.hpp>
#include <synthdata/backend/cpu/epilogue.hpp>
#include <synthdata/core/precision.hpp>
#include <synthdata/core/random.hpp>
#include <synthdata/core/tensor.hpp>

#include <span>

namespace synthdata::backend {

enum class SoftmaxKind;
struct NormShape;
struct NormMoments;
struct NormAffine;
struct NormWanted;
struct NormGradients;
struct SpatialTaps;
struct Windows;
struct DropoutMask;

/// A row-major tensor seen as [outer, extent, inner] around one of its axes.
struct AxisSplit {
  std::int64_t outer, extent, inner;
};

/// Elements at two strided places. Strides count elements; those of the source may be negative.
struct StridedBox {
  int rank = 0;
  std::int64_t extent[Shape::max_rank] = {}, from[Shape::max_rank] = {}, into[Shape::max_rank] = {};
};

enum class ReduceOp { sum, max };

/// C [count, m, n] = act([C +] op(A) op(B) + bias), row-major; see cpu/gemm.hpp.
struct GemmCall {
  bool trans_a = false, trans_b = false;
  std::int64_t m = 0, n = 0, k = 0, count = 1;
  cpu::Act act = cpu::Act::none;
  double slope = 0.0;
  Precision precision = Precision::f32;
};

struct ConvCall {
  cpu::ConvGeometry geometry;
  cpu::Act act = cpu::Act::none;
  double slope = 0.0;
  Precision precision = Precision::f32;
};

/// Work on a device that is recorded once and then repeated with a single call. What it allocates stays its own, so it
/// reads and writes the same addresses every time; everything that changes from one time to the next must come from
/// memory: inputs are copied into tensors the work reads, random numbers move on by themselves, and the numbers of an
/// update (learning rate, step) are written to where numbers() says.
///
///   { graph.begin(Phase::warm_up); work(); graph.end(); }   // twice: caches and memory pools fill
///   { graph.begin(Phase::record); work(); graph.end(); }    // nothing runs
///   graph.replay(words);                                    // as often as wanted
class DeviceGraph {
 public:
  enum class Phase { warm_up, record };
  virtual ~DeviceGraph() = default;
  virtual void begin(Phase phase) = 0;
  virtual void end() = 0;
  /// Gives up what begin() started, after an exception.
  virtual void abandon() noexcept = 0;
  /// Where the update recorded as number i reads its formula's numbers.
  virtual void* numbers(std::size_t i) = 0;
  /// Runs it, with random counters `shift` blocks behind those it was recorded with.
  virtual void replay(std::uint64_t shift) = 0;
};

class DeviceKernels : public synthdata::detail::DeviceDriver {
 public:
  /// A new, empty graph; the caller deletes it.
  virtual DeviceGraph* new_graph(int device) = 0;

  // Moving elements. An index has been checked.
  virtual void copy_box(int device, const StridedBox& box, std::size_t element_size, const void* from, void* into) = 0;
  /// Remembers the first element of `index` outside [0, extent), with the name of the operation; the next
  /// synchronisation throws it. Until then such an element counts as 0.
  virtual void check_index(const char* op, const Tensor& index, std::int64_t extent) = 0;
  virtual void gather(const Tensor& x, const AxisSplit& split, const Tensor& index, Tensor& out) = 0;
  virtual void scatter_add(const Tensor& values, const AxisSplit& split, const Tensor& index, Tensor& out) = 0;
  virtual void take_along(const Tensor& x, const AxisSplit& split, const Tensor& index, Tensor& out) = 0;
  virtual void put_along(const Tensor& values, const AxisSplit& split, const Tensor& index, Tensor& out) = 0;
  virtual void one_hot(const Tensor& index, std::int64_t classes, Tensor& out) = 0;

  // Along an axis.
  virtual void reduce(ReduceOp op, const Tensor& x, const AxisSplit& split, Tensor& out) = 0;
  virtual void argmax(const Tensor& x, const AxisSplit& split, Tensor& out) = 0;
  virtual void cumsum(const Tensor& x, const AxisSplit& split, bool reverse, Tensor& out) = 0;
  virtual void softmax(SoftmaxKind kind, const Tensor& x, const Tensor& noise, double scale,
                       std::span<const std::int64_t> blocks, Tensor& y) = 0;
  virtual void softmax_gradient(SoftmaxKind kind, const Tensor& y, const Tensor& g, double scale,
                                std::span<const std::int64_t> blocks, Tensor& dx) = 0;
  virtual void block_sum(const Tensor& x, std::span<const std::int64_t> blocks, Tensor& y) = 0;
  virtual void block_winner(const Tensor& x, std::span<const std::int64_t> blocks, Tensor& y) = 0;

  // Normalisation: see backend/norm.hpp.
  virtual void norm_moments(const Tensor& x, const NormShape& shape, NormMoments& moments) = 0;
  virtual void norm_apply(const Tensor& x, const NormShape& shape, const NormMoments& moments, const NormAffine& affine,
                          Tensor& y) = 0;
  virtual void norm_gradients(const Tensor& x, const Tensor& g, const NormShape& shape, const NormMoments& moments,
                              const NormAffine& affine, bool constant_moments, NormGradients& out) = 0;

  // Over windows of [N, D, H, W, C].
  virtual void resample(const Tensor& x, const SpatialTaps& taps, Tensor& out) = 0;
  virtual void max_window(const Tensor& x, const Windows& windows, Tensor& out, Tensor* position) = 0;
  /// y[n, i, j] = x[n, i - d, j - e] where that lies inside, else 0; (d, e) = sign shifts[n].
  virtual void shift_images(const Tensor& x, const Tensor& shifts, std::int64_t sign, Tensor& y) = 0;

  // Random numbers: those of the CPU.
  virtual void uniform(const RngState& rng, std::uint64_t first, double low, double high, Tensor& out) = 0;
  virtual void normal(const RngState& rng, std::uint64_t first, double mean, double stddev, Tensor& out) = 0;
  virtual void bernoulli(const RngState& rng, std::uint64_t first, double probability, Tensor& out) = 0;
  /// With y, the gradient through mask and activation; without, the forward pass.
  virtual void dropout(const Tensor& x, const Tensor& y, const DropoutMask& mask, cpu::Act act, double slope,
                       Tensor& out) = 0;

  // Products. A bias may be undefined.
  virtual void gemm(const GemmCall& call, const Tensor& a, const Tensor& b, const Tensor& bias, Tensor& c) = 0;
  virtual void conv_forward(const ConvCall& call, const Tensor& x, const Tensor& w, const Tensor& bias, Tensor& y) = 0;
  virtual void conv_input_grad(const ConvCall& call, const Tensor& gy, const Tensor& w, const Tensor& bias,
                               Tensor& gx) = 0;
  virtual void conv_weight_grad(const ConvCall& call, const Tensor& x, const Tensor& gy, Tensor& gw) = 0;
};

inline DeviceKernels& device_kernels() { return static_cast<DeviceKernels&>(synthdata::detail::device_driver()); }

/// A broadcast pointwise operation: out[i] = f(in[0][...], in[1][...], ...). Axes are merged; stride 0 repeats.
struct MapCall {
  Device device;
  DType dtype;
  std::int64_t size;
  bool same;  ///< all operands have the result's shape
  int rank;
  std::int64_t extent[Shape::max_rank];
  std::int64_t stride[3][Shape::max_rank];
  const void* in[3];
  void* out;
};

/// Where the CUDA unit leaves the kernel of a functor with so many operands.
template <class F, std::size_t operands>
struct DeviceMap {
  static inline void (*launch)(const F& f, const MapCall& call) = nullptr;
};

/// One parameter to update: see optim/optimizer.hpp. Running values the rule does not keep are null.
struct UpdateItem {
  void* weight;
  const void* gradient;
  void* running[2];
  std::int64_t size;
};

/// Where the CUDA unit leaves the kernel of an update rule: all parameters in as few launches as possible.
template <class Update>
struct DeviceUpdate {
  static inline void (*launch)(const Update& update, int device, DType dtype,
                               std::span<const UpdateItem> items) = nullptr;
};

namespace detail {
[[noreturn]] void throw_no_kernel(const char* op, Device device);
[[noreturn]] void throw_devices(const char* op, const Tensor& a, const Tensor& b);

/// @throws DeviceError unless both are on one device.
inline void check_devices(const char* op, const Tensor& a, const Tensor& b) {
  if (!(a.device() == b.device())) [[unlikely]]
    throw_devices(op, a, b);
}
}  // namespace detail

}  // namespace synthdata::backend

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/backend/device_kernels_impl.hpp>
#endif
