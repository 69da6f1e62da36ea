// SPDX-License-Identifier: MIT
#include <synthdata/io/file.hpp>
#include <synthdata/io/gzip.hpp>

#include "../test.hpp"
#include "files.hpp"

#include <sys/stat.h>

using namespace synthdata;
using test::data_error, test::has, test::slurp, test::spit;

TEST_CASE("AtomicFile shows nothing before commit and everything after") {
  const test::Scratch scratch;
  const std::string path = scratch / "deep/er/file.bin";
  {
    AtomicFile file(path);
    file.write("hello ");
    file.write("world");
    CHECK(!std::filesystem::exists(path));
    file.commit();
    CHECK(slurp(path) == "hello world");
  }
  CHECK(slurp(path) == "hello world");
  {
    AtomicFile file(path);
    file.write("given up");
  }
  CHECK(slurp(path) == "hello world");  // the old content
  const auto folder = std::filesystem::directory_iterator(folder_of(path));
  CHECK(std::distance(folder, std::filesystem::directory_iterator()) == 1);  // no temporary file left
  write_file(path, "");
  CHECK(slurp(path).empty());
}

TEST_CASE("a file that cannot be written in full leaves the old one and no other") {
  const test::Scratch scratch;
  const std::string path = scratch / "file.bin";
  write_file(path, "old");
  const test::FileSizeLimit limit(1 << 16);
  const std::string text = data_error([&] { write_file(path, std::string(1 << 20, 'x')); });
  CHECK(has(text, path));
  CHECK(has(text, "cannot write: File too large"));
  CHECK(slurp(path) == "old");
  CHECK(scratch.count() == 1);
}

TEST_CASE("a folder that cannot be made or written is named") {
  const test::Scratch scratch;
  spit(scratch / "file", "x");
  CHECK(has(data_error([&] { AtomicFile(scratch / "file/below/a.bin"); }),
            "file: cannot create folder: Not a directory"));
  CHECK(has(data_error([&] { make_folders(scratch / "file"); }), "Not a directory"));
  CHECK(has(data_error([&] { AtomicFile(scratch.str()); }), "not a regular file"));
  CHECK(has(data_error([&] { AtomicFile("/dev/null"); }), "not a regular file"));
  CHECK(has(data_error([&] { AtomicFile(scratch / std::string(300, 'n')); }), "File name too long"));
  make_folders(scratch / "a/b//c/");
  CHECK(std::filesystem::is_directory(scratch / "a/b/c"));
  if (::geteuid() != 0) {  // nothing is forbidden to root
    make_folders(scratch / "locked");
    ::chmod((scratch / "locked").c_str(), 0555);
    CHECK(has(data_error([&] { AtomicFile(scratch / "locked/a.bin"); }), "Permission denied"));
    CHECK(has(data_error([&] { AtomicFile(scratch / "locked/new/a.bin"); }), "Permission denied"));
  }
}

TEST_CASE("AtomicFile writes through a symbolic link") {
  const test::Scratch scratch;
  write_file(scratch / "real", "1");
  std::filesystem::create_symlink("real", scratch / "link");
  write_file(scratch / "link", "2");
  CHECK(std::filesystem::is_symlink(scratch / "link"));
  CHECK(slurp(scratch / "real") == "2");
}

TEST_CASE("AppendFile adds whole records and takes a failed one back") {
  const test::Scratch scratch;
  const std::string path = scratch / "log";
  AppendFile(path).append("first\n");
  AppendFile file(path);
  file.append("second\n");
  CHECK(slurp(path) == "first\nsecond\n");
  {
    const test::FileSizeLimit limit(64);
    CHECK(has(data_error([&] { file.append(std::string(100, 'x')); }), "File too large"));
  }
  CHECK(slurp(path) == "first\nsecond\n");
  file.append("third");
  file.append("more");
  file.drop_after_last('\n');
  CHECK(slurp(path) == "first\nsecond\n");
  spit(path, "kept\n" + std::string(10000, 'x'));  // the end lies several blocks back
  file.drop_after_last('\n');
  CHECK(slurp(path) == "kept\n");
  spit(path, "nothing whole");
  file.drop_after_last('\n');
  CHECK(slurp(path).empty());
}

