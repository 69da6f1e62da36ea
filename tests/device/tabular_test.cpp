// tests/device/tabular_test.cpp: models of tables learn on another device what they learn on the CPU.
//
// SPDX-License-Identifier: MIT
#include "../tabular/made_up.hpp"
#include "../test.hpp"
#include "device.hpp"

#include <synthdata/tabular/any_tabular_model.hpp>

#include <cstdio>

using namespace synthdata;

TEST_CASE("models of tables are trained on the current device", "[device][tabular]") {
  if (!test::has_device()) {
    ++test::skipped_cases();
    return;
  }
  const Table table = test::made_up(300);
  for (const char* name : {"ar", "tvae", "ctgan"}) {
    INFO(name);
    std::vector<double> seen[2];
    Table made[2];
    for (int i = 0; i < 2; ++i) {
      const OnDevice there(i == 0 ? Device::cpu() : cuda::device(0));
      reset_peak_memory(cuda::device(0));
      const std::int64_t held = memory_stats(cuda::device(0)).peak_bytes;
      const models::AnyTabularModel model = models::fit_tabular_model(
          name, table, {.epochs = 2, .batch_size = 100, .seed = 3, .quality_every = 1, .quality_rows = 100},
          [&](const models::TabularProgress& p) {
            if (p.step < p.steps) return true;  // within a long epoch
            seen[i].insert(seen[i].end(), {p.loss, p.held_out, p.quality});
            return true;
          });
      CHECK((memory_stats(cuda::device(0)).peak_bytes > held) == (i == 1));
      made[i] = model.sample(50, {}, {.seed = 1});
      const std::string file = concat("device_", name, ".safetensors");
      model.save(file);
      CHECK(models::load_tabular_model(file).sample(50, {}, {.seed = 1}) == made[i]);  // on the CPU in either case
      std::remove(file.c_str());
    }
    REQUIRE(seen[0].size() == 6);
    for (std::size_t i = 0; i < seen[0].size(); ++i) {
      CHECK(seen[1][i] == Approx(seen[0][i]).epsilon(i % 3 == 2 ? 0.05 : 1e-3).margin(1e-3));
    }
    CHECK(made[1].size() == 50);
  }
}
