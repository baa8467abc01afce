#include "daemon/loop/reactor.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/catch.h"

using namespace nexus;
using namespace std::chrono_literals;

namespace {

using Order = std::vector<std::string>;

/// Two sockets that are connected to each other.
struct Pair {
  Pair() { REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) == 0); }
  ~Pair() {
    for (const int fd : ends)
      if (fd >= 0) close(fd);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  void say() { REQUIRE(write(ends[1], "x", 1) == 1); }
  void hang_up() { close(std::exchange(ends[1], -1)); }
  int heard() const { return ends[0]; }

  std::array<int, 2> ends{-1, -1};
};

/// Whether the process would have ended by SIGABRT in doing this.
bool aborts(const std::function<void()>& what) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    signal(SIGABRT, SIG_DFL);
    dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
    what();
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

}  // namespace

TEST_CASE("timers come by their time, then by their age", "[reactor]") {
  const auto at = [](int seconds) { return BootClock::time_point(std::chrono::seconds(seconds)); };
  TimerQueue queue;
  Order order;
  const auto add = [&](int seconds, const char* name) {
    return queue.add(at(seconds), [&order, name] { order.emplace_back(name); });
  };
  CHECK_FALSE(queue.next());
  add(30, "30");
  const auto cancelled = add(10, "cancelled");
  add(20, "20");
  add(20, "20 too");
  CHECK(queue.next() == at(10));
  queue.cancel(cancelled);
  queue.cancel(cancelled);
  queue.cancel({});
  CHECK(queue.next() == at(20));
  CHECK_FALSE(queue.take_due(at(19)));
  while (const auto task = queue.take_due(at(29))) task();
  CHECK(order == Order{"20", "20 too"});
  CHECK(queue.next() == at(30));
}

TEST_CASE("a reactor runs its timers in order, but for those that were cancelled", "[reactor]") {
  Reactor reactor;
  Order order;
  TimerId last;
  reactor.after(2ms, [&] {
    order.emplace_back("second");
    reactor.cancel(last);
    reactor.after(0ms, [&] { order.emplace_back("set by a timer"); });
    reactor.after(1ms, [&] { reactor.stop(); });
  });
  last = reactor.after(2ms, [&] { order.emplace_back("cancelled by the one before"); });
  reactor.after(1ms, [&] { order.emplace_back("first"); });
  reactor.after(1h, [&] { order.emplace_back("much later"); });
  const auto begin = BootClock::now();
  reactor.run();
  CHECK(order == Order{"first", "second", "set by a timer"});
  CHECK(BootClock::now() - begin >= 3ms);
}

TEST_CASE("what other threads post is run on the loop's, in their order", "[reactor]") {
  constexpr int kEach = 1000;
  Reactor reactor;
  std::array<int, 2> seen{};
  bool in_order = true;
  bool on_loop = true;
  int ended = 0;
  const auto poster = [&](std::size_t who) {
    if (reactor.on_loop()) return;  // and the test does not end
    for (int i = 0; i < kEach; ++i)
      reactor.post([&, who, i] {
        in_order = in_order && seen[who]++ == i;
        on_loop = on_loop && reactor.on_loop();
      });
    reactor.post([&] {
      if (++ended == 2) reactor.stop();
    });
  };
  std::thread one(poster, 0);
  std::thread two(poster, 1);
  reactor.run();
  one.join();
  two.join();
  CHECK(seen == std::array<int, 2>{kEach, kEach});
  CHECK(in_order);
  CHECK(on_loop);
}

TEST_CASE("a stop lets run what was posted before it", "[reactor]") {
  Reactor reactor;
  Order order;
  reactor.post([&] {
    order.emplace_back("before");
    reactor.post([&] { order.emplace_back("posted too late"); });
    reactor.at_turn_end([&] { order.emplace_back("end of the turn"); });
  });
  reactor.post([&] { order.emplace_back("before too"); });
  reactor.stop();
  reactor.run();
  CHECK(order == Order{"before", "before too", "end of the turn"});
}

TEST_CASE("a stop from another thread wakes a reactor that has nothing to do", "[reactor]") {
  Reactor reactor;
  std::thread other([&] { reactor.stop(); });
  reactor.run();
  other.join();
}

TEST_CASE("what ends a turn sees all of it, and what it leaves does not wait", "[reactor]") {
  Reactor reactor;
  Pair one, two;
  one.say();
  two.say();
  Order order;
  const auto watch = [&](Pair& pair) {
    reactor.watch(pair.heard(), EPOLLIN, [&](std::uint32_t) {
      char byte = 0;
      REQUIRE(read(pair.heard(), &byte, 1) == 1);
      if (order.empty())
        reactor.at_turn_end([&] {
          order.emplace_back("end");
          reactor.at_turn_end([&] {
            order.emplace_back("end of the next");
            reactor.stop();
          });
        });
      order.emplace_back("ready");
    });
  };
  watch(one);
  watch(two);
  reactor.post([&] { order.emplace_back("posted"); });
  reactor.run();
  CHECK(order == Order{"ready", "ready", "posted", "end", "end of the next"});
}

