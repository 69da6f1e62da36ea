// benchmarks/likelihood_bench.cpp: how well the models of tables learn distributions that are known, as in the CTGAN
// paper.
//
// Run: likelihood_bench [--models ar,tvae,ctgan,copula,smote] [--sets grid,random_grid,ring] [--points 10000]
//                       [--seeds 3] [--epochs N] [--threads N]
// For each set and model, the mean over the seeds of L_syn (likelihood of synthetic points under the truth) and L_test
// (that of fresh points under a mixture fitted to the synthetic ones), in nats a point; "fresh points" are those of the
// truth itself: the best there is. Source: Xu et al. 2019, arXiv:1907.00503, section 5.1; the sets are those of its
// benchmark: Gaussians of variance 0.05, 25 on a grid of spacing 2, the same with each centre moved by up to 0.5 along
// each axis, and 8 on a circle of radius 1.
//
// SPDX-License-Identifier: MIT
#include <synthdata/core/parallel.hpp>
#include <synthdata/data/table.hpp>
#include <synthdata/metrics/likelihood.hpp>
#include <synthdata/tabular/any_tabular_model.hpp>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>

using namespace synthdata;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

struct Setting {
  std::string models = "ar,tvae,ctgan,copula,smote", sets = "grid,random_grid,ring";
  std::int64_t points = 10000, seeds = 3, epochs = 0;
};

std::vector<std::string> words_of(const std::string& list) {
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    words.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

toy::GaussianMixture make_set(const std::string& name, std::int64_t points, std::uint64_t seed) {
  const float deviation = std::sqrt(0.05f);
  if (name == "grid") return toy::grid({.noise_std = deviation, .points = points, .seed = seed});
  if (name == "random_grid") return toy::grid({.jitter = 0.5f, .noise_std = deviation, .points = points, .seed = seed});
  if (name == "ring") return toy::ring({.noise_std = deviation, .points = points, .seed = seed});
  throw Error("likelihood_bench: expects sets of grid, random_grid and ring, got " + name);
}

void print(const std::string& set, const std::string& name, const std::vector<LikelihoodFitness>& all, double seconds) {
  LikelihoodFitness mean;
  for (const LikelihoodFitness& one : all) {
    mean.synthetic += one.synthetic / static_cast<double>(all.size());
    mean.test += one.test / static_cast<double>(all.size());
  }
  std::printf("%-12s %-12s %8.3f %8.3f %8.3f   %.1f s of fitting\n", set.c_str(), name.c_str(), mean.synthetic,
              mean.test, mean.synthetic + mean.test, seconds / static_cast<double>(all.size()));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) try {
  Setting s;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string key = argv[i], value = argv[i + 1];
    if (key == "--models")
      s.models = value;
    else if (key == "--sets")
      s.sets = value;
    else if (key == "--points")
      s.points = std::atoll(value.c_str());
    else if (key == "--seeds")
      s.seeds = std::atoll(value.c_str());
    else if (key == "--epochs")
      s.epochs = std::atoll(value.c_str());
    else if (key == "--threads")
      set_threads(std::atoi(value.c_str()));
    else
      throw Error("likelihood_bench: unknown option " + key);
  }
  std::printf("%lld points to learn and as many made, %lld seeds, %d threads\n", static_cast<long long>(s.points),
              static_cast<long long>(s.seeds), threads());
  std::printf("%-12s %-12s %8s %8s %8s\n", "set", "model", "L_syn", "L_test", "sum");
  const std::vector<std::string> axes = {"x", "y"};
  for (const std::string& set : words_of(s.sets)) {
    std::vector<std::string> names = words_of(s.models);
    names.insert(names.begin(), "fresh points");
    for (const std::string& name : names) {
      std::vector<LikelihoodFitness> all;
      double seconds = 0.0;
      for (std::uint64_t seed = 1; seed <= static_cast<std::uint64_t>(s.seeds); ++seed) {
        const toy::GaussianMixture known = make_set(set, s.points, seed);
        Rng rng = Rng{seed}.split(7);
        const Tensor test = known.generate(s.points, rng);
        Tensor made = known.generate(s.points, rng);
        if (name != "fresh points") {
          const double start = now();
          const models::AnyTabularModel model = models::fit_tabular_model(
              name, Table::from_tensor(known.points(), axes), {.epochs = s.epochs, .seed = seed});
          seconds += now() - start;
          made = model.sample(s.points, {}, {.seed = seed}).to_tensor(axes, DType::f64);
        }
        all.push_back(likelihood_fitness(density_of(known), made, test, {.seed = seed}));
      }
      print(set, name, all, seconds);
    }
  }
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
