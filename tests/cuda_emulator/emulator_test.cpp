// SPDX-License-Identifier: MIT
#include <cublasLt.h>
#include <nccl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <cstring>
#include <functional>
#include <iostream>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "../test.hpp"
#include "sample_kernels.cuh"

using cuda_emulator::ThreadOrder;

namespace {

#define OK(call) REQUIRE((call) == cudaSuccess)

/// Device memory with the contents of a vector.
template <class T>
class OnDevice {
 public:
  explicit OnDevice(std::size_t n) : n_(n) { OK(cudaMalloc(&data_, n * sizeof(T))); }
  explicit OnDevice(const std::vector<T>& x) : OnDevice(x.size()) {
    OK(cudaMemcpy(data_, x.data(), n_ * sizeof(T), cudaMemcpyHostToDevice));
  }
  ~OnDevice() { cudaFree(data_); }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

  T* get() const { return data_; }
  std::vector<T> host() const {
    std::vector<T> x(n_);
    OK(cudaMemcpy(x.data(), data_, n_ * sizeof(T), cudaMemcpyDeviceToHost));
    return x;
  }

 private:
  T* data_ = nullptr;
  std::size_t n_;
};

template <class... P, class... A>
cudaError_t launch(dim3 grid, dim3 block, std::size_t shared, cudaStream_t stream, void (*kernel)(P...),
                   A... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = shared;
  config.stream = stream;
  return cudaLaunchKernelEx(&config, kernel, arguments...);
}

/// Runs `f` in a child, which must crash, and returns what it said on stderr.
std::string crash_of(const std::function<void()>& f) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  std::cout.flush();
  const pid_t child = fork();
  if (child == 0) {
    for (const int signal : {SIGABRT, SIGILL}) std::signal(signal, SIG_DFL);
    cuda_emulator::detail::handler_before = {};  // Catch2's would say much
    dup2(ends[1], 2);
    close(1);
    f();
    cudaDeviceSynchronize();  // lazy streams
    _exit(0);
  }
  close(ends[1]);
  std::string said;
  char buffer[4096];
  for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;) said.append(buffer, static_cast<std::size_t>(n));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  INFO(said);
  CHECK(status != 0);
  return said;
}

/// For the time of a test case.
template <class T>
class Set {
 public:
  Set(T& setting, T value) : setting_(setting), before_(std::exchange(setting, value)) {}
  ~Set() { setting_ = before_; }

 private:
  T& setting_;
  T before_;
};

std::uint32_t random_bits() {
  static std::uint32_t state = 7;
  state = state * 1664525u + 1013904223u;
  return state >> 8;
}
template <class T = float>
std::vector<T> random_values(std::size_t n) {
  std::vector<T> x(n);
  for (T& v : x) v = static_cast<T>(static_cast<int>(random_bits() % 2001) - 1000) / T(500);
  return x;
}

}  // namespace

TEST_CASE("emulator: a kernel adds vectors, whatever the grid") {
  const auto a = random_values(1000), b = random_values(1000);
  const OnDevice<float> x(a), y(b), out(1000);
  const unsigned blocks = GENERATE(1u, 3u, 8u);
  OK(launch(blocks, 128, 0, nullptr, sample::add<float>, out.get(), x.get(), y.get(), 1000));
  const auto got = out.host();
  for (std::size_t i = 0; i < 1000; ++i) REQUIRE(got[i] == a[i] + b[i]);
}

TEST_CASE("emulator: sums by shuffles, shared memory and atomics are plain sums in every thread order") {
  const Set order(cuda_emulator::thread_order,
                  GENERATE(ThreadOrder::forward, ThreadOrder::backward, ThreadOrder::shuffled));
  const unsigned threads = GENERATE(32u, 96u, 256u, 1024u);
  std::vector<int> x(5000);
  int expected = 0;
  for (int& v : x) expected += v = static_cast<int>(random_bits() % 1000);
  const OnDevice<int> in(x), sum(std::vector<int>{0});
  OK(launch(4, threads, 0, nullptr, sample::reduce<int>, sum.get(), in.get(), 5000));
  CHECK(sum.host()[0] == expected);
  const OnDevice<double> wide(std::vector<double>(x.begin(), x.end())), wide_sum(std::vector<double>{0});
  OK(launch(4, threads, 0, nullptr, sample::reduce<double>, wide_sum.get(), wide.get(), 5000));
  CHECK(wide_sum.host()[0] == expected);
}

TEST_CASE("emulator: two-dimensional blocks and tiles in shared memory") {
  constexpr unsigned rows = 45, cols = 70;
  const auto x = random_values(rows * cols);
  const OnDevice<float> in(x), out(rows * cols);
  OK(launch({3, 2}, {32, 8}, 0, nullptr, sample::transpose<float>, out.get(), in.get(), rows, cols));
  const auto got = out.host();
  for (unsigned r = 0; r < rows; ++r)
    for (unsigned c = 0; c < cols; ++c) REQUIRE(got[c * rows + r] == x[r * cols + c]);
}

TEST_CASE("emulator: vectors of four") {
  const auto x = random_values(400);
  const OnDevice<float> in(x);
  OK(launch(1, 128, 0, nullptr, sample::scale, reinterpret_cast<float4*>(in.get()), 2.0f, 100));
  const auto got = in.host();
  for (std::size_t i = 0; i < 400; ++i) REQUIRE(got[i] == 2 * x[i]);
}

TEST_CASE("emulator: warp functions") {
  const Set order(cuda_emulator::thread_order,
                  GENERATE(ThreadOrder::forward, ThreadOrder::backward, ThreadOrder::shuffled));
  const OnDevice<std::uint64_t> out(64 * 10);
  OK(launch(1, 64, 0, nullptr, sample::warp_functions, out.get()));
  const auto got = out.host();
  for (unsigned t = 0; t < 64; ++t) {
    const std::uint64_t* mine = &got[t * 10];
    const unsigned lane = t % 32;
    CHECK(mine[0] == 0x49249249u);
    CHECK(mine[1] == 10);
    CHECK(mine[2] == (lane ^ 3));
    CHECK(mine[3] == (lane + 4 < 32 ? lane + 4 : lane));
    CHECK(mine[4] == (1ull << 40) + (lane == 0 ? 0 : lane - 1));
    CHECK(mine[5] == (lane % 8 == 7 ? lane : lane + 1));
    CHECK(mine[6] == 2);
    if (lane < 16) CHECK(mine[7] == (lane ^ 8));
    CHECK(mine[8] == 16);
    CHECK(mine[9] == 1);
  }
}

