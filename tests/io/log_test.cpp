// SPDX-License-Identifier: MIT
#include <synthdata/io/run_folder.hpp>

#include "../test.hpp"
#include "files.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

using namespace synthdata;
using test::data_error, test::has, test::slurp, test::spit;

namespace {

/// A reader of event files of its own, with nothing but the wire format in common with the writer.
struct Message {
  std::string_view bytes;

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes.at(0));
      bytes.remove_prefix(1);
      value |= std::uint64_t{byte & 127u} << shift;
      if (byte < 128) return value;
    }
  }
  std::string_view take(std::size_t count) {
    const std::string_view taken = bytes.substr(0, count);
    REQUIRE(taken.size() == count);
    bytes.remove_prefix(count);
    return taken;
  }
  /// Content of the first field of this number; varints as their eight bytes.
  static std::string find(std::string_view message, std::uint64_t number) {
    for (Message m{message}; !m.bytes.empty();) {
      const std::uint64_t key = m.varint();
      std::string content;
      if (key % 8 == 0) {
        const std::uint64_t value = m.varint();
        content.assign(reinterpret_cast<const char*>(&value), 8);
      } else {
        content = m.take(key % 8 == 1 ? 8 : key % 8 == 5 ? 4 : static_cast<std::size_t>(m.varint()));
      }
      if (key / 8 == number) return content;
    }
    return {};
  }
};
template <class T>
T as(std::string_view bytes) {
  T value = {};
  REQUIRE(bytes.size() >= sizeof value);
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}
std::vector<std::string> events_of(const std::string& path) {
  const std::string bytes = slurp(path);
  std::vector<std::string> events;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto length = as<std::uint64_t>(std::string_view(bytes).substr(at));
    events.push_back(bytes.substr(at + 12, length));
    REQUIRE(detail::tfrecord(events.back()) == bytes.substr(at, length + 16));
    at += length + 16;
  }
  return events;
}
std::string value_of(const std::string& event) { return Message::find(Message::find(event, 5), 1); }

}  // namespace

TEST_CASE("JSON Lines holds one object a line and goes on after the last whole one") {
  const test::Scratch scratch;
  const std::string path = scratch / "deep/log.jsonl";
  const double nan = std::numeric_limits<double>::quiet_NaN();
  {
    JsonLines log(path);
    log.write({{"step", 1}, {"loss", 0.5}, {"name", "a\nb"}});
    log.write({{"loss", nan}, {"good", true}});
    CHECK(slurp(path) == "{\"step\":1,\"loss\":0.5,\"name\":\"a\\nb\"}\n{\"loss\":null,\"good\":true}\n");
  }
  spit(path, "{\"step\":1}\n{\"step\":2,\"lo");  // a program killed while it wrote
  JsonLines log(path);
  log.write({{"step", 2}});
  CHECK(slurp(path) == "{\"step\":1}\n{\"step\":2}\n");
  const test::FileSizeLimit limit(30);
  CHECK(has(data_error([&] {
              log.write({{"text", std::string(100, 'x')}});
            }),
            path + ": cannot write: File too large"));
  CHECK(slurp(path) == "{\"step\":1}\n{\"step\":2}\n");
}

TEST_CASE("a log on a full disk says so") {
  if (!std::filesystem::exists("/dev/full")) SYNTHDATA_SKIP("no /dev/full");
  JsonLines log("/dev/full");
  CHECK(data_error([&] { log.write({{"step", 1}}); }) == "/dev/full: cannot write: No space left on device");
}

TEST_CASE("crc32c has the values of RFC 3720, records those of TFRecord") {
  CHECK(detail::crc32c("123456789") == 0xe3069283u);
  CHECK(detail::crc32c(std::string(32, '\0')) == 0x8a9136aau);
  CHECK(detail::crc32c(std::string(32, '\xff')) == 0x62a8ab43u);
  const std::string record = detail::tfrecord("abc");
  CHECK(record.size() == 19);
  CHECK(as<std::uint64_t>(record) == 3);
  CHECK(record.substr(12, 3) == "abc");
}

