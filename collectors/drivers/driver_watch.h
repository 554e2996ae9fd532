// Keeps an Attribution up to date: pooltag.txt, the modules of a Linux kernel, and a scan of driver images. The scan has a
// thread of its own, at low priority and half of the time asleep, and looks for changed images every hour.
// Results of the scan are kept in storage.path, so that a restart reads only files that changed.
// Thread: its own one besides the caller's. Failure: logged once; what is missing is simply not known.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/base/file_io.h"
#include "collectors/drivers/attribution.h"
#include "collectors/drivers/image_survey.h"
#include "config/config.h"

namespace kmem::drivers {

/// What the running system has, as far as it is the one whose tags are shown.
struct SystemView {
  virtual ~SystemView() = default;
  /// What the kernel has loaded, and the folder of drivers.
  virtual std::vector<WantedImage> images(base::FileSystem& files) = 0;
  /// Where pooltag.txt may be installed.
  virtual std::vector<std::string> pooltag_files() = 0;
};
[[nodiscard]] std::unique_ptr<SystemView> make_system_view();

/// The calling thread gives way to everything else.
void lower_thread_priority();

class DriverWatch {
 public:
  /// `system` null: only what the configuration names is looked at, as for a recording. All others outlive this.
  DriverWatch(const config::Config& config, std::unique_ptr<SystemView> system, Attribution& attribution,
              base::FileSystem& files, const base::Clock& clock);
  ~DriverWatch() = default;  // stops and joins
  /// Whether the thread has ended, at the latest after `most`.
  bool stop_within(std::chrono::nanoseconds most);
  DriverWatch(const DriverWatch&) = delete;
  DriverWatch& operator=(const DriverWatch&) = delete;

  /// What takes milliseconds: pooltag.txt, modules, what an earlier scan has left.
  void load();
  /// The thread. After load().
  void start();
  /// One round of it; false: stopped before its end.
  bool look(std::stop_token stop, bool at_leisure);

 private:
  void load_text();
  void load_signatures();
  void load_modules();
  void load_kept();
  [[nodiscard]] std::vector<WantedImage> wanted() const;
  void publish(Survey survey);
  void keep();
  void run(std::stop_token stop);

  const config::Drivers config_;
  const std::string procfs_, sysfs_, state_path_;
  const std::unique_ptr<SystemView> system_;
  Attribution& attribution_;
  base::FileSystem& files_;
  const base::Clock& clock_;
  ImageSurvey survey_;
  std::shared_ptr<const ImageTags> images_;
  std::shared_ptr<const KernelModules> modules_;
  std::string said_;  // about the last survey
  bool keeping_failed_ = false;
  std::mutex sleeping_;
  std::condition_variable_any wake_;
  bool has_ended_ = true;
  std::jthread thread_;  // last: it ends first
};

}  // namespace kmem::drivers
