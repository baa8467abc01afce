#pragma once

#include <string>
#include <string_view>

#include "common/error.h"

namespace nexus::http {

/// Where to listen: a numeric address (IPv6 in brackets) or localhost, and a port.
struct ListenAddress {
  std::string host;
  int port = 0;

  /// Error: usage, naming the setting.
  static Result<ListenAddress> parse(std::string_view text, const std::string& setting);
  bool is_loopback() const;
  /// Whether a socket that listens here also gets what is sent to `other_host:other_port`.
  bool covers(const std::string& other_host, int other_port) const;
  std::string text() const { return host + ":" + std::to_string(port); }
};

}  // namespace nexus::http
