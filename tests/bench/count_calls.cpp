// Runs a program and writes what it asks of the kernel, a line a system call: "THREAD NAME FIRST-ARGUMENT". As strace does,
// by ptrace, which a process may always use on its own children. SIGTERM is passed on.
// Usage: count_calls LOG PROGRAM [ARGUMENT...]     Exits as the program does; 2: it cannot be watched.
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace {

struct Name {
  std::uint64_t number;
  const char* name;
};
constexpr Name kNames[] = {
    {SYS_read, "read"},        {SYS_recvfrom, "recvfrom"},           {SYS_sendto, "sendto"}, {SYS_futex, "futex"},
    {SYS_pread64, "pread64"},  {SYS_clock_gettime, "clock_gettime"}, {SYS_fstat, "fstat"},   {SYS_ppoll, "poll"},
#ifdef SYS_poll
    {SYS_poll, "poll"},
#endif
#ifdef SYS_newfstatat
    {SYS_newfstatat, "fstat"},
#endif
};

pid_t watched = -1;

void pass_on(int) {
  if (watched > 0) kill(watched, SIGTERM);
}

void note(int log, pid_t thread) {
  __ptrace_syscall_info call{};
  if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof call, &call) <= 0 || call.op != PTRACE_SYSCALL_INFO_ENTRY) return;
  char line[64];
  const char* name = nullptr;
  for (const Name& each : kNames)
    if (each.number == call.entry.nr) name = each.name;
  const auto first = static_cast<unsigned long long>(call.entry.args[0]);
  const int length = name != nullptr ? std::snprintf(line, sizeof line, "%d %s %llu\n", thread, name, first)
                                     : std::snprintf(line, sizeof line, "%d call-%llu %llu\n", thread,
                                                     static_cast<unsigned long long>(call.entry.nr), first);
  (void)!write(log, line, static_cast<std::size_t>(length));
}

int watch(int log) {
  int state = 0;
  const auto options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
  if (waitpid(watched, &state, 0) != watched || !WIFSTOPPED(state) ||
      ptrace(PTRACE_SETOPTIONS, watched, nullptr, options) != 0 || ptrace(PTRACE_SYSCALL, watched, nullptr, nullptr) != 0) {
    std::perror("count_calls: ptrace");
    return 2;
  }
  for (;;) {
    const pid_t thread = waitpid(-1, &state, __WALL);
    if (thread < 0 && errno == EINTR) continue;
    if (thread < 0) return 2;
    if (thread == watched && WIFEXITED(state)) return WEXITSTATUS(state);
    if (thread == watched && WIFSIGNALED(state)) return 128 + WTERMSIG(state);
    if (!WIFSTOPPED(state)) continue;
    long signal = WSTOPSIG(state);
    if (signal == (SIGTRAP | 0x80)) note(log, thread);
    // A new thread begins with a stop that is no signal of anybody's, as does what it was cloned by.
    if (signal == (SIGTRAP | 0x80) || signal == SIGTRAP || signal == SIGSTOP) signal = 0;
    ptrace(PTRACE_SYSCALL, thread, nullptr, signal);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const int log = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) return 2;
  watched = fork();
  if (watched == 0) {
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    raise(SIGSTOP);
    execv(argv[2], argv + 2);
    _exit(127);
  }
  if (watched < 0) return 2;
  signal(SIGTERM, pass_on);
  return watch(log);
}
