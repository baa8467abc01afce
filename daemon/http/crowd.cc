#include "daemon/http/crowd.h"

#include <utility>

namespace nexus::http {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMany = 64;
constexpr auto kLooksEvery = 2s;

}  // namespace

Crowd::Crowd(Reactor& reactor, std::function<std::size_t()> count, std::function<void()> gone)
    : reactor_(reactor), count_(std::move(count)), gone_(std::move(gone)) {}

void Crowd::grew() {
  if (is_there_ || count_() < kMany) return;
  is_there_ = true;
  look_later();
}

void Crowd::look_later() {
  reactor_.after(kLooksEvery, [this] {
    if (count_() >= kMany / 2) {
      has_left_ = false;
      return look_later();
    }
    // What they took is given back a moment later, on other threads as well.
    if (!std::exchange(has_left_, true)) return look_later();
    is_there_ = has_left_ = false;
    gone_();
  });
}

}  // namespace nexus::http
