#pragma once

#include <array>
#include <functional>
#include <mutex>
#include <optional>

#include "common/clock.h"

namespace nexus {

/// The board of what is due: whoever makes something that has to be done later says so here, and
/// whoever does it is told when the time has come. Made before either of them. Thread-safe.
class Due {
 public:
  enum class What { refresh, revocation, flow_expiry, refusals, audit_retention, key_expiry };

  /// Something of that kind is due then.
  void expect(What what, UnixTime at);

  /// From now on `ring` is told of earlier times than it knew of, the present one at once. It is
  /// called on the thread of whoever expects, and must not wait.
  using Ring = std::function<void(UnixTime at)>;
  void listen(What what, Ring ring);
  /// That time has come: what is expected from now on is new.
  void reached(What what);

 private:
  struct Entry {
    std::optional<UnixTime> earliest;
    Ring ring;
  };
  std::mutex mutex_;
  std::array<Entry, 6> entries_;
};

}  // namespace nexus
