// The life of a connection from accept to close, in the order in which it happens: one state
// machine, kept in one file.
#include "daemon/http/event_loop.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include "daemon/http/peer.h"
#include "daemon/http/request_parser.h"
#include "daemon/http/response_head.h"
#include "daemon/http/responses.h"
#include "daemon/log.h"
#include "daemon/metrics.h"

namespace nexus::http {
namespace {

using namespace std::chrono_literals;

constexpr auto kHeadDeadline = 10s;  ///< from a request's first byte to its last
constexpr auto kIdleDeadline = 30s;
constexpr auto kWriteDeadline = 30s;
constexpr std::size_t kMostConnections = 4096;
constexpr std::size_t kReadAtOnce = 64 * 1024;
constexpr std::size_t kMaxBuffered = 1024 * 1024 + 64 * 1024;

// What an epoll event is about: a connection's id, or a listener or watched fd marked by these
// bits.
constexpr std::uint64_t kListenerMark = 1ULL << 62;
constexpr std::uint64_t kWatchMark = 1ULL << 63;

std::string_view request_id_in(std::string_view request) {
  return request.substr(0, request.find(' '));
}

}  // namespace

EventLoop::EventLoop(BeforeSend before_send) : before_send_(std::move(before_send)) {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  wakeup_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (epoll_ < 0 || wakeup_ < 0) std::abort();
  watch(wakeup_, [this] {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = read(wakeup_, &count, sizeof count);
    housekeeping_wanted_ = true;
  });
}

EventLoop::~EventLoop() {
  connections_.clear();
  for (auto& [handle, listener] : listeners_) ::close(listener.fd);
  ::close(wakeup_);
  ::close(epoll_);
}

int EventLoop::listen(int fd, ListenerOptions options, Handler handler) {
  const std::lock_guard lock(mutex_);
  const int handle = next_listener_++;
  descriptors_[handle] = fd;
  tasks_.push_back([this, handle, listener = Listener{fd, std::move(options), std::move(handler)}] {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = kListenerMark | static_cast<std::uint64_t>(handle);
    epoll_ctl(epoll_, EPOLL_CTL_ADD, listener.fd, &event);
    listeners_[handle] = listener;
  });
  wake();
  return handle;
}

void EventLoop::unlisten(int listener) {
  const std::lock_guard lock(mutex_);
  // The port is free when this returns, though the loop closes the descriptor only at its next
  // turn: whoever listens there again at once must not find it taken.
  if (const auto open = descriptors_.extract(listener)) shutdown(open.mapped(), SHUT_RDWR);
  tasks_.push_back([this, listener] {
    const auto found = listeners_.find(listener);
    if (found == listeners_.end() || found->second.fd < 0) return;
    ::close(found->second.fd);
    found->second.fd = -1;  // the entry stays: its connections still need the handler
    for (auto& [id, connection] : connections_)
      if (connection.listener == listener)
        connection.deadline = std::min(connection.deadline, std::chrono::steady_clock::now() + 5s);
  });
  wake();
}

void EventLoop::watch(int fd, std::function<void()> on_readable) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWatchMark | static_cast<std::uint64_t>(fd);
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  watches_[fd] = std::move(on_readable);
}

void EventLoop::set_housekeeping(std::function<bool()> housekeeping) {
  housekeeping_ = std::move(housekeeping);
}

void EventLoop::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(wakeup_, &one, sizeof one);
}

void EventLoop::stop() {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back([this] { stopping_ = true; });
  }
  wake();
}

bool EventLoop::nothing_in_progress() const {
  for (const auto& [id, connection] : connections_)
    if (connection.state != State::reading) return false;
  return true;
}

