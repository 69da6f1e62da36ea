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
#include <synthdata/tabular/encoded_rows_impl.hpp>
#include <synthdata/tabular/model_file.hpp>

#include <chrono>

namespace synthdata::models {

namespace detail {

/// Batches of encoded rows for labels drawn evenly; without discrete columns any rows.
class LabelledRows {
 public:
  LabelledRows(const Tensor& rows, const CategoryLabels& labels, std::int64_t batch, std::uint64_t seed)
      : rows_(rows), labels_(labels), batch_(batch), state_{.seed = seed} {}

  Batch next() {
    Rng rng = Rng{state_.seed}
                  .split(static_cast<std::uint64_t>(state_.epoch))
                  .split(static_cast<std::uint64_t>(state_.position));
    Batch batch;
    std::vector<std::int64_t> chosen;
    if (labels_.count() > 0) batch.labels = Tensor::empty({batch_}, DType::i64, Device::cpu());
    for (std::int64_t i = 0; i < batch_; ++i) {
      if (labels_.count() == 0) {
        chosen.push_back(rng.below(rows_.shape()[0]));
        continue;
      }
      const std::int64_t label = labels_.draw(rng, true);
      batch.labels.data<std::int64_t>()[i] = label;
      chosen.push_back(labels_.draw_row(label, rng));
    }
    batch.data = backend::gather(rows_, 0, Tensor::from(chosen));
    state_.position += batch_;
    if (state_.position + batch_ > std::max(rows_.shape()[0], batch_)) state_.position = 0, ++state_.epoch;
    return batch;
  }
  SourceState state() const { return state_; }
  void restore(const SourceState& state) { state_ = state; }

