/* Preloaded into the program under test: while the file KMEM_HANG_WHILE exists, calls on files whose path contains
   KMEM_HANG_PATH do not return: reads, writes and syncs, as on a kernel that is stuck. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

static void hang(int fd) {
  const char* const part = getenv("KMEM_HANG_PATH");
  const char* const flag = getenv("KMEM_HANG_WHILE");
  char link[64], path[4096];
  if (part == NULL || flag == NULL || access(flag, F_OK) != 0) return;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return;
  path[length] = '\0';
  if (strstr(path, part) == NULL) return;
  while (access(flag, F_OK) == 0) usleep(10000);
}

ssize_t read(int fd, void* to, size_t bytes) {
  static ssize_t (*next)(int, void*, size_t);
  if (next == NULL) next = (ssize_t(*)(int, void*, size_t))dlsym(RTLD_NEXT, "read");
  hang(fd);
  return next(fd, to, bytes);
}

ssize_t pread(int fd, void* to, size_t bytes, off_t at) {
  static ssize_t (*next)(int, void*, size_t, off_t);
  if (next == NULL) next = (ssize_t(*)(int, void*, size_t, off_t))dlsym(RTLD_NEXT, "pread");
  hang(fd);
  return next(fd, to, bytes, at);
}

ssize_t pread64(int fd, void* to, size_t bytes, off64_t at) {
  static ssize_t (*next)(int, void*, size_t, off64_t);
  if (next == NULL) next = (ssize_t(*)(int, void*, size_t, off64_t))dlsym(RTLD_NEXT, "pread64");
  hang(fd);
  return next(fd, to, bytes, at);
}

ssize_t write(int fd, const void* from, size_t bytes) {
  static ssize_t (*next)(int, const void*, size_t);
  if (next == NULL) next = (ssize_t(*)(int, const void*, size_t))dlsym(RTLD_NEXT, "write");
  hang(fd);
  return next(fd, from, bytes);
}

int fsync(int fd) {
  static int (*next)(int);
  if (next == NULL) next = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  hang(fd);
  return next(fd);
}
