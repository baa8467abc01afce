#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/doctor/finding.h"

namespace nexus::cli::doctor {

/// A unit as `systemctl show` tells of it.
struct Unit {
  std::string name;          ///< Id: "nexusd.service"
  std::string active_state;  ///< "active", "inactive", "failed"
  std::string file_state;    ///< UnitFileState: "enabled", "disabled"
  std::string main_pid;      ///< "0" for none
};

/// Blocks of NAME=VALUE, an empty line between two.
std::vector<Unit> parse_units(std::string_view shown);

/// `daemon_pid`: of the nexusd that answers. `lingers`: whether the user's units go on without a
/// session; nothing where that cannot be told.
Findings judge_units(const std::vector<Unit>& units, std::optional<std::int64_t> daemon_pid,
                     std::optional<bool> lingers);

}  // namespace nexus::cli::doctor
