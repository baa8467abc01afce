#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "cli/command.h"
#include "cli/commands/list.h"
#include "cli/output/connections.h"

namespace nexus::cli {
namespace {

Result<int> run_status(Context& context, const std::vector<std::string>& references) {
  if (references.empty()) {
    NEXUS_TRY(const auto all, fetch_connections(context, {}));
    print_connections(context.output, all);
    return 0;
  }
  std::vector<api::Connection> connections;
  int worst = 0;
  for (const auto& reference : references) {
    NEXUS_TRY(auto connection, fetch_connection(context, reference));
    worst = std::max(worst, exit_code_for(connection.status));
    connections.push_back(std::move(connection));
  }
  print_connections(context.output, connections);
  for (const auto& c : connections)
    if (c.status == "attention_required" && !context.output.json)
      context.output.note("  run: nexus connect " + c.provider + " --replace " +
                          (c.alias.empty() ? c.id : c.alias));
  return worst;
}

void configure_status(CLI::App& app, Action& action) {
  auto references = std::make_shared<std::vector<std::string>>();
  app.add_option("connection", *references, "conn_… ids, aliases or providers; none: all");
  app.footer(
      "The exit code tells the worst of those named: 0 active, 3 pending,\n"
      "4 attention required, 5 failed.");
  action = [references](Context& context) { return run_status(context, *references); };
}

}  // namespace

const Command status_command{"status", "", "Show how connections are doing", configure_status};

}  // namespace nexus::cli
