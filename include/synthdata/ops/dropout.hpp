// synthdata/ops/dropout.hpp: dropout, alone or behind an activation.
//
// The mask is never stored: it is drawn again from the saved state of the generator, in the backward pass too. For a
// given mask dropout is linear and its own adjoint, so derivatives of every order exist.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/random.hpp>
#include <synthdata/ops/activation.hpp>

namespace synthdata {

/// Sets each element of activation(x) to 0 with probability `rate` and divides the others by 1 - rate; one pass over x
/// forward and one backward. Element i depends on the generator's state and i alone.
/// Source: Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15.
/// @param rate  in [0, 1), rounded to a multiple of 2^-16; 0 takes nothing from the generator
/// @throws NumericError for another rate.
Var dropout(const Var& x, double rate, Rng& rng, const Activation& activation = {});

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/ops/dropout_impl.hpp>
#endif
