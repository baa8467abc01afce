#include <memory>

#include "cli/command.h"
#include "cli/commands/list.h"
#include "common/json.h"

namespace nexus::cli {
namespace {

Result<int> run_prune(Context& context, const ListFilter& filter) {
  NEXUS_TRY(const auto failed, fetch_connections(context, filter));
  std::vector<std::string> removed;
  for (const auto& connection : failed) {
    context.output.progress("removing " + std::to_string(removed.size() + 1) + " of " +
                            std::to_string(failed.size()) + " …");
    const auto answer = context.client.call_raw(
        "DELETE", context.client.target("/v1/connections/", connection.id), "");
    if (!answer) {
      context.output.progress("");
      return answer.error();
    }
    removed.push_back(connection.id);
  }
  if (!failed.empty()) context.output.progress("");
  if (context.output.json) {
    context.output.json_line(JsonWriter().begin().member("removed", removed).end().take());
    return 0;
  }
  const auto count = removed.size();
  context.output.result(count == 0 ? "there are no failed attempts\n"
                                   : "removed " + std::to_string(count) + " failed " +
                                         (count == 1 ? "attempt" : "attempts") + "\n");
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
