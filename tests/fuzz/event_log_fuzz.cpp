// links: kmem_agent
// First byte: what the rest is. Even: part "kmem/events", through the parser and the log of failures, whose state must
// load again as it was saved. Odd: such a state.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "collectors/base/log.h"
#include "collectors/windows/event_tail.h"
#include "exporter/agent/failure_log.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void state_is_a_fixed_point(kmem::FailureLog& log) {
  const std::string saved = log.save();
  kmem::FailureLog again("host");
  require(again.load(saved).ok());
  require(again.save() == saved);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kmem;
  base::set_log_sink([](std::string_view) {});
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  FailureLog log("host");
  if ((data[0] & 1) != 0) {
    if (log.load(rest).ok()) state_is_a_fixed_point(log);
    return 0;
  }
  Snapshot snapshot;
  snapshot.system = System::kWindows;
  const auto refused = windows::parse_events(rest, snapshot);
  require(refused.ok() == snapshot.event_log.has_value());
  if (!refused) return 0;
  require(snapshot.event_log->records.size() <= windows::kMaxShippedEvents);
  Snapshot again = snapshot;
  log.observe(snapshot);
  std::uint64_t counted = 0;
  for (const FailureEvents& events : snapshot.failure_events) counted += events.count;
  require(counted <= snapshot.event_log->records.size());
  log.observe(again);
  std::uint64_t twice = 0;
  for (const FailureEvents& events : again.failure_events) twice += events.count;
  require(twice == counted);
  state_is_a_fixed_point(log);
  return 0;
}
