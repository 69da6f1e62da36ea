// synthdata/data/augment/augmentation.hpp: what all augmentations have in common, and the box that holds any of them.
//
// An augmentation is a small value: `Tensor operator()(Tensor sample, Rng& rng) const`, a name, and its parameters
// listed once, with their limits, from which printing, checking, saving and loading follow:
//
//   struct Invert {
//     float probability = 0.5f;
//     static constexpr const char* name = "invert";
//     template <class Self, class Visitor> static void visit(Self& self, Visitor&& v) {
//       v("probability", self.probability, 0.0, 1.0);
//     }
//     Tensor operator()(Tensor image, Rng& rng) const;
//   };
//
// A parameter that is a ValueRange is drawn evenly from it for each sample. All draws come from the generator of the
// sample, so what a data set yields depends neither on threads nor on the order of reading.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/warp.hpp>
#include <synthdata/core/owned.hpp>
#include <synthdata/core/random.hpp>
#include <synthdata/data/dataset.hpp>
#include <synthdata/io/json.hpp>

#include <concepts>
#include <string>
#include <vector>

namespace synthdata {

namespace detail {
/// Stands for any visitor where a type is asked whether it lists its parameters.
struct AnyParameterVisitor {
  template <class T>
  void operator()(const char* key, T& value) const;
  template <class T>
  void operator()(const char* key, T& value, double low, double high) const;
};
}  // namespace detail

/// A TensorAugmenter with a name and a list of its parameters.
template <class A>
concept DescribedAugmenter = TensorAugmenter<A> && std::default_initializable<A> && std::copy_constructible<A> &&
                             requires(A& a, const detail::AnyParameterVisitor& v) {
                               { A::name } -> std::convertible_to<const char*>;
                               A::visit(a, v);
                             };

/// Holds any augmentation by value. Copying copies it.
class Augmentation {
 public:
  /// Does nothing.
  Augmentation() = default;
  /// @throws NumericError if a parameter is beyond its limits.
  template <class A>
    requires(!std::same_as<A, Augmentation> && DescribedAugmenter<A>)
  Augmentation(A augmenter) : held_(new Held<A>(std::move(augmenter))) {
    held_->check();
  }

  Tensor operator()(Tensor sample, Rng& rng) const { return held_ ? held_->apply(std::move(sample), rng) : sample; }

  /// "rotate" and the like.
  const char* name() const { return held_ ? held_->name() : "nothing"; }
  /// {"name": "rotate", "degrees": [-15, 15], ...}
  Json to_json() const;
  /// rotate(degrees=[-15, 15], ...)
  std::string str() const;

 private:
  struct AnyHeld {
    virtual ~AnyHeld() = default;
    virtual AnyHeld* clone() const = 0;
    virtual const char* name() const = 0;
    virtual Tensor apply(Tensor sample, Rng& rng) const = 0;
    virtual void check() const = 0;
    virtual void list(Json::Object& members) const = 0;
  };
  template <class A>
  struct Held;

  detail::Owned<AnyHeld> held_;
};

/// An augmentation of a policy and how often it is applied.
struct AugmentationStep {
  AugmentationStep() = default;
  template <class A>
    requires(!std::same_as<A, AugmentationStep> && std::convertible_to<A, Augmentation>)
  AugmentationStep(A a, float p = 1.0f) : augmentation(std::move(a)), probability(p) {}

