// tests/main.cpp: Catch2's main, for Catch2 2 only; with Catch2 3 the build links Catch2::Catch2WithMain instead.
//
// SPDX-License-Identifier: MIT
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
