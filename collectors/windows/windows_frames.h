// STAGE 1: NtQuery and Registry -> RawFrame, with the parts that windows_parse.h lists. Portable: tests give it a
// kernel made of bytes. Thread: one caller at a time. Failure: a part's status; acquire itself does not fail.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/base/clock.h"
#include "collectors/frame_source.h"
#include "collectors/windows/event_tail.h"
#include "collectors/windows/nt_query.h"
#include "collectors/windows/registry.h"
#include "collectors/windows/system_facts.h"
#include "config/config.h"

namespace kmem::windows {

class WindowsFrames final : public FrameSource {
 public:
  /// `clock` must outlive this. `pointer_bytes` is that of the calling program: the kernel answers in its layout.
  WindowsFrames(std::unique_ptr<NtQuery> query, std::unique_ptr<Registry> registry, const config::Collectors& collectors,
                const base::Clock& clock, std::uint8_t pointer_bytes);
  /// What is not asked of the kernel. Without it (tests) those parts are absent.
  void add_system(std::unique_ptr<SystemProbe> probe, std::unique_ptr<SystemLog> log);

  base::Result<void> acquire(RawFrame& frame) override;
  [[nodiscard]] bool is_live() const override { return true; }
  void resume_events(const EventCursor& cursor) override;
  void set_gate(PartGate* gate) override { gate_ = gate; }
  void want_object_handles(bool wanted) override { wants_handles_ = wanted; }

 private:
  template <typename Read>
  void enter(std::string_view collector, std::string_view part, Read read);
  NtStatus read_fixed_class(RawFrame& frame, std::string_view name, std::uint32_t info_class, std::size_t bytes);
  NtStatus read_growing_class(RawFrame& frame, std::string_view name, std::uint32_t info_class, std::size_t start_bytes);
  template <typename Read>
  NtStatus timed(RawFrame& frame, std::string_view name, Read read);
  void read_page_size(RawFrame& frame);
  void read_processes(RawFrame& frame);
  void read_pool_tags(RawFrame& frame);
  void read_system(RawFrame& frame);
  void read_optional_class(RawFrame& frame, std::string_view name, std::uint32_t info_class, std::size_t start_bytes,
                           NtStatus& known_status);

  /// What is read seldom: between two readings the last answer stands, with its time.
  struct Seldom {
    RawPart part;
    std::optional<std::chrono::nanoseconds> read_at;
  };
  template <typename Read>
  void read_seldom(RawFrame& frame, std::string_view name, std::chrono::nanoseconds every, Seldom& kept, Read read);
  NtStatus read_big_pool(std::string& text);
  NtStatus read_object_handles(const RawFrame& frame, std::string& text);

  std::unique_ptr<NtQuery> query_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<SystemProbe> probe_;
  std::unique_ptr<EventTail> events_;
  std::string system_text_;
  config::Collectors collectors_;
  const base::Clock& clock_;
  std::uint8_t pointer_bytes_;
  PartGate* gate_ = nullptr;
  std::string_view collector_;  // whose parts are being read
  std::atomic<bool> wants_handles_{false};
  Seldom big_pool_, object_handles_, settings_;
  // Of classes 255 and 67; once unsupported, always so.
  NtStatus wide_tags_status_ = kStatusOk, session_tags_status_ = kStatusOk;
};

}  // namespace kmem::windows
