#pragma once

#include <string_view>

#include "common/secret.h"

namespace nexus {

/// The refresh token in an answer that is no document (a member twice, bytes that are no UTF-8, an
/// end that is missing): one that replaces another cannot be had again. Only where there is no
/// doubt about it: its name is there exactly once, at whatever depth, with a text that RFC 6749
/// allows. Empty otherwise. `form`: the answer is a form, not JSON.
Secret lone_refresh_token(std::string_view body, bool form);

}  // namespace nexus
