// nexus-keyring: the vault's root key in the desktop's keyring (the Secret Service), for nexusd. A
// program of its own, as the library brings threads, and memory that nobody wipes, into whoever
// uses it, and may wait for ever: it is killed after some seconds, nexusd is not.
//
//   nexus-keyring get VAULT PLACE         prints the key; ends with 3 where there is none
//   nexus-keyring put VAULT PLACE LABEL   stores what comes on standard input
//   nexus-keyring forget VAULT PLACE
//
// PLACE tells apart the copies of a vault, which have its id: what is done with one does not take
// the other's key away.
//
// Errors are a line on standard error, and 1.
#include <dlfcn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "common/descriptor.h"
#include "common/secret.h"
#include "common/text.h"

namespace {

using namespace nexus;

constexpr int kNone = 3;

// libsecret is loaded when it is needed and not linked: who keeps the key elsewhere need not have
// it. These are its own declarations (secret-schema.h, secret-password.h; API version 1), with
// GLib's types as what they are.
struct GError {
  unsigned domain;
  int code;
  char* message;
};
struct SchemaAttribute {
  const char* name;
  int type;
};
struct Schema {
  const char* name;
  int flags;
  SchemaAttribute attributes[32];
  int reserved;
  void* reserved_pointers[7];
};

using Lookup = char* (*)(const Schema*, void*, GError**, ...);
using Store = int (*)(const Schema*, const char*, const char*, const char*, void*, GError**, ...);
using Clear = int (*)(const Schema*, void*, GError**, ...);
using Free = void (*)(char*);

const Schema kSchema = {"dev.nexus.VaultKey", 0, {{"vault", 0}, {"place", 0}}, 0, {}};

int fail(const std::string& why) {
  std::fprintf(stderr, "%s\n", printable(why, 300).c_str());
  return 1;
}

int fail(const GError* error, const char* otherwise) {
  return fail(error && error->message ? error->message : otherwise);
}

/// The library stays: it is this process's only work.
template <class Function>
bool find(void* library, const char* name, Function& into) {
  into = reinterpret_cast<Function>(dlsym(library, name));
  return into != nullptr;
}

int get(void* library, const char* vault, const char* place) {
  Lookup lookup = nullptr;
  Free forget = nullptr;
  if (!find(library, "secret_password_lookup_sync", lookup) ||
      !find(library, "secret_password_free", forget))
    return fail("libsecret is not the one that is known here");
  GError* error = nullptr;
  char* key = lookup(&kSchema, nullptr, &error, "vault", vault, "place", place, nullptr);
  // A vault that was moved.
  if (!key && !error) key = lookup(&kSchema, nullptr, &error, "vault", vault, nullptr);
  if (error) return fail(error, "");
  if (!key) return kNone;
  const bool written = write_all(STDOUT_FILENO, key);
  forget(key);  // wipes it
  return written ? 0 : fail("the key could not be passed on");
}

int put(void* library, const char* vault, const char* place, const char* label) {
  Store store = nullptr;
  if (!find(library, "secret_password_store_sync", store))
    return fail("libsecret is not the one that is known here");
  SecretText key;
  if (!read_all(STDIN_FILENO, key)) return fail("no key came");
  GError* error = nullptr;
  // The collection that the desktop unlocks when somebody logs in.
  if (store(&kSchema, "default", label, key.c_str(), nullptr, &error, "vault", vault, "place",
            place, nullptr))
    return 0;
  return fail(error, "the keyring did not take it");
}

int forget(void* library, const char* vault, const char* place) {
  Clear clear = nullptr;
  if (!find(library, "secret_password_clear_sync", clear))
    return fail("libsecret is not the one that is known here");
  GError* error = nullptr;
  clear(&kSchema, nullptr, &error, "vault", vault, "place", place, nullptr);
  return error ? fail(error, "") : 0;
}

}  // namespace

int main(int argc, char** argv) {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
  const std::string_view what = argc > 3 ? argv[1] : "";
  void* library = dlopen("libsecret-1.so.0", RTLD_NOW);
  if (!library) return fail("libsecret is not installed (Debian: libsecret-1-0)");
  if (what == "get" && argc == 4) return get(library, argv[2], argv[3]);
  if (what == "put" && argc == 5) return put(library, argv[2], argv[3], argv[4]);
  if (what == "forget" && argc == 4) return forget(library, argv[2], argv[3]);
  return fail("this program is nexusd's own");
}
