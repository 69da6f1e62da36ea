// synthdata/nn/sequential.hpp: layers in a row, fused where two neighbours allow it.
//
// The layers are a tuple, so neighbours are matched when the program is compiled: a layer that can apply an activation
// as it writes its result (it has `fused(x, context, activation)`) takes over a following Relu, LeakyRelu, Tanh or
// Sigmoid, and Dropout takes over a Relu or LeakyRelu before it. The numbers are those of the unfused layers, bit for
// bit.
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
/// An activation whose slope depends on the sign of its output only, so that dropout's scaling does not change it.
template <class L>
concept SignActivation = std::same_as<L, Relu> || std::same_as<L, LeakyRelu>;
template <class L>
concept TakesActivation = requires(const L& l, const Var& x, Context& c, const Activation& a) { l.fused(x, c, a); };
/// Has `after(activation, x, context)`: itself on activation(x), in one pass.
template <class L>
concept FollowsActivation = requires(const L& l, const Var& x, Context& c, const Activation& a) { l.after(a, x, c); };

}  // namespace detail

/// Runs its layers in order. Layers are named by kind and count: "conv0", "conv1", "linear0".
template <Module... Layers>
class Sequential {
 public:
  static constexpr const char* kind = "sequential";
  static constexpr bool container = true;

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

  /// How a layer runs: by itself, with the activation behind it, or as the activation of the layer behind it.
  enum class Step { alone, with_activation, into_next };

  template <std::size_t I>
  static constexpr bool takes_next() {
    if constexpr (I + 1 < sizeof...(Layers)) {
      return detail::TakesActivation<Layer<I>> && detail::FusableActivation<Layer<I + 1>>;
    } else {
      return false;
    }
  }
  template <std::size_t I>
  static constexpr bool goes_into_next() {
    if constexpr (I + 1 < sizeof...(Layers)) {
      return detail::SignActivation<Layer<I>> && detail::FollowsActivation<Layer<I + 1>>;
    } else {
      return false;
    }
  }

  template <std::size_t I>
  Var run(const Var& x, Context& context) const {
    if constexpr (I == sizeof...(Layers)) {
      return x;
    } else if constexpr (takes_next<I>()) {
      if constexpr (goes_into_next<I + 1>()) {
        // In training the activation costs least together with the dropout: one pass less on the way back.
        if (context.training()) return run<I + 1>(run_one<I, Step::alone>(x, context), context);
      }
      return run<I + 2>(run_one<I, Step::with_activation>(x, context), context);
    } else if constexpr (goes_into_next<I>()) {
      return run<I + 2>(run_one<I, Step::into_next>(x, context), context);
    } else {
      return run<I + 1>(run_one<I, Step::alone>(x, context), context);
    }
  }

  template <std::size_t I, Step step>
  Var run_one(const Var& x, Context& context) const {
    const auto& layer = std::get<I>(layers_);
    const std::size_t noted = context.trace ? context.trace->size() : 0;
    try {
      Var y;
      if constexpr (step == Step::with_activation) {
        y = layer.fused(x, context, detail::fused_form(std::get<I + 1>(layers_)));
      } else if constexpr (step == Step::into_next) {
        y = std::get<I + 1>(layers_).after(detail::fused_form(layer), x, context);
      } else {
        y = forward(layer, x, context);
      }
      if (context.trace) {
        auto copy = layer;  // counting visits parameters as something that may be changed
        detail::note_layer(*context.trace, noted, step == Step::alone ? name(I) : name(I) + " + " + name(I + 1), y,
                           parameter_count(copy), detail::is_container<Layer<I>>());
      }
      return y;
    } catch (Error& e) {
      e.add_context(name(step == Step::into_next ? I + 1 : I));
      throw;
    }
  }

  std::tuple<Layers...> layers_;
};
template <class... Layers>
Sequential(Layers...) -> Sequential<Layers...>;

}  // namespace synthdata
