#pragma once

#include <optional>
#include <string>

#include "common/descriptor.h"
#include "common/error.h"
#include "daemon/store/audit_chain.h"

namespace nexus {

/// How far the audit log has come, in a file of its own beside it (audit.head): a log whose end was
/// cut off, or that was put back to what it was yesterday, is told by it.
///
/// Two slots are written in turn, so that one which is cut short leaves the other. It is not
/// synced: it outlives nexusd, and not always the machine, as the newest records.
class AuditHead {
 public:
  /// What a file says. One that nobody with the key has written says nothing.
  static std::optional<AuditPlace> read(const std::string& path, const AuditChain& chain);

  /// What such a file has that says this.
  static std::string text(const AuditPlace& place, const AuditChain& chain);

  /// Writes the file anew where it is none, or not one of this chain's. Error: vault_unusable.
  static Result<AuditHead> open(const std::string& path);

  /// False, with errno, where it could not be written.
  bool write(const AuditPlace& place, const AuditChain& chain);

 private:
  explicit AuditHead(Descriptor file) : file_(std::move(file)) {}
  Descriptor file_;
  int slot_ = 0;
};

}  // namespace nexus
