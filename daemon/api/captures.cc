#include "common/json.h"
#include "common/text.h"
#include "daemon/api/capture_json.h"
#include "daemon/api/handlers.h"

namespace nexus::api {

std::string form_as_json(const CaptureForm& form) {
  // Some clients want the schema bare, others wrapped: the union serves both.
  JsonWriter json;
  json.begin().member("provider_name", form.provider).member("connection_id", form.connection_id);
  json.begin("schema");
  form.schema.write(json);
  json.end();
  form.schema.write(json);
  return json.end().take();
}

Error error_of(const std::vector<FieldFault>& faults) {
  std::vector<std::string> said;
  for (const auto& [field, fault] : faults) said.push_back(field + " " + fault);
  Error error{ErrorCode::invalid_credentials, join(said, "; "), "correct them and try again"};
  if (faults.size() == 1) error.field = faults[0].first;
  return error;
}

Result<Reply> capture_schema(Services& services, const http::Request& request, const Arguments&) {
  NEXUS_TRY(const auto form, services.captures.form(request.query_value("state")));
  return Reply{form_as_json(form)};
}

Result<Reply> capture_credential(Services& services, const http::Request& request,
                                 const Arguments&) {
  NEXUS_TRY(auto body, parse_json_object(request.body));
  auto* credentials = object_member(*body, "credentials");
  if (!credentials)
    return Error{ErrorCode::missing_fields, "credentials is missing",
                 "send {\"state\":…,\"credentials\":{…}}"};
  NEXUS_TRY(const auto captured,
            services.captures.complete(text_member(*body, "state").value_or(""), *credentials,
                                       request.caller));
  if (!captured.faults.empty()) return error_of(captured.faults);
  return Reply{JsonWriter()
                   .begin()
                   .member("connection_id", captured.outcome.connection_id)
                   .member("status", "success")
                   .member("redirect_url", captured.outcome.redirect_to)
                   .end()
                   .take()};
}

}  // namespace nexus::api
