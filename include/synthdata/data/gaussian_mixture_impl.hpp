// synthdata/data/gaussian_mixture_impl.hpp: bodies of data/gaussian_mixture.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/block.hpp>
#include <synthdata/core/parallel.hpp>
#include <synthdata/data/gaussian_mixture.hpp>
#include <synthdata/io/safetensors.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace synthdata {
namespace detail {

inline constexpr double log_two_pi = 1.8378770664093453;

/// log Gamma(x) and its derivative for x > 0, by recurrence to x >= 12 and Stirling's series; errors near 1e-15.
SYNTHDATA_INLINE double log_gamma(double x) {
  double product = 1.0, sum = 0.0;
  for (; x < 12.0; x += 1.0) {
    product *= x;
    if (product > 1e200 || product < 1e-200) {
      sum -= std::log(product);
      product = 1.0;
    }
  }
  const double u = 1.0 / (x * x);
  const double series = (1.0 / 12 - u * (1.0 / 360 - u * (1.0 / 1260 - u * (1.0 / 1680 - u / 1188)))) / x;
  return sum - std::log(product) + (x - 0.5) * std::log(x) - x + 0.5 * log_two_pi + series;
}
SYNTHDATA_INLINE double digamma(double x) {
  double sum = 0.0;
  for (; x < 12.0; x += 1.0) sum -= 1.0 / x;
  const double u = 1.0 / (x * x);
  return sum + std::log(x) - 0.5 / x -
         u * (1.0 / 12 - u * (1.0 / 120 - u * (1.0 / 252 - u * (1.0 / 240 - u * (1.0 / 132)))));
}

/// e^x for x <= 0, error about 2e-16; 0 below -708. Written so that loops around it become vector code.
SYNTHDATA_HD double exp_negative(double x) {
  const double clamped = x > -708.0 ? x : -708.0;
  const double shifted = clamped * 1.4426950408889634 + 0x1.8p52;  // the nearest whole number in the low bits
  const double n = shifted - 0x1.8p52;
  const double r = (clamped - n * 0x1.62e42fee00000p-1) - n * 0x1.a39ef35793c76p-33;
  double p = 1.0 / 479001600;
  p = p * r + 1.0 / 39916800;
  p = p * r + 1.0 / 3628800;
  p = p * r + 1.0 / 362880;
  p = p * r + 1.0 / 40320;
  p = p * r + 1.0 / 5040;
  p = p * r + 1.0 / 720;
  p = p * r + 1.0 / 120;
  p = p * r + 1.0 / 24;
  p = p * r + 1.0 / 6;
  p = p * r + 0.5;
  p = p * r + 1.0;
  p = p * r + 1.0;
  return p * std::bit_cast<double>((std::bit_cast<std::uint64_t>(shifted) + 1023) << 52);
}

/// A mixture over one number: log density of component k is offset[k] - (x - mean[k])^2 half_precision[k].
struct Mixture1d {
  std::int64_t components = 0;
  const double* mean = nullptr;
  const double* half_precision = nullptr;
  const double* offset = nullptr;
};

inline constexpr int mixture_block = 64;

/// Responsibilities of 64 values, r[k * 64 + i], their logarithm's sum into `log_p`, and the sum over k of r log r
/// into `entropy`.
struct Responsibilities1d {
  Mixture1d m;

  SYNTHDATA_HD void operator()(const double* x, double* r, double* log_p, double* entropy) const {
    double most[mixture_block], sum[mixture_block], weighted[mixture_block];
    for (int i = 0; i < mixture_block; ++i) {
      most[i] = -1e300;
      sum[i] = 0.0;
      weighted[i] = 0.0;
    }
    for (std::int64_t k = 0; k < m.components; ++k) {
      double* const q = r + k * mixture_block;
      const double mean = m.mean[k], scale = m.half_precision[k], offset = m.offset[k];
      SYNTHDATA_IVDEP
      for (int i = 0; i < mixture_block; ++i) {
        const double d = x[i] - mean;
        q[i] = offset - d * d * scale;
        most[i] = most[i] > q[i] ? most[i] : q[i];
      }
    }
    for (std::int64_t k = 0; k < m.components; ++k) {
      double* const q = r + k * mixture_block;
      SYNTHDATA_IVDEP
      for (int i = 0; i < mixture_block; ++i) {
        const double log_ratio = q[i] - most[i];
        const double e = exp_negative(log_ratio);
        q[i] = e;
        sum[i] += e;
        weighted[i] += e * (log_ratio > -708.0 ? log_ratio : -708.0);
      }
    }
    double inverse[mixture_block];
    for (int i = 0; i < mixture_block; ++i) {
      const double log_sum = __builtin_log(sum[i]);
      inverse[i] = 1.0 / sum[i];
      log_p[i] = most[i] + log_sum;
      entropy[i] = weighted[i] * inverse[i] - log_sum;
    }
    for (std::int64_t k = 0; k < m.components; ++k) {
      double* const q = r + k * mixture_block;
      SYNTHDATA_IVDEP
      for (int i = 0; i < mixture_block; ++i) q[i] *= inverse[i];
    }
  }
};

/// Adds the weighted count, first and second moment about the mean of each component over 64 values.
struct Moments1d {
  std::int64_t components;
  const double* mean;

