// examples/augment_images.cpp: makes a larger folder of images from a small one, and a picture that shows how.
//
//   augment_images                            a hundred of the digits shipped with the library, ten new ones of each
//   augment_images --in DIR --times 20        PNG and JPEG files; the sub-folder is the class
//   augment_images --in DIR --policy FILE     with a policy of your own: edit the policy.json of an earlier run
#include <synthdata/core/parallel.hpp>
#include <synthdata/data/adaptors.hpp>
#include <synthdata/data/augment/color.hpp>
#include <synthdata/data/augment/filter.hpp>
#include <synthdata/data/augment/geometry.hpp>
#include <synthdata/data/augment/policy.hpp>
#include <synthdata/data/digits.hpp>
#include <synthdata/data/image_folder.hpp>
#include <synthdata/io/file.hpp>
#include <synthdata/io/png.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>

namespace sd = synthdata;

namespace {

struct Options {
  std::string in, out = "runs/augment_images", policy;
  std::int64_t times = 10, size = 64;
  std::uint64_t seed = 1;
  int threads = 0;
};

/// Where images come from: u8 [H, W, 3], and the name each goes by, "class/name".
struct Source {
  std::int64_t count;
  std::function<sd::Tensor(std::int64_t)> image;
  std::function<std::string(std::int64_t)> name;
};

/// An 8 x 8 digit in [0, 1] as a clear picture of 64 x 64 on black, in a colour of its own for each digit.
sd::Tensor drawn(const sd::Tensor& digit, std::int64_t label) {
  const sd::Tensor grey = sd::image::pad(sd::image::resize(digit, 50, 50), 7, 7);
  sd::Tensor rgb = sd::Tensor::empty({64, 64, 3});
  const float ink[] = {1.0f, 0.45f, 0.2f};
  for (std::int64_t i = 0; i < rgb.size(); ++i) {
    const float value = 2.5f * (grey.data<float>()[i / 3] - 0.35f);
    rgb.data<float>()[i] = std::clamp(value, 0.0f, 1.0f) * ink[i % 3];
  }
  return sd::to_image_u8(sd::image::hue(rgb, static_cast<float>(label) / 10.0f, {0, 1}), 0, 1);
}

Source digits() {
  const sd::TensorDataset data = sd::read_digits(SYNTHDATA_EXAMPLE_DATA "/digits.csv.gz").scaled({0, 1});
  const auto label = [data](std::int64_t i) { return data.labels().data<std::int64_t>()[i]; };
  return {100,
          [=](std::int64_t i) {
            sd::Rng unused;
            return drawn(data.get(i, unused).data, label(i));
          },
          [=](std::int64_t i) { return sd::concat(label(i), sd::numbered("/digit", i, "")); }};
}

Source folder(const std::string& path) {
  const sd::ImageFolder data(path);
  return {data.size(),
          [=](std::int64_t i) {
            sd::Rng unused;
            return data.get(i, unused).data;
          },
          [=](std::int64_t i) {
            const std::string& file = data.path(i);
            const std::size_t slash = file.rfind('/') + 1;
            const std::string name = sd::concat(file.substr(slash, file.rfind('.') - slash), sd::numbered("", i, ""));
            return data.label(i) < 0 ? name : data.classes()[static_cast<std::size_t>(data.label(i))] + "/" + name;
          }};
}

/// Mild changes, each of which leaves a digit or a photograph what it is. (A flip would not: it makes new letters.)
sd::Augmentation default_policy() {
  using namespace sd::random;
  return Sequence{
      {{Affine{.degrees = {-12, 12}, .scale = {0.85f, 1.15f}, .shear = {-8, 8}}, 0.9f},
       {Elastic{.amplitude = {0.5f, 1.5f}, .sigma = 5}, 0.4f},
       {Perspective{.distortion = 0.25f}, 0.3f},
       Brightness{.amount = {-0.1f, 0.1f}},
       Contrast{.factor = {0.8f, 1.3f}},
       {Hue{.turn = {-0.08f, 0.08f}}, 0.5f},
       {Choice{{Blur{.sigma = {0.3f, 1.2f}}, Noise{.std = {0.01f, 0.08f}}, Cutout{.size = {0.15f, 0.3f}}}}, 0.6f}}};
}

/// One augmentation for each row of the picture of all.
std::vector<sd::Augmentation> gallery() {
  using namespace sd::random;
  return {Flip{.left_right = 0.5f, .top_bottom = 0.5f},
          ResizedCrop{},
          Rotate{.degrees = {-45, 45}},
          Affine{.shear = {-20, 20}},
          Perspective{.distortion = 0.6f},
          Elastic{.amplitude = {1, 3}, .sigma = 5},
          Brightness{.amount = {-0.4f, 0.4f}},
          Contrast{.factor = {0.3f, 2}},
          Saturation{.factor = {0, 2}},
          Hue{.turn = {-0.5f, 0.5f}},
          Gamma{.exponent = {0.4f, 2.5f}},
          Blur{.sigma = {0.5f, 4}},
          Noise{.std = {0.05f, 0.25f}},
          Cutout{},
          RandAugment{.magnitude = 0.5f}};
}

/// Rows of an image followed by what an augmentation made of it.
class Sheet {
 public:
  explicit Sheet(std::int64_t size) : size_(size) {}
  void add(const sd::Tensor& image) {
    const sd::Tensor fitted = sd::image::resize(image, size_, size_);
    pixels_.insert(pixels_.end(), fitted.data<std::uint8_t>(), fitted.data<std::uint8_t>() + fitted.size());
  }
  void write(const std::string& path, std::int64_t columns) const {
    const auto count = static_cast<std::int64_t>(pixels_.size()) / (size_ * size_ * 3);
    sd::write_png(path, sd::image_grid(sd::Tensor::from(pixels_, {count, size_, size_, 3}), columns));
  }

