#include "daemon/integrity_check.h"

#include <sys/resource.h>

#include <system_error>

#include "daemon/last_catch.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/store/integrity.h"

namespace nexus {

IntegrityCheck::~IntegrityCheck() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void IntegrityCheck::start() {
  try {
    thread_ = std::thread([this] { with_last_catch([this] { run(); }); });
  } catch (const std::system_error& none) {  // no more threads: what is asked for goes first
    log(LogLevel::warn, "databases_not_checked", {{"error", none.what()}});
  }
}

std::vector<std::string> IntegrityCheck::damage() const {
  const std::lock_guard lock(mutex_);
  return damage_;
}

void IntegrityCheck::run() {
  setpriority(PRIO_PROCESS, 0, 10);  // of this thread alone: whoever wants a token goes first
  for (const std::string file : {"nexus.db", "audit.db"}) {
    const auto found = damage_of(data_dir_ + "/" + file, stopping_);
    if (stopping_) return;
    metrics::database_checked(file, found.empty());
    for (const auto& what : found) {
      log(LogLevel::error, "database_damaged",
          {{"file", file}, {"found", what}, {"hint", "see nexusd(8), DAMAGE"}});
      const std::lock_guard lock(mutex_);
      damage_.push_back(file + ": " + what);
    }
  }
  log(LogLevel::debug, "databases_checked");
}

}  // namespace nexus
