// Every knob of the program with its default, unit and range, as plain values. config/load.h reads them from YAML,
// the command line overrides them, config/kmem_exporter.yml is the commented example and equals these defaults.
// Thread: value types.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/log.h"
#include "config/collectors.h"

namespace kmem::config {

/// What a source begins with that is a recording; the name of its file follows.
inline constexpr std::string_view kReplay = "replay:";
/// What else a source may be: this machine's kernel, and the same if it is that one.
inline constexpr std::array<std::string_view, 3> kLiveSources = {"auto", "linux", "windows"};
/// All of them, to find what a mistyped one stands for.
inline constexpr std::array<std::string_view, 4> kSourceNames = {kLiveSources[0], kLiveSources[1], kLiveSources[2], kReplay};
/// For people.
inline constexpr std::string_view kSourceWords = "auto, linux, windows or replay:FILE";

struct Source {
  std::string kind = "auto";     // kSourceWords
  std::string procfs = "/proc";  // Linux
  std::string sysfs = "/sys";    // Linux
  Collectors collectors;

  /// Not this machine's kernel: recorded, perhaps elsewhere.
  [[nodiscard]] bool is_recording() const { return kind.starts_with(kReplay); }
  bool operator==(const Source&) const = default;
};

struct Sampling {
  std::chrono::milliseconds interval{60'000};  // 1 s .. 1 h: tick that feeds selection and trend

  bool operator==(const Sampling&) const = default;
};

struct Scrape {
  std::chrono::milliseconds min_interval{1'000};  // 0 .. 60 s: scrapes closer together share one kernel reading
  std::chrono::milliseconds timeout{800};         // 100 ms .. 60 s: for a reading; then what is there is shown

  bool operator==(const Scrape&) const = default;
};

/// How many series a host has: what is told of it, and of how many tags.
enum class MetricsProfile : std::uint8_t { kLean, kDefault, kFull };
struct Metrics {
  MetricsProfile profile = MetricsProfile::kDefault;

  bool operator==(const Metrics&) const = default;
};

/// Which tags are exported, per pool. A tag enters by any rank below, a suspicion, or `include`.
struct Tags {
  std::size_t top_bytes = 20;         // 0..1000
  std::size_t top_outstanding = 10;   // 0..1000
  std::size_t top_growth = 10;        // 0..1000: bytes gained since a baseline a week back (or since first seen)
  std::size_t max_exported = 40;      // 1..5000: hard cap a pool; above this also beyond the bound of metrics.profile
  std::size_t max_tracked = 4096;     // 64..65536: tags followed over all pools, exported or not
  std::chrono::hours dwell{28 * 24};  // 1 h .. 365 d: how long a member stays after it left every rank
  std::vector<std::string> include;   // always exported; "tag" or "pool/tag"
  bool counters = true;               // kmem_pool_tag_allocations_total and _frees_total
  bool all = false;                   // export every live tag; the cap is max_tracked then
  std::size_t top_session = 2;        // 0..100: of each session's own pools, by bytes

  bool operator==(const Tags&) const = default;
};

struct Processes {
  std::size_t top = 5;  // 0..200, by handles and by each pool's quota

  bool operator==(const Processes&) const = default;
};

/// Who may be behind a tag.
struct Drivers {
  bool enabled = true;               // kmem_pool_tag_info, drivers in reports
  bool scan = true;                  // of driver images, in the background
  std::string pooltag_file;          // empty = where the Windows debuggers install it
  std::string leak_signatures_file;  // known leaks, in the style of pooltag.txt; empty = none
  std::vector<std::string> folders;  // further folders with driver images

  bool operator==(const Drivers&) const = default;
};

/// What is followed for weeks, and how fast something must grow to be called a leak.
struct Trend {
  bool enabled = true;
  std::size_t max_subjects = 4096;                          // 64..4096
  std::size_t min_growth_per_day = std::size_t{32} * 1024;  // bytes; 1 KiB .. 1 GiB

  bool operator==(const Trend&) const = default;
};

struct Web {
  std::vector<std::string> listen_addresses = {":10054"};  // host:port, [v6]:port, :port; port 0 = any free one; unix:PATH
  bool systemd_socket = false;                             // what systemd listens on instead
  std::string telemetry_path = "/metrics";
  std::string config_file;                           // TLS and basic authentication, exporter-toolkit's format
  std::vector<std::string> host_names;               // that requests may be for, besides IPs, localhost, this machine; * = any
  bool healthy_without_password = false;             // /-/healthy
  std::size_t max_requests = 40;                     // 1..1000: /metrics in work or waiting; more get 503
  std::size_t max_connections = 256;                 // 8..4096: open sockets; the longest idle one gives way
  std::size_t max_header_bytes = 8192;               // 1 KiB .. 64 KiB: request line and headers together
  std::chrono::milliseconds request_timeout{5'000};  // 100 ms .. 60 s: from first byte to the head's last
  std::chrono::milliseconds idle_timeout{60'000};    // 1 s .. 10 min: between requests of a connection
  std::chrono::milliseconds write_timeout{10'000};   // 100 ms .. 60 s: for a whole response
  std::size_t keep_alive_requests = 10'000;          // 1..1'000'000 requests a connection

  bool operator==(const Web&) const = default;
};

struct Storage {
  std::string path;                                  // empty = nothing is kept over restarts
  std::chrono::milliseconds save_interval{300'000};  // 10 s .. 1 d

  bool operator==(const Storage&) const = default;
};

struct Log {
  base::LogLevel level = base::LogLevel::kInfo;
  base::LogFormat format = base::LogFormat::kLogfmt;

  bool operator==(const Log&) const = default;
};

struct Config {
  Source source;
  Sampling sampling;
  Scrape scrape;
  Metrics metrics;
  Tags tags;
  Processes processes;
  Drivers drivers;
  Trend trend;
  Web web;
  Storage storage;
  Log log;

  bool operator==(const Config&) const = default;
};

}  // namespace kmem::config
