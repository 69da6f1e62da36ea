// examples/minimal_gan.cpp: a GAN on your images in thirty lines.
//
//   ./minimal_gan [FOLDER OF MNIST-STYLE IDX FILES]
#include <synthdata/gan.hpp>

#include <cstdio>

namespace sd = synthdata;

int main(int argc, char** argv) try {
  // Images in [-1, 1], [N, H, W, 1]: your own, or the 8 x 8 digits that come with the library.
  const sd::TensorDataset images =
      argc > 1 ? sd::images_from_idx(argv[1]) : sd::read_digits(SYNTHDATA_EXAMPLE_DATA "/digits.csv.gz");
  const std::int64_t steps = argc > 1 ? 1000 : 1500;

  sd::Rng rng{1};
  const sd::models::DcganOptions nets{.height = images.sample_shape()[0], .width = images.sample_shape()[1]};
  sd::Generator generator{sd::models::dcgan_generator(nets, rng), sd::NormalLatent{nets.latent}};
  sd::Discriminator discriminator{sd::models::dcgan_discriminator(nets, rng)};

  // The trainer borrows both nets: they are the trained ones afterwards.
  sd::AdversarialTrainer trainer{generator, discriminator, sd::NonSaturating{}, {.learning_rate = 2e-4}};
  sd::Progress progress{steps};
  trainer.on_step([&](const sd::StepInfo& info) { progress(info); });
  trainer.fit(images, {.batch_size = 128, .steps = steps}, rng);
  progress.finish();

  const sd::Tensor samples = generator.sample(100, rng);
  sd::write_png("digits.png", sd::image_grid(sd::to_image_u8(samples), 10, {.scale = 3}));
  std::puts("100 new images: digits.png");
} catch (const sd::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
