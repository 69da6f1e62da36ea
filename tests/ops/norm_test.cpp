// SPDX-License-Identifier: MIT
#include <synthdata/ops/check.hpp>
#include <synthdata/ops/norm.hpp>
#include <synthdata/ops/shape.hpp>

#include "../test.hpp"

using namespace synthdata;
using std::int64_t;

namespace {

struct Restore {
  ~Restore() {
    backend::cpu::force_isa(backend::cpu::detect_isa());
    set_threads(0);
  }
};

/// What one of the four normalisations means: x as [samples, rows, channels] with groups of channels.
struct Kind {
  const char* name;
  int64_t samples, rows, channels, groups;
  Shape shape;
};

const Kind kinds[] = {
    {"batch", 1, 2 * 3 * 5, 4, 4, {2, 3, 5, 4}},
    {"batch", 1, 3, 70, 70, {3, 70}},
    {"batch", 1, 2, 1, 1, {2, 1}},
    {"layer", 6, 1, 7, 1, {2, 3, 7}},
    {"layer", 3, 1, 130, 1, {3, 130}},
    {"layer", 2, 1, 1, 1, {2, 1}},
    {"group", 2, 9, 6, 3, {2, 3, 3, 6}},
    {"group", 3, 1, 6, 2, {3, 6}},
    {"group", 2, 4, 6, 1, {2, 4, 6}},
    {"instance", 2, 8, 3, 3, {2, 2, 4, 3}},
    {"instance", 1, 5, 66, 66, {1, 5, 66}},
};

Var apply(const Kind& k, const Var& x, const Var& gamma, const Var& beta, const Activation& act = {}) {
  switch (k.name[0]) {
    case 'b':
      return batch_norm(x, gamma, beta, 1e-5, act);
    case 'l':
      return layer_norm(x, gamma, beta, 1e-5, act);
    case 'g':
      return group_norm(x, k.groups, gamma, beta, 1e-5, act);
    default:
      return instance_norm(x, gamma, beta, 1e-5, act);
  }
}

/// The definition, in plain loops of doubles.
std::vector<double> reference(const Kind& k, const Tensor& x, const Tensor& gamma, const Tensor& beta) {
  const Tensor px = x.to(DType::f64);
  const double* p = px.data<double>();
  std::vector<double> y(static_cast<std::size_t>(x.size()));
  const int64_t width = k.channels / k.groups;
  for (int64_t n = 0; n < k.samples; ++n)
    for (int64_t g = 0; g < k.groups; ++g) {
      const auto at = [&](int64_t r, int64_t c) { return (n * k.rows + r) * k.channels + g * width + c; };
      double mean = 0, variance = 0;
      for (int64_t r = 0; r < k.rows; ++r)
        for (int64_t c = 0; c < width; ++c) mean += p[at(r, c)] / static_cast<double>(k.rows * width);
      for (int64_t r = 0; r < k.rows; ++r)
        for (int64_t c = 0; c < width; ++c)
          variance += std::pow(p[at(r, c)] - mean, 2) / static_cast<double>(k.rows * width);
      for (int64_t r = 0; r < k.rows; ++r)
        for (int64_t c = 0; c < width; ++c) {
          const int64_t channel = g * width + c;
          y[static_cast<std::size_t>(at(r, c))] =
              (p[at(r, c)] - mean) / std::sqrt(variance + 1e-5) * gamma.to(DType::f64).data<double>()[channel] +
              beta.to(DType::f64).data<double>()[channel];
        }
    }
  return y;
}

double worst(const Tensor& a, const Tensor& b) {
  const Tensor pa = a.to(DType::f64), pb = b.to(DType::f64);
  double w = a.shape() == b.shape() ? 0.0 : 1e30;
  for (int64_t i = 0; i < pa.size(); ++i) {
    const double e = std::fabs(pa.data<double>()[i] - pb.data<double>()[i]) / (1 + std::fabs(pb.data<double>()[i]));
    w = e == e ? std::fmax(w, e) : 1e30;
  }
  return w;
}

/// Value and the three gradients of a normalisation, from a fixed gradient of its output.
std::vector<Tensor> everything(const Kind& k, const std::vector<Tensor>& at, const Activation& act, bool recorded) {
  const Var x = leaf(at[0]), gamma = leaf(at[1]), beta = leaf(at[2]);
  const Var y = apply(k, x, gamma, beta, act);
  Rng rng{11};
  const Tensor seed = normal(y.shape(), rng, DType::f64).to(y.dtype());
  std::vector<Tensor> out{y.value()};
  for (const Var& g : grad(y, {x, gamma, beta}, {.create_graph = recorded, .seed = seed})) out.push_back(g.value());
  return out;
}

std::vector<Tensor> operands(const Shape& shape, DType dtype, double offset = 0.5) {
  Rng rng{3};
  const int64_t c = shape.at(-1);
  return {normal(shape, rng, DType::f64, offset, 1.5).to(dtype), uniform({c}, rng, DType::f64, 0.5, 1.5).to(dtype),
          normal({c}, rng, DType::f64).to(dtype)};
}

const Activation activations[] = {fused::none, fused::relu, fused::leaky_relu(0.2), fused::tanh, fused::sigmoid};

}  // namespace

