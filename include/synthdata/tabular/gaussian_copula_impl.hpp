// synthdata/tabular/gaussian_copula_impl.hpp: bodies of gaussian_copula.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/parallel.hpp>
#include <synthdata/data/transform/quantile.hpp>
#include <synthdata/tabular/column_codes_impl.hpp>
#include <synthdata/tabular/gaussian_copula.hpp>
#include <synthdata/tabular/model_file.hpp>

#include <algorithm>
#include <cmath>

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>

namespace synthdata::models {
namespace detail {

using synthdata::detail::normal_cdf, synthdata::detail::normal_quantile;

/// The standard normal below which a share p of it lies; infinite at 0 and 1.
inline double normal_at(double p) {
  if (p <= 0.0) return -std::numeric_limits<double>::infinity();
  if (p >= 1.0) return std::numeric_limits<double>::infinity();
  return normal_quantile(p);
}
/// A place on the unit line kept away from its ends, where normals are infinite.
inline double inside(double p) { return std::clamp(p, 1e-9, 1.0 - 1e-9); }
inline double normal_density(double x) { return std::isinf(x) ? 0.0 : 0.3989422804014327 * std::exp(-0.5 * x * x); }
/// Of a standard normal, in [a, b]; exact in both tails.
inline double normal_mass(double a, double b) {
  return a > 0.0 ? normal_cdf(-a) - normal_cdf(-b) : normal_cdf(b) - normal_cdf(a);
}
/// The value a share of the way through the mass in [a, b].
inline double normal_between(double a, double b, double share) {
  if (a > 0.0) return -normal_between(-b, -a, 1.0 - share);
  const double below = normal_cdf(a), p = below + share * (normal_cdf(b) - below);
  return std::clamp(normal_quantile(std::clamp(p, 1e-300, 1.0 - 0x1p-53)), a, b);
}

inline std::vector<CopulaLine> copula_lines(const std::vector<ColumnCodes>& columns, const std::vector<Tensor>& rows) {
  std::vector<CopulaLine> lines;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const double* const count = rows[c].data<double>();
    const auto add = [&](bool presence, std::vector<std::pair<double, std::int64_t>> parts) {
      CopulaLine line{.column = c, .presence = presence, .codes = {}, .bounds = {0.0}, .places = {}};
      line.places.assign(static_cast<std::size_t>(columns[c].total()), -1);
      std::erase_if(parts, [](const auto& part) { return part.first <= 0.0; });
      double total = 0.0, sum = 0.0;
      for (const auto& [n, code] : parts) total += n;
      for (const auto& [n, code] : parts) {
        sum += n;
        if (code >= 0) line.places[static_cast<std::size_t>(code)] = static_cast<std::int64_t>(line.codes.size());
        line.codes.push_back(code);
        line.bounds.push_back(std::min(1.0, sum / total));
      }
      line.bounds.back() = 1.0;
      if (!line.codes.empty()) lines.push_back(std::move(line));
    };
    const auto frequent_first = [](const auto& a, const auto& b) { return a.first > b.first; };
    const bool apart = columns[c].is_number() && columns[c].has_missing();
    std::vector<std::pair<double, std::int64_t>> parts;
    for (std::int64_t code = apart; code < columns[c].total(); ++code) {
      if (columns[c].sampled(code)) parts.emplace_back(count[code], code);
    }
    if (!columns[c].is_number()) std::stable_sort(parts.begin(), parts.end(), frequent_first);
    if (apart) {
      double present = 0.0;
      for (const auto& [n, code] : parts) present += n;
      std::vector<std::pair<double, std::int64_t>> both{{present, -1}, {count[0], 0}};
      std::stable_sort(both.begin(), both.end(), frequent_first);
      add(true, std::move(both));
    }
    add(false, std::move(parts));
  }
  return lines;
}

/// The place of a column's code on a line, -1 if it has none there.
inline std::int64_t place_on(const CopulaLine& line, std::int64_t code) {
  if (code >= static_cast<std::int64_t>(line.places.size())) return -1;
  const std::int64_t place = line.places[static_cast<std::size_t>(code)];
  if (place >= 0 || !line.presence) return place;
  const auto present = std::find(line.codes.begin(), line.codes.end(), -1);
  return present == line.codes.end() ? -1 : present - line.codes.begin();
}

/// A line as a step function of its normal z: the mean of z in the interval of each place, and the coefficients of that
/// function in normalised Hermite polynomials 1, 2, ...: the covariance of two lines is sum a_k b_k correlation^k.
struct CopulaScores {
  static constexpr std::size_t terms = 48;
  std::vector<double> of_place;
  std::vector<double> series = std::vector<double>(terms, 0.0);

