// Every operation on the device under test against the CPU in f64: value, first and second gradients.
#include "device.hpp"

using namespace test;
using sd::Shape;
using sd::Var;
using Vars = std::vector<Var>;

namespace {

Case unary(const char* name, Var (*f)(const Var&), double low = -2.0, double high = 2.0, int derivatives = 2) {
  return {name, [f](const Vars& v) { return f(v[0]); }, {uniform({3, 7, 5}, low, high)}, derivatives, 1e-3};
}

}  // namespace

TEST_CASE("device: pointwise operations of one operand") {
  compare({
      unary("neg", [](const Var& x) { return -x; }),
      unary("affine", [](const Var& x) { return affine(x, 3.0, -1.0); }),
      unary("exp", sd::exp),
      unary("expm1", sd::expm1),
      unary("log", sd::log, 0.2, 3.0),
      unary("log1p", sd::log1p, -0.5, 3.0),
      unary("sqrt", sd::sqrt, 0.2, 3.0),
      unary("rsqrt", sd::rsqrt, 0.2, 3.0),
      unary("square", sd::square),
      unary("reciprocal", sd::reciprocal, 0.3, 3.0),
      unary("abs", sd::abs, 0.1, 2.0),
      unary("sign", sd::sign, 0.1, 2.0, 1),
      unary("sin", sd::sin),
      unary("cos", sd::cos),
      unary("erf", sd::erf),
      unary("round", sd::round, 0.1, 0.4, 1),
      unary("clamp", [](const Var& x) { return clamp(x, -1.0, 1.0); }),
      unary(
          "pow", [](const Var& x) { return pow(x, 3.0); }, 0.3, 2.0),
      unary(
          "pow of half", [](const Var& x) { return pow(x, 0.5); }, 0.3, 2.0),
      unary("relu", sd::relu),
      unary("leaky_relu", [](const Var& x) { return leaky_relu(x, 0.2); }),
      unary("elu", [](const Var& x) { return elu(x, 1.3); }),
      unary("selu", sd::selu),
      unary("gelu", sd::gelu),
      unary("silu", sd::silu),
      unary("tanh", sd::tanh),
      unary("sigmoid", sd::sigmoid),
      unary("softplus", sd::softplus),
      unary(
          "1 / x", [](const Var& x) { return 2.0 / x; }, 0.3, 3.0),
      unary(
          "straight_through", [](const Var& x) { return straight_through(round(x), x); }, 0.1, 0.4),
  });
}

TEST_CASE("device: pointwise operations of two operands, broadcast in every way") {
  const std::vector<std::pair<Shape, Shape>> shapes = {
      {{4, 3, 8}, {4, 3, 8}},
      {{4, 3, 8}, {8}},
      {{4, 3, 8}, {3, 1}},
      {{4, 1, 8}, {1, 3, 1}},
      {{5}, {}},
      {{}, {2, 3}},
      {{2, 1, 3, 1, 2, 4}, {5, 1, 2, 1, 4}},
      {{1}, {7, 1}},
      {{0, 3}, {3}},
  };
  using Binary = Var (*)(const Var&, const Var&);
  const std::vector<std::pair<const char*, Binary>> functions = {
      {"add", sd::add},
      {"sub", sd::sub},
      {"mul", sd::mul},
      {"div", sd::div},
      {"maximum", sd::maximum},
      {"minimum", sd::minimum},
      {"pow", [](const Var& a, const Var& b) { return pow(a, b); }},
  };
  for (const auto& [a, b] : shapes) {
    for (const auto& [name, f] : functions) {
      compare({name,
               [f = f](const Vars& v) { return f(v[0], v[1]); },
               {uniform(a, 0.5, 2.0, 1), uniform(b, 0.5, 2.0, 2)},
               2,
               1e-3});
    }
  }
  const Inputs two = {normal({4, 6}, 1), normal({4, 6}, 2)};
  compare({
      {"greater", [](const Vars& v) { return v[0] > v[1]; }, two, 0},
      {"greater or equal", [](const Vars& v) { return v[0] >= v[1]; }, two, 0},
      {"less", [](const Vars& v) { return v[0] < v[1]; }, two, 0},
      {"less or equal", [](const Vars& v) { return v[0] <= v[1]; }, two, 0},
      {"equal", [](const Vars& v) { return equal(v[0], v[0]) + equal(v[0], v[1]); }, two, 0},
      {"not_equal", [](const Vars& v) { return not_equal(v[0], v[1]); }, two, 0},
      {"where", [](const Vars& v) { return where(v[0] > v[1], v[0] * v[1], v[1]); }, two},
      {"a number and a tensor", [](const Vars& v) { return 2.0 * v[0] - maximum(v[1], Var(0.5)) / 3.0 + 1.0; }, two},
  });
}

