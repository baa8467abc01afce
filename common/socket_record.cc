#include "common/socket_record.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "common/descriptor.h"
#include "common/paths.h"
#include "common/text.h"

namespace nexus {
namespace {

constexpr const char* kName = "nexusd.address";

}  // namespace

std::optional<std::string> recorded_socket(const std::string& data_dir) {
  const Descriptor directory(
      open(data_dir.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat about {};
  if (fstat(directory.get(), &about) != 0 || !is_own(about)) return std::nullopt;
  const Descriptor file(
      openat(directory.get(), kName, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (fstat(file.get(), &about) != 0 || !is_own(about) || !S_ISREG(about.st_mode))
    return std::nullopt;
  std::array<char, sizeof(sockaddr_un::sun_path) + 1> buffer{};
  const auto got = read(file.get(), buffer.data(), buffer.size());
  const auto text = std::string_view(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  // Cut off, it would be another place.
  if (!text.starts_with('/') || !text.ends_with('\n')) return std::nullopt;
  return std::string(text.substr(0, text.size() - 1));
}

Result<void> record_socket(const std::string& data_dir, const std::string& socket) {
  const auto name = data_dir + "/" + kName;
  const auto fresh = name + ".new";
  const auto text = socket + "\n";
  unlink(fresh.c_str());
  const Descriptor file(
      open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (write_all(file.get(), text) && rename(fresh.c_str(), name.c_str()) == 0) return {};
  const int error = errno;
  unlink(fresh.c_str());
  return Error{ErrorCode::failure, "cannot write " + name + ": " + std::strerror(error),
               "check the directory and the free space"};
}

void forget_socket(const std::string& data_dir) {
  unlink((data_dir + "/" + kName).c_str());
}

}  // namespace nexus
