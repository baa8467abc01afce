// The proxy that requests to providers go through.
#include "cli/doctor/proxy.h"

#include <string>

#include "cli/doctor/checks.h"
#include "common/paths.h"
#include "common/proxy_address.h"

namespace nexus::cli::doctor {
namespace {

void check_proxy_variables(Findings& found) {
  std::string in_use;
  for (const char* name :
       {"https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"}) {
    const auto value = environment(name);
    if (value.empty()) continue;
    const auto proxy = parse_proxy(value);
    if (!proxy)
      found.push_back(failure(std::string(name) + " is no proxy's address",
                              std::string(kProxyForm) + ", or run: unset " + name));
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
  return {ok(parse_proxy(setting).value_or("") + " (network.proxy)")};
}

}  // namespace nexus::cli::doctor
