#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/commands/provider.h"
#include "cli/commands/provider_fields.h"
#include "cli/commands/registration.h"
#include "common/json.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

Result<int> run_edit(Context& context, const ProviderArgs& args) {
  NEXUS_TRY(const auto before,
            context.client.get("/v1/providers/by-name/" + percent_encode(args.name)));
  NEXUS_TRY(auto body, fields_of(args, before.value("params", Json::object())));
  NEXUS_TRY(const auto proof, client_proof_of(args));
  if (args.no_client_secret) body["client_secret"] = "";
  if (body.empty() && proof.empty())
    return Error{ErrorCode::usage, "nothing was said that should change",
                 "nexus provider edit --help lists what can"};
  NEXUS_TRY(const auto after,
            context.client.call("PATCH", "/v1/providers/" + text_member(before, "id").value_or(""),
                                with_proof(body, proof)));
  print_provider(context.output, after);
  for (const char* name :
       {"auth_type", "grant_type", "issuer", "token_url", "client_id", "api_base_url"})
    if (before.value(name, "") != after.value(name, "") &&
        (std::string_view(name) != "api_base_url" || after.value("auth_type", "") != "oauth2")) {
      context.output.warn(std::string("the ") + name +
                          " is another one: connections made with the old one need a person now");
      break;
    }
  return 0;
}

Result<int> run_list(Context& context) {
  NEXUS_TRY(const auto providers, context.client.all_pages("/providers?limit=500"));
  if (context.output.json) {
    context.output.json_line({{"providers", providers}});
    return 0;
  }
  if (providers.empty()) {
    context.output.note("no providers yet; nexus provider catalog lists those that nexus knows");
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& provider : providers) {
    std::string where;
    for (const char* name : {"api_base_url", "token_url", "issuer"})
      if (auto url = text_member(provider, name).value_or(""); !url.empty()) where = std::move(url);
    rows.push_back({text_member(provider, "name").value_or(""),
                    text_member(provider, "auth_type").value_or(""), printable(where, 80)});
  }
  context.output.table({"PROVIDER", "TYPE", "ISSUER, TOKEN ENDPOINT OR API"}, rows);
  return 0;
}

Result<int> run_show(Context& context, const std::string& name) {
  const auto provider = context.client.get("/v1/providers/by-name/" + percent_encode(name));
  if (!provider && provider.error().code != ErrorCode::provider_not_found) return provider.error();
  std::string entry_name = lower(name);
  if (provider)
    entry_name = provider->value("params", Json::object()).value("catalog_entry", entry_name);
  NEXUS_TRY(const auto entry, Catalogue().find(entry_name));
  if (!provider && !entry) return unknown_provider(name);
  if (!provider) {
    print_entry(context.output, *entry);
    return 0;
  }
  print_provider(context.output, *provider);
  if (entry && !context.output.json) print_quirks(context.output, *entry);
  return 0;
}

Result<int> run_test(Context& context, const std::string& name) {
  NEXUS_TRY(const auto provider,
            context.client.get("/v1/providers/by-name/" + percent_encode(name)));
  context.output.progress("asking " + name + " …");
  const auto answer = context.client.post(
      "/v1/providers/" + text_member(provider, "id").value_or("") + "/test", "");
  context.output.progress("");
  if (!answer) return answer.error();
  const bool ok = answer->value("ok", false);
  if (context.output.json) {
    context.output.json_line(*answer);
    return ok ? 0 : 1;
  }
  for (const auto& check : answer->value("checks", Json::array())) {
    const bool good = check.value("ok", false);
    context.output.result(context.output.mark(good) + " " + check.value("check", "") + ": " +
                          printable(check.value("detail", ""), 400) + "\n");
    if (const auto hint = check.value("hint", ""); !good && !hint.empty())
      context.output.result("  " + printable(hint, 400) + "\n");
  }
  return ok ? 0 : 1;
}

Result<int> run_remove(Context& context, const std::string& name) {
  NEXUS_TRY(const auto answer,
            context.client.call("DELETE", "/v1/providers/by-name/" + percent_encode(name), ""));
  if (context.output.json) {
    context.output.json_line(answer);
    return 0;
  }
  context.output.result("removed provider " + name + "\n");
  context.output.note("connections made with it go on working until they are disconnected");
  return 0;
}

Command edit_command() {
  auto args = std::make_shared<ProviderArgs>();
  std::vector<Argument> arguments{
      {"name", &args->name, "a registered provider", {.required = true}},
      {"--client-id", &args->client_id, "the client's id at the provider"}};
  add_fields(arguments, *args);
  arguments.push_back(
      {"--no-client-secret", &args->no_client_secret, "the client has no secret any more"});
  return {.name = "edit",
          .summary = "Change a provider in place",
          .arguments = std::move(arguments),
          .action = [args](Context& context) { return run_edit(context, *args); },
          .footer =
              "What is not mentioned stays as it is, the client secret included. Connections go "
              "on\nworking, unless the issuer, the token endpoint or the client id changes."};
}

/// A command that takes a provider's name, nothing else.
Command named_command(const char* name, const char* summary,
                      Result<int> (*run)(Context&, const std::string&)) {
  auto provider = std::make_shared<std::string>();
  return {.name = name,
          .summary = summary,
          .arguments = {{"name", provider.get(), "a provider", {.required = true}}},
          .action = [provider, run](Context& context) { return run(context, *provider); }};
}

}  // namespace

Command provider_command() {
  return {.name = "provider",
          .summary = "Register and inspect providers",
          .alias = "providers",
          .commands = {
              provider_add_command(),
              edit_command(),
              provider_catalog_command(),
              provider_plan_command(),
              provider_apply_command(),
              provider_export_command(),
              {.name = "list", .summary = "List the registered providers", .action = run_list},
              named_command("show", "Show a provider, registered or in the catalogue", run_show),
              named_command("test", "Try a provider's endpoints and settings", run_test),
              named_command("remove", "Remove a provider", run_remove)}};
}

}  // namespace nexus::cli
