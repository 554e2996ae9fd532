// What tools, mails and forums put before each line or around a table, and CSV with a column for each value.
#include <gmock/gmock.h>

#include "tests/collectors/history/read_history.h"

namespace kmem::history {
namespace {

using testing::ElementsAreArray;
using testing::HasSubstr;

struct Posted {
  std::string name;
  std::string text;
  std::vector<std::string> wanted;  // line_of() each snapshot
  std::string said = {};            // in the error or in the first piece that was passed over; else nothing is said
};
void PrintTo(const Posted& posted, std::ostream* out) { *out << posted.name; }

const std::string kSlab =
    "slabinfo - version: 2.1\n"
    "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> "
    "<sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n"
    "leaky_cache        1000   1024     64   64    1 : tunables    0    0    0 : slabdata     16     16      0\n";
const std::string kMem = "MemTotal:        8000000 kB\nSUnreclaim:           64 kB\n";
const std::string kPool =
    " Tag  Type     Allocs            Frees            Diff   Bytes      Per Alloc\n"
    " Leak Nonp       1060 (  60)        60 (   0)     1000   1024000 (  6144)   1024\n";
const std::string kLeakRow = "; nonpaged 'Leak' 1024000 1000 32 1060 60";
const std::string kCacheRow = "; slab_unreclaimable 'leaky_cache' 65536 1000";
const std::string kMemRow = "; physical=8192000000; slab_unreclaimable.bytes=65536";
const std::string kAt18 = "2026-11-05T18:00:00Z", kAt19 = "2026-11-05T19:00:00Z";

/// `before` each line of the text.
std::string before_each(const std::string& text, const std::string& before) {
  std::string all;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    all += before + text.substr(at, end + 1 - at);
    at = end + 1;
  }
  return all;
}
std::string numbered(const std::string& text, const std::string& behind, std::size_t width = 0) {
  std::string all;
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    std::string digits = std::to_string(++number);
    if (digits.size() < width) digits.insert(0, width - digits.size(), ' ');
    all += digits + behind + text.substr(at, end + 1 - at);
    at = end + 1;
  }
  return all;
}

