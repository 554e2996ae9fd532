#include "exporter/agent/failure_log.h"

#include <algorithm>

#include "collectors/base/host_key.h"
#include "collectors/base/label_text.h"
#include "collectors/base/log.h"
#include "collectors/base/time_words.h"
#include "collectors/base/wire.h"

namespace kmem {
namespace {

constexpr std::size_t kMaxKinds = 64;
constexpr std::size_t kMaxNameBytes = 256;
constexpr std::size_t kMostLines = 10;  // of one reading; a log read for the first time may hold years

}  // namespace

void FailureLog::take(const EventLogReading& reading) {
  if (reading.origin != origin_) {
    // Another reader begins where this one may have been before.
    if (origin_ != 0) counted_before_ = cursor_;
    origin_ = reading.origin;
    taken_ = 0;
  }
  std::size_t said = 0, unsaid = 0;
  for (std::size_t i = 0; i < reading.records.size(); ++i) {
    const FailureRecord& record = reading.records[i];
    if (reading.first + i < taken_ || record.provider.empty()) continue;
    // To the second: Windows' older interface knows no more.
    if (counted_before_ && record.record_id <= counted_before_->record_id && record.time / 1000 <= counted_before_->time / 1000)
      continue;
    const Key key(record.provider, record.event_id);
    if (!counts_.contains(key) && counts_.size() == kMaxKinds) continue;
    Count& count = counts_[key];
    ++count.count;
    count.last = record.time;  // the log's order counts: a clock may have been set back
    unsaved_ = true;
    if (said++ < kMostLines) {
      base::log_warn("kernel memory ran out", {{"provider", record.provider},
                                               {"event_id", std::to_string(record.event_id)},
                                               {"time", base::rfc3339(record.time)},
                                               {"detail", record.detail}});
    } else {
      ++unsaid;
    }
  }
  if (unsaid != 0) base::log_warn("more such events in the log", {{"count", std::to_string(unsaid)}});
  taken_ = std::max<std::uint64_t>(taken_, reading.first + reading.records.size());
  cursor_ = reading.cursor;
}

void FailureLog::follow_kernel(Snapshot& snapshot, bool new_boot) {
  for (FailureEvents& events : snapshot.failure_events) {
    const auto [known, is_new] = counts_.try_emplace({events.provider, events.event_id}, Count{events.count, {}});
    Count& count = known->second;
    // After a boot all of it is new.
    const std::uint64_t before = new_boot || events.count < count.count ? 0 : count.count;
    const bool rose = !is_new && events.count > before;
    if (rose) count.last = snapshot.time;
    if (is_new || events.count != count.count) unsaved_ = true;
    count.count = events.count;
    events.last = count.last;
    if (rose && events.provider == "vmstat_oom_kill")
      base::log_warn("the kernel killed a process for want of memory", {{"count", std::to_string(events.count)}});
  }
}

void FailureLog::observe(Snapshot& snapshot, bool new_boot) {
  if (snapshot.system == System::kLinux) return follow_kernel(snapshot, new_boot);
  if (snapshot.event_log) take(*snapshot.event_log);
  // A log that cannot be read just now takes nothing back.
  for (const auto& [key, count] : counts_) {
    const auto row = std::find_if(snapshot.failure_events.begin(), snapshot.failure_events.end(),
                                  [&wanted = key](const FailureEvents& events) {
                                    return events.provider == wanted.first && events.event_id == wanted.second;
                                  });
    FailureEvents& events = row == snapshot.failure_events.end()
                                ? snapshot.failure_events.emplace_back(FailureEvents{key.first, key.second, 0, {}})
                                : *row;
    events.count = count.count;
    events.last = count.last;
  }
}

std::string FailureLog::save() {
  std::string payload;
  base::WireWriter out(payload);
  out.string(host_identity_);
  out.fixed(static_cast<std::uint8_t>(cursor_.has_value()));
  out.varint(cursor_.value_or(EventCursor{}).record_id);
  out.fixed(cursor_.value_or(EventCursor{}).time);
  out.varint(counts_.size());
  for (const auto& [key, count] : counts_) {
    out.string(key.first);
    out.varint(key.second);
    out.varint(count.count);
    out.fixed(static_cast<std::uint8_t>(count.last.has_value()));
    out.fixed(count.last.value_or(0));
  }
  unsaved_ = false;
  return payload;
}

base::Result<void> FailureLog::load(std::string_view payload) {
  base::WireReader in(payload);
  const std::string host(in.string(kMaxNameBytes));
  const bool has_cursor = in.fixed<std::uint8_t>() != 0;
  EventCursor cursor;
  cursor.record_id = in.varint();
  cursor.time = in.fixed<base::UnixMillis>();
  std::map<Key, Count> counts;
  for (std::size_t left = in.count(12, kMaxKinds); left > 0; --left) {
    std::string provider(in.string(kMaxNameBytes));
    const std::uint64_t id = in.varint();
    if (id > UINT32_MAX || base::label_text(provider) != provider) in.fail();
    Count count;
    count.count = in.varint();
    const bool has_last = in.fixed<std::uint8_t>() != 0;
    const auto last = in.fixed<base::UnixMillis>();
    if (has_last) count.last = last;
    counts.insert_or_assign({std::move(provider), static_cast<std::uint32_t>(id)}, count);
  }
  if (const auto whole = in.finish(); !whole) return whole.error();
  if (!host.empty() && !base::is_host(host, host_identity_))
    return base::Error{base::ErrorCode::kInvalid, "the counts are of another host"};
  counts_ = std::move(counts);
  if (has_cursor) cursor_ = counted_before_ = cursor;
  return {};
}

}  // namespace kmem
