#include "daemon/http/listen_address.h"

#include <arpa/inet.h>

#include "common/text.h"

namespace nexus::http {

Result<ListenAddress> ListenAddress::parse(std::string_view text, const std::string& setting) {
  const Error refused{ErrorCode::usage,
                      setting + " '" + printable(text, 80) + "' is not an address and a port",
                      "for example \"127.0.0.1:8090\" or \"[::1]:8090\""};
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return refused;
  const auto port = parse_number(text.substr(colon + 1));
  if (!port || *port < 1 || *port > 65535) return refused;
  ListenAddress address{lower(text.substr(0, colon)), static_cast<int>(*port)};
  in6_addr parsed{};
  const auto& host = address.host;
  const bool v6 = host.size() > 2 && host.front() == '[' && host.back() == ']' &&
                  inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &parsed) == 1;
  if (!v6 && host != "localhost" && inet_pton(AF_INET, host.c_str(), &parsed) != 1) return refused;
  return address;
}

bool ListenAddress::is_loopback() const {
  return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

bool ListenAddress::covers(const std::string& other_host, int other_port) const {
  if (other_port != port) return false;
  if (other_host == "localhost") return is_loopback() || host == "0.0.0.0" || host == "[::]";
  if (other_host == "[::1]") return host == "[::1]" || host == "[::]" || host == "localhost";
  return host == other_host || host == "0.0.0.0" ||
         (host == "localhost" && other_host == "127.0.0.1");
}

}  // namespace nexus::http
