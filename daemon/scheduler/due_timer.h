#pragma once

#include "common/clock.h"

namespace nexus {

/// Wakes whoever does in the background what is due: refreshes, revocations. Any thread.
class DueTimer {
 public:
  virtual ~DueTimer() = default;
  /// Something is due then.
  virtual void expect(UnixTime at) = 0;
};

}  // namespace nexus
