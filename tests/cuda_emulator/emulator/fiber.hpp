// cuda_emulator/emulator/fiber.hpp: stacks that one host thread switches between.
//
// A fiber runs one function that never returns; it parks itself by switching to another. The switch is a dozen
// instructions of our own: ucontext makes a system call each time, and a block has up to 1024 threads.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define CUDA_EMULATOR_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CUDA_EMULATOR_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define CUDA_EMULATOR_TSAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define CUDA_EMULATOR_TSAN 1
#endif
#ifdef CUDA_EMULATOR_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef CUDA_EMULATOR_TSAN
#include <sanitizer/tsan_interface.h>
#endif

// Saves the registers that a call preserves, stores the stack pointer in *save, and continues on `load`.
// Weak, so that the copies of several translation units become one.
#if defined(__x86_64__)
asm(R"(
.pushsection .text
.weak cuda_emulator_switch_stack
.type cuda_emulator_switch_stack,@function
cuda_emulator_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size cuda_emulator_switch_stack, .-cuda_emulator_switch_stack
.popsection
)");
#elif defined(__aarch64__)
asm(R"(
.pushsection .text
.weak cuda_emulator_switch_stack
.type cuda_emulator_switch_stack,%function
cuda_emulator_switch_stack:
  sub sp, sp, #160
  stp x29, x30, [sp]
  stp x19, x20, [sp, #16]
  stp x21, x22, [sp, #32]
  stp x23, x24, [sp, #48]
  stp x25, x26, [sp, #64]
  stp x27, x28, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x29, x30, [sp]
  ldp x19, x20, [sp, #16]
  ldp x21, x22, [sp, #32]
  ldp x23, x24, [sp, #48]
  ldp x25, x26, [sp, #64]
  ldp x27, x28, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size cuda_emulator_switch_stack, .-cuda_emulator_switch_stack
.popsection
)");
#else
#error "cuda_emulator: write the stack switch of this processor"
#endif
extern "C" void cuda_emulator_switch_stack(void** save, void* load);

namespace cuda_emulator {

struct Fiber {
  void* stack_pointer = nullptr;
  const void* bottom = nullptr;  // the lowest address of its stack, for the sanitizers
  std::size_t size = 0;
  [[maybe_unused]] void* sanitizer = nullptr;
};

inline Fiber* switched_from = nullptr;  // who switched last; under the launch lock

/// To be called first on a new fiber.
inline void fiber_started([[maybe_unused]] void* fake_stack = nullptr) {
#ifdef CUDA_EMULATOR_ASAN
  // tells us the stack that was left: the only cheap way to learn that of a host thread
  __sanitizer_finish_switch_fiber(fake_stack, &switched_from->bottom, &switched_from->size);
#endif
}

/// Leaves `from`, which must be the running fiber, and continues `to` where it was left.
inline void switch_fiber(Fiber& from, Fiber& to) {
  [[maybe_unused]] void* fake_stack = nullptr;
  switched_from = &from;
#ifdef CUDA_EMULATOR_TSAN
  if (from.sanitizer == nullptr) from.sanitizer = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(to.sanitizer, 0);
#endif
#ifdef CUDA_EMULATOR_ASAN
  __sanitizer_start_switch_fiber(&fake_stack, to.bottom, to.size);
#endif
  cuda_emulator_switch_stack(&from.stack_pointer, to.stack_pointer);
  fiber_started(fake_stack);
}

/// Fibers that wait for work. They are never ended: a stack that was mapped serves all later blocks.
class FiberPool {
 public:
  explicit FiberPool(void (*entry)()) : entry_(entry) {}

  Fiber& take() {
    if (idle_.empty()) make();
    Fiber& fiber = *idle_.back();
    idle_.pop_back();
    return fiber;
  }
  void give(Fiber& fiber) { idle_.push_back(&fiber); }

 private:
#if defined(CUDA_EMULATOR_ASAN) || defined(CUDA_EMULATOR_TSAN)
  static constexpr std::size_t stack_size = 256 << 10;  // frames are larger with red zones
#else
  static constexpr std::size_t stack_size = 64 << 10;
#endif
  static constexpr std::size_t guard_size = 64 << 10;  // a multiple of every page size

  void make() {
    void* map = mmap(nullptr, guard_size + stack_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    char* bottom = static_cast<char*>(map) + guard_size;
    if (map == MAP_FAILED || mprotect(bottom, stack_size, PROT_READ | PROT_WRITE) != 0) {
      std::perror("cuda_emulator: no memory for the stack of a thread");
      std::abort();
    }
    auto fiber = std::make_unique<Fiber>();
    fiber->bottom = bottom;
    fiber->size = stack_size;
    // The first switch pops zeros into the registers and "returns" to the entry.
    const std::size_t colour =
        all_.size() % 32 * 448;  // else the hot ends of all stacks share a few lines of the cache
    auto* top = reinterpret_cast<std::uintptr_t*>(bottom + stack_size - colour);
#if defined(__x86_64__)
    top[-2] = reinterpret_cast<std::uintptr_t>(entry_);  // top[-1] stays zero: the return address of the entry
    fiber->stack_pointer = top - 8;
#else
    top[-19] = reinterpret_cast<std::uintptr_t>(entry_);  // x30 of the frame of 20 words
    fiber->stack_pointer = top - 20;
#endif
#ifdef CUDA_EMULATOR_TSAN
    fiber->sanitizer = __tsan_create_fiber(0);
#endif
    idle_.push_back(fiber.get());
    all_.push_back(std::move(fiber));
  }

  void (*entry_)();
  std::vector<std::unique_ptr<Fiber>> all_;
  std::vector<Fiber*> idle_;
};

}  // namespace cuda_emulator
