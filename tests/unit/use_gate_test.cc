// Who comes through to a connection, told by the kernel alone.
#include "daemon/access/use_gate.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <future>

#include "daemon/peer_process.h"
#include "tests/support/catch.h"
#include "tests/support/test_clock.h"

using namespace nexus;
using namespace nexus::test;
using namespace std::chrono_literals;

namespace {

constexpr gid_t kGroup = 4711;

std::string own_path() {
  std::array<char, 4096> path{};
  const auto size = readlink("/proc/self/exe", path.data(), path.size());
  return {path.data(), static_cast<std::size_t>(size)};
}

Caller this_process() {
  Caller caller;
  caller.via = Caller::Via::control_socket;
  caller.uid = geteuid();
  caller.pid = getpid();
  caller.process = std::make_shared<PeerProcess>(getpid(), std::vector<gid_t>{kGroup});
  return caller;
}

/// A gate, and a connection behind it with these rules.
class Gate {
 public:
  explicit Gate(api::UseRules rules, std::vector<std::string> prompt = {})
      : gate_(workers_, askers_, std::move(prompt), sleep, clock.hand_out()) {
    row_.id = "conn_a";
    row_.alias = "work";
    row_.provider_name = "acme";
    row_.use_rules = std::make_shared<const api::UseRules>(std::move(rules));
  }

  Result<void> pass(const Caller& caller) {
    std::promise<Result<void>> done;
    gate_.pass(row_, caller, Right::use, [&done](Result<void> passed) { done.set_value(passed); });
    return done.get_future().get();
  }
  ErrorCode refused(const Caller& caller = this_process()) {
    const auto passed = pass(caller);
    return passed ? ErrorCode::failure : passed.error().code;
  }
  bool lets_in(const Caller& caller = this_process()) { return pass(caller).ok(); }
  const ConnectionRow& row() const { return row_; }

  TestClock clock;
  std::atomic<std::chrono::nanoseconds> asleep{};
  SleepCheck sleep{[this] { return asleep.load(); }};

 private:
  WorkerPool workers_{2};
  WorkerPool askers_{2};
  UseGate gate_;
  ConnectionRow row_;
};

api::UseRules confirmed(std::int64_t minutes) {
  api::UseRules rules;
  rules.confirm_minutes = minutes;
  return rules;
}

Caller application(std::vector<Grant> grants, bool admin = false) {
  Caller caller;
  caller.via = Caller::Via::gateway;
  caller.access = std::make_shared<const Access>(Access{admin, std::move(grants)});
  return caller;
}

}  // namespace

TEST_CASE("a program is let in by its file, whatever leads there", "[access]") {
  CHECK(Gate({.programs = {{own_path(), ""}}}).lets_in());
  CHECK(Gate({.programs = {{"/bin/false", ""}, {"/proc/self/exe", ""}}}).lets_in());
  Gate other({.programs = {{"/bin/false", ""}}});
  const auto refused = other.pass(this_process());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::use_refused);
  CHECK(refused.error().message == own_path() + " may not use work");
  CHECK(refused.error().connection_id == "conn_a");
  CHECK(Gate({.programs = {{own_path(), std::string(64, '0')}}}).refused() ==
        ErrorCode::use_refused);
}

TEST_CASE("users and groups are one list, and programs another", "[access]") {
  const auto self = static_cast<std::int64_t>(geteuid());
  CHECK(Gate({.uids = {7, self}}).lets_in());
  CHECK(Gate({.uids = {7}}).refused() == ErrorCode::use_refused);
  CHECK(Gate({.uids = {7}, .groups = {std::to_string(kGroup)}}).lets_in());
  CHECK(Gate({.groups = {"4712", "no-such-group"}}).refused() == ErrorCode::use_refused);
  CHECK(Gate({.programs = {{"/bin/false", ""}}, .uids = {self}}).refused() ==
        ErrorCode::use_refused);
}

