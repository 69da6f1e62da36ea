// synthdata/tabular/ctgan_impl.hpp: bodies of ctgan.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/copy.hpp>
#include <synthdata/gan/trainer.hpp>
#include <synthdata/nn/dropout.hpp>
#include <synthdata/nn/linear.hpp>
#include <synthdata/nn/norm.hpp>
#include <synthdata/nn/residual.hpp>
#include <synthdata/nn/sequential.hpp>
#include <synthdata/ops/gather.hpp>
#include <synthdata/tabular/ctgan.hpp>
#include <synthdata/tabular/ctgan_sampler_impl.hpp>
#include <synthdata/tabular/encoded_rows_impl.hpp>
#include <synthdata/tabular/model_file.hpp>
#include <synthdata/tabular/training_loop_impl.hpp>

#include <optional>

namespace synthdata::models {

namespace detail {

/// Batches of encoded rows for labels drawn evenly; without discrete columns any rows.
class LabelledRows {
 public:
  /// @param learn  the rows to draw from, in any order
  LabelledRows(const Tensor& rows, const std::vector<std::int64_t>& learn, const CategoryLabels& labels,
               std::int64_t batch, std::uint64_t seed)
      : rows_(rows), learn_(learn), labels_(labels), batch_(batch), state_{.seed = seed} {}

  Batch next() {
    Rng rng = Rng{state_.seed}
                  .split(static_cast<std::uint64_t>(state_.epoch))
                  .split(static_cast<std::uint64_t>(state_.position));
    Batch batch;
    std::vector<std::int64_t> chosen;
    if (labels_.count() > 0) batch.labels = Tensor::empty({batch_}, DType::i64, Device::cpu());
    for (std::int64_t i = 0; i < batch_; ++i) {
      if (labels_.count() == 0) {
        chosen.push_back(learn_[static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(learn_.size())))]);
        continue;
      }
      const std::int64_t label = labels_.draw(rng, true);
      batch.labels.data<std::int64_t>()[i] = label;
      chosen.push_back(labels_.draw_row(label, rng));
    }
    batch.data = backend::gather(rows_, 0, Tensor::from(chosen, Device::cpu()));
    state_.position += batch_;
    if (state_.position + batch_ > std::max(static_cast<std::int64_t>(learn_.size()), batch_))
      state_.position = 0, ++state_.epoch;
    return batch;
  }
  SourceState state() const { return state_; }
  void restore(const SourceState& state) { state_ = state; }

 private:
  const Tensor& rows_;
  const std::vector<std::int64_t>& learn_;
  const CategoryLabels& labels_;
  std::int64_t batch_;
  SourceState state_;
};

}  // namespace detail

SYNTHDATA_INLINE void CategoryLabels::list(const std::vector<EncodedBlock>& blocks) {
  first_ = {0};
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    // What is one-hot beside a number says its mode, and is no category.
    const bool alone = (b == 0 || blocks[b - 1].column != blocks[b].column);
    if (blocks[b].kind != BlockKind::one_hot || !alone) continue;
    for (std::int64_t i = 0; i < blocks[b].width; ++i) place_.push_back(blocks[b].begin + i);
    first_.push_back(count());
  }
}

SYNTHDATA_INLINE CategoryLabels::CategoryLabels(const std::vector<EncodedBlock>& blocks, const Tensor& rows,
                                                const std::vector<std::int64_t>& learn) {
  list(blocks);
  with_.resize(place_.size());
  const std::int64_t width = rows.shape()[1];
  for (std::size_t label = 0; label < place_.size(); ++label) {
    for (const std::int64_t row : learn) {
      if (rows.data<float>()[row * width + place_[label]] == 1.0f)
        with_[label].push_back(static_cast<std::int32_t>(row));
    }
    rows_.push_back(static_cast<double>(with_[label].size()));
  }
}

SYNTHDATA_INLINE std::int64_t CategoryLabels::label_at(std::int64_t place) const {
  const auto found = std::lower_bound(place_.begin(), place_.end(), place);
  return found == place_.end() || *found != place ? -1 : found - place_.begin();
}

