#include "daemon/net/streaming_client.h"

#include <future>
#include <thread>
#include <unordered_map>
#include <utility>

#include "daemon/net/curl_multi.h"
#include "daemon/net/shares.h"
#include "daemon/net/streamed_exchange.h"
#include "daemon/net/websocket_exchange.h"
#include "daemon/process.h"

namespace nexus {
namespace {

constexpr long kIdleConnections = 64;
constexpr std::size_t kSpareHandles = 64;
constexpr std::size_t kMost = 1000;

}  // namespace

/// Everything of the client that lives on its loop: the exchanges that are under way.
class StreamingClient::Loop {
 public:
  Loop(const NetworkSettings& settings, std::chrono::milliseconds patience)
      : settings_(settings), patience_(patience) {
    std::promise<void> begun;
    thread_ = std::thread([this, &begun] { run(begun); });
    begun.get_future().wait();
  }
  ~Loop() { stop(); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Reactor& reactor() { return *reactor_; }

  void stop() {
    if (!thread_.joinable()) return;
    reactor_->stop();
    thread_.join();
  }

  void start(StreamedRequest request, Answered answered) {
    // WebSockets for themselves, so that those which are idle keep no request from being sent.
    auto place = (request.websocket ? tunnels_ : places_).take(request.whose);
    if (!place) {
      if (request.body.stream) request.body.stream->abandon();
      Error error{ErrorCode::overloaded, "too many requests are under way", "try again in 1 s"};
      error.retry_after_s = 1;
      return answered(std::move(error));
    }
    const auto id = ++last_id_;
    held_.emplace(id, std::move(place));
    if (request.websocket) return start_websocket(id, std::move(request), std::move(answered));
    auto& exchange = *exchanges_
                          .emplace(id, std::make_unique<StreamedExchange>(
                                           std::move(request), std::move(answered), take_handle(),
                                           *reactor_, [this, id] { resume(id); }))
                          .first->second;
    if (const auto ready = exchange.prepare(settings_); !ready) {
      exchange.fail(ready.error());
      return drop(id);
    }
    ids_[exchange.handle()] = id;
    multi_->add(exchange.handle());
    watch();
  }

 private:
  void run(std::promise<void>& begun) {
    reactor_ = std::make_unique<Reactor>();
    multi_ = std::make_unique<CurlMulti>(
        *reactor_, kIdleConnections, [this](CURL* handle, CURLcode code) { finish(handle, code); });
    begun.set_value();
    reactor_->run();
    websockets_.clear();
    while (!exchanges_.empty()) drop(exchanges_.begin()->first);
    spare_.clear();
    multi_.reset();
  }

  void start_websocket(std::uint64_t id, StreamedRequest request, Answered answered) {
    auto& websocket = *websockets_
                           .emplace(id, std::make_unique<WebSocketExchange>(
                                            std::move(request), std::move(answered), *reactor_,
                                            [this, id] {
                                              if (const auto found = websockets_.find(id);
                                                  found != websockets_.end())
                                                found->second->resume();
                                            },
                                            [this, id] {
                                              websockets_.erase(id);
                                              held_.erase(id);
                                            }))
                           .first->second;
    websocket.begin(settings_);
    watch();
  }

  CurlHandle take_handle() {
    if (spare_.empty()) return CurlHandle(curl_easy_init(), curl_easy_cleanup);
    auto handle = std::move(spare_.back());
    spare_.pop_back();
    return handle;
  }

  void finish(CURL* handle, CURLcode code) {
    const auto id = ids_.at(handle);
    exchanges_.at(id)->finish(code);
    drop(id);
  }

  void resume(std::uint64_t id) {
    const auto found = exchanges_.find(id);
    if (found == exchanges_.end()) return;
    if (found->second->is_abandoned()) return drop(id);
    found->second->resume();
  }

  void drop(std::uint64_t id) {
    held_.erase(id);
    const auto dropped = exchanges_.extract(id);
    auto& exchange = *dropped.mapped();
    if (!exchange.handle()) return;
    ids_.erase(exchange.handle());
    multi_->remove(exchange.handle());
    if (spare_.size() < kSpareHandles) spare_.push_back(exchange.give_handle_back());
  }

  /// Has a look at all of them now and then, for as long as there are any.
  void watch() {
    if (is_watching_ || (exchanges_.empty() && websockets_.empty())) return;
    is_watching_ = true;
    reactor_->after(patience_ / 4, [this] {
      is_watching_ = false;
      give_up_silent_ones();
      watch();
    });
  }

  void give_up_silent_ones() {
    const auto late = StreamedExchange::Time::clock::now() - patience_;
    std::vector<std::uint64_t> silent;
    for (const auto& [id, exchange] : exchanges_)
      if (exchange->is_silent_since(late)) silent.push_back(id);
    for (const auto id : silent) {
      exchanges_.at(id)->finish(CURLE_OPERATION_TIMEDOUT);
      drop(id);
    }
    for (const auto& [id, websocket] : websockets_)
      if (websocket->is_silent_since(late)) websocket->give_up();
  }

  const NetworkSettings& settings_;
  const std::chrono::milliseconds patience_;
  Shares places_{kMost};
  Shares tunnels_{most_websockets()};
  bool is_watching_ = false;
  std::thread thread_;
  /// The thread's own, made before anybody else sees it. It outlives the thread: others have pipes
  /// that end there.
  std::unique_ptr<Reactor> reactor_;
  std::unique_ptr<CurlMulti> multi_;
  std::uint64_t last_id_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<StreamedExchange>> exchanges_;
  std::unordered_map<std::uint64_t, std::unique_ptr<WebSocketExchange>> websockets_;
  std::unordered_map<std::uint64_t, Shares::Place> held_;  ///< of both kinds
  std::unordered_map<CURL*, std::uint64_t> ids_;           ///< of those that libcurl has
  std::vector<CurlHandle> spare_;
};

StreamingClient::StreamingClient(NetworkSettings settings, std::chrono::milliseconds patience)
    : settings_(std::move(settings)), patience_(patience) {}

StreamingClient::~StreamingClient() = default;

Reactor& StreamingClient::loop() {
  std::call_once(begun_, [this] { loop_ = std::make_unique<Loop>(settings_, patience_); });
  return loop_->reactor();
}

void StreamingClient::stop() {
  if (loop_) loop_->stop();
}

void StreamingClient::send(StreamedRequest request, Answered answered) {
  auto& reactor = loop();
  reactor.post([this, request = std::make_shared<StreamedRequest>(std::move(request)),
                answered = std::move(answered)]() mutable {
    loop_->start(std::move(*request), std::move(answered));
  });
}

}  // namespace nexus
