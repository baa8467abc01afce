#pragma once

#include <cstddef>
#include <functional>

#include "daemon/loop/reactor.h"

namespace nexus::http {

/// Tells when very many clients have been there at a time and most of them have gone: what they
/// took of memory may be worth giving back. For the loop's thread.
class Crowd {
 public:
  /// `count`: how many are there now.
  Crowd(Reactor& reactor, std::function<std::size_t()> count, std::function<void()> gone);
  /// One more has come.
  void grew();

 private:
  void look_later();

  Reactor& reactor_;
  std::function<std::size_t()> count_;
  std::function<void()> gone_;
  bool is_there_ = false;
  bool has_left_ = false;  ///< as was seen the last time
};

}  // namespace nexus::http
