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

}  // namespace

Command alias_command() {
  auto args = std::make_shared<AliasArgs>();
  return {.name = "alias",
          .summary = "Give a connection a name of your own",
          .arguments = {{"connection",
                         &args->connection,
                         "conn_… id, alias or provider",
                         {.required = true}},
                        {"name", &args->name, "its new alias", {.required = true}}},
          .action = [args](Context& context) { return run_alias(context, *args); }};
}

}  // namespace nexus::cli
