// The console API of every NT, not escape sequences: those need Windows 10.
#include <io.h>
#include <windows.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "exporter/terminal/terminal.h"

namespace kmem::terminal {
namespace {

constexpr DWORD kSizePollMs = 250;         // a window that is resized sends no event
constexpr std::size_t kMostCells = 8'000;  // older consoles refuse more than 64 KB in a call

// A console handler has no argument, so what it sets must be reachable without one.
HANDLE g_stop = nullptr;
HANDLE g_given_back = nullptr;

BOOL WINAPI on_console_event(DWORD kind) {
  SetEvent(g_stop);
  // The system ends the program when this returns for these.
  if (kind == CTRL_CLOSE_EVENT || kind == CTRL_LOGOFF_EVENT || kind == CTRL_SHUTDOWN_EVENT)
    WaitForSingleObject(g_given_back, 4'000);
  return TRUE;
}

WORD attributes_of(Style style, WORD usual) {
  switch (style) {
    case Style::kBar: return static_cast<WORD>((usual & 0xFF00) | (usual & 0x0F) << 4 | (usual & 0xF0) >> 4);
    case Style::kStrong: return usual | FOREGROUND_INTENSITY;
    case Style::kAlarm: return static_cast<WORD>((usual & 0xFFF0) | FOREGROUND_RED | FOREGROUND_INTENSITY);
    case Style::kPlain: break;
  }
  return usual;
}

bool key_of(const KEY_EVENT_RECORD& event, Key& key) {
  switch (event.wVirtualKeyCode) {
    case VK_UP: key.kind = KeyKind::kUp; return true;
    case VK_DOWN: key.kind = KeyKind::kDown; return true;
    case VK_LEFT: key.kind = KeyKind::kLeft; return true;
    case VK_RIGHT: key.kind = KeyKind::kRight; return true;
    case VK_PRIOR: key.kind = KeyKind::kPageUp; return true;
    case VK_NEXT: key.kind = KeyKind::kPageDown; return true;
    case VK_HOME: key.kind = KeyKind::kHome; return true;
    case VK_END: key.kind = KeyKind::kEnd; return true;
    case VK_RETURN: key.kind = KeyKind::kEnter; return true;
    case VK_ESCAPE: key.kind = KeyKind::kEscape; return true;
    case VK_BACK: key.kind = KeyKind::kBackspace; return true;
    default: break;
  }
  const wchar_t character = event.uChar.UnicodeChar;
  if (character == 0x03) key.kind = KeyKind::kInterrupt;
  else if (character == 0x0c) key.kind = KeyKind::kRedraw;
  else if (character >= 0x20 && character < 0x7f) key = {KeyKind::kCharacter, static_cast<char>(character)};
  else return false;
  return true;
}

class ConsoleTerminal final : public Terminal {
 public:
  ConsoleTerminal(HANDLE input, DWORD input_mode, HANDLE screen, WORD attributes)
      : input_(input), input_mode_(input_mode), screen_(screen), attributes_(attributes) {
    g_stop = CreateEventW(nullptr, TRUE, FALSE, nullptr);
    g_given_back = CreateEventW(nullptr, TRUE, FALSE, nullptr);
    SetConsoleCtrlHandler(on_console_event, TRUE);
    SetConsoleMode(input_, ENABLE_PROCESSED_INPUT | ENABLE_WINDOW_INPUT);
    CONSOLE_CURSOR_INFO hidden{1, FALSE};
    SetConsoleCursorInfo(screen_, &hidden);
    SetConsoleActiveScreenBuffer(screen_);
    size_ = window_size();
    fit_buffer();
  }
  ConsoleTerminal(const ConsoleTerminal&) = delete;
  ConsoleTerminal& operator=(const ConsoleTerminal&) = delete;
  ~ConsoleTerminal() override {
    SetConsoleActiveScreenBuffer(GetStdHandle(STD_OUTPUT_HANDLE));
    CloseHandle(screen_);
    SetConsoleMode(input_, input_mode_);
    SetConsoleCtrlHandler(on_console_event, FALSE);
    SetEvent(g_given_back);
  }

  [[nodiscard]] Size size() const override { return size_; }

  base::Result<void> draw(const Frame& frame) override {
    Frame next = fitted(frame, size_);
    const std::size_t most_rows = std::max<std::size_t>(1, kMostCells / size_.columns);
    for (std::size_t row = 0; row < next.size();) {
      if (row < shown_.size() && shown_[row] == next[row]) {
        ++row;
        continue;
      }
      std::size_t end = row + 1;
      while (end < next.size() && end - row < most_rows && !(end < shown_.size() && shown_[end] == next[end])) ++end;
      if (!write_rows(next, row, end)) {
        shown_.clear();
        return base::Error{base::ErrorCode::kIo, "the console cannot be written"};
      }
      row = end;
    }
    shown_ = std::move(next);
    return {};
  }

  Input wait(std::chrono::milliseconds timeout) override {
    const ULONGLONG end = now_ms() + static_cast<ULONGLONG>(std::max<long long>(timeout.count(), 0));
    while (true) {
      if (const Size now = window_size(); now != size_) {
        size_ = now;
        fit_buffer();
        shown_.clear();
        return {Input::What::kResized, {}};
      }
      const ULONGLONG at = now_ms();
      const DWORD left = at >= end ? 0 : static_cast<DWORD>(std::min<ULONGLONG>(end - at, kSizePollMs));
      const HANDLE sources[] = {g_stop, input_};
      switch (WaitForMultipleObjects(2, sources, FALSE, left)) {
        case WAIT_OBJECT_0: return {Input::What::kStop, {}};
        case WAIT_OBJECT_0 + 1: {
          Key key;
          if (!read_key(key)) break;
          if (key.kind == KeyKind::kRedraw) shown_.clear();
          return {Input::What::kKey, key};
        }
        case WAIT_TIMEOUT:
          if (now_ms() >= end) return {};
          break;
        default: return {Input::What::kStop, {}};  // the console has gone away
      }
    }
  }

 private:
  // Of GetTickCount, which wraps after 49 days and is all that NT 5.2 has.
  ULONGLONG now_ms() {
    const DWORD tick = GetTickCount();
    ticks_ += static_cast<DWORD>(tick - last_tick_);
    last_tick_ = tick;
    return ticks_;
  }

  [[nodiscard]] Size window_size() const {
    CONSOLE_SCREEN_BUFFER_INFO info;
    if (!GetConsoleScreenBufferInfo(screen_, &info)) return size_;
    const int rows = info.srWindow.Bottom - info.srWindow.Top + 1, columns = info.srWindow.Right - info.srWindow.Left + 1;
    if (rows < 1 || columns < 1) return size_;
    return {static_cast<std::size_t>(rows), static_cast<std::size_t>(columns)};
  }

  // As large as the window: nothing to scroll. Refused while the window is larger, which is then drawn on as it is.
  void fit_buffer() {
    SetConsoleScreenBufferSize(screen_, {static_cast<SHORT>(size_.columns), static_cast<SHORT>(size_.rows)});
  }

  bool write_rows(const Frame& frame, std::size_t first, std::size_t end) {
    cells_.clear();
    for (std::size_t row = first; row < end; ++row) {
      const WORD attributes = attributes_of(frame[row].style, attributes_);
      for (std::size_t column = 0; column < size_.columns; ++column) {
        CHAR_INFO cell{};
        cell.Char.UnicodeChar = column < frame[row].text.size() ? static_cast<wchar_t>(frame[row].text[column]) : L' ';
        cell.Attributes = attributes;
        cells_.push_back(cell);
      }
    }
    const COORD extent{static_cast<SHORT>(size_.columns), static_cast<SHORT>(end - first)};
    SMALL_RECT region{0, static_cast<SHORT>(first), static_cast<SHORT>(size_.columns - 1), static_cast<SHORT>(end - 1)};
    return WriteConsoleOutputW(screen_, cells_.data(), extent, {0, 0}, &region) != 0;
  }

  /// False: an event that is no key of ours.
  bool read_key(Key& key) {
    INPUT_RECORD record;
    DWORD got = 0;
    if (!ReadConsoleInputW(input_, &record, 1, &got) || got == 0) {
      SetEvent(g_stop);
      return false;
    }
    return record.EventType == KEY_EVENT && record.Event.KeyEvent.bKeyDown != 0 && key_of(record.Event.KeyEvent, key);
  }

  HANDLE input_;
  DWORD input_mode_;
  HANDLE screen_;
  WORD attributes_;
  Size size_;
  Frame shown_;
  std::vector<CHAR_INFO> cells_;
  ULONGLONG ticks_ = 0;
  DWORD last_tick_ = GetTickCount();
};

}  // namespace

bool stdout_is_terminal() {
  DWORD mode = 0;
  return GetConsoleMode(GetStdHandle(STD_OUTPUT_HANDLE), &mode) != 0;
}

bool stderr_is_terminal() { return _isatty(_fileno(stderr)) != 0; }

bool shows_utf8() { return GetConsoleOutputCP() == CP_UTF8; }

base::Result<std::unique_ptr<Terminal>> open_terminal() {
  if (!stdout_is_terminal()) return base::Error{base::ErrorCode::kUnsupported, "standard output is not a console"};
  const HANDLE input = GetStdHandle(STD_INPUT_HANDLE);
  DWORD input_mode = 0;
  if (!GetConsoleMode(input, &input_mode)) return base::Error{base::ErrorCode::kUnsupported, "standard input is not a console"};
  CONSOLE_SCREEN_BUFFER_INFO info{};
  GetConsoleScreenBufferInfo(GetStdHandle(STD_OUTPUT_HANDLE), &info);
  const HANDLE screen = CreateConsoleScreenBuffer(GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr,
                                                  CONSOLE_TEXTMODE_BUFFER, nullptr);
  if (screen == INVALID_HANDLE_VALUE)
    return base::Error{base::ErrorCode::kIo, "no screen buffer, error " + std::to_string(GetLastError())};
  const WORD usual = info.wAttributes != 0 ? info.wAttributes : WORD{FOREGROUND_RED | FOREGROUND_GREEN | FOREGROUND_BLUE};
  return std::unique_ptr<Terminal>(std::make_unique<ConsoleTerminal>(input, input_mode, screen, usual));
}

}  // namespace kmem::terminal
