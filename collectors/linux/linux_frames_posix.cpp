#include "collectors/linux/linux_frames_posix.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collectors/linux/descriptors.h"
#include "collectors/linux/linux_parse.h"
#include "collectors/linux/slab_reclaim.h"

namespace kmem::linux {
namespace {

constexpr std::chrono::minutes kLookAgain{1};  // for a file that the kernel lacks

constexpr std::string_view kSysctls[] = {"admin_reserve_kbytes",
                                         "dirty_background_ratio",
                                         "dirty_ratio",
                                         "max_map_count",
                                         "min_free_kbytes",
                                         "min_slab_ratio",
                                         "nr_hugepages",
                                         "nr_overcommit_hugepages",
                                         "overcommit_kbytes",
                                         "overcommit_memory",
                                         "overcommit_ratio",
                                         "panic_on_oom",
                                         "swappiness",
                                         "user_reserve_kbytes",
                                         "vfs_cache_pressure",
                                         "watermark_boost_factor",
                                         "watermark_scale_factor",
                                         "zone_reclaim_mode"};

/// PRETTY_NAME of an os-release file as a line of "kmem/system".
std::string product_line(std::string_view text) {
  constexpr std::string_view kName = "PRETTY_NAME=";
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    at = end + 1;
    if (!line.starts_with(kName)) continue;
    line.remove_prefix(kName.size());
    if (line.size() >= 2 && (line.front() == '"' || line.front() == '\'') && line.back() == line.front())
      line = line.substr(1, line.size() - 2);
    return std::string("product=").append(line).append("\n");
  }
  return {};
}

/// A collector that is on. What is read seldom is kept; a failure is tried again at once.
struct Job {
  const Collector& collector;
  std::optional<std::chrono::nanoseconds> read_at = {};
  std::string bytes = {};
};

class LinuxFrames final : public FrameSource {
 public:
  [[nodiscard]] bool is_live() const override { return true; }
  LinuxFrames(config::Source config, const base::Clock& clock, std::unique_ptr<ProcRoot> procfs,
              std::unique_ptr<ProcRoot> sysfs)
      : config_(std::move(config)), clock_(clock), procfs_(std::move(procfs)), sysfs_(std::move(sysfs)),
        page_bytes_(static_cast<std::uint32_t>(::sysconf(_SC_PAGESIZE))), census_(clock) {
    for (const Collector& collector : collectors())
      if (config_.collectors.*collector.info.on) jobs_.push_back({collector});
  }

  base::Result<void> acquire(RawFrame& frame) override {
    if (const int error = procfs_->check()) {
      return base::Error{base::ErrorCode::kIo, "cannot open procfs at " + config_.procfs + ": " + std::strerror(error)};
    }
    frame.system = System::kLinux;
    frame.pointer_bytes = sizeof(void*);
    frame.page_bytes = page_bytes_;
    frame.time = clock_.wall();
    filled_.clear();

    for (Job& job : jobs_) {
      const Collector& collector = job.collector;
      if (!enter(collector.info.name, collector.part)) continue;
      fill_job(frame, job);
      if (collector.part == "proc/slabinfo") fill_reclaim(frame);
      if (collector.part == "proc/stat") fill_system(frame);
    }
    // A frame that another source has filled before may hold more.
    if (frame.parts.size() != filled_.size())
      std::erase_if(frame.parts, [this](const RawPart& part) {
        return std::find(filled_.begin(), filled_.end(), part.name) == filled_.end();
      });
    return {};
  }

  void set_gate(PartGate* gate) override { gate_ = gate; }

 private:
  bool enter(std::string_view collector, std::string_view part) {
    collector_ = collector;
    return gate_ == nullptr || gate_->enter(collector, part);
  }

