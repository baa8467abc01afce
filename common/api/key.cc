#include "common/api/key.h"

namespace nexus::api {

Result<void> read(const Reader& from, Key& into) {
  into.id = from.text("id");
  into.name = from.text("name");
  into.admin = from.flag("admin");
  into.use = from.texts("use");
  into.forward = from.texts("forward");
  into.read = from.texts("read");
  into.rules = from.texts("rules");
  into.variable = from.text("variable");
  into.damaged = from.flag("damaged");
  into.created_at = from.number("created_at");
  into.expires_at = from.number("expires_at");
  into.last_used_at = from.number("last_used_at");
  into.key = from.text("key");
  return {};
}

void write(JsonWriter& to, const Key& key) {
  to.member("id", key.id)
      .member("name", key.name)
      .flag("admin", key.admin)
      .member("use", key.use)
      .member("forward", key.forward)
      .member("read", key.read)
      .member("rules", key.rules)
      .member_or_null("variable", key.variable)
      .flag("damaged", key.damaged)
      .member_or_null("created_at", key.created_at)
      .member_or_null("expires_at", key.expires_at)
      .member_or_null("last_used_at", key.last_used_at);
  if (!key.key.empty()) to.member("key", key.key);
}

void write(JsonWriter& to, const NewKey& key) {
  to.member("name", key.name)
      .flag("admin", key.admin)
      .member("use", key.use)
      .member("forward", key.forward)
      .member("read", key.read)
      .member("rules", key.rules);
  if (key.expires_at) to.member("expires_at", *key.expires_at);
}

}  // namespace nexus::api
