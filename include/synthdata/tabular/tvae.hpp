// synthdata/tabular/tvae.hpp: a variational autoencoder of tables.
//
// Source: Xu et al. 2019, "Modeling Tabular Data using Conditional GAN", arXiv:1907.00503, section 4.5, with the
// settings of its published code: nets 128-128, latent vectors of 128, batches of 500, 300 epochs, Adam at 1e-3. Four
// things differ from that code, each because rows came out more faithful on Adult: latent vectors have a prior that is
// learnt with the nets; categories are drawn by their probability, as the paper has it, and not the likeliest taken;
// the model is the mean of the weights over many updates; and decoded numbers keep a deviation that stops them from
// outweighing the categories.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/linear.hpp>
#include <synthdata/nn/mixture_prior.hpp>
#include <synthdata/tabular/encoded_rows.hpp>
#include <synthdata/tabular/training.hpp>

namespace synthdata::models {

namespace detail {
class TvaeLearner;
}  // namespace detail

struct TvaeOptions {
  EncoderOptions encoder = {};  ///< mode-specific normalisation of numbers, one-hot categories
  std::int64_t hidden = 128;    ///< units of the two hidden layers of each net
  std::int64_t latent = 128;
  /// Normal distributions in the prior of the latent vectors (MixturePrior), at most one for each 50 rows learnt, so
  /// that none stands for a few of them. 1 does what the source's N(0, 1) does.
  std::int64_t components = 50;
  double reconstruction = 2.0;  ///< weight of the reconstruction beside the divergence
  double weight_decay = 1e-5;
  /// Least deviation of a decoded number, in (0, 1]. The source has 0.01, with which numbers outweigh all categories in
  /// the loss.
  double least_deviation = 0.05;
  /// Decay of the mean of the weights over updates (Ema), which is the model; 0: the last weights, as in the source.
  double average = 0.998;
};

/// Both nets of the autoencoder.
class TvaeNet {
 public:
  static constexpr const char* kind = "tvae";

  TvaeNet(const std::vector<EncodedBlock>& blocks, const TvaeOptions& options, Rng& rng);

  /// reconstruction (-log p of a row, as a sum over its blocks) + divergence from the prior (by the latent vector
  /// drawn), mean over rows. @param rows f32 [N, width]
  Var loss(const Tensor& rows, Context& context) const;
  /// f32 [N, latent] -> rows [N, width]: what is one-hot is drawn by its probability, numbers and flags by their mean
  /// tanh and deviation.
  Tensor decode(const Tensor& latent, Rng& rng) const;
  /// Latent vectors of the prior, f32 [n, latent].
  Tensor sample_latent(std::int64_t n, Rng& rng) const { return prior_.sample(n, rng); }
  /// Limits the deviations of numbers to [options.least_deviation, 1], as after every update.
  void clamp_deviations();

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("encode0", self.encode0_);
    v("encode1", self.encode1_);
    v("mean", self.mean_);
    v("log_variance", self.log_variance_);
    v("decode0", self.decode0_);
    v("decode1", self.decode1_);
    v("row", self.row_);
    v("deviation", self.deviation_);
    v("prior", self.prior_);
  }

 private:
  std::vector<EncodedBlock> blocks_;
  std::vector<std::int64_t> scalars_;  // places of numbers and flags in a row
  double reconstruction_, least_deviation_;
  Linear encode0_, encode1_, mean_, log_variance_, decode0_, decode1_, row_;
  Param deviation_;  // [scalars]
  MixturePrior prior_;
};

/// Learns a table and makes rows like it. The fastest of the models to sample from.
class Tvae {
 public:
  /// Trained on the current device; the model is on the CPU. How: see TabularTraining.
  /// @throws DataError for a table without rows, infinite values, or options out of range; NumericError if the loss is
  /// not finite.
  static Tvae fit(const Table& table, const TvaeOptions& options = {}, const TabularTraining& training = {},
                  const TabularCallback& progress = {});

  /// What fit() needs for so many rows encoded in `width` numbers and batches of `batch`. With h = options.hidden, l =
  /// options.latent and k = options.components: 4 width bytes a row; five copies (weights, average, best, Adam's two)
  /// of 2 h (width + h + l + 2) + h l + 2 l + 2 width + k (2 l + 1) weights; and in an update gradients of all weights,
  /// and 8 width + 8 h + 13 l + 4 k numbers a row of the batch.
  static TabularMemory memory(std::int64_t width, std::int64_t rows, const TvaeOptions& options, std::int64_t batch);

  /// Rows of the table's columns, without those that are left out (texts, identifiers). Rows that miss a condition are
  /// thrown away. The same seed gives the same rows, whatever the threads.
  Table sample(std::int64_t rows, const Conditions& conditions = {}, const SampleOptions& options = {}) const;

  /// One safetensors file with all that is needed. @throws DataError if it cannot be written.
  void save(const std::string& path) const;
  /// @throws DataError naming what does not fit, if the file is damaged or not such a model.
  static Tvae load(const std::string& path);
  /// The same as an archive, to which others may add entries; `path` is for messages.
  Archive archive() const;
  static Tvae from_archive(const Archive& archive, const std::string& path);

  Schema schema() const { return encoder_.schema(); }
  const TableEncoder& encoder() const { return encoder_; }
  const TvaeNet& net() const { return net_; }

 private:
  friend class detail::TvaeLearner;
  Tvae(TableEncoder encoder, TvaeNet net, TvaeOptions options)
      : encoder_(std::move(encoder)), net_(std::move(net)), options_(std::move(options)) {}
  TableEncoder encoder_;
  TvaeNet net_;
  TvaeOptions options_;
};

}  // namespace synthdata::models

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/tabular/tvae_impl.hpp>
#endif
