#include "collectors/windows/windows_parse.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <string>
#include <utility>

#include "collectors/base/byte_reader.h"
#include "collectors/no_answer.h"
#include "collectors/windows/basic_info.h"
#include "collectors/windows/big_pool.h"
#include "collectors/windows/event_tail.h"
#include "collectors/windows/file_cache_info.h"
#include "collectors/windows/limits.h"
#include "collectors/windows/memory_lists.h"
#include "collectors/windows/nt_layout.h"
#include "collectors/windows/nt_status.h"
#include "collectors/windows/object_handles.h"
#include "collectors/windows/performance_info.h"
#include "collectors/windows/pool_tag_info.h"
#include "collectors/windows/process_info.h"
#include "collectors/windows/registry.h"
#include "collectors/windows/session_pool_tags.h"
#include "collectors/windows/time_of_day_info.h"
#include "collectors/windows/unaccounted.h"

namespace kmem::windows {

namespace {

using base::Result;

std::span<const std::byte> bytes_of(const RawPart& part) { return std::as_bytes(std::span(part.bytes)); }

bool is_denied(NtStatus nt) { return nt == kStatusAccessDenied || nt == kStatusPrivilegeNotHeld; }

/// Of a table that grows (it has its bound) a wrong length means too long; of the others only another one.
bool is_table(std::string_view part) {
  for (const std::string_view table : {"nt/5", "nt/22", "nt/255", "nt/67", "kmem/big_pool", "kmem/object_handles"})
    if (part == table) return true;
  return false;
}

std::string_view refusal_words(std::string_view part, NtStatus nt) {
  if (is_unsupported(nt)) return "this kernel does not have it";
  if (is_denied(nt)) return "access denied";
  if (nt != kStatusLengthMismatch) return "the kernel refused";
  return is_table(part) ? "the answer is longer than this program reads"
                        : "the answer is of another length than this program asks for";
}

void set_refused(PartStatus& status, const RawPart& part) {
  const auto nt = static_cast<NtStatus>(part.status);
  status.state = is_unsupported(nt) ? PartState::kUnsupported : PartState::kFailed;
  status.reason = std::string(refusal_words(part.name, nt)) + ", status " + status_text(nt);
}

void set_outcome(PartStatus& status, const Result<std::uint64_t>& skipped) {
  if (!skipped) {
    status.state = PartState::kFailed;
    status.reason = skipped.error().message;
  } else if (*skipped != 0) {
    status.state = PartState::kPartial;
    status.skipped_rows = *skipped;
    status.reason = "torn or damaged rows: " + std::to_string(*skipped);
  }
}

/// Runs `parse` (bytes -> rows skipped) on an answered part and records how the collector went.
template <typename Parse>
void collect(const RawPart* part, std::string_view collector, Snapshot& out, Parse parse) {
  if (part == nullptr) return;
  PartStatus status;
  status.collector = collector;
  status.seconds = static_cast<double>(part->micros) * 1e-6;
  status.time = part->time;
  if (part->status == no_answer(System::kWindows)) {
    if (!part->bytes.empty()) (void)parse(bytes_of(*part));
    tell_no_answer(*part, "the kernel", status);
  } else if (part->status != 0) {
    set_refused(status, *part);
  } else {
    set_outcome(status, parse(bytes_of(*part)));
    // What a torn list does not name is not gone.
    const bool is_torn = status.state == PartState::kPartial;
    if (is_torn && collector == "pool_tags")
      for (const Pool pool : {Pool::kPaged, Pool::kNonpaged}) out.gaps.add(pool);
    if (is_torn && collector == "processes") out.gaps.processes = true;
  }
  out.parts.push_back(std::move(status));
}

/// What only some accounts may read is no failure of this one.
void excuse_refusal(const RawPart* part, Snapshot& out) {
  if (part == nullptr) return;
  if (is_denied(static_cast<NtStatus>(part->status))) out.parts.back().state = PartState::kUnsupported;
}

std::optional<std::uint64_t> buffer_address(const RawFrame& frame) {
  const RawPart* const part = frame.find("nt/5.base");
  if (part == nullptr) return std::nullopt;
  std::uint64_t address = 0;
  const char* const end = part->bytes.data() + part->bytes.size();
  const auto parsed = std::from_chars(part->bytes.data(), end, address);
  return parsed.ec == std::errc{} && parsed.ptr == end ? std::optional(address) : std::nullopt;
}

void fill_performance(const PerformanceInfo& info, std::uint64_t page_bytes, Snapshot& out) {
  const auto in_bytes = [page_bytes](std::optional<std::uint64_t> pages) {
    return pages ? std::optional(*pages * page_bytes) : std::nullopt;
  };
  out.available_bytes = in_bytes(info.available_pages);
  out.commit_bytes = in_bytes(info.committed_pages);
  out.commit_limit_bytes = in_bytes(info.commit_limit_pages);
  out.commit_peak_bytes = in_bytes(info.commit_peak_pages);
  out.page_table_bytes = in_bytes(info.system_page_table_pages);
  out.system_ptes_free = info.free_system_ptes;
  const auto kept = [&](std::string_view kind, std::optional<std::uint64_t> pages) {
    if (pages) out.kernel_memory.push_back({kind, *pages * page_bytes});
  };
  kept("cache_resident", info.resident_cache_pages);
  kept("cache_dirty", info.dirty_cache_pages);
  kept("driver_resident", info.resident_driver_pages);
  kept("driver", info.driver_pages);
  kept("code_resident", info.resident_code_pages);
  kept("resident_available", info.resident_available_pages);
  kept("shared_commit", info.shared_commit_pages);
  kept("mdl", info.mdl_pages);
  kept("pfn_database", info.pfn_database_pages);
  kept("contiguous", info.contiguous_pages);
  if (!info.has_pools) return;
  for (const auto& [pool, pages] : {std::pair(Pool::kPaged, &info.paged), std::pair(Pool::kNonpaged, &info.nonpaged)})
    out.pools.push_back({pool, in_bytes(pages->pages), in_bytes(pages->resident_pages), pages->allocations, pages->frees,
                         pages->lookaside_hits});
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Of a 32-bit program on a 64-bit kernel it is cut off, and so is none.
std::optional<std::uint64_t> quota_paged_bytes(const RawFrame& frame, Machine machine) {
  const RawPart* const part = frame.find("nt/37");
  if (part == nullptr || part->status != 0) return std::nullopt;
  const base::ByteReader reader(bytes_of(*part));
  if (frame.pointer_bytes == 8) return reader.read<std::uint64_t>(offsetof(NtRegistryQuota<8>, paged_pool_size));
  if (machine != Machine::kX86) return std::nullopt;
  return reader.read<std::uint32_t>(offsetof(NtRegistryQuota<4>, paged_pool_size));
}

/// `maximum_user_address` is of the program that asked: only on x86 does it tell where the kernel begins.
void set_limits(const RawFrame& frame, const SystemFacts& system, std::uint64_t maximum_user_address, Snapshot& out) {
  constexpr std::uint64_t kMiB = 1 << 20;
  LimitFacts facts;
  facts.system = system;
  facts.physical_bytes = out.physical_memory_bytes.value_or(0);
  if (system.machine == Machine::kX86 && maximum_user_address != 0) {
    out.user_address_space_bytes = std::min<std::uint64_t>((maximum_user_address + kMiB) / kMiB, 3072) * kMiB;
    if (maximum_user_address >> 31 != 0) facts.user_bytes = *out.user_address_space_bytes;
  }
  facts.commit_limit_bytes = out.commit_limit_bytes;
  facts.quota_paged_bytes = quota_paged_bytes(frame, system.machine);
  facts.settings = limit_settings(out.settings);
  for (const PoolTotals& pool : out.pools) (pool.pool == Pool::kPaged ? facts.paged_bytes : facts.nonpaged_bytes) = pool.bytes;
  // 2003 as first released counted these wrongly; more than the kernel has room for cannot be.
  const std::uint64_t kernel_bytes = (std::uint64_t{4} << 30) - facts.user_bytes;
  if (system.machine == Machine::kX86 && out.system_ptes_free > page_table_entries(kernel_bytes)) out.system_ptes_free.reset();
  PoolLimits limits = pool_limits(facts);
  for (PoolTotals& pool : out.pools) {
    if (!pool.bytes) continue;
    pool.limit = std::move(pool.pool == Pool::kPaged ? limits.paged : limits.nonpaged);
    if (pool.pool == Pool::kPaged) pool.trim_threshold_bytes = limits.paged_trim_bytes;
  }
}

/// Class 2 counts available and committed pages in 32 bits, class 0 the physical ones: 16 TB. This is told in bytes.
void take_memory_status(const MemoryStatus& status, std::uint64_t page_bytes, Snapshot& out) {
  const bool beyond = status.physical_bytes / page_bytes > 0xFFFF'FFFFULL;
  const auto take = [beyond](std::optional<std::uint64_t>& into, std::uint64_t bytes) {
    if (beyond || !into) into = bytes;
  };
  take(out.physical_memory_bytes, status.physical_bytes);
  take(out.available_bytes, status.available_bytes);
  if (status.commit_limit_bytes < status.commit_left_bytes || status.commit_limit_bytes == 0) return;
  take(out.commit_limit_bytes, status.commit_limit_bytes);
  take(out.commit_bytes, status.commit_limit_bytes - status.commit_left_bytes);
}

/// A page is in one list. Bad ones may be outside of what counts as memory.
bool fits_memory(const std::vector<MemoryList>& lists, std::uint64_t physical_bytes) {
  std::uint64_t left = physical_bytes;
  for (const MemoryList& list : lists) {
    if (list.name == "bad") continue;
    if (list.bytes > left) return false;
    left -= list.bytes;
  }
  return true;
}

void collect_memory_lists(const RawFrame& frame, std::uint64_t page_bytes, Snapshot& out) {
  std::optional<MemoryStatus> status;
  if (const RawPart* const part = frame.find("kmem/memory_status"); part != nullptr && part->status == 0)
    if (const auto parsed = parse_memory_status(bytes_of(*part))) status = *parsed;
  const std::uint64_t physical = std::max(out.physical_memory_bytes.value_or(0), status ? status->physical_bytes : 0);
  collect(frame.find("nt/80"), "memory_lists", out, [&](std::span<const std::byte> bytes) -> Result<std::uint64_t> {
    auto lists = parse_memory_lists(bytes, frame.pointer_bytes, static_cast<std::uint32_t>(page_bytes));
    if (!lists) return lists.error();
    if (physical != 0 && !fits_memory(*lists, physical))
      return base::Error{base::ErrorCode::kMalformed, "memory lists of an unknown layout: they hold more than there is memory"};
    out.memory_lists = std::move(*lists);
    return std::uint64_t{0};
  });
  excuse_refusal(frame.find("nt/80"), out);
  if (status) take_memory_status(*status, page_bytes, out);
}

void collect_pool_tags(const RawFrame& frame, Snapshot& out) {
  const RawPart* const wide = frame.find("nt/255");
  const RawPart* const narrow = frame.find("nt/22");
  const bool use_wide = wide != nullptr && (narrow == nullptr || wide->status == 0);
  collect(use_wide ? wide : narrow, "pool_tags", out, [&](std::span<const std::byte> bytes) {
    return parse_pool_tags(bytes, use_wide ? kPoolTag2Class : kPoolTagClass, frame.pointer_bytes, out.tags);
  });
}

}  // namespace

void parse_windows_frame(const RawFrame& frame, Snapshot& out) {
  constexpr std::uint32_t kUsualPageBytes = 4096;
  std::uint32_t page_bytes = is_page_size(frame.page_bytes) ? frame.page_bytes : kUsualPageBytes;
  std::uint64_t maximum_user_address = 0;

  collect(frame.find("nt/0"), "basic", out, [&](std::span<const std::byte> bytes) -> Result<std::uint64_t> {
    const auto info = parse_basic(bytes);
    if (!info) return info.error();
    page_bytes = info->page_bytes;
    maximum_user_address = info->maximum_user_address;
    out.physical_memory_bytes = info->physical_pages * page_bytes;
    return std::uint64_t{0};
  });
  PerformanceInfo performance;
  collect(frame.find("nt/2"), "performance", out, [&](std::span<const std::byte> bytes) -> Result<std::uint64_t> {
    const auto info = parse_performance(bytes);
    if (!info) return info.error();
    fill_performance(*info, page_bytes, out);
    performance = *info;
    return std::uint64_t{0};
  });
  collect(frame.find("nt/3"), "time_of_day", out, [&](std::span<const std::byte> bytes) -> Result<std::uint64_t> {
    const auto boot = parse_boot_time(bytes);
    if (!boot) return boot.error();
    out.boot_time = *boot;
    return std::uint64_t{0};
  });
  collect(frame.find("nt/21"), "file_cache", out, [&](std::span<const std::byte> bytes) -> Result<std::uint64_t> {
    const auto info = parse_file_cache(bytes, frame.pointer_bytes, page_bytes);
    if (!info) return info.error();
    out.file_cache_bytes = info->bytes;
    out.file_cache_peak_bytes = info->peak_bytes;
    return std::uint64_t{0};
  });
  collect(frame.find("nt/5"), "processes", out, [&](std::span<const std::byte> bytes) {
    return parse_processes(bytes, frame.pointer_bytes, buffer_address(frame), out.processes);
  });
  collect_pool_tags(frame, out);
  collect(frame.find("kmem/big_pool"), "big_pool", out, [&](std::span<const std::byte> bytes) {
    auto skipped = parse_big_pool(text_of(bytes), out.tags, out.big_pool);
    std::stable_sort(out.big_pool.begin(), out.big_pool.end(),
                     [](const BigPoolUsage& a, const BigPoolUsage& b) { return a.key < b.key; });
    return skipped;
  });
  excuse_refusal(frame.find("kmem/big_pool"), out);
  collect_memory_lists(frame, page_bytes, out);
  collect(frame.find("kmem/object_handles"), "object_handles", out,
          [&](std::span<const std::byte> bytes) { return parse_handle_counts(text_of(bytes), out.object_handles); });
  excuse_refusal(frame.find("kmem/object_handles"), out);
  out.unaccounted_bytes = unaccounted_bytes(out, performance, page_bytes);
  collect(frame.find("nt/67"), "session_pool_tags", out, [&](std::span<const std::byte> bytes) {
    return parse_session_pool_tags(bytes, frame.pointer_bytes, out.session_tags);
  });
  collect(frame.find("kmem/registry"), "settings", out, [&](std::span<const std::byte> bytes) -> Result<std::uint64_t> {
    return parse_registry_text(text_of(bytes), out.settings);
  });
  collect(frame.find("kmem/system"), "limits", out, [&](std::span<const std::byte> bytes) -> Result<std::uint64_t> {
    const auto system = parse_system_facts(text_of(bytes));
    if (!system) return system.error();
    out.os = OsInfo{system->product, std::to_string(system->major) + "." + std::to_string(system->minor),
                    std::to_string(system->build), system->architecture};
    set_limits(frame, *system, maximum_user_address, out);
    return std::uint64_t{0};
  });
  collect(frame.find("kmem/events"), "events", out,
          [&](std::span<const std::byte> bytes) -> Result<std::uint64_t> { return parse_events(text_of(bytes), out); });
}

}  // namespace kmem::windows
