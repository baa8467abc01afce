#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/error.h"

namespace nexus::cli {

// nexusd as units of this user's systemd.

inline constexpr const char* kDaemonService = "nexusd.service";
inline constexpr const char* kDaemonSocket = "nexusd.socket";

/// Whether systemd has started that process as nexusd.service: its control group says so.
bool is_of_unit(std::int64_t pid);

/// `systemctl --user` with these words. Error: failure, with what it said, or where no service
/// manager of this user answers.
Result<void> ask_service_manager(const std::vector<std::string>& words);

}  // namespace nexus::cli
