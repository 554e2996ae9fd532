// STAGE 1: NT's structures as the kernel lays them out, for 4- and 8-byte pointers, independent of the machine that
// reads them: a capture of a 32-bit Windows is understood by a 64-bit Linux. Copy bytes into these, never cast:
// Wine's process entries are unaligned. Sizes and offsets are held by the assertions below.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace kmem::windows {

enum InfoClass : std::uint32_t {
  kBasicClass = 0,
  kPerformanceClass = 2,
  kTimeOfDayClass = 3,
  kProcessClass = 5,
  kModuleClass = 11,
  kHandleClass = 16,
  kFileCacheClass = 21,
  kPoolTagClass = 22,
  kRegistryQuotaClass = 37,
  kHandleExClass = 64,
  kBigPoolClass = 66,
  kSessionPoolTagClass = 67,
  kMemoryListClass = 80,
  kPoolTag2Class = 255,
};

/// SIZE_T or a pointer of a kernel whose pointers have P bytes.
template <int P>
using Word = std::conditional_t<P == 4, std::uint32_t, std::uint64_t>;

template <int P>
struct NtBasic {  // class 0
  std::uint32_t reserved;
  std::uint32_t timer_resolution;
  std::uint32_t page_size;
  std::uint32_t physical_pages;
  std::uint32_t lowest_page;
  std::uint32_t highest_page;
  std::uint32_t allocation_granularity;
  Word<P> minimum_user_address;
  Word<P> maximum_user_address;
  Word<P> affinity;
  std::uint8_t processors;
};
static_assert(sizeof(NtBasic<4>) == 44 && sizeof(NtBasic<8>) == 64);
static_assert(offsetof(NtBasic<4>, page_size) == 8 && offsetof(NtBasic<4>, physical_pages) == 12);
static_assert(offsetof(NtBasic<4>, maximum_user_address) == 32 && offsetof(NtBasic<8>, maximum_user_address) == 40);

/// Class 2 is the same on both widths. It grew: 312 bytes to NT 6.0, 328 in 6.1, 344 from 6.2, 376 since 24H2; what
/// lies beyond the returned length does not exist.
struct NtPerformance {
  std::uint64_t idle_and_io[4];
  std::uint32_t io_operations[3];
  std::uint32_t available_pages;
  std::uint32_t committed_pages;
  std::uint32_t commit_limit;
  std::uint32_t peak_commitment;
  std::uint32_t faults_and_paging[13];
  std::uint32_t paged_pool_pages;
  std::uint32_t nonpaged_pool_pages;
  std::uint32_t paged_pool_allocs;
  std::uint32_t paged_pool_frees;
  std::uint32_t nonpaged_pool_allocs;
  std::uint32_t nonpaged_pool_frees;
  std::uint32_t free_system_ptes;
  std::uint32_t resident_system_code_page;
  std::uint32_t total_system_driver_pages;
  std::uint32_t total_system_code_pages;
  std::uint32_t nonpaged_lookaside_hits;
  std::uint32_t paged_lookaside_hits;
  std::uint32_t available_paged_pool_pages;
  std::uint32_t resident_system_cache_page;
  std::uint32_t resident_paged_pool_page;
  std::uint32_t resident_system_driver_page;
  std::uint32_t cache_manager[34];
  std::uint64_t cache_dirty_pages[2];      // 6.1
  std::uint64_t resident_available_pages;  // 6.2
  std::uint64_t shared_committed_pages;    // 6.2
  std::uint64_t mdl_pages_allocated;       // 24H2, as the rest
  std::uint64_t pfn_database_committed_pages;
  std::uint64_t system_page_table_committed_pages;
  std::uint64_t contiguous_pages_allocated;
};
inline constexpr std::size_t kPerformanceMinimumBytes = 312;
static_assert(sizeof(NtPerformance) == 376);
static_assert(offsetof(NtPerformance, available_pages) == 44 && offsetof(NtPerformance, peak_commitment) == 56);
static_assert(offsetof(NtPerformance, paged_pool_pages) == 112 && offsetof(NtPerformance, free_system_ptes) == 136);
static_assert(offsetof(NtPerformance, nonpaged_lookaside_hits) == 152);
static_assert(offsetof(NtPerformance, resident_paged_pool_page) == 168);
static_assert(offsetof(NtPerformance, resident_system_code_page) == 140);
static_assert(offsetof(NtPerformance, resident_system_cache_page) == 164);
static_assert(offsetof(NtPerformance, resident_system_driver_page) == 172);
static_assert(offsetof(NtPerformance, cache_dirty_pages) == kPerformanceMinimumBytes);
static_assert(offsetof(NtPerformance, resident_available_pages) == 328);
static_assert(offsetof(NtPerformance, system_page_table_committed_pages) == 360);

