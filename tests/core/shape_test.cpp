// SPDX-License-Identifier: MIT
#include <synthdata/core/shape.hpp>

#include "../test.hpp"

using synthdata::broadcast_shape;
using synthdata::Shape;
using synthdata::ShapeError;

TEST_CASE("a shape counts elements, reads axes from both ends and prints itself") {
  const Shape s{128, 28, 28, 1};
  CHECK(s.rank() == 4);
  CHECK(s.size() == 128 * 28 * 28);
  CHECK(s.at(0) == 128);
  CHECK(s.at(-1) == 1);
  CHECK(s.wrap(-4) == 0);
  CHECK(s.str() == "[128, 28, 28, 1]");
  CHECK(Shape{}.size() == 1);
  CHECK(Shape{}.str() == "[]");
  CHECK(Shape{3, 0, 5}.size() == 0);
}

TEST_CASE("a shape is edited by copies") {
  const Shape s{2, 3, 4};
  CHECK(s.with(-1, 7) == Shape{2, 3, 7});
  CHECK(s.erase(1) == Shape{2, 4});
  CHECK(s.erase(-1) == Shape{2, 3});
  CHECK(s.insert(0, 9) == Shape{9, 2, 3, 4});
  CHECK(s.insert(3, 9) == Shape{2, 3, 4, 9});
  CHECK(s.insert(-1, 9) == Shape{2, 3, 4, 9});  // the place counts in the result
  CHECK(s.insert(-4, 9) == Shape{9, 2, 3, 4});
  CHECK_FALSE(s == Shape{2, 3});
  CHECK_FALSE(s == Shape{2, 3, 5});
}

TEST_CASE("a shape refuses what it cannot hold, saying why") {
  CHECK_THROWS_WITH((Shape{1, 2}.at(2)), ContainsSubstring("axis 2 is out of range for shape [1, 2]"));
  CHECK_THROWS_WITH((Shape{1, 2}.at(-3)), ContainsSubstring("axis -3"));
  CHECK_THROWS_WITH((Shape{1, 2}.insert(3, 1)), ContainsSubstring("axis 3"));
  CHECK_THROWS_WITH((Shape{1, 2}.insert(-4, 1)), ContainsSubstring("axis -4"));
  CHECK_THROWS_WITH((Shape{2, -1}), ContainsSubstring("extents >= 0, got -1"));
  CHECK_THROWS_WITH((Shape{1, 1, 1, 1, 1, 1, 1}), ContainsSubstring("at most 6 axes"));
  CHECK_THROWS_WITH((Shape{1, 1, 1, 1, 1, 1}.insert(0, 1)), ContainsSubstring("at most 6 axes"));
  const Shape huge{std::int64_t{1} << 40, std::int64_t{1} << 40};
  CHECK_THROWS_WITH(huge.size(), ContainsSubstring("more elements than can be counted"));
}

TEST_CASE("shapes broadcast from the end") {
  CHECK(broadcast_shape("op", {2, 3}, {2, 3}) == Shape{2, 3});
  CHECK(broadcast_shape("op", {4, 1, 3}, {5, 1}) == Shape{4, 5, 3});
  CHECK(broadcast_shape("op", {}, {2, 2}) == Shape{2, 2});
  CHECK(broadcast_shape("op", {1}, {0}) == Shape{0});
  CHECK(broadcast_shape("op", {0, 3}, {1, 3}) == Shape{0, 3});
  CHECK_THROWS_AS(broadcast_shape("op", {2, 3}, {4}), ShapeError);
  CHECK_THROWS_WITH(broadcast_shape("add", {2, 3}, {4}),
                    ContainsSubstring("add: shapes [2, 3] and [4] do not broadcast (3 against 4)"));
}