  Augmentation augmentation;
  float probability = 1.0f;
};

class AugmentationKinds;

namespace detail {

// A parameter as JSON, and back. `where` says whose it is: "rotate: degrees".
Json parameter_json(float value);
Json parameter_json(std::int64_t value);
Json parameter_json(bool value);
Json parameter_json(Border value);
Json parameter_json(Interpolation value);
Json parameter_json(const ValueRange& value);
Json parameter_json(const std::vector<std::vector<std::string>>& value);
Json parameter_json(const std::vector<AugmentationStep>& value);

void read_parameter(const Json& json, const std::string& where, const AugmentationKinds& kinds, float& value);
void read_parameter(const Json& json, const std::string& where, const AugmentationKinds& kinds, std::int64_t& value);
void read_parameter(const Json& json, const std::string& where, const AugmentationKinds& kinds, bool& value);
void read_parameter(const Json& json, const std::string& where, const AugmentationKinds& kinds, std::string& value);
void read_parameter(const Json& json, const std::string& where, const AugmentationKinds& kinds, Border& value);
void read_parameter(const Json& json, const std::string& where, const AugmentationKinds& kinds, Interpolation& value);
void read_parameter(const Json& json, const std::string& where, const AugmentationKinds& kinds, ValueRange& value);
void read_parameter(const Json& json, const std::string& where, const AugmentationKinds& kinds,
                    std::vector<std::vector<std::string>>& value);
void read_parameter(const Json& json, const std::string& where, const AugmentationKinds& kinds,
                    std::vector<AugmentationStep>& value);

/// @throws NumericError unless low <= value <= high; for a range both ends, in order.
void check_parameter(const char* owner, const char* key, double value, double low, double high);
void check_parameter(const char* owner, const char* key, const ValueRange& value, double low, double high);
/// Those without limits: numbers must be finite, probabilities in [0, 1].
template <class T>
void check_parameter(const char*, const char*, const T&) {}
void check_parameter(const char* owner, const char* key, float value);
void check_parameter(const char* owner, const char* key, const ValueRange& value);
void check_parameter(const char* owner, const char* key, const std::vector<AugmentationStep>& value);

template <class A>
struct ParameterChecker {
  template <class T>
  void operator()(const char* key, const T& value) const {
    check_parameter(A::name, key, value);
  }
  template <class T>
  void operator()(const char* key, const T& value, double low, double high) const {
    if constexpr (std::is_arithmetic_v<T>) {
      check_parameter(A::name, key, static_cast<double>(value), low, high);
    } else {
      check_parameter(A::name, key, value, low, high);
    }
  }
};
struct ParameterLister {
  Json::Object& members;
  template <class T>
  void operator()(const char* key, const T& value, double = 0.0, double = 0.0) const {
    members.push_back({key, parameter_json(value)});
  }
};
struct ParameterReader {
  const Json& json;
  const AugmentationKinds& kinds;
  const char* owner;
  std::vector<std::string>& known;
  template <class T>
  void operator()(const char* key, T& value, double = 0.0, double = 0.0) const {
    known.push_back(key);
    if (const Json* found = json.find(key)) read_parameter(*found, concat(owner, ": ", key), kinds, value);
  }
};
/// @throws DataError for a member that no parameter took.
void check_members(const Json& json, const char* owner, const std::vector<std::string>& known);

}  // namespace detail

/// @throws NumericError if a parameter is beyond its limits.
template <DescribedAugmenter A>
void check_augmentation(const A& augmenter) {
  A::visit(augmenter, detail::ParameterChecker<A>{});
}

template <class A>
struct Augmentation::Held final : AnyHeld {
  explicit Held(A a) : augmenter(std::move(a)) {}
  Held* clone() const override { return new Held(*this); }
  const char* name() const override { return A::name; }
  Tensor apply(Tensor sample, Rng& rng) const override { return augmenter(std::move(sample), rng); }
  void check() const override { check_augmentation(augmenter); }
  void list(Json::Object& members) const override { A::visit(augmenter, detail::ParameterLister{members}); }
  A augmenter;
};

/// The augmentations that read() knows by name.
class AugmentationKinds {
 public:
  /// Adds a type of your own.
  template <DescribedAugmenter A>
  void add() {
    kinds_.push_back({A::name, [](const Json& json, const AugmentationKinds& kinds) -> Augmentation {
                        A augmenter{};
                        std::vector<std::string> known = {"name", "probability"};
                        A::visit(augmenter, detail::ParameterReader{json, kinds, A::name, known});
                        detail::check_members(json, A::name, known);
                        return augmenter;
                      }});
  }
  /// What to_json() wrote; parameters that are not there keep their default.
  /// @throws DataError for an unknown name or parameter, or a value of another type; NumericError beyond its limits.
  Augmentation read(const Json& json) const;

 private:
  struct Kind {
    std::string name;
    Augmentation (*read)(const Json& json, const AugmentationKinds& kinds);
  };
  std::vector<Kind> kinds_;
};

/// A parameter drawn for one sample: even in its range. Draws a number even from a range of one value, so that the
/// numbers that follow are the same for all ranges.
inline float draw(const ValueRange& range, Rng& rng) { return rng.uniform(range.low, range.high); }

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/augment/augmentation_impl.hpp>
#endif
