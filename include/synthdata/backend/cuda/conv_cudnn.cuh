// synthdata/backend/cuda/conv_cudnn.cuh: convolution of f32 tensors by cuDNN 9, through the descriptors of its graph
// API.
//
// Tensors stay channels last. Bias and activation are one pass in place behind the convolution. (Fusing them would save
// one read and one write of the result. cuDNN fuses only on tensor cores, so not for f32.)
// Plans are chosen once for each geometry, see conv_plan.hpp; what no plan exists for goes to the direct kernels.
//
// What is multiplied:
//   f32   engines without CUDNN_NUMERICAL_NOTE_TENSOR_CORE: for f32 tensors that note means tf32.
//   tf32  all engines but those that note DOWN_CONVERT_INPUTS, which would multiply f16.
//   bf16, f16  the operands are converted first, at every call; sums and result are f32 (engines that note
//         REDUCED_PRECISION_REDUCTION are left out). No engine does that for a convolution alone: those compiled at run
//         time do it for a convolution whose result exists only in registers and an identity that stores it in f32.
//         They want channels in eights, more or less; where there is none: tf32.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cuda/conv_direct.cuh>
#include <synthdata/backend/cuda/conv_plan.hpp>
#include <synthdata/backend/cuda/passes.cuh>

#include <cudnn.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace synthdata::cuda {

namespace cudnn {

[[noreturn]] inline void throw_status(cudnnStatus_t status, const char* call, const ConvPlanKey& key) {
  char last[1024] = "";
  cudnnGetLastErrorString(last, sizeof last);
  throw CudaError(concat("cuDNN, ", call, ": ", cudnnGetErrorString(status), ", ", static_cast<const char*>(last),
                         "\n  convolution: ", describe(key)));
}
inline void check(cudnnStatus_t status, const char* call, const ConvPlanKey& key) {
  if (status != CUDNN_STATUS_SUCCESS) [[unlikely]]
    throw_status(status, call, key);
}
/// Whether cuDNN can do it at all; other failures are thrown.
inline bool supported(cudnnStatus_t status, const char* call, const ConvPlanKey& key) {
  if (CUDNN_STATUS_CATEGORY(static_cast<int>(status)) == CUDNN_STATUS_NOT_SUPPORTED) return false;
  check(status, call, key);
  return true;
}

/// The type of attributes that are set from such values.
constexpr auto attribute_type(const std::int64_t*) { return CUDNN_TYPE_INT64; }
constexpr auto attribute_type(const bool*) { return CUDNN_TYPE_BOOLEAN; }
constexpr auto attribute_type(const cudnnPointwiseMode_t*) { return CUDNN_TYPE_POINTWISE_MODE; }
constexpr auto attribute_type(const float*) { return CUDNN_TYPE_FLOAT; }
constexpr auto attribute_type(void* const*) { return CUDNN_TYPE_VOID_PTR; }
constexpr auto attribute_type(const cudnnHandle_t*) { return CUDNN_TYPE_HANDLE; }
constexpr auto attribute_type(const cudnnDataType_t*) { return CUDNN_TYPE_DATA_TYPE; }
constexpr auto attribute_type(const cudnnConvolutionMode_t*) { return CUDNN_TYPE_CONVOLUTION_MODE; }
constexpr auto attribute_type(const cudnnBackendHeurMode_t*) { return CUDNN_TYPE_HEUR_MODE; }

/// Owns a backend descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  Descriptor(cudnnBackendDescriptorType_t type, const ConvPlanKey& key) {
    check(cudnnBackendCreateDescriptor(type, &handle_), "cudnnBackendCreateDescriptor", key);
  }
  Descriptor(Descriptor&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Descriptor() {
    if (handle_) cudnnBackendDestroyDescriptor(handle_);
  }

  cudnnBackendDescriptor_t get() const { return handle_; }

  template <class T>
  void set(cudnnBackendAttributeName_t name, const T* values, std::int64_t count, const ConvPlanKey& key) {
    check(cudnnBackendSetAttribute(handle_, name, attribute_type(values), count, values), "cudnnBackendSetAttribute",
          key);
  }
  template <class T>
  void set(cudnnBackendAttributeName_t name, const T& value, const ConvPlanKey& key) {
    set(name, &value, 1, key);
  }
  void set(cudnnBackendAttributeName_t name, const Descriptor& value, const ConvPlanKey& key) {
    check(cudnnBackendSetAttribute(handle_, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value.handle_),
          "cudnnBackendSetAttribute", key);
  }
  cudnnStatus_t finalize() { return cudnnBackendFinalize(handle_); }

 private:
  cudnnBackendDescriptor_t handle_ = nullptr;
};

