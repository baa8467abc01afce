#include "common/site.h"

#include <arpa/inet.h>

#include <algorithm>

#include "common/text.h"

namespace nexus {
namespace {

bool consists_of(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

bool is_host(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']'))
    return consists_of(host.substr(1, host.size() - 2), "0123456789abcdef:.");
  return host.size() <= 253 && !host.starts_with('.') && !host.starts_with('-') &&
         consists_of(host, "abcdefghijklmnopqrstuvwxyz0123456789-._");
}

/// Whether everybody takes it for the same one: nothing in it leads up or hides a separator.
bool is_plain(std::string_view path) {
  if (path.find('\\') != std::string_view::npos) return false;
  const auto lowered = lower(path);
  for (const char* hidden : {"%2e", "%2f", "%5c"})
    if (lowered.find(hidden) != std::string::npos) return false;
  const auto segments = split(path, '/');
  return std::none_of(segments.begin(), segments.end(),
                      [](const std::string& each) { return each == "." || each == ".."; });
}

}  // namespace

std::optional<Site> make_site(std::string_view scheme, std::string_view authority,
                              std::string_view path) {
  auto host = lower(authority);
  const auto bracket = host.find(']');
  const auto colon = host.find(':', bracket == std::string::npos ? 0 : bracket);
  if (colon != std::string::npos) {
    const auto port = parse_number(std::string_view(host).substr(colon + 1));
    if (!port || *port < 1 || *port > 65'535) return std::nullopt;
    const bool own = *port == (scheme == "http" ? 80 : 443);
    host = host.substr(0, colon) + (own ? "" : ":" + std::to_string(*port));
  }
  const auto name = std::string_view(host).substr(0, colon);
  if (!is_host(name)) return std::nullopt;
  if (scheme != "https" && !(scheme == "http" && is_loopback(name))) return std::nullopt;
  Site site{host, ""};
  while (path.ends_with('/')) path.remove_suffix(1);
  // What is not plain is anywhere at the host, and in no particular place of it.
  if (!path.empty() && is_plain(path))
    site.path = (path.starts_with('/') ? "" : "/") + std::string(path);
  return site;
}

std::optional<Site> parse_site(std::string_view text) {
  text = text.substr(0, text.find_first_of("?#"));
  const auto colon = text.find("://");
  const auto scheme =
      colon == std::string_view::npos ? std::string("https") : lower(text.substr(0, colon));
  if (colon != std::string_view::npos) text.remove_prefix(colon + 3);
  const auto slash = std::min(text.find('/'), text.size());
  return make_site(scheme, text.substr(0, slash), text.substr(slash));
}

bool is_loopback(std::string_view host) {
  if (host == "localhost" || host == "[::1]") return true;
  in_addr address{};
  return host.starts_with("127.") && inet_pton(AF_INET, std::string(host).c_str(), &address) == 1;
}

bool is_within(const Site& site, const Site& whole) {
  if (site.host != whole.host || !site.path.starts_with(whole.path)) return false;
  return site.path.size() == whole.path.size() || whole.path.empty() ||
         site.path[whole.path.size()] == '/';
}

}  // namespace nexus
