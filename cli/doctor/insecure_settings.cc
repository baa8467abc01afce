// Switches that take protection away, of nexus.toml and of registered providers.
#include "cli/doctor/checks.h"

namespace nexus::cli::doctor {
namespace {

void add(Findings& found, bool is_on, const api::Provider& provider, const std::string& setting,
         const std::string& option) {
  if (is_on)
    found.push_back(warning(
        "provider " + provider.name + ": " + setting + " is on",
        "unless it has to be, run: nexus provider edit " + provider.name + " --no-" + option));
}

}  // namespace

Findings check_insecure_settings(const Scene& scene) {
  Findings found;
  if (scene.config.gateway.insecure_http)
    found.push_back(
        warning("gateway.insecure_http is on: keys and tokens go over the network in the clear",
                "set tls_certificate and tls_key under [gateway] in " + scene.config.file +
                    ", and take insecure_http out"));
  const auto& providers = scene.providers.get();
  if (!providers) {
    found.push_back(not_checked(scene, providers.error()));
    return found;
  }
  for (const auto& each : *providers) {
    add(found, each.allow_insecure_http, each, "allow_insecure_http", "allow-insecure-http");
    add(found, each.allow_private_network, each, "allow_private_network", "allow-private-network");
  }
  return or_ok(std::move(found), "no insecure_ or allow_insecure switch is on");
}

}  // namespace nexus::cli::doctor
