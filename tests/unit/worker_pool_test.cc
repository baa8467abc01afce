#include "daemon/worker_pool.h"

#include <latch>
#include <stdexcept>
#include <vector>

#include "tests/support/catch.h"

using namespace nexus;
using namespace std::chrono_literals;

TEST_CASE("what one piece of work throws ends neither its thread nor the rest", "[workers]") {
  WorkerPool pool(1);
  std::vector<int> done;
  std::latch all(2);
  const auto work = [&](int number) {
    return [&done, &all, number] {
      done.push_back(number);
      all.count_down();
    };
  };
  pool.submit(work(1));
  pool.submit([] { throw std::runtime_error("a mistake"); });
  pool.submit(work(2));
  all.wait();
  CHECK(pool.drain(10s));
  CHECK(done == std::vector{1, 2});
}

TEST_CASE("work that was submitted is done before a pool ends", "[workers]") {
  int done = 0;
  {
    WorkerPool pool(1);
    for (int i = 0; i < 100; ++i) pool.submit([&done] { ++done; });
  }
  CHECK(done == 100);
}
