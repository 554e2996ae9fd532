// STAGE 3: what the trend follows, and what it may say of it: names, and the facts about kinds, pools and verdicts that
// every outlet needs. Log, metrics, page, API, analyze and top take them from here, so that they tell one story.
// Thread: pure functions. Failure: a text that names nothing gives nullopt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "collectors/snapshot.h"

namespace kmem::trend {

/// kAvailable, what memory is left, and kCommitLimit, how much may be charged, are followed for what ends there: they have no
/// verdict of their own and stand in no table.
enum class Kind : std::uint8_t { kTag, kPool, kSystemPtes, kCommit, kHandles, kUnaccounted, kAvailable, kCommitLimit };
inline constexpr std::size_t kKindCount = 8;

enum class Verdict : std::uint8_t {
  kOk,
  kWatch,  // grows, but not for long enough or not clearly enough to be called a leak
  kLeak,
  kSurge,  // grows now, beyond all before, towards an end; no claim of a fault. One that is a leak, too, is called a leak
};
inline constexpr std::size_t kVerdictCount = 4;

/// "tag", "pool", "system_ptes", "commit", "handles", "unaccounted", "available_memory", "commit_limit"
[[nodiscard]] std::string_view kind_name(Kind kind);
/// The pool's name; empty for kinds that have none.
[[nodiscard]] std::string_view pool_name_of(Kind kind, Pool pool);
[[nodiscard]] bool has_pool(Kind kind);
/// Else entries or handles.
[[nodiscard]] bool counts_bytes(Kind kind);
/// What falls as it is used up: it is told with a minus.
[[nodiscard]] bool counts_down(Kind kind);
/// Whether it is room, which is followed and has no row.
[[nodiscard]] bool is_room(Kind kind);

/// "ok", "watch", "leak", "surge"
[[nodiscard]] std::string_view verdict_name(Verdict verdict);
/// For people's tables, where a leak or a surge must catch the eye: "LEAK".
[[nodiscard]] std::string_view verdict_word(Verdict verdict);
[[nodiscard]] std::optional<Verdict> parse_verdict(std::string_view name);

/// Whether the kernel takes the pool's memory back when it needs it.
[[nodiscard]] bool is_reclaimable(Pool pool);
/// Whether growth can be called a leak. Reclaimable slab caches fill by design, and so do the sites of the page cache,
/// of user memory and of file systems' caches. The engine applies it: what it says of anything else is `ok`.
[[nodiscard]] bool may_leak(Kind kind, Pool pool, std::string_view text);
/// Whether a growing subject is the pool of a leaking one, and grows because that does.
[[nodiscard]] bool follows(Kind kind, Pool pool, Kind leak_kind, Pool leak_pool);

}  // namespace kmem::trend
