#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "common/api/reader.h"
#include "common/api/words.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/json.h"

namespace nexus::api {

/// How nexusd is doing (/v1/daemon).
struct DaemonStatus {
  /// In which connections are counted; one that was revoked counts no more.
  static constexpr std::array kCounted{ConnectionStatus::pending, ConnectionStatus::active,
                                       ConnectionStatus::attention_required,
                                       ConnectionStatus::failed};

  std::int64_t pid = 0;
  std::string version;
  std::string socket;
  std::string gateway;               ///< its URL, "" while it is off
  std::string callback;              ///< where providers send people back to
  bool callback_on_gateway = false;  ///< else a port is bound for it while somebody is expected
  std::string data_dir;
  UnixTime uptime_s = 0;
  std::vector<std::string> damage;  ///< that the check after the start found in the databases
  std::string key_source;           ///< where the vault's key came from
  bool locked = false;              ///< it has no key now: `connections` are not known
  std::int64_t landlock = 0;        ///< the version that keeps it from files; 0: nothing does
  bool seccomp = false;             ///< whether it is kept to the system calls that it needs
  std::array<std::int64_t, kCounted.size()> connections{};  ///< in the order of kCounted
};

Result<void> read(const Reader& from, DaemonStatus& into);
void write(JsonWriter& to, const DaemonStatus& status);

}  // namespace nexus::api
