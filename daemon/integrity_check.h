#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "daemon/store/audit_log.h"
#include "daemon/store/store.h"

namespace nexus {

/// Reads vault and audit log to their end once, after the start and beside everything else: what a
/// disk has damaged, or somebody has altered, is told before anybody misses it.
class IntegrityCheck {
 public:
  IntegrityCheck(std::string data_dir, Store& store, AuditLog& audit_log)
      : data_dir_(std::move(data_dir)), store_(store), audit_log_(audit_log) {}
  ~IntegrityCheck();
  IntegrityCheck(const IntegrityCheck&) = delete;
  IntegrityCheck& operator=(const IntegrityCheck&) = delete;

  void start();
  /// What was found until now, each with its file.
  std::vector<std::string> damage() const;

 private:
  void run();
  void read_files();
  void read_rows();
  void read_audit_log();
  void add(const std::string& file, const std::string& found);

  const std::string data_dir_;
  Store& store_;
  AuditLog& audit_log_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::vector<std::string> damage_;
  std::thread thread_;
};

}  // namespace nexus