  explicit CopulaScores(const CopulaLine& line) {
    for (std::size_t i = 0; i < line.codes.size(); ++i) {
      const double a = normal_at(line.bounds[i]), b = normal_at(line.bounds[i + 1]);
      const double share = line.bounds[i + 1] - line.bounds[i];
      const double score = share > 0.0 ? (normal_density(a) - normal_density(b)) / share : 0.0;
      of_place.push_back(score);
      // The integral of h_k times the density from a to b is (h_k-1 density)(a) less the same at b, over sqrt(k).
      double at_a = normal_density(a), at_b = normal_density(b), before_a = 0.0, before_b = 0.0;
      for (std::size_t k = 1; k <= terms; ++k) {
        const double root = std::sqrt(static_cast<double>(k)), last = std::sqrt(static_cast<double>(k - 1));
        series[k - 1] += score * (at_a - at_b) / root;
        const double next_a = std::isinf(a) ? 0.0 : (a * at_a - last * before_a) / root;
        const double next_b = std::isinf(b) ? 0.0 : (b * at_b - last * before_b) / root;
        before_a = at_a, at_a = next_a;
        before_b = at_b, at_b = next_b;
      }
    }
  }
};

/// The correlation at which two lines have this covariance.
inline double correlation_for(const CopulaScores& x, const CopulaScores& y, double covariance) {
  const auto at = [&](double r) {
    double sum = 0.0;
    for (std::size_t k = CopulaScores::terms; k-- > 0;) sum = (sum + x.series[k] * y.series[k]) * r;
    return sum;
  };
  if (x.series[0] * y.series[0] < 1e-12) return 0.0;  // one of them is constant
  double low = -1.0, high = 1.0;
  for (int i = 0; i < 50; ++i) {
    const double middle = 0.5 * (low + high);
    (at(middle) < covariance ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

using CopulaMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// A symmetric matrix of ones on the diagonal made positive definite: eigenvalues below 1e-6 are raised to it, and the
/// diagonal is scaled back to one. Source: Rousseeuw and Molenberghs 1993, "Transformation of non positive semidefinite
/// correlation matrices".
inline void make_positive(CopulaMatrix& matrix) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(matrix);
  if (solver.eigenvalues().minCoeff() >= 1e-6) return;
  const Eigen::VectorXd raised = solver.eigenvalues().cwiseMax(1e-6);
  const CopulaMatrix sum = solver.eigenvectors() * raised.asDiagonal() * solver.eigenvectors().transpose();
  const Eigen::VectorXd scale = sum.diagonal().cwiseSqrt().cwiseInverse();
  matrix = scale.asDiagonal() * sum * scale.asDiagonal();
  matrix = (0.5 * (matrix + matrix.transpose())).eval();
  matrix.diagonal().setOnes();
}

/// The triangle of the correlation of some lines, in that order, row after row.
inline CopulaMatrix copula_triangle(const Tensor& correlation, const std::vector<std::size_t>& order) {
  const auto n = static_cast<Eigen::Index>(order.size());
  CopulaMatrix some(n, n);
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j < n; ++j) {
      some(i, j) =
          correlation
              .data<double>()[static_cast<std::int64_t>(order[static_cast<std::size_t>(i)]) * correlation.shape(0) +
                              static_cast<std::int64_t>(order[static_cast<std::size_t>(j)])];
    }
  }
  return some.llt().matrixL();
}

/// A part of a unit line that a condition allows.
struct CopulaPart {
  double begin = 0.0, end = 1.0;  // on the unit line; equal for a real number
  double from = 0.0, to = 0.0;    // the normals there
  std::int64_t code = 0;
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();

