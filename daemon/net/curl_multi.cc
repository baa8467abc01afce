#include "daemon/net/curl_multi.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <chrono>
#include <utility>

namespace nexus {

CurlMulti::CurlMulti(Reactor& loop, long idle_connections, Done done)
    : loop_(loop), done_(std::move(done)), multi_(curl_multi_init()) {
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, idle_connections);
}

CurlMulti::~CurlMulti() {
  curl_multi_cleanup(multi_);
  loop_.cancel(timer_);
  *is_due_ = false;
}

void CurlMulti::add(CURL* handle) {
  curl_easy_setopt(handle, CURLOPT_CLOSESOCKETFUNCTION, on_close);
  curl_easy_setopt(handle, CURLOPT_CLOSESOCKETDATA, this);
  curl_multi_add_handle(multi_, handle);
}

int CurlMulti::on_close(void* context, curl_socket_t fd) {
  static_cast<CurlMulti*>(context)->forget_idle(fd);
  return close(fd);
}

void CurlMulti::forget_idle(curl_socket_t fd) {
  if (const auto idle = idle_.extract(fd)) loop_.unwatch(idle.mapped());
}

WatchId CurlMulti::watch(curl_socket_t fd, std::uint32_t events) {
  if (const auto idle = idle_.extract(fd)) {
    loop_.modify(idle.mapped(), events);
    return idle.mapped();
  }
  return loop_.watch(fd, events, [this, fd](std::uint32_t ready) {
    if (idle_.contains(fd)) return forget_idle(fd);  // its end: libcurl sees it when it looks
    act(fd, ((ready & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
                ((ready & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                ((ready & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0));
  });
}

int CurlMulti::on_socket(CURL*, curl_socket_t fd, int what, void* context, void* assigned) {
  auto& self = *static_cast<CurlMulti*>(context);
  const auto watch = reinterpret_cast<WatchId>(assigned);
  if (what == CURL_POLL_REMOVE) {
    if (watch != 0) self.idle_[fd] = watch;
    return 0;
  }
  const std::uint32_t events =
      ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) | ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U);
  if (watch != 0) {
    self.loop_.modify(watch, events);
    return 0;
  }
  curl_multi_assign(self.multi_, fd, reinterpret_cast<void*>(self.watch(fd, events)));
  return 0;
}

int CurlMulti::on_timer(CURLM*, long after_ms, void* context) {
  auto& self = *static_cast<CurlMulti*>(context);
  self.loop_.cancel(self.timer_);
  *self.is_due_ = after_ms == 0;
  if (after_ms > 0)
    self.timer_ = self.loop_.after(std::chrono::milliseconds(after_ms),
                                   [&self] { self.act(CURL_SOCKET_TIMEOUT, 0); });
  else if (after_ms == 0)
    self.loop_.at_turn_end([&self, is_due = self.is_due_] {
      if (std::exchange(*is_due, false)) self.act(CURL_SOCKET_TIMEOUT, 0);
    });
  return 0;
}

void CurlMulti::act(curl_socket_t fd, int events) {
  int running = 0;
  curl_multi_socket_action(multi_, fd, events, &running);
  int left = 0;
  while (const auto* message = curl_multi_info_read(multi_, &left))
    if (message->msg == CURLMSG_DONE) done_(message->easy_handle, message->data.result);
}

}  // namespace nexus