void EventLoop::run(std::chrono::milliseconds drain) {
  loop_thread_ = std::this_thread::get_id();
  std::vector<epoll_event> events(256);
  Time end = Time::max();
  Time next_sweep{};
  while (true) {
    register_pending();
    const auto now = std::chrono::steady_clock::now();
    if (stopping_ && end == Time::max()) {
      end = now + drain;
      for (auto& [handle, listener] : listeners_)
        if (listener.fd >= 0) ::close(listener.fd), listener.fd = -1;
    }
    if (stopping_ && (nothing_in_progress() || now >= end)) return;
    if (now >= next_sweep) {
      next_sweep = now + 1s;
      drop_late(now);
      if (housekeeping_ && housekeeping_wanted_) housekeeping_wanted_ = housekeeping_();
      if (accepting_paused_) {
        accepting_paused_ = false;
        for (auto& [handle, listener] : listeners_) {
          epoll_event event{};
          event.events = EPOLLIN;
          event.data.u64 = kListenerMark | static_cast<std::uint64_t>(handle);
          if (listener.fd >= 0) epoll_ctl(epoll_, EPOLL_CTL_MOD, listener.fd, &event);
        }
      }
    }
    const bool ticking =
        stopping_ || housekeeping_wanted_ || accepting_paused_ || !connections_.empty();
    const int timeout = !finished_.empty() ? 0 : ticking ? 250 : -1;
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout);
    for (int i = 0; i < count; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      const auto what = event.data.u64;
      if (what & kWatchMark) {
        watches_[static_cast<int>(what & ~kWatchMark)]();
      } else if (what & kListenerMark) {
        accept_from(static_cast<int>(what & ~kListenerMark));
      } else if (auto* connection = find(what)) {
        if (connection->state != State::writing) {
          read_from(*connection);
        } else if (event.events & (EPOLLHUP | EPOLLERR)) {
          close(*connection);
        } else {
          send_more(*connection);
        }
      }
    }
    register_pending();
    send_finished();
  }
}

/// Takes over what other threads handed in.
void EventLoop::register_pending() {
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
    for (auto& finished : handed_over_) finished_.push_back(std::move(finished));
    handed_over_.clear();
  }
  for (auto& task : tasks) task();
}

void EventLoop::accept_from(int handle) {
  const auto found = listeners_.find(handle);
  if (found == listeners_.end()) return;
  auto& listener = found->second;
  for (int i = 0; i < 64 && listener.fd >= 0; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const int fd = accept4(listener.fd, reinterpret_cast<sockaddr*>(&address), &size,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        // Out of descriptors: level-triggered accepts would spin, so wait for the next sweep.
        log(LogLevel::warn, "out_of_file_descriptors");
        epoll_event none{};
        none.data.u64 = kListenerMark | static_cast<std::uint64_t>(handle);
        epoll_ctl(epoll_, EPOLL_CTL_MOD, listener.fd, &none);
        accepting_paused_ = true;
        make_room();
      }
      return;
    }
    const auto caller = peer_of(fd, listener.options.via, address);
    if (listener.options.same_user_only && caller.uid != static_cast<std::int64_t>(geteuid())) {
      ::close(fd);
      if (listener.options.on_refused) listener.options.on_refused(caller);
      continue;
    }
    if (connections_.size() >= kMostConnections) make_room();
    adopt(fd, handle, caller);
  }
}

void EventLoop::adopt(int fd, int handle, const Caller& caller) {
  if (caller.via != Caller::Via::control_socket) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  const auto& tls = listeners_[handle].options.tls;
  const auto id = next_id_++;
  auto& connection = connections_[id];
  connection.transport = Transport(fd, tls ? tls->accept(fd) : nullptr);
  connection.listener = handle;
  connection.id = id;
  connection.caller = caller;
  connection.since = std::chrono::steady_clock::now();
  connection.deadline = connection.since + kHeadDeadline;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = id;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  read_from(connection);  // most clients have sent by now
}

EventLoop::Connection* EventLoop::find(std::uint64_t id) {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : &found->second;
}

void EventLoop::read_from(Connection& connection) {
  if (connection.state == State::handling) {
    // The client sends ahead or went away. Its request is finished all the same (F4); what it sent
    // is read afterwards.
    epoll_ctl(epoll_, EPOLL_CTL_DEL, connection.transport.fd(), nullptr);
    connection.watched = false;
    return;
  }
  // One buffer for all: an idle connection owns none.
  static thread_local std::array<char, kReadAtOnce> buffer;
  do {
    const auto got = connection.transport.receive(buffer.data(), buffer.size());
    if (got.state == Moved::State::closed) return close(connection);
    if (got.state != Moved::State::some) {
      update_interest(connection, got.state == Moved::State::wait_writable);
      break;
    }
    if (connection.in.empty()) {
      connection.since = std::chrono::steady_clock::now();
      connection.deadline = connection.since + kHeadDeadline;
    }
    if (connection.in.size() + got.bytes > kMaxBuffered) return close(connection);
    connection.in.append(buffer.data(), got.bytes);
    explicit_bzero(buffer.data(), got.bytes);
  } while (connection.transport.has_buffered());
  parse(connection);
}

