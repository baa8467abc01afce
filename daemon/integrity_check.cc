#include "daemon/integrity_check.h"

#include <sys/resource.h>

#include <algorithm>
#include <system_error>

#include "daemon/last_catch.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/store/integrity.h"

namespace nexus {
namespace {

constexpr std::size_t kToldRows = 20;

}  // namespace

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
  read_files();
  if (!stopping_) read_rows();
  if (!stopping_) read_audit_log();
  if (!stopping_) log(LogLevel::debug, "databases_checked");
}

void IntegrityCheck::read_files() {
  for (const std::string file : {"nexus.db", "audit.db"}) {
    const auto found = damage_of(data_dir_ + "/" + file, stopping_);
    if (stopping_) return;
    metrics::database_checked(file, found.empty());
    for (const auto& what : found) add(file, what);
  }
}

/// What SQLite takes for sound, and is not what was written: some of it is hidden, and nobody who
/// lists it would miss it.
void IntegrityCheck::read_rows() {
  const auto altered = store_.altered_rows();
  if (!altered) return add("nexus.db", altered.error().message);
  for (std::size_t i = 0; i < std::min(altered->size(), kToldRows); ++i)
    add("nexus.db", (*altered)[i]);
  if (altered->size() > kToldRows)
    add("nexus.db", std::to_string(altered->size() - kToldRows) + " more: nexus vault verify");
}

void IntegrityCheck::read_audit_log() {
  const auto verdict = audit_log_.verify(stopping_);
  if (stopping_) return;
  if (!verdict) return add("audit.db", verdict.error().message);
  for (const auto& finding : verdict->findings) add("audit.db", api::in_words(finding));
}

void IntegrityCheck::add(const std::string& file, const std::string& found) {
  log(LogLevel::error, "database_damaged",
      {{"file", file}, {"found", found}, {"hint", "see nexusd(8), DAMAGE"}});
  const std::lock_guard lock(mutex_);
  damage_.push_back(file + ": " + found);
}

}  // namespace nexus
