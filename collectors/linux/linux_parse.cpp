#include "collectors/linux/linux_parse.h"

#include <string>

#include "collectors/linux/allocinfo.h"
#include "collectors/linux/meminfo.h"
#include "collectors/linux/slabinfo.h"
#include "collectors/linux/system_text.h"
#include "collectors/linux/vmallocinfo.h"
#include "collectors/no_answer.h"

namespace kmem::linux {
namespace {

// Linux' own numbers: a capture is read on other systems too.
constexpr std::int64_t kEperm = 1;
constexpr std::int64_t kEnoent = 2;
constexpr std::int64_t kEacces = 13;
constexpr std::int64_t kEfbig = 27;

base::Result<GatheredRows> rows(const base::Result<std::uint64_t>& skipped) {
  if (!skipped) return skipped.error();
  return GatheredRows{*skipped, 0, 0};
}

constexpr std::string_view kReadAny = "root or CAP_DAC_READ_SEARCH";

using config::collector;

constexpr Collector kTable[] = {
    {collector("meminfo"), "proc/meminfo", Access::kRecord, "/proc/meminfo", kReadAny, false,
     [](const RawPart& part, const RawFrame&, Snapshot& out, SlabMemo*) { return rows(parse_meminfo(part.bytes, out)); }},
    {collector("slabinfo"), "proc/slabinfo", Access::kList, "/proc/slabinfo", kReadAny, true,
     [](const RawPart& part, const RawFrame& frame, Snapshot& out, SlabMemo* memo) {
       const RawPart* const reclaim = frame.find("kmem/slab_reclaim");
       const std::string_view answers = reclaim != nullptr ? std::string_view(reclaim->bytes) : std::string_view();
       if (memo != nullptr) return rows(memo->parse(part.bytes, answers, frame.page_bytes, out));
       return rows(parse_slabinfo(part.bytes, answers, frame.page_bytes, out));
     }},
    {collector("vmallocinfo"), "proc/vmallocinfo", Access::kKept, "/proc/vmallocinfo", kReadAny, true,
     [](const RawPart& part, const RawFrame&, Snapshot& out, SlabMemo*) { return rows(parse_vmallocinfo(part.bytes, out)); }},
    {collector("allocinfo"), "proc/allocinfo", Access::kGathered, "/proc/allocinfo", kReadAny, true,
     [](const RawPart& part, const RawFrame&, Snapshot& out, SlabMemo*) { return rows(parse_allocinfo(part.bytes, out)); }},
    {collector("stat"), "proc/stat", Access::kWhole, "/proc/stat", kReadAny, false,
     [](const RawPart& part, const RawFrame&, Snapshot& out, SlabMemo*) { return rows(parse_stat(part.bytes, out)); }},
    {collector("settings"), "kmem/settings", Access::kGathered, "/proc/sys/vm", kReadAny, true,
     [](const RawPart& part, const RawFrame&, Snapshot& out, SlabMemo*) { return parse_settings(part.bytes, out); }},
    {collector("events"), "kmem/vmstat", Access::kGathered, "/proc/vmstat", kReadAny, true,
     [](const RawPart& part, const RawFrame&, Snapshot& out, SlabMemo*) { return rows(parse_vmstat(part.bytes, out)); }},
    {collector("processes"), "kmem/processes", Access::kGathered, "/proc/PID/fd", "root or CAP_SYS_PTRACE", false,
     [](const RawPart& part, const RawFrame&, Snapshot& out, SlabMemo*) { return parse_processes(part.bytes, out); }},
};

void tell_refused(const Collector& collector, std::int64_t error, PartStatus& status) {
  const std::string path(collector.path);
  status.state = PartState::kFailed;
  if (error == kEacces || error == kEperm) {
    status.reason = path + " cannot be read: permission denied; needs " + std::string(collector.permission);
  } else if (error == kEnoent && collector.optional) {
    status.state = PartState::kUnsupported;
    status.reason = "this kernel has no " + path;
  } else if (error == kEnoent) {
    status.reason = path + " does not exist; is procfs mounted there?";
  } else if (error == kEfbig) {
    status.reason = path + " is larger than the bound for one file";
  } else {
    status.reason = path + " cannot be read: errno " + std::to_string(error);
  }
}

void tell_left_out(const Collector& collector, const GatheredRows& got, PartStatus& status) {
  const auto also = [&](std::uint64_t count, const std::string& what) {
    if (count == 0) return;
    status.state = PartState::kPartial;
    if (!status.reason.empty()) status.reason += "; ";
    status.reason += std::to_string(count) + what;
  };
  also(got.skipped, " rows could not be understood");
  also(got.unreadable,
       " of " + std::string(collector.path) + " cannot be read: permission denied; needs " + std::string(collector.permission));
  also(got.over_limit, " are over the bound for one reading");
  status.skipped_rows = got.skipped + got.unreadable + got.over_limit;
}

/// What a torn list does not name is not gone. Processes that may not be looked at never are in it, and those beyond the
/// bound of a host that has more always are the same, but for the last: others that are missing have ended.
void tell_gaps(std::string_view collector, const GatheredRows& got, Gaps& gaps) {
  if (got.skipped == 0) return;
  if (collector == "slabinfo") {
    gaps.add(Pool::kSlabReclaimable);
    gaps.add(Pool::kSlabUnreclaimable);
  }
  if (collector == "vmallocinfo") gaps.add(Pool::kVmalloc);
  if (collector == "allocinfo") gaps.add(Pool::kAllocinfo);
  if (collector == "processes") gaps.processes = true;
}

}  // namespace

std::span<const Collector> collectors() { return kTable; }

void parse_linux_frame(const RawFrame& frame, Snapshot& out, SlabMemo* memo) {
  for (const Collector& collector : kTable) {
    const RawPart* const part = frame.find(collector.part);
    if (part == nullptr) continue;
    PartStatus status;
    status.collector = collector.info.name;
    status.seconds = static_cast<double>(part->micros) * 1e-6;
    status.time = part->time;
    if (part->status == no_answer(System::kLinux)) {
      if (!part->bytes.empty()) (void)collector.parse(*part, frame, out, memo);
      tell_no_answer(*part, std::string(collector.path), status);
    } else if (part->status != 0) {
      tell_refused(collector, part->status, status);
    } else if (const auto got = collector.parse(*part, frame, out, memo)) {
      tell_left_out(collector, *got, status);
      tell_gaps(collector.info.name, *got, out.gaps);
    } else {
      status.state = PartState::kFailed;
      status.reason = std::string(collector.path) + ": " + got.error().message;
    }
    out.parts.push_back(std::move(status));
  }
  if (const RawPart* const system = frame.find("kmem/system"); system != nullptr && system->status == 0)
    parse_system(system->bytes, out);
}

}  // namespace kmem::linux
