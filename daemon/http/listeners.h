#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "daemon/http/message.h"
#include "daemon/http/tls.h"
#include "daemon/loop/reactor.h"

namespace nexus::http {

/// Who may connect, and how long a listener's connections live.
struct ListenerOptions {
  Caller::Via via = Caller::Via::control_socket;
  bool same_user_only = false;  ///< SO_PEERCRED; refused before a byte is read
  /// Groups whose members may connect as well, with these rights: those of the first one that the
  /// caller is a member of. Null: all rights, and root has them, too.
  struct Members {
    gid_t group = 0;
    std::shared_ptr<const Access> access{};
  };
  std::vector<Members> members{};
  bool keep_alive = true;
  bool takes_malformed_queries = false;   ///< the handler answers people, and them, too
  std::shared_ptr<TlsCertificate> tls{};  ///< nothing: in the clear
  std::function<void(const Caller&)> on_refused{};
  /// Hands an accepted socket over to another server (Server::take); false where it is to stay.
  std::function<bool(int fd, const Caller&)> hands_over{};
  /// The loop that reads the body of a request that is passed on, as it comes; nothing for those
  /// that are read in full and answered here. What it is asked of has a head alone.
  std::function<Reactor*(const Request&)> passes_on{};
};

/// What a connection needs of where it came in, also when that accepts no more.
struct Listener {
  int id = 0;
  ListenerOptions options;
  Handler handler;
};

/// The sockets that a server accepts connections from.
class Listeners {
 public:
  /// Takes over an accepted socket. The loop's thread.
  using Accepted =
      std::function<void(int fd, const Caller& caller, std::shared_ptr<const Listener> listener)>;

  /// `out_of_descriptors` is called when nobody can be accepted for want of them, and says whether
  /// it could do something about it; else it is called again a second later.
  Listeners(Reactor& reactor, Accepted accepted, std::function<bool()> out_of_descriptors);
  ~Listeners();
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  /// Takes over a bound, listening socket. Any thread.
  int open(int fd, ListenerOptions options, Handler handler);
  /// The port is free when this returns. Any thread.
  void close(int listener);
  /// Closes all of them, and whatever is opened from now on. The loop's thread.
  void close_all();

 private:
  struct Open {
    int fd = -1;
    WatchId watch = 0;
    std::shared_ptr<const Listener> listener;
  };

  void start(int fd, std::shared_ptr<const Listener> listener);
  void end(const Open& open);
  void accept_from(int listener);
  void pause(const Open& open);
  void go_on();

  Reactor& reactor_;
  Accepted accepted_;
  std::function<bool()> out_of_descriptors_;
  std::map<int, Open> open_;  ///< the loop's thread
  bool paused_ = false;
  std::chrono::steady_clock::time_point told_;  ///< that descriptors are short
  bool ended_ = false;

  std::mutex mutex_;
  int last_id_ = 0;
  std::map<int, int> descriptors_;  ///< of those that nobody has closed, by id
};

}  // namespace nexus::http
