#pragma once

#include <sys/socket.h>

#include <string>

namespace nexus {

/// Which addresses a request may reach (E5). Link-local (cloud metadata services among
/// it), unspecified, multicast and reserved addresses are refused whatever is set here.
struct AddressPolicy {
  bool loopback = false;
  bool private_networks = false;
};

bool allows(const AddressPolicy& policy, const sockaddr* address);
/// The same for a URL's host; what is a name rather than an address is allowed.
bool allows(const AddressPolicy& policy, const std::string& host);

}  // namespace nexus
