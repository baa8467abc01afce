#include "daemon/net/streaming_client.h"

#include <curl/curl.h>
#include <string.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cstring>
#include <future>
#include <thread>
#include <unordered_map>

#include "common/text.h"
#include "daemon/net/curl_options.h"

namespace nexus {
namespace {

constexpr std::size_t kMaxHeaders = 64 * 1024;
constexpr long kPiece = 64 * 1024;
constexpr long kIdleConnections = 64;
constexpr long kLongestIdleS = 30;
constexpr std::size_t kSpareHandles = 64;

using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using Lines = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

int status_in(std::string_view line) {
  const auto space = line.find(' ');
  const auto digits = line.substr(std::min(space, line.size()));
  return static_cast<int>(parse_number(trim(digits.substr(0, 4))).value_or(0));
}

/// Finds out how the body ends (RFC 9112 6.3), as libcurl does; "" unless another reader could come
/// to something else.
const char* read_framing(StreamedAnswer& answer) {
  bool is_chunked = false;
  for (const auto& [name, value] : answer.headers) {
    const auto known = lower(name);
    if (known == "content-length") {
      const auto length = parse_number(value);
      if (!length || answer.length) return "its Content-Length is malformed, or given twice";
      answer.length = static_cast<std::uint64_t>(*length);
    } else if (known == "transfer-encoding") {
      if (is_chunked || lower(value) != "chunked") return "its Transfer-Encoding is unknown";
      is_chunked = true;
    }
  }
  return is_chunked && answer.length ? "it has both Content-Length and Transfer-Encoding" : "";
}

}  // namespace

std::string StreamedAnswer::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (lower(key) == name) return value;
  return {};
}

/// Everything of the client that lives on its loop.
class StreamingClient::Loop {
 public:
  Loop(const NetworkSettings& settings, std::chrono::milliseconds patience)
      : settings_(settings), patience_(patience) {
    std::promise<Reactor*> begun;
    auto begins = begun.get_future();
    thread_ = std::thread([this, &begun] { run(begun); });
    reactor_ = begins.get();
  }
  ~Loop() {
    reactor_->stop();
    thread_.join();
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Reactor& reactor() { return *reactor_; }

  void start(StreamedRequest request, Answered answered) {
    const auto id = ++last_id_;
    auto& exchange = *exchanges_.emplace(id, std::make_unique<Exchange>()).first->second;
    exchange.request = std::move(request);
    exchange.answered = std::move(answered);
    exchange.check.allowed = exchange.request.addresses;
    exchange.curl = take_handle();
    curl_easy_setopt(exchange.curl.get(), CURLOPT_PRIVATE, &exchange);
    exchange.id = id;
    exchange.loop = this;
    if (const auto ready = prepare(exchange); !ready) return fail(exchange, ready.error());
    if (auto& stream = exchange.request.body.stream) stream->on_data([this, id] { resume(id); });
    curl_multi_add_handle(multi_, exchange.curl.get());
    watch();
  }

 private:
  using Time = std::chrono::steady_clock::time_point;

  struct Exchange {
    std::uint64_t id = 0;
    Loop* loop = nullptr;
    StreamedRequest request;
    Answered answered;  ///< empty once the head has been told
    AddressCheck check;
    Easy curl{nullptr, curl_easy_cleanup};
    Lines lines{nullptr, curl_slist_free_all};
    char detail[CURL_ERROR_SIZE] = "";
    StreamedAnswer answer;
    std::size_t header_bytes = 0;
    std::size_t sent = 0;    ///< of a kept body
    const char* fault = "";  ///< of the head
    std::shared_ptr<Pipe> body;
    bool send_paused = false;
    bool receive_paused = false;
    Time moved = Time::clock::now();  ///< when the server last took or gave something
  };

  void run(std::promise<Reactor*>& begun) {
    Reactor reactor;
    reactor_ = &reactor;
    multi_ = curl_multi_init();
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kIdleConnections);
    begun.set_value(&reactor);
    reactor.run();
    while (!exchanges_.empty()) drop(exchanges_.begin()->first);
    spare_.clear();
    curl_multi_cleanup(multi_);
  }

