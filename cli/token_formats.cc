#include "cli/token_formats.h"

#include "common/api/token_payload.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

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
  NEXUS_TRY(const auto header, header_in(payload, field));
  return header.line().append("\n");
}

Result<SecretText> curl_config(const SecretText& text, const std::string& field) {
  SecretText line;
  const api::TokenPayload payload(text);
  const auto parameter = field.empty() ? payload.config("param_name") : "";
  if (parameter.empty()) {
    NEXUS_TRY(const auto header, header_in(text, field));
    line.append("header = ").append(curl_quoted(header.line()));
  } else {
    NEXUS_TRY(const auto value, credential_in(text, ""));
    // curl encodes what stands behind the '='.
    SecretText pair(percent_encode(parameter));
    line.append("url-query = ").append(curl_quoted(pair.append("=").append(value)));
  }
  return line.append("\n");
}

Result<SecretText> netrc_line(const std::string& host, const Login& login) {
  const auto user = login.username.value_or(kTokenUser);
  NEXUS_CHECK(check_netrc_word(host, "host"));
  NEXUS_CHECK(check_netrc_word(user, "user name"));
  NEXUS_CHECK(check_netrc_word(login.password, "password"));
  SecretText line("machine ");
  line.append(host).append(" login ").append(user).append(" password ").append(login.password);
  return line.append("\n");
}

}  // namespace nexus::cli
