// tests/core/communicator_test.cpp: ranks that are threads, and the rendezvous of processes.
#include <synthdata/core/communicator.hpp>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "../test.hpp"

using namespace synthdata;

namespace {

/// An empty folder that is removed afterwards.
struct Folder {
  std::string path;
  explicit Folder(const std::string& name) : path("communicator_test_" + name) {
    std::filesystem::remove_all(path);
    std::filesystem::create_directory(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
};

std::string failure_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("ranks: sums, means, broadcasts and barriers of three threads") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    std::vector<Tensor> sums(3), means(3), copies(3);
    std::vector<double> numbers(3);
    run_ranks(3, [&](Communicator& ranks) {
      const auto r = static_cast<std::size_t>(ranks.rank());
      sums[r] = Tensor::full({1000}, ranks.rank() + 1.0, dtype);
      sums[r].rows(999, 1000).fill(0.5);
      ranks.start(sums[r], Reduction::sum);
      means[r] = Tensor::full({7}, ranks.rank(), dtype);
      ranks.start(means[r], Reduction::mean);
      ranks.wait();
      copies[r] = Tensor::full({2, 2}, 10.0 * ranks.rank() + 7.0, DType::i64);
      ranks.broadcast(copies[r]);
      ranks.barrier();
      numbers[r] = ranks.reduce(ranks.rank(), Reduction::mean);
    });
    for (std::size_t r = 0; r < 3; ++r) {
      CHECK(sums[r].rows(0, 1).item() == 6.0);
      CHECK(sums[r].rows(998, 999).item() == 6.0);
      CHECK(sums[r].rows(999, 1000).item() == 1.5);
      CHECK(means[r].rows(6, 7).item() == 1.0);
      CHECK(copies[r].rows(1, 2).rows(0, 1).reshape({2}).rows(1, 2).item() == 7.0);
      CHECK(numbers[r] == 1.0);
    }
  }
}

TEST_CASE("ranks: the same bits on all ranks and in every run, whoever comes first") {
  Tensor first;
  for (int run = 0; run < 5; ++run) {
    std::vector<Tensor> out(3);
    run_ranks(3, [&](Communicator& ranks) {
      std::this_thread::sleep_for(std::chrono::milliseconds((ranks.rank() + run) % 3));
      Tensor x = Tensor::empty({1001});
      for (std::int64_t i = 0; i < 1001; ++i) x.data<float>()[i] = 1.0f / static_cast<float>(i + 3 * ranks.rank() + 1);
      ranks.reduce(x, Reduction::mean);
      out[static_cast<std::size_t>(ranks.rank())] = x;
    });
    if (run == 0) first = out[0];
    for (const Tensor& x : out) CHECK(same_bits(x, first));
  }
}

TEST_CASE("ranks: one that fails, ends early, does not come or does something else stops the others") {
  const auto together = [](Communicator& ranks) { ranks.barrier(); };
  std::vector<std::string> seen(3);
  const std::string failed = failure_of([&] {
    run_ranks(3, [&](Communicator& ranks) {
      ranks.barrier();
      if (ranks.rank() == 1) throw NumericError("loss is nan");
      seen[static_cast<std::size_t>(ranks.rank())] = failure_of([&] { together(ranks); });
      throw Error(seen[static_cast<std::size_t>(ranks.rank())]);
    });
  });
  CHECK(failed == "loss is nan");  // the cause, not what followed from it
  CHECK_THAT(seen[0], ContainsSubstring("rank 0 of 3 stopped: rank 1 failed: loss is nan"));
  CHECK_THAT(seen[2], ContainsSubstring("rank 2 of 3 stopped"));

  CHECK_THROWS_WITH(run_ranks(2,
                              [&](Communicator& ranks) {
                                if (ranks.rank() == 0) ranks.barrier();
                              }),
                    ContainsSubstring("ranks make different calls"));
  CHECK_THROWS_WITH(run_ranks(
                        3,
                        [&](Communicator& ranks) {
                          if (ranks.rank() == 2) std::this_thread::sleep_for(std::chrono::milliseconds(300));
                          ranks.barrier();
                        },
                        0.05),
                    ContainsSubstring("waited 0.05 s for rank 2"));
  CHECK_THROWS_WITH(run_ranks(2,
                              [&](Communicator& ranks) {
                                Tensor x = zeros({3 + ranks.rank()});
                                ranks.reduce(x, Reduction::sum);
                              }),
                    ContainsSubstring("rank 0 sum of [3] f32") && ContainsSubstring("rank 1 sum of [4] f32"));
  CHECK_THROWS_AS(run_ranks(1,
                            [&](Communicator& ranks) {
                              Tensor x = zeros({3}, DType::i64);
                              ranks.reduce(x, Reduction::sum);
                            }),
                  DTypeError);
}

TEST_CASE("rendezvous: all ranks get the text of rank 0, whatever an earlier run left in the folder") {
  const Folder folder("meet");
  for (int run = 0; run < 3; ++run) {  // files of the run before lie there
    std::vector<detail::Meeting> got(3);
    std::vector<std::thread> ranks;
    for (int r = 0; r < 3; ++r) {
      ranks.emplace_back([&, r] {
        std::this_thread::sleep_for(std::chrono::milliseconds(20 * ((r + run) % 3)));
        got[static_cast<std::size_t>(r)] = detail::meet({r, 3, folder.path, 20.0}, concat("run", run));
      });
    }
    for (std::thread& thread : ranks) thread.join();
    for (const detail::Meeting& m : got) {
      CHECK(m.text == concat("run", run));
      CHECK(m.run == got[0].run);
    }
    const Rendezvous one{1, 3, folder.path};
    CHECK(detail::posted_failure(one, got[0]).empty());
    detail::post_failure(one, got[0], "rank 1: why");
    detail::post_failure({2, 3, folder.path}, got[0], "rank 2: too late");
    CHECK(detail::posted_failure({0, 3, folder.path}, got[0]) == "rank 1: why");
  }
  for (int r = 0; r < 3; ++r) detail::leave({r, 3, folder.path});
  CHECK_FALSE(std::filesystem::exists(folder.path + "/rank.0"));
}

TEST_CASE("rendezvous: names the ranks that are missing") {
  const Folder folder("missing");
  std::ofstream(folder.path + "/rank.2") << "left-behind by-an-earlier-run";
  std::string zero, one;
  std::thread other([&] { one = failure_of([&] { detail::meet({1, 4, folder.path, 0.3}, ""); }); });
  zero = failure_of([&] { detail::meet({0, 4, folder.path, 0.3}, "text"); });
  other.join();
  CHECK_THAT(zero,
             ContainsSubstring("rank 0 of 4 waited 0.3 s in '" + folder.path + "' for rank") && ContainsSubstring("3"));
  CHECK_THAT(one, ContainsSubstring("rank 1 of 4 waited") && ContainsSubstring("3"));
  CHECK_THROWS_WITH(detail::meet({0, 2, folder.path + "/none", 0.1}, "text"), ContainsSubstring("for rank 1"));
  CHECK_THROWS_WITH(detail::meet({1, 2, folder.path + "/none", 0.1}, "text"), ContainsSubstring("cannot write"));
  CHECK_THROWS_WITH(detail::meet({2, 2, folder.path}, "text"), ContainsSubstring("ranks count from 0"));
}

TEST_CASE("rendezvous: reads the environment and names what is wrong in it") {
  setenv("SYNTHDATA_RANK", "2", 1);
  setenv("SYNTHDATA_WORLD_SIZE", "4", 1);
  unsetenv("SYNTHDATA_RENDEZVOUS");
  CHECK_THROWS_WITH(rendezvous_from_environment(), ContainsSubstring("SYNTHDATA_RENDEZVOUS is not set"));
  setenv("SYNTHDATA_RENDEZVOUS", "/somewhere", 1);
  const Rendezvous at = rendezvous_from_environment();
  CHECK((at.rank == 2 && at.size == 4 && at.folder == "/somewhere"));
  setenv("SYNTHDATA_RANK", "4", 1);
  CHECK_THROWS_WITH(rendezvous_from_environment(),
                    ContainsSubstring("SYNTHDATA_RANK expects a number from 0 to 3, got '4'"));
  setenv("SYNTHDATA_RANK", "two", 1);
  CHECK_THROWS_WITH(rendezvous_from_environment(), ContainsSubstring("got 'two'"));
}

TEST_CASE("a program without NCCL says so") {
  if (&synthdata_nccl_communicator) SYNTHDATA_SKIP("this program was linked with NCCL");
  CHECK_THROWS_WITH(cuda::communicator({DeviceType::cuda, 0}, {}), ContainsSubstring("SYNTHDATA_NCCL=1"));
}
