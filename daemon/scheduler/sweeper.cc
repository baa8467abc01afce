#include "daemon/scheduler/sweeper.h"

namespace nexus {

void Sweeper::start(Reactor& reactor) {
  alarm_.start(reactor, [this] {
    due_.reached(what_);
    sweep();
  });
  due_.listen(what_, [this](UnixTime at) { alarm_.expect(at); });
}

void Sweeper::sweep() {
  if (stopped_) return;
  if (sweeping_.exchange(true)) {
    again_ = true;
    return;
  }
  workers_.submit([this] {
    sweep_();
    sweeping_ = false;
    if (again_.exchange(false)) sweep();
  });
}

}  // namespace nexus
