// 56 days by the hour with a known leak of 300 KB a day, calm tags, a reboot and counters that wrap, in every format that
// people have, as its tool writes it.
#include "tests/exporter/commands/truth_shapes.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "exporter/top/picture.h"

namespace kmem::test {
namespace {

constexpr auto kTag = trend::Kind::kTag;
constexpr auto kPool = trend::Kind::kPool;
const std::vector<std::string> kCounts = {"PagedAllocs",    "PagedFrees",        "PagedDiff",
                                          "PagedUsedBytes", "NonPagedAllocs",    "NonPagedFrees",
                                          "NonPagedDiff",   "NonPagedUsedBytes", "TotalUsedBytes"};

/// Rows of a script that asks the kernel for its tags, as ConvertTo-Csv has them.
std::string script_rows(const Truth& truth, int hour, const std::string& time) {
  std::string text;
  for (const int tag : by_size(truth, hour)) {
    const std::uint32_t allocated = truth.allocations(tag, hour), freed = truth.frees(tag, hour);
    const std::uint64_t bytes = truth.bytes(tag, hour);
    text += quoted({time, name_of(tag), "9", "8", "1", "4096", text_of(allocated), text_of(freed),
                    std::to_string(std::int64_t{allocated} - std::int64_t{freed}), text_of(bytes), text_of(bytes + 4096)});
  }
  return text;
}
std::vector<std::string> script_columns() {
  std::vector<std::string> columns = {"DateTime", "Tag"};
  columns.insert(columns.end(), kCounts.begin(), kCounts.end());
  return columns;
}
/// Of bytes alone.
std::string short_script(const Truth& truth, int hour, const std::string& time, char separator = ',') {
  return each_tag([&](int tag) { return quoted({time, name_of(tag), "4096", text_of(truth.bytes(tag, hour))}, separator); });
}
const std::vector<std::string> kShortColumns = {"DateTime", "Tag", "PagedUsedBytes", "NonPagedUsedBytes"};

/// Samples of Get-Counter, as Export-Csv has them.
std::string counter_samples(const Truth& truth, const std::function<std::string(int hour)>& time) {
  return quoted({"Path", "InstanceName", "CookedValue", "RawValue", "SecondValue", "MultipleCount", "CounterType", "Timestamp",
                 "Timestamp100NSec", "Status", "DefaultScale", "TimeBase"}) +
         each_hour([&](int hour) {
           const auto sample = [&](const std::string& path, const std::string& value) {
             return quoted({"\\\\h\\" + path, "", value, "1", "0", "1", "NumberOfItems64", time(hour), "134016768000000000",
                            "0", "0", "10000000"});
           };
           return sample("memory\\pool nonpaged bytes", text_of(truth.total(hour))) +
                  sample("memory\\pool paged bytes", "5000000") +
                  sample("system\\system up time", words("%lld.2871406", static_cast<long long>(truth.uptime(hour))));
         });
}

/// An answer of Prometheus' HTTP API.
using Series = std::vector<std::pair<std::string, std::function<double(int hour)>>>;
std::string label(const std::string& name, const std::string& value) { return "\"" + name + "\":\"" + value + "\""; }
std::string matrix(const Series& series) {
  std::string text = R"({"status":"success","data":{"resultType":"matrix","result":[)";
  for (const auto& [labels, value] : series) {
    text +=
        std::string(text.back() == '[' ? "" : ",") + R"({"metric":{)" + labels + R"(,"instance":"h:1","job":"j"},"values":[)";
    for (int hour = 0; hour < kHours; ++hour)
      text += words("%s[%lld,\"%.0f\"]", hour == 0 ? "" : ",", static_cast<long long>(seconds(hour)), value(hour));
    text += "]}";
  }
  return text + "]}}\n";
}
/// Lines of promtool tsdb dump, whose numbers have exponents from a million on.
std::string shortest(double value) {
  std::array<char, 32> text{};
  const auto format = value < 1e6 ? std::chars_format::fixed : std::chars_format::scientific;
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value, format).ptr};
}
std::string dump(const std::string& name, const std::string& labels, const std::function<double(int hour)>& value) {
  return each_hour([&](int hour) {
    return "{__name__=\"" + name + "\", instance=\"h:1\", job=\"j\"" + labels + "} " + shortest(value(hour)) + " " +
           std::to_string(seconds(hour) * 1000) + "\n";
  });
}
double boot_of(const Truth& truth, int hour) { return static_cast<double>(truth.boot(hour)); }

