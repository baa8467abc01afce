#include "cli/static_credentials.h"

#include "cli/base64.h"
#include "common/api/token_payload.h"
#include "common/text.h"

namespace nexus::cli {

Result<SecretText> static_secret_in(const SecretText& text) {
  const api::TokenPayload payload(text);
  for (const char* member : {"credential_field", "secret_field"})
    if (const auto field = payload.config(member); !field.empty())
      return payload.credential(field).value_or(SecretText());
  const auto fields = payload.fields();
  if (fields.size() == 1) return payload.credential(fields[0]).value_or(SecretText());
  return Error{
      ErrorCode::usage,
      "this " + payload.strategy() + " connection has several fields: " + join(fields, ", "),
      "name one with --field, or print all with --format json"};
}

Result<Header> static_header_in(const SecretText& text) {
  const api::TokenPayload payload(text);
  if (const auto name = payload.config("header_name");
      !name.empty() && payload.strategy() != "hmac_payload") {
    SecretText value(payload.config("value_prefix"));
    value.append(payload.credential(payload.config("credential_field")).value_or(SecretText()));
    return Header{name, std::move(value)};
  }
  if (payload.strategy() == "basic_auth") {
    auto pair = payload.credential(payload.config("username_field")).value_or(SecretText());
    pair.append(":");
    pair.append(payload.credential(payload.config("password_field")).value_or(SecretText()));
    SecretText value("Basic ");
    return Header{"Authorization", value.append(base64(pair))};
  }
  return Error{ErrorCode::usage,
               "credentials of type " + payload.strategy() + " cannot be put into one header",
               "print them with --format json"};
}

}  // namespace nexus::cli
