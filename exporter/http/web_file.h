// Stage 6: the web configuration file -> WebSecurity that this program can obey, certificates and keys looked into; and
// the watch that takes over what changes in it while the server runs, within two seconds.
// Thread: read_web_file any; WebFileWatch has one of its own, check() may be called from any other.
// Failure: faults. A file that became bad changes nothing; each new fault is logged once.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "collectors/base/file_io.h"
#include "config/web_config.h"
#include "exporter/http/server.h"

namespace kmem::http {

[[nodiscard]] config::WebLoadResult read_web_file(const std::string& path, base::FileSystem& files);

class WebFileWatch {
 public:
  using Done = std::function<void(bool successful)>;

  /// `running` is what the server started with. `done` is told when a change was taken over, or could not be.
  WebFileWatch(std::string path, config::WebSecurity running, Server& server, base::FileSystem& files, Done done);
  ~WebFileWatch();
  WebFileWatch(const WebFileWatch&) = delete;
  WebFileWatch& operator=(const WebFileWatch&) = delete;

  /// Looks at once. False: the file cannot be used, and what it said before stays in force.
  bool check();

 private:
  bool take(const std::string& text);
  bool refuse(const std::vector<std::string>& faults);
  void run();

  const std::string path_;
  Server& server_;
  base::FileSystem& files_;
  const Done done_;
  std::mutex checking_;             // the next three
  config::WebSecurity running_;
  std::string text_;                // as looked at last
  std::vector<std::string> said_;   // of that; empty: it is in force
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace kmem::http
