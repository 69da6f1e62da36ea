// synthdata/nn/sequential.hpp: layers in a row, fused where two neighbours allow it.
//
// The layers are a tuple, so neighbours are matched when the program is compiled: a layer that can apply an activation
// as it writes its result (it has `fused(x, context, activation)`) takes over a following Relu, LeakyRelu, Tanh or
// Sigmoid. The numbers are those of the unfused layers, bit for bit.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/module.hpp>
#include <synthdata/ops/activation.hpp>

#include <string_view>
#include <tuple>

namespace synthdata {

namespace detail {

inline Activation fused_form(const Relu&) { return fused::relu; }
inline Activation fused_form(const Tanh&) { return fused::tanh; }
inline Activation fused_form(const Sigmoid&) { return fused::sigmoid; }
inline Activation fused_form(const LeakyRelu& f) { return fused::leaky_relu(f.negative_slope); }

template <class L>
concept FusableActivation = requires(const L& l) { fused_form(l); };
template <class L>
concept TakesActivation = requires(const L& l, const Var& x, Context& c, const Activation& a) { l.fused(x, c, a); };

/// A layer's kind, for names: its static member `kind`, else what it is.
template <class L>
constexpr std::string_view kind_of() {
  if constexpr (requires { std::string_view(L::kind); }) {
    return L::kind;
  } else if constexpr (Functor<L>) {
    return "activation";
  } else {
    return "layer";
  }
}

}  // namespace detail

/// Runs its layers in order. Layers are named by kind and count: "conv0", "conv1", "linear0".
template <Module... Layers>
class Sequential {
 public:
  static constexpr const char* kind = "sequential";

  explicit Sequential(Layers... layers) : layers_(std::move(layers)...) {}

  Var operator()(const Var& x, Context& context) const { return run<0>(x, context); }

  /// Layer I, to look at or to change.
  template <std::size_t I>
  auto& get() {
    return std::get<I>(layers_);
  }
  template <std::size_t I>
  const auto& get() const {
    return std::get<I>(layers_);
  }
  static constexpr std::size_t size() { return sizeof...(Layers); }

  /// Name of layer i.
  static std::string name(std::size_t i) {
    constexpr std::string_view kinds[] = {detail::kind_of<Layers>()..., ""};
    int before = 0;
    for (std::size_t j = 0; j < i; ++j) before += kinds[j] == kinds[i];
    return concat(kinds[i], before);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    visit_each(self, v, std::index_sequence_for<Layers...>{});
  }

 private:
  template <std::size_t I>
  using Layer = std::tuple_element_t<I, std::tuple<Layers...>>;

  template <class Self, class Visitor, std::size_t... I>
  static void visit_each(Self& self, Visitor&& v, std::index_sequence<I...>) {
    (v(name(I), std::get<I>(self.layers_)), ...);
  }

  template <std::size_t I>
  static constexpr bool fuses_with_next() {
    if constexpr (I + 1 < sizeof...(Layers)) {
      return detail::TakesActivation<Layer<I>> && detail::FusableActivation<Layer<I + 1>>;
    } else {
      return false;
    }
  }

  template <std::size_t I>
  Var run(const Var& x, Context& context) const {
    if constexpr (I == sizeof...(Layers)) {
      return x;
    } else {
      constexpr bool fuses = fuses_with_next<I>();
      return run<I + (fuses ? 2 : 1)>(run_one<I, fuses>(x, context), context);
    }
  }

  template <std::size_t I, bool fuses>
  Var run_one(const Var& x, Context& context) const {
    const auto& layer = std::get<I>(layers_);
    try {
      Var y;
      if constexpr (fuses) {
        y = layer.fused(x, context, detail::fused_form(std::get<I + 1>(layers_)));
      } else {
        y = forward(layer, x, context);
      }
      if (context.trace) note<I, fuses>(y, *context.trace);
      return y;
    } catch (Error& e) {
      e.add_context(name(I));
      throw;
    }
  }

  template <std::size_t I, bool fuses>
  void note(const Var& y, std::vector<TraceEntry>& trace) const {
    auto layer = std::get<I>(layers_);
    trace.push_back({fuses ? name(I) + " + " + name(I + 1) : name(I), y.shape(), parameter_count(layer)});
  }

  std::tuple<Layers...> layers_;
};
template <class... Layers>
Sequential(Layers...) -> Sequential<Layers...>;

}  // namespace synthdata
