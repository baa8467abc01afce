#include "daemon/connect/visible_providers.h"

#include "common/text.h"
#include "daemon/access/access.h"

namespace nexus {

Result<Provider> visible_provider(Providers& providers, const Caller& caller,
                                  const std::string& id) {
  NEXUS_TRY(auto known, providers.whatever_by_id(id));
  if (!may_see_provider(caller, known.name)) return no_such_provider(id);
  if (!known.damage.empty()) return providers.by_id(id);  // for the error
  return known;
}

Result<Provider> visible_provider_named(Providers& providers, const Caller& caller,
                                        const std::string& name) {
  if (!may_see_provider(caller, lower(name))) return no_such_provider(name);
  return providers.by_name(name);
}

}  // namespace nexus
