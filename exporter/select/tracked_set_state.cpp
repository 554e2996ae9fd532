// The payload of the state file. Times are stored as distances from the last tick, bytes as steps from day to day: most
// of them are small or zero, so that 4,096 followed tags take about 200 KB.
#include <algorithm>
#include <tuple>

#include "collectors/base/wire.h"
#include "exporter/select/tracked_set.h"

namespace kmem::select {
namespace {

constexpr std::uint64_t kVersion = 1;
constexpr std::size_t kMaxTagBytes = 65'536;
constexpr std::size_t kMaxItems = 1'000'000;

std::uint64_t zigzag(std::uint64_t step) { return (step << 1) ^ (0 - (step >> 63)); }
std::uint64_t unzigzag(std::uint64_t code) { return (code >> 1) ^ (0 - (code & 1)); }

// Every time in the state is at most the last tick's.
struct Writer : base::WireWriter {
  Writer(std::string& out, base::UnixMillis newest) : WireWriter(out), newest_(newest) {}

  void flag(bool value) { fixed<std::uint8_t>(value ? 1 : 0); }
  void time(base::UnixMillis at) { varint(at == kNever ? 0 : static_cast<std::uint64_t>(elapsed(at, newest_)) + 1); }
  void counter(const CounterWidener& counter) {
    const auto state = counter.state();
    flag(state.has_value());
    if (!state) return;
    varint(state->last_raw);
    varint(state->wide);
  }
  void record(const TagRecord& record) {
    string(record.tag);
    varint(record.bytes);
    time(record.last_seen);
    time(record.ranked_since);
    const auto& lowest = record.floor.lowest();
    std::uint8_t known = 0;
    for (std::size_t i = 0; i < lowest.size(); ++i) known |= static_cast<std::uint8_t>((lowest[i] != DailyFloor::kNoData) << i);
    fixed(known);
    fixed(record.floor.newest_day());
    std::uint64_t before = 0;
    for (const std::uint64_t bytes : lowest) {
      if (bytes == DailyFloor::kNoData) continue;
      varint(zigzag(bytes - before));
      before = bytes;
    }
  }

 private:
  base::UnixMillis newest_;
};

struct Reader : base::WireReader {
  using WireReader::WireReader;
  base::UnixMillis newest = kNever;