  Easy take_handle() {
    if (spare_.empty()) return Easy(curl_easy_init(), curl_easy_cleanup);
    auto handle = std::move(spare_.back());
    spare_.pop_back();
    return handle;
  }

  Result<void> prepare(Exchange& exchange) {
    CURL* curl = exchange.curl.get();
    if (!curl) return Error{ErrorCode::internal_error, "out of memory", ""};
    const auto& head = exchange.request.head;
    set_common_options(curl, head.url, settings_);
    check_addresses(curl, exchange.check);
    curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, before_request);
    curl_easy_setopt(curl, CURLOPT_PREREQDATA, &exchange);
    NEXUS_CHECK(set_proxy(curl, head.url, settings_, exchange.check));
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, exchange.detail);
    curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, kPiece);
    curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, kPiece);
    curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, kLongestIdleS);
    set_body(curl, exchange);
    set_headers(curl, exchange);
    return {};
  }

  void set_body(CURL* curl, Exchange& exchange) {
    const auto& method = exchange.request.head.method;
    const auto& body = exchange.request.body;
    if (method == "HEAD") curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());
    if (!body.is_there()) {
      // libcurl would send it again by itself where a connection that was kept turns out to be
      // gone.
      if (!exchange.request.head.is_idempotent()) curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
      return;
    }
    const auto length = body.kept ? std::optional<std::uint64_t>(body.kept->size()) : body.length;
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_wanted);
    curl_easy_setopt(curl, CURLOPT_READDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE,
                     length ? static_cast<curl_off_t>(*length) : curl_off_t{-1});
  }

  static void add_line(Exchange& exchange, const std::string& line) {
    exchange.lines.reset(curl_slist_append(exchange.lines.release(), line.c_str()));
  }

  static void set_headers(CURL* curl, Exchange& exchange) {
    const auto& head = exchange.request.head;
    const auto& body = exchange.request.body;
    bool has_accept = false;
    for (const auto& [name, value] : head.headers) {
      has_accept = has_accept || lower(name) == "accept";
      auto line = value.empty() ? name + ";" : name + ": " + std::string(value.expose());
      add_line(exchange, line);
      wipe(line);
    }
    // What libcurl would add by itself and nobody asked for.
    if (!has_accept) add_line(exchange, "Accept:");
    add_line(exchange, "Expect:");
    if (body.stream && !body.length) add_line(exchange, "Transfer-Encoding: chunked");
    if (!body.is_there() &&
        (head.method == "POST" || head.method == "PUT" || head.method == "PATCH"))
      add_line(exchange, "Content-Length: 0");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, exchange.lines.get());
  }

  // What libcurl calls.

  static int before_request(void* data, char* address, char*, int, int) {
    auto& exchange = *static_cast<Exchange*>(data);
    return may_use(exchange.check, address) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
  }

  static std::size_t on_wanted(char* to, std::size_t, std::size_t size, void* data) {
    auto& exchange = *static_cast<Exchange*>(data);
    exchange.moved = Time::clock::now();
    if (const auto& kept = exchange.request.body.kept) {
      const auto count = std::min(size, kept->size() - exchange.sent);
      std::memcpy(to, kept->data() + exchange.sent, count);
      exchange.sent += count;
      return count;
    }
    const auto taken = exchange.request.body.stream->take(size);
    std::memcpy(to, taken.bytes.data(), taken.bytes.size());
    if (!taken.bytes.empty()) return taken.bytes.size();
    if (taken.state == Pipe::State::ended) return 0;
    if (taken.state == Pipe::State::broken) return CURL_READFUNC_ABORT;
    exchange.send_paused = true;
    return CURL_READFUNC_PAUSE;
  }

  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* context) {
    auto& exchange = *static_cast<Exchange*>(context);
    exchange.moved = Time::clock::now();
    if (!exchange.answered) return size;  // trailers
    exchange.header_bytes += size;
    if (exchange.header_bytes > kMaxHeaders) {
      exchange.fault = "its headers are too large";
      return 0;
    }
    const std::string_view line(data, size);
    if (line.starts_with("HTTP/")) {
      exchange.answer = {};
      exchange.answer.status = status_in(line);
    } else if (trim(line).empty()) {
      return exchange.loop->on_head(exchange) ? size : 0;
    } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
      exchange.answer.headers.emplace_back(trim(line.substr(0, colon)),
                                           trim(line.substr(colon + 1)));
    }
    return size;
  }

  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* context) {
    auto& exchange = *static_cast<Exchange*>(context);
    exchange.moved = Time::clock::now();
    if (!exchange.body) return size;
    if (exchange.body->is_abandoned()) return 0;
    if (exchange.body->room() == 0) {
      exchange.receive_paused = true;
      return CURL_WRITEFUNC_PAUSE;
    }
    exchange.body->write({data, size});
    return size;
  }

  static int on_socket(CURL*, curl_socket_t fd, int what, void* context, void* assigned) {
    auto& loop = *static_cast<Loop*>(context);
    const auto watch = reinterpret_cast<WatchId>(assigned);
    if (what == CURL_POLL_REMOVE) {
      if (watch != 0) loop.reactor_->unwatch(watch);
      return 0;
    }
    const std::uint32_t events =
        ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) | ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U);
    if (watch != 0) {
      loop.reactor_->modify(watch, events);
      return 0;
    }
    const auto made = loop.reactor_->watch(
        fd, events, [&loop, fd](std::uint32_t ready) { loop.on_ready(fd, ready); });
    curl_multi_assign(loop.multi_, fd, reinterpret_cast<void*>(made));
    return 0;
  }

  static int on_timer(CURLM*, long after_ms, void* context) {
    auto& loop = *static_cast<Loop*>(context);
    loop.reactor_->cancel(loop.timer_);
    loop.is_due_ = after_ms == 0;
    if (after_ms > 0)
      loop.timer_ = loop.reactor_->after(std::chrono::milliseconds(after_ms),
                                         [&loop] { loop.act(CURL_SOCKET_TIMEOUT, 0); });
    else if (after_ms == 0)
      loop.reactor_->at_turn_end([&loop] {
        if (std::exchange(loop.is_due_, false)) loop.act(CURL_SOCKET_TIMEOUT, 0);
      });
    return 0;
  }

  void on_ready(int fd, std::uint32_t ready) {
    act(fd, ((ready & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
                ((ready & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                ((ready & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0));
  }

  void act(curl_socket_t fd, int events) {
    int running = 0;
    curl_multi_socket_action(multi_, fd, events, &running);
    int left = 0;
    while (const auto* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      Exchange* exchange = nullptr;
      const auto code = message->data.result;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
      finish(*exchange, code);
    }
  }

  // Where an exchange stands.

  /// Whether it goes on.
  bool on_head(Exchange& exchange) {
    auto& answer = exchange.answer;
    if (answer.status >= 100 && answer.status < 200 && answer.status != 101) return true;
    exchange.fault = answer.status == 101 ? "it changes to another protocol that nobody asked for"
                     : answer.status < 100 || answer.status > 999 ? "its status is none"
                                                                  : read_framing(answer);
    if (*exchange.fault != '\0') return false;
    const bool has_none = exchange.request.head.method == "HEAD" || answer.status == 204 ||
                          answer.status == 304 || answer.length == 0;
    if (!has_none) {
      exchange.body = std::make_shared<Pipe>(*reactor_, *exchange.request.reader);
      exchange.body->on_room([this, id = exchange.id] { resume(id); });
      answer.body = exchange.body;
    }
    std::exchange(exchange.answered, nullptr)(std::move(answer));
    return true;
  }

  /// A stream that an exchange has waited for has moved, or nobody wants its answer any more.
  void resume(std::uint64_t id) {
    const auto found = exchanges_.find(id);
    if (found == exchanges_.end()) return;
    auto& exchange = *found->second;
    if (exchange.body && exchange.body->is_abandoned()) return drop(id);
    exchange.send_paused = false;
    exchange.receive_paused = false;
    exchange.moved = Time::clock::now();
    curl_easy_pause(exchange.curl.get(), CURLPAUSE_CONT);
  }

  /// Has a look at all of them now and then, for as long as there are any.
  void watch() {
    if (is_watching_ || exchanges_.empty()) return;
    is_watching_ = true;
    reactor_->after(patience_ / 4, [this] {
      is_watching_ = false;
      give_up_silent_ones();
      watch();
    });
  }

  void give_up_silent_ones() {
    const auto late = Time::clock::now() - patience_;
    std::vector<std::uint64_t> silent;
    for (const auto& [id, exchange] : exchanges_)
      if (!exchange->receive_paused && !exchange->send_paused && exchange->moved < late)
        silent.push_back(id);
    for (const auto id : silent) {
      auto& exchange = *exchanges_.at(id);
      auto error =
          curl_error(CURLE_OPERATION_TIMEDOUT, "", exchange.request.head.url, exchange.check);
      error.may_have_arrived = true;
      fail(exchange, std::move(error));
    }
  }

  void finish(Exchange& exchange, CURLcode code) {
    if (code == CURLE_OK) {
      if (exchange.body) exchange.body->end();
      return drop(exchange.id);
    }
    auto error = curl_error(code, exchange.detail, exchange.request.head.url, exchange.check);
    if (code == CURLE_WEIRD_SERVER_REPLY || code == CURLE_BAD_CONTENT_ENCODING)
      exchange.fault = exchange.detail;
    if (*exchange.fault != '\0')
      error = {ErrorCode::provider_protocol,
               "the answer cannot be passed on: " + std::string(exchange.fault),
               "tell whoever runs the server"};
    // What was sent, or began to be, may have been read and acted upon.
    long request_bytes = 0;
    curl_easy_getinfo(exchange.curl.get(), CURLINFO_REQUEST_SIZE, &request_bytes);
    error.may_have_arrived = request_bytes > 0;
    fail(exchange, std::move(error));
  }

  void fail(Exchange& exchange, Error error) {
    if (exchange.answered) std::exchange(exchange.answered, nullptr)(std::move(error));
    drop(exchange.id);
  }

  void drop(std::uint64_t id) {
    const auto dropped = exchanges_.extract(id);
    auto& exchange = *dropped.mapped();
    if (exchange.body) exchange.body->break_off();  // unless it has come to its end
    if (exchange.request.body.stream) exchange.request.body.stream->abandon();
    if (!exchange.curl) return;
    curl_multi_remove_handle(multi_, exchange.curl.get());
    for (auto* line = exchange.lines.get(); line; line = line->next)
      explicit_bzero(line->data, std::strlen(line->data));
    if (spare_.size() >= kSpareHandles) return;
    curl_easy_reset(exchange.curl.get());
    spare_.push_back(std::move(exchange.curl));
  }

  const NetworkSettings& settings_;
  const std::chrono::milliseconds patience_;
  bool is_watching_ = false;
  std::thread thread_;
  Reactor* reactor_ = nullptr;
  CURLM* multi_ = nullptr;
  TimerId timer_;
  bool is_due_ = false;
  std::uint64_t last_id_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<Exchange>> exchanges_;
  std::vector<Easy> spare_;
};

StreamingClient::StreamingClient(NetworkSettings settings, std::chrono::milliseconds patience)
    : settings_(std::move(settings)), patience_(patience) {}

StreamingClient::~StreamingClient() = default;

Reactor& StreamingClient::loop() {
  std::call_once(begun_, [this] { loop_ = std::make_unique<Loop>(settings_, patience_); });
  return loop_->reactor();
}

void StreamingClient::send(StreamedRequest request, Answered answered) {
  auto& reactor = loop();
  reactor.post([this, request = std::make_shared<StreamedRequest>(std::move(request)),
                answered = std::move(answered)]() mutable {
    loop_->start(std::move(*request), std::move(answered));
  });
}

}  // namespace nexus
