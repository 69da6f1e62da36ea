// synthdata/nn/module.hpp: what a module is, its parameters, and the context it runs in.
//
// A module is a value: copying a net copies its weights. It is called with a Var (and, if it needs randomness or the
// mode, a Context&) and lists its parameters, buffers and children once, in a static `visit`; saving, loading,
// counting, averaging and clipping follow from that list. A pointwise functor is a module without state.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/random.hpp>
#include <synthdata/functor/fused.hpp>
#include <synthdata/ops/pointwise.hpp>

#include <type_traits>

namespace synthdata {

enum class Mode : std::uint8_t { training, inference };

/// One line of a net's trace: a layer that ran and what it gave.
struct TraceEntry {
  std::string layer;
  Shape output;
  std::int64_t parameters = 0;
  std::int64_t output_bytes = 0;
};

class Communicator;

/// How a forward pass runs: mode and randomness are arguments, never hidden state.
struct Context {
  Mode mode = Mode::inference;
  Rng* rng = nullptr;                        ///< needed by dropout and the like in training
  std::vector<TraceEntry>* trace = nullptr;  ///< if set, Sequential notes every layer
  /// >= 0: the momentum of running statistics in place of the layers' own (see Generator::refresh_statistics).
  double statistics_momentum = -1.0;
  Communicator* communicator = nullptr;  ///< if set, batch norms in training use the statistics of all ranks' batches

  bool training() const { return mode == Mode::training; }
  /// The random numbers. @throws Error if the context has none, naming `layer`.
  Rng& random(const char* layer) const;
};

/// A trained tensor of a module. Copying copies the numbers.
class Param : public Var {
 public:
  Param() = default;
  explicit Param(const Tensor& value) : Var(leaf(value)) {}
  Param(const Param& other) : Var(other.defined() ? leaf(other.value().clone()) : Var()) {}
  Param(Param&&) noexcept = default;
  Param& operator=(Param other) noexcept {
    value_ = std::move(other.value_);
    node_ = std::move(other.node_);
    return *this;
  }
  ~Param() = default;

  /// New numbers of the same shape and dtype, brought to where the old ones are; the parameter stays the same leaf.
  /// @throws ShapeError, DTypeError
  void assign(const Tensor& value);
  /// Makes the parameter an expression, so that gradients flow through an update (unrolled GANs).
  void rebind(const Var& expression) { static_cast<Var&>(*this) = expression; }
  /// The numbers, to be updated in place; unshared first, so that recorded graphs keep what they saw.
  Tensor& mutable_value() {
    if (!value_.unique()) value_ = value_.clone();
    return value_;
  }
};

/// A tensor that a module keeps and saves but that is not trained, such as a running mean. Copying copies the numbers.
/// A training-mode forward pass may set it through a const module: such a pass belongs to one thread.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(Tensor value) : value_(std::move(value)) {}
  Buffer(const Buffer& other) : value_(other.value_.clone()) {}
  Buffer(Buffer&&) noexcept = default;
  Buffer& operator=(Buffer other) noexcept {
    value_ = std::move(other.value_);
    return *this;
  }
  ~Buffer() = default;

  const Tensor& value() const { return value_; }
  /// New numbers. On a GPU they are copied over the old ones where nothing else holds those: a captured training step
  /// finds them at the same address.
  void set(Tensor value) const {
    if (value_.unique() && !value_.device().is_cpu() && value_.device() == value.device() &&
        value_.shape() == value.shape()) {
      value_.copy_elements(value);
    } else {
      value_ = std::move(value);
    }
  }
  /// New numbers, brought to where the old ones are.
  void assign(const Tensor& value) const { value_ = value.to(value_.device()).clone(); }

 private:
  mutable Tensor value_;
};

/// Sees every parameter and buffer of a module with its path, "conv0.weight".
class StateVisitor {
 public:
  virtual ~StateVisitor() = default;
  virtual void parameter(const std::string& path, Param& p) = 0;
  virtual void buffer(const std::string& path, Buffer& b) = 0;
};

namespace detail {
struct AnyVisitor {
  template <class T>
  void operator()(const char*, T&) const {}
  template <class T>
  void operator()(const std::string&, T&) const {}
};
}  // namespace detail

/// Lists its state: `template <class Self, class V> static void visit(Self& self, V&& v) { v("weight", self.w_); }`.
template <class M>
concept ListsState = requires(M& m) { std::remove_const_t<M>::visit(m, detail::AnyVisitor{}); };

/// Can be called: m(x) or m(x, context), giving a Var.
template <class M>
concept CallableModule = requires(const M& m, const Var& x, Context& context) {
  { m(x, context) } -> std::convertible_to<Var>;
} || requires(const M& m, const Var& x) {
  { m(x) } -> std::convertible_to<Var>;
};

