#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/browser.h"
#include "cli/command.h"
#include "cli/commands/capture.h"
#include "cli/commands/registration.h"
#include "cli/output/connections.h"
#include "cli/output/prompt.h"
#include "common/json.h"
#include "common/paths.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

struct ConnectArgs {
  std::string provider;
  std::string alias;
  std::vector<std::string> scopes;
  std::string return_url;
  std::string replace;
  std::string timeout;
  bool no_browser = false;
  bool no_wait = false;
  bool credentials_stdin = false;
  bool page = false;
  bool paste = false;
  bool refresh_token_stdin = false;
};

constexpr int kPollMs = 250;

volatile sig_atomic_t interrupted = 0;

void catch_interrupt() {
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = 1; };
  sigaction(SIGINT, &action, nullptr);  // without SA_RESTART: the wait ends at once
}

std::string request_body(const Context& context, const ConnectArgs& args) {
  Json body{{"workspace_id", context.config.workspace}, {"provider_name", args.provider}};
  if (!args.scopes.empty()) body["scopes"] = args.scopes;
  if (!args.alias.empty()) body["alias"] = args.alias;
  if (!args.return_url.empty()) body["return_url"] = args.return_url;
  if (!args.replace.empty()) body["replaces"] = args.replace;
  if (args.paste) body["paste"] = true;
  return to_text(body);
}

void show_url(Context& context, const ConnectArgs& args, const std::string& url) {
  if (context.output.json && args.no_browser) return;  // it is in the JSON
  if (!args.no_browser) {
    const auto opened = open_browser(url);
    if (opened) {
      context.output.note("Your browser shows the page for " + args.provider +
                          " now. If not, open:");
    } else {
      context.output.warn(opened.error().message);
      context.output.note("Open this address in a browser on this computer:");
    }
  } else {
    context.output.note("Open this address in a browser on this computer:");
  }
  context.output.note("  " + url);
}

/// Until the connection is answered, the time is up, or the person presses Ctrl-C.
Result<api::Connection> wait_for_answer(Context& context, const std::string& id, UnixTime until) {
  while (true) {
    NEXUS_TRY(auto connection, fetch_connection(context, id));
    const auto left = until - system_now();
    if (connection.status != "pending" || left <= 0 || interrupted) {
      context.output.progress("");
      return connection;
    }
    context.output.progress("waiting for your consent, " + duration_text(left) +
                            " left (Ctrl-C stops waiting)");
    poll(nullptr, 0, kPollMs);
  }
}

Error still_pending(const api::Connection& connection) {
  const auto left = connection.expires_at.value_or(0) - system_now();
  return {ErrorCode::wait_timeout, "connection " + connection.id + " still waits for consent",
          "it stays open for " + duration_text(std::max<UnixTime>(left, 0)) +
              ": finish in the browser, then run: nexus status " + connection.id};
}

Error failed(const api::Connection& connection) {
  return {ErrorCode::connection_failed,
          "connection " + connection.id + " failed: " + connection.error_message +
              (connection.error_code.empty() ? "" : " (" + connection.error_code + ")"),
          "try again: nexus connect " + connection.provider};
}

/// On a machine that the person's browser is not on, its answers go astray: what to do about it.
void tell_way_around(Context& context, bool can_paste) {
  const auto server = split(environment("SSH_CONNECTION"), ' ');
  const auto base = context.config.callback_base_url;
  const auto port = base.substr(base.rfind(':') + 1);
  const bool desktop = !environment("DISPLAY").empty() || !environment("WAYLAND_DISPLAY").empty();
  std::string way;
  if (server.size() == 4 && !desktop)
    way =
        "You are here over SSH. For the answer to find its way, run on your own computer:\n"
        "  ssh -N -L " +
        port + ":127.0.0.1:" + port + " " + server[2];
  else if (access("/.dockerenv", F_OK) == 0 || !environment("container").empty())
    way =
        "This is a container: publish port " + port + " (-p 127.0.0.1:" + port + ":" + port + ").";
  else
    return;
  context.output.note(way + (can_paste ? "\nOr start again with --paste." : ""));
}

