#include <memory>

#include "cli/command.h"
#include "cli/commands/list.h"
#include "cli/interrupt.h"
#include "common/json.h"

namespace nexus::cli {
namespace {

/// What ended it, with what had been done by then.
Error broken_off(const Output& output, std::size_t removed, Error error) {
  output.progress("");
  error.message += "; " + std::to_string(removed) + " removed until then";
  return error;
}

Result<int> run_prune(Context& context, const ListFilter& filter) {
  const CatchInterrupt held;  // what was removed is said
  NEXUS_TRY(const auto failed, fetch_connections(context, filter));
  std::vector<std::string> removed;
  for (const auto& connection : failed) {
    context.output.progress("removing " + std::to_string(removed.size() + 1) + " of " +
                            std::to_string(failed.size()) + " …");
    const auto answer = context.client.call_raw(
        "DELETE", context.client.target("/v1/connections/", connection.id), "");
    if (answer) {
      removed.push_back(connection.id);
    } else if (answer.error().code != ErrorCode::connection_not_found) {  // else it is gone already
      return broken_off(context.output, removed.size(), answer.error());
    }
    if (is_interrupted())
      return broken_off(context.output, removed.size(), {ErrorCode::interrupted, "interrupted"});
  }
  if (!failed.empty()) context.output.progress("");
  if (context.output.json) {
    context.output.json_line(JsonWriter().begin().member("removed", removed).end().take());
    return 0;
  }
  const auto count = removed.size();
  context.output.line(count == 0 ? "there are no failed attempts"
                                 : "removed " + std::to_string(count) + " failed " +
                                       (count == 1 ? "attempt" : "attempts"));
  return 0;
}

}  // namespace

Command prune_command() {
  auto filter = std::make_shared<ListFilter>();
  filter->status = word(ConnectionStatus::failed);
  return {.name = "prune",
          .summary = "Remove the attempts to connect that failed",
          .arguments = {{"--all-workspaces", &filter->all_workspaces, "those of every workspace"}},
          .action = [filter](Context& context) { return run_prune(context, *filter); },
          .footer = "What failed 30 days ago goes by itself.",
          .examples = {"nexus prune", "nexus prune --all-workspaces"}};
}

}  // namespace nexus::cli
