#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <memory>

#include "cli/command.h"
#include "cli/commands/capture.h"
#include "cli/commands/consent.h"
#include "cli/commands/provider_fields.h"
#include "cli/commands/registration.h"
#include "cli/output/connections.h"
#include "cli/output/prompt.h"
#include "common/api/connection_request.h"
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
  bool device = false;
  std::vector<std::string> params;
  bool refresh_token_stdin = false;
};

constexpr int kPollMs = 250;

volatile sig_atomic_t interrupted = 0;

void catch_interrupt() {
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = 1; };
  sigaction(SIGINT, &action, nullptr);  // without SA_RESTART: the wait ends at once
}

Result<api::ConnectionRequest> request_for(const Context& context, const ConnectArgs& args) {
  NEXUS_TRY(const auto params, pairs_of(args.params, "--param"));
  return api::ConnectionRequest{.workspace = context.config.workspace,
                                .provider_name = args.provider,
                                .provider_id = {},
                                .scopes = args.scopes,
                                .return_url = args.return_url,
                                .alias = args.alias,
                                .replaces = args.replace,
                                .pasted = args.paste,
                                .device = args.device,
                                .params = {params.begin(), params.end()}};
}

/// Until the connection is answered, the time is up, or the person presses Ctrl-C. Asking is what
/// drives a consent on another device, so nothing goes on when this ends.
Result<api::Connection> wait_for_answer(Context& context, const std::string& id, UnixTime until) {
  while (true) {
    NEXUS_TRY(const auto check, context.client.get<api::ConnectionCheck>(
                                    context.client.target("/v1/check-connection/", id)));
    const auto left = until - system_now();
    if (check.status != ConnectionStatus::pending || left <= 0 || interrupted) break;
    context.output.progress("waiting for your consent, " + duration_text(left) +
                            " left (Ctrl-C stops waiting)");
    poll(nullptr, 0, kPollMs);
  }
  context.output.progress("");
  return fetch_connection(context, id);
}

Error still_pending(const api::Connection& connection) {
  const auto left = connection.expires_at.value_or(0) - system_now();
  return {ErrorCode::wait_timeout, "connection " + connection.id + " still waits for consent",
          "it stays open for " + duration_text(std::max<UnixTime>(left, 0)) +
              ": finish the consent, then run: nexus status " + connection.id};
}

Error failed(const api::Connection& connection) {
  return {ErrorCode::connection_failed,
          "connection " + connection.id + " failed: " + connection.error_message +
              (connection.error_code.empty() ? "" : " (" + connection.error_code + ")"),
          "try again: nexus connect " + connection.provider};
}

