#include <memory>
#include <tuple>

#include "cli/command.h"
#include "cli/commands/begun.h"
#include "cli/commands/capture.h"
#include "cli/commands/consent.h"
#include "cli/commands/provider_fields.h"
#include "cli/commands/registration.h"
#include "cli/interrupt.h"
#include "cli/output/connections.h"
#include "cli/output/prompt.h"
#include "common/api/connection_request.h"
#include "common/paths.h"
#include "common/text.h"
#include "common/times.h"

namespace nexus::cli {
namespace {

struct ConnectArgs {
  std::string provider;
  std::string alias;
  std::vector<std::string> scopes;
  std::string return_url;
  std::string replace;
  std::string timeout;
  UnixTime patience = 0;  ///< what `timeout` says; 0: as long as the flow lives
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

// Headings of the help.
constexpr auto kAnswers = "How you answer";
constexpr auto kWaiting = "What happens meanwhile and afterwards";

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
Result<api::Connection> wait_for_answer(Context& context, const std::string& id, UnixTime until,
                                        UnixTime patience) {
  if (patience > 0) until = std::min(until, system_now() + patience);
  while (true) {
    NEXUS_TRY(const auto check, context.client.get<api::ConnectionCheck>(
                                    context.client.target("/v1/check-connection/", id)));
    const auto left = until - system_now();
    if (check.status != ConnectionStatus::pending || left <= 0 || is_interrupted()) break;
    context.output.progress("waiting for your consent, " + duration_text(left) +
                            " left (Ctrl-C stops waiting)");
    wait_unless_interrupted(-1, kPollMs);
  }
  context.output.progress("");
  return fetch_connection(context, id);
}

Error still_pending(const api::Connection& connection) {
  const auto left = connection.expires_at.value_or(0) - system_now();
  return {is_interrupted() ? ErrorCode::interrupted : ErrorCode::wait_timeout,
          "connection " + connection.id + " still waits for consent",
          "it stays open for " + duration_text(std::max<UnixTime>(left, 0)) +
              ": finish the consent, then run:\n  nexus status " + name_of(connection)};
}

Error failed(const api::Connection& connection) {
  const auto& [code, words] = std::tie(connection.error_code, connection.error_message);
  const bool is_said = code.empty() || words.find(code) != std::string::npos;
  return {ErrorCode::connection_failed,
          "connection " + connection.id + " failed: " + words + (is_said ? "" : " (" + code + ")"),
          "try again: nexus connect " + connection.provider};
}

/// Whom to connect to: as it is registered, or from the catalogue.
struct Wanted {
  std::optional<api::Provider> registered;
  std::optional<CatalogueEntry> entry;  ///< of one that is not