/// The person brings the address at which the browser ended; the daemon reads the answer from it.
Result<void> take_pasted_answer(Context& context) {
  constexpr int kTries = 3;
  context.output.note(
      "Consent there. The browser then ends at an address that may show an error: copy it.");
  for (int attempt = 1;; ++attempt) {
    NEXUS_TRY(const auto address, ask_line("Paste the address", ""));
    context.output.progress("exchanging …");
    auto answer =
        context.client.post("/v1/complete-connection", to_text(Json{{"callback_url", address}}));
    context.output.progress("");
    if (answer) return {};
    const bool mistyped = answer.error().code == ErrorCode::invalid_state ||
                          answer.error().code == ErrorCode::invalid_field;
    if (!mistyped || attempt == kTries) return std::move(answer).error();
    context.output.note(answer.error().message + "; paste all of it, from http to the end");
  }
}

/// The provider as it is registered; from the catalogue, if need be, where a person is led.
Result<Json> provider_for(Context& context, const std::string& name) {
  auto provider = context.client.get("/v1/providers/by-name/" + percent_encode(name));
  if (provider || provider.error().code != ErrorCode::provider_not_found) return provider;
  NEXUS_TRY(const auto entry, Catalogue().find(lower(name)));
  if (!entry) return unknown_provider(name);
  ProviderArgs wanted;
  wanted.name = entry->name;
  NEXUS_TRY(auto registered, register_from_catalogue(context, *entry, wanted));
  context.output.note(entry->display_name + " is registered now.");
  return registered;
}

enum class Way { browser, prompt, from_stdin };

/// How the person (or the script) answers.
Result<Way> way_for(const Context& context, const ConnectArgs& args, const Json& provider) {
  const bool is_static = provider.value("auth_type", "oauth2") != "oauth2";
  if (args.credentials_stdin && !is_static)
    return Error{ErrorCode::usage, args.provider + " takes no credentials: it asks for consent",
                 "leave --credentials-stdin out"};
  if (args.credentials_stdin) return Way::from_stdin;
  const bool ask = is_interactive() && !context.output.json && !args.page && !args.no_browser &&
                   !args.no_wait && args.return_url.empty();
  return is_static && ask ? Way::prompt : Way::browser;
}

/// Where a person finds what they are asked for.
void tell_where_keys_are(Context& context, const Json& provider) {
  const auto name = text_member(provider.value("params", Json::object()), "catalog_entry");
  const auto entry = Catalogue().find(name.value_or(""));
  if (entry && *entry && !(*entry)->console_url.empty())
    context.output.note("Make a key at " + (*entry)->console_url);
}

void tell_connected(Context& context, const api::Connection& connection) {
  context.output.note("Connected" +
                      (connection.account.empty() ? "" : " as " + connection.account) +
                      ". Use it with: nexus token " +
                      (connection.alias.empty() ? connection.id : connection.alias));
  context.output.result(connection.id + "\n");
}

/// A grant that the person has already: no consent is needed.
Result<int> adopt(Context& context, const ConnectArgs& args) {
  NEXUS_TRY(const auto token, read_secret("-", "Refresh token (not shown)"));
  SecretText body(request_body(context, args));
  SecretJsonWriter member;
  member.begin().member("refresh_token", token.expose()).end();
  const auto object = member.take();
  body.back() = ',';
  body.append(std::string_view(object).substr(1));
  context.output.progress("using it once …");
  const auto answer = context.client.post("/v1/adopt-connection", body);
  context.output.progress("");
  if (!answer) return answer.error();
  NEXUS_TRY(const auto connection, api::connection_from_json(*answer));
  if (context.output.json) {
    context.output.json_line({{"connection_id", connection.id}, {"status", connection.status}});
    return 0;
  }
  tell_connected(context, connection);
  return 0;
}