TEST_CASE("emulator: bit functions and atomics") {
  const OnDevice<unsigned> out(8);
  OK(launch(1, 1, 0, nullptr, sample::bits, out.get()));
  CHECK(out.host() == std::vector<unsigned>{0x40000001u, 8, 31, 0x3F800000u, 4, 0x80000000u, 0x7F800001u, 10});

  const OnDevice<int> i(std::vector<int>{0, -1, 99, 0});
  const OnDevice<float> f(std::vector<float>{0});
  const OnDevice<double> d(std::vector<double>{0});
  const OnDevice<unsigned long long> u(std::vector<unsigned long long>{0});
  OK(launch(2, 50, 0, nullptr, sample::atomics, i.get(), f.get(), d.get(), u.get()));
  CHECK(i.host() ==
        std::vector<int>{100, 49, 0, cuda_emulator::thread_order == ThreadOrder::forward ? 1 : i.host()[3]});
  CHECK(f.host()[0] == 50);
  CHECK(d.host()[0] == 25);
  CHECK(u.host()[0] == 100ull << 33);
}

TEST_CASE("emulator: a missing __syncthreads or __syncwarp shows under another thread order") {
  const OnDevice<int> out(96);
  std::vector<int> expected(96);
  for (int i = 0; i < 96; ++i) expected[static_cast<std::size_t>(i)] = (i + 1) % 96;
  bool same = true;
  for (const auto order : {ThreadOrder::forward, ThreadOrder::backward, ThreadOrder::shuffled}) {
    const Set set(cuda_emulator::thread_order, order);
    OK(launch(1, 96, 96 * sizeof(int), nullptr, sample::rotate<true>, out.get()));
    CHECK(out.host() == expected);
    OK(launch(1, 96, 96 * sizeof(int), nullptr, sample::rotate<false>, out.get()));
    same = same && out.host() == expected;

    OK(launch(1, 32, 0, nullptr, sample::rotate_warp<true>, out.get()));
    CHECK(out.host()[31] == 0);
    CHECK(out.host()[0] == 1);
    OK(launch(1, 32, 0, nullptr, sample::rotate_warp<false>, out.get()));
    const auto got = out.host();
    CHECK((got[30] != 31 || got[31] != 0 || got[0] != 1 || order == ThreadOrder::shuffled));
  }
  CHECK_FALSE(same);
}

TEST_CASE("emulator: threads that left do not hold up a barrier") {
  const OnDevice<int> out(64);
  OK(launch(1, 64, 0, nullptr, sample::leave_early, out.get()));
  CHECK(out.host()[39] == 1);
  CHECK(out.host()[40] == -1);  // fresh memory is 0xFF
}

TEST_CASE("emulator: barriers and shuffles that not all reach end the program with a message") {
  const OnDevice<int> out(64);
  std::string said = crash_of([&] { launch(1, 64, 0, nullptr, sample::diverge, out.get()); });
  CHECK_THAT(said, ContainsSubstring("threads wait for others that never come"));
  CHECK_THAT(said, ContainsSubstring("from thread (0,0,0) on: __syncthreads"));
  CHECK_THAT(said, ContainsSubstring("in kernel void (*)(int*)"));
  CHECK_THAT(crash_of([] { launch(1, 64, 0, nullptr, sample::two_barriers); }), ContainsSubstring("never come"));
  CHECK_THAT(crash_of([&] { launch(1, 32, 0, nullptr, sample::shuffle_without_all, out.get()); }),
             ContainsSubstring("a shuffle, mask ffffffff"));
  CHECK_THAT(crash_of([&] { launch(1, 32, 0, nullptr, sample::shuffle_beside_mask, out.get()); }),
             ContainsSubstring("reads lane 20, which is not in the mask 0000ffff"));
  CHECK_THAT(crash_of([] { launch(2, 32, 0, nullptr, sample::stop, 1); }), ContainsSubstring("__trap()"));
#ifndef NDEBUG
  CHECK_THAT(crash_of([] { launch(2, 32, 0, nullptr, sample::stop, 2); }), ContainsSubstring("code == 0"));
#endif
}

TEST_CASE("emulator: writes beside an allocation are found") {
#ifdef CUDA_EMULATOR_ASAN
  const std::string message = "use-after-poison";
#else
  const std::string message = "outside of any allocation";
#endif
  const OnDevice<float> x(10), other(10);
  OK(launch(1, 1, 0, nullptr, sample::write_at, x.get(), 9));
  for (const int at : {-1, 10, 63}) {
    CHECK_THAT(crash_of([&] { launch(1, 1, 0, nullptr, sample::write_at, x.get(), at); }), ContainsSubstring(message));
  }
  CHECK_THAT(crash_of([] {
               float* freed = nullptr;
               cudaMalloc(&freed, 4000);
               cudaFree(freed);
               launch(1, 1, 0, nullptr, sample::write_at, freed, 500);
               cudaDeviceSynchronize();
               cudaMalloc(&freed, 4000);
             }),
             ContainsSubstring(message));
  OK(launch(1, 1, 16, nullptr, sample::write_shared_at, 3));
  CHECK(crash_of([] { launch(1, 1, 16, nullptr, sample::write_shared_at, 4); }) != "");
}

TEST_CASE("emulator: memory that nobody wrote is NaN") {
  const OnDevice<float> x(3);
  for (const float v : x.host()) CHECK(std::isnan(v));
  OK(launch(1, 3, 12, nullptr, sample::read_shared, x.get()));
  for (const float v : x.host()) CHECK(std::isnan(v));
}

TEST_CASE("emulator: host code that touches device memory crashes") {
  if (!cuda_emulator::guard) SYNTHDATA_SKIP("CUDA_EMULATOR_GUARD=0");
  const OnDevice<float> x(std::vector<float>{1, 2});
  CHECK_THAT(crash_of([&] { x.get()[0] = 3; }), ContainsSubstring("host code touched device memory"));
  volatile float sink = 0;
  CHECK_THAT(crash_of([&] { sink = x.get()[1]; }), ContainsSubstring("host code touched device memory"));
}

