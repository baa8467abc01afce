// The proxy that requests to providers go through.
#include "cli/doctor/proxy.h"

#include <algorithm>
#include <array>

#include "cli/doctor/checks.h"
#include "common/paths.h"
#include "common/text.h"

namespace nexus::cli::doctor {
namespace {

constexpr const char* kForm = "write it as http://HOST:PORT, https:// or socks5h://";

bool is_host(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']'))
    return host.size() > 2 &&
           host.substr(1, host.size() - 2).find_first_not_of("0123456789abcdefABCDEF:.%") ==
               std::string_view::npos;
  return !host.empty() &&
         host.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") ==
             std::string_view::npos;
}

void check_proxy_variables(Findings& found) {
  std::string in_use;
  for (const char* name :
       {"https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"}) {
    const auto value = environment(name);
    if (value.empty()) continue;
    const auto proxy = parse_proxy(value);
    if (!proxy)
      found.push_back(failure(std::string(name) + " is no proxy's address",
                              std::string(kForm) + ", or run: unset " + name));
    else if (in_use.empty())
      in_use = *proxy + " (" + name + ")";
  }
  if (in_use.empty()) return;
  auto exempt = environment("no_proxy");
  if (exempt.empty()) exempt = environment("NO_PROXY");
  if (exempts_loopback(exempt))
    found.push_back(ok(in_use));
  else
    found.push_back(warning(
        in_use + ", and NO_PROXY leaves this machine in: programs behind nexus exec "
                 "--proxy would ask it for nexusd",
        "run: export NO_PROXY=localhost,127.0.0.1,::1" + (exempt.empty() ? "" : "," + exempt)));
}

}  // namespace

std::optional<std::string> parse_proxy(std::string_view text) {
  constexpr std::array<std::string_view, 6> schemes{"http",    "https",  "socks4",
                                                    "socks4a", "socks5", "socks5h"};
  std::string scheme = "http";
  if (const auto at = text.find("://"); at != std::string_view::npos) {
    scheme = lower(text.substr(0, at));
    text.remove_prefix(at + 3);
  }
  if (std::find(schemes.begin(), schemes.end(), scheme) == schemes.end()) return std::nullopt;
  if (const auto slash = text.find('/'); slash != std::string_view::npos) {
    if (slash + 1 != text.size()) return std::nullopt;
    text.remove_suffix(1);
  }
  if (const auto user = text.rfind('@'); user != std::string_view::npos)
    text.remove_prefix(user + 1);
  const auto bracket = text.find(']');
  const auto colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  const auto host = text.substr(0, colon);
  if (!is_host(host)) return std::nullopt;
  if (colon != std::string_view::npos) {
    const auto port = parse_number(text.substr(colon + 1));
    if (!port || *port < 1 || *port > 65535) return std::nullopt;
  }
  return scheme + "://" + std::string(text);
}

bool exempts_loopback(std::string_view no_proxy) {
  while (!no_proxy.empty()) {
    const auto end = no_proxy.find_first_of(", \t");
    const auto entry = no_proxy.substr(0, end);
    if (entry == "*" || entry == "127.0.0.1" || entry == "127.0.0.0/8" || entry == "127.0.0.1/32")
      return true;
    no_proxy.remove_prefix(end == std::string_view::npos ? no_proxy.size() : end + 1);
  }
  return false;
}

Findings check_proxy(const Scene& scene) {
  const auto& setting = scene.config.proxy;
  if (setting == "none") return {ok("none: network.proxy says so")};
  Findings found;
  if (setting == "env") {
    check_proxy_variables(found);
    return or_ok(std::move(found), "none is set");
  }
  const auto proxy = parse_proxy(setting);
  if (!proxy)
    return {failure("network.proxy is no proxy's address",
                    std::string(kForm) + " under [network] in nexus.toml, or \"env\" or \"none\"")};
  return {ok(*proxy + " (network.proxy)")};
}

}  // namespace nexus::cli::doctor
