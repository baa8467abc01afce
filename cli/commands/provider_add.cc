#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands/provider.h"
#include "cli/commands/provider_fields.h"
#include "cli/commands/registration.h"
#include "common/json.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

/// Endpoints or a type that are given say that no entry is meant.
bool stands_alone(const ProviderArgs& args) {
  return args.from.empty() && (args.issuer || args.auth_url || args.token_url || args.auth_type ||
                               !args.service_account_file.empty());
}

Result<Json> add(Context& context, const ProviderArgs& args) {
  std::optional<CatalogueEntry> entry;
  if (!stands_alone(args)) {
    NEXUS_TRY(entry, Catalogue().find(lower(args.from.empty() ? args.name : args.from)));
    if (!entry && !args.from.empty()) return unknown_provider(args.from);
  }
  if (entry) return register_from_catalogue(context, *entry, args);
  if (!stands_alone(args))
    return Error{ErrorCode::usage,
                 printable(args.name, 80) + " is not in the catalogue, so its endpoints are needed",
                 "give --issuer, or --auth-url and --token-url; see: nexus provider add --help"};
  NEXUS_TRY(auto body, fields_of(args, Json::object()));
  body["name"] = args.name;
  body["replace"] = args.replace;
  NEXUS_TRY(const auto proof, client_proof_of(args));
  return context.client.post("/v1/providers", with_proof(body, proof));
}

Result<int> run_add(Context& context, const ProviderArgs& args) {
  NEXUS_TRY(const auto provider, add(context, args));
  print_provider(context.output, provider);
  if (context.output.json) return 0;
  std::vector<std::string> steps;
  if (needs_redirect(provider)) steps.push_back("the redirect URI");
  if (has_key_to_register(provider)) steps.push_back("the public key");
  context.output.note((steps.empty() ? "Now run: nexus connect "
                                     : "Register " + join(steps, " and ") +
                                           " at the provider, then run: nexus connect ") +
                      args.name);
  return 0;
}

}  // namespace

void configure_provider_add(CLI::App& app, Action& action) {
  auto args = std::make_shared<ProviderArgs>();
  app.add_option("name", args->name, "a name: a-z, 0-9 and -")->required();
  app.add_option("--client-id", args->client_id, "the client's id at the provider");
  app.add_option("--from", args->from,
                 "the entry of the catalogue to start from (default: the one of this name, unless\n"
                 "endpoints or a type are given)");
  app.add_option("--var", args->variables,
                 "NAME=VALUE: what the entry's addresses need, for example subdomain=acme\n"
                 "(repeatable)")
      ->expected(1)
      ->take_all();
  add_fields(app, *args);
  app.add_flag("--replace", args->replace, "change it when it exists already");
  app.footer(
      "nexus provider catalog lists what can be added by name alone. What an entry needs and is\n"
      "not given is asked for on a terminal.");
  app.parse_complete_callback(
      [args, &action] { action = [args](Context& context) { return run_add(context, *args); }; });
}

}  // namespace nexus::cli
