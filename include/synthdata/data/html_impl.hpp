// synthdata/data/html_impl.hpp: bodies of data/html.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/error.hpp>
#include <synthdata/data/html.hpp>
#include <synthdata/io/utf8.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace synthdata {

namespace detail {

SYNTHDATA_INLINE std::string decimals(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

inline std::string svg_open(double width, double height, std::string_view description) {
  return concat("<svg viewBox=\"0 0 ", decimals(width, 0), ' ', decimals(height, 0), "\" role=\"img\" aria-label=\"",
                html_escape(description), "\">");
}
/// `anchor`: start, middle or end.
inline std::string svg_text(double x, double y, const char* anchor, std::string_view text) {
  return concat("<text x=\"", decimals(x, 1), "\" y=\"", decimals(y, 1), "\" text-anchor=\"", anchor, "\">",
                html_escape(text), "</text>");
}
inline std::string svg_rect(double x, double y, double width, double height, const char* kind) {
  return concat("<rect class=\"", kind, "\" x=\"", decimals(x, 2), "\" y=\"", decimals(y, 2), "\" width=\"",
                decimals(width, 2), "\" height=\"", decimals(height, 2), "\"/>");
}

inline constexpr std::string_view page_style = R"(
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;color:#111;background:#fff;margin:0 auto;padding:1rem;max-width:75rem;overflow-wrap:anywhere}
h1{font-size:1.6rem;line-height:1.2}h2{font-size:1.25rem;border-bottom:2px solid #111;margin-top:2.5rem}h3{font-size:1rem;margin:1.2rem 0 .3rem}
p,li{max-width:48rem}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(18rem,100%),1fr));gap:1rem}
figure{margin:0;padding:.6rem;border:1px solid #bbb;border-radius:4px;break-inside:avoid}
figcaption{font-size:.85rem}figcaption b{font-size:.95rem}
svg{display:block;width:100%;max-width:30rem;height:auto;font:10px system-ui,sans-serif}
svg text{fill:#111}.axis{stroke:#888;stroke-width:1;fill:none}
.first{stroke:#111;stroke-width:1.4;fill:#888;fill-opacity:.25}.second{stroke:#111;stroke-width:1.8;stroke-dasharray:5 3;fill:none}
.full{fill:#444;stroke:#111;stroke-width:.6}.hatched{fill:url(#hatch);stroke:#111;stroke-width:.6}
.plus{fill:#222}.minus{fill:#fff;stroke:#222;stroke-width:1}.cell{fill:#fff;stroke:#ddd;stroke-width:.5}
.scroll{overflow-x:auto;margin:.8rem 0}
table{border-collapse:collapse;font-size:.9rem;overflow-wrap:normal}
th,td{border:1px solid #bbb;padding:.2rem .5rem;text-align:left;vertical-align:top;max-width:24rem}
thead th{background:#eee}tbody th{font-weight:600}
td{font-variant-numeric:tabular-nums}
.note,.alarm,.calm{border:1px solid #888;border-left-width:6px;padding:.5rem .8rem;margin:.8rem 0;max-width:48rem}
.alarm{border-color:#111;border-left-style:double;border-left-width:12px}
@media print{body{max-width:none}}
)";

}  // namespace detail

SYNTHDATA_INLINE std::string html_escape(std::string_view text) {
  constexpr std::string_view unknown = "\xef\xbf\xbd";
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  while (!text.empty()) {
    const std::size_t length = detail::utf8_length(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
    text.remove_prefix(character.size());
    const char c = character[0];
    if (length == 0) {
      out += unknown;
    } else if (length > 1) {
      const bool turns = (character >= "\xe2\x80\xaa" && character <= "\xe2\x80\xae") ||
                         (character >= "\xe2\x81\xa6" && character <= "\xe2\x81\xa9") ||
                         (character >= "\xc2\x80" && character <= "\xc2\x9f");
      out += turns ? unknown : character;
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\'') {
      out += "&#39;";
    } else if ((c >= 0 && c < ' ' && c != '\n' && c != '\t') || c == '\x7f') {
      out += unknown;
    } else {
      out += c;
    }
  }
  return out;
}

SYNTHDATA_INLINE std::string shorten(std::string_view text, std::size_t characters) {
  std::size_t bytes = 0, last = 0;
  for (std::size_t i = 0; i < characters && bytes < text.size(); ++i) {
    last = bytes;
    bytes += std::max<std::size_t>(detail::utf8_length(text.substr(bytes)), 1);
  }
  if (bytes >= text.size()) return std::string(text);
  return concat(text.substr(0, last), "\xe2\x80\xa6");
}

SYNTHDATA_INLINE std::string html_page(std::string_view title, std::string_view body) {
  return concat(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" "
      "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>",
      html_escape(title), "</title>\n<style>", detail::page_style,
      "</style>\n</head>\n<body>\n<svg style=\"position:absolute;width:0;height:0\" "
      "aria-hidden=\"true\"><defs><pattern "
      "id=\"hatch\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><rect "
      "width=\"5\" height=\"5\" fill=\"#fff\"/><line x1=\"1\" y1=\"0\" x2=\"1\" y2=\"5\" stroke=\"#111\" "
      "stroke-width=\"1.4\"/></pattern></defs></svg>\n<h1>",
      html_escape(title), "</h1>\n", body, "</body>\n</html>\n");
}

SYNTHDATA_INLINE std::string html_table(std::span<const std::string> head,
                                        const std::vector<std::vector<std::string>>& rows) {
  std::string out = "<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>";
  for (const std::string& cell : head) out += concat("<th scope=\"col\">", html_escape(cell), "</th>");
  out += "</tr></thead>\n<tbody>\n";
  for (const std::vector<std::string>& row : rows) {
    out += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += concat(i == 0 ? "<th scope=\"row\">" : "<td>", html_escape(row[i]), i == 0 ? "</th>" : "</td>");
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

SYNTHDATA_INLINE std::string svg_histograms(std::span<const double> first, std::span<const double> second,
                                            std::span<const std::string, 3> ticks, std::string_view description) {
  constexpr double width = 320, height = 150, left = 36, right = 314, top = 8, bottom = 130;
  double most = 0.0;
  for (const double share : first) most = std::max(most, share);
  for (const double share : second) most = std::max(most, share);
  const double unit = most > 0.0 ? (bottom - top) / most : 0.0;
  const auto line = [&](std::span<const double> shares, const char* kind) {
    std::string path =
        concat("<path class=\"", kind, "\" d=\"M", detail::decimals(left, 0), ' ', detail::decimals(bottom, 0));
    for (std::size_t i = 0; i < shares.size(); ++i) {
      path += concat(
          'V', detail::decimals(bottom - unit * shares[i], 1), 'H',
          detail::decimals(left + (right - left) * static_cast<double>(i + 1) / static_cast<double>(shares.size()), 1));
    }
    return concat(path, 'V', detail::decimals(bottom, 0), "\"/>");
  };
  std::string out = detail::svg_open(width, height, description);
  out += line(first, "first") + line(second, "second");
  out += "<path class=\"axis\" d=\"M36 8V130H314\"/>";
  out += detail::svg_text(left - 3, top + 8, "end", concat(detail::decimals(100.0 * most, most < 0.1 ? 1 : 0), " %"));
  out += detail::svg_text(left - 3, bottom, "end", "0");
  out += detail::svg_text(left, height - 7, "start", ticks[0]);
  out += detail::svg_text((left + right) / 2, height - 7, "middle", ticks[1]);
  out += detail::svg_text(right, height - 7, "end", ticks[2]);
  return out + "</svg>\n";
}

SYNTHDATA_INLINE std::string svg_bars(std::span<const std::string> labels, std::span<const double> first,
                                      std::span<const double> second, std::string_view description) {
  constexpr double width = 320, left = 118, right = 274, step = 24;
  double most = 1e-12;
  for (const double share : first) most = std::max(most, share);
  for (const double share : second) most = std::max(most, share);
  std::string out = detail::svg_open(width, step * static_cast<double>(labels.size()) + 6, description);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double y = step * static_cast<double>(i) + 4;
    out += concat("<g><title>", html_escape(labels[i]), "</title>",
                  detail::svg_text(left - 4, y + 12, "end", shorten(labels[i], 20)), "</g>");
    const auto bar = [&](double share, double at, const char* kind) {
      const double length = (right - left) * share / most;
      out += detail::svg_rect(left, at, length, 9, kind);
      out += detail::svg_text(left + length + 3, at + 8.5, "start", concat(detail::decimals(100.0 * share, 1), " %"));
    };
    bar(first[i], y, "full");
    bar(second[i], y + 10, "hatched");
  }
  return out + "</svg>\n";
}

SYNTHDATA_INLINE std::string svg_matrix(std::span<const std::string> labels, std::span<const double> values,
                                        std::string_view description) {
  constexpr double width = 320, left = 100;
  const std::size_t count = labels.size();
  const double step = std::min(24.0, (width - left - 4) / static_cast<double>(std::max<std::size_t>(count, 1)));
  const double top = 14, size = step * static_cast<double>(count);
  std::string out = detail::svg_open(width, top + size + 4, description);
  for (std::size_t i = 0; i < count; ++i) {
    const double middle = step * (static_cast<double>(i) + 0.5);
    const auto font = std::min(10.0, step * 0.95);
    out += concat(
        "<g style=\"font-size:", detail::decimals(font, 1), "px\"><title>", html_escape(labels[i]), "</title>",
        detail::svg_text(left - 4, top + middle + font * 0.35, "end", concat(shorten(labels[i], 16), ' ', i + 1)),
        detail::svg_text(left + middle, top - 3, "middle", concat(i + 1)), "</g>");
  }
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < count; ++j) {
      const double value = values[i * count + j], x = left + step * static_cast<double>(j),
                   y = top + step * static_cast<double>(i);
      out += concat("<g><title>", html_escape(labels[i]), ", ", html_escape(labels[j]), ": ",
                    std::isnan(value) ? std::string("none") : detail::decimals(value, 3), "</title>",
                    detail::svg_rect(x, y, step, step, "cell"));
      if (std::isnan(value)) {
        out += concat("<circle cx=\"", detail::decimals(x + step / 2, 1), "\" cy=\"", detail::decimals(y + step / 2, 1),
                      "\" r=\"1\" fill=\"#888\"/>");
      } else {
        const double side = (step - 1.0) * std::sqrt(std::min(1.0, std::abs(value)));
        if (side >= 0.5) {
          out += detail::svg_rect(x + (step - side) / 2, y + (step - side) / 2, side, side,
                                  value < 0.0 ? "minus" : "plus");
        }
      }
      out += "</g>";
    }
  }
  return out + "</svg>\n";
}

}  // namespace synthdata
