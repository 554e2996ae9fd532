#include "exporter/commands/command_table.h"

#include <algorithm>
#include <array>

#include "collectors/base/label_text.h"
#include "config/text.h"
#include "exporter/metrics/catalogue.h"

namespace kmem {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

std::string take_output(Options& options, const std::string& value) {
  if (value.empty()) return "a file";
  options.output = value;
  return {};
}

std::string take_interval(Options& options, const std::string& value) {
  const auto interval = config::parse_duration(value);
  if (!interval || *interval < milliseconds(1'000) || *interval > hours(24)) return "a duration of 1s..1d";
  options.record_interval = *interval;
  return {};
}

std::string take_duration(Options& options, const std::string& value) {
  const auto duration = config::parse_duration(value);
  if (!duration || *duration < milliseconds(1'000) || *duration > hours(24 * 365)) return "a duration of 1s..365d";
  options.record_duration = *duration;
  return {};
}

std::string take_config_file(Options& options, const std::string& value) {
  if (value.empty()) return "a file";
  options.config_file = value;
  return {};
}

std::string take_history_file(Options& options, const std::string& value) {
  if (value.empty()) return "a file";
  options.files.push_back(value);
  return {};
}

std::string take_image(Options& options, const std::string& value) {
  if (value.empty()) return "a folder or a file";
  options.files.push_back(value);
  return {};
}

std::string take_tag(Options& options, const std::string& value) {
  if (value.empty() || value.size() > 256) return "a tag";
  options.tags.push_back(value);
  return {};
}

std::string take_report_format(Options& options, const std::string& value) {
  if (value != "text" && value != "json") return "text or json";
  options.report_format = value == "json" ? ReportFormat::kJson : ReportFormat::kText;
  return {};
}

std::string take_top_once(Options& options, const std::string&) {
  options.top_once = true;
  return {};
}

std::string take_top_sort(Options& options, const std::string& value) {
  if (const auto sort = top::parse_sort(value)) {
    options.top_choice.sort = *sort;
    return {};
  }
  std::string words;
  for (const top::SortWord& word : top::kSortWords)
    words.append(words.empty() ? "" : word.by == top::kSortWords.back().by ? " or " : ", ").append(word.word);
  return words;
}

std::string take_top_pool(Options& options, const std::string& value) {
  const auto named = std::find(kPoolNames.begin(), kPoolNames.end(), value);
  if (named != kPoolNames.end()) {
    options.top_choice.pool = static_cast<Pool>(named - kPoolNames.begin());
    return {};
  }
  std::string names;
  for (const std::string_view name : kPoolNames)
    names.append(names.empty() ? "" : name == kPoolNames.back() ? " or " : ", ").append(name);
  return names;
}

std::string take_top_filter(Options& options, const std::string& value) {
  options.top_choice.filter = value;
  return {};
}

std::string take_top_interval(Options& options, const std::string& value) {
  const auto interval = config::parse_duration(value);
  if (!interval || *interval < milliseconds(1'000) || *interval > hours(1)) return "a duration of 1s..1h";
  options.top_interval = *interval;
  return {};
}

std::string take_report_all(Options& options, const std::string&) {
  options.report_all = true;
  return {};
}

std::string take_date_order(Options& options, const std::string& value) {
  const auto order = history::parse_date_order(value);
  if (!order) return "dmy, mdy or ymd";
  options.history.date_order = order;
  return {};
}

bool is_label_name(std::string_view name) {
  const auto is_word = [](char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return !name.empty() && !name.starts_with("__") && !is_digit(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return is_word(c) || is_digit(c); });
}

std::string take_label(Options& options, const std::string& value) {
  const std::size_t equals = value.find('=');
  const std::string name = value.substr(0, equals);
  if (equals == std::string::npos || !is_label_name(name)) return "NAME=VALUE, with a label's name";
  for (const metrics::MetricRow& row : metrics::catalogue())
    if (std::find(row.labels.begin(), row.labels.end(), name) != row.labels.end())
      return "the name of a label that no metric has itself";
  for (const auto& [taken, text] : options.labels)
    if (taken == name) return "every name once";
  options.labels.emplace_back(name, base::label_text(value.substr(equals + 1)));
  return {};
}

std::string take_selector(Options& options, const std::string& value) {
  const std::size_t equals = value.find('=');
  if (equals == std::string::npos || !is_label_name(value.substr(0, equals)))
    return "NAME=VALUE or NAME=~PATTERN, with a label's name";
  options.selectors.emplace_back(value.substr(0, equals), value.substr(equals + 1));
  return {};
}

std::string take_prometheus_url(Options& options, const std::string& value) {
  if (!value.starts_with("http://") && !value.starts_with("https://")) return "http://HOST:PORT or https://HOST:PORT";
  options.prometheus_url = value;
  return {};
}

std::string take_prometheus_config(Options& options, const std::string& value) {
  if (value.empty()) return "a file";
  options.prometheus_config = value;
  return {};
}

std::string take_range(Options& options, const std::string& value) {
  const auto range = config::parse_duration(value);
  if (!range || *range < hours(24) || *range > hours(24 * 400)) return "a duration of 1d..400d";
  options.range = *range;
  return {};
}

std::string take_host(Options& options, const std::string& value) {
  if (value.empty()) return "a host's name";
  options.history.host = value;
  return {};
}

std::string take_explain(Options& options, const std::string&) {
  options.explain = true;
  return {};
}

std::string take_service_action(Options& options, const std::string& value) {
  using service::Action;
  static constexpr std::array<std::pair<std::string_view, Action>, 7> kActions = {{{"install", Action::kInstall},
                                                                                   {"uninstall", Action::kUninstall},
                                                                                   {"start", Action::kStart},
                                                                                   {"stop", Action::kStop},
                                                                                   {"reload", Action::kReload},
                                                                                   {"status", Action::kStatus},
                                                                                   {"configure", Action::kConfigure}}};
  for (const auto& [name, action] : kActions) {
    if (name != value) continue;
    options.service_action = action;
    return {};
  }
  return "install, uninstall, start, stop, reload, status or configure";
}

std::string take_shell(Options& options, const std::string& value) {
  static constexpr std::array<std::pair<std::string_view, Shell>, 4> kShells = {
      {{"bash", Shell::kBash}, {"zsh", Shell::kZsh}, {"fish", Shell::kFish}, {"powershell", Shell::kPowershell}}};
  for (const auto& [name, shell] : kShells) {
    if (name != value) continue;
    options.shell = shell;
    return {};
  }
  return "bash, zsh, fish or powershell";
}

/// Of analyze and backfill.
CommandFlag history_files(std::string_view unless = {}) {
  return {"FILE",
          "",
          "Captures, CSV, poolmon or memsnap text, perfmon CSV, /proc files or slabtop below dates, sar -r ALL, "
          "Prometheus API answers. Several files are one history.",
          true,
          take_history_file,
          true,
          unless};
}
/// Not in the usage's line, which would be long.
CommandFlag more(CommandFlag flag) {
  flag.is_in_usage = false;
  return flag;
}
CommandFlag only_host() { return more({"--host", "NAME", "Use only this host of a history of several.", false, take_host}); }

CommandFlag date_order() {
  return {"--date-order", "ORDER", "Order of dates like 05/11/2026: dmy, mdy or ymd (default: detected per file).", false,
          take_date_order};
}

constexpr std::size_t kHelpColumn = 34;
constexpr std::size_t kHelpWidth = 100;

/// "  --flag=VALUE      help, wrapped"
std::string help_row(const std::string& left, const std::string& help) {
  std::string out, line = "  " + left;
  if (line.size() + 2 > kHelpColumn) {
    out = line + "\n";
    line.clear();
  }
  line.resize(kHelpColumn, ' ');
  bool is_empty = true;
  for (std::size_t at = 0; at < help.size();) {
    const std::size_t end = std::min(help.find(' ', at), help.size());
    const std::string word = help.substr(at, end - at);
    if (!is_empty && line.size() + 1 + word.size() > kHelpWidth) {
      out += line + "\n";
      line = std::string(kHelpColumn, ' ');
      is_empty = true;
    }
    line += (is_empty ? "" : " ") + word;
    is_empty = false;
    at = end + 1;
  }
  return out + line + "\n";
}

}  // namespace

const std::vector<CommandRow>& command_table() {
  static const std::vector<CommandRow> table = {
      {Command::kServe, "serve", "Serve metrics to Prometheus until stopped. The default.", {}},
      {Command::kOnce,
       "once",
       "Print one metrics page.",
       {{"--output", "FILE", "Write to this file instead of stdout, atomically, for a textfile collector.", false,
         take_output}}},
      {Command::kTop,
       "top",
       "Show the largest tags live, as poolmon does. Prints once if stdout is no terminal.",
       {{"--once", "", "Print one table and exit. Sorting by rate or growth takes two readings.", false, take_top_once},
        {"--sort", "ORDER", "bytes, outstanding, rate, growth, tag, allocs, frees or per-alloc (default: bytes).", false,
         take_top_sort},
        {"--pool", "POOL", "Only this pool: paged, nonpaged, slab_unreclaimable and so on.", false, take_top_pool},
        {"--filter", "TEXT", "Only tags and drivers that contain this text; case is ignored.", false, take_top_filter},
        {"--interval", "DURATION", "Time between two readings, 1s..1h (default: 5s).", false, take_top_interval}}},
      {Command::kRecord,
       "record",
       "Capture raw kernel answers, to replay or analyze elsewhere.",
       {{"--output", "FILE", "The capture file. An existing capture is continued.", true, take_output},
        {"--interval", "DURATION", "Time between two frames, 1s..1d (default: 60s).", false, take_interval},
        {"--duration", "DURATION", "Stop after 1s..365d (default: when interrupted).", false, take_duration}}},
      {Command::kAnalyze,
       "analyze",
       "Report leaks in a recorded history: how fast, since when, days left.",
       {history_files("--prometheus.url"),
        {"--format", "FORMAT", "text or json (default: text).", false, take_report_format},
        {"--all", "", "Include what does not grow.", false, take_report_all},
        date_order(),
        more({"--explain", "", "Explain how each file was read: format, times, date order, lines that were skipped.", false,
              take_explain}),
        only_host(),
        more({"--prometheus.url", "URL", "Query this Prometheus server instead of files, for all its hosts.", false,
              take_prometheus_url}),
        more({"--prometheus.config", "FILE", "Authentication and TLS for that server, as in http_config.", false,
              take_prometheus_config}),
        more({"--label", "NAME=VALUE", "Only series with this label, or NAME=~PATTERN; may be repeated.", false, take_selector,
              true}),
        more({"--range", "DURATION", "How far back to query, 1d..400d (default: 8w).", false, take_range})}},
      {Command::kBackfill,
       "backfill",
       "Write a recorded history as OpenMetrics, for promtool tsdb create-blocks-from openmetrics.",
       {history_files(),
        {"--output", "FILE", "The file to write, atomically.", true, take_output},
        only_host(),
        {"--label", "NAME=VALUE", "Add this label to all series: instance=server:10054, say; may be repeated.", false,
         take_label, true},
        date_order()}},
      {Command::kAttribute,
       "attribute",
       "Report which drivers may be behind a tag: in the given folders and files, else on this system.",
       {{"PATH", "", "Folders and files to search: *.sys, *.exe, *.dll.", false, take_image, true},
        {"--tag", "TAG", "Only this tag; may be repeated.", false, take_tag, true},
        {"--format", "FORMAT", "text or json (default: text).", false, take_report_format}}},
      {Command::kCheckConfig,
       "check-config",
       "Check a configuration file, and the web configuration it names.",
       {{"FILE", "", "The configuration file.", false, take_config_file}}},
      {Command::kService,
       "service",
       "Manage the Windows service: install it with the given flags of serve, uninstall, start, stop, reload its "
       "configuration, tell its status, or configure one that an installer has made.",
       {{"ACTION", "", "install, uninstall, start, stop, reload, status or configure.", true, take_service_action}}},
      {Command::kCompletion,
       "completion",
       "Print the completions of a shell.",
       {{"SHELL", "", "bash, zsh, fish or powershell.", true, take_shell}}},
      {Command::kManual, "manual", "Print the manual page, for man.", {}},
  };
  return table;
}

std::span<const CommonFlag> common_flags() {
  static constexpr std::array<CommonFlag, 4> kFlags = {{
      {"--config.file", "PATH", "Configuration file (YAML). Flags override it.",
       [](Options& options, const std::string& value) { options.config_file = value; }},
      {"--collector.disable-defaults", "", "Turn all collectors off that neither the file nor a flag turns on.",
       [](Options& options, const std::string&) { options.disable_default_collectors = true; }},
      {"--help", "", "Show this help, or the help of a command; also -h.", nullptr},
      {"--version", "", "Version, revision and compiler.", nullptr},
  }};
  return kFlags;
}

std::string_view value_word(const config::KnobInfo& knob) {
  switch (knob.type) {
    case config::KnobType::kCount: return "N";
    case config::KnobType::kBytes: return "SIZE";
    case config::KnobType::kDuration: return "DURATION";
    case config::KnobType::kPath: return "PATH";
    case config::KnobType::kBool:
    case config::KnobType::kText:
    case config::KnobType::kChoice:
    case config::KnobType::kList: break;
  }
  return "VALUE";
}

std::string_view group_of(const config::KnobInfo& knob) { return knob.name.substr(0, knob.name.rfind('.')); }

std::string group_title(std::string_view group) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kTitles = {{
      {"source", "Source"},
      {"source.collectors", "Collectors (--no-collector.NAME turns one off)"},
      {"sampling", "Sampling"},
      {"scrape", "Scraping"},
      {"metrics", "Exported metrics"},
      {"tags", "Exported tags"},
      {"processes", "Exported processes"},
      {"drivers", "Drivers behind tags"},
      {"trend", "Trend"},
      {"web", "HTTP server"},
      {"storage", "Storage"},
      {"log", "Log"},
  }};
  for (const auto& [name, title] : kTitles)
    if (name == group) return std::string(title);
  return std::string(group);
}

std::string knob_words(const config::KnobInfo& knob) {
  if (knob.type == config::KnobType::kBool)
    return std::string(knob.help) + " (default: " + (knob.default_value == "true" ? "on)" : "off)");
  std::string help = std::string(knob.help) + " Expects " + knob.expected;
  if (knob.type == config::KnobType::kList) help += "; may be repeated";
  return help + " (default: " + knob.default_value + ")";
}

std::string usage_of(const CommandRow& row) {
  std::string out(row.name);
  for (const CommandFlag& flag : row.flags) {
    if (!flag.is_in_usage) continue;
    std::string one(flag.name);
    if (!flag.value.empty()) one += " " + std::string(flag.value);
    if (flag.repeats) one += "...";
    out += flag.is_required ? " " + one : " [" + one + "]";
  }
  return out;
}

std::string negated(std::string_view flag) { return "--no-" + std::string(flag.substr(2)); }

std::string help_text(const CommandRow* command) {
  if (command != nullptr && command->command != Command::kServe) {
    std::string out = "Usage: kmem_exporter " + usage_of(*command) + " [FLAGS]\n\n" + std::string(command->help) + "\n\n";
    for (const CommandFlag& flag : command->flags)
      out +=
          help_row(std::string(flag.name) + (flag.value.empty() ? "" : "=" + std::string(flag.value)), std::string(flag.help));
    return out + "\nEvery flag of `kmem_exporter --help` works here as well.\n";
  }
  std::string out =
      "kmem_exporter: Prometheus exporter of kernel memory that sees slow leaks\n\n"
      "Usage: kmem_exporter [COMMAND] [FLAGS]\n\nCommands:\n";
  for (const CommandRow& row : command_table()) out += help_row(usage_of(row), std::string(row.help));
  out += "\nFlags, before or after the command, as --flag=VALUE or --flag VALUE:\n";
  for (const CommonFlag& flag : common_flags())
    out += help_row(std::string(flag.name) + (flag.value.empty() ? "" : "=" + std::string(flag.value)), std::string(flag.help));
  std::string_view group;
  for (const config::KnobInfo& knob : config::knobs()) {
    if (group_of(knob) != group) out += "\n" + group_title(group_of(knob)) + ":\n";
    group = group_of(knob);
    out += help_row(knob.type == config::KnobType::kBool ? knob.flag : knob.flag + "=" + std::string(value_word(knob)),
                    knob_words(knob));
  }
  return out + "\nExit codes: 0 fine, 1 the work failed, 2 arguments, configuration or input files cannot be used.\n";
}

}  // namespace kmem
