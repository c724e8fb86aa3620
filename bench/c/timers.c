// N timers of 1 to 100 ms on a binary heap, and epoll_wait for the pauses between: timers N WARM_MS MEASURE_MS
// Prints nanoseconds of CPU per timer. Runs once to warm up and at least three times to measure.
#include "bench.h"

static double *heap;
static int size;

static void push(double deadline) {
  int i = size++;
  for (int up; i > 0 && heap[up = (i - 1) / 2] > deadline; i = up) heap[i] = heap[up];
  heap[i] = deadline;
}

static void pop(void) {
  double last = heap[--size];
  int i = 0;
  for (int down; (down = 2 * i + 1) < size; i = down) {
    if (down + 1 < size && heap[down + 1] < heap[down]) down++;
    if (heap[down] >= last) break;
    heap[i] = heap[down];
  }
  heap[i] = last;
}

static double cpu_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static double run(int epoll, int n) {
  double start = cpu_ns();
  for (int i = 0; i < n; i++) push(now_ns() + 1e6 * (1 + i * 7919L % 100));
  struct epoll_event event;
  while (size > 0) {
    double now = now_ns();
    while (size > 0 && heap[0] <= now) pop();
    if (size > 0) {
      long wait = heap[0] - now;
      check(epoll_wait(epoll, &event, 1, (int)((wait + 999999) / 1000000)), "epoll_wait");
    }
  }
  return (cpu_ns() - start) / n;
}

static int ascending(const void *a, const void *b) {
  double d = *(const double *)a - *(const double *)b;
  return (d > 0) - (d < 0);
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  prepare();
  int n = atoi(argv[1]);
  heap = calloc(n, sizeof *heap);
  int epoll = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  run(epoll, n);
  double results[3];
  for (int i = 0; i < 3; i++) results[i] = run(epoll, n);
  qsort(results, 3, sizeof *results, ascending);
  printf("%.1f\n", results[1]);
  return 0;
}