const std::string kSarColumns =
    "kbmemfree   kbavail kbmemused  %memused kbbuffers  kbcached  kbcommit   %commit  kbactive   kbinact   kbdirty  kbanonpg    "
    "kbslab  kbkstack   kbpgtbl  kbvmused";
std::string sar_row(const Truth& truth, int hour) {
  return words("%10d%10d%10d%10.2f%10d%10d%10d%10.2f%10d%10d%10d%10d%10llu%10d%10d%10d\n", 1'003'932, 3'000'000, 2'044'272,
               25.4, 20'340, 900'000, 3'100'000, 25.69, 1'200'000, 800'000, 120, 700'000, wide(truth.all_pages(hour) * 4), 7000,
               18'000, 21'000);
}
const std::string kSadfColumns =
    "# hostname;interval;timestamp;kbmemfree;kbavail;kbmemused;%memused;kbbuffers;kbcached;kbcommit;%commit;kbactive;kbinact;kbdirty;"
    "kbanonpg;kbslab;kbkstack;kbpgtbl;kbvmused\n";
std::string sadf_row(const Truth& truth, int hour) {
  return words("1003932;3000000;2044272;25.40;20340;900000;3100000;25.69;1200000;800000;120;700000;%llu;7000;18000;21000\n",
               wide(truth.all_pages(hour) * 4));
}
/// By the day, with what it says of reboots.
std::string sar(const Truth& truth, const std::function<std::string(int hour)>& date,
                const std::function<std::string(int hour)>& clock) {
  return each_hour([&](int hour) {
    std::string text;
    const std::string time = words("%-11s", clock(hour).c_str());
    if (hour % 24 == 0)
      text += (hour == 0 ? "" : "\nAverage:   " + sar_row(truth, 0) + "\n") + "Linux 6.1.0-18-amd64 (h) \t" + date(hour) +
              " \t_x86_64_\t(2 CPU)\n\n" + time + kSarColumns + "\n";
    if (hour == truth.reboot) text += "\n" + time + "      LINUX RESTART\t(2 CPU)\n\n" + time + kSarColumns + "\n";
    return text + time + sar_row(truth, hour);
  });
}

/// A page of `top --once`.
std::string top_page(const Snapshot& snapshot) {
  top::UsageTable table;
  table.update(snapshot);
  return top::print({snapshot, table.rows(), 1, {}, "", {}}, {});
}
Snapshot snapshot_of(System system, int hour) {
  Snapshot snapshot;
  snapshot.system = system;
  snapshot.time = seconds(hour) * 1000;
  snapshot.physical_memory_bytes = std::uint64_t{8} << 30;
  snapshot.available_bytes = std::uint64_t{4} << 30;
  return snapshot;
}
Snapshot linux_snapshot(const Truth& truth, int hour) {
  Snapshot snapshot = snapshot_of(System::kLinux, hour);
  snapshot.commit_bytes = std::uint64_t{1} << 30;
  PoolTotals& totals = snapshot.pools.emplace_back();
  totals.pool = Pool::kSlabUnreclaimable;
  totals.bytes = truth.all_pages(hour) * 4096;
  for (int tag = 0; tag < kTags; ++tag) {
    TagUsage row;
    row.pool = Pool::kSlabUnreclaimable;
    row.tag = cache_of(tag);
    row.key = tag_key(row.pool, row.tag);
    row.outstanding = truth.pages(tag, hour) * 64;
    row.bytes = truth.pages(tag, hour) * 4096;
    snapshot.tags.push_back(std::move(row));
  }
  return snapshot;
}
Snapshot windows_snapshot(const Truth& truth, int hour) {
  Snapshot snapshot = snapshot_of(System::kWindows, hour);
  for (int tag = 0; tag < kTags; ++tag) {
    TagUsage row;
    row.pool = Pool::kNonpaged;
    row.tag = name_of(tag);
    row.key = tag_key(row.pool, row.tag);
    row.counter_bits = 32;
    row.allocations = truth.allocations(tag, hour);
    row.frees = truth.frees(tag, hour);
    row.outstanding = truth.live(tag, hour);
    row.bytes = truth.bytes(tag, hour);
    snapshot.tags.push_back(std::move(row));
  }
  return snapshot;
}

