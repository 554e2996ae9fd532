#include "collectors/windows/system_log_win32.h"

#include <windows.h>

#include <array>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include "collectors/base/byte_reader.h"

namespace kmem::windows {
namespace {

NtStatus as_status(DWORD error) {
  switch (error) {
    case ERROR_SUCCESS: return kStatusOk;
    case ERROR_ACCESS_DENIED: return kStatusAccessDenied;
    default: return 0xC0070000 | (static_cast<NtStatus>(error) & 0xFFFF);
  }
}

/// OpenEventLog and ReadEventLog.
class OldLog {
 public:
  OldLog() : log_(OpenEventLogW(nullptr, L"System")) {}
  OldLog(const OldLog&) = delete;
  OldLog& operator=(const OldLog&) = delete;
  ~OldLog() {
    if (log_ != nullptr) CloseEventLog(log_);
  }

  NtStatus read_back(const std::function<bool(std::string_view)>& take) {
    constexpr DWORD kStartBytes = 64 << 10, kMostBytes = 512 << 10;
    if (log_ == nullptr) return as_status(GetLastError());
    std::vector<std::byte> buffer(kStartBytes);
    while (true) {
      DWORD filled = 0, needed = 0;
      if (ReadEventLogW(log_, EVENTLOG_SEQUENTIAL_READ | EVENTLOG_BACKWARDS_READ, 0, buffer.data(),
                        static_cast<DWORD>(buffer.size()), &filled, &needed) == 0) {
        const DWORD error = GetLastError();
        if (error == ERROR_HANDLE_EOF) return kStatusOk;
        if (error != ERROR_INSUFFICIENT_BUFFER || needed <= buffer.size() || needed > kMostBytes)
          return as_status(error);
        buffer.resize(needed);
        continue;
      }
      const base::ByteReader reader(std::span<const std::byte>(buffer.data(), filled));
      for (std::size_t at = 0; at < filled;) {
        const std::uint32_t length = reader.read<std::uint32_t>(at).value_or(0);
        const auto record = reader.slice(at, length);
        if (length == 0 || !record) break;
        if (!take({reinterpret_cast<const char*>(record->data()), record->size()})) return kStatusOk;
        at += length;
      }
      if (filled == 0) return kStatusOk;
    }
  }

 private:
  HANDLE log_;
};

/// The calls of wevtapi.dll that are used; not linked, for NT 5.2 has no such file.
struct EventApi {
  using Handle = HANDLE;
  Handle(WINAPI* query)(Handle session, LPCWSTR path, LPCWSTR query, DWORD flags) = nullptr;
  BOOL(WINAPI* next)(Handle results, DWORD size, Handle* events, DWORD timeout, DWORD flags, DWORD* returned) = nullptr;
  BOOL(WINAPI* render)(Handle context, Handle fragment, DWORD flags, DWORD bytes, void* buffer, DWORD* used,
                       DWORD* properties) = nullptr;
  BOOL(WINAPI* close)(Handle object) = nullptr;

  static const EventApi* find() {
    static const EventApi api = load();
    return api.close == nullptr ? nullptr : &api;
  }

 private:
  template <typename Call>
  static bool take(HMODULE module, const char* name, Call& call) {
    const FARPROC found = GetProcAddress(module, name);
    if (found != nullptr) std::memcpy(&call, &found, sizeof(call));
    return found != nullptr;
  }
  static EventApi load() {
    // By its full path: a file of this name beside the program is not Windows' own.
    std::array<wchar_t, MAX_PATH + 16> path{};
    const UINT length = GetSystemDirectoryW(path.data(), MAX_PATH);
    EventApi api;
    if (length == 0 || length >= MAX_PATH) return api;
    std::wcscpy(path.data() + length, L"\\wevtapi.dll");
    const HMODULE module = LoadLibraryW(path.data());
    if (module == nullptr) return api;
    if (!take(module, "EvtQuery", api.query) || !take(module, "EvtNext", api.next) ||
        !take(module, "EvtRender", api.render) || !take(module, "EvtClose", api.close))
      api = {};
    return api;
  }
};

class EventHandle {
 public:
  EventHandle(const EventApi& api, HANDLE handle) : api_(api), handle_(handle) {}
  EventHandle(const EventHandle&) = delete;
  EventHandle& operator=(const EventHandle&) = delete;
  ~EventHandle() {
    if (handle_ != nullptr) api_.close(handle_);
  }
  [[nodiscard]] HANDLE get() const { return handle_; }

