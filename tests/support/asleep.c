// A machine that has slept: what the file that ASLEEP_SECONDS_FILE names has in it is added to
// CLOCK_BOOTTIME.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec* into) {
  static int (*real)(clockid_t, struct timespec*);
  if (!real) real = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
  const int result = real(clock, into);
  const char* path = getenv("ASLEEP_SECONDS_FILE");
  if (clock != CLOCK_BOOTTIME || result != 0 || !path) return result;
  char text[16] = "";
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return result;
  if (read(file, text, sizeof text - 1) > 0) into->tv_sec += atoi(text);
  close(file);
  return result;
}
