#include "collectors/windows/windows_frames.h"

#include <algorithm>
#include <chrono>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "collectors/windows/basic_info.h"
#include "collectors/windows/big_pool.h"
#include "collectors/windows/nt_layout.h"
#include "collectors/windows/object_handles.h"
#include "collectors/windows/process_info.h"

namespace kmem::windows {

namespace {

// Usual answers: 50-150 KB of processes, 96-160 KB of tags. Larger is not better: the kernel locks the whole buffer.
constexpr std::size_t kProcessStartBytes = 128 << 10;
constexpr std::size_t kPoolTagStartBytes = 128 << 10;
constexpr std::size_t kSessionTagStartBytes = 32 << 10;
constexpr std::size_t kBigPoolStartBytes = 256 << 10;
// Long tables: what they tell changes slowly, and the kernel holds a lock while it writes them. Settings are 14 values of the
// registry, each a call, and most take effect at the next start.
constexpr std::chrono::seconds kBigPoolEvery = config::collector("big_pool").on_windows.every,
                               kHandlesEvery = config::collector("object_handles").on_windows.every,
                               kSettingsEvery = config::collector("settings").on_windows.every;

}  // namespace

WindowsFrames::WindowsFrames(std::unique_ptr<NtQuery> query, std::unique_ptr<Registry> registry,
                             const config::Collectors& collectors, const base::Clock& clock, std::uint8_t pointer_bytes)
    : query_(std::move(query)), registry_(std::move(registry)), collectors_(collectors), clock_(clock),
      pointer_bytes_(pointer_bytes) {}

base::Result<void> WindowsFrames::acquire(RawFrame& frame) {
  const bool narrow = pointer_bytes_ == 4;
  frame.system = System::kWindows;
  frame.pointer_bytes = pointer_bytes_;
  frame.time = clock_.wall();
  enter("basic", "nt/0", [&] { read_page_size(frame); });
  if (collectors_.performance)
    enter("performance", "nt/2", [&] {
      read_fixed_class(frame, "nt/2", kPerformanceClass, sizeof(NtPerformance));
      // The only unprivileged word on the paged pool's maximum; limits.cpp says where it can be believed.
      read_fixed_class(frame, "nt/37", kRegistryQuotaClass, narrow ? sizeof(NtRegistryQuota<4>) : sizeof(NtRegistryQuota<8>));
    });
  if (collectors_.time_of_day)
    enter("time_of_day", "nt/3", [&] { read_fixed_class(frame, "nt/3", kTimeOfDayClass, sizeof(NtTimeOfDay)); });
  if (collectors_.file_cache)
    enter("file_cache", "nt/21",
          [&] { read_fixed_class(frame, "nt/21", kFileCacheClass, narrow ? sizeof(NtFileCache<4>) : sizeof(NtFileCache<8>)); });
  if (collectors_.processes) enter("processes", "nt/5", [&] { read_processes(frame); });
  if (collectors_.pool_tags) enter("pool_tags", "nt/22", [&] { read_pool_tags(frame); });
  if (collectors_.session_pool_tags)
    enter("session_pool_tags", "nt/67",
          [&] { read_optional_class(frame, "nt/67", kSessionPoolTagClass, kSessionTagStartBytes, session_tags_status_); });
  if (collectors_.big_pool)
    enter("big_pool", "kmem/big_pool", [&] {
      read_seldom(frame, "kmem/big_pool", kBigPoolEvery, big_pool_, [this](std::string& text) { return read_big_pool(text); });
    });
  if (collectors_.memory_lists)
    enter("memory_lists", "nt/80", [&] {
      // Asked with the newer length first, as most kernels are; each may refuse any but its own.
      const std::size_t older = narrow ? sizeof(NtMemoryLists<4>) : sizeof(NtMemoryLists<8>);
      timed(frame, "nt/80", [&](std::string& answer) {
        const NtStatus status = read_fixed(*query_, kMemoryListClass, older + pointer_bytes_, answer);
        return status == kStatusLengthMismatch ? read_fixed(*query_, kMemoryListClass, older, answer) : status;
      });
      timed(frame, "kmem/memory_status", [this](std::string& bytes) {
        bytes.assign(sizeof(NtMemoryStatus), '\0');
        const NtStatus status = query_->query_memory_status(std::as_writable_bytes(std::span(bytes)));
        if (status != kStatusOk) bytes.clear();
        return status;
      });
    });
  if (collectors_.object_handles && wants_handles_) {
    enter("object_handles", "kmem/object_handles", [&] {
      read_seldom(frame, "kmem/object_handles", kHandlesEvery, object_handles_,
                  [&](std::string& text) { return read_object_handles(frame, text); });
    });
  } else {
    object_handles_ = {};
    std::erase_if(frame.parts, [](const RawPart& part) { return part.name == "kmem/object_handles"; });
  }
  if (collectors_.settings)
    enter("settings", "kmem/registry", [&] {
      read_seldom(frame, "kmem/registry", kSettingsEvery, settings_,
                  [this](std::string& text) { return read_memory_management(*registry_, text); });
    });
  read_system(frame);
  return {};
}

void WindowsFrames::add_system(std::unique_ptr<SystemProbe> probe, std::unique_ptr<SystemLog> log) {
  probe_ = std::move(probe);
  events_ = std::make_unique<EventTail>(std::move(log), clock_);
}

void WindowsFrames::resume_events(const EventCursor& cursor) {
  if (events_) events_->resume(cursor);
}

void WindowsFrames::read_system(RawFrame& frame) {
  if (collectors_.limits && probe_) {
    enter("limits", "kmem/system", [&] {
      timed(frame, "kmem/system", [this](std::string& text) {
        if (system_text_.empty()) system_text_ = probe_->facts();
        text = system_text_;
        return text.empty() ? kStatusNotImplemented : kStatusOk;
      });
    });
  }
  if (collectors_.events && events_)
    enter("events", "kmem/events",
          [&] { timed(frame, "kmem/events", [this](std::string& part) { return events_->read(part); }); });
}

template <typename Read>
void WindowsFrames::enter(std::string_view collector, std::string_view part, Read read) {
  collector_ = collector;
  if (gate_ == nullptr || gate_->enter(collector, part)) read();
}

template <typename Read>
NtStatus WindowsFrames::timed(RawFrame& frame, std::string_view name, Read read) {
  RawPart& part = frame.part(name);
  part.collector = collector_;
  part.time = 0;
  const auto start = clock_.steady();
  const NtStatus status = read(part.bytes);
  part.status = status;
  part.micros =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady() - start).count());
  return status;
}

