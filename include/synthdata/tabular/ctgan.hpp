// synthdata/tabular/ctgan.hpp: the conditional GAN of tables.
//
// Source: Xu et al. 2019, "Modeling Tabular Data using Conditional GAN", arXiv:1907.00503, section 4, with the settings
// of its published code. Numbers are normalised by the mode they belong to. Each batch asks for categories: of a column
// drawn evenly, a category drawn by the logarithm of its rows, so that rare ones are seen; real rows are drawn to match
// (training by sampling), and the generator owes the category asked for. The critic judges packs of ten rows under the
// Wasserstein loss with gradient penalty. All of it is an AdversarialTrainer with a conditional generator. Unlike that
// code, the model is the mean of the generator's weights over many updates, which is steadier from seed to seed.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/gan/discriminator.hpp>
#include <synthdata/gan/generator.hpp>
#include <synthdata/nn/any_module.hpp>
#include <synthdata/tabular/ctgan_sampler.hpp>
#include <synthdata/tabular/encoded_rows.hpp>
#include <synthdata/tabular/training.hpp>

namespace synthdata::models {

namespace detail {
class CtganLearner;
}  // namespace detail

struct CtganOptions {
  EncoderOptions encoder = {};  ///< mode-specific normalisation of numbers, one-hot categories
  std::int64_t hidden = 256;    ///< units of the two hidden layers of each net
  std::int64_t latent = 128;
  std::int64_t pack = 10;  ///< rows that the critic judges together; batches are rounded to a multiple
  std::int64_t critic_steps = 1;
  double temperature = 0.2;  ///< of the Gumbel-softmax
  double penalty = 10.0;     ///< weight of the gradient penalty
  /// Decay of the mean of the generator's weights over updates (Ema), which is the model; 0: the last weights, as in
  /// the source.
  double average = 0.999;
};

/// The categories that a generator can be asked for: one label for each category of each discrete column.
class CategoryLabels {
 public:
  CategoryLabels() = default;
  /// @param rows   encoded rows f32 [N, width]
  /// @param learn  those of them that are learnt from
  CategoryLabels(const std::vector<EncodedBlock>& blocks, const Tensor& rows, const std::vector<std::int64_t>& learn);

  /// Discrete columns.
  std::int64_t columns() const { return static_cast<std::int64_t>(first_.size()) - 1; }
  std::int64_t count() const { return static_cast<std::int64_t>(place_.size()); }
  /// Column of the encoded rows that is 1 for the label.
  std::int64_t place(std::int64_t label) const { return place_[static_cast<std::size_t>(label)]; }
  /// The label of an encoded place, or -1.
  std::int64_t label_at(std::int64_t place) const;
  /// Draws a label: its column evenly, its category by log(1 + rows) (`even`) or by its rows.
  std::int64_t draw(Rng& rng, bool even) const;
  /// A row of the training table that has it.
  std::int64_t draw_row(std::int64_t label, Rng& rng) const;

  void save(Archive& archive, const std::string& prefix) const;
  static CategoryLabels load(const Archive& archive, const std::string& prefix,
                             const std::vector<EncodedBlock>& blocks);

 private:
  void list(const std::vector<EncodedBlock>& blocks);
  std::vector<std::int64_t> place_, first_;      // of labels; first label of each discrete column, then count
  std::vector<double> rows_;                     // of each label
  std::vector<std::vector<std::int32_t>> with_;  // rows that have it; not saved
};

/// Learns a table and makes rows like it.
class Ctgan {
 public:
  /// By default 300 epochs of batches of 500, Adam at 2e-4.
  /// Trained on the current device; the model is on the CPU. How: see TabularTraining.
  /// @throws DataError for a table without rows, infinite values, or options out of range; NumericError if a loss is
  /// not finite.
  static Ctgan fit(const Table& table, const CtganOptions& options = {}, const TabularTraining& training = {},
                   const TabularCallback& progress = {});

  /// What fit() needs for so many rows encoded in `width` numbers, of `discrete` categorical columns with `labels`
  /// categories together, and batches of `batch`: 4 (width + discrete) bytes a row; five copies (weights, average,
  /// best, Adam's two) of the generator's weights and three of the critic's; and in an update gradients of the
  /// generator, twice those of the critic, and 14 (width + labels + h) numbers a row of the batch, with h =
  /// options.hidden.
  static TabularMemory memory(std::int64_t width, std::int64_t labels, std::int64_t discrete, std::int64_t rows,
                              const CtganOptions& options, std::int64_t batch);

  /// Rows of the table's columns, without those that are left out (texts, identifiers). One condition on a category is
  /// given to the generator; rows that miss a condition are thrown away. The same seed gives the same rows.
  Table sample(std::int64_t rows, const Conditions& conditions = {}, const SampleOptions& options = {}) const;

  /// One safetensors file with all that is needed. @throws DataError if it cannot be written.
  void save(const std::string& path) const;
  /// @throws DataError naming what does not fit, if the file is damaged or not such a model.
  static Ctgan load(const std::string& path);
  /// The same as an archive, to which others may add entries; `path` is for messages.
  Archive archive() const;
  static Ctgan from_archive(const Archive& archive, const std::string& path);

  Schema schema() const { return encoder_.schema(); }
  const TableEncoder& encoder() const { return encoder_; }

 private:
  friend class detail::CtganLearner;
  using Net = Generator<AnyModule>;
  Ctgan(TableEncoder encoder, CategoryLabels labels, Net generator, CtganOptions options)
      : encoder_(std::move(encoder)),
        labels_(std::move(labels)),
        generator_(std::move(generator)),
        options_(std::move(options)) {}
  /// To be called when the weights are final; sample() needs it.
  void prepare();
  static Net make_generator(const TableEncoder& encoder, const CategoryLabels& labels, const CtganOptions& options,
                            Rng& rng);
  /// The label that a condition of one category stands for, or -1.
  std::int64_t label_of(const Conditions& conditions) const;

  TableEncoder encoder_;
  CategoryLabels labels_;
  Net generator_;
  detail::CtganSampler sampler_;
  CtganOptions options_;
};

}  // namespace synthdata::models

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/tabular/ctgan_impl.hpp>
#endif