Result<int> run_connect(Context& context, ConnectArgs args) {
  UnixTime patience = 0;
  if (!args.timeout.empty()) {
    NEXUS_TRY(patience, parse_duration(args.timeout));
  }
  NEXUS_TRY(const auto provider, provider_for(context, args.provider));
  if (args.refresh_token_stdin) return adopt(context, args);
  NEXUS_TRY(const auto way, way_for(context, args, provider));
  catch_interrupt();
  context.output.progress("asking " + args.provider + " …");
  auto answer = context.client.post("/v1/request-connection", request_body(context, args));
  context.output.progress("");
  const bool nobody_listens =
      !answer && answer.error().code == ErrorCode::callback_unavailable && way == Way::browser;
  if (nobody_listens && is_interactive() && !args.no_wait && !context.output.json) {
    context.output.note(answer.error().message);
    args.paste = true;
    answer = context.client.post("/v1/request-connection", request_body(context, args));
  }
  if (!answer) return std::move(answer).error();
  const auto started = *std::move(answer);
  const auto id = text_member(started, "connection_id").value_or("");
  const auto url = text_member(started, "auth_url").value_or("");
  const auto expires_at = started.value("expires_at", UnixTime{0});
  if (way != Way::browser) {
    if (way == Way::prompt) tell_where_keys_are(context, provider);
    const auto state = text_member(started, "state").value_or("");
    const auto captured =
        way == Way::prompt ? capture_by_prompt(context, state) : capture_from_stdin(context, state);
    if (!captured) {
      // Nobody is going to answer it any more.
      static_cast<void>(context.client.call(
          "DELETE", context.client.target("/v1/connections/", id) + "&keep_grant=true", ""));
      return captured.error();
    }
  }
  if (context.output.json && way == Way::browser)
    context.output.json_line({{"connection_id", id},
                              {"auth_url", url},
                              {"status", "pending"},
                              {"expires_at", expires_at}});
  if (way == Way::browser) show_url(context, args, url);
  if (way == Way::browser && !args.paste)
    tell_way_around(context, provider.value("auth_type", "oauth2") == "oauth2");
  if (args.paste && !args.no_wait) NEXUS_CHECK(take_pasted_answer(context));
  if (args.no_wait && way == Way::browser) {
    if (!context.output.json) context.output.result(id + "\n");
    return 0;
  }
  const auto until = patience > 0 ? std::min(expires_at, system_now() + patience) : expires_at;
  NEXUS_TRY(const auto connection, wait_for_answer(context, id, until));
  if (context.output.json) {
    Json last{{"connection_id", id}, {"status", connection.status}};
    if (!connection.error_code.empty()) last["last_error"] = api::last_error(connection);
    context.output.json_line(last);
    const auto code = exit_code_for(connection.status);
    return code;
  }
  if (connection.status == "pending") return still_pending(connection);
  if (connection.status != "active") return failed(connection);
  tell_connected(context, connection);
  return 0;
}

void configure_connect(CLI::App& app, Action& action) {
  auto args = std::make_shared<ConnectArgs>();
  app.add_option("provider", args->provider, "a provider, registered or in the catalogue")
      ->required();
  app.add_option("--alias", args->alias, "a name of your own for the connection");
  app.add_option("--scope", args->scopes,
                 "a scope to ask for (repeatable); none: the provider's own")
      ->expected(1)
      ->take_all();
  app.add_option("--return-url", args->return_url, "where the browser goes in the end");
  app.add_option("--replace", args->replace,
                 "the connection that this one takes the place (and alias) of");
  app.add_option("--timeout", args->timeout, "how long to wait for consent (default: 10m)");
  app.add_flag("--no-browser", args->no_browser, "print the address instead of opening it");
  app.add_flag("--no-wait", args->no_wait, "do not wait for the consent");
  app.add_flag("--credentials-stdin", args->credentials_stdin,
               "for API keys and passwords: take them as a JSON object from stdin");
  app.add_flag("--refresh-token-stdin", args->refresh_token_stdin,
               "make a connection of a refresh token that you have, from stdin");
  app.add_flag("--paste", args->paste,
               "paste the address at which the browser ends, where no port can be listened on");
  app.add_flag("--page", args->page,
               "for API keys and passwords: type them into a page in the browser, not here");
  action = [args](Context& context) { return run_connect(context, *args); };
}

}  // namespace

const Command connect_command{
    "connect", "", "Connect to a provider: consent in the browser, or its key", configure_connect};

}  // namespace nexus::cli
