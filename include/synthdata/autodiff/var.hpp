// synthdata/autodiff/var.hpp: Var, a tensor that remembers how it was made; and how operations record themselves.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/autodiff/node.hpp>

#include <concepts>

namespace synthdata {

class Traversal;

/// A value in a computation: a tensor and, if gradients are wanted through it, its place in the graph.
/// Copying is cheap and shares both. A Tensor converts to a constant Var.
class Var {
 public:
  Var() = default;
  Var(Tensor value) : value_(std::move(value)) {}  // NOLINT: a tensor is a constant
  /// A number, kept on the CPU. It takes the dtype and the device of the operand it meets.
  template <class T>
    requires std::integral<T> || std::floating_point<T>
  explicit Var(T value) : value_(Tensor::scalar(static_cast<double>(value), DType::f64, Device::cpu())) {}
  Var(Tensor value, detail::NodePtr node) : value_(std::move(value)), node_(std::move(node)) {}

  const Tensor& value() const { return value_; }
  const detail::NodePtr& node() const { return node_; }
  bool defined() const { return value_.defined(); }
  /// True if a gradient can flow back through this variable.
  bool requires_grad() const { return static_cast<bool>(node_); }

  const Shape& shape() const { return value_.shape(); }
  std::int64_t shape(int axis) const { return value_.shape(axis); }
  int rank() const { return value_.rank(); }
  std::int64_t size() const { return value_.size(); }
  DType dtype() const { return value_.dtype(); }
  Device device() const { return value_.device(); }
  double item() const { return value_.item(); }

  /// The same value, cut off from the graph.
  Var detach() const { return Var(value_); }

 protected:
  friend class Traversal;
  Tensor value_;
  detail::NodePtr node_;
};

/// A new variable of the same value that gradients can be asked for; the graph behind x is cut off.
inline Var leaf(const Var& x) { return Var(x.value(), detail::NodePtr(new detail::LeafNode)); }

/// True while operations on this thread record themselves.
bool grad_enabled();

/// While alive, operations on this thread record nothing (or, with `true`, record again).
class GradMode {
 public:
  explicit GradMode(bool enabled);
  ~GradMode();
  GradMode(const GradMode&) = delete;
  GradMode& operator=(const GradMode&) = delete;

 private:
  bool before_;
};
class NoGrad : public GradMode {
 public:
  NoGrad() : GradMode(false) {}
};

/// What a rule hands its operands' gradients to.
class Backward {
 public:
  /// True if the gradient of operand i is wanted in this traversal.
  bool needs(int i) const;
  /// Adds to the gradient of operand i, which must have its shape. Call only if needs(i).
  void add(int i, const Var& gradient);
  /// The node's own output as a variable: `y` with its place in the graph, when the gradient is itself recorded.
  Var output(const Tensor& y) const;

 private:
  friend class Traversal;
  Backward(Traversal& traversal, detail::Node& node) : traversal_(traversal), node_(node) {}
  Traversal& traversal_;
  detail::Node& node_;
};

namespace detail {

template <class... Vars>
bool recording(const Vars&... x) {
  return (... || x.requires_grad()) && grad_enabled();
}

/// The result y of an operation on x...; when one of them carries a gradient, with a node whose rule is
/// `rule(const Var& gradient, Backward& out)`. A rule captures Vars of its operands, Tensors of its results.
template <class Rule, class... Vars>
Var record(const char* op, Tensor y, Rule rule, const Vars&... x) {
  if (!recording(x...)) return Var(std::move(y));
  using N = RuleNode<sizeof...(Vars), Rule>;
  return Var(std::move(y), NodePtr(new N(op, std::array<NodePtr, sizeof...(Vars)>{x.node()...}, std::move(rule))));
}

/// The nodes of x, or nothing if no operation on x is to be recorded.
std::vector<NodePtr> recorded_nodes(const std::vector<Var>& x);
template <class Rule>
Var record_list(const char* op, Tensor y, Rule rule, const std::vector<Var>& x) {
  std::vector<NodePtr> operands = recorded_nodes(x);
  if (operands.empty()) return Var(std::move(y));
  return Var(std::move(y), NodePtr(new ListNode<Rule>(op, std::move(operands), std::move(rule))));
}

/// A linear operation on x whose adjoint is `adjoint(const Var& gradient) -> Var`.
template <class Adjoint>
Var linear_op(const char* op, Tensor y, const Var& x, Adjoint adjoint) {
  return record(
      op, std::move(y), [adjoint](const Var& g, Backward& out) { out.add(0, adjoint(g)); }, x);
}

}  // namespace detail
}  // namespace synthdata

#include <synthdata/autodiff/grad.hpp>

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/autodiff/var_impl.hpp>
#endif