struct NtTimeOfDay {  // class 3: FILETIMEs; a longer buffer is refused by the kernel
  std::int64_t boot_time;
  std::int64_t current_time;
  std::int64_t time_zone_bias;
  std::uint32_t time_zone_id;
  std::uint32_t reserved;
  std::uint64_t boot_time_bias;
  std::uint64_t sleep_time_bias;
};
static_assert(sizeof(NtTimeOfDay) == 48 && offsetof(NtTimeOfDay, boot_time_bias) == 32);

template <int P>
struct NtUnicodeString {
  std::uint16_t length;  // bytes
  std::uint16_t maximum_length;
  Word<P> buffer;
};
static_assert(sizeof(NtUnicodeString<4>) == 8 && sizeof(NtUnicodeString<8>) == 16);

template <int P>
struct NtProcess {  // class 5; `threads` entries of kThreadBytes<P> follow, then the name
  std::uint32_t next_entry_offset;
  std::uint32_t threads;
  std::int64_t working_set_private;
  std::uint32_t hard_faults;
  std::uint32_t threads_high_water;
  std::uint64_t cycle_time;
  std::int64_t create_time;
  std::int64_t user_time;
  std::int64_t kernel_time;
  NtUnicodeString<P> image_name;
  std::int32_t base_priority;
  Word<P> process_id;
  Word<P> parent_process_id;
  std::uint32_t handles;
  std::uint32_t session_id;
  Word<P> process_key;
  Word<P> peak_virtual_size;
  Word<P> virtual_size;
  std::uint32_t page_faults;
  Word<P> peak_working_set;
  Word<P> working_set;
  Word<P> quota_peak_paged_pool;
  Word<P> quota_paged_pool;
  Word<P> quota_peak_nonpaged_pool;
  Word<P> quota_nonpaged_pool;
  Word<P> pagefile_usage;
  Word<P> peak_pagefile_usage;
  Word<P> private_page_bytes;
  std::int64_t io[6];
};
template <int P>
inline constexpr std::size_t kThreadBytes = P == 4 ? 64 : 80;
static_assert(sizeof(NtProcess<4>) == 184 && sizeof(NtProcess<8>) == 256);
static_assert(offsetof(NtProcess<4>, image_name) == 56 && offsetof(NtProcess<8>, image_name) == 56);
static_assert(offsetof(NtProcess<4>, process_id) == 68 && offsetof(NtProcess<8>, process_id) == 80);
static_assert(offsetof(NtProcess<4>, handles) == 76 && offsetof(NtProcess<8>, handles) == 96);
static_assert(offsetof(NtProcess<4>, working_set) == 104 && offsetof(NtProcess<8>, working_set) == 144);
static_assert(offsetof(NtProcess<4>, quota_paged_pool) == 112 && offsetof(NtProcess<8>, quota_paged_pool) == 160);
static_assert(offsetof(NtProcess<4>, quota_nonpaged_pool) == 120 && offsetof(NtProcess<8>, quota_nonpaged_pool) == 176);
static_assert(offsetof(NtProcess<4>, private_page_bytes) == 132 && offsetof(NtProcess<8>, private_page_bytes) == 200);

template <int P>
struct NtModule {  // class 11: a u32 count, then entries at offset P
  Word<P> reserved[2];
  Word<P> image_base;
  std::uint32_t image_bytes;
  std::uint32_t flags;
  std::uint16_t load_order;
  std::uint16_t init_order;
  std::uint16_t load_count;
  std::uint16_t name_offset;
  char full_path_name[256];
};
static_assert(sizeof(NtModule<4>) == 284 && sizeof(NtModule<8>) == 296);
static_assert(offsetof(NtModule<4>, full_path_name) == 28 && offsetof(NtModule<8>, full_path_name) == 40);

template <int P>
struct NtFileCache {  // class 21
  Word<P> current_size;
  Word<P> peak_size;
  std::uint32_t page_faults;
  Word<P> minimum_working_set;
  Word<P> maximum_working_set;
  Word<P> current_with_transition_pages;
  Word<P> peak_with_transition_pages;
  std::uint32_t transition_repurposed;
  std::uint32_t flags;
};
static_assert(sizeof(NtFileCache<4>) == 36 && sizeof(NtFileCache<8>) == 64);
static_assert(offsetof(NtFileCache<4>, current_with_transition_pages) == 20);
static_assert(offsetof(NtFileCache<8>, current_with_transition_pages) == 40);

/// Class 22: a u32 count, then entries at offset P. Counters are 32 bit on both widths.
template <int P>
struct NtPoolTag {
  using Counter = std::uint32_t;
  std::uint32_t tag;
  Counter paged_allocs;
  Counter paged_frees;
  Word<P> paged_used;
  Counter nonpaged_allocs;
  Counter nonpaged_frees;
  Word<P> nonpaged_used;
};
static_assert(sizeof(NtPoolTag<4>) == 28 && sizeof(NtPoolTag<8>) == 40);
static_assert(offsetof(NtPoolTag<8>, paged_used) == 16 && offsetof(NtPoolTag<8>, nonpaged_allocs) == 24);
static_assert(offsetof(NtPoolTag<4>, nonpaged_used) == 24 && offsetof(NtPoolTag<8>, nonpaged_used) == 32);

