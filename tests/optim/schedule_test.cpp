#include <synthdata/optim/schedule.hpp>

#include "../test.hpp"

using namespace synthdata;

TEST_CASE("schedules are pure functions of the step") {
  CHECK(schedule::constant()(12345) == 1.0);

  const Schedule steps = schedule::step_decay(10, 0.5);
  CHECK(steps(0) == 1.0);
  CHECK(steps(9) == 1.0);
  CHECK(steps(10) == 0.5);
  CHECK(steps(25) == 0.25);

  const Schedule smooth = schedule::exponential(10, 0.5);
  CHECK(smooth(0) == 1.0);
  CHECK(smooth(5) == Approx(std::sqrt(0.5)));
  CHECK(smooth(20) == Approx(0.25));
}

TEST_CASE("the cosine falls to its floor and restarts") {
  const Schedule once = schedule::cosine(100, 0.1);
  CHECK(once(0) == Approx(1.0));
  CHECK(once(50) == Approx(0.55));
  CHECK(once(99) == Approx(0.1).margin(1e-3));
  CHECK(once(100) == Approx(1.0));

  const Schedule growing = schedule::cosine(100, 0.0, 2.0);  // periods of 100, 200, 400, ...
  CHECK(growing(100) == Approx(1.0));
  CHECK(growing(200) == Approx(0.5));
  CHECK(growing(300) == Approx(1.0));
}

TEST_CASE("a warm-up rises in a line, then hands over") {
  const Schedule s = schedule::warm_up(4, schedule::step_decay(2, 0.1));
  CHECK(s(0) == Approx(0.25));
  CHECK(s(3) == Approx(1.0));
  CHECK(s(4) == Approx(1.0));
  CHECK(s(6) == Approx(0.1));
}

TEST_CASE("schedules refuse lengths that make no sense") {
  CHECK_THROWS_AS(schedule::step_decay(0, 0.5), NumericError);
  CHECK_THROWS_AS(schedule::cosine(-1), NumericError);
  CHECK_THROWS_AS(schedule::cosine(10, 0.0, 0.5), NumericError);
  CHECK_THROWS_AS(schedule::warm_up(0), NumericError);
}
