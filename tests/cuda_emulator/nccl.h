// tests/cuda_emulator/nccl.h: collectives between ranks of one process, each with a device of its own.
//
// The n-th collective of a rank meets the n-th of all others; who comes last does the work of all. So a rank is a host
// thread that waits for the others, or one thread has several ranks and calls them between ncclGroupStart and
// ncclGroupEnd. A collective finishes its stream first and runs at once, with lazy streams too. A rank that asked for
// calls which do not block has its collectives in progress until all ranks are there.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <climits>
#include <condition_variable>
#include <cstring>

#include "cuda_runtime.h"
#include "emulator/numbers.hpp"

#define NCCL_MAJOR 2
#define NCCL_MINOR 28
#define NCCL_PATCH 9
#define NCCL_VERSION_CODE 22809
#define NCCL_UNIQUE_ID_BYTES 128

typedef enum {
  ncclSuccess = 0,
  ncclUnhandledCudaError = 1,
  ncclSystemError = 2,
  ncclInternalError = 3,
  ncclInvalidArgument = 4,
  ncclInvalidUsage = 5,
  ncclRemoteError = 6,
  ncclInProgress = 7
} ncclResult_t;
typedef enum { ncclSum = 0, ncclProd = 1, ncclMax = 2, ncclMin = 3, ncclAvg = 4 } ncclRedOp_t;
typedef enum {
  ncclInt8 = 0,
  ncclUint8 = 1,
  ncclInt32 = 2,
  ncclUint32 = 3,
  ncclInt64 = 4,
  ncclUint64 = 5,
  ncclFloat16 = 6,
  ncclFloat32 = 7,
  ncclFloat64 = 8,
  ncclBfloat16 = 9,
  ncclHalf = 6,
  ncclFloat = 7,
  ncclDouble = 8
} ncclDataType_t;

typedef struct {
  char internal[NCCL_UNIQUE_ID_BYTES];
} ncclUniqueId;

typedef struct {
  size_t size;
  unsigned magic, version;
  int blocking;
} ncclConfig_t;
#define NCCL_CONFIG_UNDEF_INT INT_MIN
#define NCCL_CONFIG_INITIALIZER \
  { sizeof(ncclConfig_t), 0xcafebeef, NCCL_VERSION_CODE, NCCL_CONFIG_UNDEF_INT }

namespace cuda_emulator {

/// What one rank gives to a collective.
struct Part {
  bool reduces;
  const void* from;
  void* to;
  std::size_t count;
  ncclDataType_t type;
  int what;  // the reduction, or the root of a broadcast

  bool meets(const Part& o) const {
    return reduces == o.reduces && count == o.count && type == o.type && what == o.what;
  }
};

/// One collective, from its first rank to its last.
struct Round {
  std::vector<Part> parts;
  std::vector<bool> there;
  std::size_t arrived = 0;
};

struct Clique {
  std::size_t ranks;
  std::vector<int> devices;                                  // of each rank, -1 until it joins
  std::map<std::uint64_t, std::shared_ptr<Round>> rounds{};  // those that began and have not ended
  bool aborted = false;                                      // no round ends any more

  bool complete() const { return std::find(devices.begin(), devices.end(), -1) == devices.end(); }
};

inline std::condition_variable_any rank_arrived;

/// Lets go of the machine's lock, which this thread must hold once, until `ready`.
template <class Ready>
void wait_for_ranks(Ready ready) {
  std::unique_lock lock(machine_lock, std::adopt_lock);
  if (!rank_arrived.wait_for(lock, std::chrono::seconds(60), ready))
    fail("nccl: a rank waited a minute for the others");
  lock.release();
}

inline std::size_t nccl_size_of(ncclDataType_t type) {
  constexpr std::size_t sizes[] = {1, 1, 4, 4, 8, 8, 2, 4, 8, 2};
  return sizes[type];
}

/// Reduces in double, in order of the ranks, so that all ranks get the same bits.
inline void reduce_all(const Round& round) {
  const Part& first = round.parts.front();
  const auto type = static_cast<std::uint32_t>(first.type == ncclFloat64   ? CUDA_R_64F
                                               : first.type == ncclFloat32 ? CUDA_R_32F
                                               : first.type == ncclFloat16 ? CUDA_R_16F
                                                                           : CUDA_R_16BF);
  for (std::size_t element = 0; element < first.count; ++element) {
    const auto i = static_cast<std::int64_t>(element);
    double x = load(first.from, i, type);
    for (std::size_t r = 1; r < round.parts.size(); ++r) {
      const double y = load(round.parts[r].from, i, type);
      switch (first.what) {
        case ncclProd:
          x *= y;
          break;
        case ncclMax:
          x = std::max(x, y);
          break;
        case ncclMin:
          x = std::min(x, y);
          break;
        default:
          x += y;
      }
    }
    if (first.what == ncclAvg) x /= static_cast<double>(round.parts.size());
    for (const Part& part : round.parts) store(part.to, i, x, type);
  }
}

inline void run_round(const Clique& clique, const Round& round) {
  std::vector<std::unique_ptr<Access>> open;
  for (const int device : clique.devices) open.push_back(std::make_unique<Access>(device));
  const Part& first = round.parts.front();
  if (first.reduces) {
    reduce_all(round);
  } else {
    const void* from = round.parts[static_cast<std::size_t>(first.what)].from;
    for (const Part& part : round.parts) std::memmove(part.to, from, first.count * nccl_size_of(first.type));
  }
}

}  // namespace cuda_emulator

