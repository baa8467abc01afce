#pragma once

#include <cstdint>
#include <string>

namespace nexus::http {

/// Names requests, for log, audit and answer: a random part for this run of the daemon, and a
/// number in it. For one thread.
class RequestIds {
 public:
  RequestIds();
  std::string next();

 private:
  std::uint32_t run_ = 0;
  std::uint64_t last_ = 0;
};

}  // namespace nexus::http
