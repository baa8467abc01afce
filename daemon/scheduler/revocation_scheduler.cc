#include "daemon/scheduler/revocation_scheduler.h"

#include <algorithm>

#include "daemon/log.h"

namespace nexus {
namespace {

constexpr int kAtATime = 20;
/// What is still due after it was tried (a store that cannot be written, say) is not tried at once.
constexpr UnixTime kAtLeast = 5;

}  // namespace

Result<void> RevocationScheduler::start(Reactor& reactor) {
  alarm_.start(reactor, [this] {
    due_.reached(Due::What::revocation);
    if (!stopped_ && !running_.exchange(true)) workers_.submit([this] { run(); });
  });
  due_.listen(Due::What::revocation, [this](UnixTime at) { alarm_.expect(at); });
  NEXUS_TRY(const auto next, store_.next_revocation());
  if (next) due_.expect(Due::What::revocation, *next);
  return {};
}

void RevocationScheduler::run() {
  const auto due = store_.due_revocations(clock_(), kAtATime);
  if (due)
    for (const auto& row : *due)
      if (!stopped_) revocations_.attempt(row.connection_id, Revocations::Told::to_nobody);
  running_ = false;
  const auto next = store_.next_revocation();
  if (stopped_) return;
  const auto soonest = clock_() + kAtLeast;
  if (!due || !next) {
    log(LogLevel::error, "revocations_not_found",
        {{"error", due ? next.error().message : due.error().message}});
    return due_.expect(Due::What::revocation, soonest);
  }
  if (*next) due_.expect(Due::What::revocation, std::max(**next, soonest));
}

}  // namespace nexus
