// What CUDA reports becomes an exception that says what was tried; nothing is lost or left half done.
#include <synthdata/gan.hpp>

#include "../test.hpp"

#if SYNTHDATA_CUDA_EMULATOR
#include <cuda_runtime.h>

namespace sd = synthdata;

TEST_CASE("a CUDA call that fails is a CudaError naming what was tried, and the next operation works") {
  if (sd::cuda::device_count() == 0) SYNTHDATA_SKIP("the emulator was told to have no device");
  const sd::Device gpu = sd::cuda::device(0);
  const auto work = [&] {
    const sd::OnDevice there(gpu);
    const sd::Var x = sd::leaf(sd::full({40, 30}, 0.5));
    const sd::Var y = sd::sum(sd::square(sd::matmul(x, x, {.transpose_b = true})));
    return sd::sum(sd::grad(y, x)).item();
  };
  const double expected = work();
  int failures = 0;
  for (std::uint64_t n = 1;; ++n) {
    sd::empty_memory_cache(gpu);  // so that memory is asked for again
    cuda_emulator::fail_call(n, cudaErrorMemoryAllocation);
    try {
      work();
      if (cuda_emulator::failure_pending()) break;  // the work makes fewer than n calls
    } catch (const sd::CudaError& e) {
      ++failures;
      const std::string text = e.what();  // what was tried, then what came: of the runtime, the allocator or cuBLASLt
      INFO(text);
      CHECK((text.find(": cudaErrorMemoryAllocation") != text.npos || text.find("out of memory on cuda:0") == 0 ||
             text.find(": CUBLAS_STATUS_") != text.npos));
    }
    cuda_emulator::fail_call(0, cudaSuccess);
    CHECK(work() == expected);
  }
  cuda_emulator::fail_call(0, cudaSuccess);
  CHECK(failures > 10);
}

TEST_CASE("memory that is not there is an error that says how much was asked for") {
  if (sd::cuda::device_count() == 0) SYNTHDATA_SKIP("the emulator was told to have no device");
  const sd::Device gpu = sd::cuda::device(0);
  const std::int64_t before = sd::memory_stats(gpu).live_bytes;
  CHECK_THROWS_WITH(sd::Tensor::empty({std::int64_t{1} << 40}, sd::DType::f32, gpu),
                    ContainsSubstring("out of memory on cuda:0") && ContainsSubstring("4398046511104 bytes"));
  CHECK(sd::memory_stats(gpu).live_bytes == before);
}
#endif
