#include "cli/program_path.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <initializer_list>

#include "common/paths.h"
#include "common/text.h"

namespace nexus::cli {

namespace {

/// The first of these places, as seen from the directory that this program is in, with such a file.
std::string found_in(std::initializer_list<const char*> places, const std::string& name) {
  std::array<char, 4096> path{};
  const auto size = readlink("/proc/self/exe", path.data(), path.size() - 1);
  if (size <= 0) return {};
  const std::string own(path.data(), static_cast<std::size_t>(size));
  const auto directory = own.substr(0, own.rfind('/'));
  for (const char* place : places)
    if (auto file = directory + place + name; access(file.c_str(), X_OK) == 0) return file;
  return {};
}

/// A directory, too, may be "executable".
bool is_program(const std::string& file) {
  struct stat about {};
  return stat(file.c_str(), &about) == 0 && S_ISREG(about.st_mode) &&
         access(file.c_str(), X_OK) == 0;
}

}  // namespace

std::string program_path(const std::string& name) {
  return found_in({"/", "/../libexec/nexus/", "/../../bin/"}, name);
}

std::vector<std::string> all_on_path(const std::string& name) {
  std::vector<std::string> all;
  for (const auto& directory : split(environment("PATH"), ':'))
    if (auto file = directory + "/" + name; directory.starts_with('/') && is_program(file))
      all.push_back(std::move(file));
  return all;
}

std::string on_path(const std::string& name) {
  const auto all = all_on_path(name);
  return all.empty() ? "" : all[0];
}

bool can_be_run(const std::string& program) {
  return program.find('/') == std::string::npos ? !on_path(program).empty() : is_program(program);
}

std::string data_path(const std::string& name) {
  return found_in({"/share/nexus/", "/../../share/nexus/", "/../share/nexus/"}, name);
}

}  // namespace nexus::cli
