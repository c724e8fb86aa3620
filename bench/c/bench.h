// What the programs here share: errors end the program, time is monotonic.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

static inline long check(long result, const char *call) {
  if (result < 0) {
    fprintf(stderr, "%s: %s\n", call, strerror(errno));
    exit(1);
  }
  return result;
}

static inline double now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

// As many descriptors as the hard limit allows; and no life after the parent's.
static UNUSED void prepare(void) {
  struct rlimit limit;
  check(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  check(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
  check(prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
}

static UNUSED void open_pipe(int fds[2]) {
  check(pipe2(fds, O_NONBLOCK | O_CLOEXEC), "pipe2");
}

static UNUSED void add(int epoll, int fd, unsigned events, void *data) {
  struct epoll_event e = {.events = events, .data.ptr = data};
  check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e), "epoll_ctl");
}

static inline void read_byte(int fd) {
  char buffer[64]; // a reader does not know that only one byte comes
  if (check(read(fd, buffer, sizeof buffer), "read") != 1) abort();
}

static inline void write_byte(int fd) {
  char byte = 0;
  if (check(write(fd, &byte, 1), "write") != 1) abort();
}

// A read that finds nothing, as one makes that comes before the wait.
static UNUSED void read_nothing(int fd) {
  char buffer[64];
  if (read(fd, buffer, sizeof buffer) != -1 || errno != EAGAIN) abort();
}
