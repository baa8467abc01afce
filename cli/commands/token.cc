#include "cli/token.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/command.h"

namespace nexus::cli {
namespace {

void configure_token(CLI::App& app, Action& action) {
  auto args = std::make_shared<TokenArgs>();
  app.add_option("connection", args->connection, "conn_… id, alias or provider")->required();
  app.add_option("--format", args->format,
                 "raw: the token; json: the whole payload; header: an HTTP header; env: for eval")
      ->check(CLI::IsMember({"raw", "json", "header", "env"}))
      ->capture_default_str();
  app.add_option("--field", args->field, "another field of the credentials, for example id_token");
  app.add_option("--min-ttl", args->min_ttl, "refresh when less life than this is left (60s, 5m)");
  app.add_option("--scope", args->scopes,
                 "a token for this scope alone, of those that were granted (repeatable)")
      ->expected(1)
      ->take_all();
  app.add_option("--audience", args->audience,
                 "a token for this API alone, where the provider gives such (RFC 8707)");
  app.add_flag("--refresh", args->refresh, "refresh first, whatever is left");
  app.add_flag("--newline", args->newline, "end with a newline also when piped");
  app.add_flag("--no-newline", args->no_newline, "end without a newline also on a terminal");
  action = [args](Context& context) { return run_token(context, *args); };
}

}  // namespace

const Command token_command{"token", "", "Print a connection's access token", configure_token};

}  // namespace nexus::cli
