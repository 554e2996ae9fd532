// Files in the shapes that people have, each with a fault: what is read of it, and what is said.
#include <gmock/gmock.h>

#include "collectors/base/time_words.h"
#include "tests/collectors/history/read_history.h"

namespace kmem::history {
namespace {

struct Fault {
  std::string name;
  std::string text;
  std::vector<std::string> values;  // "time pool tag bytes" or "time pool bytes", in the file's order
  std::string said;                 // in the error, or the first thing that was passed over; else nothing is said
};
void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

const std::string kHead = " Tag  Type Allocs Frees Diff Bytes Per Alloc\n";
const std::string kFaultTable = kHead + " Leak Nonp 9 1 8 900 112\n";
const std::string kCsv = "timestamp,pool,tag,bytes\n";
const std::string kRow = "2026-11-13T10:00:00Z,nonpaged,Leak,900\n";
const std::string kScript = "DateTime,Tag,PagedUsedBytes,NonPagedUsedBytes\n";
const std::string kCounts = "timestamp,pool,tag,bytes,allocs,frees\n";
const std::string kLeakAt = " nonpaged Leak 900";

const std::string kPoolused = "   NonPaged   Paged\n Tag Allocs Used Allocs Used\n";
const std::string kSar = "Linux 6.1.0 (h) \t2026-11-05 \t_x86_64_\t(2 CPU)\n12:00:01 AM kbmemfree kbmemused kbslab kbvmused\n";
const std::string kSadf = "# hostname;interval;timestamp;kbmemused;kbvmused\n";
const std::string kSadfJson =
    R"({"sysstat":{"hosts":[{"nodename":"h","statistics":[{"timestamp":{"date":"2026-11-05","time":"00:10:01","utc":1},"memory":{"vmused":16000},"x":[)";
const std::string kVmstat = "Cache Num Total Size Pages\n",
                  kSlabtop = "  OBJS ACTIVE  USE OBJ SIZE  SLABS OBJ/SLAB CACHE SIZE NAME\n";
const std::string kAllocinfo = "allocinfo - version: 1.0\n", kSlabinfo = "slabinfo - version: 2.1\n# name <active_objs>\n";
const std::string kSlabNumbers = " 42 42 192 21 1 : tunables 0 0 0 : slabdata 2 2 0",
                  kArea = "0xffffc90000000000-0xffffc90000003000 12288 ",
                  kSecondArea = "0xffffc90000004000-0xffffc90000006000 8192 ",
                  kThirdArea = "0xffffc90000008000-0xffffc9000000a000 8192 ";
std::string poolused(const std::string& bytes) { return kPoolused + " Leak 9 " + bytes + " 0 0\n"; }

std::string quoted(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
    out += "> " + text.substr(at, text.find('\n', at) + 1 - at);
  return out;
}
std::string pdh(const std::string& zone, const std::string& counters, const std::vector<std::string>& rows) {
  std::string text = "\"(PDH-CSV 4.0) " + zone + "\"," + counters + "\n";
  for (const std::string& row : rows) text += row + "\n";
  return text;
}

std::vector<Fault> faults() {
  const std::string at18 = "2026-11-05T18:00:00Z" + kLeakAt, at19 = "2026-11-05T19:00:00Z" + kLeakAt;
  const std::string ten = "2026-11-13T10:00:00Z" + kLeakAt;
  std::vector<Fault> all = {
      {"no Diff",
       "2026-11-05 18:00Z\n Tag  Type Allocs Frees Bytes Per Alloc\n Leak Nonp 9 1 900 112\n",
       {},
       "f:2: the columns are not Tag, Type, Allocs, Frees, Diff, Bytes: Diff is missing"},
      {"Bytes first",
       "2026-11-05 18:00Z\n Tag  Type Bytes Allocs Frees Diff Per Alloc\n Leak Nonp 900 9 1 8 112\n",
       {},
       "f:2: the columns are not Tag, Type, Allocs, Frees, Diff, Bytes: Bytes stands elsewhere"},
      {"one more column", "2026-11-05 18:00Z\n" + kHead + " Leak Nonp 9 1 8 900 112 [leak.sys]\n", {at18}, ""},
      {"two headers", "2026-11-05 18:00Z\n" + kHead + kFaultTable, {at18}, ""},
      {"OSWatcher",
       "zzz ***Thu Nov 5 18:00:00 UTC 2026\n" + kFaultTable + "zzz ***Thu Nov 5 19:00:00 UTC 2026\n" + kFaultTable,
       {at18, at19},
       ""},
      {"Unix seconds",
       "1793901600\n" + kFaultTable + "1793905200.5\n" + kFaultTable,
       {at18, "2026-11-05T19:00:00Z" + kLeakAt},
       ""},
      {"a number between rows", "2026-11-05 18:00Z\n" + kFaultTable + "1234567890\n", {at18}, "f:4: not a row of this table"},
      {"Korean",
       "2026년 11월 5일 오후 6:00\n" + kFaultTable + "2026년 11월 5일 목요일 오후 7:00:00\n" + kFaultTable,
       {at18, at19},
       ""},
      {"Japanese in parts", "2026年 11月 5日 18:00\n" + kFaultTable, {at18}, ""},
      {"runs", "Run 1 of 5 - 2026-11-05 18:00\n" + kFaultTable + "Run 2/5: 2026-11-05 19:00\n" + kFaultTable, {at18, at19}, ""},
      {"taken at", "Snapshot taken at 2026-11-05 18:00:00\n" + kFaultTable, {at18}, ""},
      {"wmic", "LocalDateTime=20261105190000.000000+060\n" + kFaultTable, {at18}, ""},
      {"quoted CSV", quoted(kCsv + kRow), {ten}, ""},
      {"quoted twice", quoted(quoted(kCsv + kRow)), {ten}, ""},
      {"a mail's words above", "From: a@b.c\n\n> Hello,\n> \n" + quoted(kCsv + kRow), {ten}, ""},
      {"fenced", "Here:\n\n```csv\n" + kCsv + kRow + "```\n", {ten}, ""},
      {"bars",
       "| timestamp | pool | tag | bytes |\n|:--|--|--|--:|\n| 2026-11-13T10:00:00Z | nonpaged | `Leak` | 900 |\n",
       {ten},
       ""},
      {"bars without times are poolmon's",
       "2026-11-05 18:00Z\n\n| Tag | Type | Allocs | Frees | Diff | Bytes | Per Alloc |\n|---|---|---|---|---|---|---|\n| Leak | Nonp | 9 | 1 | 8 | 900 | 112 |\n",
       {at18},
       ""},
      {"quoted script", quoted(kScript + "2026-11-13 10:00,Leak,0,900\n"), {"2026-11-13T10:00:00Z nonpaged Leak 900"}, ""},
      {"quoted day first", quoted(kScript + "13/11/2026 10:00,Leak,0,900\n"), {"2026-11-13T10:00:00Z nonpaged Leak 900"}, ""},
      {"quoted perfmon",
       quoted(pdh("(UTC)(0)", "\"\\\\H\\Memory\\Pool Nonpaged Bytes\"", {"\"11/13/2026 10:00:00.000\",\"5\""})),
       {"2026-11-13T10:00:00Z nonpaged 5"},
       ""},
      {"no bytes", "timestamp,pool,tag\n2026-11-13T10:00:00Z,nonpaged,Leak\n", {}, "f:1: no column bytes"},
      {"empty cells", kCsv + "2026-11-13T10:00:00Z,nonpaged,Huh,\n" + kRow, {ten}, "f:2: bytes is empty"},
      {"torn", kCsv + kRow + "2026-11-13T10:00:00Z,nonpaged,Hu", {ten}, "f:3: 3 fields where the header has 4"},
      {"torn within its last number",
       kCsv + "2026-11-13T09:00:00Z,nonpaged,Leak,9000\n" + "2026-11-13T10:00:00Z,nonpaged,Leak,90",
       {"2026-11-13T09:00:00Z nonpaged Leak 9000"},
       "f:3: the file ends within this row"},
      {"torn in a shorter table",
       kCsv +
           "2026-11-13T09:00:00Z,nonpaged,A,9\n2026-11-13T09:00:00Z,nonpaged,B,9\n2026-11-13T09:00:00Z,nonpaged,C,9\n2026-11-13T10:00:00Z,nonpaged,Leak,900\n2026-11-13T10:00:00Z,nonpaged,A,9",
       {"2026-11-13T09:00:00Z nonpaged A 9", "2026-11-13T09:00:00Z nonpaged B 9", "2026-11-13T09:00:00Z nonpaged C 9", ten},
       "f:6: the file ends within this row"},
      {"whole without a last end of line",
       kCsv + "2026-11-13T09:00:00Z,nonpaged,Leak,900\n2026-11-13T10:00:00Z,nonpaged,Leak,900",
       {"2026-11-13T09:00:00Z" + kLeakAt, ten},
       ""},
      {"torn within a cache's name",
       "2026-11-13 09:00Z\nCache Num Total Size Pages\ndentry 1 42 192 21\nfiles 1 10 512 5\nx 1 10 512 5\n2026-11-13 10:00Z\nCache Num Total Size Pages\ndentry 1 42 192 21\nfiles 1 10 512 1",
       {"2026-11-13T09:00:00Z slab_reclaimable dentry 8192", "2026-11-13T09:00:00Z slab_unreclaimable files 8192",
        "2026-11-13T09:00:00Z slab_unreclaimable x 8192", "2026-11-13T10:00:00Z slab_reclaimable dentry 8192"},
       "f:9: not a row of vmstat -m"},
      {"two headers of CSV", kCsv + kCsv + kRow, {ten}, ""},
      {"other order", "bytes,tag,pool,timestamp\n900,Leak,nonpaged,2026-11-13T10:00:00Z\n", {ten}, ""},
      {"host and instance",
       "timestamp,instance,host,pool,tag,bytes\n2026-11-13T10:00:00Z,a:9182,a,nonpaged,Leak,900\n",
       {ten},
       ""},
      {"trailing commas", "DateTime,Tag,PagedUsedBytes,NonPagedUsedBytes,\n2026-11-13 10:00,Leak,0,900,\n", {ten}, ""},
      {"perfmon, a column short",
       pdh("(UTC)(0)", "\"\\\\H\\Memory\\Pool Nonpaged Bytes\",\"\\\\H\\Memory\\Pool Paged Bytes\"",
           {"\"11/13/2026 10:00:00.000\",\"5\"", "\"11/13/2026 11:00:00.000\",\"5\",\"6\""}),
       {"2026-11-13T11:00:00Z nonpaged 5", "2026-11-13T11:00:00Z paged 6"},
       "f:2: 2 fields where the header has 3"},
      {"Japanese code page",
       "\"(PDH-CSV 4.0) (UTC)(0)\",\"\\\\S\\\x83\x81\x83\x82\x83\x8a\\\x94\xf1\x83y\x81[\x83W \x83v\x81[\x83\x8b \x83o\x83"
       "C\x83g\x90\x94\",\"\\\\S\\\x83\x81\x83\x82\x83\x8a\\\x83y\x81[\x83W \x83v\x81[\x83\x8b \x83o\x83"
       "C\x83g\x90\x94\"\n\"11/13/2026 10:00:00.000\",\"5\",\"6\"\n",
       {"2026-11-13T10:00:00Z nonpaged 5", "2026-11-13T10:00:00Z paged 6"},
       ""},
      {"OSWatcher on Linux",
       "zzz ***Thu Nov 5 18:00:00 UTC 2026\nMemTotal: 1000 kB\nSUnreclaim: 64 kB\n",
       {"2026-11-05T18:00:00Z slab_unreclaimable 65536"},
       ""},
      {"an answer without names",
       R"({"status":"success","data":{"resultType":"matrix","result":[{"metric":{"pool":"nonpaged"},"values":[[1793901600,"5"]]}]}})",
       {},
       "without series of kernel memory: a series without a metric's name"},
      // What a file's end without an end of the line may have cut.
      {"script's last number cut",
       kScript + "2026-11-13 10:00,Leak,16,900\n2026-11-13 11:00,Leak,16,90",
       {ten, "2026-11-13T10:00:00Z paged Leak 16", "2026-11-13T11:00:00Z paged Leak 16"},
       "f:3: the file ends within this row"},
      {"frees cut",
       kCounts + "2026-11-13T09:00:00Z,nonpaged,Leak,900,5000,4000\n2026-11-13T10:00:00Z,nonpaged,Leak,900,6000,50",
       {"2026-11-13T09:00:00Z" + kLeakAt},
       "f:3: the file ends within this row"},
      {"frees that fell alone",
       kCounts + "2026-11-13T09:00:00Z,nonpaged,Leak,900,5000,4000\n2026-11-13T10:00:00Z,nonpaged,Leak,900,6000,3999",
       {"2026-11-13T09:00:00Z" + kLeakAt},
       "f:3: the file ends within this row"},
      {"frees whole without an end",
       kCounts + "2026-11-13T09:00:00Z,nonpaged,Leak,900,5000,4000\n2026-11-13T10:00:00Z,nonpaged,Leak,900,6000,5000",
       {"2026-11-13T09:00:00Z" + kLeakAt, ten},
       ""},
      {"bytes fell, and frees are whole",
       kCounts + "2026-11-13T09:00:00Z,nonpaged,Leak,9000,5000,4000\n2026-11-13T10:00:00Z,nonpaged,Leak,900,6000,5000",
       {"2026-11-13T09:00:00Z nonpaged Leak 9000", ten},
       ""},
      {"allocs cut",
       "timestamp,pool,tag,bytes,frees,allocs\n2026-11-13T09:00:00Z,nonpaged,Leak,900,4000,5000\n2026-11-13T10:00:00Z,nonpaged,Leak,900,5000,60",
       {"2026-11-13T09:00:00Z" + kLeakAt},
       "f:3: the file ends within this row"},
      {"tag cut",
       "pool,bytes,timestamp,tag\nnonpaged,900,2026-11-13T09:00:00Z,Leak\nnonpaged,900,2026-11-13T10:00:00Z,Le",
       {"2026-11-13T09:00:00Z" + kLeakAt},
       "f:3: the file ends within this row"},
      {"tag cut off",
       "pool,bytes,timestamp,tag\nnonpaged,900,2026-11-13T09:00:00Z,Leak\nnonpaged,900,2026-11-13T10:00:00Z,",
       {"2026-11-13T09:00:00Z" + kLeakAt},
       "f:3: the file ends within this row"},
      {"tag whole without an end",
       "pool,bytes,timestamp,tag\nnonpaged,900,2026-11-13T09:00:00Z,Leak\nnonpaged,900,2026-11-13T10:00:00Z,Leak",
       {"2026-11-13T09:00:00Z" + kLeakAt, ten},
       ""},
      {"a new tag in quotes",
       "pool,bytes,timestamp,tag\nnonpaged,900,2026-11-13T09:00:00Z,Leak\nnonpaged,900,2026-11-13T10:00:00Z,\"New\"",
       {"2026-11-13T09:00:00Z" + kLeakAt, "2026-11-13T10:00:00Z nonpaged New 900"},
       ""},
      {"zone cut",
       "bytes,pool,tag,timestamp\n900,nonpaged,Leak,2026-11-13T11:00:00+02:00\n900,nonpaged,Leak,2026-11-13T12:00:00",
       {"2026-11-13T09:00:00Z" + kLeakAt},
       "f:3: the file ends within this row"},
      {"total cut",
       kCsv + "2026-11-13T09:00:00Z,nonpaged,,9000\n2026-11-13T10:00:00Z,nonpaged,,90",
       {"2026-11-13T09:00:00Z nonpaged 9000"},
       "f:3: the file ends within this row"},
      {"host cut",
       "timestamp,pool,tag,bytes,host\n2026-11-13T10:00:00Z,nonpaged,Leak,900,srv01\n2026-11-13T11:00:00Z,nonpaged,Leak,900,srv",
       {ten},
       "f:3: the file ends within this row"},
      {"script's host cut",
       "Tag,DateTime,NonPagedUsedBytes,ComputerName\nLeak,2026-11-13 09:00,900,SRV1\nLeak,2026-11-13 10:00,900,SR",
       {"2026-11-13T09:00:00Z" + kLeakAt},
       "f:3: the file ends within this row"},
      {"host cut to another's name",
       "timestamp,pool,tag,bytes,host\n2026-11-13T09:00:00Z,nonpaged,Leak,900,srv10\n2026-11-13T09:00:00Z,nonpaged,Leak,900,srv1\n"
       "2026-11-13T10:00:00Z,nonpaged,Leak,900,srv1",
       {"2026-11-13T09:00:00Z" + kLeakAt},
       "f:4: the file ends within this row"},
      {"host cut off, where rows without one are",
       "timestamp,pool,tag,bytes,host\n2026-11-13T09:00:00Z,nonpaged,Leak,900,\n2026-11-13T09:00:00Z,paged,Leak,900,srv1\n"
       "2026-11-13T10:00:00Z,nonpaged,Leak,900,",
       {"2026-11-13T09:00:00Z" + kLeakAt, "2026-11-13T09:00:00Z paged Leak 900"},
       "f:4: the file ends within this row"},
      {"script's host cut to another's name",
       "Tag,DateTime,NonPagedUsedBytes,ComputerName\nLeak,2026-11-13 08:00,900,SRV1\nLeak,2026-11-13 09:00,900,SRV10\n"
       "Leak,2026-11-13 10:00,900,SRV1",
       {"2026-11-13T08:00:00Z" + kLeakAt},
       "f:4: the file ends within this row"},
      {"script's host cut to no other's name",
       "Tag,DateTime,NonPagedUsedBytes,ComputerName\nLeak,2026-11-13 09:00,900,SRV10\nLeak,2026-11-13 10:00,900,SRV10",
       {"2026-11-13T09:00:00Z" + kLeakAt, ten},
       ""},
      {"script's host whole without an end",
       "Tag,DateTime,NonPagedUsedBytes,ComputerName\nLeak,2026-11-13 09:00,900,SRV1\nLeak,2026-11-13 10:00,900,SRV1",
       {"2026-11-13T09:00:00Z" + kLeakAt, ten},
       ""},
      // Day and month in both orders.
      {"times alone, newest first",
       "2026-11-05 18:00Z\n" + kFaultTable + "17:00\n" + kFaultTable + "16:00\n" + kFaultTable,
       {at18},
       "f:4: a time without a date, and such times fall, as if the newest stood first"},
      {"times alone over a night",
       "2026-11-05 18:00Z\n" + kFaultTable + "19:00Z\n" + kFaultTable + "10:00Z\n" + kFaultTable,
       {at18, at19, "2026-11-06T10:00:00Z" + kLeakAt},
       ""},
      {"days without a year, newest first",
       "2026-11-05 18:00Z\n" + kFaultTable + "Nov 4 18:00\n" + kFaultTable,
       {at18},
       "f:4: \"Nov 4 18:00\" has no year, and nothing that fits follows the time above it: it goes back"},
      {"UTF-32", std::string("\xff\xfe\0\0t\0\0\0", 8), {}, "f: UTF-32, which no tool here writes; save it as UTF-8"},
      {"a spreadsheet's dates in CSV",
       kCsv + "13/11/2026 10:00,nonpaged,Leak,900\n",
       {},
       "f:2: timestamp \"13/11/2026 10:00\" is a date as spreadsheets show it; write it as 2026-11-05T18:00:00Z"},
      {"no Per Alloc",
       "2026-11-05 18:00Z\n Tag  Type Allocs Frees Diff Bytes\n Leak Nonp 9 1 8 900\n",
       {},
       "f:3: the heading has no column Per Alloc, without which a row that was cut looks whole"},
      {"both orders",
       kScript + "13/11/2026 10:00,Leak,0,900\n11/14/2026 10:00,Leak,0,900\n",
       {},
       "f:2: time \"13/11/2026\": day and month stand in both orders: line 2 is day first, line 3 month first"},
      {"both orders in a text",
       "13/11/2026 10:00\n" + kFaultTable + "05/11/2026 10:00\n" + kFaultTable + "11/14/2026 10:00\n" + kFaultTable,
       {},
       "\"13/11/2026\": day and month stand in both orders: line 1 is day first, line 7 month first"},
      {"script whole without an end",
       kScript + "2026-11-13 10:00,Leak,0,900\n2026-11-13 11:00,Leak,0,901",
       {ten, "2026-11-13T11:00:00Z nonpaged Leak 901"},
       ""},
      {"perfmon's last number cut",
       "(PDH-CSV 4.0) (UTC)(0),\\\\H\\Memory\\Pool Paged Bytes\n11/13/2026 10:00:00.000,9000\n11/13/2026 11:00:00.000,90",
       {"2026-11-13T10:00:00Z paged 9000"},
       "f:3: the file ends within this row"},
      {"Get-Counter's last number cut",
       "Path,Timestamp,CookedValue\n\\\\a\\memory\\pool paged bytes,2026-11-13 10:00,9000\n\\\\a\\memory\\pool paged bytes,2026-11-13 11:00,900",
       {"2026-11-13T10:00:00Z paged 9000"},
       "f:3: the file ends within this row"},
      {"Get-Counter's status",
       "Path,CookedValue,Timestamp,Status\n\\\\a\\memory\\pool paged bytes,9000,2026-11-13 10:00,0\n\\\\a\\memory\\pool paged bytes,0,2026-11-13 11:00,3221228474\n",
       {"2026-11-13T10:00:00Z paged 9000"},
       "f:3: Memory\\Pool Paged Bytes has the status \"3221228474\""},
      {"!vm cut in NonPagedPool",
       "2026-11-13 10:00Z\nNonPagedPool Usage: 250 ( 10\nNonPagedPoolNx Usage: 1000 ( 4000 Kb)\nPagedPool Usage: 50 ( 200 Kb)\n",
       {"2026-11-13T10:00:00Z paged 204800"},
       "f:2: not a number of pages, and of Kb in brackets"},
      {"slabinfo cut",
       "2026-11-13 10:00Z\nslabinfo - version: 2.1\n# name <active_objs>\ndentry 42 42 192 21 1 : tunables 0 0 0 : slabdata 2 2 0\nfiles 100 100 64 10 1 : tunables 0 0 0 : slabdata 10 1\n",
       {"2026-11-13T10:00:00Z slab_reclaimable dentry 8192"},
       "f:5: not a row of /proc/slabinfo"},
      {"slabs fewer than their objects",
       "2026-11-13 10:00Z\nslabinfo - version: 2.1\n# name <active_objs>\ndentry 42 42 192 21 1 : tunables 0 0 0 : slabdata 2 2 0\nfiles 100 100 64 10 1 : tunables 0 0 0 : slabdata 1 1 0\n",
       {"2026-11-13T10:00:00Z slab_reclaimable dentry 8192"},
       "f:5: not a row of /proc/slabinfo"},
      {"slabtop cut within a name",
       "2026-11-13 10:00Z\n  OBJS ACTIVE  USE OBJ SIZE  SLABS OBJ/SLAB CACHE SIZE NAME\n42 42 100% 0.19K 2 21 8K files\n2026-11-13 11:00Z\n  OBJS ACTIVE  USE OBJ SIZE  SLABS OBJ/SLAB CACHE SIZE NAME\n42 42 100% 0.19K 2 21 8K fil\n",
       {"2026-11-13T10:00:00Z slab_unreclaimable files 8192"},
       "f:6: the table ends within the name \"fil\""},
      {"two rows of slabtop in one line",
       "2026-11-13 10:00Z\n  OBJS ACTIVE  USE OBJ SIZE  SLABS OBJ/SLAB CACHE SIZE NAME\n42 42 100% 0.19K 2 21 8K files 42 42 100% 0.19K 2 21 8K x\n42 42 100% 0.19K 2 21 8K y\n",
       {"2026-11-13T10:00:00Z slab_unreclaimable y 8192"},
       "f:3: two rows in one line"},
      {"vmalloc cut within a name",
       "2026-11-13 10:00Z\n0xffffc90000000000-0xffffc90000003000 12288 a+0x1/0x2 pages=2 vmalloc\n0xffffc90000010000-0xffffc90000013000 12288 my_le\n",
       {},
       "f:3: not a row of /proc/vmallocinfo"},
      // Numbers of one row that contradict each other.
      {"a digit lost in Bytes",
       "2026-11-05 18:00Z\n" + kHead + " Leak Nonp 9 1 8 900 112\n2026-11-05 19:00Z\n" + kHead +
           " Leak Nonp 9 1 8 90 112\n Keep Nonp 9 1 8 900 112\n",
       {at18, "2026-11-05T19:00:00Z nonpaged Keep 900"},
       "f:6: Bytes is not Diff times Per Alloc"},
      {"Diff contradicts",
       "2026-11-05 18:00Z\n" + kHead + " Leak Nonp 9 1 80 900 112\n Keep Nonp 9 1 8 900 112\n",
       {"2026-11-05T18:00:00Z nonpaged Keep 900"},
       "f:3: Diff is not Allocs less Frees"},
      {"below 0",
       "2026-11-05 18:00Z\n" + kHead + " Leak Nonp 9 1 8 -40960 112\n Keep Nonp 9 1 8 900 112\n",
       {"2026-11-05T18:00:00Z nonpaged Keep 900"},
       "f:3: Bytes is not Diff times Per Alloc"},
      {"two rows of poolmon in one line",
       "2026-11-05 18:00Z\n" + kHead + " Leak Nonp 9 1 8 900 112 Gone Nonp 9 1 8 900 112\n Keep Nonp 9 1 8 900 112\n",
       {"2026-11-05T18:00:00Z nonpaged Keep 900"},
       "f:3: two rows in one line"},
      {"more bytes than there can be",
       kCsv + "2026-11-13T10:00:00Z,nonpaged,Neg,18446744073709551000\n" + kRow,
       {ten},
       "f:2: bytes \"18446744073709551000\" is more than there can be"},
      {"!poolused with marks between thousands",
       "2026-11-05 18:00Z\n   NonPaged   Paged\n Tag Allocs Used Allocs Used\n Leak 90 9,900 1,000 2,345,678\tx\n",
       {"2026-11-05T18:00:00Z nonpaged Leak 9900", "2026-11-05T18:00:00Z paged Leak 2345678"},
       ""},
      {"sums", kCsv + kRow + "2026-11-13T10:00:00Z,nonpaged,TOTAL,900\n", {ten}, ""},
      {"a year too many",
       kCsv + "9026-11-13T10:00:00Z,nonpaged,Leak,9\n" + kRow,
       {ten},
       "f:2: timestamp \"9026-11-13T10:00:00Z\" is no time at which this was recorded"},
      {"seconds with a digit too many", kCsv + "17939016000,nonpaged,Leak,9\n" + kRow, {ten}, "f:2: timestamp"},
      {"far ahead of both neighbours",
       kScript + "2026-11-13 10:00,Leak,0,900\n2062-11-13 11:00,Leak,0,900\n2026-11-13 12:00,Leak,0,900\n",
       {ten, "2026-11-13T12:00:00Z" + kLeakAt},
       "f:3: its time lies far ahead of those above and below it"},
      {"days without a year",
       "2026-12-31 22:00Z\n" + kFaultTable + "Fri Jan 1 01:00:00\n" + kFaultTable + "Sat 02:00\n" + kFaultTable,
       {"2026-12-31T22:00:00Z" + kLeakAt, "2027-01-01T01:00:00Z" + kLeakAt, "2027-01-02T02:00:00Z" + kLeakAt},
       ""},
      // What a file's end may have cut, or a lost end of a line has joined, in tables.
      {"sar cut",
       kSar + "12:10:01 AM 9 9 13000 16000\n12:20:01 AM 9 9 13000 16",
       {"2026-11-05T00:10:01Z slab_unreclaimable kbslab 13312000", "2026-11-05T00:10:01Z vmalloc 16384000",
        "2026-11-05T00:20:01Z slab_unreclaimable kbslab 13312000"},
       "f:4: the file ends within this row"},
      {"sar whole without an end",
       kSar + "12:10:01 AM 9 9 13000 16000\n12:20:01 AM 9 9 13000 16001",
       {"2026-11-05T00:10:01Z slab_unreclaimable kbslab 13312000", "2026-11-05T00:10:01Z vmalloc 16384000",
        "2026-11-05T00:20:01Z slab_unreclaimable kbslab 13312000", "2026-11-05T00:20:01Z vmalloc 16385024"},
       ""},
      {"rows of sar out of order",
       kSar +
           "12:10:01 AM 9 9 13000 16000\n12:30:01 AM 9 9 13000 16000\n12:20:01 AM 9 9 13000 16000\n12:40:01 AM 9 9 13000 16000\n",
       {"2026-11-05T00:10:01Z slab_unreclaimable kbslab 13312000", "2026-11-05T00:10:01Z vmalloc 16384000",
        "2026-11-05T00:30:01Z slab_unreclaimable kbslab 13312000", "2026-11-05T00:30:01Z vmalloc 16384000",
        "2026-11-05T00:40:01Z slab_unreclaimable kbslab 13312000", "2026-11-05T00:40:01Z vmalloc 16384000"},
       "f:5: its time lies before that of the row above it, and no midnight is between: a row out of order"},
      {"vmallocinfo without its second date",
       "2026-11-13 10:00Z\n" + kArea + "a+0x1/0x2 vmalloc\n" + kSecondArea + "b+0x1/0x2 vmalloc\n" + kArea +
           "a+0x1/0x2 vmalloc\n" + kSecondArea + "b+0x1/0x2 vmalloc\n2026-11-13 12:00Z\n" + kArea + "a+0x1/0x2 vmalloc\n",
       {"2026-11-13T10:00:00Z vmalloc a 12288", "2026-11-13T10:00:00Z vmalloc b 8192", "2026-11-13T12:00:00Z vmalloc a 12288"},
       "f:4: no date above this table"},
      {"vmallocinfo without its second date, its first area freed",
       "2026-11-13 10:00Z\n" + kArea + "a+0x1/0x2 vmalloc\n" + kSecondArea + "b+0x1/0x2 vmalloc\n" + kThirdArea +
           "c+0x1/0x2 vmalloc\n" + kSecondArea + "b+0x1/0x2 vmalloc\n2026-11-13 12:00Z\n" + kArea + "a+0x1/0x2 vmalloc\n",
       {"2026-11-13T12:00:00Z vmalloc a 12288"},
       "f:5: an area that stands in this table already: two tables without a date between, and none of them is used"},
      {"an area of vmallocinfo with two sizes",
       "2026-11-13 10:00Z\n" + kArea + "a+0x1/0x2 vmalloc\n0xffffc90000000000-0xffffc90000005000 20480 a+0x1/0x2 vmalloc\n" +
           "2026-11-13 12:00Z\n" + kArea + "a+0x1/0x2 vmalloc\n",
       {"2026-11-13T12:00:00Z vmalloc a 12288"},
       "f:3: an area that stands in this table already"},
      {"the first area of vmallocinfo twice",
       "2026-11-13 10:00Z\n" + kArea + "a+0x1/0x2 vmalloc\n" + kArea + "a+0x1/0x2 vmalloc\n" + kSecondArea +
           "b+0x1/0x2 vmalloc\n",
       {"2026-11-13T10:00:00Z vmalloc a 12288", "2026-11-13T10:00:00Z vmalloc b 8192"},
       "f:3: the row above it again"},
      {"an area of vmallocinfo twice",
       "2026-11-13 10:00Z\n" + kArea + "a+0x1/0x2 vmalloc\n" + kSecondArea + "b+0x1/0x2 vmalloc\n" + kSecondArea +
           "b+0x1/0x2 vmalloc\n",
       {"2026-11-13T10:00:00Z vmalloc a 12288", "2026-11-13T10:00:00Z vmalloc b 8192"},
       "f:4: the row above it again"},
      {"vmallocinfo whose addresses are hidden, and of a kernel that tells them node by node",
       "2026-11-13 10:00Z\n0x0000000000000000-0x0000000000000000 12288 a+0x1/0x2 vmalloc\n"
       "0x0000000000000000-0x0000000000000000 12288 a+0x1/0x2 vmalloc\n2026-11-13 12:00Z\n" +
           kSecondArea + "b+0x1/0x2 vmalloc\n" + kArea + "a+0x1/0x2 vmalloc\n",
       {"2026-11-13T10:00:00Z vmalloc a 24576", "2026-11-13T12:00:00Z vmalloc a 12288", "2026-11-13T12:00:00Z vmalloc b 8192"},
       ""},
      {"sar cut before its end",
       kSar + "12:10:01 AM 9 9 13000 16000\n12:20:01 AM 9 9 13",
       {"2026-11-05T00:10:01Z slab_unreclaimable kbslab 13312000", "2026-11-05T00:10:01Z vmalloc 16384000"},
       "f:4: 3 values where the heading has 4"},
      {"sadf cut",
       kSadf + "h;600;2026-11-05 00:10:01 UTC;9;16000\nh;600;2026-11-05 00:20:01 UTC;9;16",
       {"2026-11-05T00:10:01Z vmalloc 16384000"},
       "f:3: the file ends within this row"},
      {"two rows of sadf in one line",
       kSadf +
           "h;600;2026-11-05 00:10:01 UTC;9;16000h;600;2026-11-05 00:20:01 UTC;9;16000\nh;600;2026-11-05 00:30:01 UTC;9;16000\n",
       {"2026-11-05T00:30:01Z vmalloc 16384000"},
       "f:2: 9 fields where the heading has 5"},
      {"sadf -j cut within a number",
       kSadfJson + R"(]},{"timestamp":{"date":"2026-11-05","time":"00:20:01","utc":1},"memory":{"vmused":16)",
       {"2026-11-05T00:10:01Z vmalloc 16384000"},
       "f:1: no JSON from here on: the text ends in the middle"},
      {"Prometheus' time cut",
       "windows_memory_pool_paged_bytes{instance=\"a\"} 5 1793901600000\nwindows_memory_pool_paged_bytes{instance=\"a\"} 6 17939052",
       {"2026-11-05T18:00:00Z paged 5"},
       "f:2: the time behind the series is none at which this was recorded"},
      {"!poolused cut",
       "2026-11-05 18:00Z\n" + kPoolused + " Leak 9 900 0 0\n CM31 0 0 5 8000\n2026-11-05 19:00Z\n" + kPoolused +
           " Leak 9 900 0 0\n CM31 0 0 5 80",
       {at18, "2026-11-05T18:00:00Z paged CM31 8000", at19},
       "f:10: the file ends within this row"},
      {"!poolused cut between its groups",
       "2026-11-05 18:00Z\n" + kPoolused + " Leak 9 900 0 0\n Keep 9 90",
       {at18},
       "f:5: the row ends before paged Allocs"},
      {"two rows of !poolused in one line",
       "2026-11-05 18:00Z\n" + kPoolused + " Gone 9 900 0 0 CM31 0 0 5 8000\n Leak 9 900 0 0\n",
       {at18},
       "f:4: two rows in one line"},
      {"vmstat cut",
       "2026-11-05 18:00Z\n" + kVmstat + "files 10 100 512 16\n2026-11-05 19:00Z\n" + kVmstat +
           "x 1 10 512 16\nfiles 10 100 512 1",
       {"2026-11-05T18:00:00Z slab_unreclaimable files 57344", "2026-11-05T19:00:00Z slab_unreclaimable x 8192"},
       "f:7: the file ends within this row"},
      {"two rows of vmstat in one line",
       "2026-11-05 18:00Z\n" + kVmstat + "dentry 42 420 192 21 files 10 100 512 16\nx 1 10 512 16\n",
       {"2026-11-05T18:00:00Z slab_unreclaimable x 8192"},
       "f:3: two rows in one line"},
      {"slabtop cut in the last name",
       "2026-11-05 18:00Z\n" + kSlabtop + "42 42 100% 0.19K 2 21 8K kmalloc-64\n2026-11-05 19:00Z\n" + kSlabtop +
           "42 42 100% 0.19K 2 21 8K x\n42 42 100% 0.19K 2 21 8K kmalloc-6",
       {"2026-11-05T18:00:00Z slab_unreclaimable kmalloc-64 8192", "2026-11-05T19:00:00Z slab_unreclaimable x 8192"},
       "f:7: the file ends within this row"},
      {"allocinfo cut in a name",
       "2026-11-05 18:00Z\n" + kAllocinfo + "8192 2 mm/slub.c:23 func:alloc_slab_page\n2026-11-05 19:00Z\n" + kAllocinfo +
           "4096 1 a.c:1 func:aa\n8192 2 mm/slub.c:23 func:alloc",
       {"2026-11-05T18:00:00Z allocinfo kernel:alloc_slab_page:mm/slub.c 8192"},
       "f:7: the file ends within this row"},
      {"two rows of allocinfo in one line",
       "2026-11-05 18:00Z\n" + kAllocinfo + "4096 1 a.c:1 func:aa8192 2 b.c:2 func:bb\n1 1 x.c:1 func:x\n",
       {},
       "f:3: two rows in one line"},
      {"two rows of slabinfo in one line",
       "2026-11-05 18:00Z\n" + kSlabinfo + "dentry" + kSlabNumbers + " files" + kSlabNumbers + "\nx" + kSlabNumbers + "\n",
       {"2026-11-05T18:00:00Z slab_unreclaimable x 8192"},
       "f:4: not a row of /proc/slabinfo"},
      {"two rows of vmallocinfo in one line",
       "2026-11-05 18:00Z\n" + kArea + "a+0x1/0x2 pages=2 vmalloc" + kArea + "b+0x1/0x2 pages=2 vmalloc\n" + kArea +
           "c+0x1/0x2 pages=2 vmalloc\n",
       {},
       "f:2: not a row of /proc/vmallocinfo"},
      {"two rows of meminfo in one line",
       "2026-11-05 18:00Z\nMemTotal: 8000 kB SUnreclaim: 64000 kB\nSReclaimable: 1 kB\n",
       {"2026-11-05T18:00:00Z slab_reclaimable 1024"},
       "f:2: not a row of /proc/meminfo"},
      // As people's files have them.
      {"tables of Linux above the first date",
       "SUnreclaim: 32 kB\n2026-11-05 18:00Z\nSUnreclaim: 64 kB\n",
       {"2026-11-05T18:00:00Z slab_unreclaimable 65536"},
       "f:1: 1 tables from here on have no date above them"},
      {"a prompt that shows its command",
       "C:\\>echo 2026-11-05 18:00Z\n2026-11-05 18:00Z\n\nC:\\>poolmon -n 5.log\n" + kFaultTable,
       {at18},
       ""},
      {"a prompt with a name like a date", "2026-11-05 18:00Z\n\nC:\\>type pool-11-05-2026.log\n" + kFaultTable, {at18}, ""},
      {"Unix milliseconds", "1793901600000\n" + kFaultTable + "1793905200000\n" + kFaultTable, {at18, at19}, ""},
      {"KBytes are no Bytes",
       "2026-11-05 18:00Z\n Tag  Type Allocs Frees Diff KBytes Per Alloc\n Leak Nonp 9 1 8 900 112\n",
       {},
       "f:2: the columns are not Tag, Type, Allocs, Frees, Diff, Bytes: Bytes is missing"},
      {"bold cells",
       "2026-11-05 18:00Z\n\n| Tag | Type | Allocs | Frees | Diff | Bytes | Per Alloc |\n|---|---|---|---|---|---|---|\n| **Leak** | *Nonp* | 9 | 1 | 8 | **900** | 112 |\n",
       {at18},
       ""},
      {"watch",
       "Every 2.0s: cat /proc/meminfo      web01: Thu Nov  5 18:00:00 2026\n\nSUnreclaim:      64 kB\n",
       {"2026-11-05T18:00:00Z slab_unreclaimable 65536"},
       ""},
      {"CSV with blanks around its commas",
       "timestamp , pool , tag , bytes\n2026-11-13T10:00:00Z , nonpaged , Leak , 900\n2026-11-13T10:00:00Z , paged , Io , 800\n",
       {ten, "2026-11-13T10:00:00Z paged Io   800"},
       ""},
      {"sar's means in German",
       kSar + "12:10:01 AM 9 9 13000 16000\nDurchschn.: 9 9 13000 16000\n",
       {"2026-11-05T00:10:01Z slab_unreclaimable kbslab 13312000", "2026-11-05T00:10:01Z vmalloc 16384000"},
       ""},
      {"rows of slabinfo alone",
       "2026-11-05 18:00Z\nfiles" + kSlabNumbers + "\n",
       {},
       "looks like rows of /proc/slabinfo without its heading"},
      {"rows of allocinfo alone",
       "2026-11-05 18:00Z\n4.0MiB 1000 mm/slub.c:2319 func:alloc_slab_page\n",
       {},
       "looks like rows of /proc/allocinfo without its heading"},
      {"rows of CSV alone", kRow + kRow, {}, "looks like rows of CSV without the header row"},
      {"memsnap of one host",
       "Process ID Proc.Name PagedPool Handles\n!LogType=memsnap\n!ComputerName=SRV1\n!SystemTime=11\\05\\2026 18:00:00.0000 (GMT)\n000001a4 svc.exe 30000 2059\n",
       {},
       ""},
      {"!vm of two kinds of pages",
       "0: kd> !vm 1\nPhysical Memory:          2096974 (    8387896 Kb)\nNonPagedPool Usage:           250 (       1000 Kb)\nNonPagedPoolNx Usage:       50000 (     200000 Kb)\nNonPagedPool Max:      4294967296 (17179869184 Kb)\nPagedPool Usage:            60000 (     240000 Kb)\n0: kd> .time\nDebug session time: Thu Nov  5 18:00:00.000 2026 (UTC + 0:00)\n",
       {"2026-11-05T18:00:00Z nonpaged 205824000", "2026-11-05T18:00:00Z paged 245760000"},
       ""},
      {"verbose !poolused with a sum",
       "2026-11-05 18:00Z\n   NonPaged   Paged\n Tag Allocs Frees Diff Used Allocs Frees Diff Used\n Leak 9 1 8 900 0 0 0 0\tUnknown , Binary: leak.sys\nTOTAL 9 1 8 900 0 0 0 0\n",
       {at18},
       ""},
      {"a script's CSV of a German console",
       "\"DateTime\";\"Tag\";\"PagedUsedBytes\";\"NonPagedUsedBytes\"\n\"13.11.2026 10:00:00\";\"Leak\";\"0\";\"900\"\n",
       {ten},
       ""},
      {"typeperf with its last words",
       "\"(PDH-CSV 4.0)\",\"\\\\S\\Memory\\Pool Nonpaged Bytes\"\n\"11/13/2026 10:00:00.000\",\"900.000000\"\n\nThe command completed successfully.\n",
       {"2026-11-13T10:00:00Z nonpaged 900"},
       ""},
      {"sar of a continental clock",
       "Linux 5.14.0 (web01) \t13.11.2026 \t_x86_64_\t(4 CPU)\n\n00:00:01 kbmemfree kbmemused %memused kbvmused\n10:00:00 9 9 88,00 16\n",
       {"2026-11-13T10:00:00Z vmalloc 16384"},
       ""},
      {"a vector of Prometheus",
       R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"node_memory_SUnreclaim_bytes","instance":"a"},"value":[1793901600,"65536"]}]}})",
       {"2026-11-05T18:00:00Z slab_unreclaimable 65536"},
       ""},
      {"a page's lines",
       "2026-11-05 18:00Z<br>\n<pre>\n Tag  Type Allocs Frees Diff Bytes Per Alloc<br>\n&nbsp;Leak&nbsp;Nonp&nbsp;&nbsp;9&nbsp;1&nbsp;8&nbsp;900&nbsp;112<br>\n</pre>\n",
       {at18},
       ""},
      {"an ISO time with seven digits of seconds", "[2026-11-05T19:00:00.1234567+01:00] snapshot\n" + kFaultTable, {at18}, ""},
      // A second screen of the debugger.
      {"two of !poolused below one time",
       "2026-11-05 18:00Z\n" + poolused("900") + poolused("950"),
       {at18},
       "f:6: no time belongs to this look of the debugger alone"},
      {"two of !poolused without a time",
       poolused("900") + poolused("950") + "Debug session time: Thu Nov  5 18:00:00.000 2026 (UTC + 0:00)\n",
       {"2026-11-05T18:00:00Z nonpaged Leak 950"},
       "f:2: no time belongs to this look of the debugger alone"},
      {"!poolused sorted twice",
       "2026-11-05 18:00Z\n" + poolused("900") + poolused("900") + " More 1 64 0 0\n",
       {at18, "2026-11-05T18:00:00Z nonpaged More 64"},
       ""},
      {"!vm and !poolused twice below one time",
       "Debug session time: Thu Nov  5 18:00:00.000 2026 (UTC + 0:00)\nPagedPool Usage: 50 ( 200 Kb)\nNonPagedPool Usage: 1 ( 4 Kb)\n" +
           poolused("900") + "NonPagedPool Usage: 2 ( 8 Kb)\n" + poolused("950"),
       {"2026-11-05T18:00:00Z nonpaged 4096", at18, "2026-11-05T18:00:00Z paged 204800"},
       "no time belongs to this look of the debugger alone"},
      // What begins below something else.
      {"CSV below a table",
       "2026-11-05 18:00Z\n" + kFaultTable + "\n" + kCsv + kRow,
       {ten},
       "f:2: a table of Windows' pools begins here, and is passed over with all above the CSV that begins in line 5"},
      {"script below a table",
       kFaultTable + kScript + "2026-11-13 10:00,Leak,0,900\n",
       {ten},
       "f:1: a table of Windows' pools begins here, and is passed over with all above the CSV that begins in line 3"},
      {"a table below CSV", kCsv + kRow + kFaultTable, {ten}, "f:3: a table of Windows' pools begins here"},
      {"tables of Linux below CSV", kCsv + kRow + "SUnreclaim: 64 kB\n", {ten}, "f:3: a table of Linux begins here"},
      {"CSV below tables of Linux",
       "2026-11-05 18:00Z\nSUnreclaim: 64 kB\n" + kCsv + kRow,
       {"2026-11-05T18:00:00Z slab_unreclaimable 65536"},
       "f:3: CSV begins here"},
      {"poolmon below tables of Linux",
       "2026-11-05 18:00Z\nSUnreclaim: 64 kB\n2026-11-05 19:00Z\n" + kFaultTable,
       {"2026-11-05T18:00:00Z slab_unreclaimable 65536"},
       "f:4: a table of Windows' pools begins here"},
      {"Linux below poolmon",
       "2026-11-05 18:00Z\n" + kFaultTable + "2026-11-05 19:00Z\nSUnreclaim: 64 kB\n",
       {at18},
       "f:5: a table of Linux begins here"},
      {"Prometheus below poolmon",
       "2026-11-05 18:00Z\n" + kFaultTable + "windows_memory_pool_paged_bytes{instance=\"a\"} 5\n",
       {at18},
       "f:4: samples of Prometheus begin here"},
      {"sar below tables of Linux",
       "2026-11-05 18:00Z\nSUnreclaim: 64 kB\nLinux 6.1.0 (h) \t11/05/2026 \t_x86_64_\t(2 CPU)\n",
       {"2026-11-05T18:00:00Z slab_unreclaimable 65536"},
       "f:3: a table of sar begins here"},
      {"script, then CSV of as many columns",
       kScript + "2026-11-13 10:00,Leak,0,900\n" + kCsv + kRow,
       {ten},
       "f:3: CSV begins here"},
      {"CSV, then a script's of as many columns",
       kCsv + kRow + kScript + "2026-11-14 10:00,Leak,0,900\n",
       {ten},
       "f:3: CSV of a script begins here"},
      {"counters, then tags",
       "Path,CookedValue,Timestamp\n\\\\a\\memory\\pool paged bytes,9000,2026-11-13 10:00\n" + kScript +
           "2026-11-14 10:00,Leak,0,900\n",
       {"2026-11-13T10:00:00Z paged 9000"},
       "f:3: CSV of a script begins here"},
      {"perfmon, then CSV",
       pdh("(UTC)(0)", "\"\\\\H\\Memory\\Pool Nonpaged Bytes\"", {"\"11/13/2026 10:00:00.000\",\"5\""}) + kCsv + kRow,
       {"2026-11-13T10:00:00Z nonpaged 5"},
       "f:3: CSV begins here"},
      {"perfmon of other counters behind it",
       pdh("(UTC)(0)", "\"\\\\H\\Memory\\Pool Nonpaged Bytes\"", {"\"11/13/2026 10:00:00.000\",\"5\""}) +
           pdh("(UTC)(0)", "\"\\\\H\\Processor(_Total)\\% Idle Time\"", {"\"11/13/2026 11:00:00.000\",\"97\""}),
       {"2026-11-13T10:00:00Z nonpaged 5"},
       "f:3: no counter that is known"},
      {"a line of another job in CSV",
       kCsv + kRow + "Slab: 123 kB\n" + "2026-11-13T11:00:00Z,nonpaged,Leak,901\n",
       {ten, "2026-11-13T11:00:00Z nonpaged Leak 901"},
       "f:3: a table of Linux begins here"},
      {"a line of another job in a script's CSV",
       kScript + "2026-11-13 10:00,Leak,0,900\nSlab: 123 kB\n2026-11-13 11:00,Leak,0,901\n",
       {ten, "2026-11-13T11:00:00Z nonpaged Leak 901"},
       "f:3: a table of Linux begins here"},
      {"a line of another job in perfmon",
       pdh("(UTC)(0)", "\"\\\\H\\Memory\\Pool Nonpaged Bytes\"",
           {"\"11/13/2026 10:00:00.000\",\"5\"", "Slab: 123 kB", "\"11/13/2026 11:00:00.000\",\"6\""}),
       {"2026-11-13T10:00:00Z nonpaged 5", "2026-11-13T11:00:00Z nonpaged 6"},
       "f:3: a table of Linux begins here"},
      {"CSV with a worse header behind it",
       kCsv + kRow + "timestamp,pool,tag,allocs\n2026-11-13T11:00:00Z,nonpaged,Leak,9\n",
       {ten},
       "f:3: no column bytes"},
      // Words of dates.
      {"German Sunday and Czech Saturday",
       "So 01.11.2026 18:00Z\n" + kFaultTable + "so 07.11.2026 18:00Z\n" + kFaultTable,
       {"2026-11-01T18:00:00Z" + kLeakAt, "2026-11-07T18:00:00Z" + kLeakAt},
       ""},
      {"Czech",
       "út 3. listopadu 2026 18:00Z\n" + kFaultTable + "čt lis  5 18:00:00 UTC 2026\n" + kFaultTable +
           "pá 6. čvc 2027 18:00Z\n" + kFaultTable,
       {"2026-11-03T18:00:00Z" + kLeakAt, at18},
       "f:7: the weekday is not that of the date"},
      {"a weekday that may be a month",
       "sáb ene  3 18:00:00 UTC 2026\n" + kFaultTable + "mar mar  3 18:00:00 UTC 2026\n" + kFaultTable,
       {"2026-01-03T18:00:00Z" + kLeakAt, "2026-03-03T18:00:00Z" + kLeakAt},
       ""},
      {"a product's name and number",
       "2026-11-05 18:00Z\nMicrosoft Windows 10 Pro 2009\nWindows 10 Pro 2009 18:00\n10 Pro 2009\nLogged out 5 2026\n" +
           kFaultTable,
       {at18},
       ""},
      {"Czech December",
       "10. pro. 2009 18:00Z\n" + kFaultTable + "pá pro 11 18:00:00 UTC 2009\n" + kFaultTable + "12 prosince 2009 18:00Z\n" +
           kFaultTable,
       {"2009-12-10T18:00:00Z" + kLeakAt, "2009-12-11T18:00:00Z" + kLeakAt, "2009-12-12T18:00:00Z" + kLeakAt},
       ""},
      {"a day without a year and nothing above it",
       "Fri Jan 1 01:00:00\n" + kFaultTable,
       {},
       "f:1: \"Fri Jan 1 01:00:00\" has no year"},
  };
  return all;
}

