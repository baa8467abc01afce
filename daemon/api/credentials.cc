#include "daemon/api/credentials.h"

#include "common/text.h"
#include "daemon/crypto/encoding.h"

namespace nexus::api {
namespace {

Error unreadable() {
  return {ErrorCode::invalid_api_key, "the API key cannot be read",
          "send it once, as X-API-Key: KEY"};
}

Result<Secret> key_in_basic(std::string_view encoded) {
  auto decoded = base64_decode(encoded);
  if (!decoded) return unreadable();
  const auto colon = decoded->find(':');
  const std::string_view text = *decoded;
  Result<Secret> key = unreadable();
  if (colon != std::string::npos)
    key = Secret(colon + 1 < text.size() ? text.substr(colon + 1) : text.substr(0, colon));
  wipe(*decoded);
  return key;
}

}  // namespace

Result<Secret> take_api_key(http::Request& request) {
  const auto in_x_api_key = request.count_headers("x-api-key");
  const auto in_authorization = request.count_headers("authorization");
  auto key = request.take_header("x-api-key");
  const auto authorization = request.take_header("authorization");
  if (in_x_api_key > 1 || in_authorization > 1) return unreadable();
  if (in_x_api_key == 1) {
    if (key.empty()) return unreadable();
    return key;
  }
  if (in_authorization == 0) return Secret();
  const auto text = authorization.expose();
  const auto space = text.find(' ');
  const auto scheme = lower(text.substr(0, space));
  const auto rest = space == std::string_view::npos ? std::string_view() : trim(text.substr(space));
  if (rest.empty()) return unreadable();
  if (scheme == "bearer") return Secret(rest);
  if (scheme == "basic") return key_in_basic(rest);
  return unreadable();
}

}  // namespace nexus::api
