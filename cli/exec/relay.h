#pragma once

#include <poll.h>

#include "cli/exec/mask.h"
#include "common/descriptor.h"

namespace nexus::cli {

/// One of a program's output streams on its way into one of ours, masked. It never waits: a reader
/// who is slow with one stream must not keep the other one.
class Relay {
 public:
  Relay(Descriptor from, int to, const MaskedTexts& texts)
      : from_(std::move(from)), to_(to), stream_(texts) {}

  /// Whether there may be more: not once the program's end is closed and all is passed on, nor when
  /// nobody reads ours, of which the program then learns as it would without us.
  bool is_open() const { return is_open_; }
  /// What to wait for, before `step`.
  pollfd next() const;
  void step();
  /// What has come already and is taken at once, and no more.
  void finish();
  /// Why ours could not be written, as errno; 0 for no reason, or a reader that has left.
  int write_error() const { return write_error_; }

 private:
  void read_some();
  void write_some();
  void end();
  void set_ready(SecretText text);
  void close();
  Descriptor from_;
  int to_;
  MaskedStream stream_;
  SecretText ready_;  ///< to be written, from `written_` on
  std::size_t written_ = 0;
  bool is_open_ = true;
  bool has_ended_ = false;  ///< nothing more comes
  int write_error_ = 0;
};

}  // namespace nexus::cli
