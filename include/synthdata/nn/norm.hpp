// synthdata/nn/norm.hpp: batch, layer, group and instance normalisation as layers.
//
// All take [..., C] and learn a scale gamma and a shift beta for each channel; a following activation costs no extra
// pass. Batch norm couples the samples of a batch: a critic with a gradient penalty needs LayerNorm or GroupNorm
// instead (Gulrajani et al. 2017, arXiv:1704.00028, section 4).
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/module.hpp>
#include <synthdata/ops/norm.hpp>

namespace synthdata {

struct NormOptions {
  double epsilon = 1e-5;  ///< added to the variance
  bool affine = true;     ///< learn gamma and beta
};

struct BatchNormOptions {
  double momentum = 0.1;  ///< running = (1 - momentum) running + momentum batch
  double epsilon = 1e-5;
  bool affine = true;
};

namespace detail {
/// gamma and beta, both undefined if the norm has none.
struct NormParams {
  NormParams(std::int64_t channels, bool affine) {
    if (!affine) return;
    gamma = Param(Tensor::ones({channels}));
    beta = Param(Tensor::zeros({channels}));
  }
  Param gamma, beta;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("gamma", self.gamma);
    v("beta", self.beta);
  }
};
}  // namespace detail

/// Batch normalisation. In training it uses the statistics of the batch and moves the running ones, which inference
/// uses. The running variance is the unbiased one, as in PyTorch. A training pass sets them through a const layer, so
/// it belongs to one thread. With Context::communicator the statistics are those of all ranks, and the running ones
/// stay alike.   x [..., C], see batch_norm().
class BatchNorm {
 public:
  static constexpr const char* kind = "batch_norm";

  explicit BatchNorm(std::int64_t channels, const BatchNormOptions& options = {})
      : params_(channels, options.affine),
        mean_(Tensor::zeros({channels})),
        variance_(Tensor::ones({channels})),
        options_(options) {}

  Var operator()(const Var& x, Context& context) const { return fused(x, context, {}); }

  Var fused(const Var& x, Context& context, const Activation& activation) const {
    if (!context.training()) {
      return batch_norm_inference(x, params_.gamma, params_.beta, mean_.value(), variance_.value(), options_.epsilon,
                                  activation);
    }
    BatchStatistics batch;
    Var y = batch_norm(x, params_.gamma, params_.beta, options_.epsilon, activation, &batch, context.communicator);
    const double momentum = context.statistics_momentum >= 0.0 ? context.statistics_momentum : options_.momentum;
    follow(mean_, batch.mean, momentum);
    follow(variance_, batch.variance, momentum);
    return y;
  }

  const Tensor& running_mean() const { return mean_.value(); }
  const Tensor& running_variance() const { return variance_.value(); }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    detail::NormParams::visit(self.params_, v);
    v("mean", self.mean_);
    v("variance", self.variance_);
  }

 private:
  static void follow(const Buffer& running, const Tensor& batch, double momentum) {
    const Tensor next = (Var(running.value()) * (1.0 - momentum) + Var(batch) * momentum).value();
    running.set(next);
  }

  detail::NormParams params_;
  Buffer mean_, variance_;
  BatchNormOptions options_;
};

/// Layer normalisation over the last axis.   x [..., C], see layer_norm().
class LayerNorm {
 public:
  static constexpr const char* kind = "layer_norm";

  explicit LayerNorm(std::int64_t channels, const NormOptions& options = {})
      : params_(channels, options.affine), epsilon_(options.epsilon) {}

  Var operator()(const Var& x) const { return layer_norm(x, params_.gamma, params_.beta, epsilon_); }
  Var fused(const Var& x, Context&, const Activation& activation) const {
    return layer_norm(x, params_.gamma, params_.beta, epsilon_, activation);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    detail::NormParams::visit(self.params_, v);
  }

 private:
  detail::NormParams params_;
  double epsilon_;
};

/// Group normalisation; one group normalises each image as a whole.   x [N, ..., C], see group_norm().
class GroupNorm {
 public:
  static constexpr const char* kind = "group_norm";

  GroupNorm(std::int64_t groups, std::int64_t channels, const NormOptions& options = {})
      : params_(channels, options.affine), groups_(groups), epsilon_(options.epsilon) {}

  Var operator()(const Var& x) const { return group_norm(x, groups_, params_.gamma, params_.beta, epsilon_); }
  Var fused(const Var& x, Context&, const Activation& activation) const {
    return group_norm(x, groups_, params_.gamma, params_.beta, epsilon_, activation);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    detail::NormParams::visit(self.params_, v);
  }

 private:
  detail::NormParams params_;
  std::int64_t groups_;
  double epsilon_;
};

/// Instance normalisation.   x [N, spatial..., C], see instance_norm().
class InstanceNorm {
 public:
  static constexpr const char* kind = "instance_norm";

  explicit InstanceNorm(std::int64_t channels, const NormOptions& options = {})
      : params_(channels, options.affine), epsilon_(options.epsilon) {}

  Var operator()(const Var& x) const { return instance_norm(x, params_.gamma, params_.beta, epsilon_); }
  Var fused(const Var& x, Context&, const Activation& activation) const {
    return instance_norm(x, params_.gamma, params_.beta, epsilon_, activation);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    detail::NormParams::visit(self.params_, v);
  }

 private:
  detail::NormParams params_;
  double epsilon_;
};

}  // namespace synthdata
