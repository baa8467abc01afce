#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/http/connection.h"
#include "daemon/http/crowd.h"
#include "daemon/http/handshakes.h"
#include "daemon/http/listeners.h"
#include "daemon/http/message.h"
#include "daemon/http/request_ids.h"
#include "daemon/loop/reactor.h"

namespace nexus::http {

/// Serves HTTP on a reactor: accepts, reads, calls handlers, sends. No connection ever holds a
/// thread, so idle and slow clients delay nobody.
///
/// The answers of one turn leave together: `before_send` sees all of them first and commits their
/// audit records in one transaction.
///
/// The reactor has to outlive it, and runs no more when it goes.
class Server {
 public:
  using BeforeSend = std::function<void(std::vector<Response*>&)>;
  /// Beyond these the connections that have been waited for longest are given up: of those from
  /// elsewhere first, and none whose request is being handled.
  struct Limits {
    std::size_t connections = 4096;
    std::size_t unsent = std::size_t{32} << 20;  ///< bytes that clients have not taken
  };
  Server(Reactor& reactor, BeforeSend before_send, Limits limits);

  /// Takes over a bound, listening socket. Any thread; returns a handle for `unlisten`.
  int listen(int fd, ListenerOptions options, Handler handler);
  /// Takes over a socket that another server has accepted. Any thread.
  void take(int fd, const Caller& caller, std::shared_ptr<const Listener> listener);
  /// Stops accepting at once; requests in progress are answered. Any thread.
  void unlisten(int listener);
  /// Accepts nothing more. Calls back once what is in progress has been answered, or when that has
  /// taken too long; who has just come has a moment to ask. The loop's thread; again, it does
  /// nothing.
  void drain(std::chrono::milliseconds patience, std::function<void()> drained);

 private:
  using Time = Connection::Time;
  using Id = std::uint64_t;
  struct Entry {
    Connection connection;
    WatchId watch = 0;
    std::size_t unsent = 0;  ///< of the bytes in `unsent_`
    std::string request;     ///< id, method and path of the present one, for log and answer
    Time handed_over;        ///< when the present request was complete
  };
  struct Finished {
    Id connection = 0;
    Response response;
  };

  void adopt(int fd, const Caller& caller, std::shared_ptr<const Listener> listener);
  void admit(Transport transport, const Caller& caller, std::shared_ptr<const Listener> listener);
  void on_ready(Id id, std::uint32_t events);
  void on_moved(Id id);
  void settle(Id id, Entry& entry, std::optional<Parsed> parsed);
  void handle(Id id, Entry& entry, Parsed&& parsed);
  void finish(Id id, Response response);
  void send_finished();
  void answer(Id id, Entry& entry, Response& response);
  void close(Id id);
  void look_at(Time deadline);
  void drop_late();
  void count_unsent(Entry& entry);
  std::vector<Id> longest_waited_for(bool only_unsent) const;
  bool make_room();
  void take_back_unsent();
  void hurry(int listener);
  bool nothing_in_progress() const;
  void end_drain();

  Reactor& reactor_;
  BeforeSend before_send_;
  Limits limits_;
  std::size_t unsent_ = 0;
  Listeners listeners_;
  Handshakes handshakes_;
  Crowd crowd_;
  RequestIds request_ids_;
  Id last_id_ = 0;
  std::unordered_map<Id, Entry> connections_;
  std::vector<Finished> finished_;  ///< leave at the end of this turn
  Time next_look_ = Time::max();    ///< when `drop_late` comes
  TimerId look_;
  bool draining_ = false;
  bool hears_out_ = false;  ///< who has come and has not asked yet
  std::function<void()> drained_;
};

}  // namespace nexus::http
