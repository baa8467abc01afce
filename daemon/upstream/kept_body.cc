#include "daemon/upstream/kept_body.h"

#include "common/text.h"
#include "daemon/net/request_head.h"

namespace nexus {
namespace {

constexpr std::size_t kMostRepeatable = 64 * 1024;
constexpr std::size_t kMostSigned = 8 * 1024 * 1024;
constexpr std::size_t kMostOfAll = 64 * 1024 * 1024;  ///< by all requests together

bool signs_body(const std::optional<Strategy>& strategy) {
  return strategy && (strategy->type == "aws_sigv4" || strategy->type == "hmac_payload");
}

}  // namespace

std::size_t most_kept(const std::optional<Strategy>& strategy, std::string_view method,
                      const HeaderLines& headers, std::optional<std::uint64_t> length) {
  if (signs_body(strategy) && !leaves_body_unsigned(headers)) return kMostSigned;
  const bool is_short = length && *length <= kMostRepeatable;
  const bool is_repeatable = !strategy && RequestHead{std::string(method)}.is_idempotent();
  return is_short && is_repeatable ? kMostRepeatable : 0;
}

bool leaves_body_unsigned(const HeaderLines& headers) {
  for (const auto& [name, value] : headers)
    if (lower(name) == "x-amz-content-sha256") return value == "UNSIGNED-PAYLOAD";
  return false;
}

Error too_large_to_sign() {
  return {ErrorCode::body_too_large,
          "what is signed has to be held as a whole, and this body is larger than 8 MiB",
          "S3 takes it unsigned, over https: x-amz-content-sha256: UNSIGNED-PAYLOAD"};
}

Error too_much_is_kept() {
  Error error{ErrorCode::overloaded, "too many bodies that are to be signed are under way",
              "try again in 1 s"};
  error.retry_after_s = 1;
  return error;
}

bool KeptBytes::take(std::size_t bytes) {
  if (of_all_->fetch_add(bytes) + bytes > kMostOfAll) {
    *of_all_ -= bytes;
    return false;
  }
  own_ += bytes;
  return true;
}

}  // namespace nexus
