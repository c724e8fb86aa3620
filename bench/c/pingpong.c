// Two pipes, one byte to and fro, beside idle registrations: pingpong wait|read IDLE WARM_MS MEASURE_MS
// Prints nanoseconds per round trip. "read" tries to read before each wait, as a fiber may.
#include "bench.h"

enum { EVENTS = 64 };

static struct side { int in, out; } sides[2];
static int read_first;

static long trips(int epoll, double until) {
  struct epoll_event events[EVENTS];
  long count = 0;
  do {
    for (int stop = 0; !stop;) {
      int n = check(epoll_wait(epoll, events, EVENTS, -1), "epoll_wait");
      for (int i = 0; i < n; i++) {
        struct side *side = events[i].data.ptr;
        read_byte(side->in);
        write_byte(side->out);
        if (read_first) read_nothing(side->in);
        if (side == sides && ++count % 1024 == 0) stop = 1;
      }
    }
  } while (now_ns() < until);
  return count;
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  prepare();
  read_first = strcmp(argv[1], "read") == 0;
  int epoll = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  for (int i = atoi(argv[2]); i > 0; i--) {
    int idle[2];
    open_pipe(idle);
    add(epoll, idle[0], EPOLLIN, NULL);
  }
  int there[2], back[2];
  open_pipe(there);
  open_pipe(back);
  sides[0] = (struct side){back[0], there[1]};
  sides[1] = (struct side){there[0], back[1]};
  add(epoll, back[0], EPOLLIN, &sides[0]);
  add(epoll, there[0], EPOLLIN, &sides[1]);
  write_byte(there[1]);
  trips(epoll, now_ns() + atof(argv[3]) * 1e6);
  double start = now_ns();
  long count = trips(epoll, start + atof(argv[4]) * 1e6);
  printf("%.1f\n", (now_ns() - start) / count);
  return 0;
}
