#include <algorithm>
#include <memory>

#include "cli/command.h"
#include "cli/commands/list.h"
#include "cli/interrupt.h"
#include "cli/output/connections.h"

namespace nexus::cli {
namespace {

constexpr int kWatchMs = 2000;

/// Those that are named, or all of the workspace.
Result<std::vector<api::Connection>> fetch(Context& context,
                                           const std::vector<std::string>& references) {
  if (references.empty()) return fetch_connections(context, {});
  std::vector<api::Connection> connections;
  for (const auto& reference : references) {
    NEXUS_TRY(auto connection, fetch_connection(context, reference));
    connections.push_back(std::move(connection));
  }
  return connections;
}

/// What a person has to do about them.
void tell_ways_out(const Output& output, const std::vector<api::Connection>& connections) {
  for (const auto& c : connections)
    if (c.status == ConnectionStatus::attention_required && !output.json)
      output.note("  run: nexus connect " + c.provider + " --replace " +
                  (c.alias.empty() ? c.id : c.alias));
}

void print(const Output& output, const std::vector<api::Connection>& connections) {
  print_connections(output, connections);
  tell_ways_out(output, connections);
}

int worst_of(const std::vector<api::Connection>& connections) {
  int worst = 0;
  for (const auto& c : connections) worst = std::max(worst, exit_code_for(c.status));
  return worst;
}

/// What makes two looks differ, for a stream that is not redrawn.
std::string facts_of(const std::vector<api::Connection>& connections) {
  std::string facts;
  for (const auto& c : connections)
    facts += c.id + c.alias + word(c.status) + std::to_string(c.expires_at.value_or(0)) +
             c.error_code + c.error_message + "\n";
  return facts;
}

/// Redraws a terminal; elsewhere writes when something has changed. A daemon that does not answer
/// for a while is told, not the end.
Result<int> watch(Context& context, const std::vector<std::string>& references) {
  const CatchInterrupt interruptible;
  const bool redraw = context.output.stdout_is_terminal() && !context.output.json;
  std::string shown;
  for (bool first = true; context.output.written(); first = false) {
    const auto connections = fetch(context, references);
    if (!connections && first) return connections.error();
    const auto facts = connections ? facts_of(*connections) : connections.error().message;
    if (redraw) context.output.result("\033[H\033[2J");
    if (redraw || facts != shown) {
      if (connections) {
        print(context.output, *connections);
      } else {
        context.output.note("nexus: " + connections.error().message);
      }
      shown = facts;
    }
    if (!wait_unless_interrupted(-1, kWatchMs)) return info(ErrorCode::interrupted).exit_code;
  }
  return 0;  // whoever ends the command says that nobody reads any more
}

Result<int> run_status(Context& context, const std::vector<std::string>& references) {
  if (references.empty()) {
    NEXUS_CHECK(print_all_connections(
        context, {}, [&](const auto& page) { tell_ways_out(context.output, page); }));
    return 0;
  }
  NEXUS_TRY(const auto connections, fetch(context, references));
  print(context.output, connections);
  return worst_of(connections);
}

}  // namespace

Command status_command() {
  auto references = std::make_shared<std::vector<std::string>>();
  auto live = std::make_shared<bool>(false);
  return {
      .name = "status",
      .summary = "Show how connections are doing",
      .arguments = {{"connection", references.get(), "conn_… ids, aliases or providers; none: all"},
                    {"--watch", live.get(), "go on showing it, until Ctrl-C"}},
      .action =
          [references, live](Context& context) {
            return *live ? watch(context, *references) : run_status(context, *references);
          },
      .footer =
          "The exit code tells the worst of those named: 0 active, 3 pending,\n"
          "4 attention required, 5 failed."};
}

}  // namespace nexus::cli
