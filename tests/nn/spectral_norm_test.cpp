// SPDX-License-Identifier: MIT
#include <synthdata/nn/conv.hpp>
#include <synthdata/nn/linear.hpp>
#include <synthdata/nn/sequential.hpp>
#include <synthdata/nn/spectral_norm.hpp>
#include <synthdata/ops/shape.hpp>

#include <Eigen/SVD>
#include <cmath>

#include "nets.hpp"

namespace sd = synthdata;
namespace {

struct NoWeight {
  sd::Var operator()(const sd::Var& x) const { return x; }
  template <class Self, class Visitor>
  static void visit(Self&, Visitor&&) {}
};
static_assert(sd::WeightLayer<sd::Linear> && sd::WeightLayer<sd::Conv2d> && sd::WeightLayer<sd::ConvTranspose3d>);
static_assert(!sd::WeightLayer<sd::Relu> && !sd::WeightLayer<NoWeight>);
static_assert(sd::Module<sd::SpectralNorm<sd::Linear>> && sd::detail::TakesActivation<sd::SpectralNorm<sd::Linear>>);

double largest_singular_value(const sd::Var& matrix) {
  const sd::Tensor m = matrix.value().to(sd::DType::f64);
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::JacobiSVD<RowMajor>(Eigen::Map<const RowMajor>(m.data<double>(), m.shape(0), m.shape(1)))
      .singularValues()(0);
}

/// After many training passes the weight's matrix, arranged here with one row per output, has norm 1.
template <class Layer>
void check_norm(const Layer& layer, const sd::Tensor& x) {
  sd::Rng rng{4};
  const sd::SpectralNorm normed{layer, rng};
  for (int i = 0; i < 200; ++i) test::run(normed, x, sd::Mode::training);
  sd::Context inference;
  const sd::Var w = normed.weight(inference);
  std::vector<int> order;  // brings the output axis to the front
  for (int k = 0; k < w.rank(); ++k) order.push_back(Layer::output_axis == 0 ? k : (k + w.rank() - 1) % w.rank());
  CHECK(largest_singular_value(sd::flatten(sd::permute(w, order), 1)) == Approx(1.0).epsilon(1e-4));
}

}  // namespace

TEST_CASE("spectral norm makes the largest singular value 1") {
  sd::Rng rng{1};
  check_norm(sd::Linear(7, 5, rng), sd::normal({2, 7}, rng));
  check_norm(sd::Linear(5, 7, rng), sd::normal({2, 5}, rng));
  check_norm(sd::Conv2d(3, 4, {3, 2}, rng), sd::normal({1, 5, 5, 3}, rng));
  check_norm(sd::Conv1d(4, 6, 3, rng, {.groups = 2}), sd::normal({1, 5, 4}, rng));
  check_norm(sd::ConvTranspose2d(3, 4, 3, rng, {.stride = 2}), sd::normal({1, 3, 3, 3}, rng));
}

TEST_CASE("spectral norm starts near the true singular value and keeps it in inference") {
  sd::Rng rng{2};
  const sd::SpectralNorm layer{sd::Linear(6, 6, rng), rng};
  sd::Context inference;
  const sd::Var first = layer.weight(inference);
  CHECK(largest_singular_value(first) == Approx(1.0).epsilon(0.05));
  CHECK(sd::same_bits(first.value(), layer.weight(inference).value()));
}

TEST_CASE("spectral norm moves its vectors by one power iteration in a training pass") {
  sd::Rng rng{3};
  auto layer = test::to_f64(sd::SpectralNorm{sd::Linear(4, 3, rng), rng, {.first_steps = 1}});
  const sd::ModuleState state = sd::state_of(layer);
  REQUIRE(state.buffers.size() == 2);
  CHECK(state.buffers[0].path == "left");
  const sd::Tensor w = state.parameters[0].param->value(), u0 = state.buffers[0].buffer->value().clone();
  test::run(layer, test::normal_f64({1, 4}), sd::Mode::training);
  double v[4] = {}, u[3] = {}, v_length = 0.0, u_length = 0.0;
  for (int j = 0; j < 4; ++j) {
    for (int i = 0; i < 3; ++i) v[j] += w.data<double>()[i * 4 + j] * u0.data<double>()[i];
    v_length += v[j] * v[j];
  }
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 4; ++j) u[i] += w.data<double>()[i * 4 + j] * v[j];
    u_length += u[i] * u[i];
  }
  for (int i = 0; i < 3; ++i) {
    CHECK(state.buffers[0].buffer->value().data<double>()[i] == Approx(u[i] / std::sqrt(u_length)).epsilon(1e-12));
  }
  for (int j = 0; j < 4; ++j) {
    CHECK(state.buffers[1].buffer->value().data<double>()[j] == Approx(v[j] / std::sqrt(v_length)).epsilon(1e-12));
  }
}

TEST_CASE("spectral norm has the derivatives of W / (uᵀ W v) with u and v held") {
  // Finite differences move the weight, so the vectors must not follow: inference holds them.
  sd::Rng rng{5};
  const sd::SpectralNorm linear{sd::Linear(3, 2, rng), rng};
  const auto a = test::check_derivatives(linear, test::normal_f64({2, 3}), sd::Mode::inference);
  CHECK(a.first < 1e-7);
  CHECK(a.second < 1e-6);
  const sd::SpectralNorm conv{sd::Conv2d(2, 2, 2, rng), rng};
  CHECK(test::check_derivatives(conv, test::normal_f64({1, 3, 3, 2}), sd::Mode::inference).first < 1e-7);
}

TEST_CASE("the gradient of a training pass is the one with the new vectors held") {
  sd::Rng rng{6};
  auto layer = test::to_f64(sd::SpectralNorm{sd::Linear(3, 2, rng), rng});
  const sd::Var x = test::normal_f64({2, 3});
  const auto parameters = sd::parameters(layer);
  const sd::Var in_training = sd::grad(sd::sum(sd::square(test::run(layer, x, sd::Mode::training))), parameters[0]);
  const sd::Var held = sd::grad(sd::sum(sd::square(test::run(layer, x, sd::Mode::inference))), parameters[0]);
  CHECK(test::distance(in_training, held) == 0.0);
}

TEST_CASE("a normalised layer still fuses with the activation behind it, bit for bit") {
  sd::Rng rng{7};
  const sd::SpectralNorm layer{sd::Conv2d(2, 5, 3, rng, {.padding = 1}), rng};
  const sd::Sequential net{layer, sd::LeakyRelu{0.1}};
  const sd::Var x = sd::normal({2, 4, 4, 2}, rng);
  std::vector<sd::TraceEntry> trace;
  sd::Context context{.trace = &trace};
  const sd::Var fused = net(x, context);
  CHECK(trace.size() == 1);
  CHECK(sd::same_bits(fused.value(), sd::leaky_relu(test::run(layer, x), 0.1).value()));
}

TEST_CASE("a copy of a normalised layer has its own vectors") {
  sd::Rng rng{8};
  auto layer = sd::SpectralNorm{sd::Linear(3, 3, rng), rng};
  auto copy = layer;
  const sd::Tensor before = sd::state_of(copy).buffers[0].buffer->value().clone();
  for (int i = 0; i < 5; ++i) test::run(layer, sd::normal({1, 3}, rng), sd::Mode::training);
  CHECK(sd::same_bits(before, sd::state_of(copy).buffers[0].buffer->value()));
}
