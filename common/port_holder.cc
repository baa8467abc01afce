#include "common/port_holder.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <vector>

#include "common/text.h"

namespace nexus {
namespace {

constexpr int kListening = 0x0a;  // TCP_LISTEN, as proc(5) has it in hexadecimal

struct Listener {
  std::string address;  ///< as the table has it: in words of the processor's order, in hexadecimal
  std::string inode;
};

void add_listeners(const char* table, int port, std::vector<Listener>& all) {
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
      all.push_back({local.substr(0, colon), inode});
  }
}

/// /proc/net/tcp and tcp6.
std::vector<Listener> listeners_on(int port) {
  std::vector<Listener> all;
  add_listeners("/proc/net/tcp", port, all);
  add_listeners("/proc/net/tcp6", port, all);
  return all;
}

/// All addresses, 127.0.0.1 or ::1. In both orders of bytes 127.0.0.1 begins or ends so.
bool is_reached_by_loopback(const std::string& address) {
  if (address.find_first_not_of('0') == std::string::npos) return true;
  const auto v4 = address.substr(address.size() - 8);
  const auto before = address.substr(0, address.size() - 8);
  const bool is_mapped = before.empty() || before.find("FFFF") != std::string::npos;
  const bool is_one = before.find_first_not_of('0') == std::string::npos && !before.empty();
  return (is_mapped && (v4 == "0100007F" || v4 == "7F000001")) ||
         (is_one && (v4 == "01000000" || v4 == "00000001"));
}

bool has_socket(const std::filesystem::path& process, const std::set<std::string>& inodes) {
  // A process may end while it is looked at, which the iterator alone would throw.
  std::error_code error;
  for (std::filesystem::directory_iterator fd(process / "fd", error), end; !error && fd != end;
       fd.increment(error)) {
    std::error_code closed;
    if (inodes.contains(std::filesystem::read_symlink(fd->path(), closed).string())) return true;
  }
  return false;
}

}  // namespace

bool is_listened_on(int port) {
  const auto all = listeners_on(port);
  return std::any_of(all.begin(), all.end(),
                     [](const Listener& each) { return is_reached_by_loopback(each.address); });
}

std::string port_holder(int port) {
  std::set<std::string> inodes;
  for (const auto& each : listeners_on(port)) inodes.insert("socket:[" + each.inode + "]");
  if (inodes.empty()) return {};
  std::error_code error;
  for (std::filesystem::directory_iterator process("/proc", error), end; !error && process != end;
       process.increment(error)) {
    const auto pid = process->path().filename().string();
    if (!parse_number(pid) || !has_socket(process->path(), inodes)) continue;
    std::ifstream in(process->path() / "comm");
    std::string name;
    std::getline(in, name);
    return printable(name, 40) + " (pid " + pid + ")";
  }
  return {};
}

}  // namespace nexus
