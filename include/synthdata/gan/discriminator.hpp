// synthdata/gan/discriminator.hpp: a net that scores samples.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/gan/condition.hpp>
#include <synthdata/nn/module.hpp>

namespace synthdata {

struct DiscriminatorOptions {
  std::int64_t classes = 0;  ///< > 0: conditional, one-hot labels are appended to the last axis of the input
  std::int64_t pack = 1;     ///< samples judged together (PacGAN); the net's first layer is that much wider
};

/// A net that gives a raw score (logit) for each sample, or for each pack of samples.
template <Module Net>
class Discriminator {
 public:
  explicit Discriminator(Net net, const DiscriminatorOptions& options = {}) : net_(std::move(net)), options_(options) {
    if (options.pack < 1) throw ShapeError(concat("Discriminator: expects a pack of at least 1, got ", options.pack));
  }

  /// Scores x [N, ...]; `labels` i64 [N] if conditional, else ignored.
  Var operator()(const Var& x, const Tensor& labels, Context& context) const {
    try {
      const Var labelled = options_.classes > 0 ? append_labels(x, labels, options_.classes) : x;
      return forward(net_, synthdata::pack(labelled, options_.pack), context);
    } catch (Error& e) {
      e.add_context("discriminator");
      throw;
    }
  }

  Net& net() { return net_; }
  const Net& net() const { return net_; }
  std::int64_t classes() const { return options_.classes; }
  std::int64_t pack() const { return options_.pack; }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("net", self.net_);
  }

 private:
  Net net_;
  DiscriminatorOptions options_;
};

}  // namespace synthdata
