#pragma once

#include <string>

#include "common/error.h"

namespace nexus {

/// The socket that providers' redirects arrive on. It exists only while somebody is expected.
class CallbackListener {
 public:
  virtual ~CallbackListener() = default;
  /// Listens on the host and port of a redirect URI; does nothing when it does so already.
  /// Error: callback_unavailable when the port is taken. Any thread.
  virtual Result<void> open(const std::string& redirect_uri) = 0;
  /// The same URI on a loopback port that nobody listens on. Error: callback_unavailable.
  virtual Result<std::string> with_free_port(const std::string& redirect_uri) = 0;
  /// Nobody is expected any more. Any thread.
  virtual void close() = 0;
};

}  // namespace nexus
