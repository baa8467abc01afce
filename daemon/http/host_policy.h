#pragma once

#include <string>
#include <vector>

#include "daemon/http/listen_address.h"

namespace nexus::http {

/// By which names the gateway may be called (J5): a page in a browser can make its own
/// name point here, but it cannot make the browser send another one in Host. Loopback forms with
/// the gateway's port and the configured names, each with its port or, where none is given, with
/// any.
class HostPolicy {
 public:
  HostPolicy(const ListenAddress& listen, const std::vector<std::string>& hosts);
  bool allows(std::string_view host_header) const;

 private:
  std::vector<std::string> names_;
};

/// Lower case, without the dot that may end a fully qualified name.
std::string normalised_host(std::string_view host_header);

}  // namespace nexus::http
