// synthdata/models/dcgan.hpp: deep convolutional generator and discriminator for images of any size.
//
// Two resolutions are learnt by strides of 2, so height and width must be multiples of 4. At 28 x 28 and the default
// width these are the nets of TensorFlow's DCGAN tutorial: dense 100 to 7 x 7 x 256, 5 x 5 transposed convolutions
// 256-128-64-1 with strides 1, 2, 2; convolutions 64, 128 with stride 2. Source: Radford et al. 2016, arXiv:1511.06434.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/conv.hpp>
#include <synthdata/nn/dropout.hpp>
#include <synthdata/nn/linear.hpp>
#include <synthdata/nn/norm.hpp>
#include <synthdata/nn/sequential.hpp>
#include <synthdata/nn/shape.hpp>

namespace synthdata::models {

struct DcganOptions {
  std::int64_t height = 28, width = 28;  ///< multiples of 4
  std::int64_t channels = 1;
  std::int64_t filters = 64;  ///< of the layer next to the image; doubled towards the latent vector
  std::int64_t latent = 100;
  std::int64_t classes = 0;  ///< > 0: room for one-hot labels in both nets (see Generator, Discriminator)
  std::int64_t pack = 1;     ///< samples the discriminator sees together
  double negative_slope = 0.3;
  double dropout = 0.3;  ///< of the discriminator
  Initializer init = init::dcgan;
};

namespace detail {
inline void check_dcgan(const DcganOptions& o) {
  if (o.height < 4 || o.width < 4 || o.height % 4 != 0 || o.width % 4 != 0) {
    throw ShapeError(concat("dcgan: expects height and width to be multiples of 4, got ", o.height, " x ", o.width));
  }
}
}  // namespace detail

/// [N, latent + classes] -> [N, height, width, channels] in (-1, 1).
/// @throws ShapeError unless height and width are multiples of 4.
inline auto dcgan_generator(const DcganOptions& o, Rng& rng) {
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

/// [N, height, width, channels + classes] -> logits [N, 1].
/// @throws ShapeError unless height and width are multiples of 4.
inline auto dcgan_discriminator(const DcganOptions& o, Rng& rng) {
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
