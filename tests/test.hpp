// tests/test.hpp: one include for every test; picks Catch2 2 or 3 and finds the reference data.
//
// Works alike with both versions: TEST_CASE, SECTION, CHECK, REQUIRE, CHECK_THROWS_AS, GENERATE, Approx,
// CHECK_THROWS_WITH(expression, ContainsSubstring("...")), and SYNTHDATA_SKIP("why"), which ends a test case with a
// warning.
//
// SPDX-License-Identifier: MIT
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <cstdlib>
#include <filesystem>
#include <string>

#if CATCH_VERSION_MAJOR >= 3
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
#else
inline auto ContainsSubstring(const std::string& text) { return Catch::Matchers::Contains(text); }
#endif

/// Ends the current test case, saying loudly why; a skipped case still counts as passed (Catch2 2 has no SKIP).
/// `why` is streamed, so SYNTHDATA_SKIP("no " << name) works.
#define SYNTHDATA_SKIP(why)   \
  do {                        \
    WARN("skipped: " << why); \
    return;                   \
  } while (false)

/// Skips the current test case unless the file exists below data_dir().
#define SYNTHDATA_NEED_DATA(file) \
  if (!test::has_data(file)) SYNTHDATA_SKIP("no " << file << " below SYNTHDATA_DATA or ../shared/data")

namespace test {

/// The folder `tests/`: SYNTHDATA_TEST_DIR where the build says it, else the folder of this file.
inline std::string test_dir() {
#ifdef SYNTHDATA_TEST_DIR
  return SYNTHDATA_TEST_DIR;
#else
  return std::filesystem::absolute(__FILE__).parent_path().string();
#endif
}

/// Folder with the public data sets: $SYNTHDATA_DATA, else shared/data in a folder above the sources; empty when
/// absent.
inline std::string data_dir() {
  namespace fs = std::filesystem;
  if (const char* set = std::getenv("SYNTHDATA_DATA"); set != nullptr && *set != '\0') return set;
  std::error_code ignored;  // a folder we may not read counts as absent
  for (fs::path at = fs::absolute(test_dir()).lexically_normal(); at != at.root_path(); at = at.parent_path()) {
    const fs::path candidate = at.parent_path() / "shared" / "data";
    if (fs::is_directory(candidate, ignored)) return candidate.string();
  }
  return {};
}

/// True when `file` (relative, such as "mnist/t10k-images-idx3-ubyte.gz") exists in data_dir().
inline bool has_data(const std::string& file) {
  std::error_code ignored;
  const std::string folder = data_dir();
  return !folder.empty() && std::filesystem::exists(folder + "/" + file, ignored);
}

/// Path of a small file below tests/reference/, which is part of the repository.
inline std::string reference(const std::string& file) { return test_dir() + "/reference/" + file; }

}  // namespace test

// the usual short names, so that a test reads test-first
using test::data_dir;
