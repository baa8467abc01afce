#pragma once

#include <string>
#include <string_view>

#include "common/error.h"
#include "common/secret.h"

namespace nexus::cli {

/// The one way by which a secret comes in, be it typed, piped or in a file: what was around it is
/// cut off (blanks, line breaks, the byte order mark of a file), and what cannot be seen in it is
/// refused. A PEM key or a JSON document may have lines. "" is an empty Secret.
/// `source` begins the message. Error: usage, telling what was seen and where.
Result<Secret> take_secret(std::string_view raw, const std::string& source);

}  // namespace nexus::cli
