// Connections that wait for a person.
#include "cli/doctor/checks.h"

namespace nexus::cli::doctor {

Findings check_connections(const Scene& scene) {
  const auto& daemon = scene.daemon.get();
  if (!daemon) return {not_checked(scene, daemon.error())};
  const auto count_of = [&](ConnectionStatus status) {
    for (std::size_t i = 0; i < api::DaemonStatus::kCounted.size(); ++i)
      if (api::DaemonStatus::kCounted[i] == status) return daemon->connections[i];
    return std::int64_t{0};
  };
  Findings faults;
  if (const auto count = count_of(ConnectionStatus::attention_required); count > 0)
    faults.push_back(
        warning(std::to_string(count) + (count == 1 ? " needs" : " need") + " a person",
                "run: nexus list --status attention_required --all-workspaces"));
  return or_ok(std::move(faults),
               std::to_string(count_of(ConnectionStatus::active)) + " active, none needs a person");
}

}  // namespace nexus::cli::doctor
