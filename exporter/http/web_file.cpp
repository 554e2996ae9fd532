#include "exporter/http/web_file.h"

#include <chrono>
#include <utility>

#include "collectors/base/log.h"
#include "config/yaml_document.h"
#include "exporter/http/tls.h"

namespace kmem::http {
namespace {

constexpr std::chrono::seconds kEvery{1};
// A file that is being written is empty for a moment, and an empty one lets everyone in: it must stay as it is so long.
constexpr std::chrono::milliseconds kSettles{200};

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

WebFileWatch::WebFileWatch(std::string path, config::WebSecurity running, Server& server, base::FileSystem& files,
                           Done done)
    : path_(std::move(path)), server_(server), files_(files), done_(std::move(done)), running_(std::move(running)) {
  thread_ = std::thread([this] { run(); });
}

WebFileWatch::~WebFileWatch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void WebFileWatch::run() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, kEvery, [this] { return stopping_; })) {
    lock.unlock();
    check();
    lock.lock();
  }
}

bool WebFileWatch::check() {
  const std::lock_guard checking(checking_);
  auto text = base::read_file(files_, path_, config::kMaxFileBytes);
  while (text && *text != text_) {
    std::this_thread::sleep_for(kSettles);
    auto again = base::read_file(files_, path_, config::kMaxFileBytes);
    const bool settled = again && *again == *text;
    text = std::move(again);
    if (settled) return take(*text);
  }
  if (!text) return refuse({text.error().message});
  // Back at what is in force, or a file beside it was mended.
  return said_.empty() || take(*text);
}

bool WebFileWatch::take(const std::string& text) {
  config::WebLoadResult loaded = understand(text, path_, files_);
  text_ = text;
  std::vector<std::string> faults;
  for (const config::Fault& fault : loaded.faults) faults.push_back(fault.text());
  if (faults.empty() && loaded.security != running_) {
    if (const auto taken = server_.take(loaded.security); !taken) faults.push_back(path_ + ": " + taken.error().message);
  }
  if (!faults.empty()) return refuse(faults);
  const bool changed = loaded.security != running_ || !said_.empty();
  running_ = std::move(loaded.security);
  said_.clear();
  if (changed) {
    base::log_info("the web configuration changed and is in use",
                   {{"path", path_}, {"users", std::to_string(running_.users.size())}});
    done_(true);
  }
  return true;
}

bool WebFileWatch::refuse(const std::vector<std::string>& faults) {
  if (faults == said_) return false;
  for (const std::string& fault : faults)
    base::log_error("the web configuration cannot be used, the old one stays in force", {{"error", fault}});
  said_ = faults;
  done_(false);
  return false;
}

}  // namespace kmem::http
