// synthdata/data/html.hpp: pages that are one file: escaped text, tables, and charts as inline SVG.
//
// Pages load nothing and run nothing, which their content security policy also says. Charts tell their series apart
// without colour: solid and dashed lines, filled and hatched bars, filled and hollow squares.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/config.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace synthdata {

/// Text as it may stand in an element or between quotes of an attribute. Bytes that are not UTF-8, control characters
/// but line breaks and tabs, and marks that change the direction of writing become U+FFFD.
std::string html_escape(std::string_view text);

/// The first `characters` of a UTF-8 text, with an ellipsis if some are left out.
std::string shorten(std::string_view text, std::size_t characters);

/// A whole page. `title` is plain text, `body` is HTML. Its style knows: .cards (charts side by side, as many as fit),
/// figure and figcaption, .note, .alarm and .calm (boxes), tables.
std::string html_page(std::string_view title, std::string_view body);

/// A table of plain texts, which scrolls where it is wider than the page. The first cell of a row is its heading.
std::string html_table(std::span<const std::string> head, const std::vector<std::vector<std::string>>& rows);

/// Two histograms over the same bins, as step lines: the first solid and shaded, the second dashed.
/// @param first, second  shares, from 0 to 1
/// @param ticks          what stands below the left end, the middle and the right end
std::string svg_histograms(std::span<const double> first, std::span<const double> second,
                           std::span<const std::string, 3> ticks, std::string_view description);

/// Two bars for each label, with their shares in percent: the first filled, the second hatched.
std::string svg_bars(std::span<const std::string> labels, std::span<const double> first, std::span<const double> second,
                     std::string_view description);

/// A matrix of numbers from -1 to 1, row by row, labels.size() of them squared: the area of a square is the magnitude,
/// negative ones are hollow, NaN is a dot. Numbers show where the pointer rests.
std::string svg_matrix(std::span<const std::string> labels, std::span<const double> values,
                       std::string_view description);

namespace detail {
/// The number with so many digits after the point.
std::string decimals(double value, int digits);
}  // namespace detail

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/html_impl.hpp>
#endif
