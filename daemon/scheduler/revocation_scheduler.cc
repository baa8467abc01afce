#include "daemon/scheduler/revocation_scheduler.h"

namespace nexus {
namespace {

constexpr int kAtATime = 20;

}  // namespace

Result<void> RevocationScheduler::start(http::EventLoop& loop) {
  NEXUS_CHECK(alarm_.start(loop, [this] {
    if (!stopped_ && !running_.exchange(true)) workers_.submit([this] { run(); });
  }));
  NEXUS_TRY(const auto next, store_.next_revocation());
  if (next) expect(*next);
  return {};
}

void RevocationScheduler::run() {
  const auto due = store_.due_revocations(clock_(), kAtATime);
  if (due)
    for (const auto& row : *due)
      if (!stopped_) revocations_.attempt(row.connection_id);
  running_ = false;
  const auto next = store_.next_revocation();
  if (next && *next && !stopped_) expect(**next);
}

}  // namespace nexus
