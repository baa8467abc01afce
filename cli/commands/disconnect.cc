#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "common/json.h"

namespace nexus::cli {
namespace {

struct DisconnectArgs {
  std::string connection;
  bool keep_grant = false;
};

Result<int> run_disconnect(Context& context, const DisconnectArgs& args) {
  auto target = context.client.target("/v1/connections/", args.connection);
  if (args.keep_grant) target += "&keep_grant=true";
  NEXUS_TRY(const auto report, context.client.call("DELETE", target, ""));
  if (context.output.json) {
    context.output.json_line(report);
    return 0;
  }
  const auto id = text_member(report, "connection_id").value_or("");
  const auto provider = text_member(report, "provider_name").value_or("");
  const bool pending = report.value("provider_revocation_pending", false);
  context.output.result("disconnected " + id +
                        (pending ? ": nobody gets its credentials any more\n"
                                 : ": its credentials are deleted here\n"));
  if (report.value("provider_revoked", false)) {
    context.output.note(provider + " revoked its tokens, too");
  } else if (pending) {
    context.output.warn(provider + " has not revoked its tokens yet: " +
                        text_member(report, "provider_revocation_error").value_or("unknown"));
    context.output.note("  nexusd asks again for a week, then deletes them; see: nexus audit");
  } else if (const auto why = text_member(report, "provider_revocation_error");
             why && !args.keep_grant) {
    context.output.warn(provider + " did not revoke its tokens: " + *why);
    context.output.note("  end the access in your account's settings at " + provider);
  }
  return 0;
}

}  // namespace

Command disconnect_command() {
  auto args = std::make_shared<DisconnectArgs>();
  return {
      .name = "disconnect",
      .summary = "Revoke and delete a connection",
      .arguments =
          {{"connection", &args->connection, "conn_… id, alias or provider", {.required = true}},
           {"--keep-grant", &args->keep_grant, "delete here only, revoke nothing at the provider"}},
      .action = [args](Context& context) { return run_disconnect(context, *args); }};
}

}  // namespace nexus::cli