  CopulaPart(double first, double last, std::int64_t of, double least, double most)
      : begin(first), end(last), from(normal_at(first)), to(normal_at(last)), code(of), low(least), high(most) {}
};

/// What a condition allows of a column's line. A single real number is one part without length.
inline std::vector<CopulaPart> copula_parts(const ColumnCodes& column, const CopulaLine& line,
                                            const Condition& condition) {
  const std::string& name = column.schema().name;
  std::vector<CopulaPart> parts, points;
  const auto add_numbers = [&](double low, double high) {
    for (std::size_t i = 0; i < line.codes.size(); ++i) {
      if (column.share_between(line.codes[i], low, high) <= 0.0) continue;
      const auto [from, to] = column.part_between(line.codes[i], low, high);
      const double begin = line.bounds[i], length = line.bounds[i + 1] - begin;
      if (from < to) {
        parts.emplace_back(begin + from * length, begin + to * length, line.codes[i], low, high);
      } else {
        const double at = inside(begin + from * length);
        points.emplace_back(at, at, line.codes[i], low, high);
      }
    }
  };
  if (condition.is_range()) {
    if (!column.is_number()) {
      throw DataError(
          concat("condition on column ", in_quotes(name), ": a number or range, but it is ", column.schema().type));
    }
    add_numbers(condition.low(), condition.high());
  }
  for (const std::string& text : condition.texts()) {
    if (column.is_number()) {
      const double value = column.value_of(text);
      add_numbers(value, value);
    } else if (const std::int64_t code = column.code_of(text); code >= 0) {
      const std::int64_t place = line.places[static_cast<std::size_t>(code)];
      if (place < 0) continue;
      const auto i = static_cast<std::size_t>(place);
      parts.emplace_back(line.bounds[i], line.bounds[i + 1], code, 0.0, 0.0);
    }
  }
  if (parts.empty() && !points.empty()) {
    for (const CopulaPart& point : points) {
      if (point.low != points[0].low) {
        throw DataError(concat("condition on column ", in_quotes(name), ": several real numbers; give one or a range"));
      }
    }
    parts.push_back(points[0]);
  }
  if (parts.empty()) {
    throw DataError(concat("condition on column ", in_quotes(name), ": the model has learnt no such value",
                           condition.is_range()        ? concat(" between ", condition.low(), " and ", condition.high())
                           : condition.texts().empty() ? std::string()
                                                       : concat(": ", in_quotes(condition.texts()[0]))));
  }
  return parts;
}

/// Draws rows: normals one after the other, those of conditions first.
struct CopulaDraw {
  const std::vector<CopulaLine>& lines;
  std::vector<std::vector<CopulaPart>> parts{};  // by line; empty: all of it
  std::vector<std::size_t> order{};
  std::size_t points = 0;       // of the order, that many are single numbers
  std::size_t conditioned = 0;  // that many have conditions, points among them
  CopulaMatrix triangle{};

  /// Where on its line each normal lies: the part, or the place of the code, and the share of the way through it.
  struct Found {
    std::size_t at = 0;
    double share = 0.0;
  };

  void prepare(const Tensor& correlation) {
    for (const int turn : {0, 1, 2}) {
      const std::size_t first = order.size();
      for (std::size_t i = 0; i < lines.size(); ++i) {
        const bool point = parts[i].size() == 1 && parts[i][0].begin == parts[i][0].end;
        if (turn == (point ? 0 : parts[i].empty() ? 2 : 1)) order.push_back(i);
      }
      if (turn == 0) points = order.size();
      if (turn == 1) {  // the first of these costs nothing, so it is the rarest
        std::stable_sort(order.begin() + static_cast<std::ptrdiff_t>(first), order.end(),
                         [&](std::size_t a, std::size_t b) { return length(parts[a]) < length(parts[b]); });
        conditioned = order.size();
      }
    }
    triangle = copula_triangle(correlation, order);
  }

