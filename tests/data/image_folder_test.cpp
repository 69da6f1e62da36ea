// tests/data/image_folder_test.cpp: folders of images as data sets, and CIFAR-10's binary files.
//
// SPDX-License-Identifier: MIT
#include <synthdata/data/adaptors.hpp>
#include <synthdata/data/cifar.hpp>
#include <synthdata/data/image_folder.hpp>
#include <synthdata/data/loader.hpp>
#include <synthdata/io/file.hpp>
#include <synthdata/io/png.hpp>

#include "../io/files.hpp"
#include "../test.hpp"

using namespace synthdata;
using test::data_error, test::has;

namespace {

Tensor pixel(int value) { return Tensor::full({2, 3, 1}, value, DType::u8); }

TEST_CASE("an image folder has a class for each sub-folder, in the order of names") {
  const test::Scratch scratch;
  write_png(scratch / "dog/b.png", pixel(3));
  write_png(scratch / "dog/a.png", pixel(2));
  write_png(scratch / "dog/more/c.png", pixel(4));
  write_png(scratch / "cat/z.PNG", pixel(1));
  test::spit(scratch / "cat/notes.txt", "no image");
  make_folders(scratch / "empty");
  const ImageFolder folder(scratch.str(), {});
  CHECK(folder.classes() == std::vector<std::string>{"cat", "dog"});
  REQUIRE(folder.size() == 4);
  Rng rng;
  for (std::int64_t i = 0; i < 4; ++i) {
    const Sample sample = folder.get(i, rng);
    CHECK(sample.data.shape() == Shape{2, 3, 1});
    CHECK(sample.data.data<std::uint8_t>()[0] == i + 1);
    CHECK(sample.label == (i == 0 ? 0 : 1));
  }
  DataLoader loader(ImageFolder(scratch.str()), {.batch_size = 4});
  CHECK(loader.next().data.shape() == Shape{4, 2, 3, 3});  // RGB unless asked otherwise
  CHECK(has(data_error([&] { folder.get(4, rng); }), "sample 4 is out of range"));
}

TEST_CASE("an image folder does not follow links and says what is wrong with a folder") {
  const test::Scratch outside, scratch;
  write_png(outside / "secret.png", pixel(9));
  write_png(scratch / "a/1.png", pixel(1));
  std::filesystem::create_symlink(outside / "secret.png", scratch / "a/2.png");
  std::filesystem::create_directory_symlink(outside.str(), scratch / "b");
  std::filesystem::create_directory_symlink(scratch.str(), scratch / "a/loop");
  CHECK(ImageFolder(scratch.str()).size() == 1);
  write_png(scratch / "top.png", pixel(1));
  CHECK(has(data_error([&] { ImageFolder(scratch.str()); }), "files or one folder for each class"));
  CHECK(has(data_error([&] { ImageFolder(scratch / "none"); }), "cannot open folder"));
  make_folders(scratch / "bare");
  CHECK(has(data_error([&] { ImageFolder(scratch / "bare"); }), "has none"));
  Rng rng;
  test::spit(scratch / "a/3.png", "no image");
  std::filesystem::remove(scratch / "top.png");
  CHECK(has(data_error([&] { ImageFolder(scratch.str()).get(1, rng); }), "a/3.png, byte 0"));
  CHECK(ImageFolder(outside.str()).label(0) == -1);
}

TEST_CASE("what write_cifar wrote, images_from_cifar reads") {
  const test::Scratch scratch;
  Rng rng{1};
  Tensor images = Tensor::empty({7, 32, 32, 3}, DType::u8), labels = Tensor::empty({7}, DType::i64);
  for (std::uint8_t& value : images.span<std::uint8_t>()) value = static_cast<std::uint8_t>(rng.below(256));
  for (std::int64_t& label : labels.span<std::int64_t>()) label = rng.below(10);
  write_cifar(scratch / "data_batch_1.bin", images.rows(0, 4), labels.rows(0, 4));
  write_cifar(scratch / "data_batch_2.bin.gz", images.rows(4, 7), labels.rows(4, 7));
  const TensorDataset read = images_from_cifar(scratch.str());
  CHECK(same_bits(read.stored(), images));
  CHECK(same_bits(read.labels(), labels));
  const std::string bytes = test::slurp(scratch / "data_batch_1.bin");
  CHECK(static_cast<std::uint8_t>(bytes[1 + 1024]) == images.data<std::uint8_t>()[1]);  // the green plane follows
  CHECK(has(data_error([&] { images_from_cifar(scratch.str(), Split::test); }), "expects test_batch"));
  test::spit(scratch / "cut.bin", bytes.substr(0, 5000));
  CHECK(has(data_error([&] { images_from_cifar(scratch / "cut.bin"); }), "whole records"));
  test::spit(scratch / "label.bin", "\x0a" + bytes.substr(1, 3072));
  CHECK(has(data_error([&] { images_from_cifar(scratch / "label.bin"); }), "record 0: expects a label"));
}

TEST_CASE("CIFAR-10 reads in balance from its folder") {
  SYNTHDATA_NEED_DATA("cifar-10-jpeg/data_batch_1.bin.gz");
  for (const Split split : {Split::train, Split::test}) {
    const TensorDataset data = images_from_cifar(data_dir() + "/cifar-10-jpeg", split);
    CHECK(data.sample_shape() == Shape{32, 32, 3});
    std::vector<std::int64_t> counts(10);
    for (const std::int64_t label : data.labels().span<std::int64_t>()) ++counts[static_cast<std::size_t>(label)];
    CHECK(counts == std::vector<std::int64_t>(10, split == Split::train ? 200 : 50));
  }
}

}  // namespace
