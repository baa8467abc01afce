#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/command.h"
#include "cli/output/prompt.h"
#include "common/json.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

/// What was said of a provider; nothing where it was not.
struct ProviderArgs {
  std::string name;
  std::optional<std::string> auth_type;
  std::optional<std::string> issuer;
  std::optional<std::string> auth_url;
  std::optional<std::string> token_url;
  std::optional<std::string> client_id;
  std::optional<std::string> client_auth;
  std::optional<std::string> api_base_url;
  std::optional<std::string> redirect_host;
  std::optional<std::string> redirect_path;
  std::optional<bool> allow_insecure_http;
  std::optional<bool> allow_private_network;
  std::vector<std::string> scopes;
  std::vector<std::string> params;
  std::string client_secret;
  std::string client_secret_file;
  bool no_client_secret = false;
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
  auto object = member.take();
  if (body.empty()) return object;
  out.back() = ',';
  out.append(std::string_view(object).substr(1));
  return out;
}

/// The fields that were given, under their names on the wire; `params` are added to those there
/// are.
Result<Json> fields_of(const ProviderArgs& args, Json params) {
  Json body = Json::object();
  const auto put = [&](const char* name, const auto& value) {
    if (value) body[name] = *value;
  };
  put("auth_type", args.auth_type);
  put("issuer", args.issuer);
  put("auth_url", args.auth_url);
  put("token_url", args.token_url);
  put("client_id", args.client_id);
  put("auth_header", args.client_auth);
  put("api_base_url", args.api_base_url);
  put("redirect_host", args.redirect_host);
  put("redirect_path", args.redirect_path);
  put("allow_insecure_http", args.allow_insecure_http);
  put("allow_private_network", args.allow_private_network);
  if (!args.scopes.empty()) body["scopes"] = args.scopes;
  for (const auto& param : args.params) {
    const auto equals = param.find('=');
    if (equals == 0 || equals == std::string::npos)
      return Error{ErrorCode::usage, "--param wants NAME=VALUE, not '" + printable(param, 60) + "'",
                   "for example --param access_type=offline"};
    params[param.substr(0, equals)] = param.substr(equals + 1);
  }
  if (!args.params.empty()) body["params"] = std::move(params);
  return body;
}

Result<Secret> client_secret_of(const ProviderArgs& args) {
  if (!args.client_secret.empty())
    return Error{ErrorCode::usage, "a secret on the command line can be read by every program here",
                 "give it with --client-secret-file FILE, or - for stdin"};
  if (args.client_secret_file.empty()) return Secret();
  return read_secret(args.client_secret_file, "client secret");
}

void print_registered(const Context& context, const Json& provider) {
  print_provider(context.output, provider);
  if (const auto warning = text_member(provider, "warning")) context.output.warn(*warning);
}

Result<int> run_add(Context& context, const ProviderArgs& args) {
  NEXUS_TRY(auto body, fields_of(args, Json::object()));
  body["name"] = args.name;
  body["replace"] = args.replace;
  NEXUS_TRY(const auto secret, client_secret_of(args));
  NEXUS_TRY(const auto provider, context.client.post("/v1/providers", with_secret(body, secret)));
  print_registered(context, provider);
  if (!context.output.json)
    context.output.note("Register the redirect URI at the provider, then run: nexus connect " +
                        args.name);
  return 0;
}

Result<int> run_edit(Context& context, const ProviderArgs& args) {
  NEXUS_TRY(const auto before,
            context.client.get("/v1/providers/by-name/" + percent_encode(args.name)));
  NEXUS_TRY(auto body, fields_of(args, before.value("params", Json::object())));
  NEXUS_TRY(const auto secret, client_secret_of(args));
  if (args.no_client_secret) body["client_secret"] = "";
  if (body.empty() && secret.empty())
    return Error{ErrorCode::usage, "nothing was said that should change",
                 "nexus provider edit --help lists what can"};
  NEXUS_TRY(const auto after,
            context.client.call("PATCH", "/v1/providers/" + text_member(before, "id").value_or(""),
                                with_secret(body, secret)));
  print_registered(context, after);
  for (const char* name : {"issuer", "token_url", "client_id"})
    if (before.value(name, "") != after.value(name, "")) {
      context.output.warn(std::string("the ") + name +
                          " is another one: connections made with the old one need a person now");
      break;
    }
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

void add_fields(CLI::App& app, ProviderArgs& args) {
  app.add_option("--auth-type", args.auth_type, "oauth2");
  app.add_option("--issuer", args.issuer,
                 "OpenID Connect or OAuth issuer; endpoints are discovered");
  app.add_option("--auth-url", args.auth_url, "authorization endpoint, where there is no issuer");
  app.add_option("--token-url", args.token_url, "token endpoint, where there is no issuer");
  app.add_option("--client-secret-file", args.client_secret_file,
                 "file with the client's secret, - for stdin (no echo on a terminal)");
  app.add_option("--client-secret", args.client_secret)->group("");
  app.add_option("--client-auth", args.client_auth, "how the client proves itself")
      ->check(CLI::IsMember({"client_secret_basic", "client_secret_post", "none"}));
  app.add_option("--scope", args.scopes, "a scope to ask for by default (repeatable)")
      ->expected(1)
      ->take_all();
  app.add_option("--param", args.params, "NAME=VALUE for the authorization request (repeatable)")
      ->expected(1)
      ->take_all();
  app.add_option("--api-base-url", args.api_base_url, "where the provider's API lives");
  app.add_option("--redirect-host", args.redirect_host, "localhost, where the provider insists");
  app.add_option("--redirect-path", args.redirect_path,
                 "path of the redirect URI, where it is registered already");
  // Not add_flag: that one sets an optional also when the flag was not given.
  const auto flag = [&](const char* names, std::optional<bool>& into, const char* help) {
    app.add_flag_function(
        names, [&into](std::int64_t count) { into = count > 0; }, help);
  };
  flag("--allow-insecure-http,!--no-allow-insecure-http", args.allow_insecure_http,
       "allow plain http for a provider on this machine");
  flag("--allow-private-network,!--no-allow-private-network", args.allow_private_network,
       "allow a provider on a private network");
}

void configure_add(CLI::App& app, Action& action) {
  auto args = std::make_shared<ProviderArgs>();
  app.add_option("name", args->name, "a name: a-z, 0-9 and -")->required();
  app.add_option("--client-id", args->client_id, "the client's id at the provider")->required();
  add_fields(app, *args);
  app.add_flag("--replace", args->replace, "change it when it exists already");
  app.parse_complete_callback(
      [args, &action] { action = [args](Context& context) { return run_add(context, *args); }; });
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
  configure_edit(sub("edit", "Change a provider in place"), action);
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
