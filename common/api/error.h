#pragma once

#include <string>
#include <string_view>

#include "common/api/reader.h"
#include "common/error.h"
#include "common/json.h"

namespace nexus::api {

/// The error object of every answer above 399: `code` and `error` are equal because clients in use
/// read one or the other; `status` is the connection's state where that is the cause.
void write(JsonWriter& to, const Error& error);
std::string error_json(const Error& error);

/// The error that an answer of the daemon carries; nothing where it carries none.
std::optional<Error> error_in(std::string_view answer);

}  // namespace nexus::api
