#pragma once

#include <string>

#include "daemon/api/limits.h"
#include "daemon/api/shown_forms.h"
#include "daemon/connect/captures.h"
#include "daemon/connect/flow_outcomes.h"
#include "daemon/http/message.h"

namespace nexus::api {

/// Whether the path is that of the page for static credentials, or of what it sends.
bool is_capture_path(const std::string& path);

/// The page and its form, for whoever shows a state: HTML for browsers, JSON for others. `origin`
/// is how the browser calls us. Who shows none of an open flow is counted among the strangers. May
/// wait for the provider.
http::Response answer_capture(Captures& captures, FlowOutcomes& outcomes, ShownForms& forms,
                              http::RateLimiter& strangers, const std::string& origin,
                              http::Request& request);

}  // namespace nexus::api
