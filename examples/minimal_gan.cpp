// examples/minimal_gan.cpp: a GAN in thirty lines, trained on the 8 x 8 digits that come with the library.
//
//   ./minimal_gan          less than a minute on two cores
//   ./minimal_gan cuda     on a GPU, if the program was built with it
#include <synthdata/gan.hpp>

#include <cstdio>

namespace sd = synthdata;

int main(int argc, char** argv) try {
  const sd::OnDevice there(sd::device(argc > 1 ? argv[1] : "cpu"));  // where nets are made, and so learn
  // Images in [-1, 1], [N, H, W, C]. Yours may come from sd::images_from_idx(folder) or any type that is a Dataset.
  const sd::TensorDataset images = sd::read_digits(SYNTHDATA_EXAMPLE_DATA "/digits.csv.gz");
  const std::int64_t steps = 2000;

  sd::Rng rng{1};
  const sd::models::DcganOptions nets{
      .height = 8, .width = 8, .pack = 2, .init = sd::init::glorot_uniform};  // packed: judged in pairs
  sd::Generator generator{sd::models::dcgan_generator(nets, rng), sd::NormalLatent{nets.latent}};
  sd::Discriminator discriminator{sd::models::dcgan_discriminator(nets, rng), {.pack = nets.pack}};

  // The trainer borrows both nets: they are the trained ones afterwards.
  sd::AdversarialTrainer trainer{generator, discriminator, sd::NonSaturating{}, {.learning_rate = 1e-3}};
  sd::Progress progress{steps};
  trainer.on_step([&](const sd::StepInfo& info) { progress(info); });
  trainer.fit(images, {.batch_size = 128, .steps = steps}, rng);
  progress.finish();

  generator.refresh_statistics(rng);
  const sd::Tensor samples = generator.sample(100, rng);
  sd::write_png("digits.png", sd::image_grid(sd::to_image_u8(samples), 10, {.scale = 3}));
  std::puts("100 new images: digits.png");
} catch (const sd::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
