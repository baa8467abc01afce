#include "cli/credential.h"

#include "cli/static_credentials.h"
#include "common/api/token_payload.h"
#include "common/text.h"

namespace nexus::cli {

Result<SecretText> credential_in(const SecretText& text, const std::string& field) {
  if (field.empty()) {
    if (api::is_static_payload(text)) return static_secret_in(text);
    if (auto token = api::access_token_in(text)) return *std::move(token);
    return Error{ErrorCode::failure, "the daemon's answer holds no access token",
                 "a daemon of another version may be running; run: nexus daemon restart"};
  }
  const api::TokenPayload payload(text);
  if (auto value = payload.credential(field)) return *std::move(value);
  if (auto value = payload.member(field)) return *std::move(value);
  if (auto value = payload.token_field(field)) return *std::move(value);
  return Error{ErrorCode::usage, "these credentials have no field '" + printable(field, 60) + "'",
               "nexus token CONN --format json shows those there are"};
}

SecretText Header::line() const {
  SecretText text(name);
  return text.append(": ").append(value);
}

Result<Header> header_in(const SecretText& text, const std::string& field) {
  Header header{"Authorization", SecretText("Bearer ")};
  if (field.empty() && api::is_static_payload(text)) {
    NEXUS_TRY(header, static_header_in(text));
  } else {
    NEXUS_TRY(const auto token, credential_in(text, field));
    header.value.append(token);
  }
  if (header.value.find_first_of("\r\n") == SecretText::npos) return header;
  return Error{ErrorCode::usage, "what has several lines is no header",
               "print it as it is: --format raw"};
}

Result<Login> login_in(const SecretText& text, const std::string& field) {
  Login login;
  const api::TokenPayload payload(api::is_static_payload(text) ? std::string_view(text) : "{}");
  if (field.empty() && payload.strategy() == "basic_auth") {
    const auto member = [&](const char* setting) {
      return payload.credential(payload.config(setting)).value_or(SecretText());
    };
    login = {std::string(std::string_view(member("username_field"))), member("password_field")};
  } else {
    NEXUS_TRY(login.password, credential_in(text, field));
  }
  return login;
}

}  // namespace nexus::cli
