#include "exporter/trend/subject.h"

#include <array>

namespace kmem::trend {
namespace {

struct VerdictNames {
  std::string_view name, word;
};
constexpr std::array<VerdictNames, kVerdictCount> kVerdictNames = {
    {{"ok", "ok"}, {"watch", "watch"}, {"leak", "LEAK"}, {"surge", "SURGE"}}};

}  // namespace

std::string_view kind_name(Kind kind) {
  static constexpr std::array<std::string_view, kKindCount> kNames = {
      "tag", "pool", "system_ptes", "commit", "handles", "unaccounted", "available_memory", "commit_limit"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view pool_name_of(Kind kind, Pool pool) { return has_pool(kind) ? pool_name(pool) : std::string_view(); }

bool has_pool(Kind kind) { return kind == Kind::kTag || kind == Kind::kPool; }

bool counts_bytes(Kind kind) { return kind != Kind::kSystemPtes && kind != Kind::kHandles; }

bool counts_down(Kind kind) { return kind == Kind::kSystemPtes || is_room(kind); }

bool is_room(Kind kind) { return kind == Kind::kAvailable || kind == Kind::kCommitLimit; }

std::string_view verdict_name(Verdict verdict) { return kVerdictNames[static_cast<std::size_t>(verdict)].name; }

std::string_view verdict_word(Verdict verdict) { return kVerdictNames[static_cast<std::size_t>(verdict)].word; }

std::optional<Verdict> parse_verdict(std::string_view name) {
  for (std::size_t i = 0; i < kVerdictCount; ++i)
    if (kVerdictNames[i].name == name) return static_cast<Verdict>(i);
  return std::nullopt;
}

bool is_reclaimable(Pool pool) { return pool == Pool::kSlabReclaimable; }

bool may_leak(Kind kind, Pool pool, std::string_view text) {
  if (!has_pool(kind)) return true;
  if (is_reclaimable(pool)) return false;
  if (pool != Pool::kAllocinfo) return true;
  return text.find(":mm/") == std::string_view::npos && text.find(":fs/") == std::string_view::npos;
}

bool follows(Kind kind, Pool pool, Kind leak_kind, Pool leak_pool) {
  return kind == Kind::kPool && leak_kind == Kind::kTag && pool == leak_pool;
}

}  // namespace kmem::trend
