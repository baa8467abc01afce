#include "daemon/http/listeners.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "daemon/http/peer.h"
#include "daemon/log.h"
#include "daemon/peer_process.h"

namespace nexus::http {
namespace {

using namespace std::chrono_literals;

constexpr int kAcceptAtOnce = 64;
constexpr auto kPause = 1s;
constexpr auto kShortPause = 10ms;  ///< where room was made

bool is_shortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/// Whether it may be here; where only as a member of a group, with that one's rights from now on.
bool let_in(Caller& caller, const ListenerOptions& options) {
  if (!options.same_user_only || caller.uid == static_cast<std::int64_t>(geteuid())) return true;
  for (const auto& [group, access] : options.members) {
    const bool is_root = caller.uid == 0 && !access;
    if (!is_root && !(caller.process && caller.process->is_in(group))) continue;
    caller.access = access;
    return true;
  }
  return false;
}

}  // namespace

Listeners::Listeners(Reactor& reactor, Accepted accepted, std::function<bool()> out_of_descriptors)
    : reactor_(reactor),
      accepted_(std::move(accepted)),
      out_of_descriptors_(std::move(out_of_descriptors)) {}

Listeners::~Listeners() {
  for (const auto& [id, open] : open_) ::close(open.fd);
}

int Listeners::open(int fd, ListenerOptions options, Handler handler) {
  int id = 0;
  {
    const std::lock_guard lock(mutex_);
    id = ++last_id_;
    descriptors_[id] = fd;
  }
  auto listener =
      std::make_shared<const Listener>(Listener{id, std::move(options), std::move(handler)});
  reactor_.post([this, fd, listener = std::move(listener)] { start(fd, listener); });
  return id;
}

void Listeners::start(int fd, std::shared_ptr<const Listener> listener) {
  if (ended_) {
    ::close(fd);
    return;
  }
  const int id = listener->id;
  const auto watch = reactor_.watch(fd, EPOLLIN, [this, id](std::uint32_t) { accept_from(id); });
  open_[id] = {fd, watch, std::move(listener)};
}

void Listeners::close(int listener) {
  {
    // The loop closes the descriptor only at its next turn, but whoever listens on that port again
    // at once must not find it taken. The lock keeps the loop from closing it meanwhile.
    const std::lock_guard lock(mutex_);
    const auto descriptor = descriptors_.extract(listener);
    if (!descriptor) return;
    shutdown(descriptor.mapped(), SHUT_RDWR);
  }
  reactor_.post([this, listener] {
    if (const auto closed = open_.extract(listener)) end(closed.mapped());
  });
}

void Listeners::close_all() {
  reactor_.expect_on_loop();
  const std::lock_guard lock(mutex_);
  descriptors_.clear();
  ended_ = true;
  for (const auto& [id, open] : std::exchange(open_, {})) end(open);
}

void Listeners::end(const Open& open) {
  reactor_.unwatch(open.watch);
  ::close(open.fd);
}

void Listeners::accept_from(int id) {
  // A copy: the connection may be served before accepted_ returns, and what is served may close
  // this listener.
  const auto open = open_.at(id);
  const auto& options = open.listener->options;
  for (int i = 0; i < kAcceptAtOnce && open_.contains(id); ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const int fd = accept4(open.fd, reinterpret_cast<sockaddr*>(&address), &size,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (is_shortage(errno)) pause(open);
      return;
    }
    auto caller = peer_of(fd, options.via, address);
    if (let_in(caller, options)) {
      accepted_(fd, caller, open.listener);
      continue;
    }
    ::close(fd);
    if (options.on_refused) options.on_refused(caller);
  }
}

/// Whoever could not be accepted is still there, and epoll would say so without end.
void Listeners::pause(const Open& open) {
  if (const auto now = std::chrono::steady_clock::now(); now - told_ >= kPause) {
    told_ = now;
    log(LogLevel::warn, "out_of_file_descriptors");
  }
  const auto pause = out_of_descriptors_() ? kShortPause : kPause;
  reactor_.modify(open.watch, 0);
  if (!std::exchange(paused_, true)) reactor_.after(pause, [this] { go_on(); });
}

void Listeners::go_on() {
  paused_ = false;
  for (const auto& [id, open] : open_) reactor_.modify(open.watch, EPOLLIN);
}

}  // namespace nexus::http
