// tests/data/dataset_test.cpp: concepts, in-memory data sets, digits, IDX folders and adaptors.
//
// SPDX-License-Identifier: MIT
#include "../test.hpp"

#include <synthdata/data/adaptors.hpp>
#include <synthdata/data/digits.hpp>
#include <synthdata/data/in_memory.hpp>

#include <fstream>

using namespace synthdata;

namespace {

struct Good {
  std::int64_t size() const { return 3; }
  Sample get(std::int64_t index, Rng&) const { return {Tensor::scalar(static_cast<double>(index)), index}; }
};
struct NoSize {
  Sample get(std::int64_t, Rng&) const { return {}; }
};
struct SizeNotConst {
  std::int64_t size() { return 1; }
  Sample get(std::int64_t, Rng&) const { return {}; }
};
struct NoGet {
  std::int64_t size() const { return 1; }
};
struct GetWithoutRng {
  std::int64_t size() const { return 1; }
  Sample get(std::int64_t) const { return {}; }
};
struct GetsNumber {
  std::int64_t size() const { return 1; }
  float get(std::int64_t, Rng&) const { return 0.0f; }
};
struct NamedSample {
  Tensor data;
  int label = 0;
  std::string name;
};
struct GetsNamed {
  std::int64_t size() const { return 2; }
  NamedSample get(std::int64_t i, Rng&) const { return {Tensor::full({2, 2, 1}, 1.0), static_cast<int>(i), "n"}; }
};

static_assert(Dataset<Good> && Dataset<GetsNamed> && Dataset<TensorDataset>);
static_assert(GathersBatches<TensorDataset> && !GathersBatches<Good>);
static_assert(!HasSize<NoSize> && HasGet<NoSize> && !Dataset<NoSize>);
static_assert(!HasSize<SizeNotConst> && !Dataset<SizeNotConst>);
static_assert(HasSize<NoGet> && !HasGet<NoGet> && !Dataset<NoGet>);
static_assert(!HasGet<GetWithoutRng> && !Dataset<GetWithoutRng>);
static_assert(HasGet<GetsNumber> && !GetsSample<GetsNumber> && !Dataset<GetsNumber>);
static_assert(std::same_as<SampleOf<GetsNamed>, NamedSample>);
static_assert(require_dataset<Good>() && require_augmenter<RandomFlip>() &&
              require_augmenter<RandomFlip, NamedSample>());

struct ReturnsNothing {
  void operator()(Sample, Rng&) const {}
};
struct WithoutRng {
  Sample operator()(Sample s) const { return s; }
};
static_assert(Augmenter<RandomFlip> && !Augmenter<Good>);
static_assert(TakesSampleAndRng<ReturnsNothing> && !ReturnsSample<ReturnsNothing> && !Augmenter<ReturnsNothing>);
static_assert(!TakesSampleAndRng<WithoutRng> && !Augmenter<WithoutRng>);

struct CannotResume {
  Batch next() { return {}; }
  SourceState state() const { return {}; }
};
static_assert(HasNext<CannotResume> && HasState<CannotResume> && !HasRestore<CannotResume>);
static_assert(!BatchSource<CannotResume> && !BatchSource<Good>);

std::vector<float> values(const Tensor& t) {
  const auto s = t.span<float>();
  return {s.begin(), s.end()};
}

Tensor bytes(std::initializer_list<int> list, const Shape& shape) {
  std::vector<std::uint8_t> v;
  for (const int x : list) v.push_back(static_cast<std::uint8_t>(x));
  return Tensor::from(v, shape);
}

/// A folder that is removed with the object.
struct Folder {
  std::filesystem::path path;
  explicit Folder(const char* name) : path(std::filesystem::temp_directory_path() / name) {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(path / name, std::ios::binary) << content;
    return (path / name).string();
  }
};

std::string idx(std::initializer_list<int> extents, const std::string& payload) {
  std::string out{'\0', '\0', '\x08', static_cast<char>(extents.size())};
  for (const int extent : extents) out += std::string{'\0', '\0', '\0', static_cast<char>(extent)};
  return out + payload;
}

const std::string shipped_digits = test::test_dir() + "/../examples/data/digits.csv.gz";

}  // namespace

