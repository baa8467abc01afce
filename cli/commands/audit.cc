#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "cli/commands/audit.h"
#include "cli/interrupt.h"
#include "cli/output/connections.h"
#include "cli/output/pager.h"
#include "cli/output/table.h"
#include "common/api/audit_record.h"
#include "common/id.h"
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

Result<bool> is_on_record(Context& context, const std::string& subject) {
  NEXUS_TRY(const auto text,
            context.client.call_raw(
                "GET", "/v1/audit?limit=1&resource_id=" + percent_encode(subject), ""));
  NEXUS_TRY(const auto events, api::parse_list<api::AuditRecord>(text));
  return !events.empty();
}

/// What the log calls it: a connection's id, also of one that is gone, or a provider's name.
Result<std::string> subject_of(Context& context, const std::string& reference) {
  if (reference.empty() || is_connection_id(reference)) return reference;
  const auto found = fetch_connection(context, reference);
  if (found && lower(found->alias) == lower(reference)) return found->id;
  if (found) return found->provider;
  const auto provider = lower(reference);
  if (found.error().code == ErrorCode::connection_ambiguous) return provider;
  if (found.error().code != ErrorCode::connection_not_found) return found.error();
  NEXUS_TRY(const bool was_there, is_on_record(context, provider));
  if (!was_there) return found.error();
  return provider;
}

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

/// A process with its program, and its user where that is not the one who asks.
std::string process_of(const api::AuditRecord& event) {
  auto pid = "pid " + std::to_string(event.pid);
  if (!event.exe.empty()) pid += " " + event.exe;
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
  print_text(output, {}, above);
  print_text(output, {"    "}, below);
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

/// As /v1/audit tells it, but for the object which is a text there.
void add(JsonWriter& to, const api::AuditRecord& event) {
  const auto known = [](const api::Reader&) { return Result<void>(); };
  to.begin()
      .member("id", std::to_string(event.sequence))
      .member_or_null("connection_id", event.connection_id)
      .member("event_type", event.event)
      .member("ip_address", event.address)
      .member("user_agent", event.agent)
      .member("created_at", event.created_at);
  if (api::read_object(event.data, known))
    to.member_json("event_data", event.data);
  else
    to.member("event_data", event.data);
  to.end();
}

std::string events_json(const std::vector<api::AuditRecord>& events) {
  JsonWriter to;
  to.begin().begin_list("events");
  for (const auto& event : events) add(to, event);
  return to.end_list().end().take();
}

std::string event_json(const api::AuditRecord& event) {
  JsonWriter to;
  add(to, event);
  return to.take();
}

void print_events(const Context& context, const std::vector<api::AuditRecord>& events,
                  bool follow) {
  const auto& output = context.output;
  if (output.json && !follow) return output.json_line(events_json(events));
  if (!follow && !output.stdout_is_terminal()) return print_table(output, events);
  for (const auto& event : events) {
    if (output.json) {
      output.json_line(event_json(event));
    } else if (output.stdout_is_terminal()) {
      print_on_terminal(output, event);
    } else {
      output.line(join(row_of(event), "  "));
    }
  }
}

Result<int> run_audit(Context& context, AuditArgs args) {
  NEXUS_TRY(args.connection, subject_of(context, args.connection));
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
  if (!args.follow) page(context.output);
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

/// Of a part it could not be told whether it is all.
Result<int> run_verify(Context& context, const AuditArgs& args) {
  const bool is_all =
      args.since.empty() && args.event.empty() && args.connection.empty() && !args.follow;
  if (is_all) return verify_audit_log(context);
  return Error{ErrorCode::usage, "all records are verified together", "run: nexus audit verify"};
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
                "only this connection (conn_… id or alias), or this provider",
                {.names = Names::connection}},
               {"--limit", &args->limit, "how many of the newest", {.between = {{1, kMostAtOnce}}}},
               {"--follow", &args->follow, "go on with what happens from now on"}},
          .action = [args](Context& context) { return run_audit(context, *args); },
          .examples = {"nexus audit --since 2h", "nexus audit --event token_retrieved --limit 200",
                       "nexus audit --follow"},
          .commands = {{.name = "verify",
                        .summary = "Check that no record was altered, added or taken away",
                        .action = [args](Context& context) { return run_verify(context, *args); },
                        .examples = {"nexus audit verify"}}}};
}

}  // namespace nexus::cli