/// Names of the operands in a graph.
enum : std::int64_t { x_id = 'x', w_id = 'w', y_id = 'y', sum_id = 's' };

/// Type of the factors.
inline cudnnDataType_t factor_type(Precision precision) {
  return precision == Precision::bf16  ? CUDNN_DATA_BFLOAT16
         : precision == Precision::f16 ? CUDNN_DATA_HALF
                                       : CUDNN_DATA_FLOAT;
}

/// @param stored  false for what never leaves the registers
inline Descriptor make_tensor(const GraphTensor& t, std::int64_t rank, std::int64_t id, cudnnDataType_t type,
                              bool stored, const ConvPlanKey& key) {
  Descriptor out(CUDNN_BACKEND_TENSOR_DESCRIPTOR, key);
  out.set(CUDNN_ATTR_TENSOR_DATA_TYPE, type, key);
  out.set(CUDNN_ATTR_TENSOR_DIMENSIONS, t.extent, rank, key);
  out.set(CUDNN_ATTR_TENSOR_STRIDES, t.stride, rank, key);
  out.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id, key);
  out.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, key.alignment, key);
  out.set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, !stored, key);
  check(out.finalize(), "finalising a tensor", key);
  return out;
}

/// The operations of a graph with all they refer to. Those that are not needed are empty, and so is all that follows
/// what cuDNN does not support.
struct Operations {
  Descriptor x, w, y, convolution, convolve;
  Descriptor sum, identity, store;  // for converted factors; `sum` stands for the result in the convolution
  bool supported = false;
};

inline Operations make_operations(const GraphConv& g, const ConvPlanKey& key) {
  const cudnnDataType_t factor = factor_type(key.precision), f32 = CUDNN_DATA_FLOAT;
  const bool converted = factor != f32;
  Operations out;
  const auto tensor = [&](const GraphTensor& t, std::int64_t id, ConvOp result) {
    if (key.op != result) return make_tensor(t, g.axes + 2, id, factor, true, key);
    if (converted) out.sum = make_tensor(t, g.axes + 2, sum_id, f32, false, key);
    return make_tensor(t, g.axes + 2, id, f32, true, key);
  };
  out.x = tensor(g.x, x_id, ConvOp::input_grad);
  out.w = tensor(g.w, w_id, ConvOp::weight_grad);
  out.y = tensor(g.y, y_id, ConvOp::forward);

  out.convolution = Descriptor(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, key);
  out.convolution.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, f32, key);
  out.convolution.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION, key);
  out.convolution.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, g.axes, key);
  out.convolution.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, g.before, g.axes, key);
  out.convolution.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, g.behind, g.axes, key);
  out.convolution.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, g.stride, g.axes, key);
  out.convolution.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, g.dilation, g.axes, key);
  check(out.convolution.finalize(), "finalising a convolution", key);

  struct Names {
    cudnnBackendDescriptorType_t operation;
    cudnnBackendAttributeName_t convolution, x, w, y, alpha, beta;
  };
  static constexpr Names all[] = {
      {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
       CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
       CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
       CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA},
      {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA},
      {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA}};
  const Names& names = all[static_cast<int>(key.op)];
  const auto used = [&](const Descriptor& t, ConvOp result) -> const Descriptor& {
    return converted && key.op == result ? out.sum : t;
  };
  out.convolve = Descriptor(names.operation, key);
  out.convolve.set(names.convolution, out.convolution, key);
  out.convolve.set(names.x, used(out.x, ConvOp::input_grad), key);
  out.convolve.set(names.w, used(out.w, ConvOp::weight_grad), key);
  out.convolve.set(names.y, used(out.y, ConvOp::forward), key);
  out.convolve.set(names.alpha, 1.0f, key);
  out.convolve.set(names.beta, 0.0f, key);
  if (!supported(out.convolve.finalize(), "finalising a convolution's operation", key)) return out;

  if (converted) {
    out.identity = Descriptor(CUDNN_BACKEND_POINTWISE_DESCRIPTOR, key);
    out.identity.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_POINTWISE_IDENTITY, key);
    out.identity.set(CUDNN_ATTR_POINTWISE_MATH_PREC, f32, key);
    check(out.identity.finalize(), "finalising an identity", key);
    const Descriptor& result = key.op == ConvOp::forward ? out.y : key.op == ConvOp::input_grad ? out.x : out.w;
    out.store = Descriptor(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, key);
    out.store.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, out.identity, key);
    out.store.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, out.sum, key);
    out.store.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, result, key);
    if (!supported(out.store.finalize(), "finalising an identity's operation", key)) return out;
  }
  out.supported = true;
  return out;
}