TEST_CASE("TensorDataset serves rows as views and gathers batches in any order") {
  const Tensor x = Tensor::from(std::vector<float>{0, 1, 2, 3, 4, 5}, {3, 2});
  const TensorDataset set(x, bytes({7, 8, 9}, {3}));
  Rng rng;
  const Sample s = set.get(1, rng);
  CHECK(s.data.shares_elements(x));
  CHECK(s.data.shape() == Shape{2});
  CHECK(values(s.data) == std::vector<float>{2, 3});
  CHECK(s.label == 8);
  const std::int64_t picked[] = {2, 0, 2};
  const Batch b = set.gather(picked);
  CHECK(b.data.shape() == Shape{3, 2});
  CHECK(values(b.data) == std::vector<float>{4, 5, 0, 1, 4, 5});
  CHECK(same_bits(b.labels, Tensor::from(std::vector<std::int64_t>{9, 7, 9})));
  CHECK_FALSE(TensorDataset(x).gather(picked).labels.defined());
  CHECK(TensorDataset(x).get(0, rng).label == -1);
  CHECK(set.gather({}).data.shape() == Shape{0, 2});
}

TEST_CASE("TensorDataset turns bytes into f32 and scales them with exact ends") {
  const TensorDataset raw(bytes({0, 51, 255, 128}, {2, 2}));
  Rng rng;
  const std::int64_t all[] = {0, 1};
  CHECK(raw.get(0, rng).data.dtype() == DType::u8);
  CHECK(values(raw.gather(all).data) == std::vector<float>{0, 51, 255, 128});
  CHECK(raw.range() == ValueRange{0, 255});

  const TensorDataset scaled = raw.scaled({-1, 1});
  CHECK(values(scaled.gather(all).data) == std::vector<float>{-1.0f, -0.6f, 1.0f, 1.0f / 255.0f});
  CHECK(values(scaled.get(1, rng).data) == std::vector<float>{1.0f, 1.0f / 255.0f});
  CHECK(values(scaled.scaled({0, 1}).gather(all).data)[2] == 1.0f);  // from the bytes again, not through [-1, 1]
  CHECK(scaled.range() == ValueRange{-1, 1});
  CHECK(scaled.stored().shares_elements(raw.stored()));

  const TensorDataset floats(Tensor::from(std::vector<float>{2, 3, 4}), {}, ValueRange{2, 4});
  const std::int64_t three[] = {0, 1, 2};
  CHECK(values(floats.scaled({-1, 1}).gather(three).data) == std::vector<float>{-1, 0, 1});
}

TEST_CASE("TensorDataset refuses what is not a data set") {
  const Tensor x = Tensor::zeros({3, 2});
  Rng rng;
  CHECK_THROWS_AS(TensorDataset(Tensor()), ShapeError);
  CHECK_THROWS_AS(TensorDataset(Tensor::scalar(1)), ShapeError);
  CHECK_THROWS_AS(TensorDataset(Tensor::zeros({2}, DType::f64)), DTypeError);
  CHECK_THROWS_AS(TensorDataset(x, bytes({1, 2}, {2})), ShapeError);
  CHECK_THROWS_AS(TensorDataset(x, Tensor::zeros({3})), DTypeError);
  CHECK_THROWS_WITH(TensorDataset(x, Tensor::from(std::vector<std::int64_t>{1, -2, 0})),
                    ContainsSubstring("label -2 of sample 1"));
  CHECK_THROWS_WITH(TensorDataset(x).scaled({0, 1}), ContainsSubstring("range"));
  CHECK_THROWS_AS(TensorDataset(bytes({1}, {1})).scaled({1, 1}), DataError);
  CHECK_THROWS_WITH(TensorDataset(x).get(3, rng), ContainsSubstring("sample 3 is out of range, there are 3"));
  const std::int64_t bad[] = {0, -1};
  CHECK_THROWS_AS(TensorDataset(x).gather(bad), DataError);
}

TEST_CASE("read_digits reads the shipped file") {
  const TensorDataset set = read_digits(shipped_digits);
  REQUIRE(set.size() == 1797);
  CHECK(set.stored().shape() == Shape{1797, 8, 8, 1});
  Rng rng;
  const Sample first = set.get(0, rng);  // 0,0,5,13,9,1,0,0,... and label 0
  CHECK(first.label == 0);
  CHECK(values(first.data)[0] == -1.0f);
  CHECK(values(first.data)[3] == 0.625f);  // 13 / 8 - 1
  CHECK(set.get(1796, rng).label == 8);
  float highest = -1;
  for (const float v : values(set.gather(std::vector<std::int64_t>{0, 1, 2, 3}).data)) highest = std::max(highest, v);
  CHECK(highest == 1.0f);
}