TEST_CASE("device: reductions over every choice of axes") {
  const sd::Tensor x = normal({3, 4, 5, 2});
  for (const sd::Axes& axes : {sd::Axes(), sd::Axes{0}, sd::Axes{1}, sd::Axes{-1}, sd::Axes{0, 1}, sd::Axes{1, 3},
                               sd::Axes{0, 2}, sd::Axes{0, 1, 2}}) {
    compare({
        {"sum", [=](const Vars& v) { return sum(square(v[0]), axes); }, {x}},
        {"mean", [=](const Vars& v) { return mean(square(v[0]), axes); }, {x}},
        {"var", [=](const Vars& v) { return var(v[0], axes); }, {x}},
        {"max", [=](const Vars& v) { return max(v[0], axes) * 2.0; }, {x}},
        {"min", [=](const Vars& v) { return min(v[0], axes); }, {x}},
        {"logsumexp", [=](const Vars& v) { return logsumexp(v[0], axes); }, {x}},
        {"norm", [=](const Vars& v) { return norm(v[0], axes); }, {x}},
    });
  }
  compare({
      {"a long row", [](const Vars& v) { return sum(v[0]); }, {uniform({30011}, 0.0, 1.0)}, 1},
      {"many rows", [](const Vars& v) { return sum(v[0], 1); }, {normal({700, 33})}, 1},
      {"long rows", [](const Vars& v) { return sum(v[0], 1); }, {normal({3, 9001})}, 1},
      {"tall columns", [](const Vars& v) { return sum(v[0], 0); }, {normal({5003, 3})}, 1},
      {"wide columns", [](const Vars& v) { return sum(v[0], 0); }, {normal({300, 70})}, 1},
      {"sum_to",
       [](const Vars& v) {
         return sum_to(square(v[0]), Shape{4, 1, 2});
       },
       {x}},
      {"broadcast_to",
       [](const Vars& v) {
         return square(broadcast_to(v[0], Shape{3, 4, 5}));
       },
       {normal({4, 1})}},
      {"argmax", [](const Vars& v) { return Var(argmax(v[0].value(), 1)); }, {x}, 0},
      {"argmax of the last axis", [](const Vars& v) { return Var(argmax(v[0].value(), -1)); }, {x}, 0},
      {"cumsum", [](const Vars& v) { return cumsum(square(v[0]), 1); }, {x}},
      {"cumsum reversed", [](const Vars& v) { return cumsum(v[0], -1, {.reverse = true}); }, {x}},
  });
}

