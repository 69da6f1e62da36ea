// synthdata/data/transform/transform.hpp: what turns one column into numbers for a model, and back.
//
// Two concepts: a ScalarTransform changes numbers one by one (standardise, logarithm), a BlockTransform writes each
// number as one or several (one-hot, modes) and ends a chain. Both are fitted on training values, then fixed. A chain
// is written `SignedLog{} | Standardize{}`.
//
// A column's values are numbers: integers, reals, booleans as 0 and 1, codes of categories, microseconds of date-times.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/owned.hpp>
#include <synthdata/core/random.hpp>
#include <synthdata/core/tensor.hpp>
#include <synthdata/data/schema.hpp>

#include <concepts>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace synthdata {

struct Archive;
class GaussianMixture;

/// What a block of encoded numbers holds.
enum class BlockKind : std::uint8_t {
  number,   ///< one number; low ... high where training rows lie
  one_hot,  ///< one of `width` is 1, the others 0; decoding takes the largest
  code,     ///< one whole number, 0 ... high
  flag,     ///< 1 for a missing value, else 0; decoding compares with 1/2
};
const char* name_of(BlockKind kind);

/// Neighbouring columns of the encoded tensor that mean one thing.
struct EncodedBlock {
  std::string column{};          ///< of the table
  std::int64_t begin = 0;        ///< first column of the tensor
  std::int64_t width = 1;
  BlockKind kind = BlockKind::number;
  double low = -std::numeric_limits<double>::infinity();  ///< number, code: range of the training rows
  double high = std::numeric_limits<double>::infinity();

  friend bool operator==(const EncodedBlock&, const EncodedBlock&) = default;
};

namespace transform {

/// Least and largest number.
struct Interval {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

/// What a transform is fitted on.
struct Training {
  std::span<const double> values;    ///< those that are not missing, at least one, all finite
  std::int64_t missing_count = 0;    ///< 0 for transforms that never see a missing value
  const ColumnSchema& schema;
  Rng rng;
};

// Both also list what is saved, `static void visit(Self& self, Visitor&& v)`: v("key", member) for each bool,
// std::int64_t, double, std::string, Tensor, GaussianMixture and Levels. load_transform() knows the library's kinds.

/// Changes numbers one by one. apply() and invert() are called by several threads at a time.
template <class T>
concept ScalarTransform = std::copyable<T> && requires(T t, const T c, const Training& training, std::span<double> v) {
  { T::name } -> std::convertible_to<const char*>;
  t.fit(training);
  c.apply(v);
  c.invert(v);
  { c.range(Interval{}) } -> std::same_as<Interval>;  // where apply() takes numbers of that range
};

/// Writes each number as a row of blocks, rows being `stride` apart; reads them back. A null generator means no
/// chance: the likeliest. `takes_missing`: NaN stands for a missing value.
template <class T>
concept BlockTransform = std::copyable<T> && requires(T t, const T c, const Training& training, std::span<double> v,
                                                      float* out, const float* in, Rng* rng) {
  { T::name } -> std::convertible_to<const char*>;
  { T::takes_missing } -> std::convertible_to<bool>;
  t.fit(training);
  { c.blocks() } -> std::same_as<std::vector<EncodedBlock>>;  // `begin` from 0
  c.encode(std::span<const double>(v), out, std::int64_t{}, rng);
  c.decode(in, std::int64_t{}, v, rng);
};

template <class T>
concept Transform = ScalarTransform<T> || BlockTransform<T>;

/// The different values of a column with their numbers of rows; those too rare, or too many, are one level together.
/// The levels are: the kept values, in order of value; "other", if any was merged; missing, if any was.
class Levels {
 public:
  /// @param most  bound of the kept values, the frequent ones; 0 for none
  /// @param least_share  of the rows, for a value to be kept
  void fit(const Training& training, std::int64_t most, double least_share);