/// Behind what stands before each line, and what is refused by its name.
std::vector<Posted> posted_behind() {
  const std::string sar =
      "Linux 6.1.0 (web1) \t11/15/2026 \t_x86_64_\t(4 CPU)\n\n"
      "17:50:01    kbmemfree   kbavail kbmemused  %memused kbbuffers  kbcached  kbcommit   %commit    kbslab\n"
      "18:00:00      1000000   9000000   7000000     43.75    100000   4000000   8000000     40.00    900000\n";
  const std::string sadf =
      "# hostname;interval;timestamp;kbmemfree;kbavail;kbmemused;kbcommit;kbslab\n"
      "web1;600;2026-11-05 18:00:00 UTC;1000000;9000000;7000000;8000000;900000\n"
      "web1;600;2026-11-05 19:00:00 UTC;1000000;9000000;7000000;8000000;900000\n";
  const std::string dump =
      "{__name__=\"node_memory_SUnreclaim_bytes\", instance=\"a\", job=\"n\"} 65536 1793901600000\n"
      "{__name__=\"node_memory_SUnreclaim_bytes\", instance=\"a\", job=\"n\"} 65537 1793905200000\n"
      "{__name__=\"node_memory_SUnreclaim_bytes\", instance=\"a\", job=\"n\"} 65538 1793908800000\n";
  const std::vector<std::string> of_dump = {kAt18 + "@a linux; slab_unreclaimable.bytes=65536",
                                            kAt19 + "@a linux; slab_unreclaimable.bytes=65537",
                                            "2026-11-05T20:00:00Z@a linux; slab_unreclaimable.bytes=65538"};
  const std::vector<std::string> of_query(of_dump.begin(), of_dump.begin() + 2);
  const std::string vm =
      "Debug session time: Thu Nov  5 18:00:00.000 2026 (UTC + 0:00)\nNonPagedPool Usage: 250 ( 1000 Kb)\n"
      "PagedPool Usage: 50000 ( 200000 Kb)\n";
  const std::vector<std::string> of_vm = {kAt18 + " windows; nonpaged.bytes=1024000; paged.bytes=204800000"};
  const std::string perfmon =
      "\"(PDH-CSV 4.0) (UTC)(0)\",\"\\\\S\\Memory\\Pool Nonpaged Bytes\"\n\"11/05/2026 18:00:00.000\",\"67108864\"\n";
  const std::vector<std::string> of_perfmon = {kAt18 + "@S windows; nonpaged.bytes=67108864"};
  const std::string memsnap =
      "Process ID Proc.Name Wrkng.Set PagedPool NonPgdPl Pagefile Commit Handles Threads\n!LogType=memsnap\n"
      "!SystemTime=11\\05\\2026\xc2\xa0"
      "18:00:00.0000\xc2\xa0(GMT)\n000001a4 svc.exe 1200000 30000 24166 3000000 3000000 2059 12\n";
  const std::string script = "DateTime,Tag,PagedUsedBytes,NonPagedUsedBytes\n2026-11-05 18:00:00Z,Leak,0,1024000\n";
  const std::vector<std::string> of_script = {kAt18 + " windows; nonpaged 'Leak' 1024000 ?"};
  const std::vector<std::string> of_slab = {kAt18 + " linux" + kCacheRow};
  const auto look = [](const std::string& header, const std::string& said) {
    return Posted{header, header + "\n2026-11-05 18:00:00Z,Leak,1,2\n", {}, said};
  };
  const std::string no_bytes = "looks like CSV of pool tags, but no column tells the bytes of a pool; not understood: ";
  std::vector<Posted> all = {
      {"grep -n of a query of promtool",
       numbered("node_memory_SUnreclaim_bytes{instance=\"a\", job=\"n\"} =>\n65536 @[1793901600]\n65537 @[1793905200]\n", ":"),
       of_query},
      {"a query of promtool",
       "{__name__=\"node_memory_SUnreclaim_bytes\", instance=\"a\", job=\"n\"} =>\n65536 @[1793901600]\n65537 @[1793905200]\n",
       of_query},
      {"a query of promtool, of a moment",
       "node_memory_SUnreclaim_bytes{instance=\"a\"} => 65536 @[1793901600.000]\n",
       {of_dump[0]}},
      {"an export of VictoriaMetrics",
       "{\"metric\":{\"__name__\":\"node_memory_SUnreclaim_bytes\",\"instance\":\"a\"},\"values\":[65536,65537],"
       "\"timestamps\":[1793901600000,1793905200000]}\n",
       of_query},
      {"an export of VictoriaMetrics with values that are none",
       "{\"metric\":{\"__name__\":\"node_memory_SUnreclaim_bytes\",\"instance\":\"a\"},\"values\":[65536,null,\"NaN\",65537],"
       "\"timestamps\":[1793901600000,1793903000000,1793904000000,1793905200000]}\n",
       of_query, "f:0: 2 samples without a value (null or NaN) are left out"},
      {"an export of VictoriaMetrics that lacks a time",
       "{\"metric\":{\"__name__\":\"node_memory_SUnreclaim_bytes\",\"instance\":\"a\"},\"values\":[65536,65537],"
       "\"timestamps\":[1793901600000]}\n",
       {},
       "f:1: 2 values with 1 times: such a series is passed over"},
      {"milliseconds in JSON",
       R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"node_memory_SUnreclaim_bytes","instance":"a"},"value":[1793901600000,"65536"]}]}})",
       {of_dump[0]}},
      {"pages of metrics below dates",
       "Thu Nov  5 18:00:00 UTC 2026\n# TYPE node_memory_SUnreclaim_bytes gauge\nnode_memory_SUnreclaim_bytes 5\n",
       {},
       "the dates between its pages (line 1) are not read: write the time behind each sample"},
      {"memsnap with a page's blanks", memsnap, {kAt18 + " windows; svc.exe (420) 2059 30000 24166"}},
      {"perfmon below a prompt", "C:\\> type a.csv\n" + perfmon, of_perfmon},
      {"perfmon between fences", "```\n" + perfmon + "```\n", of_perfmon},
      {"perfmon with blanks at lines' ends",
       "\"(PDH-CSV 4.0) (UTC)(0)\",\"\\\\S\\Memory\\Pool Nonpaged Bytes\"  \n\"11/05/2026 18:00:00.000\",\"67108864\"  \n",
       of_perfmon},
      {"perfmon with a page's blanks",
       "\"(PDH-CSV\xc2\xa0"
       "4.0)&nbsp;(UTC)(0)\",\"\\\\S\\Memory\\Pool\xc2\xa0Nonpaged Bytes\"\n\"11/05/2026&nbsp;18:00:00.000\",\"67108864\"\n",
       of_perfmon},
      {"a script's CSV between fences", "```\n" + script + "```\n", of_script},
      {"a script's CSV below #TYPE alone", "#TYPE\n" + script, of_script},
      {"a container's runtime",
       before_each(kSlab, "2026-11-05T18:00:00.000000000Z stdout F ") + "2026-11-05T18:00:00.000000000Z stderr F failed\n",
       of_slab, "it is a line of \"stderr F\", and those above of \"stdout F\""},
      {"a framework's log",
       before_each(kSlab, "2026-11-05 18:00:00,123 INFO [main] kmem - "),
       {},
       "line 1: \"2026-11-05 18:00:00,123 INFO [main] kmem...\" stands before \"slabinfo - version\"; take away what stands "
       "before each line"},
      {"ts of a clock alone",
       before_each(sadf, "18:00:00 "),
       {},
       "line 1: \"18:00:00 \" stands before \"# hostname;interval;\""},
      {"meminfo below uname",
       "Linux web1 6.1.0-18-amd64 #1 SMP Debian 6.1.76-1 (2024-02-01) x86_64 GNU/Linux\n" + kAt18 + "\n" + kMem,
       {kAt18 + " linux" + kMemRow}},
      look("Time,Tag,NonPagedTB,PagedTB", no_bytes + "\"NonPagedTB\", \"PagedTB\"; the names are"),
      look("Time,Tag,NPP,PP", no_bytes + "\"NPP\", \"PP\""),
      look("Stand,Tag,NonPagedBytes,PagedBytes",
           "f:2: the header names no column of times, but column 1 has \"2026-11-05 18:00:00Z\"; name it DateTime"),
      {"bytes of no pool",
       "Time,Tag,UsedBytes\n2026-11-05 18:00:00,Leak,5\n",
       {},
       "no column tells the bytes of a pool; the names"},
      {"columns parted by bars", "timestamp|pool|tag|bytes\n2026-11-05|paged|Leak|5\n", {}, "its columns are parted by \"|\""},
      {"counters without a value",
       "Path,RawValue,Timestamp\n\\\\s\\memory\\pool paged bytes,5,2026-11-05 18:00:00\n",
       {},
       "looks like CSV of counters, but without a column CookedValue; not understood: \"RawValue\""},
      {"rows of JSON",
       "[{\"timestamp\":\"2026-11-05T18:00:00Z\",\"pool\":\"paged\",\"bytes\":5}]\n",
       {},
       "write its rows as CSV"},
      {"crash",
       "crash> kmem -s\nCACHE OBJSIZE  ALLOCATED     TOTAL  SLABS  SSIZE  NAME\nffff88 192 20000 21000 1000 4k dentry\n",
       {},
       "looks like crash's kmem -s"},
      {"the slabinfo tool",
       "Name                   Objects Objsize           Space Slabs/Part/Cpu  O/S O %Fr %Ef Flg\ndentry 20000 192 4.0M 1000/0/0 21 0 0 93 a\n",
       {},
       "looks like the kernel's slabinfo tool"},
      {"RAMMap",
       "\"Usage\",\"Total\",\"Active\",\"Standby\"\n\"Nonpaged Pool\",\"200000\",\"200000\",\"0\"\n",
       {},
       "looks like RAMMap's CSV"},
      {"handle", "Handle type summary:\n  Event           : 30000\nTotal handles: 100000\n", {}, "looks like handle -s"},
      {"kmemleak", "unreferenced object 0xffff888104a5b000 (size 512):\n  backtrace:\n", {}, "looks like kmemleak's report"},
      {"xperf",
       "Pool, TimeStamp, Process Name ( PID), Tag, Type, Size\nPoolAlloc, 1234, System ( 4), Leak, NonPaged, 512\n",
       {},
       "looks like xperf's or wpaexporter's events"},
      {"a tar archive",
       "a.log" + std::string(252, '\0') + "ustar" + std::string(250, '\0'),
       {},
       "f: a tar archive; unpack it first"},
      {"an ELF dump",
       "\x7f"
       "ELF\2\1\1" +
           std::string(600, '\0'),
       {},
       "f: a dump of the Linux kernel or a program"},
  };
  for (const auto& [name, before] :
       std::vector<std::pair<std::string, std::string>>{{"a host's name", "web1: "},
                                                        {"a container's", "web1  | "},
                                                        {"diff", "+"},
                                                        {"syslog", "Nov  5 20:00:00 web1 mon[7]: "}}) {
    all.push_back({"sar behind " + name, before_each(sar, before), test::told_by("f", sar).lines});
    all.push_back({"sadf behind " + name, before_each(sadf, before), test::told_by("f", sadf).lines});
    all.push_back({"a dump behind " + name, before_each(dump, before), of_dump});
  }
  const std::string counters = "Path,CookedValue,Timestamp\n";
  const std::string nonpaged = "\\\\S\\memory\\pool nonpaged bytes,", at18 = ",2026-11-05 18:00:00Z\n";
  all.push_back({"Get-Counter with a page's blanks",
                 counters + "\\\\S\\memory\\pool\xc2\xa0nonpaged&nbsp;bytes,67108864,2026-11-05\xc2\xa0"
                            "18:00:00Z\n",
                 of_perfmon});
  all.push_back({"Get-Counter with a comma",
                 counters + nonpaged + "\"204,800\"" + at18,
                 {},
                 "f:2: Memory\\Pool Nonpaged Bytes \"204,800\" may part thousands or decimals"});
  all.push_back({"a script's rounded bytes",
                 "Time,Tag,PagedUsedBytes\n2026-11-05 18:00:00Z,Leak,5.12E+05\n",
                 {},
                 "f:2: bytes \"5.12E+05\" has lost its last digits"});
  all.push_back({"Unix seconds as date takes them",
                 "@1793901600\n" + kPool + "@1793905200\n" + kPool,
                 {kAt18 + " windows" + kLeakRow, kAt19 + " windows" + kLeakRow}});
  for (const std::string table : {"| MemTotal: | 8000000 | kB |\n| SUnreclaim: | 64 | kB |\n",
                                  "<table>\n<tr><td>MemTotal:</td><td>8000000</td><td>kB</td></tr>\n</table>\n"})
    all.push_back(
        {"cells of meminfo", "2026-11-05 18:00:00Z\n" + table, {}, "looks like tables of Linux with their cells between bars"});
  all.push_back({"times that are none",
                 before_each(kSlab, "[2026-11-05T18:00:00.Z] ") + before_each(kSlab, "[2026-11-05T19:00:00.Z] "),
                 {},
                 "f: line 1: \"[2026-11-05T18:00:00.Z] \" stands before \"slabinfo - version\""});
  all.push_back({"sadf behind form feeds", "\f" + sadf, test::told_by("f", sadf).lines});
  std::string marked = sar;
  for (const std::string clock : {"17:50", "18:00"}) marked.replace(marked.find(clock), 3, "\xe2\x80\x8e" + clock.substr(0, 3));
  all.push_back({"sar with marks of direction", marked, test::told_by("f", sar).lines});
  for (const std::string mark : {":", "\t"}) {
    all.push_back({"sar numbered", numbered(sar, mark), test::told_by("f", sar).lines});
    all.push_back({"sadf numbered", numbered(sadf, mark), test::told_by("f", sadf).lines});
    all.push_back({"a dump numbered", numbered(dump, mark), of_dump});
  }
  all.push_back({"a mail quotes a dump", before_each(dump, "> "), of_dump});
  all.push_back({"grep -Hn of the debugger", before_each(numbered(vm, ":"), "logs/a.log:"), of_vm});
  all.push_back({"grep -Hn of CSV",
                 before_each(numbered(script, ":") + "3:2026-11-05 19:00:00Z,Leak,0,1024000\n", "logs/a.log:"),
                 {of_script[0], kAt19 + of_script[0].substr(kAt18.size())}});
  return all;
}

