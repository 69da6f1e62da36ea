// synthdata/data/toy.hpp: points in the plane whose distribution is known, and the judge of what a generator made of
// them.
//
// Beware of settings: "25 Gaussians" is published with standard deviation 0.05 (VEEGAN, PacGAN) and with variance 0.05
// (CTGAN); the eight of the ring with standard deviation 0.01 at radius 1 (VEEGAN, PacGAN) and 0.02 at radius 2
// (unrolled GAN). The defaults here are PacGAN's. Sources: Srivastava et al. 2017, arXiv:1705.07761; Lin et al. 2018,
// arXiv:1712.04086, section 4.1.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/in_memory.hpp>

namespace synthdata::toy {

/// A fixed set of points drawn from equally likely Gaussians of one isotropic standard deviation. Label: the mode.
class GaussianMixture {
 public:
  /// @param centres  [K, D] f32     @param points  how many to draw, with this seed
  /// @throws ShapeError, NumericError for arguments that make no mixture.
  GaussianMixture(Tensor centres, float noise_std, std::int64_t points, std::uint64_t seed);

  std::int64_t size() const { return points_.size(); }
  Sample get(std::int64_t index, Rng& rng) const { return points_.get(index, rng); }
  Batch gather(std::span<const std::int64_t> indices) const { return points_.gather(indices); }

  /// `count` new points: data [count, D], labels their modes.
  Batch generate_labelled(std::int64_t count, Rng& rng) const;
  /// The same without labels.
  Tensor generate(std::int64_t count, Rng& rng) const { return generate_labelled(count, rng).data; }

  const Tensor& centres() const { return centres_; }
  float noise_std() const { return noise_std_; }
  std::int64_t modes() const { return centres_.shape(0); }
  /// The points of the set, [size(), D].
  const Tensor& points() const { return points_.stored(); }

 private:
  Tensor centres_;
  float noise_std_;
  TensorDataset points_;
};

struct RingOptions {
  int modes = 8;
  float radius = 1.0f;
  float noise_std = 0.01f;  ///< give 0.05 for a ring as blurred as the grid
  std::int64_t points = 100000;
  std::uint64_t seed = 0;
};
/// Gaussians on a circle, mode i at angle 2 pi i / modes.
GaussianMixture ring(const RingOptions& options = {});

struct GridOptions {
  int side = 5;          ///< side x side modes
  float spacing = 2.0f;  ///< centres at -4, -2, 0, 2, 4 with the defaults
  float jitter = 0.0f;   ///< each coordinate of a centre is moved by up to this much, evenly; by the seed
  float noise_std = 0.05f;
  std::int64_t points = 100000;
  std::uint64_t seed = 0;
};
/// Gaussians on a square grid around the origin, mode i * side + j at spacing * (i, j), centred.
GaussianMixture grid(const GridOptions& options = {});

struct SwissRollOptions {
  float turns = 1.5f;   ///< how often the spiral goes round
  float radius = 1.0f;  ///< of its outer end; the inner end follows, so that the arms keep their distance
  float noise_std = 0.02f;
  std::int64_t points = 100000;
  std::uint64_t seed = 0;
};

/// A fixed set of points on a noisy Archimedean spiral, r = radius * t / t_max for t in [t_min, t_max] with
/// t_min = 1.5 pi and t_max = t_min + 2 pi turns; t is uniform. Without labels and modes.
class SwissRoll {
 public:
  explicit SwissRoll(const SwissRollOptions& options);

  std::int64_t size() const { return points_.size(); }
  Sample get(std::int64_t index, Rng& rng) const { return points_.get(index, rng); }
  Batch gather(std::span<const std::int64_t> indices) const { return points_.gather(indices); }

  /// `count` new points, [count, 2].
  Tensor generate(std::int64_t count, Rng& rng) const;
  /// `count` points on the spiral itself, evenly in t, from the inner end to the outer: [count, 2].
  Tensor curve(std::int64_t count) const;

  const SwissRollOptions& options() const { return options_; }
  const Tensor& points() const { return points_.stored(); }

 private:
  void place(double u, float* xy) const;

  SwissRollOptions options_;
  TensorDataset points_;
};
inline SwissRoll swiss_roll(const SwissRollOptions& options = {}) { return SwissRoll(options); }

/// How well samples cover the modes of a mixture.
struct ModeReport {
  int modes = 0;
  int covered = 0;  ///< modes that are the nearest of some sample and within 3 standard deviations of it
  double high_quality_share = 0.0;  ///< share of samples within 3 standard deviations of their nearest mode
  double reverse_kl = 0.0;          ///< nats, >= 0; 0 if the samples are spread evenly over the modes
};

/// PacGAN's three measures; the paper judges 2,500 samples. For the reverse KL divergence each sample belongs to its
/// nearest mode, however far, and the shares p of the modes are compared with equal ones: sum of p log(p / (1 /
/// modes)). Even perfect samples have about (modes - 1) / (2 count), and keep 98.9 % within 3 standard deviations in
/// the plane. A sample that is not finite belongs to no mode; with no finite sample the divergence is infinite. Source:
/// Lin et al. 2018, arXiv:1712.04086, section 4.1.
/// @param samples  [N, D] f32, N > 0     @param centres  [K, D] f32     @param noise_std  of each mode
/// @throws ShapeError, DTypeError, NumericError
ModeReport mode_report(const Tensor& samples, const Tensor& centres, double noise_std);
inline ModeReport mode_report(const Tensor& samples, const GaussianMixture& toy) {
  return mode_report(samples, toy.centres(), toy.noise_std());
}
/// ModeReport::covered alone.
inline int modes_covered(const Tensor& samples, const GaussianMixture& toy) {
  return mode_report(samples, toy).covered;
}

}  // namespace synthdata::toy

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/toy_impl.hpp>
#endif
