#pragma once

#include "common/error.h"
#include "daemon/connect/flows.h"
#include "daemon/http/message.h"
#include "daemon/pages/callback_page.h"

namespace nexus::api {

/// A page with the headers that every page of ours has.
http::Response page_response(const Page& page, int status);
http::Response page_response(int status, const Notice& notice);

/// What the person at the browser sees when a flow has ended: a redirect to where they came from,
/// or a page that says what happened and what to do next.
http::Response page_for(const Result<FlowOutcome>& outcome);
/// The page was loaded again before the flow has ended: it loads itself until it has.
http::Response page_while_under_way(const std::string& receipt);
/// A page's address was loaded again after its outcome was forgotten.
http::Response page_for_forgotten();
/// The address that a form was shown at was loaded again: it opens it no more.
http::Response page_for_shown_form();

}  // namespace nexus::api
