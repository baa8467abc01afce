#include "daemon/net/address_policy.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstdint>
#include <cstring>

namespace nexus {
namespace {

enum class Range { open, loopback, private_network, forbidden };

Range range_of_v4(std::uint32_t address) {
  const auto in = [&](std::uint32_t network, int bits) {
    return (address >> (32 - bits)) == (network >> (32 - bits));
  };
  if (in(0x7f000000, 8)) return Range::loopback;
  if (in(0x0a000000, 8) || in(0xac100000, 12) || in(0xc0a80000, 16) || in(0x64400000, 10))
    return Range::private_network;
  if (in(0x00000000, 8) || in(0xa9fe0000, 16) || in(0xe0000000, 4) || in(0xf0000000, 4) ||
      in(0xc0000000, 24))
    return Range::forbidden;
  return Range::open;
}

Range range_of(const sockaddr* address) {
  if (address->sa_family == AF_INET)
    return range_of_v4(ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr));
  if (address->sa_family != AF_INET6) return Range::forbidden;
  const auto& v6 = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  const auto* b = v6.s6_addr;
  const auto embedded_v4 = [&](int at) {
    std::uint32_t v4 = 0;
    std::memcpy(&v4, b + at, 4);
    return range_of_v4(ntohl(v4));
  };
  if (IN6_IS_ADDR_LOOPBACK(&v6)) return Range::loopback;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) return embedded_v4(12);
  if (b[0] == 0x00 && b[1] == 0x64 && b[2] == 0xff && b[3] == 0x9b)
    return embedded_v4(12);                                 // NAT64
  if (b[0] == 0x20 && b[1] == 0x02) return embedded_v4(2);  // 6to4
  if (IN6_IS_ADDR_UNSPECIFIED(&v6) || IN6_IS_ADDR_LINKLOCAL(&v6) || IN6_IS_ADDR_MULTICAST(&v6) ||
      IN6_IS_ADDR_V4COMPAT(&v6))
    return Range::forbidden;
  if ((b[0] & 0xfe) == 0xfc) {
    constexpr unsigned char metadata[] = {0xfd, 0x00, 0x0e, 0xc2};  // fd00:ec2::254
    return std::memcmp(b, metadata, sizeof metadata) == 0 ? Range::forbidden
                                                          : Range::private_network;
  }
  return Range::open;
}

}  // namespace

bool allows(const AddressPolicy& policy, const sockaddr* address) {
  const auto range = range_of(address);
  return range == Range::open || (range == Range::loopback && policy.loopback) ||
         (range == Range::private_network && policy.private_networks);
}

bool allows(const AddressPolicy& policy, const std::string& host) {
  sockaddr_in v4{.sin_family = AF_INET};
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1)
    return allows(policy, reinterpret_cast<const sockaddr*>(&v4));
  if (!host.starts_with('[') || !host.ends_with(']')) return true;
  sockaddr_in6 v6{.sin6_family = AF_INET6};
  const auto inner = host.substr(1, host.size() - 2);
  return inet_pton(AF_INET6, inner.substr(0, inner.find('%')).c_str(), &v6.sin6_addr) == 1 &&
         allows(policy, reinterpret_cast<const sockaddr*>(&v6));
}

}  // namespace nexus
