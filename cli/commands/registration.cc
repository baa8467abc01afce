#include "cli/commands/registration.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/output/prompt.h"
#include "cli/output/table.h"
#include "common/json.h"
#include "common/suggestion.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

/// Where and how the client is made.
void explain(const Output& output, const CatalogueEntry& entry, const api::RedirectUri& redirect) {
  output.note(entry.display_name + " needs a client of yours, once. Make one:");
  if (!entry.console_url.empty())
    output.note_behind("  at            ", entry.console_url, entry.console_url);
  if (!entry.client_kind.empty()) output.note_behind("  of the kind   ", entry.client_kind);
  if (entry.needs_redirect()) output.note_behind("  redirect URI  ", redirect.uri);
  for (const auto& step : entry.steps) output.note_behind("  - ", step);
  if (!entry.docs_url.empty())
    output.note_behind("  scopes are explained at ", entry.docs_url, entry.docs_url);
}

/// What somebody who cannot be asked has to run.
Error nobody_to_ask(const CatalogueEntry& entry, const std::string& name,
                    const api::RedirectUri& redirect) {
  std::string command = "nexus provider add " + name;
  if (name != entry.name) command += " --from " + entry.name;
  for (const auto& variable : entry.variables)
    if (!variable.optional && variable.fallback.empty())
      command += " --var " + variable.name + "=…";
  command += " --client-id ID --client-secret-file -";
  const auto where = entry.console_url.empty() ? "" : " at " + entry.console_url;
  return {ErrorCode::provider_not_found,
          "no client of " + entry.display_name + " is registered here yet",
          "make one" + where +
              (entry.needs_redirect() ? " with the redirect URI " + redirect.uri : "") +
              ", then run: " + command};
}

Result<std::map<std::string, std::string>> ask_for_variables(
    const CatalogueEntry& entry, std::map<std::string, std::string> given, bool ask) {
  for (const auto& variable : entry.variables) {
    if (given.contains(variable.name) || !ask) continue;
    auto prompt = variable.title;
    if (!variable.suffix.empty()) prompt += " (…" + variable.suffix + ")";
    if (!variable.choices.empty()) prompt += " (" + join(variable.choices, ", ") + ")";
    if (variable.optional) prompt += " (optional)";
    if (!variable.description.empty()) prompt += " – " + variable.description;
    while (true) {
      NEXUS_TRY(const auto answer, ask_line(prompt, variable.fallback));
      if (answer.empty() && variable.optional) break;
      const auto checked = variable.check(answer);
      if (checked) {
        given[variable.name] = *checked;
        break;
      }
      say_on_terminal("  " + checked.error().message + "; " + checked.error().hint);
    }
  }
  return given;
}

bool needs_client(const CatalogueEntry& entry, const ProviderArgs& args) {
  return entry.is_oauth() && !args.client_id && args.service_account_file.empty();
}

bool needs_variables(const CatalogueEntry& entry, const std::map<std::string, std::string>& given) {
  for (const auto& variable : entry.variables)
    if (!variable.optional && variable.fallback.empty() && !given.contains(variable.name))
      return true;
  return false;
}

/// What a default registration lacks, asked for. The secret is asked for last.
Result<Secret> ask_for_client(const CatalogueEntry& entry, ProviderArgs& args) {
  NEXUS_TRY(args.client_id.emplace(), ask_line("Client id", ""));
  if (args.client_id->empty())
    return Error{ErrorCode::usage, "without a client id nothing can be registered",
                 "make a client at the provider first, then start again"};
  Secret secret;
  if (args.client_secret_file.empty() && args.private_key_file.empty()) {
    NEXUS_TRY(secret, ask_secret(entry.public_client ? "Client secret (not shown; empty for none)"
                                                     : "Client secret (not shown)"));
  }
  if (args.scopes.empty()) {
    if (!entry.without_scope) {
      NEXUS_TRY(const auto answer, ask_line("Scopes", join(entry.scopes, " ")));
      args.scopes = split(answer, ' ');
    }
  }
  return secret;
}

}  // namespace

Result<api::RedirectUri> redirect_uri_for(Context& context, const CatalogueEntry& entry,
                                          const std::string& name) {
  return context.client.get<api::RedirectUri>(
      "/v1/providers/redirect-uri?name=" + percent_encode(name) + "&host=" +
      percent_encode(entry.redirect_host) + "&sends_iss=" + (entry.sends_iss ? "true" : "false") +
      "&https_redirect=" + (entry.https_redirect ? "true" : "false"));
}

