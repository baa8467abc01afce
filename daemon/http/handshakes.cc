#include "daemon/http/handshakes.h"

#include <sys/epoll.h>

#include <algorithm>
#include <thread>
#include <utility>

namespace nexus::http {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 10s;

/// Half of the processors, so that a flood of handshakes leaves the other half.
std::size_t most_workers() {
  return std::max(std::thread::hardware_concurrency() / 2, 1U);
}

}  // namespace

Handshakes::Handshakes(Reactor& reactor) : reactor_(reactor), workers_(most_workers()) {}

void Handshakes::begin(Transport transport, Done done) {
  const auto id = ++last_id_;
  const int fd = transport.fd();
  auto& entry = under_way_[id];
  entry.transport = std::make_shared<Transport>(std::move(transport));
  entry.done = std::move(done);
  entry.watch = reactor_.watch(fd, EPOLLIN, [this, id](std::uint32_t) { step(id); });
  entry.deadline = reactor_.after(kPatience, [this, id] { end(id); });
}

void Handshakes::step(Id id) {
  auto& entry = under_way_.at(id);
  reactor_.modify(entry.watch, 0);
  workers_.submit([this, id, transport = entry.transport] {
    const auto state = transport->handshake().state;
    reactor_.post([this, id, state] { stepped(id, state); });
  });
}

void Handshakes::stepped(Id id, Moved::State state) {
  const auto found = under_way_.find(id);
  if (found == under_way_.end()) return;
  switch (state) {
    case Moved::State::wait_readable:
      return reactor_.modify(found->second.watch, EPOLLIN);
    case Moved::State::wait_writable:
      return reactor_.modify(found->second.watch, EPOLLOUT);
    case Moved::State::closed:
      return end(id);
    case Moved::State::some:
      break;
  }
  const auto transport = found->second.transport;
  const auto done = std::move(found->second.done);
  end(id);
  done(std::move(*transport));
}

void Handshakes::end(Id id) {
  const auto ended = under_way_.extract(id);
  if (!ended) return;
  reactor_.cancel(ended.mapped().deadline);
  reactor_.unwatch(ended.mapped().watch);
}

void Handshakes::give_up(std::size_t count) {
  while (count-- > 0 && !under_way_.empty()) end(under_way_.begin()->first);
}

}  // namespace nexus::http
