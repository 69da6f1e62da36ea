// synthdata/tabular/tvae_impl.hpp: bodies of tvae.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/copy.hpp>
#include <synthdata/ops/gather.hpp>
#include <synthdata/ops/reduce.hpp>
#include <synthdata/ops/shape.hpp>
#include <synthdata/optim/ema.hpp>
#include <synthdata/optim/optimizer.hpp>
#include <synthdata/tabular/encoded_rows_impl.hpp>
#include <synthdata/tabular/model_file.hpp>
#include <synthdata/tabular/training_loop_impl.hpp>
#include <synthdata/tabular/tvae.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

namespace synthdata::models {

SYNTHDATA_INLINE TvaeNet::TvaeNet(const std::vector<EncodedBlock>& blocks, const TvaeOptions& options, Rng& rng)
    : blocks_(blocks),
      reconstruction_(options.reconstruction),
      least_deviation_(options.least_deviation),
      encode0_(blocks.back().begin + blocks.back().width, options.hidden, rng),
      encode1_(options.hidden, options.hidden, rng),
      mean_(options.hidden, options.latent, rng),
      log_variance_(options.hidden, options.latent, rng),
      decode0_(options.latent, options.hidden, rng),
      decode1_(options.hidden, options.hidden, rng),
      row_(options.hidden, blocks.back().begin + blocks.back().width, rng),
      prior_(options.components, options.latent, rng) {
  for (const EncodedBlock& block : blocks_) {
    if (block.kind == BlockKind::code) {
      throw DataError(concat("Tvae: column ", in_quotes(block.column), " is encoded as a code, which no net can make"));
    }
    if (block.kind != BlockKind::one_hot) scalars_.push_back(block.begin);
  }
  if (!scalars_.empty()) deviation_ = Param(Tensor::full({static_cast<std::int64_t>(scalars_.size())}, 0.1));
}

SYNTHDATA_INLINE Var TvaeNet::loss(const Tensor& rows, Context& context) const {
  const auto count = static_cast<double>(rows.shape(0));
  const Var h = encode1_.fused(encode0_.fused(rows, context, fused::relu), context, fused::relu);
  const Var mu = mean_(h), log_variance = log_variance_(h);
  const Var z = mu + normal(mu.shape(), context.random("Tvae")) * exp(0.5 * log_variance);
  const Var y = row_(decode1_.fused(decode0_.fused(z, context, fused::relu), context, fused::relu));

  // log q(z | row), its noise in the mean, - log p(z)
  const double entropy = 0.5 * (1.0 + std::log(2.0 * std::numbers::pi)) * static_cast<double>(mu.shape(1)) * count;
  Var total = -0.5 * sum(log_variance) - sum(prior_.log_prob(z)) - entropy;
  if (!scalars_.empty()) {
    const Tensor places = Tensor::from(scalars_, rows.device());
    const Var apart = gather(rows, 1, places) - tanh(gather(y, 1, places));
    const Var likely = sum(square(apart / deviation_)) * 0.5 + sum(log(deviation_)) * count;
    total = total + reconstruction_ * likely;
  }
  // -log softmax at the one-hot's place, block after block.
  for (const EncodedBlock& block : blocks_) {
    if (block.kind != BlockKind::one_hot) continue;
    const Var logits = slice(y, 1, block.begin, block.begin + block.width);
    const Var target = slice(rows, 1, block.begin, block.begin + block.width);
    total = total + reconstruction_ * (sum(logsumexp(logits, 1)) - sum(logits * target));
  }
  return total / count;
}

SYNTHDATA_INLINE void TvaeNet::clamp_deviations() {
  if (!deviation_.defined()) return;
  deviation_.assign(clamp(Var(deviation_.value()), least_deviation_, 1.0).value());
}

SYNTHDATA_INLINE Tensor TvaeNet::decode(const Tensor& latent, Rng& rng) const {
  const NoGrad no_grad;
  Context context;
  Tensor y = row_(decode1_.fused(decode0_.fused(latent, context, fused::relu), context, fused::relu)).value().clone();
  detail::draw_encoded(y, blocks_, rng);
  const auto numbers = static_cast<std::int64_t>(scalars_.size());
  if (numbers == 0) return y;
  const Tensor noise = normal({y.shape(0), numbers}, rng);
  const float* const deviation = deviation_.value().data<float>();
  for (std::int64_t row = 0; row < y.shape(0); ++row) {
    const float* const by = noise.data<float>() + row * numbers;
    float* const to = y.data<float>() + row * y.shape(1);
    for (std::int64_t i = 0; i < numbers; ++i) to[scalars_[static_cast<std::size_t>(i)]] += by[i] * deviation[i];
  }
  return y;
}

namespace detail {

/// The state of a Tvae in training.
class TvaeLearner final : public Learner {
 public:
  TvaeLearner(Tvae start, const Tensor& rows, BatchRows batches, std::vector<std::int64_t> held_out, double rate,
              const Rng& rng)
      : rows_(rows),
        batches_(std::move(batches)),
        held_out_(std::move(held_out)),
        model_(std::move(start)),
        rate_(rate),
        rng_(rng) {
    move_to(model_.net_, current_device());
    state_ = state_of(model_.net_);
    if (model_.options_.average > 0.0) {
      average_.emplace(model_.net_);
      average_state_ = state_of(*average_);
      ema_.emplace(model_.options_.average);
    }
    optimizer_.emplace(state_.parameters, Adam{.weight_decay = model_.options_.weight_decay});
  }

