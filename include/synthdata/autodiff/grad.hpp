// synthdata/autodiff/grad.hpp: gradients of a recorded computation.
//
// grad() returns gradients and touches nothing else; backward() adds them to the leaves. Rules are written in the
// library's own operations, so with create_graph a gradient is itself recorded and can be differentiated again.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/autodiff/var.hpp>

namespace synthdata {

/// Told of gradients while grad() makes others.
class GradListener {
 public:
  virtual ~GradListener() = default;
  /// The gradient of inputs[input] is complete. An input that the output does not depend on is not told of, one that
  /// was named twice by one of its places. Only record operations here if the gradient is recorded.
  virtual void complete(std::size_t input, const Var& gradient) = 0;
};

struct GradOptions {
  bool create_graph = false;         ///< record the gradient, to differentiate it again
  bool retain_graph = false;         ///< keep the graph for another traversal; implied by create_graph
  Var seed = {};                     ///< gradient of the output; 1 if undefined, which needs a scalar output
  GradListener* listener = nullptr;  ///< of grad(); backward() has none
};

/// d output / d input for each input. An input that the output does not depend on gets zeros.
/// Only what lies between the output and the inputs is computed.
/// @throws ShapeError if the output is not a scalar and no seed is given, or the seed's shape differs; DTypeError if
/// its dtype does.
/// @throws Error if an input carries no gradient, or part of the graph was freed by an earlier traversal.
std::vector<Var> grad(const Var& output, std::span<const Var> inputs, const GradOptions& options = {});
std::vector<Var> grad(const Var& output, const std::vector<Var>& inputs, const GradOptions& options = {});
Var grad(const Var& output, const Var& input, const GradOptions& options = {});

/// Adds d output / d leaf to every leaf the output depends on; read it with accumulated_grad().
void backward(const Var& output, const GradOptions& options = {});
/// The gradient a leaf has accumulated; undefined if none. @throws Error if x is not a leaf.
Tensor accumulated_grad(const Var& x);
void clear_grad(const Var& x);

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/autodiff/grad_impl.hpp>
#endif
