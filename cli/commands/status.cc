#include <algorithm>
#include <map>
#include <memory>

#include "cli/command.h"
#include "cli/commands/list.h"
#include "cli/commands/watch.h"
#include "cli/output/connections.h"
#include "cli/output/pager.h"
#include "cli/output/table.h"
#include "cli/way_out.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

/// Of a time that may be over already.
std::string length(UnixTime seconds) {
  return duration_text(std::max<UnixTime>(seconds, 0));
}

std::string until(UnixTime time) {
  const auto left = time - system_now();
  return left > 0 ? "in " + duration_text(left) : "now";
}

/// How it is doing, in words.
std::string state_of(const api::Connection& c) {
  if (c.status == ConnectionStatus::pending)
    return "pending, " + length(c.expires_at.value_or(0) - system_now()) + " left";
  if (c.status == ConnectionStatus::failed) return "failed " + ago_text(c.updated_at);
  if (!refresh_fails(c)) return word(c.status);
  std::string text = "active, refreshing fails";
  if (c.refresh_failing_since)
    text = "active, refreshing has failed for " + length(system_now() - *c.refresh_failing_since);
  if (c.next_refresh_at) text += ", next try " + until(*c.next_refresh_at);
  return text;
}

std::string reason_of(const api::Connection& c) {
  if (c.error_code.empty()) return {};
  return c.error_message.empty() ? c.error_code : c.error_message;
}

/// What a person has to run.
class WaysOut {
 public:
  explicit WaysOut(Context& context) : context_(context) {}

  /// "" where that is nothing.
  std::string of(const api::Connection& c) {
    if (c.status != ConnectionStatus::attention_required) return {};
    if (c.error_code == word(ConnectionStatus::moving))
      return "nexus disconnect " + name_of(c) +
             " --keep-grant  (its bundle is safe), or: nexus export " + "--take-back " +
             name_of(c) + "  (nobody uses it)";
    const auto connect = "nexus connect " + c.provider + " --replace " + name_of(c);
    const auto [known, is_new] = connectable_.try_emplace(c.provider, true);
    if (is_new) known->second = is_connectable(context_, c.provider);
    return known->second ? connect : after_registering(c.provider, connect);
  }

 private:
  Context& context_;
  std::map<std::string, bool> connectable_;
};

/// All that there is to know of one.
void print_in_full(const Output& output, const api::Connection& c, WaysOut& ways_out) {
  Record lines;
  const auto line = [&](const char* label, const std::string& value) {
    if (!value.empty()) lines.emplace_back(label, value);
  };
  line("connection", name_of(c));
  line("provider", c.provider);
  line("account", c.account);
  lines.emplace_back("status", Words(state_of(c), color_of(c)));
  line("reason", reason_of(c));
  const auto way_out = ways_out.of(c);
  line("to do", way_out.empty() ? "" : "run: " + way_out);
  if (c.status == ConnectionStatus::active) line("token expires", expiry(c));
  line("scopes", join(c.scopes, " "));
  line("used by", c.access ? api::in_words(*c.access) : "");
  if (c.last_refresh_at) line("last refresh", ago_text(*c.last_refresh_at));
  if (c.next_refresh_at && !refresh_fails(c)) line("next refresh", until(*c.next_refresh_at));
  line("workspace", c.workspace);
  if (!c.alias.empty()) line("id", c.id);
  print_record(output, lines);
}

void print_each(Context& context, const std::vector<api::Connection>& connections) {
  WaysOut ways_out(context);
  for (std::size_t i = 0; i < connections.size(); ++i) {
    if (i > 0) context.output.line("");
    print_in_full(context.output, connections[i], ways_out);
  }
}

/// Below the overview: why those are in trouble that are, and what is to be done.
/// The table names them by alias and provider.
void print_troubles(const Output& output, const std::vector<api::Connection>& connections,
                    WaysOut& ways_out) {
  for (const auto& c : connections) {
    const auto reason = reason_of(c);
    if (reason.empty()) continue;
    output.line("");
    print_text(output, {}, (c.alias.empty() ? told_apart(c) : c.alias) + ": " + reason);
    if (const auto way_out = ways_out.of(c); !way_out.empty()) output.line("  run: " + way_out);
  }
}

/// How all of them are doing, at a glance.
class Overview {
 public:
  explicit Overview(Context& context)
      : output_(context.output),
        ways_out_(context),
        table_(output_, {{"ALIAS", 8}, {"PROVIDER", 8}, {"STATE"}}) {}

  void print(std::vector<api::Connection> connections) {
    left_out_ += leave_out_old_failures(connections);
    if (connections.empty()) return;
    std::vector<Cells> rows;
    for (const auto& c : connections) {
      const bool has_token = c.status == ConnectionStatus::active && !refresh_fails(c);
      const auto state = state_of(c) + (has_token ? ", " + expiry_sentence(c) : "");
      rows.push_back({or_dash(c.alias), c.provider, Words(state, color_of(c))});
    }
    table_.print(rows);
    print_troubles(output_, connections, ways_out_);
  }

  bool is_empty() const { return table_.is_empty() && left_out_ == 0; }
  void finish() const { tell_left_out(output_, left_out_); }

 private:
  const Output& output_;
  WaysOut ways_out_;
  Table table_;
  std::size_t left_out_ = 0;
};

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

void finish(Context& context, const Overview& overview) {
  if (overview.is_empty()) return tell_none(context, {});
  overview.finish();
}

void print(Context& context, const std::vector<api::Connection>& connections, bool named) {
  if (context.output.json) return print_json(context.output, connections);
  if (named) return print_each(context, connections);
  Overview overview(context);
  overview.print(connections);
  finish(context, overview);
}

int worst_of(const std::vector<api::Connection>& connections) {
  int worst = 0;
  for (const auto& c : connections) worst = std::max(worst, exit_code_for(c.status));
  return worst;
}

Result<int> run_watch(Context& context, const std::vector<std::string>& references) {
  return watch(context, {.fetch = [&] { return fetch(context, references); },
                         .print =
                             [&](const auto& connections) {
                               print(context, connections, !references.empty());
                             }});
}

Result<int> run_status(Context& context, const std::vector<std::string>& references) {
  page(context.output);
  if (!references.empty()) {
    NEXUS_TRY(const auto connections, fetch(context, references));
    print(context, connections, true);
    return worst_of(connections);
  }
  if (context.output.json) {
    NEXUS_CHECK(print_all_as_json(context, {}));
    return 0;
  }
  Overview overview(context);
  NEXUS_CHECK(each_page(context, {}, [&](auto page) -> Result<void> {
    overview.print(std::move(page));
    return {};
  }));
  finish(context, overview);
  return 0;
}

}  // namespace

Command status_command() {
  auto references = std::make_shared<std::vector<std::string>>();
  auto live = std::make_shared<bool>(false);
  return {.name = "status",
          .summary = "Show how connections are doing, and why",
          .arguments = {{"connection",
                         references.get(),
                         "conn_… ids, aliases or providers; none: all",
                         {.names = Names::connection}},
                        {"--watch", live.get(), "go on showing it, until Ctrl-C"}},
          .action =
              [references, live](Context& context) {
                return *live ? run_watch(context, *references) : run_status(context, *references);
              },
          .footer =
              "The exit code tells the worst of those named: 0 active, 3 pending,\n"
              "4 attention required, 5 failed.",
          .examples = {"nexus status", "nexus status work", "nexus status --watch"}};
}

}  // namespace nexus::cli
