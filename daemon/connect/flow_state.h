#pragma once

#include <string>
#include <string_view>

#include "daemon/vault/vault.h"

namespace nexus {

/// The one flow that a state is good for.
struct StateUse {
  std::string_view connection_id;
  std::string_view issuer;        ///< that the answer has to come from, "" where there is none
  std::string_view redirect_uri;  ///< where it comes to
};

/// A new state (RFC 6749 10.12): 32 random bytes as base64url, a dot, and this vault's signature of
/// both them and the use.
std::string new_flow_state(const Vault& vault, const StateUse& use);
/// Whether it was made so, for that use. It may come from anybody.
bool is_flow_state(const Vault& vault, std::string_view state, const StateUse& use);

}  // namespace nexus
