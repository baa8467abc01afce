#include "daemon/net/streamed_exchange.h"

#include <string.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/text.h"

namespace nexus {
namespace {

constexpr long kReceivePiece = 16 * 1024;  ///< libcurl allocates it for each exchange, and wipes it
constexpr long kUploadPiece = 64 * 1024;
constexpr long kLongestIdleS = 30;

}  // namespace

StreamedExchange::StreamedExchange(StreamedRequest request, StreamingClient::Answered answered,
                                   CurlHandle handle, Reactor& loop, std::function<void()> moved)
    : request_(std::move(request)),
      answered_(std::move(answered)),
      curl_(std::move(handle)),
      loop_(loop),
      moved_(std::move(moved)),
      check_{request_.addresses} {}

StreamedExchange::~StreamedExchange() {
  if (body_) body_->break_off();  // unless it has come to its end
  if (request_.body.stream) request_.body.stream->abandon();
  for (auto* line = lines_.get(); line; line = line->next)
    explicit_bzero(line->data, std::strlen(line->data));
}

CurlHandle StreamedExchange::give_handle_back() {
  curl_easy_reset(curl_.get());
  return std::move(curl_);
}

Result<void> StreamedExchange::prepare(const NetworkSettings& settings) {
  CURL* curl = curl_.get();
  if (!curl) return Error{ErrorCode::internal_error, "out of memory", ""};
  const auto& url = request_.head.url;
  set_common_options(curl, url, settings);
  check_addresses(curl, check_);
  curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, before_request);
  curl_easy_setopt(curl, CURLOPT_PREREQDATA, this);
  NEXUS_CHECK(set_proxy(curl, url, settings, check_));
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail_);
  curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, kReceivePiece);
  curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, kUploadPiece);
  curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, kLongestIdleS);
  set_body();
  set_headers();
  if (request_.body.stream) request_.body.stream->on_data(moved_);
  if (request_.wanted)
    request_.wanted->on_end([&loop = loop_, moved = moved_] { loop.post(moved); });
  return {};
}

void StreamedExchange::set_body() {
  CURL* curl = curl_.get();
  const auto& head = request_.head;
  const auto& body = request_.body;
  if (head.method == "HEAD") curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, head.method.c_str());
  // Where a connection that was kept turns out to be gone libcurl sends the request again by
  // itself, unless some of a stream has been sent.
  if (!head.is_idempotent() && !body.stream) curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
  if (!body.is_there()) return;
  if (body.kept) {
    curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_rewind);
    curl_easy_setopt(curl, CURLOPT_SEEKDATA, this);
  }
  const auto length = body.kept ? std::optional<std::uint64_t>(body.kept->size()) : body.length;
  curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_wanted);
  curl_easy_setopt(curl, CURLOPT_READDATA, this);
  curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE,
                   length ? static_cast<curl_off_t>(*length) : curl_off_t{-1});
}

void StreamedExchange::add_line(const std::string& line) {
  lines_.reset(curl_slist_append(lines_.release(), line.c_str()));
}

void StreamedExchange::set_headers() {
  const auto& head = request_.head;
  const auto& body = request_.body;
  bool has_accept = false;
  for (const auto& [name, value] : head.headers) {
    has_accept = has_accept || lower(name) == "accept";
    auto line = value.empty() ? name + ";" : name + ": " + std::string(value.expose());
    add_line(line);
    wipe(line);
  }
  // What libcurl would add by itself and nobody asked for.
  if (!has_accept) add_line("Accept:");
  add_line("Expect:");
  if (body.stream && !body.length) add_line("Transfer-Encoding: chunked");
  if (!body.is_there() && (head.method == "POST" || head.method == "PUT" || head.method == "PATCH"))
    add_line("Content-Length: 0");
  curl_easy_setopt(curl_.get(), CURLOPT_HTTPHEADER, lines_.get());
}

