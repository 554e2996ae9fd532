#include "exporter/http/web_file.h"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "collectors/base/flapping.h"
#include "collectors/base/followed_files.h"
#include "collectors/base/left_thread.h"
#include "collectors/base/log.h"
#include "config/yaml_document.h"
#include "exporter/http/tls.h"

namespace kmem::http {
namespace {

constexpr std::chrono::seconds kEvery{1};
// A file that is being written is empty for a moment, and an empty one lets everyone in: it must stay as it is so long.
constexpr std::chrono::milliseconds kSettles{200};
// How long the end waits for a look that is at work.
constexpr std::chrono::milliseconds kFileEndPatience{300};
constexpr int kSaid = 20;        // changes in ten minutes that are said one by one
constexpr int kBadLooks = 2;     // that find a certificate unusable, before that is told
constexpr int kTimesLonger = 5;  // than somebody waits for a look, a slow disk may take

config::WebLoadResult understand(std::string_view text, const std::string& path, base::FileSystem& files) {
  config::WebLoadResult loaded = config::load_web_config(text, path, &files);
  if (!loaded.ok() || !loaded.security.tls) return loaded;
  if (const auto tls = TlsContext::load(*loaded.security.tls, files); !tls)
    loaded.faults.push_back({path, {}, "tls_server_config: " + tls.error().message});
  return loaded;
}

}  // namespace

config::WebLoadResult read_web_file(const std::string& path, base::FileSystem& files) {
  const auto text = base::read_file(files, path, config::kMaxFileBytes);
  if (text) return understand(*text, path, files);
  config::WebLoadResult result;
  result.faults.push_back({"web.config_file", {}, text.error().message});
  return result;
}

using std::chrono::steady_clock;

/// What the watch's thread needs, also when it is left behind.
struct WebFileWatch::Shared {
  Shared(std::string file, config::WebSecurity first, Server& of, base::FileSystem& in, Done tell)
      : path(std::move(file)), files(in), followed(in), running(std::move(first)), server(&of), done(std::move(tell)) {}
  bool look();
  bool take(const std::string& text);
  bool look_at_certificates();
  bool refuse(const std::vector<std::string>& faults);
  std::optional<base::Error> hand_over(const config::WebSecurity& security);
  void tell(bool taken);
  [[nodiscard]] bool was_hung() {
    const std::lock_guard lock(mutex);
    return hang_told;
  }

