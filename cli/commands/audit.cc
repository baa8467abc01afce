#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/output/table.h"
#include "common/api/audit_record.h"
#include "common/text.h"
#include "common/times.h"

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

/// Oldest first, as one reads. `since`: Unix seconds, "" for all.
Result<std::vector<api::AuditRecord>> fetch_events(Context& context, const AuditArgs& args,
                                                   const std::string& since, int limit) {
  std::string target = "/v1/audit?limit=" + std::to_string(limit);
  for (const auto& [name, value] : {std::pair<const char*, const std::string&>("since", since),
                                    {"event_type", args.event},
                                    {"resource_id", args.connection}})
    if (!value.empty()) target += std::string("&") + name + "=" + percent_encode(value);
  NEXUS_TRY(const auto text, context.client.call_raw("GET", target, ""));
  NEXUS_TRY(auto events, api::parse_list<api::AuditRecord>(text));
  std::reverse(events.begin(), events.end());
  return events;
}

/// A process, and its user where that is not the one who asks.
std::string process_of(const api::AuditRecord& event) {
  const auto pid = "pid " + std::to_string(event.pid);
  if (event.uid < 0 || event.uid == static_cast<std::int64_t>(geteuid())) return pid;
  return "uid " + std::to_string(event.uid) + " " + pid;
}

/// Who caused it: an API key, a process at the control socket, or nexusd itself.
std::string who(const api::AuditRecord& event) {
  if (!event.key.empty()) return "key " + event.key + " from " + event.address;
  if (event.via == "control_socket") return process_of(event);
  return event.via + (event.address.empty() ? "" : " from " + event.address);
}

std::vector<std::string> row_of(const api::AuditRecord& event) {
  return {
      event.created_at,        event.event, or_dash(event.outcome), or_dash(event.connection_id),
      or_dash(event.provider), who(event),  or_dash(event.detail)};
}

/// What a terminal has no columns for stands below.
void print_on_terminal(const Output& output, const api::AuditRecord& event) {
  std::string above = event.created_at;
  for (const auto& text : {event.event, event.outcome, event.provider})
    if (!text.empty()) above += "  " + text;
  std::string below;
  if (!event.connection_id.empty()) below = event.connection_id + ", ";
  below += who(event);
  if (!event.detail.empty()) below += ": " + event.detail;
  print_text(output, "", above);
  print_text(output, "    ", below);
}

void print_table(const Output& output, const std::vector<api::AuditRecord>& events) {
  std::vector<Cells> rows;
  for (const auto& event : events) {
    const auto texts = row_of(event);
    rows.emplace_back(texts.begin(), texts.end());
  }
  Table(output,
        {{"TIME"}, {"EVENT"}, {"OUTCOME"}, {"CONNECTION"}, {"PROVIDER"}, {"WHO"}, {"DETAIL"}})
      .print(rows);
}

void print_events(const Context& context, const std::vector<api::AuditRecord>& events,
                  bool follow) {
  const auto& output = context.output;
  if (output.json && !follow)
    return output.json_line(
        JsonWriter().begin().member_json("events", api::to_json(events)).end().take());
  if (!follow && !output.stdout_is_terminal()) return print_table(output, events);
  for (const auto& event : events) {
    if (output.json) {
      output.json_line(api::to_json(event));
    } else if (output.stdout_is_terminal()) {
      print_on_terminal(output, event);
    } else {
      output.line(join(row_of(event), "  "));
    }
  }
}

Result<int> run_audit(Context& context, const AuditArgs& args) {
  std::optional<CatchInterrupt> interruptible;
  if (args.follow) interruptible.emplace();
  std::string since;
  if (!args.since.empty()) {
    NEXUS_TRY(const auto time, parse_time(args.since, system_now(), Towards::past));
    since = std::to_string(std::max<UnixTime>(time, 0));
  }
  NEXUS_TRY(auto events, fetch_events(context, args, since, args.limit));
  if (events.empty() && !args.follow && !context.output.json) {
    context.output.note("nothing is on record for this");
    return 0;
  }
  print_events(context, events, args.follow);
  auto last = events.empty() ? 0 : events.back().sequence;
  while (args.follow && context.output.written()) {
    if (!wait_unless_interrupted(-1, kFollowMs)) return info(ErrorCode::interrupted).exit_code;
    NEXUS_TRY(events, fetch_events(context, args, since, kMostAtOnce));
    std::erase_if(events, [&](const auto& event) { return event.sequence <= last; });
    print_events(context, events, true);
    if (!events.empty()) last = events.back().sequence;
  }
  return 0;
}

}  // namespace

Command audit_command() {
  auto args = std::make_shared<AuditArgs>();
  return {.name = "audit",
          .summary = "Show what happened, and who did it",
          .arguments =
              {{"--since",
                &args->since,
                "2h, 7d, yesterday, 2026-01-31, 14:30, or an RFC 3339 time",
                {.value = "TIME"}},
               {"--event",
                &args->event,
                "only this event, for example token_retrieved",
                {.names = Names::audit_event}},
               {"--connection",
                &args->connection,
                "only this connection's id (or provider's name)",
                {.names = Names::connection_id}},
               {"--limit", &args->limit, "how many of the newest", {.between = {{1, kMostAtOnce}}}},
               {"--follow", &args->follow, "go on with what happens from now on"}},
          .action = [args](Context& context) { return run_audit(context, *args); },
          .examples = {"nexus audit --since 2h", "nexus audit --event token_retrieved --limit 200",
                       "nexus audit --follow"}};
}

}  // namespace nexus::cli
