// An epoll loop that serves one protocol on a port of its choice, which it prints: server echo|http
// It reads once for each event and answers at once; what does not fit waits for EPOLLOUT.
#include "bench.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

enum { EVENTS = 1024, BUFFER = 4096 };

static const char response[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, world!";

struct connection {
  int fd;
  int in;             // bytes of an unfinished head
  long out, out_done; // what is to be written
  char buffer[BUFFER];
  char answer[BUFFER / 4 * sizeof response]; // a head has at least four bytes
};

static int epoll, is_http;

static void end(struct connection *c) {
  close(c->fd);
  free(c);
}

static void watch(struct connection *c, unsigned events) {
  struct epoll_event e = {.events = events, .data.ptr = c};
  check(epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &e), "epoll_ctl");
}

// Writes what is left; 0 if the connection has ended.
static int flush(struct connection *c, int was_waiting) {
  while (c->out_done < c->out) {
    long n = write(c->fd, c->answer + c->out_done, c->out - c->out_done);
    if (n < 0 && errno == EAGAIN) {
      if (!was_waiting) watch(c, EPOLLOUT);
      return 1;
    }
    if (n < 0) {
      end(c);
      return 0;
    }
    c->out_done += n;
  }
  c->out = c->out_done = 0;
  if (was_waiting) watch(c, EPOLLIN);
  return 1;
}

// Answers each whole head; keeps what comes behind the last.
static void answer_heads(struct connection *c, int n) {
  int end_of_last = 0;
  for (int i = 3; i < n; i++) {
    const char *b = c->buffer + i;
    if (b[0] == '\n' && b[-1] == '\r' && b[-2] == '\n' && b[-3] == '\r') {
      memcpy(c->answer + c->out, response, sizeof response - 1);
      c->out += sizeof response - 1;
      end_of_last = i + 1;
    }
  }
  c->in = n - end_of_last;
  memmove(c->buffer, c->buffer + end_of_last, c->in);
}

static void serve(struct connection *c) {
  if (c->out > 0) {
    flush(c, 1);
    return;
  }
  long n = read(c->fd, c->buffer + c->in, BUFFER - c->in);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) {
    end(c);
    return;
  }
  if (is_http) {
    answer_heads(c, c->in + n);
  } else {
    memcpy(c->answer, c->buffer, n);
    c->out = n;
  }
  flush(c, 0);
}

static void accept_all(int listener) {
  int fd;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    int on = 1;
    check(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt");
    struct connection *c = calloc(1, sizeof *c);
    c->fd = fd;
    add(epoll, fd, EPOLLIN, c);
  }
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  prepare();
  signal(SIGPIPE, SIG_IGN);
  is_http = strcmp(argv[1], "http") == 0;
  int listener = check(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  check(bind(listener, (struct sockaddr *)&address, length), "bind");
  check(listen(listener, 1024), "listen");
  check(getsockname(listener, (struct sockaddr *)&address, &length), "getsockname");
  epoll = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  add(epoll, listener, EPOLLIN, NULL);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  struct epoll_event events[EVENTS];
  for (;;) {
    int n = check(epoll_wait(epoll, events, EVENTS, -1), "epoll_wait");
    for (int i = 0; i < n; i++) {
      if (events[i].data.ptr) serve(events[i].data.ptr);
      else accept_all(listener);
    }
  }
}
