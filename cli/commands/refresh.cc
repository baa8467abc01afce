#include <memory>

#include "cli/command.h"
#include "cli/output/connections.h"

namespace nexus::cli {
namespace {

Result<int> run_refresh(Context& context, const std::string& reference) {
  NEXUS_TRY(const auto payload,
            context.client.call_raw("POST", context.client.target("/v1/refresh/", reference), ""));
  NEXUS_TRY(const auto connection, fetch_connection(context, reference));
  print_connections(context.output, {connection});
  return 0;
}

}  // namespace

Command refresh_command() {
  auto reference = std::make_shared<std::string>();
  return {.name = "refresh",
          .summary = "Force a refresh of a connection's token",
          .arguments =
              {{"connection", reference.get(), "conn_… id, alias or provider", {.required = true}}},
          .action = [reference](Context& context) { return run_refresh(context, *reference); }};
}

}  // namespace nexus::cli
