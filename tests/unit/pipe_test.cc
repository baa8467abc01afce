#include "daemon/loop/pipe.h"

#include <algorithm>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/catch.h"

using namespace nexus;

namespace {

/// Each in a turn of its own: what one of them has posted comes before the next one.
void in_turns(Reactor& loop, const std::vector<std::function<void()>>& steps) {
  std::size_t next = 0;
  const std::function<void()> go_on = [&] {
    if (next == steps.size()) return loop.stop();
    steps[next++]();
    loop.post(go_on);
  };
  loop.post(go_on);
  loop.run();
}

}  // namespace

TEST_CASE("a pipe gives what was written, in its order, and then tells the end", "[pipe]") {
  Reactor loop;
  const auto pipe = std::make_shared<Pipe>(loop, loop);
  pipe->write("one ");
  pipe->write("two");
  CHECK(pipe->take(5).bytes == "one t");
  const auto rest = pipe->take(100);
  CHECK(rest.bytes == "wo");
  CHECK(rest.state == Pipe::State::open);
  pipe->write("three");
  pipe->end();
  pipe->break_off();  // it has ended already
  CHECK(pipe->take(3).state == Pipe::State::open);
  const auto last = pipe->take(3);
  CHECK(last.bytes == "ee");
  CHECK(last.state == Pipe::State::ended);
}

TEST_CASE("who reads from a pipe is called once for each time that it waits", "[pipe]") {
  Reactor loop;
  const auto pipe = std::make_shared<Pipe>(loop, loop);
  int called = 0;
  in_turns(loop, {[&] {
                    pipe->on_data([&] { ++called; });
                    pipe->write("nobody waits yet");
                  },
                  [&] {
                    CHECK(called == 0);
                    CHECK(pipe->take(100).bytes.size() == 16);
                    CHECK(pipe->take(100).bytes.empty());
                    pipe->write("a");
                    pipe->write("b");
                  },
                  [&] {
                    CHECK(called == 1);
                    CHECK(pipe->take(100).bytes == "ab");
                    CHECK(pipe->take(100).bytes.empty());
                    pipe->break_off();
                  },
                  [&] {
                    CHECK(called == 2);
                    CHECK(pipe->take(100).state == Pipe::State::broken);
                  }});
}

TEST_CASE("who writes faster than the other end reads has to wait", "[pipe]") {
  Reactor loop;
  const auto pipe = std::make_shared<Pipe>(loop, loop);
  int called = 0;
  in_turns(loop, {[&] {
                    pipe->on_room([&] { ++called; });
                    CHECK(pipe->room() == Pipe::kCapacity);
                    pipe->write(std::string(Pipe::kCapacity, 'x'));
                    CHECK(pipe->room() == 0);
                    CHECK(pipe->take(1000).bytes.size() == 1000);
                  },
                  [&] {
                    CHECK(called == 0);  // not for every byte
                    CHECK(pipe->take(Pipe::kCapacity / 2).bytes.size() == Pipe::kCapacity / 2);
                  },
                  [&] {
                    CHECK(called == 1);
                    CHECK(pipe->room() > Pipe::kCapacity / 2);
                  }});
}

TEST_CASE("what nobody wants to read any more goes nowhere", "[pipe]") {
  Reactor loop;
  const auto pipe = std::make_shared<Pipe>(loop, loop);
  int called = 0;
  in_turns(loop, {[&] {
                    pipe->on_room([&] { ++called; });
                    pipe->write("gone");
                    pipe->abandon();
                  },
                  [&] {
                    CHECK(called == 1);
                    CHECK(pipe->is_abandoned());
                    pipe->write("gone, too");
                    CHECK(pipe->take(100).bytes.empty());
                    CHECK(pipe->room() == Pipe::kCapacity);
                  }});
}

TEST_CASE("whoever is called by a pipe may say that nobody is to be called any more", "[pipe]") {
  Reactor loop;
  const auto pipe = std::make_shared<Pipe>(loop, loop);
  std::string got;
  in_turns(loop, {[&] {
                    // Its own memory, and not in the function itself.
                    pipe->on_data([&, text = std::string(100, 'x')] {
                      pipe->on_data({});
                      got = text;
                    });
                    CHECK(pipe->take(1).bytes.empty());
                    pipe->write("a");
                  },
                  [&] { CHECK(got == std::string(100, 'x')); }});
}

TEST_CASE("a pipe that is cut is over at both ends, with what is in it", "[pipe]") {
  Reactor loop;
  const auto pipe = std::make_shared<Pipe>(loop, loop);
  const auto companion = std::make_shared<int>();
  pipe->keep(companion);
  int reader = 0;
  int writer = 0;
  in_turns(loop, {[&] {
                    pipe->on_data([&] { ++reader; });
                    pipe->on_room([&] { ++writer; });
                    pipe->write("nobody waits for this");
                    pipe->end();
                    CHECK_FALSE(pipe->is_cut());
                    pipe->cut();
                    pipe->cut();
                  },
                  [] {},
                  [&] {
                    CHECK(reader == 1);
                    CHECK(writer == 1);
                    CHECK(pipe->is_cut());
                    CHECK(pipe->is_abandoned());
                    pipe->write("more");
                    const auto taken = pipe->take(100);
                    CHECK(taken.bytes.empty());
                    CHECK(taken.state == Pipe::State::broken);
                    CHECK(companion.use_count() == 2);
                  }});
}

TEST_CASE("a pipe carries a stream from one loop to another, whole", "[pipe]") {
  constexpr std::size_t kAll = 20 * Pipe::kCapacity + 7;
  Reactor reading;
  std::shared_ptr<Pipe> pipe;
  Reactor* writing = nullptr;
  std::promise<void> ready;
  std::thread writer([&] {
    Reactor loop;
    writing = &loop;
    pipe = std::make_shared<Pipe>(loop, reading);
    std::size_t written = 0;
    const auto write = [&] {
      while (written < kAll && pipe->room() > 0) {
        const auto count = std::min<std::size_t>(kAll - written, 1000 + written % 4000);
        pipe->write(std::string(count, static_cast<char>('a' + written % 26)));
        written += count;
      }
      if (written == kAll) pipe->end();
    };
    pipe->on_room(write);
    ready.set_value();
    write();
    loop.run();
  });
  ready.get_future().wait();
  std::size_t got = 0;
  const auto read = [&] {
    while (true) {
      const auto taken = pipe->take(5000);
      got += taken.bytes.size();
      if (taken.state == Pipe::State::ended) return reading.stop();
      if (taken.bytes.empty()) return;
    }
  };
  pipe->on_data(read);
  reading.post(read);
  reading.run();
  writing->stop();
  writer.join();
  CHECK(got == kAll);
}
