#pragma once

#include <string_view>

namespace nexus {

/// What a request carries, as far as a signature over it has to know.
struct Payload {
  std::string_view body;
  /// The body is a stream that nobody has read to its end: S3 can take it unsigned, over https.
  bool is_unsigned = false;
};

}  // namespace nexus
