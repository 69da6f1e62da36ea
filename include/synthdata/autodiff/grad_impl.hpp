// synthdata/autodiff/grad_impl.hpp: the traversal of the tape.
//
// Nodes between the output and the wanted leaves are collected, sorted by their sequence number, and run from the
// newest to the oldest. All scratch lives in one entry per node, so a rule may itself start a traversal.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/autodiff/grad.hpp>
#include <synthdata/backend/elementwise.hpp>
#include <synthdata/functor/binary.hpp>

#include <algorithm>

namespace synthdata {

namespace detail {
SYNTHDATA_INLINE bool& grad_mode() {
  static thread_local bool enabled = true;
  return enabled;
}
}  // namespace detail

SYNTHDATA_INLINE bool grad_enabled() { return detail::grad_mode(); }
SYNTHDATA_INLINE GradMode::GradMode(bool enabled) : before_(detail::grad_mode()) { detail::grad_mode() = enabled; }
SYNTHDATA_INLINE GradMode::~GradMode() { detail::grad_mode() = before_; }

Var add(const Var& a, const Var& b);  // ops/pointwise.hpp: sums gradients when they are recorded

class Traversal {
 public:
  struct Entry {
    detail::NodePtr node;
    std::uint64_t visit_before;  // the node's scratch, put back at the end
    std::int64_t place_before;
    bool target = false;  // its gradient is asked for
    bool runs = false;    // lies on a path to a target
    Var gradient = {};    // summed so far
    // For a listener.
    std::int64_t input = -1;      // which one a target is, among those asked for
    std::int64_t last_user = -1;  // the last to add to a target's gradient
  };

  Traversal(const Var& output, bool recorded) : recorded_(recorded), visit_(next_visit()) { collect(output); }
  ~Traversal() {
    for (const Entry& e : entries_) {
      e.node->visit = e.visit_before;
      e.node->place = e.place_before;
    }
  }
  Traversal(const Traversal&) = delete;
  Traversal& operator=(const Traversal&) = delete;

  /// The entry of a node, or null if the output does not depend on it.
  Entry* find(const detail::Node* node) {
    return node && node->visit == visit_ ? &entries_[static_cast<std::size_t>(node->place)] : nullptr;
  }
  bool wants(const detail::Node* node) {
    const Entry* e = find(node);
    return e && (e->target || e->runs);
  }
  std::vector<Entry>& entries() { return entries_; }

  void run(const Var& output, const GradOptions& options) {
    // Operands come before their users, so one pass finds every node from which a target can be reached.
    for (Entry& e : entries_) {
      for (std::int32_t i = 0; i < e.node->input_count && !e.runs; ++i) e.runs = wants(e.node->inputs[i].get());
    }
    Entry* last = find(output.node().get());
    if (!last || !wants(output.node().get())) return;
    const GradMode mode(recorded_);
    last->gradient =
        options.seed.defined() ? options.seed : Var(Tensor::ones(output.shape(), output.dtype(), output.device()));
    if (options.listener) find_last_users();
    for (std::size_t i = entries_.size(); i-- > 0;) {
      Entry& e = entries_[i];
      if (!e.runs) continue;
      if (e.gradient.defined()) {
        if (e.node->released) {
          throw Error(concat("grad: the graph behind '", e.node->name,
                             "' was freed by an earlier traversal; pass retain_graph there"));
        }
        const Var gradient = e.target ? e.gradient : std::move(e.gradient);
        Backward out(*this, *e.node.get());
        e.node->backward(gradient, out);
        if (!options.retain_graph && !options.create_graph) e.node->release();
      }
      if (options.listener) tell_of_inputs(*e.node.get(), static_cast<std::int64_t>(i), *options.listener);
    }
    if (options.listener && last->target && last->last_user < 0) {
      options.listener->complete(static_cast<std::size_t>(last->input), last->gradient);
    }
  }

  void accumulate(Entry& e, const Var& gradient) {
    if (!e.gradient.defined()) {
      e.gradient = gradient;
    } else if (recorded_) {
      e.gradient = add(e.gradient, gradient);
    } else if (e.gradient.value_.unique()) {
      backend::add_in_place(e.gradient.value_, gradient.value());
    } else {
      e.gradient = Var(backend::map("add", backend::detail::Sum2{}, e.gradient.value(), gradient.value()));
    }
  }

  bool recorded() const { return recorded_; }

 private:
  static std::uint64_t next_visit() {
    static thread_local std::uint64_t count = 0;
    return ++count;
  }

  /// Nodes run from the newest to the oldest, so the oldest user of a target is the last to add to its gradient.
  void find_last_users() {
    for (std::size_t i = entries_.size(); i-- > 0;) {
      const Entry& e = entries_[i];
      for (std::int32_t k = 0; e.runs && k < e.node->input_count; ++k) {
        if (Entry* operand = find(e.node->inputs[k].get())) operand->last_user = static_cast<std::int64_t>(i);
      }
    }
  }
  void tell_of_inputs(const detail::Node& node, std::int64_t place, GradListener& listener) {
    for (std::int32_t k = 0; k < node.input_count; ++k) {
      Entry* e = find(node.inputs[k].get());
      if (!e || !e->target || e->last_user != place) continue;
      e->last_user =
          static_cast<std::int64_t>(entries_.size());  // told of, though the node may have it as another operand too
      if (e->gradient.defined()) listener.complete(static_cast<std::size_t>(e->input), e->gradient);
    }
  }

