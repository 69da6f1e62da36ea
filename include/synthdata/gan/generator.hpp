// synthdata/gan/generator.hpp: a net that turns latent vectors into samples.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/gan/condition.hpp>
#include <synthdata/gan/latent.hpp>
#include <synthdata/nn/module.hpp>

namespace synthdata {

/// A net with the latent distribution it is fed from. With classes > 0 it is conditional: the net's input is the latent
/// vector with the one-hot label appended.
template <Module Net, Latent L = NormalLatent>
class Generator {
 public:
  explicit Generator(Net net, L latent = {}, std::int64_t classes = 0)
      : net_(std::move(net)), latent_(std::move(latent)), classes_(classes) {}

  /// Samples from given latent vectors, as part of a graph. `labels` i64 [N] if conditional, else ignored.
  Var operator()(const Var& z, const Tensor& labels, Context& context) const {
    try {
      return forward(net_, classes_ > 0 ? append_labels(z, labels, classes_) : z, context);
    } catch (Error& e) {
      e.add_context("generator");
      throw;
    }
  }

  /// n new samples in inference mode, [n, ...], on the CPU wherever they were made. Made in pieces of `batch_size`.
  /// @throws Error if the generator is conditional: it then needs labels.
  Tensor sample(std::int64_t n, Rng& rng, std::int64_t batch_size = 256) const {
    if (classes_ > 0) throw Error("Generator::sample: this generator is conditional; pass labels");
    return sample_pieces(n, {}, rng, batch_size);
  }
  /// One new sample for each label, i64 [N]. @throws Error if the generator is not conditional.
  Tensor sample(const Tensor& labels, Rng& rng, std::int64_t batch_size = 256) const {
    if (classes_ <= 0) throw Error("Generator::sample: this generator knows no labels");
    return sample_pieces(labels.size(), labels.reshape({-1}), rng, batch_size);
  }

  /// Sets the running statistics of batch norms to their mean over `batches` fresh batches. While a net learns they lag
  /// behind its weights, and averaged weights never had statistics of their own; sampling in inference mode suffers.
  /// Labels, if the generator is conditional, are drawn evenly.
  void refresh_statistics(Rng& rng, std::int64_t batches = 20, std::int64_t batch_size = 128) {
    refresh_statistics(rng, batches, batch_size,
                       [&] { return classes_ > 0 ? random_integers({batch_size}, classes_, rng) : Tensor(); });
  }
  /// The same with labels of one's own: `labels()` gives those of a batch, i64 [batch_size].
  template <class Labels>
  void refresh_statistics(Rng& rng, std::int64_t batches, std::int64_t batch_size, Labels&& labels) {
    const NoGrad inference;
    const OnDevice there(device());
    Context context{.mode = Mode::training, .rng = &rng};
    for (std::int64_t i = 0; i < batches; ++i) {
      context.statistics_momentum = 1.0 / static_cast<double>(i + 1);  // the running value is then the mean so far
      const Tensor asked = labels();
      (*this)(latent_(batch_size, rng), asked, context);
    }
  }

  Net& net() { return net_; }
  const Net& net() const { return net_; }
  /// Where the net computes.
  Device device() const { return device_of(state_of(const_cast<Net&>(net_))); }  // listed as non-const, only read
  const L& latent() const { return latent_; }
  std::int64_t classes() const { return classes_; }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("net", self.net_);
  }

 private:
  Tensor sample_pieces(std::int64_t n, const Tensor& labels, Rng& rng, std::int64_t batch_size) const {
    if (n < 1 || batch_size < 1) {
      throw ShapeError(concat("Generator::sample: expects at least one sample and a batch size of at least one, got ",
                              n, " and ", batch_size));
    }
    const NoGrad inference;
    const OnDevice there(device());
    Context context{.mode = Mode::inference, .rng = &rng};
    Tensor out;
    for (std::int64_t begin = 0; begin < n; begin += batch_size) {
      const std::int64_t end = n - begin < batch_size ? n : begin + batch_size;
      const Tensor z = latent_(end - begin, rng);
      const Tensor asked = labels.defined() ? labels.rows(begin, end).to(z.device()) : labels;
      Tensor piece = (*this)(z, asked, context).value();
      if (end - begin == n && piece.device().is_cpu()) return piece;
      if (!out.defined()) out = Tensor::empty(piece.shape().with(0, n), piece.dtype(), Device::cpu());
      out.rows(begin, end).copy_elements(piece);
    }
    return out;
  }

  Net net_;
  L latent_;
  std::int64_t classes_;
};

}  // namespace synthdata
