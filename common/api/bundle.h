#pragma once

#include <string>
#include <vector>

#include "common/api/connection.h"
#include "common/api/reader.h"
#include "common/error.h"
#include "common/json.h"

namespace nexus::api {

/// What POST /v1/export answers.
struct ExportedBundle {
  std::string bundle;   ///< its text, sealed
  bool moving = false;  ///< the connections wait here, unused, until the bundle is safe
  std::vector<Connection> connections;
};

Result<void> read(const Reader& from, ExportedBundle& into);
void write(JsonWriter& to, const ExportedBundle& exported);

/// What POST /v1/import answers.
struct ImportedBundle {
  std::vector<std::string> providers;   ///< names of those that were registered
  std::vector<Connection> connections;  ///< all of the bundle's
  bool moved = false;                   ///< nobody else holds them
  std::vector<std::string> warnings;    ///< sentences for people
};

Result<void> read(const Reader& from, ImportedBundle& into);
void write(JsonWriter& to, const ImportedBundle& imported);

}  // namespace nexus::api
