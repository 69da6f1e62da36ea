// synthdata/tabular/ctgan_sampler_impl.hpp: bodies of ctgan_sampler.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/cpu/gemm.hpp>
#include <synthdata/tabular/ctgan_sampler.hpp>

#include <algorithm>
#include <cmath>

namespace synthdata::models::detail {

SYNTHDATA_INLINE CtganSampler::CtganSampler(const ModuleState& generator, std::int64_t labels, double epsilon) {
  // Two layers of weight, bias, gamma, beta and mean, variance; one of weight, bias.
  const auto parameter = [&](std::size_t i) { return generator.parameters.at(i).param->value(); };
  const auto buffer = [&](std::size_t i) { return generator.buffers.at(i).buffer->value(); };
  for (std::size_t l = 0; l < 3; ++l) {
    const Tensor weight = parameter(4 * l), bias = parameter(4 * l + 1);
    const std::int64_t out = weight.shape(0), all = weight.shape(1), in = all - labels;
    Layer layer{Tensor::empty({out, in}, DType::f32, Device::cpu()),
                Tensor::empty({std::max<std::int64_t>(labels, 1), out}, DType::f32, Device::cpu())};
    for (std::int64_t j = 0; j < out; ++j) {
      double scale = 1.0, shift = bias.data<float>()[j];
      if (l < 2) {
        const double gamma = parameter(4 * l + 2).data<float>()[j], beta = parameter(4 * l + 3).data<float>()[j];
        const double mean = buffer(2 * l).data<float>()[j], variance = buffer(2 * l + 1).data<float>()[j];
        scale = gamma / std::sqrt(variance + epsilon);
        shift = (shift - mean) * scale + beta;
      }
      const float* const row = weight.data<float>() + j * all;
      for (std::int64_t i = 0; i < in; ++i) layer.weight.data<float>()[j * in + i] = static_cast<float>(row[i] * scale);
      for (std::int64_t k = 0; k < layer.start.shape(0); ++k) {
        const double column = labels > 0 ? row[in + k] * scale : 0.0;
        layer.start.data<float>()[k * out + j] = static_cast<float>(shift + column);
      }
    }
    layers_.push_back(std::move(layer));
  }
}

SYNTHDATA_INLINE Tensor CtganSampler::operator()(const Tensor& latent, const std::vector<std::int64_t>& asked) const {
  const std::int64_t rows = latent.shape(0), inputs = latent.shape(1);
  const std::int64_t width = layers_.back().weight.shape(1);  // of a row of all that the last layer reads
  Tensor x = Tensor::empty({rows, width}, DType::f32, Device::cpu());
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* const from = latent.data<float>() + row * inputs;
    std::copy(from, from + inputs, x.data<float>() + (row + 1) * width - inputs);
  }
  Tensor logits = Tensor::empty({rows, layers_.back().weight.shape(0)}, DType::f32, Device::cpu());
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const Layer& layer = layers_[l];
    const bool last = l + 1 == layers_.size();
    const std::int64_t out = layer.weight.shape(0), in = layer.weight.shape(1), begin = width - in;
    float* const to = last ? logits.data<float>() : x.data<float>() + begin - out;
    const std::int64_t step = last ? out : width;
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int64_t label = asked.empty() ? 0 : asked[static_cast<std::size_t>(row)];
      const float* const start = layer.start.data<float>() + label * out;
      std::copy(start, start + out, to + row * step);
    }
    backend::cpu::gemm(false, true, rows, out, in, x.data<float>() + begin, width, layer.weight.data<float>(), in, to,
                       step, {.act = last ? backend::cpu::Act::none : backend::cpu::Act::relu, .accumulate = true},
                       product_precision());
  }
  return logits;
}

}  // namespace synthdata::models::detail
