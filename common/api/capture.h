#pragma once

#include <string>
#include <vector>

#include "common/api/reader.h"
#include "common/error.h"

namespace nexus::api {

/// One thing that a provider of static credentials wants to know.
struct CaptureField {
  std::string name;
  std::string title;
  std::string description;
  std::string fallback;              ///< `default`
  std::vector<std::string> choices;  ///< `enum`; empty: anything
  bool required = false;
  bool secret = false;     ///< `format`: password
  bool yes_or_no = false;  ///< `type`: boolean
};

/// What /v1/capture-schema answers, in the order to ask in.
struct CaptureSchema {
  std::vector<CaptureField> fields;
};

Result<void> read(const Reader& from, CaptureSchema& into);

}  // namespace nexus::api
