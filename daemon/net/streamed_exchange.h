#pragma once

#include <curl/curl.h>

#include <chrono>
#include <functional>
#include <memory>

#include "common/error.h"
#include "daemon/loop/pipe.h"
#include "daemon/net/answer_head.h"
#include "daemon/net/curl_multi.h"
#include "daemon/net/curl_options.h"
#include "daemon/net/streaming_client.h"

namespace nexus {

/// One request of a StreamingClient and its answer, on a handle of libcurl: what is set there, and
/// what libcurl calls. For the client's loop.
class StreamedExchange {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// `moved` is called on the loop when a stream that it waits for has moved, or nobody wants the
  /// answer any more.
  StreamedExchange(StreamedRequest request, StreamingClient::Answered answered, CurlHandle handle,
                   Reactor& loop, std::function<void()> moved);
  /// What it has of streams is broken off; the other ends learn of it.
  ~StreamedExchange();
  StreamedExchange(const StreamedExchange&) = delete;
  StreamedExchange& operator=(const StreamedExchange&) = delete;

  /// Once, before it begins. Errors: those of set_proxy, internal_error.
  Result<void> prepare(const NetworkSettings& settings);
  CURL* handle() const { return curl_.get(); }
  /// For the next one, once libcurl is done with it.
  CurlHandle give_handle_back();

  bool is_abandoned() const {
    return (body_ && body_->is_abandoned()) || (request_.wanted && request_.wanted->is_over());
  }
  /// Whether the server has had its turn for so long.
  bool is_silent_since(Time then) const {
    return !receive_paused_ && !send_paused_ && moved_at_ < then;
  }
  /// Goes on with the streams.
  void resume();
  /// libcurl is done with it.
  void finish(CURLcode code);
  void fail(Error error);

 private:
  void set_body();
  void set_headers();
  void add_line(const std::string& line);
  bool on_head();
  void note_move() { moved_at_ = Time::clock::now(); }

  static int before_request(void* data, char* address, char*, int, int);
  static std::size_t on_wanted(char* to, std::size_t, std::size_t size, void* data);
  static int on_rewind(void* data, curl_off_t offset, int);
  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* context);
  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* context);

  StreamedRequest request_;
  StreamingClient::Answered answered_;  ///< empty once the head, or why there is none, was told
  CurlHandle curl_;
  Reactor& loop_;
  std::function<void()> moved_;
  AddressCheck check_;
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> lines_{nullptr, curl_slist_free_all};
  char detail_[CURL_ERROR_SIZE] = "";
  AnswerHead head_;
  std::size_t header_bytes_ = 0;
  std::size_t sent_ = 0;    ///< of a kept body
  const char* fault_ = "";  ///< of the head
  std::shared_ptr<Pipe> body_;
  bool send_paused_ = false;
  bool request_broke_off_ = false;
  bool receive_paused_ = false;
  Time moved_at_ = Time::clock::now();  ///< when the server last took or gave something
};

}  // namespace nexus
