#include "cli/token.h"

#include "cli/credential.h"
#include "cli/output/connections.h"
#include "cli/token_formats.h"
#include "cli/way_out.h"
#include "common/api/token_payload.h"
#include "common/text.h"
#include "common/times.h"

namespace nexus::cli {
namespace {

bool is_format(std::string_view word) {
  return word == "raw" || word == "json" || word == "header" || word == "env" || word == "curl";
}

/// Of a token without an end it may be that none was told.
bool has_unknown_life(Context& context, const api::TokenPayload& payload) {
  const auto id = payload.member("connection_id");
  if (!id) return false;
  const auto connection = fetch_connection(context, std::string(*id));
  return connection && !connection->expires_at && !connection->never_expires;
}

/// No refresh gives more life than the provider's tokens have, and none while it cannot be asked.
void warn_of_short_life(Context& context, const SecretText& text, UnixTime wanted) {
  const api::TokenPayload payload(text);
  const auto left = payload.member("expires_in");
  const auto seconds = left ? parse_number(*left) : std::nullopt;
  if (seconds && *seconds < wanted)
    context.output.warn("this token lives for " + duration_text(*seconds) +
                        " only: there is none for " + duration_text(wanted));
  if (!left && has_unknown_life(context, payload))
    context.output.warn("for how long this token lives its provider does not say");
}

Result<SecretText> formatted(const TokenArgs& args, const SecretText& payload) {
  if (args.format == "env") return env_line(payload, args.field);
  if (args.format == "header") return header_line(payload, args.field);
  if (args.format == "curl") return curl_config(payload, args.field);
  return credential_in(payload, args.field);
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

Result<SecretText> fetch_token(Context& context, const TokenArgs& args) {
  auto target =
      context.client.target(args.refresh ? "/v1/refresh/" : "/v1/token/", args.connection);
  UnixTime min_ttl = 0;
  if (!args.min_ttl.empty()) {
    NEXUS_TRY(min_ttl, parse_duration(args.min_ttl));
    target += "&min_ttl=" + std::to_string(min_ttl);
  }
  if (!args.scopes.empty()) target += "&scope=" + percent_encode(join(args.scopes, " "));
  if (!args.audience.empty()) target += "&audience=" + percent_encode(args.audience);
  NEXUS_TRY(auto payload,
            with_way_out(context, args.connection,
                         context.client.call_raw(args.refresh ? "POST" : "GET", target, "")));
  if (min_ttl > 0) warn_of_short_life(context, payload, min_ttl);
  return payload;
}

Result<int> run_token(Context& context, const TokenArgs& args) {
  NEXUS_TRY(const auto payload, fetch_token(context, args));
  if (context.output.json || args.format == "json") {
    context.output.json_line(payload);
    return 0;
  }
  NEXUS_TRY(auto text, formatted(args, payload));
  // A raw value goes into pipes and variables as it is; a line is a line.
  if (args.no_newline && text.ends_with('\n')) text.pop_back();
  if (args.format == "raw" &&
      (args.newline || (!args.no_newline && context.output.stdout_is_terminal())))
    text.append("\n");
  context.output.raw(text);
  return 0;
}

}  // namespace nexus::cli