  /// One try; false if it misses a condition.
  bool operator()(Rng& rng, std::vector<double>& noise, std::vector<Found>& found) const {
    for (std::size_t k = 0; k < order.size(); ++k) {
      const auto row = static_cast<Eigen::Index>(k);
      const std::size_t line = order[k];
      const double* const weights = triangle.data() + row * triangle.cols();
      double mean = 0.0;
      for (std::size_t j = 0; j < k; ++j) mean += weights[j] * noise[j];
      const double deviation = weights[k];
      if (k < points) {
        noise[k] = (parts[line][0].from - mean) / deviation;
        found[line] = {};
        continue;
      }
      if (k >= conditioned) {
        noise[k] = rng.normal();
        const double u = normal_cdf(mean + deviation * noise[k]);
        const std::vector<double>& bounds = lines[line].bounds;
        const auto at =
            static_cast<std::size_t>(std::upper_bound(bounds.begin() + 1, bounds.end() - 1, u) - bounds.begin() - 1);
        found[line] = {at, share_of(u, bounds[at], bounds[at + 1])};
        continue;
      }
      const std::vector<CopulaPart>& allowed = parts[line];
      double total = 0.0;
      for (const CopulaPart& part : allowed) {
        total += normal_mass((part.from - mean) / deviation, (part.to - mean) / deviation);
      }
      if (!(total > 0.0)) return false;
      // The first one's share is the same for all rows; then it differs, and rows are kept in proportion to it.
      if (k > points && uniform_double(rng) >= total) return false;
      double left = uniform_double(rng) * total;
      std::size_t at = 0;
      double a = 0.0, b = 0.0;
      for (std::size_t i = 0; i < allowed.size(); ++i) {
        const double from = (allowed[i].from - mean) / deviation, to = (allowed[i].to - mean) / deviation;
        const double mass = normal_mass(from, to);
        if (mass <= 0.0) continue;
        at = i, a = from, b = to;
        if ((left -= mass) < 0.0) break;
      }
      noise[k] = normal_between(a, b, uniform_double(rng));
      found[line] = {at, share_of(normal_cdf(mean + deviation * noise[k]), allowed[at].begin, allowed[at].end)};
    }
    return true;
  }

 private:
  static double share_of(double u, double begin, double end) {
    return end > begin ? std::clamp((u - begin) / (end - begin), 0.0, 1.0 - 0x1p-53) : 0.0;
  }
  static double length(const std::vector<CopulaPart>& some) {
    double sum = 0.0;
    for (const CopulaPart& part : some) sum += part.end - part.begin;
    return sum;
  }
};

}  // namespace detail

SYNTHDATA_INLINE GaussianCopula::GaussianCopula(std::vector<ColumnCodes> columns, std::vector<Tensor> rows)
    : columns_(std::move(columns)), rows_(std::move(rows)), lines_(detail::copula_lines(columns_, rows_)) {}

