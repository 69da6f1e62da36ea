// synthdata/metrics/classify/classifier.hpp: what a classifier of encoded tables is, and one type for any of them.
//
// Rows are numbers, x [N, D] f64; classes are 0 ... K - 1, y [N] i64. Fitting the same rows with the same options gives
// the same classifier, for any number of threads.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/owned.hpp>
#include <synthdata/core/tensor.hpp>

#include <concepts>
#include <utility>
#include <vector>

namespace synthdata {

/// Learns the classes of rows and gives probabilities [N, K] f64 for others. `fit` forgets what was learnt before.
template <class C>
concept Classifier = std::copyable<C> && requires(C& learner, const C& fitted, const Tensor& x, const Tensor& y) {
  { C::name } -> std::convertible_to<const char*>;
  learner.fit(x, y);
  { fitted.probabilities(x) } -> std::same_as<Tensor>;
};

/// What the rows of each class count.
enum class ClassWeight : std::uint8_t {
  equal,     ///< each row counts alike
  balanced,  ///< each class counts alike: a row counts N / (K rows of its class)
};

/// Any classifier behind one type: `AnyClassifier c = DecisionTree({.max_depth = 15});`
class AnyClassifier {
 public:
  template <class C>
    requires(!std::same_as<C, AnyClassifier> && Classifier<C>)  // in this order: copying must not ask itself
  AnyClassifier(C classifier) : held_(new Held<C>(std::move(classifier))) {}  // NOLINT: any classifier is one

  static constexpr const char* name = "any";
  const char* kind() const { return held_->kind(); }
  void fit(const Tensor& x, const Tensor& y) { held_->fit(x, y); }
  Tensor probabilities(const Tensor& x) const { return held_->probabilities(x); }
  /// Says which columns are category numbers, to a classifier that can use it; see FeatureEncoder::categorical().
  void set_categorical(const std::vector<std::int64_t>& columns) { held_->set_categorical(columns); }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual const char* kind() const = 0;
    virtual void fit(const Tensor&, const Tensor&) = 0;
    virtual Tensor probabilities(const Tensor&) const = 0;
    virtual void set_categorical(const std::vector<std::int64_t>&) = 0;
    virtual Base* clone() const = 0;
  };
  template <class C>
  struct Held final : Base {
    explicit Held(C c) : classifier(std::move(c)) {}
    const char* kind() const override { return C::name; }
    void fit(const Tensor& x, const Tensor& y) override { classifier.fit(x, y); }
    Tensor probabilities(const Tensor& x) const override { return classifier.probabilities(x); }
    void set_categorical(const std::vector<std::int64_t>& columns) override {
      if constexpr (requires { classifier.set_categorical(columns); }) classifier.set_categorical(columns);
    }
    Base* clone() const override { return new Held(classifier); }
    C classifier;
  };
  detail::Owned<Base> held_;
};

namespace detail {

/// Rows to learn from, checked.
struct TrainingRows {
  const double* x = nullptr;
  const std::int64_t* y = nullptr;
  std::int64_t rows = 0, width = 0, classes = 0;
};
/// @param missing  NaN is allowed
/// @throws ShapeError, DTypeError if x and y are not as above; NumericError for infinite values, NaN where it is not
/// allowed, labels below 0 or above 1000, and where there is no row.
TrainingRows training_rows(const char* classifier, const Tensor& x, const Tensor& y, bool missing = false);
/// The rows x [N, width] to classify. @throws ShapeError, DTypeError, NumericError as above; Error before fit().
const double* rows_to_classify(const char* classifier, const Tensor& x, std::int64_t width, bool missing = false);
/// What each row counts. A class without rows takes no part.
std::vector<double> row_weights(const TrainingRows& rows, ClassWeight weight);
/// The likeliest class of each row, the first of equally likely ones.
std::vector<std::int64_t> likeliest(const Tensor& probabilities);

}  // namespace detail
}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/metrics/classify/classifier_impl.hpp>
#endif