template <typename Read>
void WindowsFrames::read_seldom(RawFrame& frame, std::string_view name, std::chrono::nanoseconds every, Seldom& kept,
                                Read read) {
  const auto now = clock_.steady();
  if (kept.read_at && now - *kept.read_at < every) {
    frame.part(name) = kept.part;
    return;
  }
  kept.read_at = now;
  timed(frame, name, read);
  kept.part = frame.part(name);
  kept.part.time = frame.time;
}

NtStatus WindowsFrames::read_big_pool(std::string& text) {
  std::string table;
  const NtStatus status = read_all(*query_, kBigPoolClass, kBigPoolStartBytes, table);
  text.clear();
  if (status != kStatusOk) return status;
  auto sums = sum_big_pool(std::as_bytes(std::span(table)), pointer_bytes_);
  if (sums) text = std::move(*sums);
  return kStatusOk;  // an answer that is no table is told by the parser, which finds no head
}

/// Class 64 tells whole process ids; its table is longer than 16's, which has to do where 64 is not, or too long.
NtStatus WindowsFrames::read_object_handles(const RawFrame& frame, std::string& text) {
  text.clear();
  std::string bytes;
  std::vector<ObjectTypeName> types;
  std::uint64_t skipped_lists = 0;
  if (read_object_types(*query_, bytes) == kStatusOk) {
    if (auto parsed = parse_object_types(std::as_bytes(std::span(bytes)), pointer_bytes_)) types = std::move(*parsed);
    else ++skipped_lists;
  }
  std::vector<ProcessUsage> processes;
  std::uint64_t handles = 0;
  if (const RawPart* const part = frame.find("nt/5"); part != nullptr && part->status == 0)
    (void)parse_processes(std::as_bytes(std::span(part->bytes)), pointer_bytes_, std::nullopt, processes);
  std::vector<std::uint64_t> pids;
  for (const ProcessUsage& process : processes) {
    pids.push_back(process.pid);
    handles += process.handles.value_or(0);
  }
  NtStatus status = kStatusOk;
  for (const std::uint32_t info_class : {kHandleExClass, kHandleClass}) {
    const std::size_t row = info_class == kHandleExClass ? (pointer_bytes_ == 4 ? sizeof(NtHandleEx<4>) : sizeof(NtHandleEx<8>))
                                                         : (pointer_bytes_ == 4 ? sizeof(NtHandle<4>) : sizeof(NtHandle<8>));
    const std::size_t start =
        static_cast<std::size_t>(std::min<std::uint64_t>(handles + handles / 8, kMaxHandleTableBytes) * row);
    bytes = {};
    status = read_all(*query_, info_class, std::max<std::size_t>(start, 64 << 10), bytes, kMaxHandleTableBytes);
    if (status != kStatusOk) continue;
    auto counted = count_handles(std::as_bytes(std::span(bytes)), info_class, pointer_bytes_, types, pids, skipped_lists);
    if (counted) text = std::move(*counted);
    return kStatusOk;
  }
  return status;
}

