// tests/ops/reference_test.cpp: every operation against PyTorch's value, gradient and a second-order number.
//
// The numbers, and what they mean, come from tests/reference/make_reference.py.
//
// SPDX-License-Identifier: MIT
#include <synthdata/io/safetensors.hpp>
#include <synthdata/ops/conv.hpp>
#include <synthdata/ops/gather.hpp>
#include <synthdata/ops/loss.hpp>
#include <synthdata/ops/matmul.hpp>
#include <synthdata/ops/norm.hpp>
#include <synthdata/ops/pool.hpp>
#include <synthdata/ops/reduce.hpp>
#include <synthdata/ops/resize.hpp>
#include <synthdata/ops/scan.hpp>
#include <synthdata/ops/shape.hpp>
#include <synthdata/ops/softmax.hpp>

#include "../test.hpp"

#include <cmath>
#include <map>
#include <set>
#include <span>

using namespace synthdata;

namespace {

/// Tensors of one case by their short names: "x", "gx", "y", "second".
struct Case {
  std::map<std::string, Tensor> stored;
  std::vector<std::string> wanted;  // inputs with a gradient, in the order of the file
  std::map<std::string, Var> inputs;

  const Var& operator[](const char* name) const { return inputs.at(name); }
  const Tensor& at(const std::string& name) const { return stored.at(name); }
  bool has(const std::string& name) const { return stored.count(name) > 0; }
};

std::map<std::string, Case> load_cases() {
  std::map<std::string, Case> cases;
  for (const NamedTensor& entry : load_safetensors(test::reference("ops.safetensors")).tensors) {
    const std::size_t slash = entry.name.find('/');
    Case& c = cases[entry.name.substr(0, slash)];
    const std::string name = entry.name.substr(slash + 1);
    c.stored.emplace(name, entry.tensor);
    if (name[0] == 'g' && c.has(name.substr(1))) c.wanted.push_back(name.substr(1));
  }
  return cases;
}

struct Row {
  const char* name;
  Var (*f)(const Case&);
};

Var x2(const Case& c) { return square(c["x"]); }

const Row pointwise_rows[] = {
    {"neg", [](const Case& c) { return -c["x"]; }},
    {"affine", [](const Case& c) { return 1.5 - 0.75 * c["x"]; }},
    {"exp", [](const Case& c) { return exp(c["x"]); }},
    {"expm1", [](const Case& c) { return expm1(c["x"]); }},
    {"square", [](const Case& c) { return square(c["x"]); }},
    {"abs", [](const Case& c) { return abs(c["x"]); }},
    {"sign", [](const Case& c) { return sign(c["x"]); }},
    {"sin", [](const Case& c) { return sin(c["x"]); }},
    {"cos", [](const Case& c) { return cos(c["x"]); }},
    {"erf", [](const Case& c) { return erf(c["x"]); }},
    {"round", [](const Case& c) { return round(c["x"]); }},
    {"clamp", [](const Case& c) { return clamp(c["x"], -1, 0.5); }},
    {"pow_3", [](const Case& c) { return pow(c["x"], 3.0); }},
    {"relu", [](const Case& c) { return relu(c["x"]); }},
    {"leaky_relu", [](const Case& c) { return leaky_relu(c["x"], 0.2); }},
    {"elu", [](const Case& c) { return elu(c["x"], 0.7); }},
    {"selu", [](const Case& c) { return selu(c["x"]); }},
    {"gelu", [](const Case& c) { return gelu(c["x"]); }},
    {"silu", [](const Case& c) { return silu(c["x"]); }},
    {"tanh", [](const Case& c) { return tanh(c["x"]); }},
    {"sigmoid", [](const Case& c) { return sigmoid(c["x"]); }},
    {"softplus", [](const Case& c) { return softplus(c["x"]); }},
    {"gelu_far", [](const Case& c) { return gelu(c["x"]); }},
    {"silu_far", [](const Case& c) { return silu(c["x"]); }},
    {"tanh_far", [](const Case& c) { return tanh(c["x"]); }},
    {"sigmoid_far", [](const Case& c) { return sigmoid(c["x"]); }},
    {"softplus_far", [](const Case& c) { return softplus(c["x"]); }},
    {"straight_through", [](const Case& c) { return straight_through(round(c["x"]), x2(c)); }},
    {"log", [](const Case& c) { return log(c["x"]); }},
    {"log1p", [](const Case& c) { return log1p(c["x"]); }},
    {"sqrt", [](const Case& c) { return sqrt(c["x"]); }},
    {"rsqrt", [](const Case& c) { return rsqrt(c["x"]); }},
    {"reciprocal", [](const Case& c) { return reciprocal(c["x"]); }},
    {"pow_2.5", [](const Case& c) { return pow(c["x"], 2.5); }},
    {"add", [](const Case& c) { return c["a"] + c["b"]; }},
    {"sub", [](const Case& c) { return c["a"] - c["b"]; }},
    {"mul", [](const Case& c) { return c["a"] * c["b"]; }},
    {"div", [](const Case& c) { return c["a"] / c["b"]; }},
    {"pow", [](const Case& c) { return pow(c["a"], c["b"]); }},
    {"maximum", [](const Case& c) { return maximum(c["a"], c["b"]); }},
    {"minimum", [](const Case& c) { return minimum(c["a"], c["b"]); }},
    {"where", [](const Case& c) { return where(c["a"] > c["b"], square(c["a"]), pow(c["b"], 3.0)); }},
    {"gt", [](const Case& c) { return c["a"] > c["b"]; }},
    {"ge", [](const Case& c) { return c["a"] >= c["b"]; }},
    {"lt", [](const Case& c) { return c["a"] < c["b"]; }},
    {"le", [](const Case& c) { return c["a"] <= c["b"]; }},
    {"eq", [](const Case& c) { return equal(c["a"], c["b"]); }},
    {"ne", [](const Case& c) { return not_equal(c["a"], c["b"]); }},
};

const Row reduction_rows[] = {
    {"sum_all", [](const Case& c) { return sum(x2(c)); }},
    {"sum_first", [](const Case& c) { return sum(x2(c), 0); }},
    {"sum_middle", [](const Case& c) { return sum(x2(c), 1); }},
    {"sum_outer",
     [](const Case& c) {
       return sum(x2(c), {0, 2});
     }},
    {"mean_all", [](const Case& c) { return mean(x2(c)); }},
    {"mean_first", [](const Case& c) { return mean(x2(c), 0); }},
    {"mean_middle", [](const Case& c) { return mean(x2(c), 1); }},
    {"mean_outer",
     [](const Case& c) {
       return mean(x2(c), {0, 2});
     }},
    {"var_all", [](const Case& c) { return var(c["x"]); }},
    {"var_first", [](const Case& c) { return var(c["x"], 0); }},
    {"var_middle", [](const Case& c) { return var(c["x"], 1); }},
    {"var_outer",
     [](const Case& c) {
       return var(c["x"], {0, 2});
     }},
    {"max_all", [](const Case& c) { return max(x2(c)); }},
    {"max_first", [](const Case& c) { return max(x2(c), 0); }},
    {"max_middle", [](const Case& c) { return max(x2(c), 1); }},
    {"max_outer",
     [](const Case& c) {
       return max(x2(c), {0, 2});
     }},
    {"min_all", [](const Case& c) { return min(x2(c)); }},
    {"min_first", [](const Case& c) { return min(x2(c), 0); }},
    {"min_middle", [](const Case& c) { return min(x2(c), 1); }},
    {"min_outer",
     [](const Case& c) {
       return min(x2(c), {0, 2});
     }},
    {"logsumexp_all", [](const Case& c) { return logsumexp(c["x"]); }},
    {"logsumexp_first", [](const Case& c) { return logsumexp(c["x"], 0); }},
    {"logsumexp_middle", [](const Case& c) { return logsumexp(c["x"], 1); }},
    {"logsumexp_outer",
     [](const Case& c) {
       return logsumexp(c["x"], {0, 2});
     }},
    {"norm_all", [](const Case& c) { return norm(c["x"], {}, 0.25); }},
    {"norm_first", [](const Case& c) { return norm(c["x"], 0, 0.25); }},
    {"norm_middle", [](const Case& c) { return norm(c["x"], 1, 0.25); }},
    {"norm_outer",
     [](const Case& c) {
       return norm(c["x"], {0, 2}, 0.25);
     }},
    {"argmax", [](const Case& c) { return Var(argmax(c["x"].value(), 1)); }},
    {"cumsum", [](const Case& c) { return cumsum(x2(c), 1); }},
    {"cumsum_reverse", [](const Case& c) { return cumsum(x2(c), 0, {.reverse = true}); }},
    {"softmax_0", [](const Case& c) { return softmax(c["x"], 0); }},
    {"softmax_1", [](const Case& c) { return softmax(c["x"], 1); }},
    {"softmax_2", [](const Case& c) { return softmax(c["x"], 2); }},
    {"softmax_large", [](const Case& c) { return softmax(c["x"] * 400, 1); }},
    {"log_softmax_0", [](const Case& c) { return log_softmax(c["x"], 0); }},
    {"log_softmax_1", [](const Case& c) { return log_softmax(c["x"], 1); }},
    {"log_softmax_2", [](const Case& c) { return log_softmax(c["x"], 2); }},
};

template <bool ta, bool tb>
Var product(const Case& c) {
  return matmul(c["a"], c["b"], {.transpose_a = ta, .transpose_b = tb});
}
Var conv2d_act(const Case& c, const Activation& act) { return conv2d(c["x"], c["w"], c["b"], {.activation = act}); }

const Row product_rows[] = {
    {"matmul_nn", product<false, false>},
    {"matmul_nt", product<false, true>},
    {"matmul_tn", product<true, false>},
    {"matmul_tt", product<true, true>},
    {"matmul_batch_nn", product<false, false>},
    {"matmul_batch_nt", product<false, true>},
    {"matmul_batch_tn", product<true, false>},
    {"matmul_batch_tt", product<true, true>},
    {"matmul_shared_left", product<false, false>},
    {"matmul_shared_right", product<false, false>},
    {"linear", [](const Case& c) { return linear(c["x"], c["w"], c["b"]); }},
    {"linear_no_bias", [](const Case& c) { return linear(c["x"], c["w"]); }},
    {"linear_relu", [](const Case& c) { return linear(c["x"], c["w"], c["b"], fused::relu); }},
    {"linear_leaky_relu", [](const Case& c) { return linear(c["x"], c["w"], c["b"], fused::leaky_relu(0.2)); }},
    {"linear_tanh", [](const Case& c) { return linear(c["x"], c["w"], c["b"], fused::tanh); }},
    {"linear_sigmoid", [](const Case& c) { return linear(c["x"], c["w"], c["b"], fused::sigmoid); }},
    {"conv2d_relu", [](const Case& c) { return conv2d_act(c, fused::relu); }},
    {"conv2d_leaky_relu", [](const Case& c) { return conv2d_act(c, fused::leaky_relu(0.2)); }},
    {"conv2d_tanh", [](const Case& c) { return conv2d_act(c, fused::tanh); }},
    {"conv2d_sigmoid", [](const Case& c) { return conv2d_act(c, fused::sigmoid); }},
};

Var plain(const Case& c, const ConvOptions& o) { return conv(c["x"], c["w"], c.has("b") ? c["b"] : Var(), o); }
Var back(const Case& c, const ConvTransposeOptions& o) {
  return conv_transpose(c["x"], c["w"], c.has("b") ? c["b"] : Var(), o);
}

const Row conv_rows[] = {
    {"conv1d", [](const Case& c) { return conv1d(c["x"], c["w"], c["b"]); }},
    {"conv1d_stride_padding", [](const Case& c) { return plain(c, {.stride = 2, .padding = 1}); }},
    {"conv1d_dilation_groups", [](const Case& c) { return plain(c, {.dilation = 2, .groups = 2}); }},
    {"conv2d", [](const Case& c) { return conv2d(c["x"], c["w"], c["b"]); }},
    {"conv2d_no_bias", [](const Case& c) { return conv2d(c["x"], c["w"]); }},
    {"conv2d_padding", [](const Case& c) { return plain(c, {.padding = 1}); }},
    {"conv2d_stride2", [](const Case& c) { return plain(c, {.stride = 2, .padding = 1}); }},
    {"conv2d_5x5_stride2", [](const Case& c) { return plain(c, {.stride = 2, .padding = 2}); }},
    {"conv2d_dilation", [](const Case& c) { return plain(c, {.padding = 2, .dilation = 2}); }},
    {"conv2d_groups", [](const Case& c) { return plain(c, {.padding = 1, .groups = 2}); }},
    {"conv2d_depthwise", [](const Case& c) { return plain(c, {.stride = 2, .padding = 1, .groups = 3}); }},
    {"conv2d_1x1", [](const Case& c) { return plain(c, {}); }},
    {"conv2d_unequal",
     [](const Case& c) {
       return plain(c, {.stride = {2, 1}, .padding = {1, 0}, .dilation = {1, 2}});
     }},
    {"conv3d", [](const Case& c) { return conv3d(c["x"], c["w"], c["b"]); }},
    {"conv3d_stride_padding_groups",
     [](const Case& c) {
       return plain(c, {.stride = {1, 2, 2}, .padding = 1, .groups = 2});
     }},
    {"conv_transpose1d", [](const Case& c) { return conv_transpose1d(c["x"], c["w"], c["b"]); }},
    {"conv_transpose1d_stride",
     [](const Case& c) { return back(c, {.stride = 2, .padding = 1, .output_padding = 1}); }},
    {"conv_transpose2d", [](const Case& c) { return conv_transpose2d(c["x"], c["w"], c["b"]); }},
    {"conv_transpose2d_no_bias", [](const Case& c) { return conv_transpose2d(c["x"], c["w"]); }},
    {"conv_transpose2d_stride2", [](const Case& c) { return back(c, {.stride = 2, .padding = 1}); }},
    {"conv_transpose2d_5x5_same",
     [](const Case& c) { return back(c, {.stride = 2, .padding = 2, .output_padding = 1}); }},
    {"conv_transpose2d_dilation", [](const Case& c) { return back(c, {.padding = 1, .dilation = 2}); }},
    {"conv_transpose2d_groups", [](const Case& c) { return back(c, {.stride = 2, .groups = 2}); }},
    {"conv_transpose2d_unequal",
     [](const Case& c) {
       return back(c, {.stride = {3, 1}, .padding = {1, 0}, .output_padding = {2, 0}});
     }},
    {"conv_transpose3d", [](const Case& c) { return conv_transpose3d(c["x"], c["w"], c["b"]); }},
    {"conv_transpose3d_stride",
     [](const Case& c) {
       return back(c, {.stride = 2, .padding = {1, 1, 0}, .output_padding = {1, 0, 0}});
     }},
};

const Row moving_rows[] = {
    {"max_pool1d", [](const Case& c) { return max_pool(c["x"], {.kernel = 3, .stride = 2, .padding = 1}); }},
    {"max_pool2d", [](const Case& c) { return max_pool(x2(c), {.kernel = 2}); }},
    {"max_pool2d_overlapping",
     [](const Case& c) { return max_pool(c["x"], {.kernel = 3, .stride = 2, .padding = 1}); }},
    {"max_pool3d",
     [](const Case& c) {
       return max_pool(c["x"], {.kernel = {1, 2, 2}});
     }},
    {"avg_pool1d", [](const Case& c) { return avg_pool(x2(c), {.kernel = 3, .stride = 2, .padding = 1}); }},
    {"avg_pool2d", [](const Case& c) { return avg_pool(x2(c), {.kernel = 2}); }},
    {"avg_pool2d_border",
     [](const Case& c) {
       return avg_pool(c["x"], {.kernel = 3, .stride = 2, .padding = 1, .count_include_pad = false});
     }},
    {"avg_pool3d",
     [](const Case& c) {
       return avg_pool(c["x"], {.kernel = {1, 2, 2}});
     }},
    {"global_avg_pool", [](const Case& c) { return global_avg_pool(x2(c)); }},
    {"global_max_pool", [](const Case& c) { return global_max_pool(x2(c)); }},
    {"resize_nearest_up", [](const Case& c) { return resize_nearest(x2(c), {.height = 6, .width = 8}); }},
    {"resize_nearest_down", [](const Case& c) { return resize_nearest(x2(c), {.height = 2, .width = 2}); }},
    {"resize_nearest_uneven", [](const Case& c) { return resize_nearest(x2(c), {.height = 5, .width = 3}); }},
    {"resize_bilinear_up", [](const Case& c) { return resize_bilinear(x2(c), {.scale = 2}); }},
    {"resize_bilinear_down", [](const Case& c) { return resize_bilinear(x2(c), {.height = 2, .width = 2}); }},
    {"resize_bilinear_uneven", [](const Case& c) { return resize_bilinear(x2(c), {.height = 5, .width = 3}); }},
    {"upsample_nearest", [](const Case& c) { return upsample_nearest(x2(c), 3); }},
    {"pixel_shuffle", [](const Case& c) { return pixel_shuffle(x2(c), 2); }},
    {"pixel_unshuffle", [](const Case& c) { return pixel_unshuffle(x2(c), 2); }},
    {"reshape",
     [](const Case& c) {
       return reshape(x2(c), {4, 6});
     }},
    {"permute",
     [](const Case& c) {
       return permute(x2(c), {2, 0, 1});
     }},
    {"slice", [](const Case& c) { return slice(x2(c), 1, 1, 6, 2); }},
    {"concat",
     [](const Case& c) {
       return concat({square(c["a"]), c["b"]}, 1);
     }},
    {"stack",
     [](const Case& c) {
       return stack({square(c["a"]), c["b"]}, 1);
     }},
    {"split",
     [](const Case& c) {
       const std::vector<Var> parts = split(c["x"], 1, {2, 3});
       return sum(square(parts[0])) * parts[1];
     }},
    {"pad",
     [](const Case& c) {
       return pad(x2(c), {{1, 0}, {2, 1}, {0, 0}}, 0.5);
     }},
    {"flip", [](const Case& c) { return flip(x2(c), 1); }},
    {"gather", [](const Case& c) { return gather(x2(c), 1, c["i"]); }},
    {"scatter_add",
     [](const Case& c) {
       return scatter_add({2, 4, 3}, 1, c["i"], square(c["v"]));
     }},
    {"take_along_axis", [](const Case& c) { return take_along_axis(x2(c), c["i"], 1); }},
    {"scatter_along_axis",
     [](const Case& c) {
       return scatter_along_axis({3, 4}, c["i"], 1, square(c["v"]));
     }},
    {"embedding", [](const Case& c) { return embedding(square(c["w"]), c["i"]); }},
    {"one_hot", [](const Case& c) { return one_hot(c["i"], 4); }},
};

const Row norm_rows[] = {
    {"batch_norm", [](const Case& c) { return batch_norm(c["x"], c["gamma"], c["beta"]); }},
    {"batch_norm_rows", [](const Case& c) { return batch_norm(c["x"], c["gamma"], c["beta"]); }},
    {"batch_norm_inference",
     [](const Case& c) {
       return batch_norm_inference(c["x"], c["gamma"], c["beta"], c["mean"].value(), c["variance"].value());
     }},
    {"layer_norm", [](const Case& c) { return layer_norm(c["x"], c["gamma"], c["beta"]); }},
    {"instance_norm", [](const Case& c) { return instance_norm(c["x"], c["gamma"], c["beta"]); }},
    {"group_norm", [](const Case& c) { return group_norm(c["x"], 2, c["gamma"], c["beta"]); }},
};

const Row loss_rows[] = {
    {"mse_loss", [](const Case& c) { return mse_loss(c["a"], c["b"]); }},
    {"l1_loss", [](const Case& c) { return l1_loss(c["a"], c["b"]); }},
    {"binary_cross_entropy", [](const Case& c) { return binary_cross_entropy_with_logits(c["a"], c["b"]); }},
    {"binary_cross_entropy_far", [](const Case& c) { return binary_cross_entropy_with_logits(c["a"], c["b"]); }},
    {"cross_entropy", [](const Case& c) { return cross_entropy(c["a"], c["i"].value()); }},
    {"cross_entropy_smoothed",
     [](const Case& c) { return cross_entropy(c["a"], c["i"].value(), {.label_smoothing = 0.1}); }},
};

std::vector<Row> all_rows() {
  std::vector<Row> rows;
  for (const auto& group :
       {std::span<const Row>(pointwise_rows), std::span<const Row>(reduction_rows), std::span<const Row>(product_rows),
        std::span<const Row>(conv_rows), std::span<const Row>(moving_rows), std::span<const Row>(norm_rows),
        std::span<const Row>(loss_rows)}) {
    rows.insert(rows.end(), group.begin(), group.end());
  }
  return rows;
}

/// The weights c(i) of make_reference.py, exact in both dtypes.
Tensor weights_of(const Shape& shape) {
  Tensor t = Tensor::empty(shape, DType::f64);
  for (std::int64_t i = 0; i < t.size(); ++i) t.data<double>()[i] = (static_cast<double>(7 * i % 13) - 5.5) / 8;
  return t;
}

/// Largest difference relative to the largest expected magnitude, at least 1.
double distance(const Tensor& got, const Tensor& expected) {
  REQUIRE(got.shape() == expected.shape());
  const Tensor a = got.to(DType::f64), b = expected.to(DType::f64);
  double worst = 0, scale = 1;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    const double error = std::abs(a.data<double>()[i] - b.data<double>()[i]);
    worst = error > worst || error != error ? error : worst;
    scale = std::max(scale, std::abs(b.data<double>()[i]));
  }
  return worst / scale;
}

