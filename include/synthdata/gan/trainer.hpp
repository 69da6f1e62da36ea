// synthdata/gan/trainer.hpp: AdversarialTrainer, the loop in which a generator and a critic learn from each other.
//
// One step is `critic_steps` updates of the critic and one of the generator. The trainer borrows both nets: they are
// the trained nets afterwards. Losses, penalties and update rules are values; a new one edits nothing here.
//
// With a communicator several ranks train one pair of nets: each has a trainer, its own data and its own random
// numbers, and all have the same weights, bit for bit, after every step. n ranks with batches of b do what one does
// with a batch of n b (but for unrolled steps, where the critic looks at its own rank's batch only):
//
//   Rng rng = Rng{seed}.split(ranks.rank());
//   AdversarialTrainer trainer{g, d, NonSaturating{}, {.communicator = &ranks}};
//   trainer.fit(data | shard(ranks.rank(), ranks.size()), {.batch_size = 64}, rng);
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/backend/device_kernels.hpp>
#include <synthdata/core/communicator.hpp>
#include <synthdata/core/owned.hpp>
#include <synthdata/core/precision.hpp>
#include <synthdata/data/loader.hpp>
#include <synthdata/gan/checkpoint.hpp>
#include <synthdata/gan/discriminator.hpp>
#include <synthdata/gan/diversity.hpp>
#include <synthdata/gan/generator.hpp>
#include <synthdata/gan/loss.hpp>
#include <synthdata/gan/penalty.hpp>
#include <synthdata/optim/ema.hpp>
#include <synthdata/optim/gradient_buckets.hpp>
#include <synthdata/optim/loss_scale.hpp>
#include <synthdata/optim/optimizer.hpp>
#include <synthdata/optim/schedule.hpp>

#include <functional>
#include <optional>

namespace synthdata {

struct TrainerOptions {
  std::int64_t critic_steps = 1;         ///< critic updates for each generator update
  double learning_rate = 2e-4;           ///< of both nets, unless given apart
  double generator_learning_rate = 0.0;  ///< > 0: the generator's own (two time scales, Heusel et al. 2017)
  double critic_learning_rate = 0.0;     ///< > 0: the critic's own
  AnyRule generator_rule = Adam{.beta1 = 0.5};
  AnyRule critic_rule = Adam{.beta1 = 0.5};
  Schedule schedule = schedule::constant();  ///< factor of both learning rates
  std::int64_t accumulate = 1;               ///< batches whose gradients make one update
  double clip_norm = 0.0;                    ///< > 0: limit of each net's joint gradient norm
  double instance_noise = 0.0;               ///< std of the noise on the critic's inputs (Sønderby et al. 2017)
  std::int64_t instance_noise_steps = 0;     ///< > 0: the noise falls to 0 in a line over so many steps
  std::int64_t unrolled_steps = 0;           ///< critic updates the generator looks ahead (Metz et al. 2017)
  /// Of the products of both nets; weights and their updates are always f32. With f16 losses are scaled, see LossScale.
  Precision precision = Precision::f32;
  /// On a GPU: after two steps the third is captured, and from then on a step is one call. The same results; pays where
  /// nets are small. Losses are checked after the update. Not with unrolled_steps, instance_noise_steps, f16 or a
  /// communicator.
  bool graph = false;
  double ema_decay = 0.0;  ///< > 0: an average of the generator is kept, see averaged_generator()
  CollapseOptions collapse = {};
  Communicator* communicator = nullptr;    ///< to the other ranks of this run; null: there are none
  bool synchronize_batch_norm = true;      ///< statistics over the batches of all ranks
  std::int64_t bucket_bytes = 25'000'000;  ///< gradients that are averaged over the ranks together
};

/// A part of the critic's loss that a penalty adds.
struct LossTerm {
  const char* name;
  double value;
};

/// What one training step did. With several ranks: losses and diversity are their means, samples this rank's.
struct StepInfo {
  std::int64_t step = 0;     ///< counts from 1
  std::int64_t epoch = 0;    ///< epochs finished with this step
  double critic_loss = 0.0;  ///< penalties included
  double generator_loss = 0.0;
  std::vector<LossTerm> penalties;
  std::int64_t samples = 0;  ///< real samples used in this step
  double diversity = 1.0;    ///< of a fake batch, as a share of the real batch's (last measured)
  bool collapsed = false;    ///< the diversity of the fake batches has fallen and stays low
};

struct FitOptions {
  std::int64_t batch_size = 128;
  std::int64_t steps = 1000;  ///< step to end at, counting those done before
  int workers = 1;            ///< threads that load batches ahead
};

namespace detail {
/// @throws NumericError for options out of their range.
void check_options(const TrainerOptions& options);
/// The number of a loss term. @throws NumericError naming step and term unless it is finite.
double checked(std::int64_t step, const char* term, const Var& value);
/// Makes all ranks start from the state of rank 0.
void broadcast_state(const ModuleState& state, Communicator& communicator);
/// @throws Error if two ranks draw the same random numbers.
void check_streams(const Rng& rng, Communicator& communicator);

/// The gradients of one update, from options.accumulate batches.
class GradientSum final : public GradListener {
 public:
  GradientSum(const TrainerOptions& options, const ModuleState& state, LossScale& scale);
  /// Adds the gradients of one batch's loss. Those of the last batch go to the other ranks as they become complete.
  void add(const Var& loss);
  /// Updates the parameters.
  void apply(Optimizer& optimizer, double rate);

