#pragma once

#include <string>
#include <vector>

#include "common/error.h"
#include "daemon/net/url.h"

namespace nexus {

/// Where applications may have people sent back to (security.md K5): any https URL and any http one
/// on loopback or, once there is a list, what lies below one of its entries: the same scheme, host
/// and port, and a path that begins with the entry's, whole segments only.
class ReturnUrls {
 public:
  /// Error: usage for an entry that is no such URL.
  static Result<ReturnUrls> make(const std::vector<std::string>& allowed);
  /// Error: return_url_not_allowed.
  Result<void> check(const std::string& return_url) const;

 private:
  std::vector<Url> allowed_;
};

}  // namespace nexus
