#include "config/knobs.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <variant>

#include "collectors/base/clock.h"
#include "collectors/base/pool.h"
#include "collectors/base/suggest.h"
#include "collectors/base/utf8.h"
#include "config/listen_address.h"
#include "config/text.h"

namespace kmem::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

using Field = std::variant<bool& (*)(Config&), std::size_t& (*)(Config&), milliseconds& (*)(Config&), hours& (*)(Config&),
                           std::string& (*)(Config&), std::vector<std::string>& (*)(Config&), base::LogLevel& (*)(Config&),
                           base::LogFormat& (*)(Config&), MetricsProfile& (*)(Config&)>;

/// Empty when `text` is fine, else a hint to add to "expected ..., got ...", or a blank when there is none.
using Check = std::string (*)(std::string_view text);

struct Row {
  std::string_view name;
  Field field;
  std::string_view help;
  std::string_view unit = {};  // counts: what is counted; "bytes" and "path" (also of lists) choose the syntax
  std::uint64_t min = 0;       // durations in ms; lists: number of items
  std::uint64_t max = 0;
  std::string_view expected = {};  // text and lists: what a value looks like
  Check check = nullptr;
  std::string_view flag = {};  // where it is not simply --the-name
  bool needs_restart = false;
};

constexpr std::array<std::string_view, 4> kLogLevels = {"debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 3> kProfiles = {"lean", "default", "full"};
constexpr std::array<std::string_view, 2> kLogFormats = {"logfmt", "json"};
constexpr std::size_t kMaxKnobBytes = 4096;
constexpr const char* kNoHint = " ";

std::string hint(const std::optional<std::string>& word) { return word ? "; did you mean " + in_quotes(*word) + "?" : kNoHint; }

std::string check_source(std::string_view text) {
  if (std::find(kLiveSources.begin(), kLiveSources.end(), text) != kLiveSources.end()) return {};
  if (text.starts_with(kReplay)) return text.size() > kReplay.size() ? "" : "; the name of a recorded file is missing";
  return hint(base::nearest(text, kSourceNames));
}

std::string check_not_empty(std::string_view text) { return text.empty() ? kNoHint : ""; }

std::string check_telemetry_path(std::string_view text) {
  // "/-/" and "/api/" are the exporter's own.
  const bool taken = text.starts_with("/-/") || text.starts_with("/api/");
  if (!text.starts_with('/') || text.size() > 256 || taken) return kNoHint;
  for (const char c : text)
    if (c <= 0x20 || c == 0x7F || c == '?' || c == '#' || c == '%' || static_cast<unsigned char>(c) >= 0x80) return kNoHint;
  return {};
}

std::string check_listen_address(std::string_view text) {
  if (text.starts_with("unix:") && !parse_listen_address(text))
    return "; a socket in the file system is unix:/absolute/path of at most 107 bytes, not on Windows";
  if (parse_listen_address(text)) return {};
  if (parse_count(text)) return "; did you mean \":" + std::string(text) + "\"?";
  // An address or name that lacks nothing but the port.
  const std::string with_port = std::string(text) + ":10054", in_brackets = "[" + std::string(text) + "]:10054";
  if (!text.empty() && !text.ends_with(':') && text.find(':') == std::string_view::npos && parse_listen_address(with_port))
    return "; the port is missing: did you mean \"" + with_port + "\"?";
  if (text.starts_with('[') && text.ends_with(']') && parse_listen_address(with_port))
    return "; the port is missing: did you mean \"" + with_port + "\"?";
  const std::size_t last = std::min(text.rfind(':'), text.size());
  const std::string_view head = text.substr(0, last), tail = text.substr(std::min(last + 1, text.size()));
  const std::string split = "[" + std::string(head) + "]:" + std::string(tail);
  if (tail.size() >= 4 && !head.ends_with(':') && parse_listen_address(split))
    return "; an IPv6 address stands in brackets: did you mean \"" + split + "\"?";
  if (std::count(text.begin(), text.end(), ':') > 1 && parse_listen_address(in_brackets))
    return "; an IPv6 address stands in brackets, with a port behind it: did you mean \"" + in_brackets + "\"?";
  return kNoHint;
}

std::string check_host_name(std::string_view text) {
  if (text == "*") return {};
  const auto address = text.find(':') == std::string_view::npos ? parse_listen_address(std::string(text) + ":1") : std::nullopt;
  return address && !text.empty() && text.size() <= 253 ? "" : kNoHint;
}

std::string check_tag(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (text.empty() || text.size() > 256 || slash + 1 == text.size()) return kNoHint;
  // A slash may be part of a tag (drivers/net), so a first part that names no pool is one only if it looks mistyped.
  const std::string_view pool = text.substr(0, slash);
  if (slash == std::string_view::npos || pool.size() < 5) return {};
  if (std::find(kPoolNames.begin(), kPoolNames.end(), pool) != kPoolNames.end()) return {};
  const std::optional<std::string> meant = base::nearest(pool, kPoolNames);
  return meant ? hint(*meant + std::string(text.substr(slash))) : "";
}

// A knob's name in the file is its path in Config.
#define KMEM_KNOB(path) .name = #path, .field = [](Config& c) -> decltype((c.path)) { return c.path; }
#define KMEM_COLLECTOR(collector, on, on_linux, on_windows, text) \
  {KMEM_KNOB(source.collectors.collector), .help = (text), .flag = "--collector." #collector},

constexpr std::uint64_t kSecond = base::kSecondMillis, kMinute = base::kMinuteMillis, kHour = base::kHourMillis,
                        kDay = base::kDayMillis;

const std::array kRows = std::to_array<Row>({
    {KMEM_KNOB(source.kind), .help = "The kernel to read: this machine's, or a recording made by `record`.",
     .expected = kSourceWords, .check = check_source, .flag = "--collector.source", .needs_restart = true},
    {KMEM_KNOB(source.procfs), .help = "Where the proc file system is mounted (Linux).", .unit = "path", .expected = "a folder",
     .check = check_not_empty, .flag = "--path.procfs", .needs_restart = true},
    {KMEM_KNOB(source.sysfs), .help = "Where the sys file system is mounted (Linux).", .unit = "path", .expected = "a folder",
     .check = check_not_empty, .flag = "--path.sysfs", .needs_restart = true},

    KMEM_COLLECTORS(KMEM_COLLECTOR)

        {KMEM_KNOB(sampling.interval), .help = "How often the kernel is read for history and selection, scraped or not.",
         .min = kSecond, .max = kHour},
    {KMEM_KNOB(scrape.min_interval), .help = "Scrapes within this time share one reading of the kernel.", .min = 0,
     .max = kMinute},
    {KMEM_KNOB(scrape.timeout),
     .help = "Timeout of a kernel reading. After it, the page shows the last values and says how old they are.", .min = 100,
     .max = kMinute},

    {KMEM_KNOB(metrics.profile),
     .help =
         "How much to export. lean: totals, limits, headroom, verdicts, time left and suspects only, for which all alerts of "
         "kmem-agent.rules.yml work, at most 150 series. default: at most 500. full: verdicts and counters of every exported tag, and more tags, "
         "at most 1,000."},

    {KMEM_KNOB(tags.top_bytes), .help = "Export the top N tags of each pool by bytes.", .unit = "tags", .min = 0, .max = 1000},
    {KMEM_KNOB(tags.top_outstanding), .help = "Export the top N tags of each pool by live allocations, too.", .unit = "tags",
     .min = 0, .max = 1000},
    {KMEM_KNOB(tags.top_growth), .help = "Export the top N tags of each pool by growth over a week, too.", .unit = "tags",
     .min = 0, .max = 1000},
    {KMEM_KNOB(tags.max_exported),
     .help =
         "Maximum of exported tags per pool. The rest is summed as other. Above 40 also beyond the bound of metrics.profile.",
     .unit = "tags", .min = 1, .max = 5000},
    {KMEM_KNOB(tags.max_tracked), .help = "Maximum of tracked tags over all pools, exported or not.", .unit = "tags", .min = 64,
     .max = 65'536},
    {KMEM_KNOB(tags.dwell), .help = "How long a tag stays exported after it has left every top N.", .min = kHour,
     .max = 365 * kDay},
    {KMEM_KNOB(tags.top_session), .help = "Export the top N tags of each session's own paged and nonpaged pool by bytes.",
     .unit = "tags", .min = 0, .max = 100},
    {KMEM_KNOB(tags.include), .help = "Always export these tags.", .min = 0, .max = 1000,
     .expected = "a tag or pool/tag, such as nonpaged/Even", .check = check_tag},
    {KMEM_KNOB(tags.counters),
     .help =
         "Export allocation and free counters, of suspects and tags.include; with metrics.profile full of every exported tag."},
    {KMEM_KNOB(tags.all), .help = "Export every live tag, up to tags.max_tracked."},

    {KMEM_KNOB(processes.top), .help = "Export the top N processes by handles and by quota of each pool.", .unit = "processes",
     .min = 0, .max = 200},

    {KMEM_KNOB(drivers.enabled), .help = "Report which drivers may be behind a tag, as kmem_pool_tag_info.",
     .needs_restart = true},
    {KMEM_KNOB(drivers.scan), .help = "Windows: search driver images for tags, in the background.", .needs_restart = true},
    {KMEM_KNOB(drivers.pooltag_file), .help = "pooltag.txt of the Windows debuggers. Empty: where they install it.",
     .unit = "path", .expected = "a file", .needs_restart = true},
    {KMEM_KNOB(drivers.leak_signatures_file), .help = "Table of known leaks: tag - driver - versions - words. Empty: none.",
     .unit = "path", .expected = "a file", .needs_restart = true},
    {KMEM_KNOB(drivers.folders), .help = "More folders with driver images.", .unit = "path", .min = 0, .max = 32,
     .expected = "a folder", .check = check_not_empty, .needs_restart = true},

    {KMEM_KNOB(trend.enabled), .help = "Keep 8 weeks of history and report leaks.", .needs_restart = true},
    {KMEM_KNOB(trend.max_subjects), .help = "Maximum of tags, totals and processes with history, up to 3.2 KB each.",
     .unit = "subjects", .min = 64, .max = 4096, .needs_restart = true},
    {KMEM_KNOB(trend.min_growth_per_day), .help = "Minimum growth per day to call a tag a leak.", .unit = "bytes", .min = 1024,
     .max = 1 << 30, .needs_restart = true},

    {KMEM_KNOB(web.listen_addresses), .help = "Addresses to listen on. Port 0 takes any free port.", .min = 1, .max = 16,
     .expected = "host:port, [v6]:port or :port", .check = check_listen_address, .flag = "--web.listen-address",
     .needs_restart = true},
    {KMEM_KNOB(web.systemd_socket), .help = "Linux: use the sockets that systemd passes (socket activation) instead.",
     .needs_restart = true},
    {KMEM_KNOB(web.telemetry_path), .help = "Path of the metrics page.",
     .expected = "a path such as /metrics, outside /-/ and /api/", .check = check_telemetry_path, .needs_restart = true},
    {KMEM_KNOB(web.config_file), .help = "TLS and basic authentication, in the exporter-toolkit format of Prometheus.",
     .unit = "path", .expected = "a file", .flag = "--web.config.file", .needs_restart = true},
    {KMEM_KNOB(web.host_names),
     .help = "Host names with a domain to accept besides this machine's own, when "
             "neither TLS nor a password protects the page. * accepts any.",
     .min = 0, .max = 64, .expected = "a name without port, or *", .check = check_host_name, .flag = "--web.host-name",
     .needs_restart = true},
    {KMEM_KNOB(web.healthy_without_password), .help = "Do not require authentication for /-/healthy.", .needs_restart = true},
    {KMEM_KNOB(web.max_requests), .help = "Maximum of concurrent requests for metrics, running or queued. More get 503.",
     .unit = "requests", .min = 1, .max = 1000, .needs_restart = true},
    {KMEM_KNOB(web.max_connections),
     .help = "Maximum of open connections. Beyond it, the connection idle for longest is closed.", .unit = "connections",
     .min = 8, .max = 4096, .needs_restart = true},
    {KMEM_KNOB(web.max_header_bytes), .help = "Maximum size of request line and headers.", .unit = "bytes", .min = 1024,
     .max = 65'536, .needs_restart = true},
    {KMEM_KNOB(web.request_timeout), .help = "Timeout for receiving request line and headers.", .min = 100, .max = kMinute,
     .needs_restart = true},
    {KMEM_KNOB(web.idle_timeout), .help = "Timeout between two requests of a connection.", .min = kSecond, .max = 10 * kMinute,
     .needs_restart = true},
    {KMEM_KNOB(web.write_timeout), .help = "Timeout for sending a response.", .min = 100, .max = kMinute,
     .needs_restart = true},
    {KMEM_KNOB(web.keep_alive_requests), .help = "Requests served on one connection before it is closed.", .unit = "requests",
     .min = 1, .max = 1'000'000, .needs_restart = true},

    {KMEM_KNOB(storage.path), .help = "Folder for state kept over restarts: history, exported tags. Empty: nothing is kept.",
     .unit = "path", .expected = "a folder", .needs_restart = true},
    {KMEM_KNOB(storage.save_interval), .help = "How often state is saved. A crash loses at most this much.",
     .min = 10 * kSecond, .max = kDay},

    {KMEM_KNOB(log.level), .help = "Minimum level of lines to log."},
    {KMEM_KNOB(log.format), .help = "Format of log lines."},
});

#undef KMEM_KNOB
#undef KMEM_COLLECTOR

template <typename T>
struct Returned;
template <typename T>
struct Returned<T& (*)(Config&)> {
  using Type = T;
};

std::span<const std::string_view> choices(base::LogLevel) { return kLogLevels; }
std::span<const std::string_view> choices(base::LogFormat) { return kLogFormats; }
std::span<const std::string_view> choices(MetricsProfile) { return kProfiles; }

std::string joined(std::span<const std::string_view> words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i)
    out += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + std::string(words[i]);
  return out;
}

milliseconds as_milliseconds(std::uint64_t value) { return milliseconds(static_cast<std::int64_t>(value)); }

std::string yaml_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

const Row& row_of(const KnobInfo& knob) { return kRows[static_cast<std::size_t>(&knob - knobs().data())]; }

struct Expectation {
  KnobType type;
  std::string text;
};

Expectation expectation_of(const Row& row) {
  return std::visit(
      [&row](auto field) -> Expectation {
        using T = typename Returned<decltype(field)>::Type;
        const std::string range_end = row.unit.empty() ? "" : " " + std::string(row.unit);
        if constexpr (std::is_same_v<T, bool>) {
          return {KnobType::kBool, "true or false"};
        } else if constexpr (std::is_same_v<T, std::size_t>) {
          if (row.unit == "bytes") return {KnobType::kBytes, "a size of " + bytes_text(row.min) + ".." + bytes_text(row.max)};
          return {KnobType::kCount, std::to_string(row.min) + ".." + std::to_string(row.max) + range_end};
        } else if constexpr (std::is_same_v<T, milliseconds> || std::is_same_v<T, hours>) {
          return {KnobType::kDuration, "a duration of " + duration_text(as_milliseconds(row.min)) + ".." +
                                           duration_text(as_milliseconds(row.max)) +
                                           (std::is_same_v<T, hours> ? " in whole hours" : "")};
        } else if constexpr (std::is_same_v<T, std::string>) {
          return {row.unit == "path" ? KnobType::kPath : KnobType::kText, std::string(row.expected)};
        } else if constexpr (std::is_enum_v<T>) {
          return {KnobType::kChoice, joined(choices(T{}))};
        } else {
          return {KnobType::kList, std::string(row.expected)};
        }
      },
      row.field);
}

/// Sets `out`, or gives what to add behind "expected ..., got ...".
template <typename T>
std::string parse_value(const Row& row, std::string_view text, T& out) {
  const auto in_range = [&row](std::uint64_t value) { return value >= row.min && value <= row.max; };
  if constexpr (std::is_same_v<T, bool>) {
    if (text != "true" && text != "false") return kNoHint;
    out = text == "true";
  } else if constexpr (std::is_same_v<T, std::size_t>) {
    const auto value = row.unit == "bytes" ? parse_bytes(text) : parse_count(text);
    if (!value || !in_range(*value)) return kNoHint;
    out = static_cast<std::size_t>(*value);
  } else if constexpr (std::is_same_v<T, milliseconds> || std::is_same_v<T, hours>) {
    const auto value = parse_duration(text);
    if (!value && parse_count(text)) return "; the unit is missing: ms, s, m, h or d";
    if (!value || !in_range(static_cast<std::uint64_t>(value->count()))) return kNoHint;
    const T rounded = std::chrono::duration_cast<T>(*value);
    if (rounded != *value) return kNoHint;
    out = rounded;
  } else if constexpr (std::is_enum_v<T>) {
    const auto words = choices(T{});
    const auto found = std::find(words.begin(), words.end(), text);
    if (found == words.end()) return hint(base::nearest(text, words));
    out = static_cast<T>(found - words.begin());
  } else {
    if (text.size() > kMaxKnobBytes) return "; it is too long";
    if (base::find_non_utf8(text) != std::string_view::npos) return "; it is not UTF-8";
    const bool has_drive = text.size() > 2 && text[1] == ':';
    for (const char c : text)
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
        return std::string("; it holds a control character") +
               (has_drive ? ": a path with backslashes goes into single quotes" : "");
    if (row.check != nullptr)
      if (std::string wrong = row.check(text); !wrong.empty()) return wrong;
    out = std::string(text);
  }
  return {};
}

std::string refusal(const KnobInfo& knob, std::string_view got, std::string_view hint_text) {
  return "expected " + knob.expected + ", got " + in_quotes(got) + (hint_text == kNoHint ? "" : std::string(hint_text));
}

std::string row_text(const Row& row, Config& config) {
  return std::visit(
      [&](auto field) -> std::string {
        const auto& value = field(config);
        using T = std::remove_cvref_t<decltype(value)>;
        if constexpr (std::is_same_v<T, bool>) {
          return value ? "true" : "false";
        } else if constexpr (std::is_same_v<T, std::size_t>) {
          return row.unit == "bytes" ? bytes_text(value) : std::to_string(value);
        } else if constexpr (std::is_same_v<T, milliseconds> || std::is_same_v<T, hours>) {
          return duration_text(value);
        } else if constexpr (std::is_enum_v<T>) {
          return std::string(choices(T{})[static_cast<std::size_t>(value)]);
        } else if constexpr (std::is_same_v<T, std::string>) {
          return yaml_quoted(value);
        } else {
          std::string list = "[";
          for (const std::string& item : value) list += (list.size() > 1 ? ", " : "") + yaml_quoted(item);
          return list + "]";
        }
      },
      row.field);
}

}  // namespace

const std::vector<KnobInfo>& knobs() {
  static const std::vector<KnobInfo> table = [] {
    std::vector<KnobInfo> made;
    Config defaults;
    for (const Row& row : kRows) {
      const Expectation expectation = expectation_of(row);
      std::string flag(row.flag);
      if (flag.empty()) {
        flag = "--" + std::string(row.name);
        std::replace(flag.begin(), flag.end(), '_', '-');
      }
      made.push_back({row.name, std::move(flag), expectation.type, row.help, expectation.text, row_text(row, defaults),
                      row.needs_restart});
    }
    return made;
  }();
  return table;
}

const KnobInfo* find_knob(std::string_view name) {
  for (const KnobInfo& knob : knobs())
    if (knob.name == name) return &knob;
  return nullptr;
}

std::size_t path_at(const KnobInfo& knob, std::string_view value) {
  std::size_t at = std::string_view::npos;
  if (row_of(knob).unit == "path") at = 0;
  else if (knob.name == "source.kind" && value.starts_with(kReplay)) at = kReplay.size();
  return at < value.size() ? at : std::string_view::npos;
}

std::vector<ValueFault> set_knob(Config& config, const KnobInfo& knob, const std::vector<std::string>& values) {
  const Row& row = row_of(knob);
  return std::visit(
      [&](auto field) {
        std::vector<ValueFault> faults;
        auto& target = field(config);
        using T = std::remove_reference_t<decltype(target)>;
        if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          if (values.size() < row.min || values.size() > row.max)
            faults.push_back({kAllValues, "expected " + std::to_string(row.min) + ".." + std::to_string(row.max) +
                                              " items, got " + std::to_string(values.size())});
          std::vector<std::string> fresh;
          for (std::size_t i = 0; i < values.size() && i < row.max; ++i) {
            std::string item;
            if (const std::string wrong = parse_value(row, values[i], item); !wrong.empty())
              faults.push_back({i, refusal(knob, values[i], wrong)});
            else if (std::find(fresh.begin(), fresh.end(), item) != fresh.end())
              faults.push_back({i, in_quotes(item) + " is given twice"});
            else fresh.push_back(std::move(item));
          }
          if (faults.empty()) target = std::move(fresh);
        } else if (values.size() != 1) {
          faults.push_back({kAllValues, "expected one value, got " + std::to_string(values.size())});
        } else {
          T fresh = target;
          if (const std::string wrong = parse_value(row, values[0], fresh); !wrong.empty())
            faults.push_back({0, refusal(knob, values[0], wrong)});
          else target = fresh;
        }
        return faults;
      },
      row.field);
}

std::string knob_text(const Config& config, const KnobInfo& knob) {
  Config copy = config;
  return row_text(row_of(knob), copy);
}

ReloadPlan reloadable(const Config& running, const Config& fresh) {
  Config before = running;
  ReloadPlan plan;
  plan.next = fresh;
  for (const Row& row : kRows) {
    if (row_text(row, before) == row_text(row, plan.next)) continue;
    (row.needs_restart ? plan.need_restart : plan.apply).push_back(row.name);
    if (row.needs_restart) std::visit([&](auto field) { field(plan.next) = field(before); }, row.field);
  }
  return plan;
}

}  // namespace kmem::config