TEST_CASE("normalisations equal their definition") {
  for (const Kind& k : kinds) {
    CAPTURE(k.name, k.shape.str());
    const auto at = operands(k.shape, DType::f64);
    const Tensor y = apply(k, at[0], at[1], at[2]).value();
    const auto expected = reference(k, at[0], at[1], at[2]);
    CHECK(worst(y, Tensor::from(expected, k.shape)) < 1e-12);
    const auto at32 = operands(k.shape, DType::f32);
    CHECK(worst(apply(k, at32[0], at32[1], at32[2]).value(), Tensor::from(expected, k.shape)) < 1e-5);
    const Tensor one = Tensor::ones({k.channels}, DType::f64), zero = Tensor::zeros({k.channels}, DType::f64);
    CHECK(worst(apply(k, at[0], {}, {}).value(), apply(k, at[0], one, zero).value()) < 1e-14);
  }
}

TEST_CASE("normalisations have the right first and second derivatives") {
  for (const Kind& k : kinds) {
    if (k.shape.size() > 130) continue;  // the second order costs the square
    for (const Activation& act : {fused::none, fused::tanh, fused::leaky_relu(0.2)}) {
      CAPTURE(k.name, k.shape.str(), static_cast<int>(act.kind));
      const auto at = operands(k.shape, DType::f64);
      const auto f = [&](const std::vector<Var>& v) { return apply(k, v[0], v[1], v[2], act); };
      CHECK(gradcheck(f, at).worst_relative < 1e-6);
      CHECK(gradgradcheck(f, at).worst_relative < 1e-5);
    }
  }
}

TEST_CASE("fused gradients of normalisations equal the recorded ones") {
  for (const Kind& k : kinds)
    for (const Activation& act : activations)
      for (const DType dtype : {DType::f32, DType::f64}) {
        CAPTURE(k.name, k.shape.str(), static_cast<int>(act.kind), name_of(dtype));
        const auto at = operands(k.shape, dtype);
        const auto fused = everything(k, at, act, false), recorded = everything(k, at, act, true);
        // a variance of a few values can be small, which magnifies rounding
        for (std::size_t i = 0; i < 4; ++i) CHECK(worst(fused[i], recorded[i]) < (dtype == DType::f32 ? 3e-4 : 1e-11));
      }
}

TEST_CASE("an activation fused into a normalisation gives what it gives alone") {
  for (const Kind& k : kinds)
    for (const Activation& act : activations) {
      const auto at = operands(k.shape, DType::f32);
      CAPTURE(k.name, k.shape.str(), static_cast<int>(act.kind));
      CHECK(same_bits(apply(k, at[0], at[1], at[2], act).value(),
                      detail::activated(act, apply(k, at[0], at[1], at[2])).value()));
    }
}

TEST_CASE("normalisations give the same bits for one and two threads, and close ones for every instruction set") {
  const Restore restore;
  const Kind large[] = {{"batch", 1, 16 * 14 * 14, 64, 64, {16, 14, 14, 64}},
                        {"batch", 1, 64, 3000, 3000, {64, 3000}},
                        {"batch", 1, 8 * 30 * 30, 3, 3, {8, 30, 30, 3}},
                        {"batch", 1, 300, 101, 101, {300, 101}},
                        {"layer", 700, 1, 96, 1, {700, 96}},
                        {"group", 8, 400, 24, 4, {8, 20, 20, 24}},
                        {"instance", 6, 32 * 32, 3, 3, {6, 32, 32, 3}}};
  for (const Kind& k : large)
    for (const Activation& act : {fused::none, fused::leaky_relu(0.2), fused::tanh}) {
      CAPTURE(k.name, k.shape.str(), static_cast<int>(act.kind));
      const auto at = operands(k.shape, DType::f32);
      std::vector<Tensor> exact;
      for (const Tensor& t : at) exact.push_back(t.to(DType::f64));
      const auto expected = everything(k, exact, act, false);
      for (const auto isa : {backend::cpu::Isa::baseline, backend::cpu::Isa::avx2, backend::cpu::Isa::avx512}) {
        backend::cpu::force_isa(isa);
        set_threads(1);
        const auto one = everything(k, at, act, false);
        set_threads(2);
        const auto two = everything(k, at, act, false);
        for (std::size_t i = 0; i < 4; ++i) {
          CHECK(same_bits(one[i], two[i]));
          CHECK(worst(one[i], expected[i]) < 2e-4);  // a value beside the kink of leaky relu may take the other slope
        }
      }
    }
}

