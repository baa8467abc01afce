#include "common/workspace_counts.h"

#include "common/text.h"

namespace nexus {

void WorkspaceCounts::add(const std::string& workspace, std::int64_t count) {
  constexpr std::int64_t kNamed = 3;
  connections += count;
  if (++workspaces <= kNamed) largest.emplace_back(workspace, count);
}

std::string to_text(const WorkspaceCounts& counts) {
  std::vector<std::string> named;
  for (const auto& [workspace, count] : counts.largest)
    named.push_back(printable(workspace, 60) + ": " + std::to_string(count));
  if (counts.workspaces > std::ssize(counts.largest)) named.emplace_back("…");
  return (counts.at_least ? "at least " : "") + std::to_string(counts.connections) +
         (counts.connections == 1 ? " connection" : " connections") + " in other workspaces (" +
         join(named, ", ") + ")";
}

}  // namespace nexus
