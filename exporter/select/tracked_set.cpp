#include "exporter/select/tracked_set.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <tuple>
#include <utility>

namespace kmem::select {
namespace {

// Growth below this is noise, however well it ranks among small tags.
constexpr std::uint64_t kMaterialGrowthBytes = std::uint64_t{64} * 1024;

std::size_t index_of(Pool pool) { return static_cast<std::size_t>(pool); }

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) {
  return a > std::numeric_limits<std::uint64_t>::max() - b ? std::numeric_limits<std::uint64_t>::max() : a + b;
}

}  // namespace

TrackedSet::TrackedSet(config::Tags tags, config::Processes processes, const config::SeriesBudget& budget)
    : tags_(std::move(tags)), shares_(budget), processes_top_(processes.top), processes_(processes.top),
      sessions_(tags_.top_session, budget.sessions == 0 ? SessionChoice::kMaxSessions : budget.sessions),
      state_(tags_.max_tracked) {
  tops_.fill({tags_.top_bytes, tags_.top_outstanding, tags_.top_growth});
  for (const std::string& entry : tags_.include) {
    const std::size_t slash = entry.find('/');
    const auto named = std::find(kPoolNames.begin(), kPoolNames.end(), std::string_view(entry).substr(0, slash));
    // A tag may hold a slash itself, so only a pool's name before it makes it a separator.
    if (slash != std::string::npos && named != kPoolNames.end()) {
      const auto pool = static_cast<std::size_t>(named - kPoolNames.begin());
      include_[pool].push_back({static_cast<Pool>(pool), entry.substr(slash + 1)});
      continue;
    }
    for (std::size_t pool = 0; pool < kPoolCount; ++pool) include_[pool].push_back({static_cast<Pool>(pool), entry});
  }
}

PoolMembers::Rules TrackedSet::rules() const {
  return {tags_.all ? tags_.max_tracked : tags_.max_exported,
          std::chrono::duration_cast<std::chrono::milliseconds>(tags_.dwell).count(), tags_.all};
}

TrackedSet::Tracking TrackedSet::tracking() const { return {state_.table.size(), untracked_, state_.forgotten_total}; }

void TrackedSet::update(const Snapshot& snapshot, std::span<const TagId> suspects, const Boot& boot,
                        std::size_t series_beside) {
  const base::UnixMillis now = snapshot.time;
  ++tick_;
  note_boot(boot);
  note_clock(now);
  processes_.update(snapshot.processes, now);
  sessions_.update(snapshot.session_tags, now);
  if (shares_.bounded()) share_seats(snapshot, suspects, series_beside, now);
  scan(snapshot, now);
  admit_newcomers(snapshot, suspects, now);
  for (std::size_t pool = 0; pool < kPoolCount; ++pool) {
    if (!read_[pool]) {
      if (shares_.bounded()) state_.pools[pool].members.trim(state_.table, seats_[pool].cap, tick_);
      continue;
    }
    if (!snapshot.gaps.has(static_cast<Pool>(pool))) state_.pools[pool].last_read = now;
    gather_forced(pool, suspects);
    if (tags_.all) gather_all(snapshot, pool);
    else mark_ranks(pool, now);
    PoolMembers::Rules rules = this->rules();
    if (shares_.bounded()) rules.cap = seats_[pool].cap;
    state_.pools[pool].members.revise(state_.table, rules, now, tick_, forced_, candidates_);
  }
  reindex_seats();
  read_values(snapshot);
}

/// Of those that are chosen by and by, at most: they change with every hour, and tags do not give way to each.
std::size_t TrackedSet::process_series(const Snapshot& snapshot) const {
  constexpr std::size_t kLists = 3;
  std::array<bool, kLists> told{};
  for (const ProcessUsage& process : snapshot.processes) {
    told[0] = told[0] || process.handles;
    told[1] = told[1] || process.paged_pool_bytes;
    told[2] = told[2] || process.nonpaged_pool_bytes;
  }
  return std::min(snapshot.processes.size(), kLists * processes_top_) *
         static_cast<std::size_t>(std::count(told.begin(), told.end(), true));
}