TEST_CASE("statistics stay accurate far from zero") {
  Rng rng{5};
  const Tensor x = normal({20000, 3}, rng, DType::f32, 1000.0, 0.5);
  BatchStatistics s;
  batch_norm(x, {}, {}, 1e-5, {}, &s);
  const Tensor wide = x.to(DType::f64);
  for (int64_t c = 0; c < 3; ++c) {
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < 20000; ++i) mean += wide.data<double>()[3 * i + c] / 20000;
    for (int64_t i = 0; i < 20000; ++i) variance += std::pow(wide.data<double>()[3 * i + c] - mean, 2) / 19999;
    CHECK(s.mean.data<float>()[c] == Approx(mean).epsilon(1e-7));
    CHECK(s.variance.data<float>()[c] == Approx(variance).epsilon(1e-5));
  }
}

TEST_CASE("constant inputs normalise to beta with finite gradients") {
  for (const Kind& k : kinds) {
    auto at = operands(k.shape, DType::f32);
    at[0] = Tensor::full(k.shape, 7.25);
    CAPTURE(k.name, k.shape.str());
    const auto all = everything(k, at, {}, false);
    CHECK(worst(all[0], broadcast_to(at[2], k.shape).value()) < 1e-6);
    for (const Tensor& t : all)
      for (const float v : t.span<float>()) CHECK(std::isfinite(v));
  }
}

TEST_CASE("batch norm with given statistics") {
  Rng rng{9};
  const Shape shape{3, 2, 2, 5};
  const auto at = operands(shape, DType::f64);
  const Tensor mean = normal({5}, rng, DType::f64), variance = uniform({5}, rng, DType::f64, 0.5, 2.0);
  for (const Activation& act : {fused::none, fused::tanh}) {
    const auto f = [&](const std::vector<Var>& v) {
      return batch_norm_inference(v[0], v[1], v[2], mean, variance, 1e-3, act);
    };
    const Var y = f({at[0], at[1], at[2]});
    for (int64_t i = 0; i < y.size(); ++i) {
      const int64_t c = i % 5;
      const double normal_value =
          (at[0].data<double>()[i] - mean.data<double>()[c]) / std::sqrt(variance.data<double>()[c] + 1e-3);
      const double plain = normal_value * at[1].data<double>()[c] + at[2].data<double>()[c];
      CHECK(y.value().data<double>()[i] == Approx(act.kind == fused::tanh.kind ? std::tanh(plain) : plain));
    }
    CHECK(gradcheck(f, at).worst_relative < 1e-6);
    CHECK(gradgradcheck(f, at).worst_relative < 1e-5);
  }
  // the statistics of a batch, put in by hand, give the training result
  BatchStatistics s;
  const Var trained = batch_norm(at[0], at[1], at[2], 1e-5, {}, &s);
  backend::scale_in_place(s.variance, 11.0 / 12.0);
  CHECK(worst(batch_norm_inference(at[0], at[1], at[2], s.mean, s.variance).value(), trained.value()) < 1e-12);
}

TEST_CASE("only the gradients asked for are computed") {
  const auto at = operands({4, 3}, DType::f64);
  const Var x = leaf(at[0]), gamma = leaf(at[1]), beta = leaf(at[2]);
  const auto all = grad(sum(square(batch_norm(x, gamma, beta))), {x, gamma, beta});
  const Var parts[] = {x, gamma, beta};
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(worst(grad(sum(square(batch_norm(x, gamma, beta))), parts[i]).value(), all[i].value()) < 1e-14);
  }
  CHECK(worst(grad(sum(square(batch_norm(x, at[1], beta))), x).value(), all[0].value()) < 1e-14);
}

