#pragma once

#include <exception>
#include <utility>

#include "daemon/log.h"

namespace nexus {

/// Runs what nobody above can answer for: what it throws is logged, and everything else goes on.
/// Not a way to tell of errors (those are Results): it is for mistakes of ours and for memory that
/// there is none of.
template <class Work, class... Arguments>
void with_last_catch(const Work& work, Arguments&&... arguments) {
  try {
    work(std::forward<Arguments>(arguments)...);
  } catch (const std::exception& thrown) {
    log(LogLevel::error, "task_failed", {{"error", thrown.what()}});
  }
}

}  // namespace nexus