  SYNTHDATA_HD void operator()(const double* x, const double* w, const double* r, double* moments) const {
    for (std::int64_t k = 0; k < components; ++k) {
      const double* const q = r + k * mixture_block;
      const double centre = mean[k];
      double n[8] = {}, first[8] = {}, second[8] = {};
      for (int i = 0; i < mixture_block; i += 8) {
        SYNTHDATA_IVDEP
        for (int j = 0; j < 8; ++j) {
          const double share = q[i + j] * w[i + j], d = x[i + j] - centre;
          n[j] += share;
          first[j] += share * d;
          second[j] += share * d * d;
        }
      }
      for (int j = 0; j < 8; ++j) {
        moments[3 * k] += n[j];
        moments[3 * k + 1] += first[j];
        moments[3 * k + 2] += second[j];
      }
    }
  }
};

/// Lower triangle L with A = L L', or false if A is not positive definite. Row-major [d, d].
SYNTHDATA_INLINE bool cholesky(const double* a, double* l, std::int64_t d) {
  std::fill(l, l + d * d, 0.0);
  for (std::int64_t i = 0; i < d; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) {
      double sum = a[i * d + j];
      for (std::int64_t k = 0; k < j; ++k) sum -= l[i * d + k] * l[j * d + k];
      if (i == j && !(sum > 0.0)) return false;
      l[i * d + j] = i == j ? std::sqrt(sum) : sum / l[j * d + j];
    }
  }
  return true;
}
/// The inverse of a lower triangle, in place.
SYNTHDATA_INLINE void invert_triangle(double* l, std::int64_t d) {
  for (std::int64_t j = 0; j < d; ++j) {
    l[j * d + j] = 1.0 / l[j * d + j];
    for (std::int64_t i = j + 1; i < d; ++i) {
      double sum = 0.0;
      for (std::int64_t k = j; k < i; ++k) sum -= l[i * d + k] * l[k * d + j];
      l[i * d + j] = sum / l[i * d + i];
    }
  }
}

/// Rows as f64 [N, d] or a ShapeError or DTypeError.
SYNTHDATA_INLINE Tensor mixture_rows(const char* op, const Tensor& x, std::int64_t d) {
  if (!x.defined() || x.rank() < 1 || x.rank() > 2 || (x.rank() == 2 && x.shape(1) < 1)) {
    throw_shape(op, "expects [N, d] or [N]", {{"x", x}});
  }
  if (!is_floating(x.dtype())) throw DTypeError(concat(op, ": expects f32 or f64, got ", x.str()));
  const Tensor rows = x.rank() == 1 ? x.reshape({x.shape(0), 1}) : x;
  if (d > 0 && rows.shape(1) != d) throw_shape(op, concat("expects rows of ", d, " numbers"), {{"x", x}});
  return rows.to(Device::cpu()).to(DType::f64);
}

/// The sums of an expectation step over rows [begin, end). Per component: count, first moments, then second moments
/// (d or d x d) about `centres`; behind them the sums of log p and of r log r.
class MixtureStep {
 public:
  MixtureStep(const Tensor& x, const Tensor& row_weights, std::int64_t components, bool full)
      : x_(x.data<double>()),
        w_(row_weights.defined() ? row_weights.data<double>() : nullptr),
        rows_(x.shape(0)),
        d_(x.shape(1)),
        components_(components),
        full_(full) {}

  std::int64_t per_component() const { return 1 + d_ + (full_ ? d_ * d_ : d_); }
  std::int64_t size() const { return components_ * per_component() + 2; }

