#include "cli/token.h"

#include <memory>

#include "cli/command.h"
#include "cli/token_formats.h"
#include "common/api/provider.h"
#include "common/api/token_payload.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

struct NetrcArgs {
  std::string host;
  std::string user;
};

/// The host that the API of the payload's provider is at.
Result<std::string> api_host(Context& context, const SecretText& payload) {
  const auto name = api::TokenPayload(payload).member("provider").value_or(SecretText());
  NEXUS_TRY(const auto provider,
            context.client.get<api::Provider>("/v1/providers/by-name/" + percent_encode(name)));
  std::string_view url = provider.api_base_url;
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos)
    url.remove_prefix(scheme + 3);
  auto host = url.substr(0, url.find_first_of("/:"));
  if (!host.empty()) return std::string(host);
  return Error{ErrorCode::usage, "nothing is known of where the API of " + provider.name + " is",
               "name the host: --host api.example.com"};
}

/// Not run_token's: what it takes to ask for the provider would make nexus larger.
Result<int> run_netrc(Context& context, const TokenArgs& args, NetrcArgs netrc) {
  NEXUS_TRY(const auto payload, fetch_token(context, args));
  if (netrc.host.empty()) {
    NEXUS_TRY(netrc.host, api_host(context, payload));
  }
  NEXUS_TRY(auto login, login_in(payload, args.field));
  if (!netrc.user.empty()) login.username = netrc.user;
  NEXUS_TRY(const auto line, netrc_line(netrc.host, login));
  context.output.raw(line);
  return 0;
}

Result<int> run(Context& context, const TokenArgs& args, const NetrcArgs& netrc) {
  const bool is_netrc = args.format == "netrc" && !context.output.json;
  if (is_netrc) return run_netrc(context, args, netrc);
  if (netrc.host.empty() && netrc.user.empty()) return run_token(context, args);
  return Error{ErrorCode::usage, "--host and --user are of a netrc line", "add: --format netrc"};
}

}  // namespace

Command token_command() {
  auto args = std::make_shared<TokenArgs>();
  auto netrc = std::make_shared<NetrcArgs>();
  return {
      .name = "token",
      .summary = "Print a connection's access token",
      .arguments =
          {{"connection",
            &args->connection,
            "conn_… id, alias or provider",
            {.required = true, .names = Names::connection}},
           {"--format",
            &args->format,
            "raw: the token; json: the whole payload; header: an HTTP header; env: for eval; curl: "
            "a config for curl -K -; netrc: a line of such a file",
            {.one_of = {"raw", "json", "header", "env", "curl", "netrc"}}},
           {"--field", &args->field,
            "another field of the credentials (id_token), or of what else the provider told with "
            "the token (instance_url)"},
           {"--min-ttl",
            &args->min_ttl,
            "refresh when less life than this is left (60s, 5m)",
            {.value = "TIME"}},
           {"--scope", &args->scopes,
            "a token for this scope alone, of those that were granted (repeatable)"},
           {"--audience",
            &args->audience,
            "a token for this API alone, where the provider gives such (RFC 8707)",
            {.value = "URI"}},
           {"--host", &netrc->host, "of a netrc line (default: the provider's API)"},
           {"--user", &netrc->user,
            "of a netrc line (default: that of the credentials, else oauth2)"},
           {"--refresh", &args->refresh, "refresh first, whatever is left"},
           {"--newline", &args->newline, "end with a newline also when piped"},
           {"--no-newline", &args->no_newline, "end without a newline also on a terminal"}},
      .action = [args, netrc](Context& context) { return run(context, *args, *netrc); },
      .examples = {"nexus token google", "nexus token work --min-ttl 10m",
                   "nexus token work --format curl | curl -K - https://api.example.com/",
                   "eval \"$(nexus token work --format env)\"; use \"$NEXUS_TOKEN\""}};
}

}  // namespace nexus::cli