/// Class 255 (since 26H1): the same table with counters of pointer width.
template <int P>
struct NtPoolTag2 {
  using Counter = Word<P>;
  std::uint32_t tag;
  Counter paged_allocs;
  Counter paged_frees;
  Word<P> paged_used;
  Counter nonpaged_allocs;
  Counter nonpaged_frees;
  Word<P> nonpaged_used;
};
static_assert(sizeof(NtPoolTag2<4>) == 28 && sizeof(NtPoolTag2<8>) == 56);
static_assert(offsetof(NtPoolTag2<8>, paged_allocs) == 8 && offsetof(NtPoolTag2<8>, nonpaged_used) == 48);

/// Class 67: blocks of this head and `count` entries of NtPoolTag<P>, chained by relative offsets.
template <int P>
struct NtSessionPoolTags {
  Word<P> next_entry_offset;
  std::uint32_t session_id;
  std::uint32_t count;
};
static_assert(sizeof(NtSessionPoolTags<4>) == 12 && sizeof(NtSessionPoolTags<8>) == 16);

/// A tag's highest bit: who frees must name it, too.
inline constexpr std::uint32_t kProtectedPool = 0x80000000;

template <int P>
struct NtBigPool {  // class 66: a u32 count, then entries at offset P
  Word<P> address;  // bit 0: nonpaged
  Word<P> size;
  std::uint32_t tag;
};
static_assert(sizeof(NtBigPool<4>) == 12 && sizeof(NtBigPool<8>) == 24 && offsetof(NtBigPool<8>, tag) == 16);

template <int P>
struct NtHandle {  // class 16: a u32 count, then entries at offset P
  std::uint16_t process_id;
  std::uint16_t back_trace_index;
  std::uint8_t type_index;
  std::uint8_t attributes;
  std::uint16_t handle;
  Word<P> object;
  std::uint32_t granted_access;
};
static_assert(sizeof(NtHandle<4>) == 16 && sizeof(NtHandle<8>) == 24 && offsetof(NtHandle<8>, type_index) == 4);

template <int P>
struct NtHandleEx {  // class 64: a count and a reserved word, then entries
  Word<P> object;
  Word<P> process_id;
  Word<P> handle;
  std::uint32_t granted_access;
  std::uint16_t back_trace_index;
  std::uint16_t type_index;
  std::uint32_t attributes;
  std::uint32_t reserved;
};
static_assert(sizeof(NtHandleEx<4>) == 28 && sizeof(NtHandleEx<8>) == 40);
static_assert(offsetof(NtHandleEx<4>, type_index) == 18 && offsetof(NtHandleEx<8>, type_index) == 30);

/// NtQueryObject's ObjectTypesInformation (3): a u32 count, then entries at offset P; behind each its name in UTF-16,
/// maximum_length bytes, rounded up to P.
template <int P>
struct NtObjectType {
  NtUnicodeString<P> type_name;
  std::uint32_t objects;
  std::uint32_t handles;
  std::uint32_t usage_and_highs[10];
  std::uint32_t invalid_attributes;
  std::uint32_t generic_mapping[4];
  std::uint32_t valid_access;
  std::uint8_t security_required;
  std::uint8_t maintain_handle_count;
  std::uint8_t type_index;  // 8.1; 0 before
  std::uint8_t reserved;
  std::uint32_t pool_type;
  std::uint32_t paged_charge;
  std::uint32_t nonpaged_charge;
};
static_assert(sizeof(NtObjectType<4>) == 96 && sizeof(NtObjectType<8>) == 104);
static_assert(offsetof(NtObjectType<4>, type_index) == 82 && offsetof(NtObjectType<8>, type_index) == 90);

template <int P>
struct NtMemoryLists {  // class 80, in pages; from Windows 8 on a word more at its end: modified for the page file
  Word<P> zero;
  Word<P> free;
  Word<P> modified;
  Word<P> modified_no_write;
  Word<P> bad;
  Word<P> standby[8];     // by priority
  Word<P> repurposed[8];  // since boot, by priority
};
static_assert(sizeof(NtMemoryLists<4>) == 84 && sizeof(NtMemoryLists<8>) == 168);

struct NtMemoryStatus {  // MEMORYSTATUSEX, the same on both widths, in bytes
  std::uint32_t length;
  std::uint32_t load_percent;
  std::uint64_t physical;
  std::uint64_t available_physical;
  std::uint64_t page_file;  // the commit limit
  std::uint64_t available_page_file;
  std::uint64_t virtual_space[3];  // of the program that asks
};
static_assert(sizeof(NtMemoryStatus) == 64);

template <int P>
struct NtRegistryQuota {  // class 37
  std::uint32_t allowed;
  std::uint32_t used;
  Word<P> paged_pool_size;
};
static_assert(sizeof(NtRegistryQuota<4>) == 12 && sizeof(NtRegistryQuota<8>) == 16);

}  // namespace kmem::windows
