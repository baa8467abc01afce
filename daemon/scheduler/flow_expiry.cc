#include "daemon/scheduler/flow_expiry.h"

namespace nexus {

Result<void> FlowExpiry::start(http::EventLoop& loop) {
  NEXUS_CHECK(alarm_.start(loop, [this] {
    due_.reached(Due::What::flow_expiry);
    sweep();
  }));
  due_.listen(Due::What::flow_expiry, [this](UnixTime at) { alarm_.expect(at); });
  return {};
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
