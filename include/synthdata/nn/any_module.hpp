// synthdata/nn/any_module.hpp: a module of any type behind one type, for nets built at run time.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/nn/module.hpp>

#include <memory>

namespace synthdata {

/// Holds any module by value. Copying copies the module inside, weights and all.
class AnyModule {
 public:
  static constexpr const char* kind = "any";
  static constexpr bool container = true;

  AnyModule() = default;
  template <Module M>
    requires(!std::same_as<std::remove_cvref_t<M>, AnyModule>)
  AnyModule(M module) : box_(std::make_unique<Holder<M>>(std::move(module))) {}  // NOLINT: any module is one
  AnyModule(const AnyModule& other) : box_(other.box_ ? other.box_->clone() : nullptr) {}
  AnyModule(AnyModule&&) noexcept = default;
  AnyModule& operator=(AnyModule other) noexcept {
    box_ = std::move(other.box_);
    return *this;
  }
  ~AnyModule() = default;

  /// @throws Error if the box is empty.
  Var operator()(const Var& x, Context& context) const {
    if (!box_) throw Error("AnyModule: holds no module");
    return box_->run(x, context);
  }
  explicit operator bool() const { return box_ != nullptr; }
  /// Kind of the module inside, "conv"; "any" for an empty box.
  std::string_view held_kind() const { return box_ ? box_->kind() : kind; }

  void visit_state(const std::string& path, StateVisitor& visitor) {
    if (box_) box_->visit_state(path, visitor);
  }
  template <class Self, class Visitor>
  static void visit(Self&, Visitor&&) {}  // state is reached through visit_state

 private:
  struct Box {
    virtual ~Box() = default;
    virtual Var run(const Var& x, Context& context) const = 0;
    virtual void visit_state(const std::string& path, StateVisitor& visitor) = 0;
    virtual std::string_view kind() const = 0;
    virtual std::unique_ptr<Box> clone() const = 0;
  };
  template <class M>
  struct Holder final : Box {
    explicit Holder(M m) : module(std::move(m)) {}
    Var run(const Var& x, Context& context) const override { return forward(module, x, context); }
    void visit_state(const std::string& path, StateVisitor& visitor) override {
      detail::visit_state(module, path, visitor);
    }
    std::string_view kind() const override { return detail::kind_of<M>(); }
    std::unique_ptr<Box> clone() const override { return std::make_unique<Holder>(module); }
    M module;
  };
  std::unique_ptr<Box> box_;
};

/// Layers in a row whose number is known at run time.
class ModuleList {
 public:
  static constexpr const char* kind = "list";
  static constexpr bool container = true;

  void push_back(AnyModule module) { modules_.push_back(std::move(module)); }
  std::size_t size() const { return modules_.size(); }
  AnyModule& operator[](std::size_t i) { return modules_[i]; }

  Var operator()(const Var& x, Context& context) const {
    Var y = x;
    for (std::size_t i = 0; i < modules_.size(); ++i) {
      const std::size_t noted = context.trace ? context.trace->size() : 0;
      try {
        y = modules_[i](y, context);
        if (context.trace) note(i, noted, y, *context.trace);
      } catch (Error& e) {
        e.add_context(std::to_string(i));
        throw;
      }
    }
    return y;
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    for (std::size_t i = 0; i < self.modules_.size(); ++i) v(std::to_string(i), self.modules_[i]);
  }

 private:
  void note(std::size_t i, std::size_t noted, const Var& y, std::vector<TraceEntry>& trace) const {
    AnyModule copy = modules_[i];
    detail::note_layer(trace, noted, concat(i, " ", copy.held_kind()), y, parameter_count(copy), true);
  }

  std::vector<AnyModule> modules_;
};

}  // namespace synthdata