SYNTHDATA_INLINE GaussianCopula GaussianCopula::fit(const Table& table, const GaussianCopulaOptions& options) {
  if (table.size() < 1 || table.columns().empty()) {
    throw DataError(concat("GaussianCopula: expects a table with rows and columns, got ", table.size(), " x ",
                           table.columns().size()));
  }
  const std::size_t width = table.columns().size();
  std::vector<ColumnCodes> columns(width);
  std::vector<std::vector<std::int32_t>> codes(width);
  std::vector<Tensor> rows(width);
  parallel_for(static_cast<std::int64_t>(width), 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto c = static_cast<std::size_t>(begin); c < static_cast<std::size_t>(end); ++c) {
      columns[c] = ColumnCodes::fit(table[c], options.codes);
      const std::vector<std::int64_t> wide = columns[c].encode(table[c]);
      codes[c].assign(wide.begin(), wide.end());
      rows[c] = Tensor::zeros({columns[c].total()}, DType::f64, Device::cpu());
      for (const std::int32_t code : codes[c]) rows[c].data<double>()[code] += 1.0;
    }
  });
  GaussianCopula model(std::move(columns), std::move(rows));

  // Scores by code: what a line says of a row, and 1 or 0 for whether it says anything.
  struct Score {
    double value = 0.0, present = 0.0;
  };
  const std::vector<detail::CopulaLine>& lines = model.lines_;
  std::vector<detail::CopulaScores> series;
  std::vector<std::vector<Score>> scores;
  for (const detail::CopulaLine& line : lines) {
    series.emplace_back(line);
    std::vector<Score> of_code(line.places.size());
    for (std::size_t code = 0; code < of_code.size(); ++code) {
      const std::int64_t place = detail::place_on(line, static_cast<std::int64_t>(code));
      if (place >= 0) of_code[code] = {series.back().of_place[static_cast<std::size_t>(place)], 1.0};
    }
    scores.push_back(std::move(of_code));
  }
  const std::size_t count = lines.size();
  detail::CopulaMatrix matrix =
      detail::CopulaMatrix::Identity(static_cast<Eigen::Index>(count), static_cast<Eigen::Index>(count));
  parallel_for(static_cast<std::int64_t>(count), 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const std::vector<std::int32_t>&x = codes[lines[i].column], &y = codes[lines[j].column];
        double n = 0.0, sum_x = 0.0, sum_y = 0.0, sum_xy = 0.0;
        for (std::size_t row = 0; row < x.size(); ++row) {
          const Score &a = scores[i][static_cast<std::size_t>(x[row])],
                      &b = scores[j][static_cast<std::size_t>(y[row])];
          n += a.present * b.present;
          sum_x += a.value * b.present;
          sum_y += b.value * a.present;
          sum_xy += a.value * b.value;
        }
        const double covariance = n > 1.0 ? sum_xy / n - sum_x / n * (sum_y / n) : 0.0;
        const double r = detail::correlation_for(series[i], series[j], covariance);
        matrix(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) = r;
        matrix(static_cast<Eigen::Index>(j), static_cast<Eigen::Index>(i)) = r;
      }
    }
  });
  detail::make_positive(matrix);
  const auto side = static_cast<std::int64_t>(count);
  model.correlation_ = Tensor::empty({side, side}, DType::f64, Device::cpu());
  std::copy_n(matrix.data(), side * side, model.correlation_.data<double>());
  return model;
}

SYNTHDATA_INLINE Schema GaussianCopula::schema() const {
  Schema schema;
  for (const ColumnCodes& column : columns_) schema.columns.push_back(column.schema());
  return schema;
}

SYNTHDATA_INLINE Table GaussianCopula::sample(std::int64_t rows, const Conditions& conditions,
                                              const SampleOptions& options) const {
  if (rows < 0) throw DataError(concat("sample: expects a number of rows >= 0, got ", rows));
  detail::CopulaDraw draw{.lines = lines_};
  draw.parts.resize(lines_.size());
  for (const auto& [name, condition] : conditions) {
    bool known = false;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      const ColumnCodes& column = columns_[lines_[i].column];
      if (column.schema().name != name) continue;
      if (!draw.parts[i].empty()) throw DataError(concat("sample: two conditions on column ", in_quotes(name)));
      if (!lines_[i].presence) {
        draw.parts[i] = detail::copula_parts(column, lines_[i], condition);
        known = true;
        continue;
      }
      for (std::size_t at = 0; at < lines_[i].codes.size(); ++at) {
        if (lines_[i].codes[at] != -1) continue;
        draw.parts[i].emplace_back(lines_[i].bounds[at], lines_[i].bounds[at + 1], -1, 0.0, 0.0);
      }
    }
    if (known) continue;
    static_cast<void>(schema()[name]);  // which names the columns there are
    throw DataError(concat("condition on column ", in_quotes(name), ": the model has learnt no value of it"));
  }
  draw.prepare(correlation_);

  const auto count = static_cast<std::size_t>(rows);
  std::vector<std::vector<std::int64_t>> codes(columns_.size(), std::vector<std::int64_t>(count, 0));
  std::vector<std::vector<double>> values(columns_.size());
  for (std::size_t c = 0; c < columns_.size(); ++c) values[c].resize(columns_[c].is_number() ? count : 0, 0.0);
  std::vector<std::uint8_t> kept(count, 0);
  const Rng rng{options.seed};
  parallel_for(rows, 256, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> noise(lines_.size());
    std::vector<detail::CopulaDraw::Found> found(lines_.size());
    for (auto row = static_cast<std::size_t>(begin); row < static_cast<std::size_t>(end); ++row) {
      Rng own = rng.split(row);
      for (std::int64_t round = 0; round < options.rounds && kept[row] == 0; ++round)
        kept[row] = draw(own, noise, found);
      if (kept[row] == 0) continue;
      for (std::size_t i = 0; i < lines_.size(); ++i) {
        const detail::CopulaLine& line = lines_[i];
        const detail::CopulaPart part =
            draw.parts[i].empty()
                ? detail::CopulaPart(0.0, 0.0, line.codes[found[i].at], -std::numeric_limits<double>::infinity(),
                                     std::numeric_limits<double>::infinity())
                : draw.parts[i][found[i].at];
        if (line.presence) {
          codes[line.column][row] = part.code;  // -1: the column's own line comes next
        } else if (!columns_[line.column].is_number()) {
          codes[line.column][row] = part.code;
        } else if (codes[line.column][row] != 0 || !columns_[line.column].has_missing()) {
          codes[line.column][row] = part.code;
          values[line.column][row] = columns_[line.column].value_at(part.code, part.low, part.high, found[i].share);
        }
      }
    }
  });
  if (const auto good = std::count(kept.begin(), kept.end(), std::uint8_t{1}); good < rows) {
    throw DataError(concat("sample: after ", options.rounds, " rounds only ", good, " of ", rows,
                           " rows meet all conditions together; that is too rare"));
  }
  std::vector<Column> made;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    if (columns_[c].is_number()) {
      std::vector<bool> missing(columns_[c].has_missing() ? count : 0);
      for (std::size_t row = 0; row < missing.size(); ++row) missing[row] = codes[c][row] == 0;
      made.push_back(columns_[c].column_of(values[c], missing));
    } else {
      made.push_back(columns_[c].decode(codes[c], rng.split(std::uint64_t{1} << 40).split(c)));
    }
  }
  return Table(std::move(made));
}

