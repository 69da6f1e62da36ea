// synthdata/tabular/any_tabular_model.hpp: any model of tables behind one type, and any saved one from its file.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/tabular/ctgan.hpp>
#include <synthdata/tabular/gaussian_copula.hpp>
#include <synthdata/tabular/smote.hpp>
#include <synthdata/tabular/table_transform.hpp>
#include <synthdata/tabular/tabular_ar.hpp>
#include <synthdata/tabular/tvae.hpp>

#include <concepts>
#include <functional>

namespace synthdata::models {

/// Makes rows under conditions, and saves itself.
template <class M>
concept TabularModel =
    std::copy_constructible<M> &&
    requires(const M& model, std::int64_t rows, const Conditions& conditions, const SampleOptions& options) {
      { model.sample(rows, conditions, options) } -> std::same_as<Table>;
      { model.schema() } -> std::same_as<Schema>;
      { model.archive() } -> std::same_as<Archive>;
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

/// Any TabularModel, and the transform between the table and what the model learnt.
class AnyTabularModel {
 public:
  template <class M>
    requires(!std::same_as<M, AnyTabularModel>) && TabularModel<M>
  explicit AnyTabularModel(M model, TableTransform transform = {})
      : held_(new Held<M>(std::move(model))), transform_(std::move(transform)) {}

  /// Rows that meet the conditions and keep the transform's rules; see the model's and TableTransform::sample.
  Table sample(std::int64_t rows, const Conditions& conditions = {}, const SampleOptions& options = {}) const;

  /// Rows in which the values of a column come in these shares, which need not add up to 1; in random order. By default
  /// all categories, or both values of a boolean column, come equally often.
  /// @throws DataError as sample(); for a value that comes twice, shares below 0, and a column of many values without
  /// shares.
  Table sample_balanced(std::int64_t rows, const std::string& column,
                        const std::vector<std::pair<std::string, double>>& shares = {},
                        const Conditions& conditions = {}, const SampleOptions& options = {}) const;

  /// Makes the next rows each time it is called, see SampleReader and TableTransform::pieces. The model must outlive
  /// it.
  std::function<Table(std::int64_t rows)> pieces(const Conditions& conditions = {},
                                                 const SampleOptions& options = {}) const;

  Schema schema() const { return transform_.schema(held_->schema()); }
  const TableTransform& transform() const { return transform_; }
  /// Gives a rule::predicate of a loaded model its function again.
  void set_predicate(const std::string& name, RowPredicate f) { transform_.set_predicate(name, std::move(f)); }
  /// Model and transform, as save() writes them.
  Archive archive() const;
  /// One safetensors file. @throws DataError if it cannot be written.
  void save(const std::string& path) const;

 private:
  struct Base {
    virtual ~Base() = default;
    virtual Base* clone() const = 0;
    virtual Table sample(std::int64_t rows, const Conditions& conditions, const SampleOptions& options) const = 0;
    virtual std::function<Table(std::int64_t rows)> pieces(const Conditions& conditions,
                                                           const SampleOptions& options) const = 0;
    virtual Schema schema() const = 0;
    virtual Archive archive() const = 0;
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
    Archive archive() const override { return model.archive(); }
    M model;
  };
  Table sample_parts(const std::vector<SamplePart>& parts, const SampleOptions& options) const;

  synthdata::detail::Owned<Base> held_;
  TableTransform transform_;
};

/// What fit_tabular_model is to do.
struct TabularOptions {
  TabularTraining training{};
  Rules rules{};             ///< that the table keeps, and rows made are to keep
  ColumnsOptions columns{};  ///< what is made anew or left out
};

/// Names of the models that fit_tabular_model knows: "ar", "ctgan", "tvae" and, without training, "copula", "smote".
std::vector<std::string> tabular_model_names();
/// Fits a TableTransform and, to what that leaves, the model of that name with its default options.
/// @throws DataError for a name that is none, as TableTransform::fit, and as the model's fit()
AnyTabularModel fit_tabular_model(const std::string& name, const Table& table, const TabularOptions& options = {},
                                  const TabularCallback& progress = {});
AnyTabularModel fit_tabular_model(const std::string& name, const Table& table, const TabularTraining& training,
                                  const TabularCallback& progress = {});
/// What save() of any model wrote. @throws DataError if the file is damaged or none
AnyTabularModel load_tabular_model(const std::string& path);

}  // namespace synthdata::models

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/tabular/any_tabular_model_impl.hpp>
#endif
