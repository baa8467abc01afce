#pragma once

#include <string>

#include "cli/output/viewer.h"
#include "cli/signal_handler.h"

namespace nexus::cli {

/// A picture that is drawn anew in its place, on the alternate screen of standard output's
/// terminal, as top(1) does it. The terminal is as it was while this program is stopped, from
/// Ctrl-C on, and in the end, when the last picture stays on it. There is one at a time.
class LiveScreen final : public Viewer {
 public:
  LiveScreen();
  ~LiveScreen() override { end(); }

  bool show(std::string_view lines) override;  ///< as part of the next picture
  bool has_terminal() const override { return true; }
  int end() override;

  /// What was shown since the last time is the picture now, as far as the terminal is high enough.
  /// False where the terminal is gone.
  bool draw();

 private:
  std::string next_;
  std::string picture_;
  int error_ = 0;
  bool has_ended_ = false;
  SignalHandler stop_;
  SignalHandler quit_;
  SignalHandler go_on_;
  SignalHandler resize_;
};

}  // namespace nexus::cli
