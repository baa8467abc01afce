#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "common/json.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

struct TokenArgs {
  std::string connection;
  std::string format = "raw";
  std::string field;
  std::string min_ttl;
  bool refresh = false;
  bool newline = false;
  bool no_newline = false;
};

/// What a field of the payload's credentials (or of the payload itself) says.
Result<SecretText> field_of(const Json& payload, const std::string& name) {
  for (const auto* object : {&payload["credentials"], &payload}) {
    const auto found = object->find(name);
    if (found == object->end()) continue;
    if (found->is_string()) return SecretText(found->get_ref<const std::string&>());
    if (found->is_number_integer()) return SecretText(std::to_string(found->get<std::int64_t>()));
  }
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

Result<int> run_token(Context& context, const TokenArgs& args) {
  auto target =
      context.client.target(args.refresh ? "/v1/refresh/" : "/v1/token/", args.connection);
  if (!args.min_ttl.empty()) {
    NEXUS_TRY(const auto seconds, parse_duration(args.min_ttl));
    target += "&min_ttl=" + std::to_string(seconds);
  }
  NEXUS_TRY(const auto payload, context.client.call_raw(args.refresh ? "POST" : "GET", target, ""));
  if (context.output.json || args.format == "json") {
    context.output.result(payload);
    context.output.result("\n");
    return 0;
  }
  auto json = Json::parse(payload, nullptr, false);
  if (!json.is_object() || !json["credentials"].is_object())
    return Error{ErrorCode::failure, "the daemon's answer holds no credentials",
                 "a daemon of another version may be running; run: nexus daemon stop"};
  NEXUS_TRY(const auto value, field_of(json, args.field.empty() ? "access_token" : args.field));
  context.output.result(format_as(args.format, value));
  // A raw value goes into pipes and variables as it is; a line is a line.
  const bool newline =
      args.newline ||
      (!args.no_newline && (args.format != "raw" || context.output.stdout_is_terminal()));
  if (newline) context.output.result("\n");
  return 0;
}

void configure(CLI::App& app, Action& action) {
  auto args = std::make_shared<TokenArgs>();
  app.add_option("connection", args->connection, "conn_… id, alias or provider")->required();
  app.add_option("--format", args->format,
                 "raw: the token; json: the whole payload; header: an HTTP header; env: for eval")
      ->check(CLI::IsMember({"raw", "json", "header", "env"}))
      ->capture_default_str();
  app.add_option("--field", args->field, "another field of the credentials, for example id_token");
  app.add_option("--min-ttl", args->min_ttl, "refresh when less life than this is left (60s, 5m)");
  app.add_flag("--refresh", args->refresh, "refresh first, whatever is left");
  app.add_flag("--newline", args->newline, "end with a newline also when piped");
  app.add_flag("--no-newline", args->no_newline, "end without a newline also on a terminal");
  action = [args](Context& context) { return run_token(context, *args); };
}

}  // namespace

const Command token_command{"token", "", "Print a connection's access token", configure};

}  // namespace nexus::cli