TEST_CASE("device: operations that move elements") {
  const sd::Tensor x = normal({3, 4, 6, 2});
  const auto squared = [](auto f) { return [f](const Vars& v) { return square(f(v[0])); }; };
  compare({
      {"reshape",
       squared([](const Var& v) {
         return reshape(v, {6, -1});
       }),
       {x}},
      {"flatten", squared([](const Var& v) { return flatten(v); }), {x}},
      {"expand_dims", squared([](const Var& v) { return squeeze(expand_dims(v, 1), 1); }), {x}},
      {"permute",
       squared([](const Var& v) {
         return permute(v, {2, 0, 3, 1});
       }),
       {x}},
      {"transpose", squared([](const Var& v) { return transpose(v); }), {x}},
      {"slice", squared([](const Var& v) { return slice(v, 2, 1, 6, 2); }), {x}},
      {"slice of whole rows", squared([](const Var& v) { return slice(v, 0, 1, 3); }), {x}},
      {"concat",
       [](const Vars& v) {
         return square(sd::concat({v[0], 2.0 * v[0]}, 1));
       },
       {x}},
      {"stack",
       [](const Vars& v) {
         return sd::square(sd::stack({v[0], v[0]}, 2));
       },
       {normal({3, 4})}},
      {"split",
       [](const Vars& v) {
         return sd::split(v[0], 2, {2, 4})[1] * sum(sd::split(v[0], 1, 2)[0]);
       },
       {x}},
      {"pad",
       [](const Vars& v) {
         return square(pad(v[0], {{1, 2}, {0, 3}}, 0.5));
       },
       {normal({3, 4})}},
      {"flip", squared([](const Var& v) { return flip(v, 1); }), {x}},
      {"tile", squared([](const Var& v) { return tile(v, 1, 3); }), {normal({3, 4, 2})}},
      {"repeat", squared([](const Var& v) { return repeat(v, 1, 3); }), {normal({3, 4, 2})}},
      {"pixel_shuffle", squared([](const Var& v) { return pixel_shuffle(v, 2); }), {normal({2, 3, 3, 8})}},
      {"pixel_unshuffle", squared([](const Var& v) { return pixel_unshuffle(v, 2); }), {normal({2, 4, 4, 3})}},
  });
}

TEST_CASE("device: gather and scatter") {
  const sd::Tensor rows = index({2, 0, 2, 1}, {4}), along = index({0, 2, 1, 1, 0, 2}, {2, 3});
  compare({
      {"gather", [](const Vars& v) { return square(gather(v[0], 1, v[1])); }, {normal({2, 3, 5}), rows}},
      {"scatter_add",
       [](const Vars& v) {
         return square(scatter_add(Shape{2, 3, 5}, 1, v[1], v[0]));
       },
       {normal({2, 4, 5}), rows}},
      {"take_along_axis",
       [](const Vars& v) { return square(take_along_axis(v[0], v[1], 1)); },
       {normal({2, 4}), along}},
      {"scatter_along_axis",
       [](const Vars& v) {
         return square(scatter_along_axis(Shape{2, 4}, v[1], 1, v[0]));
       },
       {normal({2, 3}), along}},
      {"one_hot", [](const Vars& v) { return one_hot(v[0], 4); }, {rows}, 0},
      {"embedding", [](const Vars& v) { return square(embedding(v[0], v[1])); }, {normal({3, 6}), along}},
      {"embedding_bag", [](const Vars& v) { return square(embedding_bag(v[0], v[1])); }, {normal({3, 6}), along}},
      {"scatter_bag", [](const Vars& v) { return square(scatter_bag(3, v[1], v[0])); }, {normal({2, 6}), along}},
  });
}

TEST_CASE("device: products") {
  const auto product = [](sd::MatmulOptions o) { return [o](const Vars& v) { return matmul(v[0], v[1], o); }; };
  compare({
      {"matmul", product({}), {normal({5, 7}, 1), normal({7, 3}, 2)}},
      {"a transposed", product({.transpose_a = true}), {normal({7, 5}, 1), normal({7, 3}, 2)}},
      {"b transposed", product({.transpose_b = true}), {normal({5, 7}, 1), normal({3, 7}, 2)}},
      {"both", product({.transpose_a = true, .transpose_b = true}), {normal({7, 5}, 1), normal({3, 7}, 2)}},
      {"batched", product({}), {normal({2, 3, 4, 5}, 1), normal({2, 3, 5, 2}, 2)}},
      {"batch broadcast", product({}), {normal({2, 1, 4, 5}, 1), normal({3, 5, 2}, 2)}},
      {"rows of a slice",
       [](const Vars& v) { return matmul(Var(v[0].value().rows(1, 4)), v[1]); },
       {normal({5, 7}, 1), normal({7, 3}, 2)},
       0},
      {"no inner elements", product({}), {normal({2, 0}, 1), normal({0, 3}, 2)}, 1},
      {"linear",
       [](const Vars& v) { return linear(v[0], v[1], v[2]); },
       {normal({6, 5}, 1), normal({4, 5}, 2), normal({4}, 3)}},
      {"linear without bias",
       [](const Vars& v) { return linear(v[0], v[1], {}); },
       {normal({6, 5}, 1), normal({4, 5}, 2)}},
      {"linear of three axes",
       [](const Vars& v) { return linear(v[0], v[1], v[2]); },
       {normal({2, 3, 5}, 1), normal({4, 5}, 2), normal({4}, 3)}},
  });
  for (const sd::Activation& act : {sd::fused::relu, sd::fused::leaky_relu(0.1), sd::fused::tanh, sd::fused::sigmoid}) {
    compare({"linear with activation",
             [act](const Vars& v) { return linear(v[0], v[1], v[2], act); },
             {normal({6, 5}, 1), normal({4, 5}, 2), normal({4}, 3)}});
    compare({"linear with activation, without bias",
             [act](const Vars& v) { return linear(v[0], v[1], {}, act); },
             {normal({6, 5}, 1), normal({4, 5}, 2)}});
  }
}

