#include "common/api/error.h"

namespace nexus::api {

void write(JsonWriter& to, const Error& error) {
  const auto& about = info(error.code);
  to.member("status", about.status)
      .member("code", about.wire)
      .member("error", about.wire)
      .member("message", error.message);
  const auto text = [&to](const char* name, const std::string& value) {
    if (!value.empty()) to.member(name, value);
  };
  text("hint", error.hint);
  text("connection_id", error.connection_id);
  text("provider", error.provider);
  text("field", error.field);
  if (error.retry_after_s > 0) to.member("retry_after", error.retry_after_s);
  if (error.device_supported) to.flag("device_supported", true);
  if (!error.nonce.empty())
    to.begin("confirmation").member("question", error.question).member("nonce", error.nonce).end();
  if (error.code == ErrorCode::attention_required) to.member("detail", error.message);
}

std::string error_json(const Error& error) {
  JsonWriter to;
  to.begin();
  write(to, error);
  return to.end().take();
}

std::optional<Error> error_in(std::string_view answer) {
  std::optional<Error> error;
  static_cast<void>(read_object(answer, [&error](const Reader& from) -> Result<void> {
    error = Error{error_from_wire(from.text("code"), from.text("status")),
                  from.text("message"),
                  from.text("hint"),
                  from.text("connection_id"),
                  from.text("provider"),
                  from.text("field")};
    error->device_supported = from.flag("device_supported");
    from.object("confirmation", [&error](const Reader& confirmation) {
      error->question = confirmation.text("question");
      error->nonce = confirmation.text("nonce");
    });
    return {};
  }));
  return error;
}

}  // namespace nexus::api
