// synthdata/gan/interrupt.hpp: lets Ctrl-C end a training run between two steps, with everything saved.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <csignal>

namespace synthdata {

namespace detail {
inline volatile std::sig_atomic_t interrupt_seen = 0;
inline void note_interrupt(int number) {
  interrupt_seen = number;
  std::signal(number, SIG_DFL);  // a second Ctrl-C ends the program at once
}
}  // namespace detail

/// While alive, Ctrl-C and a polite kill (SIGINT, SIGTERM) only set a flag: `trainer.on_step([&](const auto&) {
/// if (interrupt.requested()) trainer.stop(); })`. Make one at a time.
class Interrupt {
 public:
  Interrupt() {
    detail::interrupt_seen = 0;
    before_int_ = std::signal(SIGINT, detail::note_interrupt);
    before_term_ = std::signal(SIGTERM, detail::note_interrupt);
  }
  ~Interrupt() {
    std::signal(SIGINT, before_int_);
    std::signal(SIGTERM, before_term_);
  }
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  bool requested() const { return detail::interrupt_seen != 0; }

 private:
  void (*before_int_)(int);
  void (*before_term_)(int);
};

}  // namespace synthdata