std::vector<Posted> posted() {
  const std::string log = "2026-11-05 18:00:00Z\n" + kPool + "2026-11-05 19:00:00Z\n" + kPool;
  const std::vector<std::string> of_log = {kAt18 + " windows" + kLeakRow, kAt19 + " windows" + kLeakRow};
  const std::string slabs = "2026-11-05 18:00:00Z\n" + kSlab + "2026-11-05 19:00:00Z\n" + kSlab;
  const std::vector<std::string> of_slabs = {kAt18 + " linux" + kCacheRow, kAt19 + " linux" + kCacheRow};
  const std::vector<std::string> of_slabs_of_web = {kAt18 + "@web1 linux" + kCacheRow, kAt19 + "@web1 linux" + kCacheRow};
  const std::vector<std::string> of_mem = {kAt18 + " linux" + kMemRow, kAt19 + " linux" + kMemRow};
  const std::string csv =
      "timestamp,pool,tag,bytes\n2026-11-05T18:00:00Z,nonpaged,Leak,1024000\n2026-11-05T19:00:00Z,nonpaged,Leak,1030144\n";
  const std::vector<std::string> of_csv = {kAt18 + " windows; nonpaged 'Leak' 1024000 ?",
                                           kAt19 + " windows; nonpaged 'Leak' 1030144 ?"};
  std::string many;  // more than a file's head
  std::vector<std::string> of_many;
  for (int hour = 10; hour < 30; ++hour) {
    const std::string day = hour < 24 ? "2026-11-04" : "2026-11-05",
                      clock = hour < 24 ? std::to_string(hour) : "0" + std::to_string(hour - 24);
    many += day + " " + clock + ":00:00Z\n" + kSlab;
    of_many.push_back(day + "T" + clock + ":00:00Z@web1 linux" + kCacheRow);
  }
  return {
      {"grep -n", numbered(log, ":"), of_log},
      {"grep -n of Linux", numbered(slabs, ":"), of_slabs},
      {"cat -n", numbered(log, "\t", 6), of_log},
      {"nl of Linux", numbered(slabs, "  ", 6), of_slabs},
      {"a forum's code box", numbered(log, "  ", 4), of_log},
      {"an editor's numbers", numbered(log, ". ", 3), of_log},
      {"grep -n of CSV", numbered(csv, ":"), of_csv},
      {"grep -C leaves out lines",
       "7:2026-11-05 18:00:00Z\n8-" + kPool.substr(0, kPool.find('\n')) + "\n12:" + kPool.substr(kPool.find('\n') + 1),
       {of_log[0]}},
      {"grep of a file", before_each(log, "pool.log:"), of_log},
      {"grep -nH", before_each(numbered(log, ":"), "C:\\logs\\pool.log:"), of_log},
      {"grep of files of /proc",
       "2026-11-05 18:00:00Z\n" + before_each(kMem, "/proc/meminfo:") + before_each(kSlab, "/proc/slabinfo:"),
       {kAt18 + " linux" + kCacheRow + kMemRow}},
      {"a host's name by ansible",
       "2026-11-05 18:00:00Z\n" + before_each(kSlab, "web1: ") + "2026-11-05 19:00:00Z\n" + before_each(kSlab, "web1: "),
       of_slabs_of_web},
      {"a container's name", before_each(slabs, "web1  | "), of_slabs_of_web},
      {"a host's name in brackets", before_each(slabs, "[web1] "), of_slabs_of_web},
      {"a host's name before CSV",
       before_each(csv, "web1: "),
       {kAt18 + "@web1 windows; nonpaged 'Leak' 1024000 ?", kAt19 + "@web1 windows; nonpaged 'Leak' 1030144 ?"}},
      {"two hosts' names",
       before_each(slabs, "web1: ") + before_each(slabs, "web2: "),
       {},
       "f: its lines stand behind the names of several, \"web1\" and \"web2\"; part it into a file for each: grep -F 'web1:' FILE"},
      {"another host's below", before_each(many, "web1: ") + before_each(slabs, "web2: "), of_many,
       "it stands behind \"web2\", and those above behind \"web1\""},
      {"ts", before_each(kMem, "Nov 05 18:00:00 2026 ") + before_each(kMem, "Nov 05 19:00:00 2026 "), of_mem},
      {"ts with a zone", before_each(kMem, "2026-11-05T18:00:00Z ") + before_each(kMem, "2026-11-05T19:00:00Z "), of_mem},
      {"fractions", before_each(kMem, "2026-11-05T18:00:00.000000000Z ") + before_each(kMem, "2026-11-05T19:00:00.000000000Z "),
       of_mem},
      {"times in brackets", before_each(kSlab, "[2026-11-05 18:00:00] ") + before_each(kSlab, "[2026-11-05 19:00:00] "),
       of_slabs},
      {"American times",
       before_each(kSlab, "11/05/2026 6:00:00 PM ") + before_each(kSlab, "11/05/2026 7:00:00 PM ") +
           before_each(kSlab, "11/13/2026 7:00:00 AM "),
       {of_slabs[0], of_slabs[1], "2026-11-13T07:00:00Z linux" + kCacheRow}},
      {"a date as `date` writes it",
       before_each(kSlab, "Thu Nov  5 18:00:00 UTC 2026 ") + before_each(kSlab, "Thu Nov  5 20:00:00 CET 2026 "), of_slabs},
      {"times before a host's name",
       before_each(kSlab, "2026-11-05 18:00:00Z web1: ") + before_each(kSlab, "2026-11-05 19:00:00Z web1: "), of_slabs_of_web},
      {"times behind a host's name",
       before_each(kSlab, "web1: 2026-11-05 18:00:00Z ") + before_each(kSlab, "web1: 2026-11-05 19:00:00Z "), of_slabs_of_web},
      {"times of which one is above nothing",
       before_each(kPool, "2026-11-05T18:00:00Z ") + "2026-11-05T18:00:01Z \n" +
           before_each(kPool.substr(kPool.find("\n") + 1), "2026-11-05T19:00:00Z "),
       {of_log[0], of_log[1]}},
      {"a mail quotes grep -n", before_each(numbered(log, ":"), "> "), of_log},
      {"a mail's mail quotes a file's name", before_each(log, "> > pool.log:"), of_log},
      {"a soft end at the file's end",
       "DateTime,Tag,PagedAllocs,PagedFrees,PagedUsedBytes,NonPagedAllocs,NonPagedF=\nrees,NonPagedUsedBytes\n"
       "2026-11-05 18:00:00Z,Leak,0,0,0,1060,60,1024000\n2026-11-05 19:00:00Z,Leak,0,0=\n",
       {kAt18 + " windows; nonpaged 'Leak' 1024000 1000 32 1060 60"},
       "f:4: 4 fields where the header has 8"},
      {"poolmon's table in syslog",
       before_each(kPool, "2026-11-05T18:00:00Z web1 mon: ") + before_each(kPool, "2026-11-05T19:00:00Z web1 mon: "),
       {kAt18 + "@web1 windows" + kLeakRow, kAt19 + "@web1 windows" + kLeakRow}},
      {"soft ends in slabinfo",
       "2026-11-05 18:00:00Z\nslabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesp=\nerslab>\n"
       "leaky_cache        1000   1024     64   64    1 : tunables    0    0    0 :=\n slabdata     16     16      0\n",
       {of_slabs[0]}},
      {"Unix seconds", before_each(kSlab, "1793901600 ") + before_each(kSlab, "1793905200 "), of_slabs},
      {"times before poolmon's table", before_each(kPool, "2026-11-05 18:00:00 ") + before_each(kPool, "2026-11-05 19:00:00 "),
       of_log},
      {"a table that takes two seconds",
       before_each(kSlab.substr(0, kSlab.find("leaky")), "2026-11-05T18:00:00Z ") +
           before_each(kSlab.substr(kSlab.find("leaky")), "2026-11-05T18:00:02Z ") +
           before_each(kSlab, "2026-11-05T19:00:00Z "),
       of_slabs},
      {"a table over midnight",
       before_each(kSlab.substr(0, kSlab.find("leaky")), "2026-11-04T23:59:59Z ") +
           before_each(kSlab.substr(kSlab.find("leaky")), "2026-11-05T00:00:00Z ") +
           before_each(kSlab, "2026-11-05T18:00:00Z "),
       {"2026-11-04T23:59:59Z linux" + kCacheRow, of_slabs[0]}},
      {"every second",
       before_each(kMem, "2026-11-05T18:00:00Z ") + before_each(kMem, "2026-11-05T18:00:01Z "),
       {of_mem[0], "2026-11-05T18:00:01Z linux" + kMemRow}},
      {"syslog",
       before_each(kSlab, "2026-11-05T18:00:00.000000+00:00 web1 mon[12]: ") +
           before_each(kSlab, "2026-11-05T19:00:00.000000+00:00 web1 mon[13]: "),
       of_slabs_of_web},
      {"syslog with another program's line",
       before_each(kSlab, "2026-11-05T18:00:00Z web1 mon: ") + "2026-11-05T18:30:00Z web1 CRON[9]: (root) CMD (x)\n" +
           before_each(kSlab, "2026-11-05T19:00:00Z web1 mon: "),
       of_slabs_of_web, "f:4: it is a line of \"web1 CRON\", and those above of \"web1 mon\"; such lines are passed over"},
      {"syslog of two hosts",
       before_each(kSlab, "2026-11-05T18:00:00Z web1 mon: ") + before_each(kSlab, "2026-11-05T18:00:00Z web2 mon: "),
       {},
       "several, \"web1 mon\" and \"web2 mon\""},
      {"soft ends of lines",
       "DateTime,Tag,PagedAllocs,PagedFrees,PagedUsedBytes,NonPagedAllocs,NonPagedF=\nrees,NonPagedUsedBytes\n"
       "2026-11-05 18:00:00Z,Leak,0,0,0,1060,60,1024000\n2026-11-05 19:00:00Z,Le=61k,0,0,0,1060,60,1024000\n",
       {kAt18 + " windows; nonpaged 'Leak' 1024000 1000 32 1060 60",
        kAt19 + " windows; nonpaged 'Leak' 1024000 1000 32 1060 60"}},
      {"a page's table",
       "<html><body>\n<table><tr><th>timestamp</th><th>pool</th><th>tag</th><th>bytes</th></tr>\n"
       "<tr><td>2026-11-05T18:00:00Z</td><td>nonpaged</td><td><b>Leak</b></td><td>1024000</td></tr>\n"
       "<tr><td>2026-11-05T19:00:00Z</td><td class=\"x\">nonpaged</td><td>Leak</td><td>1030144&nbsp;</td></tr>\n</table>\n",
       of_csv},
      {"ConvertTo-Html",
       "<!DOCTYPE html>\n<html>\n<head>\n<title>HTML TABLE</title>\n</head><body>\n<table>\n<colgroup><col/><col/></colgroup>\n"
       "<tr><th>DateTime</th><th>Tag</th><th>PagedUsedBytes</th><th>NonPagedUsedBytes</th></tr>\n"
       "<tr><td>2026-11-05 18:00:00Z</td><td>A&lt;&gt;B</td><td>0</td><td>1024000</td></tr>\n</table>\n</body></html>\n",
       {kAt18 + " windows; nonpaged 'A<>B' 1024000 ?"}},
      {"a page in one line",
       "<table><tr><th>timestamp</th><th>pool</th></tr><tr><td>2026-11-05T18:00:00Z</td><td>paged</td></tr></table>\n",
       {},
       "looks like a table of HTML whose rows do not stand one a line"},
      {"cells one a line",
       "<table>\n<tr>\n<th>timestamp</th>\n<th>pool</th>\n<th>tag</th>\n<th>bytes</th>\n</tr>\n",
       {},
       "looks like a table of HTML whose rows do not stand one a line"},
      {"tabs in poolmon's rows",
       "2026-11-05 18:00:00Z\n Tag\tType\tAllocs\tFrees\tDiff\tBytes\tPer Alloc\n Leak Nonp\t1060 (\t60)\t60 (\t0)\t1000\t1024000 (\t6144)\t1024\n",
       {of_log[0]}},
      {"hexadecimal numbers",
       "2026-11-05 18:00:00Z\n Tag  Type     Allocs     Frees      Diff   Bytes  Per Alloc\n"
       " Leak Nonp       424        3c       3e8     fa000    400\n CM31 Paged     1388b      111f0      269b    88e000    384\n"
       " Irp  Nonp       7a1       60f       192      d8c0     8a\n AfdX Nonp        15         5        10       800     80\n",
       {},
       "looks like poolmon's table with hexadecimal numbers; write them as decimals"},
      {"meminfo without a unit",
       "2026-11-05 18:00:00Z\nMemTotal: 8000000\nSUnreclaim: 64\n",
       {},
       "f:2: no unit behind the number, where the kernel writes kB"},
      {"meminfo of MB",
       "2026-11-05 18:00:00Z\nMemTotal: 8000 MB\nSUnreclaim: 64 MB\n",
       {},
       "looks like /proc/meminfo, but its values are of \"MB\", where the kernel writes kB"},
      {"Slab alone", "2026-11-05 18:00:00Z\nSlab: 300000 kB\n", {}, "Slab alone, which is no pool but the sum of two"},
      {"curl's progress above an answer",
       "  % Total    % Received\n100  1234  100  1234    0     0   123k      0 --:--:-- --:--:-- --:--:--  123k\n"
       "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[{\"metric\":{\"__name__\":"
       "\"windows_memory_pool_nonpaged_bytes\"},\"values\":[[1793901600,\"64\"]]}]}}\n",
       {kAt18 + " windows; nonpaged.bytes=64"},
       "f:1: 2 lines above the answer are passed over"},
      {"slabs of Prometheus without sizes",
       "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[{\"metric\":{\"__name__\":\"node_slabinfo_objects\","
       "\"slab\":\"dentry\"},\"values\":[[1793901600,\"64\"]]}]}}\n",
       {},
       "f: slab caches without node_slabinfo_object_size_bytes, so their sizes are not known"},
      {"Get-Process",
       "\"DateTime\",\"Name\",\"Id\",\"Handles\",\"VM\",\"PM\",\"NPM\"\n\"2026-11-05 18:00:00Z\",\"svc\",\"420\",\"2000\",\"99\",\"30000\",\"24166\"\n"
       "\"2026-11-05 18:00:00Z\",\"svc\",\"421\",\"7\",\"99\",\"30000\",\"\"\n\"2026-11-05 19:00:00Z\",\"svc\",\"420\",\"2001\",\"99\",\"30000\",\"24200\"\n",
       {kAt18 + " windows; svc (420) 2000 - 24166; svc (421) 7 - -", kAt19 + " windows; svc (420) 2001 - 24200"}},
      {"Get-Process, both pools and a host",
       "Time;ComputerName;ProcessName;Id;HandleCount;PagedSystemMemorySize64;NonpagedSystemMemorySize64\n"
       "2026-11-05 18:00:00Z;SRV1;svc;420;2000;30000;24166\n",
       {kAt18 + "@SRV1 windows; svc (420) 2000 30000 24166"}},
      {"Get-Process without ids", "DateTime,Name,Handles\n2026-11-05 18:00:00Z,svc,7\n", {}, "a column Id is needed"},
      {"Get-Process without times", "Name,Id,Handles\nsvc,420,7\n", {}, "looks like a script's processes without times"},
      {"Get-Process with what is no number",
       "DateTime,Name,Id,Handles\n2026-11-05 18:00:00Z,svc,420,x\n2026-11-05 19:00:00Z,svc,420,7\n",
       {kAt19 + " windows; svc (420) 7 - -"},
       "f:2: Handle Count \"x\" is not a count"},
      {"totals a column each",
       "Time,NonPagedPoolMB,PagedPoolMB,CommitGB\n2026-11-05 18:00:00Z,64.5,100,2\n2026-11-05 19:00:00Z,,101,2\n",
       {kAt18 + " windows; commit=2147483648; nonpaged.bytes=67633152; paged.bytes=104857600",
        kAt19 + " windows; commit=2147483648; paged.bytes=105906176"}},
      {"totals of WMI",
       "Node,PoolNonpagedBytes,PoolPagedBytes,Timestamp\nSRV1,67108864,104857600,20261105180000.000000+000\n",
       {kAt18 + "@SRV1 windows; nonpaged.bytes=67108864; paged.bytes=104857600"}},
      {"totals without a unit",
       "Time,NonPagedPool,PagedPool\n2026-11-05 18:00:00Z,64,100\n",
       {},
       "f:2: Memory\\Pool Paged Bytes: no pool is as small as \"100\" bytes; write the unit into the heading, as in PagedPoolMB"},
      {"a column a tag",
       "Time,Leak,CM31,Irp\n2026-11-05 18:00:00Z,1024000,9002700,55552\n",
       {},
       "looks like CSV with a column for each tag, which does not tell paged from nonpaged"},
      {"differences of tags",
       "DateTime,Tag,PagedDiff,PagedUsedBytes\n2026-11-05 18:00:00Z,Leak,1000,1024000\n",
       {kAt18 + " windows; paged 'Leak' 1024000 1000"}},
      {"perfmon without its first quote",
       "(PDH-CSV 4.0) (W. Europe Standard Time)(-60)\",\"\\\\SRV1\\Memory\\Pool Nonpaged Bytes\"\n\"11/05/2026 19:00:00.000\",\"67108864\"\n",
       {kAt18 + "@SRV1 windows; nonpaged.bytes=67108864"}},
      {"perfmon's head that is cut",
       "\\Memory\\Pool Nonpaged Bytes\"\n\"11/05/2026 19:00:00.000\",\"67108864\"\n\"11/05/2026 20:00:00.000\",\"67108864\"\n",
       {},
       "looks like rows of perfmon's CSV below a header row that is cut"},
      {"a script's head that is cut within",
       "PagedFrees,PagedUsedBytes\n2026-11-05 18:00:00Z,Leak,0,0,0,1,0,64\n",
       {},
       "looks like rows of CSV below a header row that is cut or names nothing that is known"},
      {"our own head that is cut",
       "tes\n2026-11-05T18:00:00Z,nonpaged,Leak,64\n2026-11-05T19:00:00Z,nonpaged,Leak,64\n",
       {},
       "looks like rows of CSV below a header row that is cut or names nothing that is known"},
      {"a script's head that is cut",
       "ateTime,Tag,PagedUsedBytes\n2026-11-05 18:00:00Z,Leak,1024000\n",
       {},
       "f:2: the header names no column of times, but column 1 has \"2026-11-05 18:00:00Z\"; name it DateTime"},
  };
}

