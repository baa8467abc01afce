#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace nexus {

struct Access;
class Permit;
class PeerProcess;

/// Who asks: as the kernel tells it (SO_PEERCRED, the peer's address) and as an API key proves it.
/// Nothing of it is the caller's own word, but for `agent`.
struct Caller {
  enum class Via { control_socket, callback, gateway, proxy, daemon };
  Via via = Via::daemon;
  std::int64_t uid = -1;  ///< -1 where the kernel does not tell
  std::int64_t pid = -1;
  std::string peer{};     ///< the address it came from, "" on Unix sockets
  std::string agent{};    ///< User-Agent, for the record only
  std::string request{};  ///< the request's id, as its answer carries it
  std::string key{};      ///< id of the API key that was shown
  /// The process itself, of a caller at the control socket (peer_process.h).
  std::shared_ptr<PeerProcess> process{};
  /// The nonce of an answer that asked for a confirmation, sent back by who has got it.
  std::string confirmation{};
  /// What that key allows; nothing where none is needed (access/access.h).
  std::shared_ptr<const Access> access{};
  /// Is withdrawn with that key; nothing where none was shown (permit.h).
  std::shared_ptr<Permit> permit{};

  /// That it is one that shows an API key.
  bool is_application() const { return via == Via::gateway || via == Via::proxy; }
};

/// The word for it in records and metrics.
constexpr const char* via_name(Caller::Via via) {
  switch (via) {
    case Caller::Via::control_socket:
      return "control_socket";
    case Caller::Via::callback:
      return "callback";
    case Caller::Via::gateway:
      return "gateway";
    case Caller::Via::proxy:
      return "proxy";
    case Caller::Via::daemon:
      break;
  }
  return "daemon";
}

}  // namespace nexus