  /// The sums with the responsibilities of a mixture.
  std::vector<double> expect(const std::vector<double>& centres, const std::vector<double>& triangles,
                             const std::vector<double>& offsets) const {
    std::vector<double> half(offsets.size());
    if (d_ == 1) {
      for (std::size_t k = 0; k < half.size(); ++k) half[k] = 0.5 * triangles[k] * triangles[k];
    }
    const Mixture1d one{components_, centres.data(), half.data(), offsets.data()};
    return sums([&](std::int64_t begin, std::int64_t end, double* out) {
      if (d_ == 1) {
        expect_1d(one, begin, end, out);
      } else {
        expect_rows(centres, triangles, offsets, begin, end, out);
      }
    });
  }
  /// The sums where each row belongs to the component of its label.
  std::vector<double> count(const std::vector<double>& centres, const std::int64_t* labels) const {
    return sums([&](std::int64_t begin, std::int64_t end, double* out) {
      for (std::int64_t i = begin; i < end; ++i) {
        add(out + labels[i] * per_component(), x_ + i * d_, centres.data() + labels[i] * d_, w_ ? w_[i] : 1.0);
      }
    });
  }

 private:
  template <class F>
  std::vector<double> sums(const F& f) const {
    const std::int64_t chunk = std::max<std::int64_t>(4096, (rows_ + 255) / 256 / 64 * 64);
    const std::int64_t chunks = (rows_ + chunk - 1) / chunk;
    std::vector<double> parts(static_cast<std::size_t>(chunks * size())), total(static_cast<std::size_t>(size()));
    parallel_for(rows_, chunk, [&](std::int64_t begin, std::int64_t end) {
      f(begin, end, parts.data() + begin / chunk * size());
    });
    for (std::int64_t c = 0; c < chunks; ++c) {
      for (std::size_t i = 0; i < total.size(); ++i) total[i] += parts[static_cast<std::size_t>(c * size()) + i];
    }
    return total;
  }
  void add(double* out, const double* x, const double* centre, double share) const {
    out[0] += share;
    double* const first = out + 1;
    double* const second = first + d_;
    for (std::int64_t a = 0; a < d_; ++a) {
      const double difference = x[a] - centre[a], shared = share * difference;
      first[a] += shared;
      if (full_) {
        for (std::int64_t b = 0; b <= a; ++b) second[a * d_ + b] += shared * (x[b] - centre[b]);
      } else {
        second[a] += shared * difference;
      }
    }
  }
  void expect_1d(const Mixture1d& mixture, std::int64_t begin, std::int64_t end, double* out) const {
    std::vector<double> r(static_cast<std::size_t>(components_ * mixture_block));
    double x[mixture_block], w[mixture_block], log_p[mixture_block], entropy[mixture_block];
    for (std::int64_t i = begin; i < end; i += mixture_block) {
      const std::int64_t count = std::min<std::int64_t>(mixture_block, end - i);
      for (std::int64_t j = 0; j < mixture_block; ++j) {
        x[j] = x_[i + std::min(j, count - 1)];
        w[j] = j >= count ? 0.0 : w_ ? w_[i + j] : 1.0;
      }
      backend::cpu::run<float>(Responsibilities1d{mixture}, x, r.data(), log_p, entropy);
      backend::cpu::run<float>(Moments1d{components_, mixture.mean}, x, w, r.data(), out);
      double* const ends = out + components_ * per_component();
      for (int j = 0; j < mixture_block; ++j) {
        ends[0] += w[j] * log_p[j];
        ends[1] += w[j] * entropy[j];
      }
    }
  }
  void expect_rows(const std::vector<double>& centres, const std::vector<double>& triangles,
                   const std::vector<double>& offsets, std::int64_t begin, std::int64_t end, double* out) const;

  const double* x_;
  const double* w_;
  std::int64_t rows_, d_, components_;
  bool full_;
};

/// log density of one row under each component, with the offset; returns the largest.
SYNTHDATA_INLINE double log_densities(const double* x, std::int64_t d, std::int64_t components, bool full,
                                      const double* centres, const double* triangles, const double* offsets,
                                      double* out) {
  double most = -std::numeric_limits<double>::infinity();
  for (std::int64_t k = 0; k < components; ++k) {
    double square = 0.0;
    const double* const centre = centres + k * d;
    for (std::int64_t a = 0; a < d; ++a) {
      double z = 0.0;
      if (full) {
        const double* const row = triangles + (k * d + a) * d;
        for (std::int64_t b = 0; b <= a; ++b) z += row[b] * (x[b] - centre[b]);
      } else {
        z = triangles[k * d + a] * (x[a] - centre[a]);
      }
      square += z * z;
    }
    out[k] = offsets[k] - 0.5 * square;
    most = std::max(most, out[k]);
  }
  return most;
}
/// Turns log densities into responsibilities, and returns log p.
SYNTHDATA_INLINE double to_responsibilities(double* q, std::int64_t components, double most, double* entropy) {
  double sum = 0.0, weighted = 0.0;
  for (std::int64_t k = 0; k < components; ++k) {
    const double ratio = q[k] - most;
    q[k] = std::exp(ratio);
    sum += q[k];
    if (q[k] > 0.0) weighted += q[k] * ratio;
  }
  for (std::int64_t k = 0; k < components; ++k) q[k] /= sum;
  const double log_sum = std::log(sum);
  if (entropy) *entropy = weighted / sum - log_sum;
  return most + log_sum;
}