/// Ranks that are too many for a pool's seats would leave no seat to the head of each.
void TrackedSet::share_seats(const Snapshot& snapshot, std::span<const TagId> suspects, std::size_t series_beside,
                             base::UnixMillis now) {
  TagShares::Demand demand;
  demand.beside = series_beside;
  demand.process_series = process_series(snapshot);
  demand.session_series = sessions_.most_series();
  for (const TagUsage& usage : snapshot.tags) ++demand.live[index_of(usage.pool)];
  for (std::size_t pool = 0; pool < kPoolCount; ++pool)  // of one that is not read now those of before
    demand.live[pool] = std::max(demand.live[pool], state_.pools[pool].members.seats().size());
  for (const TagId& id : suspects) ++demand.forced[index_of(id.pool)];
  demand.suspects = suspects.size();
  for (const std::vector<TagId>& ids : include_)
    for (const TagId& id : ids)
      if (state_.table.find(id.pool, tag_key(id.pool, id.tag), id.tag) != FlatIndex::kNone) ++demand.forced[index_of(id.pool)];
  seats_ = shares_.revise(snapshot.system, demand, {tags_.max_exported, rules().dwell}, now);

  const std::size_t others = tags_.top_outstanding + tags_.top_growth;
  for (std::size_t pool = 0; pool < kPoolCount; ++pool) {
    const std::size_t seats = seats_[pool].ranked;
    const bool scarce = seats_[pool].scarce;
    // Two of three seats are all that the other rankings may claim; bytes fill what they leave.
    const auto part = [&](std::size_t top) {
      return scarce && others > 0 ? std::min(top, (top * seats * 2 + 3 * others - 1) / (3 * others)) : top;
    };
    tops_[pool] = {scarce ? std::min(tags_.top_bytes, seats) : tags_.top_bytes, part(tags_.top_outstanding),
                   part(tags_.top_growth)};
  }
}

/// By bytes as many as fit beside the heads of the other two. Growth shows after days and is mostly of the large: half of its
/// seats wait for it.
std::size_t TrackedSet::most_by_bytes(std::size_t pool) {
  const Tops& tops = tops_[pool];
  if (!shares_.bounded() || !seats_[pool].scarce) return tops.bytes;
  std::vector<std::uint32_t> seated = forced_;
  const auto seat = [&](const TopRanks::Entry& entry) {
    const std::uint32_t slot = slots_[entry.item];
    if (slot != FlatIndex::kNone && std::find(seated.begin(), seated.end(), slot) == seated.end()) seated.push_back(slot);
  };
  const std::vector<TopRanks::Entry>& by_number = ranks_[pool].outstanding.ranked();
  std::for_each_n(by_number.begin(), std::min(tops.outstanding, by_number.size()), seat);
  const std::size_t seats = seats_[pool].cap - std::min(seats_[pool].cap, (tops.growth + 1) / 2);
  std::size_t most = 0;
  for (const TopRanks::Entry& entry : ranks_[pool].bytes.ranked()) {
    if (most == tops.bytes) break;
    seat(entry);
    if (seated.size() > seats) break;
    ++most;
  }
  return most;
}

void TrackedSet::note_clock(base::UnixMillis now) {
  if (now < state_.last_update) {
    for (TagRecord& record : state_.table.records()) {
      record.last_seen = std::min(record.last_seen, now);
      record.ranked_since = std::min(record.ranked_since, now);
      record.floor.not_after(DailyFloor::day_of(now));
    }
    for (PoolState& pool : state_.pools) {
      pool.last_read = std::min(pool.last_read, now);
      pool.members.not_after(now);
    }
  }
  state_.last_update = now;
}

