#include <memory>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/output/connections.h"
#include "cli/output/prompt.h"
#include "cli/way_out.h"
#include "common/api/connection.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

struct DisconnectArgs {
  std::string connection;
  bool keep_grant = false;
  bool yes = false;
};

/// That a person means it; scripts, and who says --yes, do. What waits has nothing to lose.
Result<void> check_meant(Context& context, DisconnectArgs& args) {
  if (args.yes || !is_interactive() || context.output.json) return {};
  NEXUS_TRY(const auto connection, fetch_connection(context, args.connection));
  args.connection = connection.id;  // the one that is asked about
  if (connection.status == ConnectionStatus::pending ||
      connection.status == ConnectionStatus::failed)
    return {};
  return confirm("Disconnect " + name_of(connection) + " (" + connection.provider +
                 (connection.account.empty() ? "" : ", " + connection.account) + ")?");
}

Result<int> run_disconnect(Context& context, DisconnectArgs args) {
  NEXUS_CHECK(check_meant(context, args));
  const CatchInterrupt held;  // what the provider answers is said
  auto target = context.client.target("/v1/connections/", args.connection);
  if (args.keep_grant) target += "&keep_grant=true";
  NEXUS_TRY(const auto ended,
            with_way_out(context, args.connection,
                         context.client.call<api::Disconnection>("DELETE", target, "")));
  if (context.output.json) {
    context.output.json_line(api::to_json(ended));
    return 0;
  }
  const bool pending = ended.provider_revocation_pending;
  const auto& why = ended.provider_revocation_error;
  context.output.line(
      "disconnected " + ended.connection_id +
      (pending ? ": nobody gets its credentials any more" : ": its credentials are deleted here"));
  if (ended.provider_revoked) {
    context.output.note(ended.provider + " revoked its tokens, too");
  } else if (pending) {
    context.output.warn(ended.provider + " has not revoked its tokens yet: " + why);
    context.output.note("  nexusd asks again for a week, then deletes them; see: nexus audit");
  } else if (!why.empty() && !args.keep_grant) {
    context.output.warn(ended.provider + " did not revoke its tokens: " + why);
    context.output.note("  end the access in your account's settings at " + ended.provider);
  }
  return 0;
}

}  // namespace

Command disconnect_command() {
  auto args = std::make_shared<DisconnectArgs>();
  return {.name = "disconnect",
          .summary = "Revoke and delete a connection",
          .arguments = {{"connection",
                         &args->connection,
                         "conn_… id, alias or provider",
                         {.required = true, .names = Names::connection}},
                        {"--keep-grant", &args->keep_grant,
                         "delete here only, revoke nothing at the provider"},
                        {"--yes", &args->yes,
                         "do not ask; without a terminal nothing is asked anyway"}},
          .action = [args](Context& context) { return run_disconnect(context, *args); },
          .examples = {"nexus disconnect work", "nexus disconnect work --keep-grant"}};
}

}  // namespace nexus::cli