  bool is_oauth() const { return registered ? registered->is_oauth() : entry->is_oauth(); }
};

Result<Wanted> find_wanted(Context& context, const std::string& name) {
  auto provider =
      context.client.get<api::Provider>("/v1/providers/by-name/" + percent_encode(name));
  if (provider) return Wanted{*std::move(provider), {}};
  if (provider.error().code != ErrorCode::provider_not_found) return provider.error();
  NEXUS_TRY(auto entry, Catalogue().find(lower(name)));
  if (!entry) return unknown_provider(context, name);
  return Wanted{{}, std::move(entry)};
}

enum class Way { browser, prompt, from_stdin, adopt };

/// How the person (or the script) answers.
Result<Way> way_for(const Context& context, const ConnectArgs& args, bool is_oauth) {
  if (args.refresh_token_stdin && !is_oauth)
    return Error{ErrorCode::unsupported_auth_type,
                 args.provider + " has no refresh tokens: it takes a key or a password",
                 "run: nexus connect " + args.provider};
  if (args.refresh_token_stdin) return Way::adopt;
  if (args.credentials_stdin && is_oauth)
    return Error{ErrorCode::usage, args.provider + " takes no credentials: it asks for consent",
                 "leave --credentials-stdin out"};
  if (args.credentials_stdin) return Way::from_stdin;
  const bool page_is_meant = args.page || args.no_browser || args.no_wait || context.output.json ||
                             !args.return_url.empty();
  if (is_oauth || page_is_meant) return Way::browser;
  if (is_interactive()) return Way::prompt;
  return Error{ErrorCode::usage,
               args.provider + " wants its credentials, and there is no terminal to ask on",
               "give them with --credentials-stdin, or type them into a page with --page"};
}

/// Where a person finds what they are asked for.
void tell_where_keys_are(Context& context, const api::Provider& provider) {
  const auto entry = Catalogue().find(provider.catalogue_entry());
  if (entry && *entry && !(*entry)->console_url.empty())
    context.output.note("Make a key at " + (*entry)->console_url, (*entry)->console_url);
}

/// What the next command may call it: its provider's name is enough where no other has it.
std::string shortest_name_of(Context& context, const api::Connection& connection) {
  if (!connection.alias.empty()) return connection.alias;
  const auto named = context.client.get<api::Connection>(
      context.client.target("/v1/connections/", connection.provider));
  return named && named->id == connection.id ? connection.provider : connection.id;
}

void tell_connected(Context& context, const api::Connection& connection) {
  context.output.note("Connected" +
                      (connection.account.empty() ? "" : " as " + connection.account) +
                      ". Use it with: nexus token " + shortest_name_of(context, connection));
  context.output.line(connection.id);
}

/// The last word of a command that waited.
Result<int> tell_end(Context& context, const api::Connection& connection) {
  if (context.output.json) {
    JsonWriter last;
    last.begin().member("connection_id", connection.id).member("status", word(connection.status));
    if (!connection.error_code.empty()) api::write_last_error(last, connection);
    context.output.json_line(last.end().take());
    const bool over = connection.status != ConnectionStatus::pending;
    return over ? exit_code_for(connection.status) : still_pending(connection).exit_code();
  }
  if (connection.status == ConnectionStatus::pending) return still_pending(connection);
  if (connection.status != ConnectionStatus::active) return failed(connection);
  tell_connected(context, connection);
  return 0;
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
  if (!connection)
    return take_back(context, {{}, connection.error().connection_id}, connection.error());
  return tell_end(context, *connection);
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
  if (answer.error().device_supported) {
    NEXUS_TRY(
        const auto choice,
        ask_line("Consent on another device (d), or paste the browser's last address (p)?", "p"));
    args.device = lower(choice).starts_with("d");
  } else {
    context.output.note("Paste the browser's last address instead:");
  }
  args.paste = !args.device;
  return ask();
}

/// The credentials of a static connection, from the terminal or from stdin.
Result<void> capture(Context& context, const api::Provider& provider,
                     const api::StartedConnection& started, Way way) {
  if (way == Way::from_stdin) return capture_from_stdin(context, started.state);
  tell_where_keys_are(context, provider);
  return capture_by_prompt(context, started.state);
}

/// The answer of a started connection, as far as it comes by this command. Nobody is going to
/// answer it any more after an error.
Result<void> answer(Context& context, const ConnectArgs& args, const api::Provider& provider,
                    const api::StartedConnection& started, Way way) {
  // Pressed while the daemon was asked: no browser is opened then.
  if (is_interrupted()) return Error{ErrorCode::interrupted, "interrupted"};
  if (way != Way::browser) return capture(context, provider, started, way);
  if (context.output.json) print_started(context.output, started);
  show_where_to_consent(context, provider, started, !args.no_browser, args.paste);
  if (args.paste && !args.no_wait) return take_pasted_answer(context);
  return {};
}

/// Of a provider that is registered, or was just now: then `begun` says so.
Result<int> connect(Context& context, ConnectArgs& args, const api::Provider& provider, Way way,
                    Begun begun) {
  const auto started = start(context, args, provider);
  if (!started) return take_back(context, begun, started.error());
  const auto& id = started->connection_id;
  if (started->status != ConnectionStatus::active) {
    begun.connection_id = id;
    if (auto answered = answer(context, args, provider, *started, way); !answered)
      return take_back(context, begun, std::move(answered).error());
    if (args.no_wait && way == Way::browser) {
      if (!context.output.json) context.output.line(id);
      return 0;
    }
  }
  NEXUS_TRY(const auto connection,
            wait_for_answer(context, id, started->expires_at, args.patience));
  return tell_end(context, connection);
}

Result<int> run_connect(Context& context, ConnectArgs args) {
  if (!args.timeout.empty()) {
    NEXUS_TRY(args.patience, parse_duration(args.timeout));
    if (args.patience <= 0)
      return Error{ErrorCode::usage, "--timeout " + printable(args.timeout, 40) + " is no time",
                   "not to wait at all: --no-wait"};
  }
  if (!args.replace.empty() && !args.alias.empty())
    return Error{ErrorCode::usage, "with --replace the connection takes over the other one's alias",
                 "leave --alias out, and rename it afterwards: nexus alias CONNECTION NAME"};
  if (args.paste && args.device)
    return Error{ErrorCode::usage, "--paste and --device are two ways", "give one of them"};
  NEXUS_CHECK(Catalogue().check_alias(args.alias));
  const CatchInterrupt interruptible;
  NEXUS_TRY(auto wanted, find_wanted(context, args.provider));
  NEXUS_TRY(const auto way, way_for(context, args, wanted.is_oauth()));
  Begun begun;
  if (wanted.entry) {
    ProviderArgs registration;
    registration.name = wanted.entry->name;
    NEXUS_TRY(wanted.registered, register_from_catalogue(context, *wanted.entry, registration));
    context.output.note(wanted.entry->display_name + " is registered now.");
    if (!wanted.is_oauth()) begun.registered = wanted.entry->name;
  }
  if (way == Way::adopt) return adopt(context, args);
  return connect(context, args, *wanted.registered, way, std::move(begun));
}

}  // namespace

Command connect_command() {
  auto args = std::make_shared<ConnectArgs>();
  return {
      .name = "connect",
      .summary = "Connect to a provider, by consent or by a key",
      .arguments =
          {{"provider",
            &args->provider,
            "a provider, registered or in the catalogue",
            {.required = true, .names = Names::known_provider}},
           {"--alias", &args->alias, "a name of your own for the connection"},
           {"--scope", &args->scopes, "a scope to ask for (repeatable); none: the provider's own"},
           {"--param",
            &args->params,
            "a parameter of this authorization request, for example login_hint=alice@example.com "
            "(repeatable)",
            {.value = "NAME=VALUE"}},
           {"--replace",
            &args->replace,
            "the connection that this one takes the place (and alias) of",
            {.value = "CONNECTION", .names = Names::connection}},
           {"--no-browser",
            &args->no_browser,
            "print the address instead of opening it",
            {.group = kAnswers}},
           {"--device",
            &args->device,
            "consent on another device, with a short code (RFC 8628)",
            {.group = kAnswers}},
           {"--paste",
            &args->paste,
            "paste the address at which the browser ends, where no port can be listened on",
            {.group = kAnswers}},
           {"--page",
            &args->page,
            "for API keys and passwords: type them into a page in the browser, not here",
            {.group = kAnswers}},
           {"--credentials-stdin",
            &args->credentials_stdin,
            "for API keys and passwords: take them as a JSON object from stdin",
            {.group = kAnswers}},
           {"--refresh-token-stdin",
            &args->refresh_token_stdin,
            "make a connection of a refresh token that you have, from stdin",
            {.group = kAnswers}},
           {"--timeout",
            &args->timeout,
            "how long to wait for consent (default: 10m)",
            {.value = "TIME", .group = kWaiting}},
           {"--no-wait", &args->no_wait, "do not wait for the consent", {.group = kWaiting}},
           {"--return-url",
            &args->return_url,
            "where the browser goes in the end",
            {.group = kWaiting}}},
      .action = [args](Context& context) { return run_connect(context, *args); },
      .examples = {"nexus connect github", "nexus connect google --alias work --scope openid",
                   "nexus connect google --replace work",
                   "echo '{\"api_key\":\"…\"}' | nexus connect openai --credentials-stdin"}};
}

}  // namespace nexus::cli