void check_case(Case c, Var (*f)(const Case&), DType dtype, double tolerance) {
  std::vector<Var> leaves;
  const auto prepare = [&] {  // fresh leaves for each graph
    leaves.clear();
    for (const auto& [name, tensor] : c.stored) {
      c.inputs[name] = is_floating(tensor.dtype()) ? Var(tensor.to(dtype)) : Var(tensor);
    }
    for (const std::string& name : c.wanted) leaves.push_back(c.inputs[name] = leaf(c.inputs[name]));
  };
  prepare();
  const double value_error = distance(f(c).value(), c.at("y"));
  CHECK(value_error < tolerance);
  if (c.wanted.empty()) return;

  const Var weights = weights_of(c.at("y").shape()).to(dtype);
  const auto fused = grad(sum(mul(f(c), weights)), leaves);
  prepare();
  const auto recorded = grad(sum(mul(f(c), weights)), leaves, {.create_graph = true});
  Var total = Tensor::scalar(0.0, dtype);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    CAPTURE(c.wanted[i]);
    const Tensor& expected = c.at("g" + c.wanted[i]);
    const double fused_error = distance(fused[i].value(), expected);
    const double recorded_error = distance(recorded[i].value(), expected);
    CHECK(fused_error < tolerance);
    CHECK(recorded_error < tolerance);
    total = total + sum(square(recorded[i]));
  }
  const auto second = grad(total, leaves);
  Tensor numbers = Tensor::empty({static_cast<std::int64_t>(leaves.size())}, DType::f64);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    numbers.data<double>()[i] = sum(mul(second[i], Var(weights_of(leaves[i].shape()).to(dtype)))).item();
  }
  const double second_error = distance(numbers, c.at("second"));
  CHECK(second_error < tolerance);
}

}  // namespace

