#pragma once

#include "cli/context.h"
#include "common/api/connection.h"
#include "common/api/provider.h"
#include "common/error.h"

namespace nexus::cli {

/// How a person finds to the page where they consent: their browser is opened there (unless `open`
/// says not to), or they are told what to open on another device, with its code. `provider` and
/// `started` are what the daemon answered; `pasted`: the browser's answer is not listened for.
void show_where_to_consent(Context& context, const api::Provider& provider,
                           const api::StartedConnection& started, bool open, bool pasted);

/// The person brings the address at which the browser ended; the daemon reads the answer from it.
Result<void> take_pasted_answer(Context& context);

/// The line of JSON that says what was started.
void print_started(const Output& output, const api::StartedConnection& started);

}  // namespace nexus::cli
