// synthdata/metrics/classify/mlp_classifier_impl.hpp: bodies of classify/mlp_classifier.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/autodiff/grad.hpp>
#include <synthdata/metrics/classify/classifier_impl.hpp>
#include <synthdata/metrics/classify/mlp_classifier.hpp>
#include <synthdata/ops/loss.hpp>
#include <synthdata/ops/softmax.hpp>
#include <synthdata/optim/optimizer.hpp>

#include <algorithm>
#include <cmath>

namespace synthdata {

SYNTHDATA_INLINE MlpClassifier::MlpClassifier(const MlpClassifierOptions& options) : options_(options) {
  if (options.max_epochs < 1 || options.batch_size < 1 || !(options.learning_rate > 0.0) || !(options.penalty >= 0.0) ||
      std::any_of(options.hidden.begin(), options.hidden.end(),
                  [](std::int64_t width) { return width < 1 || width > 1'000'000; })) {
    throw NumericError(
        "mlp: expects hidden widths from 1 to a million, max_epochs >= 1, batch_size >= 1, learning_rate > 0, penalty "
        ">= 0");
  }
}

SYNTHDATA_INLINE void MlpClassifier::fit(const Tensor& x, const Tensor& y) {
  const detail::TrainingRows rows = detail::training_rows(name, x, y);
  width_ = rows.width;
  classes_ = rows.classes;
  const OnDevice cpu(Device::cpu());
  Rng weights_rng = Rng(options_.seed).split(0), order_rng = Rng(options_.seed).split(1);
  std::vector<std::int64_t> widths{width_};
  widths.insert(widths.end(), options_.hidden.begin(), options_.hidden.end());
  widths.push_back(classes_);
  net_.emplace(widths, weights_rng,
               models::MlpOptions{.init = init::glorot_uniform, .bias_init = init::glorot_uniform});
  const ModuleState state = state_of(*net_);
  Optimizer optimizer(state.parameters, Adam{});
  const std::vector<Var> parameters = detail::variables(state);
  const Tensor values = x.to(DType::f32);
  const auto width = static_cast<std::size_t>(width_);
  Context context{.mode = Mode::training};
  double best = std::numeric_limits<double>::infinity();
  std::int64_t waited = 0;
  for (std::int64_t epoch = 0; epoch < options_.max_epochs && waited <= options_.patience; ++epoch) {
    const std::vector<std::int64_t> order = order_rng.permutation(rows.rows);
    double loss_sum = 0.0;
    for (std::int64_t begin = 0; begin < rows.rows; begin += options_.batch_size) {
      const std::int64_t count = std::min(options_.batch_size, rows.rows - begin);
      Tensor batch = Tensor::empty({count, width_}), labels = Tensor::empty({count}, DType::i64);
      for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t row = order[static_cast<std::size_t>(begin + i)];
        std::copy_n(values.data<float>() + row * width_, width, batch.data<float>() + i * width_);
        labels.data<std::int64_t>()[i] = rows.y[row];
      }
      const Var loss = cross_entropy((*net_)(Var(batch), context), labels);
      std::vector<Tensor> gradients;
      for (const Var& gradient : grad(loss, parameters)) gradients.push_back(gradient.value());
      double squares = 0.0;
      for (std::size_t i = 0; i < gradients.size(); ++i) {
        if (gradients[i].rank() != 2) continue;  // biases are not penalised
        if (!gradients[i].unique()) gradients[i] = gradients[i].clone();
        const auto share = static_cast<float>(options_.penalty / static_cast<double>(count));
        const Tensor& weight = parameters[i].value();
        float* g = gradients[i].data<float>();
        const float* w = weight.data<float>();
        for (std::int64_t j = 0; j < weight.size(); ++j) {
          squares += static_cast<double>(w[j]) * static_cast<double>(w[j]);
          g[j] += share * w[j];
        }
      }
      optimizer.step(gradients, options_.learning_rate);
      loss_sum += loss.value().item() * static_cast<double>(count) + 0.5 * options_.penalty * squares;
    }
    const double mean = loss_sum / static_cast<double>(rows.rows);
    if (!std::isfinite(mean)) {
      throw NumericError(concat("mlp: the loss became ", mean, " in epoch ", epoch + 1,
                                "; bring the columns to one scale or lower the learning rate"));
    }
    waited = mean > best - options_.tolerance ? waited + 1 : 0;
    best = std::min(best, mean);
  }
}

SYNTHDATA_INLINE Tensor MlpClassifier::probabilities(const Tensor& x) const {
  detail::rows_to_classify(name, x, width_);
  const OnDevice cpu(Device::cpu());
  Context context;
  Tensor out = Tensor::empty({x.shape(0), classes_}, DType::f64);
  constexpr std::int64_t piece = 4096;
  for (std::int64_t begin = 0; begin < x.shape(0); begin += piece) {
    const std::int64_t end = std::min(begin + piece, x.shape(0));
    const Var logits = (*net_)(Var(x.rows(begin, end).to(DType::f32)), context);
    Tensor part = out.rows(begin, end);
    part.copy_elements(softmax(Var(logits.value().to(DType::f64))).value());
  }
  return out;
}

}  // namespace synthdata
