#include "cli/commands/list.h"

#include <algorithm>
#include <map>
#include <memory>

#include "cli/command.h"
#include "cli/output/connections.h"
#include "cli/output/pager.h"
#include "cli/output/table.h"
#include "common/api/daemon_status.h"
#include "common/text.h"
#include "common/workspace_counts.h"

namespace nexus::cli {
namespace {

/// Few enough that neither program grows by a page, many enough that the way there does not count.
constexpr const char* kAtOnce = "500";
/// Seconds for which an attempt that failed is shown: as long as somebody may wonder about it.
constexpr UnixTime kFailureIsNews = 24 * 3600;

/// So much of a name tells it from others.
constexpr std::size_t kLeastName = 8;

struct ListArgs {
  ListFilter filter;
  bool wide = false;
};

/// Those that a list can show.
std::vector<std::string> statuses() {
  std::vector<std::string> shown;
  for (const auto status : api::DaemonStatus::kCounted) shown.emplace_back(word(status));
  return shown;
}

Table table_for(const Output& output, const ListArgs& args) {
  const std::size_t least = args.wide ? 0 : kLeastName;
  std::vector<Column> columns{{"ALIAS", least}};
  if (args.filter.all_workspaces) columns.push_back({"WORKSPACE", least});
  columns.insert(columns.end(), {{"PROVIDER", least}, {"ACCOUNT", least}, {"STATUS"}, {"EXPIRES"}});
  if (args.wide) columns.insert(columns.end(), {{"CONNECTION"}, {"SCOPES"}});
  return {output, std::move(columns)};
}

Cells row_of(const api::Connection& c, const ListArgs& args) {
  Cells row{or_dash(c.alias)};
  if (args.filter.all_workspaces) row.emplace_back(c.workspace);
  row.emplace_back(c.provider);
  row.emplace_back(or_dash(c.account));
  row.emplace_back(refresh_fails(c) ? "refresh fails" : word(c.status), color_of(c));
  row.emplace_back(expiry(c));
  if (!args.wide) return row;
  row.emplace_back(c.id);
  row.emplace_back(or_dash(join(c.scopes, " ")));
  return row;
}

Result<int> run_list(Context& context, const ListArgs& args) {
  if (context.output.json) {
    NEXUS_CHECK(print_all_as_json(context, args.filter));
    return 0;
  }
  page(context.output);
  auto table = table_for(context.output, args);
  std::size_t left_out = 0;
  NEXUS_CHECK(each_page(context, args.filter, [&](auto page) -> Result<void> {
    if (args.filter.status.empty()) left_out += leave_out_old_failures(page);
    std::vector<Cells> rows;
    for (const auto& connection : page) rows.push_back(row_of(connection, args));
    if (!rows.empty()) table.print(rows);
    return {};
  }));
  if (table.is_empty() && left_out == 0) tell_none(context, args.filter);
  tell_left_out(context.output, left_out);
  return 0;
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

Result<void> each_page(Context& context, const ListFilter& filter,
                       const std::function<Result<void>(std::vector<api::Connection> page)>& use) {
  const auto workspace = filter.all_workspaces ? "*" : context.config.workspace;
  const auto target = std::string("/v1/connections?pending=true&limit=") + kAtOnce +
                      "&workspace_id=" + percent_encode(workspace);
  return context.client.each_page(target, [&](std::string_view text) -> Result<bool> {
    NEXUS_TRY(auto page, api::parse_list<api::Connection>(text));
    if (const auto wanted = from_word<ConnectionStatus>(filter.status))
      std::erase_if(page, [&](const api::Connection& each) { return each.status != *wanted; });
    NEXUS_CHECK(use(std::move(page)));
    return context.output.written().ok();  // nobody would see another page
  });
}

Result<std::vector<api::Connection>> fetch_connections(Context& context, const ListFilter& filter) {
  std::vector<api::Connection> connections;
  NEXUS_CHECK(each_page(context, filter, [&](auto page) -> Result<void> {
    std::move(page.begin(), page.end(), std::back_inserter(connections));
    return {};
  }));
  return connections;
}

Result<void> print_all_as_json(Context& context, const ListFilter& filter) {
  ConnectionsJson json(context.output);
  NEXUS_CHECK(each_page(context, filter, [&](const auto& page) -> Result<void> {
    json.print(page);
    return {};
  }));
  json.finish();
  return {};
}

std::size_t leave_out_old_failures(std::vector<api::Connection>& connections) {
  const auto since = system_now() - kFailureIsNews;
  return std::erase_if(connections, [since](const api::Connection& each) {
    return each.status == ConnectionStatus::failed && each.updated_at < since;
  });
}

void tell_left_out(const Output& output, std::size_t count) {
  if (count == 0) return;
  output.note(std::to_string(count) + " older failed " + (count == 1 ? "attempt" : "attempts") +
              " not shown; see: nexus list --status failed");
}

void tell_none(Context& context, const ListFilter& filter) {
  const auto& output = context.output;
  if (!filter.status.empty()) return output.note("no connection is " + filter.status);
  output.note("no connections yet; make one with: nexus connect PROVIDER");
  if (!filter.all_workspaces) tell_of_other_workspaces(context);
}

void print_as_list(const Output& output, const std::vector<api::Connection>& connections,
                   const std::string& workspace) {
  ListArgs args;
  args.filter.all_workspaces =
      std::any_of(connections.begin(), connections.end(),
                  [&](const api::Connection& each) { return each.workspace != workspace; });
  std::vector<Cells> rows;
  for (const auto& connection : connections) rows.push_back(row_of(connection, args));
  table_for(output, args).print(rows);
}

Command list_command() {
  auto args = std::make_shared<ListArgs>();
  auto& filter = args->filter;
  return {.name = "list",
          .summary = "List the connections of the workspace",
          .arguments =
              {{"--all-workspaces", &filter.all_workspaces, "those of every workspace"},
               {"--status", &filter.status, "only those with this status", {.one_of = statuses()}},
               {"--wide", &args->wide, "with ids and scopes, and nothing shortened"}},
          .action = [args](Context& context) { return run_list(context, *args); },
          .alias = "connections",
          .examples = {"nexus list", "nexus list --status attention_required", "nexus list --wide",
                       "nexus list --all-workspaces --json"}};
}

}  // namespace nexus::cli
