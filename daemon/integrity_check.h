#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace nexus {

/// Reads vault and audit log to their end once, after the start and beside everything else: what a
/// disk has damaged is told before somebody misses it.
class IntegrityCheck {
 public:
  explicit IntegrityCheck(std::string data_dir) : data_dir_(std::move(data_dir)) {}
  ~IntegrityCheck();
  IntegrityCheck(const IntegrityCheck&) = delete;
  IntegrityCheck& operator=(const IntegrityCheck&) = delete;

  void start();
  /// What was found until now, each with its file.
  std::vector<std::string> damage() const;

 private:
  void run();

  const std::string data_dir_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::vector<std::string> damage_;
  std::thread thread_;
};

}  // namespace nexus
