#include <poll.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "common/json.h"
#include "common/rfc3339.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

constexpr int kFollowMs = 1000;
constexpr int kMostAtOnce = 1000;

struct AuditArgs {
  std::string since;
  std::string event;
  std::string connection;
  int limit = 50;
  bool follow = false;
};

/// "2h" ago, a point in time, or Unix seconds, as the daemon takes it.
Result<std::string> since_text(const std::string& since) {
  if (since.empty() || parse_rfc3339(since)) return since;
  NEXUS_TRY(const auto seconds, parse_duration(since));
  return std::to_string(system_now() - seconds);
}

std::int64_t sequence_of(const Json& event) {
  return parse_number(text_member(event, "id").value_or("")).value_or(0);
}

/// Oldest first, as one reads.
Result<std::vector<Json>> fetch_events(Context& context, const AuditArgs& args, int limit) {
  NEXUS_TRY(const auto since, since_text(args.since));
  std::string target = "/v1/audit?limit=" + std::to_string(limit);
  for (const auto& [name, value] : {std::pair<const char*, const std::string&>("since", since),
                                    {"event_type", args.event},
                                    {"resource_id", args.connection}})
    if (!value.empty()) target += std::string("&") + name + "=" + percent_encode(value);
  NEXUS_TRY(const auto list, context.client.get(target));
  std::vector<Json> events(list.begin(), list.end());
  std::reverse(events.begin(), events.end());
  return events;
}

/// Who caused it: an API key, a process of the daemon's user, or nexusd itself.
std::string who(const Json& event, const Json& data) {
  const auto text = [&](const char* name) { return text_member(data, name).value_or(""); };
  const auto address = text_member(event, "ip_address").value_or("");
  if (!text("key").empty()) return "key " + text("key") + " from " + address;
  if (text("via") == "control_socket") return "pid " + std::to_string(data.value("pid", 0));
  return text("via") + (address.empty() ? "" : " from " + address);
}

std::vector<std::string> row_of(const Json& event) {
  const auto text = [&](const char* name) { return text_member(event, name).value_or(""); };
  auto data = Json::parse(text("event_data"), nullptr, false);
  if (!data.is_object()) data = Json::object();
  const auto about = [&](const char* name) {
    const auto value = text_member(data, name).value_or("");
    return value.empty() ? std::string("-") : printable(value, 200);
  };
  const auto connection = text("connection_id");
  return {text("created_at"), printable(text("event_type"), 60),
          about("outcome"),   connection.empty() ? "-" : connection,
          about("provider"),  printable(who(event, data), 80),
          about("detail")};
}

void print_events(const Context& context, const std::vector<Json>& events, bool follow) {
  if (context.output.json && !follow) return context.output.json_line({{"events", events}});
  if (!follow) {
    std::vector<std::vector<std::string>> rows;
    for (const auto& event : events) rows.push_back(row_of(event));
    return context.output.table(
        {"TIME", "EVENT", "OUTCOME", "CONNECTION", "PROVIDER", "WHO", "DETAIL"}, rows);
  }
  for (const auto& event : events) {
    if (context.output.json) {
      context.output.json_line(event);
    } else {
      context.output.result(join(row_of(event), "  ") + "\n");
    }
  }
}

Result<int> run_audit(Context& context, const AuditArgs& args) {
  NEXUS_TRY(auto events, fetch_events(context, args, args.limit));
  if (events.empty() && !args.follow && !context.output.json) {
    context.output.note("nothing is on record for this");
    return 0;
  }
  print_events(context, events, args.follow);
  auto last = events.empty() ? 0 : sequence_of(events.back());
  while (args.follow) {
    poll(nullptr, 0, kFollowMs);
    NEXUS_TRY(events, fetch_events(context, args, kMostAtOnce));
    std::erase_if(events, [&](const Json& event) { return sequence_of(event) <= last; });
    print_events(context, events, true);
    if (!events.empty()) last = sequence_of(events.back());
  }
  return 0;
}

}  // namespace

Command audit_command() {
  auto args = std::make_shared<AuditArgs>();
  return {
      .name = "audit",
      .summary = "Show what happened, and who did it",
      .arguments =
          {{"--since", &args->since, "2h, 7d, or a time such as 2026-01-31T00:00:00Z"},
           {"--event", &args->event, "only this event, for example token_retrieved"},
           {"--connection", &args->connection, "only this connection's id (or provider's name)"},
           {"--limit", &args->limit, "how many of the newest", {.between = {{1, kMostAtOnce}}}},
           {"--follow", &args->follow, "go on with what happens from now on"}},
      .action = [args](Context& context) { return run_audit(context, *args); }};
}

}  // namespace nexus::cli