Result<api::Provider> register_from_catalogue(Context& context, const CatalogueEntry& entry,
                                              ProviderArgs args) {
  NEXUS_TRY(auto variables, pairs_of(args.variables, "--var"));
  const bool ask = is_interactive() && !context.output.json;
  api::RedirectUri redirect;
  ClientProof proof;
  if (needs_client(entry, args) || needs_variables(entry, variables)) {
    if (entry.is_oauth()) {
      NEXUS_TRY(redirect, redirect_uri_for(context, entry, args.name));
    }
    if (!ask && needs_client(entry, args)) return nobody_to_ask(entry, args.name, redirect);
    if (!ask) return entry.filled_in(variables).error();
    if (entry.is_oauth()) explain(context.output, entry, redirect);
    NEXUS_TRY(variables, ask_for_variables(entry, std::move(variables), ask));
    if (needs_client(entry, args)) {
      NEXUS_TRY(proof.secret, ask_for_client(entry, args));
      args.redirect_path = redirect.path;
    }
  }
  if (proof.empty()) {
    NEXUS_TRY(proof, client_proof_of(args));
  }
  NEXUS_TRY(auto body, entry.filled_in(variables));
  NEXUS_TRY(const auto given, fields_of(args, body.at("params")));
  body.update(given);
  body["name"] = args.name;
  body["replace"] = args.replace;
  // A client without a secret has nothing to authenticate with.
  const bool has_secret = !proof.empty() && std::string_view(proof.member) == "client_secret";
  if (entry.is_oauth() && !has_secret) body.erase("auth_header");
  if (args.client_auth) body["auth_header"] = *args.client_auth;
  return context.client.post<api::Provider>("/v1/providers", with_proof(to_text(body), proof));
}

void print_entry(const Output& output, const CatalogueEntry& entry) {
  if (output.json) {
    JsonWriter json;
    json.begin()
        .member("name", entry.name)
        .member("display_name", entry.display_name)
        .flag("registered", false)
        .member("console_url", entry.console_url)
        .member("client_kind", entry.client_kind)
        .member("docs_url", entry.docs_url)
        .member("quirks", entry.quirks)
        .member("unverified", entry.unverified)
        .begin("variables");
    for (const auto& variable : entry.variables)
      json.begin(variable.name)
          .member("title", variable.title)
          .member("suffix", variable.suffix)
          .member("choices", variable.choices)
          .flag("optional", variable.optional)
          .end();
    json.end().begin("env");
    for (const auto& [variable, field] : entry.env) json.member(variable, field);
    json.end().member_json("profile", to_text(*entry.profile)).end();
    return output.json_line(json.take());
  }
  Record lines{{"catalogue entry", entry.name}};
  const auto row = [&](const char* label, const std::string& value) {
    if (!value.empty()) lines.emplace_back(label, value);
  };
  const auto address = [&](const char* label, const std::string& url) {
    if (!url.empty()) lines.emplace_back(label, Words::address(url));
  };
  const auto text = [&](const char* name) {
    return text_member(*entry.profile, name).value_or("");
  };
  row("name", entry.display_name);
  row("type", word(entry.auth_type));
  row("issuer", text("issuer"));
  row("authorization endpoint", text("auth_url"));
  row("token endpoint", text("token_url"));
  row("client authentication", entry.is_oauth() ? text("auth_header") : "");
  row("grant", entry.grant_type);
  row("scopes", join(entry.scopes, " "));
  row("API", text("api_base_url"));
  row("who am I", text("user_info_endpoint"));
  std::map<std::string, std::string> params;
  for (const auto& [name, value] : entry.profile->at("params").items())
    if (name != "catalog_entry" && name != "console_url") params[name] = to_text(value);
  add_parameters(lines, params);
  for (const auto& variable : entry.variables)
    row("needs", variable.name + (variable.suffix.empty() ? "" : " (…" + variable.suffix + ")") +
                     (variable.choices.empty() ? "" : ": " + join(variable.choices, ", ")) +
                     (variable.optional ? " (optional)" : ""));
  std::vector<std::string> env;
  for (const auto& [variable, field] : entry.env) env.push_back(variable);
  row("nexus exec gives", join(env, ", "));
  address(entry.is_oauth() ? "make a client at" : "make a key at", entry.console_url);
  row("of the kind", entry.client_kind);
  address("see also", entry.docs_url);
  print_record(output, lines);
  print_quirks(output, entry);
  output.note("Not registered yet: nexus connect " + entry.name + " leads you through it.");
}

void print_quirks(const Output& output, const CatalogueEntry& entry) {
  if (!entry.quirks.empty()) output.line("What is special about it:");
  for (const auto& quirk : entry.quirks) print_text(output, {"- "}, quirk);
  if (!entry.unverified.empty())
    print_text(output, {"Not checked at the provider: "}, join(entry.unverified, ", "));
}

std::vector<std::string> registered_providers(Context& context) {
  std::vector<std::string> names;
  const auto providers = context.client.all_pages<api::Provider>("/providers?limit=500");
  if (providers)
    for (const auto& each : *providers) names.push_back(each.name);
  return names;
}

Error unknown_provider(Context& context, const std::string& name) {
  const Error unknown{ErrorCode::provider_not_found,
                      "there is no provider named " + printable(name, 80)};
  const auto told = [&](const std::string& hint) {
    auto error = unknown;
    error.hint = hint;
    return error;
  };
  auto meant = suggestions(lower(name), registered_providers(context));
  const bool is_registered = !meant.empty();
  for (auto& entry : Catalogue().similar(name))
    if (std::find(meant.begin(), meant.end(), entry) == meant.end())
      meant.push_back(std::move(entry));
  if (is_registered)
    return told("did you mean " + join(meant, " or ") +
                "? (see: nexus provider list, nexus provider catalog)");
  if (meant.empty())
    return told(
        "nexus provider catalog lists those that nexus knows; register another with: nexus "
        "provider add NAME …");
  return told("the catalogue has: " + join(meant, ", ") +
              "; register another with: nexus provider add NAME …");
}

}  // namespace nexus::cli