SYNTHDATA_INLINE void MixtureStep::expect_rows(const std::vector<double>& centres, const std::vector<double>& triangles,
                                               const std::vector<double>& offsets, std::int64_t begin,
                                               std::int64_t end, double* out) const {
  std::vector<double> q(static_cast<std::size_t>(components_));
  double* const ends = out + components_ * per_component();
  for (std::int64_t i = begin; i < end; ++i) {
    const double w = w_ ? w_[i] : 1.0;
    const double* const x = x_ + i * d_;
    const double most = log_densities(x, d_, components_, full_, centres.data(), triangles.data(), offsets.data(),
                                      q.data());
    double entropy = 0.0;
    ends[0] += w * to_responsibilities(q.data(), components_, most, &entropy);
    ends[1] += w * entropy;
    for (std::int64_t k = 0; k < components_; ++k) {
      const double share = q[static_cast<std::size_t>(k)] * w;
      if (share > 0.0) add(out + k * per_component(), x, centres.data() + k * d_, share);
    }
  }
}

/// Labels by k-means from a k-means++ start; rows weigh as `w` says.
SYNTHDATA_INLINE std::vector<std::int64_t> kmeans_labels(const double* x, const double* w, std::int64_t rows,
                                                         std::int64_t d, std::int64_t components, Rng& rng) {
  const auto distance = [&](const double* a, const double* b) {
    double sum = 0.0;
    for (std::int64_t j = 0; j < d; ++j) sum += (a[j] - b[j]) * (a[j] - b[j]);
    return sum;
  };
  const auto unit = [&] { return static_cast<double>(rng.next_u64() >> 11) * 0x1p-53; };
  std::vector<double> centres(static_cast<std::size_t>(components * d)), nearest(static_cast<std::size_t>(rows));
  std::vector<std::int64_t> labels(static_cast<std::size_t>(rows));
  constexpr std::int64_t chunk = 8192;
  for (std::int64_t k = 0; k < components; ++k) {
    double total = 0.0;
    for (std::int64_t i = 0; i < rows; ++i) {
      total += (k ? nearest[static_cast<std::size_t>(i)] : 1.0) * (w ? w[i] : 1.0);
    }
    std::int64_t chosen = 0;
    double left = unit() * total;
    for (; chosen + 1 < rows; ++chosen) {
      left -= (k ? nearest[static_cast<std::size_t>(chosen)] : 1.0) * (w ? w[chosen] : 1.0);
      if (left < 0.0) break;
    }
    std::copy_n(x + chosen * d, d, centres.data() + k * d);
    parallel_for(rows, chunk, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const double to = distance(x + i * d, centres.data() + k * d);
        double& best = nearest[static_cast<std::size_t>(i)];
        best = k ? std::min(best, to) : to;
      }
    });
  }
  const std::int64_t chunks = (rows + chunk - 1) / chunk, width = components * (d + 1);
  for (int round = 0; round < 50; ++round) {
    std::vector<double> parts(static_cast<std::size_t>(chunks * width));
    std::vector<char> moved(static_cast<std::size_t>(chunks));
    parallel_for(rows, chunk, [&](std::int64_t begin, std::int64_t end) {
      double* const part = parts.data() + begin / chunk * width;
      for (std::int64_t i = begin; i < end; ++i) {
        std::int64_t best = 0;
        double least = std::numeric_limits<double>::infinity();
        for (std::int64_t k = 0; k < components; ++k) {
          const double to = distance(x + i * d, centres.data() + k * d);
          if (to < least) {
            least = to;
            best = k;
          }
        }
        if (labels[static_cast<std::size_t>(i)] != best) moved[static_cast<std::size_t>(begin / chunk)] = 1;
        labels[static_cast<std::size_t>(i)] = best;
        const double weight = w ? w[i] : 1.0;
        part[best * (d + 1)] += weight;
        for (std::int64_t j = 0; j < d; ++j) part[best * (d + 1) + 1 + j] += weight * x[i * d + j];
      }
    });
    if (round > 0 && std::find(moved.begin(), moved.end(), 1) == moved.end()) break;
    for (std::int64_t k = 0; k < components; ++k) {
      double count = 0.0;
      std::vector<double> sum(static_cast<std::size_t>(d));
      for (std::int64_t c = 0; c < chunks; ++c) {
        const double* const part = parts.data() + c * width + k * (d + 1);
        count += part[0];
        for (std::int64_t j = 0; j < d; ++j) sum[static_cast<std::size_t>(j)] += part[1 + j];
      }
      if (count <= 0.0) continue;  // stays where it is
      for (std::int64_t j = 0; j < d; ++j) {
        centres[static_cast<std::size_t>(k * d + j)] = sum[static_cast<std::size_t>(j)] / count;
      }
    }
  }
  return labels;
}

}  // namespace detail