  const std::string path;
  base::FileSystem& files;       // for what outlives this
  base::FollowedFiles followed;  // for every look
  // The thread's alone:
  config::WebSecurity running;
  std::string text;               // as looked at last
  std::vector<std::string> said;  // of that; empty: it is in force
  int bad_certificates = 0;       // looks in a row that found them unusable
  base::Flapping flapping{kSaid};
  // All of the rest is the mutex's. It is never held while a file is read.
  std::mutex mutex;
  std::condition_variable changed;
  Server* server;  // null: both have ended
  Done done;
  bool stopping = false, hang_told = false, last = true;
  std::uint64_t asked = 0, looked = 0;            // looks that were asked for, and the newest of them that was done
  std::optional<steady_clock::time_point> began;  // while a look is at work
  std::optional<base::LeftThread> left;
};

WebFileWatch::WebFileWatch(std::string path, config::WebSecurity running, Server& server, base::FileSystem& files, Done done,
                           std::chrono::milliseconds patience)
    : shared_(std::make_shared<Shared>(std::move(path), std::move(running), server, files, std::move(done))),
      patience_(patience) {
  thread_ = std::thread([own = shared_] {
    std::unique_lock lock(own->mutex);
    while (!own->stopping) {
      own->changed.wait_for(lock, kEvery, [&own] { return own->stopping || own->asked != own->looked; });
      if (own->stopping) return;
      const std::uint64_t asked = own->asked;
      own->began = steady_clock::now();
      lock.unlock();
      const bool fine = own->look();
      lock.lock();
      own->began.reset();
      own->last = fine;
      own->looked = asked;
      own->changed.notify_all();
    }
  });
}

WebFileWatch::~WebFileWatch() {
  bool hangs = false;
  {
    std::unique_lock lock(shared_->mutex);
    shared_->stopping = true;
    shared_->changed.notify_all();
    hangs = !shared_->changed.wait_for(lock, kFileEndPatience, [this] { return !shared_->began; });
    shared_->server = nullptr;
    if (hangs) shared_->left.emplace();
  }
  hangs ? thread_.detach() : thread_.join();
}

bool WebFileWatch::check() {
  std::unique_lock lock(shared_->mutex);
  const std::uint64_t own = ++shared_->asked;
  shared_->changed.notify_all();
  if (shared_->changed.wait_for(lock, patience_, [&] { return shared_->looked >= own; })) return shared_->last;
  lock.unlock();
  tell_hang({});
  return false;
}

void WebFileWatch::note_hang() { tell_hang(kTimesLonger * patience_); }

void WebFileWatch::tell_hang(std::chrono::milliseconds since) {
  std::unique_lock lock(shared_->mutex);
  if (!shared_->began || shared_->hang_told || steady_clock::now() - *shared_->began < since) return;
  shared_->hang_told = true;
  const Done done = shared_->done;
  lock.unlock();
  base::log_error("the web configuration cannot be used, the old one stays in force",
                  {{"error", shared_->path + " or a file that it names does not answer"}});
  done(false);
}

bool WebFileWatch::Shared::look() {
  if (const auto often = flapping.told_late(steady_clock::now().time_since_epoch()))
    base::log_warn("the web configuration changes again and again",
                   {{"path", path}, {"changes", std::to_string(*often)}, {"last_one_in_use", said.empty() ? "true" : "false"}});
  auto now = base::read_file(followed, path, config::kMaxFileBytes);
  while (now && *now != text) {
    std::this_thread::sleep_for(kSettles);
    auto again = base::read_file(followed, path, config::kMaxFileBytes);
    const bool settled = again && *again == *now;
    now = std::move(again);
    if (settled) return take(*now);
  }
  if (!now) return refuse({now.error().message});
  if (said.empty() && !was_hung()) return look_at_certificates();
  // Back at what is in force, or a file beside it was mended.
  return take(*now);
}

/// The web file is as it was; what lies beside it may not be. The context says what is wrong with it, once.
bool WebFileWatch::Shared::look_at_certificates() {
  Server::SharedTerms terms;
  {
    const std::lock_guard lock(mutex);
    if (server != nullptr) terms = server->terms();
  }
  if (!terms) return true;
  if (Server::refresh_certificates(*terms).ok()) {
    if (std::exchange(bad_certificates, 0) >= kBadLooks) tell(true);
    return true;
  }
  bad_certificates = std::min(bad_certificates + 1, kBadLooks + 1);
  if (bad_certificates == kBadLooks) tell(false);
  return false;
}

/// Nothing: it is in force now.
std::optional<base::Error> WebFileWatch::Shared::hand_over(const config::WebSecurity& security) {
  Server::SharedTerms before;
  {
    const std::lock_guard lock(mutex);
    if (server != nullptr) before = server->terms();
  }
  auto made = Server::make_terms(security, before.get(), files);
  if (!made) return made.error();
  const std::lock_guard lock(mutex);
  if (server == nullptr || !before) return base::Error{base::ErrorCode::kBusy, "the server has ended"};
  server->take(std::move(*made));
  return std::nullopt;
}

void WebFileWatch::Shared::tell(bool taken) {
  const std::lock_guard lock(mutex);
  hang_told = false;
  if (server != nullptr) done(taken);
}

bool WebFileWatch::Shared::take(const std::string& fresh) {
  config::WebLoadResult loaded = understand(fresh, path, followed);
  text = fresh;
  std::vector<std::string> faults;
  for (const config::Fault& fault : loaded.faults) faults.push_back(fault.text());
  if (faults.empty() && loaded.security != running) {
    if (const auto fault = hand_over(loaded.security)) faults.push_back(path + ": " + fault->message);
  }
  if (!faults.empty()) return refuse(faults);
  const bool news = loaded.security != running || !said.empty() || was_hung();
  running = std::move(loaded.security);
  said.clear();
  if (news) {
    if (flapping.changed(steady_clock::now().time_since_epoch()))
      base::log_info("the web configuration changed and is in use",
                     {{"path", path}, {"users", std::to_string(running.users.size())}});
    tell(true);
  }
  return true;
}

bool WebFileWatch::Shared::refuse(const std::vector<std::string>& faults) {
  if (faults == said) {
    const std::lock_guard lock(mutex);
    hang_told = false;
    return false;
  }
  const bool told = flapping.changed(steady_clock::now().time_since_epoch());
  for (const std::string& fault : faults)
    if (told) base::log_error("the web configuration cannot be used, the old one stays in force", {{"error", fault}});
  said = faults;
  tell(false);
  return false;
}

}  // namespace kmem::http