/// The graph, or nothing if cuDNN does not support it.
inline Descriptor make_graph(const Operations& operations, cudnnHandle_t handle, const ConvPlanKey& key) {
  const cudnnBackendDescriptor_t all[] = {operations.convolve.get(), operations.store.get()};
  Descriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, key);
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, handle, key);
  check(cudnnBackendSetAttribute(graph.get(), CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                 all[1] ? 2 : 1, all),
        "cudnnBackendSetAttribute", key);
  if (!supported(graph.finalize(), "finalising a graph", key)) return {};
  return graph;
}

struct Plan {
  Descriptor config, plan;  // no plan: cuDNN cannot do it
  std::int64_t workspace = 0;
};

inline EngineNotes notes_of(const Descriptor& config, const ConvPlanKey& key) {
  Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR, key);
  std::int64_t count = 0;
  cudnnBackendDescriptor_t handle = engine.get();
  check(cudnnBackendGetAttribute(config.get(), CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &count,
                                 &handle),
        "asking for the engine", key);
  cudnnBackendNumericalNote_t notes[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
  check(cudnnBackendGetAttribute(handle, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                                 CUDNN_NUMERICAL_NOTE_TYPE_COUNT, &count, notes),
        "asking for the numerical notes", key);
  const auto noted = [&](cudnnBackendNumericalNote_t note) {
    return std::find(notes, notes + count, note) != notes + count;
  };
  return {.tensor_core = noted(CUDNN_NUMERICAL_NOTE_TENSOR_CORE),
          .down_converts = noted(CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS),
          .reduced_sums = noted(CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION),
          .nondeterministic = noted(CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC)};
}

/// The engines a heuristic proposes, best first.
inline std::vector<Descriptor> proposals(const Descriptor& graph, cudnnBackendHeurMode_t mode, const ConvPlanKey& key) {
  Descriptor heuristic(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, key);
  heuristic.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph, key);
  heuristic.set(CUDNN_ATTR_ENGINEHEUR_MODE, mode, key);
  std::vector<Descriptor> configs;
  if (!supported(heuristic.finalize(), "finalising a heuristic", key)) return configs;
  std::int64_t count = 0;
  check(cudnnBackendGetAttribute(heuristic.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0,
                                 &count, nullptr),
        "counting the proposals", key);
  std::vector<cudnnBackendDescriptor_t> handles;
  for (std::int64_t i = 0; i < count; ++i) {
    handles.push_back(configs.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, key).get());
  }
  if (count == 0) return configs;
  std::int64_t found = 0;
  check(cudnnBackendGetAttribute(heuristic.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, count,
                                 &found, handles.data()),
        "asking for the proposals", key);
  configs.resize(static_cast<std::size_t>(std::min(count, found)));
  return configs;
}

/// Up to `wanted` plans that may be used, best first by the heuristic; those of the fallback come last.
inline std::vector<Plan> make_plans(cudnnHandle_t handle, const ConvPlanKey& key, std::size_t wanted) {
  std::vector<Plan> plans;
  const auto expressed = graph_conv(key.geometry);
  if (!expressed) return plans;
  const Operations operations = make_operations(*expressed, key);
  if (!operations.supported) return plans;
  const Descriptor graph = make_graph(operations, handle, key);
  if (!graph.get()) return plans;
  for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    for (Descriptor& config : proposals(graph, mode, key)) {
      if (plans.size() >= wanted) return plans;
      if (!admissible(notes_of(config, key), key.precision, key.settings)) continue;
      Plan plan;
      plan.plan = Descriptor(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, key);
      plan.plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, handle, key);
      plan.plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config, key);
      if (plan.plan.finalize() != CUDNN_STATUS_SUCCESS) continue;  // heuristics also propose what does not work
      std::int64_t count = 0;
      check(cudnnBackendGetAttribute(plan.plan.get(), CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1,
                                     &count, &plan.workspace),
            "asking for the workspace", key);
      if (plan.workspace > key.settings.workspace_limit) continue;
      plan.config = std::move(config);
      plans.push_back(std::move(plan));
    }
  }
  return plans;
}