 private:
  SYNTHDATA_INLINE void complete(std::size_t i, const Var& gradient) override;

  const TrainerOptions& options_;
  const ModuleState& state_;
  LossScale& scale_;
  std::vector<Tensor> sum_;
  std::int64_t batches_ = 0;
  std::optional<GradientBuckets> buckets_;
};

/// A training step as a graph of a device: what it reads, what it tells, and how random numbers go on.
struct StepCapture {
  explicit StepCapture(Device device);
  /// Copies the batches to where the graph reads them. False if they or the random stream do not fit it.
  bool take(const std::vector<Batch>& next, const RngState& rng, Device device);
  void add_term(std::string_view name, const Var& value);
  void record(bool on) { recording = bulk_draws_only() = on; }
  /// After an exception: what was being recorded is forgotten.
  void abandon() noexcept;
  /// Ends recording; the generator went from `before` to `after` meanwhile.
  void finish(const RngState& before, const RngState& after);
  /// Runs the step and moves rng on as the step itself would have done.
  void replay(Rng& rng);
  /// The loss terms of the last replay. @throws NumericError naming step and term unless all are finite.
  std::vector<std::pair<std::string_view, double>> terms(std::int64_t step) const;

  Owned<backend::DeviceGraph> graph;
  std::vector<Batch> batches;
  RngState stream;  // the random stream it was recorded with
  int warm_ups = 0;
  bool recording = false, recorded = false;
  std::uint64_t blocks = 0;  // counters that one step takes
  std::vector<std::string_view> names;
  std::vector<Tensor> values;
  Tensor all_values;
};
/// x with the instance noise of this step: both kinds of sample are blurred alike, less and less.
Var blurred(const TrainerOptions& options, std::int64_t step, const Var& x, Rng& rng);
/// One update that is recorded: the parameters become expressions, and so do the rule's running values.
void unroll_update(const Var& loss, const ModuleState& state, const AnyRule& rule, const StepNumbers& numbers,
                   std::vector<Var>& running);
}  // namespace detail

template <AdversarialLoss Loss, class G, class D>
class AdversarialTrainer {
 public:
  /// Borrows both nets; they must stay where they are while the trainer lives. Training runs on their device, and the
  /// batches are brought there. @throws DeviceError if they are on different ones.
  AdversarialTrainer(G& generator, D& critic, Loss loss, TrainerOptions options = {})
      : generator_(generator),
        critic_(critic),
        loss_(std::move(loss)),
        options_(std::move(options)),
        generator_state_(state_of(generator)),
        critic_state_(state_of(critic)),
        generator_optimizer_(generator_state_.parameters, options_.generator_rule),
        critic_optimizer_(critic_state_.parameters, options_.critic_rule),
        collapse_(options_.collapse),
        device_(device_of(generator_state_)) {
    detail::check_options(options_);
    if (!(device_of(critic_state_) == device_)) {
      throw DeviceError(
          concat("AdversarialTrainer: the generator is on ", device_, ", the critic on ", device_of(critic_state_)));
    }
    if (options_.communicator) {
      detail::broadcast_state(generator_state_, *options_.communicator);
      detail::broadcast_state(critic_state_, *options_.communicator);
    }
    if (options_.graph && !device_.is_cpu()) capture_.emplace(device_);
    if (options_.ema_decay > 0.0) {
      ema_.emplace(options_.ema_decay);
      average_.emplace(generator);
    }
  }
  AdversarialTrainer(const AdversarialTrainer&) = delete;
  AdversarialTrainer& operator=(const AdversarialTrainer&) = delete;