 private:
  std::int64_t size_;
  std::vector<std::uint8_t> pixels_;
};

int run(const Options& o) {
  if (o.threads > 0) sd::set_threads(o.threads);
  const Source source = o.in.empty() ? digits() : folder(o.in);
  const sd::Augmentation policy = o.policy.empty() ? default_policy() : sd::load_augmentation(o.policy);
  const sd::Rng rng{o.seed};
  std::printf("%lld images from %s, %lld new ones of each with seed %llu and %d threads\npolicy: %s\n",
              static_cast<long long>(source.count), o.in.empty() ? "the digits of the library" : o.in.c_str(),
              static_cast<long long>(o.times), static_cast<unsigned long long>(o.seed), sd::threads(),
              policy.str().c_str());
  const auto start = std::chrono::steady_clock::now();
  std::atomic<std::int64_t> done{0};
  sd::parallel_for(source.count, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const sd::Tensor image = source.image(i);
      const std::string name = o.out + "/images/" + source.name(i);
      sd::write_png(name + ".png", image);
      for (std::int64_t k = 0; k < o.times; ++k) {
        sd::Rng own = rng.split(static_cast<std::uint64_t>(i)).split(static_cast<std::uint64_t>(k));
        sd::write_png(sd::concat(name, "_", k + 1, ".png"), policy(image, own));
      }
      const std::int64_t now = ++done;
      if (now % std::max<std::int64_t>(1, source.count / 20) == 0 || now == source.count) {
        std::fprintf(stderr, "\r%lld of %lld images", static_cast<long long>(now),
                     static_cast<long long>(source.count));
      }
    }
  });
  std::fprintf(stderr, "\n");

  constexpr std::int64_t columns = 12;
  Sheet sheet(o.size), all(o.size);
  const auto row = [&](Sheet& to, const sd::Augmentation& augmentation, std::int64_t i) {
    const sd::Tensor image = source.image(i);
    to.add(image);
    for (std::uint64_t k = 0; k + 1 < columns; ++k) {
      sd::Rng own = rng.split(static_cast<std::uint64_t>(i)).split(k);
      to.add(augmentation(image, own));
    }
  };
  const std::int64_t rows = std::min<std::int64_t>(10, source.count);
  for (std::int64_t r = 0; r < rows; ++r) row(sheet, policy, o.in.empty() ? r : r * source.count / rows);
  sheet.write(o.out + "/contact_sheet.png", columns);
  const auto each = gallery();
  std::printf("rows of %s/each.png:", o.out.c_str());
  for (std::size_t r = 0; r < each.size(); ++r) {
    std::printf(" %s", each[r].name());
    row(all, each[r], static_cast<std::int64_t>(r + 4) % source.count);
  }
  all.write(o.out + "/each.png", columns);
  sd::save_augmentation(o.out + "/policy.json", policy);
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  std::printf(
      "\n%lld images in %s/images after %.1f s; an original and what became of it in each row of %s/contact_sheet.png;"
      " the policy in %s/policy.json\n",
      static_cast<long long>(source.count * (o.times + 1)), o.out.c_str(), spent.count(), o.out.c_str(), o.out.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app("Makes a larger folder of images from a small one.");
  app.add_option("--in", o.in, "folder of .png, .jpg and .jpeg files, sub-folders are classes; without it digits");
  app.add_option("--out", o.out, "folder for everything that is written")->capture_default_str();
  app.add_option("--policy", o.policy, "JSON file of augmentations, such as policy.json of an earlier run");
  app.add_option("--times", o.times, "new images of each")->capture_default_str()->check(CLI::Range(0, 100000));
  app.add_option("--size", o.size, "pixels of an image on the contact sheets")
      ->capture_default_str()
      ->check(CLI::Range(8, 512));
  app.add_option("--seed", o.seed, "the same seed makes the same images")->capture_default_str();
  app.add_option("--threads", o.threads, "threads; 0 for all processors")
      ->capture_default_str()
      ->check(CLI::Range(0, 4096));
  CLI11_PARSE(app, argc, argv);
  try {
    return run(o);
  } catch (const sd::Error& error) {
    std::fprintf(stderr, "augment_images: %s\n", error.what());
    return 1;
  }
}