SYNTHDATA_INLINE std::int64_t CategoryLabels::draw(Rng& rng, bool even) const {
  const auto column = static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(first_.size()) - 1));
  const auto weight = [&](std::int64_t label) {
    const double rows = rows_[static_cast<std::size_t>(label)];
    return even ? std::log1p(rows) : rows;
  };
  double total = 0.0;
  for (std::int64_t label = first_[column]; label < first_[column + 1]; ++label) total += weight(label);
  double left = static_cast<double>(rng.uniform()) * total;
  std::int64_t drawn = -1;
  for (std::int64_t label = first_[column]; label < first_[column + 1]; ++label) {
    if (weight(label) <= 0.0) continue;
    drawn = label;
    if ((left -= weight(label)) < 0.0) break;
  }
  return drawn;
}

SYNTHDATA_INLINE std::int64_t CategoryLabels::draw_row(std::int64_t label, Rng& rng) const {
  const std::vector<std::int32_t>& rows = with_[static_cast<std::size_t>(label)];
  return rows[static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(rows.size())))];
}

SYNTHDATA_INLINE void CategoryLabels::save(Archive& archive, const std::string& prefix) const {
  if (!rows_.empty()) archive.add(prefix + ".rows", Tensor::from(rows_));
}

SYNTHDATA_INLINE CategoryLabels CategoryLabels::load(const Archive& archive, const std::string& prefix,
                                                     const std::vector<EncodedBlock>& blocks) {
  CategoryLabels labels;
  labels.list(blocks);
  if (labels.place_.empty()) return labels;
  const Tensor& rows = archive.at(prefix + ".rows");
  if (rows.dtype() != DType::f64 || rows.size() != labels.count()) {
    throw DataError(concat("'", prefix, ".rows' is ", rows.str(), ", expected ", labels.count(), " f64"));
  }
  labels.rows_.assign(rows.data<double>(), rows.data<double>() + rows.size());
  for (std::size_t c = 0; c + 1 < labels.first_.size(); ++c) {
    double sum = 0.0;
    for (std::int64_t label = labels.first_[c]; label < labels.first_[c + 1]; ++label) {
      const double one = labels.rows_[static_cast<std::size_t>(label)];
      if (!(one >= 0.0 && one < 1e15)) throw DataError(concat("'", prefix, ".rows': expects counts, got ", one));
      sum += one;
    }
    if (sum <= 0.0) throw DataError(concat("'", prefix, ".rows': a column has no rows"));
  }
  return labels;
}

SYNTHDATA_INLINE Ctgan::Net Ctgan::make_generator(const TableEncoder& encoder, const CategoryLabels& labels,
                                                  const CtganOptions& options, Rng& rng) {
  const auto residual = [&](std::int64_t in) {
    return Skip(Sequential(Linear(in, options.hidden, rng), BatchNorm(options.hidden), Relu{}));
  };
  const std::int64_t in = options.latent + labels.count(), hidden = options.hidden;
  AnyModule net = Sequential(residual(in), residual(in + hidden), Linear(in + 2 * hidden, encoder.width(), rng),
                             RowActivation(encoder.blocks(), options.temperature));
  return Net(std::move(net), NormalLatent{options.latent}, labels.count());
}