class HistoryAsPosted : public testing::TestWithParam<Posted> {};

TEST_P(HistoryAsPosted, IsReadRightOrNamed) {
  const Posted& posted = GetParam();
  const auto [lines, said] = test::told_by("f", posted.text);
  EXPECT_THAT(lines, ElementsAreArray(posted.wanted));
  if (posted.said.empty()) EXPECT_EQ(said, "");
  else EXPECT_THAT(said, HasSubstr(posted.said));
}

/// As nl does, which numbers no blank lines.
std::string numbered_by_nl(const std::string& text) {
  std::string all;
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    all += line.empty() ? "       \n" : "     " + std::to_string(++number) + "\t" + line + "\n";
    at = end + 1;
  }
  return all;
}

/// A text of each format, with times of its own.
std::vector<std::pair<std::string, std::string>> texts_of_formats() {
  const auto of_two = [](const std::string& table) {
    return "2026-11-05 18:00:00Z\n" + table + "2026-11-05 19:00:00Z\n" + table;
  };
  const auto look = [](const std::string& day, const std::string& pages, const std::string& kib) {
    return "Debug session time: " + day + " 18:00:00.000 2026 (UTC + 0:00)\nSystem Uptime: 29 days 23:00:00.000\n" +
           "NonPagedPool Usage:           250 (       1000 Kb)\nNonPagedPoolNx Usage:       " + pages + " (     " + kib +
           " Kb)\nPagedPool Usage:            50000 (     200000 Kb)\n\n";
  };
  return {
      {"!vm", look("Thu Nov  5", "50000", "200000") + look("Fri Nov  6", "50100", "200400")},
      {"poolmon", of_two(kPool)},
      {"slabinfo", of_two(kSlab)},
      {"meminfo", of_two(kMem)},
      {"slabtop", of_two("  OBJS ACTIVE  USE OBJ SIZE  SLABS OBJ/SLAB CACHE SIZE NAME\n"
                         " 21000  20000  95%    0.19K   1000       21      4000K dentry\n"
                         "  1024   1000  97%    0.50K     64       16       512K kmalloc-512\n")},
      {"vmstat -m", of_two("Cache                       Num  Total   Size  Pages\n"
                           "dentry                    20000  21000    192     21\n")},
      {"allocinfo", of_two("allocinfo - version: 1.0\n#     <size>  <calls> <tag info>\n"
                           "       40960       10 mm/slub.c:1879 func:alloc_slab_page\n")},
      {"vmallocinfo", of_two("0xffffb2c000000000-0xffffb2c000005000   20480 irq_init+0xcf/0x100 vmap\n")},
      {"sar",
       "Linux 6.1.0 (web1) \t11/14/2026 \t_x86_64_\t(4 CPU)\n\n18:00:01 kbmemfree kbavail kbmemused kbcommit kbvmused\n"
       "18:10:01 1000000 9000000 7000000 8000000 60000\n18:20:01 1000000 9000000 7000000 8000000 60004\n"},
      {"sadf -d",
       "# hostname;interval;timestamp;kbmemfree;kbavail;kbmemused;kbcommit;kbvmused\n"
       "web1;600;2026-11-14 18:00:00 UTC;1000000;9000000;7000000;8000000;60000\n"
       "web1;600;2026-11-14 19:00:00 UTC;1000000;9000000;7000000;8000000;60004\n"},
      {"a script's CSV",
       "DateTime,Tag,PagedUsedBytes,NonPagedUsedBytes\n2026-11-05 18:00:00Z,Leak,0,512000\n"
       "2026-11-05 19:00:00Z,Leak,0,513024\n"},
      {"CSV",
       "timestamp,pool,tag,bytes\n2026-11-05T18:00:00Z,nonpaged,Leak,512000\n2026-11-05T19:00:00Z,nonpaged,Leak,513024\n"},
      {"perfmon",
       "\"(PDH-CSV 4.0) (UTC)(0)\",\"\\\\SRV1\\Memory\\Pool Nonpaged Bytes\"\n\"11/05/2026 18:00:00.000\",\"67108864\"\n"
       "\"11/05/2026 19:00:00.000\",\"67112960\"\n"},
  };
}