TEST_CASE("the reference file and the table of operations hold the same cases") {
  std::set<std::string> in_file, in_table;
  for (const auto& entry : load_cases()) in_file.insert(entry.first);
  for (const Row& row : all_rows()) in_table.insert(row.name);
  for (const std::string& name : in_file) {
    CAPTURE(name);
    CHECK(in_table.count(name) == 1);
  }
  for (const std::string& name : in_table) {
    CAPTURE(name);
    CHECK(in_file.count(name) == 1);
  }
  CHECK(in_table.size() == all_rows().size());  // no name twice
}

TEST_CASE("values, gradients and second-order numbers equal PyTorch's in double") {
  const auto cases = load_cases();
  for (const Row& row : all_rows()) {
    CAPTURE(row.name);
    // both sides round in double, in another order: some hundred roundings of 1e-16 through two derivatives
    check_case(cases.at(row.name), row.f, DType::f64, 1e-10);
  }
}

TEST_CASE("values, gradients and second-order numbers equal PyTorch's in single precision") {
  const auto cases = load_cases();
  for (const Row& row : all_rows()) {
    CAPTURE(row.name);
    // inputs are exact in f32; 6e-8 a rounding, some hundred of them, and functions good to 3 units in the last place
    check_case(cases.at(row.name), row.f, DType::f32, 2e-5);
  }
}
