// synthdata/autodiff/node.hpp: the nodes of the tape.
//
// A node stands for one recorded operation (or a leaf): it knows the nodes of its operands and the rule that turns the
// gradient of its output into gradients of its operands. Nodes come from a free list, number themselves in the order
// of recording, which is a topological order, and never own a Var of their own output. A graph belongs to one thread;
// leaves, which parameters are, may be held by several at once: forward passes without a tape run side by side.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/tensor.hpp>

#include <array>
#include <atomic>

namespace synthdata {

class Var;
class Backward;

namespace detail {

class Node;
/// Releases the last reference: frees the node and, without recursion, what only it kept alive.
void destroy_node(Node* node) noexcept;

/// Counted handle to a Node.
class NodePtr {
 public:
  NodePtr() = default;
  explicit NodePtr(Node* node);
  NodePtr(const NodePtr& other);
  NodePtr(NodePtr&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  NodePtr& operator=(NodePtr other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~NodePtr();
  Node* get() const { return node_; }
  Node* operator->() const { return node_; }
  explicit operator bool() const { return node_ != nullptr; }

 private:
  Node* node_ = nullptr;
};

class Node {
 public:
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// Adds to the gradients of the operands: out.add(i, ...) for each i with out.needs(i).
  virtual void backward(const Var& gradient, Backward& out) = 0;
  /// Drops what was saved for backward; the node cannot run again. It still knows its operands, so that a traversal can
  /// tell a freed way to a target from no way.
  virtual void release() noexcept = 0;

  /// Number of nodes of this thread's graphs that are alive, leaves excepted.
  static std::int64_t live();

  const char* name;           // of the operation, for messages
  std::uint64_t sequence;     // order of recording
  NodePtr* inputs = nullptr;  // null entries: operands without a gradient
  std::int32_t input_count = 0;
  const bool leaf;
  bool released = false;

  // Scratch of the traversal in progress: which one, and this node's place in it.
  std::uint64_t visit = 0;
  std::int64_t place = 0;

  static void* operator new(std::size_t size);
  static void operator delete(void* p, std::size_t size) noexcept;

 protected:
  Node(const char* op, bool is_leaf);
  virtual ~Node();

 private:
  friend class NodePtr;
  friend void destroy_node(Node*) noexcept;

  void acquire() {
    if (leaf)
      references_.fetch_add(1, std::memory_order_relaxed);
    else  // of one thread: no locked instruction
      references_.store(references_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  /// True where it was the last reference.
  bool drop() {
    if (leaf) return references_.fetch_sub(1, std::memory_order_acq_rel) == 1;
    const std::int64_t left = references_.load(std::memory_order_relaxed) - 1;
    references_.store(left, std::memory_order_relaxed);
    return left == 0;
  }

  std::atomic<std::int64_t> references_ = 0;
};

inline NodePtr::NodePtr(Node* node) : node_(node) {
  if (node_) node_->acquire();
}
inline NodePtr::NodePtr(const NodePtr& other) : node_(other.node_) {
  if (node_) node_->acquire();
}
inline NodePtr::~NodePtr() {
  if (node_ && node_->drop()) destroy_node(node_);
}

/// The node of a variable that gradients are asked for; holds what backward() accumulated.
class LeafNode final : public Node {
 public:
  LeafNode() : Node("leaf", true) {}
  void backward(const Var&, Backward&) override {}
  void release() noexcept override {}
  Tensor gradient;
};

/// A node with N operands whose rule is a callable (const Var& gradient, Backward& out).
template <std::size_t N, class Rule>
class RuleNode final : public Node {
 public:
  RuleNode(const char* op, std::array<NodePtr, N> operands, Rule rule)
      : Node(op, false), operands_(std::move(operands)), rule_(std::move(rule)) {
    inputs = operands_.data();
    input_count = static_cast<std::int32_t>(N);
  }
  ~RuleNode() override {
    if (!released) rule_.~Rule();
  }
  void backward(const Var& gradient, Backward& out) override { rule_(gradient, out); }
  void release() noexcept override {
    if (released) return;
    rule_.~Rule();
    released = true;
  }

 private:
  std::array<NodePtr, N> operands_;
  union {  // destroyed early by release()
    Rule rule_;
  };
};

/// The same with any number of operands.
template <class Rule>
class ListNode final : public Node {
 public:
  ListNode(const char* op, std::vector<NodePtr> operands, Rule rule)
      : Node(op, false), operands_(std::move(operands)), rule_(std::move(rule)) {
    inputs = operands_.data();
    input_count = static_cast<std::int32_t>(operands_.size());
  }
  ~ListNode() override {
    if (!released) rule_.~Rule();
  }
  void backward(const Var& gradient, Backward& out) override { rule_(gradient, out); }
  void release() noexcept override {
    if (released) return;
    rule_.~Rule();
    released = true;
  }

 private:
  std::vector<NodePtr> operands_;
  union {
    Rule rule_;
  };
};

}  // namespace detail
}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/autodiff/node_impl.hpp>
#endif
