#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/error.h"
#include "daemon/access/access.h"
#include "daemon/access/confirmations.h"
#include "daemon/access/file_hashes.h"
#include "daemon/caller.h"
#include "daemon/sleep_check.h"
#include "daemon/store/store.h"
#include "daemon/worker_pool.h"

namespace nexus {

struct CallingProgram;

/// That a use was refused, or is to be confirmed first.
inline bool is_about_use(const Error& error) {
  return error.code == ErrorCode::use_refused || error.code == ErrorCode::confirmation_required ||
         error.code == ErrorCode::confirmation_refused;
}

/// That rules can be kept to on this machine: their programs are there and are no scripts, which
/// the kernel gives to another program, and their groups exist. May ask the network. Error:
/// invalid_field.
Result<void> check_use_rules(const api::UseRules& rules);

/// Keeps to a connection's use rules whoever uses it, with whatever right. They bind who comes by
/// the control socket. An application uses a connection with rules only by a key that is for this
/// very connection: who made that key has decided. Once the machine has slept, and the vault is to
/// be locked for that, it keeps everybody out. Thread-safe.
class UseGate {
 public:
  using Done = std::function<void(Result<void>)>;

  /// `workers` look at processes and files, `askers` wait for people; `prompt`: see Confirmations.
  UseGate(WorkerPool& workers, WorkerPool& askers, std::vector<std::string> prompt,
          SleepCheck& sleep, Clock clock)
      : workers_(workers),
        sleep_(sleep),
        confirmations_(askers, std::move(prompt), std::move(clock)) {}

  /// Most connections have no rules, and their use costs nothing here.
  bool is_open(const ConnectionRow& row, const Caller& caller) {
    return (!row.use_rules || caller.via == Caller::Via::daemon) && !sleep_.has_slept();
  }
  /// Before it returns where the gate is open or shut for all, else on a worker. Errors:
  /// vault_locked, use_refused, and those of Confirmations::ask.
  void pass(const ConnectionRow& row, const Caller& caller, Right right, Done done);
  /// The rules of a connection are others now.
  void forget(const std::string& connection_id) { confirmations_.forget(connection_id); }

 private:
  struct Use {
    std::string connection_id;
    std::string provider;
    std::string called;  ///< the connection, in messages
    std::shared_ptr<const api::UseRules> rules;
    Caller caller;
  };
  void check(const Use& use, const Done& done);
  Result<void> check_program(const Use& use, const CallingProgram& program);
  void confirm(const Use& use, const Result<CallingProgram>& program, const Done& done);

  WorkerPool& workers_;
  SleepCheck& sleep_;
  FileHashes hashes_;
  Confirmations confirmations_;
};

}  // namespace nexus
