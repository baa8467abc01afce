#include "cli/credential/file_change.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "cli/data_file.h"
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

bool write_text(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return fsync(fd) == 0;
}

}  // namespace

Result<std::string> text_if_any(const std::string& file) {
  struct stat there {};
  if (stat(file.c_str(), &there) != 0 ? errno == ENOENT : there.st_size == 0) return std::string();
  return read_text_file(file);
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
  const int fd = mkstemp(temporary.data());
  if (fd < 0) return cannot_write(file);
  const bool written = write_text(fd, change.after) && fchmod(fd, mode) == 0;
  close(fd);
  if (written && rename(temporary.c_str(), file.c_str()) == 0) return {};
  auto error = cannot_write(file);
  unlink(temporary.c_str());
  return error;
}

}  // namespace nexus::cli
