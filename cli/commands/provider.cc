#include <memory>

#include "cli/command.h"
#include "cli/commands/provider.h"
#include "cli/commands/provider_fields.h"
#include "cli/commands/registration.h"
#include "cli/interrupt.h"
#include "cli/output/pager.h"
#include "cli/output/prompt.h"
#include "cli/output/table.h"
#include "common/api/connection.h"
#include "common/json.h"
#include "common/suggestion.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

Result<api::Provider> find_provider(Context& context, const std::string& name) {
  return context.client.get<api::Provider>("/v1/providers/by-name/" + percent_encode(name));
}

/// The error that there is none, with those that may have been meant.
Error with_meant(Context& context, const std::string& name, Error error) {
  const auto meant = suggestions(lower(name), registered_providers(context));
  if (!meant.empty()) error.hint = "did you mean " + join(meant, " or ") + "? (" + error.hint + ")";
  return error;
}

Result<api::Provider> fetch_provider(Context& context, const std::string& name) {
  auto provider = find_provider(context, name);
  if (provider || provider.error().code != ErrorCode::provider_not_found) return provider;
  return with_meant(context, name, std::move(provider).error());
}

/// What makes it somebody else that secrets would go to; null where it is who it was.
const char* other_party(const api::Provider& before, const api::Provider& after) {
  if (before.auth_type != after.auth_type) return "auth_type";
  if (before.grant_type != after.grant_type) return "grant_type";
  if (before.issuer != after.issuer) return "issuer";
  if (before.token_url != after.token_url) return "token_url";
  if (before.client_id != after.client_id) return "client_id";
  if (before.api_base_url != after.api_base_url && !after.is_oauth()) return "api_base_url";
  return nullptr;
}

Result<int> run_edit(Context& context, const ProviderArgs& args) {
  NEXUS_TRY(const auto before, fetch_provider(context, args.name));
  NEXUS_TRY(const auto edit, edit_of(args, before));
  if (!edit)
    return Error{ErrorCode::usage, "nothing was said that should change",
                 "nexus provider edit --help lists what can"};
  const CatchInterrupt held;  // what is changed is said
  NEXUS_TRY(const auto after, context.client.call<api::Provider>(
                                  "PATCH", "/v1/providers/" + percent_encode(before.id), *edit));
  print_provider(context.output, after);
  if (const char* what = other_party(before, after))
    context.output.warn(std::string("the ") + what +
                        " is another one: connections made with the old one need a person now");
  return 0;
}

Result<int> list_providers(Context& context) {
  NEXUS_TRY(const auto providers, context.client.all_pages<api::Provider>("/providers?limit=500"));
  if (context.output.json) {
    context.output.json_line(
        JsonWriter().begin().member_json("providers", api::to_json(providers)).end().take());
    return 0;
  }
  if (providers.empty()) {
    context.output.note("no providers yet; nexus provider catalog lists those that nexus knows");
    return 0;
  }
  page(context.output);
  std::vector<Cells> rows;
  for (const auto& provider : providers) {
    const auto& where = !provider.issuer.empty()      ? provider.issuer
                        : !provider.token_url.empty() ? provider.token_url
                                                      : provider.api_base_url;
    if (provider.warning.empty())
      rows.push_back({provider.name, word(provider.auth_type), where});
    else
      rows.push_back({provider.name, "?", provider.warning});
  }
  Table(context.output, {{"PROVIDER"}, {"TYPE"}, {"ISSUER OR ADDRESS", 20}}).print(rows);
  return 0;
}

Result<int> run_show(Context& context, const std::string& name) {
  const auto provider = find_provider(context, name);
  if (!provider && provider.error().code != ErrorCode::provider_not_found) return provider.error();
  const auto from = provider ? provider->catalogue_entry() : "";
  NEXUS_TRY(const auto entry, Catalogue().find(from.empty() ? lower(name) : from));
  if (!provider && !entry) return unknown_provider(context, name);
  page(context.output);
  if (!provider) {
    print_entry(context.output, *entry);
    return 0;
  }
  print_provider(context.output, *provider);
  // A name of the catalogue may have come to mean another kind since.
  const bool is_of_entry = entry && entry->auth_type == provider->auth_type;
  if (is_of_entry && !context.output.json) print_quirks(context.output, *entry);
  return 0;
}

Result<int> run_test(Context& context, const std::string& name) {
  NEXUS_TRY(const auto provider, fetch_provider(context, name));
  context.output.progress("asking " + name + " …");
  const auto test = context.client.post<api::ProviderTest>(
      "/v1/providers/" + percent_encode(provider.id) + "/test", "");
  context.output.progress("");
  if (!test) return test.error();
  if (context.output.json) {
    context.output.json_line(api::to_json(*test));
    return test->ok() ? 0 : 1;
  }
  for (const auto& check : test->checks) {
    print_text(context.output, {Output::mark(check.ok), " "}, check.name + ": " + check.detail);
    if (!check.ok && !check.hint.empty()) print_text(context.output, {"  "}, check.hint);
  }
  return test->ok() ? 0 : 1;
}

struct RemoveArgs {
  std::string name;
  bool yes = false;
};

