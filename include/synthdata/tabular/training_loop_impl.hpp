// synthdata/tabular/training_loop_impl.hpp: bodies of training_loop.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/csv_columns.hpp>
#include <synthdata/gan/checkpoint.hpp>
#include <synthdata/metrics/quality_report.hpp>
#include <synthdata/tabular/training_impl.hpp>
#include <synthdata/tabular/training_loop.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

namespace synthdata::models::detail {

/// Where training stands; all of it is in the state file.
struct TrainingPlace {
  std::int64_t epoch = 0, step = 0;  // epochs done, updates of the next one
  std::int64_t since_best = 0;       // epochs, or measurements of quality
  std::int64_t kept = 0, enough = 0;
  double sum = 0.0;                                        // of the losses of this epoch
  double loss = std::numeric_limits<double>::quiet_NaN();  // of the last epoch, as the next two
  double held_out = std::numeric_limits<double>::quiet_NaN();
  double quality = std::numeric_limits<double>::quiet_NaN();
  double best = -std::numeric_limits<double>::infinity();  // quality, or minus the held-out loss

  void save(Archive& archive) const {
    synthdata::detail::add_integers(archive, "training.place", {epoch, step, since_best, kept, enough});
    archive.add("training.numbers",
                Tensor::from(std::vector<double>{sum, loss, held_out, quality, best}, Device::cpu()));
  }
  void restore(const Archive& archive) {
    const auto place = synthdata::detail::read_integers(archive, "training.place", 5);
    const Tensor& numbers = archive.at("training.numbers");
    if (numbers.dtype() != DType::f64 || numbers.size() != 5 ||
        std::any_of(place.begin(), place.end(), [](std::int64_t n) { return n < 0; })) {
      throw DataError("'training.place' or 'training.numbers' is damaged");
    }
    epoch = place[0], step = place[1], since_best = place[2], kept = place[3], enough = place[4];
    const auto* from = numbers.data<double>();
    sum = from[0], loss = from[1], held_out = from[2], quality = from[3], best = from[4];
  }
};

/// The state file of one training.
class TrainingFile {
 public:
  TrainingFile(const std::string& path, Json::Object made_of) : path_(path), made_of_(std::move(made_of)) {}

  void write(const Learner& learner, const TrainingPlace& place) const {
    Archive archive;
    learner.save(archive, place.kept != 0);
    place.save(archive);
    archive.metadata["training"] = Json(made_of_).dump();
    save_safetensors(path_, archive);
  }
  void read(Learner& learner, TrainingPlace& place) const {
    const Archive archive = load_safetensors(path_);
    try {
      const auto training = archive.metadata.find("training");
      if (training == archive.metadata.end()) throw DataError("is not the state of a training of a model of tables");
      check(training->second);
      place.restore(archive);
      learner.restore(archive, place.kept != 0);
    } catch (const Error& e) {
      throw DataError(concat(path_, ": ", e.what()));
    }
  }

 private:
  void check(const std::string& text) const {
    const Json found = parse_json(text, {.source = path_});
    for (const Json::Member& member : made_of_) {
      const Json* other = found.find(member.key);
      const std::string now = member.value.dump(), then = other ? other->dump() : "absent";
      if (now != then) {
        throw DataError(concat("is the state of another training: ", member.key, " was ", then, ", is now ", now));
      }
    }
  }

