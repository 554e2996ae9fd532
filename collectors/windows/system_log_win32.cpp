#include "collectors/windows/system_log_win32.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "collectors/base/byte_reader.h"
#include "collectors/base/text_win32.h"
#include "collectors/windows/event_calls_win32.h"

namespace kmem::windows {
namespace {

constexpr DWORD kMostBytes = 512 << 10;  // of one answer
constexpr int kMostTries = 8;            // with larger buffers, of one answer

NtStatus as_status(DWORD error) {
  switch (error) {
    case ERROR_SUCCESS: return kStatusOk;
    case ERROR_ACCESS_DENIED: return kStatusAccessDenied;
    default: return 0xC0070000 | (static_cast<NtStatus>(error) & 0xFFFF);
  }
}

template <typename Close>
class Handle {
 public:
  Handle(HANDLE handle, Close close) : handle_(handle), close_(close) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (handle_ != nullptr) close_(handle_);
  }
  [[nodiscard]] HANDLE get() const { return handle_; }

 private:
  HANDLE handle_;
  Close close_;
};

NtStatus read_back_records(const OldEventCalls& calls, const std::function<bool(std::string_view)>& take) {
  constexpr DWORD kStartBytes = 64 << 10;
  const Handle log(calls.open(nullptr, L"System"), calls.close);
  if (log.get() == nullptr) return as_status(GetLastError());
  constexpr std::size_t kMostReads = 1'000'000;  // a read gives a record at least
  std::vector<std::byte> buffer(kStartBytes);
  int tries = 0;
  for (std::size_t reads = 0; reads < kMostReads; ++reads) {
    DWORD filled = 0, needed = 0;
    if (calls.read(log.get(), EVENTLOG_SEQUENTIAL_READ | EVENTLOG_BACKWARDS_READ, 0, buffer.data(),
                   static_cast<DWORD>(buffer.size()), &filled, &needed) == 0) {
      const DWORD error = GetLastError();
      if (error == ERROR_HANDLE_EOF) return kStatusOk;
      if (error != ERROR_INSUFFICIENT_BUFFER || needed <= buffer.size() || needed > kMostBytes || ++tries > kMostTries)
        return as_status(error);
      buffer.resize(needed);
      continue;
    }
    tries = 0;
    if (filled == 0 || filled > buffer.size()) return kStatusOk;
    const base::ByteReader reader(std::span<const std::byte>(buffer.data(), filled));
    for (std::size_t at = 0; at < filled;) {
      const std::uint32_t length = reader.read<std::uint32_t>(at).value_or(0);
      const auto record = reader.slice(at, length);
      if (length == 0 || !record) return kStatusOk;  // what follows has no beginning, and may be this again
      if (!take({reinterpret_cast<const char*>(record->data()), record->size()})) return kStatusOk;
      at += length;
    }
  }
  return kStatusOk;
}

constexpr wchar_t kFailuresOnly[] =
    L"*[System[((Provider[@Name='Srv'] or Provider[@Name='srv']) and EventID>=2017 and EventID<=2020) or "
    L"(Provider[@Name='Microsoft-Windows-Resource-Exhaustion-Detector'] and EventID=2004)]]";

/// nullopt: an event that cannot be rendered is passed over.
std::optional<std::string> render(const NewEventCalls& calls, HANDLE event, std::vector<wchar_t>& buffer) {
  constexpr DWORD kAsXml = 1;
  DWORD used = 0, properties = 0;
  int tries = 0;
  while (calls.render(nullptr, event, kAsXml, static_cast<DWORD>(buffer.size() * sizeof(wchar_t)), buffer.data(), &used,
                      &properties) == 0) {
    if (GetLastError() != ERROR_INSUFFICIENT_BUFFER || used <= buffer.size() * sizeof(wchar_t) || used > kMostBytes ||
        ++tries > kMostTries)
      return std::nullopt;
    buffer.resize(used / sizeof(wchar_t) + 1);
  }
  std::size_t length = std::min<std::size_t>(used / sizeof(wchar_t), buffer.size());
  while (length > 0 && buffer[length - 1] == 0) --length;
  if (length == 0) return std::nullopt;
  return base::to_utf8({buffer.data(), length});
}

NtStatus read_back_events(const NewEventCalls& calls, HANDLE results, const std::function<bool(std::string_view)>& take) {
  constexpr DWORD kBatch = 16, kPatienceMs = 5'000;
  constexpr std::size_t kMostEvents = 4'000'000;  // also of such that cannot be rendered
  std::size_t asked = 0;
  std::vector<wchar_t> buffer(16 << 10);
  while (true) {
    std::array<HANDLE, kBatch> events{};
    DWORD count = 0;
    if (calls.next(results, kBatch, events.data(), kPatienceMs, 0, &count) == 0) {
      const DWORD error = GetLastError();
      return error == ERROR_NO_MORE_ITEMS ? kStatusOk : as_status(error);
    }
    asked += kBatch;
    if (count == 0 || asked > kMostEvents) return kStatusOk;
    bool wants_more = true;
    for (DWORD i = 0; i < count && i < kBatch; ++i) {
      const Handle event(events[i], calls.close);
      if (!wants_more) continue;
      if (const auto xml = render(calls, event.get(), buffer)) wants_more = take(*xml);
    }
    if (!wants_more) return kStatusOk;
  }
}

class MachineLog final : public SystemLog {
 public:
  MachineLog(const OldEventCalls& old_calls, const NewEventCalls& new_calls) : old_calls_(old_calls), new_calls_(new_calls) {}

  [[nodiscard]] EventForm form() const override { return form_; }

  NtStatus read_back(bool only_failures, const std::function<bool(std::string_view)>& take) override {
    constexpr DWORD kChannelNewestFirst = 0x201;
    if (new_calls_.query != nullptr) {
      SetLastError(ERROR_SUCCESS);
      const Handle results(new_calls_.query(nullptr, L"System", only_failures ? kFailuresOnly : L"*", kChannelNewestFirst),
                           new_calls_.close);
      if (results.get() != nullptr) {
        form_ = EventForm::kXml;
        return read_back_events(new_calls_, results.get(), take);
      }
      if (GetLastError() == ERROR_ACCESS_DENIED) return kStatusAccessDenied;
    }
    // No such interface, or one that only exists by name, as Wine's: the old one answers everywhere.
    form_ = EventForm::kRecord;
    return read_back_records(old_calls_, take);
  }

 private:
  const OldEventCalls old_calls_;
  const NewEventCalls new_calls_;
  EventForm form_ = EventForm::kRecord;
};

}  // namespace

std::unique_ptr<SystemLog> make_system_log(const OldEventCalls& old_calls, const NewEventCalls& new_calls) {
  return std::make_unique<MachineLog>(old_calls, new_calls);
}

std::unique_ptr<SystemLog> make_system_log() { return make_system_log(old_event_calls(), new_event_calls()); }

}  // namespace kmem::windows