void TrackedSet::scan(const Snapshot& snapshot, base::UnixMillis now) {
  for (std::size_t pool = 0; pool < kPoolCount; ++pool) {
    ranks_[pool].bytes.reset(2 * tops_[pool].bytes);
    ranks_[pool].outstanding.reset(2 * tops_[pool].outstanding);
    ranks_[pool].growth.reset(2 * tops_[pool].growth);
  }
  read_.fill(false);
  newcomers_.clear();
  slots_.assign(snapshot.tags.size(), FlatIndex::kNone);
  for (std::uint32_t i = 0; i < snapshot.tags.size(); ++i) {
    const TagUsage& usage = snapshot.tags[i];
    Ranks& ranks = ranks_[index_of(usage.pool)];
    read_[index_of(usage.pool)] = true;
    ranks.bytes.offer(usage.bytes, usage.key, i);
    ranks.outstanding.offer(usage.outstanding, usage.key, i);

    const std::uint32_t slot = state_.table.find(usage.pool, usage.key, usage.tag);
    slots_[i] = slot;
    if (slot == FlatIndex::kNone) {
      newcomers_.push_back({i, false, false});
      continue;
    }
    TagRecord& record = state_.table[slot];
    note(record, usage, now);
    const std::uint64_t growth = record.floor.growth();
    if (growth >= kMaterialGrowthBytes) ranks.growth.offer(growth, usage.key, i);
  }
}

void TrackedSet::note(TagRecord& record, const TagUsage& usage, base::UnixMillis now) const {
  if (record.seen_tick == tick_) return;
  const bool was_absent = !record.floor.empty() && record.last_seen < state_.pools[index_of(usage.pool)].last_read;
  record.floor.note(DailyFloor::day_of(now), usage.bytes, was_absent);
  record.bytes = usage.bytes;
  record.last_seen = now;
  record.seen_tick = tick_;
}

bool TrackedSet::is_forced(const TagUsage& usage, std::span<const TagId> suspects) const {
  const auto same = [&](const TagId& id) { return id.pool == usage.pool && id.tag == usage.tag; };
  const std::vector<TagId>& include = include_[index_of(usage.pool)];
  return std::any_of(include.begin(), include.end(), same) || std::any_of(suspects.begin(), suspects.end(), same);
}

void TrackedSet::admit_newcomers(const Snapshot& snapshot, std::span<const TagId> suspects, base::UnixMillis now) {
  untracked_ = 0;
  TagTable& table = state_.table;
  const bool scarce = newcomers_.size() > table.limit() - table.size();
  if (scarce) find_who_may_give_way(snapshot, newcomers_.size() - (table.limit() - table.size()));
  if (scarce) {
    std::vector<bool> ranked(snapshot.tags.size());
    for (std::size_t pool = 0; pool < kPoolCount; ++pool) {
      Ranks& ranks = ranks_[pool];
      const Tops& tops = tops_[pool];
      for (const auto& [top, limit] : {std::pair{&ranks.bytes, tops.bytes}, {&ranks.outstanding, tops.outstanding}}) {
        const auto& entries = top->ranked();
        for (std::size_t i = 0; i < std::min(limit, entries.size()); ++i) ranked[entries[i].item] = true;
      }
    }
    for (Newcomer& newcomer : newcomers_) {
      newcomer.forced = is_forced(snapshot.tags[newcomer.item], suspects);
      newcomer.ranked = !tags_.all && ranked[newcomer.item];
    }
    const auto claim = [&](const Newcomer& newcomer) {
      const TagUsage& usage = snapshot.tags[newcomer.item];
      return std::tuple(!newcomer.forced, !newcomer.ranked, ~usage.bytes, ~usage.outstanding, usage.key);
    };
    std::sort(newcomers_.begin(), newcomers_.end(), [&](const Newcomer& a, const Newcomer& b) { return claim(a) < claim(b); });
  }
  for (const Newcomer& newcomer : newcomers_) {
    const TagUsage& usage = snapshot.tags[newcomer.item];
    std::uint32_t slot = table.find(usage.pool, usage.key, usage.tag);
    if (slot == FlatIndex::kNone) {
      if (table.full() && !make_room(newcomer, usage.pool, now)) {
        ++untracked_;
        continue;
      }
      slot = table.insert(usage.pool, usage.key, usage.tag);
    }
    slots_[newcomer.item] = slot;
    note(table[slot], usage, now);
  }
  if (scarce) table.reindex();
}

