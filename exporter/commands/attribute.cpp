#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "collectors/base/log.h"
#include "collectors/drivers/driver_watch.h"
#include "collectors/make_source.h"
#include "exporter/commands/commands.h"
#include "exporter/commands/driver_report.h"

namespace kmem {
namespace {

/// Folders stand for the images in them.
base::Result<std::vector<drivers::WantedImage>> named_images(base::FileSystem& files, const std::vector<std::string>& paths) {
  std::vector<drivers::WantedImage> wanted;
  for (const std::string& path : paths) {
    const auto in_folder = drivers::images_in_folder(files, path);
    if (!in_folder) {
      if (const auto file = files.info(path); !file) return file.error();
      wanted.push_back({path, false});
      continue;
    }
    if (in_folder->empty()) return base::Error{base::ErrorCode::kInvalid, path + ": no *.sys, *.exe or *.dll in it"};
    for (const std::string& image : *in_folder) wanted.push_back({image, false});
  }
  return wanted;
}

DriverReport search(const std::vector<drivers::WantedImage>& wanted, const drivers::Attribution& known, const Options& options,
                    Environment& environment, std::unique_ptr<drivers::ImageTags>& images) {
  drivers::ImageSurvey survey(environment.files, environment.clock);
  drivers::Survey found = survey.run(wanted, {}, [](std::chrono::nanoseconds) { return true; });
  images = std::make_unique<drivers::ImageTags>(std::move(found.images));
  DriverReport report = report_on_images(*images, known, options.tags);
  report.skipped = std::move(found.skipped);
  return report;
}

int print(const DriverReport& report, const Options& options) {
  const std::string text =
      options.report_format == ReportFormat::kJson ? driver_report_json(report) : driver_report_text(report);
  return write_stdout(text) ? kExitFine : kExitFailed;
}

}  // namespace

int attribute(const Options& options, Environment& environment) {
  auto resolved = resolve_or_explain(options, environment);
  if (!resolved) return kExitUnusable;
  config::Config& config = resolved->config;
  // A recording may be of another system.
  const bool live = !config.source.is_recording();
  auto system = live ? drivers::make_system_view() : nullptr;
  std::vector<drivers::WantedImage> wanted;
  if (!options.files.empty()) {
    auto named = named_images(environment.files, options.files);
    if (!named) {
      base::log_error("nothing to search", {{"error", named.error().message}});
      return kExitUnusable;
    }
    wanted = std::move(*named);
  } else {
    if (system) wanted = system->images(environment.files);
    for (const std::string& folder : config.drivers.folders)
      if (const auto found = drivers::images_in_folder(environment.files, folder))
        for (const std::string& path : *found) wanted.push_back({path, false});
  }

  // The images are searched here, each one anew and named with what was found in it.
  config.drivers.enabled = true;
  config.drivers.scan = false;
  drivers::Attribution known;
  drivers::DriverWatch watch(config, std::move(system), known, environment.files, environment.clock);
  watch.load();
  if (!wanted.empty()) {
    std::unique_ptr<drivers::ImageTags> images;
    const DriverReport report = search(wanted, known, options, environment, images);
    if (*report.images == 0) {
      const drivers::SkippedImage& first = report.skipped.front();
      base::log_error("nothing to search", {{"error", first.path + ": " + first.reason}});
      return options.files.empty() ? kExitFailed : kExitUnusable;
    }
    return print(report, options);
  }
  auto kernel = make_kernel_source(config.source, environment.clock);
  if (!kernel) {
    base::log_error("no source", {{"error", kernel.error().message}});
    return kExitUnusable;
  }
  Snapshot snapshot;
  if (const auto read = (*kernel)->read(snapshot); !read) {
    base::log_error("nothing can be read", {{"error", read.error().message}});
    return kExitFailed;
  }
  for (const PartStatus& part : snapshot.parts)
    if (part.state == PartState::kFailed)
      base::log_warn("collector failed", {{"collector", part.collector}, {"reason", part.reason}});
  return print(report_on_tags(snapshot, known, options.tags), options);
}

}  // namespace kmem
