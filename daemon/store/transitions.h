#pragma once

#include "common/api/words.h"

namespace nexus {

/// Which state a connection may go to from which; a Store refuses every other change. To the same
/// state is no change: a refreshed connection stays active.
constexpr bool may_become(ConnectionStatus from, ConnectionStatus to) {
  using enum ConnectionStatus;
  switch (from) {
    case pending:  // answered, or not; disconnected before anybody answered
      return to == active || to == failed || to == revoked;
    case active:
      return to == active || to == attention_required || to == moving || to == revoked;
    case moving:  // taken back, found to have ended, or gone for good; never moved once more
      return to == active || to == attention_required || to == revoked;
    case attention_required:  // whoever connects again makes a new connection
      return to == attention_required || to == revoked;
    case failed:
      return to == revoked;
    case revoked:
      return false;
  }
  return false;
}

}  // namespace nexus
