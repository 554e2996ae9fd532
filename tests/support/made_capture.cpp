// Captures for tests of the shipped program, from the recorded NT readings: made_capture KIND FRAMES_GZ CAPTURE
//   leak     the machine up for six weeks, 130 MiB of threads that nobody closes, known version and limits
//   hostile  tags and a process whose names are markup, quotes, control bytes, stray bytes
//   many     4,096 tags
//   events   class 37 tells a paged pool of 343 MiB; the System log says at first twice, then once more that it is empty
// Two readings each, a minute apart, in which every tag allocates and frees. And eleven days, 6 hours a reading:
//   filling  120 MiB of threads at first, 10 MiB more every day
//   steady   120 MiB of threads
//   full     228 MiB of threads
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <exception>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>

#include "collectors/base/file_io.h"
#include "collectors/base/wire.h"
#include "collectors/replay/capture.h"
#include "collectors/windows/nt_layout.h"
#include "tests/collectors/windows/event_bytes.h"
#include "tests/support/nt_frames.h"

namespace kmem::test {
namespace {

using windows::NtPoolTag;
using windows::NtProcess;

constexpr std::uint32_t kPageBytes = 4096, kFreePtes = 31'000;
constexpr std::int64_t kTicksPerSecond = 10'000'000;
constexpr std::size_t kFirstTag = 4;  // behind the count

template <typename T>
T get(const std::string& bytes, std::size_t at) {
  if (at + sizeof(T) > bytes.size()) throw std::runtime_error("the recording is shorter than it should be");
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

template <typename T>
void put(std::string& bytes, std::size_t at, const T& value) {
  if (at + sizeof value > bytes.size()) throw std::runtime_error("the recording is shorter than it should be");
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

template <typename T>
void append(std::string& bytes, const T& value) {
  bytes.resize(bytes.size() + sizeof value);
  put(bytes, bytes.size() - sizeof value, value);
}

std::uint32_t tag_word(std::string_view four) {
  std::uint32_t word = 0;
  std::memcpy(&word, four.data(), sizeof word);
  return word;
}

/// In place of the row at `at`, which is small; without it a row more.
void set_nonpaged_tag(RawFrame& frame, std::string_view tag, std::uint32_t live, std::uint32_t bytes_each,
                      std::size_t at = std::string::npos) {
  std::string& tags = frame.part("nt/22").bytes;
  NtPoolTag<4> row{};
  row.tag = tag_word(tag);
  row.nonpaged_allocs = live + 1000, row.nonpaged_frees = 1000, row.nonpaged_used = live * bytes_each;
  if (at == std::string::npos) {
    append(tags, row);
    put(tags, 0, get<std::uint32_t>(tags, 0) + 1);
  } else {
    put(tags, at, row);
  }
  std::string& totals = frame.part("nt/2").bytes;
  constexpr std::size_t kPages = offsetof(windows::NtPerformance, nonpaged_pool_pages);
  put(totals, kPages, get<std::uint32_t>(totals, kPages) + live * bytes_each / kPageBytes);
}

/// A process without threads, at the list's end, by far the first by handles.
void add_process(RawFrame& frame, std::u16string_view name) {
  std::string& list = frame.part("nt/5").bytes;
  std::size_t last = 0;
  for (std::uint32_t next = 0; (next = get<std::uint32_t>(list, last)) != 0;) last += next;
  list.resize((list.size() + 7) / 8 * 8);
  put(list, last, static_cast<std::uint32_t>(list.size() - last));
  NtProcess<4> process{};
  process.process_id = 666;
  process.handles = 90'000;
  process.image_name.length = static_cast<std::uint16_t>(name.size() * 2);
  process.image_name.maximum_length = process.image_name.length;
  if (const RawPart* base = frame.find("nt/5.base"))
    process.image_name.buffer = static_cast<std::uint32_t>(std::stoull(base->bytes) + list.size() + sizeof process);
  append(list, process);
  list.append(reinterpret_cast<const char*>(name.data()), name.size() * 2);
}

void set_threads(RawFrame& frame, std::uint32_t live) {
  constexpr std::uint32_t kThreadBytes = 624;
  const std::size_t row = frame.part("nt/22").bytes.find("Thre");
  if (row == std::string::npos) throw std::runtime_error("no tag Thre in the recording");
  set_nonpaged_tag(frame, "Thre", live, kThreadBytes, row);
}

void make_leak(RawFrame& frame) { set_threads(frame, 218'453); }

void make_hostile(RawFrame& frame) {
  using namespace std::string_view_literals;
  std::uint32_t live = 9000;
  for (const std::string_view tag : {"<i'>"sv, "\"'&<"sv, "</a>"sv, "\xff\xfe<\x80"sv, "\0\x01\x1b["sv, "\n\r\t\\"sv, "<!--"sv,
                                     "%s%n"sv, "../#"sv, "?&=;"sv, "\xe2\x80\xae>"sv, "=1+1"sv, "\x7f\x9b]\""sv})
    set_nonpaged_tag(frame, tag, live -= 300, 1024);
  add_process(frame, u"<img src=x onerror=\"document.title='owned'\">\u202e\x1b[2J\n'&.exe");
}

void make_many(RawFrame& frame) {
  constexpr std::size_t kTags = 4096;  // so that with pools, commit and processes the bound of subjects is reached
  constexpr std::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef";
  std::size_t have = 0;
  const std::string& tags = frame.part("nt/22").bytes;
  for (std::size_t at = kFirstTag; at + sizeof(NtPoolTag<4>) <= tags.size(); at += sizeof(NtPoolTag<4>)) {
    const auto row = get<NtPoolTag<4>>(tags, at);
    have += (row.paged_used != 0 || row.paged_allocs != row.paged_frees);
    have += (row.nonpaged_used != 0 || row.nonpaged_allocs != row.nonpaged_frees);
  }
  std::uint32_t size = 12345;
  for (std::size_t i = 0; have < kTags; ++i, ++have) {
    size = size * 1'103'515'245 + 12'345;
    const std::array<char, 4> tag = {'x', kDigits[i / 42 / 42 % 42], kDigits[i / 42 % 42], kDigits[i % 42]};
    set_nonpaged_tag(frame, {tag.data(), tag.size()}, 10 + size / 65'536 % 500, 16 + (size >> 24) * 4);
  }
}

/// Up for six weeks, a known version, and few free PTEs.
void settle(RawFrame& frame) {
  std::string& times = frame.part("nt/3").bytes;
  const auto now = get<std::int64_t>(times, offsetof(windows::NtTimeOfDay, current_time));
  put(times, offsetof(windows::NtTimeOfDay, boot_time), now - 42 * 86'400 * kTicksPerSecond);
  put(frame.part("nt/2").bytes, offsetof(windows::NtPerformance, free_system_ptes), kFreePtes);
  frame.part("kmem/system").bytes = "version=5.2.3790\nmachine=x86\n";
  frame.part("kmem/registry").bytes = "PoolUsageMaximum=60\nPagedPoolSize=4294967295\n";
}

/// What the reader of the System log puts into a frame: form 0, records, and where it has got to.
void set_events(RawFrame& frame, std::uint32_t already, std::uint32_t more) {
  constexpr std::uint32_t kFirstSecond = 1'200'000'000;
  std::string& part = frame.part("kmem/events").bytes;
  part.clear();
  base::WireWriter out(part);
  out.fixed(std::uint8_t{1});
  out.fixed(std::uint8_t{0});
  out.fixed(std::uint64_t{77});
  out.varint(already);
  out.varint(already + more);
  out.fixed(base::UnixMillis{kFirstSecond + already + more} * 1000);
  out.varint(0);
  out.varint(more);
  for (std::uint32_t number = already + 1; number <= already + more; ++number)
    out.string(event_record(number, kFirstSecond + number, 0xC00007E4, "Srv", srv_data(0xC00007E4)));
}

void pass(RawFrame& frame, std::int64_t seconds) {
  frame.time += seconds * 1000;
  std::string& times = frame.part("nt/3").bytes;
  constexpr std::size_t kNow = offsetof(windows::NtTimeOfDay, current_time);
  put(times, kNow, get<std::int64_t>(times, kNow) + seconds * kTicksPerSecond);
}

void pass_a_minute(RawFrame& frame) {
  pass(frame, 60);
  std::string& tags = frame.part("nt/22").bytes;
  for (std::size_t at = kFirstTag; at + sizeof(NtPoolTag<4>) <= tags.size(); at += sizeof(NtPoolTag<4>)) {
    auto row = get<NtPoolTag<4>>(tags, at);
    const std::uint32_t paged = row.paged_allocs - row.paged_frees, nonpaged = row.nonpaged_allocs - row.nonpaged_frees;
    row.paged_allocs += 60 * paged, row.paged_frees += 60 * paged;
    row.nonpaged_allocs += 6 * nonpaged, row.nonpaged_frees += 6 * nonpaged;
    put(tags, at, row);
  }
}

void make(const std::string& kind, const std::string& frames_gz, const std::string& path) {
  RawFrame frame = read_nt_frames(frames_gz, 4).back();
  settle(frame);
  auto capture = replay::CaptureWriter::open(base::os_file_system(), path);
  if (!capture) throw std::runtime_error(capture.error().message);
  const auto write = [&](const RawFrame& reading) {
    if (const auto written = capture->append(reading); !written) throw std::runtime_error(written.error().message);
  };
  if (kind == "filling" || kind == "steady" || kind == "full") {
    constexpr std::uint32_t kReadings = 44, kThreadsInMiB = (1 << 20) / 624, kFourGiBInPages = 1 << 20;
    put(frame.part("nt/0").bytes, offsetof(windows::NtBasic<4>, physical_pages), kFourGiBInPages);
    for (std::uint32_t i = 0; i < kReadings; ++i, pass(frame, 6 * 3600)) {
      RawFrame reading = frame;
      set_threads(reading, kThreadsInMiB * (kind == "full" ? 228 : kind == "filling" ? 120 + i * 10 / 4 : 120));
      write(reading);
    }
    return;
  }
  if (kind == "events") {
    frame.part("nt/37").bytes = NtBytes(12).put(8, std::uint32_t{343} << 20).str();
    set_events(frame, 0, 2);
    write(frame);
    pass_a_minute(frame);
    set_events(frame, 2, 1);
    write(frame);
    return;
  }
  if (kind == "leak") {
    make_leak(frame);
  } else if (kind == "hostile") {
    make_hostile(frame);
  } else if (kind == "many") {
    make_many(frame);
  } else {
    throw std::runtime_error("no kind " + kind);
  }
  for (int reading = 0; reading < 2; ++reading) {
    write(frame);
    pass_a_minute(frame);
  }
}

}  // namespace
}  // namespace kmem::test

int main(int argc, char** argv) try {
  if (argc != 4) return 2;
  kmem::test::make(argv[1], argv[2], argv[3]);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
