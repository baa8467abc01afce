#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands/provider.h"
#include "cli/commands/provider_fields.h"
#include "cli/commands/registration.h"
#include "cli/interrupt.h"
#include "common/json.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

/// Endpoints or a type that are given say that no entry is meant.
bool stands_alone(const ProviderArgs& args) {
  return args.from.empty() && (args.issuer || args.auth_url || args.token_url || args.auth_type ||
                               !args.service_account_file.empty());
}

Error endpoints_needed(const std::string& name) {
  const auto meant = join(Catalogue().nearest(name), " or ");
  return {ErrorCode::usage,
          printable(name, 80) + " is not in the catalogue, so its endpoints are needed",
          (meant.empty() ? "" : "did you mean " + meant + "? Else ") +
              "give --issuer, or --auth-url and --token-url; see: nexus provider add --help"};
}

Result<api::Provider> add(Context& context, const ProviderArgs& args) {
  std::optional<CatalogueEntry> entry;
  if (!stands_alone(args)) {
    NEXUS_TRY(entry, Catalogue().find(lower(args.from.empty() ? args.name : args.from)));
    if (!entry && !args.from.empty()) return unknown_provider(context, args.from);
  }
  if (entry) return register_from_catalogue(context, *entry, args);
  if (!stands_alone(args)) return endpoints_needed(args.name);
  NEXUS_TRY(auto body, fields_of(args, Json::object()));
  body["name"] = args.name;
  body["replace"] = args.replace;
  NEXUS_TRY(const auto proof, client_proof_of(args));
  return context.client.post<api::Provider>("/v1/providers", with_proof(to_text(body), proof));
}

Result<int> run_add(Context& context, const ProviderArgs& args) {
  const CatchInterrupt held;  // what is registered is said
  NEXUS_TRY(const auto provider, add(context, args));
  print_provider(context.output, provider);
  if (context.output.json) return 0;
  std::vector<std::string> steps;
  if (provider.needs_redirect()) steps.push_back("the redirect URI");
  if (provider.has_key_to_register()) steps.push_back("the public key");
  context.output.note((steps.empty() ? "Now run: nexus connect "
                                     : "Register " + join(steps, " and ") +
                                           " at the provider, then run: nexus connect ") +
                      args.name);
  return 0;
}

}  // namespace

Command provider_add_command() {
  auto args = std::make_shared<ProviderArgs>();
  std::vector<Argument> arguments{
      {"name",
       &args->name,
       "a name: a-z, 0-9 and -",
       {.required = true, .names = Names::catalogue_entry}},
      {"--from",
       &args->from,
       "the entry of the catalogue to start from (default: the one of this name, unless "
       "endpoints or a type are given)",
       {.value = "ENTRY", .names = Names::catalogue_entry}},
      {"--var",
       &args->variables,
       "what the entry's addresses need, for example subdomain=acme (repeatable)",
       {.value = "NAME=VALUE"}},
      {"--replace", &args->replace, "change it when it exists already"}};
  add_fields(arguments, *args);
  return {.name = "add",
          .summary = "Register a provider",
          .arguments = std::move(arguments),
          .action = [args](Context& context) { return run_add(context, *args); },
          .footer =
              "nexus provider catalog lists what can be added by name alone. What an entry needs "
              "and is not given is asked for on a terminal.",
          .examples = {"nexus provider add github",
                       "nexus provider add acme --issuer https://id.acme.example --client-id ID \\",
                       "    --client-secret-file -"}};
}

}  // namespace nexus::cli
