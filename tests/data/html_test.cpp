// tests/data/html_test.cpp: pages that hostile texts cannot break, and charts that show what they were given.
//
// SPDX-License-Identifier: MIT
#include "../test.hpp"

#include <synthdata/data/html.hpp>

#include <array>
#include <limits>

using namespace synthdata;

namespace {
std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++found;
  return found;
}
}  // namespace

TEST_CASE("text is escaped for elements and attributes", "[html]") {
  CHECK(html_escape("a < b & c > \"d\" 'e'") == "a &lt; b &amp; c &gt; &quot;d&quot; &#39;e&#39;");
  CHECK(html_escape("größer\n\t") == "größer\n\t");
  const std::string unknown = "\xef\xbf\xbd";
  CHECK(html_escape(std::string_view("a\0b", 3)) == "a" + unknown + "b");
  CHECK(html_escape("\x1b[31m") == unknown + "[31m");
  CHECK(html_escape("\xff\xfe") == unknown + unknown);
  CHECK(html_escape("x\xe2\x80\xaey") == "x" + unknown + "y");  // right-to-left override
  CHECK(html_escape("x\xe2\x80\x94y") == "x\xe2\x80\x94y");
  CHECK(html_escape("\xc3") == unknown);  // a character cut in half
}

TEST_CASE("texts are shortened by characters", "[html]") {
  CHECK(shorten("abc", 3) == "abc");
  CHECK(shorten("abcd", 3) == "ab…");
  CHECK(shorten("äöüß", 4) == "äöüß");
  CHECK(shorten("äöüß", 3) == "äö…");
  CHECK(shorten("", 5).empty());
}

TEST_CASE("pages load nothing and keep hostile texts as texts", "[html]") {
  const std::string hostile = "</title><script>alert('x')</script><img src=\"http://a/b\" onerror=alert(1)>";
  const std::array<std::string, 2> head{"name", hostile};
  const std::string page = html_page(hostile, html_table(head, {{hostile, "1"}, {"b", hostile}}));
  CHECK(count(page, "<script") == 0);
  CHECK(count(page, "<img") == 0);
  CHECK(count(page, "&lt;script&gt;") == 5);
  CHECK(count(page, "default-src 'none'") == 1);
  CHECK(count(page, "<tr>") == 3);
  CHECK(count(page, "</html>") == 1);
}

TEST_CASE("charts have a shape for each number", "[html]") {
  const std::array<double, 4> first{0.1, 0.2, 0.3, 0.4}, second{0.4, 0.3, 0.2, 0.1};
  const std::array<std::string, 3> ticks{"<0", "1", "2"};
  const std::string lines = svg_histograms(first, second, ticks, "a \"b\"");
  CHECK(count(lines, "class=\"first\"") == 1);
  CHECK(count(lines, "class=\"second\"") == 1);
  CHECK(count(lines, "V8.0H") == 2);   // the greatest share of either reaches the top
  CHECK(count(lines, "V99.5H") == 2);  // 130 - 122 / 4
  CHECK(count(lines, "&lt;0") == 1);
  CHECK(count(lines, "a &quot;b&quot;") == 1);
  const std::vector<std::string> labels{"one", "two & more", "three", "a label of more than twenty characters"};
  const std::string bars = svg_bars(labels, first, second, "");
  CHECK(count(bars, "class=\"full\"") == 4);
  CHECK(count(bars, "class=\"hatched\"") == 4);
  CHECK(count(bars, ">40.0 %<") == 2);
  CHECK(count(bars, "two &amp; more") == 2);
  const std::vector<std::string> names{"x", "y"};
  const std::array<double, 4> matrix{1.0, -0.25, std::numeric_limits<double>::quiet_NaN(), 0.0};
  const std::string squares = svg_matrix(names, matrix, "");
  CHECK(count(squares, "class=\"cell\"") == 4);
  CHECK(count(squares, "class=\"plus\"") == 1);
  CHECK(count(squares, "class=\"minus\"") == 1);
  CHECK(count(squares, "width=\"11.50\"") == 1);  // a quarter of the area of 23 by 23
  CHECK(count(squares, "<circle") == 1);
  CHECK(count(squares, "x, y: -0.250") == 1);
  CHECK(count(svg_matrix({}, {}, ""), "<svg") == 1);
}
