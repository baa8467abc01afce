#pragma once

#include <utility>

#include "common/config.h"
#include "common/local_http.h"
#include "common/socket_record.h"

namespace nexus::cli {

/// Asks the daemon by its socket: where the settings say and, where they leave it open and nobody
/// listens there, where the daemon has recorded that it listens.
template <class Ask>
auto at_daemon(const Config& config, const Ask& ask) {
  auto answer = ask(LocalSocket{config.socket, config.socket_is_named});
  if (answer || !is_absent(answer.error()) || config.socket_is_named) return answer;
  const auto recorded = recorded_socket(config.data_dir);
  if (!recorded || *recorded == config.socket) return answer;
  auto there = ask(LocalSocket{*recorded});
  return there || !is_absent(there.error()) ? std::move(there) : std::move(answer);
}

}  // namespace nexus::cli