  /// Adds a penalty to the critic's loss.
  template <CriticPenalty P>
  AdversarialTrainer& add(const P& penalty) {
    const char* name = "penalty";
    if constexpr (requires { P::name; }) name = P::name;
    penalties_.push_back({name, [penalty](const Score& score, const Tensor& real, const Tensor& fake, Rng& rng) {
                            return penalty(score, real, fake, rng);
                          }});
    return *this;
  }

  /// Adds `term(fake, labels) -> Var` to the generator's loss: what generated samples owe besides deceiving the critic.
  /// @param term  labels i64 [N] of the batch, undefined if it has none
  AdversarialTrainer& add_generator_term(std::function<Var(const Var& fake, const Tensor& labels)> term) {
    generator_terms_.push_back(std::move(term));
    return *this;
  }

  /// Called after every step, and after the step that takes the last batch of an epoch.
  void on_step(std::function<void(const StepInfo&)> callback) { on_step_.push_back(std::move(callback)); }
  void on_epoch(std::function<void(const StepInfo&)> callback) { on_epoch_.push_back(std::move(callback)); }
  /// Ends fit() after the current step, on all ranks; for callbacks.
  void stop() { stopped_ = true; }

  /// Trains until options.steps steps are done or a callback calls stop().
  /// @throws NumericError naming step and term if a loss is not finite; the nets are then as before that update.
  template <BatchSource Source>
  StepInfo fit(Source& source, const FitOptions& options, Rng& rng) {
    stopped_ = false;
    StepInfo info;
    while (step_ < options.steps && !stopped_) {
      const std::int64_t epoch_before = source.state().epoch;
      info = step(source, rng);
      for (const auto& callback : on_step_) callback(info);
      if (info.epoch != epoch_before) {
        for (const auto& callback : on_epoch_) callback(info);
      }
      if (options_.communicator) {
        stopped_ = options_.communicator->reduce(stopped_ ? 1.0 : 0.0, Reduction::sum) > 0.0;
      }
    }
    return info;
  }
  template <Dataset Data>
    requires(!BatchSource<Data>)
  StepInfo fit(const Data& data, const FitOptions& options, Rng& rng) {
    DataLoader<Data> loader(
        data,
        {.batch_size = options.batch_size, .seed = rng.next_u64(), .workers = options.workers, .device = device_});
    return fit(loader, options, rng);
  }

  /// One training step.
  template <BatchSource Source>
  StepInfo step(Source& source, Rng& rng) {
    const ProductPrecision precision(options_.precision);
    const OnDevice there(device_);
    StepInfo info;
    info.step = step_ + 1;
    if (options_.communicator && !streams_checked_) detail::check_streams(rng, *options_.communicator);
    streams_checked_ = true;
    const std::vector<Batch> batches = next_batches(source);
    for (const Batch& batch : batches) info.samples += batch.data.shape(0);
    const Play play = capture_ ? captured_updates(batches, rng, info) : updates(batches, rng, info);
    if (collapse_.due(info.step)) collapse_.observe(info.step, play.real, play.fake.value(), options_.communicator);
    if (ema_) ema_->update(state_of(*average_), generator_state_);
    ++step_;
    info.epoch = source.state().epoch;
    info.diversity = collapse_.diversity();
    info.collapsed = collapse_.collapsed();
    return info;
  }

  /// Steps done so far.
  std::int64_t steps() const { return step_; }
  /// The moving average of the generator. @throws Error unless options.ema_decay > 0.
  const G& averaged_generator() const {
    if (!average_) throw Error("AdversarialTrainer: no average is kept; set ema_decay");
    return *average_;
  }