TEST_CASE("device: convolutions of one to three axes") {
  const auto forward = [](sd::ConvOptions o) {
    return [o](const Vars& v) { return sd::conv(v[0], v[1], v.size() > 2 ? v[2] : Var(), o); };
  };
  const auto transposed = [](sd::ConvTransposeOptions o) {
    return [o](const Vars& v) { return sd::conv_transpose(v[0], v[1], v.size() > 2 ? v[2] : Var(), o); };
  };
  compare({
      {"conv1d", forward({.stride = 2, .padding = 1}), {normal({2, 9, 3}, 1), normal({4, 3, 3}, 2), normal({4}, 3)}},
      {"conv2d", forward({.padding = 1}), {normal({2, 5, 6, 3}, 1), normal({4, 3, 3, 3}, 2), normal({4}, 3)}},
      {"conv2d, stride and dilation",
       forward({.stride = 2, .padding = 2, .dilation = 2}),
       {normal({2, 7, 6, 3}, 1), normal({4, 3, 2, 3}, 2)}},
      {"conv2d, groups", forward({.padding = 1, .groups = 2}), {normal({2, 5, 4, 4}, 1), normal({6, 3, 3, 2}, 2)}},
      {"conv2d, depthwise", forward({.padding = 1, .groups = 4}), {normal({2, 5, 4, 4}, 1), normal({4, 3, 3, 1}, 2)}},
      {"conv2d with activation",
       forward({.stride = 2, .padding = 2, .activation = sd::fused::leaky_relu(0.2)}),
       {normal({2, 6, 6, 2}, 1), normal({3, 5, 5, 2}, 2), normal({3}, 3)}},
      {"conv3d", forward({.padding = 1}), {normal({1, 3, 4, 3, 2}, 1), normal({3, 3, 2, 3, 2}, 2)}},
      {"conv_transpose1d", transposed({.stride = 2}), {normal({2, 5, 3}, 1), normal({3, 4, 2}, 2)}},
      {"conv_transpose2d",
       transposed({.stride = 2, .padding = 2, .output_padding = 1}),
       {normal({2, 3, 4, 3}, 1), normal({3, 5, 5, 2}, 2), normal({2}, 3)}},
      {"conv_transpose2d, groups",
       transposed({.stride = 2, .groups = 2}),
       {normal({2, 3, 3, 4}, 1), normal({4, 3, 3, 3}, 2)}},
      {"conv_transpose2d with activation",
       transposed({.stride = 2, .padding = 1, .activation = sd::fused::tanh}),
       {normal({2, 3, 3, 2}, 1), normal({2, 4, 4, 3}, 2), normal({3}, 3)}},
      {"conv_transpose3d", transposed({.stride = 2}), {normal({1, 2, 2, 3, 2}, 1), normal({2, 2, 2, 2, 3}, 2)}},
  });
}

