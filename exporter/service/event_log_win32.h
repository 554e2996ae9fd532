// The program's log as events of the Windows event log, and the registry key that lets its viewer show their text
// (the messages are a resource of this program). Thread: report() from any. Failure: an event that cannot be written is
// dropped.
#pragma once

#include <cstdint>
#include <string_view>

#include "collectors/base/log.h"
#include "collectors/base/result.h"

namespace kmem::service {

/// The message that an event of this level has, as messages.mc numbers them: severity in the two upper bits.
[[nodiscard]] std::uint32_t event_id(base::LogLevel level);

class EventLog {
 public:
  EventLog();
  ~EventLog();
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  void report(base::LogLevel level, std::string_view line);

 private:
  void* source_;
};

/// Names this program as the one that knows the source's messages.
[[nodiscard]] base::Result<void> register_event_source();
void unregister_event_source();

}  // namespace kmem::service
