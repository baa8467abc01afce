#include "cli/token.h"

#include "cli/static_credentials.h"
#include "common/api/token_payload.h"
#include "common/text.h"
#include "common/times.h"

namespace nexus::cli {
namespace {

bool is_format(std::string_view word) {
  return word == "raw" || word == "json" || word == "header" || word == "env";
}

/// What a field of the payload's credentials (or of the payload itself) says.
Result<SecretText> field_in(const SecretText& text, const std::string& name) {
  const api::TokenPayload payload(text);
  if (auto value = payload.credential(name)) return *std::move(value);
  if (auto value = payload.member(name)) return *std::move(value);
  if (auto value = payload.token_field(name)) return *std::move(value);
  return Error{ErrorCode::usage, "these credentials have no field '" + printable(name, 60) + "'",
               "--format json shows those there are"};
}

SecretText format_as(const std::string& format, const SecretText& value) {
  SecretText out;
  if (format == "header") out.append("Authorization: Bearer ").append(value);
  if (format == "env") out.append("NEXUS_TOKEN=").append(shell_quote(value));
  if (format == "raw") out = value;
  return out;
}

/// No refresh gives more life than the provider's tokens have, and none while it cannot be asked.
void warn_of_short_life(const Context& context, const SecretText& text, UnixTime wanted) {
  const auto left = api::TokenPayload(text).member("expires_in");
  const auto seconds = left ? parse_number(*left) : std::nullopt;
  if (seconds && *seconds < wanted)
    context.output.warn("this token lives for " + duration_text(*seconds) + ", not for " +
                        duration_text(wanted) + ": there was none to be had that lives longer");
}

}  // namespace

std::optional<TokenArgs> plain_token_arguments(int argc, char** argv) {
  if ((argc != 3 && argc != 5) || std::string_view(argv[1]) != "token") return std::nullopt;
  TokenArgs args;
  args.connection = argv[2];
  if (args.connection.empty() || args.connection[0] == '-') return std::nullopt;
  if (argc == 5) {
    if (std::string_view(argv[3]) != "--format" || !is_format(argv[4])) return std::nullopt;
    args.format = argv[4];
  }
  return args;
}

Result<int> run_token(Context& context, const TokenArgs& args) {
  auto target =
      context.client.target(args.refresh ? "/v1/refresh/" : "/v1/token/", args.connection);
  UnixTime min_ttl = 0;
  if (!args.min_ttl.empty()) {
    NEXUS_TRY(min_ttl, parse_duration(args.min_ttl));
    target += "&min_ttl=" + std::to_string(min_ttl);
  }
  if (!args.scopes.empty()) target += "&scope=" + percent_encode(join(args.scopes, " "));
  if (!args.audience.empty()) target += "&audience=" + percent_encode(args.audience);
  NEXUS_TRY(const auto payload, context.client.call_raw(args.refresh ? "POST" : "GET", target, ""));
  if (min_ttl > 0) warn_of_short_life(context, payload, min_ttl);
  if (context.output.json || args.format == "json") {
    context.output.json_line(payload);
    return 0;
  }
  SecretText value;
  const bool header_of_static =
      args.format == "header" && args.field.empty() && api::is_static_payload(payload);
  if (header_of_static) {
    NEXUS_TRY(value, static_header_in(payload));
  } else if (args.field.empty() && api::is_static_payload(payload)) {
    NEXUS_TRY(value, static_secret_in(payload));
  } else if (args.field.empty()) {
    auto token = api::access_token_in(payload);
    if (!token)
      return Error{ErrorCode::failure, "the daemon's answer holds no access token",
                   "a daemon of another version may be running; run: nexus daemon stop"};
    value = *std::move(token);
  } else {
    NEXUS_TRY(value, field_in(payload, args.field));
  }
  context.output.raw(header_of_static ? value : format_as(args.format, value));
  // A raw value goes into pipes and variables as it is; a line is a line.
  const bool newline =
      args.newline ||
      (!args.no_newline && (args.format != "raw" || context.output.stdout_is_terminal()));
  if (newline) context.output.raw("\n");
  return 0;
}

}  // namespace nexus::cli
