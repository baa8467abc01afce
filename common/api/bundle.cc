#include "common/api/bundle.h"

namespace nexus::api {
namespace {

Result<void> read_connections(const Reader& from, std::vector<Connection>& into) {
  Result<void> good;
  from.each("connections", [&](const Reader& each) {
    if (good) good = read(each, into.emplace_back());
  });
  return good;
}

}  // namespace

Result<void> read(const Reader& from, ExportedBundle& into) {
  into.bundle = from.text("bundle");
  if (into.bundle.empty()) return unknown_answer();
  into.moving = from.flag("moving");
  return read_connections(from, into.connections);
}

void write(JsonWriter& to, const ExportedBundle& exported) {
  to.member("bundle", exported.bundle)
      .flag("moving", exported.moving)
      .member_json("connections", to_json(exported.connections));
}

Result<void> read(const Reader& from, ImportedBundle& into) {
  into.providers = from.texts("providers");
  into.moved = from.flag("moved");
  into.warnings = from.texts("warnings");
  return read_connections(from, into.connections);
}

void write(JsonWriter& to, const ImportedBundle& imported) {
  to.member("providers", imported.providers)
      .flag("moved", imported.moved)
      .member("warnings", imported.warnings)
      .member_json("connections", to_json(imported.connections));
}

}  // namespace nexus::api