/// Addresses of the operands.
struct Operands {
  void *x, *w, *y;
};

inline cudnnStatus_t execute(cudnnHandle_t handle, const Plan& plan, const Operands& operands, void* workspace,
                             const ConvPlanKey& key) {
  Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, key);
  const std::int64_t ids[] = {x_id, w_id, y_id};
  void* const addresses[] = {operands.x, operands.w, operands.y};
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, ids, 3, key);
  pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, addresses, 3, key);
  pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, workspace, key);
  check(pack.finalize(), "finalising the operands", key);
  return cudnnBackendExecute(handle, plan.plan.get(), pack.get());
}

/// Device memory for the time of a call: whoever gets it next runs later on the same stream.
inline Tensor workspace_of(const Plan& plan, int device) {
  if (plan.workspace == 0) return {};
  return Tensor::empty({plan.workspace}, DType::u8, {DeviceType::cuda, static_cast<std::uint8_t>(device)});
}

/// Milliseconds of three runs after a first one; infinite if it fails. The result is overwritten.
inline float time_ms(cudnnHandle_t handle, const Plan& plan, const Operands& operands, const Queue& queue,
                     const ConvPlanKey& key) {
  struct Event {
    Event() { cuda::check(cudaEventCreate(&event), "cudaEventCreate"); }
    ~Event() { cudaEventDestroy(event); }
    cudaEvent_t event = nullptr;
  };
  constexpr float failed = std::numeric_limits<float>::infinity();
  Tensor workspace = workspace_of(plan, queue.device);
  void* const memory = workspace.defined() ? workspace.address() : nullptr;
  if (execute(handle, plan, operands, memory, key) != CUDNN_STATUS_SUCCESS) return failed;
  const Event begin, end;
  cuda::check(cudaEventRecord(begin.event, queue.stream), "cudaEventRecord");
  for (int run = 0; run < 3; ++run) {
    if (execute(handle, plan, operands, memory, key) != CUDNN_STATUS_SUCCESS) return failed;
  }
  cuda::check(cudaEventRecord(end.event, queue.stream), "cudaEventRecord");
  cuda::check(cudaEventSynchronize(end.event), "cudaEventSynchronize");
  float ms = 0.0f;
  cuda::check(cudaEventElapsedTime(&ms, begin.event, end.event), "cudaEventElapsedTime");
  return ms;
}

/// Handle and plans of one GPU. A handle is used by one thread at a time.
class Library {
 public:
  /// Runs the convolution of `key`; `factors()` gives the operands and is called only if there is a plan to try.
  /// False if cuDNN has no plan for it.
  template <class Factors>
  bool run(const Queue& queue, ConvPlanKey key, const Factors& factors) {
    const std::lock_guard lock(mutex_);
    const UseDevice use(queue.device);
    auto found = plans_.find(key);
    if (found == plans_.end() && key.settings.measure && capturing(queue)) {
      key.settings.measure = false;  // nothing may be waited for now
      found = plans_.find(key);
    }
    if (found != plans_.end() && !found->second.plan.get()) return false;
    if (!handle_) check(cudnnCreate(&handle_), "cudnnCreate", key);
    check(cudnnSetStream(handle_, queue.stream), "cudnnSetStream", key);
    const Operands operands = factors();
    if (found == plans_.end()) found = plans_.emplace(key, choose(queue, key, operands)).first;
    const Plan& plan = found->second;
    if (!plan.plan.get()) return false;
    Tensor workspace = workspace_of(plan, queue.device);
    check(execute(handle_, plan, operands, workspace.defined() ? workspace.address() : nullptr, key),
          "cudnnBackendExecute", key);
    return true;
  }