  /// Writes everything needed to go on as if never stopped: nets, running values, average, step, random numbers and
  /// the position in the data. Atomic. @throws DataError if the file cannot be written.
  template <BatchSource Source>
  void save(const std::string& path, const Source& source, const Rng& rng) const {
    Archive archive;
    save(archive, source, rng);
    save_safetensors(path, archive);
  }
  /// The same into an archive, for a file that holds more.
  template <BatchSource Source>
  void save(Archive& archive, const Source& source, const Rng& rng) const {
    detail::add_state(archive, "generator.", generator_state_);
    detail::add_state(archive, "critic.", critic_state_);
    if (average_) {
      G& average = const_cast<G&>(*average_);  // listed through pointers to non-const, only read here
      detail::add_state(archive, "average.", state_of(average));
      detail::add_integers(archive, "average_updates", {ema_->updates()});
    }
    detail::add_optimizer(archive, "generator_optimizer.", generator_optimizer_);
    detail::add_optimizer(archive, "critic_optimizer.", critic_optimizer_);
    detail::add_integers(archive, "step", {step_});
    if (critic_scale_.active()) {
      detail::add_integers(archive, "loss_scale",
                           {generator_scale_.exponent(), generator_scale_.good_updates(), critic_scale_.exponent(),
                            critic_scale_.good_updates()});
    }
    detail::add_rng(archive, rng);
    detail::add_position(archive, source.state());
    archive.metadata["format"] = state_format;
    archive.metadata["generator_rule"] = generator_optimizer_.rule().name();
    archive.metadata["critic_rule"] = critic_optimizer_.rule().name();
  }

  /// Restores what save() wrote: training goes on bit for bit. Nets and update rules must be those of then, and the
  /// data set and batch size of the source too.
  /// @throws DataError if the file is damaged or does not fit; nothing is changed then.
  template <BatchSource Source>
  void load(const std::string& path, Source& source, Rng& rng) {
    const Archive archive = load_safetensors(path);
    try {
      restore(archive, source, rng);
    } catch (const DataError& e) {
      throw DataError(concat(path, ": ", e.what()));
    }
  }
  /// The same from an archive.
  template <BatchSource Source>
  void load(const Archive& archive, Source& source, Rng& rng) {
    restore(archive, source, rng);
  }

 private:
  /// The critic as penalties see it: scores of x under the batch's labels.
  class Score {
   public:
    Score(const D& critic, const Tensor& labels, Context& context)
        : critic_(critic), labels_(labels), context_(context) {}
    Var operator()(const Var& x) const { return critic_(x, labels_, context_); }

   private:
    const D& critic_;
    const Tensor& labels_;
    Context& context_;
  };
  struct NamedPenalty {
    const char* name;
    std::function<Var(const Score&, const Tensor& real, const Tensor& fake, Rng&)> value;
  };

  /// A real batch and the fake one it is compared with.
  struct Play {
    Tensor real, labels;
    Var fake;
  };

  /// All batches of one step. Data sets work on the CPU.
  template <class Source>
  std::vector<Batch> next_batches(Source& source) const {
    const OnDevice host(Device::cpu());
    std::vector<Batch> batches;
    for (std::int64_t i = 0; i < options_.critic_steps * options_.accumulate; ++i) {
      batches.push_back(source.next());
      if (critic_.classes() > 0 && !batches.back().labels.defined()) {
        throw DataError("AdversarialTrainer: the nets are conditional, but the data has no labels");
      }
    }
    return batches;
  }

  /// The updates of one step; the last batches it played with.
  Play updates(const std::vector<Batch>& batches, Rng& rng, StepInfo& info) {
    Context context{.mode = Mode::training, .rng = &rng};
    if (options_.synchronize_batch_norm) context.communicator = options_.communicator;
    // With one critic step the generator learns from the very batch the critic has just seen.
    const bool shared = options_.critic_steps == 1 && options_.accumulate == 1;
    Play play;
    auto batch = batches.begin();
    for (std::int64_t k = 0; k < options_.critic_steps; ++k) {
      detail::GradientSum sum(options_, critic_state_, critic_scale_);
      for (std::int64_t a = 0; a < options_.accumulate; ++a, ++batch) {
        play = {batch->data.to(device_), batch->labels.to(device_), {}};
        {
          const GradMode mode(shared);
          play.fake = generate(play, rng, context);
        }
        update_critic_gradients(play, context, info, sum);
      }
      sum.apply(critic_optimizer_, critic_rate());
      if constexpr (requires { loss_.constrain(critic_state_.parameters); }) loss_.constrain(critic_state_.parameters);
    }
    detail::GradientSum sum(options_, generator_state_, generator_scale_);
    for (std::int64_t a = 0; a < options_.accumulate; ++a) {
      if (!shared) play.fake = generate(play, rng, context);
      update_generator_gradients(play, context, info, sum);
    }
    sum.apply(generator_optimizer_, generator_rate());
    return play;
  }

