// synthdata/nn/residual.hpp: layers beside each other: sums and concatenations of branches.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/module.hpp>
#include <synthdata/ops/shape.hpp>

#include <tuple>

namespace synthdata {

/// x + body(x). Source: He et al. 2016, arXiv:1512.03385, eq. 1.   @throws ShapeError if body changes the shape.
template <Module Body>
class Residual {
 public:
  static constexpr const char* kind = "residual";

  explicit Residual(Body body) : body_(std::move(body)) {}

  Var operator()(const Var& x, Context& context) const {
    const Var y = forward(body_, x, context);
    if (!(y.shape() == x.shape())) {
      throw_shape("Residual", "the body must keep the shape", {{"input ", x.value()}, {"output", y.value()}});
    }
    return x + y;
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("body", self.body_);
  }

 private:
  Body body_;
};
template <class Body>
Residual(Body) -> Residual<Body>;

/// body(x) followed by x along the last axis: [..., C] -> [..., body's + C]. As in CTGAN's generator (Xu et al. 2019,
/// arXiv:1907.00503, section 4.4) and in U-nets.
template <Module Body>
class Skip {
 public:
  static constexpr const char* kind = "skip";

  explicit Skip(Body body) : body_(std::move(body)) {}

  Var operator()(const Var& x, Context& context) const { return concat({forward(body_, x, context), x}, -1); }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("body", self.body_);
  }

 private:
  Body body_;
};
template <class Body>
Skip(Body) -> Skip<Body>;

/// Runs every branch on the same input and joins their results along the last axis.
template <Module... Branches>
  requires(sizeof...(Branches) > 0)
class Parallel {
 public:
  static constexpr const char* kind = "parallel";

  explicit Parallel(Branches... branches) : branches_(std::move(branches)...) {}

  Var operator()(const Var& x, Context& context) const {
    return std::apply(
        [&](const Branches&... branch) {
          const std::vector<Var> parts{forward(branch, x, context)...};  // braces: evaluated left to right
          return concat(parts, -1);
        },
        branches_);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    visit_each(self, v, std::index_sequence_for<Branches...>{});
  }

 private:
  template <class Self, class Visitor, std::size_t... I>
  static void visit_each(Self& self, Visitor&& v, std::index_sequence<I...>) {
    (v(std::to_string(I), std::get<I>(self.branches_)), ...);
  }

  std::tuple<Branches...> branches_;
};
template <class... Branches>
Parallel(Branches...) -> Parallel<Branches...>;

}  // namespace synthdata