TEST_CASE("who is unwatched is not called any more, even if it was ready in this turn",
          "[reactor]") {
  Reactor reactor;
  Pair one, two;
  one.say();
  two.say();
  std::array<WatchId, 2> watches{};
  int calls = 0;
  bool reused = false;
  const auto ready = [&](std::uint32_t) {
    ++calls;
    for (const auto watch : watches) reactor.unwatch(watch);
    // The same number again, for something else that is ready: the event was not meant for it.
    for (auto* pair : {&one, &two}) {
      const int fd = pair->heard();
      close(std::exchange(pair->ends[0], -1));
      pair->ends[0] = dup(pair->ends[1]);
      reused = pair->heard() == fd;
      reactor.watch(pair->heard(), EPOLLIN, [&](std::uint32_t) { reactor.stop(); });
    }
  };
  watches = {reactor.watch(one.heard(), EPOLLIN, ready),
             reactor.watch(two.heard(), EPOLLIN, ready)};
  reactor.run();
  CHECK(reused);
  CHECK(calls == 1);
}

TEST_CASE("a callback may unwatch itself and go on", "[reactor]") {
  Reactor reactor;
  Pair pair;
  pair.say();
  WatchId watch = 0;
  std::string seen;
  watch = reactor.watch(pair.heard(), EPOLLIN,
                        [&, own = std::make_shared<std::string>("still there")](std::uint32_t) {
                          reactor.unwatch(watch);
                          reactor.stop();
                          seen = *own;
                        });
  reactor.run();
  CHECK(seen == "still there");
}

TEST_CASE("a silenced watch hears nothing, not even a hangup, until it listens again",
          "[reactor]") {
  Reactor reactor;
  Pair pair;
  std::vector<std::uint32_t> heard;
  const auto watch = reactor.watch(pair.heard(), EPOLLIN, [&](std::uint32_t events) {
    heard.push_back(events);
    reactor.stop();
  });
  reactor.modify(watch, 0);
  pair.hang_up();
  int turns = 0;
  std::function<void()> next = [&] {
    CHECK(heard.empty());
    if (++turns == 3) return reactor.modify(watch, EPOLLIN);
    reactor.at_turn_end(next);
  };
  reactor.at_turn_end(next);
  reactor.run();
  REQUIRE(heard.size() == 1);
  CHECK((heard[0] & EPOLLHUP) != 0);
}

TEST_CASE("what is for the loop's thread alone ends the process elsewhere", "[reactor]") {
  const auto elsewhere = [](void (*what)(Reactor&)) {
    return aborts([what] {
      Reactor reactor;
      std::thread([&] { what(reactor); }).join();
    });
  };
  CHECK(elsewhere([](Reactor& r) { r.watch(STDIN_FILENO, EPOLLIN, [](std::uint32_t) {}); }));
  CHECK(elsewhere([](Reactor& r) { r.modify(1, 0); }));
  CHECK(elsewhere([](Reactor& r) { r.unwatch(1); }));
  CHECK(elsewhere([](Reactor& r) { r.after(1s, [] {}); }));
  CHECK(elsewhere([](Reactor& r) { r.cancel({}); }));
  CHECK(elsewhere([](Reactor& r) { r.at_turn_end([] {}); }));
  CHECK(elsewhere([](Reactor& r) { r.run(); }));
  CHECK_FALSE(elsewhere([](Reactor& r) { r.post([] {}); }));
  CHECK_FALSE(elsewhere([](Reactor& r) { r.stop(); }));
}

TEST_CASE("what a task throws ends neither the loop nor the tasks after it", "[reactor]") {
  Reactor reactor;
  Order order;
  const auto fail = [] { throw std::runtime_error("a mistake"); };
  Pair pair;
  reactor.watch(pair.heard(), EPOLLIN, [&](std::uint32_t) {
    reactor.stop();
    fail();
  });
  reactor.post(fail);
  reactor.post([&] {
    order.emplace_back("posted");
    reactor.at_turn_end(fail);
    reactor.at_turn_end([&] { order.emplace_back("end of the turn"); });
    reactor.after(0ms, fail);
    reactor.after(0ms, [&] {
      order.emplace_back("timer");
      pair.say();
    });
  });
  reactor.run();
  CHECK(order == Order{"posted", "end of the turn", "timer"});
}
