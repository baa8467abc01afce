#include "cli/commands/consent.h"

#include <unistd.h>

#include "cli/browser.h"
#include "cli/output/prompt.h"
#include "cli/output/qr_code.h"
#include "common/paths.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

void show_url(Context& context, const std::string& provider, const std::string& url, bool open) {
  constexpr auto here = "Open this address in a browser on this computer:";
  if (open) {
    const auto opened = open_browser(url);
    if (!opened) context.output.warn(opened.error().message);
    context.output.note(
        opened ? "Your browser shows the page for " + provider + " now. If not, open:" : here);
  } else {
    context.output.note(here);
  }
  context.output.note("  " + url, url);
}

/// G7: an address with the code in it is never shown without the code, so that the
/// person can compare them.
void show_device_code(const Output& output, const api::DevicePrompt& device) {
  const auto& complete = device.verification_uri_complete;
  output.note("On any device, open " + device.verification_uri, device.verification_uri);
  output.note("and enter the code  " + device.user_code);
  if (complete.empty()) return show_qr_code(output, device.verification_uri);
  output.note("or open " + complete + " and compare the code", complete);
  show_qr_code(output, complete);
}

/// "" where the address names none: no browser of another machine is meant then.
std::string port_of(const std::string& address) {
  const auto host = address.find("://");
  if (host == std::string::npos) return {};
  const auto authority = address.substr(host + 3, address.find('/', host + 3) - host - 3);
  const auto colon = authority.rfind(':');
  const auto port = colon == std::string::npos ? std::string() : authority.substr(colon + 1);
  return parse_number(port) ? port : std::string();
}

/// On a machine that the person's browser is not on, its answers go astray: what to do about it.
void tell_way_around(Context& context, const api::StartedConnection& started, bool has_other_ways) {
  const auto server = split(environment("SSH_CONNECTION"), ' ');
  const auto port = port_of(started.redirect_uri);
  if (port.empty()) return;
  const bool desktop = !environment("DISPLAY").empty() || !environment("WAYLAND_DISPLAY").empty();
  std::string way;
  if (server.size() == 4 && !desktop)
    way =
        "You are here over SSH. For the answer to find its way, run on your own computer:\n"
        "  ssh -N -L " +
        port + ":127.0.0.1:" + port + (server[3] == "22" ? " " : " -p " + server[3] + " ") +
        server[2];
  else if (access("/.dockerenv", F_OK) == 0 || !environment("container").empty())
    way =
        "This is a container: publish port " + port + " (-p 127.0.0.1:" + port + ":" + port + ").";
  else if (!environment("WSL_DISTRO_NAME").empty() && !desktop)
    way = "This is WSL: a browser of Windows reaches 127.0.0.1:" + port +
          " here while localhost forwarding is on (.wslconfig: localhostForwarding=true).";
  else
    return;
  const auto* other_ways = !has_other_ways            ? ""
                           : started.device_supported ? "\nOr start again with --paste or --device."
                                                      : "\nOr start again with --paste.";
  for (const auto& line : split(way + other_ways, '\n')) context.output.note(line);
}

}  // namespace

void show_where_to_consent(Context& context, const api::Provider& provider,
                           const api::StartedConnection& started, bool open, bool pasted) {
  // On stdout it is in the JSON; a person may be looking all the same.
  if (started.device) return show_device_code(context.output, *started.device);
  const bool is_in_json = context.output.json && !open;
  if (!is_in_json) show_url(context, provider.name, started.auth_url, open);
  if (!pasted) tell_way_around(context, started, provider.is_oauth());
}

void print_started(const Output& output, const api::StartedConnection& started) {
  JsonWriter line;
  line.begin()
      .member("connection_id", started.connection_id)
      .member("auth_url", started.auth_url)
      .member("status", word(started.status))
      .member("expires_at", started.expires_at);
  write(line, started.device);
  output.json_line(line.end().take());
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
        context.client.call_raw("POST", "/v1/complete-connection",
                                JsonWriter().begin().member("callback_url", address).end().take());
    context.output.progress("");
    if (answer) return {};
    const bool mistyped = answer.error().code == ErrorCode::invalid_state ||
                          answer.error().code == ErrorCode::invalid_field;
    if (!mistyped || attempt == kTries) return std::move(answer).error();
    context.output.note(answer.error().message + "; paste all of it, from http to the end");
  }
}

}  // namespace nexus::cli
