#include <CLI/CLI.hpp>
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

void configure_refresh(CLI::App& app, Action& action) {
  auto reference = std::make_shared<std::string>();
  app.add_option("connection", *reference, "conn_… id, alias or provider")->required();
  action = [reference](Context& context) { return run_refresh(context, *reference); };
}

}  // namespace

const Command refresh_command{"refresh", "", "Force a refresh of a connection's token",
                              configure_refresh};

}  // namespace nexus::cli
