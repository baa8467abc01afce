#include "daemon/due.h"

namespace nexus {

void Due::expect(What what, UnixTime at) {
  const std::lock_guard lock(mutex_);
  auto& entry = entries_[static_cast<std::size_t>(what)];
  if (entry.earliest && *entry.earliest <= at) return;
  entry.earliest = at;
  if (entry.ring) entry.ring(at);
}

void Due::listen(What what, Ring ring) {
  const std::lock_guard lock(mutex_);
  auto& entry = entries_[static_cast<std::size_t>(what)];
  entry.ring = std::move(ring);
  if (entry.earliest) entry.ring(*entry.earliest);
}

void Due::reached(What what) {
  const std::lock_guard lock(mutex_);
  entries_[static_cast<std::size_t>(what)].earliest.reset();
}

}  // namespace nexus
