#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace nexus {

/// Finds the content in a body of HTTP/1.1 as it arrives (RFC 9112 6): so many bytes, or chunks. As
/// strict as the parser of heads: chunk sizes of up to 15 hexadecimal digits, no extensions, every
/// line with CR LF; trailers of up to 8 KiB are read and dropped.
class BodyDecoder {
 public:
  /// Nothing for chunks.
  explicit BodyDecoder(std::optional<std::uint64_t> length);

  struct Step {
    std::string_view content;  ///< the next piece of it, a part of what was given
    std::size_t used = 0;      ///< so much of what was given is done with
  };
  /// Without content and with nothing used there has to be
  /// more data first, unless it is over or malformed.
  Step step(std::string_view data);

  bool is_over() const { return state_ == State::over; }
  bool is_malformed() const { return state_ == State::malformed; }

 private:
  enum class State { content, size, chunk, chunk_end, trailers, over, malformed };
  Step line(std::string_view data);

  State state_;
  std::uint64_t left_ = 0;  ///< of the content, or of the present chunk
  std::size_t trailers_ = 0;
};

}  // namespace nexus