TEST_CASE("emulator: copies check their ends") {
  const OnDevice<float> x(std::vector<float>(8, 1.0f)), y(8);
  std::vector<float> host(8);
  const auto fails = [&](void* to, const void* from, std::size_t size, cudaMemcpyKind kind) {
    return crash_of([=] { cudaMemcpy(to, from, size, kind); });
  };
  CHECK_THAT(fails(x.get(), host.data(), 33, cudaMemcpyHostToDevice), ContainsSubstring("33 bytes"));
  CHECK_THAT(fails(host.data(), host.data(), 32, cudaMemcpyHostToDevice), ContainsSubstring("destination is host"));
  CHECK_THAT(fails(host.data(), x.get(), 32, cudaMemcpyHostToDevice), ContainsSubstring("destination is host"));
  CHECK_THAT(fails(x.get(), y.get(), 32, cudaMemcpyHostToDevice), ContainsSubstring("source is device"));
  CHECK_THAT(crash_of([] { cudaFree(reinterpret_cast<void*>(4096)); }), ContainsSubstring("not device memory"));
  CHECK_THAT(crash_of([&] { cudaFree(x.get() + 1); }), ContainsSubstring("not allocated"));

  OK(cudaMemcpy(y.get(), x.get(), 32, cudaMemcpyDefault));
  OK(cudaMemcpy(host.data(), y.get() + 4, 16, cudaMemcpyDefault));
  CHECK(host == std::vector<float>{1, 1, 1, 1, 0, 0, 0, 0});
  OK(cudaMemset(y.get() + 2, 0, 8));
  CHECK(y.host() == std::vector<float>{1, 1, 0, 0, 1, 1, 1, 1});
}

TEST_CASE("emulator: memory is given back, aligned and counted") {
  std::size_t free_before = 0, free_now = 0, total = 0;
  OK(cudaMemGetInfo(&free_before, &total));
  CHECK(total == std::size_t{4} << 30);
  const std::size_t live = cuda_emulator::live_allocations();
  std::vector<void*> pointers;
  for (int round = 0; round < 2000; ++round) {
    if (pointers.size() < 20 || random_bits() % 2 == 0) {
      void* p = nullptr;
      OK(cudaMalloc(&p, 1 + random_bits() % 5000));
      CHECK(reinterpret_cast<std::uintptr_t>(p) % 256 == 0);
      pointers.push_back(p);
    } else {
      std::swap(pointers[random_bits() % pointers.size()], pointers.back());
      OK(cudaFree(pointers.back()));
      pointers.pop_back();
    }
  }
  CHECK(cuda_emulator::live_allocations() == live + pointers.size());
  for (void* p : pointers) OK(cudaFree(p));
  OK(cudaMemGetInfo(&free_now, &total));
  CHECK(free_now == free_before);

  void* p = &p;
  CHECK(cudaMalloc(&p, std::size_t{5} << 30) == cudaErrorMemoryAllocation);
  CHECK(p == nullptr);
  CHECK(cudaPeekAtLastError() == cudaErrorMemoryAllocation);
  CHECK(cudaGetLastError() == cudaErrorMemoryAllocation);
  CHECK(cudaGetLastError() == cudaSuccess);
  OK(cudaFree(nullptr));

  float* pinned = nullptr;
  OK(cudaMallocHost(&pinned, 64));
  cudaPointerAttributes attributes{};
  OK(cudaPointerGetAttributes(&attributes, pinned + 3));
  CHECK(attributes.type == cudaMemoryTypeHost);
  OK(cudaPointerGetAttributes(&attributes, &total));
  CHECK(attributes.type == cudaMemoryTypeUnregistered);
  OK(cudaFreeHost(pinned));
}

TEST_CASE("emulator: launches beyond the limits are refused") {
  const auto refused = [](dim3 grid, dim3 block, std::size_t shared) {
    const cudaError_t error = launch(grid, block, shared, nullptr, sample::with_barriers, 0);
    CHECK(cudaGetLastError() == error);
    return error;
  };
  CHECK(refused(1, 1024, 0) == cudaSuccess);
  CHECK(refused(1, 1025, 0) == cudaErrorInvalidConfiguration);
  CHECK(refused(1, {1, 1, 65}, 0) == cudaErrorInvalidConfiguration);
  CHECK(refused(1, {32, 32, 2}, 0) == cudaErrorInvalidConfiguration);
  CHECK(refused(0, 32, 0) == cudaErrorInvalidConfiguration);
  CHECK(refused(1, 0, 0) == cudaErrorInvalidConfiguration);
  CHECK(refused({1, 65536}, 32, 0) == cudaErrorInvalidConfiguration);
  CHECK(refused({1, 1, 65536}, 32, 0) == cudaErrorInvalidConfiguration);
  CHECK(refused({1, 300}, 32, 0) == cudaSuccess);
  CHECK(refused(1, 32, 48 << 10) == cudaSuccess);
  CHECK(refused(1, 32, (48 << 10) + 1) == cudaErrorInvalidValue);
  OK(cudaFuncSetAttribute(sample::with_barriers, cudaFuncAttributeMaxDynamicSharedMemorySize, 227 << 10));
  CHECK(refused(1, 32, 227 << 10) == cudaSuccess);
  CHECK(cudaFuncSetAttribute(sample::with_barriers, cudaFuncAttributeMaxDynamicSharedMemorySize, (227 << 10) + 1) ==
        cudaErrorInvalidValue);
  CHECK(cudaGetLastError() == cudaErrorInvalidValue);
}

