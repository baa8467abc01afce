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
  const auto old_lines = split(change.before, '\n');
  const auto new_lines = split(change.after, '\n');
  const auto shorter = std::min(old_lines.size(), new_lines.size());
  std::size_t first = 0;
  while (first < shorter && old_lines[first] == new_lines[first]) ++first;
  std::size_t last = 0;
  while (last < shorter - first &&
         old_lines[old_lines.size() - 1 - last] == new_lines[new_lines.size() - 1 - last])
    ++last;
  std::vector<std::string> lines;
  for (auto i = first; i + last < old_lines.size(); ++i) lines.push_back("- " + old_lines[i]);
  for (auto i = first; i + last < new_lines.size(); ++i) lines.push_back("+ " + new_lines[i]);
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