void TrackedSet::find_who_may_give_way(const Snapshot& snapshot, std::size_t wanted) {
  TagTable& table = state_.table;
  dead_.clear();
  for (std::uint32_t slot = 0; slot < table.records().size(); ++slot) {
    const TagRecord& record = table[slot];
    if (!record.used || record.seen_tick == tick_ || !read_[index_of(record.pool)] || snapshot.gaps.has(record.pool)) continue;
    if (!record.member || tags_.all) dead_.push_back(slot);
  }
  std::sort(dead_.begin(), dead_.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::tie(table[a].last_seen, table[a].key) > std::tie(table[b].last_seen, table[b].key);
  });

  small_.clear();
  if (dead_.size() >= wanted) return;
  std::vector<bool> holds(snapshot.tags.size());
  for (Ranks& ranks : ranks_) {
    for (TopRanks* top : {&ranks.bytes, &ranks.outstanding, &ranks.growth}) {
      for (const TopRanks::Entry& entry : top->ranked()) holds[entry.item] = true;
    }
  }
  for (std::uint32_t i = 0; i < snapshot.tags.size(); ++i) {
    if (slots_[i] != FlatIndex::kNone && !holds[i] && !table[slots_[i]].member) small_.push_back(i);
  }
  std::sort(small_.begin(), small_.end(), [&](std::uint32_t a, std::uint32_t b) {
    const TagUsage& left = snapshot.tags[a];
    const TagUsage& right = snapshot.tags[b];
    return std::tie(left.bytes, left.key) > std::tie(right.bytes, right.key);
  });
}

bool TrackedSet::make_room(const Newcomer& newcomer, Pool pool, base::UnixMillis now) {
  TagTable& table = state_.table;
  std::uint32_t slot = FlatIndex::kNone;
  if (!dead_.empty()) {
    slot = dead_.back();
    dead_.pop_back();
    if (table[slot].member) state_.pools[index_of(table[slot].pool)].members.evict(table, slot, now);
  } else if ((newcomer.forced || newcomer.ranked) && !small_.empty()) {
    slot = std::exchange(slots_[small_.back()], FlatIndex::kNone);
    small_.pop_back();
    ++untracked_;
  } else if (newcomer.forced) {
    slot = state_.pools[index_of(pool)].members.displace_weakest(table, now, tick_);
    const auto item = std::find(slots_.begin(), slots_.end(), slot);
    if (slot != FlatIndex::kNone && item != slots_.end()) {
      *item = FlatIndex::kNone;
      ++untracked_;
    }
  }
  if (slot == FlatIndex::kNone) return false;
  table.erase(slot);
  ++state_.forgotten_total;
  return true;
}