TEST_CASE("emulator: a captured stream does nothing until its graph is launched") {
  const OnDevice<float> x(std::vector<float>(4, 1.0f)), y(4);
  cudaStream_t stream = nullptr;
  OK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  OK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  OK(cudaMemsetAsync(y.get(), 0, 16, stream));
  OK(launch(1, 4, 0, stream, sample::add<float>, y.get(), y.get(), x.get(), 4));
  OK(cudaMemcpyAsync(x.get(), y.get(), 8, cudaMemcpyDeviceToDevice, stream));
  OK(launch(1, 4, 0, stream, sample::add<float>, x.get(), x.get(), x.get(), 4));
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  OK(cudaStreamIsCapturing(stream, &status));
  CHECK(status == cudaStreamCaptureStatusActive);
  cudaGraph_t graph = nullptr;
  OK(cudaStreamEndCapture(stream, &graph));
  CHECK(x.host() == std::vector<float>(4, 1.0f));
  std::size_t nodes = 0;
  OK(cudaGraphGetNodes(graph, nullptr, &nodes));
  CHECK(nodes == 4);
  cudaGraphExec_t executable = nullptr;
  OK(cudaGraphInstantiate(&executable, graph, 0));
  OK(cudaGraphDestroy(graph));
  for (const float expected : {2.0f, 4.0f, 8.0f}) {
    OK(cudaGraphLaunch(executable, stream));
    OK(cudaStreamSynchronize(stream));
    CHECK(x.host()[3] == expected);
  }
  OK(cudaGraphExecDestroy(executable));
  OK(cudaStreamDestroy(stream));
}

TEST_CASE("emulator: what a capture forbids is refused and spoils it") {
  const OnDevice<float> x(4);
  cudaStream_t stream = nullptr;
  OK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  void* p = nullptr;
  float host[4];
  const std::function<cudaError_t()> forbidden[] = {
      [&] { return cudaMalloc(&p, 16); },      [&] { return cudaStreamSynchronize(stream); },
      [&] { return cudaDeviceSynchronize(); }, [&] { return cudaMemcpy(host, x.get(), 16, cudaMemcpyDeviceToHost); },
      [&] { return cudaMallocHost(&p, 16); },  [&] { return cudaStreamQuery(stream); },
  };
  for (const auto& call : forbidden) {
    OK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
    CHECK(call() == cudaErrorStreamCaptureUnsupported);
    CHECK(cudaMemsetAsync(x.get(), 0, 16, stream) == cudaErrorStreamCaptureInvalidated);
    cudaGraph_t graph = nullptr;
    CHECK(cudaStreamEndCapture(stream, &graph) == cudaErrorStreamCaptureInvalidated);
    CHECK(graph == nullptr);
  }
  OK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed));
  OK(cudaMalloc(&p, 16));
  CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed) == cudaErrorIllegalState);
  cudaGraph_t graph = nullptr;
  OK(cudaStreamEndCapture(stream, &graph));
  OK(cudaGraphDestroy(graph));
  OK(cudaFree(p));
  CHECK(cudaStreamBeginCapture(nullptr, cudaStreamCaptureModeRelaxed) == cudaErrorStreamCaptureUnsupported);
  OK(cudaStreamDestroy(stream));
  cudaGetLastError();
}

TEST_CASE("emulator: a capture forks and joins by events") {
  const OnDevice<float> x(std::vector<float>(4, 1.0f)), y(std::vector<float>(4, 1.0f));
  cudaStream_t a = nullptr, b = nullptr;
  cudaEvent_t fork = nullptr, join = nullptr;
  OK(cudaStreamCreateWithFlags(&a, cudaStreamNonBlocking));
  OK(cudaStreamCreateWithFlags(&b, cudaStreamNonBlocking));
  OK(cudaEventCreateWithFlags(&fork, cudaEventDisableTiming));
  OK(cudaEventCreateWithFlags(&join, cudaEventDisableTiming));
  const bool joins = GENERATE(true, false);
  OK(cudaStreamBeginCapture(a, cudaStreamCaptureModeThreadLocal));
  OK(cudaEventRecord(fork, a));
  OK(cudaStreamWaitEvent(b, fork, 0));
  OK(launch(1, 4, 0, b, sample::add<float>, x.get(), x.get(), x.get(), 4));
  if (joins) {
    OK(cudaEventRecord(join, b));
    OK(cudaStreamWaitEvent(a, join, 0));
  }
  OK(launch(1, 4, 0, a, sample::add<float>, y.get(), y.get(), x.get(), 4));
  cudaGraph_t graph = nullptr;
  CHECK(cudaStreamEndCapture(a, &graph) == (joins ? cudaSuccess : cudaErrorStreamCaptureUnjoined));
  if (joins) {
    cudaGraphExec_t executable = nullptr;
    OK(cudaGraphInstantiate(&executable, graph, 0));
    OK(cudaGraphLaunch(executable, a));
    OK(cudaStreamSynchronize(a));
    CHECK(y.host()[0] == 3);
    OK(cudaGraphExecDestroy(executable));
    OK(cudaGraphDestroy(graph));
  }
  OK(cudaMemsetAsync(x.get(), 0, 16, b));  // no longer captures
  for (cudaEvent_t event : {fork, join}) OK(cudaEventDestroy(event));
  for (cudaStream_t stream : {a, b}) OK(cudaStreamDestroy(stream));
  cudaGetLastError();
}

TEST_CASE("emulator: lazy streams show a missing wait") {
  const Set set(cuda_emulator::lazy, true);
  const OnDevice<float> x(std::vector<float>(4, 1.0f));
  cudaStream_t a = nullptr, b = nullptr;
  cudaEvent_t event = nullptr;
  OK(cudaStreamCreateWithFlags(&a, cudaStreamNonBlocking));
  OK(cudaStreamCreateWithFlags(&b, cudaStreamNonBlocking));
  OK(cudaEventCreate(&event));
  float* host = nullptr;
  OK(cudaMallocHost(&host, 16));
  host[0] = 0;
  OK(launch(1, 4, 0, a, sample::add<float>, x.get(), x.get(), x.get(), 4));
  OK(cudaEventRecord(event, a));
  const bool waits = GENERATE(true, false);
  if (waits) OK(cudaStreamWaitEvent(b, event, 0));
  OK(cudaMemcpyAsync(host, x.get(), 16, cudaMemcpyDeviceToHost, b));
  CHECK(host[0] == 0);  // not yet
  CHECK(cudaStreamQuery(b) == cudaErrorNotReady);
  OK(cudaStreamSynchronize(b));
  CHECK(host[0] == (waits ? 2 : 1));
  OK(cudaEventSynchronize(event));
  float pageable[4];
  OK(cudaMemcpyAsync(pageable, x.get(), 16, cudaMemcpyDeviceToHost, a));  // waits, for the memory is pageable
  CHECK(pageable[0] == 2);
  OK(cudaMemsetAsync(x.get(), 0, 16, nullptr));
  CHECK(x.host()[0] == 0);
  OK(cudaFreeHost(host));
  OK(cudaEventDestroy(event));
  for (cudaStream_t stream : {a, b}) OK(cudaStreamDestroy(stream));
  cudaGetLastError();
}

