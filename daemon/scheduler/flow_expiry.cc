#include "daemon/scheduler/flow_expiry.h"

namespace nexus {

void FlowExpiry::start(Reactor& reactor) {
  alarm_.start(reactor, [this] {
    due_.reached(Due::What::flow_expiry);
    sweep();
  });
  due_.listen(Due::What::flow_expiry, [this](UnixTime at) { alarm_.expect(at); });
}

void FlowExpiry::sweep() {
  if (stopped_) return;
  if (sweeping_.exchange(true)) {
    again_ = true;
    return;
  }
  workers_.submit([this] {
    flows_.sweep();
    sweeping_ = false;
    if (again_.exchange(false)) sweep();
  });
}

}  // namespace nexus