TEST_CASE("read_digits names file, row and column of what does not fit") {
  const Folder folder("synthdata_digits_test");
  std::string row = "0";
  for (int i = 1; i < 64; ++i) row += ",16";
  CHECK(read_digits(folder.write("good.csv", row + ",9\n" + row + ",0")).size() == 2);
  CHECK_THROWS_WITH(read_digits(folder.write("a.csv", row + ",9\n1,17,0\n")),
                    ContainsSubstring("a.csv, row 2, column 2: expects a pixel of 0 to 16, got \"17\""));
  CHECK_THROWS_WITH(read_digits(folder.write("b.csv", row + ",10\n")), ContainsSubstring("row 1, column 65"));
  CHECK_THROWS_WITH(read_digits(folder.write("c.csv", row + "\n")), ContainsSubstring("column 64"));
  CHECK_THROWS_WITH(read_digits(folder.write("d.csv", row + ",1,2\n")), ContainsSubstring("end of the row"));
  CHECK_THROWS_WITH(read_digits(folder.write("e.csv", row + ",1\r\n")), ContainsSubstring("end of the row"));
  CHECK_THROWS_AS(read_digits(folder.write("f.csv", row + ",1\n\n")), DataError);
  CHECK_THROWS_AS(read_digits(folder.write("g.csv", "")), DataError);
  CHECK_THROWS_AS(read_digits(folder.write("h.csv", "-1,99999999999999999999")), DataError);
  CHECK_THROWS_AS(read_digits((folder.path / "absent.csv").string()), DataError);
}

TEST_CASE("images_from_idx finds images and labels in a folder") {
  const Folder folder("synthdata_idx_test");
  const std::string images =
      folder.write("train-images-idx3-ubyte", idx({2, 1, 3}, std::string("\x00\xff\x00\xff\xff\x00", 6)));
  Rng rng;
  CHECK(images_from_idx(folder.path.string()).get(0, rng).label == -1);
  const std::string labels = folder.write("train-labels-idx1-ubyte", idx({2}, "\x03\x04"));
  const TensorDataset set = images_from_idx(folder.path.string());
  CHECK(set.stored().shape() == Shape{2, 1, 3, 1});
  CHECK(values(set.get(0, rng).data) == std::vector<float>{-1, 1, -1});
  CHECK(set.get(1, rng).label == 4);
  CHECK(images_from_idx(images).size() == 2);
  CHECK(images_from_idx(images, labels).get(0, rng).label == 3);

  CHECK_THROWS_WITH(images_from_idx(folder.path.string(), Split::test), ContainsSubstring("t10k-images-idx3-ubyte"));
  CHECK_THROWS_WITH(images_from_idx(labels), ContainsSubstring("expects images"));
  CHECK_THROWS_WITH(images_from_idx(images, images), ContainsSubstring("expects labels"));
  CHECK_THROWS_WITH(images_from_idx(images, folder.write("three", idx({3}, "abc"))),
                    ContainsSubstring("holds 3 labels"));
  CHECK_THROWS_AS(images_from_idx((folder.path / "absent").string()), DataError);
}

TEST_CASE("images_from_idx reads MNIST") {
  SYNTHDATA_NEED_DATA("mnist/t10k-images-idx3-ubyte.gz");
  const TensorDataset set = images_from_idx(test::data_dir() + "/mnist", Split::test);
  CHECK(set.stored().shape() == Shape{10000, 28, 28, 1});
  std::int64_t zeros = 0;
  for (const std::int64_t label : set.labels().span<std::int64_t>()) zeros += label == 0;
  CHECK(zeros == 980);  // as shared/data/README.md counts them
}

