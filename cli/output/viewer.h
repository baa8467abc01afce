#pragma once

#include <string_view>

namespace nexus::cli {

/// What shows a command's words in the terminal's place: a pager, or a screen that is drawn anew.
class Viewer {
 public:
  Viewer() = default;
  virtual ~Viewer() = default;
  Viewer(const Viewer&) = delete;
  Viewer& operator=(const Viewer&) = delete;

  /// Lines as the terminal would get them. False where nobody sees any more of them, and errno says
  /// why.
  virtual bool show(std::string_view lines) = 0;
  /// Whether nobody else may draw on the terminal now.
  virtual bool has_terminal() const = 0;
  /// Shows what is left, and gives the terminal back. The errno of what kept lines from being seen;
  /// 0 where nothing did, be it that the person has seen enough.
  virtual int end() = 0;
};

}  // namespace nexus::cli
