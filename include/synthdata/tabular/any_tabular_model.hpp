// synthdata/tabular/any_tabular_model.hpp: any model of tables behind one type, and any saved one from its file.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/tabular/ctgan.hpp>
#include <synthdata/tabular/tabular_ar.hpp>
#include <synthdata/tabular/tvae.hpp>

#include <concepts>
#include <functional>

namespace synthdata::models {

/// Makes rows under conditions, and saves itself.
template <class M>
concept TabularModel =
    std::copy_constructible<M> && requires(const M& model, std::int64_t rows, const Conditions& conditions,
                                           const SampleOptions& options, const std::string& path) {
      { model.sample(rows, conditions, options) } -> std::same_as<Table>;
      { model.schema() } -> std::same_as<Schema>;
      model.save(path);
    };

namespace detail {

/// Makes the next rows of a model each time it is called. The model must outlive it.
template <TabularModel M>
std::function<Table(std::int64_t rows)> sample_pieces(const M& model, const Conditions& conditions,
                                                      const SampleOptions& options) {
  if constexpr (requires { model.pieces(conditions, options); }) {
    return model.pieces(conditions, options);
  } else {
    return [&model, conditions, options, piece = std::uint64_t{0}](std::int64_t rows) mutable {
      SampleOptions own = options;
      if (piece > 0) own.seed = Rng{options.seed}.split(piece).next_u64();
      ++piece;
      return model.sample(rows, conditions, own);
    };
  }
}

}  // namespace detail

/// Any TabularModel.
class AnyTabularModel {
 public:
  template <class M>
    requires(!std::same_as<M, AnyTabularModel>) && TabularModel<M>
  explicit AnyTabularModel(M model) : held_(new Held<M>(std::move(model))) {}

  Table sample(std::int64_t rows, const Conditions& conditions = {}, const SampleOptions& options = {}) const {
    return held_->sample(rows, conditions, options);
  }
  /// Makes the next rows each time it is called, see SampleReader. The model must outlive it.
  std::function<Table(std::int64_t rows)> pieces(const Conditions& conditions = {},
                                                 const SampleOptions& options = {}) const {
    return held_->pieces(conditions, options);
  }
  Schema schema() const { return held_->schema(); }
  void save(const std::string& path) const { held_->save(path); }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual Base* clone() const = 0;
    virtual Table sample(std::int64_t rows, const Conditions& conditions, const SampleOptions& options) const = 0;
    virtual std::function<Table(std::int64_t rows)> pieces(const Conditions& conditions,
                                                           const SampleOptions& options) const = 0;
    virtual Schema schema() const = 0;
    virtual void save(const std::string& path) const = 0;
  };
  template <class M>
  struct Held final : Base {
    explicit Held(M held) : model(std::move(held)) {}
    Base* clone() const override { return new Held(model); }
    Table sample(std::int64_t rows, const Conditions& conditions, const SampleOptions& options) const override {
      return model.sample(rows, conditions, options);
    }
    std::function<Table(std::int64_t rows)> pieces(const Conditions& conditions,
                                                   const SampleOptions& options) const override {
      return detail::sample_pieces(model, conditions, options);
    }
    Schema schema() const override { return model.schema(); }
    void save(const std::string& path) const override { model.save(path); }
    M model;
  };
  synthdata::detail::Owned<Base> held_;
};

/// Names of the models that fit_tabular_model knows: "ar", "ctgan", "tvae".
std::vector<std::string> tabular_model_names();
/// Fits the model of that name with its default options. @throws DataError for a name that is none, and as its fit()
AnyTabularModel fit_tabular_model(const std::string& name, const Table& table, const TabularTraining& training = {},
                                  const TabularCallback& progress = {});
/// What a model of this library saved. @throws DataError if the file is damaged or none
AnyTabularModel load_tabular_model(const std::string& path);

}  // namespace synthdata::models

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/tabular/any_tabular_model_impl.hpp>
#endif