  bool flag() {
    const auto value = fixed<std::uint8_t>();
    if (value > 1) fail();
    return value == 1;
  }
  base::UnixMillis time() {
    const std::uint64_t distance = varint();
    if (distance == 0) return kNever;
    // Above kNever, or it is no time that was written.
    if (distance > static_cast<std::uint64_t>(newest) - static_cast<std::uint64_t>(kNever)) fail();
    return ok() ? static_cast<base::UnixMillis>(static_cast<std::uint64_t>(newest) - (distance - 1)) : kNever;
  }
  CounterWidener counter() {
    if (!flag()) return {};
    const std::uint64_t last_raw = varint();
    return CounterWidener({last_raw, varint()});
  }
  /// nullptr when the table is full; what was read is dropped then.
  TagRecord* record(Pool pool, TagTable& table, std::uint32_t& slot) {
    const std::string_view tag = string(kMaxTagBytes);
    // One illegal label makes Prometheus refuse the whole page.
    if (std::any_of(tag.begin(), tag.end(), [](char c) { return c < 0x20 || c > 0x7e; })) fail();
    TagRecord read;
    read.bytes = varint();
    read.last_seen = time();
    read.ranked_since = time();
    const auto known = fixed<std::uint8_t>();
    const auto newest_day = fixed<std::int32_t>();
    std::array<std::uint64_t, DailyFloor::kDays> lowest;
    lowest.fill(DailyFloor::kNoData);
    std::uint64_t before = 0;
    for (std::size_t i = 0; i < lowest.size(); ++i) {
      if ((known >> i & 1) == 0) continue;
      before = lowest[i] = before + unzigzag(varint());
      if (before == DailyFloor::kNoData) fail();
    }
    if (known != 0 && (known & 1) == 0) fail();
    const std::uint64_t key = tag_key(pool, tag);
    if (table.find(pool, key, tag) != FlatIndex::kNone) fail();
    if (!ok() || table.full()) return nullptr;
    slot = table.insert(pool, key, tag);
    TagRecord& record = table[slot];
    record.bytes = read.bytes;
    record.last_seen = read.last_seen;
    record.ranked_since = read.ranked_since;
    if (known != 0) record.floor = DailyFloor::restored(newest_day, lowest);
    return &record;
  }
};

}  // namespace

std::string TrackedSet::save() const {
  std::string out;
  Writer writer(out, state_.last_update);
  writer.varint(kVersion);
  writer.fixed(state_.last_update);
  writer.flag(state_.boot_time.has_value());
  writer.fixed(state_.boot_time.value_or(0));
  writer.flag(state_.system_ptes_free_boot_max.has_value());
  writer.varint(state_.system_ptes_free_boot_max.value_or(0));
  writer.varint(state_.forgotten_total);
  for (const PoolState& pool : state_.pools) {
    writer.time(pool.last_read);
    writer.varint(pool.members.evictions_total());
    writer.flag(pool.totals_rebooted);
    for (const CounterWidener& counter : pool.totals) writer.counter(counter);
    writer.varint(pool.members.departed().size());
    for (const PoolMembers::Departed& gone : pool.members.departed()) {
      writer.fixed(gone.key);
      writer.time(gone.at);
    }
    writer.varint(pool.members.seats().size());
    for (const Seat& seat : pool.members.seats()) {
      writer.record(state_.table[seat.slot]);
      writer.time(seat.admitted);
      writer.time(seat.last_held);
      writer.flag(seat.forced);
      writer.flag(seat.rebooted);
      writer.counter(seat.allocations);
      writer.counter(seat.frees);
    }
  }

  // Where room is short, the baselines of those that have grown matter most.
  std::vector<std::tuple<std::uint64_t, std::uint64_t, std::uint64_t, const TagRecord*>> others;
  for (const TagRecord& record : state_.table.records()) {
    if (record.used && !record.member) others.emplace_back(~record.floor.growth(), ~record.bytes, record.key, &record);
  }
  std::sort(others.begin(), others.end());
  std::string bodies;
  Writer body(bodies, state_.last_update);
  std::size_t written = 0;
  for (const auto& other : others) {
    if (out.size() + bodies.size() >= kMaxSavedBytes) break;
    const TagRecord& record = *std::get<const TagRecord*>(other);
    body.fixed(static_cast<std::uint8_t>(record.pool));
    body.record(record);
    ++written;
  }
  writer.varint(written);
  return out + bodies;
}

base::Result<void> TrackedSet::load(std::string_view payload) {
  state_ = State(tags_.max_tracked);
  Reader reader(payload);
  State state(tags_.max_tracked);
  if (const std::uint64_t version = reader.varint(); version != kVersion) {
    reindex_seats();
    return base::Error{base::ErrorCode::kMalformed,
                       "tag selection of version " + std::to_string(version) + ", not " + std::to_string(kVersion)};
  }
  state.last_update = reader.newest = reader.fixed<base::UnixMillis>();
  const bool has_boot_time = reader.flag();
  const auto boot_time = reader.fixed<base::UnixMillis>();
  if (has_boot_time) state.boot_time = boot_time;
  const bool has_ptes = reader.flag();
  const std::uint64_t ptes = reader.varint();
  if (has_ptes) state.system_ptes_free_boot_max = ptes;
  state.forgotten_total = reader.varint();

  std::uint32_t slot = FlatIndex::kNone;
  for (std::size_t i = 0; i < kPoolCount; ++i) {
    PoolState& pool = state.pools[i];
    pool.last_read = reader.time();
    std::uint64_t evictions = reader.varint();
    pool.totals_rebooted = reader.flag();
    for (CounterWidener& counter : pool.totals) counter = reader.counter();
    for (std::size_t left = reader.count(9, kMaxItems); left > 0; --left) {
      const auto key = reader.fixed<std::uint64_t>();
      pool.members.departed().push_back({key, reader.time()});
    }
    for (std::size_t left = reader.count(15, kMaxItems); left > 0; --left) {
      TagRecord* record = reader.record(static_cast<Pool>(i), state.table, slot);
      Seat seat;
      seat.slot = slot;
      seat.admitted = reader.time();
      seat.last_held = reader.time();
      seat.forced = reader.flag();
      seat.rebooted = reader.flag();
      seat.allocations = reader.counter();
      seat.frees = reader.counter();
      if (!reader.ok()) break;
      if (record == nullptr) {  // max_tracked was lowered below the number of members
        ++evictions;
        continue;
      }
      record->member = true;
      pool.members.seats().push_back(seat);
    }
    pool.members.restore_evictions(evictions);
  }
  for (std::size_t left = reader.count(10, kMaxItems); left > 0 && reader.ok(); --left) {
    const auto pool = reader.fixed<std::uint8_t>();
    if (pool >= kPoolCount) reader.fail();
    else (void)reader.record(static_cast<Pool>(pool), state.table, slot);
  }
  const base::Result<void> whole = reader.finish();
  if (whole) {
    state_ = std::move(state);
    boot_clock_ = base::BootClock(kept_boot());
    for (PoolState& pool : state_.pools) pool.members.trim(state_.table, rules().cap);
    for (slot = 0; slot < state_.table.records().size(); ++slot) {
      const TagRecord& record = state_.table[slot];
      if (record.ranked_since != kNever) state_.pools[static_cast<std::size_t>(record.pool)].ranked.push_back(slot);
    }
  }
  reindex_seats();
  return whole ? whole : base::Result<void>(whole.error().within("tag selection"));
}

}  // namespace kmem::select
