// tests/fuzz/stop.hpp: how a fuzz target says what is wrong.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

/// Ends the program with a message, which libFuzzer takes as a finding.
[[noreturn]] inline void stop(const char* what, const std::string& text) {
  std::fprintf(stderr, "%s\n%s\n", what, text.c_str());
  std::abort();
}
