// synthdata/cuda_install.cuh: makes kernels of functors and update rules for GPUs.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cuda/map.cuh>
#include <synthdata/backend/cuda/update.cuh>
#include <synthdata/functor/fused.hpp>
#include <synthdata/optim/rule.hpp>

#include <utility>

namespace synthdata::cuda {

/// Kernels of a pointwise functor (functor/unary.hpp): its value and, where it reads a saved tensor, its slope.
template <Functor F>
void install() {
  install_map<synthdata::detail::ValueOf<F>, 1>();
  if constexpr (F::keep != Keep::none) install_map<synthdata::detail::SlopeTimes<F>, 2>();
}
template <Functor... F>
void install_all() {
  (install<F>(), ...);
}
/// Kernels of functors of two operands (functor/binary.hpp).
template <class... F>
void install_binary() {
  (install_map<synthdata::detail::BinaryValueOf<F>, 2, Broadcast::yes>(), ...);
}
/// The kernel of an update rule (optim/rule.hpp).
template <class R>
void install_rule() {
  install_update<std::remove_cvref_t<decltype(std::declval<const R&>().at(StepNumbers{}))>>();
}

/// Everything the library itself uses.
inline void install_library() {
  install_all<Neg, Affine, Square, Reciprocal, Exp, Log, Log1p, Expm1, Sqrt, Rsqrt, PowScalar, Sign, Abs, Clamp, Sin,
              Cos, Erf, Round, Relu, LeakyRelu, Elu, Selu, Sigmoid, Tanh, Softplus, Silu, Gelu>();
  install_binary<Add, Sub, Mul, Div, Pow, Maximum, Minimum, Greater, GreaterEqual, Less, LessEqual, Equal, NotEqual,
                 synthdata::detail::SquaredError, synthdata::detail::AbsoluteError,
                 synthdata::detail::BinaryCrossEntropy>();
  install_map<synthdata::detail::WhereValue, 3, Broadcast::yes>();
  install_map<synthdata::detail::GumbelOf, 1>();
  install_map<synthdata::detail::FiniteOrZero, 1>();
  install_map<synthdata::detail::Towards, 2>();
  install_map<backend::detail::Sum2, 2>();
  install_map<backend::detail::Scaled, 1>();
  install_map<backend::detail::Identity, 1, Broadcast::yes>();
  install_rule<Sgd>();
  install_rule<RmsProp>();
  install_rule<Adam>();
}

}  // namespace synthdata::cuda
