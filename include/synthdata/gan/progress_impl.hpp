// synthdata/gan/progress_impl.hpp: bodies of gan/progress.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/gan/progress.hpp>

#include <chrono>
#include <cstdio>

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

namespace synthdata {

SYNTHDATA_INLINE double Progress::now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

SYNTHDATA_INLINE Progress::Progress(std::int64_t steps, std::int64_t first) : steps_(steps), first_(first) {
#if defined(__unix__) || defined(__APPLE__)
  terminal_ = isatty(STDERR_FILENO) == 1;
#else
  terminal_ = false;
#endif
}

SYNTHDATA_INLINE double Progress::samples_per_second() const {
  const double s = seconds();
  return s > 0.0 ? static_cast<double>(samples_) / s : 0.0;
}

SYNTHDATA_INLINE std::string Progress::line(const StepInfo& info) const {
  const double done = static_cast<double>(info.step - first_), n = static_cast<double>(averaged_ ? averaged_ : 1);
  const double left = done > 0.0 ? seconds() / done * static_cast<double>(steps_ - info.step) : 0.0;
  const auto whole = static_cast<long>(left + 0.5);
  char text[256];
  std::snprintf(text, sizeof text,
                "step %lld/%lld  critic %.3f  generator %.3f  diversity %.2f  %.0f samples/s  %ld:%02ld left",
                static_cast<long long>(info.step), static_cast<long long>(steps_), critic_ / n, generator_ / n,
                info.diversity, samples_per_second(), whole / 60, whole % 60);
  return text;
}

SYNTHDATA_INLINE void Progress::operator()(const StepInfo& info) {
  samples_ += info.samples;
  critic_ += info.critic_loss;
  generator_ += info.generator_loss;
  ++averaged_;
  if (info.collapsed && !warned_) {
    std::fprintf(stderr,
                 "%sstep %lld: the generator has collapsed: its samples differ only %.0f %% as much as real ones\n",
                 open_ ? "\n" : "", static_cast<long long>(info.step), 100.0 * info.diversity);
    open_ = false;
  }
  warned_ = info.collapsed;
  if (seconds() - printed_at_ < (terminal_ ? 0.2 : 10.0) && info.step != steps_) return;
  std::fprintf(stderr, terminal_ ? "\r%s\033[K" : "%s\n", line(info).c_str());
  std::fflush(stderr);
  open_ = terminal_;
  printed_at_ = seconds();
  critic_ = generator_ = 0.0;
  averaged_ = 0;
}

SYNTHDATA_INLINE void Progress::finish() {
  if (open_) std::fputc('\n', stderr);
  open_ = false;
}

}  // namespace synthdata
