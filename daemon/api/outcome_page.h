#pragma once

#include <string_view>

#include "common/error.h"
#include "daemon/connect/flows.h"
#include "daemon/http/message.h"
#include "daemon/pages/callback_page.h"

namespace nexus::api {

/// A page with the headers that every page of ours has.
http::Response page_response(const Page& page, int status);
http::Response page_response(int status, PageTone tone, std::string_view title,
                             std::string_view text);

/// What the person at the browser sees when a flow has ended: a redirect to where they came from,
/// or a page that says what happened.
http::Response page_for(const Result<FlowOutcome>& outcome);

}  // namespace nexus::api
