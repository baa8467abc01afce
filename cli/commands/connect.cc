#include <poll.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/browser.h"
#include "cli/command.h"
#include "cli/output/connections.h"
#include "common/json.h"
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
  return to_text(body);
}

void show_url(Context& context, const ConnectArgs& args, const std::string& url) {
  if (context.output.json && args.no_browser) return;  // it is in the JSON
  if (!args.no_browser) {
    const auto opened = open_browser(url);
    if (opened) {
      context.output.note("Your browser shows " + args.provider +
                          "'s consent page now. If not, open:");
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

Result<int> run_connect(Context& context, const ConnectArgs& args) {
  UnixTime patience = 0;
  if (!args.timeout.empty()) {
    NEXUS_TRY(patience, parse_duration(args.timeout));
  }
  catch_interrupt();
  context.output.progress("asking " + args.provider + " …");
  auto answer = context.client.post("/v1/request-connection", request_body(context, args));
  context.output.progress("");
  if (!answer) return std::move(answer).error();
  const auto started = *std::move(answer);
  const auto id = text_member(started, "connection_id").value_or("");
  const auto url = text_member(started, "auth_url").value_or("");
  const auto expires_at = started.value("expires_at", UnixTime{0});
  if (context.output.json)
    context.output.json_line({{"connection_id", id},
                              {"auth_url", url},
                              {"status", "pending"},
                              {"expires_at", expires_at}});
  show_url(context, args, url);
  if (args.no_wait) {
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
  context.output.note(
      "Connected" + (connection.account.empty() ? "" : " as " + connection.account) +
      ". Use it with: nexus token " + (connection.alias.empty() ? id : connection.alias));
  context.output.result(id + "\n");
  return 0;
}

void configure_connect(CLI::App& app, Action& action) {
  auto args = std::make_shared<ConnectArgs>();
  app.add_option("provider", args->provider, "a registered provider")->required();
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
  action = [args](Context& context) { return run_connect(context, *args); };
}

}  // namespace

const Command connect_command{"connect", "", "Connect to a provider: consent in the browser",
                              configure_connect};

}  // namespace nexus::cli
