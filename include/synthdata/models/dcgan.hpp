// synthdata/models/dcgan.hpp: deep convolutional generator and discriminator for images of any size.
//
// Two resolutions are learnt by strides of 2, so height and width must be multiples of 4. At 28 x 28 and the default
// width these are the nets of TensorFlow's DCGAN tutorial: dense 100 to 7 x 7 x 256, 5 x 5 transposed convolutions
// 256-128-64-1 with strides 1, 2, 2; convolutions 64, 128 with stride 2. Source: Radford et al. 2016, arXiv:1511.06434.
// Both come as an AnyModule: the net is fused and compiled with the library, and a program that uses it compiles fast.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/any_module.hpp>
#include <synthdata/nn/init.hpp>

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

/// [N, latent + classes] -> [N, height, width, channels] in (-1, 1).
/// @throws ShapeError unless height and width are multiples of 4.
AnyModule dcgan_generator(const DcganOptions& options, Rng& rng);

/// [N, height, width, channels + classes] -> logits [N, 1].
/// @throws ShapeError unless height and width are multiples of 4.
AnyModule dcgan_discriminator(const DcganOptions& options, Rng& rng);

}  // namespace synthdata::models

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/models/dcgan_impl.hpp>
#endif
