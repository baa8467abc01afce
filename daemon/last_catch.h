#pragma once

#include <exception>
#include <type_traits>
#include <utility>

#include "common/error.h"
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

/// The same where somebody waits for what it comes to: internal_error where it throws.
template <class Work>
std::invoke_result_t<const Work&> or_internal_error(const Work& work) {
  try {
    return work();
  } catch (const std::exception& thrown) {
    log(LogLevel::error, "task_failed", {{"error", thrown.what()}});
    return Error{ErrorCode::internal_error, "nexusd could not handle this request",
                 "see nexusd's log; please report it"};
  }
}

}  // namespace nexus