namespace detail {

/// The state of a Ctgan in training.
class CtganLearner final : public Learner {
 public:
  CtganLearner(Ctgan start, const Tensor& rows, const std::vector<std::int64_t>& learn, std::int64_t batch,
               const TabularTraining& training, Rng rng)
      : seed_(training.seed),
        batch_(batch),
        steps_(std::max<std::int64_t>(1, static_cast<std::int64_t>(learn.size()) / batch)),
        model_(std::move(start)),
        critic_(make_critic(model_, rng)),
        source_(rows, learn, model_.labels_, batch, rng.next_u64()),
        rng_(rng) {
    move_to(model_.generator_, current_device());
    move_to(critic_, current_device());
    const CtganOptions& options = model_.options_;
    trainer_.emplace(model_.generator_, critic_, Wasserstein{},
                     TrainerOptions{.critic_steps = options.critic_steps,
                                    .learning_rate = training.learning_rate > 0.0 ? training.learning_rate : 2e-4,
                                    .generator_rule = Adam{.beta1 = 0.5, .beta2 = 0.9, .weight_decay = 1e-6},
                                    .critic_rule = Adam{.beta1 = 0.5, .beta2 = 0.9},
                                    .ema_decay = options.average});
    trainer_->add(GradientPenalty{.weight = options.penalty});
    if (model_.labels_.count() == 0) return;
    // The cross entropy of the category asked for. temperature * -log of a Gumbel-softmax sample at its place is that
    // on average, as the temperature falls: E max(l + g) - E(l_t + g) = logsumexp(l) - l_t for Gumbel noise g.
    std::vector<std::int64_t> places;
    for (std::int64_t label = 0; label < model_.labels_.count(); ++label) places.push_back(model_.labels_.place(label));
    const double temperature = options.temperature;
    trainer_->add_generator_term([places, temperature](const Var& fake, const Tensor& asked) {
      Tensor at = Tensor::empty({asked.size(), 1}, DType::i64, Device::cpu());
      const Tensor host = asked.to(Device::cpu());
      for (std::int64_t i = 0; i < asked.size(); ++i) {
        at.data<std::int64_t>()[i] = places[static_cast<std::size_t>(host.data<std::int64_t>()[i])];
      }
      return -temperature * mean(log(take_along_axis(fake, at.to(asked.device()), 1) + 1e-36));
    });
  }

  std::int64_t steps() const { return steps_; }
  std::int64_t parameters() { return parameter_count(model_.generator_) + parameter_count(critic_); }
  double update(std::int64_t /*epoch*/, std::int64_t /*step*/) override {
    const StepInfo info = trainer_->step(source_, rng_);
    generator_loss_ = info.generator_loss;
    return info.critic_loss;
  }
  double end_epoch() override { return generator_loss_; }
  Table sample(std::int64_t rows, std::uint64_t seed) const override {
    return ready(present()).sample(rows, {}, {.seed = seed});
  }
  void keep() override { best_.emplace(present()); }
  void save(Archive& archive, bool kept) const override {
    trainer_->save(archive, source_, rng_);
    if (kept) save_state(archive, "best.", *best_);
  }
  void restore(const Archive& archive, bool kept) override {
    trainer_->load(archive, source_, rng_);
    if (kept) load_state(archive, "best.", best_.emplace(model_.generator_));
  }
  /// The model that was kept, or else the present one.
  Ctgan result(bool kept) const { return ready(kept ? *best_ : present()); }

 private:
  using Critic = Discriminator<AnyModule>;

  static Critic make_critic(const Ctgan& model, Rng& rng) {
    const CtganOptions& options = model.options_;
    const std::int64_t in = options.pack * (model.encoder_.width() + model.labels_.count()), hidden = options.hidden;
    return Critic(
        AnyModule(Sequential(Linear(in, hidden, rng), LeakyRelu{0.2}, Dropout(0.5), Linear(hidden, hidden, rng),
                             LeakyRelu{0.2}, Dropout(0.5), Linear(hidden, 1, rng))),
        {.classes = model.labels_.count(), .pack = options.pack});
  }
  /// What is sampled from now.
  const Ctgan::Net& present() const {
    return model_.options_.average > 0.0 ? trainer_->averaged_generator() : model_.generator_;
  }
  /// A model to sample from: the statistics of its batch norms are those of the batches that sample() makes.
  Ctgan ready(const Ctgan::Net& generator) const {
    const OnDevice host(Device::cpu());
    Ctgan model(model_.encoder_, model_.labels_, generator, model_.options_);
    move_to(model.generator_, Device::cpu());
    Rng rng = Rng{seed_}.split(6);
    model.generator_.refresh_statistics(rng, 20, batch_, [&] {
      if (model.labels_.count() == 0) return Tensor();
      Tensor asked = Tensor::empty({batch_}, DType::i64, Device::cpu());
      for (std::int64_t& label : asked.span<std::int64_t>()) label = model.labels_.draw(rng, false);
      return asked;
    });
    model.prepare();
    return model;
  }

  std::uint64_t seed_;
  std::int64_t batch_, steps_;
  Ctgan model_;
  Critic critic_;
  LabelledRows source_;
  std::optional<AdversarialTrainer<Wasserstein, Ctgan::Net, Critic>> trainer_;
  std::optional<Ctgan::Net> best_;
  double generator_loss_ = 0.0;
  Rng rng_;
};

}  // namespace detail