TEST_CASE("emulator: events tell time and order") {
  cudaEvent_t start = nullptr, end = nullptr;
  OK(cudaEventCreate(&start));
  OK(cudaEventCreate(&end));
  float ms = -1;
  CHECK(cudaEventElapsedTime(&ms, start, end) == cudaErrorInvalidResourceHandle);
  OK(cudaEventRecord(start));
  OK(launch(1, 32, 0, nullptr, sample::with_barriers, 10));
  OK(cudaEventRecord(end));
  OK(cudaEventSynchronize(end));
  OK(cudaEventElapsedTime(&ms, start, end));
  CHECK(ms > 0);
  OK(cudaEventDestroy(start));
  OK(cudaEventDestroy(end));
  CHECK_THAT(crash_of([=] { cudaEventRecord(end); }), ContainsSubstring("no event, or it was destroyed"));
  cudaGetLastError();
}

TEST_CASE("emulator: any call can be made to fail") {
  void* p = nullptr;
  cuda_emulator::fail_call(2, cudaErrorMemoryAllocation);
  OK(cudaMalloc(&p, 16));
  CHECK(cuda_emulator::failure_pending());
  CHECK(cudaMemset(p, 0, 16) == cudaErrorMemoryAllocation);
  CHECK_FALSE(cuda_emulator::failure_pending());
  CHECK(std::string(cudaGetErrorName(cudaGetLastError())) == "cudaErrorMemoryAllocation");
  OK(cudaFree(p));
}

TEST_CASE("emulator: no device, and two") {
  int count = -1;
  {
    const Set none(cuda_emulator::device_count, 0);
    CHECK(cudaGetDeviceCount(&count) == cudaErrorNoDevice);
    CHECK(count == 0);
    CHECK(cudaSetDevice(0) == cudaErrorNoDevice);
  }
  const Set two(cuda_emulator::device_count, 2);
  OK(cudaGetDeviceCount(&count));
  CHECK(count == 2);
  CHECK(cudaSetDevice(2) == cudaErrorInvalidDevice);
  const OnDevice<float> x(std::vector<float>(4, 1.0f));
  OK(cudaSetDevice(1));
  const OnDevice<float> y(4);
  cudaPointerAttributes attributes{};
  OK(cudaPointerGetAttributes(&attributes, y.get()));
  CHECK(attributes.device == 1);
  OK(cudaMemcpyPeerAsync(y.get(), 1, x.get(), 0, 16));
  CHECK(y.host()[3] == 1);
  if (cuda_emulator::guard) CHECK(crash_of([&] { launch(1, 1, 0, nullptr, sample::write_at, x.get(), 0); }) != "");
  OK(cudaSetDevice(0));
  cudaDeviceProp properties{};
  OK(cudaGetDeviceProperties(&properties, 0));
  CHECK(std::string(properties.name) == "emulated");
  int value = 0;
  OK(cudaDeviceGetAttribute(&value, cudaDevAttrMultiProcessorCount, 0));
  CHECK(value == properties.multiProcessorCount);
  cudaGetLastError();
}

// A 16-bit format as its definition says: the value of each pattern, and the nearest pattern to a double.
namespace {
struct Format {
  int exponent_bits, mantissa_bits;

  double value(unsigned pattern) const {
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const int exponent = static_cast<int>(pattern >> mantissa_bits) & ((1 << exponent_bits) - 1);
    const double mantissa = pattern & ((1u << mantissa_bits) - 1);
    const double sign = (pattern >> 15) != 0 ? -1.0 : 1.0;
    if (exponent == (1 << exponent_bits) - 1)
      return mantissa == 0 ? sign * std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
    if (exponent == 0) return sign * std::ldexp(mantissa, 1 - bias - mantissa_bits);
    return sign * std::ldexp(mantissa + std::ldexp(1.0, mantissa_bits), exponent - bias - mantissa_bits);
  }
};

template <class ToFloat, class ToBits>
void check_format(Format format, ToFloat to_float, ToBits to_bits) {
  const unsigned infinity = ((1u << format.exponent_bits) - 1) << format.mantissa_bits;
  int wrong = 0;
  for (unsigned pattern = 0; pattern < 65536; ++pattern) {
    const double x = format.value(pattern);
    const float f = to_float(static_cast<unsigned short>(pattern));
    if (std::isnan(x)) {
      wrong += !std::isnan(f) || to_bits(f) != 0x7FFF;
      continue;
    }
    wrong += static_cast<double>(f) != x || std::signbit(f) != std::signbit(x) || to_bits(f) != pattern;
    if ((pattern & 0x7FFFu) >= infinity) continue;
    // halfway to the next pattern goes to the even one, a hair to either side to the nearer one
    const unsigned next = pattern + 1, even = pattern % 2 == 0 ? pattern : next;
    const double step = (pattern & 0x7FFFu) + 1 == infinity ? format.value(pattern) - format.value(pattern - 1)
                                                            : format.value(next) - x;
    const auto middle = static_cast<float>(x + step / 2);
    if (static_cast<double>(middle) != x + step / 2) continue;  // beyond float: only for the largest bfloat16
    wrong += to_bits(middle) != even;
    wrong += to_bits(std::nextafter(middle, f)) != pattern;
    wrong += to_bits(std::nextafter(middle, middle * 4)) != next;
  }
  CHECK(wrong == 0);
}
}  // namespace

