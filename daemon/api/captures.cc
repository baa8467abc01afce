#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/text.h"
#include "daemon/api/capture_json.h"
#include "daemon/api/handlers.h"

namespace nexus::api {

Json form_as_json(const CaptureForm& form) {
  // Some clients want the schema bare, others wrapped: the union serves both.
  const auto schema = form.schema.to_json();
  return {{"provider_name", form.provider},
          {"connection_id", form.connection_id},
          {"schema", schema},
          {"type", schema["type"]},
          {"required", schema["required"]},
          {"properties", schema["properties"]}};
}

Error error_of(const std::vector<FieldFault>& faults) {
  std::vector<std::string> said;
  for (const auto& [field, fault] : faults) said.push_back(field + " " + fault);
  return {ErrorCode::invalid_credentials, join(said, "; "), "correct them and try again"};
}

Result<Reply> capture_schema(Services& services, const http::Request& request, const Arguments&) {
  NEXUS_TRY(const auto form, services.captures.form(request.query_value("state")));
  return Reply{form_as_json(form)};
}

Result<Reply> capture_credential(Services& services, const http::Request& request,
                                 const Arguments&) {
  NEXUS_TRY(auto body, read_body(request));
  const auto credentials = body.find("credentials");
  if (credentials == body.end() || !credentials->is_object())
    return Error{ErrorCode::missing_fields, "credentials is missing",
                 "send {\"state\":…,\"credentials\":{…}}"};
  NEXUS_TRY(const auto captured, services.captures.complete(text_member(body, "state").value_or(""),
                                                            *credentials, request.caller));
  if (!captured.faults.empty()) return error_of(captured.faults);
  return Reply{{{"connection_id", captured.outcome.connection_id},
                {"status", "success"},
                {"redirect_url", captured.outcome.redirect_to}}};
}

}  // namespace nexus::api
