#include <algorithm>

#include "common/api/audit_record.h"
#include "common/rfc3339.h"
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

std::string stored_name(const std::string& event) {
  for (const auto& [other, name] : kOtherNames)
    if (event == other) return name;
  return event;
}

Result<std::optional<UnixTime>> time_of(const http::Request& request, const char* name) {
  const auto text = request.query_value(name);
  if (text.empty()) return std::optional<UnixTime>();
  if (const auto seconds = parse_number(text)) return std::optional<UnixTime>(*seconds);
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
  filter.event = stored_name(request.query_value("event_type"));
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

}  // namespace nexus::api