  template <typename Read>
  void fill(RawFrame& frame, std::string_view name, Read&& read) {
    filled_.push_back(name);
    RawPart& part = frame.part(name);
    part.collector = collector_;
    part.time = 0;
    const std::chrono::nanoseconds start = clock_.steady();
    part.status = read(part.bytes);
    part.micros =
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady() - start).count());
    if (part.status != 0) part.bytes.clear();
  }

  /// Most kernels are built without it, and looking for it costs more than all else that a scrape opens.
  int read_allocinfo(std::string& out) {
    const std::chrono::nanoseconds now = clock_.steady();
    if (now < allocinfo_again_) return ENOENT;
    const int error = procfs_->read_list("allocinfo", out);
    if (error == ENOENT) allocinfo_again_ = now + kLookAgain;
    return error;
  }

  void fill_job(RawFrame& frame, Job& job) {
    const std::chrono::nanoseconds every = job.collector.info.on_linux.every;
    fill(frame, job.collector.part, [&](std::string& out) {
      if (every.count() == 0) return read(job.collector, out);
      const std::chrono::nanoseconds now = clock_.steady();
      if (!job.read_at || now - *job.read_at >= every) {
        job.read_at.reset();
        if (const int error = read(job.collector, job.bytes)) return error;
        job.read_at = now;
      }
      out = job.bytes;
      return 0;
    });
  }

  int read(const Collector& collector, std::string& out) {
    const std::string_view file = collector.part.substr(collector.part.find('/') + 1);
    switch (collector.access) {
      case Access::kWhole: return procfs_->read(file, out);
      case Access::kKept: return procfs_->read_kept(file, out);
      case Access::kRecord: return procfs_->read_record(file, out);
      case Access::kList: return procfs_->read_list(file, out);
      case Access::kGathered: break;
    }
    if (file == "allocinfo") return read_allocinfo(out);
    if (file == "settings") return read_settings(out);
    if (file == "vmstat") return read_vmstat(out);
    if (file == "processes") return census_.update(*procfs_, out);
    return ENOSYS;  // a row of the table that nothing gathers
  }

  void fill_system(RawFrame& frame) {
    if (!system_) system_ = read_system();
    if (system_->empty()) return;
    fill(frame, "kmem/system", [this](std::string& out) {
      out = *system_;
      return 0;
    });
  }

  void fill_reclaim(RawFrame& frame) {
    fill(frame, "kmem/slab_reclaim", [&](std::string& out) {
      out = reclaim_.update(frame.part("proc/slabinfo").bytes, clock_.steady(),
                            [this](std::string_view cache) { return ask_reclaim(cache); });
      return 0;
    });
  }

  std::optional<bool> ask_reclaim(std::string_view cache) {
    std::string path("kernel/slab/");
    path.append(cache);
    // A kobject's name has '!' for '/'; and a name can never lead out of the directory.
    std::replace(path.begin() + 12, path.end(), '/', '!');
    path.append("/reclaim_account");
    if (sysfs_->read(path, scratch_) != 0 || scratch_.empty()) return std::nullopt;
    if (scratch_.front() != '0' && scratch_.front() != '1') return std::nullopt;
    return scratch_.front() == '1';
  }

  /// The counters of memory that ran out, of some 150.
  int read_vmstat(std::string& out) {
    if (const int error = procfs_->read("vmstat", scratch_)) return error;
    out.clear();
    for (std::size_t at = 0; at < scratch_.size();) {
      const std::size_t end = std::min(scratch_.find('\n', at), scratch_.size());
      const std::string_view line(scratch_.data() + at, end - at);
      if (line.starts_with("oom_kill ") || line.starts_with("allocstall")) out.append(line).append("\n");
      at = end + 1;
    }
    return 0;
  }

  std::string first_line(std::string_view name) {
    return procfs_->read(name, scratch_) == 0 ? scratch_.substr(0, scratch_.find('\n')) : std::string();
  }

  /// Which system this is does not change while it runs. The distribution is that of the first process' root, which
  /// takes rights; else of this one's, where it lives under the same procfs.
  std::string read_system() {
    const std::string version = first_line("sys/kernel/osrelease");
    if (version.empty()) return {};
    std::string architecture = first_line("sys/kernel/arch");  // since Linux 6.1
    if (utsname name{}; architecture.empty() && ::uname(&name) == 0) architecture = name.machine;
    std::string out =
        "version=" + version + "\nbuild=" + first_line("sys/kernel/version") + "\narchitecture=" + architecture + "\n";
    for (const std::string_view root : {"1/root/", "self/root/"}) {
      if (root.starts_with("self") && config_.procfs != "/proc") break;  // another machine's or a host's: not this root
      for (const std::string_view folder : {"etc/", "usr/lib/"}) {
        if (procfs_->read(std::string(root).append(folder).append("os-release"), scratch_) != 0) continue;
        return out.append(product_line(scratch_));
      }
    }
    return out;
  }

  int read_settings(std::string& out) {
    out.clear();
    int error = 0;
    std::size_t unreadable = 0;
    for (const std::string_view name : kSysctls) {
      const int refused = procfs_->read(std::string("sys/vm/").append(name), scratch_);
      if (refused == 0) {
        out.append("vm.").append(name).append(" ").append(scratch_.substr(0, scratch_.find('\n'))).append("\n");
      } else if (refused != ENOENT) {  // not every kernel has every one
        ++unreadable;
        error = refused;
      } else if (error == 0) {
        error = refused;
      }
    }
    if (out.empty()) return error;
    if (unreadable != 0) out.append("!unreadable ").append(std::to_string(unreadable)).append("\n");
    return 0;
  }

  config::Source config_;
  const base::Clock& clock_;
  std::unique_ptr<ProcRoot> procfs_;
  std::unique_ptr<ProcRoot> sysfs_;
  std::uint32_t page_bytes_;
  PartGate* gate_ = nullptr;
  std::string_view collector_;            // whose parts are being read
  std::vector<std::string_view> filled_;  // names of the parts, in this reading
  ReclaimAnswers reclaim_;
  DescriptorCensus census_;
  std::chrono::nanoseconds allocinfo_again_{std::chrono::nanoseconds::min()};
  std::vector<Job> jobs_;
  std::optional<std::string> system_;  // none: not read yet
  std::string scratch_;
};

}  // namespace

std::unique_ptr<FrameSource> make_linux_frames(const config::Source& config, const base::Clock& clock,
                                               std::unique_ptr<ProcRoot> procfs, std::unique_ptr<ProcRoot> sysfs) {
  return std::make_unique<LinuxFrames>(config, clock, std::move(procfs), std::move(sysfs));
}

std::unique_ptr<FrameSource> make_linux_frames(const config::Source& config, const base::Clock& clock) {
  return make_linux_frames(config, clock, make_proc_root(config.procfs), make_proc_root(config.sysfs));
}

}  // namespace kmem::linux
