#include "daemon/http/host_policy.h"

#include <algorithm>

#include "common/text.h"

namespace nexus::http {
namespace {

/// Where the port's colon is; npos without a port.
std::size_t port_colon(std::string_view host) {
  const auto colon = host.rfind(':');
  const auto bracket = host.rfind(']');
  if (colon == std::string_view::npos) return colon;
  return bracket != std::string_view::npos && bracket > colon ? std::string_view::npos : colon;
}

}  // namespace

std::string normalised_host(std::string_view host_header) {
  auto host = lower(host_header);
  const auto colon = std::min(port_colon(host), host.size());
  if (colon > 1 && host[colon - 1] == '.') host.erase(colon - 1, 1);
  return host;
}

HostPolicy::HostPolicy(const ListenAddress& listen, const std::vector<std::string>& hosts) {
  for (const char* loopback : {"127.0.0.1", "[::1]", "localhost"})
    names_.push_back(std::string(loopback) + ":" + std::to_string(listen.port));
  for (const auto& host : hosts) names_.push_back(normalised_host(host));
}

bool HostPolicy::allows(std::string_view host_header) const {
  const auto host = normalised_host(host_header);
  const auto colon = port_colon(host);
  if (colon != std::string::npos && !parse_number(std::string_view(host).substr(colon + 1)))
    return false;
  return std::any_of(names_.begin(), names_.end(), [&](const std::string& name) {
    return host == name || (port_colon(name) == std::string::npos && host.substr(0, colon) == name);
  });
}

}  // namespace nexus::http
