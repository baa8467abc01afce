#pragma once

#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "cli/doctor/finding.h"
#include "common/api/daemon_status.h"
#include "common/api/provider.h"
#include "common/api/provider_reach.h"
#include "common/config.h"
#include "common/error.h"

namespace nexus::cli::doctor {

template <class T>
using Awaited = std::shared_future<Result<T>>;

/// What the checks look at: the settings, and what nexusd answers, which is asked for once, without
/// starting it.
struct Scene {
  Config config;
  bool starts_daemon = true;  ///< whether a command starts a daemon where there is none
  Awaited<api::DaemonStatus> daemon;
  Awaited<std::vector<api::Provider>> providers;
  Awaited<std::vector<api::ProviderReach>> reaches;
  Awaited<void> start;  ///< what would keep one from starting, as `nexusd --check` tells it

  bool is_remote() const { return !config.url.empty(); }
};

/// What keeps a nexusd from starting is told by the check that it concerns.
enum class StartFault { of_settings, of_vault, of_directories };
std::optional<Finding> fault_of_start(const Scene& scene, StartFault kind);

/// Of what nexusd alone can tell, where it does not.
Finding not_checked(const Scene& scene, const Error& why);

/// Asks on threads of their own.
std::shared_ptr<const Scene> look_around(const Config& config, bool starts_daemon);

/// Work on a thread that nobody waits for once it has had its time: what hangs in a system call
/// ends with the process.
template <class Work>
auto begin(Work work) {
  std::packaged_task<decltype(work())()> task(std::move(work));
  auto future = task.get_future();
  std::thread(std::move(task)).detach();
  return future;
}

}  // namespace nexus::cli::doctor
