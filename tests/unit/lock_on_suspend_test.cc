// A vault that is to be locked for a sleep, and nobody who says so before.
#include "daemon/suspend/lock_on_suspend.h"

#include <vector>

#include "tests/support/catch.h"

using namespace nexus;
using namespace std::chrono_literals;

TEST_CASE("a vault that cannot be locked after a sleep is told, and served meanwhile",
          "[suspend]") {
  Reactor reactor;
  std::chrono::nanoseconds asleep{};
  SleepCheck sleep([&asleep] { return asleep; });
  std::vector<std::string> asked;
  LockOnSuspend suspend(reactor, sleep, [&asked](const char* why) -> Result<void> {
    asked.emplace_back(why);
    return Error{ErrorCode::internal_error, "not now", ""};
  });
  suspend.start();
  // There is no nexus-suspend beside this program.
  CHECK_FALSE(suspend.trouble().empty());
  asleep = 1h;
  CHECK(sleep.has_slept());
  reactor.stop();
  reactor.run();
  CHECK(asked == std::vector<std::string>{"the machine has slept"});
  CHECK_FALSE(sleep.has_slept());
  asleep = 2h;
  CHECK(sleep.has_slept());
}
