#include "daemon/suspend/watch.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "common/paths.h"
#include "common/text.h"
#include "daemon/child_program.h"
#include "daemon/log.h"
#include "daemon/suspend_program.h"

namespace nexus {
namespace {

using namespace std::chrono_literals;

/// Between two trials; a bus that is started again is seen soon, one that never comes costs little.
constexpr std::chrono::seconds kShortestPause = 1s;
constexpr std::chrono::seconds kLongestPause = 30s;
constexpr const char* kBus = "DBUS_SYSTEM_BUS_ADDRESS";

ChildProgram watcher() {
  ChildProgram program{.command = {suspend_program()}, .environment = {}, .directory = ""};
  if (const auto address = environment(kBus); !address.empty())
    program.environment.push_back(std::string(kBus) + "=" + address);
  return program;
}

}  // namespace

void SuspendWatch::start() {
  said_.clear();
  auto socket = start_companion(watcher());
  if (!socket) return fail(socket.error().message);
  socket_ = *std::move(socket);
  watch_ = reactor_.watch(socket_.get(), EPOLLIN, [this](std::uint32_t) { take_message(); });
}

void SuspendWatch::take_message() {
  std::array<char, 512> buffer{};
  const auto size = recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size <= 0) return fail(said_.empty() ? "nexus-suspend cannot be run, or has crashed" : said_);
  const std::string_view text(buffer.data(), static_cast<std::size_t>(size));
  if (text == "holding") {
    pause_ = {};
    settle("");
  } else if (text == "sleep") {
    told_.about_to_sleep();
  } else if (text == "awake") {
    told_.may_have_slept();
  } else {
    said_ = printable(text, 300);
  }
}

void SuspendWatch::let_sleep() {
  send(socket_.get(), "sleep", 5, MSG_DONTWAIT | MSG_NOSIGNAL);
}

Descriptor SuspendWatch::leave() {
  reactor_.unwatch(watch_);
  return std::exchange(socket_, Descriptor(-1));
}

std::string SuspendWatch::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void SuspendWatch::fail(const std::string& reason) {
  reactor_.unwatch(watch_);
  socket_ = Descriptor(-1);
  settle(reason);
  pause_ = std::clamp(2 * pause_, kShortestPause, kLongestPause);
  reactor_.after(pause_, [this] {
    told_.may_have_slept();
    start();
  });
}

void SuspendWatch::settle(const std::string& trouble) {
  {
    const std::lock_guard lock(mutex_);
    if (trouble_ == trouble) return;
    trouble_ = trouble;
  }
  if (trouble.empty()) return log(LogLevel::info, "suspend_told", {{"by", "systemd-logind"}});
  log(LogLevel::warn, "suspend_not_told",
      {{"error", trouble}, {"hint", "the vault locks when the machine wakes up"}});
}

}  // namespace nexus
