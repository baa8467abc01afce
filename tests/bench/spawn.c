// Runs commands in turn, many times, and prints each one's median wall time in microseconds.
// usage: ROUNDS -- CMD ARG… [-- CMD ARG…]…     BENCH_STDIN: the file that each reads, /dev/null
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

extern char** environ;

static int compare(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return x < y ? -1 : x > y;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? atoi(argv[1]) : 0;
  char** commands[8];
  double* times[8];
  int count = 0;
  for (int i = 2; i < argc && count < 8; ++i)
    if (strcmp(argv[i], "--") == 0) {
      argv[i] = NULL;
      commands[count] = argv + i + 1;
      times[count++] = calloc(rounds, sizeof(double));
    }
  if (rounds < 1 || count == 0) return 2;
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  const char* input = getenv("BENCH_STDIN");
  posix_spawn_file_actions_addopen(&quiet, 0, input ? input : "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
  for (int round = 0; round < rounds; ++round)
    for (int c = 0; c < count; ++c) {
      const double begin = now();
      pid_t pid;
      int status;
      if (posix_spawnp(&pid, commands[c][0], &quiet, NULL, commands[c], environ) != 0) return 1;
      waitpid(pid, &status, 0);
      times[c][round] = now() - begin;
      if (status != 0) {
        fprintf(stderr, "%s failed\n", commands[c][0]);
        return 1;
      }
    }
  for (int c = 0; c < count; ++c) {
    qsort(times[c], rounds, sizeof(double), compare);
    printf("%.0f\n", times[c][rounds / 2]);
  }
  return 0;
}
