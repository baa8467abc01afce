#include "cli/credential/helper.h"

#include <unistd.h>

#include <array>
#include <cerrno>

#include "common/api/token_payload.h"

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

Result<Login> login_of(const SecretText& credentials, const CredentialMapping& mapping,
                       const std::string& asked_for) {
  NEXUS_TRY(auto login, login_in(credentials, ""));
  if (login.username && !asked_for.empty() && asked_for != *login.username)
    return Error{ErrorCode::usage,
                 "connection " + mapping.connection + " is not of the user that is asked for",
                 "ask without a user name"};
  if (!login.username)
    login.username = !asked_for.empty()          ? asked_for
                     : !mapping.username.empty() ? mapping.username
                                                 : kTokenUser;
  if (is_line(*login.username) && is_line(login.password)) return login;
  return Error{ErrorCode::usage,
               "connection " + mapping.connection + " has a user name or secret of several lines",
               "name one that has a password or a token"};
}

std::optional<UnixTime> expiry_of(const SecretText& credentials) {
  return api::is_static_payload(credentials) ? std::nullopt : api::expiry_in(credentials);
}

void print_line(const Context& context, std::string_view text) {
  SecretText line(text);
  context.output.raw(line.append("\n"));
}

std::string in_one_line(const Error& error) {
  return error.message + (error.hint.empty() ? "" : "; " + error.hint);
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
