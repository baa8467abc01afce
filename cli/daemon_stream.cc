#include "cli/daemon_stream.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "cli/at_daemon.h"
#include "cli/remote.h"
#include "common/body_decoder.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

constexpr std::size_t kPiece = 64 * 1024;
constexpr std::size_t kMostHead = 256 * 1024;

/// One exchange: what is to be sent, what has come, and how far both are.
class Exchange {
 public:
  Exchange(int to, int from, const StreamRequest& request, const StreamReceiver& receiver)
      : to_(to), from_(from), request_(request), receiver_(receiver) {}

  Result<void> run(std::string head) {
    out_ = std::move(head);
    if (request_.body.descriptor < 0) {
      out_ += request_.body.text;
      body_is_over_ = true;
    }
    fcntl(to_, F_SETFL, fcntl(to_, F_GETFL) | O_NONBLOCK);
    while (!is_over_) NEXUS_CHECK(turn());
    return {};
  }

 private:
  bool has_to_read_body() const { return !body_is_over_ && out_.empty(); }

  Result<void> turn() {
    std::array<pollfd, 3> waited{
        pollfd{from_, POLLIN, 0}, pollfd{out_.empty() ? -1 : to_, POLLOUT, 0},
        pollfd{has_to_read_body() ? request_.body.descriptor : -1, POLLIN, 0}};
    if (poll(waited.data(), waited.size(), -1) < 0 && errno != EINTR)
      return Error{ErrorCode::failure, "nothing can be waited for", "try again"};
    if (waited[2].revents != 0) NEXUS_CHECK(read_body());
    if (waited[1].revents != 0) send_some();
    if (waited[0].revents != 0) return receive();
    return {};
  }

  Result<void> read_body() {
    std::array<char, kPiece> buffer{};
    const auto got = read(request_.body.descriptor, buffer.data(), buffer.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return {};
    if (got < 0) return Error{ErrorCode::usage, "the body cannot be read", "name a readable file"};
    const std::string_view piece(buffer.data(), static_cast<std::size_t>(got));
    body_is_over_ = piece.empty();
    if (request_.body.length) {
      read_ += piece.size();
      if (read_ > *request_.body.length || (body_is_over_ && read_ < *request_.body.length))
        return Error{ErrorCode::usage, "the body's length changed while it was read",
                     "send it once nobody writes it"};
      out_ = piece;
      return {};
    }
    char size[16];
    out_.assign(size, std::to_chars(size, size + sizeof size, piece.size(), 16).ptr);
    out_.append("\r\n").append(piece).append("\r\n");
    return {};
  }

  /// A server that has seen enough closes before it has read everything; its answer is worth more
  /// than the failed write.
  void send_some() {
    const auto sent = write(to_, out_.data(), out_.size());
    if (sent < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (sent < 0) {
      body_is_over_ = true;
      out_.clear();
      return;
    }
    out_.erase(0, static_cast<std::size_t>(sent));
  }

  Result<void> receive() {
    std::array<char, kPiece> buffer{};
    const auto got = read(from_, buffer.data(), buffer.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return {};
    if (got <= 0) return ended();
    in_.append(buffer.data(), static_cast<std::size_t>(got));
    while (!decoder_) {
      const auto end = in_.find("\r\n\r\n");
      if (end == std::string::npos && in_.size() < kMostHead) return {};
      if (end == std::string::npos || !read_head(std::string_view(in_).substr(0, end + 2)))
        return Error{ErrorCode::failure, "what answers is not nexusd", "see: nexus daemon status"};
      in_.erase(0, end + 4);
      if (head_.status == 100) continue;
      NEXUS_CHECK(begin_body());
    }
    return take_body();
  }

  bool read_head(std::string_view text) {
    head_ = {};
    head_.line = text.substr(0, text.find("\r\n"));
    if (!head_.line.starts_with("HTTP/1.1 ")) return false;
    head_.status = static_cast<int>(parse_number(head_.line.substr(9, 3)).value_or(0));
    for (text.remove_prefix(head_.line.size() + 2); !text.empty();) {
      const auto line = text.substr(0, text.find("\r\n"));
      const auto colon = line.find(':');
      if (colon == std::string_view::npos) return false;
      head_.headers.emplace_back(line.substr(0, colon), trim(line.substr(colon + 1)));
      text.remove_prefix(line.size() + 2);
    }
    return head_.status >= 100;
  }

  Result<void> begin_body() {
    const bool has_none = request_.method == "HEAD" || head_.status == 204 || head_.status == 304;
    const auto length = parse_number(head_.header("content-length"));
    if (has_none)
      decoder_.emplace(0);
    else if (length)
      decoder_.emplace(static_cast<std::uint64_t>(*length));
    else
      decoder_.emplace(std::nullopt);
    return receiver_.head(head_);
  }

  Result<void> take_body() {
    std::size_t used = 0;
    while (!decoder_->is_over()) {
      const auto step = decoder_->step(std::string_view(in_).substr(used));
      if (!step.content.empty()) NEXUS_CHECK(receiver_.piece(step.content));
      used += step.used;
      if (decoder_->is_malformed()) return broke_off();
      if (step.used == 0 && !decoder_->is_over()) break;
    }
    in_.erase(0, used);
    is_over_ = decoder_->is_over();
    return {};
  }

  Result<void> ended() const {
    if (decoder_) return broke_off();
    return Error{ErrorCode::daemon_unreachable, "the daemon closed the connection", "try again"};
  }

  static Error broke_off() {
    return {ErrorCode::upstream_error, "the answer broke off before its end",
            "what was printed is not all of it: try again"};
  }

  const int to_;
  const int from_;
  const StreamRequest& request_;
  const StreamReceiver& receiver_;
  std::string out_;
  std::string in_;
  std::uint64_t read_ = 0;  ///< of the body
  bool body_is_over_ = false;
  StreamHead head_;
  std::optional<BodyDecoder> decoder_;
  bool is_over_ = false;
};

std::string head_of(const StreamRequest& request, const std::string& base, std::string_view host,
                    std::string_view key) {
  std::string head = request.method + " " + base + request.target + " HTTP/1.1\r\nHost: ";
  head.append(host).append("\r\nConnection: close\r\n");
  if (!key.empty()) head.append("X-API-Key: ").append(key).append("\r\n");
  for (const auto& [name, value] : request.headers)
    head.append(name).append(": ").append(value).append("\r\n");
  const auto& body = request.body;
  if (body.descriptor >= 0 && !body.length)
    head.append("Transfer-Encoding: chunked\r\n");
  else if (body.is_there() || request.method == "POST" || request.method == "PUT" ||
           request.method == "PATCH")
    head.append("Content-Length: ")
        .append(std::to_string(body.length.value_or(body.text.size())))
        .append("\r\n");
  return head + "\r\n";
}

}  // namespace

std::string StreamHead::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (lower(key) == name) return value;
  return {};
}

Result<void> stream_request(const Config& config, const StreamRequest& request,
                            const StreamReceiver& receiver) {
  if (!config.url.empty()) {
    NEXUS_TRY(const auto remote, open_remote_stream(config));
    auto head = head_of(request, remote.base, remote.host, remote.key.expose());
    return Exchange(remote.to.get(), remote.from.get(), request, receiver).run(std::move(head));
  }
  NEXUS_TRY(const auto daemon,
            at_daemon(config, [](const LocalSocket& socket) { return connect_local(socket); }));
  return Exchange(daemon.get(), daemon.get(), request, receiver)
      .run(head_of(request, "", "localhost", ""));
}

}  // namespace nexus::cli
