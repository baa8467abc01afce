#pragma once

#include <string>
#include <vector>

#include "cli/session.h"
#include "common/arguments.h"

namespace nexus::cli {

/// What the scripts of share/completions ask for with each key that completes:
///   nexus __complete bash LINE BREAKS      the line as far as the cursor, and COMP_WORDBREAKS
///   nexus __complete zsh|fish WORD...      the words behind nexus; the last is being written
/// It prints what is to be completed (words, file or program) on a line, what that is for people on
/// the next, then a line for each word: for bash as bash has to put it, `WORD:DESCRIPTION` for
/// zsh's _describe, WORD, tab and DESCRIPTION for fish. A word in the way of that, with a line end
/// or another control character, is left out.
///
/// Nobody wants to read an error while writing a command: there are none, and nothing on stderr.
/// Exit codes: 0; 2 where the words are not of these forms.
int complete(const CommandLine& program, const GlobalOptions& options,
             const std::vector<std::string>& words);

}  // namespace nexus::cli