 private:
  static bool capturing(const Queue& queue) {
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    cuda::check(cudaStreamIsCapturing(queue.stream, &status), "cudaStreamIsCapturing");
    return status != cudaStreamCaptureStatusNone;
  }

  Plan choose(const Queue& queue, const ConvPlanKey& key, const Operands& operands) {
    std::vector<Plan> plans = make_plans(handle_, key, key.settings.measure ? measured_plans : 1);
    if (plans.empty()) return {};
    if (plans.size() == 1) return std::move(plans[0]);
    std::vector<float> times;
    for (const Plan& plan : plans) times.push_back(time_ms(handle_, plan, operands, queue, key));
    const auto best = fastest(times);
    return best ? std::move(plans[*best]) : Plan{};
  }

  std::mutex mutex_;
  cudnnHandle_t handle_ = nullptr;
  std::unordered_map<ConvPlanKey, Plan, ConvPlanHash> plans_;
};

/// Never destroyed, as the GPUs.
inline Library& library(int device) {
  static auto& all = *new std::vector<Library>(static_cast<std::size_t>(driver().count()));
  return all[static_cast<std::size_t>(device)];
}

/// Operands that are f32 for f32 and tf32, else converted copies.
class Factors {
 public:
  Factors(const Queue& queue, Precision precision) : queue_(queue), precision_(precision) {}

  void* operator()(const Tensor& x) {
    const bool bf16 = precision_ == Precision::bf16;
    if (!bf16 && precision_ != Precision::f16) return const_cast<void*>(x.address());  // cuDNN takes no const
    copies_.push_back(bf16 ? factors_of<__nv_bfloat16>(queue_, x) : factors_of<__half>(queue_, x));
    return copies_.back().address();
  }

 private:
  const Queue& queue_;
  Precision precision_;
  std::vector<Tensor> copies_;
};

/// The convolution without bias and activation. The operand that `op` names is the result. False if cuDNN has no plan.
inline bool run(const Queue& queue, ConvOp op, const backend::ConvCall& call, const Tensor& x, const Tensor& w,
                const Tensor& y) {
  for (const Precision precision : precisions_to_try(call.precision)) {
    Factors factor(queue, precision);
    const bool f32 = factor_type(precision) == CUDNN_DATA_FLOAT;
    const Tensor& result = op == ConvOp::forward ? y : op == ConvOp::input_grad ? x : w;
    const ConvPlanKey key{queue.device,
                          op,
                          precision,
                          call.geometry,
                          f32 ? common_alignment({x.address(), w.address(), y.address()})
                              : common_alignment({result.address()}),  // copies are aligned
                          conv_settings()};
    const auto address = [&](const Tensor& t) { return &t == &result ? const_cast<void*>(t.address()) : factor(t); };
    if (library(queue.device).run(queue, key, [&] { return Operands{address(x), address(w), address(y)}; }))
      return true;
  }
  return false;
}

}  // namespace cudnn

inline void cudnn_conv_forward(const Queue& queue, const backend::ConvCall& call, const Tensor& x, const Tensor& w,
                               const Tensor& bias, Tensor& y) {
  if (!cudnn::run(queue, ConvOp::forward, call, x, w, y)) return direct_conv_forward<float>(queue, call, x, w, bias, y);
  run_bias_act<float>(queue, bias, call.act, call.slope, y);
}

inline void cudnn_conv_input_grad(const Queue& queue, const backend::ConvCall& call, const Tensor& gy, const Tensor& w,
                                  const Tensor& bias, Tensor& gx) {
  if (!cudnn::run(queue, ConvOp::input_grad, call, gx, w, gy)) {
    return direct_conv_input_grad<float>(queue, call, gy, w, bias, gx);
  }
  run_bias_act<float>(queue, bias, call.act, call.slope, gx);
}

inline void cudnn_conv_weight_grad(const Queue& queue, const backend::ConvCall& call, const Tensor& x, const Tensor& gy,
                                   Tensor& gw) {
  if (!cudnn::run(queue, ConvOp::weight_grad, call, x, gw, gy)) {
    direct_conv_weight_grad<float>(queue, call, x, gy, gw);
  }
}

}  // namespace synthdata::cuda