SYNTHDATA_INLINE TabularMemory Ctgan::memory(std::int64_t width, std::int64_t labels, std::int64_t discrete,
                                             std::int64_t rows, const CtganOptions& options, std::int64_t batch) {
  const std::int64_t hidden = options.hidden, in = options.latent + labels, packed = options.pack * (width + labels);
  const std::int64_t generator = hidden * (in + 1 + in + hidden + 1 + 4) + width * (in + 2 * hidden + 1);
  const std::int64_t critic = hidden * (packed + 1 + hidden + 1 + 1) + 1;
  TabularMemory memory;
  memory.rows = 4 * (width + discrete) * rows;
  memory.weights = 4 * (5 * generator + 3 * critic);
  memory.batch = 4 * (generator + 2 * critic) + 4 * 14 * (width + labels + hidden) * batch;
  return memory;
}

SYNTHDATA_INLINE Ctgan Ctgan::fit(const Table& table, const CtganOptions& options, const TabularTraining& training,
                                  const TabularCallback& progress) {
  detail::check_training(training, "Ctgan");
  if (options.hidden < 1 || options.latent < 1 || options.pack < 1 || options.critic_steps < 1 ||
      !(options.temperature > 0.0) || !(options.penalty >= 0.0) || !(options.average >= 0.0 && options.average < 1.0)) {
    throw DataError(
        "Ctgan: expects hidden, latent, pack and critic_steps >= 1, temperature > 0, penalty >= 0 and average in "
        "[0, 1)");
  }
  if (training.stop == StopRule::loss)
    throw DataError("Ctgan: the losses of a GAN do not say when to stop; the quality does");
  TableEncoder encoder = TableEncoder::fit(table, options.encoder, Rng{training.seed}.split(1));
  if (encoder.width() == 0) throw DataError("Ctgan: the table has no column that can be learnt");
  Archive encoding;
  encoder.save(encoding, "encoder");
  const detail::RowSplit split = detail::split_rows(table.size(), training, false, "Ctgan");
  const auto count = static_cast<std::int64_t>(split.learn.size());
  const CategoryLabels none(encoder.blocks(), Tensor::empty({0, encoder.width()}, DType::f32, Device::cpu()), {});
  const auto memory = [&](std::int64_t batch) {
    return Ctgan::memory(encoder.width(), none.count(), none.columns(), table.size(), options, batch);
  };
  const std::int64_t batch =
      detail::batch_within(training, std::min<std::int64_t>(count, training.batch_size > 0 ? training.batch_size : 500),
                           options.pack, "Ctgan", "smaller hidden layers, fewer rows, categories or modes", memory);
  Rng rng = Rng{training.seed}.split(2);
  const Tensor rows = encoder.encode(table, rng);
  const CategoryLabels labels(encoder.blocks(), rows, split.learn);
  Ctgan start = [&] {
    const OnDevice host(Device::cpu());
    return Ctgan(encoder, labels, make_generator(encoder, labels, options, rng), options);
  }();
  detail::CtganLearner learner(std::move(start), rows, split.learn, batch, training, rng);
  const bool kept = detail::run_training(learner, detail::training_table(table, split), training,
                                         {.rows = count,
                                          .held_out = static_cast<std::int64_t>(split.held_out.size()),
                                          .epochs = training.epochs > 0 ? training.epochs : 300,
                                          .steps = learner.steps(),
                                          .batch_size = batch,
                                          .parameters = learner.parameters(),
                                          .memory = memory(batch)},
                                         false,
                                         {{"model", "ctgan"},
                                          {"encoder", detail::fingerprint(encoding)},
                                          {"hidden", options.hidden},
                                          {"latent", options.latent},
                                          {"pack", options.pack},
                                          {"critic_steps", options.critic_steps},
                                          {"temperature", options.temperature},
                                          {"penalty", options.penalty},
                                          {"average", options.average}},
                                         "Ctgan", progress);
  return learner.result(kept);
}

