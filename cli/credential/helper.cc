#include "cli/credential/helper.h"

#include <unistd.h>

#include <array>
#include <cerrno>

#include "cli/credential.h"
#include "cli/static_credentials.h"
#include "common/api/token_payload.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

constexpr std::size_t kLongestRequest = 64 * 1024;

bool is_line(std::string_view text) {
  return text.find_first_of(std::string_view("\n\r\0", 3)) == std::string_view::npos;
}

}  // namespace

std::optional<CredentialMapping> answering(const Context& context, const HelperArgs& args,
                                           const std::optional<Site>& site) {
  if (!site) return std::nullopt;
  std::optional<CredentialMapping> found;
  if (!args.connection.empty()) {
    found = {.site = {site->host, ""}, .connection = args.connection};
  } else {
    for (const auto& each : context.config.credential)
      if (is_within(*site, each.site) &&
          (!found || each.site.path.size() > found->site.path.size()))
        found = each;
  }
  if (found && !args.username.empty()) found->username = args.username;
  return found;
}

Result<SecretText> fetch_credentials(Context& context, const std::string& connection) {
  return context.client.call_raw("GET", context.client.target("/v1/token/", connection), "");
}

Result<SecretText> header_of(const SecretText& credentials) {
  if (api::is_static_payload(credentials)) return static_header_in(credentials);
  NEXUS_TRY(const auto token, credential_in(credentials, ""));
  return SecretText("Authorization: Bearer ").append(token);
}

Result<Login> login_of(const SecretText& credentials, const CredentialMapping& mapping,
                       const std::string& asked_for) {
  Login login;
  const api::TokenPayload payload(
      api::is_static_payload(credentials) ? std::string_view(credentials) : std::string_view("{}"));
  if (payload.strategy() == "basic_auth") {
    login.username = std::string_view(
        payload.credential(payload.config("username_field")).value_or(SecretText()));
    login.password = payload.credential(payload.config("password_field")).value_or(SecretText());
    if (!asked_for.empty() && asked_for != login.username)
      return Error{ErrorCode::usage,
                   "connection " + mapping.connection + " is not of the user that is asked for",
                   "ask without a user name"};
  } else {
    NEXUS_TRY(login.password, credential_in(credentials, ""));
    login.username = !asked_for.empty()          ? asked_for
                     : !mapping.username.empty() ? mapping.username
                                                 : "oauth2";
  }
  if (is_line(login.username) && is_line(login.password)) return login;
  return Error{ErrorCode::usage,
               "connection " + mapping.connection + " has a user name or secret of several lines",
               "name one that has a password or a token"};
}

std::optional<UnixTime> expiry_of(const SecretText& credentials) {
  if (!api::is_static_payload(credentials)) return api::expiry_in(credentials);
  const auto text = api::TokenPayload(credentials).member("expires_at");
  return text ? parse_number(*text) : std::nullopt;
}

Result<SecretText> read_request() {
  SecretText request;
  std::size_t size = 0;
  while (size <= kLongestRequest) {
    request.resize(size + 4096);
    const auto got = read(STDIN_FILENO, request.data() + size, request.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got > 0) size += static_cast<std::size_t>(got);
    if (got > 0) continue;
    request.resize(size);  // a closed standard input is one without a request
    return request;
  }
  return Error{ErrorCode::usage, "the request is longer than 64 KiB",
               "a credential helper is run by the program that it helps"};
}

void ignore_request() {
  std::array<char, 4096> buffer{};
  for (ssize_t got = 0; (got = read(STDIN_FILENO, buffer.data(), buffer.size())) != 0;)
    if (got < 0 && errno != EINTR) break;
}

}  // namespace nexus::cli
