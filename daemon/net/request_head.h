#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/secret.h"

namespace nexus {

using Headers = std::vector<std::pair<std::string, Secret>>;

/// A request without its body. URL and headers are sent as they stand here, byte for byte: what is
/// signed is this.
struct RequestHead {
  std::string method = "GET";
  std::string url;
  Headers headers;

  /// Takes out every header of that name, in whichever letters it is written.
  void remove_header(std::string_view name);
  /// The one header of that name from now on.
  void set_header(const std::string& name, Secret value);

  /// Whether sending it twice does no more than sending it once (RFC 9110 9.2.2).
  bool is_idempotent() const;
};

}  // namespace nexus
