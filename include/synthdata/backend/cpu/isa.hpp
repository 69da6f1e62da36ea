// synthdata/backend/cpu/isa.hpp: the instruction set of the CPU kernels, chosen at run time.
//
// A kernel is one text compiled three times under a target attribute, so a plain -O2 build without -march runs at full
// speed. All kernels ask isa(); on another architecture than x86-64 only the baseline exists.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/config.hpp>

#include <atomic>
#include <cstdint>
#include <cstdlib>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__CUDACC__)
#define SYNTHDATA_X86_KERNELS 1
#define SYNTHDATA_TARGET_AVX2 __attribute__((target("avx2,fma")))
#if defined(__clang__)
#define SYNTHDATA_TARGET_AVX512 \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"), min_vector_width(512)))
#else
#define SYNTHDATA_TARGET_AVX512 \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")))
#endif
#else
#define SYNTHDATA_X86_KERNELS 0
#define SYNTHDATA_TARGET_AVX2
#define SYNTHDATA_TARGET_AVX512
#endif

namespace synthdata::backend::cpu {

enum class Isa : std::uint8_t { baseline, avx2, avx512 };
inline const char* name(Isa isa) { return isa == Isa::avx512 ? "avx512" : isa == Isa::avx2 ? "avx2" : "baseline"; }

/// The best instruction set of this machine, lowered by the environment variable SYNTHDATA_ISA (baseline|avx2|avx512).
inline Isa detect_isa() {
  Isa best = Isa::baseline;
#if SYNTHDATA_X86_KERNELS
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) best = Isa::avx2;
  if (best == Isa::avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    best = Isa::avx512;
  if (const char* wanted = std::getenv("SYNTHDATA_ISA")) {
    if (__builtin_strcmp(wanted, "baseline") == 0) return Isa::baseline;
    if (__builtin_strcmp(wanted, "avx2") == 0 && best > Isa::avx2) return Isa::avx2;
  }
#endif
  return best;
}

namespace detail {
inline std::atomic<Isa>& isa_in_use() {
  static std::atomic<Isa> isa{detect_isa()};
  return isa;
}
}  // namespace detail

/// The instruction set the kernels use now.
inline Isa isa() { return detail::isa_in_use().load(std::memory_order_relaxed); }

/// Whether products of bf16 pairs exist in the instruction set in use.
inline bool has_bf16() {
#if SYNTHDATA_X86_KERNELS
  static const bool supported = __builtin_cpu_supports("avx512bf16");
  return supported && isa() == Isa::avx512;
#else
  return false;
#endif
}

/// For tests: uses `wanted`, or what the machine has if that is less, until the next call. Returns what is used.
inline Isa force_isa(Isa wanted) {
  const Isa best = detect_isa();
  const Isa used = wanted < best ? wanted : best;
  detail::isa_in_use().store(used, std::memory_order_relaxed);
  return used;
}

}  // namespace synthdata::backend::cpu
