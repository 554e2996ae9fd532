#include "exporter/commands/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "exporter/commands/command_table.h"
#include "tests/support/memory_files.h"

namespace kmem {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::SizeIs;
using testing::StartsWith;
using testing::UnorderedElementsAre;

ParseOutcome parse(const std::vector<std::string>& arguments) {
  std::vector<const char*> argv = {"kmem_exporter"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  return parse_arguments(static_cast<int>(argv.size()), argv.data());
}

Options options_of(const std::vector<std::string>& arguments) {
  ParseOutcome outcome = parse(arguments);
  EXPECT_TRUE(outcome.options.has_value()) << outcome.err;
  EXPECT_EQ(outcome.exit_code, kExitFine);
  return outcome.options.value_or(Options{});
}

/// The faults, without the program's name in front and the hint behind.
std::vector<std::string> faults_of(const std::vector<std::string>& arguments) {
  const ParseOutcome outcome = parse(arguments);
  EXPECT_FALSE(outcome.options.has_value());
  EXPECT_EQ(outcome.exit_code, kExitUnusable);
  EXPECT_EQ(outcome.out, "");
  std::vector<std::string> faults;
  std::istringstream lines(outcome.err);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("kmem_exporter: ")) faults.push_back(line.substr(15));
  return faults;
}

config::Config config_of(const std::vector<std::string>& arguments) {
  test::MemoryFiles files;
  const Resolved resolved = resolve(options_of(arguments), files);
  EXPECT_THAT(resolved.faults, IsEmpty());
  return resolved.config;
}

TEST(Options, OnlyInstallAndConfigureOfTheServiceTakeFlags) {
  EXPECT_EQ(options_of({"service", "status"}).service_action, service::Action::kStatus);
  EXPECT_THAT(options_of({"service", "configure", "--log.level=debug"}).overrides, SizeIs(1));
  for (const char* flag : {"--log.level=debug", "--config.file=a.yml", "--collector.disable-defaults"})
    EXPECT_THAT(faults_of({"service", "start", flag}),
                ElementsAre("service: flags of serve belong to install and configure, which give them to the service"));
}

TEST(Options, CompletionNamesItsShell) {
  EXPECT_EQ(options_of({"completion", "zsh"}).shell, Shell::kZsh);
  EXPECT_THAT(faults_of({"completion", "tcsh"}), ElementsAre("SHELL: expected bash, zsh, fish or powershell, got \"tcsh\""));
  EXPECT_THAT(faults_of({"completion"}), ElementsAre("completion: expected SHELL"));
  EXPECT_EQ(options_of({"manual"}).command, Command::kManual);
}

TEST(Options, NothingServesTheDefaults) {
  EXPECT_EQ(options_of({}).command, Command::kServe);
  EXPECT_EQ(options_of({"serve"}).command, Command::kServe);
  EXPECT_THAT(options_of({}).overrides, IsEmpty());
  EXPECT_EQ(config_of({}), config::Config{});
}

TEST(Options, BothFormsOfAFlagAndBothSidesOfTheCommand) {
  config::Config expected;
  expected.web.max_requests = 7;
  expected.web.telemetry_path = "/m";
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--web.max-requests=7", "--web.telemetry-path=/m"},
                                                    {"--web.max-requests", "7", "--web.telemetry-path", "/m"},
                                                    {"serve", "--web.max-requests", "7", "--web.telemetry-path=/m"},
                                                    {"--web.max-requests", "7", "serve", "--web.telemetry-path", "/m"},
                                                    {"--web.max-requests=7", "--web.telemetry-path", "/m", "serve"}})
    EXPECT_EQ(config_of(arguments), expected) << testing::PrintToString(arguments);
}