TEST_CASE("a full device is an error with its reason") {
  if (!std::filesystem::exists("/dev/full")) SYNTHDATA_SKIP("no /dev/full");
  AppendFile file("/dev/full");
  CHECK(data_error([&] { file.append("x"); }) == "/dev/full: cannot write: No space left on device");
}

TEST_CASE("reading names what is wrong with a file") {
  const test::Scratch scratch;
  CHECK(has(data_error([&] { read_file(scratch / "none"); }), "none: cannot open: No such file or directory"));
  CHECK(has(data_error([&] { read_file(scratch.str()); }), "cannot read: Is a directory"));
  CHECK(has(data_error([] { read_file("/dev/zero"); }), "not a regular file"));
  ::mkfifo((scratch / "pipe").c_str(), 0600);
  CHECK(has(data_error([&] { read_file(scratch / "pipe"); }), "not a regular file"));  // and does not wait
  spit(scratch / "file", "12345");
  CHECK(read_file(scratch / "file") == "12345");
  CHECK(has(data_error([&] { read_file(scratch / "file", 4); }), "has 5 bytes, at most 4 are accepted"));
  char into[4];
  const InputFile file(scratch / "file");
  CHECK(has(data_error([&] { file.read_at(3, into, 4); }), "file, byte 5: the file ends here, 2 more bytes"));
}

namespace {
std::string noise(std::size_t bytes) {
  Rng rng{3};
  std::string text(bytes, '\0');
  for (char& c : text) c = static_cast<char>("abcdefgh"[rng.below(8)]);
  return text;
}
}  // namespace

TEST_CASE("gzip and plain files read back, whatever their name") {
  const test::Scratch scratch;
  for (const std::size_t bytes : {0u, 1u, 2u, 1000u, 65535u, 65536u, 65537u, 1000003u}) {
    const std::string text = noise(bytes);
    write_file(scratch / "plain", text);
    write_file(scratch / "packed", gzip(text));
    CHECK(read_gzip_or_plain(scratch / "plain") == text);
    CHECK(read_gzip_or_plain(scratch / "packed") == text);
    CHECK(read_gzip_or_plain(scratch / "packed", static_cast<std::int64_t>(bytes)) == text);
    write_file(scratch / "members", gzip(text) + gzip("") + gzip("tail", 0));
    CHECK(read_gzip_or_plain(scratch / "members") == text + "tail");
  }
  CHECK(gzip("x") == gzip("x"));
  CHECK_THROWS_AS(gzip("x", 10), NumericError);
}

TEST_CASE("a gzip bomb stops at the limit") {
  const test::Scratch scratch;
  std::string bomb;
  const std::string member = gzip(std::string(std::size_t{16} << 20, '\0'), 9);
  for (int i = 0; i < 1000; ++i) bomb += member;  // 16 MB that unpack to 16 GB
  write_file(scratch / "bomb.gz", bomb);
  CHECK(
      has(data_error([&] { read_gzip_or_plain(scratch / "bomb.gz", 1 << 20); }), "unpacks to more than 1048576 bytes"));
}

TEST_CASE("a damaged gzip file is an error that names the byte") {
  const test::Scratch scratch;
  const std::string path = scratch / "x.gz", packed = gzip(noise(3000));
  const auto error_of = [&](const std::string& bytes) {
    spit(path, bytes);
    return data_error([&] { read_gzip_or_plain(path); });
  };
  for (std::size_t length = 2; length < packed.size(); ++length) {
    if (!has(error_of(packed.substr(0, length)),
             "x.gz, byte " + std::to_string(length) + ": gzip: the stream is cut off")) {
      FAIL("cut at " << length << ": " << error_of(packed.substr(0, length)));
    }
  }
  std::string wrong = packed;
  wrong[wrong.size() - 8] ^= 1;
  CHECK(has(error_of(wrong), "incorrect data check"));
  wrong = packed;
  wrong[wrong.size() - 1] ^= 1;
  CHECK(has(error_of(wrong), "incorrect length check"));
  CHECK(has(error_of(packed + "tail"), "byte " + std::to_string(packed.size()) + ": gzip: something else follows"));
  Rng rng{5};
  for (int i = 0; i < 2000; ++i) error_of(test::mutate(packed, rng));  // any other exception fails the test
}