TEST_CASE("device: pooling and resizing") {
  const sd::Tensor x = normal({2, 6, 7, 3});
  compare({
      {"max_pool", [](const Vars& v) { return max_pool(v[0], {.kernel = 3, .stride = 2, .padding = 1}); }, {x}},
      {"avg_pool", [](const Vars& v) { return square(avg_pool(v[0], {.kernel = 2, .stride = 2})); }, {x}},
      {"global_avg_pool", [](const Vars& v) { return square(global_avg_pool(v[0])); }, {x}},
      {"global_max_pool", [](const Vars& v) { return square(global_max_pool(v[0])); }, {x}},
      {"resize_nearest",
       [](const Vars& v) { return sd::square(sd::resize_nearest(v[0], {.height = 9, .width = 5})); },
       {x}},
      {"resize_bilinear",
       [](const Vars& v) { return sd::square(sd::resize_bilinear(v[0], {.height = 10, .width = 4})); },
       {x}},
      {"shift_images",
       [](const Vars& v) { return square(shift_images(v[0], v[1].value())); },
       {normal({3, 5, 6, 2}), index({1, -2, 0, 0, -7, 3}, {3, 2})}},
      {"upsample_nearest", [](const Vars& v) { return square(upsample_nearest(v[0], 2)); }, {x}},
      {"avg_pool of three axes",
       [](const Vars& v) { return avg_pool(v[0], {.kernel = 2}); },
       {normal({2, 4, 5, 4, 2})}},
  });
}

TEST_CASE("device: softmax, its kin, and blocks") {
  const sd::Tensor x = normal({5, 12});
  const auto with_rng = [](auto f) {
    return [f](const Vars& v) {
      sd::Rng rng{5};
      return f(v[0], rng);
    };
  };
  compare({
      {"softmax", [](const Vars& v) { return softmax(v[0], -1); }, {x}},
      {"softmax of an inner axis", [](const Vars& v) { return softmax(v[0], 0); }, {x}},
      {"softmax of long rows", [](const Vars& v) { return softmax(v[0], -1); }, {normal({2, 1500})}, 1},
      {"softmax of middling rows", [](const Vars& v) { return softmax(v[0], -1); }, {normal({9, 70})}},
      {"log_softmax", [](const Vars& v) { return log_softmax(v[0], -1); }, {normal({4, 40})}},
      {"gumbel_softmax",
       with_rng([](const Var& v, sd::Rng& rng) { return gumbel_softmax(v, rng, {.temperature = 0.7}); }),
       {x}},
      {"gumbel_softmax_blocks",
       with_rng([](const Var& v, sd::Rng& rng) {
         return gumbel_softmax_blocks(v, std::vector<std::int64_t>{1, 3, 6, 2}, rng, {.temperature = 0.7});
       }),
       {x}},
      {"gumbel_softmax_blocks, long ones",
       with_rng([](const Var& v, sd::Rng& rng) {
         return gumbel_softmax_blocks(v, std::vector<std::int64_t>{20, 1, 19}, rng);
       }),
       {normal({3, 40})}},
      {"gumbel_softmax, hard",
       with_rng([](const Var& v, sd::Rng& rng) {
         return gumbel_softmax_blocks(v, std::vector<std::int64_t>{5, 7}, rng, {.hard = true});
       }),
       {x},
       1},
  });
}

TEST_CASE("device: normalisation with and without an activation") {
  for (const sd::Activation& act :
       {sd::fused::none, sd::fused::relu, sd::fused::leaky_relu(0.2), sd::fused::tanh, sd::fused::sigmoid}) {
    const Inputs x = {normal({4, 3, 5, 6}, 1, 2.0, 1.5), normal({6}, 2), normal({6}, 3)};
    compare({
        {"batch_norm", [=](const Vars& v) { return batch_norm(v[0], v[1], v[2], 1e-5, act); }, x, 2, 2e-3},
        {"layer_norm", [=](const Vars& v) { return layer_norm(v[0], v[1], v[2], 1e-5, act); }, x, 2, 2e-3},
        {"group_norm", [=](const Vars& v) { return group_norm(v[0], 3, v[1], v[2], 1e-5, act); }, x, 2, 2e-3},
        {"instance_norm", [=](const Vars& v) { return instance_norm(v[0], v[1], v[2], 1e-5, act); }, x, 2, 2e-3},
        {"batch_norm_inference",
         [=](const Vars& v) {
           const sd::NoGrad constants;
           const sd::Tensor mean = (v[1] * 0.5).value(), variance = square(v[2]).value();
           const sd::GradMode again(true);
           return batch_norm_inference(v[0], v[1], v[2], mean, variance, 1e-5, act);
         },
         x, 1, 2e-3},
    });
  }
  compare({
      {"many rows",
       [](const Vars& v) { return batch_norm(v[0], {}, {}, 1e-5, {}); },
       {normal({900, 5}, 1, 100.0)},
       1,
       2e-3},
      {"many channels",
       [](const Vars& v) { return batch_norm(v[0], v[1], {}, 1e-5, {}); },
       {normal({6, 300}, 1), normal({300}, 2)},
       1,
       2e-3},
      {"long rows", [](const Vars& v) { return layer_norm(v[0], {}, {}, 1e-5, {}); }, {normal({3, 1500}, 1)}, 1, 2e-3},
      {"short rows", [](const Vars& v) { return layer_norm(v[0], {}, {}, 1e-5, {}); }, {normal({70, 8}, 1)}, 1, 2e-3},
  });
}

