// N pipes get a byte each, then an epoll loop reads them all, again and again: ready N WARM_MS MEASURE_MS
// Prints nanoseconds per byte, its write included.
#include "bench.h"

enum { EVENTS = 1024 };

static long rounds(int epoll, int n, const int *writers, double until) {
  struct epoll_event events[EVENTS];
  long count = 0;
  do {
    for (int i = 0; i < n; i++) write_byte(writers[i]);
    for (int left = n; left > 0;) {
      int got = check(epoll_wait(epoll, events, EVENTS, -1), "epoll_wait");
      for (int i = 0; i < got; i++) read_byte(events[i].data.fd);
      left -= got;
    }
    count += n;
  } while (now_ns() < until);
  return count;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  prepare();
  int n = atoi(argv[1]);
  int epoll = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  int *writers = calloc(n, sizeof *writers);
  for (int i = 0; i < n; i++) {
    int fds[2];
    open_pipe(fds);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fds[0]};
    check(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &e), "epoll_ctl");
    writers[i] = fds[1];
  }
  rounds(epoll, n, writers, now_ns() + atof(argv[2]) * 1e6);
  double start = now_ns();
  long count = rounds(epoll, n, writers, start + atof(argv[3]) * 1e6);
  printf("%.1f\n", (now_ns() - start) / count);
  return 0;
}
