// synthdata/backend/cpu/conv.hpp: convolution on raw pointers and its two adjoints, one to three dimensions.
//
// x is [N, D, H, W, C], w [K, kD, kH, kW, C / groups], y [N, oD, oH, oW, K], all contiguous; one and two dimensions use
// leading extents of 1. All three are sums over taps, y[o] += w[t] x[o stride - pad + t dilation], computed from packed
// copies of the rows in reach: no im2col matrix is built and no tap that falls into the padding is multiplied, except
// to fill up a tile.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/conv_geometry.hpp>
#include <synthdata/backend/cpu/gemm.hpp>

namespace synthdata::backend::cpu {

/// y = act([y +] x * w + bias), bias [K].
void conv_forward(const ConvGeometry& g, const float* x, const float* w, float* y, const Epilogue<float>& e = {},
                  Precision precision = Precision::f32);
void conv_forward(const ConvGeometry& g, const double* x, const double* w, double* y, const Epilogue<double>& e = {},
                  Precision precision = Precision::f32);

/// gx = act([gx +] the adjoint of conv_forward in x applied to gy + bias), bias [C]: also the transposed convolution.
void conv_input_grad(const ConvGeometry& g, const float* gy, const float* w, float* gx, const Epilogue<float>& e = {},
                     Precision precision = Precision::f32);
void conv_input_grad(const ConvGeometry& g, const double* gy, const double* w, double* gx,
                     const Epilogue<double>& e = {}, Precision precision = Precision::f32);

/// gw = the adjoint of conv_forward in w applied to gy.
void conv_weight_grad(const ConvGeometry& g, const float* x, const float* gy, float* gw,
                      Precision precision = Precision::f32);
void conv_weight_grad(const ConvGeometry& g, const double* x, const double* gy, double* gw,
                      Precision precision = Precision::f32);

}  // namespace synthdata::backend::cpu

#if SYNTHDATA_CPU_BODIES
#include <synthdata/backend/cpu/conv_impl.hpp>
#endif
