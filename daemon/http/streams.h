#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/body_decoder.h"
#include "daemon/loop/pipe.h"

namespace nexus::http {

/// A request's body on its way from its socket into a pipe. Whoever reads there learns of a body
/// that is dropped before its end.
class IncomingBody {
 public:
  IncomingBody(BodyDecoder decoder, std::shared_ptr<Pipe> pipe)
      : decoder_(decoder), pipe_(std::move(pipe)) {}
  ~IncomingBody();
  IncomingBody(IncomingBody&&) = default;
  IncomingBody& operator=(IncomingBody&&) = default;

  /// How much may be read from the socket now.
  std::size_t room() { return pipe_->room(); }
  /// Takes all of it; what came behind the body's end, which is the next request's, is returned.
  std::string feed(std::string_view data);
  bool is_over() const { return decoder_.is_over(); }
  bool is_malformed() const { return decoder_.is_malformed(); }

 private:
  BodyDecoder decoder_;
  std::shared_ptr<Pipe> pipe_;
  std::string line_;  ///< of chunks' framing, as far as it has come
};

/// An answer's body on its way from a pipe to its socket. Whoever writes there learns when it is
/// not wanted to its end.
class OutgoingBody {
 public:
  enum class Framing { length, chunks, until_close };
  OutgoingBody(std::shared_ptr<Pipe> pipe, Framing framing, std::uint64_t length)
      : pipe_(std::move(pipe)), framing_(framing), left_(length) {}
  ~OutgoingBody();
  OutgoingBody(OutgoingBody&&) = default;
  OutgoingBody& operator=(OutgoingBody&&) = default;

  enum class Next {
    piece,   ///< was written to `to`
    wait,    ///< until the pipe calls
    over,    ///< all of it, as it was announced
    broken,  ///< it cannot become what was announced any more
  };
  Next next(std::string& to);
  /// What has been taken of it is not to arrive, either.
  bool is_cut() const { return pipe_->is_cut(); }

 private:
  std::shared_ptr<Pipe> pipe_;
  Framing framing_;
  std::uint64_t left_;  ///< of a told length
  bool over_ = false;
};

}  // namespace nexus::http