void TrackedSet::mark_ranks(std::size_t pool, base::UnixMillis now) {
  TagTable& table = state_.table;
  held_.clear();
  candidates_.clear();
  Ranks& ranks = ranks_[pool];
  const Tops& tops = tops_[pool];
  for (const auto& [top, limit] :
       {std::pair{&ranks.bytes, most_by_bytes(pool)}, {&ranks.outstanding, tops.outstanding}, {&ranks.growth, tops.growth}}) {
    std::uint32_t rank = 0;
    for (const TopRanks::Entry& entry : top->ranked()) {
      if (rank == 2 * limit) break;
      const std::uint32_t mine = rank++;
      const std::uint32_t slot = slots_[entry.item];
      if (slot == FlatIndex::kNone) continue;
      TagRecord& record = table[slot];
      if (record.held_tick != tick_) {
        held_.push_back(slot);
        record.best_rank = mine;
      }
      record.held_tick = tick_;
      record.best_rank = std::min(record.best_rank, mine);
      if (mine < limit && std::exchange(record.entered_tick, tick_) != tick_) candidates_.push_back(slot);
    }
  }
  // A rank once entered counts as held within twice its limit, so that tags at the edge do not start anew all the time.
  std::vector<std::uint32_t>& running = state_.pools[pool].ranked;
  for (const std::uint32_t slot : running) {
    if (table[slot].held_tick != tick_) table[slot].ranked_since = kNever;
  }
  running.clear();
  for (const std::uint32_t slot : held_) {
    TagRecord& record = table[slot];
    if (record.ranked_since == kNever && record.entered_tick == tick_) record.ranked_since = now;
    if (record.ranked_since != kNever) running.push_back(slot);
  }
  std::sort(candidates_.begin(), candidates_.end(), [&](std::uint32_t a, std::uint32_t b) {
    const TagRecord& left = table[a];
    const TagRecord& right = table[b];
    return std::tuple(left.best_rank, ~left.bytes, left.key) < std::tuple(right.best_rank, ~right.bytes, right.key);
  });
}

void TrackedSet::gather_all(const Snapshot& snapshot, std::size_t pool) {
  candidates_.clear();
  for (std::size_t i = 0; i < snapshot.tags.size(); ++i) {
    if (index_of(snapshot.tags[i].pool) == pool && slots_[i] != FlatIndex::kNone) candidates_.push_back(slots_[i]);
  }
}

void TrackedSet::gather_forced(std::size_t pool, std::span<const TagId> suspects) {
  forced_.clear();
  const auto add = [&](const TagId& id) {
    const std::uint32_t slot = state_.table.find(id.pool, tag_key(id.pool, id.tag), id.tag);
    if (slot != FlatIndex::kNone) forced_.push_back(slot);
  };
  for (const TagId& id : suspects) {  // first, where there is no room for all
    if (index_of(id.pool) == pool) add(id);
  }
  for (const TagId& id : include_[pool]) add(id);
}

void TrackedSet::reindex_seats() {
  seat_index_.clear();
  for (const PoolState& pool : state_.pools) {
    std::uint32_t position = 0;
    for (const Seat& seat : pool.members.seats()) seat_index_.insert(state_.table[seat.slot].key, position++);
  }
}

/// Otherwise a clock set forward would send members off before their time.
void TrackedSet::clock_was_set(std::int64_t step_ms) {
  for (TagRecord& record : state_.table.records()) {
    move_time(record.last_seen, step_ms);
    move_time(record.ranked_since, step_ms);
  }
  for (PoolState& pool : state_.pools) {
    move_time(pool.last_read, step_ms);
    pool.members.clock_was_set(step_ms);
  }
  processes_.clock_was_set(step_ms);
  sessions_.clock_was_set(step_ms);
}

void TrackedSet::note_boot(const Boot& boot) {
  constexpr std::int64_t kJitterMs = 5'000;  // kernels tell boot times to the second
  const base::BootClock::News news = boot_clock_.advance(boot.reading);
  if (std::abs(news.clock_step_ms) > kJitterMs) clock_was_set(news.clock_step_ms);
  if (news.new_boot) {
    processes_ = ProcessChoice(processes_top_);
    for (PoolState& pool : state_.pools) {
      pool.totals_rebooted = true;
      for (Seat& seat : pool.members.seats()) seat.rebooted = true;
    }
  }
  if (boot.reading.boot_time) state_.boot_time = boot.reading.boot_time;
  state_.system_ptes_free_boot_max = boot.system_ptes_max;
}

void TrackedSet::read_counters(const TagUsage& usage, Seat& seat) const {
  if (!tags_.counters || usage.counter_bits == 0) return;
  const bool same_boot = !std::exchange(seat.rebooted, false);
  if (usage.counter_bits == 32) {
    seat.allocations.update(static_cast<std::uint32_t>(usage.allocations), same_boot);
    seat.frees.update(static_cast<std::uint32_t>(usage.frees), same_boot);
  } else {
    seat.allocations.update_64(usage.allocations, same_boot);
    seat.frees.update_64(usage.frees, same_boot);
  }
}

