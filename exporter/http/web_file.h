// Stage 6: the web configuration file -> WebSecurity that this program can obey, certificates and keys looked into; and
// the watch that takes over what changes in it while the server runs, within two seconds.
// Thread: read_web_file any; WebFileWatch has one of its own, and its methods are for one other.
// Failure: faults. A file that became bad changes nothing; each new fault is logged once. Files that hang hold nobody:
// that is logged, too, and at the end their thread is left behind.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "collectors/base/file_io.h"
#include "config/web_config.h"
#include "exporter/http/server.h"

namespace kmem::http {

[[nodiscard]] config::WebLoadResult read_web_file(const std::string& path, base::FileSystem& files);

class WebFileWatch {
 public:
  using Done = std::function<void(bool successful)>;

  /// `running` is what the server started with. `done` is told when a change was taken over, or could not be; so of
  /// certificates and keys, which are given two looks, for they cannot be replaced at one instant.
  /// `patience` is how long check() waits, and a fifth of what a look may take until it is told to hang.
  WebFileWatch(std::string path, config::WebSecurity running, Server& server, base::FileSystem& files, Done done,
               std::chrono::milliseconds patience = std::chrono::seconds(1));
  ~WebFileWatch();
  WebFileWatch(const WebFileWatch&) = delete;
  WebFileWatch& operator=(const WebFileWatch&) = delete;

  /// Looks at once. False: the file, or one that it names, cannot be used, and what it said before stays in force.
  bool check();
  /// To be called now and then: says it once if a look hangs.
  void note_hang();

 private:
  void tell_hang(std::chrono::milliseconds since);
  struct Shared;
  const std::shared_ptr<Shared> shared_;
  const std::chrono::milliseconds patience_;
  std::thread thread_;
};

}  // namespace kmem::http