SYNTHDATA_INLINE GaussianMixture::GaussianMixture(const Tensor& weights, const Tensor& means, const Tensor& covariances)
    : weights_(weights.clone()), means_(means.clone()), covariances_(covariances.clone()) {
  for (const Tensor* t : {&weights_, &means_, &covariances_}) {
    if (!t->defined() || t->dtype() != DType::f64) throw DTypeError("GaussianMixture: expects tensors of f64");
  }
  const std::int64_t k = weights_.size(), d = means_.rank() == 2 ? means_.shape(1) : 0;
  if (weights_.rank() != 1 || k < 1 || d < 1 || means_.shape(0) != k ||
      (covariances_.shape() != Shape{k, d, d} && covariances_.shape() != Shape{k, d})) {
    throw_shape("GaussianMixture", "expects weights [K], means [K, d], covariances [K, d, d] or [K, d]",
                {{"weights", weights_}, {"means", means_}, {"covariances", covariances_}});
  }
  double sum = 0.0;
  for (const double w : weights_.span<double>()) {
    if (!(w > 0.0) || !std::isfinite(w)) throw NumericError(concat("GaussianMixture: expects weights > 0, got ", w));
    sum += w;
  }
  for (const double mean : means_.span<double>()) {
    if (!std::isfinite(mean)) throw NumericError("GaussianMixture: a mean is not finite");
  }
  log_weights_ = Tensor::empty({k}, DType::f64, Device::cpu());
  for (std::int64_t i = 0; i < k; ++i) {
    weights_.data<double>()[i] /= sum;
    log_weights_.data<double>()[i] = std::log(weights_.data<double>()[i]);
  }
  prepare();
}

/// The triangles and offsets of the parameters. @throws NumericError unless positive definite
SYNTHDATA_INLINE void GaussianMixture::prepare() {
  const std::int64_t k = components(), d = dimensions();
  const bool full = covariances_.rank() == 3;
  triangles_.assign(static_cast<std::size_t>(covariances_.size()), 0.0);
  offsets_.assign(static_cast<std::size_t>(k), 0.0);
  for (std::int64_t i = 0; i < k; ++i) {
    double log_det = 0.0;
    double* const triangle = triangles_.data() + i * (full ? d * d : d);
    const double* const covariance = covariances_.data<double>() + i * (full ? d * d : d);
    bool good = true;
    if (full) {
      good = detail::cholesky(covariance, triangle, d);
      if (good) detail::invert_triangle(triangle, d);
    }
    for (std::int64_t j = 0; j < d && good; ++j) {
      if (!full) {
        good = covariance[j] > 0.0 && std::isfinite(covariance[j]);
        triangle[j] = 1.0 / std::sqrt(covariance[j]);
      }
      log_det += std::log(triangle[full ? j * d + j : j]);
    }
    if (!good || !std::isfinite(log_det + log_weights_.data<double>()[i])) {
      throw NumericError(concat("GaussianMixture: the covariance of component ", i, " is not positive definite"));
    }
    offsets_[static_cast<std::size_t>(i)] =
        log_weights_.data<double>()[i] + log_det - 0.5 * static_cast<double>(d) * detail::log_two_pi;
  }
}

