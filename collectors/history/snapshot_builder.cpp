#include "collectors/history/snapshot_builder.h"

#include <algorithm>
#include <functional>
#include <unordered_map>
#include <utility>

#include "collectors/history/notes.h"
#include "collectors/snapshot.h"

namespace kmem::history {
namespace {

/// What is missing on this side comes from the other. One overload a kind of field; false where both have something.
class Merge {
 public:
  Merge(SnapshotBuilder& into, Contradictions* found) : into_(into), found_(found) {}

  template <typename T>
  void operator()(std::optional<T>& mine, std::optional<T>& theirs) {
    if (!theirs) return;
    if (!mine) {
      mine = std::move(theirs);
      return;
    }
    const bool same = equal(*mine, *theirs);
    all_ &= same;
    if (!same) contradict(name_of(&mine), mine, theirs);
  }
  void operator()(std::vector<TagUsage>& mine, std::vector<TagUsage>& theirs) {
    std::unordered_map<std::uint64_t, std::size_t> places;  // made when one is there already
    for (TagUsage& row : theirs) {
      if (into_.add(std::move(row)) == nullptr) continue;
      all_ = false;
      // NOLINTNEXTLINE(bugprone-use-after-move): what is refused was not moved
      if (found_ == nullptr || !into_.has(row.pool, row.tag)) continue;
      if (places.empty())
        for (std::size_t i = 0; i < mine.size(); ++i) places.emplace(mine[i].key, i);
      const auto place = places.find(row.key);
      if (place != places.end()) compare(mine[place->second], row);
    }
  }
  void operator()(std::vector<SessionTagUsage>&, std::vector<SessionTagUsage>& theirs) { add_rows(theirs); }
  void operator()(std::vector<ProcessUsage>& mine, std::vector<ProcessUsage>& theirs) {
    std::unordered_map<std::uint64_t, std::size_t> places;
    for (ProcessUsage& row : theirs) {
      if (into_.add(std::move(row)) == nullptr) continue;
      all_ = false;
      // NOLINTNEXTLINE(bugprone-use-after-move): the same
      if (found_ == nullptr || !into_.has_process(row.pid)) continue;
      if (places.empty())
        for (std::size_t i = 0; i < mine.size(); ++i) places.emplace(mine[i].pid, i);
      const auto place = places.find(row.pid);
      if (place != places.end()) compare(mine[place->second], row);
    }
  }
  void operator()(std::vector<PoolTotals>&, std::vector<PoolTotals>& theirs) {
    for (PoolTotals& pool : theirs) {
      PoolTotals& mine = into_.totals(pool.pool);
      pool_ = &mine;
      for_each_field(kPoolFields, mine, pool, std::ref(*this));
    }
    pool_ = nullptr;
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
  void contradict(const std::string& subject, const T& used, const T& other) {
    if (found_ == nullptr || found_->count++ > 0) return;
    found_->subject = subject;
    found_->used = words(used);
    found_->other = words(other);
  }

  static std::string words(std::uint64_t value) { return std::to_string(value); }
  template <typename T>
  static std::string words(const std::optional<T>& value) {
    if (!value) return "none";
    if constexpr (std::is_same_v<T, PoolLimit>) return std::to_string(value->bytes);
    else if constexpr (std::is_arithmetic_v<T>) return std::to_string(*value);
    else return "another";
  }

  void compare(const TagUsage& mine, const TagUsage& theirs) {
    const std::string subject = std::string(pool_name(theirs.pool)) + " " + in_quotes(theirs.tag);
    if (mine.bytes != theirs.bytes) return contradict(subject, mine.bytes, theirs.bytes);
    if (mine.has_outstanding && theirs.has_outstanding && mine.outstanding != theirs.outstanding)
      return contradict(subject + " (allocations)", mine.outstanding, theirs.outstanding);
  }

  void compare(const ProcessUsage& mine, const ProcessUsage& theirs) {
    const std::string subject = "process " + in_quotes(theirs.name) + " (" + std::to_string(theirs.pid) + ")";
    if (mine.name != theirs.name && found_ != nullptr && found_->count++ == 0) {
      found_->subject = "process " + std::to_string(theirs.pid);
      found_->used = in_quotes(mine.name);
      found_->other = in_quotes(theirs.name);
    }
    if (mine.name != theirs.name) return;
    const auto differ = [&](const char* what, const auto& one, const auto& other) {
      if (one && other && *one != *other) contradict(subject + what, one, other);
      return one && other && *one != *other;
    };
    (void)(differ(", handles", mine.handles, theirs.handles) ||
           differ(", paged", mine.paged_pool_bytes, theirs.paged_pool_bytes) ||
           differ(", nonpaged", mine.nonpaged_pool_bytes, theirs.nonpaged_pool_bytes));
  }

  /// Of a field of the snapshot or of the pool in hand, as the CSV calls it.
  [[nodiscard]] std::string name_of(const void* field) const {
    const Snapshot& all = into_.snapshot();
    const std::pair<const void*, const char*> names[] = {
        {&all.system_ptes_free, "system_ptes"},          {&all.commit_bytes, "commit"},
        {&all.commit_limit_bytes, "commit_limit"},       {&all.commit_peak_bytes, "commit peak"},
        {&all.physical_memory_bytes, "physical memory"}, {&all.available_bytes, "available memory"},
        {&all.file_cache_bytes, "file cache"},           {&all.file_cache_peak_bytes, "file cache peak"},
        {&all.kernel_stack_bytes, "kernel stacks"},      {&all.page_table_bytes, "page tables"}};
    for (const auto& [at, name] : names)
      if (at == field) return name;
    if (pool_ == nullptr) return "a value";
    std::string pool(pool_name(pool_->pool));
    const std::pair<const void*, const char*> totals[] = {{&pool_->bytes, " (whole pool)"},
                                                          {&pool_->resident_bytes, " (whole pool), resident"},
                                                          {&pool_->allocations, " (whole pool), allocations"},
                                                          {&pool_->frees, " (whole pool), frees"},
                                                          {&pool_->limit, " limit"}};
    for (const auto& [at, name] : totals)
      if (at == field) return pool + name;
    return pool;
  }

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
  Contradictions* found_;
  const PoolTotals* pool_ = nullptr;  // whose fields are visited
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
  snapshot_.tags.push_back(std::move(row));
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

bool SnapshotBuilder::merge(Snapshot&& other, Contradictions* contradictions) {
  if (snapshot_.time == 0) {
    snapshot_.time = other.time;
    snapshot_.system = other.system;
  }
  // Boots are found by clocks that differ.
  if (snapshot_.boot_time) other.boot_time.reset();
  Merge merge(*this, contradictions);
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
