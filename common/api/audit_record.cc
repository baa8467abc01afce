#include "common/api/audit_record.h"

#include "common/text.h"

namespace nexus::api {

Result<void> read(const Reader& from, AuditRecord& into) {
  into.sequence = parse_number(from.text("id")).value_or(0);
  into.event = from.text("event_type");
  into.connection_id = from.text("connection_id");
  into.address = from.text("ip_address");
  into.agent = from.text("user_agent");
  into.created_at = from.text("created_at");
  into.data = from.text("event_data");
  // Where that is unreadable the rest of the record is not.
  static_cast<void>(read_object(into.data, [&into](const Reader& data) -> Result<void> {
    into.outcome = data.text("outcome");
    into.provider = data.text("provider");
    into.detail = data.text("detail");
    into.key = data.text("key");
    into.via = data.text("via");
    into.uid = data.number("uid").value_or(-1);
    into.pid = data.number("pid").value_or(0);
    into.exe = data.text("exe");
    return {};
  }));
  return {};
}

void write(JsonWriter& to, const AuditRecord& record) {
  to.member("id", std::to_string(record.sequence))
      .member_or_null("connection_id", record.connection_id)
      .member("event_type", record.event)
      .member("ip_address", record.address)
      .member("user_agent", record.agent)
      .member("created_at", record.created_at)
      .member("event_data", record.data);
}

}  // namespace nexus::api