 private:
  const EventApi& api_;
  HANDLE handle_;
};

constexpr wchar_t kFailuresOnly[] =
    L"*[System[((Provider[@Name='Srv'] or Provider[@Name='srv']) and EventID>=2017 and EventID<=2020) or "
    L"(Provider[@Name='Microsoft-Windows-Resource-Exhaustion-Detector'] and EventID=2004)]]";

/// nullopt: an event that cannot be rendered is passed over.
std::optional<std::string> render(const EventApi& api, HANDLE event, std::vector<wchar_t>& buffer) {
  constexpr DWORD kAsXml = 1, kMostBytes = 512 << 10;
  DWORD used = 0, properties = 0;
  while (api.render(nullptr, event, kAsXml, static_cast<DWORD>(buffer.size() * sizeof(wchar_t)), buffer.data(), &used,
                    &properties) == 0) {
    if (GetLastError() != ERROR_INSUFFICIENT_BUFFER || used <= buffer.size() * sizeof(wchar_t) || used > kMostBytes)
      return std::nullopt;
    buffer.resize(used / sizeof(wchar_t) + 1);
  }
  int length = static_cast<int>(used / sizeof(wchar_t));
  while (length > 0 && buffer[static_cast<std::size_t>(length) - 1] == 0) --length;
  const int bytes = WideCharToMultiByte(CP_UTF8, 0, buffer.data(), length, nullptr, 0, nullptr, nullptr);
  std::string text(static_cast<std::size_t>(bytes), '\0');
  WideCharToMultiByte(CP_UTF8, 0, buffer.data(), length, text.data(), bytes, nullptr, nullptr);
  return text;
}

NtStatus read_back(const EventApi& api, HANDLE results, const std::function<bool(std::string_view)>& take) {
  constexpr DWORD kBatch = 16, kPatienceMs = 5'000;
  std::vector<wchar_t> buffer(16 << 10);
  while (true) {
    std::array<HANDLE, kBatch> events{};
    DWORD count = 0;
    if (api.next(results, kBatch, events.data(), kPatienceMs, 0, &count) == 0) {
      const DWORD error = GetLastError();
      return error == ERROR_NO_MORE_ITEMS ? kStatusOk : as_status(error);
    }
    bool wants_more = true;
    for (DWORD i = 0; i < count; ++i) {
      const EventHandle event(api, events[i]);
      if (!wants_more) continue;
      if (const auto xml = render(api, event.get(), buffer)) wants_more = take(*xml);
    }
    if (!wants_more) return kStatusOk;
  }
}

class MachineLog final : public SystemLog {
 public:
  [[nodiscard]] EventForm form() const override { return form_; }

  NtStatus read_back(bool only_failures, const std::function<bool(std::string_view)>& take) override {
    constexpr DWORD kChannelNewestFirst = 0x201;
    if (const EventApi* const api = EventApi::find()) {
      SetLastError(ERROR_SUCCESS);
      const wchar_t* const filter = only_failures ? kFailuresOnly : L"*";
      const EventHandle results(*api, api->query(nullptr, L"System", filter, kChannelNewestFirst));
      const DWORD error = GetLastError();
      if (results.get() != nullptr) {
        form_ = EventForm::kXml;
        return windows::read_back(*api, results.get(), take);
      }
      if (error == ERROR_ACCESS_DENIED) return kStatusAccessDenied;
    }
    // No such interface, or one that only exists by name, as Wine's: the old one answers everywhere.
    form_ = EventForm::kRecord;
    OldLog old;
    return old.read_back(take);
  }

 private:
  EventForm form_ = EventForm::kRecord;
};

}  // namespace

std::unique_ptr<SystemLog> make_system_log() { return std::make_unique<MachineLog>(); }

}  // namespace kmem::windows