TEST_CASE("batch norm over ranks equals batch norm of the joint batch, in value and derivatives of two orders") {
  const auto at = operands({12, 5}, DType::f64);
  Rng rng{3};
  const Tensor seed = normal({12, 5}, rng, DType::f64);
  const auto act = GENERATE(Activation{}, fused::tanh);
  // y, its statistics, the gradients of its weighted sum, and those of the sum of squares of the first of these
  const auto results = [&](const Tensor& rows, const Tensor& weights, Communicator* ranks) {
    const std::vector<Var> in{leaf(rows), leaf(at[1]), leaf(at[2])};
    BatchStatistics s;
    const auto loss = [&] { return sum(mul(batch_norm(in[0], in[1], in[2], 1e-3, act, &s, ranks), Var(weights))); };
    std::vector<Tensor> out{batch_norm(in[0], in[1], in[2], 1e-3, act, &s, ranks).value(), s.mean, s.variance};
    for (const Var& g : grad(loss(), in)) out.push_back(g.value());
    const std::vector<Var> first = grad(loss(), in, {.create_graph = true});
    for (const Var& g : first) out.push_back(g.value());
    for (const Var& g : grad(sum(square(first[0])), in)) out.push_back(g.value());
    return out;
  };
  const std::vector<Tensor> joint = results(at[0], seed, nullptr);
  const std::vector<std::int64_t> from{0, 5, 6, 12};  // batches of different sizes, one of a single row
  std::vector<std::vector<Tensor>> parts(3);
  run_ranks(3, [&](Communicator& ranks) {
    const auto r = static_cast<std::size_t>(ranks.rank());
    parts[r] = results(at[0].rows(from[r], from[r + 1]), seed.rows(from[r], from[r + 1]), &ranks);
  });
  for (std::size_t k = 0; k < joint.size(); ++k) {
    INFO("result " << k);
    Var total;
    for (std::size_t r = 0; r < 3; ++r) {
      if (joint[k].rank() == 2) {
        CHECK(worst(parts[r][k], joint[k].rows(from[r], from[r + 1])) < 1e-11);
      } else if (k < 3) {
        CHECK(worst(parts[r][k], joint[k]) < 1e-12);
      } else {
        total = total.defined() ? total + Var(parts[r][k]) : Var(parts[r][k]);
      }
    }
    if (total.defined()) CHECK(worst(total.value(), joint[k]) < 1e-11);
  }
}

TEST_CASE("batch norm over ranks stays accurate far from zero") {
  Rng rng{4};
  const Tensor x = normal({64, 3}, rng, DType::f32, 1000.0, 1.0);
  const Tensor joint = batch_norm(x).value();
  std::vector<Tensor> parts(2);
  run_ranks(2, [&](Communicator& ranks) {
    const std::int64_t from = 32 * ranks.rank();
    parts[static_cast<std::size_t>(ranks.rank())] =
        batch_norm(x.rows(from, from + 32), {}, {}, 1e-5, {}, nullptr, &ranks).value();
  });
  for (std::int64_t r = 0; r < 2; ++r) {
    CHECK(worst(parts[static_cast<std::size_t>(r)], joint.rows(32 * r, 32 * r + 32)) < 1e-3);  // x is rounded to 6e-5
  }
}

TEST_CASE("normalisations of an empty batch, and errors") {
  CHECK(layer_norm(zeros({0, 5})).shape() == Shape{0, 5});
  CHECK(group_norm(zeros({0, 2, 4}), 2).shape() == Shape{0, 2, 4});
  CHECK(batch_norm_inference(zeros({0, 4}), {}, {}, zeros({4}), ones({4})).shape() == Shape{0, 4});
  CHECK_THROWS_WITH(batch_norm(zeros({1, 5})), ContainsSubstring("two values per channel"));
  CHECK_THROWS_AS(batch_norm(zeros({4, 0})), ShapeError);
  CHECK_THROWS_WITH(layer_norm(zeros({2, 5}), ones({4})), ContainsSubstring("gamma expects one value for each of 5"));
  CHECK_THROWS_AS(layer_norm(zeros({2, 5}), ones({5}, DType::f64)), DTypeError);
  CHECK_THROWS_AS(layer_norm(zeros({2, 5}, DType::i32)), DTypeError);
  CHECK_THROWS_WITH(group_norm(zeros({2, 3, 5}), 2), ContainsSubstring("2 groups do not divide 5"));
  CHECK_THROWS_AS(instance_norm(zeros({2, 5})), ShapeError);
  CHECK_THROWS_AS(instance_norm(zeros({2, 0, 5})), ShapeError);
  CHECK_THROWS_AS(layer_norm(zeros({2, 5}), {}, {}, 0.0), NumericError);
}
