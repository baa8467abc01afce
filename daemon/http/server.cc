#include "daemon/http/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "daemon/http/responses.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/process.h"

namespace nexus::http {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

/// How long connections stay when nobody listens there any more.
constexpr auto kAfterUnlisten = 5s;
/// Who is connected when a server ends has so long to send what they came for.
constexpr auto kHearsOut = 500ms;
/// Deadlines are looked at all together, at most so often.
constexpr auto kBetweenLooks = 1s;

std::string_view request_id_in(std::string_view request) {
  return request.substr(0, request.find(' '));
}

}  // namespace

Server::Server(Reactor& reactor, BeforeSend before_send, Limits limits)
    : reactor_(reactor),
      before_send_(std::move(before_send)),
      limits_(limits),
      listeners_(
          reactor,
          [this](int fd, const Caller& caller, std::shared_ptr<const Listener> listener) {
            adopt(fd, caller, std::move(listener));
          },
          [this] { return make_room(); }),
      handshakes_(reactor),
      crowd_(
          reactor, [this] { return connections_.size() + handshakes_.size(); }, give_back_memory) {}

int Server::listen(int fd, ListenerOptions options, Handler handler) {
  return listeners_.open(fd, std::move(options), std::move(handler));
}

void Server::take(int fd, const Caller& caller, std::shared_ptr<const Listener> listener) {
  reactor_.post(
      [this, fd, caller, listener = std::move(listener)] { adopt(fd, caller, listener); });
}

void Server::unlisten(int listener) {
  listeners_.close(listener);
  reactor_.post([this, listener] { hurry(listener); });
}

void Server::adopt(int fd, const Caller& caller, std::shared_ptr<const Listener> listener) {
  if (const auto& hands_over = listener->options.hands_over; hands_over && hands_over(fd, caller))
    return;
  if (connections_.size() + handshakes_.size() >= limits_.connections) make_room();
  if (caller.via != Caller::Via::control_socket) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  const auto& tls = listener->options.tls;
  if (!tls) return admit(Transport(fd), caller, std::move(listener));
  handshakes_.begin(Transport(fd, tls->accept(fd)), [this, caller, listener](Transport transport) {
    admit(std::move(transport), caller, listener);
  });
  crowd_.grew();
}

void Server::admit(Transport transport, const Caller& caller,
                   std::shared_ptr<const Listener> listener) {
  const int fd = transport.fd();
  const auto id = ++last_id_;
  auto& entry = connections_
                    .emplace(id, Entry{Connection(std::move(transport), caller, std::move(listener),
                                                  reactor_, [this, id] { on_moved(id); })})
                    .first->second;
  entry.watch =
      reactor_.watch(fd, EPOLLIN, [this, id](std::uint32_t events) { on_ready(id, events); });
  crowd_.grew();
  on_ready(id, EPOLLIN);  // most clients have sent by now
}

void Server::on_ready(Id id, std::uint32_t events) {
  auto& entry = connections_.at(id);
  settle(id, entry, entry.connection.on_ready(events));
}

/// Streams may move once more after their connection has gone.
void Server::on_moved(Id id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  auto& entry = found->second;
  settle(id, entry, entry.connection.on_moved());
}

/// Sees to what the connection came to. The entry may be gone afterwards.
void Server::settle(Id id, Entry& entry, std::optional<Parsed> parsed) {
  if (entry.connection.state() == Connection::State::over) return close(id);
  if (parsed) handle(id, entry, *std::move(parsed));
  reactor_.modify(entry.watch, entry.connection.interest());
  look_at(entry.connection.deadline());
  count_unsent(entry);
  if (draining_ && nothing_in_progress()) end_drain();
}

void Server::handle(Id id, Entry& entry, Parsed&& parsed) {
  entry.request = request_ids_.next();
  entry.handed_over = steady_clock::now();
  if (parsed.state == Parsed::State::refused)
    return finish(id, own_error({parsed.error, parsed.reason,
                                 parsed.error == ErrorCode::invalid_field
                                     ? "send a well-formed HTTP/1.1 request"
                                     : "send less"}));
  const auto& listener = entry.connection.listener();
  if (parsed.request.query_is_malformed && !parsed.request.is_passed_on &&
      !listener.options.takes_malformed_queries)
    return finish(id, malformed_query_response());
  if (draining_) entry.connection.close_after_answer();
  auto& request = parsed.request;
  request.caller = entry.connection.caller();
  request.caller.request = entry.request;
  entry.request.append(" ").append(request.method).append(" ").append(request.path);
  listener.handler(std::move(parsed.request),
                   [this, id](Response response) { finish(id, std::move(response)); });
}

/// Any thread.
void Server::finish(Id id, Response response) {
  if (!reactor_.on_loop())
    return reactor_.post(
        [this, id, response = std::move(response)]() mutable { finish(id, std::move(response)); });
  if (finished_.empty()) reactor_.at_turn_end([this] { send_finished(); });
  finished_.push_back({id, std::move(response)});
}

void Server::send_finished() {
  // Sending may bring a pipelined request and so finish another one: that one's turn is the next.
  auto batch = std::exchange(finished_, {});
  std::vector<Response*> responses;
  responses.reserve(batch.size());
  for (auto& finished : batch) responses.push_back(&finished.response);
  before_send_(responses);
  for (auto& [id, response] : batch) {
    if (const auto found = connections_.find(id); found != connections_.end())
      answer(id, found->second, response);
    else
      drop_streams(response);
  }
}