TEST(Options, EveryKnobHasAWorkingFlag) {
  const std::map<config::KnobType, std::string> samples = {
      {config::KnobType::kCount, "64"}, {config::KnobType::kBytes, "4KiB"}, {config::KnobType::kPath, "/somewhere"}};
  const std::map<std::string_view, std::string> special = {
      {"source.kind", "linux"},       {"web.telemetry_path", "/x"},    {"log.level", "warn"},
      {"log.format", "json"},         {"metrics.profile", "lean"},     {"tags.include", "Even"},
      {"web.listen_addresses", ":1"}, {"drivers.folders", "/drivers"}, {"web.host_names", "a.example"},
      {"tags.dwell", "48h"},          {"storage.save_interval", "20s"}};
  for (const config::KnobInfo& knob : config::knobs()) {
    std::vector<std::string> arguments = {knob.flag};
    if (knob.type == config::KnobType::kBool) {
      if (knob.default_value == "true") arguments = {"--no-" + knob.flag.substr(2)};
    } else if (special.contains(knob.name)) {
      arguments.push_back(special.at(knob.name));
    } else {
      arguments.push_back(knob.type == config::KnobType::kDuration ? "3s" : samples.at(knob.type));
    }
    test::MemoryFiles files;
    files.put("/somewhere", "");  // web.config_file
    const Resolved resolved = resolve(options_of(arguments), files);
    EXPECT_THAT(resolved.faults, IsEmpty()) << knob.flag;
    const config::ReloadPlan plan = config::reloadable(config::Config{}, resolved.config);
    std::vector<std::string_view> changed = plan.apply;
    changed.insert(changed.end(), plan.need_restart.begin(), plan.need_restart.end());
    EXPECT_THAT(changed, ElementsAre(knob.name)) << knob.flag;
  }
}

TEST(Options, RepeatableFlagsReplaceTheList) {
  EXPECT_THAT(config_of({"--web.listen-address=:1", "once", "--web.listen-address", "[::1]:2"}).web.listen_addresses,
              ElementsAre(":1", "[::1]:2"));
  EXPECT_THAT(config_of({"--tags.include", "Even", "--tags.include=a,b"}).tags.include, ElementsAre("Even", "a,b"));
  // A list in CLI11's own notation stays one value.
  EXPECT_THAT(config_of({"--tags.include=[a,b]"}).tags.include, ElementsAre("[a,b]"));
}

TEST(Options, SwitchesTurnOnAndOff) {
  EXPECT_TRUE(config_of({"--collector.vmallocinfo"}).source.collectors.vmallocinfo);
  EXPECT_FALSE(config_of({"--no-collector.pool_tags"}).source.collectors.pool_tags);
  EXPECT_TRUE(config_of({"--tags.all=true"}).tags.all);
  EXPECT_FALSE(config_of({"--tags.counters=false"}).tags.counters);
  EXPECT_TRUE(config_of({"--no-collector.vmallocinfo=false"}).source.collectors.vmallocinfo);
  EXPECT_THAT(faults_of({"--tags.all=maybe"}), ElementsAre("--tags.all: expected true, false or no value, got \"maybe\""));
  EXPECT_THAT(faults_of({"--tags.all", "--no-tags.all"}), ElementsAre("--tags.all: expected it without --no-tags.all"));
  EXPECT_THAT(faults_of({"--tags.all", "--tags.all"}), ElementsAre("--tags.all: expected once, got 2 times"));
  // The value of a switch is no argument of its own.
  EXPECT_THAT(faults_of({"serve", "--tags.all", "true"}), ElementsAre("unexpected argument \"true\" to serve"));
}

TEST(Options, DisableDefaultsLeavesWhatWasAskedFor) {
  test::MemoryFiles files;
  files.put("k.yml", "source: {collectors: {stat: true}}\n");
  const Resolved resolved =
      resolve(options_of({"--collector.disable-defaults", "--collector.slabinfo", "--config.file=k.yml"}), files);
  config::Collectors expected{};
  for (const config::KnobInfo& knob : config::knobs())
    if (knob.name.starts_with("source.collectors.")) {
      config::Config one;
      one.source.collectors = expected;
      EXPECT_THAT(config::set_knob(one, knob, {"false"}), IsEmpty());
      expected = one.source.collectors;
    }
  expected.stat = expected.slabinfo = true;
  EXPECT_EQ(resolved.config.source.collectors, expected);
}

