#include "daemon/net/request_head.h"

#include "common/text.h"

namespace nexus {

void RequestHead::remove_header(std::string_view name) {
  const auto unwanted = lower(name);
  std::erase_if(headers, [&](const auto& header) { return lower(header.first) == unwanted; });
}

void RequestHead::set_header(const std::string& name, Secret value) {
  remove_header(name);
  headers.emplace_back(name, std::move(value));
}

bool RequestHead::is_idempotent() const {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "PUT" ||
         method == "DELETE";
}

}  // namespace nexus
