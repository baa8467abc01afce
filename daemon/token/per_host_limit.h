#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace nexus {

/// Lets few requests at a time go to one host; the others wait their turn, those that somebody
/// waits for before those of the background (F17). Thread-safe.
class PerHostLimit {
 public:
  using Go = std::function<void(bool waited)>;
  explicit PerHostLimit(int at_once) : at_once_(at_once) {}

  /// Calls `go` when it is its turn: now, or from another's `leave`, and says which. `go` must not
  /// wait: it hands the work to somebody who then calls `leave`.
  void enter(const std::string& host, bool background, Go go);
  void leave(const std::string& host);

 private:
  struct Host {
    int inside = 0;
    std::deque<Go> awaited;
    std::deque<Go> background;
  };
  const int at_once_;
  std::mutex mutex_;
  std::map<std::string, Host> hosts_;
};

}  // namespace nexus