SYNTHDATA_INLINE GaussianMixture GaussianMixture::fit(const Tensor& given, const MixtureOptions& options, Rng& rng) {
  const char* const op = "GaussianMixture::fit";
  const Tensor x = detail::mixture_rows(op, given, 0);
  const std::int64_t rows = x.shape(0), d = x.shape(1), k = options.components;
  if (k < 1 || k > 1000 || options.max_iterations < 1 || !(options.tolerance >= 0.0) ||
      !(options.covariance_floor >= 0.0) || !(options.concentration >= 0.0)) {
    throw NumericError(concat(op, ": expects 1 ... 1000 components, at least one iteration and no negative option, got ",
                              k, " components, ", options.max_iterations, " iterations"));
  }
  if (rows < 1) throw NumericError(concat(op, ": expects rows, got ", given.str()));
  for (const double value : x.span<double>()) {
    if (!std::isfinite(value)) throw NumericError(concat(op, ": a value is not finite"));
  }
  Tensor row_weights = options.row_weights;
  double total = static_cast<double>(rows);
  if (row_weights.defined()) {
    if (row_weights.shape() != Shape{rows} || row_weights.dtype() != DType::f64) {
      throw_shape(op, "expects row_weights f64 [N]", {{"x", x}, {"row_weights", row_weights}});
    }
    total = 0.0;
    for (const double w : row_weights.span<double>()) {
      if (!(w >= 0.0) || !std::isfinite(w)) throw NumericError(concat(op, ": a row weighs ", w));
      total += w;
    }
    if (!(total > 0.0)) throw NumericError(concat(op, ": the rows weigh nothing"));
  }
  const double* const w = row_weights.defined() ? row_weights.data<double>() : nullptr;
  const bool full = options.covariance == Covariance::full;
  const std::int64_t square = full ? d * d : d;

  std::vector<std::int64_t> labels;
  if (options.start.defined()) {
    if (options.start.shape() != Shape{rows} || options.start.dtype() != DType::i64) {
      throw_shape(op, "expects start i64 [N]", {{"x", x}, {"start", options.start}});
    }
    labels.assign(options.start.span<std::int64_t>().begin(), options.start.span<std::int64_t>().end());
    for (const std::int64_t label : labels) {
      if (label < 0 || label >= k) throw NumericError(concat(op, ": start ", label, " of ", k, " components"));
    }
  } else {
    labels = detail::kmeans_labels(x.data<double>(), w, rows, d, k, rng);
  }

  // mean and covariance of all rows: the priors
  const detail::MixtureStep whole(x, row_weights, 1, full);
  std::vector<double> centre(static_cast<std::size_t>(d));
  std::copy_n(x.data<double>(), d, centre.data());
  const std::vector<std::int64_t> zeros(static_cast<std::size_t>(rows), 0);
  for (int pass = 0; pass < 2; ++pass) {  // the second about the mean, so that nothing cancels
    const std::vector<double> sums = whole.count(centre, zeros.data());
    for (std::int64_t j = 0; j < d; ++j) centre[static_cast<std::size_t>(j)] += sums[static_cast<std::size_t>(1 + j)] / total;
  }
  const std::vector<double> all = whole.count(centre, zeros.data());
  std::vector<double> prior(static_cast<std::size_t>(square));
  for (std::int64_t j = 0; j < square; ++j) {
    prior[static_cast<std::size_t>(j)] = total > 1.0 ? all[static_cast<std::size_t>(1 + d + j)] / (total - 1.0) : 0.0;
  }
  for (std::int64_t j = 0; j < d; ++j) {
    double& variance = prior[static_cast<std::size_t>(full ? j * d + j : j)];
    if (!(variance > 0.0)) variance = std::max(options.covariance_floor, 1e-300);  // a constant
  }
  const double concentration = options.concentration > 0.0 ? options.concentration : 1.0 / static_cast<double>(k);

  GaussianMixture out;
  out.weights_ = Tensor::empty({k}, DType::f64, Device::cpu());
  out.log_weights_ = Tensor::empty({k}, DType::f64, Device::cpu());
  out.means_ = Tensor::empty({k, d}, DType::f64, Device::cpu());
  out.covariances_ = Tensor::empty(full ? Shape{k, d, d} : Shape{k, d}, DType::f64, Device::cpu());

  const detail::MixtureStep step(x, row_weights, k, full);
  std::vector<double> centres(static_cast<std::size_t>(k * d));
  std::vector<double> kappa(static_cast<std::size_t>(k)), dof(static_cast<std::size_t>(k));
  std::vector<double> alpha(static_cast<std::size_t>(k)), beta(static_cast<std::size_t>(k));
  const auto at = [](std::int64_t i) { return static_cast<std::size_t>(i); };
  const auto dimensions = static_cast<double>(d);
  const auto maximise = [&](const std::vector<double>& sums) {
    std::vector<double> counts(at(k));
    for (std::int64_t i = 0; i < k; ++i) {
      const double* const part = sums.data() + i * step.per_component();
      const double* const first = part + 1;
      const double* const second = first + d;
      const double n = part[0] + 10.0 * std::numeric_limits<double>::epsilon();
      counts[at(i)] = n;
      kappa[at(i)] = 1.0 + n;
      dof[at(i)] = dimensions + n;
      double* const mean = out.means_.data<double>() + i * d;
      double* const covariance = out.covariances_.data<double>() + i * square;
      const auto data_mean = [&](std::int64_t a) { return centres[at(i * d + a)] + first[a] / n; };
      for (std::int64_t a = 0; a < d; ++a) {
        for (std::int64_t b = full ? 0 : a; b <= a; ++b) {
          const double sum = second[full ? a * d + b : a];
          double value = sum / n - first[a] / n * (first[b] / n) + (a == b ? options.covariance_floor : 0.0);
          if (options.bayesian) {
            const double off = (data_mean(a) - centre[at(a)]) * (data_mean(b) - centre[at(b)]);
            value = (prior[at(full ? a * d + b : a)] + n * value + n / kappa[at(i)] * off) / dof[at(i)];
          }
          covariance[full ? a * d + b : a] = value;
          if (full) covariance[b * d + a] = value;
        }
      }
      for (std::int64_t a = 0; a < d; ++a) {
        mean[a] = options.bayesian ? (centre[at(a)] + n * data_mean(a)) / kappa[at(i)] : data_mean(a);
      }
    }
    if (options.bayesian) {  // stick-breaking
      double behind = 0.0, logs = 0.0, rest = 1.0, sum = 0.0;
      for (std::int64_t i = k; i-- > 0;) {
        alpha[at(i)] = 1.0 + counts[at(i)];
        beta[at(i)] = concentration + behind;
        behind += counts[at(i)];
      }
      for (std::int64_t i = 0; i < k; ++i) {
        const double a = alpha[at(i)], b = beta[at(i)], both = detail::digamma(a + b);
        double log_lambda = dimensions * std::log(2.0);
        for (std::int64_t j = 0; j < d; ++j) log_lambda += detail::digamma(0.5 * (dof[at(i)] - static_cast<double>(j)));
        out.log_weights_.data<double>()[i] = detail::digamma(a) - both + logs +
                                             0.5 * (log_lambda - dimensions / kappa[at(i)] - dimensions * std::log(dof[at(i)]));
        logs += detail::digamma(b) - both;
        sum += out.weights_.data<double>()[i] = a / (a + b) * rest;
        rest *= b / (a + b);
      }
      for (double& weight : out.weights_.span<double>()) weight /= sum;
    } else {
      double sum = 0.0;
      for (const double n : counts) sum += n;
      for (std::int64_t i = 0; i < k; ++i) {
        out.weights_.data<double>()[i] = counts[at(i)] / sum;
        out.log_weights_.data<double>()[i] = std::log(counts[at(i)] / sum);
      }
    }
    out.prepare();
    std::copy_n(out.means_.data<double>(), k * d, centres.data());
  };
  const auto bound = [&](const std::vector<double>& sums) {
    if (!options.bayesian) return sums[sums.size() - 2] / total;
    double value = -sums[sums.size() - 1];
    for (std::int64_t i = 0; i < k; ++i) {
      double log_det = 0.0;
      for (std::int64_t j = 0; j < d; ++j) {
        log_det += std::log(out.triangles_[at(i * square + (full ? j * d + j : j))]);
      }
      log_det -= 0.5 * dimensions * std::log(dof[at(i)]);
      double wishart = dof[at(i)] * (log_det + 0.5 * dimensions * std::log(2.0));
      for (std::int64_t j = 0; j < d; ++j) wishart += detail::log_gamma(0.5 * (dof[at(i)] - static_cast<double>(j)));
      const double a = alpha[at(i)], b = beta[at(i)];
      value += wishart + detail::log_gamma(a) + detail::log_gamma(b) - detail::log_gamma(a + b) -
               0.5 * dimensions * std::log(kappa[at(i)]);
    }
    return value;
  };

  // the start: moments about the mean of all rows
  for (std::int64_t i = 0; i < k; ++i) std::copy_n(centre.data(), d, centres.data() + i * d);
  maximise(step.count(centres, labels.data()));
  double before = -std::numeric_limits<double>::infinity();
  for (out.iterations_ = 1;; ++out.iterations_) {
    const std::vector<double> sums = step.expect(centres, out.triangles_, out.offsets_);
    maximise(sums);
    out.bound_ = bound(sums);
    out.converged_ = std::fabs(out.bound_ - before) < options.tolerance;
    before = out.bound_;
    if (out.converged_ || out.iterations_ == options.max_iterations) break;
  }
  return out;
}

