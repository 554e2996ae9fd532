// More of what people post, cut, translated, quoted and converted, each with the values that a hand takes from it.
#include <gmock/gmock.h>

#include "tests/collectors/history/read_history.h"

namespace kmem::history {
namespace {

using test::line_of;
using test::utf16;
using testing::ElementsAreArray;
using testing::HasSubstr;

struct Shape {
  std::string name;
  std::string text;
  std::vector<std::string> wanted;  // line_of() each snapshot
  std::string said = {};            // in the error or the first piece that was passed over; else nothing is said
  std::string path = "f";
};
void PrintTo(const Shape& shape, std::ostream* out) { *out << shape.name; }

const std::string kTable =
    " Tag  Type     Allocs            Frees            Diff   Bytes      Per Alloc\n"
    " Leak Nonp       1060 (  60)        60 (   0)     1000   1024000 (  6144)   1024\n";
const std::string kLeak = "nonpaged 'Leak' 1024000 1000 32 1060 60";
const std::string kAt18 = "2026-11-05T18:00:00Z windows; " + kLeak, kAt17 = "2026-11-05T17:00:00Z windows; " + kLeak;
const std::string kMemsnap =
    "Process ID         Proc.Name Wrkng.Set PagedPool  NonPgdPl  Pagefile    Commit   Handles   Threads\n";
const std::string kMemsnapAt = "!LogType=memsnap\n!SystemTime=11\\05\\2026 18:00:00.0000 (GMT)\n!TickCount=3600000\n";
const std::string kSql = "000001A8        sqlservr.exe1437696000     90000     12000   3000000   3000000      2259        12\n";
const std::string kMemsnapLine = "2026-11-05T18:00:00Z windows boot=2026-11-05T17:00:00Z; sqlservr.exe (424) 2259 90000 12000";
const std::string kSlabtop =
    " Active / Total Objects (% used)    : 4900 / 5000 (98.0%)\n Active / Total Slabs (% used)      : 80 / 80 (100.0%)\n"
    " Active / Total Caches (% used)     : 2 / 2 (100.0%)\n Active / Total Size (% used)       : 320.00K / 322.00K (99.4%)\n"
    " Minimum / Average / Maximum Object : 0.06K / 0.06K / 0.19K\n\n"
    "  OBJS ACTIVE  USE OBJ SIZE  SLABS OBJ/SLAB CACHE SIZE NAME\n"
    "  4096   4000  97%    0.06K     64       64       256K leaky_cache\n"
    "   336    300  89%    0.19K     16       21        64K dentry\n";
const std::string kSlabtopLine = "slab_reclaimable 'dentry' 65536 300; slab_unreclaimable 'leaky_cache' 262144 4000";

std::string utf16be(const std::string& text) {
  std::string wide = "\xfe\xff";
  for (const char c : text) wide.append({'\0', c});
  return wide;
}
std::string with_ends(std::string text, const std::string& end) {
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += end.size()) text.replace(at, 1, end);
  return text;
}
std::string mail(const std::string& text, const std::string& mark) {
  return mark + with_ends(text.substr(0, text.size() - 1), "\n" + mark) + "\n";
}

std::vector<Shape> dates() {
  std::vector<Shape> all;
  const auto at18 = [&](const std::string& date) { all.push_back({date, date + "\n" + kTable, {kAt18}}); };
  at18("Donnerstag, 5. November 2026 18:00:00");
  at18("jeudi 5 novembre 2026 18:00:00");
  at18("jueves, 5 de noviembre de 2026 18:00:00");
  at18("quinta-feira, 5 de novembro de 2026 18:00:00");
  at18("gioved\xc3\xac 5 novembre 2026 18:00:00");
  at18("donderdag 5 november 2026 18:00:00");
  at18("czwartek, 5 listopada 2026 18:00:00");
  at18("5 \xd0\xbd\xd0\xbe\xd1\x8f\xd0\xb1\xd1\x80\xd1\x8f 2026 \xd0\xb3. 18:00:00");
  at18(
      "2026\xe5\xb9\xb4"
      "11\xe6\x9c\x88"
      "5\xe6\x97\xa5 18:00:00");
  at18("Thu Nov  5 18:00:00 UTC 2026");
  at18("Thu, 05 Nov 2026 18:00:00 +0000");
  at18("### 2026-11-05T18:00:00Z ###");
  at18("[2026-11-05 18:00:00,000] INFO poolmon");
  return all;
}

std::vector<Shape> shapes() {
  std::vector<Shape> all = {
      {"memsnap in UTF-16 with CRLF", utf16(with_ends(kMemsnap + kMemsnapAt + kSql, "\r\n")), {kMemsnapLine}},
      {"memsnap in UTF-16BE", utf16be(kMemsnap + kMemsnapAt + kSql), {kMemsnapLine}},
      {"memsnap without its header", kMemsnapAt + kSql, {}, "f:4: "},
      {"memsnap cut in a row that touches",
       kMemsnap + kMemsnapAt + kSql + "000001B0        sqlwritr.exe1437696000     900",
       {kMemsnapLine},
       "f:6: the process has not the 7 numbers of the header"},
      {"poolmon in a mail", mail("2026-11-05 18:00:00Z\n" + kTable, "> "), {kAt18}},
      {"poolmon in a mail of a mail", mail("2026-11-05 18:00:00Z\n" + kTable, ">> "), {kAt18}},
      {"poolmon between fences", "```\n2026-11-05 18:00:00Z\n" + kTable + "```\n", {kAt18}},
      {"poolmon with lone CR", with_ends("2026-11-05 18:00:00Z\n" + kTable, "\r"), {kAt18}},
      {"poolmon with tabs",
       "2026-11-05 18:00:00Z\nTag\tType\tAllocs\tFrees\tDiff\tBytes\tPer Alloc\nLeak\tNonp\t1060\t60\t1000\t1024000\t1024\n",
       {kAt18}},
      {"poolmon with colours",
       "2026-11-05 18:00:00Z\n" + kTable.substr(0, kTable.find('\n') + 1) +
           "\x1b[31m Leak Nonp       1060 (  60)        60 (   0)     1000   1024000 (  6144)   1024\x1b[0m\n",
       {kAt18}},
      {"poolmon with points between thousands",
       "2026-11-05 18:00:00Z\n" + kTable.substr(0, kTable.find('\n') + 1) + " Leak Nonp 1.060 60 1.000 1.024.000 1.024\n",
       {kAt18}},
      {"poolmon cut within its last number",
       "2026-11-05 18:00:00Z\n" + kTable + "2026-11-05 19:00:00Z\n" + kTable.substr(0, kTable.size() - 8),
       {kAt18},
       "f:6: the row ends before Per Alloc"},
      {"poolmon by a zone's name", "2026-11-05 18:00:00 W. Europe Standard Time\n" + kTable, {kAt17}},
      {"poolmon named by its file", kTable, {kAt18}, {}, "poolmon_2026-11-05_18-00-00.txt"},
      {"two dates of one table", "2026-11-05 18:00:00Z\n" + kTable + "2026-11-05 19:00:00Z\n", {kAt18}},
      {"!vm of today in UTF-16BE",
       utf16be(
           "Debug session time: Thu Nov  5 18:00:00.000 2026 (UTC + 0:00)\nNonPagedPool Usage:            250 (      1000 Kb)\n"
           "NonPagedPoolNx Usage:        50000 (    200000 Kb)\nPagedPool Usage:             25000 (    100000 Kb)\n"),
       {"2026-11-05T18:00:00Z windows; nonpaged.bytes=205824000; paged.bytes=102400000"}},
      {"!vm whose executable part is torn",
       "2026-11-05 18:00:00Z\nNonPagedPool Usage:            250 (      10\nNonPagedPoolNx Usage:        50000 (    200000 Kb)\n"
       "PagedPool Usage:             25000 (    100000 Kb)\n",
       {"2026-11-05T18:00:00Z windows; paged.bytes=102400000"},
       "f:2: not a number of pages, and of Kb in brackets"},
      {"!poolused by paged use",
       "2026-11-05 18:00:00Z\n Sorting by Paged Pool Consumed\n\n               NonPaged                  Paged\n"
       " Tag     Allocs         Used     Allocs         Used\n CM31         0            0       5000     20480000\t\tConfiguration "
       "Manager\n Leak      1000      1024000          0            0\nTOTAL      1000      1024000       5000     20480000\n",
       {"2026-11-05T18:00:00Z windows; nonpaged 'Leak' 1024000 1000; paged 'CM31' 20480000 5000"}},
      {"!poolused verbose, cut in its second group",
       "2026-11-05 18:00:00Z\n            NonPaged                              Paged\n"
       " Tag    Allocs    Frees     Diff     Used   Allocs    Frees     Diff     Used\n"
       " Leak    91000    90000     1000  1024000        0        0        0        0\n"
       " CM31        0        0        0        0    80000    700",
       {"2026-11-05T18:00:00Z windows; nonpaged 'Leak' 1024000 1000 32 91000 90000"},
       "f:5: "},
      {"slabtop", "Thu Nov  5 18:00:00 UTC 2026\n" + kSlabtop, {"2026-11-05T18:00:00Z linux; " + kSlabtopLine}},
      {"slabtop in a mail",
       mail("Thu Nov  5 18:00:00 UTC 2026\n" + kSlabtop, "> "),
       {"2026-11-05T18:00:00Z linux; " + kSlabtopLine}},
      {"slabtop without a time", kSlabtop + kSlabtop, {}, "looks like slabtop without times"},
      {"vmstat -m with its heading twice",
       "2026-11-05 18:00:00\nCache                       Num  Total   Size  Pages\nleaky_cache                4000   4096     64     64\n"
       "Cache                       Num  Total   Size  Pages\ndentry                      300    336    192     21\n",
       {"2026-11-05T18:00:00Z linux; slab_reclaimable 'dentry' 65536 300; slab_unreclaimable 'leaky_cache' 262144 4000"}},
      {"vmstat -m without its heading",
       "2026-11-05 18:00:00\nSUnreclaim: 5 kB\n2026-11-05 19:00:00\nleaky_cache                4000   4096     64     64\n",
       {"2026-11-05T18:00:00Z linux; slab_unreclaimable.bytes=5120"},
       "f:4: numbers behind a name, but no table's heading above them; such rows are passed over"},
      {"meminfo in a mail",
       mail(
           "Thu Nov  5 18:00:00 UTC 2026\nMemTotal:       16000000 kB\nMemAvailable:    4000000 kB\nSReclaimable:     100000 kB\n"
           "SUnreclaim:       200000 kB\n",
           "> "),
       {"2026-11-05T18:00:00Z linux; available=4096000000; physical=16384000000; slab_reclaimable.bytes=102400000; "
        "slab_unreclaimable.bytes=204800000"}},
      {"sadf -j",
       R"({"sysstat": {"hosts": [{"nodename": "web1", "sysname": "Linux", "timezone": "UTC", "statistics": [
{"timestamp": {"date": "2026-11-05", "time": "18:00:00", "utc": 1, "interval": 600}, "memory": {"memfree": 1, "avail": 2000, "commit": 3000, "commit-percent": 1.5, "slab": 400, "kstack": 50, "pgtbl": 60, "vmused": 70}},
{"timestamp": {"date": "2026-11-05", "time": "18:10:00", "utc": 1, "interval": 600}, "memory": {"memfree": 1, "avail": 2000, "commit": 3000, "slab": 401}}
], "restarts": [{"boot": {"date": "2026-11-05", "time": "12:00:00", "utc": 1}}]}]}})",
       {"2026-11-05T18:00:00Z@web1 linux boot=2026-11-05T12:00:00Z; slab_unreclaimable 'kbslab' 409600 ?; available=2048000; "
        "commit=3072000; vmalloc.bytes=71680",
        "2026-11-05T18:10:00Z@web1 linux boot=2026-11-05T12:00:00Z; slab_unreclaimable 'kbslab' 410624 ?; available=2048000; "
        "commit=3072000"}},
      {"typeperf in German",
       "\n\"(PDH-CSV 4.0) (Mitteleurop\xc3\xa4ische Zeit)(-60)\",\"\\\\SRV\\Arbeitsspeicher\\Nicht-Auslagerungsseiten (Bytes)\","
       "\"\\\\SRV\\Arbeitsspeicher\\Auslagerungsseiten (Bytes)\"\n\"11/05/2026 19:00:00.123\",\"123456.000000\",\"654321.000000\"\n",
       {"2026-11-05T18:00:00.123Z@SRV windows; nonpaged.bytes=123456; paged.bytes=654321"}},
      {"typeperf in French, with its last words",
       "\n\"(PDH-CSV 4.0) (Paris, Madrid)(-60)\",\"\\\\SRV\\M\xc3\xa9moire\\Octets de r\xc3\xa9serve non pagin\xc3\xa9"
       "e\"\n"
       "\"11/05/2026 19:00:00.000\",\"123456.000000\"\n\nLa commande s'est termin\xc3\xa9"
       "e correctement.\n",
       {"2026-11-05T18:00:00Z@SRV windows; nonpaged.bytes=123456"}},
      {"perfmon with tabs and decimal commas",
       "\"(PDH-TSV 4.0) (UTC)(0)\"\t\"\\\\SRV\\Memory\\Pool Nonpaged Bytes\"\n\"11/05/2026 18:00:00.000\"\t\"123456,000\"\n",
       {"2026-11-05T18:00:00Z@SRV windows; nonpaged.bytes=123456"}},
      {"Get-Counter by Export-Csv -UseCulture",
       "#TYPE Microsoft.PowerShell.Commands.GetCounter.PerformanceCounterSample\r\n\"Path\";\"InstanceName\";\"CookedValue\";\"Status\";"
       "\"Timestamp\"\r\n\"\\\\srv\\memory\\pool nonpaged bytes\";;\"123456\";\"0\";\"05.11.2026 18:00:00\"\r\n"
       "\"\\\\srv\\memory\\pool paged bytes\";;\"654321\";\"0\";\"05.11.2026 18:00:00\"\r\n",
       {"2026-11-05T18:00:00Z@srv windows; nonpaged.bytes=123456; paged.bytes=654321"}},
      {"Get-Counter on the console",
       "\nTimestamp                 CounterSamples\n---------                 --------------\n"
       "11/13/2026 6:00:00 PM     \\\\srv\\memory\\pool nonpaged bytes :\n                          123456\n\n",
       {},
       "Get-Counter"},
      {"pool tags by Export-Csv, a spreadsheet's way",
       "\xef\xbb\xbfsep=;\r\nDateTime;Tag;Type;Bytes\r\n13.11.2026 18:00;Leak;Nonp;1024000\r\n",
       {"2026-11-13T18:00:00Z windows; nonpaged 'Leak' 1024000 ?"}},
      {"CSV with a mark, quotes and semicolons",
       "\xef\xbb\xbf\"timestamp\";\"pool\";\"tag\";\"bytes\"\r\n\"2026-11-05T18:00:00Z\";\"nonpaged\";\"Leak\";\"1024000\"\r\n",
       {"2026-11-05T18:00:00Z windows; nonpaged 'Leak' 1024000 ?"}},
      {"CSV with a spreadsheet's separator line",
       "sep=,\ntimestamp,pool,tag,bytes\n2026-11-05T18:00:00Z,nonpaged,Leak,1024000\n",
       {"2026-11-05T18:00:00Z windows; nonpaged 'Leak' 1024000 ?"}},
      {"CSV cut within a quoted cell",
       "timestamp,pool,tag,bytes\n2026-11-05T18:00:00Z,nonpaged,Leak,1024000\n2026-11-05T19:00:00Z,nonpaged,\"Le",
       {"2026-11-05T18:00:00Z windows; nonpaged 'Leak' 1024000 ?"},
       "f:3: "},
      {"promtool's dump, cut",
       "{__name__=\"kmem_pool_tag_bytes\", instance=\"s\", pool=\"nonpaged\", tag=\"Leak\"} 1024000 1793901600000\n"
       "{__name__=\"kmem_pool_tag_bytes\", instance=\"s\", pool=\"nonpaged\", tag=\"Le",
       {"2026-11-05T18:00:00Z@s windows; nonpaged 'Leak' 1024000 ?"},
       "f:2: "},
      {"an instant answer of Prometheus",
       R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"node_memory_SUnreclaim_bytes","instance":"a:9100"},"value":[1793901600,"204800"]}]}})",
       {"2026-11-05T18:00:00Z@a:9100 linux; slab_unreclaimable.bytes=204800"}},
      {"an answer of Prometheus, cut",
       R"({"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"node_memory_SUnreclaim_bytes","instance":"a"},"values":[[1793901600,"204800"],[17939)",
       {"2026-11-05T18:00:00Z@a linux; slab_unreclaimable.bytes=204800"},
       "no JSON from here on"},
      {"processes by Export-Csv",
       "\"Name\",\"Id\",\"Handles\",\"NPM\",\"PM\"\n\"svc\",\"420\",\"2059\",\"24166\",\"30000\"\n",
       {},
       "f: "},
      {"a panel's CSV of Grafana",
       "\"Time\",\"nonpaged\"\n2026-11-05 18:00:00,204800\n",
       {},
       "looks like the CSV of a panel of Grafana"},
      {"pool tags on PowerShell's screen",
       "DateTime            Tag  PagedUsedBytes NonPagedUsedBytes\n--------            ---  -------------- -----------------\n"
       "2026-11-05 18:00:00 Leak              0           1024000\n",
       {},
       "looks like what PowerShell shows on the screen"},
      {"a packed file", std::string("\x1f\x8b\x08\x00\x00\x00\x00\x00", 8), {}, "compressed; unpack it first"},
      {"a zip", "PK\x03\x04\x14", {}, "zip"},
  };
  for (Shape& one : dates()) all.push_back(std::move(one));
  return all;
}

class HistoryOfShape : public testing::TestWithParam<Shape> {};

TEST_P(HistoryOfShape, IsWhatAHandTakesFromIt) {
  const Shape& shape = GetParam();
  test::MemoryFiles files;
  files.put(shape.path, shape.text);
  files.set_modified(99);
  auto source = open_history(files, {shape.path}, {.all_hosts = true});
  std::vector<std::string> lines;
  std::string said = source ? "" : source.error().message;
  if (source) {
    Snapshot snapshot;
    do {
      ASSERT_TRUE((*source)->read(snapshot).ok());
      lines.push_back(line_of(snapshot, (*source)->host()));
    } while ((*source)->advance());
    for (const Skipped& one : (*source)->skipped()) {
      said = one.file + ":" + std::to_string(one.line) + ": " + one.reason;
      break;
    }
  }
  EXPECT_THAT(lines, ElementsAreArray(shape.wanted));
  if (shape.said.empty()) EXPECT_EQ(said, "");
  else EXPECT_THAT(said, HasSubstr(shape.said));
}

INSTANTIATE_TEST_SUITE_P(Posted, HistoryOfShape, testing::ValuesIn(shapes()));

}  // namespace
}  // namespace kmem::history