struct ncclComm {
  std::shared_ptr<cuda_emulator::Clique> clique;
  std::size_t rank;
  std::uint64_t rounds = 0;  // that this rank has entered
  bool blocking = true;
  std::shared_ptr<cuda_emulator::Round> last{};

  bool in_progress() const { return !clique->complete() || (last != nullptr && last->arrived < clique->ranks); }
};
typedef ncclComm* ncclComm_t;

namespace cuda_emulator {

inline std::map<std::string, std::shared_ptr<Clique>> cliques;  // by unique id, until all ranks have joined
inline thread_local int group_depth = 0;
inline thread_local std::vector<std::function<void()>> group_waits;  // what ncclGroupEnd has to wait for

template <class Body>
ncclResult_t nccl_call(Body&& body) {
  const std::lock_guard lock(machine_lock);
  return begin_call() == cudaSuccess ? body() : ncclUnhandledCudaError;
}

/// Waits now, or at the end of the group.
template <class Ready>
void wait_or_defer(Ready ready) {
  if (group_depth > 0) {
    group_waits.push_back([ready] { wait_for_ranks(ready); });
  } else {
    wait_for_ranks(ready);
  }
}

/// Brings the part of one rank; the last one does the work of all.
inline std::shared_ptr<Round> arrive(ncclComm& comm, const Part& part) {
  Clique& clique = *comm.clique;
  const std::uint64_t number = comm.rounds++;
  auto& slot = clique.rounds[number];
  if (slot == nullptr) {
    slot = std::make_shared<Round>();
    slot->parts.resize(clique.ranks, part);
    slot->there.resize(clique.ranks);
  }
  const auto round = slot;
  for (std::size_t r = 0; r < clique.ranks; ++r)
    if (round->there[r] && !round->parts[r].meets(part))
      fail("nccl: ranks %zu and %zu call different collectives", r, comm.rank);
  round->parts[comm.rank] = part;
  round->there[comm.rank] = true;
  if (clique.aborted) return round;
  if (++round->arrived == clique.ranks) {
    run_round(clique, *round);
    clique.rounds.erase(number);
    rank_arrived.notify_all();
  }
  return round;
}

inline ncclResult_t collective(ncclComm_t comm, const Part& part, cudaStream_t handle) {
  return nccl_call([&] {
    if (comm == nullptr || part.type < ncclInt8 || part.type > ncclBfloat16) return ncclInvalidArgument;
    if (part.reduces && part.type < ncclFloat16) return ncclInvalidArgument;  // integers are only broadcast
    if (part.what < 0 || part.what >= (part.reduces ? 5 : static_cast<int>(comm->clique->ranks)))
      return ncclInvalidArgument;
    const auto stream = stream_of(handle);
    const int device = comm->clique->devices[comm->rank];
    const std::size_t bytes = part.count * nccl_size_of(part.type);
    const bool reads = part.reduces || part.what == static_cast<int>(comm->rank);
    if (stream->device != device || checked_device(part.to, bytes, "nccl") != device ||
        (reads && checked_device(part.from, bytes, "nccl") != device))
      fail("nccl: stream or memory of rank %zu is not on its device, %d", comm->rank, device);
    if (stream->capture != nullptr) {
      const auto work = [comm, part, ranks = comm->clique->ranks] {
        const auto round = arrive(*comm, part);
        wait_for_ranks([=] { return round->arrived == ranks; });
      };
      return enqueue(handle, work) == cudaSuccess ? ncclSuccess : ncclUnhandledCudaError;
    }
    stream->finish(stream->issued);
    if (!comm->blocking) {
      if (comm->in_progress()) return ncclInvalidUsage;
      comm->last = arrive(*comm, part);
      return comm->in_progress() ? ncclInProgress : ncclSuccess;
    }
    const auto round = arrive(*comm, part);
    wait_or_defer([round, ranks = comm->clique->ranks] { return round->arrived == ranks; });
    return ncclSuccess;
  });
}

}  // namespace cuda_emulator

inline const char* ncclGetErrorString(ncclResult_t result) {
  constexpr const char* texts[] = {"no error",
                                   "unhandled cuda error",
                                   "unhandled system error",
                                   "internal error",
                                   "invalid argument",
                                   "invalid usage",
                                   "remote process exited or there was a network error",
                                   "NCCL operation in progress"};
  return result >= ncclSuccess && result <= ncclInProgress ? texts[result] : "unknown result code";
}
inline const char* ncclGetLastError(ncclComm_t) { return ""; }
inline ncclResult_t ncclGetVersion(int* version) {
  *version = NCCL_VERSION_CODE;
  return ncclSuccess;
}

