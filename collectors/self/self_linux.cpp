#include "collectors/self/self.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <charconv>
#include <string_view>

namespace kmem::self {
namespace {

/// Start of a small file of procfs, in the caller's buffer.
template <std::size_t kSize>
std::string_view read_start(const char* path, char (&buffer)[kSize]) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  const ssize_t got = ::read(fd, buffer, kSize);
  ::close(fd);
  return got > 0 ? std::string_view(buffer, static_cast<std::size_t>(got)) : std::string_view();
}

/// Field of blank-separated text, counted from 0.
std::uint64_t number_at(std::string_view text, int field) {
  for (; field > 0; --field) {
    const std::size_t blank = text.find(' ');
    if (blank == std::string_view::npos) return 0;
    text.remove_prefix(blank + 1);
  }
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// Resident pages, field 1 of a file that stays open: opening it anew costs three times the reading.
std::uint64_t resident_pages() {
  static const int statm = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  char buffer[128];
  const ssize_t got = ::pread(statm, buffer, sizeof buffer, 0);
  return got > 0 ? number_at({buffer, static_cast<std::size_t>(got)}, 1) : 0;
}

double seconds_of(clockid_t clock) {
  timespec time = {};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double read_start_time() {
  char buffer[1024];
  const std::string_view stat = read_start("/proc/self/stat", buffer);
  // Field 2 is the program's name and may hold blanks and brackets; field 22, in ticks since boot, is the 20th
  // behind its last bracket.
  const std::size_t bracket = stat.rfind(") ");
  if (bracket == std::string_view::npos) return 0;
  const auto ticks = static_cast<double>(number_at(stat.substr(bracket + 2), 19));
  const auto ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  return seconds_of(CLOCK_REALTIME) - seconds_of(CLOCK_BOOTTIME) + ticks / ticks_per_second;
}

std::optional<std::uint64_t> count_descriptors() {
  static const int folder = ::open("/proc/self/fd", O_PATH | O_CLOEXEC);
  struct stat status = {};
  // Since Linux 6.2 the size is the count.
  if (::fstat(folder, &status) == 0 && status.st_size > 0) return static_cast<std::uint64_t>(status.st_size);
  DIR* const directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) return std::nullopt;
  std::uint64_t entries = 0;
  while (const dirent* const entry = ::readdir(directory))
    if (entry->d_name[0] != '.') ++entries;
  ::closedir(directory);
  return entries - 1;  // without the one that counted
}

}  // namespace

SelfUsage read_self() {
  static const double start_time_seconds = read_start_time();
  static const auto page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  SelfUsage usage;
  usage.cpu_seconds = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  usage.resident_bytes = resident_pages() * page_bytes;
  usage.start_time_seconds = start_time_seconds;
  usage.open_handles = count_descriptors();
  return usage;
}

}  // namespace kmem::self
