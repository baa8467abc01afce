#pragma once

#include <string>
#include <vector>

#include "common/error.h"

namespace nexus::cli {

/// A file of some program's configuration, as it is and as it is to be; "" where there is none.
struct FileChange {
  std::string file;
  std::string before{};
  std::string after{};
};

/// The file's text, "" where there is none. Error: usage.
Result<std::string> text_if_any(const std::string& file);

/// What goes, in lines with '-', and what comes, with '+'; nothing else of the file, which may hold
/// secrets.
std::vector<std::string> difference(const FileChange& change);

/// Puts the new text in place of the old one, at once and with the same permissions (600 for a new
/// file); through a symbolic link, into what that leads to. Errors: usage; failure, where the file
/// is another one by now.
Result<void> apply(const FileChange& change);

}  // namespace nexus::cli
