// synthdata/optim/optimizer.hpp: an update rule applied to the parameters of a module.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/owned.hpp>
#include <synthdata/nn/module.hpp>
#include <synthdata/optim/rule.hpp>

namespace synthdata {

/// Has a name, a number of running values kept for each weight (at most 2), and a formula for a step.
template <class R>
concept UpdateRule = requires(const R& rule, float& p, const float& g) {
  { R::name } -> std::convertible_to<const char*>;
  { R::slots } -> std::convertible_to<int>;
  rule.at(StepNumbers{})(p, g, p, p);
} && R::slots >= 0 && R::slots <= 2;

/// What a rule works on: a parameter, its gradient and its running values.
struct RuleOperands {
  Tensor* parameter;
  const Tensor* gradient;
  Tensor* running;
};

/// Any update rule behind one type: `AnyRule rule = Adam{.beta1 = 0.5};`
class AnyRule {
 public:
  template <UpdateRule R>
  AnyRule(const R& rule) : held_(new Held<R>(rule)) {}  // NOLINT: any rule is one

  const char* name() const { return held_->name(); }
  int slots() const { return held_->slots(); }
  /// Updates p in place, and its running values.
  void apply(const StepNumbers& numbers, Tensor& p, const Tensor& gradient, Tensor* running) const {
    held_->apply(numbers, p, gradient, running);
  }
  /// The same for parameters of one device that is not the CPU and one dtype.
  void apply(const StepNumbers& numbers, std::span<const RuleOperands> all) const { held_->apply(numbers, all); }
  /// Writes the numbers that such an update reads, to where a captured one looks for them.
  void write_numbers(const StepNumbers& numbers, void* into) const { held_->write_numbers(numbers, into); }
  /// The same update as recorded operations: returns the new p and replaces the running values.
  Var apply(const StepNumbers& numbers, const Var& p, const Var& gradient, Var* running) const {
    return held_->apply(numbers, p, gradient, running);
  }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual const char* name() const = 0;
    virtual int slots() const = 0;
    virtual void apply(const StepNumbers&, Tensor&, const Tensor&, Tensor*) const = 0;
    virtual void apply(const StepNumbers&, std::span<const RuleOperands>) const = 0;
    virtual void write_numbers(const StepNumbers&, void*) const = 0;
    virtual Var apply(const StepNumbers&, const Var&, const Var&, Var*) const = 0;
    virtual Base* clone() const = 0;
  };
  template <class R>
  struct Held;
  detail::Owned<Base> held_;
};

namespace detail {

template <class T, class Update>
SYNTHDATA_HD void update_block(const Update& update, T* p, const T* g, T* a, T* b) {
  SYNTHDATA_IVDEP
  for (int j = 0; j < static_cast<int>(backend::cpu::block_size); ++j) {
    T weight = p[j], first = a[j], second = b[j];
    update(weight, g[j], first, second);
    p[j] = weight;
    a[j] = first;
    b[j] = second;
  }
}

template <class T, class Update>
SYNTHDATA_HD void update_run(const Update& update, T* p, const T* g, T* a, T* b, std::int64_t n) {
  constexpr std::int64_t block = backend::cpu::block_size;
  alignas(64) T unused[block] = {};  // stands in for a running value that the rule does not keep
  std::int64_t i = 0;
  for (; i + block <= n; i += block) {
    update_block(update, p + i, g + i, a ? a + i : unused, b ? b + i : unused);
    if (!a || !b) {
      for (T& u : unused) u = T(0);
    }
  }
  if (i == n) return;
  alignas(64) T tail[4][block] = {};
  for (std::int64_t j = 0; j < n - i; ++j) {
    tail[0][j] = p[i + j];
    tail[1][j] = g[i + j];
    if (a) tail[2][j] = a[i + j];
    if (b) tail[3][j] = b[i + j];
  }
  update_block(update, tail[0], tail[1], tail[2], tail[3]);
  for (std::int64_t j = 0; j < n - i; ++j) {
    p[i + j] = tail[0][j];
    if (a) a[i + j] = tail[2][j];
    if (b) b[i + j] = tail[3][j];
  }
}

template <class T, class Update>
void update_baseline(const Update& u, T* p, const T* g, T* a, T* b, std::int64_t n) {
  update_run(u, p, g, a, b, n);
}
template <class T, class Update>
SYNTHDATA_TARGET_AVX2 void update_avx2(const Update& u, T* p, const T* g, T* a, T* b, std::int64_t n) {
  update_run(u, p, g, a, b, n);
}
template <class T, class Update>
SYNTHDATA_TARGET_AVX512 void update_avx512(const Update& u, T* p, const T* g, T* a, T* b, std::int64_t n) {
  update_run(u, p, g, a, b, n);
}

template <class T, class Update>
void update_all(const Update& u, Tensor& p, const Tensor& gradient, Tensor* running, int slots) {
  T* weights = p.data<T>();
  const T* g = gradient.data<T>();
  T* a = slots > 0 ? running[0].data<T>() : nullptr;
  T* b = slots > 1 ? running[1].data<T>() : nullptr;
  parallel_for(p.size(), backend::cpu::elementwise_chunk, [&](std::int64_t begin, std::int64_t end) {
    T *wp = weights + begin, *ap = a ? a + begin : nullptr, *bp = b ? b + begin : nullptr;
    const T* gp = g + begin;
    using backend::cpu::Isa;
    if constexpr (sizeof(T) == sizeof(float)) {
      if (backend::cpu::isa() == Isa::avx512) return update_avx512(u, wp, gp, ap, bp, end - begin);
      if (backend::cpu::isa() == Isa::avx2) return update_avx2(u, wp, gp, ap, bp, end - begin);
    }
    update_baseline(u, wp, gp, ap, bp, end - begin);
  });
}

}  // namespace detail

