#include "daemon/connect/flow_state.h"

#include "daemon/crypto/encoding.h"

namespace nexus {
namespace {

constexpr std::size_t kLongest = 512;

std::string signature_of(const Vault& vault, std::string_view random, const StateUse& use) {
  std::string text(random);
  for (const auto part : {use.connection_id, use.issuer, use.redirect_uri})
    text.append("\n").append(part);
  return base64url(vault.authenticate_state(text));
}

}  // namespace

std::string new_flow_state(const Vault& vault, const StateUse& use) {
  const auto random = random_token(32);
  return random + "." + signature_of(vault, random, use);
}

bool is_flow_state(const Vault& vault, std::string_view state, const StateUse& use) {
  const auto dot = state.find('.');
  if (dot == std::string_view::npos || state.size() > kLongest) return false;
  return equal_constant_time(state.substr(dot + 1), signature_of(vault, state.substr(0, dot), use));
}

}  // namespace nexus