TEST_CASE("emulator: bfloat16 and half round as their definition says, over all bit patterns") {
  check_format(
      {8, 7}, [](unsigned short b) { return __bfloat162float(__ushort_as_bfloat16(b)); },
      [](float x) { return __bfloat16_as_ushort(__float2bfloat16_rn(x)); });
  check_format(
      {5, 10}, [](unsigned short b) { return __half2float(__ushort_as_half(b)); },
      [](float x) { return __half_as_ushort(__float2half_rn(x)); });
  const OnDevice<float> x(std::vector<float>{1.0f / 3, 1e30f}), bf16(2), fp16(2);
  OK(launch(1, 2, 0, nullptr, sample::round_trip, bf16.get(), fp16.get(), x.get(), 2));
  CHECK(bf16.host()[0] == 0.333984375f);
  CHECK(fp16.host()[0] == 0.333251953125f);
  CHECK(std::isinf(fp16.host()[1]));
}

// cublasLt against plain loops.
namespace {

struct Product {
  cudaDataType in = CUDA_R_32F, out = CUDA_R_32F;
  cublasComputeType_t compute = CUBLAS_COMPUTE_32F;
  cublasOperation_t transpose_a = CUBLAS_OP_N, transpose_b = CUBLAS_OP_N;
  cublasLtOrder_t order_a = CUBLASLT_ORDER_COL, order_b = CUBLASLT_ORDER_COL, order_d = CUBLASLT_ORDER_COL;
  int batches = 1;
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  double alpha = 1, beta = 0;
};

/// Values on a grid that all types hold exactly.
struct Operand {
  std::int64_t rows, cols, ld, stride;
  cublasLtOrder_t order;
  std::vector<double> values{};

  Operand(std::int64_t r, std::int64_t c, cublasLtOrder_t o, int batches) : rows(r), cols(c), order(o) {
    ld = (o == CUBLASLT_ORDER_ROW ? c : r) + 3;
    stride = ld * (o == CUBLASLT_ORDER_ROW ? r : c) + 5;
    values.resize(static_cast<std::size_t>(stride * batches));
    for (double& v : values) v = static_cast<double>(static_cast<int>(random_bits() % 17) - 8) / 8;
  }
  double& at(int batch, std::int64_t r, std::int64_t c) {
    return values[static_cast<std::size_t>(batch * stride + (order == CUBLASLT_ORDER_ROW ? r * ld + c : c * ld + r))];
  }
  std::vector<unsigned char> as(cudaDataType type) const {
    const auto t = static_cast<std::uint32_t>(type);
    std::vector<unsigned char> bytes(values.size() * cuda_emulator::size_of(t));
    for (std::size_t i = 0; i < values.size(); ++i)
      cuda_emulator::store(bytes.data(), static_cast<std::int64_t>(i), values[i], t);
    return bytes;
  }
  cublasLtMatrixLayout_t layout(cudaDataType type, int batches) const {
    cublasLtMatrixLayout_t made = nullptr;
    REQUIRE(cublasLtMatrixLayoutCreate(&made, type, static_cast<std::uint64_t>(rows), static_cast<std::uint64_t>(cols),
                                       ld) == 0);
    const std::int32_t o = order, count = batches;
    REQUIRE(cublasLtMatrixLayoutSetAttribute(made, CUBLASLT_MATRIX_LAYOUT_ORDER, &o, sizeof o) == 0);
    REQUIRE(cublasLtMatrixLayoutSetAttribute(made, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof count) == 0);
    REQUIRE(cublasLtMatrixLayoutSetAttribute(made, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &stride,
                                             sizeof stride) == 0);
    return made;
  }
};

/// The largest difference to plain loops in double.
double error_of(const Product& p) {
  constexpr std::int64_t m = 13, n = 10, k = 17;
  const bool ta = p.transpose_a != CUBLAS_OP_N, tb = p.transpose_b != CUBLAS_OP_N;
  Operand a(ta ? k : m, ta ? m : k, p.order_a, p.batches), b(tb ? n : k, tb ? k : n, p.order_b, p.batches);
  Operand d(m, n, p.order_d, p.batches), bias(m, 1, CUBLASLT_ORDER_COL, 1);
  const OnDevice<unsigned char> on_a(a.as(p.in)), on_b(b.as(p.in)), on_d(d.as(p.out)), on_bias(bias.as(p.out));
  const OnDevice<unsigned char> workspace(1 << 12);

  cublasLtHandle_t handle = nullptr;
  REQUIRE(cublasLtCreate(&handle) == 0);
  cublasLtMatmulDesc_t desc = nullptr;
  const bool f64 = p.compute == CUBLAS_COMPUTE_64F;
  REQUIRE(cublasLtMatmulDescCreate(&desc, p.compute, f64 ? CUDA_R_64F : CUDA_R_32F) == 0);
  const auto set = [&](cublasLtMatmulDescAttributes_t what, const auto& value) {
    REQUIRE(cublasLtMatmulDescSetAttribute(desc, what, &value, sizeof value) == 0);
  };
  set(CUBLASLT_MATMUL_DESC_TRANSA, p.transpose_a);
  set(CUBLASLT_MATMUL_DESC_TRANSB, p.transpose_b);
  set(CUBLASLT_MATMUL_DESC_EPILOGUE, p.epilogue);
  const void* const bias_pointer = on_bias.get();
  set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias_pointer);
  cublasLtMatrixLayout_t la = a.layout(p.in, p.batches), lb = b.layout(p.in, p.batches),
                         ld = d.layout(p.out, p.batches);
  cublasLtMatmulPreference_t preference = nullptr;
  REQUIRE(cublasLtMatmulPreferenceCreate(&preference) == 0);
  const std::uint64_t bytes = 1 << 12;
  REQUIRE(cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &bytes, 8) == 0);
  cublasLtMatmulHeuristicResult_t found{};
  int count = 0;
  REQUIRE(cublasLtMatmulAlgoGetHeuristic(handle, desc, la, lb, ld, ld, preference, 1, &found, &count) == 0);
  REQUIRE(count == 1);
  const float alpha32 = static_cast<float>(p.alpha), beta32 = static_cast<float>(p.beta);
  const void *alpha = &p.alpha, *beta = &p.beta;
  if (!f64) alpha = &alpha32, beta = &beta32;
  REQUIRE(cublasLtMatmul(handle, desc, alpha, on_a.get(), la, on_b.get(), lb, beta, on_d.get(), ld, on_d.get(), ld,
                         &found.algo, workspace.get(), bytes, nullptr) == 0);
  cublasLtMatmulPreferenceDestroy(preference);
  for (auto layout : {la, lb, ld}) cublasLtMatrixLayoutDestroy(layout);
  cublasLtMatmulDescDestroy(desc);
  cublasLtDestroy(handle);

  const auto got = on_d.host();
  double worst = 0;
  for (int batch = 0; batch < p.batches; ++batch) {
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        double sum = 0;
        for (std::int64_t l = 0; l < k; ++l)
          sum += (ta ? a.at(batch, l, i) : a.at(batch, i, l)) * (tb ? b.at(batch, j, l) : b.at(batch, l, j));
        double& to = d.at(batch, i, j);
        double x = p.alpha * sum + (p.beta != 0 ? p.beta * to : 0.0);
        if ((p.epilogue & CUBLASLT_EPILOGUE_BIAS) != 0) x += bias.at(0, i, 0);
        if ((p.epilogue & CUBLASLT_EPILOGUE_RELU) != 0) x = std::max(x, 0.0);
        if ((p.epilogue & CUBLASLT_EPILOGUE_GELU) != 0)
          x = x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
        to = x;
      }
    }
  }
  for (std::size_t i = 0; i < d.values.size(); ++i) {  // what lies between lines and batches must be as it was
    const double x = cuda_emulator::load(got.data(), static_cast<std::int64_t>(i), static_cast<std::uint32_t>(p.out));
    worst = std::max(worst, std::abs(x - d.values[i]) / (1 + std::abs(d.values[i])));
  }
  return worst;
}

}  // namespace

