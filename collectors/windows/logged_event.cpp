#include "collectors/windows/logged_event.h"

#include <algorithm>

#include "collectors/base/ascii_case.h"
#include "collectors/base/byte_reader.h"
#include "collectors/base/label_text.h"
#include "collectors/windows/nt_status.h"

namespace kmem::windows {
namespace {

// EVENTLOGRECORD, the same on every Windows; the source's name follows as UTF-16.
constexpr std::size_t kSignatureAt = 4, kRecordNumberAt = 8, kTimeAt = 12, kEventIdAt = 20, kDataLengthAt = 48,
                      kDataOffsetAt = 52, kSourceAt = 56;
constexpr std::uint32_t kSignature = 0x654C664C;  // "LfLe"
constexpr std::size_t kMaxSourceLength = 256;

std::optional<std::string> read_name(const base::ByteReader& record) {
  std::string name;
  for (std::size_t at = kSourceAt; name.size() <= kMaxSourceLength; at += 2) {
    const auto unit = record.read<std::uint16_t>(at);
    if (!unit) return std::nullopt;
    if (*unit == 0) return name;
    name.push_back(*unit >= 0x20 && *unit < 0x7F ? static_cast<char>(*unit) : '?');
  }
  return std::nullopt;
}

base::Error malformed_record(const char* what) { return {base::ErrorCode::kMalformed, std::string("event record: ") + what}; }

}  // namespace

const FailureKind* failure_kind(std::string_view provider, std::uint32_t event_id) {
  const auto kind = std::find_if(kFailureKinds.begin(), kFailureKinds.end(), [&](const FailureKind& row) {
    return row.event_id == event_id && base::equal_ignoring_case(row.provider, provider);
  });
  return kind == kFailureKinds.end() ? nullptr : &*kind;
}

std::optional<SrvFailure> decode_srv_data(std::span<const std::byte> data) {
  constexpr std::size_t kCodeAt = 12, kStatusAt = 20;
  constexpr std::uint32_t kErrorSeverity = 0xC0000000;
  const base::ByteReader reader(data);
  const std::uint32_t code = reader.read<std::uint32_t>(kCodeAt).value_or(0);
  SrvFailure failure;
  failure.event_id = code & 0xFFFF;
  if (code - failure.event_id != kErrorSeverity) return std::nullopt;
  switch (failure.event_id) {
    case 2017: failure.pool = Pool::kNonpaged, failure.own_limit = true; break;
    case 2018: failure.pool = Pool::kPaged, failure.own_limit = true; break;
    case 2019: failure.pool = Pool::kNonpaged; break;
    case 2020: failure.pool = Pool::kPaged; break;
    default: return std::nullopt;
  }
  failure.status = reader.read<std::uint32_t>(kStatusAt);
  return failure;
}

std::string srv_detail(std::span<const std::byte> data) {
  const auto failure = decode_srv_data(data);
  if (!failure) return {};
  std::string detail(pool_name(failure->pool));
  detail += failure->own_limit ? " pool: the file server's own limit is reached" : " pool is empty";
  if (failure->status) detail += ", status " + status_text(*failure->status);
  return detail;
}

base::Result<LoggedEvent> parse_event_record(std::span<const std::byte> bytes) {
  const base::ByteReader record(bytes);
  if (record.read<std::uint32_t>(kSignatureAt) != kSignature) return malformed_record("no signature");
  const auto number = record.read<std::uint32_t>(kRecordNumberAt);
  const auto seconds = record.read<std::uint32_t>(kTimeAt);
  const auto id = record.read<std::uint32_t>(kEventIdAt);
  const auto data_length = record.read<std::uint32_t>(kDataLengthAt);
  const auto data_offset = record.read<std::uint32_t>(kDataOffsetAt);
  if (!number || !seconds || !id || !data_length || !data_offset) return malformed_record("too short");
  const auto source = read_name(record);
  if (!source) return malformed_record("no end of the source's name");
  LoggedEvent event;
  event.record_id = *number;
  event.time = base::UnixMillis{*seconds} * 1000;
  event.provider = *source;
  event.event_id = *id & 0xFFFF;  // above: severity and facility
  if (const FailureKind* kind = failure_kind(event.provider, event.event_id); kind && kind->provider == kSrv)
    if (const auto data = record.slice(*data_offset, *data_length)) event.detail = srv_detail(*data);
  return event;
}

}  // namespace kmem::windows
