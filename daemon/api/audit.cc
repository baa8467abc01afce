#include <algorithm>

#include "common/api/audit_record.h"
#include "common/api/words.h"
#include "common/rfc3339.h"
#include "common/suggestion.h"
#include "common/text.h"
#include "daemon/api/handlers.h"
#include "daemon/api/paging.h"

namespace nexus::api {
namespace {

constexpr std::int64_t kDefaultLimit = 50;
constexpr std::int64_t kMostRows = 1000;

/// Both the names of the published documentation and those of its code are in use.
constexpr std::pair<const char*, const char*> kOtherNames[] = {
    {"token.retrieved", "token_retrieved"},
    {"token.retrieval_failed", "token_retrieval_failed"},
    {"token.refreshed", "token_refreshed"},
    {"connection.completed", "oauth_flow_completed"},
    {"connection_created", "connection.created"},
    {"connection_revoked", "connection.revoked"},
    {"provider_created", "provider.created"},
    {"provider_updated", "provider.updated"},
    {"provider_deleted", "provider.deleted"}};

/// The event that is asked for by any of its names, "" for all of them.
Result<std::string> event_in(const http::Request& request) {
  const auto asked = request.query_value("event_type");
  if (asked.empty()) return asked;
  for (const auto& [other, name] : kOtherNames)
    if (asked == other) return std::string(name);
  const auto stored = words<AuditEvent>();
  if (std::find(stored.begin(), stored.end(), asked) != stored.end()) return asked;
  std::vector<std::string> known(stored.begin(), stored.end());
  for (const auto& [other, name] : kOtherNames) known.emplace_back(other);
  const auto meant = suggestions(asked, known);
  return Error{ErrorCode::invalid_field,
               "'" + printable(asked, 80) + "' is no event that is recorded",
               meant.empty() ? "it is one of: " + join({stored.begin(), stored.end()}, ", ")
                             : "did you mean: " + join(meant, ", ")};
}

Result<std::optional<UnixTime>> time_of(const http::Request& request, const char* name) {
  const auto text = request.query_value(name);
  if (text.empty()) return std::optional<UnixTime>();
  if (const auto seconds = parse_number(text)) return seconds;
  if (const auto time = parse_rfc3339(text)) return time;
  return Error{ErrorCode::invalid_since, std::string(name) + " is not a time",
               "give RFC 3339, for example 2026-01-31T00:00:00Z, or Unix seconds"};
}

Result<std::int64_t> number_of(const http::Request& request, const char* name,
                               std::int64_t otherwise) {
  const auto text = request.query_value(name);
  if (text.empty()) return otherwise;
  if (const auto number = parse_number(text)) return *number;
  return Error{ErrorCode::invalid_field, std::string(name) + " is not a number",
               "give a whole number"};
}

/// The record as it was written; what a record of /v1/audit names stands beside the rest.
AuditRecord describe(const AuditLog::Entry& entry) {
  AuditRecord record;
  record.sequence = entry.sequence;
  record.created_at = rfc3339(0);
  // Until it has been read as one that nexusd wrote.
  record.event = "record_damaged";
  record.data = R"({"detail":"the record was altered or damaged"})";
  static_cast<void>(read_object(entry.record, [&](const Reader& from) -> Result<void> {
    record.connection_id = from.text("connection");
    record.event = from.text("event");
    record.address = from.text("peer");
    record.agent = from.text("agent");
    record.created_at = rfc3339(from.number("at").value_or(0));
    record.data = from.without({"connection", "event", "peer", "agent", "at", "v"});
    return {};
  }));
  return record;
}

}  // namespace

Result<Reply> list_audit(Services& services, const http::Request& request, const Arguments&) {
  AuditLog::Filter filter;
  NEXUS_TRY(filter.event, event_in(request));
  filter.subject = request.query_value("resource_id");
  NEXUS_TRY(filter.since, time_of(request, "since"));
  NEXUS_TRY(filter.until, time_of(request, "until"));
  NEXUS_TRY(const auto limit, number_of(request, "limit", kDefaultLimit));
  NEXUS_TRY(filter.offset, number_of(request, "offset", 0));
  filter.limit = std::min(limit, kMostRows);
  if (const auto cursor = request.query_value("cursor"); !cursor.empty()) {
    NEXUS_TRY(filter.before, number_of(request, "cursor", 0));
    filter.offset = 0;  // the cursor says it all
  }
  NEXUS_TRY(const auto entries, services.audit.find(filter));
  std::vector<AuditRecord> list;
  for (const auto& entry : entries) list.push_back(describe(entry));
  return paged(list, request, {"", filter.limit},
               entries.empty() ? "" : std::to_string(entries.back().sequence));
}

Result<Reply> verify_audit(Services& services, const http::Request&, const Arguments&) {
  NEXUS_TRY(const auto verdict, services.audit.verify());
  return Reply{.body = to_json(verdict)};
}

}  // namespace nexus::api