  /// The same by a graph: warmed up, recorded, then replayed. Batches of other shapes, or other random streams, than it
  /// was recorded with run by themselves.
  Play captured_updates(const std::vector<Batch>& batches, Rng& rng, StepInfo& info) {
    detail::StepCapture& c = *capture_;
    const std::int64_t critic_updates = critic_optimizer_.steps(), generator_updates = generator_optimizer_.steps();
    if (!c.take(batches, rng.state(), device_)) return updates(batches, rng, info);
    try {
      if (c.warm_ups < 2) {
        c.graph->begin(backend::DeviceGraph::Phase::warm_up);
        Play play = updates(c.batches, rng, info);
        c.graph->end();
        ++c.warm_ups;
        return play;
      }
      if (!c.recorded) {
        Rng fork = rng;
        StepInfo unused;
        fork.reserve(0);  // what is left of a block of single numbers is not for the step
        c.graph->begin(backend::DeviceGraph::Phase::record);
        c.record(true);
        captured_play_ = updates(c.batches, fork, unused);
        captured_play_.fake = captured_play_.fake.detach();
        c.finish(rng.state(), fork.state());
        critic_optimizer_.uncount_steps(critic_optimizer_.steps() - critic_updates);
        generator_optimizer_.uncount_steps(generator_optimizer_.steps() - generator_updates);
      }
    } catch (...) {
      if (c.recording) {  // nothing of it was done
        critic_optimizer_.uncount_steps(critic_optimizer_.steps() - critic_updates);
        generator_optimizer_.uncount_steps(generator_optimizer_.steps() - generator_updates);
      }
      c.abandon();
      throw;
    }
    std::size_t update = 0;
    for (std::int64_t k = 0; k < options_.critic_steps; ++k) {
      critic_optimizer_.step_captured(critic_rate(), c.graph->numbers(update++));
    }
    generator_optimizer_.step_captured(generator_rate(), c.graph->numbers(update));
    c.replay(rng);
    for (const auto& [name, value] : c.terms(step_ + 1)) note(info, name, value);
    return captured_play_;
  }

  static constexpr std::string_view critic_term = "critic loss", generator_term = "generator loss";

  /// Puts a loss term where it belongs in the report.
  void note(StepInfo& info, std::string_view name, double value) const {
    if (name == critic_term) {
      info.critic_loss = value;
    } else if (name == generator_term) {
      info.generator_loss = value;
    } else {
      if (info.penalties.size() == penalties_.size()) info.penalties.clear();  // of an earlier batch
      info.penalties.push_back({name.data(), value});
    }
  }
  /// The same for a term that was just computed: its number is read and checked, or, while a step is being recorded,
  /// kept for after the replay.
  void note(StepInfo& info, std::string_view name, Var value) {
    if (options_.communicator) {  // what is not finite on one rank is so on all, and stops all
      Tensor mean = value.value().clone();
      options_.communicator->reduce(mean, Reduction::mean);
      value = mean;
    }
    if (capture_ && capture_->recording) return capture_->add_term(name, value);
    note(info, name, detail::checked(step_ + 1, name.data(), value));
  }

  Var generate(const Play& play, Rng& rng, Context& context) const {
    return generator_(Var(generator_.latent()(play.real.shape(0), rng)), play.labels, context);
  }

  Var blurred(const Var& x, Rng& rng) const { return detail::blurred(options_, step_, x, rng); }

  double rate(double own) const { return (own > 0.0 ? own : options_.learning_rate) * options_.schedule(step_); }
  double critic_rate() const { return rate(options_.critic_learning_rate); }
  double generator_rate() const { return rate(options_.generator_learning_rate); }

  void update_critic_gradients(const Play& play, Context& context, StepInfo& info, detail::GradientSum& sum) {
    Rng& rng = *context.rng;
    const Var fake = play.fake.detach();
    Var loss = loss_.critic(critic_(blurred(play.real, rng), play.labels, context),
                            critic_(blurred(fake, rng), play.labels, context));
    for (const NamedPenalty& penalty : penalties_) {
      const Var value = penalty.value(Score(critic_, play.labels, context), play.real, fake.value(), rng);
      note(info, penalty.name, value);
      loss = loss + value;
    }
    note(info, critic_term, loss);
    sum.add(loss);
  }

  Var generator_loss(const D& critic, const Play& play, Context& context) const {
    const Var fake_scores = critic(blurred(play.fake, *context.rng), play.labels, context);
    if constexpr (requires { loss_.generator(fake_scores); }) {
      return loss_.generator(fake_scores);
    } else {
      return loss_.generator(critic(blurred(play.real, *context.rng), play.labels, context), fake_scores);
    }
  }