TEST_CASE("TensorBoard events hold what was logged") {
  const test::Scratch scratch;
  TensorBoard board(scratch.str());
  CHECK(has(board.path(), scratch / "events.out.tfevents."));
  board.scalar(500, "loss/critic", 0.25);
  board.scalar(std::int64_t{1} << 40, "nan", std::numeric_limits<double>::quiet_NaN());
  const Tensor image = Tensor::full({3, 5, 3}, 7, DType::u8);
  board.image(2, "grid", image);
  board.histogram(3, "weights", Tensor::from(std::vector<float>{0, 1, 1, 3, std::numeric_limits<float>::infinity()}));
  board.histogram(4, "equal", Tensor::full({4}, 2.0, DType::f64));
  board.histogram(5, "none", Tensor::zeros({0}));
  board.histogram(6, "denormal", Tensor::from(std::vector<double>{0, 5e-324}));
  board.histogram(7, "wide", Tensor::from(std::vector<double>{-1.7e308, 1.7e308}));
  CHECK_THROWS_AS(board.histogram(8, "labels", Tensor::zeros({3}, DType::i64)), DTypeError);

  const auto events = events_of(board.path());
  REQUIRE(events.size() == 9);
  CHECK(Message::find(events[0], 3) == "brain.Event:2");
  CHECK(as<double>(Message::find(events[0], 1)) > 1.6e9);
  CHECK(as<std::int64_t>(Message::find(events[1], 2)) == 500);
  CHECK(Message::find(value_of(events[1]), 1) == "loss/critic");
  CHECK(as<float>(Message::find(value_of(events[1]), 2)) == 0.25f);
  CHECK(as<std::int64_t>(Message::find(events[2], 2)) == std::int64_t{1} << 40);
  CHECK(std::isnan(as<float>(Message::find(value_of(events[2]), 2))));
  const std::string picture = Message::find(value_of(events[3]), 4);
  CHECK(as<std::int64_t>(Message::find(picture, 1)) == 3);
  CHECK(as<std::int64_t>(Message::find(picture, 2)) == 5);
  CHECK(as<std::int64_t>(Message::find(picture, 3)) == 3);
  CHECK(Message::find(picture, 4) == encode_png(image));
  const std::string histogram = Message::find(value_of(events[4]), 5);
  CHECK(as<double>(Message::find(histogram, 2)) == 3);
  CHECK(as<double>(Message::find(histogram, 3)) == 4);
  CHECK(as<double>(Message::find(histogram, 4)) == 5);
  CHECK(as<double>(Message::find(histogram, 5)) == 11);
  const std::string limits = Message::find(histogram, 6), counts = Message::find(histogram, 7);
  REQUIRE(limits.size() == 240);
  REQUIRE(counts.size() == 240);
  CHECK(as<double>(limits.substr(232)) == 3);
  CHECK(as<double>(counts) == 1);
  CHECK(as<double>(counts.substr(80)) == 2);
  CHECK(as<double>(counts.substr(232)) == 1);
  for (std::size_t i = 4; i < events.size(); ++i) {  // limits rise and the counts add up, also for extreme values
    const std::string message = Message::find(value_of(events[i]), 5);
    double total = 0;
    for (std::size_t bin = 0; bin < 30; ++bin) {
      total += as<double>(Message::find(message, 7).substr(8 * bin));
      const double limit = as<double>(Message::find(message, 6).substr(8 * bin));
      CHECK(std::isfinite(limit));
      if (bin > 0) CHECK(limit > as<double>(Message::find(message, 6).substr(8 * bin - 8)));
    }
    CHECK(total == as<double>(Message::find(message, 3)));
  }
}

TEST_CASE("a run folder collects pictures, curves and the log") {
  const test::Scratch scratch;
  const std::string path = scratch / "runs/one";
  {
    RunFolder run(path);
    CHECK(run.checkpoint() == path + "/checkpoint.safetensors");
    run.scalar(1, "loss", 0.5);
    run.record(2, {{"loss", 0.25f}, {"images", 128}, {"note", "text"}});
    run.image(2, "grid", Tensor::zeros({4, 4, 1}, DType::u8));
    CHECK(slurp(path + "/log.jsonl") ==
          "{\"step\":1,\"loss\":0.5}\n{\"step\":2,\"loss\":0.25,\"images\":128,\"note\":\"text\"}\n"
          "{\"step\":2,\"image\":\"grids/grid_000002.png\"}\n");
    CHECK(slurp(path + "/grids/grid_000002.png") == encode_png(Tensor::zeros({4, 4, 1}, DType::u8)));
    CHECK(events_of(run.tensorboard().path()).size() == 5);  // version, loss, loss, images, picture
  }
  RunFolder again(path);  // a resumed run
  again.scalar(3, "loss", 0.125);
  CHECK(has(slurp(path + "/log.jsonl"), "grid_000002.png\"}\n{\"step\":3,"));
  const auto events = std::filesystem::directory_iterator(path + "/tensorboard");
  CHECK(std::distance(events, std::filesystem::directory_iterator()) == 2);
  spit(scratch / "file", "x");
  CHECK(has(data_error([&] { RunFolder(scratch / "file"); }), "file: cannot create folder: Not a directory"));
}
