#pragma once

#include <string>

#include "common/error.h"
#include "common/secret.h"

namespace nexus::cli {

/// Whether a person can be asked: stdin and stderr are a terminal.
bool is_interactive();

/// A line that a prompt says beside its question.
void say_on_terminal(const std::string& text);

/// Asks on the terminal and reads a line, blanks around it cut off; an empty answer is `fallback`.
/// Error: interrupted, when the person ends the input or presses Ctrl-C. It says that nothing was
/// changed: who asks after a change says what became of that.
Result<std::string> ask_line(const std::string& question, const std::string& fallback);

/// The same without echo. An empty answer is an empty Secret.
Result<Secret> ask_secret(const std::string& question);

/// Asks a question whose answer is yes or no; an empty answer is no. Errors: failure for a no,
/// interrupted.
Result<void> confirm(const std::string& question);

/// Reads a secret from a file, or from stdin for "-": from a terminal without echo, after a prompt.
/// Line breaks and blanks around it are dropped. Error: usage.
Result<Secret> read_secret(const std::string& file, const std::string& prompt);

}  // namespace nexus::cli
