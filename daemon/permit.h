#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/error.h"

namespace nexus {

class Permit;

/// "; 2 requests that were sent on ended", for the record of what withdrew a permit; "" for none.
std::string forwards_ended(std::size_t count);

/// Something that goes on for as long as all its permits stand: it learns of the first that does
/// not. Thread-safe.
class Lease {
 public:
  using Told = std::function<void(const Error& why)>;

  /// Over already where one of them has been withdrawn.
  static std::shared_ptr<Lease> under(std::vector<std::shared_ptr<Permit>> permits);
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  /// `told` is called once: on the thread that withdraws, which it must not hold up, or at once
  /// where it is over. In place of what was to be, which may be under way still.
  void on_end(Told told);
  /// Why it is over, nothing while it is not.
  std::optional<Error> why() const;

 private:
  friend class Permit;
  explicit Lease(std::vector<std::shared_ptr<Permit>> permits) : permits_(std::move(permits)) {}
  /// Whether it was not over before.
  bool end(const Error& why);

  const std::vector<std::shared_ptr<Permit>> permits_;
  mutable std::mutex mutex_;
  std::optional<Error> why_;
  Told told_;
};

/// Leave for what goes on longer than a look at whether it may: an API key's, a program's, a
/// connection's. Once withdrawn it stays so. Thread-safe.
class Permit {
 public:
  /// Ends all that goes on under it, and all that was to begin. How many went on.
  std::size_t withdraw(const Error& why);

 private:
  friend class Lease;
  void add(const std::shared_ptr<Lease>& lease);
  void remove(const Lease* lease);

  std::mutex mutex_;
  std::optional<Error> withdrawn_;
  std::map<const Lease*, std::weak_ptr<Lease>> leases_;
};

}  // namespace nexus