int StreamedExchange::before_request(void* data, char* address, char*, int, int) {
  auto& exchange = *static_cast<StreamedExchange*>(data);
  return may_use(exchange.check_, address) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

std::size_t StreamedExchange::on_wanted(char* to, std::size_t, std::size_t size, void* data) {
  auto& exchange = *static_cast<StreamedExchange*>(data);
  exchange.note_move();
  if (const auto& kept = exchange.request_.body.kept) {
    const auto count = std::min(size, kept->size() - exchange.sent_);
    std::memcpy(to, kept->data() + exchange.sent_, count);
    exchange.sent_ += count;
    return count;
  }
  const auto taken = exchange.request_.body.stream->take(size);
  std::memcpy(to, taken.bytes.data(), taken.bytes.size());
  if (!taken.bytes.empty()) return taken.bytes.size();
  if (taken.state == Pipe::State::ended) return 0;
  if (taken.state == Pipe::State::broken) {
    exchange.request_broke_off_ = true;
    return CURL_READFUNC_ABORT;
  }
  exchange.send_paused_ = true;
  return CURL_READFUNC_PAUSE;
}

int StreamedExchange::on_rewind(void* data, curl_off_t offset, int) {
  static_cast<StreamedExchange*>(data)->sent_ = static_cast<std::size_t>(offset);
  return CURL_SEEKFUNC_OK;
}

std::size_t StreamedExchange::on_header(char* data, std::size_t, std::size_t size, void* context) {
  auto& exchange = *static_cast<StreamedExchange*>(context);
  exchange.note_move();
  if (!exchange.answered_) return size;  // trailers
  exchange.header_bytes_ += size;
  if (exchange.header_bytes_ > kMaxHeadBytes) {
    exchange.fault_ = "its headers are too large";
    return 0;
  }
  const std::string_view line(data, size);
  if (trim(line).empty()) return exchange.on_head() ? size : 0;
  exchange.fault_ = exchange.head_.add_line(line);
  return *exchange.fault_ == '\0' ? size : 0;
}

std::size_t StreamedExchange::on_body(char* data, std::size_t, std::size_t size, void* context) {
  auto& exchange = *static_cast<StreamedExchange*>(context);
  exchange.note_move();
  if (!exchange.body_) return size;
  if (exchange.body_->is_abandoned()) return 0;
  if (exchange.body_->room() == 0) {
    exchange.receive_paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  exchange.body_->write({data, size});
  return size;
}

/// Whether it goes on.
bool StreamedExchange::on_head() {
  const auto status = head_.status;
  if (head_.is_interim()) {
    head_ = {};  // the one that counts comes behind it
    return true;
  }
  fault_ =
      status == 101 ? "it changes to another protocol that nobody asked for" : head_.read_framing();
  if (*fault_ != '\0') return false;
  StreamedAnswer answer{status, std::move(head_.headers)};
  if (status != 204) answer.length = head_.length;  // it cannot have any
  const bool has_none =
      request_.head.method == "HEAD" || status == 204 || status == 304 || answer.length == 0;
  if (!has_none) {
    body_ = std::make_shared<Pipe>(loop_, *request_.reader);
    body_->on_room(moved_);
    answer.body = body_;
  }
  std::exchange(answered_, nullptr)(std::move(answer));
  return true;
}

void StreamedExchange::resume() {
  send_paused_ = false;
  receive_paused_ = false;
  note_move();
  curl_easy_pause(curl_.get(), CURLPAUSE_CONT);
}

void StreamedExchange::finish(CURLcode code) {
  if (code == CURLE_OK && !answered_) {
    if (body_) body_->end();
    return;
  }
  if (code == CURLE_OK) fault_ = "its head breaks off";
  auto error = curl_error(code, detail_, server_of(request_.head.url), check_);
  if (code == CURLE_WEIRD_SERVER_REPLY || code == CURLE_BAD_CONTENT_ENCODING) fault_ = detail_;
  if (*fault_ != '\0')
    error = {ErrorCode::provider_protocol,
             "the answer cannot be passed on: " + printable(fault_, 200),
             "tell whoever runs the server"};
  if (request_broke_off_) error = body_broke_off();
  // What was sent, or began to be, may have been read and acted upon.
  long request_bytes = 0;
  curl_easy_getinfo(curl_.get(), CURLINFO_REQUEST_SIZE, &request_bytes);
  error.may_have_arrived = request_bytes > 0;
  fail(std::move(error));
}

void StreamedExchange::fail(Error error) {
  if (answered_) std::exchange(answered_, nullptr)(std::move(error));
}

}  // namespace nexus
