#include "daemon/upstream/filled_target.h"

#include <algorithm>

#include "common/text.h"
#include "daemon/provider/static_api.h"

namespace nexus {

Result<std::string> filled_target(const std::string& target, const Credentials& credentials) {
  const auto query = std::min(target.find('?'), target.size());
  const auto scheme = target.find("://");
  const auto path = std::min(target.find('/', scheme < query ? scheme + 3 : 0), query);
  int places = 0;
  const auto filled = filled_in(target.substr(path, query - path), [&](const std::string& name) {
    const auto value = credential(credentials, name);
    const bool is_good = !value.empty() && ++places == 1;
    return is_good ? std::optional(percent_encode(value)) : std::nullopt;
  });
  if (filled) return target.substr(0, path) + *filled + target.substr(query);
  return Error{ErrorCode::invalid_field,
               "the target has a {…} that is none of the credentials, or more than one",
               "its names are those of the credentials that were asked for"};
}

}  // namespace nexus