  const std::string& path_;
  Json::Object made_of_;
};

SYNTHDATA_INLINE void check_training(const TabularTraining& t, const char* model) {
  const auto need = [&](bool good, const char* what) {
    if (!good) throw DataError(concat(model, ": expects ", what));
  };
  need(t.epochs >= 0 && t.batch_size >= 0 && t.learning_rate >= 0.0 && t.max_bytes >= 0,
       "epochs, batch_size, learning_rate and max_bytes >= 0");
  need(t.minutes > 0.0 && t.state_minutes >= 0.0, "minutes > 0 and state_minutes >= 0");
  need(t.validation >= 0.0 && t.validation < 1.0 && t.patience >= 1, "validation in [0, 1) and patience >= 1");
  need(t.quality_share >= 0.0 && t.quality_share < 1.0 && t.quality_every >= 0 && t.quality_rows >= 1,
       "quality_share in [0, 1), quality_every >= 0 and quality_rows >= 1");
  const bool measured = t.quality_share > 0.0 || t.quality_every > 0;
  need(measured || (t.stop != StopRule::quality && t.enough_quality == std::numeric_limits<double>::infinity()),
       "quality_share or quality_every > 0, or the quality that is to decide is never measured");
  need(!t.resume || !t.state_file.empty(), "the state_file to resume from");
}

SYNTHDATA_INLINE RowSplit split_rows(std::int64_t rows, const TabularTraining& training, bool by_loss,
                                     const char* model) {
  const bool quality = training.quality_share > 0.0 || training.quality_every > 0;
  const bool loss = training.stop == StopRule::loss || (training.stop == StopRule::model && by_loss);
  RowSplit split;
  std::int64_t held = 0;
  if (quality || loss)
    held = std::min<std::int64_t>(20000, static_cast<std::int64_t>(training.validation * static_cast<double>(rows)));
  if (held == 0 && (quality || training.stop == StopRule::loss)) {
    throw DataError(concat(model, ": no rows are held out that a stop rule or the quality needs: ", rows,
                           " rows, validation ", training.validation));
  }
  if (held == 0) {
    split.learn.resize(static_cast<std::size_t>(rows));
    std::iota(split.learn.begin(), split.learn.end(), 0);
    return split;
  }
  split.learn = Rng{training.seed}.split(4).permutation(rows);
  split.held_out.assign(split.learn.begin(), split.learn.begin() + held);
  split.learn.erase(split.learn.begin(), split.learn.begin() + held);
  return split;
}

SYNTHDATA_INLINE TrainingTable training_table(const Table& table, const RowSplit& split) {
  return {.fingerprint = [&] { return fingerprint(table); }, .held_out = [&] { return table.take(split.held_out); }};
}

SYNTHDATA_INLINE std::vector<std::int64_t> BatchRows::operator()(std::int64_t epoch, std::int64_t step) {
  if (epoch != epoch_) {
    order_ = rng_.split(static_cast<std::uint64_t>(epoch)).permutation(static_cast<std::int64_t>(rows_.size()));
    epoch_ = epoch;
  }
  std::vector<std::int64_t> batch;
  batch.reserve(static_cast<std::size_t>(batch_));
  for (std::int64_t i = step * batch_; i < (step + 1) * batch_; ++i) {
    batch.push_back(rows_[static_cast<std::size_t>(order_[static_cast<std::size_t>(i)])]);
  }
  return batch;
}

SYNTHDATA_INLINE std::int64_t batch_within(const TabularTraining& training, std::int64_t wanted, std::int64_t multiple,
                                           const char* model, const char* what_helps,
                                           const std::function<TabularMemory(std::int64_t batch)>& memory) {
  std::int64_t batch = std::max<std::int64_t>(wanted / multiple, 1) * multiple;
  if (training.max_bytes == 0) return batch;
  const std::int64_t least = std::min(batch, (16 + multiple - 1) / multiple * multiple);
  while (batch > least && memory(batch).total() > training.max_bytes) {
    batch = std::max(least, batch / 2 / multiple * multiple);
  }
  const TabularMemory needed = memory(batch);
  if (needed.total() > training.max_bytes) {
    throw DataError(concat(model, ": training needs ", megabytes(needed.total()), " even with batches of ", batch,
                           " (rows ", megabytes(needed.rows), ", weights ", megabytes(needed.weights), ", a batch ",
                           megabytes(needed.batch), "), max_bytes allows ", megabytes(training.max_bytes),
                           "; what would help: ", what_helps));
  }
  return batch;
}

/// Adds the hash of some bytes to a text.
inline void add_hash(std::string& to, const void* bytes, std::int64_t size) {
  const std::uint64_t hash =
      synthdata::detail::Dictionary::hash({static_cast<const char*>(bytes), static_cast<std::size_t>(size)});
  to.append(reinterpret_cast<const char*>(&hash), sizeof hash);
}

SYNTHDATA_INLINE std::string fingerprint(const Table& table) {
  std::string parts = table.schema().json().dump();
  for (const Column& column : table.columns()) {
    const ColumnParts& p = column.parts();
    if (p.values.defined()) add_hash(parts, p.values.bytes(), p.values.size_bytes());
    if (p.texts.defined() && p.size > 0) {
      const auto* offsets = p.texts.offsets.data<std::int64_t>();
      std::vector<std::int64_t> lengths;
      for (std::int64_t row = 0; row < p.size; ++row) lengths.push_back(offsets[row + 1] - offsets[row]);
      add_hash(parts, lengths.data(), 8 * p.size);
      add_hash(parts, p.texts[0].data(), offsets[p.size] - offsets[0]);
    }
    if (p.missing.defined()) {
      std::string marks;  // the bits of the last byte may be those of other rows
      for (std::int64_t row = 0; row < p.size; ++row) marks += column.is_missing(row) ? '1' : '0';
      add_hash(parts, marks.data(), p.size);
    }
  }
  return concat(table.size(), " rows, ", table.columns().size(), " columns, ",
                synthdata::detail::Dictionary::hash(parts));
}

SYNTHDATA_INLINE std::string fingerprint(const Archive& archive) {
  std::string parts;
  for (const auto& [name, text] : archive.metadata) parts += name + '=' + text + '\n';
  for (const NamedTensor& entry : archive.tensors) {
    parts += entry.name;
    add_hash(parts, entry.tensor.bytes(), entry.tensor.size_bytes());
  }
  return concat(synthdata::detail::Dictionary::hash(parts));
}

SYNTHDATA_INLINE bool run_training(Learner& learner, const TrainingTable& table, const TabularTraining& training,
                                   TabularPlan plan, bool by_loss, Json::Object made_of, const char* model,
                                   const TabularCallback& progress) {
  const StopRule stop = training.stop != StopRule::model ? training.stop : by_loss ? StopRule::loss : StopRule::never;
  const char* const stop_names[] = {"model", "never", "loss", "quality"};
  TrainingPlace at;
  if (!training.state_file.empty()) {
    Json::Object all{{"format", "synthdata training of a model of tables 1"},
                     {"table", table.fingerprint()},
                     {"batch_size", plan.batch_size},
                     {"learning_rate", training.learning_rate},
                     {"held_out", plan.held_out},
                     {"seed", concat(training.seed)},
                     {"stop", stop_names[static_cast<int>(stop)]}};
    if (stop == StopRule::quality) {
      all.push_back({"quality_every", training.quality_every});
      all.push_back({"quality_rows", training.quality_rows});
    }
    made_of.insert(made_of.begin() + 1, all.begin(), all.end());  // behind the model: the first that differs is named
  }
  const TrainingFile file(training.state_file, std::move(made_of));
  if (training.resume) file.read(learner, at);
  plan.epochs_done = at.epoch;
  if (training.plan) training.plan(plan);

  const bool measures = training.quality_share > 0.0 || training.quality_every > 0;
  const Table held_out = measures ? table.held_out() : Table();
  const auto start = std::chrono::steady_clock::now();
  const auto since_start = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  double measuring = 0.0, last_measuring = 0.0, told = 0.0, written = 0.0;  // seconds
  std::int64_t updates = 0;                                                 // of this call
  const auto keep = [&] {
    learner.keep();
    at.kept = 1;
  };
  const auto keep_if_better = [&](double value) {
    if (value > at.best) {
      at.best = value, at.since_best = 0;
      keep();
    } else {
      ++at.since_best;
    }
  };
  const auto measure = [&] {
    const double begin = since_start();
    const Table made = learner.sample(training.quality_rows, Rng{training.seed}.split(5).next_u64());
    at.quality = training.quality ? training.quality(held_out, made) : quality_report(held_out, made).score;
    if (at.quality >= training.enough_quality) {
      at.enough = 1;
      keep();
    } else if (stop == StopRule::quality) {
      keep_if_better(at.quality);
    }
    last_measuring = since_start() - begin;
    measuring += last_measuring;
  };
  bool stopped = false;
  while (!stopped && at.epoch < plan.epochs && at.since_best < training.patience && at.enough == 0) {
    const double loss = learner.update(at.epoch + 1, at.step);
    if (!std::isfinite(loss)) {
      throw NumericError(concat(model, ": the loss of epoch ", at.epoch + 1, ", batch ", at.step + 1, " is ", loss));
    }
    at.sum += loss;
    ++at.step, ++updates;
    const bool complete = at.step == plan.steps;
    if (complete) {
      at.loss = at.sum / static_cast<double>(plan.steps);
      ++at.epoch, at.step = 0, at.sum = 0.0;
      at.held_out = learner.end_epoch();
      if (stop == StopRule::loss) keep_if_better(-at.held_out);
      const bool due = training.quality_every > 0
                           ? at.epoch % training.quality_every == 0
                           : measuring + last_measuring <= training.quality_share * since_start();
      if (measures && due) measure();
    }
    const double seconds = since_start(), budget = training.minutes * 60.0;
    stopped = seconds > budget;
    if (progress && (complete || seconds > told + 1.0)) {
      told = seconds;
      const auto left = static_cast<double>((plan.epochs - at.epoch) * plan.steps - at.step);
      stopped = !progress({.epoch = complete ? at.epoch : at.epoch + 1,
                           .epochs = plan.epochs,
                           .loss = complete ? at.loss : at.sum / static_cast<double>(at.step),
                           .held_out = at.held_out,
                           .seconds = seconds,
                           .step = complete ? plan.steps : at.step,
                           .steps = plan.steps,
                           .seconds_left =
                               std::min(seconds / static_cast<double>(updates) * left, std::max(budget - seconds, 0.0)),
                           .quality = at.quality}) ||
                stopped;
    }
    if (!training.state_file.empty() && seconds > written + training.state_minutes * 60.0) {
      file.write(learner, at);
      written = since_start();
    }
  }
  if (!training.state_file.empty()) file.write(learner, at);
  return at.kept != 0;
}

}  // namespace synthdata::models::detail
