#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "daemon/net/url.h"
#include "daemon/provider/provider.h"

namespace nexus {

/// Where the credentials of a connection may go (L1): to the API's own scheme, host and port, and
/// to those that the provider's `api_hosts` name.
class Destinations {
 public:
  /// `base`: the API's base URL. Error: provider_misconfigured where none is known, or api_hosts
  /// has something that is no host.
  static Result<Destinations> of(const Provider& provider, const std::string& base);

  /// The URL that a target means: a path (and query) below the API's base URL, or a URL as a whole.
  /// Errors: invalid_field for what is neither, or has dot segments, a user name or a fragment;
  /// host_not_allowed for any other host. `as_asked`: what they tell of it, without credentials
  /// that were put in.
  Result<std::string> resolve(std::string_view target, std::string_view as_asked) const;
  /// The path of such a URL below the API's base URL, without its query; of one that is not below
  /// it the URL.
  std::string_view path_of(std::string_view url) const;

 private:
  struct Host {
    std::string name;  ///< "*.example.com" for all below example.com
    int port;
  };
  bool allows(const Url& url) const;

  std::string provider_;
  std::string base_;  ///< without a slash at its end
  Url own_;
  std::vector<Host> others_;  ///< by the scheme of the own one
};

}  // namespace nexus