std::string at_each_end(const std::string& text, const std::string& end) {
  std::string all;
  for (const char c : text) all += c == '\n' ? end + "\n" : std::string(1, c);
  return all;
}

TEST(HistoryDressed, BreaksAndColoursAreTakenOffInEveryFormat) {
  for (const auto& [format, text] : texts_of_formats()) {
    SCOPED_TRACE(format);
    const auto [lines, said] = test::told_by("f", text);
    EXPECT_EQ(lines.size(), 2U);
    EXPECT_EQ(said, "");
    for (const std::string end : {"<br>", "<br />", " <BR/> "}) {
      const auto [broken, of_broken] = test::told_by("f", at_each_end(text, end));
      EXPECT_THAT(broken, ElementsAreArray(lines)) << end;
      EXPECT_EQ(of_broken, "") << end;
    }
    const auto [coloured, of_coloured] = test::told_by("f", before_each(at_each_end(text, "\x1b[0m"), "\x1b[1;32m"));
    EXPECT_THAT(coloured, ElementsAreArray(lines));
    EXPECT_EQ(of_coloured, "");
  }
}

TEST(HistoryDressed, WhatStandsBeforeLinesHidesNoTimes) {
  for (const auto& [format, text] : texts_of_formats()) {
    SCOPED_TRACE(format);
    const std::vector<std::string> lines = test::told_by("f", text).lines;
    for (const std::string& dressed : {numbered_by_nl(text), numbered(text, "\t", 6), numbered(text, "  ", 6),
                                       numbered(text, ":"), before_each(text, "+"), before_each(text, "[pod/kmem/main] ")}) {
      std::vector<std::string> told = test::told_by("f", dressed).lines;
      for (std::string& line : told)
        if (const std::size_t host = line.find("@pod/kmem/main"); host != std::string::npos) line.erase(host, 14);
      // Or they are refused.
      if (!told.empty() || (format != "sar" && format != "sadf -d")) { EXPECT_THAT(told, ElementsAreArray(lines)) << dressed; }
    }
  }
  // Of a dump that a debugger has opened later.
  EXPECT_THAT(test::told_by("f", before_each(texts_of_formats()[0].second, "2026-11-20T00:00:00.000000001Z ")).lines,
              ElementsAreArray(test::told_by("f", texts_of_formats()[0].second).lines));
  // Behind what is not known as such.
  const std::string look = texts_of_formats()[0].second;
  EXPECT_THAT(test::told_by("f", before_each(look.substr(0, look.find("\n\n") + 1), "a b> ")).lines, testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Prefixes, HistoryAsPosted, testing::ValuesIn(posted()));
INSTANTIATE_TEST_SUITE_P(Behind, HistoryAsPosted, testing::ValuesIn(posted_behind()));

}  // namespace
}  // namespace kmem::history