  std::int64_t size() const { return kept_size() + (rare_size() > 0) + (missing_ > 0); }
  std::int64_t kept_size() const { return kept_.defined() ? kept_.size() : 0; }
  std::int64_t rare_size() const { return rare_.defined() ? rare_.size() : 0; }
  std::int64_t rows() const { return rows_; }  ///< missing included
  /// Rows of training at a level.
  std::int64_t count(std::int64_t level) const;
  std::int64_t most_frequent() const;
  /// Level of a value, NaN for a missing one; -1 if there is none.
  std::int64_t level_of(double value) const;
  /// A value of the level, NaN for missing; of "other" drawn by frequency, or the most frequent.
  double value_of(std::int64_t level, Rng* rng) const;
  /// True if training has a missing value.
  bool has_missing() const { return missing_ > 0; }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& v) {
    v("missing", self.missing_);
    v("kept", self.kept_);
    v("kept_counts", self.kept_counts_);
    v("rare", self.rare_);
    v("rare_counts", self.rare_counts_);
  }
  /// Makes the tables of a loaded object. @throws DataError for what fit() cannot have made
  void prepare();

 private:
  std::int64_t missing_ = 0, rows_ = 0;
  Tensor kept_, kept_counts_, rare_, rare_counts_;  // f64, i64, each by rising value
  std::vector<std::int32_t> direct_;                // level of the values 0 ... if those are small whole numbers
  std::vector<std::int64_t> rare_sums_;
};

}  // namespace transform

/// A chain of transforms, fitted on one column.
class ColumnTransform {
 public:
  /// Nothing yet: numbers pass as they are.
  ColumnTransform() = default;
  template <transform::Transform T>
  ColumnTransform(T t);
  ColumnTransform(const ColumnTransform&);
  ColumnTransform(ColumnTransform&&) noexcept;
  ColumnTransform& operator=(ColumnTransform) noexcept;
  ~ColumnTransform();

  /// This chain, then `next`. @throws DataError behind a transform that ends a chain
  ColumnTransform then(const ColumnTransform& next) const;

  void fit(const transform::Training& training);
  bool takes_missing() const;
  std::vector<EncodedBlock> blocks() const;
  /// Overwrites `values` by what the scalar transforms make of them.
  void encode(std::span<double> values, float* out, std::int64_t stride, Rng* rng) const;
  void decode(const float* in, std::int64_t stride, std::span<double> values, Rng* rng) const;

  /// "signed_log | standardize"
  std::string str() const;
  /// For load_transform() of kinds.hpp: texts and numbers as JSON, tensors as `prefix.0.name`.
  Json save(Archive& archive, const std::string& prefix) const;

  /// The transform of type T in the chain, or null: `chain.find<transform::Modes>()`.
  template <class T>
  const T* find() const;

 private:
  struct AnyStep;
  template <class T>
  struct Step;
  friend ColumnTransform load_transform(const Json& json, const Archive& archive, const std::string& prefix);

  template <class T>
  static constexpr char transform_tag = 0;  // its address names the type

  std::vector<detail::Owned<AnyStep>> steps_;
  transform::Interval trained_{0.0, 0.0};  // of the values fitted on, for blocks()
};

/// Chains: SignedLog{} | Standardize{} | ...
template <class A, class B>
  requires(transform::Transform<A> || std::same_as<A, ColumnTransform>) &&
          (transform::Transform<B> || std::same_as<B, ColumnTransform>)
ColumnTransform operator|(const A& first, const B& second) {
  return ColumnTransform(first).then(ColumnTransform(second));
}

namespace detail {

// Saving a transform's parts, and loading them: numbers go into the JSON, tensors into the archive.
struct TransformSaver {
  Json::Object& members;
  Archive& archive;
  const std::string& prefix;

  void operator()(const char* key, const bool& value) const { members.push_back({key, value}); }
  void operator()(const char* key, const std::int64_t& value) const { members.push_back({key, value}); }
  void operator()(const char* key, const double& value) const { members.push_back({key, value}); }
  void operator()(const char* key, const std::string& value) const { members.push_back({key, value}); }
  void operator()(const char* key, const Tensor& value) const;
  void operator()(const char* key, const GaussianMixture& value) const;
  void operator()(const char* key, const transform::Levels& value) const;
};
struct TransformLoader {
  const Json& json;
  const Archive& archive;
  const std::string& prefix;