 private:
  const Tensor& rows_;
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

SYNTHDATA_INLINE CategoryLabels::CategoryLabels(const std::vector<EncodedBlock>& blocks, const Tensor& rows) {
  list(blocks);
  with_.resize(place_.size());
  const std::int64_t width = rows.shape()[1];
  for (std::size_t label = 0; label < place_.size(); ++label) {
    for (std::int64_t row = 0; row < rows.shape()[0]; ++row) {
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

SYNTHDATA_INLINE Ctgan Ctgan::fit(const Table& table, const CtganOptions& options, const TabularTraining& training,
                                  const TabularCallback& progress) {
  if (options.hidden < 1 || options.latent < 1 || options.pack < 1 || options.critic_steps < 1 ||
      !(options.temperature > 0.0) || !(options.penalty >= 0.0) || training.epochs < 0 || training.batch_size < 0 ||
      !(training.learning_rate >= 0.0) || !(training.minutes > 0.0)) {
    throw DataError(
        "Ctgan: expects hidden, latent, pack and critic_steps >= 1, temperature and minutes > 0, all others >= 0");
  }
  Rng rng = Rng{training.seed}.split(2);
  TableEncoder encoder = TableEncoder::fit(table, options.encoder, Rng{training.seed}.split(1));
  if (encoder.width() == 0) throw DataError("Ctgan: the table has no column that can be learnt");
  const Tensor rows = encoder.encode(table, rng);
  const CategoryLabels labels(encoder.blocks(), rows);
  const std::int64_t wanted = training.batch_size > 0 ? training.batch_size : 500;
  const std::int64_t batch = std::max<std::int64_t>(1, std::min(wanted, rows.shape()[0]) / options.pack) * options.pack;
  const std::int64_t epochs = training.epochs > 0 ? training.epochs : 300;

  Net generator = make_generator(encoder, labels, options, rng);
  const std::int64_t in = options.pack * (encoder.width() + labels.count()), hidden = options.hidden;
  Discriminator critic(
      AnyModule(Sequential(Linear(in, hidden, rng), LeakyRelu{0.2}, Dropout(0.5), Linear(hidden, hidden, rng),
                           LeakyRelu{0.2}, Dropout(0.5), Linear(hidden, 1, rng))),
      {.classes = labels.count(), .pack = options.pack});
  AdversarialTrainer trainer(generator, critic, Wasserstein{},
                             {.critic_steps = options.critic_steps,
                              .learning_rate = training.learning_rate > 0.0 ? training.learning_rate : 2e-4,
                              .generator_rule = Adam{.beta1 = 0.5, .beta2 = 0.9, .weight_decay = 1e-6},
                              .critic_rule = Adam{.beta1 = 0.5, .beta2 = 0.9}});
  trainer.add(GradientPenalty{.weight = options.penalty});
  if (labels.count() > 0) {
    // The cross entropy of the category asked for. temperature * -log of a Gumbel-softmax sample at its place is that
    // on average, as the temperature falls: E max(l + g) - E(l_t + g) = logsumexp(l) - l_t for Gumbel noise g.
    std::vector<std::int64_t> places;
    for (std::int64_t label = 0; label < labels.count(); ++label) places.push_back(labels.place(label));
    const double temperature = options.temperature;
    trainer.add_generator_term([places, temperature](const Var& fake, const Tensor& asked) {
      Tensor at = Tensor::empty({asked.size(), 1}, DType::i64, Device::cpu());
      const Tensor host = asked.to(Device::cpu());
      for (std::int64_t i = 0; i < asked.size(); ++i) {
        at.data<std::int64_t>()[i] = places[static_cast<std::size_t>(host.data<std::int64_t>()[i])];
      }
      return -temperature * mean(log(take_along_axis(fake, at.to(asked.device()), 1) + 1e-36));
    });
  }
  detail::LabelledRows source(rows, labels, batch, rng.next_u64());
  const std::int64_t steps_per_epoch = std::max<std::int64_t>(1, rows.shape()[0] / batch);
  const auto start = std::chrono::steady_clock::now();
  for (std::int64_t epoch = 1; epoch <= epochs; ++epoch) {
    const StepInfo info = trainer.fit(source, {.batch_size = batch, .steps = epoch * steps_per_epoch}, rng);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const bool go_on = !progress || progress({.epoch = epoch,
                                              .epochs = epochs,
                                              .loss = info.critic_loss,
                                              .held_out = info.generator_loss,
                                              .seconds = seconds});
    if (!go_on || seconds > training.minutes * 60.0) break;
  }
  if (labels.count() == 0) {
    generator.refresh_statistics(rng, 20, batch);
  } else {
    generator.refresh_statistics(rng, 20, batch, [&] {  // of the batches that sample() makes
      Tensor asked = Tensor::empty({batch}, DType::i64, Device::cpu());
      for (std::int64_t& label : asked.span<std::int64_t>()) label = labels.draw(rng, false);
      return asked;
    });
  }
  return {std::move(encoder), labels, std::move(generator), options};
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

SYNTHDATA_INLINE Table Ctgan::sample(std::int64_t rows, const Conditions& conditions,
                                     const SampleOptions& options) const {
  const std::int64_t given = label_of(conditions);
  return detail::sample_encoded(rows, conditions, options, encoder_, [&](std::int64_t n, Rng& rng) {
    if (labels_.count() == 0) return generator_.sample(n, rng, n);
    Tensor asked = Tensor::empty({n}, DType::i64, Device::cpu());
    for (std::int64_t& label : asked.span<std::int64_t>()) label = given >= 0 ? given : labels_.draw(rng, false);
    return generator_.sample(asked, rng, n);
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
  // The last layer is looked at before a net of that size is made: a small file cannot ask for a large one.
  const std::int64_t in = options.latent + labels.count() + 2 * options.hidden;
  const Shape last{encoder.width(), in};
  const auto fits = [&](const NamedTensor& t) { return t.tensor.shape() == last; };
  if (std::none_of(archive.tensors.begin(), archive.tensors.end(), fits)) {
    throw DataError(concat(path, ": has no layer ", last, " that makes rows"));
  }
  Rng rng;
  Net generator = make_generator(encoder, labels, options, rng);
  detail::load_state(archive, "generator.", generator);
  return {std::move(encoder), labels, std::move(generator), std::move(options)};
}

}  // namespace synthdata::models
