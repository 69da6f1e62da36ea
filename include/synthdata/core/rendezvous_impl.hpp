// synthdata/core/rendezvous_impl.hpp: ranks that meet through small files.
//
// Each rank writes rank.<r>: a token of its own and, once it has read the file of rank 0, the token of that. Rank 0
// writes rank.0: its token, the tokens of all others and the text, again whenever one of them changes. A rank believes
// rank.0 if it finds its own token in it, and rank 0 a rank whose file repeats the token of rank 0: what an earlier
// run left behind is never believed. Files are renamed into place, so nobody reads half of one.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/error.hpp>
#include <synthdata/core/rendezvous.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>
#include <vector>

namespace synthdata {
namespace detail {

inline std::string rank_file(const Rendezvous& at, int rank) { return concat(at.folder, "/rank.", rank); }
inline std::string failure_file(const Rendezvous& at, const Meeting& meeting) {
  return concat(at.folder, "/failed.", meeting.run);
}

inline std::string read_small(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}
/// False if the file cannot be written.
inline bool write_small(const std::string& path, const std::string& text, int rank) {
  const std::string draft = concat(path, ".by", rank);
  {
    std::ofstream file(draft);
    file << text << std::flush;
    if (!file) return false;
  }
  return std::rename(draft.c_str(), path.c_str()) == 0;
}
inline std::vector<std::string> small_words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

inline std::string new_token() {
  std::random_device device;
  return concat(static_cast<std::uint64_t>(device()), "-", std::chrono::steady_clock::now().time_since_epoch().count());
}

SYNTHDATA_INLINE Meeting meet(const Rendezvous& at, const std::string& text) {
  if (at.size < 1 || at.rank < 0 || at.rank >= at.size) {
    throw Error(concat("rendezvous: rank ", at.rank, " of ", at.size, " is not there; ranks count from 0"));
  }
  const std::string own = new_token();
  const auto count = static_cast<std::size_t>(at.size), rank = static_cast<std::size_t>(at.rank);
  const auto publish = [&](const std::string& content) {
    if (!write_small(rank_file(at, at.rank), content, at.rank)) {
      throw Error(concat("rendezvous: rank ", at.rank, " cannot write '", rank_file(at, at.rank), "'"));
    }
  };
  std::vector<std::string> tokens(count), published;
  std::vector<bool> here(count, false);
  here[rank] = true;
  if (rank != 0) publish(own);
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::duration<double>(at.timeout_s);
  while (true) {
    if (rank != 0) {
      const std::vector<std::string> words = small_words(read_small(rank_file(at, 0)));
      if (words.size() == count + 1 && words[rank] == own) {
        publish(concat(own, " ", words[0]));
        return {words[0], words[count]};
      }
    } else {
      bool all = true, known = true;
      for (std::size_t r = 1; r < count; ++r) {
        const std::vector<std::string> words = small_words(read_small(rank_file(at, static_cast<int>(r))));
        if (!words.empty()) tokens[r] = words[0];
        here[r] = words.size() == 2 && words[1] == own;
        all = all && here[r];
        known = known && !tokens[r].empty();
      }
      if (all) return {own, text};
      if (known && tokens != published) {
        published = tokens;
        std::string content = own;
        for (std::size_t r = 1; r < count; ++r) content += concat(" ", tokens[r]);
        publish(concat(content, " ", text));
      }
    }
    if (std::chrono::steady_clock::now() > give_up) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  std::string missing;
  for (std::size_t r = 0; r < count; ++r) {
    const bool there = rank == 0 ? here[r] : r == rank || !read_small(rank_file(at, static_cast<int>(r))).empty();
    if (!there) missing += concat(" ", r);
  }
  throw Error(concat("rendezvous: rank ", at.rank, " of ", at.size, " waited ", at.timeout_s, " s in '", at.folder,
                     "' for rank", missing.empty() ? " 0" : missing));
}

SYNTHDATA_INLINE void leave(const Rendezvous& at) noexcept { std::remove(rank_file(at, at.rank).c_str()); }

SYNTHDATA_INLINE void post_failure(const Rendezvous& at, const Meeting& meeting, const std::string& why) noexcept {
  try {
    if (posted_failure(at, meeting).empty()) write_small(failure_file(at, meeting), why, at.rank);
  } catch (...) {  // the others will wait in vain until their time is over
  }
}
SYNTHDATA_INLINE std::string posted_failure(const Rendezvous& at, const Meeting& meeting) {
  return read_small(failure_file(at, meeting));
}

}  // namespace detail

SYNTHDATA_INLINE Rendezvous rendezvous_from_environment() {
  const auto text = [](const char* name) {
    const char* value = std::getenv(name);
    if (!value || !*value) throw Error(concat("rendezvous: the environment variable ", name, " is not set"));
    return std::string(value);
  };
  const auto number = [&](const char* name, int least, int most) {
    const std::string value = text(name);
    char* end = nullptr;
    const long n = std::strtol(value.c_str(), &end, 10);
    if (*end != '\0' || n < least || n > most) {
      throw Error(concat("rendezvous: ", name, " expects a number from ", least, " to ", most, ", got '", value, "'"));
    }
    return static_cast<int>(n);
  };
  Rendezvous at;
  at.size = number("SYNTHDATA_WORLD_SIZE", 1, 1 << 20);
  at.rank = number("SYNTHDATA_RANK", 0, at.size - 1);
  at.folder = text("SYNTHDATA_RENDEZVOUS");
  return at;
}

}  // namespace synthdata
