#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/api/reader.h"
#include "common/error.h"
#include "common/json.h"

namespace nexus::api {

/// The port on which programs of this machine reach the APIs of connections (/v1/daemon/proxy).
struct Proxy {
  std::string url;            ///< "" while it is closed
  bool stays = false;         ///< it was asked for, not only by programs that run
  std::int64_t programs = 0;  ///< that were started with a key for it, and still run
};

Result<void> read(const Reader& from, Proxy& into);
void write(JsonWriter& to, const Proxy& proxy);

/// Where the requests for one connection go.
struct ProxyRoute {
  std::string name;  ///< alias, or the provider's where that is enough, or the id
  std::string connection_id;
  std::string provider;
  std::string api;                 ///< its base URL, "" where nothing says it
  bool bound = false;              ///< nexus.toml has rules: what none of these allows is denied
  std::vector<std::string> rules;  ///< of nexus.toml, about this one
};

Result<void> read(const Reader& from, ProxyRoute& into);
void write(JsonWriter& to, const ProxyRoute& route);

/// What POST /v1/daemon/proxy/programs takes: for the process that asks.
struct NewProgram {
  std::vector<std::string> connections;  ///< as a command takes them
  std::string workspace;
  std::vector<std::string> rules;
};

void write(JsonWriter& to, const NewProgram& program);

/// What it answers. The key is good for as long as that process runs.
struct Program {
  std::string url;
  std::string key;
  struct Route {
    std::string connection;  ///< as it was asked for
    std::string connection_id;
    std::string provider;
    std::string url;
  };
  std::vector<Route> routes;
};

Result<void> read(const Reader& from, Program& into);
void write(JsonWriter& to, const Program& program);

}  // namespace nexus::api