void EventLoop::parse(Connection& connection) {
  if (connection.in.empty()) return;
  auto parsed = parse_request(connection.in);
  if (parsed.state == Parsed::State::incomplete) return;
  const auto& listener = listeners_[connection.listener];
  connection.request = request_ids_.next();
  if (parsed.state == Parsed::State::refused) {
    connection.close_after = true;
    connection.state = State::handling;
    connection.handed_over = std::chrono::steady_clock::now();
    return finish(connection.id, error_response({parsed.error, parsed.reason,
                                                 "send a well-formed HTTP/1.1 request"}));
  }
  connection.in.erase(0, parsed.consumed);
  connection.close_after = !parsed.request.keep_alive || !listener.options.keep_alive ||
                           stopping_ || parsed.request.method == "HEAD";
  connection.state = State::handling;
  connection.handed_over = std::chrono::steady_clock::now();
  dispatch(connection, std::move(parsed.request));
}

void EventLoop::dispatch(Connection& connection, Request request) {
  request.caller = connection.caller;
  request.caller.request = connection.request;
  connection.request.append(" ").append(request.method).append(" ").append(request.path);
  const auto id = connection.id;
  const auto& handler = listeners_[connection.listener].handler;
  handler(std::move(request), [this, id](Response response) { finish(id, std::move(response)); });
}

void EventLoop::finish(std::uint64_t connection, Response response) {
  if (std::this_thread::get_id() == loop_thread_) {
    finished_.push_back({connection, std::move(response)});
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    handed_over_.push_back({connection, std::move(response)});
  }
  wake();
}

void EventLoop::send_finished() {
  // Sending may parse a pipelined request and so finish another one: that one's turn is the next.
  auto batch = std::move(finished_);
  finished_.clear();
  if (batch.empty()) return;
  std::vector<Response*> responses;
  responses.reserve(batch.size());
  for (auto& finished : batch) responses.push_back(&finished.response);
  before_send_(responses);
  for (auto& finished : batch)
    if (auto* connection = find(finished.connection)) start_sending(*connection, finished.response);
}

void EventLoop::start_sending(Connection& connection, const Response& response) {
  connection.out.reserve(response.body.size() + 512);
  const std::string_view request = connection.request;
  write_head(connection.out, response, request_id_in(request), !connection.close_after);
  connection.out.append(response.body);
  connection.sent = 0;
  connection.state = State::writing;
  const auto now = std::chrono::steady_clock::now();
  connection.deadline = now + kWriteDeadline;
  metrics::answered(via_name(connection.caller.via), response.status,
                    std::chrono::duration<double>(now - connection.handed_over).count());
  log(response.status >= 500 ? LogLevel::warn : LogLevel::debug, "answered",
      {{"request", request}, {"status", std::to_string(response.status)}});
  send_more(connection);
}

void EventLoop::send_more(Connection& connection) {
  while (connection.sent < connection.out.size()) {
    const auto sent = connection.transport.send(connection.out.data() + connection.sent,
                                                connection.out.size() - connection.sent);
    if (sent.state == Moved::State::closed) return close(connection);
    if (sent.state != Moved::State::some)
      return update_interest(connection, sent.state == Moved::State::wait_writable);
    connection.sent += sent.bytes;
  }
  if (connection.close_after) return close(connection);
  connection.out = SecretText();
  if (connection.in.empty()) connection.in = SecretText();
  connection.state = State::reading;
  connection.deadline = std::chrono::steady_clock::now() + kIdleDeadline;
  update_interest(connection, false);
  if (connection.transport.has_buffered()) return read_from(connection);
  parse(connection);
}

void EventLoop::update_interest(Connection& connection, bool write) {
  if (connection.watched && connection.wants_write == write) return;
  epoll_event event{};
  event.events = write ? EPOLLOUT : EPOLLIN;
  event.data.u64 = connection.id;
  epoll_ctl(epoll_, connection.watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, connection.transport.fd(),
            &event);
  connection.watched = true;
  connection.wants_write = write;
}

void EventLoop::close(Connection& connection) {
  connections_.erase(connection.id);
}

void EventLoop::drop_late(Time now) {
  std::vector<std::uint64_t> late;
  for (const auto& [id, connection] : connections_)
    if (connection.state != State::handling && connection.deadline <= now) late.push_back(id);
  for (const auto id : late) close(connections_[id]);
  std::erase_if(listeners_, [&](const auto& entry) {
    return entry.second.fd < 0 &&
           std::none_of(connections_.begin(), connections_.end(),
                        [&](const auto& c) { return c.second.listener == entry.first; });
  });
}

/// Gives up the connection that has been idle for longest.
void EventLoop::make_room() {
  Connection* oldest = nullptr;
  for (auto& [id, connection] : connections_)
    if (connection.state == State::reading && (!oldest || connection.since < oldest->since))
      oldest = &connection;
  if (oldest) close(*oldest);
}

}  // namespace nexus::http
