#include "cli/credential/file_change.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/descriptor.h"
#include "common/regular_file.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

Error cannot_write(const std::string& file) {
  return {ErrorCode::usage, "cannot write " + file + ": " + std::strerror(errno),
          "see who owns it, and its directory"};
}

/// Where symbolic links lead to, so that they stay.
std::string target_of(const std::string& file) {
  char* path = realpath(file.c_str(), nullptr);
  std::string out = path ? path : file;
  free(path);
  return out;
}

void make_directory_of(const std::string& file) {
  for (auto slash = file.find('/', 1); slash != std::string::npos;
       slash = file.find('/', slash + 1))
    mkdir(file.substr(0, slash).c_str(), 0700);  // what is wrong with it, the file will tell
}

}  // namespace

Result<std::string> text_if_any(const std::string& file) {
  const auto opened = open_regular_file(file);
  SecretText text;
  if (opened.get() >= 0 ? read_all(opened.get(), text) : errno == ENOENT) return std::string(text);
  return Error{ErrorCode::usage, "cannot read " + file + ": " + why_not_opened(),
               "name a file, or one that is to be made"};
}

std::vector<std::string> difference(const FileChange& change) {
  const auto& [file, before, after] = change;
  const auto& longer = before.size() > after.size() ? before : after;
  const auto shorter = std::min(before.size(), after.size());
  std::size_t from = 0;
  while (from < shorter && before[from] == after[from]) ++from;
  std::size_t left = 0;
  while (left < shorter - from &&
         before[before.size() - 1 - left] == after[after.size() - 1 - left])
    ++left;
  // The same text may be said to go in a little earlier: at the beginning of a line, if it can.
  std::size_t back = 0;
  const auto end = longer.size() - left;
  const bool only_one = from + left == shorter;
  while (only_one && back < from && longer[from - back - 1] != '\n' &&
         longer[from - back - 1] == longer[end - back - 1])
    ++back;
  if (back < from && longer[from - back - 1] != '\n') back = 0;
  std::vector<std::string> lines;
  const auto add = [&](const char* sign, const std::string& text) {
    const auto piece = text.substr(from - back, text.size() - left - from);
    for (const auto& line : split(piece, '\n'))
      if (!line.empty()) lines.push_back(sign + line);
  };
  add("- ", before);
  add("+ ", after);
  return lines;
}

Result<void> apply(const FileChange& change) {
  NEXUS_TRY(const auto present, text_if_any(change.file));
  if (present != change.before)
    return Error{ErrorCode::failure, change.file + " was changed meanwhile", "try again"};
  const auto file = target_of(change.file);
  if (change.after.empty()) {
    if (unlink(file.c_str()) != 0 && errno != ENOENT) return cannot_write(file);
    return {};
  }
  make_directory_of(file);
  struct stat old {};
  const auto mode = stat(file.c_str(), &old) == 0 ? old.st_mode & 07777 : 0600;
  auto temporary = file + ".XXXXXX";
  const Descriptor fresh(mkstemp(temporary.data()));
  if (fresh.get() < 0) return cannot_write(file);
  const bool written = write_all(fresh.get(), change.after) && fsync(fresh.get()) == 0 &&
                       fchmod(fresh.get(), mode) == 0;
  if (written && rename(temporary.c_str(), file.c_str()) == 0) return {};
  auto error = cannot_write(file);
  unlink(temporary.c_str());
  return error;
}

}  // namespace nexus::cli
