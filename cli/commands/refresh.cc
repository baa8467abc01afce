#include <memory>

#include "cli/command.h"
#include "cli/output/connections.h"
#include "cli/output/table.h"
#include "cli/way_out.h"
#include "common/rfc3339.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

std::string good_until(const api::Connection& c) {
  if (c.never_expires) return "it does not expire";
  if (!c.expires_at) return "the provider does not say for how long it is good";
  return "it is good until " + rfc3339(*c.expires_at) + " (" +
         duration_text(*c.expires_at - system_now()) + ")";
}

Result<int> run_refresh(Context& context, const std::string& reference) {
  NEXUS_CHECK(with_way_out(
      context, reference,
      context.client.call_raw("POST", context.client.target("/v1/refresh/", reference), "")));
  NEXUS_TRY(const auto connection, fetch_connection(context, reference));
  if (context.output.json) {
    print_json(context.output, {connection});
    return 0;
  }
  print_text(context.output, {},
             "refreshed the token of " + told_apart(connection) + ": " + good_until(connection));
  return 0;
}

}  // namespace

Command refresh_command() {
  auto reference = std::make_shared<std::string>();
  return {.name = "refresh",
          .summary = "Force a refresh of a connection's token",
          .arguments = {{"connection",
                         reference.get(),
                         "conn_… id, alias or provider",
                         {.required = true, .names = Names::connection}}},
          .action = [reference](Context& context) { return run_refresh(context, *reference); },
          .examples = {"nexus refresh work"}};
}

}  // namespace nexus::cli