  std::int64_t parameters() const { return synthdata::detail::count_values(state_); }
  double update(std::int64_t epoch, std::int64_t step) override {
    Context context{.mode = Mode::training, .rng = &rng_};
    const Var loss = model_.net_.loss(take(batches_(epoch, step)), context);
    const double value = loss.item();
    optimizer_->minimize(loss, rate_);
    model_.net_.clamp_deviations();
    if (ema_) ema_->update(average_state_, state_);
    return value;
  }
  double end_epoch() override {
    if (held_out_.empty()) return std::numeric_limits<double>::quiet_NaN();
    const NoGrad no_grad;
    Rng same{held_out_.size()};  // the same latent noise after every epoch
    Context context{.rng = &same};
    double total = 0.0;
    const auto batch = static_cast<std::size_t>(batches_.size());  // as in training: memory of the same sizes is used
    for (std::size_t begin = 0; begin < held_out_.size(); begin += batch) {
      const std::size_t end = std::min(held_out_.size(), begin + batch);
      const std::vector<std::int64_t> some(held_out_.begin() + static_cast<std::ptrdiff_t>(begin),
                                           held_out_.begin() + static_cast<std::ptrdiff_t>(end));
      total += present().loss(take(some), context).item() * static_cast<double>(some.size());
    }
    return total / static_cast<double>(held_out_.size());
  }
  Table sample(std::int64_t rows, std::uint64_t seed) const override {
    return model(present()).sample(rows, {}, {.seed = seed});
  }
  void keep() override { best_.emplace(present()); }
  void save(Archive& archive, bool kept) const override {
    save_state(archive, "net.", model_.net_);
    if (average_) {
      save_state(archive, "average.", *average_);
      synthdata::detail::add_integers(archive, "average_updates", {ema_->updates()});
    }
    if (kept) save_state(archive, "best.", *best_);
    synthdata::detail::add_optimizer(archive, "optimizer.", *optimizer_);
    synthdata::detail::add_rng(archive, rng_);
  }
  void restore(const Archive& archive, bool kept) override {
    load_state(archive, "net.", model_.net_);
    if (average_) {
      load_state(archive, "average.", *average_);
      ema_->restore(synthdata::detail::read_integers(archive, "average_updates", 1)[0]);
    }
    if (kept) load_state(archive, "best.", best_.emplace(model_.net_));
    optimizer_ = synthdata::detail::read_optimizer(archive, "optimizer.", *optimizer_);
    rng_ = synthdata::detail::read_rng(archive);
  }
  /// The model that was kept, or else the present one.
  Tvae result(bool kept) const { return model(kept ? *best_ : present()); }

 private:
  /// What is sampled from now.
  const TvaeNet& present() const { return average_ ? *average_ : model_.net_; }
  Tvae model(TvaeNet net) const {
    move_to(net, Device::cpu());
    return {model_.encoder_, std::move(net), model_.options_};
  }
  Tensor take(const std::vector<std::int64_t>& rows) const {
    return backend::gather(rows_, 0, Tensor::from(rows, Device::cpu())).to(current_device());
  }