NtStatus WindowsFrames::read_fixed_class(RawFrame& frame, std::string_view name, std::uint32_t info_class, std::size_t bytes) {
  return timed(frame, name, [&](std::string& answer) { return read_fixed(*query_, info_class, bytes, answer); });
}

NtStatus WindowsFrames::read_growing_class(RawFrame& frame, std::string_view name, std::uint32_t info_class,
                                           std::size_t start_bytes) {
  return timed(frame, name, [&](std::string& answer) { return read_all(*query_, info_class, start_bytes, answer); });
}

/// Every other class counts in pages, so that class 0 is asked for even when its collector is off.
void WindowsFrames::read_page_size(RawFrame& frame) {
  RawFrame unlisted;
  RawFrame& target = collectors_.basic ? frame : unlisted;
  const std::size_t bytes = pointer_bytes_ == 4 ? sizeof(NtBasic<4>) : sizeof(NtBasic<8>);
  if (read_fixed_class(target, "nt/0", kBasicClass, bytes) != kStatusOk) return;
  if (const auto info = parse_basic(std::as_bytes(std::span(target.part("nt/0").bytes)))) frame.page_bytes = info->page_bytes;
}

void WindowsFrames::read_processes(RawFrame& frame) {
  read_growing_class(frame, "nt/5", kProcessClass, kProcessStartBytes);
  const auto address = reinterpret_cast<std::uintptr_t>(frame.part("nt/5").bytes.data());
  RawPart& base = frame.part("nt/5.base");
  base.bytes = std::to_string(address);
  base.collector = collector_;
}

void WindowsFrames::read_optional_class(RawFrame& frame, std::string_view name, std::uint32_t info_class,
                                        std::size_t start_bytes, NtStatus& known_status) {
  if (!is_unsupported(known_status)) known_status = read_growing_class(frame, name, info_class, start_bytes);
  else timed(frame, name, [&](std::string&) { return known_status; });
}

void WindowsFrames::read_pool_tags(RawFrame& frame) {
  read_optional_class(frame, "nt/255", kPoolTag2Class, kPoolTagStartBytes, wide_tags_status_);
  if (wide_tags_status_ != kStatusOk) read_growing_class(frame, "nt/22", kPoolTagClass, kPoolTagStartBytes);
}

}  // namespace kmem::windows
