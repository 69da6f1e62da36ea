// synthdata/tabular/tvae_impl.hpp: bodies of tvae.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/copy.hpp>
#include <synthdata/ops/gather.hpp>
#include <synthdata/ops/reduce.hpp>
#include <synthdata/ops/shape.hpp>
#include <synthdata/optim/optimizer.hpp>
#include <synthdata/tabular/encoded_rows_impl.hpp>
#include <synthdata/tabular/model_file.hpp>
#include <synthdata/tabular/tvae.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace synthdata::models {

SYNTHDATA_INLINE TvaeNet::TvaeNet(const std::vector<EncodedBlock>& blocks, const TvaeOptions& options, Rng& rng)
    : blocks_(blocks),
      latent_(options.latent),
      reconstruction_(options.reconstruction),
      encode0_(blocks.back().begin + blocks.back().width, options.hidden, rng),
      encode1_(options.hidden, options.hidden, rng),
      mean_(options.hidden, options.latent, rng),
      log_variance_(options.hidden, options.latent, rng),
      decode0_(options.latent, options.hidden, rng),
      decode1_(options.hidden, options.hidden, rng),
      row_(options.hidden, blocks.back().begin + blocks.back().width, rng) {
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

  Var total = -0.5 * sum(1.0 + log_variance - square(mu) - exp(log_variance));
  if (!scalars_.empty()) {
    const Tensor places = Tensor::from(scalars_);
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
  for (float& d : deviation_.mutable_value().span<float>()) d = std::clamp(d, 0.01f, 1.0f);
}

SYNTHDATA_INLINE Tensor TvaeNet::decode(const Tensor& latent, Rng& rng) const {
  const NoGrad no_grad;
  Context context;
  Tensor y = row_(decode1_.fused(decode0_.fused(latent, context, fused::relu), context, fused::relu)).value().clone();
  const std::int64_t width = y.shape(1);
  for (std::int64_t row = 0; row < y.shape(0); ++row) {
    float* at = y.data<float>() + row * width;
    for (std::size_t i = 0; i < scalars_.size(); ++i) {
      float& value = at[scalars_[i]];
      value = std::tanh(value) + static_cast<float>(rng.normal()) * deviation_.value().data<float>()[i];
    }
    for (const EncodedBlock& block : blocks_) {
      if (block.kind != BlockKind::one_hot) continue;
      float* begin = at + block.begin;
      const auto largest = std::max_element(begin, begin + block.width) - begin;
      std::fill_n(begin, block.width, 0.0f);
      begin[largest] = 1.0f;
    }
  }
  return y;
}

SYNTHDATA_INLINE Tvae Tvae::fit(const Table& table, const TvaeOptions& options, const TabularTraining& training,
                                const TabularCallback& progress) {
  if (options.hidden < 1 || options.latent < 1 || !(options.reconstruction > 0.0) || !(options.weight_decay >= 0.0) ||
      training.epochs < 0 || training.batch_size < 0 || !(training.learning_rate >= 0.0) || !(training.minutes > 0.0)) {
    throw DataError("Tvae: expects hidden, latent >= 1, reconstruction and minutes > 0, all others >= 0");
  }
  Rng rng = Rng{training.seed}.split(2);
  TableEncoder encoder = TableEncoder::fit(table, options.encoder, Rng{training.seed}.split(1));
  if (encoder.width() == 0) throw DataError("Tvae: the table has no column that can be learnt");
  const Tensor rows = encoder.encode(table, rng);
  const std::int64_t count = rows.shape()[0];
  const std::int64_t batch = std::min<std::int64_t>(count, training.batch_size > 0 ? training.batch_size : 500);
  const std::int64_t epochs = training.epochs > 0 ? training.epochs : 300;
  TvaeNet net(encoder.blocks(), options, rng);
  Optimizer optimizer(state_of(net).parameters, Adam{.weight_decay = options.weight_decay});
  const auto start = std::chrono::steady_clock::now();
  for (std::int64_t epoch = 1; epoch <= epochs; ++epoch) {
    const std::vector<std::int64_t> order = rng.permutation(count);
    double total = 0.0;
    std::int64_t steps = 0;
    for (std::int64_t begin = 0; begin + batch <= count; begin += batch, ++steps) {
      const Tensor some = Tensor::from(std::vector<std::int64_t>(order.begin() + begin, order.begin() + begin + batch));
      Context context{.mode = Mode::training, .rng = &rng};
      const Var loss = net.loss(backend::gather(rows, 0, some), context);
      total += loss.item();
      optimizer.minimize(loss, training.learning_rate > 0.0 ? training.learning_rate : 1e-3);
      net.clamp_deviations();
    }
    total /= static_cast<double>(steps);
    if (!std::isfinite(total)) throw NumericError(concat("Tvae: the loss of epoch ", epoch, " is ", total));
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const bool go_on = !progress || progress({.epoch = epoch, .epochs = epochs, .loss = total, .seconds = seconds});
    if (!go_on || seconds > training.minutes * 60.0) break;
  }
  return {std::move(encoder), std::move(net), options};
}

SYNTHDATA_INLINE Table Tvae::sample(std::int64_t rows, const Conditions& conditions,
                                    const SampleOptions& options) const {
  return detail::sample_encoded(rows, conditions, options, encoder_, [&](std::int64_t n, Rng& rng) {
    return net_.decode(normal({n, net_.latent()}, rng), rng);
  });
}

SYNTHDATA_INLINE Archive Tvae::archive() const {
  Archive archive;
  archive.metadata["format"] = "synthdata tvae 1";
  archive.metadata["model"] = Json(Json::Object{{"hidden", options_.hidden}, {"latent", options_.latent}}).dump();
  encoder_.save(archive, "encoder");
  detail::save_state(archive, "net.", net_);
  return archive;
}

SYNTHDATA_INLINE void Tvae::save(const std::string& path) const { save_safetensors(path, archive()); }

SYNTHDATA_INLINE Tvae Tvae::load(const std::string& path) { return from_archive(detail::load_model_alone(path), path); }

SYNTHDATA_INLINE Tvae Tvae::from_archive(const Archive& archive, const std::string& path) {
  if (archive.text("format") != "synthdata tvae 1")
    throw DataError(concat(path, ": is not a model of Tvae, version 1"));
  const Json json = parse_json(archive.text("model"), {.source = path});
  TvaeOptions options;
  options.hidden = detail::integer_in(json, "hidden", 65536, path);
  options.latent = detail::integer_in(json, "latent", 65536, path);
  TableEncoder encoder = TableEncoder::load(archive, "encoder");
  if (encoder.width() == 0) throw DataError(concat(path, ": the model has no columns"));
  // Weights are looked at before a net of that size is made: a small file cannot ask for a large one.
  const Shape shapes[] = {{options.hidden, encoder.width()}, {options.latent, options.hidden}};
  const char* names[] = {"net.encode0.weight", "net.mean.weight"};
  for (int i = 0; i < 2; ++i) {
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
