#include "collectors/windows/event_tail.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "collectors/base/wire.h"
#include "collectors/windows/logged_event.h"
#include "config/collectors.h"

namespace kmem::windows {
namespace {

constexpr std::chrono::seconds kEvery = config::collector("events").on_windows.every;
constexpr std::size_t kMaxScanned = 200'000;  // of one look: an old log of 16 MB has fewer
constexpr std::size_t kFewRecords = 512;      // beyond, the log's own filter is the cheaper way
constexpr std::size_t kMaxRecordBytes = 256 << 10;
constexpr std::uint8_t kPartVersion = 1;

base::Result<LoggedEvent> parse_one(EventForm form, std::string_view record) {
  return form == EventForm::kXml ? parse_event_xml(record) : parse_event_record(std::as_bytes(std::span(record)));
}

/// To the second: the old interface knows no more, and a log may be read by either.
bool is_reached(const EventCursor& cursor, const LoggedEvent& event) {
  return event.record_id <= cursor.record_id && event.time / 1000 <= cursor.time / 1000;
}

}  // namespace

struct EventTail::Look {
  std::optional<EventCursor> newest;
  bool is_capped = false;             // `newest` is known: what came after it is the next look's
  std::vector<std::string> failures;  // newest first
  std::size_t bytes = 0;
  std::uint64_t left_out = 0;
};

EventTail::EventTail(std::unique_ptr<SystemLog> log, const base::Clock& clock)
    : log_(std::move(log)), clock_(clock), origin_(static_cast<std::uint64_t>(clock.wall()) * 1000 +
                                                   static_cast<std::uint64_t>(clock.steady().count() / 1000 % 1000)) {}

NtStatus EventTail::scan(bool only_failures, std::size_t most, Look& found, bool& finished) {
  std::size_t scanned = 0;
  // Numbers never fall but with a clearing: the newest tells, whatever clock wrote it.
  const auto is_before_cursor = [this](std::uint64_t record_id) { return cursor_ && record_id < cursor_->record_id; };
  bool cleared = found.newest && is_before_cursor(found.newest->record_id);
  std::optional<std::uint64_t> last;
  finished = true;
  return log_->read_back(only_failures, [&](std::string_view record) {
    if (scanned == most) return finished = false;
    ++scanned;
    const auto event = parse_one(log_->form(), record);
    if (!event) return true;  // a record that makes no sense hides none of the others
    // A log that gives the same records again has an end that it does not tell.
    if (last && event->record_id >= *last) return false;
    if (!last && !only_failures && is_before_cursor(event->record_id)) cleared = true;
    last = event->record_id;
    if (cursor_ && !cleared && is_reached(*cursor_, *event)) return false;
    if (found.is_capped && event->record_id > found.newest->record_id) return true;
    if (!found.newest) found.newest = EventCursor{event->record_id, event->time};
    if (failure_kind(event->provider, event->event_id) == nullptr) return true;
    if (found.failures.size() == kMaxShippedEvents || found.bytes + record.size() > kMaxShippedBytes) {
      ++found.left_out;
    } else {
      found.bytes += record.size();
      found.failures.emplace_back(record);
    }
    return true;
  });
}

NtStatus EventTail::look(Look& found) {
  bool finished = false;
  // Without a cursor the whole log is new: its newest record is the cursor, the failures in it are asked for.
  const NtStatus status = scan(false, cursor_ ? kFewRecords : 1, found, finished);
  if (status != kStatusOk || finished) return status;
  Look all;
  all.newest = found.newest;
  all.is_capped = found.newest.has_value();
  found = std::move(all);
  const NtStatus filtered = scan(true, kMaxScanned, found, finished);
  if (!finished) ++found.left_out;  // what is older: nobody has looked whether there is any
  return filtered;
}

NtStatus EventTail::read(std::string& part) {
  const auto now = clock_.steady();
  Look found;
  if (!looked_at_ || now - *looked_at_ >= kEvery) {
    looked_at_ = now;
    status_ = look(found);
    if (status_ != kStatusOk) found = {};
    if (found.newest) cursor_ = found.newest;
  }
  part.clear();
  if (status_ != kStatusOk) return status_;
  // Windows writes the clearing of a log into it: a log without any record was never written, as under Wine.
  if (!cursor_) return kStatusNameNotFound;
  base::WireWriter out(part);
  out.fixed(kPartVersion);
  out.fixed(static_cast<std::uint8_t>(log_->form()));
  out.fixed(origin_);
  out.varint(shipped_);
  out.varint(cursor_->record_id);
  out.fixed(cursor_->time);
  out.varint(found.left_out);
  out.varint(found.failures.size());
  for (auto record = found.failures.rbegin(); record != found.failures.rend(); ++record) out.string(*record);
  shipped_ += found.failures.size();
  return kStatusOk;
}

base::Result<std::uint64_t> parse_events(std::string_view part, Snapshot& out) {
  base::WireReader in(part);
  const auto version = in.fixed<std::uint8_t>();
  if (in.ok() && version != kPartVersion)
    return base::Error{base::ErrorCode::kUnsupported, "events of version " + std::to_string(version)};
  const auto form = in.fixed<std::uint8_t>();
  if (form > static_cast<std::uint8_t>(EventForm::kXml)) in.fail();
  EventLogReading reading;
  reading.origin = in.fixed<std::uint64_t>();
  reading.first = in.varint();
  if (reading.first > UINT64_MAX / 2) in.fail();
  reading.cursor.record_id = in.varint();
  reading.cursor.time = in.fixed<base::UnixMillis>();
  reading.left_out = in.varint();
  std::uint64_t refused = 0;
  for (std::size_t left = in.count(1, kMaxShippedEvents); left > 0; --left) {
    const std::string_view record = in.string(kMaxRecordBytes);
    auto event = parse_one(static_cast<EventForm>(form), record);
    const FailureKind* kind = event ? failure_kind(event->provider, event->event_id) : nullptr;
    // The numbers of the records must stay those of the reader, so that a refused one leaves its place.
    if (kind == nullptr) ++refused;
    reading.records.push_back({std::string(kind != nullptr ? kind->provider : std::string_view()),
                               kind != nullptr ? kind->event_id : 0, kind != nullptr ? event->record_id : 0,
                               kind != nullptr ? event->time : 0, kind != nullptr ? std::move(event->detail) : std::string()});
  }
  if (const auto whole = in.finish(); !whole) return whole.error();
  for (const FailureKind& kind : kFailureKinds)
    if (form == static_cast<std::uint8_t>(EventForm::kXml) || !kind.needs_vista)
      out.failure_events.push_back({std::string(kind.provider), kind.event_id, 0, {}});
  refused += reading.left_out;
  out.event_log = std::move(reading);
  return refused;
}

}  // namespace kmem::windows
