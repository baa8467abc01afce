#include "common/api/error.h"

#include <nlohmann/json.hpp>

#include "common/json.h"

namespace nexus::api {

Json to_json(const Error& error) {
  const auto& about = info(error.code);
  Json json{{"status", about.status},
            {"code", about.wire},
            {"error", about.wire},
            {"message", error.message}};
  if (!error.hint.empty()) json["hint"] = error.hint;
  if (!error.connection_id.empty()) json["connection_id"] = error.connection_id;
  if (!error.provider.empty()) json["provider"] = error.provider;
  if (!error.field.empty()) json["field"] = error.field;
  if (error.retry_after_s > 0) json["retry_after"] = error.retry_after_s;
  if (error.code == ErrorCode::attention_required) json["detail"] = error.message;
  return json;
}

Error error_from_json(const Json& json) {
  const auto text = [&](const char* name) { return text_member(json, name).value_or(""); };
  return {error_from_wire(text("code"), text("status")),
          text("message"),
          text("hint"),
          text("connection_id"),
          text("provider"),
          text("field")};
}

}  // namespace nexus::api
