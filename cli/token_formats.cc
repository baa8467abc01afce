#include "cli/token_formats.h"

#include "cli/credential.h"
#include "cli/static_credentials.h"
#include "common/api/token_payload.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

/// Without a line end.
Result<SecretText> header_in(const SecretText& payload, const std::string& field) {
  if (field.empty() && api::is_static_payload(payload)) return static_header_in(payload);
  NEXUS_TRY(const auto token, credential_in(payload, field));
  if (token.find_first_of("\r\n") != SecretText::npos)
    return Error{ErrorCode::usage, "what has several lines is no header",
                 "print it as it is: --format raw"};
  SecretText line("Authorization: Bearer ");
  return line.append(token);
}

/// curl(1), --config: what a backslash stands before inside double quotes.
SecretText curl_quoted(std::string_view text) {
  SecretText out("\"");
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out.append("\"");
}

/// Some readers know quotes and escapes, others take them for what they are.
Result<void> check_netrc_word(std::string_view word, const char* what) {
  constexpr std::string_view odd = " \t\r\n\"\\";
  if (!word.empty() && word[0] != '#' && word.find_first_of(odd) == std::string_view::npos)
    return {};
  return Error{
      ErrorCode::usage,
      std::string("the ") + what +
          (word.empty() ? " is empty" : " has characters that programs read differently in netrc"),
      "give it in another form: token --format header, exec --env"};
}

}  // namespace

Result<SecretText> env_line(const SecretText& payload, const std::string& field) {
  NEXUS_TRY(const auto value, credential_in(payload, field));
  SecretText line("NEXUS_TOKEN=");
  return line.append(shell_quote(value)).append("\n");
}

Result<SecretText> header_line(const SecretText& payload, const std::string& field) {
  NEXUS_TRY(auto line, header_in(payload, field));
  return line.append("\n");
}

Result<SecretText> curl_config(const SecretText& text, const std::string& field) {
  SecretText line;
  const api::TokenPayload payload(text);
  const auto parameter = field.empty() ? payload.config("param_name") : "";
  if (parameter.empty()) {
    NEXUS_TRY(const auto header, header_in(text, field));
    line.append("header = ").append(curl_quoted(header));
  } else {
    NEXUS_TRY(const auto value, credential_in(text, ""));
    // curl encodes what stands behind the '='.
    SecretText pair(percent_encode(parameter));
    line.append("url-query = ").append(curl_quoted(pair.append("=").append(value)));
  }
  return line.append("\n");
}

Result<SecretText> netrc_line(const SecretText& text, const std::string& field,
                              const std::string& host, const std::string& user) {
  const api::TokenPayload payload(text);
  const bool pair = field.empty() && payload.strategy() == "basic_auth";
  SecretText login(user);
  if (user.empty())
    login = pair ? payload.credential(payload.config("username_field")).value_or(SecretText())
                 : SecretText("oauth2");
  NEXUS_TRY(const auto password,
            credential_in(text, pair ? payload.config("password_field") : field));
  NEXUS_CHECK(check_netrc_word(host, "host"));
  NEXUS_CHECK(check_netrc_word(login, "user name"));
  NEXUS_CHECK(check_netrc_word(password, "password"));
  SecretText line("machine ");
  line.append(host).append(" login ").append(login).append(" password ").append(password);
  return line.append("\n");
}

}  // namespace nexus::cli