inline ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  return cuda_emulator::nccl_call([&] {
    static int count = 0;
    *id = {};
    std::snprintf(id->internal, sizeof id->internal, "emulated %d", ++count);
    return ncclSuccess;
  });
}
/// Returns when all ranks have joined, or within a group at its end; at once if the calls are not to block.
inline ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int ranks, ncclUniqueId id, int rank,
                                           ncclConfig_t* config) {
  using namespace cuda_emulator;
  return nccl_call([&] {
    if (ranks < 1 || rank < 0 || rank >= ranks) return ncclInvalidArgument;
    const auto n = static_cast<std::size_t>(ranks), r = static_cast<std::size_t>(rank);
    auto& slot = cliques[id.internal];
    if (slot == nullptr) slot = std::make_shared<Clique>(Clique{n, std::vector<int>(n, -1)});
    const auto clique = slot;
    if (clique->ranks != n || clique->devices[r] != -1) return ncclInvalidUsage;
    for (const int device : clique->devices)
      if (device == current_device) return ncclInvalidUsage;  // NCCL wants a device for each rank
    clique->devices[r] = current_device;
    *comm = new ncclComm{clique, r};
    if (clique->complete()) cliques.erase(id.internal);
    rank_arrived.notify_all();
    (*comm)->blocking = config == nullptr || config->blocking != 0;
    if (!(*comm)->blocking) return clique->complete() ? ncclSuccess : ncclInProgress;
    wait_or_defer([clique] { return clique->complete(); });
    return ncclSuccess;
  });
}
inline ncclResult_t ncclCommInitRank(ncclComm_t* comm, int ranks, ncclUniqueId id, int rank) {
  return ncclCommInitRankConfig(comm, ranks, id, rank, nullptr);
}
inline ncclResult_t ncclCommInitAll(ncclComm_t* comms, int count, const int* devices) {
  using namespace cuda_emulator;
  return nccl_call([&] {
    if (count < 1) return ncclInvalidArgument;
    const auto clique = std::make_shared<Clique>(Clique{static_cast<std::size_t>(count), {}});
    for (int r = 0; r < count; ++r) clique->devices.push_back(devices == nullptr ? r : devices[r]);
    for (const int device : clique->devices)
      if (!is_device(device) || std::count(clique->devices.begin(), clique->devices.end(), device) != 1)
        return ncclInvalidArgument;
    for (int r = 0; r < count; ++r) comms[r] = new ncclComm{clique, static_cast<std::size_t>(r)};
    return ncclSuccess;
  });
}
inline ncclResult_t ncclCommDestroy(ncclComm_t comm) {
  delete comm;
  return ncclSuccess;
}
inline ncclResult_t ncclCommFinalize(ncclComm_t) { return ncclSuccess; }
inline ncclResult_t ncclCommAbort(ncclComm_t comm) {
  return cuda_emulator::nccl_call([&] {
    comm->clique->aborted = true;
    return ncclCommDestroy(comm);
  });
}
inline ncclResult_t ncclCommCount(ncclComm_t comm, int* count) {
  *count = static_cast<int>(comm->clique->ranks);
  return ncclSuccess;
}
inline ncclResult_t ncclCommUserRank(ncclComm_t comm, int* rank) {
  *rank = static_cast<int>(comm->rank);
  return ncclSuccess;
}
inline ncclResult_t ncclCommCuDevice(ncclComm_t comm, int* device) {
  *device = comm->clique->devices[comm->rank];
  return ncclSuccess;
}
inline ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t* error) {
  return cuda_emulator::nccl_call([&] {
    *error = !comm->blocking && comm->in_progress() ? ncclInProgress : ncclSuccess;
    return ncclSuccess;
  });
}

inline ncclResult_t ncclGroupStart() {
  ++cuda_emulator::group_depth;
  return ncclSuccess;
}
inline ncclResult_t ncclGroupEnd() {
  using namespace cuda_emulator;
  if (group_depth == 0) return ncclInvalidUsage;
  if (--group_depth > 0) return ncclSuccess;
  const std::lock_guard lock(machine_lock);
  for (const auto& wait : std::exchange(group_waits, {})) wait();
  return ncclSuccess;
}

inline ncclResult_t ncclAllReduce(const void* from, void* to, std::size_t count, ncclDataType_t type, ncclRedOp_t what,
                                  ncclComm_t comm, cudaStream_t stream) {
  return cuda_emulator::collective(comm, {true, from, to, count, type, what}, stream);
}
inline ncclResult_t ncclBroadcast(const void* from, void* to, std::size_t count, ncclDataType_t type, int root,
                                  ncclComm_t comm, cudaStream_t stream) {
  return cuda_emulator::collective(comm, {false, from, to, count, type, root}, stream);
}
