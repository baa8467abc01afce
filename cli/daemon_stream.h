#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/config.h"
#include "common/error.h"

namespace nexus::cli {

/// What is sent behind a request's head: a text, or what a descriptor has, whose length is told
/// where it is known.
struct StreamBody {
  std::string text;
  int descriptor = -1;
  std::optional<std::uint64_t> length;  ///< of the descriptor

  bool is_there() const { return descriptor >= 0 || !text.empty(); }
};

struct StreamRequest {
  std::string method;
  std::string target;  ///< of nexusd
  std::vector<std::pair<std::string, std::string>> headers;
  StreamBody body;
};

struct StreamHead {
  int status = 0;
  std::string line;  ///< the status line
  std::vector<std::pair<std::string, std::string>> headers;

  /// The first of that name, given in lower case; "" where there is none.
  std::string header(std::string_view name) const;
};

/// What is told of an answer as it comes; an error ends it.
struct StreamReceiver {
  std::function<Result<void>(const StreamHead&)> head;
  std::function<Result<void>(std::string_view)> piece;
};

/// One request to nexusd, or to the one that NEXUS_URL names, whose bodies are streams of any
/// length in both directions. Errors: those of local_request and remote_request, the receiver's;
/// upstream_error for an answer that breaks off.
Result<void> stream_request(const Config& config, const StreamRequest& request,
                            const StreamReceiver& receiver);

}  // namespace nexus::cli