template <class M>
concept Module = Functor<M> || (ListsState<M> && CallableModule<M>);

/// Runs a module, with the context if it takes one.
template <Module M>
Var forward(const M& module, const Var& x, Context& context) {
  if constexpr (Functor<M>) {
    return pointwise(module, x);
  } else if constexpr (requires { module(x, context); }) {
    return module(x, context);
  } else {
    return module(x);
  }
}

namespace detail {

/// A module's kind, for names: its static member `kind`, else what it is.
template <class M>
constexpr std::string_view kind_of() {
  if constexpr (requires { std::string_view(M::kind); }) {
    return M::kind;
  } else if constexpr (Functor<M>) {
    return "activation";
  } else {
    return "layer";
  }
}

/// Adds a layer to a trace. The lines from `first` on are of layers inside it and get its name in front; they count
/// their own parameters, and if it only runs them one after the other (`container`), it has no line itself.
void note_layer(std::vector<TraceEntry>& trace, std::size_t first, const std::string& name, const Var& output,
                std::int64_t parameters, bool container);
/// True for a module whose static member `container` says that it only passes values through the modules inside.
template <class M>
constexpr bool is_container() {
  if constexpr (requires { M::container; }) {
    return M::container;
  } else {
    return false;
  }
}

template <class M>
void visit_state(M& module, const std::string& path, StateVisitor& visitor);

/// "outer.inner", or "inner" alone if there is no outer.
std::string joined(const std::string& outer, const std::string& inner);

/// Passes what a module's `visit` names on to a StateVisitor, with the path in front.
class PathVisitor {
 public:
  PathVisitor(const std::string& path, StateVisitor& visitor) : path_(path), visitor_(visitor) {}
  template <class T>
  void operator()(const std::string& name, T& member) const {
    visit_state(member, joined(path_, name), visitor_);
  }

 private:
  const std::string& path_;
  StateVisitor& visitor_;
};

template <class M>
void visit_state(M& module, const std::string& path, StateVisitor& visitor) {
  if constexpr (std::is_same_v<M, Param>) {
    if (module.defined()) visitor.parameter(path, module);
  } else if constexpr (std::is_same_v<M, Buffer>) {
    if (module.value().defined()) visitor.buffer(path, module);
  } else if constexpr (requires { module.visit_state(path, visitor); }) {
    module.visit_state(path, visitor);  // AnyModule: behind a virtual call
  } else if constexpr (ListsState<M>) {
    M::visit(module, PathVisitor(path, visitor));
  } else if constexpr (requires { module[0], module.size(); }) {
    for (std::size_t i = 0; i < module.size(); ++i) visit_state(module[i], concat(path, ".", i), visitor);
  } else {
    static_assert(Functor<M>, "a member named in visit() must be a Param, a Buffer, a module, or a list of modules");
  }
}

}  // namespace detail

/// Calls `visitor` for every parameter and buffer of the module.
template <class M>
void visit_state(M& module, StateVisitor& visitor) {
  detail::visit_state(module, std::string(), visitor);
}

/// A parameter with its path.
struct NamedParam {
  std::string path;
  Param* param;
};
struct NamedBuffer {
  std::string path;
  Buffer* buffer;
};
/// Pointers to all state of a module, valid as long as the module stays where it is.
struct ModuleState {
  std::vector<NamedParam> parameters;
  std::vector<NamedBuffer> buffers;
};

namespace detail {
class StateCollector final : public StateVisitor {
 public:
  SYNTHDATA_INLINE void parameter(const std::string& path, Param& p) override;
  SYNTHDATA_INLINE void buffer(const std::string& path, Buffer& b) override;
  ModuleState state;
};
std::vector<Var> variables(const ModuleState& state);
std::int64_t count_values(const ModuleState& state);
}  // namespace detail

template <class M>
ModuleState state_of(M& module) {
  detail::StateCollector collector;
  visit_state(module, collector);
  return std::move(collector.state);
}

/// The parameters as variables, to ask gradients for.
template <class M>
std::vector<Var> parameters(M& module) {
  return detail::variables(state_of(module));
}

/// Number of trained values.
template <class M>
std::int64_t parameter_count(M& module) {
  return detail::count_values(state_of(module));
}

/// Copies all parameters and buffers of `from` into `into`, which must have the same structure. @throws ShapeError
void copy_state(const ModuleState& from, const ModuleState& into);

/// Brings all parameters and buffers to a device; an optimiser is made afterwards.
void move_state(const ModuleState& state, Device device);
template <class M>
void move_to(M& module, Device device) {
  move_state(state_of(module), device);
}
/// Where a module computes: the device of its first parameter or buffer; the current one if it has none.
Device device_of(const ModuleState& state);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/nn/module_impl.hpp>
#endif
