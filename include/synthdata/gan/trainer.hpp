// synthdata/gan/trainer.hpp: AdversarialTrainer, the loop in which a generator and a critic learn from each other.
//
// One step is `critic_steps` updates of the critic and one of the generator. The trainer borrows both nets: they are
// the trained nets afterwards. Losses, penalties and update rules are values; a new one edits nothing here.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/loader.hpp>
#include <synthdata/gan/discriminator.hpp>
#include <synthdata/gan/diversity.hpp>
#include <synthdata/gan/generator.hpp>
#include <synthdata/gan/loss.hpp>
#include <synthdata/gan/penalty.hpp>
#include <synthdata/io/safetensors.hpp>
#include <synthdata/optim/ema.hpp>
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
  double ema_decay = 0.0;                    ///< > 0: an average of the generator is kept, see averaged_generator()
  CollapseOptions collapse = {};
};

/// A part of the critic's loss that a penalty adds.
struct LossTerm {
  const char* name;
  double value;
};

/// What one training step did.
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

template <AdversarialLoss Loss, class G, class D>
class AdversarialTrainer {
 public:
  /// Borrows both nets; they must stay where they are while the trainer lives.
  AdversarialTrainer(G& generator, D& critic, Loss loss, TrainerOptions options = {})
      : generator_(generator),
        critic_(critic),
        loss_(std::move(loss)),
        options_(std::move(options)),
        generator_state_(state_of(generator)),
        critic_state_(state_of(critic)),
        generator_optimizer_(generator_state_.parameters, options_.generator_rule),
        critic_optimizer_(critic_state_.parameters, options_.critic_rule),
        collapse_(options_.collapse) {
    if (options_.critic_steps < 1 || options_.accumulate < 1 || options_.unrolled_steps < 0) {
      throw NumericError(
          concat("AdversarialTrainer: expects critic_steps >= 1, accumulate >= 1 and unrolled_steps >= 0, got ",
                 options_.critic_steps, ", ", options_.accumulate, " and ", options_.unrolled_steps));
    }
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

  /// Called after every step, and after the step that takes the last batch of an epoch.
  void on_step(std::function<void(const StepInfo&)> callback) { on_step_.push_back(std::move(callback)); }
  void on_epoch(std::function<void(const StepInfo&)> callback) { on_epoch_.push_back(std::move(callback)); }
  /// Ends fit() after the current step; for callbacks.
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
    }
    return info;
  }
  template <Dataset Data>
    requires(!BatchSource<Data>)
  StepInfo fit(const Data& data, const FitOptions& options, Rng& rng) {
    DataLoader<Data> loader(data,
                            {.batch_size = options.batch_size, .seed = rng.next_u64(), .workers = options.workers});
    return fit(loader, options, rng);
  }

  /// One training step.
  template <BatchSource Source>
  StepInfo step(Source& source, Rng& rng) {
    StepInfo info;
    info.step = step_ + 1;
    Context context{.mode = Mode::training, .rng = &rng};
    // With one critic step the generator learns from the very batch the critic has just seen.
    const bool shared = options_.critic_steps == 1 && options_.accumulate == 1;
    Play play;
    for (std::int64_t k = 0; k < options_.critic_steps; ++k) {
      Gradients sum(critic_state_.parameters.size());
      for (std::int64_t a = 0; a < options_.accumulate; ++a) {
        play = next_play(source, rng, context, shared);
        info.samples += play.real.shape(0);
        update_critic_gradients(play, context, info, sum);
      }
      apply(sum, critic_optimizer_, critic_rate());
      if constexpr (requires { loss_.constrain(critic_state_.parameters); }) loss_.constrain(critic_state_.parameters);
    }
    Gradients sum(generator_state_.parameters.size());
    for (std::int64_t a = 0; a < options_.accumulate; ++a) {
      if (!shared) play.fake = (*this).generate(play, rng, context);
      update_generator_gradients(play, context, info, sum);
    }
    if (collapse_.due(info.step)) collapse_.observe(info.step, play.real, play.fake.value());
    apply(sum, generator_optimizer_, generator_rate());
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
    add_state(archive, "generator.", generator_state_);
    add_state(archive, "critic.", critic_state_);
    if (average_) {
      G& average = const_cast<G&>(*average_);  // listed through pointers to non-const, only read here
      add_state(archive, "average.", state_of(average));
      archive.add("average_updates", integers({ema_->updates()}));
    }
    for (NamedTensor& t : generator_optimizer_.state("generator_optimizer.")) archive.tensors.push_back(std::move(t));
    for (NamedTensor& t : critic_optimizer_.state("critic_optimizer.")) archive.tensors.push_back(std::move(t));
    const RngState& r = rng.state();
    const SourceState data = source.state();
    archive.add("step", integers({step_}));
    archive.add("rng", integers({static_cast<std::int64_t>(r.seed), static_cast<std::int64_t>(r.stream),
                                 static_cast<std::int64_t>(r.counter), static_cast<std::int64_t>(r.used)}));
    archive.add("data", integers({static_cast<std::int64_t>(data.seed), data.epoch, data.position}));
    archive.metadata = {{"format", state_format},
                        {"generator_rule", generator_optimizer_.rule().name()},
                        {"critic_rule", critic_optimizer_.rule().name()}};
    save_safetensors(path, archive);
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
  using Gradients = std::vector<Tensor>;

  /// A real batch and the fake one it is compared with.
  struct Play {
    Tensor real, labels;
    Var fake;
  };

  template <class Source>
  Play next_play(Source& source, Rng& rng, Context& context, bool recorded) {
    const Batch batch = source.next();
    Play play{batch.data, batch.labels, {}};
    if (critic_.classes() > 0 && !play.labels.defined()) {
      throw DataError("AdversarialTrainer: the nets are conditional, but the data has no labels");
    }
    const GradMode mode(recorded);
    play.fake = generate(play, rng, context);
    return play;
  }

  Var generate(const Play& play, Rng& rng, Context& context) const {
    return generator_(Var(generator_.latent()(play.real.shape(0), rng)), play.labels, context);
  }

  /// Instance noise: both kinds of sample are blurred alike, less and less.
  Var blurred(const Var& x, Rng& rng) const {
    double deviation = options_.instance_noise;
    if (options_.instance_noise_steps > 0) {
      const double left = 1.0 - static_cast<double>(step_) / static_cast<double>(options_.instance_noise_steps);
      deviation *= left > 0.0 ? left : 0.0;
    }
    return deviation > 0.0 ? x + normal(x.shape(), rng, x.dtype(), 0.0, deviation) : x;
  }

  double rate(double own) const { return (own > 0.0 ? own : options_.learning_rate) * options_.schedule(step_); }
  double critic_rate() const { return rate(options_.critic_learning_rate); }
  double generator_rate() const { return rate(options_.generator_learning_rate); }

  double checked(const char* term, const Var& value) const {
    const double number = value.item();
    if (number - number != 0.0) {
      throw NumericError(concat("training stopped at step ", step_ + 1, ": ", term, " is ", number,
                                "; try a smaller learning rate, gradient clipping or a gradient penalty"));
    }
    return number;
  }

  static std::vector<Var> variables(const ModuleState& state) {
    std::vector<Var> vars;
    vars.reserve(state.parameters.size());
    for (const NamedParam& p : state.parameters) vars.push_back(*p.param);
    return vars;
  }

  void add_gradients(const Var& loss, const ModuleState& state, Gradients& sum) const {
    const std::vector<Var> gradients = grad(loss, variables(state));
    for (std::size_t i = 0; i < sum.size(); ++i) {
      sum[i] = sum[i].defined() ? (Var(sum[i]) + gradients[i]).value() : gradients[i].value();
    }
  }

  Var critic_loss(const D& critic, const Play& play, Context& context, std::vector<LossTerm>* terms) const {
    Rng& rng = *context.rng;
    const Var fake = play.fake.detach();
    Var loss = loss_.critic(critic(blurred(play.real, rng), play.labels, context),
                            critic(blurred(fake, rng), play.labels, context));
    for (const NamedPenalty& penalty : penalties_) {
      const Var value = penalty.value(Score(critic, play.labels, context), play.real, fake.value(), rng);
      if (terms) terms->push_back({penalty.name, checked(penalty.name, value)});
      loss = loss + value;
    }
    return loss;
  }

  void update_critic_gradients(const Play& play, Context& context, StepInfo& info, Gradients& sum) {
    info.penalties.clear();
    const Var loss = critic_loss(critic_, play, context, &info.penalties);
    info.critic_loss = checked("critic loss", loss);
    add_gradients(loss, critic_state_, sum);
  }

  Var generator_loss(const D& critic, const Play& play, Context& context) const {
    const Var fake_scores = critic(blurred(play.fake, *context.rng), play.labels, context);
    if constexpr (requires { loss_.generator(fake_scores); }) {
      return loss_.generator(fake_scores);
    } else {
      return loss_.generator(critic(blurred(play.real, *context.rng), play.labels, context), fake_scores);
    }
  }

  void update_generator_gradients(const Play& play, Context& context, StepInfo& info, Gradients& sum) {
    Var loss;
    if (options_.unrolled_steps == 0) {
      loss = generator_loss(critic_, play, context);
    } else {
      D ahead = critic_;
      unroll(ahead, play, context);
      loss = generator_loss(ahead, play, context);
    }
    info.generator_loss = checked("generator loss", loss);
    add_gradients(loss, generator_state_, sum);
  }

  /// Moves a copy of the critic some updates ahead, recorded, so that the generator's gradient flows through them.
  /// Source: Metz et al. 2017, arXiv:1611.02163, section 2.2.
  void unroll(D& ahead, const Play& play, Context& context) const {
    const ModuleState state = state_of(ahead);
    const AnyRule& rule = critic_optimizer_.rule();
    const auto slots = static_cast<std::size_t>(rule.slots());
    std::vector<Var> running;
    for (std::size_t i = 0; i < state.parameters.size(); ++i) {
      for (const Tensor& value : critic_optimizer_.running(i)) running.push_back(Var(value));
    }
    for (std::int64_t k = 0; k < options_.unrolled_steps; ++k) {
      Rng& rng = *context.rng;
      Var loss = loss_.critic(ahead(blurred(play.real, rng), play.labels, context),
                              ahead(blurred(play.fake, rng), play.labels, context));
      const std::vector<Var> gradients = grad(loss, variables(state), {.create_graph = true});
      const StepNumbers numbers{critic_rate(), critic_optimizer_.steps() + 1 + k};
      for (std::size_t i = 0; i < gradients.size(); ++i) {
        Param& p = *state.parameters[i].param;
        p.rebind(rule.apply(numbers, p, gradients[i], running.data() + i * slots));
      }
    }
  }

  void apply(Gradients& sum, Optimizer& optimizer, double learning_rate) {
    if (options_.accumulate > 1) {
      for (Tensor& g : sum) g = (Var(g) * (1.0 / static_cast<double>(options_.accumulate))).value();
    }
    if (options_.clip_norm > 0.0) clip_by_norm(sum, options_.clip_norm);
    optimizer.step(sum, learning_rate);
  }

  static Tensor integers(std::initializer_list<std::int64_t> values) {
    return Tensor::from(std::span<const std::int64_t>(values.begin(), values.size()),
                        {static_cast<std::int64_t>(values.size())});
  }
  static void add_state(Archive& archive, const std::string& prefix, const ModuleState& state) {
    for (const NamedParam& p : state.parameters) archive.add(prefix + p.path, p.param->value());
    for (const NamedBuffer& b : state.buffers) archive.add(prefix + b.path, b.buffer->value());
  }
  static void check_state(const Archive& archive, const std::string& prefix, const ModuleState& state) {
    const auto check = [&](const std::string& name, const Tensor& like) {
      const Tensor& t = archive.at(prefix + name);
      if (!(t.shape() == like.shape()) || t.dtype() != like.dtype()) {
        throw DataError(concat("'", prefix, name, "' is ", t.str(), ", expected ", like.str()));
      }
    };
    for (const NamedParam& p : state.parameters) check(p.path, p.param->value());
    for (const NamedBuffer& b : state.buffers) check(b.path, b.buffer->value());
  }
  static void take_state(const Archive& archive, const std::string& prefix, const ModuleState& state) {
    for (const NamedParam& p : state.parameters) p.param->assign(archive.at(prefix + p.path).clone());
    for (const NamedBuffer& b : state.buffers) b.buffer->set(archive.at(prefix + b.path).clone());
  }

  static void check_text(const Archive& archive, const char* name, const std::string& expected) {
    const std::string& found = archive.text(name);
    if (found != expected) throw DataError(concat("'", name, "' is '", found, "', expected '", expected, "'"));
  }

  /// Checks everything before it changes anything.
  template <class Source>
  void restore(const Archive& archive, Source& source, Rng& rng) {
    const auto find = [&](const std::string& name) { return archive.find(name); };
    const auto numbers = [&](const char* name, std::int64_t count) {
      const Tensor& t = archive.at(name);
      if (t.dtype() != DType::i64 || t.size() != count) {
        throw DataError(concat("'", name, "' is ", t.str(), ", expected ", count, " i64 numbers"));
      }
      return t.span<std::int64_t>();
    };
    check_text(archive, "format", state_format);
    check_text(archive, "generator_rule", generator_optimizer_.rule().name());
    check_text(archive, "critic_rule", critic_optimizer_.rule().name());
    check_state(archive, "generator.", generator_state_);
    check_state(archive, "critic.", critic_state_);
    const auto r = numbers("rng", 4), data = numbers("data", 3), step = numbers("step", 1);
    if (step[0] < 0) throw DataError(concat("'step' is ", step[0]));
    Optimizer generator_optimizer = generator_optimizer_, critic_optimizer = critic_optimizer_;
    generator_optimizer.restore("generator_optimizer.", find);
    critic_optimizer.restore("critic_optimizer.", find);
    ModuleState average;
    if (average_) {
      average = state_of(*average_);
      check_state(archive, "average.", average);
      numbers("average_updates", 1);
    }
    Rng restored;
    restored.restore({static_cast<std::uint64_t>(r[0]), static_cast<std::uint64_t>(r[1]),
                      static_cast<std::uint64_t>(r[2]), static_cast<std::uint64_t>(r[3])});
    source.restore({static_cast<std::uint64_t>(data[0]), data[1], data[2]});

    rng = restored;
    take_state(archive, "generator.", generator_state_);
    take_state(archive, "critic.", critic_state_);
    if (average_) {
      take_state(archive, "average.", average);
      ema_->restore(numbers("average_updates", 1)[0]);
    }
    generator_optimizer_ = std::move(generator_optimizer);
    critic_optimizer_ = std::move(critic_optimizer);
    step_ = step[0];
  }

  static constexpr const char* state_format = "synthdata training state 1";

  G& generator_;
  D& critic_;
  Loss loss_;
  TrainerOptions options_;
  ModuleState generator_state_, critic_state_;
  Optimizer generator_optimizer_, critic_optimizer_;
  std::vector<NamedPenalty> penalties_;
  std::vector<std::function<void(const StepInfo&)>> on_step_, on_epoch_;
  std::optional<Ema> ema_;
  std::optional<G> average_;
  CollapseDetector collapse_;
  std::int64_t step_ = 0;
  bool stopped_ = false;
};

}  // namespace synthdata