SYNTHDATA_INLINE Tensor GaussianMixture::log_prob(const Tensor& given) const {
  const Tensor x = detail::mixture_rows("GaussianMixture::log_prob", given, dimensions());
  const std::int64_t d = dimensions(), k = components();
  Tensor out = Tensor::empty({x.shape(0)}, DType::f64, Device::cpu());
  parallel_for(x.shape(0), 1024, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> q(static_cast<std::size_t>(k));
    for (std::int64_t i = begin; i < end; ++i) {
      const double most = detail::log_densities(x.data<double>() + i * d, d, k, covariances_.rank() == 3,
                                                means_.data<double>(), triangles_.data(), offsets_.data(), q.data());
      out.data<double>()[i] = detail::to_responsibilities(q.data(), k, most, nullptr);
    }
  });
  return out;
}

SYNTHDATA_INLINE Tensor GaussianMixture::responsibilities(const Tensor& given) const {
  const Tensor x = detail::mixture_rows("GaussianMixture::responsibilities", given, dimensions());
  const std::int64_t d = dimensions(), k = components();
  Tensor out = Tensor::empty({x.shape(0), k}, DType::f64, Device::cpu());
  parallel_for(x.shape(0), 1024, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      double* const q = out.data<double>() + i * k;
      const double most = detail::log_densities(x.data<double>() + i * d, d, k, covariances_.rank() == 3,
                                                means_.data<double>(), triangles_.data(), offsets_.data(), q);
      detail::to_responsibilities(q, k, most, nullptr);
    }
  });
  return out;
}

