// Time runs KMEM_FAST_CLOCK times as fast for the program that this is preloaded into, and so do its waits.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>

static double speed = 1;
static struct timespec began[2];
static int (*real_clock)(clockid_t, struct timespec*);

__attribute__((constructor)) static void begin(void) {
  real_clock = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
  const char* wanted = getenv("KMEM_FAST_CLOCK");
  if (wanted) speed = atof(wanted);
  real_clock(CLOCK_REALTIME, &began[0]);
  real_clock(CLOCK_MONOTONIC, &began[1]);
}
static int is_fast(clockid_t id) { return id == CLOCK_REALTIME || id == CLOCK_MONOTONIC; }
static double since(const struct timespec* at, const struct timespec* from) {
  return (double)(at->tv_sec - from->tv_sec) + (double)(at->tv_nsec - from->tv_nsec) / 1e9;
}
static void add(struct timespec* to, double seconds) {
  const long long whole = (long long)seconds;
  to->tv_sec += whole;
  to->tv_nsec += (long)((seconds - (double)whole) * 1e9);
  if (to->tv_nsec >= 1000000000) to->tv_nsec -= 1000000000, ++to->tv_sec;
}
int clock_gettime(clockid_t id, struct timespec* out) {
  if (!real_clock) begin();
  const int result = real_clock(id, out);
  if (result == 0 && is_fast(id)) {
    const struct timespec* from = &began[id == CLOCK_MONOTONIC];
    const double passed = since(out, from) * speed;
    *out = *from;
    add(out, passed);
  }
  return result;
}
time_t time(time_t* out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}
// A deadline of the fast clock in real time.
static struct timespec real_deadline(clockid_t id, const struct timespec* fast) {
  const struct timespec* from = &began[id == CLOCK_MONOTONIC];
  struct timespec result = *from;
  const double left = since(fast, from) / speed;
  add(&result, left > 0 ? left : 0);
  return result;
}
int pthread_cond_clockwait(pthread_cond_t* cond, pthread_mutex_t* mutex, clockid_t id, const struct timespec* until) {
  static int (*real)(pthread_cond_t*, pthread_mutex_t*, clockid_t, const struct timespec*);
  if (!real) real = (int (*)(pthread_cond_t*, pthread_mutex_t*, clockid_t, const struct timespec*))dlsym(RTLD_NEXT, "pthread_cond_clockwait");
  const struct timespec deadline = real_deadline(id, until);
  return real(cond, mutex, id, &deadline);
}
int pthread_cond_timedwait(pthread_cond_t* cond, pthread_mutex_t* mutex, const struct timespec* until) {
  return pthread_cond_clockwait(cond, mutex, CLOCK_REALTIME, until);
}
static int shorter(int milliseconds) {
  if (milliseconds <= 0) return milliseconds;
  const int result = (int)((double)milliseconds / speed);
  return result > 0 ? result : 1;
}
int poll(struct pollfd* fds, nfds_t count, int timeout) {
  static int (*real)(struct pollfd*, nfds_t, int);
  if (!real) real = (int (*)(struct pollfd*, nfds_t, int))dlsym(RTLD_NEXT, "poll");
  return real(fds, count, shorter(timeout));
}
int epoll_wait(int fd, struct epoll_event* events, int most, int timeout) {
  static int (*real)(int, struct epoll_event*, int, int);
  if (!real) real = (int (*)(int, struct epoll_event*, int, int))dlsym(RTLD_NEXT, "epoll_wait");
  return real(fd, events, most, shorter(timeout));
}
int ppoll(struct pollfd* fds, nfds_t count, const struct timespec* timeout, const sigset_t* mask) {
  static int (*real)(struct pollfd*, nfds_t, const struct timespec*, const sigset_t*);
  if (!real) real = (int (*)(struct pollfd*, nfds_t, const struct timespec*, const sigset_t*))dlsym(RTLD_NEXT, "ppoll");
  if (!timeout) return real(fds, count, NULL, mask);
  static const struct timespec zero;
  struct timespec less = {0, 0};
  add(&less, since(timeout, &zero) / speed);
  return real(fds, count, &less, mask);
}
int sigtimedwait(const sigset_t* set, siginfo_t* info, const struct timespec* timeout) {
  static int (*real)(const sigset_t*, siginfo_t*, const struct timespec*);
  if (!real) real = (int (*)(const sigset_t*, siginfo_t*, const struct timespec*))dlsym(RTLD_NEXT, "sigtimedwait");
  static const struct timespec zero;
  struct timespec less = {0, 0};
  add(&less, since(timeout, &zero) / speed);
  return real(set, info, &less);
}
