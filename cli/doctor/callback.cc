// Where browsers come back to: that the address can be one, and that its port is free.
#include <optional>

#include "cli/doctor/checks.h"
#include "common/port_holder.h"
#include "common/site.h"
#include "common/text.h"

namespace nexus::cli::doctor {
namespace {

struct Address {
  bool is_https = false;
  std::string host;
  int port = 0;
  bool is_loopback() const { return nexus::is_loopback(host); }
};

std::optional<Address> parse(const std::string& url) {
  Address address;
  address.is_https = url.starts_with("https://");
  if (!address.is_https && !url.starts_with("http://")) return std::nullopt;
  const auto rest = url.substr(address.is_https ? 8 : 7);
  const auto authority = rest.substr(0, rest.find('/'));
  const auto bracket = authority.find(']');
  const auto colon = authority.find(':', bracket == std::string::npos ? 0 : bracket);
  address.host = authority.substr(0, colon);
  address.port = address.is_https ? 443 : 80;
  if (colon != std::string::npos) {
    const auto port = parse_number(authority.substr(colon + 1));
    if (!port || *port < 1 || *port > 65535) return std::nullopt;
    address.port = static_cast<int>(*port);
  }
  return address.host.empty() ? std::nullopt : std::optional(address);
}

Finding judge_port(const Scene& scene, const Address& address, const std::string& url) {
  const auto& daemon = scene.daemon.get();
  if (!is_listened_on(address.port)) return ok(url + " can be listened on");
  const auto holder = port_holder(address.port);
  if (daemon && holder.ends_with("(pid " + std::to_string(daemon->pid) + ")"))
    return ok(url + " is listened on by nexusd: a consent is pending");
  if (daemon && holder.empty() && daemon->connections[0] > 0)
    return ok(url + " is listened on, by nexusd as it seems: a consent is pending");
  return failure(
      url + ": " + (holder.empty() ? "another user's program" : holder) + " holds the port",
      "end that program" + std::string(holder.empty() ? " (ss -ltnp shows it to root)" : "") +
          ", set another base_url under [callback] in nexus.toml, or answer with: nexus connect "
          "PROVIDER --paste");
}

}  // namespace

Findings check_callback(const Scene& scene) {
  const auto& daemon = scene.daemon.get();
  const auto& url = scene.config.callback_base_url;
  const auto address = parse(url);
  if (!address || (!address->is_https && !address->is_loopback()))
    return {failure(
        "callback.base_url is " + printable(url, 200) + ", where no provider may send a browser to",
        "set base_url under [callback] in nexus.toml to http://127.0.0.1:PORT, or to "
        "an https address that leads to the gateway")};
  if (daemon && daemon->callback_on_gateway) return {ok(daemon->callback + " is on the gateway")};
  if (!address->is_loopback()) return {ok(url + " leads here by whoever terminates TLS for it")};
  return {judge_port(scene, *address, url)};
}

}  // namespace nexus::cli::doctor
