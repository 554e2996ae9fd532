#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string_view>

#include "exporter/terminal/terminal.h"
#include "exporter/terminal/vt_painter.h"

namespace kmem::terminal {
namespace {

constexpr std::chrono::milliseconds kSequencePause{50};  // a terminal sends a key's bytes together

// Signal handlers have no argument, so what they need must be reachable without one.
termios g_before;
volatile sig_atomic_t g_taken = 0, g_stop = 0, g_resized = 0, g_suspend = 0;

constexpr std::array kStops = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
constexpr std::array kCrashes = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

void write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
}

// Only what a signal handler may call.
void give_back() {
  if (g_taken == 0) return;
  g_taken = 0;
  write_all({VtPainter::kLeave, std::strlen(VtPainter::kLeave)});
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &g_before);
}

void take() {
  termios raw = g_before;
  raw.c_lflag &= static_cast<tcflag_t>(~(ICANON | ECHO));
  raw.c_iflag &= static_cast<tcflag_t>(~(IXON | ICRNL));
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
  g_taken = 1;
  write_all({VtPainter::kEnter, std::strlen(VtPainter::kEnter)});
}

void on_signal(int number) {
  if (number == SIGWINCH) g_resized = 1;
  else if (number == SIGTSTP) g_suspend = 1;
  else g_stop = 1;
}

void on_crash(int number) {
  give_back();
  signal(number, SIG_DFL);
  raise(number);
}

class PosixTerminal final : public Terminal {
 public:
  PosixTerminal() {
    // Handled signals are let in only while wait() sleeps, so that none falls between a look and the sleep.
    sigset_t handled;
    sigemptyset(&handled);
    for (const int number : kStops) sigaddset(&handled, number);
    sigaddset(&handled, SIGWINCH);
    sigaddset(&handled, SIGTSTP);
    sigprocmask(SIG_BLOCK, &handled, &mask_);
    g_stop = 0;
    g_resized = 0;
    g_suspend = 0;
    for (const int number : kStops) install(number, on_signal);
    install(SIGWINCH, on_signal);
    install(SIGTSTP, on_signal);
    for (const int number : kCrashes) install(number, on_crash);
    install(SIGPIPE, SIG_IGN);
    take();
  }
  PosixTerminal(const PosixTerminal&) = delete;
  PosixTerminal& operator=(const PosixTerminal&) = delete;
  ~PosixTerminal() override {
    give_back();
    for (auto one = before_.rbegin(); one != before_.rend(); ++one) sigaction(one->number, &one->action, nullptr);
    sigprocmask(SIG_SETMASK, &mask_, nullptr);
  }

  [[nodiscard]] Size size() const override {
    winsize window{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_row == 0 || window.ws_col == 0) return {};
    return {window.ws_row, window.ws_col};
  }

  base::Result<void> draw(const Frame& frame) override {
    std::string bytes = painter_.paint(frame, size());
    for (std::string_view rest = bytes; !rest.empty();) {
      const ssize_t put = write(STDOUT_FILENO, rest.data(), rest.size());
      if (put > 0) {
        rest.remove_prefix(static_cast<std::size_t>(put));
      } else if (put < 0 && errno == EAGAIN) {
        pollfd out{STDOUT_FILENO, POLLOUT, 0};
        poll(&out, 1, 1000);
      } else if (!(put < 0 && errno == EINTR)) {
        return base::Error{base::ErrorCode::kIo, "the terminal cannot be written"};
      }
    }
    return {};
  }

  Input wait(std::chrono::milliseconds timeout) override {
    using std::chrono::steady_clock;
    const auto end = steady_clock::now() + std::max(timeout, std::chrono::milliseconds(0));
    while (true) {
      if (g_stop != 0) return {Input::What::kStop, {}};
      if (g_suspend != 0) suspend();
      if (g_resized != 0) {
        g_resized = 0;
        painter_.forget();
        return {Input::What::kResized, {}};
      }
      if (!keys_.empty()) {
        const Key key = keys_.front();
        keys_.pop_front();
        if (key.kind == KeyKind::kRedraw) painter_.forget();
        return {Input::What::kKey, key};
      }
      auto left = std::chrono::ceil<std::chrono::milliseconds>(end - steady_clock::now());
      const bool settling = reader_.waits() && left > kSequencePause;
      if (settling) left = kSequencePause;
      if (left.count() < 0) left = {};
      const timespec span{static_cast<time_t>(left.count() / 1000), static_cast<long>(left.count() % 1000) * 1'000'000};
      pollfd in{STDIN_FILENO, POLLIN, 0};
      const int ready = ppoll(&in, 1, &span, &mask_);
      std::vector<Key> keys;
      if (ready > 0) {
        std::array<char, 256> bytes;
        const ssize_t got = read(STDIN_FILENO, bytes.data(), bytes.size());
        if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) return {Input::What::kStop, {}};
        if (got > 0) reader_.feed({bytes.data(), static_cast<std::size_t>(got)}, keys);
      } else if (ready == 0) {
        reader_.settle(keys);
        if (!settling && keys.empty()) return {};
      }
      keys_.insert(keys_.end(), keys.begin(), keys.end());
    }
  }

 private:
  struct Before {
    int number;
    struct sigaction action;
  };

  void install(int number, void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    Before before{number, {}};
    sigaction(number, &action, &before.action);
    before_.push_back(before);
  }

  // Ctrl-Z: the shell gets its terminal as it was, and we get ours when it lets us go on.
  void suspend() {
    g_suspend = 0;
    give_back();
    raise(SIGSTOP);
    take();
    painter_.forget();
    g_resized = 1;
  }

  sigset_t mask_{};
  std::vector<Before> before_;
  VtPainter painter_;
  KeyReader reader_;
  std::deque<Key> keys_;
};

}  // namespace

bool stdout_is_terminal() {
  const char* const kind = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && kind != nullptr && *kind != '\0' && std::string_view(kind) != "dumb";
}

bool stderr_is_terminal() { return isatty(STDERR_FILENO) == 1; }

bool shows_utf8() {
  for (const char* name : std::array{"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* const text = std::getenv(name);
    if (text == nullptr || *text == '\0') continue;
    const std::string_view locale(text);
    for (const std::string_view spelling : std::array<std::string_view, 4>{"UTF-8", "utf-8", "UTF8", "utf8"})
      if (locale.find(spelling) != std::string_view::npos) return true;
    return false;
  }
  return false;
}

base::Result<std::unique_ptr<Terminal>> open_terminal() {
  if (!stdout_is_terminal()) return base::Error{base::ErrorCode::kUnsupported, "standard output is not a terminal"};
  if (isatty(STDIN_FILENO) != 1 || tcgetattr(STDIN_FILENO, &g_before) != 0)
    return base::Error{base::ErrorCode::kUnsupported, "standard input is not a terminal"};
  return std::unique_ptr<Terminal>(std::make_unique<PosixTerminal>());
}

}  // namespace kmem::terminal
