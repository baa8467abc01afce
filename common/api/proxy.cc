#include "common/api/proxy.h"

namespace nexus::api {

Result<void> read(const Reader& from, Proxy& into) {
  into.url = from.text("url");
  into.stays = from.flag("stays");
  into.programs = from.number("programs").value_or(0);
  return {};
}

void write(JsonWriter& to, const Proxy& proxy) {
  to.member_or_null("url", proxy.url).flag("stays", proxy.stays).member("programs", proxy.programs);
}

Result<void> read(const Reader& from, ProxyRoute& into) {
  into.name = from.text("name");
  into.connection_id = from.text("connection_id");
  into.provider = from.text("provider");
  into.api = from.text("api");
  into.bound = from.flag("bound");
  into.rules = from.texts("rules");
  return {};
}

void write(JsonWriter& to, const ProxyRoute& route) {
  to.member("name", route.name)
      .member("connection_id", route.connection_id)
      .member("provider", route.provider)
      .member_or_null("api", route.api)
      .flag("bound", route.bound)
      .member("rules", route.rules);
}

void write(JsonWriter& to, const NewProgram& program) {
  to.member("connections", program.connections)
      .member("workspace_id", program.workspace)
      .member("rules", program.rules);
}

Result<void> read(const Reader& from, Program& into) {
  into.url = from.text("url");
  into.key = from.text("key");
  from.each("routes", [&into](const Reader& route) {
    into.routes.push_back({route.text("connection"), route.text("connection_id"),
                           route.text("provider"), route.text("url")});
  });
  return {};
}

void write(JsonWriter& to, const Program& program) {
  to.member("url", program.url).member("key", program.key).begin_list("routes");
  for (const auto& [connection, id, provider, url] : program.routes)
    to.begin()
        .member("connection", connection)
        .member("connection_id", id)
        .member("provider", provider)
        .member("url", url)
        .end();
  to.end_list();
}

}  // namespace nexus::api