TEST_CASE("what has taken a process's number is not taken for it", "[access]") {
  const auto sleeper = [] {
    const auto child = fork();
    if (child == 0) {
      pause();
      _exit(0);
    }
    return child;
  };
  const auto end = [](pid_t child) {
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  };
  const auto first = sleeper();
  auto caller = this_process();
  caller.process = std::make_shared<PeerProcess>(first, std::vector<gid_t>{});
  Gate gate({.programs = {{own_path(), ""}}});
  CHECK(gate.lets_in(caller));
  end(first);
  CHECK(gate.refused(caller) == ErrorCode::use_refused);
  usleep(30'000);  // a start is told in hundredths of a second
  std::ofstream("/proc/sys/kernel/ns_last_pid") << first - 1;
  const auto second = sleeper();
  // Only root can choose a number, and somebody may have been quicker.
  if (second == first) CHECK(gate.refused(caller) == ErrorCode::use_refused);
  end(second);
}

TEST_CASE("an application needs a key for that very connection, an admin's among them",
          "[access]") {
  Gate gate({.uids = {7}});
  const auto id = gate.row().id;
  CHECK(gate.lets_in(application({{Right::use, Grant::Over::connection, id}})));
  CHECK(gate.refused(application({{Right::forward, Grant::Over::connection, id}})) ==
        ErrorCode::use_refused);
  CHECK(gate.refused(application({{Right::use, Grant::Over::all, ""}})) == ErrorCode::use_refused);
  CHECK(gate.refused(application({{Right::use, Grant::Over::provider, "acme"}})) ==
        ErrorCode::use_refused);
  CHECK(gate.refused(application({}, true)) == ErrorCode::use_refused);
}

TEST_CASE("a yes counts for so many minutes", "[access]") {
  Gate gate(confirmed(15));
  auto caller = this_process();
  const auto asked = gate.pass(caller);
  REQUIRE_FALSE(asked);
  CHECK(asked.error().code == ErrorCode::confirmation_required);
  CHECK(asked.error().question == "Let " + own_path() + " use work?");
  caller.confirmation = asked.error().nonce;
  CHECK(gate.lets_in(caller));
  gate.clock.advance(15 * 60 - 1);
  CHECK(gate.lets_in());
  gate.clock.advance(1);
  CHECK(gate.refused() == ErrorCode::confirmation_required);
  CHECK(gate.refused(caller) == ErrorCode::confirmation_required);  // it was good once
}

TEST_CASE("an answer that nobody gave for two minutes counts no more", "[access]") {
  Gate gate(confirmed(0));
  auto caller = this_process();
  caller.confirmation = gate.pass(caller).error().nonce;
  gate.clock.advance(120);
  CHECK(gate.refused(caller) == ErrorCode::confirmation_required);
}

TEST_CASE("the program that asks says yes by its exit status alone", "[access]") {
  CHECK(Gate(confirmed(0), {"true"}).lets_in());
  CHECK(Gate(confirmed(0), {"false"}).refused() == ErrorCode::confirmation_refused);
  CHECK(Gate(confirmed(0), {"/bin/sh", "-c", "kill -9 $$"}).refused() ==
        ErrorCode::confirmation_refused);
  CHECK(Gate(confirmed(0), {"/nowhere/askpass"}).refused() == ErrorCode::confirmation_refused);
}

TEST_CASE("nobody comes through to a vault that is to be locked, as the machine has slept",
          "[access]") {
  Gate gate({.programs = {{own_path(), ""}}});
  gate.asleep = 1h;
  CHECK(gate.lets_in());
  int noticed = 0;
  gate.sleep.begin([&noticed] { ++noticed; });
  CHECK(gate.lets_in());
  gate.asleep = 1h + 1s;
  CHECK(gate.refused() == ErrorCode::vault_locked);
  CHECK(gate.refused() == ErrorCode::vault_locked);
  CHECK(noticed == 1);
  gate.sleep.begin_again();
  CHECK(gate.lets_in());
  gate.asleep = 2h;
  CHECK(gate.refused() == ErrorCode::vault_locked);
  CHECK(noticed == 2);
}