  void collect(const Var& output) {
    if (!output.node()) return;
    std::vector<detail::Node*> stack{output.node().get()};
    while (!stack.empty()) {
      detail::Node* node = stack.back();
      stack.pop_back();
      if (node->visit == visit_) continue;
      entries_.push_back({detail::NodePtr(node), node->visit, node->place});
      node->visit = visit_;
      for (std::int32_t i = 0; i < node->input_count; ++i) {
        detail::Node* input = node->inputs[i].get();
        if (input && input->visit != visit_) stack.push_back(input);
      }
    }
    std::sort(entries_.begin(), entries_.end(),
              [](const Entry& a, const Entry& b) { return a.node->sequence < b.node->sequence; });
    for (std::size_t i = 0; i < entries_.size(); ++i) entries_[i].node->place = static_cast<std::int64_t>(i);
  }

  bool recorded_;
  std::uint64_t visit_;
  std::vector<Entry> entries_;
};

SYNTHDATA_INLINE bool Backward::needs(int i) const { return traversal_.wants(node_.inputs[i].get()); }

SYNTHDATA_INLINE void Backward::add(int i, const Var& gradient) {
  if (Traversal::Entry* e = traversal_.find(node_.inputs[i].get())) traversal_.accumulate(*e, gradient);
}

SYNTHDATA_INLINE Var Backward::output(const Tensor& y) const {
  return traversal_.recorded() ? Var(y, detail::NodePtr(&node_)) : Var(y);
}

namespace detail {
SYNTHDATA_INLINE void check_seed(const char* op, const Var& output, const Var& seed) {
  if (!seed.defined() && output.size() != 1) {
    throw ShapeError(concat(op, ": the output must be a scalar, or a seed be given; it is ", output.value().str()));
  }
  if (seed.defined() && !(seed.shape() == output.shape())) {
    throw_shape(op, "the seed must have the output's shape", {{"output", output.value()}, {"seed", seed.value()}});
  }
  if (seed.defined() && seed.dtype() != output.dtype()) {
    throw DTypeError(concat(op, ": the seed must have the output's dtype, ", output.dtype(), ", got ", seed.dtype()));
  }
}
}  // namespace detail

SYNTHDATA_INLINE std::vector<Var> grad(const Var& output, std::span<const Var> inputs, const GradOptions& options) {
  detail::check_seed("grad", output, options.seed);
  Traversal traversal(output, options.create_graph);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].requires_grad()) {
      throw Error(concat("grad: input ", i, " (", inputs[i].value().str(), ") is a constant; make it with leaf()"));
    }
    if (Traversal::Entry* e = traversal.find(inputs[i].node().get())) {
      e->target = true;
      e->input = static_cast<std::int64_t>(i);
    }
  }
  traversal.run(output, options);
  std::vector<Var> gradients;
  gradients.reserve(inputs.size());
  for (const Var& input : inputs) {
    const Traversal::Entry* e = traversal.find(input.node().get());
    gradients.push_back(e && e->gradient.defined() ? e->gradient
                                                   : Var(Tensor::zeros(input.shape(), input.dtype(), input.device())));
  }
  return gradients;
}

SYNTHDATA_INLINE std::vector<Var> grad(const Var& output, const std::vector<Var>& inputs, const GradOptions& options) {
  return grad(output, std::span<const Var>(inputs), options);
}
SYNTHDATA_INLINE Var grad(const Var& output, const Var& input, const GradOptions& options) {
  return grad(output, std::span<const Var>(&input, 1), options)[0];
}

SYNTHDATA_INLINE void backward(const Var& output, const GradOptions& options) {
  detail::check_seed("backward", output, options.seed);
  Traversal traversal(output, options.create_graph);
  for (Traversal::Entry& e : traversal.entries()) e.target = e.node->leaf;
  traversal.run(output, options);
  for (Traversal::Entry& e : traversal.entries()) {
    if (!e.target || !e.gradient.defined()) continue;
    Tensor& sum = static_cast<detail::LeafNode*>(e.node.get())->gradient;
    sum = sum.defined() ? backend::map("add", backend::detail::Sum2{}, sum, e.gradient.value()) : e.gradient.value();
  }
}

namespace detail {
SYNTHDATA_INLINE LeafNode& leaf_node(const char* op, const Var& x) {
  if (!x.node() || !x.node()->leaf) throw Error(concat(op, ": ", x.value().str(), " is not a leaf"));
  return *static_cast<LeafNode*>(x.node().get());
}
}  // namespace detail

SYNTHDATA_INLINE Tensor accumulated_grad(const Var& x) { return detail::leaf_node("accumulated_grad", x).gradient; }
SYNTHDATA_INLINE void clear_grad(const Var& x) { detail::leaf_node("clear_grad", x).gradient = Tensor(); }

}  // namespace synthdata
