// synthdata/nn/summary.hpp: a net as a table: layer, output shape, parameters, memory.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/module.hpp>

namespace synthdata {

namespace detail {
/// 1254400 -> "1,254,400"
std::string with_commas(std::int64_t count);
/// 6422528 -> "6.1 MiB"
std::string readable_bytes(std::int64_t bytes);
/// The table of a trace. `parameters` and `weight_bytes` are of the whole net.
std::string summary_table(const Tensor& input, const std::vector<TraceEntry>& trace, std::int64_t parameters,
                          std::int64_t weight_bytes);
}  // namespace detail

/// Runs the net once on zeros of the given shape, batch included, and describes what happened: a line for each layer
/// (fused neighbours share one; layers inside others have their path) and the totals. The memory is that of each output
/// as a tensor of its own; a Reshape shares the elements of its input in fact.
/// @param dtype  of the input: i64 for a net that begins with an Embedding
/// @throws what the net throws for such an input.
template <Module Net>
std::string summary(const Net& net, const Shape& input, DType dtype = DType::f32) {
  Net copy = net;  // listing parameters visits them as something that may be changed
  const OnDevice there(device_of(state_of(copy)));
  std::int64_t parameters = 0, weight_bytes = 0;
  for (const NamedParam& p : state_of(copy).parameters) {
    parameters += p.param->size();
    weight_bytes += p.param->value().size_bytes();
  }
  const NoGrad constants;
  std::vector<TraceEntry> trace;
  Context context{.mode = Mode::inference, .trace = &trace};
  const Tensor x = Tensor::zeros(input, dtype);
  const Var y = forward(net, x, context);
  if (trace.empty() || !detail::is_container<Net>()) {
    detail::note_layer(trace, 0, std::string(detail::kind_of<Net>()), y, parameters, false);
  }
  return detail::summary_table(x, trace, parameters, weight_bytes);
}

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/nn/summary_impl.hpp>
#endif
