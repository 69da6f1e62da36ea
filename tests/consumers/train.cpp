// tests/consumers/train.cpp: one of two translation units that both hold the whole library; see
// scripts/check-consumers.
//
// SPDX-License-Identifier: MIT
#include <synthdata/gan.hpp>

namespace sd = synthdata;

/// Samples of a small convolutional GAN after three steps with a gradient penalty, [16, 8, 8, 1].
sd::Tensor train(std::uint64_t seed) {
  sd::Rng rng{seed};
  const sd::TensorDataset images{sd::uniform({64, 8, 8, 1}, rng, sd::DType::f32, -1.0, 1.0)};
  const sd::models::DcganOptions nets{.height = 8, .width = 8, .filters = 8, .latent = 8};
  sd::Generator generator{sd::models::dcgan_generator(nets, rng), sd::NormalLatent{nets.latent}};
  sd::Discriminator critic{sd::models::dcgan_discriminator(nets, rng)};
  sd::AdversarialTrainer trainer{generator, critic, sd::Wasserstein{}, {.critic_steps = 2}};
  trainer.add(sd::GradientPenalty{});
  trainer.fit(images, {.batch_size = 16, .steps = 3}, rng);
  return generator.sample(16, rng);
}
