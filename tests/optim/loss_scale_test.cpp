#include <synthdata/optim/loss_scale.hpp>

#include <cmath>
#include <limits>

#include "../test.hpp"

using namespace synthdata;

TEST_CASE("a loss scale that is not active is 1 and only divides by the count") {
  LossScale scale(false);
  CHECK(scale.factor() == 1.0);
  std::vector<Tensor> gradients = {Tensor::full({3}, 6.0), Tensor()};
  CHECK(scale.unscale(gradients, 3.0));
  CHECK(gradients[0].data<float>()[2] == 2.0f);
  CHECK(!gradients[1].defined());
}

TEST_CASE("a loss scale is halved when a gradient is not finite, and doubled after many good updates") {
  LossScale scale(true);
  CHECK(scale.factor() == 65536.0);
  std::vector<Tensor> gradients = {Tensor::full({2}, 65536.0), Tensor::full({2}, 131072.0)};
  CHECK(scale.unscale(gradients, 1.0));
  CHECK(gradients[0].data<float>()[0] == 1.0f);
  CHECK(gradients[1].data<float>()[0] == 2.0f);
  for (const float bad : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(), NAN}) {
    std::vector<Tensor> broken = {Tensor::ones({2}), Tensor::full({2}, bad)};
    const double before = scale.factor();
    CHECK(!scale.unscale(broken, 1.0));
    CHECK(scale.factor() == before / 2.0);
  }
  for (std::int64_t i = 0; i < LossScale::patience; ++i) {
    CHECK(scale.factor() == 8192.0);
    std::vector<Tensor> good = {Tensor::ones({2})};
    REQUIRE(scale.unscale(good, 1.0));
  }
  CHECK(scale.factor() == 16384.0);
  CHECK_THROWS_WITH(scale.restore(63, 0), ContainsSubstring("2^63"));
  scale.restore(3, 5);
  CHECK(scale.factor() == 8.0);
}
