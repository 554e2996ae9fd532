#include "collectors/windows/limits.h"

#include <algorithm>
#include <array>
#include <string>

namespace kmem::windows {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
constexpr std::uint64_t kTiB = std::uint64_t{1} << 40;
constexpr std::uint64_t kAddressSpace32 = 4 * kGiB;
constexpr std::uint64_t kUnbounded = ~std::uint64_t{0};

// --- what the rows of the table compute

bool is_3gb(const LimitFacts& facts) { return facts.user_bytes > 2 * kGiB; }

/// What x86 leaves to the kernel.
std::uint64_t kernel_space(const LimitFacts& facts) {
  return kAddressSpace32 - std::clamp(facts.user_bytes, 2 * kGiB, 3 * kGiB);
}

std::uint64_t three_quarters(const LimitFacts& facts) { return facts.physical_bytes / 4 * 3; }
std::uint64_t commit(const LimitFacts& facts) { return facts.commit_limit_bytes.value_or(kUnbounded); }

template <std::uint64_t kBytes>
std::uint64_t always(const LimitFacts&) {
  return kBytes;
}

template <std::uint64_t kCap>
std::uint64_t memory_up_to(const LimitFacts& facts) {
  return std::min(facts.physical_bytes, kCap);
}

template <std::uint64_t kCap>
std::uint64_t three_quarters_up_to(const LimitFacts& facts) {
  return std::min(three_quarters(facts), kCap);
}

template <std::uint64_t kCap>
std::uint64_t commit_up_to(const LimitFacts& facts) {
  return std::min(commit(facts), kCap);
}

std::uint64_t dynamic_nonpaged_x86(const LimitFacts& facts) {
  return std::min({three_quarters(facts), 2 * kGiB, kernel_space(facts)});
}
std::uint64_t dynamic_paged_x86(const LimitFacts& facts) { return std::min({commit(facts), 2 * kGiB, kernel_space(facts)}); }

/// 128 MB at 512 MB of memory, 256 MB from 1.2 GB on, 128 MB with /3GB; below, a quarter, at least 32 MB.
std::uint64_t early_nonpaged_x86(const LimitFacts& facts) {
  constexpr std::uint64_t kFrom = 512 * kMiB, kTo = 1229 * kMiB;
  const std::uint64_t memory = facts.physical_bytes;
  std::uint64_t bytes = 256 * kMiB;
  if (memory <= kFrom) {
    bytes = std::clamp(memory / 4, 32 * kMiB, 128 * kMiB);
  } else if (memory < kTo) {
    bytes = 128 * kMiB + (memory - kFrom) * (128 * kMiB / kMiB) / ((kTo - kFrom) / kMiB);
  }
  return is_3gb(facts) ? std::min(bytes, 128 * kMiB) : bytes;
}
std::uint64_t early_nonpaged_x86_most(const LimitFacts& facts) { return is_3gb(facts) ? 128 * kMiB : 256 * kMiB; }

std::uint64_t early_nonpaged_x64(const LimitFacts& facts) {
  return std::min(facts.physical_bytes / kMiB * 400 * 1024, 128 * kGiB);
}
std::uint64_t early_paged_x64(const LimitFacts& facts) { return std::min(4 * early_nonpaged_x64(facts), 128 * kGiB); }

/// Published sizes of machines that nobody tuned: up to 1 GB of memory, above, and with /3GB.
template <std::uint64_t kSmall, std::uint64_t kLarge, std::uint64_t k3gb>
std::uint64_t untuned(const LimitFacts& facts) {
  if (is_3gb(facts)) return k3gb;
  return facts.physical_bytes <= kGiB ? kSmall : kLarge;
}

struct Rule {
  Pool pool;
  Machine machine;
  std::uint32_t from, to;  // versions, major x 100 + minor
  std::string_view name;
  std::uint64_t (*usual)(const LimitFacts&);  // what the kernel takes by itself
  std::uint64_t (*most)(const LimitFacts&);   // what the registry can make of it
};

// Sources: "Pushing the Limits of Windows: Paged and Nonpaged Pool" (R), Microsoft's "Memory Limits for Windows
// Releases" (M), "Description of the kernel memory area in Windows NT" (K), and what Microsoft's support published of
// untuned servers (S).
constexpr Pool kP = Pool::kPaged, kN = Pool::kNonpaged;
constexpr std::uint32_t kAnyLater = 99'999;
constexpr std::array kRules = std::to_array<Rule>({
    {kN, Machine::kX86, 400, 400, "nt4_x86", always<128 * kMiB>, always<128 * kMiB>},
    {kP, Machine::kX86, 400, 400, "nt4_x86", always<192 * kMiB>, always<192 * kMiB>},
    // Nonpaged: R. With /3GB always 128 MB.
    {kN, Machine::kX86, 500, 502, "2000_2003_x86", early_nonpaged_x86, early_nonpaged_x86_most},
    // Paged, most: K 470 MB, M 350: the higher one, for the registry reaches it. Usual: S.
    {kP, Machine::kX86, 500, 500, "2000_x86", untuned<264 * kMiB, 340 * kMiB, 158 * kMiB>, always<470 * kMiB>},
    // Most: R 491 MB, M 490, K 470: R, who read it from kernels. Usual: S; R's machine of 2 GB had 360.
    {kP, Machine::kX86, 501, 501, "xp_x86", untuned<168 * kMiB, 360 * kMiB, 158 * kMiB>, always<491 * kMiB>},
    // Most: R and K 650 MB, M 530: two against one. Usual: S.
    {kP, Machine::kX86, 502, 502, "2003_x86", untuned<168 * kMiB, 352 * kMiB, 158 * kMiB>, always<650 * kMiB>},
    // R and M agree.
    {kN, Machine::kX64, 501, 502, "xp_2003_x64", early_nonpaged_x64, early_nonpaged_x64},
    {kP, Machine::kX64, 501, 502, "xp_2003_x64", early_paged_x64, early_paged_x64},
    // From here on x86 has one address space for all, and so one rule: R.
    {kN, Machine::kX86, 600, kAnyLater, "vista_and_later_x86", dynamic_nonpaged_x86, dynamic_nonpaged_x86},
    {kP, Machine::kX86, 600, kAnyLater, "vista_and_later_x86", dynamic_paged_x86, dynamic_paged_x86},
    // R 75 % of memory, M 40 % for Vista: R, who showed a machine. Both 75 % for 7 and 2008 R2.
    {kN, Machine::kX64, 600, 601, "vista_7_x64", three_quarters_up_to<128 * kGiB>, three_quarters_up_to<128 * kGiB>},
    {kP, Machine::kX64, 600, 601, "vista_7_x64", commit_up_to<128 * kGiB>, commit_up_to<128 * kGiB>},
    // R twice the memory, M the memory: M. R's is address space; nonpaged pool is always in memory.
    {kN, Machine::kX64, 602, 602, "8_2012_x64", memory_up_to<128 * kGiB>, memory_up_to<128 * kGiB>},
    {kP, Machine::kX64, 602, 602, "8_2012_x64", commit_up_to<384 * kGiB>, commit_up_to<384 * kGiB>},
    // M prints 8.1 and 2012 R2; what followed has the same address space.
    {kN, Machine::kX64, 603, kAnyLater, "8.1_and_later_x64", memory_up_to<16 * kTiB>, memory_up_to<16 * kTiB>},
    {kP, Machine::kX64, 603, kAnyLater, "8.1_and_later_x64", commit_up_to<31 * kTiB / 2>, commit_up_to<31 * kTiB / 2>},
});

const Rule* find_rule(Pool pool, const SystemFacts& system) {
  const auto rule = std::find_if(kRules.begin(), kRules.end(), [&](const Rule& row) {
    return row.pool == pool && row.machine == system.machine && row.from <= system.version() && system.version() <= row.to;
  });
  return rule == kRules.end() ? nullptr : &*rule;
}

// --- what goes before the table

constexpr std::uint32_t kDynamicPools = 600;  // the first version that sizes its pools as it runs

/// Class 37 tells the paged pool's size up to 5.2. Later its meaning is unconfirmed; Wine and ReactOS answer 2 MiB.
bool is_trusted_quota(const LimitFacts& facts, std::uint64_t most) {
  constexpr std::uint64_t kLeast = 24 * kMiB, kRounding = 4 * kMiB;
  const std::uint64_t told = facts.quota_paged_bytes.value_or(0);
  return facts.system.version() < kDynamicPools && told >= kLeast && told % 4096 == 0 && told <= most + kRounding &&
         told >= facts.paged_bytes.value_or(0);
}

std::optional<PoolLimit> by_size_setting(Pool pool, const LimitFacts& facts, std::uint64_t most) {
  const bool paged = pool == Pool::kPaged;
  const auto& size = paged ? facts.settings.paged_pool_size : facts.settings.nonpaged_pool_size;
  if (facts.system.version() >= kDynamicPools || size.value_or(0) == 0) return std::nullopt;
  // PagedPoolSize is of use on x86 only; there any size beyond 512 MB asks for the maximum.
  if (paged && facts.system.machine != Machine::kX86) return std::nullopt;
  const std::uint64_t asked = paged && *size > 512 * kMiB ? kUnbounded : *size;
  const std::uint64_t memory_bound = paged ? kUnbounded : facts.physical_bytes / 5 * 4;
  return PoolLimit{std::min({asked, most, memory_bound}), "registry", paged ? "PagedPoolSize" : "NonPagedPoolSize"};
}

/// x86 from Vista SP1 and 2008 on: megabytes, rounded up to what one page directory entry maps with PAE.
void apply_limit_setting(Pool pool, const LimitFacts& facts, PoolLimit& limit) {
  constexpr std::uint32_t kVistaSp1Build = 6001;
  constexpr std::uint64_t kStep = 2 * kMiB;
  const bool paged = pool == Pool::kPaged;
  const auto& megabytes = paged ? facts.settings.paged_pool_limit_mb : facts.settings.nonpaged_pool_limit_mb;
  if (facts.system.machine != Machine::kX86 || facts.system.version() < kDynamicPools || facts.system.build < kVistaSp1Build ||
      megabytes.value_or(0) == 0)
    return;
  const std::uint64_t bytes = (*megabytes * kMiB + kStep - 1) / kStep * kStep;
  if (bytes < limit.bytes) limit = {bytes, "registry", paged ? "PagedPoolLimit" : "NonPagedPoolLimit"};
}

std::optional<PoolLimit> limit_of(Pool pool, const LimitFacts& facts) {
  const Rule* const rule = find_rule(pool, facts.system);
  if (rule == nullptr || facts.physical_bytes == 0) return std::nullopt;
  const std::uint64_t most = rule->most(facts);
  PoolLimit limit{rule->usual(facts), "estimate", std::string(rule->name)};
  if (const auto set = by_size_setting(pool, facts, most)) limit = *set;
  if (pool == Pool::kPaged && is_trusted_quota(facts, most)) limit = {*facts.quota_paged_bytes, "kernel", "registry_quota"};
  apply_limit_setting(pool, facts, limit);
  // In use beyond: then it was wrong, and the largest that the version allows is the next best.
  const std::uint64_t used = (pool == Pool::kPaged ? facts.paged_bytes : facts.nonpaged_bytes).value_or(0);
  if (used > limit.bytes) limit = {most, "estimate", std::string(rule->name) + "_most"};
  limit.bytes = std::min(limit.bytes, commit(facts));
  if (used > limit.bytes || limit.bytes == kUnbounded) return std::nullopt;
  return limit;
}

/// 2000 to 2003 begin to trim paged pool and file cache at a share of the paged pool's maximum.
std::optional<std::uint64_t> trim_threshold(const LimitFacts& facts, const std::optional<PoolLimit>& paged) {
  constexpr std::uint32_t kUsualPercent = 80;
  if (!paged || facts.system.version() < 500 || facts.system.version() >= kDynamicPools) return std::nullopt;
  const std::uint32_t set = facts.settings.pool_usage_maximum.value_or(0);
  // Where the estimate is refuted, the maximum is anything from what is in use to the most of this version. The threshold
  // is that of the least of them: it does not leap away from a pool that has just reached it.
  std::uint64_t maximum = paged->bytes;
  if (paged->rule.ends_with("_most")) maximum = std::min(maximum, facts.paged_bytes.value_or(0));
  return maximum * (set >= 1 && set <= 100 ? set : kUsualPercent) / 100;
}

}  // namespace

