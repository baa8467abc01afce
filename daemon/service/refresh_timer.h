#pragma once

#include "common/clock.h"

namespace nexus {

/// Wakes whoever refreshes in the background. Any thread.
class RefreshTimer {
 public:
  virtual ~RefreshTimer() = default;
  /// Something is due then.
  virtual void expect(UnixTime at) = 0;
};

}  // namespace nexus
