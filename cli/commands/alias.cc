#include <memory>

#include "cli/catalogue.h"
#include "cli/command.h"
#include "cli/output/connections.h"
#include "cli/way_out.h"
#include "common/json.h"

namespace nexus::cli {
namespace {

struct AliasArgs {
  std::string connection;
  std::string name;
};

Result<int> run_alias(Context& context, const AliasArgs& args) {
  NEXUS_CHECK(Catalogue().check_alias(args.name));
  const auto target = context.client.target("/v1/connections/", args.connection);
  const auto body = JsonWriter().begin().member("alias", args.name).end().take();
  NEXUS_TRY(const auto connection,
            with_way_out(context, args.connection,
                         context.client.call<api::Connection>("PATCH", target, body)));
  if (context.output.json) {
    print_json(context.output, {connection});
    return 0;
  }
  context.output.line(told_apart(connection) + " is called " + connection.alias + " now");
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
                         {.required = true, .names = Names::connection}},
                        {"name", &args->name, "its new alias", {.required = true}}},
          .action = [args](Context& context) { return run_alias(context, *args); },
          .examples = {"nexus alias google work"}};
}

}  // namespace nexus::cli