SYNTHDATA_INLINE Tensor GaussianMixture::labels(const Tensor& x) const {
  const Tensor shares = responsibilities(x);
  const std::int64_t k = components();
  Tensor out = Tensor::empty({shares.shape(0)}, DType::i64, Device::cpu());
  for (std::int64_t i = 0; i < shares.shape(0); ++i) {
    const double* const row = shares.data<double>() + i * k;
    out.data<std::int64_t>()[i] = std::max_element(row, row + k) - row;
  }
  return out;
}

SYNTHDATA_INLINE Tensor GaussianMixture::sample(std::int64_t n, Rng& rng) const {
  if (n < 0 || components() == 0) throw NumericError("GaussianMixture::sample: expects n >= 0 and a fitted mixture");
  const std::int64_t d = dimensions(), k = components();
  const bool full = covariances_.rank() == 3;
  std::vector<double> lower(static_cast<std::size_t>(covariances_.size()));
  for (std::int64_t i = 0; i < k && full; ++i) {
    detail::cholesky(covariances_.data<double>() + i * d * d, lower.data() + i * d * d, d);
  }
  Tensor out = Tensor::empty({n, d}, DType::f64, Device::cpu());
  std::vector<double> z(static_cast<std::size_t>(d));
  for (std::int64_t i = 0; i < n; ++i) {
    double left = static_cast<double>(rng.next_u64() >> 11) * 0x1p-53;
    std::int64_t chosen = 0;
    while (chosen + 1 < k && left >= weights_.data<double>()[chosen]) left -= weights_.data<double>()[chosen++];
    for (double& number : z) number = rng.normal();
    for (std::int64_t a = 0; a < d; ++a) {
      double value = means_.data<double>()[chosen * d + a];
      if (full) {
        for (std::int64_t b = 0; b <= a; ++b) {
          value += lower[static_cast<std::size_t>((chosen * d + a) * d + b)] * z[static_cast<std::size_t>(b)];
        }
      } else {
        value += std::sqrt(covariances_.data<double>()[chosen * d + a]) * z[static_cast<std::size_t>(a)];
      }
      out.data<double>()[i * d + a] = value;
    }
  }
  return out;
}

SYNTHDATA_INLINE void GaussianMixture::save(Archive& archive, const std::string& prefix) const {
  archive.add(prefix + ".weights", weights_);
  archive.add(prefix + ".log_weights", log_weights_);
  archive.add(prefix + ".means", means_);
  archive.add(prefix + ".covariances", covariances_);
}

SYNTHDATA_INLINE GaussianMixture GaussianMixture::load(const Archive& archive, const std::string& prefix) {
  const Tensor& log_weights = archive.at(prefix + ".log_weights");
  try {
    GaussianMixture out(archive.at(prefix + ".weights"), archive.at(prefix + ".means"),
                        archive.at(prefix + ".covariances"));
    if (log_weights.shape() != out.weights_.shape() || log_weights.dtype() != DType::f64) {
      throw ShapeError(concat("log_weights is ", log_weights.str()));
    }
    out.log_weights_ = log_weights.clone();
    out.prepare();
    return out;
  } catch (const Error& error) {
    throw DataError(concat(prefix, ": no Gaussian mixture: ", error.what()));
  }
}

}  // namespace synthdata
