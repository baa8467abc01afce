#include "common/proxy_address.h"

#include <algorithm>
#include <array>

#include "common/text.h"

namespace nexus {
namespace {

bool is_proxy_host(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']'))
    return host.size() > 2 &&
           host.substr(1, host.size() - 2).find_first_not_of("0123456789abcdefABCDEF:.%") ==
               std::string_view::npos;
  return !host.empty() &&
         host.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") ==
             std::string_view::npos;
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
  if (!is_proxy_host(host)) return std::nullopt;
  if (colon != std::string_view::npos) {
    const auto port = parse_number(text.substr(colon + 1));
    if (!port || *port < 1 || *port > 65535) return std::nullopt;
  }
  return scheme + "://" + std::string(text);
}

}  // namespace nexus