TEST(Options, ValuesAreTakenAsTheyAre) {
  EXPECT_EQ(config_of({"--storage.path="}).storage.path, "");
  EXPECT_EQ(config_of({"--storage.path", "-dir"}).storage.path, "-dir");
  EXPECT_EQ(config_of({"--storage.path=--web.max-requests"}).storage.path, "--web.max-requests");
  EXPECT_EQ(config_of({"--storage.path", "serve"}).storage.path, "serve");
  EXPECT_EQ(config_of({"--storage.path", "a=b"}).storage.path, "a=b");
  EXPECT_EQ(config_of({"--storage.path=a=b"}).storage.path, "a=b");
  EXPECT_EQ(config_of({"--storage.path", "C:\\k m\\\xC3\xA4"}).storage.path, "C:\\k m\\\xC3\xA4");
  EXPECT_EQ(config_of({"--storage.path", "++"}).storage.path, "++");
  // Windows style would make a flag of it.
  EXPECT_EQ(config_of({"--web.telemetry-path", "/serve"}).web.telemetry_path, "/serve");
}

TEST(Options, AForgottenValueDoesNotSwallowTheNextFlag) {
  EXPECT_THAT(faults_of({"--config.file", "--web.max-requests=5"}),
              ElementsAre("--config.file: expected a value behind it, got the flag --web.max-requests=5; write "
                          "--config.file=--web.max-requests=5 if that is the value"));
  EXPECT_THAT(faults_of({"once", "--web.max-requests"}), ElementsAre("--web.max-requests: expected a value behind it"));
}

TEST(Options, TyposNameTheNearest) {
  EXPECT_THAT(faults_of({"--web.max-request=5"}),
              ElementsAre("--web.max-request: unknown flag; did you mean --web.max-requests?"));
  EXPECT_THAT(faults_of({"--web.max_requests", "5"}),
              ElementsAre("--web.max_requests: unknown flag; did you mean --web.max-requests?"));
  EXPECT_THAT(faults_of({"--no-collector.slabinf"}),
              ElementsAre("--no-collector.slabinf: unknown flag; did you mean --no-collector.slabinfo?"));
  EXPECT_THAT(faults_of({"serv"}), ElementsAre("unknown command \"serv\"; did you mean serve?"));
  EXPECT_THAT(faults_of({"check_config", "f"}),
              ElementsAre("unknown command \"check_config\"; did you mean check-config?", "unknown command \"f\""));
  EXPECT_THAT(faults_of({"record", "--output=f", "--intervall=1m"}),
              ElementsAre("--intervall: unknown flag; did you mean --interval?"));
  EXPECT_THAT(faults_of({"-v"}), ElementsAre("-v: unknown flag"));
  EXPECT_THAT(faults_of({"--"
                         "xyzzy"}),
              ElementsAre("--xyzzy: unknown flag"));
}

TEST(Options, AbbreviationsAreNoFlags) {
  for (const char* flag : {"--web", "--web.max", "--vers", "--hel", "--config", "-c", "--serve.max", "--collector"})
    EXPECT_EQ(parse({flag}).exit_code, kExitUnusable) << flag;
}

