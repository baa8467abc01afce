#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/secret.h"
#include "daemon/caller.h"

namespace nexus {
class Pipe;
class Wanted;
}  // namespace nexus

namespace nexus::http {

/// A request that has passed the strict parser, and been read in full unless its body is a stream.
struct Request {
  std::string method;
  std::string path;  ///< as sent, without query
  /// The path's parts, each decoded on its own; the last one is "" where it ends with a slash.
  std::vector<std::string> segments;
  std::vector<std::pair<std::string, std::string>> query;  ///< decoded, in order
  bool query_is_malformed = false;  ///< U+FFFD stands for what could not be decoded
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
  SecretText body;
  /// It is passed on (ListenerOptions::passes_on): target and query are somebody else's to judge,
  /// and the body comes as it arrives, or is not there. Its length, where that is told.
  bool is_passed_on = false;
  std::string target;              ///< as sent: path and query
  std::shared_ptr<Wanted> wanted;  ///< the answer to it
  std::shared_ptr<Pipe> stream;
  std::optional<std::uint64_t> length;
  bool is_http_1_0 = false;
  bool keep_alive = true;
  Caller caller;

  /// The first of that name; "" when there is none.
  std::string query_value(const std::string& name) const {
    for (const auto& [key, value] : query)
      if (key == name) return value;
    return {};
  }
  std::string header(const std::string& name) const {
    for (const auto& [key, value] : headers)
      if (key == name) return value;
    return {};
  }
  std::size_t count_headers(const std::string& name) const {
    std::size_t count = 0;
    for (const auto& header : headers) count += header.first == name;
    return count;
  }
  /// Takes a header's value out of the request, for those that carry a secret.
  Secret take_header(const std::string& name) {
    Secret taken;
    for (auto& [key, value] : headers) {
      if (key != name) continue;
      if (taken.empty()) taken = Secret(value);
      wipe(value);
    }
    return taken;
  }
};

struct Response {
  int status = 200;
  std::string content_type = "application/json; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> headers;
  SecretText body;
  /// Somebody else's answer: `headers` are all that it has, but for those of the framing, and its
  /// body comes as it arrives, or is not there. Its length, where that is told.
  bool is_passed_on = false;
  std::shared_ptr<Pipe> stream;
  std::optional<std::uint64_t> length;
  /// Of status 101: the connection leaves HTTP for WebSocket, and what its client sends goes here,
  /// as what comes out of `stream` goes to it.
  std::shared_ptr<Pipe> to_server;
  /// Records that have to be committed before this answer leaves; without them it does not.
  std::vector<std::string> audit;
};

/// Sends the answer to one request; may be called once, from any thread.
using Respond = std::function<void(Response)>;
/// Called on the loop's thread: it must not wait for anything.
using Handler = std::function<void(Request, Respond)>;

}  // namespace nexus::http