TEST_CASE("emulator: cublasLt agrees with plain loops in all transposes, orders, batches and epilogues") {
  const auto order = [](int bit) { return bit != 0 ? CUBLASLT_ORDER_ROW : CUBLASLT_ORDER_COL; };
  for (int way = 0; way < 64; ++way) {
    for (const auto epilogue : {CUBLASLT_EPILOGUE_DEFAULT, CUBLASLT_EPILOGUE_BIAS, CUBLASLT_EPILOGUE_RELU,
                                CUBLASLT_EPILOGUE_RELU_BIAS, CUBLASLT_EPILOGUE_GELU, CUBLASLT_EPILOGUE_GELU_BIAS}) {
      const Product p{.transpose_a = way & 1 ? CUBLAS_OP_T : CUBLAS_OP_N,
                      .transpose_b = way & 2 ? CUBLAS_OP_T : CUBLAS_OP_N,
                      .order_a = order(way & 4),
                      .order_b = order(way & 8),
                      .order_d = order(way & 16),
                      .batches = way & 32 ? 3 : 1,
                      .epilogue = epilogue,
                      .alpha = 0.5,
                      .beta = way % 3 == 0 ? 0.0 : -2.0};
      INFO("way " << way << ", epilogue " << epilogue);
      REQUIRE(error_of(p) < 1e-6);  // the inputs have few bits, so only the epilogue rounds
    }
  }
}

TEST_CASE("emulator: cublasLt in all its types") {
  CHECK(error_of({.in = CUDA_R_64F, .out = CUDA_R_64F, .compute = CUBLAS_COMPUTE_64F, .alpha = 0.3}) < 1e-15);
  CHECK(error_of({.compute = CUBLAS_COMPUTE_32F_FAST_TF32}) < 1e-7);
  for (const auto in : {CUDA_R_16BF, CUDA_R_16F}) {
    CHECK(error_of({.in = in, .out = CUDA_R_32F, .epilogue = CUBLASLT_EPILOGUE_BIAS}) < 1e-7);
    CHECK(error_of({.in = in, .out = in, .epilogue = CUBLASLT_EPILOGUE_BIAS, .beta = 1}) < 1.0 / 256);  // half an ulp
  }
  CHECK(cuda_emulator::to_tf32(1.0 + std::ldexp(1.0, -11)) == 1.0);
  CHECK(cuda_emulator::to_tf32(1.0 + std::ldexp(3.0, -11)) == 1.0 + std::ldexp(2.0, -10));
}

