#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/output/prompt.h"
#include "common/json.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

struct AddArgs {
  std::string name;
  std::string auth_type = "oauth2";
  std::string issuer;
  std::string auth_url;
  std::string token_url;
  std::string client_id;
  std::string client_secret;
  std::string client_secret_file;
  std::string client_auth;
  std::vector<std::string> scopes;
  std::vector<std::string> params;
  std::string api_base_url;
  std::string redirect_host;
  std::string redirect_path;
  bool allow_insecure_http = false;
  bool allow_private_network = false;
  bool replace = false;
};

void print_provider(const Output& output, const Json& provider) {
  if (output.json) return output.json_line(provider);
  std::vector<std::vector<std::string>> rows;
  const auto row = [&](const char* label, const std::string& value) {
    if (!value.empty()) rows.push_back({label, printable(value, 400)});
  };
  const auto text = [&](const char* name) { return text_member(provider, name).value_or(""); };
  row("id", text("id"));
  row("type", text("auth_type"));
  row("issuer", text("issuer"));
  row("authorization endpoint", text("auth_url"));
  row("token endpoint", text("token_url"));
  row("client id", text("client_id"));
  row("client authentication", text("auth_header"));
  std::vector<std::string> scopes;
  for (const auto& scope : provider.value("scopes", Json::array()))
    if (scope.is_string()) scopes.push_back(scope.get<std::string>());
  row("scopes", join(scopes, " "));
  if (const auto params = provider.find("params"); params != provider.end() && !params->empty())
    row("parameters", to_text(*params));
  row("API", text("api_base_url"));
  row("redirect URI", text("redirect_uri"));
  output.table({"PROVIDER", text("name")}, rows);
}

/// The secret joins the body as text that is wiped: nlohmann's own strings are not.
SecretText with_secret(const Json& body, const Secret& secret) {
  SecretText out(to_text(body));
  if (secret.empty()) return out;
  SecretJsonWriter member;
  member.begin().member("client_secret", secret.expose()).end();
  const auto object = member.take();
  out.back() = ',';
  out.append(std::string_view(object).substr(1));
  return out;
}

Result<int> run_add(Context& context, const AddArgs& args) {
  if (!args.client_secret.empty())
    return Error{ErrorCode::usage, "a secret on the command line can be read by every program here",
                 "give it with --client-secret-file FILE, or - for stdin"};
  Json body{{"name", args.name},
            {"auth_type", args.auth_type},
            {"issuer", args.issuer},
            {"auth_url", args.auth_url},
            {"token_url", args.token_url},
            {"client_id", args.client_id},
            {"auth_header", args.client_auth},
            {"scopes", args.scopes},
            {"api_base_url", args.api_base_url},
            {"redirect_host", args.redirect_host},
            {"redirect_path", args.redirect_path},
            {"allow_insecure_http", args.allow_insecure_http},
            {"allow_private_network", args.allow_private_network},
            {"replace", args.replace},
            {"params", Json::object()}};
  for (const auto& param : args.params) {
    const auto equals = param.find('=');
    if (equals == 0 || equals == std::string::npos)
      return Error{ErrorCode::usage, "--param wants NAME=VALUE, not '" + printable(param, 60) + "'",
                   "for example --param access_type=offline"};
    body["params"][param.substr(0, equals)] = param.substr(equals + 1);
  }
  Secret secret;
  if (!args.client_secret_file.empty()) {
    NEXUS_TRY(secret, read_secret(args.client_secret_file, "client secret"));
  }
  NEXUS_TRY(const auto provider, context.client.post("/v1/providers", with_secret(body, secret)));
  print_provider(context.output, provider);
  if (const auto warning = text_member(provider, "warning")) context.output.warn(*warning);
  if (!context.output.json)
    context.output.note("Register the redirect URI at the provider, then run: nexus connect " +
                        args.name);
  return 0;
}

Result<int> run_list(Context& context) {
  NEXUS_TRY(const auto providers, context.client.get("/providers"));
  if (context.output.json) {
    context.output.json_line({{"providers", providers}});
    return 0;
  }
  if (providers.empty()) {
    context.output.note("no providers yet; register one with: nexus provider add NAME …");
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& provider : providers) {
    const auto issuer = text_member(provider, "issuer").value_or("");
    rows.push_back(
        {text_member(provider, "name").value_or(""),
         text_member(provider, "auth_type").value_or(""),
         printable(issuer.empty() ? text_member(provider, "token_url").value_or("") : issuer, 80)});
  }
  context.output.table({"PROVIDER", "TYPE", "ISSUER OR TOKEN ENDPOINT"}, rows);
  return 0;
}

Result<int> run_show(Context& context, const std::string& name) {
  NEXUS_TRY(const auto provider,
            context.client.get("/v1/providers/by-name/" + percent_encode(name)));
  print_provider(context.output, provider);
  return 0;
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

void configure_add(CLI::App& app, Action& action) {
  auto args = std::make_shared<AddArgs>();
  app.add_option("name", args->name, "a name: a-z, 0-9 and -")->required();
  app.add_option("--auth-type", args->auth_type, "oauth2")->capture_default_str();
  app.add_option("--issuer", args->issuer,
                 "OpenID Connect or OAuth issuer; endpoints are discovered");
  app.add_option("--auth-url", args->auth_url, "authorization endpoint, where there is no issuer");
  app.add_option("--token-url", args->token_url, "token endpoint, where there is no issuer");
  app.add_option("--client-id", args->client_id, "the client's id at the provider")->required();
  app.add_option("--client-secret-file", args->client_secret_file,
                 "file with the client's secret, - for stdin (no echo on a terminal)");
  app.add_option("--client-secret", args->client_secret)->group("");
  app.add_option("--client-auth", args->client_auth, "how the client proves itself")
      ->check(CLI::IsMember({"client_secret_basic", "client_secret_post", "none"}));
  app.add_option("--scope", args->scopes, "a scope to ask for by default (repeatable)")
      ->expected(1)
      ->take_all();
  app.add_option("--param", args->params, "NAME=VALUE for the authorization request (repeatable)")
      ->expected(1)
      ->take_all();
  app.add_option("--api-base-url", args->api_base_url, "where the provider's API lives");
  app.add_option("--redirect-host", args->redirect_host, "localhost, where the provider insists");
  app.add_option("--redirect-path", args->redirect_path,
                 "path of the redirect URI, where it is registered already");
  app.add_flag("--allow-insecure-http", args->allow_insecure_http,
               "allow plain http for a provider on this machine");
  app.add_flag("--allow-private-network", args->allow_private_network,
               "allow a provider on a private network");
  app.add_flag("--replace", args->replace, "change it when it exists already");
  app.parse_complete_callback(
      [args, &action] { action = [args](Context& context) { return run_add(context, *args); }; });
}

void configure_named(CLI::App& app, Action& action,
                     Result<int> (*run)(Context&, const std::string&)) {
  auto name = std::make_shared<std::string>();
  app.add_option("name", *name, "a registered provider")->required();
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
  configure_add(sub("add", "Register a provider"), action);
  sub("list", "List the registered providers").parse_complete_callback([&action] {
    action = run_list;
  });
  configure_named(sub("show", "Show a provider"), action, run_show);
  configure_named(sub("remove", "Remove a provider"), action, run_remove);
}

}  // namespace

const Command provider_command{"provider", "providers", "Register and inspect providers",
                               configure_provider};

}  // namespace nexus::cli
