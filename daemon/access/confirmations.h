#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "daemon/worker_pool.h"

namespace nexus {

/// One use that a person has to say yes to.
struct Asked {
  std::string connection_id;
  std::string caller;        ///< who asks: user, program and session
  std::string question;      ///< "Let /usr/bin/git use github?"
  std::string nonce;         ///< that came with the request, "" for none
  std::int64_t minutes = 0;  ///< that a yes counts for with this caller; 0: for this use
};

/// Has people say yes: by a program that asks, or on the terminal of whoever calls, who brings the
/// answer's nonce back. What was said is forgotten when the daemon ends. Thread-safe.
class Confirmations {
 public:
  using Done = std::function<void(Result<void>)>;

  /// `prompt`: the program and its arguments, to which the question is added; empty: none.
  Confirmations(WorkerPool& workers, std::vector<std::string> prompt, Clock clock)
      : workers_(workers), prompt_(std::move(prompt)), clock_(std::move(clock)) {}

  /// Whoever asks for the same while a question is open waits for the same answer. Errors:
  /// confirmation_required with a nonce, where no program asks; confirmation_refused; overloaded.
  void ask(const Asked& asked, Done done);
  /// What was said about a connection counts no more.
  void forget(const std::string& connection_id);

 private:
  using Key = std::pair<std::string, std::string>;  ///< the connection, and who asks
  struct Nonce {
    Key key;
    UnixTime until = 0;
  };
  bool is_confirmed(const Asked& asked, const Key& key);
  Error ask_caller(const Asked& asked, const Key& key);
  void run_prompt(const Asked& asked, const Key& key);

  WorkerPool& workers_;
  const std::vector<std::string> prompt_;
  const Clock clock_;
  std::mutex mutex_;
  std::map<Key, UnixTime> said_yes_;  ///< until when that counts
  std::map<std::string, Nonce> nonces_;
  std::map<Key, std::vector<Done>> open_;  ///< questions, with who waits
};

}  // namespace nexus
