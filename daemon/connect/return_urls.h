#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/error.h"
#include "daemon/net/url.h"

namespace nexus {

/// Where applications may have people sent back to (K5): any https URL and any http one
/// on loopback or, once there is a list, what lies below one of its entries: the same scheme, host
/// and port, and a path that begins with the entry's, whole segments only. A scheme of an
/// application's own (RFC 8252 7.1) has to be listed, and the URL is the entry to the letter; it
/// may have a query.
class ReturnUrls {
 public:
  /// Error: usage for an entry that is no such URL.
  static Result<ReturnUrls> make(const std::vector<std::string>& allowed);
  /// Error: return_url_not_allowed.
  Result<void> check(const std::string& return_url) const;

  /// The address to send the browser back to, with what came of its connection; "" where there is
  /// none or it is not allowed (any more).
  std::string back_to(const std::string& return_url, const std::string& connection_id,
                      std::vector<std::pair<std::string, std::string>> parameters) const;

 private:
  std::vector<Url> allowed_;
  std::vector<std::string> private_use_;
};

}  // namespace nexus