  void operator()(const char* key, bool& value) const;
  void operator()(const char* key, std::int64_t& value) const;
  void operator()(const char* key, double& value) const;
  void operator()(const char* key, std::string& value) const;
  void operator()(const char* key, Tensor& value) const;
  void operator()(const char* key, GaussianMixture& value) const;
  void operator()(const char* key, transform::Levels& value) const;
};
/// Throws DataError unless `good`: "<what> of a saved <kind> ..."
void check_loaded(bool good, const char* kind, const char* what);
/// The values and how often each comes, by rising value.
struct Distinct {
  std::vector<double> values;
  std::vector<std::int64_t> counts;
};
Distinct distinct(std::span<const double> values);
/// At most `most` of the values, one drawn from each of as many equal stretches of rows.
std::vector<double> thinned(std::span<const double> values, std::int64_t most, Rng rng);

}  // namespace detail

struct ColumnTransform::AnyStep {
  virtual ~AnyStep() = default;
  virtual AnyStep* clone() const = 0;
  virtual const char* name() const = 0;
  virtual bool ends() const = 0;
  virtual bool takes_missing() const = 0;
  virtual void fit(const transform::Training& training) = 0;
  virtual transform::Interval range(transform::Interval from) const = 0;
  virtual void apply(std::span<double> values) const = 0;
  virtual void invert(std::span<double> values) const = 0;
  virtual std::vector<EncodedBlock> blocks() const = 0;
  virtual void encode(std::span<const double> values, float* out, std::int64_t stride, Rng* rng) const = 0;
  virtual void decode(const float* in, std::int64_t stride, std::span<double> values, Rng* rng) const = 0;
  virtual void save(const detail::TransformSaver& saver) const = 0;
  virtual const void* held(const void* tag) const = 0;  // if it is of the tag's type
};

template <class T>
struct ColumnTransform::Step final : AnyStep {
  explicit Step(T t) : transform(std::move(t)) {}
  Step* clone() const override { return new Step(*this); }
  const char* name() const override { return T::name; }
  bool ends() const override { return transform::BlockTransform<T>; }
  bool takes_missing() const override {
    if constexpr (transform::BlockTransform<T>) return T::takes_missing;
    return false;
  }
  void fit(const transform::Training& training) override { transform.fit(training); }
  transform::Interval range(transform::Interval from) const override {
    if constexpr (transform::ScalarTransform<T>) return transform.range(from);
    return from;
  }
  void apply([[maybe_unused]] std::span<double> values) const override {
    if constexpr (transform::ScalarTransform<T>) transform.apply(values);
  }
  void invert([[maybe_unused]] std::span<double> values) const override {
    if constexpr (transform::ScalarTransform<T>) transform.invert(values);
  }
  std::vector<EncodedBlock> blocks() const override {
    if constexpr (transform::BlockTransform<T>) return transform.blocks();
    return {};
  }
  void encode([[maybe_unused]] std::span<const double> values, [[maybe_unused]] float* out,
              [[maybe_unused]] std::int64_t stride, [[maybe_unused]] Rng* rng) const override {
    if constexpr (transform::BlockTransform<T>) transform.encode(values, out, stride, rng);
  }
  void decode([[maybe_unused]] const float* in, [[maybe_unused]] std::int64_t stride,
              [[maybe_unused]] std::span<double> values, [[maybe_unused]] Rng* rng) const override {
    if constexpr (transform::BlockTransform<T>) transform.decode(in, stride, values, rng);
  }
  void save(const detail::TransformSaver& saver) const override { T::visit(transform, saver); }
  const void* held(const void* tag) const override { return tag == &transform_tag<T> ? &transform : nullptr; }
  T transform;
};

template <transform::Transform T>
ColumnTransform::ColumnTransform(T t) {
  steps_.emplace_back(new Step<T>(std::move(t)));
}

template <class T>
const T* ColumnTransform::find() const {
  for (const auto& step : steps_) {
    if (const void* held = step->held(&transform_tag<T>)) return static_cast<const T*>(held);
  }
  return nullptr;
}

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/transform/transform_impl.hpp>
#endif