TEST(Options, CommandsHaveTheirOwnFlags) {
  EXPECT_EQ(options_of({"once"}).command, Command::kOnce);
  EXPECT_EQ(options_of({"once"}).output, "");
  EXPECT_EQ(options_of({"once", "--output", "page.prom"}).output, "page.prom");
  EXPECT_EQ(options_of({"--output=page.prom", "once"}).output, "page.prom");

  const Options record = options_of({"record", "--output=c.kmem"});
  EXPECT_EQ(record.command, Command::kRecord);
  EXPECT_EQ(record.output, "c.kmem");
  EXPECT_EQ(record.record_interval, milliseconds(60'000));
  EXPECT_FALSE(record.record_duration.has_value());
  const Options timed = options_of({"record", "--output=c.kmem", "--interval", "5s", "--duration=1h"});
  EXPECT_EQ(timed.record_interval, milliseconds(5'000));
  EXPECT_EQ(timed.record_duration, milliseconds(3'600'000));

  const Options analyze = options_of({"analyze", "a.csv", "--format", "json", "b.log", "--all", "c d"});
  EXPECT_EQ(analyze.command, Command::kAnalyze);
  EXPECT_THAT(analyze.files, ElementsAre("a.csv", "b.log", "c d"));
  EXPECT_EQ(analyze.report_format, ReportFormat::kJson);
  EXPECT_TRUE(analyze.report_all);
  EXPECT_EQ(options_of({"--format=text", "analyze", "a.csv"}).report_format, ReportFormat::kText);
  EXPECT_FALSE(options_of({"analyze", "a.csv"}).report_all);
  EXPECT_FALSE(options_of({"analyze", "a.csv"}).history.date_order);
  EXPECT_EQ(options_of({"analyze", "a.csv", "--date-order=dmy"}).history.date_order, history::DateOrder::kDayMonthYear);
  EXPECT_EQ(options_of({"backfill", "a.csv", "--output=o", "--date-order", "mdy"}).history.date_order,
            history::DateOrder::kMonthDayYear);
  EXPECT_THAT(faults_of({"analyze", "a", "--date-order=dym"}),
              ElementsAre("--date-order: expected dmy, mdy or ymd, got \"dym\""));
  const Options backfill = options_of({"backfill", "a.csv", "--output=h.om", "b.csv", "--tags.all"});
  EXPECT_EQ(backfill.command, Command::kBackfill);
  EXPECT_THAT(backfill.files, ElementsAre("a.csv", "b.csv"));
  EXPECT_EQ(backfill.output, "h.om");
  using Label = std::pair<std::string, std::string>;
  EXPECT_THAT(options_of({"backfill", "--label", "job=kmem", "a.csv", "--label=instance=a:1", "--output=h.om"}).labels,
              ElementsAre(Label("job", "kmem"), Label("instance", "a:1")));
  for (const std::string wrong : {"pool=x", "1a=b", "=b", "a", "__a=b", "a-b=c"})
    EXPECT_THAT(faults_of({"backfill", "a.csv", "--output=h.om", "--label", wrong}), SizeIs(1)) << wrong;
  EXPECT_THAT(faults_of({"backfill", "a.csv", "--output=h.om", "--label=a=b", "--label=a=c"}),
              ElementsAre("--label: expected every name once, got \"a=c\""));

  EXPECT_EQ(options_of({"check-config", "k.yml"}).command, Command::kCheckConfig);
  EXPECT_EQ(options_of({"check-config", "k.yml"}).config_file, "k.yml");
  EXPECT_EQ(options_of({"check-config", "--config.file=k.yml"}).config_file, "k.yml");
}

TEST(Options, CommandsRefuseWhatIsNotTheirs) {
  EXPECT_THAT(faults_of({"record"}), ElementsAre("record: expected --output FILE"));
  EXPECT_THAT(faults_of({"record", "--output=", "--interval=60", "--duration=0"}),
              ElementsAre("--output: expected a file, got \"\"", "--interval: expected a duration of 1s..1d, got \"60\"",
                          "--duration: expected a duration of 1s..365d, got \"0\""));
  EXPECT_THAT(faults_of({"serve", "--output=x"}), ElementsAre("--output: not a flag of serve"));
  EXPECT_THAT(faults_of({"once", "--interval", "5s"}), ElementsAre("--interval: not a flag of once"));
  EXPECT_THAT(faults_of({"once", "extra"}), ElementsAre("unexpected argument \"extra\" to once"));
  EXPECT_THAT(faults_of({"check-config"}), ElementsAre("check-config: expected one FILE"));
  EXPECT_THAT(faults_of({"check-config", "a", "--config.file=b"}), ElementsAre("check-config: expected one FILE"));
  EXPECT_THAT(faults_of({"check-config", "a", "b"}), ElementsAre("unexpected argument \"b\" to check-config"));
  EXPECT_THAT(faults_of({"analyze"}), ElementsAre("analyze: expected FILE"));
  EXPECT_THAT(faults_of({"analyze", "a", "--prometheus.url=http://h:9090"}),
              ElementsAre("analyze: expected FILE or --prometheus.url, got both"));
  EXPECT_THAT(faults_of({"analyze", "a", "--label=a=b"}),
              ElementsAre("analyze: expected --prometheus.url with --label and --prometheus.config"));
  EXPECT_THAT(faults_of({"analyze", "--prometheus.url=ftp://h", "--label", "1=b", "--range=1h"}),
              UnorderedElementsAre("--prometheus.url: expected http://HOST:PORT or https://HOST:PORT, got \"ftp://h\"",
                                   "--label: expected NAME=VALUE or NAME=~PATTERN, with a label's name, got \"1=b\"",
                                   "--range: expected a duration of 1d..400d, got \"1h\""));
  const Options asked = options_of({"analyze", "--prometheus.url", "http://h:9090", "--label=instance=a:1", "--label=job=~w.*",
                                    "--range=4w", "--explain", "--host=h1"});
  EXPECT_EQ(asked.prometheus_url, "http://h:9090");
  EXPECT_THAT(asked.selectors, ElementsAre(Pair("instance", "a:1"), Pair("job", "~w.*")));
  EXPECT_EQ(asked.range, std::chrono::hours(24 * 28));
  EXPECT_TRUE(asked.explain);
  EXPECT_EQ(asked.history.host, "h1");
  EXPECT_THAT(faults_of({"analyze", "a", "--format=xml", "--all=yes"}),
              ElementsAre("--all: expected no value, got \"yes\"", "--format: expected text or json, got \"xml\""));
  EXPECT_THAT(faults_of({"backfill", ""}), ElementsAre("FILE: expected a file, got \"\"", "backfill: expected --output FILE"));
  EXPECT_THAT(faults_of({"serve", "--all"}), ElementsAre("--all: not a flag of serve"));
  EXPECT_THAT(faults_of({"serve", "once"}), ElementsAre("unexpected argument \"once\" to serve"));
  EXPECT_THAT(faults_of({"--web.max-requests=1", "--web.max-requests=2"}),
              ElementsAre("--web.max-requests: expected once, got 2 times"));
}

TEST(Options, EveryFaultAtOnce) {
  EXPECT_THAT(faults_of({"record", "--nonsense", "--collector.stat", "--no-collector.stat", "--interval=x"}),
              ElementsAre("--nonsense: unknown flag", "--collector.stat: expected it without --no-collector.stat",
                          "record: expected --output FILE", "--interval: expected a duration of 1s..1d, got \"x\""));
  EXPECT_THAT(parse({"--nonsense"}).err, HasSubstr("Try `kmem_exporter --help`.\n"));
}

TEST(Options, FlagsWinOverTheFile) {
  test::MemoryFiles files;
  files.put("k.yml", "web: {max_requests: 5, max_connections: 9, listen_addresses: [':1', ':2']}\n");
  const Resolved resolved =
      resolve(options_of({"--config.file=k.yml", "--web.max-requests=7", "--web.listen-address=:3"}), files);
  ASSERT_THAT(resolved.faults, IsEmpty());
  config::Config expected;
  expected.web.max_requests = 7;
  expected.web.max_connections = 9;
  expected.web.listen_addresses = {":3"};
  EXPECT_EQ(resolved.config, expected);
}

TEST(Options, FlagsAndFilesTellTheirFaultsTogether) {
  test::MemoryFiles files;
  files.put("d/k.yml", "web:\n  max_requests: 0\n  config_file: w.yml\n");
  files.put("d/w.yml", "basic_auth_users: {a: secret}\ntls_server_config: {cert_file: c.pem, key_file: k.pem}\n");
  files.put("d/c.pem", "certificate");
  EXPECT_THAT(resolve(options_of({"--config.file=d/k.yml", "--web.max-requests=1001", "--log.level=wran"}), files).faults,
              ElementsAre("d/k.yml:2:17: web.max_requests: expected 1..1000 requests, got \"0\"",
                          "--web.max-requests: expected 1..1000 requests, got \"1001\"",
                          "--log.level: expected debug, info, warn or error, got \"wran\"; did you mean \"warn\"?",
                          HasSubstr("d/w.yml:1:23: basic_auth_users: expected a bcrypt hash"),
                          AllOf(StartsWith("d/w.yml:2:"), HasSubstr("key_file: "), HasSubstr("d/k.pem"))));
}

TEST(Options, FilesThatCannotBeReadAreTold) {
  test::MemoryFiles files;
  const auto missing = resolve(options_of({"--config.file=k.yml", "--web.config.file=w.yml"}), files).faults;
  ASSERT_EQ(missing.size(), 2U);
  EXPECT_THAT(missing[0], AllOf(StartsWith("--config.file: "), HasSubstr("k.yml: absent")));
  EXPECT_THAT(missing[1], AllOf(StartsWith("web.config_file: "), HasSubstr("w.yml: absent")));
  files.put("k.yml", std::string(256 * 1024 + 1, '#'));
  const auto large = resolve(options_of({"--config.file=k.yml"}), files).faults;
  ASSERT_EQ(large.size(), 1U);
  EXPECT_THAT(large[0], AllOf(StartsWith("--config.file: "), HasSubstr("k.yml")));
}

TEST(Options, TheWebConfigurationComesAlong) {
  test::MemoryFiles files;
  files.put("w.yml", "http_server_config: {headers: {X-Frame-Options: deny}}\n");
  const Resolved resolved = resolve(options_of({"--web.config.file", "w.yml"}), files);
  ASSERT_THAT(resolved.faults, IsEmpty());
  EXPECT_THAT(resolved.web_security.headers, ElementsAre(std::pair("X-Frame-Options", "deny")));
}

TEST(Help, NamesEveryCommandAndFlagWithItsDefault) {
  for (const char* flag : {"--help", "-h"}) {
    const ParseOutcome outcome = parse({flag});
    EXPECT_EQ(outcome.exit_code, kExitFine);
    EXPECT_EQ(outcome.err, "");
    for (const CommandRow& row : command_table()) EXPECT_THAT(outcome.out, HasSubstr("\n  " + std::string(row.name)));
    for (const config::KnobInfo& knob : config::knobs()) {
      EXPECT_THAT(outcome.out, HasSubstr("\n  " + knob.flag));
      if (knob.type != config::KnobType::kBool) { EXPECT_THAT(outcome.out, HasSubstr(knob.default_value)); }
    }
    for (const CommonFlag& common : common_flags()) EXPECT_THAT(outcome.out, HasSubstr("\n  " + std::string(common.name)));
    std::istringstream lines(outcome.out);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
  }
  EXPECT_THAT(parse({"--help"}).out, HasSubstr("--web.listen-address=VALUE      Addresses to listen on"));
}

TEST(Help, OfACommandShowsItsOwnFlags) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"record", "--help"}, {"--help", "record"}}) {
    const std::string help = parse(arguments).out;
    EXPECT_THAT(help, StartsWith("Usage: kmem_exporter record --output FILE [--interval DURATION] [--duration DURATION] "));
    EXPECT_THAT(help, Not(HasSubstr("--web.max-requests")));
  }
  EXPECT_THAT(parse({"analyze", "--help"}).out,
              StartsWith("Usage: kmem_exporter analyze FILE... [--format FORMAT] [--all] [--date-order ORDER] [FLAGS]\n"));
  // Asking for help is no fault, whatever else is wrong.
  EXPECT_EQ(parse({"record", "--nonsense", "--help"}).exit_code, kExitFine);
}

TEST(Version, IsInThePrometheusToolsForm) {
  const ParseOutcome outcome = parse({"--version"});
  EXPECT_EQ(outcome.exit_code, kExitFine);
  EXPECT_FALSE(outcome.options.has_value());
  // GoogleTest's own matcher knows no [0-9] on Windows.
  const std::regex form("kmem_exporter, version [0-9]+\\.[0-9]+\\.[0-9]+ \\(revision [^ ]+\\), built with .+\n");
  EXPECT_TRUE(std::regex_match(outcome.out, form)) << outcome.out;
}

}  // namespace
}  // namespace kmem
