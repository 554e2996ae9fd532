// What is said twice, in parts, or under a heading that changes: columns follow the heading in force, the same twice counts
// once, and what contradicts itself is named.
#include <gmock/gmock.h>

#include "tests/collectors/history/read_history.h"

namespace kmem::history {
namespace {

using test::line_of;
using testing::Contains;
using testing::ElementsAreArray;
using testing::HasSubstr;

struct Repeat {
  std::string name;
  std::string text;
  std::vector<std::string> wanted;  // line_of() each snapshot
  std::string said = {};            // in the error or the first piece that was passed over; else nothing is said
  std::string assumed = {};         // a part of one warning
};
void PrintTo(const Repeat& repeat, std::ostream* out) { *out << repeat.name; }

const std::string kAllColumns = "# hostname;interval;timestamp;kbavail;kbmemused;kbcommit;kbslab\n";
const std::string kBrief = "# hostname;interval;timestamp;kbavail;kbmemused;kbcommit\n";
const std::string kCpu = "# hostname;interval;timestamp;CPU;%user;%idle\n";
std::string row_of_sadf(const std::string& time, const std::string& values) {
  return "w;600;2026-11-05 " + time + " UTC;" + values + "\n";
}
const std::string kFirstRow = row_of_sadf("00:10:01", "4;9;3;7"), kSecondRow = row_of_sadf("18:00:01", "4;9;5;8");
const std::string kFirstLine = "2026-11-05T00:10:01Z@w linux; slab_unreclaimable 'kbslab' 7168 ?; available=4096; commit=3072";
const std::string kSecondValues = "slab_unreclaimable 'kbslab' 8192 ?; available=4096; commit=5120";
const std::string kSecondLine = "2026-11-05T18:00:01Z@w linux; " + kSecondValues;
const std::string kRebootedLine = "2026-11-05T18:00:01Z@w linux boot=2026-11-05T17:00:00Z; " + kSecondValues;

std::vector<Repeat> of_sadf() {
  const std::string row_of_restart = "w;-1;2026-11-05 17:00:00 UTC;LINUX-RESTART\t(4 CPU)\n";
  return {
      {"a heading of a restart",
       kAllColumns + kFirstRow + "# hostname;interval;timestamp;LINUX-RESTART\n" + row_of_restart + kSecondRow,
       {kFirstLine, kRebootedLine}},
      {"a restart and the heading again",
       kAllColumns + kFirstRow + row_of_restart + kAllColumns + kSecondRow,
       {kFirstLine, kRebootedLine}},
      {"a restart above the first heading",
       "# hostname;interval;timestamp;LINUX-RESTART\n" + row_of_restart + kAllColumns + kSecondRow,
       {kRebootedLine}},
      {"a restart of another host",
       kAllColumns + kFirstRow + "x;-1;2026-11-05 17:00:00 UTC;LINUX-RESTART\n" + kSecondRow,
       {kFirstLine, kSecondLine}},
      {"a column twice",
       "# hostname;interval;timestamp;kbmemused;kbcommit;kbcommit\n" + row_of_sadf("00:10:01", "9;3;4") + kAllColumns +
           kSecondRow,
       {kSecondLine},
       "f:1: column kbcommit stands twice in this heading; the rows below it are passed over"},
      {"JSON below it",
       kAllColumns + kFirstRow + "{\"sysstat\": {\"hosts\": []}}\n",
       {kFirstLine},
       "f:3: JSON begins here, and this file began as something else"},
      {"rows of sar above the heading",
       "Linux 6.1.0 (w) \t2026-11-05 \t_x86_64_\t(4 CPU)\n\n00:10:01 4 9 9 3 7\n"
       "00:15:01 kbavail kbmemfree kbmemused kbcommit kbslab\n18:00:01 4 9 9 5 8\n",
       {kSecondLine},
       "f:3: no heading above this row"},
      {"a row below another activity's heading",
       kAllColumns + kFirstRow + kCpu + row_of_sadf("00:10:01", "-1;3.0;97.0") + kSecondRow,
       {kFirstLine},
       "f:5: 7 fields where the heading above it, in line 3, has 6"},
      {"fewer columns from the middle on",
       kAllColumns + kFirstRow + kBrief + row_of_sadf("18:00:01", "4;9;5"),
       {kFirstLine, "2026-11-05T18:00:01Z@w linux; available=4096; commit=5120"}},
      {"columns in another order from the middle on",
       kAllColumns + kFirstRow + "# hostname;interval;timestamp;kbslab;kbcommit;kbavail;kbmemused\n" +
           row_of_sadf("18:00:01", "8;5;4;9"),
       {kFirstLine, kSecondLine}},
      {"rows above the heading",
       kFirstRow + kAllColumns + kSecondRow,
       {kSecondLine},
       "f:1: no heading above this row: sadf's line that begins with # is missing"},
      {"no heading at all", kFirstRow + kSecondRow, {}, "looks like rows of sadf -d without the heading that begins with #"},
      {"comments of an administrator",
       kAllColumns + kFirstRow +
           "w;-1;2026-11-05 01:00:00 UTC;COM before; and behind\n# hostname;interval;timestamp;COMMENT\n" + kSecondRow,
       {kFirstLine, kSecondLine}},
      {"several values a column (sadf -h)",
       "# hostname;interval;timestamp;CPU;%idle[...];kbavail;kbmemused;kbcommit;kbslab\n" +
           row_of_sadf("00:10:01", "-1;9;0;9;4;9;3;7"),
       {},
       "f:2: the heading's columns with [...] have several values each; record it without -h"},
      {"calls that overlap",
       kAllColumns + kFirstRow + kSecondRow + kAllColumns + kSecondRow,
       {kFirstLine, kSecondLine},
       "",
       "an earlier one also has"},
      {"calls that contradict each other",
       kAllColumns + kFirstRow + kAllColumns + row_of_sadf("00:10:01", "4;9;6;7"),
       {kFirstLine},
       "",
       "line 4, 2026-11-05T00:10:01Z, host \"w\": commit is 6144, but 3072 in line 2"},
      {"slabinfo below it",
       kAllColumns + kFirstRow + "Thu Nov  5 18:00:00 UTC 2026\nslabinfo - version: 2.1\n" +
           "dentry 192 192 64 64 1 : tunables 0 0 0 : slabdata 3 3 0\n",
       {kFirstLine},
       "f:4: a table of Linux begins here, and this file began as something else; put it into a file of its own"},
      {"sar before it",
       "Linux 6.1.0 (w) \t2026-11-05 \t_x86_64_\t(4 CPU)\n\n00:00:01 kbavail kbmemfree kbmemused kbcommit kbslab\n"
       "00:10:01 4 9 9 3 7\n\n" +
           kAllColumns + kSecondRow,
       {kFirstLine, kSecondLine}},
      {"rounded values (sar -h)",
       "Linux 6.1.0 (w) \t2026-11-05 \t_x86_64_\t(4 CPU)\n\n00:00:01 kbavail kbmemfree kbmemused kbcommit\n"
       "00:10:01 4.0k 9M 9M 1.5M\n",
       {"2026-11-05T00:10:01Z@w linux; available=4096; commit=1572864"},
       "",
       "values are rounded (4.0k)"},
      {"columns of sar in another order from the middle on",
       "Linux 6.1.0 (w) \t2026-11-05 \t_x86_64_\t(4 CPU)\n\n00:00:01 kbavail kbmemfree kbmemused kbcommit kbslab\n"
       "00:10:01 4 9 9 3 7\n17:00:01 kbavail kbmemfree kbmemused kbslab kbcommit\n18:00:01 4 9 9 8 5\n",
       {kFirstLine, kSecondLine}},
  };
}

std::string sadf_document(const std::string& entries, const std::string& more = {}) {
  return "{\"sysstat\":{\"hosts\":[{\"nodename\":\"w\"," + more + "\"statistics\":[" + entries + "]}]}}\n";
}
std::string sadf_stamp(const std::string& time, const std::string& utc = "1") {
  return "\"timestamp\":{\"date\":\"2026-11-05\",\"time\":\"" + time + "\",\"utc\":" + utc + "}";
}
std::string sadf_memory(const std::string& commit, const std::string& slab) {
  return "\"memory\":{\"avail\":4,\"commit\":" + commit + ",\"slab\":" + slab + "}";
}
const std::string kFirstEntry = "{" + sadf_stamp("00:10:01") + "," + sadf_memory("3", "7") + "}";
const std::string kSecondEntry = "{" + sadf_stamp("18:00:01") + "," + sadf_memory("5", "8") + "}";

std::vector<Repeat> of_sadf_json() {
  const std::string both = sadf_document(kFirstEntry) + sadf_document(kSecondEntry);
  return {
      {"two documents", both, {kFirstLine, kSecondLine}},
      {"two documents without a line's end between",
       sadf_document(kFirstEntry).substr(0, sadf_document(kFirstEntry).size() - 1) + sadf_document(kSecondEntry),
       {kFirstLine, kSecondLine}},
      {"documents in a list",
       "[" + sadf_document(kFirstEntry) + "," + sadf_document(kSecondEntry) + "]",
       {kFirstLine, kSecondLine}},
      {"a document that was cut within a number",
       "{\"sysstat\":{\"hosts\":[{\"nodename\":\"w\",\"statistics\":[{" + sadf_stamp("00:10:01") +
           ",\n\"memory\":{\"avail\":4,\"commit\":3,\"slab\":7\n" + sadf_document(kSecondEntry),
       {"2026-11-05T00:10:01Z@w linux; available=4096; commit=3072"},
       "f:3: no JSON from here on: a comma is missing"},
      {"memory above its time",
       sadf_document("{" + sadf_memory("3", "7") + "," + sadf_stamp("00:10:01") + "},{" + sadf_memory("5", "8") + "," +
                     sadf_stamp("18:00:01") + "}"),
       {kFirstLine, kSecondLine}},
      {"an entry without a time",
       sadf_document(kFirstEntry + ",{" + sadf_memory("5", "8") + "}"),
       {kFirstLine},
       "f:1: memory without a timestamp"},
      {"local times of a zone that is told",
       sadf_document("{" + sadf_stamp("01:10:01", "0") + "," + sadf_memory("3", "7") + "}", "\"timezone\":\"CET\","),
       {kFirstLine}},
      {"one time, two values",
       sadf_document(kFirstEntry + ",{" + sadf_stamp("00:10:01") + "," + sadf_memory("6", "7") + "}"),
       {kFirstLine},
       "",
       "commit is 6144, but 3072"},
  };
}

const std::string kDumpBegins =
    "Debug session time: Sun Nov  1 06:00:00.000 2026 (UTC + 0:00)\nSystem Uptime: 1 days 0:00:00.000\n";
const std::string kDumpLine = "2026-11-01T06:00:00Z windows boot=2026-10-31T06:00:00Z; ";

std::vector<Repeat> of_debuggers() {
  return {
      {"parts of paged pool and no sum",
       kDumpBegins + "NonPagedPool Usage: 250 ( 1000 Kb)\nNonPagedPoolNx Usage: 50 ( 200 Kb)\nPagedPool  0: 20 ( 80 Kb)\n"
                     "PagedPool  1: 10 ( 40 Kb)\nPagedPool Maximum: 4294967296 (17179869184 Kb)\n",
       {kDumpLine + "nonpaged.bytes=1228800"},
       "f:5: a part of paged pool, whose line \"PagedPool Usage:\" is missing: how large it is is not known"},
      {"parts of nonpaged pool and no sum",
       kDumpBegins +
           "NonPagedPool 0 Used: 25000 ( 100000 Kb)\nNonPagedPool 1 Used: 250 ( 1000 Kb)\nPagedPool Usage: 5 ( 20 Kb)\n",
       {kDumpLine + "paged.bytes=20480"},
       "f:3: a part of nonpaged pool, whose line \"NonPagedPool Usage:\" is missing"},
      {"parts and their sum",
       kDumpBegins + "NonPagedPool 0 Used: 25 ( 100 Kb)\nNonPagedPool 1 Used: 25 ( 100 Kb)\nNonPagedPool Usage: 50 ( 200 Kb)\n"
                     "PagedPool 0 Usage: 5 ( 20 Kb)\nPagedPool Usage: 5 ( 20 Kb)\n",
       {kDumpLine + "nonpaged.bytes=204800; paged.bytes=20480"}},
      {"only what cannot be executed of nonpaged pool",
       kDumpBegins + "NonPagedPoolNx Usage: 50 ( 200 Kb)\nPagedPool Usage: 5 ( 20 Kb)\n",
       {kDumpLine + "paged.bytes=20480"},
       "f:3: a part of nonpaged pool, whose line \"NonPagedPool Usage:\" is missing"},
      {"stars before a line",
       kDumpBegins + "*** NonPagedPool Usage: 250 ( 1000 Kb)\nNonPagedPoolNx Usage: 50 ( 200 Kb)\n",
       {kDumpLine + "nonpaged.bytes=1228800"}},
      {"a line of !vm twice, with other values",
       kDumpBegins + "NonPagedPool Usage: 250 ( 1000 Kb)\nNonPagedPool Usage: 260 ( 1040 Kb)\nPagedPool Usage: 5 ( 20 Kb)\n"
                     "PagedPool Usage: 5 ( 20 Kb)\n",
       {kDumpLine + "nonpaged.bytes=1024000; paged.bytes=20480"},
       "f:4: this line stands twice, with 1000 Kb and with 1040; the first is used"},
      {"Kb that the pages are not",
       kDumpBegins + "NonPagedPool Usage: 50250 ( 999 Kb)\nPagedPool Usage: 5 ( 20 Kb)\n",
       {kDumpLine + "paged.bytes=20480"},
       "f:3: 50250 pages are not 999 Kb, as pages have 4 Kb"},
      {"pages of two sizes",
       kDumpBegins + "PagedPool Usage: 5 ( 20 Kb)\nNonPagedPool Usage: 50 ( 400 Kb)\n",
       {kDumpLine + "paged.bytes=20480"},
       "f:4: 50 pages are not 400 Kb, as pages have 4 Kb in a line above"},
      {"pages of an Itanium",
       kDumpBegins + "PagedPool Usage: 5 ( 40 Kb)\nNonPagedPool Usage: 50 ( 400 Kb)\n",
       {kDumpLine + "nonpaged.bytes=409600; paged.bytes=40960"}},
      {"numbers in a tag's description",
       kDumpBegins + "               NonPaged                  Paged\n Tag     Allocs         Used     Allocs         Used\n"
                     " Leak      1000      1024000          0            0\n"
                     " CM31         0            0      10000      9000000\t64 bit, 2 of 3\n",
       {kDumpLine + "nonpaged 'Leak' 1024000 1000; paged 'CM31' 9000000 10000"}},
      {"three numbers in a tag's description",
       kDumpBegins + "               NonPaged                  Paged\n Tag     Allocs         Used     Allocs         Used\n"
                     " Leak      1000      1024000          0            0\tparts 1 2 3, Binary: x.sys\n",
       {kDumpLine + "nonpaged 'Leak' 1024000 1000"}},
      {"two rows in one line of a debugger",
       kDumpBegins +
           "               NonPaged                  Paged\n Tag     Allocs         Used     Allocs         Used\n"
           " Leak      1000      1024000          0            0 CM31         0            0      10000      9000000\n"
           " Irp          1         1024          0            0\n",
       {kDumpLine + "nonpaged 'Irp ' 1024 1"},
       "f:5: two rows in one line"},
  };
}

const std::string kSlabinfoBegins = "Thu Nov  5 18:00:00 UTC 2026\nslabinfo - version: 2.1\n# name <active_objs>\n";
std::string row_of_slab(const std::string& name, const std::string& slabs) {
  return name + " 64 " + std::to_string(64 * std::stoi(slabs)) + " 64 64 1 : tunables 0 0 0 : slabdata " + slabs + " " + slabs +
         " 0\n";
}

std::vector<Repeat> of_linux() {
  const std::string date = "Thu Nov  5 18:00:00 UTC 2026\n", at = "2026-11-05T18:00:00Z linux; ";
  const std::string slabtop = "  OBJS ACTIVE  USE OBJ SIZE  SLABS OBJ/SLAB CACHE SIZE NAME\n";
  const std::string vmstat = "Cache                       Num  Total   Size  Pages\n";
  return {
      {"caches of control groups",
       kSlabinfoBegins + row_of_slab("dentry", "3") + row_of_slab("dentry(12:system.slice)", "4"),
       {at + "slab_reclaimable 'dentry' 12288 64; slab_reclaimable 'dentry(12:system.slice)' 16384 64"}},
      {"caches of control groups that nothing frees",
       kSlabinfoBegins + row_of_slab("kmalloc-64(1:a)", "3"),
       {at + "slab_unreclaimable 'kmalloc-64(1:a)' 12288 64"}},
      {"the same date twice, with other values",
       kSlabinfoBegins + row_of_slab("leaky", "3") + kSlabinfoBegins + row_of_slab("leaky", "4"),
       {at + "slab_unreclaimable 'leaky' 12288 64"},
       "",
       "slab_unreclaimable \"leaky\" is 16384, but 12288 in line 2"},
      {"a field of meminfo twice",
       date + "MemTotal: 8 kB\nSUnreclaim: 5 kB\nSUnreclaim: 6 kB\n",
       {at + "physical=8192; slab_unreclaimable.bytes=5120"},
       "f:4: \"SUnreclaim\" stands twice in this table; the first one is used"},
      {"meminfo in bytes",
       date + "MemTotal: 8241360896 B\nSUnreclaim: 51200000 B\n",
       {},
       "looks like /proc/meminfo, but its values are of \"B\", where the kernel writes kB"},
      {"vmstat -m with more in use than there is",
       date + vmstat + "leaky 1900 192 64 64\ndentry 250 256 192 21\n",
       {at + "slab_reclaimable 'dentry' 53248 250"},
       "f:3: not a row of vmstat -m"},
      {"vmstat -m with more columns than its heading",
       date + vmstat + "leaky 190 192 64 64 1 1\ndentry 250 256 192 21\n",
       {at + "slab_reclaimable 'dentry' 53248 250"},
       "f:3: not a row of vmstat -m"},
      {"slabtop with more in use than there is",
       date + slabtop + "4096 5000 122% 0.06K 64 64 256K leaky\n336 300 89% 0.19K 16 21 64K dentry\n",
       {at + "slab_reclaimable 'dentry' 65536 300"},
       "f:3: not a row of slabtop"},
      {"slabtop with more columns than its heading",
       date + slabtop + "4096 4000 97% 0.06K 64 64 256K 1 leaky\n336 300 89% 0.19K 16 21 64K dentry\n",
       {at + "slab_reclaimable 'dentry' 65536 300"},
       "f:3: not a row of slabtop"},
      {"slabinfo of pages of 64 KiB",
       kSlabinfoBegins +
           "a 341 682 192 341 1 : tunables 0 0 0 : slabdata 2 2 0\nb 1 128 512 128 1 : tunables 0 0 0 : slabdata 1 1 0\n" +
           "c 1 32 4096 32 2 : tunables 0 0 0 : slabdata 1 1 0\n",
       {at + "slab_unreclaimable 'a' 131072 341; slab_unreclaimable 'b' 65536 1; slab_unreclaimable 'c' 131072 1"},
       "",
       "pages of 65536 bytes are taken"},
      {"slabinfo of pages of 16 KiB",
       kSlabinfoBegins +
           "a 85 170 192 85 1 : tunables 0 0 0 : slabdata 2 2 0\nb 1 32 512 32 1 : tunables 0 0 0 : slabdata 1 1 0\n" +
           "c 1 8 4096 8 2 : tunables 0 0 0 : slabdata 1 1 0\n",
       {at + "slab_unreclaimable 'a' 32768 85; slab_unreclaimable 'b' 16384 1; slab_unreclaimable 'c' 32768 1"},
       "",
       "pages of 16384 bytes are taken"},
      {"vmstat -m with its heading in the middle",
       date + vmstat + "leaky 190 192 64 64\n" + vmstat + "dentry 250 256 192 21\n",
       {at + "slab_reclaimable 'dentry' 53248 250; slab_unreclaimable 'leaky' 12288 190"}},
  };
}

const std::string kTagsBegin = "\"DateTime\",\"Tag\",\"NonPagedUsedBytes\"\n";
std::string row_of_tag(const std::string& day, const std::string& tag, const std::string& bytes) {
  return "\"11/" + day + "/2026 6:00:00 PM\",\"" + tag + "\",\"" + bytes + "\"\n";
}

std::vector<Repeat> of_scripts() {
  const std::string at15 = "2026-11-15T18:00:00Z windows; ", at16 = "2026-11-16T18:00:00Z windows; ";
  const std::string leak = "nonpaged 'Leak' 1024 ?", other = "nonpaged 'Abcd' 512 ?";
  const std::string block = row_of_tag("15", "Leak", "1024") + row_of_tag("15", "Abcd", "512");
  return {
      {"a snapshot twice", kTagsBegin + block + block, {at15 + other + "; " + leak}, "", "an earlier one also has"},
      {"a snapshot twice, with other values",
       kTagsBegin + block + row_of_tag("15", "Leak", "2048") + row_of_tag("15", "Abcd", "512"),
       {at15 + other + "; " + leak},
       "",
       "line 4, 2026-11-15T18:00:00Z: nonpaged \"Leak\" is 2048, but 1024 in line 2"},
      {"a row twice",
       kTagsBegin + row_of_tag("15", "Abcd", "512") + row_of_tag("15", "Leak", "1024") + row_of_tag("15", "Leak", "1024"),
       {at15 + other + "; " + leak}},
      {"a row twice, with other values",
       kTagsBegin + row_of_tag("15", "Abcd", "512") + row_of_tag("15", "Leak", "1024") + row_of_tag("15", "Leak", "2048"),
       {at15 + other + "; " + leak},
       "f:4: nonpaged \"Leak\" is 2048, but 1024 in a row above of the same time, which is used"},
      {"columns in another order from the middle on",
       kTagsBegin + row_of_tag("15", "Leak", "1024") + "\"Tag\",\"NonPagedUsedBytes\",\"DateTime\"\n" +
           "\"Leak\",\"2048\",\"11/16/2026 6:00:00 PM\"\n",
       {at15 + leak, at16 + "nonpaged 'Leak' 2048 ?"}},
      {"another unit from the middle on",
       kTagsBegin + row_of_tag("15", "Leak", "1024") + "\"DateTime\",\"Tag\",\"NonPagedKB\"\n" + row_of_tag("16", "Leak", "2"),
       {at15 + leak, at16 + "nonpaged 'Leak' 2048 ?"}},
      {"a heading from the middle on that begins with a column that nobody knows",
       kTagsBegin + row_of_tag("15", "Leak", "1024") + "\"Remark\",\"DateTime\",\"NonPagedUsedBytes\",\"Tag\"\n" +
           "\"x\",\"11/16/2026 6:00:00 PM\",\"2048\",\"Leak\"\n",
       {at15 + leak, at16 + "nonpaged 'Leak' 2048 ?"}},
      {"K", "\"DateTime\",\"Tag\",\"NonPaged (K)\"\n" + row_of_tag("15", "Leak", "1"), {at15 + leak}},
      {"KiB", "\"DateTime\",\"Tag\",\"NonPaged KiB\"\n" + row_of_tag("15", "Leak", "1"), {at15 + leak}},
      {"kB", "\"DateTime\",\"Tag\",\"NonPaged kB\"\n" + row_of_tag("15", "Leak", "1"), {at15 + leak}},
  };
}

std::string range_answer(const std::vector<std::pair<std::string, std::string>>& series) {
  std::string all;
  for (const auto& [labels, values] : series)
    all +=
        (all.empty() ? "" : ",") + std::string("{\"metric\":{\"instance\":\"a\",") + labels + "},\"values\":[" + values + "]}";
  return "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[" + all + "]}}\n";
}

std::vector<Repeat> of_prometheus() {
  const std::string name = "\"__name__\":\"windows_memory_pool_nonpaged_bytes\",";
  const std::string w = name + "\"job\":\"w\"", x = name + "\"job\":\"x\"";
  const auto point = [](const std::string& minute, const std::string& value) {
    return "[" + std::to_string(1793901600 + 60 * std::stoi(minute)) + ",\"" + value + "\"]";
  };
  const auto line = [](const std::string& clock, const std::string& host, const std::string& value) {
    return "2026-11-05T" + clock + ":00Z@" + host + " windows; nonpaged.bytes=" + value;
  };
  const std::string first = point("0", "100") + "," + point("2", "110");
  return {
      {"a job that got another name",
       range_answer({{w, first}, {x, point("3", "120") + "," + point("4", "130")}}),
       {line("18:00", "a", "100"), line("18:02", "a", "110"), line("18:03", "a", "120"), line("18:04", "a", "130")}},
      {"two jobs that say the same",
       range_answer({{w, first}, {x, first}}),
       {line("18:00", "a", "100"), line("18:02", "a", "110")},
       "",
       "several series of \"a\" tell of the same, as those of two jobs or names do; of each time the first is used"},
      {"two jobs that differ",
       range_answer({{w, first}, {x, point("0", "5") + "," + point("2", "6")}}),
       {line("18:00", "a{job=\"w\"}", "100"), line("18:00", "a{job=\"x\"}", "5"), line("18:02", "a{job=\"w\"}", "110"),
        line("18:02", "a{job=\"x\"}", "6")},
       "",
       "the jobs of \"a\" have different values of the same: each is taken for a host of its own"},
      {"two jobs that take turns",
       range_answer({{w, first}, {x, point("1", "5")}}),
       {line("18:00", "a{job=\"w\"}", "100"), line("18:01", "a{job=\"x\"}", "5"), line("18:02", "a{job=\"w\"}", "110")},
       "",
       "the jobs of \"a\" have different values of the same"},
      {"a metric that got another name, of other values",
       range_answer({{w, first}, {"\"__name__\":\"wmi_memory_pool_nonpaged_bytes\",\"job\":\"w\"", point("0", "7")}}),
       {line("18:00", "a", "100"), line("18:02", "a", "110")},
       "",
       "it contradicts itself, and the first value is used: windows_memory_pool_nonpaged_bytes at 2026-11-05T18:00:00Z is 100 and 7"},
      {"a partial answer",
       "{\"isPartial\":true," + range_answer({{w, point("0", "100")}}).substr(1),
       {line("18:00", "a", "100")},
       "",
       "the server says that its answer is partial"},
      {"two answers in one file",
       range_answer({{w, point("0", "100")}}) + range_answer({{w, point("2", "110")}}),
       {line("18:00", "a", "100"), line("18:02", "a", "110")}},
  };
}

class HistoryOfRepeats : public testing::TestWithParam<Repeat> {};

TEST_P(HistoryOfRepeats, CountsOnceUnderTheHeadingInForce) {
  const Repeat& repeat = GetParam();
  test::MemoryFiles files;
  files.put("f", repeat.text);
  files.set_modified(99);
  auto source = open_history(files, {"f"}, {.all_hosts = true});
  std::vector<std::string> lines, warnings;
  std::string said = source ? "" : source.error().message;
  if (source) {
    Snapshot snapshot;
    do {
      ASSERT_TRUE((*source)->read(snapshot).ok());
      lines.push_back(line_of(snapshot, (*source)->host()));
    } while ((*source)->advance());
    if (const auto skipped = (*source)->skipped(); !skipped.empty())
      said = skipped[0].file + ":" + std::to_string(skipped[0].line) + ": " + skipped[0].reason;
    warnings = (*source)->warnings();
  }
  EXPECT_THAT(lines, ElementsAreArray(repeat.wanted));
  EXPECT_THAT(said, HasSubstr(repeat.said));
  EXPECT_EQ(said.empty(), repeat.said.empty()) << said;
  if (!repeat.assumed.empty()) { EXPECT_THAT(warnings, Contains(HasSubstr(repeat.assumed))); }
}

INSTANTIATE_TEST_SUITE_P(Sadf, HistoryOfRepeats, testing::ValuesIn(of_sadf()));
INSTANTIATE_TEST_SUITE_P(SadfJson, HistoryOfRepeats, testing::ValuesIn(of_sadf_json()));
INSTANTIATE_TEST_SUITE_P(Debuggers, HistoryOfRepeats, testing::ValuesIn(of_debuggers()));
INSTANTIATE_TEST_SUITE_P(Linux, HistoryOfRepeats, testing::ValuesIn(of_linux()));
INSTANTIATE_TEST_SUITE_P(Scripts, HistoryOfRepeats, testing::ValuesIn(of_scripts()));
INSTANTIATE_TEST_SUITE_P(Prometheus, HistoryOfRepeats, testing::ValuesIn(of_prometheus()));

// A working set has whole pages of bytes.
TEST(Repeats, ATableOfProcessesInAnotherUnitIsDoubted) {
  const auto doubts = [](std::uint64_t unit) {
    std::string text =
        "Process ID         Proc.Name Wrkng.Set PagedPool  NonPgdPl  Pagefile    Commit   Handles   Threads\n"
        "!LogType=memsnap\n!SystemTime=11\\05\\2026 18:00:00.0000 (GMT)\n!TickCount=3600000\n";
    for (std::uint64_t i = 1; i <= 5; ++i)
      text +=
          "0000010" + std::to_string(i) + "  svc.exe  " + std::to_string(i * 40960 / unit) + "  30000  24166  0  0  20  1\n";
    const test::WholeHistory whole = test::read_text(text);
    EXPECT_EQ(whole.snapshots.size(), 1U);
    return whole.warnings;
  };
  EXPECT_THAT(doubts(1), testing::IsEmpty());
  EXPECT_THAT(doubts(1024), testing::ElementsAre(HasSubstr("no working set here is a whole number of pages of 4096")));
}

}  // namespace
}  // namespace kmem::history
