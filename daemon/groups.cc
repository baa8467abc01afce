#include "daemon/groups.h"

#include <grp.h>

#include <cerrno>
#include <limits>
#include <vector>

#include "common/text.h"

namespace nexus {

Result<gid_t> group_named(const std::string& name) {
  std::vector<char> room(16 * 1024);
  ::group entry{};
  ::group* found = nullptr;
  // One with many members needs more.
  while (getgrnam_r(name.c_str(), &entry, room.data(), room.size(), &found) == ERANGE &&
         room.size() < 16 * 1024 * 1024)
    room.resize(room.size() * 2);
  if (found) return found->gr_gid;
  const auto number = parse_number(name);
  if (number && *number < std::numeric_limits<gid_t>::max()) return static_cast<gid_t>(*number);
  return Error{ErrorCode::usage, "there is no group '" + printable(name, 80) + "'",
               "name one of this machine (getent group lists them)"};
}

Result<std::optional<gid_t>> group_of_members(const std::string& setting) {
  if (setting.empty()) return std::optional<gid_t>();
  const auto group = group_named(setting);
  if (group) return std::optional(*group);
  return Error{ErrorCode::usage, "access.group: " + group.error().message, group.error().hint};
}

std::string name_of_group(gid_t group) {
  std::vector<char> room(16 * 1024);
  ::group entry{};
  ::group* found = nullptr;
  if (getgrgid_r(group, &entry, room.data(), room.size(), &found) == 0 && found)
    return found->gr_name;
  return std::to_string(group);
}

}  // namespace nexus
