// Preloaded into nexusd: names that the file RESOLVER_NAMES has, a line "name address…" each, lead
// to these addresses, which is asked each time. Every other name is the system's.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int (*resolver)(const char*, const char*, const struct addrinfo*, struct addrinfo**);

static struct addrinfo* found(resolver real, char* addresses, const char* service,
                              const struct addrinfo* hints) {
  struct addrinfo numeric = *hints;
  struct addrinfo* first = NULL;
  struct addrinfo** end = &first;
  char* rest = NULL;
  numeric.ai_family = AF_UNSPEC;
  numeric.ai_flags = AI_NUMERICHOST;
  for (char* word = strtok_r(addresses, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest)) {
    if (real(word, service, &numeric, end) != 0) continue;
    while (*end) end = &(*end)->ai_next;
  }
  return first;
}

int getaddrinfo(const char* name, const char* service, const struct addrinfo* hints,
                struct addrinfo** into) {
  resolver real = (resolver)dlsym(RTLD_NEXT, "getaddrinfo");
  const char* path = getenv("RESOLVER_NAMES");
  FILE* names = name && hints && path ? fopen(path, "re") : NULL;
  char line[512];
  *into = NULL;
  while (names && !*into && fgets(line, sizeof line, names)) {
    char* space = strchr(line, ' ');
    if (!space) continue;
    *space = '\0';
    if (strcmp(line, name) == 0) *into = found(real, space + 1, service, hints);
  }
  if (names) fclose(names);
  return *into ? 0 : real(name, service, hints, into);
}