SYNTHDATA_INLINE std::int64_t Ctgan::label_of(const Conditions& conditions) const {
  for (const auto& [name, condition] : conditions) {
    if (condition.is_range() || condition.texts().size() != 1) continue;
    const std::vector<EncodedBlock> blocks = encoder_.blocks(name);
    if (blocks.size() != 1 || blocks[0].kind != BlockKind::one_hot) continue;
    Tensor probe = Tensor::zeros({blocks[0].width, encoder_.width()}, DType::f32, Device::cpu());
    for (std::int64_t i = 0; i < blocks[0].width; ++i) {
      probe.data<float>()[i * encoder_.width() + blocks[0].begin + i] = 1.0f;
    }
    const Column values = encoder_.decode(probe)[name];
    for (std::int64_t i = 0; i < blocks[0].width; ++i) {
      if (!values.is_missing(i) && values.cell(i) == condition.texts()[0]) return labels_.label_at(blocks[0].begin + i);
    }
  }
  return -1;
}

SYNTHDATA_INLINE void Ctgan::prepare() {
  sampler_ = detail::CtganSampler(state_of(generator_), labels_.count(), BatchNormOptions{}.epsilon);
}

SYNTHDATA_INLINE Table Ctgan::sample(std::int64_t rows, const Conditions& conditions,
                                     const SampleOptions& options) const {
  const std::int64_t given = label_of(conditions);
  return detail::sample_encoded(rows, conditions, options, encoder_, [&](std::int64_t n, Rng& rng) {
    std::vector<std::int64_t> asked(static_cast<std::size_t>(labels_.count() > 0 ? n : 0));
    for (std::int64_t& label : asked) label = given >= 0 ? given : labels_.draw(rng, false);
    Tensor made = sampler_(generator_.latent()(n, rng), asked);
    detail::draw_encoded(made, encoder_.blocks(), rng);
    return made;
  });
}

SYNTHDATA_INLINE Archive Ctgan::archive() const {
  Archive archive;
  archive.metadata["format"] = "synthdata ctgan 1";
  archive.metadata["model"] =
      Json(
          Json::Object{{"hidden", options_.hidden}, {"latent", options_.latent}, {"temperature", options_.temperature}})
          .dump();
  encoder_.save(archive, "encoder");
  labels_.save(archive, "labels");
  detail::save_state(archive, "generator.", generator_);
  return archive;
}

SYNTHDATA_INLINE void Ctgan::save(const std::string& path) const { save_safetensors(path, archive()); }

SYNTHDATA_INLINE Ctgan Ctgan::load(const std::string& path) {
  return from_archive(detail::load_model_alone(path), path);
}

SYNTHDATA_INLINE Ctgan Ctgan::from_archive(const Archive& archive, const std::string& path) {
  const OnDevice host(Device::cpu());
  if (archive.text("format") != "synthdata ctgan 1")
    throw DataError(concat(path, ": is not a model of Ctgan, version 1"));
  const Json json = parse_json(archive.text("model"), {.source = path});
  CtganOptions options;
  options.hidden = detail::integer_in(json, "hidden", 65536, path);
  options.latent = detail::integer_in(json, "latent", 65536, path);
  const Json* temperature = json.find("temperature");
  if (!temperature || !temperature->is_number() || !(temperature->number() > 0.0)) {
    throw DataError(concat(path, ": expects a temperature > 0"));
  }
  options.temperature = temperature->number();
  TableEncoder encoder = TableEncoder::load(archive, "encoder");
  if (encoder.width() == 0) throw DataError(concat(path, ": the model has no columns"));
  const CategoryLabels labels = CategoryLabels::load(archive, "labels", encoder.blocks());
  // Weights are looked for before a net of that size is made: a small file cannot ask for a large one.
  const std::int64_t in = options.latent + labels.count(), hidden = options.hidden;
  for (const Shape& layer : {Shape{hidden, in}, Shape{hidden, in + hidden}, Shape{encoder.width(), in + 2 * hidden}}) {
    const auto fits = [&](const NamedTensor& t) { return t.tensor.shape() == layer; };
    if (std::none_of(archive.tensors.begin(), archive.tensors.end(), fits)) {
      throw DataError(concat(path, ": has no layer of weights ", layer));
    }
  }
  Rng rng;
  Net generator = make_generator(encoder, labels, options, rng);
  detail::load_state(archive, "generator.", generator);
  Ctgan model(std::move(encoder), labels, std::move(generator), std::move(options));
  model.prepare();
  return model;
}

}  // namespace synthdata::models
