#include "cli/commands/list.h"

#include <algorithm>
#include <map>
#include <memory>

#include "cli/command.h"
#include "cli/output/connections.h"
#include "common/api/daemon_status.h"
#include "common/text.h"
#include "common/workspace_counts.h"

namespace nexus::cli {
namespace {

/// Few enough that neither program grows by a page, many enough that the way there does not count.
constexpr const char* kAtOnce = "500";

Result<void> each_page(
    Context& context, const ListFilter& filter,
    const std::function<Result<void>(const std::vector<api::Connection>& page)>& use) {
  const auto workspace = filter.all_workspaces ? "*" : context.config.workspace;
  const auto target = std::string("/v1/connections?pending=true&limit=") + kAtOnce +
                      "&workspace_id=" + percent_encode(workspace);
  return context.client.each_page(target, [&](std::string_view text) -> Result<bool> {
    NEXUS_TRY(auto page, api::parse_list<api::Connection>(text));
    if (const auto wanted = from_word<ConnectionStatus>(filter.status))
      std::erase_if(page, [&](const api::Connection& each) { return each.status != *wanted; });
    NEXUS_CHECK(use(page));
    return context.output.written().ok();  // nobody would see another page
  });
}

/// Those that a list can show.
std::vector<std::string> statuses() {
  std::vector<std::string> shown;
  for (const auto status : api::DaemonStatus::kCounted) shown.emplace_back(word(status));
  return shown;
}

/// Who sees none here may have them elsewhere. An API key is told of its own workspaces alone.
void tell_of_other_workspaces(Context& context) {
  if (!context.config.url.empty()) return;
  constexpr std::size_t kLookedAt = 500;
  const auto text = context.client.call_raw(
      "GET", "/v1/connections?workspace_id=*&pending=true&limit=" + std::to_string(kLookedAt), "");
  if (!text) return;
  const auto all = api::parse_list<api::Connection>(*text);
  if (!all || all->empty()) return;
  std::map<std::string, std::int64_t> found;
  for (const auto& each : *all) ++found[each.workspace];
  std::vector<std::pair<std::string, std::int64_t>> sorted(found.begin(), found.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  WorkspaceCounts counts{.at_least = all->size() == kLookedAt};
  for (const auto& [workspace, count] : sorted) counts.add(workspace, count);
  context.output.note(to_text(counts) + ": nexus list --all-workspaces");
}

}  // namespace

Result<std::vector<api::Connection>> fetch_connections(Context& context, const ListFilter& filter) {
  std::vector<api::Connection> connections;
  NEXUS_CHECK(each_page(context, filter, [&](const auto& page) -> Result<void> {
    connections.insert(connections.end(), page.begin(), page.end());
    return {};
  }));
  return connections;
}

Result<void> print_all_connections(
    Context& context, const ListFilter& filter,
    const std::function<void(const std::vector<api::Connection>& page)>& seen) {
  ConnectionPrinter printer(context.output);
  bool any = false;
  NEXUS_CHECK(each_page(context, filter, [&](const auto& page) -> Result<void> {
    printer.print(page);
    any = any || !page.empty();
    if (seen) seen(page);
    return {};
  }));
  printer.finish();
  if (!any && !context.output.json && !filter.all_workspaces && filter.status.empty())
    tell_of_other_workspaces(context);
  return {};
}

Command list_command() {
  auto filter = std::make_shared<ListFilter>();
  return {.name = "list",
          .summary = "List the connections of the workspace",
          .arguments = {{"--all-workspaces", &filter->all_workspaces, "those of every workspace"},
                        {"--status",
                         &filter->status,
                         "only those with this status",
                         {.one_of = statuses()}}},
          .action = [filter](Context& context) -> Result<int> {
            NEXUS_CHECK(print_all_connections(context, *filter));
            return 0;
          },
          .alias = "connections"};
}

}  // namespace nexus::cli
