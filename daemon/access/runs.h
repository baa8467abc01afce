#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/descriptor.h"
#include "common/error.h"
#include "common/secret.h"
#include "daemon/access/api_keys.h"
#include "daemon/loop/reactor.h"
#include "daemon/permit.h"

namespace nexus {

/// Keys of programs that run: each is good for as long as the process that it was made for, and
/// ends with it however that ends, and so does what was begun with it. They are in no file.
/// Thread-safe.
class Runs {
 public:
  static constexpr std::string_view kPrefix = kProgramKeyPrefix;

  /// `ended` is called on the loop each time that one is over.
  Runs(Reactor& loop, std::function<void()> ended) : loop_(loop), ended_(std::move(ended)) {}
  ~Runs();
  Runs(const Runs&) = delete;
  Runs& operator=(const Runs&) = delete;

  /// For the process that asks and waits for the answer. Errors: failure, where the process cannot
  /// be watched; overloaded beyond a thousand.
  Result<Secret> begin(pid_t process, Access access);
  /// Errors: invalid_api_key.
  Result<ApiKeys::Identity> verify(std::string_view key);
  std::size_t count();

  /// One as the next nexusd in this process takes it over (handover.h).
  struct Left {
    std::string id;
    std::string hash;    ///< of the key, SHA-256
    std::string access;  ///< to_text(Access)
    Descriptor process;  ///< a pidfd
  };
  std::vector<Left> leave();
  /// Before the first begin. What it allows is read again: nothing where that cannot be.
  void take_over(std::vector<Left> left);

 private:
  struct Run {
    std::string hash;
    std::shared_ptr<const Access> access;
    int process = -1;  ///< a pidfd
    WatchId watch = 0;
    std::shared_ptr<Permit> permit = std::make_shared<Permit>();
  };
  void watch(const std::string& id);
  void end(const std::string& id);

  Reactor& loop_;
  std::function<void()> ended_;
  std::mutex mutex_;
  std::unordered_map<std::string, Run> runs_;
};

}  // namespace nexus
