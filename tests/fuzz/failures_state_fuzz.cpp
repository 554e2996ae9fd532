// links: kmem_agent
// Any bytes as saved failure counts: refused, or counts that go on and are read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "exporter/agent/failure_log.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kmem;
  FailureLog log("");
  const bool loaded = log.load({reinterpret_cast<const char*>(data), size}).ok();
  Snapshot snapshot;
  snapshot.system = (size & 1) == 0 ? System::kLinux : System::kWindows;
  snapshot.time = 1'700'000'000'000;
  snapshot.failure_events = {{"vmstat_allocstall", 0, 7, {}}};
  log.observe(snapshot);
  if (snapshot.failure_events.empty() || snapshot.failure_events.size() > 65) std::abort();
  if (!loaded && log.cursor()) std::abort();
  FailureLog again("");
  if (!again.load(log.save())) std::abort();
  return 0;
}
