#include "common/api/provider_reach.h"

namespace nexus::api {

Result<void> read(const Reader& from, ProviderReach& into) {
  into = {from.text("name"),   from.text("origin"), from.flag("reached"),
          from.text("detail"), from.text("hint"),   from.number("clock_ahead_s")};
  return {};
}

void write(JsonWriter& to, const ProviderReach& reach) {
  to.member("name", reach.name)
      .member("origin", reach.origin)
      .flag("reached", reach.reached)
      .member("detail", reach.detail)
      .member("hint", reach.hint)
      .member_or_null("clock_ahead_s", reach.clock_ahead_s);
}

}  // namespace nexus::api