TEST_CASE("emulator: cublasLt refuses what does not fit, and is captured") {
  const OnDevice<float> x(std::vector<float>(64, 1.0f)), out(std::vector<float>(64, 0.0f));
  cublasLtHandle_t handle = nullptr;
  cublasLtMatmulDesc_t desc = nullptr;
  REQUIRE(cublasLtCreate(&handle) == 0);
  REQUIRE(cublasLtMatmulDescCreate(&desc, CUBLAS_COMPUTE_32F, CUDA_R_32F) == 0);
  const auto product = [&](std::int64_t rows, std::int64_t inner, std::int64_t ld, cudaDataType type, const float* a,
                           cudaStream_t stream) {
    cublasLtMatrixLayout_t layouts[3];
    REQUIRE(cublasLtMatrixLayoutCreate(&layouts[0], type, static_cast<std::uint64_t>(rows), 8, ld) == 0);
    REQUIRE(cublasLtMatrixLayoutCreate(&layouts[1], CUDA_R_32F, static_cast<std::uint64_t>(inner), 8, inner) == 0);
    REQUIRE(cublasLtMatrixLayoutCreate(&layouts[2], CUDA_R_32F, 8, 8, 8) == 0);
    const float one = 1, zero = 0;
    const auto status = cublasLtMatmul(handle, desc, &one, a, layouts[0], x.get(), layouts[1], &zero, out.get(),
                                       layouts[2], out.get(), layouts[2], nullptr, nullptr, 0, stream);
    for (auto layout : layouts) cublasLtMatrixLayoutDestroy(layout);
    return status;
  };
  CHECK(product(8, 8, 8, CUDA_R_32F, x.get(), nullptr) == CUBLAS_STATUS_SUCCESS);
  CHECK(out.host() == std::vector<float>(64, 8.0f));
  CHECK(product(8, 7, 8, CUDA_R_32F, x.get(), nullptr) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(product(8, 8, 7, CUDA_R_32F, x.get(), nullptr) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(product(4, 8, 8, CUDA_R_32F, x.get(), nullptr) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(product(8, 8, 8, CUDA_R_64F, x.get(), nullptr) == CUBLAS_STATUS_NOT_SUPPORTED);
  CHECK_THAT(crash_of([&] { product(8, 8, 8, CUDA_R_32F, x.get() + 1, nullptr); }),
             ContainsSubstring("live allocation"));
  std::vector<float> host(64);
  CHECK_THAT(crash_of([&] { product(8, 8, 8, CUDA_R_32F, host.data(), nullptr); }),
             ContainsSubstring("live allocation"));

  cudaStream_t stream = nullptr;
  OK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  OK(cudaMemset(out.get(), 0, 64 * 4));
  OK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  CHECK(product(8, 8, 8, CUDA_R_32F, x.get(), stream) == CUBLAS_STATUS_SUCCESS);
  cudaGraph_t graph = nullptr;
  OK(cudaStreamEndCapture(stream, &graph));
  CHECK(out.host()[0] == 0);
  cudaGraphExec_t executable = nullptr;
  OK(cudaGraphInstantiate(&executable, graph));
  OK(cudaGraphLaunch(executable, stream));
  OK(cudaStreamSynchronize(stream));
  CHECK(out.host()[0] == 8);
  OK(cudaGraphExecDestroy(executable));
  OK(cudaGraphDestroy(graph));
  OK(cudaStreamDestroy(stream));
  cublasLtMatmulDescDestroy(desc);
  cublasLtDestroy(handle);
}

TEST_CASE("emulator: nccl between ranks on threads of their own, and in a group of one thread") {
  constexpr int ranks = 3;
  const Set devices(cuda_emulator::device_count, ranks);
  ncclUniqueId id;
  REQUIRE(ncclGetUniqueId(&id) == ncclSuccess);
  ncclComm_t comms[ranks] = {};
  float* data[ranks] = {};
  cudaStream_t streams[ranks] = {};
  bool good[ranks] = {};
  const bool captured = GENERATE(false, true);
  const auto rank_of = [&](int r) {
    bool ok = cudaSetDevice(r) == cudaSuccess && ncclCommInitRank(&comms[r], ranks, id, r) == ncclSuccess;
    ok = ok && cudaStreamCreateWithFlags(&streams[r], cudaStreamNonBlocking) == cudaSuccess;
    ok = ok && cudaMalloc(&data[r], 400) == cudaSuccess;
    ok = ok &&
         launch(1, 100, 0, streams[r], sample::fill<float>, data[r], static_cast<float>(r + 1), 100) == cudaSuccess;
    if (captured) ok = ok && cudaStreamBeginCapture(streams[r], cudaStreamCaptureModeThreadLocal) == cudaSuccess;
    ok = ok && ncclAllReduce(data[r], data[r], 100, ncclFloat32, ncclSum, comms[r], streams[r]) == ncclSuccess;
    ok = ok && launch(1, 100, 0, streams[r], sample::add<float>, data[r], data[r], data[r], 100) == cudaSuccess;
    ok = ok && ncclAllReduce(data[r], data[r], 99, ncclFloat, ncclAvg, comms[r], streams[r]) == ncclSuccess;
    if (captured) {
      cudaGraph_t graph = nullptr;
      cudaGraphExec_t executable = nullptr;
      ok = ok && cudaStreamEndCapture(streams[r], &graph) == cudaSuccess;
      ok = ok && cudaGraphInstantiate(&executable, graph) == cudaSuccess;
      ok = ok && cudaGraphLaunch(executable, streams[r]) == cudaSuccess;
      ok = ok && cudaStreamSynchronize(streams[r]) == cudaSuccess;
      ok = ok && cudaGraphExecDestroy(executable) == cudaSuccess && cudaGraphDestroy(graph) == cudaSuccess;
    }
    float host[100];
    ok = ok && cudaMemcpyAsync(host, data[r], 400, cudaMemcpyDeviceToHost, streams[r]) == cudaSuccess;
    good[r] = ok && cudaStreamSynchronize(streams[r]) == cudaSuccess && host[0] == 12 && host[99] == 12;
  };
  std::vector<std::thread> threads;
  for (int r = 0; r < ranks; ++r) threads.emplace_back(rank_of, r);
  for (std::thread& thread : threads) thread.join();
  for (const bool ok : good) CHECK(ok);

  REQUIRE(ncclGroupStart() == ncclSuccess);
  for (int r = 0; r < ranks; ++r) {
    OK(cudaMemsetAsync(data[r], r, 400, streams[r]));
    REQUIRE(ncclBroadcast(data[r], data[r], 100, ncclFloat, 2, comms[r], streams[r]) == ncclSuccess);
  }
  REQUIRE(ncclGroupEnd() == ncclSuccess);
  for (int r = 0; r < ranks; ++r) {
    unsigned char byte = 0;
    OK(cudaMemcpy(&byte, data[r], 1, cudaMemcpyDeviceToHost));
    CHECK(byte == 2);
    OK(cudaFree(data[r]));
    OK(cudaStreamDestroy(streams[r]));
    CHECK(ncclCommDestroy(comms[r]) == ncclSuccess);
  }
  REQUIRE(ncclCommInitAll(comms, ranks, nullptr) == ncclSuccess);
  int rank = -1;
  CHECK(ncclCommUserRank(comms[1], &rank) == ncclSuccess);
  CHECK(rank == 1);
  for (ncclComm_t comm : comms) ncclCommDestroy(comm);
}

TEST_CASE("emulator: what a launch and a thread cost", "[.speed]") {
  const auto nanoseconds = [](int count, const auto& f) {
    f();
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < count; ++i) f();
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() / count;
  };
  const OnDevice<float> x(1 << 20);
  for (const bool guarded : {true, false}) {
    const Set set(cuda_emulator::guard, guarded);
    std::cout << "guard " << guarded << ": launch "
              << nanoseconds(1000, [] { launch(1, 1, 0, nullptr, sample::with_barriers, 0); }) << " ns\n";
  }
  std::cout << "thread without barrier "
            << nanoseconds(10, [&] { launch(4096, 256, 0, nullptr, sample::fill<float>, x.get(), 1.0f, 1 << 20); }) /
                   (1 << 20)
            << " ns, block of 256 with one barrier "
            << nanoseconds(10, [] { launch(1000, 256, 0, nullptr, sample::with_barriers, 1); }) / 1000
            << " ns, a further barrier of one thread "
            << nanoseconds(10, [] { launch(100, 256, 0, nullptr, sample::with_barriers, 101); }) / (100 * 256 * 101)
            << " ns\n";
}
