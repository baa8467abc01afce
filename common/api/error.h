#pragma once

#include <nlohmann/json_fwd.hpp>

#include "common/error.h"

namespace nexus::api {

/// The error object of every answer above 399: `code` and `error` are equal because clients in use
/// read one or the other; `status` is the connection's state where that is the cause.
nlohmann::json to_json(const Error& error);

/// The error that an answer of the daemon carries.
Error error_from_json(const nlohmann::json& json);

}  // namespace nexus::api
