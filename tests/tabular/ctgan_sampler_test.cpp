// tests/tabular/ctgan_sampler_test.cpp: the generator of a Ctgan as it is sampled, against the net it comes from.
//
// SPDX-License-Identifier: MIT
#include <synthdata/nn/linear.hpp>
#include <synthdata/nn/norm.hpp>
#include <synthdata/nn/residual.hpp>
#include <synthdata/nn/sequential.hpp>
#include <synthdata/tabular/ctgan_sampler.hpp>

#include "../test.hpp"

using namespace synthdata;

namespace {

/// Ctgan's generator without its last layer, which has no weights; batch norms with statistics as after training.
auto generator(std::int64_t in, std::int64_t hidden, std::int64_t width, Rng& rng) {
  const auto residual = [&](std::int64_t n) {
    return Skip(Sequential(Linear(n, hidden, rng), BatchNorm(hidden), Relu{}));
  };
  auto net = Sequential(residual(in), residual(in + hidden), Linear(in + 2 * hidden, width, rng));
  Context context{.mode = Mode::training, .rng = &rng};
  for (int i = 0; i < 30; ++i) forward(net, Var(normal({64, in}, rng, DType::f32, 0.3, 1.5)), context);
  for (const NamedParam& p : state_of(net).parameters) {
    if (p.param->value().rank() == 1) p.param->assign(uniform(p.param->value().shape(), rng, DType::f32, 0.5, 1.5));
  }
  return net;
}

}  // namespace

TEST_CASE("a generator prepared for sampling makes the logits of its net", "[tabular]") {
  for (const std::int64_t labels : {0, 5}) {
    Rng rng{3};
    const std::int64_t latent = 12, width = 21;
    auto net = generator(latent + labels, 20, width, rng);
    const models::detail::CtganSampler sampler(state_of(net), labels, BatchNormOptions{}.epsilon);
    for (const std::int64_t rows : {0, 1, 3, 70}) {
      INFO("labels " << labels << ", rows " << rows);
      const Tensor z = normal({rows, latent}, rng);
      std::vector<std::int64_t> asked;
      Tensor input = Tensor::zeros({rows, latent + labels});
      for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t i = 0; i < latent; ++i) {
          input.data<float>()[row * (latent + labels) + i] = z.data<float>()[row * latent + i];
        }
        if (labels == 0) continue;
        asked.push_back(rng.below(labels));
        input.data<float>()[row * (latent + labels) + latent + asked.back()] = 1.0f;
      }
      Context context{.mode = Mode::inference};
      const Tensor expected = forward(net, Var(input), context).value(), made = sampler(z, asked);
      REQUIRE(made.shape() == expected.shape());
      for (std::int64_t i = 0; i < made.size(); ++i) {
        CHECK(made.data<float>()[i] == Approx(expected.data<float>()[i]).epsilon(1e-4).margin(1e-4));
      }
    }
  }
}
