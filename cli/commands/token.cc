#include "cli/token.h"

#include <memory>

#include "cli/command.h"

namespace nexus::cli {
Command token_command() {
  auto args = std::make_shared<TokenArgs>();
  return {
      .name = "token",
      .summary = "Print a connection's access token",
      .arguments =
          {{"connection", &args->connection, "conn_… id, alias or provider", {.required = true}},
           {"--format",
            &args->format,
            "raw: the token; json: the whole payload; header: an HTTP header; env: for eval",
            {.one_of = {"raw", "json", "header", "env"}}},
           {"--field", &args->field,
            "another field of the credentials (id_token), or of what else the provider told with "
            "the "
            "token (instance_url)"},
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
           {"--refresh", &args->refresh, "refresh first, whatever is left"},
           {"--newline", &args->newline, "end with a newline also when piped"},
           {"--no-newline", &args->no_newline, "end without a newline also on a terminal"}},
      .action = [args](Context& context) { return run_token(context, *args); },
      .examples = {"nexus token google", "nexus token work --min-ttl 10m",
                   "curl -H \"$(nexus token work --format header)\" https://api.example.com/",
                   "eval \"$(nexus token work --format env)\"; use \"$NEXUS_TOKEN\""}};
}

}  // namespace nexus::cli
