#include "daemon/http/port_holder.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "common/text.h"

namespace nexus::http {
namespace {

constexpr int kListening = 0x0a;  // TCP_LISTEN, as proc(5) has it in hexadecimal

/// The inodes of the sockets that listen on the port, from /proc/net/tcp or tcp6.
void add_listeners(const char* table, int port, std::set<std::string>& inodes) {
  std::ifstream in(table);
  std::string line;
  std::getline(in, line);  // the head
  while (std::getline(in, line)) {
    std::istringstream fields(line);
    std::string number, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
    fields >> number >> local >> remote >> state >> queues >> timer >> retransmits >> uid >>
        timeout >> inode;
    const auto colon = local.rfind(':');
    if (!fields || colon == std::string::npos) continue;
    if (std::stoi(local.substr(colon + 1), nullptr, 16) == port &&
        std::stoi(state, nullptr, 16) == kListening)
      inodes.insert("socket:[" + inode + "]");
  }
}

bool has_socket(const std::filesystem::path& process, const std::set<std::string>& inodes) {
  std::error_code ignored;
  for (const auto& fd : std::filesystem::directory_iterator(process / "fd", ignored))
    if (inodes.contains(std::filesystem::read_symlink(fd.path(), ignored).string())) return true;
  return false;
}

}  // namespace

std::string port_holder(int port) {
  std::set<std::string> inodes;
  add_listeners("/proc/net/tcp", port, inodes);
  add_listeners("/proc/net/tcp6", port, inodes);
  if (inodes.empty()) return {};
  std::error_code ignored;
  for (const auto& process : std::filesystem::directory_iterator("/proc", ignored)) {
    const auto pid = process.path().filename().string();
    if (!parse_number(pid) || !has_socket(process.path(), inodes)) continue;
    std::ifstream in(process.path() / "comm");
    std::string name;
    std::getline(in, name);
    return printable(name, 40) + " (pid " + pid + ")";
  }
  return {};
}

}  // namespace nexus::http
