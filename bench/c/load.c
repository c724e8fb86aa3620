// Loads a server: load echo|http PORT PID CONNECTIONS IDLE WARM_MS MEASURE_MS
// Each connection sends a request, waits for the answer, and sends the next. IDLE more get one answer each and then
// stay silent. The busy ones are closed after the warm-up and opened anew: a JVM replaces the code of a loop that runs
// in one fiber or thread at a time, so those of the first seconds would go on in code from before its compiler had come.
// Prints nanoseconds of CPU of the process PID per answer, then answers per second.
#include "bench.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

enum { EVENTS = 1024, ECHO = 64, BUFFER = 65536 };

static const char get[] = "GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: load\r\nAccept: */*\r\n\r\n";

struct connection {
  int fd;
  int missing; // bytes of the answer
};

static char buffer[BUFFER];
static const char *request;
static int request_size, answer_size;

static double cpu_ns(clockid_t clock) {
  struct timespec t;
  check(clock_gettime(clock, &t), "clock_gettime");
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static void ask(struct connection *c) {
  if (check(write(c->fd, request, request_size), "write") != request_size) abort();
  c->missing = answer_size;
}

static int connected(int port) {
  int fd = check(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
  check(connect(fd, (struct sockaddr *)&address, sizeof address), "connect");
  int on = 1;
  check(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt");
  return fd;
}

// Asks once, and learns how long an answer is.
static void ask_first(struct connection *c) {
  ask(c);
  int n = 0;
  for (int total = answer_size; total == 0 || n < total;) {
    long got = check(read(c->fd, buffer + n, BUFFER - 1 - n), "read");
    if (got == 0) {
      fprintf(stderr, "the server ended a connection\n");
      exit(1);
    }
    n += got;
    buffer[n] = 0;
    char *end = strstr(buffer, "\r\n\r\n");
    if (total == 0 && end) {
      char *length = strcasestr(buffer, "content-length:");
      if (!length) abort();
      total = end + 4 - buffer + atoi(length + 15);
    }
    answer_size = total;
  }
  if (n != answer_size) abort();
}

static void open_one(struct connection *c, int port) {
  c->fd = connected(port);
  ask_first(c);
  check(fcntl(c->fd, F_SETFL, O_NONBLOCK), "fcntl");
}

// Takes answers, and asks anew where it may.
static long take(int epoll, int may_ask) {
  struct epoll_event events[EVENTS];
  long count = 0;
  int n = check(epoll_wait(epoll, events, EVENTS, 10000), "epoll_wait");
  if (n == 0) {
    fprintf(stderr, "no answer for ten seconds\n");
    exit(1);
  }
  for (int i = 0; i < n; i++) {
    struct connection *c = events[i].data.ptr;
    long got = check(read(c->fd, buffer, BUFFER), "read");
    if (got == 0 || (c->missing -= got) < 0) {
      fprintf(stderr, "the server %s\n", got ? "answers too much" : "ended a connection");
      exit(1);
    }
    if (c->missing == 0) {
      count++;
      if (may_ask) ask(c);
    }
  }
  return count;
}

static long answers(int epoll, double until) {
  long count = 0;
  do count += take(epoll, 1);
  while (now_ns() < until);
  return count;
}

static void open_busy(int epoll, struct connection *busy, int n, int port) {
  for (int i = 0; i < n; i++) {
    open_one(&busy[i], port);
    add(epoll, busy[i].fd, EPOLLIN, &busy[i]);
  }
  for (int i = 0; i < n; i++) ask(&busy[i]);
}

static void close_busy(int epoll, struct connection *busy, int n) {
  for (int left = n; left > 0;) left -= take(epoll, 0); // or closing would be a reset
  for (int i = 0; i < n; i++) check(close(busy[i].fd), "close");
}

int main(int argc, char **argv) {
  if (argc != 8) return 2;
  prepare();
  int is_http = strcmp(argv[1], "http") == 0;
  static char zeros[ECHO];
  request = is_http ? get : zeros;
  request_size = is_http ? (int)sizeof get - 1 : ECHO;
  answer_size = is_http ? 0 : ECHO;
  int port = atoi(argv[2]), active = atoi(argv[4]), idle = atoi(argv[5]);
  clockid_t clock;
  if (clock_getcpuclockid(atoi(argv[3]), &clock) != 0) return 3;
  int epoll = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  struct connection *all = calloc(active + idle, sizeof *all);
  for (int i = active; i < active + idle; i++) open_one(&all[i], port);
  open_busy(epoll, all, active, port);
  answers(epoll, now_ns() + atof(argv[6]) * 1e6);
  close_busy(epoll, all, active);
  open_busy(epoll, all, active, port);
  double cpu = cpu_ns(clock), start = now_ns();
  long count = answers(epoll, start + atof(argv[7]) * 1e6);
  double time = now_ns() - start;
  printf("%.1f\n%.0f\n", (cpu_ns(clock) - cpu) / count, count / time * 1e9);
  close_busy(epoll, all, active);
  return 0;
}