void Server::answer(Id id, Entry& entry, Response& response) {
  auto& connection = entry.connection;
  const std::chrono::duration<double> took = steady_clock::now() - entry.handed_over;
  metrics::answered(via_name(connection.caller().via), response.status, took.count());
  log(response.status >= 500 ? LogLevel::warn : LogLevel::debug, "answered",
      {{"request", entry.request}, {"status", std::to_string(response.status)}});
  settle(id, entry, connection.send(response, request_id_in(entry.request)));
}

void Server::close(Id id) {
  const auto closed = connections_.extract(id);
  unsent_ -= closed.mapped().unsent;
  reactor_.unwatch(closed.mapped().watch);
  if (draining_ && nothing_in_progress()) end_drain();
}

/// Has deadlines looked at when this one comes, if not before.
void Server::look_at(Time deadline) {
  if (deadline >= next_look_) return;
  next_look_ = deadline;
  reactor_.cancel(look_);
  look_ = reactor_.after(deadline - steady_clock::now(), [this] { drop_late(); });
}

/// Gives up those that are late or have been idle for too long. The reactor's timers count the time
/// asleep, deadlines do not: after a sleep they are looked at early.
void Server::drop_late() {
  const auto now = steady_clock::now();
  std::vector<Id> late;
  auto next = Time::max();
  for (const auto& [id, entry] : connections_) {
    const auto deadline = entry.connection.deadline();
    if (deadline <= now)
      late.push_back(id);
    else
      next = std::min(next, deadline);
  }
  for (const auto id : late) close(id);
  next_look_ = Time::max();
  if (next != Time::max()) look_at(std::max(next, now + kBetweenLooks));
}

/// Keeps the sum of what clients have not taken. Not at once: the entry is in use.
void Server::count_unsent(Entry& entry) {
  const bool was_too_much = unsent_ > limits_.unsent;
  unsent_ += entry.connection.unsent();
  unsent_ -= std::exchange(entry.unsent, entry.connection.unsent());
  if (!was_too_much && unsent_ > limits_.unsent)
    reactor_.at_turn_end([this] { take_back_unsent(); });
}

std::vector<Server::Id> Server::longest_waited_for(bool only_unsent) const {
  struct Candidate {
    bool local;
    Time since;
    Id id;
    auto operator<=>(const Candidate&) const = default;
  };
  std::vector<Candidate> candidates;
  for (const auto& [id, entry] : connections_) {
    const auto& connection = entry.connection;
    if (!connection.waits_for_client()) continue;
    if (connection.is_passing_on() && !only_unsent) continue;  // it is busy, however old it is
    if (only_unsent && connection.unsent() == 0) continue;
    const bool local = connection.caller().via == Caller::Via::control_socket;
    candidates.push_back({local, connection.since(), id});
  }
  std::sort(candidates.begin(), candidates.end());
  std::vector<Id> ids;
  for (const auto& candidate : candidates) ids.push_back(candidate.id);
  return ids;
}

/// Gives up some at once: looking for them costs as much as many more would need. Handshakes go
/// first where they are the most: whoever only begins them has asked for nothing yet.
bool Server::make_room() {
  if (const auto under_way = handshakes_.size(); under_way > connections_.size()) {
    handshakes_.give_up(std::max<std::size_t>(under_way / 8, 1));
    return true;
  }
  auto ids = longest_waited_for(false);
  ids.resize(std::min(ids.size(), std::max<std::size_t>(connections_.size() / 8, 1)));
  for (const auto id : ids) close(id);
  return !ids.empty();
}

void Server::take_back_unsent() {
  for (const auto id : longest_waited_for(true)) {
    if (unsent_ <= limits_.unsent / 2) break;
    close(id);
  }
}

void Server::hurry(int listener) {
  const auto deadline = steady_clock::now() + kAfterUnlisten;
  for (auto& [id, entry] : connections_) {
    if (entry.connection.listener().id != listener) continue;
    entry.connection.hurry(deadline);
    look_at(entry.connection.deadline());
  }
}

void Server::drain(std::chrono::milliseconds patience, std::function<void()> drained) {
  reactor_.expect_on_loop();
  if (std::exchange(draining_, true)) return;
  drained_ = std::move(drained);
  listeners_.close_all();
  hears_out_ = true;
  reactor_.after(std::min<std::chrono::milliseconds>(patience, kHearsOut), [this] {
    hears_out_ = false;
    handshakes_.give_up(handshakes_.size());
    if (nothing_in_progress()) end_drain();
  });
  reactor_.after(patience, [this] { end_drain(); });
  if (nothing_in_progress()) end_drain();
}

/// Of a tunnel nobody knows what is.
bool Server::nothing_in_progress() const {
  if (hears_out_ && handshakes_.size() > 0) return false;
  return std::all_of(connections_.begin(), connections_.end(), [this](const auto& entry) {
    const auto& connection = entry.second.connection;
    const auto state = connection.state();
    return (state == Connection::State::reading && !(hears_out_ && connection.expects_request())) ||
           state == Connection::State::tunnel;
  });
}

void Server::end_drain() {
  if (drained_) std::exchange(drained_, nullptr)();
}

}  // namespace nexus::http
