#include "cli/commands/list.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/output/connections.h"
#include "common/text.h"

namespace nexus::cli {

Result<std::vector<api::Connection>> fetch_connections(Context& context, const ListFilter& filter) {
  const auto workspace = filter.all_workspaces ? "*" : context.config.workspace;
  NEXUS_TRY(const auto json, context.client.get("/v1/connections?pending=true&workspace_id=" +
                                                percent_encode(workspace)));
  std::vector<api::Connection> connections;
  for (const auto& item : json) {
    NEXUS_TRY(auto connection, api::connection_from_json(item));
    if (filter.status.empty() || connection.status == filter.status)
      connections.push_back(std::move(connection));
  }
  return connections;
}

namespace {

void configure_list(CLI::App& app, Action& action) {
  auto filter = std::make_shared<ListFilter>();
  app.add_flag("--all-workspaces", filter->all_workspaces, "those of every workspace");
  app.add_option("--status", filter->status, "only those with this status")
      ->check(CLI::IsMember({"pending", "active", "attention_required", "failed"}));
  action = [filter](Context& context) -> Result<int> {
    NEXUS_TRY(const auto connections, fetch_connections(context, *filter));
    print_connections(context.output, connections);
    return 0;
  };
}

}  // namespace

const Command list_command{"list", "connections", "List the connections of the workspace",
                           configure_list};

}  // namespace nexus::cli