/// The provider as it is registered; from the catalogue, if need be, where a person is led.
Result<api::Provider> provider_for(Context& context, const std::string& name) {
  auto provider =
      context.client.get<api::Provider>("/v1/providers/by-name/" + percent_encode(name));
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
Result<Way> way_for(const Context& context, const ConnectArgs& args,
                    const api::Provider& provider) {
  if (args.credentials_stdin && provider.is_oauth())
    return Error{ErrorCode::usage, args.provider + " takes no credentials: it asks for consent",
                 "leave --credentials-stdin out"};
  if (args.credentials_stdin) return Way::from_stdin;
  const bool page_is_meant = args.page || args.no_browser || args.no_wait || context.output.json ||
                             !args.return_url.empty();
  if (!provider.is_oauth() && !page_is_meant && !is_interactive())
    return Error{ErrorCode::usage,
                 args.provider + " wants its credentials, and there is no terminal to ask on",
                 "give them with --credentials-stdin, or type them into a page with --page"};
  const bool ask = is_interactive() && !context.output.json && !args.page && !args.no_browser &&
                   !args.no_wait && args.return_url.empty();
  return !provider.is_oauth() && ask ? Way::prompt : Way::browser;
}

/// Where a person finds what they are asked for.
void tell_where_keys_are(Context& context, const api::Provider& provider) {
  const auto entry = Catalogue().find(provider.catalogue_entry());
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
  NEXUS_TRY(const auto request, request_for(context, args));
  SecretJsonWriter body;
  body.begin();
  write(body, request);
  body.member("refresh_token", token.expose()).end();
  context.output.progress("using it once …");
  const auto connection = context.client.post<api::Connection>("/v1/adopt-connection", body.take());
  context.output.progress("");
  if (!connection) return connection.error();
  if (context.output.json) {
    context.output.json_line(JsonWriter()
                                 .begin()
                                 .member("connection_id", connection->id)
                                 .member("status", word(connection->status))
                                 .end()
                                 .take());
    return 0;
  }
  tell_connected(context, *connection);
  return 0;
}

/// Starts the connection. Where nobody can listen for a consent's answer, a person on a terminal is
/// offered the other ways.
Result<api::StartedConnection> start(Context& context, ConnectArgs& args,
                                     const api::Provider& provider) {
  const auto ask = [&]() -> Result<api::StartedConnection> {
    NEXUS_TRY(const auto request, request_for(context, args));
    context.output.progress("asking " + args.provider + " …");
    auto answer = context.client.post<api::StartedConnection>("/v1/request-connection",
                                                              api::to_json(request));
    context.output.progress("");
    return answer;
  };
  auto answer = ask();
  const bool nobody_listens = !answer && !args.no_wait && provider.is_oauth() &&
                              answer.error().code == ErrorCode::callback_unavailable;
  if (!nobody_listens || !is_interactive() || context.output.json) return answer;
  context.output.note(answer.error().message);
  NEXUS_TRY(
      const auto choice,
      ask_line("Consent on another device (d), or paste the browser's last address (p)?", "p"));
  args.device = lower(choice).starts_with("d");
  args.paste = !args.device;
  answer = ask();
  if (answer || answer.error().code != ErrorCode::unsupported_auth_type) return answer;
  context.output.note(answer.error().message + ": paste the address then");
  args.device = false;
  args.paste = true;
  return ask();
}

/// The last word of a command that waited.
Result<int> tell_end(Context& context, const api::Connection& connection) {
  if (context.output.json) {
    JsonWriter last;
    last.begin().member("connection_id", connection.id).member("status", word(connection.status));
    if (!connection.error_code.empty()) api::write_last_error(last, connection);
    context.output.json_line(last.end().take());
    return exit_code_for(connection.status);
  }
  if (connection.status == ConnectionStatus::pending) return still_pending(connection);
  if (connection.status != ConnectionStatus::active) return failed(connection);
  tell_connected(context, connection);
  return 0;
}

/// The credentials of a static connection, from the terminal or from stdin.
Result<void> capture(Context& context, const api::Provider& provider,
                     const api::StartedConnection& started, Way way) {
  if (way == Way::prompt) tell_where_keys_are(context, provider);
  auto captured = way == Way::prompt ? capture_by_prompt(context, started.state)
                                     : capture_from_stdin(context, started.state);
  if (captured) return {};
  // Nobody is going to answer it any more.
  const auto target = context.client.target("/v1/connections/", started.connection_id);
  static_cast<void>(context.client.call_raw("DELETE", target + "&keep_grant=true", ""));
  return std::move(captured).error();
}

Result<int> run_connect(Context& context, ConnectArgs args) {
  UnixTime patience = 0;
  if (!args.timeout.empty()) {
    NEXUS_TRY(patience, parse_duration(args.timeout));
  }
  if (args.paste && args.device)
    return Error{ErrorCode::usage, "--paste and --device are two ways", "give one of them"};
  NEXUS_TRY(const auto provider, provider_for(context, args.provider));
  if (args.refresh_token_stdin) return adopt(context, args);
  NEXUS_TRY(const auto way, way_for(context, args, provider));
  catch_interrupt();
  NEXUS_TRY(const auto started, start(context, args, provider));
  const auto& id = started.connection_id;
  if (started.status == ConnectionStatus::active) {
    NEXUS_TRY(const auto connection, fetch_connection(context, id));
    return tell_end(context, connection);
  }
  if (way != Way::browser) NEXUS_CHECK(capture(context, provider, started, way));
  if (way == Way::browser) {
    if (context.output.json) print_started(context.output, started);
    show_where_to_consent(context, provider, started, !args.no_browser, args.paste);
    if (args.paste && !args.no_wait) NEXUS_CHECK(take_pasted_answer(context));
    if (args.no_wait) {
      if (!context.output.json) context.output.result(id + "\n");
      return 0;
    }
  }
  const auto until =
      patience > 0 ? std::min(started.expires_at, system_now() + patience) : started.expires_at;
  NEXUS_TRY(const auto connection, wait_for_answer(context, id, until));
  return tell_end(context, connection);
}

}  // namespace

Command connect_command() {
  auto args = std::make_shared<ConnectArgs>();
  return {
      .name = "connect",
      .summary = "Connect to a provider: consent in the browser, or its key",
      .arguments =
          {{"provider",
            &args->provider,
            "a provider, registered or in the catalogue",
            {.required = true}},
           {"--alias", &args->alias, "a name of your own for the connection"},
           {"--scope", &args->scopes, "a scope to ask for (repeatable); none: the provider's own"},
           {"--return-url", &args->return_url, "where the browser goes in the end"},
           {"--replace", &args->replace,
            "the connection that this one takes the place (and alias) of"},
           {"--timeout", &args->timeout, "how long to wait for consent (default: 10m)"},
           {"--no-browser", &args->no_browser, "print the address instead of opening it"},
           {"--no-wait", &args->no_wait, "do not wait for the consent"},
           {"--credentials-stdin", &args->credentials_stdin,
            "for API keys and passwords: take them as a JSON object from stdin"},
           {"--refresh-token-stdin", &args->refresh_token_stdin,
            "make a connection of a refresh token that you have, from stdin"},
           {"--paste", &args->paste,
            "paste the address at which the browser ends, where no port can be listened on"},
           {"--device", &args->device, "consent on another device, with a short code (RFC 8628)"},
           {"--param", &args->params,
            "NAME=VALUE: a parameter of this authorization request, for example\n"
            "login_hint=alice@example.com (repeatable)"},
           {"--page", &args->page,
            "for API keys and passwords: type them into a page in the browser, not here"}},
      .action = [args](Context& context) { return run_connect(context, *args); }};
}

}  // namespace nexus::cli
