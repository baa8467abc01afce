#include "daemon/upstream/clock_skew.h"

#include <curl/curl.h>

#include <cstdlib>
#include <string>

#include "common/text.h"

namespace nexus {
namespace {

constexpr UnixTime kAllowed = 5 * 60;

}  // namespace

std::optional<UnixTime> skew_behind(const StreamedAnswer& answer, UnixTime now) {
  if (answer.status != 400 && answer.status != 401 && answer.status != 403) return std::nullopt;
  for (const auto& [name, value] : answer.headers) {
    if (lower(name) != "date") continue;
    const UnixTime date = curl_getdate(value.c_str(), nullptr);
    const bool is_off = date > 0 && std::abs(now - date) > kAllowed;
    return is_off ? std::optional(now - date) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace nexus
