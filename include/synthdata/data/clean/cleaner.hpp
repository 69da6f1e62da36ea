// synthdata/data/clean/cleaner.hpp: cleaning steps one after the other, fitted on training data, saved in one file.
//
//   Cleaner cleaner;
//   Table train = cleaner.fit(raw, DropColumnsOptions{});
//   train = cleaner.fit(train, FillMissingOptions{.fill = Fill::median});
//   cleaner.save("cleaner.safetensors");
//   const Table test = cleaner.apply(raw_test);
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/owned.hpp>
#include <synthdata/data/clean/columns.hpp>
#include <synthdata/data/table_stream.hpp>

#include <concepts>

namespace synthdata {

/// A fitted step: apply() never changes the table it is given; save() writes its small parts as JSON to
/// metadata[prefix] and its tensors as prefix.name.
template <class S>
concept CleaningStep = std::copy_constructible<S> && requires(const S& step, const Table& table, CleaningReport* report,
                                                              Archive& archive, const std::string& prefix) {
  { S::kind } -> std::convertible_to<const char*>;
  { step.apply(table, report) } -> std::same_as<Table>;
  { step.str() } -> std::convertible_to<std::string>;
  step.save(archive, prefix);
  { S::load(archive, prefix) } -> std::same_as<S>;
};

/// Any CleaningStep.
class AnyCleaningStep {
 public:
  template <class S>
    requires(!std::same_as<S, AnyCleaningStep> && CleaningStep<S>)  // in this order: the concept asks for copies
  explicit AnyCleaningStep(S step) : held_(new Held<S>(std::move(step))) {}

  const char* kind() const { return held_->kind(); }
  Table apply(const Table& table, CleaningReport* report) const { return held_->apply(table, report); }
  std::string str() const { return held_->str(); }
  void save(Archive& archive, const std::string& prefix) const { held_->save(archive, prefix); }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual Base* clone() const = 0;
    virtual const char* kind() const = 0;
    virtual Table apply(const Table& table, CleaningReport* report) const = 0;
    virtual std::string str() const = 0;
    virtual void save(Archive& archive, const std::string& prefix) const = 0;
  };
  template <class S>
  struct Held final : Base {
    explicit Held(S held) : step(std::move(held)) {}
    Base* clone() const override { return new Held(step); }
    const char* kind() const override { return S::kind; }
    Table apply(const Table& table, CleaningReport* report) const override { return step.apply(table, report); }
    std::string str() const override { return step.str(); }
    void save(Archive& archive, const std::string& prefix) const override { step.save(archive, prefix); }
    S step;
  };
  detail::Owned<Base> held_;
};

/// A chain of fitted steps.
class Cleaner {
 public:
  /// Fits one more step to `training`, which the steps before have cleaned, and returns what it leaves. Options name
  /// their step, as FillMissingOptions names FillMissing.
  template <class Options>
  Table fit(const Table& training, const Options& options, CleaningReport* report = nullptr) {
    auto step = Options::Step::fit(training, options);
    Table cleaned = step.apply(training, report);
    add(AnyCleaningStep(std::move(step)));
    return cleaned;
  }
  /// One more step, fitted elsewhere.
  void add(AnyCleaningStep step) { steps_.push_back(std::move(step)); }

  /// All steps, in order.
  Table apply(const Table& table, CleaningReport* report = nullptr) const;
  /// The columns that a table of this schema has after apply().
  Schema apply(const Schema& schema) const;

  const std::vector<AnyCleaningStep>& steps() const { return steps_; }
  /// A line for each step.
  std::string str() const;
  /// Kinds and descriptions, for logs; save() keeps the steps themselves.
  Json json() const;

  /// As cleaner.0, cleaner.1, ... of an archive.
  void save(Archive& archive, const std::string& prefix = "cleaner") const;
  /// Steps of this library. @throws DataError for what save() did not write
  static Cleaner load(const Archive& archive, const std::string& prefix = "cleaner");
  /// As a safetensors file, atomically. @throws DataError
  void save(const std::string& path) const;
  static Cleaner load(const std::string& path);

 private:
  std::vector<AnyCleaningStep> steps_;
};

/// A stream of cleaned pieces: a TableReader over another. Each piece is cleaned on its own, so duplicates are found,
/// and rows looked at for filling, within pieces. Copies the cleaner.
template <TableReader R>
class CleanedReader {
 public:
  CleanedReader(R reader, Cleaner cleaner)
      : reader_(std::move(reader)), cleaner_(std::move(cleaner)), schema_(cleaner_.apply(reader_.schema())) {}

  std::optional<Table> next() {
    const std::optional<Table> piece = reader_.next();
    return piece ? std::optional<Table>(cleaner_.apply(*piece, &report_)) : std::nullopt;
  }
  const Schema& schema() const { return schema_; }
  /// Of all pieces so far.
  const CleaningReport& report() const { return report_; }

 private:
  R reader_;
  Cleaner cleaner_;
  Schema schema_;
  CleaningReport report_;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/clean/cleaner_impl.hpp>
#endif
