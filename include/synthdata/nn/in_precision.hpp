// synthdata/nn/in_precision.hpp: a module whose products have a precision of their own.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/precision.hpp>
#include <synthdata/nn/module.hpp>

namespace synthdata {

/// Runs `body` with products of this precision, gradients included; see core/precision.hpp. Its weights stay f32.
template <Module Body>
class InPrecision {
 public:
  static constexpr const char* kind = "in_precision";

  InPrecision(Precision precision, Body body) : precision_(precision), body_(std::move(body)) {}

  Var operator()(const Var& x, Context& context) const {
    const ProductPrecision guard(precision_);
    return forward(body_, x, context);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("body", self.body_);
  }

 private:
  Precision precision_;
  Body body_;
};
template <class Body>
InPrecision(Precision, Body) -> InPrecision<Body>;

}  // namespace synthdata
