#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace nexus {

/// How many connections there are in workspaces other than the one that is worked in.
struct WorkspaceCounts {
  std::int64_t connections = 0;
  std::int64_t workspaces = 0;
  std::vector<std::pair<std::string, std::int64_t>> largest{};  ///< three at most, largest first
  bool at_least = false;                                        ///< nobody looked further

  /// Counts go in largest first.
  void add(const std::string& workspace, std::int64_t count);
};

/// "6 connections in other workspaces (app1: 4, app2: 2)"
std::string to_text(const WorkspaceCounts& counts);

}  // namespace nexus