  const Tensor& rows_;
  BatchRows batches_;
  std::vector<std::int64_t> held_out_;
  Tvae model_;
  std::optional<TvaeNet> average_, best_;
  ModuleState state_, average_state_;
  std::optional<Ema> ema_;
  std::optional<Optimizer> optimizer_;
  double rate_;
  Rng rng_;
};

}  // namespace detail

SYNTHDATA_INLINE TabularMemory Tvae::memory(std::int64_t width, std::int64_t rows, const TvaeOptions& options,
                                            std::int64_t batch) {
  const std::int64_t hidden = options.hidden, latent = options.latent, components = options.components;
  const std::int64_t prior = components * (2 * latent + 1);
  const std::int64_t weights =
      2 * hidden * (width + hidden + latent) + 4 * hidden + 2 * latent + hidden * latent + 2 * width + prior;
  TabularMemory memory;
  memory.rows = 4 * width * rows;
  memory.weights = 5 * 4 * weights;
  memory.batch = 4 * weights + 4 * (8 * width + 8 * hidden + 13 * latent + 4 * components) * batch;
  return memory;
}

SYNTHDATA_INLINE Tvae Tvae::fit(const Table& table, const TvaeOptions& given, const TabularTraining& training,
                                const TabularCallback& progress) {
  detail::check_training(training, "Tvae");
  TvaeOptions options = given;
  if (options.hidden < 1 || options.latent < 1 || options.components < 1 || !(options.reconstruction > 0.0) ||
      !(options.weight_decay >= 0.0) || !(options.least_deviation > 0.0 && options.least_deviation <= 1.0) ||
      !(options.average >= 0.0 && options.average < 1.0)) {
    throw DataError(
        "Tvae: expects hidden, latent, components >= 1, reconstruction > 0, weight_decay >= 0, "
        "least_deviation in (0, 1] and average in [0, 1)");
  }
  TableEncoder encoder = TableEncoder::fit(table, options.encoder, Rng{training.seed}.split(1));
  if (encoder.width() == 0) throw DataError("Tvae: the table has no column that can be learnt");
  Archive encoding;
  encoder.save(encoding, "encoder");
  const detail::RowSplit split = detail::split_rows(table.size(), training, false, "Tvae");
  const auto count = static_cast<std::int64_t>(split.learn.size());
  options.components = std::clamp<std::int64_t>(count / 50, 1, options.components);
  const auto memory = [&](std::int64_t batch) { return Tvae::memory(encoder.width(), table.size(), options, batch); };
  const std::int64_t batch =
      detail::batch_within(training, std::min<std::int64_t>(count, training.batch_size > 0 ? training.batch_size : 500),
                           1, "Tvae", "smaller hidden layers, fewer rows, categories or modes", memory);
  Rng rng = Rng{training.seed}.split(2);
  const Tensor rows = encoder.encode(table, rng);
  auto start = [&] {
    const OnDevice host(Device::cpu());
    return Tvae(encoder, TvaeNet(encoder.blocks(), options, rng), options);
  }();
  detail::TvaeLearner learner(std::move(start), rows,
                              detail::BatchRows(split.learn, batch, Rng{training.seed}.split(3)), split.held_out,
                              training.learning_rate > 0.0 ? training.learning_rate : 1e-3, rng);
  const bool kept = detail::run_training(learner, detail::training_table(table, split), training,
                                         {.rows = count,
                                          .held_out = static_cast<std::int64_t>(split.held_out.size()),
                                          .epochs = training.epochs > 0 ? training.epochs : 300,
                                          .steps = count / batch,
                                          .batch_size = batch,
                                          .parameters = learner.parameters(),
                                          .memory = memory(batch)},
                                         false,
                                         {{"model", "tvae"},
                                          {"encoder", detail::fingerprint(encoding)},
                                          {"hidden", options.hidden},
                                          {"latent", options.latent},
                                          {"components", options.components},
                                          {"reconstruction", options.reconstruction},
                                          {"weight_decay", options.weight_decay},
                                          {"least_deviation", options.least_deviation},
                                          {"average", options.average}},
                                         "Tvae", progress);
  return learner.result(kept);
}

SYNTHDATA_INLINE Table Tvae::sample(std::int64_t rows, const Conditions& conditions,
                                    const SampleOptions& options) const {
  return detail::sample_encoded(rows, conditions, options, encoder_,
                                [&](std::int64_t n, Rng& rng) { return net_.decode(net_.sample_latent(n, rng), rng); });
}

SYNTHDATA_INLINE Archive Tvae::archive() const {
  Archive archive;
  archive.metadata["format"] = "synthdata tvae 1";
  archive.metadata["model"] =
      Json(Json::Object{{"hidden", options_.hidden}, {"latent", options_.latent}, {"components", options_.components}})
          .dump();
  encoder_.save(archive, "encoder");
  detail::save_state(archive, "net.", net_);
  return archive;
}

SYNTHDATA_INLINE void Tvae::save(const std::string& path) const { save_safetensors(path, archive()); }

SYNTHDATA_INLINE Tvae Tvae::load(const std::string& path) { return from_archive(detail::load_model_alone(path), path); }

SYNTHDATA_INLINE Tvae Tvae::from_archive(const Archive& archive, const std::string& path) {
  const OnDevice host(Device::cpu());
  if (archive.text("format") != "synthdata tvae 1")
    throw DataError(concat(path, ": is not a model of Tvae, version 1"));
  const Json json = parse_json(archive.text("model"), {.source = path});
  TvaeOptions options;
  options.hidden = detail::integer_in(json, "hidden", 65536, path);
  options.latent = detail::integer_in(json, "latent", 65536, path);
  options.components = detail::integer_in(json, "components", 65536, path);
  TableEncoder encoder = TableEncoder::load(archive, "encoder");
  if (encoder.width() == 0) throw DataError(concat(path, ": the model has no columns"));
  // Weights are looked at before a net of that size is made: a small file cannot ask for a large one.
  const Shape shapes[] = {{options.hidden, encoder.width()},
                          {options.hidden, options.hidden},
                          {options.latent, options.hidden},
                          {options.components, options.latent}};
  const char* names[] = {"net.encode0.weight", "net.encode1.weight", "net.mean.weight", "net.prior.mean"};
  for (int i = 0; i < 4; ++i) {
    if (!(archive.at(names[i]).shape() == shapes[i])) {
      throw DataError(concat(path, ": '", names[i], "' is ", archive.at(names[i]).str(), ", expected ", shapes[i]));
    }
  }
  Rng rng;
  TvaeNet net(encoder.blocks(), options, rng);
  detail::load_state(archive, "net.", net);
  return {std::move(encoder), std::move(net), std::move(options)};
}

}  // namespace synthdata::models
