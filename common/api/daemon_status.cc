#include "common/api/daemon_status.h"

namespace nexus::api {

Result<void> read(const Reader& from, DaemonStatus& into) {
  into.pid = from.number("pid").value_or(0);
  into.version = from.text("version");
  into.socket = from.text("socket");
  into.gateway = from.text("gateway");
  into.callback = from.text("callback");
  into.callback_on_gateway = from.flag("callback_on_gateway");
  into.data_dir = from.text("data_dir");
  into.uptime_s = from.number("uptime_s").value_or(0);
  into.damage = from.texts("damage");
  from.object("vault", [&into](const Reader& vault) {
    into.key_source = vault.text("key_source");
    into.locked = vault.flag("locked");
  });
  from.object("sandbox", [&into](const Reader& sandbox) {
    into.landlock = sandbox.number("landlock").value_or(0);
    into.seccomp = sandbox.flag("seccomp");
  });
  from.object("connections", [&into](const Reader& counts) {
    for (std::size_t i = 0; i < into.connections.size(); ++i)
      into.connections[i] = counts.number(word(DaemonStatus::kCounted[i])).value_or(0);
  });
  return {};
}

void write(JsonWriter& to, const DaemonStatus& status) {
  to.member("pid", status.pid)
      .member("version", status.version)
      .member("socket", status.socket)
      .member_or_null("gateway", status.gateway)
      .member("callback", status.callback)
      .flag("callback_on_gateway", status.callback_on_gateway)
      .member("data_dir", status.data_dir)
      .member("uptime_s", status.uptime_s)
      .member("damage", status.damage);
  to.begin("vault").member("key_source", status.key_source).flag("locked", status.locked).end();
  to.begin("sandbox").member("landlock", status.landlock).flag("seccomp", status.seccomp).end();
  to.begin("connections");
  for (std::size_t i = 0; i < status.connections.size(); ++i)
    to.member(word(DaemonStatus::kCounted[i]), status.connections[i]);
  to.end();
}

}  // namespace nexus::api
