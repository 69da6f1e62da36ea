// synthdata/models/dcgan_impl.hpp: bodies of models/dcgan.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/models/dcgan.hpp>
#include <synthdata/nn/conv.hpp>
#include <synthdata/nn/dropout.hpp>
#include <synthdata/nn/linear.hpp>
#include <synthdata/nn/norm.hpp>
#include <synthdata/nn/sequential.hpp>
#include <synthdata/nn/shape.hpp>

namespace synthdata::models {

namespace detail {
SYNTHDATA_INLINE void check_dcgan(const DcganOptions& o) {
  if (o.height < 4 || o.width < 4 || o.height % 4 != 0 || o.width % 4 != 0) {
    throw ShapeError(concat("dcgan: expects height and width to be multiples of 4, got ", o.height, " x ", o.width));
  }
}
}  // namespace detail

SYNTHDATA_INLINE AnyModule dcgan_generator(const DcganOptions& o, Rng& rng) {
  detail::check_dcgan(o);
  const std::int64_t h = o.height / 4, w = o.width / 4, f = o.filters;
  const BatchNormOptions norm{.momentum = 0.01, .epsilon = 1e-3};
  const LeakyRelu leaky{o.negative_slope};
  return Sequential{Linear(o.latent + o.classes, h * w * 4 * f, rng, {.bias = false, .init = o.init}),
                    BatchNorm(h * w * 4 * f, norm),
                    leaky,
                    Reshape{h, w, 4 * f},
                    ConvTranspose2d(4 * f, 2 * f, 5, rng, {.padding = 2, .bias = false, .init = o.init}),
                    BatchNorm(2 * f, norm),
                    leaky,
                    ConvTranspose2d(2 * f, f, 5, rng,
                                    {.stride = 2, .padding = 2, .output_padding = 1, .bias = false, .init = o.init}),
                    BatchNorm(f, norm),
                    leaky,
                    ConvTranspose2d(f, o.channels, 5, rng,
                                    {.stride = 2, .padding = 2, .output_padding = 1, .bias = false, .init = o.init}),
                    Tanh{}};
}

SYNTHDATA_INLINE AnyModule dcgan_discriminator(const DcganOptions& o, Rng& rng) {
  detail::check_dcgan(o);
  const ConvLayerOptions conv{.stride = 2, .padding = 2, .init = o.init, .bias_init = init::zeros};
  const LeakyRelu leaky{o.negative_slope};
  return Sequential{
      Conv2d((o.channels + o.classes) * o.pack, o.filters, 5, rng, conv),
      leaky,
      Dropout(o.dropout),
      Conv2d(o.filters, 2 * o.filters, 5, rng, conv),
      leaky,
      Dropout(o.dropout),
      Flatten{},
      Linear(o.height / 4 * (o.width / 4) * 2 * o.filters, 1, rng, {.init = o.init, .bias_init = init::zeros})};
}

}  // namespace synthdata::models
