#pragma once

#include "common/error.h"

namespace nexus::cli {

/// Asks on this process's terminal what a confirmation_required of nexusd asks, whatever stdin and
/// stderr are: a script's person is asked too. Errors: the given one where there is no terminal;
/// confirmation_refused for any answer but yes.
Result<void> confirm_on_terminal(const Error& required);

}  // namespace nexus::cli
