// STAGE 1: one record of the System event log, as either interface gives it -> a LoggedEvent; and which events say that
// memory ran out: Srv 2017 to 2020, Resource-Exhaustion-Detector 2004. Thread: pure.
// Failure: kMalformed; any bytes in, no crash.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "collectors/base/result.h"
#include "collectors/snapshot.h"

namespace kmem::windows {

struct LoggedEvent {
  std::uint64_t record_id = 0;
  base::UnixMillis time = 0;
  std::string provider;  // as the log spells it
  std::uint32_t event_id = 0;
  std::string detail;  // what its data say, for people and legal everywhere; only of failures
};

/// An EVENTLOGRECORD of ReadEventLogW (NT 3.1 and later).
[[nodiscard]] base::Result<LoggedEvent> parse_event_record(std::span<const std::byte> record);

/// What EvtRender makes of an event, as UTF-8 (Vista and later).
[[nodiscard]] base::Result<LoggedEvent> parse_event_xml(std::string_view xml);

struct FailureKind {
  std::string_view provider;
  std::uint32_t event_id;
  bool needs_vista;
};
inline constexpr std::string_view kSrv = "Srv";
inline constexpr std::string_view kResourceExhaustion = "Microsoft-Windows-Resource-Exhaustion-Detector";
inline constexpr std::array<FailureKind, 5> kFailureKinds = {
    {{kSrv, 2017, false}, {kSrv, 2018, false}, {kSrv, 2019, false}, {kSrv, 2020, false}, {kResourceExhaustion, 2004, true}}};

/// nullptr: an event like any other. Providers' names differ in case from one Windows to the next.
[[nodiscard]] const FailureKind* failure_kind(std::string_view provider, std::uint32_t event_id);

/// What the file server puts into its events' data: 32-bit words, the event's own code at byte 12 (C00007E4 for 2020),
/// the status that it met at byte 20.
struct SrvFailure {
  std::uint32_t event_id = 0;
  Pool pool = Pool::kPaged;
  bool own_limit = false;  // the server's configured limit, not the pool's end
  std::optional<std::uint32_t> status;
};
[[nodiscard]] std::optional<SrvFailure> decode_srv_data(std::span<const std::byte> data);
[[nodiscard]] std::string srv_detail(std::span<const std::byte> data);

}  // namespace kmem::windows