TEST_CASE("adaptors compose by value and keep the type of sample") {
  const TensorDataset base(bytes({0, 255, 10, 20, 30, 40}, {3, 1, 2, 1}), bytes({0, 1, 2}, {3}));
  Rng rng(1);
  const auto set = base | scale(-1, 1) | random_flip(1.0f) | take(2);
  static_assert(Dataset<decltype(set)> && !GathersBatches<decltype(set)>);
  CHECK(set.size() == 2);
  CHECK(values(set.get(0, rng).data) == std::vector<float>{1, -1});
  CHECK(set.get(1, rng).label == 1);
  CHECK_THROWS_WITH(set.get(2, rng), ContainsSubstring("take: sample 2 is out of range, there are 2"));
  CHECK_THROWS_AS(base | take(-1), DataError);
  CHECK((base | take(10)).size() == 3);

  const TensorDataset five(bytes({0, 1, 2, 3, 4}, {5, 1}), bytes({0, 1, 2, 3, 4}, {5}));
  const auto part = five | shard(1, 2);  // samples 1 and 3; the fifth is left out, so that parts are equal
  CHECK(part.size() == 2);
  CHECK((part.get(0, rng).label == 1 && part.get(1, rng).label == 3));
  CHECK(part.gather(std::vector<std::int64_t>{1, 0}).labels.span<std::int64_t>()[0] == 3);
  CHECK_THROWS_WITH(part.get(2, rng), ContainsSubstring("shard: sample 2 is out of range, there are 2"));
  CHECK_THROWS_WITH(five | shard(2, 2), ContainsSubstring("got rank 2 of 2"));

  const auto fast = base | scale(0, 1) | take(2);
  static_assert(GathersBatches<decltype(fast)>);
  const std::int64_t one[] = {1}, two[] = {2};
  CHECK(values(fast.gather(one).data) == std::vector<float>{10.0f / 255.0f, 20.0f / 255.0f});
  CHECK_THROWS_AS(fast.gather(two), DataError);

  const auto doubled = base | map([](Sample s) {
                         s.label *= 2;
                         return s;
                       });
  CHECK(doubled.get(2, rng).label == 4);
  const auto named = GetsNamed{} | scale({0, 2}, {0, 1}) | random_flip(0.5f) | take(1);
  static_assert(std::same_as<SampleOf<decltype(named)>, NamedSample>);
  CHECK(named.get(0, rng).name == "n");
  CHECK(values(named.get(0, rng).data)[0] == 0.5f);
  CHECK_THROWS_WITH((GetsNamed{} | scale(0, 1)).get(0, rng), ContainsSubstring("say where the values lie"));
  CHECK_THROWS_AS((Good{} | random_flip(1.0f)).get(0, rng), ShapeError);
  CHECK_THROWS_AS(random_flip(1.5f), NumericError);
}

TEST_CASE("random_flip mirrors columns, each pixel whole, with the given probability") {
  const Tensor image = Tensor::from(std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {1, 2, 3, 2});
  const TensorDataset base(image);
  Rng rng(3);
  CHECK(values((base | random_flip(1.0f)).get(0, rng).data) ==
        std::vector<float>{5, 6, 3, 4, 1, 2, 11, 12, 9, 10, 7, 8});
  CHECK(values(image)[0] == 1.0f);                    // the base is not written to
  for (const std::int64_t channels : {1, 2, 3, 5}) {  // sizes with and without a copy of their own
    const TensorDataset wide(arange(4 * channels, DType::f32).reshape({1, 1, 4, channels}));
    const Tensor mirrored = (wide | random_flip(1.0f)).get(0, rng).data;
    for (std::int64_t i = 0; i < 4 * channels; ++i) {
      const std::int64_t from = (3 - i / channels) * channels + i % channels;
      CHECK(mirrored.span<float>()[static_cast<std::size_t>(i)] == static_cast<float>(from));
    }
  }
  const auto some = base | random_flip(0.25f);
  int flipped = 0;
  for (int i = 0; i < 4000; ++i) flipped += some.get(0, rng).data.span<float>()[0] != 1.0f;
  CHECK(std::abs(flipped - 1000) < 4 * 28);  // four standard deviations of the count
}

TEST_CASE("rows of a data set keep labels and scaling") {
  const Tensor data = Tensor::from(std::vector<std::uint8_t>{0, 255, 128, 64, 32, 16}, {3, 2});
  const TensorDataset set(data, Tensor::from(std::vector<std::int64_t>{7, 8, 9}));
  const TensorDataset part = set.scaled({-1.0f, 1.0f}).rows(1, 3);
  CHECK(part.size() == 2);
  CHECK(part.sample_shape() == Shape{2});
  CHECK(part.stored().shares_elements(data));
  CHECK(part.labels().data<std::int64_t>()[0] == 8);
  const Tensor values = part.values();
  CHECK(values.shape() == Shape{2, 2});
  CHECK(values.data<float>()[0] == Approx(2.0 * 128 / 255 - 1));
  Rng rng{1};
  CHECK(values.data<float>()[3] == part.get(1, rng).data.data<float>()[1]);
  CHECK_THROWS_AS(set.rows(2, 4), ShapeError);
}
