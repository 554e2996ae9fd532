#include "collectors/history/snapshot_builder.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>

#include "collectors/snapshot.h"

namespace kmem::history {
namespace {

constexpr std::uint64_t kMaxU32 = std::numeric_limits<std::uint32_t>::max();

/// What is missing on this side comes from the other. One overload a kind of field; false where both have something.
class Merge {
 public:
  explicit Merge(SnapshotBuilder& into) : into_(into) {}

  template <typename T>
  void operator()(std::optional<T>& mine, std::optional<T>& theirs) {
    if (!theirs) return;
    if (mine) all_ &= equal(*mine, *theirs);
    else mine = std::move(theirs);
  }
  void operator()(std::vector<TagUsage>&, std::vector<TagUsage>& theirs) { add_rows(theirs); }
  void operator()(std::vector<SessionTagUsage>&, std::vector<SessionTagUsage>& theirs) { add_rows(theirs); }
  void operator()(std::vector<ProcessUsage>&, std::vector<ProcessUsage>& theirs) { add_rows(theirs); }
  void operator()(std::vector<PoolTotals>&, std::vector<PoolTotals>& theirs) {
    for (PoolTotals& pool : theirs) for_each_field(kPoolFields, into_.totals(pool.pool), pool, std::ref(*this));
  }
  // Captures have them, other recordings do not: the first that has some.
  template <typename T>
  requires std::is_same_v<T, ObjectHandles> || std::is_same_v<T, BigPoolUsage> || std::is_same_v<T, MemoryList> ||
      std::is_same_v<T, KernelMemory>
  void operator()(std::vector<T>& mine, std::vector<T>& theirs) {
    if (mine.empty()) mine = std::move(theirs);
  }
  void operator()(Gaps& mine, Gaps& theirs) {
    mine.pools |= theirs.pools;
    mine.processes |= theirs.processes;
  }
  void operator()(std::vector<Setting>& mine, std::vector<Setting>& theirs) {
    add_new(
        mine, theirs, [](const Setting& a, const Setting& b) { return a.name == b.name; },
        [](const Setting& a, const Setting& b) { return a.value == b.value; });
  }
  void operator()(std::vector<FailureEvents>& mine, std::vector<FailureEvents>& theirs) {
    add_new(
        mine, theirs, [](const auto& a, const auto& b) { return a.provider == b.provider && a.event_id == b.event_id; },
        [](const auto& a, const auto& b) { return a.count == b.count; });
  }
  // Each recording's own readings, side by side.
  void operator()(std::vector<PartStatus>& mine, std::vector<PartStatus>& theirs) {
    for (PartStatus& part : theirs) mine.push_back(std::move(part));
  }
  // Of which one there is for sure: the first recording's.
  void operator()(Pool&, Pool&) {}
  void operator()(System&, System&) {}
  void operator()(base::UnixMillis&, base::UnixMillis&) {}
  // Of live kernels only.
  void operator()(bool&, bool&) {}

  [[nodiscard]] bool all() const { return all_; }

 private:
  template <typename T>
  static bool equal(const T& mine, const T& theirs) {
    return mine == theirs;
  }
  static bool equal(const PoolLimit& mine, const PoolLimit& theirs) { return mine.bytes == theirs.bytes; }
  static bool equal(const EventLogReading&, const EventLogReading&) { return true; }

  template <typename T>
  void add_rows(std::vector<T>& theirs) {
    for (T& row : theirs) all_ &= into_.add(std::move(row)) == nullptr;
  }
  template <typename T, typename Is, typename Same>
  void add_new(std::vector<T>& mine, std::vector<T>& theirs, Is is, Same same) {
    for (T& one : theirs) {
      const auto there = std::find_if(mine.begin(), mine.end(), [&](const T& other) { return is(one, other); });
      if (there == mine.end()) mine.push_back(std::move(one));
      else all_ &= same(one, *there);
    }
  }

  SnapshotBuilder& into_;
  bool all_ = true;
};

}  // namespace

const char* SnapshotBuilder::add(TagUsage&& row) {
  row.key = tag_key(row.pool, row.tag);
  if (seen_tags_.size() >= kMaxRows) {
    snapshot_.gaps.add(row.pool);
    return "too many rows in one snapshot";
  }
  if (!seen_tags_.insert(row.key)) return "the snapshot has this tag already";
  if (row.bytes != 0 || (row.has_outstanding && row.outstanding != 0)) snapshot_.tags.push_back(std::move(row));
  return nullptr;
}

const char* SnapshotBuilder::add(ProcessUsage&& row) {
  if (seen_processes_.size() >= kMaxRows) {
    snapshot_.gaps.processes = true;
    return "too many processes in one snapshot";
  }
  if (!seen_processes_.insert(row.pid)) return "the snapshot has this process already";
  snapshot_.processes.push_back(std::move(row));
  return nullptr;
}

const char* SnapshotBuilder::add(SessionTagUsage&& row) {
  row.usage.key = tag_key(row.usage.pool, row.usage.tag);
  if (seen_session_tags_.size() >= kMaxRows) return "too many rows of sessions in one snapshot";
  if (!seen_session_tags_.emplace(row.session, row.usage.key).second) return "the session has this tag already";
  if (row.usage.bytes == 0 && row.usage.outstanding == 0) return nullptr;
  // Sessions stand together.
  const auto behind = std::upper_bound(snapshot_.session_tags.begin(), snapshot_.session_tags.end(), row.session,
                                       [](std::uint32_t session, const auto& one) { return session < one.session; });
  snapshot_.session_tags.insert(behind, std::move(row));
  return nullptr;
}

PoolTotals& SnapshotBuilder::totals(Pool pool) {
  const auto found = std::find_if(snapshot_.pools.begin(), snapshot_.pools.end(),
                                  [&](const PoolTotals& totals) { return totals.pool == pool; });
  if (found != snapshot_.pools.end()) return *found;
  snapshot_.pools.push_back({pool, {}, {}, {}, {}, {}});
  return snapshot_.pools.back();
}

bool SnapshotBuilder::merge(Snapshot&& other) {
  if (snapshot_.time == 0) {
    snapshot_.time = other.time;
    snapshot_.system = other.system;
  }
  // Boots are found by clocks that differ.
  if (snapshot_.boot_time) other.boot_time.reset();
  Merge merge(*this);
  for_each_field(kSnapshotFields, snapshot_, other, std::ref(merge));
  return merge.all();
}

Snapshot SnapshotBuilder::take() {
  seen_tags_.clear();
  seen_processes_.clear();
  seen_session_tags_.clear();
  return std::exchange(snapshot_, Snapshot{});
}

std::uint64_t live_allocations(std::uint64_t allocations, std::uint64_t frees) {
  if (allocations >= frees) return allocations - frees;
  const auto wrapped = static_cast<std::uint32_t>(allocations - frees);
  return allocations <= kMaxU32 && frees <= kMaxU32 && wrapped <= kMaxU32 / 2 ? wrapped : 0;
}

void set_counters(TagUsage& row, std::uint64_t allocations, std::uint64_t frees) {
  row.allocations = allocations;
  row.frees = frees;
  row.outstanding = live_allocations(allocations, frees);
  row.has_outstanding = true;
}

}  // namespace kmem::history
