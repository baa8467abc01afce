#pragma once

#include <string>

#include "daemon/pages/page.h"

namespace nexus {

enum class PageTone { success, denied, failure, waiting };

/// What a person is told in the browser. Texts as they are: the page escapes them.
struct Notice {
  PageTone tone = PageTone::failure;
  std::string title;
  std::string text;
  std::string lead{};     ///< what the command is for
  std::string command{};  ///< what to type next, "" for nothing
  std::string receipt{};  ///< what the page can be loaded again by, "" for nothing
};

/// The page a person sees after consent: what happened and what comes next. Its script takes code
/// and state out of the address bar, and leaves the receipt there.
Page callback_page(const Notice& notice);

}  // namespace nexus
