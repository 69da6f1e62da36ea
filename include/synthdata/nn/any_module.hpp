// synthdata/nn/any_module.hpp: a module of any type behind one type, for nets built at run time.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/owned.hpp>
#include <synthdata/nn/module.hpp>

namespace synthdata {

/// Holds any module by value. Copying copies the module inside, weights and all.
class AnyModule {
 public:
  static constexpr const char* kind = "any";
  static constexpr bool container = true;

  AnyModule() = default;
  template <Module M>
    requires(!std::same_as<std::remove_cvref_t<M>, AnyModule>)
  AnyModule(M module) : box_(new Holder<M>(std::move(module))) {}  // NOLINT: any module is one

  /// @throws Error if the box is empty.
  Var operator()(const Var& x, Context& context) const;
  explicit operator bool() const { return static_cast<bool>(box_); }
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
    virtual Box* clone() const = 0;
  };
  template <class M>
  struct Holder final : Box {
    explicit Holder(M m) : module(std::move(m)) {}
    Var run(const Var& x, Context& context) const override { return forward(module, x, context); }
    void visit_state(const std::string& path, StateVisitor& visitor) override {
      detail::visit_state(module, path, visitor);
    }
    std::string_view kind() const override { return detail::kind_of<M>(); }
    Box* clone() const override { return new Holder(module); }
    M module;
  };
  detail::Owned<Box> box_;
};

/// Layers in a row whose number is known at run time.
class ModuleList {
 public:
  static constexpr const char* kind = "list";
  static constexpr bool container = true;

  void push_back(AnyModule module);
  std::size_t size() const { return modules_.size(); }
  AnyModule& operator[](std::size_t i) { return modules_[i]; }

  Var operator()(const Var& x, Context& context) const;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    for (std::size_t i = 0; i < self.modules_.size(); ++i) v(std::to_string(i), self.modules_[i]);
  }

 private:
  std::vector<AnyModule> modules_;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/nn/any_module_impl.hpp>
#endif