  void update_generator_gradients(const Play& play, Context& context, StepInfo& info, detail::GradientSum& sum) {
    Var loss;
    if (options_.unrolled_steps == 0) {
      loss = generator_loss(critic_, play, context);
    } else {
      D ahead = critic_;
      unroll(ahead, play, context);
      loss = generator_loss(ahead, play, context);
    }
    for (const auto& term : generator_terms_) loss = loss + term(play.fake, play.labels);
    note(info, generator_term, loss);
    sum.add(loss);
  }

  /// Moves a copy of the critic some updates ahead, recorded, so that the generator's gradient flows through them.
  /// Source: Metz et al. 2017, arXiv:1611.02163, section 2.2.
  void unroll(D& ahead, const Play& play, Context& context) const {
    const ModuleState state = state_of(ahead);
    std::vector<Var> running;
    for (std::size_t i = 0; i < state.parameters.size(); ++i) {
      for (const Tensor& value : critic_optimizer_.running(i)) running.push_back(Var(value));
    }
    for (std::int64_t k = 0; k < options_.unrolled_steps; ++k) {
      Rng& rng = *context.rng;
      const Var loss = loss_.critic(ahead(blurred(play.real, rng), play.labels, context),
                                    ahead(blurred(play.fake, rng), play.labels, context));
      detail::unroll_update(loss, state, critic_optimizer_.rule(), {critic_rate(), critic_optimizer_.steps() + 1 + k},
                            running);
    }
  }

  /// Checks everything before it changes anything.
  template <class Source>
  void restore(const Archive& archive, Source& source, Rng& rng) {
    detail::check_text(archive, "format", state_format);
    detail::check_text(archive, "generator_rule", generator_optimizer_.rule().name());
    detail::check_text(archive, "critic_rule", critic_optimizer_.rule().name());
    detail::check_state(archive, "generator.", generator_state_);
    detail::check_state(archive, "critic.", critic_state_);
    const Rng restored = detail::read_rng(archive);
    const SourceState position = detail::read_position(archive);
    const std::int64_t step = detail::read_integers(archive, "step", 1)[0];
    if (step < 0) throw DataError(concat("'step' is ", step));
    LossScale generator_scale = generator_scale_, critic_scale = critic_scale_;
    if (critic_scale.active()) {
      const auto scales = detail::read_integers(archive, "loss_scale", 4);
      generator_scale.restore(scales[0], scales[1]);
      critic_scale.restore(scales[2], scales[3]);
    }
    Optimizer generator_optimizer = detail::read_optimizer(archive, "generator_optimizer.", generator_optimizer_);
    Optimizer critic_optimizer = detail::read_optimizer(archive, "critic_optimizer.", critic_optimizer_);
    ModuleState average;
    std::int64_t average_updates = 0;
    if (average_) {
      average = state_of(*average_);
      detail::check_state(archive, "average.", average);
      average_updates = detail::read_integers(archive, "average_updates", 1)[0];
    }
    source.restore(position);

    rng = restored;
    detail::take_state(archive, "generator.", generator_state_);
    detail::take_state(archive, "critic.", critic_state_);
    if (average_) {
      detail::take_state(archive, "average.", average);
      ema_->restore(average_updates);
    }
    generator_optimizer_ = std::move(generator_optimizer);
    critic_optimizer_ = std::move(critic_optimizer);
    generator_scale_ = generator_scale;
    critic_scale_ = critic_scale;
    if (capture_) capture_.emplace(device_);  // what was recorded reads the tensors of before
    step_ = step;
  }

  static constexpr const char* state_format = "synthdata training state 1";

  G& generator_;
  D& critic_;
  Loss loss_;
  TrainerOptions options_;
  ModuleState generator_state_, critic_state_;
  Optimizer generator_optimizer_, critic_optimizer_;
  std::vector<NamedPenalty> penalties_;
  std::vector<std::function<Var(const Var&, const Tensor&)>> generator_terms_;
  std::vector<std::function<void(const StepInfo&)>> on_step_, on_epoch_;
  std::optional<Ema> ema_;
  std::optional<G> average_;
  CollapseDetector collapse_;
  Device device_;  // of both nets
  LossScale generator_scale_{options_.precision == Precision::f16}, critic_scale_{options_.precision == Precision::f16};
  std::optional<detail::StepCapture> capture_;
  Play captured_play_;
  std::int64_t step_ = 0;
  bool stopped_ = false, streams_checked_ = false;
};

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/gan/trainer_impl.hpp>
#endif