TEST_CASE("device: dropout, fused or not") {
  for (const sd::Activation& act : {sd::fused::none, sd::fused::leaky_relu(0.2), sd::fused::tanh}) {
    compare({"dropout",
             [act](const Vars& v) {
               sd::Rng rng{9};
               return dropout(v[0], 0.3, rng, act);
             },
             {normal({3, 211})},
             2,
             1e-3});
  }
}

TEST_CASE("device: losses") {
  const Inputs two = {normal({4, 5}, 1), uniform({4, 5}, 0.0, 1.0, 2)};
  const sd::Tensor labels = index({1, 0, 4, 2}, {4});
  compare({
      {"mse_loss", [](const Vars& v) { return mse_loss(v[0], v[1]); }, two},
      {"l1_loss", [](const Vars& v) { return l1_loss(v[0], v[1]); }, two, 1},
      {"binary_cross_entropy_with_logits", [](const Vars& v) { return binary_cross_entropy_with_logits(v[0], v[1]); },
       two},
      {"cross_entropy", [](const Vars& v) { return cross_entropy(v[0], v[1].value()); }, {normal({4, 5}, 1), labels}},
      {"cross_entropy, smoothed",
       [](const Vars& v) { return cross_entropy(v[0], v[1].value(), {.label_smoothing = 0.1}); },
       {normal({4, 5}, 1), labels}},
  });
}

TEST_CASE("device: random numbers are those of the CPU") {
  if (!has_device()) return void(++skipped_cases());
  for (const sd::DType dtype : {sd::DType::f32, sd::DType::f64}) {
    for (const std::int64_t n : {1, 63, 64, 1000}) {
      const auto draw = [&](sd::Device device) {
        const sd::OnDevice there(device);
        sd::Rng rng{77};
        std::vector<sd::Tensor> out = {sd::uniform({n}, rng, dtype), sd::uniform({n}, rng, dtype, -2.0, 3.0),
                                       sd::normal({n}, rng, dtype, 1.0, 2.0), sd::bernoulli({n}, 0.3, rng, dtype),
                                       sd::random_integers({n}, 10, rng)};
        out.push_back(sd::Tensor::scalar(rng.uniform()));  // both generators moved on by as much
        for (sd::Tensor& t : out) {
          REQUIRE(t.device() == device);
          t = t.to(sd::Device::cpu());
        }
        return out;
      };
      const std::vector<sd::Tensor> cpu = draw(sd::Device::cpu()), gpu = draw(sd::cuda::device(0));
      CHECK(sd::same_bits(cpu[0], gpu[0]));
      CHECK(sd::same_bits(cpu[3], gpu[3]));
      CHECK(sd::same_bits(cpu[4], gpu[4]));
      CHECK(sd::same_bits(cpu[5], gpu[5]));
      CHECK(worst_error(cpu[1].to(sd::DType::f64), gpu[1].to(sd::DType::f64)) < 1e-6);
      CHECK(worst_error(cpu[2].to(sd::DType::f64), gpu[2].to(sd::DType::f64)) < 1e-5);
    }
  }
}