class HistoryWithFault : public testing::TestWithParam<Fault> {};

TEST(InQuotes, LettersStayWholeAndMarksAreShown) {
  EXPECT_EQ(in_quotes("7 октября"), "\"7 октября\"");
  EXPECT_EQ(in_quotes("下午 6:00"), "\"下午 6:00\"");
  EXPECT_EQ(in_quotes("a\x1b\xe2\x80\xae"
                      "b\xc2\x85\xff"),
            "\"a\\x1b\\xe2\\x80\\xae"
            "b\\xc2\\x85\\xff\"");
  EXPECT_EQ(in_quotes(std::string(39, 'x') + "яя"), "\"" + std::string(39, 'x') + "я...\"");
  EXPECT_EQ(in_quotes("\xd1"), "\"\\xd1\"");
}

TEST_P(HistoryWithFault, IsReadRightOrNamed) {
  const Fault& fault = GetParam();
  const test::WholeHistory whole = test::read_text(fault.text);
  std::vector<std::string> values;
  for (const Snapshot& snapshot : whole.snapshots) {
    const std::string time = base::rfc3339(snapshot.time / 1000 * 1000) + " ";
    for (const TagUsage& tag : snapshot.tags)
      values.push_back(time + std::string(pool_name(tag.pool)) + " " + tag.tag + " " + std::to_string(tag.bytes));
    for (const PoolTotals& pool : snapshot.pools)
      if (pool.bytes) values.push_back(time + std::string(pool_name(pool.pool)) + " " + std::to_string(*pool.bytes));
  }
  std::sort(values.begin(), values.end());
  EXPECT_EQ(values, fault.values);
  const std::string said = whole.error + (whole.skipped.empty() ? "" : whole.skipped[0]);
  if (fault.said.empty()) {
    EXPECT_EQ(said, "");
  } else {
    EXPECT_THAT(said, testing::HasSubstr(fault.said));
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, HistoryWithFault, testing::ValuesIn(faults()));

/// Hours of the snapshots, behind 2026-10-25T00:00Z.
std::string hours_of(const std::string& text) {
  std::string hours;
  for (const Snapshot& snapshot : test::read_text(text).snapshots)
    hours += (hours.empty() ? "" : " ") + std::to_string((snapshot.time - 1'792'886'400'000) / 1'800'000);
  return hours;
}

// The hour from 2 to 3 comes twice on 25 October 2026.
TEST(SummerTime, EndsWhereTheUptimeSaysSo) {
  const std::vector<int> clock = {0, 1, 2, 2, 3, 4};
  std::string perfmon =
      "\"(PDH-CSV 4.0) (W. Europe Daylight Time)(-120)\",\"\\\\H\\Memory\\Pool Nonpaged Bytes\",\"\\\\H\\System\\System Up Time\"\n";
  std::string alone = "\"(PDH-CSV 4.0) (W. Europe Daylight Time)(-120)\",\"\\\\H\\Memory\\Pool Nonpaged Bytes\"\n";
  std::string poolmon, linux, counters = "\"Path\",\"CookedValue\",\"Timestamp\"\n";
  for (std::size_t i = 0; i < clock.size(); ++i) {
    const std::string hour = "0" + std::to_string(clock[i]), up = std::to_string(100'000 + 3600 * i);
    perfmon += "\"10/25/2026 " + hour + ":30:00.000\",\"1\",\"" + up + "\"\n";
    alone += "\"10/25/2026 " + hour + ":30:00.000\",\"1\"\n";
    poolmon += "2026-10-25 " + hour + ":30:00\nSystem Uptime: 5 days " + std::to_string(i) + ":00:00\n" + kFaultTable;
    linux += "2026-10-25 " + hour + ":30:00\n " + hour + ":30:00 up 5 days, " + std::to_string(i) +
             ":10,  1 user\nSUnreclaim: 64 kB\n";
    counters += "\"\\\\s\\system\\system up time\",\"" + up + "\",\"25.10.2026 " + hour +
                ":30:00\"\n\"\\\\s\\memory\\pool nonpaged bytes\",\"1\",\"25.10.2026 " + hour + ":30:00\"\n";
  }
  EXPECT_EQ(hours_of(perfmon), "-3 -1 1 3 5 7");
  EXPECT_EQ(hours_of(alone), "-3 -1 1 3 5 7");
  EXPECT_EQ(hours_of(poolmon), "1 3 5 7 9 11");
  EXPECT_EQ(hours_of(linux), "1 3 5 7 9 11");
  EXPECT_EQ(hours_of(counters), "1 3 5 7 9 11");
}

// Its begin skips an hour of the clock; a boot in between begins a new uptime, and a clock that stood is no change of it.
TEST(SummerTime, BeginsWhereTheUptimeSaysSo) {
  const auto perfmon = [](const std::vector<std::pair<std::string, int>>& rows) {
    std::string text = "\"(PDH-CSV 4.0) (UTC)(0)\",\"\\\\H\\Memory\\Pool Nonpaged Bytes\",\"\\\\H\\System\\System Up Time\"\n";
    for (const auto& [time, up] : rows) text += "\"10/25/2026 " + time + ":00.000\",\"1\",\"" + std::to_string(up) + "\"\n";
    return hours_of(text);
  };
  EXPECT_EQ(perfmon({{"01:00", 10'000}, {"03:00", 13'600}, {"04:00", 17'200}}), "2 4 6");
  EXPECT_EQ(perfmon({{"01:00", 10'000}, {"03:00", 600}, {"04:00", 4'200}}), "2 6 8");
  EXPECT_EQ(perfmon({{"01:00", 10'000}, {"04:00", 13'600}}), "2 8");
}

}  // namespace
}  // namespace kmem::history
