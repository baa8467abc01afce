#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/connect/captures.h"
#include "daemon/pages/page.h"

namespace nexus {

/// What a person typed already and what was wrong with it.
struct CaptureAttempt {
  std::map<std::string, std::string> typed;  ///< by field; secret ones are never given back
  std::vector<FieldFault> faults;
  std::string message;  ///< what is wrong with all of it, "" for nothing
};

/// The page that asks for a provider's credentials: a plain form that needs no script. `submit_to`
/// is a path of ours.
Page capture_page(const CaptureForm& form, const std::string& state, const std::string& submit_to,
                  const CaptureAttempt& attempt);

}  // namespace nexus