SYNTHDATA_INLINE Tensor GaussianCopula::log_prob(const Table& table) const {
  std::vector<std::vector<std::int64_t>> codes;
  std::vector<const Column*> given;
  for (const ColumnCodes& column : columns_) {
    given.push_back(&table[column.schema().name]);
    codes.push_back(column.encode(*given.back()));
  }
  struct Interval {
    std::size_t line;
    double from, to;  // of the normal
  };
  Tensor out = Tensor::zeros({table.size()}, DType::f64, Device::cpu());
  std::vector<std::size_t> order, before;  // lines of the triangle, which is kept while they stay
  detail::CopulaMatrix triangle;
  for (std::int64_t row = 0; row < table.size(); ++row) {
    double& log_p = out.data<double>()[row];
    std::vector<double> normals;
    std::vector<Interval> intervals;
    order.clear();
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      const detail::CopulaLine& line = lines_[i];
      const ColumnCodes& column = columns_[line.column];
      const std::int64_t code = codes[line.column][static_cast<std::size_t>(row)];
      const bool number = column.is_number() && !line.presence;
      if (number && column.has_missing() && code == 0) continue;  // its presence says all
      const std::int64_t place = detail::place_on(line, code);
      const double value = number ? given[line.column]->number(row) : 0.0;
      if (place < 0 || (number && column.share_between(code, value, value) <= 0.0)) {
        log_p = -std::numeric_limits<double>::infinity();
        break;
      }
      const auto at = static_cast<std::size_t>(place);
      const double begin = line.bounds[at], length = line.bounds[at + 1] - begin;
      const auto [from, to] = number ? column.part_between(code, value, value) : std::pair{0.0, 1.0};
      if (from < to) {
        const double first = begin + from * length, last = begin + to * length;
        if (first > 0.0 || last < 1.0) intervals.push_back({i, detail::normal_at(first), detail::normal_at(last)});
        continue;
      }
      order.push_back(i);
      normals.push_back(detail::normal_at(detail::inside(begin + from * length)));
      log_p += std::log(length) + column.log_within(code) - std::log(detail::normal_density(normals.back()));
    }
    if (std::isinf(log_p)) continue;
    if (intervals.size() > 1) {
      const auto name = [&](std::size_t i) { return columns_[lines_[intervals[i].line].column].schema().name; };
      throw DataError(concat("log_prob: row ", row, " has values that are no real numbers within ranges in columns ",
                             in_quotes(name(0)), " and ", in_quotes(name(1)), "; expects one such column at most"));
    }
    for (const Interval& one : intervals) order.push_back(one.line);
    if (order != before) triangle = detail::copula_triangle(correlation_, order), before = order;
    std::vector<double> noise(order.size());
    for (std::size_t k = 0; k < order.size(); ++k) {
      const double* const weights = triangle.data() + static_cast<Eigen::Index>(k) * triangle.cols();
      double mean = 0.0;
      for (std::size_t j = 0; j < k; ++j) mean += weights[j] * noise[j];
      if (k == normals.size()) {
        log_p += std::log(
            detail::normal_mass((intervals[0].from - mean) / weights[k], (intervals[0].to - mean) / weights[k]));
        break;
      }
      noise[k] = (normals[k] - mean) / weights[k];
      log_p += std::log(detail::normal_density(noise[k]) / weights[k]);
    }
  }
  return out;
}

