#include "daemon/http/request_ids.h"

#include <array>
#include <cstdio>

#include "common/id.h"

namespace nexus::http {

RequestIds::RequestIds() {
  random_bytes(&run_, sizeof run_);
}

std::string RequestIds::next() {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%08x-%llx", run_,
                static_cast<unsigned long long>(++last_));
  return text.data();
}

}  // namespace nexus::http
