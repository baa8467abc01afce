#include "daemon/net/proxy.h"

#include <arpa/inet.h>

#include <array>
#include <initializer_list>
#include <optional>

#include "common/paths.h"
#include "common/text.h"

namespace nexus {
namespace {

std::string first_of(std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (auto value = environment(name); !value.empty()) return value;
  return {};
}

/// An address's bytes, in network order.
struct Address {
  int family = 0;
  std::array<unsigned char, 16> bytes{};
  int bits() const { return family == AF_INET ? 32 : 128; }
};

std::optional<Address> address_in(std::string text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  for (const int family : {AF_INET, AF_INET6}) {
    Address address{family};
    if (inet_pton(family, text.c_str(), address.bytes.data()) == 1) return address;
  }
  return std::nullopt;
}

bool same_network(const Address& one, const Address& other, std::int64_t bits) {
  if (one.family != other.family || bits > one.bits()) return false;
  for (std::size_t i = 0; bits > 0; ++i, bits -= 8) {
    const int mask = bits >= 8 ? 0xff : 0xff00 >> bits;
    if (((one.bytes[i] ^ other.bytes[i]) & mask) != 0) return false;
  }
  return true;
}

bool exempts(const std::string& entry, const std::string& host) {
  if (entry == "*") return true;
  const auto slash = entry.find('/');
  if (const auto address = address_in(host)) {
    const auto network = address_in(entry.substr(0, slash));
    if (!network) return false;
    const auto bits = slash == std::string::npos
                          ? network->bits()
                          : parse_number(entry.substr(slash + 1)).value_or(-1);
    return bits >= 0 && same_network(*network, *address, bits);
  }
  const auto domain = entry.starts_with('.') ? entry.substr(1) : entry;
  return !domain.empty() && (host == domain || host.ends_with("." + domain));
}

std::string without_final_dot(std::string name) {
  if (name.ends_with('.')) name.pop_back();
  return name;
}

}  // namespace

bool is_exempt(std::string_view no_proxy, const std::string& host) {
  const auto name = without_final_dot(host);
  while (!no_proxy.empty()) {
    const auto end = no_proxy.find_first_of(", \t");
    const auto entry = without_final_dot(lower(no_proxy.substr(0, end)));
    if (!entry.empty() && exempts(entry, name)) return true;
    no_proxy.remove_prefix(end == std::string_view::npos ? no_proxy.size() : end + 1);
  }
  return false;
}

std::string proxy_for(const Url& url, const std::string& setting) {
  if (setting == "none" || url.is_loopback()) return {};
  auto proxy = setting != "env" ? setting
               : url.scheme == "https"
                   ? first_of({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})
                   : first_of({"http_proxy", "all_proxy", "ALL_PROXY"});
  if (is_exempt(first_of({"no_proxy", "NO_PROXY"}), url.host)) return {};
  return proxy;
}

}  // namespace nexus
