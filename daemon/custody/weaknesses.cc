#include "daemon/custody/weaknesses.h"

#include <dirent.h>
#include <unistd.h>

#include <fstream>

#include "daemon/vault/key_file.h"

namespace nexus {
namespace {

/// Whether memory may be written to a disk in the clear: of swap in memory, or encrypted, the
/// kernel's names tell.
bool swaps_in_the_clear() {
  std::ifstream swaps("/proc/swaps");
  std::string line;
  std::getline(swaps, line);  // the heading
  while (std::getline(swaps, line))
    if (!line.starts_with("/dev/zram") && !line.starts_with("/dev/dm-")) return true;
  return false;
}

/// A vault as it was before a newer nexusd took it over.
std::string earlier_copy_in(const std::string& data_dir) {
  std::string found;
  if (DIR* directory = opendir(data_dir.c_str())) {
    while (const auto* entry = readdir(directory))
      if (const std::string name = entry->d_name; name.starts_with("nexus.db.before-"))
        found = name;
    closedir(directory);
  }
  return found;
}

}  // namespace

std::vector<api::VaultWeakness> weaknesses_of_vault(KeySource source, const std::string& data_dir,
                                                    bool memory_locked,
                                                    const std::string& suspend_trouble) {
  std::vector<api::VaultWeakness> weak;
  if (source == KeySource::file)
    weak.push_back({"key_beside_vault",
                    "the key lies beside the vault: whoever copies the directory has both",
                    "nexus vault change-key passphrase, or keyring"});
  if (source == KeySource::environment)
    weak.push_back(
        {"key_in_environment",
         "the key is in the environment of what starts nexusd, and where that has it from",
         "nexus vault change-key credential, or keyring"});
  if (!data_dir.empty() && source != KeySource::file) {
    const auto old = key_file_in(data_dir);
    if (access(old.c_str(), F_OK) == 0)
      weak.push_back({"old_key_file", "an old key is still there, and opens old copies: " + old,
                      "remove it, once no backup needs it"});
  }
  if (const auto copy = data_dir.empty() ? "" : earlier_copy_in(data_dir); !copy.empty()) {
    const bool of_restore = copy.starts_with("nexus.db.before-restore-");
    weak.push_back(
        {"earlier_copy",
         data_dir + "/" + copy +
             (of_restore ? " is the vault that a backup has taken the place of"
                         : " is the vault of an earlier version, under the key of that time"),
         of_restore ? "remove it once you need no way back"
                    : "nexusd removes it after a week; remove it once you need no way back"});
  }
  if (!memory_locked)
    weak.push_back({"memory_not_locked",
                    swaps_in_the_clear() ? "secrets may be written to swap, which is not encrypted"
                                         : "memory with secrets cannot be locked",
                    "raise RLIMIT_MEMLOCK: ulimit -l, or LimitMEMLOCK= in nexusd's unit"});
  if (!suspend_trouble.empty())
    weak.push_back({"suspend_not_told",
                    "the key is in memory while the machine sleeps, as nobody says so before: " +
                        suspend_trouble,
                    "the vault locks when the machine wakes up; to lock before, systemd-logind has "
                    "to run, and to answer on the system bus"});
  return weak;
}

}  // namespace nexus