template <class R>
struct AnyRule::Held final : AnyRule::Base {
  explicit Held(const R& r) : rule(r) {}
  const char* name() const override { return R::name; }
  int slots() const override { return R::slots; }
  void apply(const StepNumbers& numbers, Tensor& p, const Tensor& gradient, Tensor* running) const override {
    const auto update = rule.at(numbers);
    visit_floating(p.dtype(), R::name,
                   [&]<class T>() { detail::update_all<T>(update, p, gradient, running, R::slots); });
  }
  void apply(const StepNumbers& numbers, std::span<const RuleOperands> all) const override {
    const auto update = rule.at(numbers);
    const Tensor& first = *all[0].parameter;
    const auto launch = backend::DeviceUpdate<std::remove_const_t<decltype(update)>>::launch;
    if (!launch) backend::detail::throw_no_kernel(R::name, first.device());
    std::vector<backend::UpdateItem> items;
    items.reserve(all.size());
    for (const RuleOperands& o : all) {
      backend::detail::check_devices(R::name, *o.parameter, first);
      backend::detail::check_devices(R::name, *o.gradient, first);
      if (o.parameter->dtype() != first.dtype()) backend::detail::throw_dtypes(R::name, *o.parameter, first);
      backend::UpdateItem item{o.parameter->address(), o.gradient->address(), {}, o.parameter->size()};
      for (int slot = 0; slot < R::slots; ++slot) item.running[slot] = o.running[slot].address();
      items.push_back(item);
    }
    launch(update, first.device().index, first.dtype(), items);
  }
  void write_numbers(const StepNumbers& numbers, void* into) const override {
    const auto update = rule.at(numbers);
    std::memcpy(into, &update, sizeof update);
  }
  Var apply(const StepNumbers& numbers, const Var& p, const Var& gradient, Var* running) const override {
    const auto update = rule.at(numbers);
    Var weight = p, a = R::slots > 0 ? running[0] : Var(0.0), b = R::slots > 1 ? running[1] : Var(0.0);
    update(weight, gradient, a, b);
    if (R::slots > 0) running[0] = a;
    if (R::slots > 1) running[1] = b;
    return weight;
  }
  AnyRule::Base* clone() const override { return new Held(rule); }
  R rule;
};

/// Applies a rule to parameters and keeps the running values. Holds pointers: the module must stay where it is.
class Optimizer {
 public:
  Optimizer(std::vector<NamedParam> parameters, AnyRule rule);

  /// One update with the gradients of all parameters, in their order. An undefined gradient leaves its parameter.
  /// @throws ShapeError if a gradient does not fit its parameter.
  void step(std::span<const Tensor> gradients, double learning_rate);
  /// The same with the gradients of a loss. Parameters that it does not depend on stay as they are.
  void minimize(const Var& loss, double learning_rate);
  /// Counts an update that a captured step makes, and writes its numbers to where that looks for them.
  void step_captured(double learning_rate, void* numbers) { rule_.write_numbers({learning_rate, ++steps_}, numbers); }
  /// Takes back the count of updates that were recorded but not made.
  void uncount_steps(std::int64_t count) { steps_ -= count; }
  /// Number of updates so far.
  std::int64_t steps() const { return steps_; }

  const AnyRule& rule() const { return rule_; }
  const std::vector<NamedParam>& parameters() const { return parameters_; }
  /// Running values of parameter i.
  std::span<const Tensor> running(std::size_t i) const {
    return {running_.data() + i * static_cast<std::size_t>(rule_.slots()), static_cast<std::size_t>(rule_.slots())};
  }

  /// The running values by name, "<prefix><path>.<slot>", and the number of steps.
  std::vector<NamedTensor> state(const std::string& prefix) const;
  /// Restores what state() gave. @throws DataError if a value is missing or does not fit.
  /// @param find  (const std::string& name) -> const Tensor*, null if there is none
  template <class Find>
  void restore(const std::string& prefix, const Find& find) {
    restore(
        prefix, [](const void* f, const std::string& name) { return (*static_cast<const Find*>(f))(name); }, &find);
  }

 private:
  using FindTensor = const Tensor* (*)(const void* find, const std::string& name);
  void restore(const std::string& prefix, FindTensor call, const void* find);
  std::string slot_name(const std::string& prefix, std::size_t i, int slot) const;

  std::vector<NamedParam> parameters_;
  AnyRule rule_;
  std::vector<Tensor> running_;  // slots of parameter 0, slots of parameter 1, ...
  std::int64_t steps_ = 0;
};

/// Limits every gradient element to [-limit, limit].
void clip_by_value(std::span<Tensor> gradients, double limit);
/// Scales all gradients together so that their joint Euclidean norm is at most `limit`; returns the norm before.
/// Source: Pascanu et al. 2013, arXiv:1211.5063.
double clip_by_norm(std::span<Tensor> gradients, double limit);
namespace detail {
/// The same without the norm, which need not be known: nothing waits for a device.
void clip_norm(std::span<Tensor> gradients, double limit);
}  // namespace detail

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/optim/optimizer_impl.hpp>
#endif
