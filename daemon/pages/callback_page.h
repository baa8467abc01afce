#pragma once

#include <string_view>

#include "daemon/pages/page.h"

namespace nexus {

enum class PageTone { success, denied, failure };

/// The page a person sees after consent: what happened and that the tab can be closed. Every text
/// is escaped; its script takes code and state out of the address bar.
Page callback_page(PageTone tone, std::string_view title, std::string_view text);

}  // namespace nexus
