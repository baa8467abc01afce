#include "daemon/oauth/device_authorization.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/text.h"
#include "daemon/net/url.h"

namespace nexus {
namespace {

constexpr std::int64_t kLongestLife = 30 * 60;
constexpr std::int64_t kUsualInterval = 5;
constexpr std::size_t kMaxUserCode = 64;

Error unusable(const std::string& what) {
  return {ErrorCode::provider_protocol,
          "the device authorization endpoint's answer is not usable: " + what,
          "check the provider's device_authorization_endpoint"};
}

/// A number of seconds, also written as digits; nothing for anything else.
std::optional<std::int64_t> seconds_in(const Json& document, const char* name) {
  const auto found = document.find(name);
  if (found == document.end()) return std::nullopt;
  if (found->is_string()) return parse_number(found->get_ref<const std::string&>());
  if (found->is_number_unsigned())
    return static_cast<std::int64_t>(
        std::min<std::uint64_t>(found->get<std::uint64_t>(), INT32_MAX));
  if (found->is_number_integer()) return found->get<std::int64_t>();
  return std::nullopt;
}

}  // namespace

Result<DeviceAuthorization> read_device_authorization(const Json& document,
                                                      bool allow_insecure_http) {
  DeviceAuthorization read;
  const auto code = text_member(document, "device_code").value_or("");
  if (code.empty() || !is_vschar(code) || code.size() > 4096) return unusable("no device_code");
  read.device_code = Secret(code);
  read.user_code = printable(text_member(document, "user_code").value_or(""), kMaxUserCode);
  if (read.user_code.empty()) return unusable("no user_code");
  auto uri = text_member(document, "verification_uri");
  // Google wrote it so before the RFC was done.
  if (!uri) uri = text_member(document, "verification_url");
  if (!uri) return unusable("no verification_uri");
  if (const auto url = parse_endpoint(*uri, "verification_uri", allow_insecure_http); !url)
    return unusable(url.error().message);
  read.verification_uri = *uri;
  // A convenience: a bad one is left out.
  const auto complete = text_member(document, "verification_uri_complete").value_or("");
  if (parse_endpoint(complete, "verification_uri_complete", allow_insecure_http))
    read.verification_uri_complete = complete;
  const auto life = seconds_in(document, "expires_in");
  if (!life || *life <= 0) return unusable("no expires_in");
  read.expires_in = std::min(*life, kLongestLife);
  const auto interval = seconds_in(document, "interval").value_or(kUsualInterval);
  read.interval = interval <= 0 ? kUsualInterval : std::min(interval, read.expires_in);
  return read;
}

}  // namespace nexus