SYNTHDATA_INLINE Archive GaussianCopula::archive() const {
  Archive archive;
  archive.metadata["format"] = "synthdata gaussian_copula 1";
  archive.metadata["model"] = Json(Json::Object{{"columns", static_cast<std::int64_t>(columns_.size())}}).dump();
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    columns_[c].save(archive, concat("column.", c));
    archive.add(concat("column.", c, ".rows"), rows_[c]);
  }
  archive.add("correlation", correlation_);
  return archive;
}

SYNTHDATA_INLINE void GaussianCopula::save(const std::string& path) const { save_safetensors(path, archive()); }

SYNTHDATA_INLINE GaussianCopula GaussianCopula::load(const std::string& path) {
  return from_archive(detail::load_model_alone(path), path);
}

SYNTHDATA_INLINE GaussianCopula GaussianCopula::from_archive(const Archive& archive, const std::string& path) {
  const OnDevice host(Device::cpu());
  const auto fail = [&](const std::string& what) { throw DataError(concat(path, ": ", what)); };
  if (archive.text("format") != "synthdata gaussian_copula 1") fail("is not a model of GaussianCopula, version 1");
  const Json json = parse_json(archive.text("model"), {.source = path});
  const std::int64_t count = detail::integer_in(json, "columns", 100'000, path);
  std::vector<ColumnCodes> columns;
  std::vector<Tensor> rows;
  for (std::int64_t c = 0; c < count; ++c) {
    const std::string name = concat("column.", c);
    columns.push_back(ColumnCodes::load(archive, name));
    rows.push_back(archive.at(name + ".rows"));
    if (rows.back().dtype() != DType::f64 || rows.back().shape() != Shape{columns.back().total()}) {
      fail(concat("'", name, ".rows' is ", rows.back().str(), ", expected ", columns.back().total(), " f64"));
    }
    double sum = 0.0;
    for (const double n : rows.back().span<double>()) {
      if (!(n >= 0.0 && n < 1e15)) fail(concat("'", name, ".rows': expects counts, got ", n));
      sum += n;
    }
    if (sum <= 0.0) fail(concat("'", name, ".rows': the column has no rows"));
  }
  GaussianCopula model(std::move(columns), std::move(rows));
  const auto side = static_cast<std::int64_t>(model.lines_.size());
  model.correlation_ = archive.at("correlation");
  const Tensor& r = model.correlation_;
  if (r.dtype() != DType::f64 || r.shape() != Shape{side, side}) {
    fail(concat("'correlation' is ", r.str(), ", expected ", Shape{side, side}, " f64"));
  }
  bool good = true;
  for (std::int64_t i = 0; i < side && good; ++i) {
    for (std::int64_t j = 0; j <= i && good; ++j) {
      const double one = r.data<double>()[i * side + j], same = r.data<double>()[j * side + i];
      good = one == same && (i == j ? one == 1.0 : one > -1.0 && one < 1.0);
    }
  }
  const Eigen::Map<const detail::CopulaMatrix> matrix(r.data<double>(), side, side);
  good = good && matrix.llt().info() == Eigen::Success;
  if (!good) fail("'correlation' is no positive definite matrix of correlations");
  return model;
}

}  // namespace synthdata::models
