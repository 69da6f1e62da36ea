// benchmarks/ops_bench.cpp: time of single operations: overhead on a few numbers, and rates on many.
//
//   ops_bench [TAG]         [overhead] [elementwise] [norm] [random] [optimiser]; --benchmark-samples 20 for a quick
//   look
//
// One thread. 65,536 floats fit the second-level cache: 10 us are 0.15 ns a number. Element-wise functions that are ten
// times as slow as their neighbours have fallen out of the vector registers, which compilers do silently.
//
// SPDX-License-Identifier: MIT
#define CATCH_CONFIG_MAIN                 // Catch2 2 makes its own main here
#define CATCH_CONFIG_ENABLE_BENCHMARKING  // and needs to be asked
#include "../tests/test.hpp"

#include <synthdata/synthdata.hpp>

namespace sd = synthdata;

namespace {

struct OneThread {
  OneThread() { sd::set_threads(1); }
};

sd::Tensor random_tensor(const sd::Shape& shape) {
  sd::Rng rng{1};
  return sd::uniform(shape, rng, sd::DType::f32, 0.1, 1.0);
}

}  // namespace

TEST_CASE("overhead of an operation on 16 numbers", "[overhead]") {
  const OneThread one;
  const sd::Tensor x = random_tensor({16});
  const sd::Var p = sd::leaf(random_tensor({16}));
  BENCHMARK("x + x, nothing recorded") { return add(x, x); };
  BENCHMARK("p * p, recorded") { return mul(p, p); };
  BENCHMARK("gradient of the sum of p * p") { return grad(sum(mul(p, p)), p); };
  BENCHMARK("second derivative of the sum of p * p * p") {
    return grad(sum(grad(sum(mul(mul(p, p), p)), p, {.create_graph = true})), p);
  };
  const sd::Tensor small = random_tensor({4, 8}), weight = random_tensor({8, 8});
  BENCHMARK("linear 4 x 8 to 8") { return linear(small, weight); };
  BENCHMARK("a tensor made and dropped") { return sd::Tensor::empty({16}); };
}

TEST_CASE("element-wise functions of 65,536 numbers", "[elementwise]") {
  const OneThread one;
  const sd::Var x = random_tensor({65536}), y = random_tensor({65536});
#define ROW(expression) \
  BENCHMARK(#expression) { return expression; }
  ROW(x + y);
  ROW(x * y);
  ROW(x / y);
  ROW(pow(x, y));
  ROW(pow(x, 3.0));
  ROW(maximum(x, y));
  ROW(where(x > y, x, y));
  ROW(exp(x));
  ROW(expm1(x));
  ROW(log(x));
  ROW(log1p(x));
  ROW(sqrt(x));
  ROW(rsqrt(x));
  ROW(sin(x));
  ROW(cos(x));
  ROW(erf(x));
  ROW(abs(x));
  ROW(round(x));
  ROW(clamp(x, 0.2, 0.8));
  ROW(relu(x));
  ROW(leaky_relu(x));
  ROW(elu(x));
  ROW(selu(x));
  ROW(gelu(x));
  ROW(silu(x));
  ROW(tanh(x));
  ROW(sigmoid(x));
  ROW(softplus(x));
#undef ROW
}

TEST_CASE("norms, softmax, reductions", "[norm]") {
  const OneThread one;
  sd::Rng rng{1};
  const sd::Var image = random_tensor({128, 7, 7, 128}), wide = random_tensor({128, 12544}),
                row = random_tensor({512, 160});
  BENCHMARK("batch_norm [128, 7, 7, 128]") { return batch_norm(image); };
  BENCHMARK("batch_norm [128, 12544]") { return batch_norm(wide); };
  BENCHMARK("layer_norm [128, 7, 7, 128]") { return layer_norm(image); };
  BENCHMARK("instance_norm [128, 7, 7, 128]") { return instance_norm(image); };
  BENCHMARK("softmax [512, 160]") { return softmax(row); };
  const std::vector<std::int64_t> blocks(20, 8);
  BENCHMARK("gumbel_softmax_blocks [512, 20 x 8]") { return gumbel_softmax_blocks(row, blocks, rng); };
  BENCHMARK("sum [128, 12544] to one") { return sum(wide); };
  BENCHMARK("sum [128, 12544] over rows") { return sum(wide, 0); };
  BENCHMARK("transpose [128, 12544]") { return transpose(wide); };
  BENCHMARK("dropout [128, 12544]") { return dropout(wide, 0.3, rng); };
  const sd::Var leaf_image = sd::leaf(image.value()), leaf_wide = sd::leaf(wide.value());
  BENCHMARK("batch_norm [128, 7, 7, 128], gradient") { return grad(sum(batch_norm(leaf_image)), leaf_image); };
  BENCHMARK("batch_norm [128, 12544], gradient") { return grad(sum(batch_norm(leaf_wide)), leaf_wide); };
}

TEST_CASE("65,536 random numbers", "[random]") {
  const OneThread one;
  sd::Rng rng{1};
  BENCHMARK("uniform") { return sd::uniform({65536}, rng); };
  BENCHMARK("normal") { return sd::normal({65536}, rng); };
}

TEST_CASE("an update of 65,536 weights", "[optimiser]") {
  const OneThread one;
  sd::Rng rng{1};
  sd::Linear layer(256, 256, rng, {.bias = false});
  const std::vector<sd::Tensor> gradients{random_tensor({256, 256})};
  const auto measure = [&](const char* name, const sd::AnyRule& rule) {
    sd::Optimizer optimizer(sd::state_of(layer).parameters, rule);
    BENCHMARK(name) {
      optimizer.step(gradients, 1e-4);
      return 0;
    };
  };
  measure("sgd", sd::Sgd{});
  measure("adam", sd::Adam{});
  measure("adamw", sd::AdamW{});
  measure("rmsprop", sd::RmsProp{});
}
