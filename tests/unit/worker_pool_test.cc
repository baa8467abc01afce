#include "daemon/worker_pool.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
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

TEST_CASE("work waits where no thread can be made, and is done when one can", "[workers]") {
  if (geteuid() != 0) return;  // another user's limit has to be set
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    rlimit few{};
    getrlimit(RLIMIT_NPROC, &few);
    const auto before = few.rlim_cur;
    few.rlim_cur = 0;
    setrlimit(RLIMIT_NPROC, &few);
    dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
    if (setuid(65534) != 0) _exit(2);
    WorkerPool pool(2);
    std::atomic<int> done{0};
    pool.submit([&done] { ++done; });
    few.rlim_cur = before;
    setrlimit(RLIMIT_NPROC, &few);
    pool.submit([&done] { ++done; });
    _exit(pool.drain(10s) && done == 2 ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
}
