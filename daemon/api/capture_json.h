#pragma once

#include <string>
#include <vector>

#include "common/error.h"
#include "daemon/connect/captures.h"

namespace nexus::api {

/// What capture-schema answers (openapi.yaml, CaptureSchema).
std::string form_as_json(const CaptureForm& form);
/// invalid_credentials, naming each field and what is wrong with it.
Error error_of(const std::vector<FieldFault>& faults);

}  // namespace nexus::api
