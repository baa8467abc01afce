#include "daemon/attention_hook.h"

#include "common/json.h"
#include "daemon/child_program.h"
#include "daemon/connection_errors.h"
#include "daemon/log.h"

namespace nexus {
namespace {

constexpr UnixTime kWindow = 60;
constexpr std::size_t kMostInWindow = 6;

void run(const std::vector<std::string>& command, const std::string& message) {
  const auto run = run_child({.command = command,
                              .environment = environment_of_session(),
                              .directory = "",
                              .input = message});
  if (!run) log(LogLevel::warn, "hook_not_run", {{"error", run.error().message}});
}

}  // namespace

void AttentionHook::tell(const ConnectionRow& connection, const std::string& cause) {
  int left_out = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto now = clock_();
    while (!runs_.empty() && runs_.front() <= now - kWindow) runs_.pop_front();
    if (runs_.size() >= kMostInWindow) {
      ++left_out_;
      return;
    }
    runs_.push_back(now);
    std::swap(left_out, left_out_);
  }
  const auto message = JsonWriter()
                           .begin()
                           .member("event", "attention_required")
                           .member("connection_id", connection.id)
                           .member("alias", connection.alias)
                           .member("provider", connection.provider_name)
                           .member("account", connection.account)
                           .member("workspace", connection.workspace)
                           .member("cause", cause)
                           .member("command", connect_in_place_of(connection))
                           .member("left_out", left_out)
                           .end()
                           .take();
  workers_.submit([command = command_, message] { run(command, message + "\n"); });
}

}  // namespace nexus