/// How many connections are made with a provider.
struct MadeWith {
  std::int64_t working = 0;
  std::int64_t in_need = 0;  ///< of a person, who needs the provider for that
};

Result<MadeWith> made_with(Context& context, const std::string& provider_id) {
  MadeWith made;
  const auto count = [&](std::string_view text) -> Result<bool> {
    NEXUS_TRY(const auto page, api::parse_list<api::Connection>(text));
    for (const auto& each : page) {
      if (each.provider_id != provider_id) continue;
      if (each.status == ConnectionStatus::active) ++made.working;
      if (each.status == ConnectionStatus::attention_required) ++made.in_need;
    }
    return true;
  };
  NEXUS_CHECK(
      context.client.each_page("/v1/connections?workspace_id=*&pending=true&limit=500", count));
  return made;
}

/// "1 connection made with it will go on working, 2 need it to work again", "" for none of either.
std::string consequences(const MadeWith& made) {
  std::string text;
  const auto add = [&](std::int64_t count, const char* what) {
    if (count == 0) return;
    text += text.empty() ? std::to_string(count) + (count == 1 ? " connection" : " connections") +
                               " made with it"
                         : ", " + std::to_string(count);
    text += what;
  };
  add(made.working, " will go on working");
  add(made.in_need, made.in_need == 1 ? " needs it to work again" : " need it to work again");
  return text;
}

/// That a person means it; scripts, and who says --yes, do.
Result<void> check_meant(Context& context, const RemoveArgs& args) {
  if (args.yes || !is_interactive() || context.output.json) return {};
  const auto provider = fetch_provider(context, args.name);
  if (!provider && provider.error().code == ErrorCode::internal_error)
    return confirm("Remove " + args.name + "? Its record is damaged");
  if (!provider) return provider.error();
  NEXUS_TRY(const auto made, made_with(context, provider->id));
  const auto text = consequences(made);
  return text.empty() ? Result<void>() : confirm("Remove " + provider->name + "? " + text);
}

Result<int> run_remove(Context& context, const RemoveArgs& args) {
  const auto& name = args.name;
  NEXUS_CHECK(check_meant(context, args));
  const auto answer =
      context.client.call_raw("DELETE", "/v1/providers/by-name/" + percent_encode(name), "");
  if (!answer && answer.error().code == ErrorCode::provider_not_found)
    return with_meant(context, name, answer.error());
  if (!answer) return answer.error();
  if (context.output.json) {
    context.output.json_line(*answer);
    return 0;
  }
  context.output.line("removed provider " + name);
  context.output.note("active connections made with it go on working until they are disconnected;");
  context.output.note("others can be connected anew once it is registered again");
  return 0;
}

Command edit_command() {
  auto args = std::make_shared<ProviderArgs>();
  std::vector<Argument> arguments{
      {"name", &args->name, "a registered provider", {.required = true, .names = Names::provider}},
      {"--no-client-secret", &args->no_client_secret, "the client has no secret any more"}};
  add_fields(arguments, *args);
  return {.name = "edit",
          .summary = "Change a provider in place",
          .arguments = std::move(arguments),
          .action = [args](Context& context) { return run_edit(context, *args); },
          .footer =
              "What is not mentioned stays as it is, the client secret included. Connections go "
              "on working, unless the issuer, the token endpoint or the client id changes.",
          .examples = {"nexus provider edit github --client-secret-file -",
                       "nexus provider edit acme --param prompt=consent"}};
}

Command remove_command() {
  auto args = std::make_shared<RemoveArgs>();
  return {.name = "remove",
          .summary = "Remove a provider",
          .arguments =
              {{"name", &args->name, "a provider", {.required = true, .names = Names::provider}},
               {"--yes", &args->yes, "do not ask; without a terminal nothing is asked anyway"}},
          .action = [args](Context& context) { return run_remove(context, *args); },
          .examples = {"nexus provider remove github"}};
}

/// A command that takes a provider's name, nothing else.
Command named_command(const char* name, const char* summary, Names names,
                      Result<int> (*run)(Context&, const std::string&)) {
  auto provider = std::make_shared<std::string>();
  return {.name = name,
          .summary = summary,
          .arguments = {{"name", provider.get(), "a provider", {.required = true, .names = names}}},
          .action = [provider, run](Context& context) { return run(context, *provider); },
          .examples = {"nexus provider " + std::string(name) + " github"}};
}

}  // namespace

Command provider_command() {
  return {.name = "provider",
          .summary = "Register and inspect providers",
          .alias = "providers",
          .examples = {"nexus provider catalog mail", "nexus provider add github",
                       "nexus provider list"},
          .commands = {provider_add_command(),
                       edit_command(),
                       provider_catalog_command(),
                       provider_plan_command(),
                       provider_apply_command(),
                       provider_export_command(),
                       {.name = "list",
                        .summary = "List the registered providers",
                        .action = list_providers,
                        .examples = {"nexus provider list"}},
                       named_command("show", "Show a provider, registered or in the catalogue",
                                     Names::known_provider, run_show),
                       named_command("test", "Try a provider's endpoints and settings",
                                     Names::provider, run_test),
                       remove_command()}};
}

}  // namespace nexus::cli
