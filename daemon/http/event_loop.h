#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "daemon/http/message.h"
#include "daemon/http/request_ids.h"
#include "daemon/http/transport.h"

namespace nexus::http {

/// Who may connect, and how long a listener's connections live.
struct ListenerOptions {
  Caller::Via via = Caller::Via::control_socket;
  bool same_user_only = false;  ///< SO_PEERCRED; refused before a byte is read
  bool keep_alive = true;
  std::shared_ptr<TlsCertificate> tls{};  ///< nothing: in the clear
  std::function<void(const Caller&)> on_refused{};
};

/// One epoll loop on one thread: accepts, reads, parses, calls handlers, sends. No connection ever
/// holds a thread, so idle and slow clients delay nobody.
///
/// The answers of one turn of the loop leave together: `before_send` sees all of them first and
/// commits their audit records in one transaction.
class EventLoop {
 public:
  using BeforeSend = std::function<void(std::vector<Response*>&)>;
  explicit EventLoop(BeforeSend before_send);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Takes over a bound, listening socket. Any thread; returns a handle for `unlisten`.
  int listen(int fd, ListenerOptions options, Handler handler);
  /// Stops accepting at once; requests in progress are answered. Any thread.
  void unlisten(int listener);
  /// Calls back on the loop's thread when `fd` is readable.
  void watch(int fd, std::function<void()> on_readable);
  /// Called about once a second while it returns true or connections exist; `wake` starts it again.
  void set_housekeeping(std::function<bool()> housekeeping);
  void wake();

  /// Runs until `stop`. Then it accepts nothing more and finishes what is in progress, for at most
  /// `drain`.
  void run(std::chrono::milliseconds drain);
  void stop();

 private:
  using Time = std::chrono::steady_clock::time_point;
  enum class State { reading, handling, writing };
  struct Connection {
    Transport transport;
    int listener = 0;
    std::uint64_t id = 0;
    State state = State::reading;
    Caller caller;
    SecretText in;
    SecretText out;
    std::size_t sent = 0;
    bool close_after = false;
    bool watched = true;  ///< whether epoll tells about it at all
    bool wants_write = false;
    std::string request;  ///< id, method and path of the present one, for log and answer
    Time deadline;
    Time handed_over;  ///< when the present request was complete
    Time since;        ///< start of the present request's first byte, or of being idle
  };
  struct Listener {
    int fd = -1;
    ListenerOptions options;
    Handler handler;
  };
  struct Finished {
    std::uint64_t connection = 0;
    Response response;
  };

  void accept_from(int listener);
  void adopt(int fd, int handle, const Caller& caller);
  void read_from(Connection& connection);
  void parse(Connection& connection);
  void dispatch(Connection& connection, Request request);
  void finish(std::uint64_t connection, Response response);
  void send_finished();
  void start_sending(Connection& connection, const Response& response);
  void send_more(Connection& connection);
  void close(Connection& connection);
  void drop_late(Time now);
  void make_room();
  void register_pending();
  void update_interest(Connection& connection, bool write);
  Connection* find(std::uint64_t id);
  bool nothing_in_progress() const;

  BeforeSend before_send_;
  int epoll_ = -1;
  int wakeup_ = -1;
  std::thread::id loop_thread_;
  std::uint64_t next_id_ = 1;
  RequestIds request_ids_;
  std::unordered_map<std::uint64_t, Connection> connections_;
  std::map<int, Listener> listeners_;  ///< by handle; loop thread only
  std::map<int, std::function<void()>> watches_;
  std::function<bool()> housekeeping_;
  bool housekeeping_wanted_ = true;
  bool accepting_paused_ = false;
  bool stopping_ = false;
  std::vector<Finished> finished_;

  std::mutex mutex_;  ///< guards what other threads hand over
  std::vector<Finished> handed_over_;
  std::vector<std::function<void()>> tasks_;
  int next_listener_ = 1;
  std::map<int, int> descriptors_;  ///< of the open listeners, by handle
};

}  // namespace nexus::http