PoolLimits pool_limits(const LimitFacts& facts) {
  PoolLimits limits;
  if (facts.system.wine) return limits;
  limits.paged = limit_of(Pool::kPaged, facts);
  limits.nonpaged = limit_of(Pool::kNonpaged, facts);
  limits.paged_trim_bytes = trim_threshold(facts, limits.paged);
  return limits;
}

LimitSettings limit_settings(std::span<const Setting> settings) {
  const auto value = [settings](std::string_view name) -> std::optional<std::uint32_t> {
    for (const Setting& setting : settings)
      if (setting.name == name) return static_cast<std::uint32_t>(setting.value);
    return std::nullopt;
  };
  return {value("PagedPoolSize"), value("NonPagedPoolSize"), value("PagedPoolLimit"), value("NonPagedPoolLimit"),
          value("PoolUsageMaximum")};
}

void limit_by_settings(Snapshot& snapshot, std::span<const Setting> settings) {
  if (!snapshot.os) return;
  const OsInfo& os = *snapshot.os;
  const auto system = parse_system_facts("version=" + os.version + "." + os.build + "\nmachine=" + os.architecture + "\n");
  if (!system) return;
  LimitFacts facts;
  facts.system = *system;
  facts.physical_bytes = snapshot.physical_memory_bytes.value_or(0);
  facts.user_bytes = std::max(facts.user_bytes, snapshot.user_address_space_bytes.value_or(0));
  facts.commit_limit_bytes = snapshot.commit_limit_bytes;
  facts.settings = limit_settings(settings);
  for (const PoolTotals& pool : snapshot.pools) {
    const bool paged = pool.pool == Pool::kPaged;
    (paged ? facts.paged_bytes : facts.nonpaged_bytes) = pool.bytes;
    if (paged && pool.limit && pool.limit->source == "kernel") facts.quota_paged_bytes = pool.limit->bytes;
  }
  PoolLimits limits = pool_limits(facts);
  for (PoolTotals& pool : snapshot.pools) {
    if (!pool.limit) continue;
    pool.limit = std::move(pool.pool == Pool::kPaged ? limits.paged : limits.nonpaged);
    if (pool.pool == Pool::kPaged) pool.trim_threshold_bytes = limits.paged_trim_bytes;
  }
}

std::set<std::string_view> limit_rules() {
  std::set<std::string_view> names;
  for (const Rule& rule : kRules) names.insert(rule.name);
  return names;
}

}  // namespace kmem::windows
