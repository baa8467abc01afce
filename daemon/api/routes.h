#pragma once

#include <string>

#include "common/clock.h"
#include "daemon/http/message.h"
#include "daemon/service/audit.h"
#include "daemon/service/connections.h"
#include "daemon/service/providers.h"
#include "daemon/service/tokens.h"
#include "daemon/service/worker_pool.h"

namespace nexus::api {

/// What `nexus daemon status` tells beside the counts.
struct DaemonFacts {
  std::string socket;
  std::string data_dir;
  std::string key_source;
  UnixTime started_at = 0;
};

/// Everything the routes serve from.
struct Services {
  Store& store;
  Providers& providers;
  Connections& connections;
  Tokens& tokens;
  Audit& audit;
  WorkerPool& workers;
  Clock clock;
  DaemonFacts facts;
};

/// The routes of /v1, one table for every listener that serves the API.
http::Handler api_handler(Services& services);

}  // namespace nexus::api
