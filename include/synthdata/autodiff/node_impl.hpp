// synthdata/autodiff/node_impl.hpp: life and death of nodes.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/autodiff/node.hpp>

#include <new>

namespace synthdata::detail {

// Freed nodes of up to 1 KiB are kept in lists by size, per thread. The pool itself needs no destructor and so outlives
// every thread-local and static object of its thread; when the thread ends, NodePoolDrain empties and closes it.
struct NodePool {
  static constexpr std::size_t step = 64, classes = 16;
  struct Free {
    Free* next;
  };
  Free* lists[classes] = {};
  std::uint64_t sequence = 0;
  std::int64_t live = 0;
  Node* dying = nullptr;  // head of the nodes waiting to be freed
  bool sweeping = false, closed = false;
};

struct NodePoolDrain {
  NodePool& pool;
  ~NodePoolDrain() {
    pool.closed = true;
    for (NodePool::Free*& head : pool.lists) {
      while (head) ::operator delete(std::exchange(head, head->next));
    }
  }
};

SYNTHDATA_INLINE NodePool& node_pool() {
  static thread_local NodePool pool;
  return pool;
}

SYNTHDATA_INLINE Node::Node(const char* op, bool is_leaf) : name(op), sequence(++node_pool().sequence), leaf(is_leaf) {
  node_pool().live += !is_leaf;
}
SYNTHDATA_INLINE Node::~Node() = default;

SYNTHDATA_INLINE std::int64_t Node::live() { return node_pool().live; }

SYNTHDATA_INLINE void* Node::operator new(std::size_t size) {
  const std::size_t index = (size + NodePool::step - 1) / NodePool::step;
  NodePool& pool = node_pool();
  if (index >= NodePool::classes) return ::operator new(size);
  if (NodePool::Free* head = pool.lists[index]) {
    pool.lists[index] = head->next;
    return head;
  }
  static thread_local NodePoolDrain drain{pool};
  static_cast<void>(drain);
  return ::operator new(index* NodePool::step);
}

// g++ sees that large nodes come from the system only after inlining, and then takes their way back for a mistake.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif
SYNTHDATA_INLINE void Node::operator delete(void* p, std::size_t size) noexcept {
  const std::size_t index = (size + NodePool::step - 1) / NodePool::step;
  NodePool& pool = node_pool();
  if (index >= NodePool::classes || pool.closed) return ::operator delete(p);
  pool.lists[index] = new (p) NodePool::Free{pool.lists[index]};
}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

SYNTHDATA_INLINE void destroy_node(Node* node) noexcept {
  NodePool& pool = node_pool();
  // A node's destructor drops its operands, which may call this again; they queue up instead of recursing, so a chain
  // of any length is freed in constant stack. The queue is linked through the traversal scratch.
  node->place = reinterpret_cast<std::int64_t>(pool.dying);
  pool.dying = node;
  if (pool.sweeping) return;
  pool.sweeping = true;
  while (pool.dying) {
    Node* next = pool.dying;
    pool.dying = reinterpret_cast<Node*>(next->place);
    pool.live -= !next->leaf;
    delete next;
  }
  pool.sweeping = false;
}

}  // namespace synthdata::detail