void TrackedSet::read_values(const Snapshot& snapshot) {
  readings_ = {};
  for (PoolState& pool : state_.pools) {
    for (Seat& seat : pool.members.seats()) {
      seat.present = false;
      seat.bytes = seat.outstanding = 0;
    }
  }
  for (const TagUsage& usage : snapshot.tags) {
    PoolReading& reading = readings_[index_of(usage.pool)];
    std::vector<Seat>& seats = state_.pools[index_of(usage.pool)].members.seats();
    ++reading.live_tags;
    const std::uint32_t position = seat_index_.find(usage.key, [&](std::uint32_t at) {
      return at < seats.size() && state_.table[seats[at].slot].pool == usage.pool &&
             state_.table[seats[at].slot].tag == usage.tag;
    });
    if (position == FlatIndex::kNone) {
      reading.other_bytes = saturating_add(reading.other_bytes, usage.bytes);
      reading.other_outstanding = saturating_add(reading.other_outstanding, usage.outstanding);
      continue;
    }
    Seat& seat = seats[position];
    seat.present = true;
    seat.bytes = saturating_add(seat.bytes, usage.bytes);
    seat.outstanding = saturating_add(seat.outstanding, usage.outstanding);
    read_counters(usage, seat);
  }
  for (const PoolTotals& totals : snapshot.pools) {
    PoolState& pool = state_.pools[index_of(totals.pool)];
    PoolReading& reading = readings_[index_of(totals.pool)];
    reading.has_totals = true;
    const std::array raw{totals.allocations, totals.frees, totals.lookaside_hits};
    const bool same_boot = !pool.totals_rebooted;
    for (std::size_t i = 0; i < kTotalsCounters; ++i) {
      if (!raw[i]) continue;
      reading.totals[i] = pool.totals[i].update(*raw[i], same_boot);
      pool.totals_rebooted = false;
    }
  }
}

void TrackedSet::fill(const Snapshot& snapshot, Selection& out, const Boot& boot) {
  note_boot(boot);
  read_values(snapshot);
  const auto wide = [&](const CounterWidener& counter) {
    const auto state = tags_.counters ? counter.state() : std::nullopt;
    return state ? std::optional(state->wide) : std::nullopt;
  };
  std::size_t count = 0;
  out.pools.clear();
  for (std::size_t pool = 0; pool < kPoolCount; ++pool) {
    const PoolReading& reading = readings_[pool];
    const PoolMembers& members = state_.pools[pool].members;
    if (reading.has_totals || reading.live_tags > 0) {
      out.pools.push_back({static_cast<Pool>(pool), reading.live_tags, reading.other_bytes, reading.other_outstanding,
                           members.evictions_total(), reading.totals[0], reading.totals[1], reading.totals[2],
                           !snapshot.gaps.has(static_cast<Pool>(pool))});
    }
    if (reading.live_tags == 0) continue;
    if (out.members.size() < count + members.seats().size()) out.members.resize(count + members.seats().size());
    for (const Seat& seat : members.seats()) {
      if (!seat.present && snapshot.gaps.has(static_cast<Pool>(pool))) continue;
      Member& member = out.members[count++];
      member.pool = static_cast<Pool>(pool);
      member.tag = state_.table[seat.slot].tag;
      member.key = state_.table[seat.slot].key;
      member.present = seat.present;
      member.forced = seat.forced;
      member.bytes = seat.bytes;
      member.outstanding = seat.outstanding;
      member.allocations_total = wide(seat.allocations);
      member.frees_total = wide(seat.frees);
    }
  }
  out.members.resize(count);
  processes_.fill(snapshot.processes, out.processes);
  sessions_.fill(snapshot.session_tags, out.session_pools, out.session_members);
  out.system_ptes_free_boot_max = state_.system_ptes_free_boot_max;
}

}  // namespace kmem::select
