#include "daemon/token/refresh_policy.h"

#include <sodium.h>

#include <algorithm>

namespace nexus {
namespace {

constexpr UnixTime kShortLife = 10;
constexpr UnixTime kLongestBackoff = 15 * 60;
constexpr UnixTime kSkew = 60;

}  // namespace

double chance() {
  return static_cast<double>(randombytes_uniform(1'000'000)) / 1e6;
}

UnixTime refresh_margin(const TokenFacts& token) {
  const auto life = token.expires_at.value_or(token.obtained_at) - token.obtained_at;
  return life < 30 * 60 ? life / 5 : 6 * 60;
}

std::optional<UnixTime> background_refresh_at(const TokenFacts& token, double chance) {
  if (!token.expires_at) return std::nullopt;
  const auto life = *token.expires_at - token.obtained_at;
  if (life < kShortLife) return std::nullopt;
  const auto spread = std::min<UnixTime>(60, life / 10);
  return *token.expires_at - refresh_margin(token) - 1 -
         static_cast<UnixTime>(chance * static_cast<double>(spread));
}

UnixTime back_off(std::int64_t failures, double chance) {
  const auto doublings = std::clamp<std::int64_t>(failures, 1, 10);
  const auto wait = std::min<UnixTime>(kLongestBackoff, UnixTime{1} << doublings);
  return wait + static_cast<UnixTime>(chance * static_cast<double>(wait) / 4);
}

bool is_enough(const TokenFacts& token, UnixTime wanted, UnixTime now) {
  if (!token.expires_at) return true;
  if (is_from_the_future(token, now)) return false;
  const auto left = *token.expires_at - now;
  // A token of this very second is as fresh as it gets, however short its life is.
  const bool just_made = now >= token.obtained_at && now - token.obtained_at <= 1;
  return left > wanted || (just_made && left > 0);
}

bool is_from_the_future(const TokenFacts& token, UnixTime now) {
  return token.expires_at && token.obtained_at > now + kSkew;
}

}  // namespace nexus
