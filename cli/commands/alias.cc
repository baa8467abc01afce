#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/output/connections.h"
#include "common/json.h"

namespace nexus::cli {
namespace {

struct AliasArgs {
  std::string connection;
  std::string name;
};

Result<int> run_alias(Context& context, const AliasArgs& args) {
  NEXUS_TRY(const auto json,
            context.client.call("PATCH", context.client.target("/v1/connections/", args.connection),
                                to_text({{"alias", args.name}})));
  NEXUS_TRY(const auto connection, api::connection_from_json(json));
  print_connections(context.output, {connection});
  return 0;
}

void configure_alias(CLI::App& app, Action& action) {
  auto args = std::make_shared<AliasArgs>();
  app.add_option("connection", args->connection, "conn_… id, alias or provider")->required();
  app.add_option("name", args->name, "its new alias")->required();
  action = [args](Context& context) { return run_alias(context, *args); };
}

}  // namespace

const Command alias_command{"alias", "", "Give a connection a name of your own", configure_alias};

}  // namespace nexus::cli
