#include "daemon/vault/lost_vault.h"

#include <sys/stat.h>

#include <initializer_list>

namespace nexus {
namespace {

bool has_content(const std::string& path) {
  struct stat about {};
  return lstat(path.c_str(), &about) == 0 && about.st_size > 0;
}

Result<void> refuse_beside(const std::string& data_dir, std::initializer_list<const char*> traces) {
  for (const std::string name : traces)
    if (has_content(data_dir + "/" + name))
      return Error{
          ErrorCode::vault_unusable,
          "the vault " + data_dir + "/nexus.db is gone or empty, but its " + name + " is there",
          "put nexus.db back, from a backup if need be; to begin with an empty vault, "
          "move " +
              name + " out of that directory first"};
  return {};
}

}  // namespace

Result<void> refuse_lost_vault(const std::string& data_dir) {
  if (has_content(data_dir + "/nexus.db")) return {};
  return refuse_beside(data_dir, {"audit.db", "vault.key"});
}

Result<void> refuse_emptied_vault(const std::string& data_dir) {
  return refuse_beside(data_dir, {"audit.db"});
}

}  // namespace nexus
