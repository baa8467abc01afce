#include "cli/exec/behind_proxy.h"

#include <algorithm>
#include <cstdlib>
#include <map>

#include "cli/exec/conventional_variables.h"
#include "common/api/proxy.h"
#include "common/paths.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

constexpr auto kAddress = "proxy_url";

Result<api::Program> begin(Context& context, const BehindProxy& wanted) {
  if (!context.config.url.empty())
    return Error{ErrorCode::usage, "--proxy is for a nexusd on this machine, and NEXUS_URL is set",
                 "programs reach " + printable(context.config.url, 200) +
                     "/v1/proxy/CONNECTION with an API key: see nexus-api(7)"};
  api::NewProgram program{wanted.connections, context.config.workspace, wanted.rules};
  for (const auto& [variable, connection, field] : wanted.variables)
    program.connections.push_back(connection);
  std::sort(program.connections.begin(), program.connections.end());
  program.connections.erase(std::unique(program.connections.begin(), program.connections.end()),
                            program.connections.end());
  return context.client.post<api::Program>("/v1/daemon/proxy/programs", api::to_json(program));
}

/// Programs that go through a proxy of the network's must not do so for this machine: it would see
/// the key.
Result<void> bypass_network_proxy(const std::string& url, ChildVariables& variables) {
  for (const char* name : {"no_proxy", "NO_PROXY"}) {
    auto hosts = environment(name);
    if (hosts == "*") continue;
    if (!hosts.empty()) hosts += ",";
    NEXUS_CHECK(
        variables.set(name, hosts + url.substr(url.rfind('/') + 1) + ",127.0.0.1", "--proxy"));
  }
  return {};
}

}  // namespace

Result<SecretText> give_proxy(Context& context, const BehindProxy& wanted,
                              ChildVariables& variables) {
  for (const auto& [variable, connection, field] : wanted.variables)
    if (!field.empty() && field != kAddress)
      return Error{ErrorCode::usage,
                   "with --proxy there is no " + printable(field, 80) + " for " + variable,
                   "a program behind it gets the key (--env VAR=CONN) and the address (--env "
                   "VAR=CONN:proxy_url)"};
  NEXUS_TRY(auto program, begin(context, wanted));
  const SecretText key(program.key);
  wipe(program.key);
  std::map<std::string, const api::Program::Route*> routes;
  for (const auto& route : program.routes) routes[route.connection] = &route;
  const auto route_of = [&](const std::string& connection) -> Result<const api::Program::Route*> {
    if (const auto found = routes.find(connection); found != routes.end()) return found->second;
    return Error{ErrorCode::failure, "nexusd gave no address for " + connection,
                 "it may be another version: nexus daemon status"};
  };
  for (const auto& connection : wanted.connections) {
    NEXUS_TRY(const auto* route, route_of(connection));
    NEXUS_TRY(const auto names, conventional_variables(context, connection, route->provider));
    for (const auto& [variable, field] : names.fields)
      NEXUS_CHECK(variables.set(variable, key, connection));
    for (const auto& [variable, path] : names.addresses)
      NEXUS_CHECK(variables.set(variable, route->url + path, connection));
  }
  for (const auto& [variable, connection, field] : wanted.variables) {
    NEXUS_TRY(const auto* route, route_of(connection));
    NEXUS_CHECK(variables.set(variable, field.empty() ? std::string_view(key) : route->url,
                              "--env " + variable + "=" + connection));
  }
  NEXUS_CHECK(variables.set("NEXUS_PROXY_URL", program.url, "--proxy"));
  NEXUS_CHECK(variables.set("NEXUS_PROXY_KEY", key, "--proxy"));
  NEXUS_CHECK(bypass_network_proxy(program.url, variables));
  return key;
}

}  // namespace nexus::cli
