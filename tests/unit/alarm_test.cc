#include "daemon/scheduler/alarm.h"

#include <thread>

#include "tests/support/catch.h"

using namespace nexus;

TEST_CASE("an alarm rings at the earliest time that it was told of, whoever told it", "[alarm]") {
  constexpr UnixTime kNow = 1'700'000'000;
  Reactor reactor;
  Alarm alarm([] { return kNow; });
  int rings = 0;
  alarm.expect(kNow);  // nobody listens yet, and nothing is kept
  alarm.start(reactor, [&] {
    CHECK(reactor.on_loop());
    // What was told before has rung; what is told now is due again.
    if (++rings == 3) return reactor.stop();
    alarm.expect(kNow - 60);
  });
  alarm.expect(kNow + 3600);
  std::thread other([&] {
    alarm.expect(kNow + 1800);
    alarm.expect(kNow);
    alarm.expect(kNow + 7200);
  });
  reactor.run();
  other.join();
  CHECK(rings == 3);
}
