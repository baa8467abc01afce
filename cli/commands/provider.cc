#include <CLI/CLI.hpp>
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

void configure_edit(CLI::App& app, Action& action) {
  auto args = std::make_shared<ProviderArgs>();
  app.add_option("name", args->name, "a registered provider")->required();
  app.add_option("--client-id", args->client_id, "the client's id at the provider");
  add_fields(app, *args);
  app.add_flag("--no-client-secret", args->no_client_secret, "the client has no secret any more");
  app.footer(
      "What is not mentioned stays as it is, the client secret included. Connections go on\n"
      "working, unless the issuer, the token endpoint or the client id changes.");
  app.parse_complete_callback(
      [args, &action] { action = [args](Context& context) { return run_edit(context, *args); }; });
}

void configure_named(CLI::App& app, Action& action,
                     Result<int> (*run)(Context&, const std::string&)) {
  auto name = std::make_shared<std::string>();
  app.add_option("name", *name, "a provider")->required();
  app.parse_complete_callback([name, run, &action] {
    action = [name, run](Context& context) { return run(context, *name); };
  });
}

void configure_provider(CLI::App& app, Action& action) {
  app.require_subcommand(1);
  const auto sub = [&](const char* name, const char* summary) -> CLI::App& {
    auto* command = app.add_subcommand(name, summary);
    command->fallthrough();
    return *command;
  };
  configure_provider_add(sub("add", "Register a provider"), action);
  configure_edit(sub("edit", "Change a provider in place"), action);
  configure_provider_catalog(sub("catalog", "Search the providers that nexus knows"), action);
  configure_provider_plan(sub("plan", "Show what a manifest would change"), action);
  configure_provider_apply(sub("apply", "Make the providers what a manifest says"), action);
  sub("export", "Write a manifest of what is registered").parse_complete_callback([&action] {
    action = run_provider_export;
  });
  sub("list", "List the registered providers").parse_complete_callback([&action] {
    action = run_list;
  });
  configure_named(sub("show", "Show a provider, registered or in the catalogue"), action, run_show);
  configure_named(sub("test", "Try a provider's endpoints and settings"), action, run_test);
  configure_named(sub("remove", "Remove a provider"), action, run_remove);
}

}  // namespace

const Command provider_command{"provider", "providers", "Register and inspect providers",
                               configure_provider};

}  // namespace nexus::cli