std::string slabinfo(const Truth& truth, int hour) {
  return "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables "
         "<limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n" +
         each_tag([&](int tag) {
           const auto slabs = wide(truth.pages(tag, hour));
           return words("%-17s %6llu %6llu %6d %4d %4d : tunables %4d %4d %4d : slabdata %6llu %6llu %6d\n",
                        cache_of(tag).c_str(), slabs * 64, slabs * 64, 64, 64, 1, 0, 0, 0, slabs, slabs, 0);
         });
}
std::string meminfo(const Truth& truth, int hour) {
  const auto row = [](const char* name, std::uint64_t kib) { return words("%-15s %8llu kB\n", name, wide(kib)); };
  const std::uint64_t slab = truth.all_pages(hour) * 4;
  return row("MemTotal:", 8'048'204) + row("MemFree:", 4'000'000) + row("MemAvailable:", 6'000'000) + row("Cached:", 900'000) +
         row("Slab:", slab + 40'000) + row("SReclaimable:", 40'000) + row("SUnreclaim:", slab) +
         row("CommitLimit:", 4'024'100) + row("Committed_AS:", 1'000'000) + row("VmallocTotal:", 34'359'738'367) +
         row("VmallocUsed:", 21'000) + "HugePages_Total:       0\n" + row("Hugepagesize:", 2048);
}
std::string slabtop(const Truth& truth, int hour) {
  std::string text =
      " Active / Total Objects (% used)    : 328071 / 339426 (96.7%)\n Active / Total Slabs (% used)      : 10431 / 10431 (100.0%)\n"
      " Active / Total Caches (% used)     : 124 / 235 (52.8%)\n Active / Total Size (% used)       : 63562.36K / 66164.01K (96.1%)\n"
      " Minimum / Average / Maximum Object : 0.01K / 0.19K / 50.28K\n\n"
      "  OBJS ACTIVE  USE OBJ SIZE  SLABS OBJ/SLAB CACHE SIZE NAME                   \n";
  for (const int tag : by_size(truth, hour)) {
    const auto slabs = wide(truth.pages(tag, hour));
    text += words("%6llu %6llu %3d%% %7.2fK %6llu %8d %9lluK %-23s\n", slabs * 64, slabs * 64 - 1, 99, 0.06, slabs, 64,
                  slabs * 4, cache_of(tag).c_str());
  }
  return text;
}
std::string vmstat(const Truth& truth, int hour) {
  const std::string heading = "Cache                       Num  Total   Size  Pages\n";
  std::string text;
  for (int tag = 0; tag < kTags; ++tag) {
    if (tag % 20 == 0) text += heading;  // once a screen
    const auto objects = wide(truth.pages(tag, hour) * 64);
    text += words("%-24s %6llu %6llu %6d %6d\n", cache_of(tag).c_str(), objects, objects, 64, 64);
  }
  return text;
}
std::string vmallocinfo(const Truth& truth, int hour) {
  std::uint64_t from = 0xffff'a1c0'0000'0000;
  return each_tag([&](int tag) {
    const std::string caller = caller_of(tag);
    const std::size_t end = std::min(caller.find(' '), caller.size());
    std::string text;
    for (std::uint64_t left = truth.pages(tag, hour) * 4096; left > 0;) {
      const std::uint64_t bytes = std::min(left, kAreaBytes);
      text += words("0x%016llx-0x%016llx %7llu %s+0x1d/0x40%s pages=%llu vmalloc N0=%llu\n", wide(from), wide(from + bytes),
                    wide(bytes), caller.substr(0, end).c_str(), caller.substr(end).c_str(), wide(bytes / 4096 - 1),
                    wide(bytes / 4096 - 1));
      from += bytes;
      left -= bytes;
    }
    return text;
  });
}
/// Two places of each function.
std::string allocinfo(const Truth& truth, int hour) {
  return "allocinfo - version: 1.0\n#     <size>  <calls> <tag info>\n" + each_tag([&](int tag) {
           const std::string site = site_of(tag);
           const std::size_t function = site.find(':') + 1, file = site.find(':', function) + 1;
           const std::string module = tag == 0 ? "[" + site.substr(0, function - 1) + "] " : "";
           const auto row = [&](std::uint64_t bytes, std::uint64_t calls, int line) {
             return words("%12llu %8llu %s:%d %sfunc:%s \n", wide(bytes), wide(calls), site.substr(file).c_str(), line,
                          module.c_str(), site.substr(function, file - function - 1).c_str());
           };
           const std::uint64_t bytes = truth.bytes(tag, hour), calls = truth.live(tag, hour);
           return row(bytes / 3, calls / 3, 12) + row(bytes - bytes / 3, calls - calls / 3, 345);
         });
}

}  // namespace

const std::vector<Shape>& truth_shapes() {
  static const std::vector<Shape> kShapes = {
      // A reboot is where the counters fell.
      {"a script's tags in a loop", kTwoBoots, kTag, Pool::kNonpaged, "Leak", 2 * kTags, 1, true,
       [] {
         return with_crlf(quoted(script_columns()) + each_hour([](int hour) {
                            return script_rows(kTwoBoots, hour, iso_date(hour) + "T" + clock_of(hour));
                          }));
       }},
      {"a script's tags, appended by a task hour by hour", kTwoBoots, kTag, Pool::kNonpaged, "Leak", 2 * kTags, 1, true,
       [] {
         return utf16(with_crlf(
             each_hour([](int hour) { return quoted(script_columns()) + script_rows(kTwoBoots, hour, us_time(hour)); })));
       }},
      // Bytes alone: nothing in it tells of a reboot.
      {"a script's tags, Export-Csv, American", kOneBoot, kTag, Pool::kNonpaged, "Leak", 2 * kTags, 1, false,
       [] {
         return with_crlf("#TYPE Selected.System.Management.Automation.PSCustomObject\n" + quoted(kShortColumns) +
                          each_hour([](int hour) { return short_script(kOneBoot, hour, us_time(hour)); }));
       }},
      {"a script's tags, Export-Csv, British", kOneBoot, kTag, Pool::kNonpaged, "Leak", 2 * kTags, 1, false,
       [] {
         return with_crlf(quoted(kShortColumns) +
                          each_hour([](int hour) { return short_script(kOneBoot, hour, british_time(hour)); }));
       }},
      {"a script's tags, Export-Csv -UseCulture, German", kOneBoot, kTag, Pool::kNonpaged, "Leak", 2 * kTags, 1, false,
       [] {
         return with_crlf(quoted(kShortColumns, ';') +
                          each_hour([](int hour) { return short_script(kOneBoot, hour, german_time(hour), ';'); }));
       }},

      {"Get-Counter's samples, American", kTwoBoots, kPool, Pool::kNonpaged, "", 2, 1, false,
       [] {
         return with_crlf("#TYPE Microsoft.PowerShell.Commands.GetCounter.PerformanceCounterSample\n" +
                          counter_samples(kTwoBoots, us_time));
       }},
      {"Get-Counter's samples, British", kTwoBoots, kPool, Pool::kNonpaged, "", 2, 1, false,
       [] { return with_crlf(counter_samples(kTwoBoots, british_time)); }},
      {"Get-Counter's sets", kTwoBoots, kPool, Pool::kNonpaged, "", 2, 1, false,
       [] {
         return with_crlf(
             quoted({"Timestamp", "Readings"}) + each_hour([](int hour) {
               const auto reading = [](const std::string& path, const std::string& value) {
                 return "\\\\h\\" + path + " :\n" + value + "\n\n";
               };
               return quoted(
                   {us_time(hour), reading("memory\\pool nonpaged bytes", text_of(kTwoBoots.total(hour))) +
                                       reading("memory\\pool paged bytes", "5000000") +
                                       reading("system\\system up time", std::to_string(kTwoBoots.uptime(hour)) + ".25")});
             }));
       }},
      // What it is asked for, and times without a zone.
      {"typeperf", kTwoBoots, kPool, Pool::kNonpaged, "", 2, 1, false,
       [] {
         return with_crlf("\n" +
                          quoted({"(PDH-CSV 4.0)", "\\\\H\\Memory\\Pool Nonpaged Bytes", "\\\\H\\Memory\\Pool Paged Bytes",
                                  "\\\\H\\System\\System Up Time"}) +
                          each_hour([](int hour) {
                            return quoted({date_as(hour, "%02d/%02d/%04d ", true) + clock_of(hour) + ".021",
                                           text_of(kTwoBoots.total(hour)) + ".000000", "5000000.000000",
                                           std::to_string(kTwoBoots.uptime(hour)) + ".287140"});
                          }) +
                          "Exiting, please wait...                         \nThe command completed successfully.\n");
       }},
      // Three hours east of UTC; its first row has no value where a rate needs two, and there is no up time among them.
      {"perfmon", kOneBoot, kPool, Pool::kNonpaged, "", 2, 1, false,
       [] {
         return with_crlf(quoted({"(PDH-CSV 4.0) (Arab Standard Time)(-180)", "\\\\H\\Memory\\Available Bytes",
                                  "\\\\H\\Memory\\Committed Bytes", "\\\\H\\Memory\\Pool Nonpaged Bytes",
                                  "\\\\H\\Memory\\Pool Paged Bytes", "\\\\H\\Processor(_Total)\\% Processor Time"}) +
                          each_hour([](int hour) {
                            return quoted({date_as(hour + 3, "%02d/%02d/%04d ", true) + clock_of(hour + 3) + ".287",
                                           "4294967296", "1.3105270784e+010", text_of(kOneBoot.total(hour)), "5000000",
                                           hour == 0 ? " " : "1.5625"});
                          }));
       }},

      {"relog -f tsv", kTwoBoots, kPool, Pool::kNonpaged, "", 1, 1, false,
       [] {
         return with_crlf(quoted({"(PDH-TSV 4.0) (Coordinated Universal Time)(0)", "\\\\H\\Memory\\Pool Nonpaged Bytes",
                                  "\\\\H\\System\\System Up Time"},
                                 '\t') +
                          each_hour([](int hour) {
                            return quoted({date_as(hour, "%02d/%02d/%04d ", true) + clock_of(hour) + ".000",
                                           text_of(kTwoBoots.total(hour)), std::to_string(kTwoBoots.uptime(hour)) + ".25"},
                                          '\t');
                          }));
       }},
      // Seconds are lost, and decimals have commas.
      {"perfmon as a German spreadsheet saves it", kTwoBoots, kPool, Pool::kNonpaged, "", 1, 1, false,
       [] {
         return with_crlf("(PDH-CSV 4.0) (UTC)(0);\\\\H\\Memory\\Pool Nonpaged Bytes;\\\\H\\System\\System Up Time\n" +
                          each_hour([](int hour) {
                            return german_time(hour).substr(0, 16) + ";" + text_of(kTwoBoots.total(hour)) + ";" +
                                   std::to_string(kTwoBoots.uptime(hour)) + ",25\n";
                          }));
       }},
      {"perfmon as a British spreadsheet saves it", kTwoBoots, kPool, Pool::kNonpaged, "", 1, 1, false,
       [] {
         return with_crlf("(PDH-CSV 4.0) (UTC)(0),\\\\H\\Memory\\Pool Nonpaged Bytes,\\\\H\\System\\System Up Time\n" +
                          each_hour([](int hour) {
                            return british_time(hour).substr(0, 16) + "," + text_of(kTwoBoots.total(hour)) + "," +
                                   std::to_string(kTwoBoots.uptime(hour)) + ".25\n";
                          }));
       }},

      // Ticks of 32 bits, which wrap when it is up for 49.7 days.
      {"memsnap /p", kTwoBoots, kTag, Pool::kNonpaged, "Leak", kTags, 1, true,
       [] {
         return with_crlf(each_hour([](int hour) {
           return " Tag  Type     Allocs     Frees      Diff   Bytes  Per Alloc\n!LogType=poolsnap\n!ComputerName=H\n!buildnumber=3790\n"
                  "!buildtype=retail\n!SystemTime=" +
                  date_as(hour, "%02d\\%02d\\%04d ", true) + clock_of(hour) +
                  ".0250 (GMT)\n!TickCount=" + std::to_string(static_cast<std::uint32_t>(kTwoBoots.uptime(hour) * 1000)) +
                  "\n" + each_tag([&](int tag) {
                    const auto live = static_cast<std::uint32_t>(kTwoBoots.live(tag, hour));
                    return words(" %-4s %-5s%9u %9u %9u %9llu %6llu\n", name_of(tag).c_str(), "Nonp",
                                 kTwoBoots.allocations(tag, hour), kTwoBoots.frees(tag, hour), live,
                                 wide(kTwoBoots.bytes(tag, hour)), wide(kAllocationBytes));
                  }) +
                  "\n";
         }));
       }},
      {"memsnap", kTwoBoots, trend::Kind::kHandles, Pool::kPaged, "leaky service.exe", 2, 1, false,
       [] {
         return with_crlf(each_hour([](int hour) {
           const auto row = [](unsigned pid, const char* name, int paged, int nonpaged, int handles) {
             return words("%08X%20s%10u%10u%10u%10u%10u%10u%10u\n", pid, name, 1'437'696, paged, nonpaged, 430'080, 503'808,
                          handles, 12);
           };
           return "Process ID         Proc.Name Wrkng.Set PagedPool  NonPgdPl  Pagefile    Commit   Handles   Threads\n!LogType=memsnap\n"
                  "!ComputerName=H\n!buildnumber=3790\n!buildtype=retail\n!SystemTime=" +
                  date_as(hour, "%02d\\%02d\\%04d ", true) + clock_of(hour) +
                  ".0250 (GMT)\n!TickCount=" + std::to_string(static_cast<std::uint32_t>(kTwoBoots.uptime(hour) * 1000)) +
                  "\n" + row(4, "System", 0, 0, 512 + hour % 7) +
                  row(420, "leaky service.exe", 12'345, 6789, 1000 + 10 * kTwoBoots.since_boot(hour)) + "\n";
         }));
       },
       1000.0 + 10 * (kHours - 1 - kTwoBoots.reboot), 240},

      {"poolmon's screens below %date% %time%, German", kTwoBoots, kTag, Pool::kNonpaged, "Leak", kTags + 2, 1, true,
       [] {
         return with_crlf(each_hour([](int hour) {
           const auto kib = wide(kTwoBoots.total(hour) / 1024);
           return german_time(hour) + ",12\n" +
                  words(
                      " Memory: 8388148K Avail: 4204220K  PageFlts:  1203   InRam Krnl:31464K P:248372K\n"
                      " Commit:2798116K Limit:9880828K Peak:2958348K            Pool N:%lluK P:303892K\n System pool information\n"
                      " Tag  Type     Allocs            Frees            Diff   Bytes       Per Alloc\n\n",
                      kib) +
                  [&] {
                    std::string rows;
                    for (const int tag : by_size(kTwoBoots, hour))
                      rows +=
                          words(" %-4s %-5s %9u (%4d) %9u (%4d) %8llu %7llu (%6d) %6llu\n", name_of(tag).c_str(), "Nonp",
                                kTwoBoots.allocations(tag, hour), 12, kTwoBoots.frees(tag, hour), -3,
                                wide(kTwoBoots.live(tag, hour)), wide(kTwoBoots.bytes(tag, hour)), 640, wide(kAllocationBytes));
                    return rows;
                  }();
         }));
       }},
      {"poolmon /n below date /t and time /t, British", kTwoBoots, kTag, Pool::kNonpaged, "Leak", kTags, 1, true,
       [] {
         return with_crlf(each_hour([](int hour) {
           return british_time(hour).substr(0, 11) + "\n" + clock_of(hour).substr(0, 5) +
                  "\n Tag  Type     Allocs     Frees      Diff   Bytes  Per Alloc\n" + each_tag([&](int tag) {
                    return words(" %-4s %-5s %9u %9u %8llu %7llu %6llu\n", name_of(tag).c_str(), "Nonp",
                                 kTwoBoots.allocations(tag, hour), kTwoBoots.frees(tag, hour), wide(kTwoBoots.live(tag, hour)),
                                 wide(kTwoBoots.bytes(tag, hour)), wide(kAllocationBytes));
                  });
         }));
       }},

      {"date; uptime; cat slabinfo meminfo", kTwoBoots, kTag, Pool::kSlabUnreclaimable, "Leak", kTags + 3, 4096, true,
       [] {
         return each_hour([](int hour) {
           return unix_date(hour) + uptime_line(kTwoBoots, hour) + slabinfo(kTwoBoots, hour) + meminfo(kTwoBoots, hour);
         });
       }},
      {"date +%s; grep btime; cat meminfo", kTwoBoots, kPool, Pool::kSlabUnreclaimable, "", 3, 4096, false,
       [] {
         return each_hour([](int hour) {
           return std::to_string(seconds(hour)) + "\nbtime " + std::to_string(kTwoBoots.boot(hour)) + "\n" +
                  meminfo(kTwoBoots, hour);
         });
       }},
      // No boot time; that most caches fall far together is taken for a reboot.
      {"date; slabtop -o, in Berlin over the end of summer time", kTwoBoots, kTag, Pool::kSlabUnreclaimable, "Leak", kTags,
       4096, true, [] { return each_hour([](int hour) { return berlin_date(hour) + slabtop(kTwoBoots, hour); }); }, 0,
       kLeakPerDay, kAllocationBytes, 1},
      {"date +%d/%m/%Y; slabtop -o", kTwoBoots, kTag, Pool::kSlabUnreclaimable, "Leak", kTags, 4096, true,
       [] { return each_hour([](int hour) { return british_time(hour) + "\n" + slabtop(kTwoBoots, hour); }); }, 0, kLeakPerDay,
       kAllocationBytes, 1},
      {"date -Is; vmstat -m", kOneBoot, kTag, Pool::kSlabUnreclaimable, "Leak", kTags, 4096, true,
       [] {
         return each_hour([](int hour) { return iso_date(hour) + "T" + clock_of(hour) + "+00:00\n" + vmstat(kOneBoot, hour); });
       }},
      {"date -u; uptime; cat vmallocinfo", kTwoBoots, kTag, Pool::kVmalloc, "Leak", kTags, 4096, true,
       [] {
         return each_hour(
             [](int hour) { return unix_date(hour) + uptime_line(kTwoBoots, hour) + vmallocinfo(kTwoBoots, hour); });
       },
       0, kLeakPerDay, kAreaBytes},
      {"date +%s; grep btime; cat allocinfo", kTwoBoots, kTag, Pool::kAllocinfo, "Leak", kTags, 1, true,
       [] {
         return each_hour([](int hour) {
           return std::to_string(seconds(hour)) + "\nbtime " + std::to_string(kTwoBoots.boot(hour)) + "\n" +
                  allocinfo(kTwoBoots, hour);
         });
       }},

      // Windows' counters; a reboot is where they fell.
      {"top --once", kTwoBoots, kTag, Pool::kNonpaged, "Leak", kTags, 1, true,
       [] { return each_hour([](int hour) { return top_page(windows_snapshot(kTwoBoots, hour)); }); }},
      {"top --once of Linux", kTwoBoots, kTag, Pool::kSlabUnreclaimable, "Leak", kTags, 4096, true,
       [] { return each_hour([](int hour) { return top_page(linux_snapshot(kTwoBoots, hour)); }); }},

      // All slabs together, of which reclaimable ones may be a part.
      {"sar -r ALL, American", kTwoBoots, kTag, Pool::kSlabUnreclaimable, "kbslab", 2, 4096, false,
       [] {
         return sar(
             kTwoBoots, [](int hour) { return date_as(hour, "%02d/%02d/%04d", true); }, clock_12);
       }},
      {"sar -r ALL, British", kTwoBoots, kTag, Pool::kSlabUnreclaimable, "kbslab", 2, 4096, false,
       [] {
         return sar(
             kTwoBoots, [](int hour) { return date_as(hour, "%02d/%02d/%02d", false).substr(0, 6) + "26"; }, clock_of);
       }},
      // Over midnight without its day again; it does not live through a reboot.
      {"sar -r -u on a terminal", kOneBoot, kTag, Pool::kSlabUnreclaimable, "kbslab", 2, 4096, false,
       [] {
         return "Linux 6.1.0-18-amd64 (h) \t09/01/2026 \t_x86_64_\t(2 CPU)\n\n" + each_hour([](int hour) {
                  const std::string now = words("%-11s", clock_12(hour).c_str());
                  return now + "     CPU     %user     %nice   %system   %iowait    %steal     %idle\n" + now +
                         "     all      1.00      0.00      0.50      0.00      0.00     98.50\n\n" + now + kSarColumns + "\n" +
                         now + sar_row(kOneBoot, hour) + "\n";
                });
       }},
      {"sar -r ALL, ISO", kTwoBoots, kTag, Pool::kSlabUnreclaimable, "kbslab", 2, 4096, false,
       [] { return sar(kTwoBoots, iso_date, clock_of); }},
      {"sadf -d, day after day", kTwoBoots, kTag, Pool::kSlabUnreclaimable, "kbslab", 2, 4096, false,
       [] {
         return each_hour([](int hour) {
           const std::string stamp = iso_date(hour) + " " + clock_of(hour) + " UTC;";
           return (hour % 24 == 0 ? kSadfColumns : "") +
                  (hour == kTwoBoots.reboot ? "h;-1;" + stamp + "LINUX-RESTART\t(2 CPU)\n" : "") + "h;3600;" + stamp +
                  sadf_row(kTwoBoots, hour);
         });
       }},
      {"sadf -j, day after day", kTwoBoots, kTag, Pool::kSlabUnreclaimable, "kbslab", 2, 4096, false,
       [] {
         const auto stamp = [](int hour) {
           return R"("date": ")" + iso_date(hour) + R"(", "time": ")" + clock_of(hour) + R"(", "utc": 1)";
         };
         const std::string head =
             R"({"sysstat": {"hosts": [{"nodename": "h", "sysname": "Linux", "release": "6.1.0", "machine": "x86_64", "number-of-cpus": 2,)"
             R"( "file-date": "2026-09-01", "file-utc-time": "00:00:00", "timezone": "UTC", "statistics": [)";
         return each_hour([&](int hour) {
           const bool with_restart = hour / 24 == kTwoBoots.reboot / 24;
           const std::string tail = R"(], "restarts": [)" +
                                    (with_restart ? R"({"boot": {)" + stamp(kTwoBoots.reboot) + R"(, "cpu_count": 2}})" : "") +
                                    "]}]}}\n";
           return (hour % 24 == 0 ? head : ",\n") + R"({"timestamp": {)" + stamp(hour) + R"(, "interval": 3600}, "memory": )" +
                  words(
                      R"({"memfree": 1003932, "avail": 3000000, "memused": 2044272, "memused-percent": 25.40, "buffers": 20340, )"
                      R"("cached": 900000, "commit": 3100000, "commit-percent": 25.69, "active": 1200000, "inactive": 800000, )"
                      R"("dirty": 120, "anonpg": 700000, "slab": %llu, "kstack": 7000, "pgtbl": 18000, "vmused": 21000}})",
                      wide(kTwoBoots.all_pages(hour) * 4)) +
                  (hour % 24 == 23 ? tail : "");
         });
       }},

      {"windows_exporter's answer", kTwoBoots, kPool, Pool::kNonpaged, "", 2, 1, false,
       [] {
         return matrix(
             {{label("__name__", "windows_memory_pool_nonpaged_bytes"),
               [](int hour) { return static_cast<double>(kTwoBoots.total(hour)); }},
              {label("__name__", "windows_memory_pool_paged_bytes"), [](int) { return 5e6; }},
              {label("__name__", "windows_system_boot_time_timestamp"), [](int hour) { return boot_of(kTwoBoots, hour); }}});
       }},
      {"node_exporter's answer", kTwoBoots, kPool, Pool::kSlabUnreclaimable, "", 2, 4096, false,
       [] {
         return matrix({{label("__name__", "node_memory_SUnreclaim_bytes"),
                         [](int hour) { return static_cast<double>(kTwoBoots.all_pages(hour) * 4096); }},
                        {label("__name__", "node_memory_SReclaimable_bytes"), [](int) { return 4e7; }},
                        {label("__name__", "node_boot_time_seconds"), [](int hour) { return boot_of(kTwoBoots, hour); }}});
       }},
      {"our own answer", kTwoBoots, kTag, Pool::kPaged, "Leak", kTags, 1, false,
       [] {
         Series series = {{label("__name__", "kmem_boot_time_seconds"), [](int hour) { return boot_of(kTwoBoots, hour); }}};
         for (int tag = 0; tag < kTags; ++tag)
           series.emplace_back(
               label("__name__", "kmem_pool_tag_bytes") + "," + label("pool", "paged") + "," + label("tag", name_of(tag)),
               [tag](int hour) { return static_cast<double>(kTwoBoots.bytes(tag, hour)); });
         return matrix(series);
       }},
      {"a dump of node_exporter's caches", kTwoBoots, kTag, Pool::kSlabUnreclaimable, "Leak", kTags, 4096, false,
       [] {
         std::string text = dump("node_boot_time_seconds", "", [](int hour) { return boot_of(kTwoBoots, hour); });
         const auto constant = [&](const std::string& name, const std::string& labels, double value) {
           text += dump(name, labels, [=](int) { return value; });
         };
         for (int tag = 0; tag < kTags; ++tag) {
           const std::string labels = ", slab=\"" + cache_of(tag) + "\"";
           text += dump("node_slabinfo_objects", labels,
                        [=](int hour) { return static_cast<double>(kTwoBoots.pages(tag, hour) * 64); });
           constant("node_slabinfo_object_size_bytes", labels, 64);
           constant("node_slabinfo_objects_per_slab", labels, 64);
           constant("node_slabinfo_pages_per_slab", labels, 1);
         }
         return text;
       }},
      {"a dump of windows_exporter's pools", kTwoBoots, kPool, Pool::kNonpaged, "", 2, 1, false,
       [] {
         return dump("windows_memory_pool_nonpaged_bytes", "",
                     [](int hour) { return static_cast<double>(kTwoBoots.total(hour)); }) +
                dump("windows_memory_pool_paged_bytes", "", [](int) { return 5e6; }) +
                dump("windows_system_boot_time_timestamp_seconds", "", [](int hour) { return boot_of(kTwoBoots, hour); });
       }},
      // Counters without boot times, of 64 bits as they are exported.
      {"a dump of our own tags", kTwoBoots, kTag, Pool::kNonpaged, "Leak", kTags, 1, true,
       [] {
         std::string text;
         for (int tag = 0; tag < kTags; ++tag) {
           const std::string labels = ", pool=\"nonpaged\", tag=\"" + name_of(tag) + "\"";
           text +=
               dump("kmem_pool_tag_bytes", labels, [=](int hour) { return static_cast<double>(kTwoBoots.bytes(tag, hour)); }) +
               dump("kmem_pool_tag_allocations_total", labels,
                    [=](int hour) { return static_cast<double>(kTwoBoots.allocations_64(tag, hour)); }) +
               dump("kmem_pool_tag_frees_total", labels,
                    [=](int hour) { return static_cast<double>(kTwoBoots.frees_64(tag, hour)); });
         }
         return text;
       }},
  };
  return kShapes;
}

}  // namespace kmem::test
