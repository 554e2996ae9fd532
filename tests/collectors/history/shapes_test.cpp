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

std::vector<Shape> more_shapes() {
  return {
      {"Unix milliseconds in our CSV",
       "timestamp,pool,tag,bytes\n1793901600000,nonpaged,Leak,1024000\n",
       {},
       "f:2: timestamp \"1793901600000\" is neither RFC 3339 nor Unix seconds"},
      {"thousands in our CSV",
       "timestamp,pool,tag,bytes\n2026-11-05T18:00:00Z,nonpaged,Leak,\"1,024,000\"\n"
       "2026-11-05T19:00:00Z,nonpaged,Leak,1.024.000\n",
       {"2026-11-05T18:00:00Z windows; nonpaged 'Leak' 1024000 ?", "2026-11-05T19:00:00Z windows; nonpaged 'Leak' 1024000 ?"}},
      {"sadf -d over a restart, CRLF",
       "# hostname;interval;timestamp;kbmemfree;kbavail;kbmemused;kbcommit;kbslab\r\n"
       "web;600;2026-11-05 18:00:00 UTC;1;2;3;4;5\r\n"
       "web;-1;2026-11-05 18:05:00 UTC;LINUX-RESTART\t(4 CPU)\r\n"
       "# hostname;interval;timestamp;kbmemfree;kbavail;kbmemused;kbcommit;kbslab\r\n"
       "web;600;2026-11-05 18:10:00 UTC;1;2;3;4;6\r\n",
       {"2026-11-05T18:00:00Z@web linux; slab_unreclaimable 'kbslab' 5120 ?; available=2048; commit=4096",
        "2026-11-05T18:10:00Z@web linux boot=2026-11-05T18:05:00Z; slab_unreclaimable 'kbslab' 6144 ?; available=2048; "
        "commit=4096"}},
      {"a Hungarian date", "2026. november 5., cs\303\274t\303\266rt\303\266k 18:00:00\n" + kTable, {kAt18}},
      {"a Turkish date", "5 Kas\304\261m 2026 Per\305\237embe 18:00:00\n" + kTable, {kAt18}},
      {"a Swedish date", "den 5 november 2026 18:00:00\n" + kTable, {kAt18}},
      {"a Danish date", "5. november 2026 kl. 18.00.00\n" + kTable, {kAt18}},
      {"a Finnish date", "torstai 5. marraskuuta 2026 klo 18.00.00\n" + kTable, {kAt18}},
      {"Arabic digits of two orders",
       "\331\245/\331\241\331\241/\331\242\331\240\331\242\331\246 18:00:00\n" + kTable,
       {},
       "f:1: \"5/11/2026\" can be two days, and nothing in the file says which; --date-order=dmy or --date-order=mdy "
       "does; the table below is passed over"},
      {"a Greek date",
       "\316\240\316\255\316\274\317\200\317\204\316\267, 5 "
       "\316\235\316\277\316\265\316\274\316\262\317\201\316\257\316\277\317\205 2026 18:00:00\n" +
           kTable,
       {},
       "f:1: \"\316\240\316\255\316\274\317\200\317\204\316\267, 5 "
       "\316\235\316\277\316\265\316\274\316\262\317\201\316\257\316\277\317\205 2026 ...\" looks like a date, but is "
       "not understood; the table below is passed over"},
      {"date= above slabinfo",
       "date=2026-11-05 18:00:00\nslabinfo - version: 2.1\n"
       "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> "
       "<batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n"
       "leaky_cache        1000   1024     64   64    1 : tunables    0    0    0 : slabdata     16     16      0\n",
       {"2026-11-05T18:00:00Z linux; slab_unreclaimable 'leaky_cache' 65536 1000"}},
      {"slabinfo with CRLF",
       "Thu Nov  5 18:00:00 UTC 2026\r\nslabinfo - version: 2.1\r\n"
       "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> "
       "<batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\r\n"
       "leaky_cache        1000   1024     64   64    1 : tunables    0    0    0 : slabdata     16     16      0\r\n",
       {"2026-11-05T18:00:00Z linux; slab_unreclaimable 'leaky_cache' 65536 1000"}},
      {"slabinfo wrapped",
       "Thu Nov  5 18:00:00 UTC 2026\nslabinfo - version: 2.1\n"
       "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> "
       "<batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n"
       "leaky_cache        1000   1024     64   64    1 : tunables    0    0    0 :\n"
       "slabdata     16     16      0\n",
       {},
       "f:4: not a row of /proc/slabinfo"},
      {"vmstat -m, a name with a blank",
       "2026-11-05 18:00:00\nCache                       Num  Total   Size  Pages\n"
       "nf conntrack               4000   4096     64     64\n"
       "ok                         400   4096     64     64\n",
       {"2026-11-05T18:00:00Z linux; slab_unreclaimable 'nf conntrack' 262144 4000; slab_unreclaimable 'ok' 262144 400"}},
      {"vmstat -m whose name touches",
       "2026-11-05 18:00:00\nCache                       Num  Total   Size  Pages\n"
       "very_long_cache_name_that_fills4000   4096     64     64\n"
       "ok                         400   4096     64     64\n",
       {"2026-11-05T18:00:00Z linux; slab_unreclaimable 'ok' 262144 400"},
       "f:3: not a row of vmstat -m"},
      {"typeperf of two hosts, with -1 for none",
       "\n\"(PDH-CSV 4.0)\",\"\\\\A\\Memory\\Pool Nonpaged Bytes\",\"\\\\B\\Memory\\Pool Nonpaged Bytes\"\n"
       "\"11/05/2026 18:00:00.000\",\"5.000000\",\" \"\n\"11/05/2026 18:01:00.000\",\"-1\",\"7.000000\"\n",
       {"2026-11-05T18:00:00Z@A windows; nonpaged.bytes=5", "2026-11-05T18:01:00Z@B windows; nonpaged.bytes=7"},
       "f:4: Memory\\Pool Nonpaged Bytes \"-1\" is not a value"},
      {"typeperf in French with semicolons",
       "\"(PDH-CSV 4.0)\";\"\\\\A\\M\303\251moire\\Octets de r\303\251serve pagin\303\251e\"\n"
       "\"05/11/2026 18:00:00.000\";\"5,500000\"\n\"13/11/2026 18:00:00.000\";\"6,500000\"\n",
       {"2026-11-05T18:00:00Z@A windows; paged.bytes=6", "2026-11-13T18:00:00Z@A windows; paged.bytes=7"}},
      {"typeperf in Italian",
       "\"(PDH-CSV 4.0)\",\"\\\\A\\Memoria\\Byte del pool non di paging\"\n"
       "\"11/05/2026 18:00:00.000\",\"5.0\"\n",
       {"2026-11-05T18:00:00Z@A windows; nonpaged.bytes=5"}},
      {"Get-Counter's sets",
       "\"Timestamp\",\"Readings\"\r\n\"11/13/2026 6:00:00 PM\",\"\\\\srv\\memory\\pool nonpaged bytes :\r\n"
       "123456\r\n\r\n\\\\srv\\memory\\pool paged bytes :\r\n654321\r\n\r\n\"\r\n",
       {"2026-11-13T18:00:00Z@srv windows; nonpaged.bytes=123456; paged.bytes=654321"}},
      {"!poolused with wide numbers",
       "2026-11-05 18:00:00Z\n               NonPaged                  Paged\n"
       " Tag     Allocs         Used     Allocs         Used\n"
       " Leak 12345678 12345678901          0            0\tx\n",
       {"2026-11-05T18:00:00Z windows; nonpaged 'Leak' 12345678901 12345678"}},
      {"!poolused whose cells touch",
       "2026-11-05 18:00:00Z\n               NonPaged                  Paged\n"
       " Tag     Allocs         Used     Allocs         Used\n"
       " Leak 1234567812345678901          0            0\t12 x\n Fine 1 16 0 0\n",
       {"2026-11-05T18:00:00Z windows; nonpaged 'Fine' 16 1"},
       "f:4: nonpaged Used is less than a byte an allocation, as where cells touch"},
      {"!vm of old debuggers",
       "2026-11-05 18:00:00Z\n*** Virtual Memory Usage ***\n\tPhysical Memory:     1048576 (   4194304 Kb)\n"
       "\tPage File: \\??\\C:\\pagefile.sys\n\t  Current:   4194304 Kb  Free Space:   4000000 Kb\n"
       "\tAvailable Pages:      500000 (   2000000 Kb)\n\tNonPagedPool Usage:    20384 (     81536 Kb)\n"
       "\tPagedPool Usage:       50000 (    200000 Kb)\n\tCommitted pages:      900000 (   3600000 Kb)\n"
       "\tCommit limit:        2000000 (   8000000 Kb)\n",
       {"2026-11-05T18:00:00Z windows; available=2048000000; commit=3686400000; commit.limit=8192000000; "
        "nonpaged.bytes=83492864; paged.bytes=204800000; physical=4294967296"}},
      {"a sample without labels",
       "node_memory_SUnreclaim_bytes 204800 1793901600000\n",
       {"2026-11-05T18:00:00Z linux; slab_unreclaimable.bytes=204800"}},
      {"poolmon in a page",
       "<pre>2026-11-05 18:00:00Z<br>\n"
       " Tag  Type     Allocs            Frees            Diff   Bytes      Per Alloc<br>\n"
       " Leak Nonp       1060 (  60)        60 (   0)     1000   1024000 (  6144)   1024<br>\n</pre>\n",
       {kAt18}},
      {"poolmon wrapped by a screen",
       "2026-11-05 18:00:00Z\n Tag  Type     Allocs            Frees            Diff   Bytes      Per\n"
       "Alloc\n Leak Nonp       1060 (  60)        60 (   0)     1000   1024000 (  6144)\n   1024\n",
       {},
       "f:4: the row ends before Per Alloc"},
      {"a zone by its offset", "2026-11-05T18:00:00+01:00\n" + kTable, {kAt17}},
      {"two machines in one text",
       "!ComputerName=A\n!LogType=poolsnap\n!SystemTime=11\\05\\2026 18:00:00.0000 (GMT)\n" + kTable +
           "!ComputerName=B\n!LogType=poolsnap\n!SystemTime=11\\05\\2026 18:00:00.0000 (GMT)\n" + kTable,
       {"2026-11-05T18:00:00Z@A windows; nonpaged 'Leak' 1024000 1000 32 1060 60",
        "2026-11-05T18:00:00Z@B windows; nonpaged 'Leak' 1024000 1000 32 1060 60"}},
      {"allocinfo",
       "2026-11-05 18:00:00\nallocinfo - version: 1.0\n#     <size>  <calls> <tag info>\n"
       "  1024000     1000 drivers/x.c:10 [x] func:leaky\n        0        0 mm/y.c:1 func:none\n",
       {"2026-11-05T18:00:00Z linux; allocinfo 'x:leaky:drivers/x.c' 1024000 1000"}},
      {"vmallocinfo",
       "2026-11-05 18:00:00\n"
       "0xffffc90000000000-0xffffc90000005000   20480 irq_init_percpu_irqstack+0x100/0x200 vmap\n"
       "0xffffc90000005000-0xffffc90000008000   12288 load_module+0x1/0x2 pages=2 vmalloc\n",
       {"2026-11-05T18:00:00Z linux; vmalloc 'irq_init_percpu_irqstack' 20480 1; vmalloc 'load_module' 12288 1"}},
      {"relog in German, decimal comma",
       "\"(PDH-CSV 4.0) (Mitteleurop\303\244ische Zeit)(-60)\";\"\\\\SRV\\Arbeitsspeicher\\Nicht-Auslagerungsseiten "
       "(Bytes)\"\n"
       "\"11/05/2026 19:00:00.123\";\"123456,5\"\n",
       {"2026-11-05T18:00:00.123Z@SRV windows; nonpaged.bytes=123457"}},
      {"poolmon with brackets that touch",
       "2026-11-05 18:00:00Z\n"
       " Tag  Type     Allocs            Frees            Diff   Bytes      Per Alloc\n"
       " Leak Nonp  123456789( 120) 123456788( 119)        1 1234567890(     0) 1234567890\n",
       {"2026-11-05T18:00:00Z windows; nonpaged 'Leak' 1234567890 1 32 123456789 123456788"}},
      {"date and meminfo in one line",
       "Thu Nov  5 18:00:00 UTC 2026 SUnreclaim:       5 kB\n"
       "Thu Nov  5 19:00:00 UTC 2026 SUnreclaim:       6 kB\n",
       {},
       "f:1: \"Thu Nov  5 18:00:00 UTC 2026 SUnreclaim:...\" looks like a date, but is not understood; the table "
       "below is passed over"},
      {"free",
       "Thu Nov  5 18:00:00 UTC 2026\n"
       "               total        used        free      shared  buff/cache   available\n"
       "Mem:        16000000     8000000     1000000      100000     7000000     7500000\n"
       "Swap:              0           0           0\n",
       {},
       "f: looks like free, which does not tell the kernel's memory apart; record: while date; do cat /proc/meminfo "
       "/proc/slabinfo; sleep 3600; done >> FILE"},
      {"sadf -j cut within a name",
       "{\"sysstat\": {\"hosts\": [{\"nodename\": \"web1\",\"statistics\": [{\"timestamp\": {\"date\": "
       "\"2026-11-05\", \"time\": \"18:00:00\", \"utc\": 1}, \"memory\": {\"commit\": 3000, \"slab\": "
       "400}},{\"timestamp\": {\"date\": \"2026-11-05\", \"time\": \"18:10:00\", \"utc\": 1}, \"memory\": "
       "{\"commit\": 3001, \"sl",
       {"2026-11-05T18:00:00Z@web1 linux; slab_unreclaimable 'kbslab' 409600 ?; commit=3072000",
        "2026-11-05T18:10:00Z@web1 linux; commit=3073024"},
       "f:1: no JSON from here on: the text ends in the middle"},
      {"memsnap in a mail",
       "> Process ID         Proc.Name Wrkng.Set PagedPool  NonPgdPl  Pagefile    Commit   Handles   Threads\n"
       "> !LogType=memsnap\n> !SystemTime=11\\05\\2026 18:00:00.0000 (GMT)\n> !TickCount=3600000\n"
       "> 000001A8        sqlservr.exe1437696000     90000     12000   3000000   3000000      2259        12\n",
       {"2026-11-05T18:00:00Z windows boot=2026-11-05T17:00:00Z; sqlservr.exe (424) 2259 90000 12000"}},
      {"memsnap all of whose cells touch",
       "Process ID         Proc.Name Wrkng.Set PagedPool  NonPgdPl  Pagefile    Commit   Handles   Threads\n"
       "!LogType=memsnap\n!SystemTime=11\\05\\2026 18:00:00.0000 (GMT)\n!TickCount=3600000\n"
       "000001A8averylongservice.exe143769600014376960001437696000143769600014376960001234567890        12\n",
       {"2026-11-05T18:00:00Z windows boot=2026-11-05T17:00:00Z; averylongservice.exe (424) 1234567890 1437696000 1437696000"}},
      {"memsnap with a number below 0",
       "Process ID         Proc.Name Wrkng.Set PagedPool  NonPgdPl  Pagefile    Commit   Handles   Threads\n"
       "!LogType=memsnap\n!SystemTime=11\\05\\2026 18:00:00.0000 (GMT)\n!TickCount=3600000\n"
       "000001A8        sqlservr.exe1437696000     90000    -12000   3000000   3000000      2259        12\n",
       {},
       "f:5: the process has not the 7 numbers of the header"},
      {"NaN and infinity",
       "{__name__=\"kmem_pool_tag_bytes\", instance=\"s\", pool=\"nonpaged\", tag=\"Leak\"} 5 1793901600000\n"
       "{__name__=\"kmem_pool_tag_bytes\", instance=\"s\", pool=\"nonpaged\", tag=\"Leak\"} NaN 1793905200000\n"
       "{__name__=\"kmem_pool_tag_bytes\", instance=\"s\", pool=\"nonpaged\", tag=\"Leak\"} +Inf 1793908800000\n",
       {"2026-11-05T18:00:00Z@s windows; nonpaged 'Leak' 5 ?", "2026-11-05T20:00:00Z@s windows"},
       "f:3: a sample is below 0 or infinite, which no amount of memory is"},
      {"a script row too short",
       "DateTime,Tag,PagedUsedBytes,NonPagedUsedBytes\n2026-11-05 18:00:00,Leak,0\n"
       "2026-11-05 18:00:00,CM31,5,6\n",
       {"2026-11-05T18:00:00Z windows; nonpaged 'CM31' 6 ?; paged 'CM31' 5 ?"},
       "f:2: 3 fields where the header has 4"},
      {"a script's empty cells",
       "DateTime,Tag,PagedUsedBytes,NonPagedUsedBytes\n2026-11-05 18:00:00,Leak,,5\n"
       "2026-11-05 18:00:00,CM31,5,\n",
       {"2026-11-05T18:00:00Z windows; nonpaged 'Leak' 5 ?; paged 'CM31' 5 ?"},
       ""},
      {"a script's row of empty cells",
       "DateTime,Tag,PagedUsedBytes,NonPagedUsedBytes\n2026-11-05 18:00:00,Leak,,\n"
       "2026-11-05 18:00:00,CM31,5,0\n",
       {"2026-11-05T18:00:00Z windows; paged 'CM31' 5 ?"},
       "f:2: bytes \"\" is not a count"},
      {"our CSV in a mail",
       "> timestamp,pool,tag,bytes\n> 2026-11-05T18:00:00Z,nonpaged,Leak,1024000\n",
       {"2026-11-05T18:00:00Z windows; nonpaged 'Leak' 1024000 ?"}},
      {"our CSV as a wiki table",
       "| timestamp | pool | tag | bytes |\n|---|---|---|---|\n"
       "| 2026-11-05T18:00:00Z | nonpaged | Leak | 1024000 |\n",
       {"2026-11-05T18:00:00Z windows; nonpaged 'Leak' 1024000 ?"}},
      {"our CSV with two headings",
       "timestamp,pool,tag,bytes\n2026-11-05T18:00:00Z,nonpaged,Leak,1024000\ntimestamp,bytes,pool,tag\n"
       "2026-11-05T19:00:00Z,1024001,nonpaged,Leak\n",
       {"2026-11-05T18:00:00Z windows; nonpaged 'Leak' 1024000 ?", "2026-11-05T19:00:00Z windows; nonpaged 'Leak' 1024001 ?"}},
      {"slabtop by watch",
       "\033[H\033[J\033[7mEvery 60.0s: slabtop -o   host: Thu Nov  5 18:00:00 2026\033[0m\n\n"
       " Active / Total Objects (% used)    : 4000 / 4096 (98.0%)\n"
       "  OBJS ACTIVE  USE OBJ SIZE  SLABS OBJ/SLAB CACHE SIZE NAME\n"
       "  4096   4000  97%    0.06K     64       64       256K leaky_cache\n",
       {"2026-11-05T18:00:00Z linux; slab_unreclaimable 'leaky_cache' 262144 4000"}},
      {"meminfo over New Year",
       "Thu Dec 31 23:00:00 2026\nSUnreclaim: 5 kB\nFri Jan  1 00:00:00 2027\nSUnreclaim: 6 kB\n",
       {"2026-12-31T23:00:00Z linux; slab_unreclaimable.bytes=5120",
        "2027-01-01T00:00:00Z linux; slab_unreclaimable.bytes=6144"}},
      {"a fraction behind a comma",
       "2026-11-05T18:00:00,5Z\n" + kTable,
       {"2026-11-05T18:00:00.500Z windows; nonpaged 'Leak' 1024000 1000 32 1060 60"}},
      {"slabinfo cut",
       "Thu Nov  5 18:00:00 UTC 2026\nslabinfo - version: 2.1\n"
       "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>\n"
       "leaky_cache        1000   1024     64   64    1 : tunables    0    0    0 : slabdata     16     16      0\n"
       "Thu Nov  5 19:00:00 UTC 2026\nslabinfo - version: 2.1\n"
       "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>\n"
       "leaky_cache        1000   10",
       {"2026-11-05T18:00:00Z linux; slab_unreclaimable 'leaky_cache' 65536 1000"},
       "f:8: not a row of /proc/slabinfo"},
      {"slabinfo of Linux 2.4",
       "Thu Nov  5 18:00:00 UTC 2026\nslabinfo - version: 1.1\n"
       "leaky_cache        1000   1024     64   16   16    1\n",
       {},
       "f:3: not a row of /proc/slabinfo"},
      {"sar in a mail",
       "> Linux 6.1.0 (h) \t2026-11-05 \t_x86_64_\t(4 CPU)\n> \n"
       "> 17:50:01    kbmemfree   kbavail kbmemused  %memused kbcommit kbslab\n"
       "> 18:00:01    1 2 3 75,0 4 5\n> Average:    1 2 3 75,0 4 5\n",
       {"2026-11-05T18:00:01Z@h linux; slab_unreclaimable 'kbslab' 5120 ?; available=2048; commit=4096"}},
      {"sar without its first line",
       "17:50:01    kbmemfree   kbavail kbmemused  %memused kbcommit kbslab\n18:00:01    1 2 3 75,0 4 5\n",
       {},
       "f:2: no day above this row: sar's first line, with the date, is missing"},
      {"a perfmon row too short",
       "\"(PDH-CSV 4.0) (UTC)(0)\",\"\\\\A\\Memory\\Pool Nonpaged Bytes\",\"\\\\A\\Memory\\Pool Paged Bytes\"\n"
       "\"11/05/2026 18:00:00.000\",\"5\"\n\"11/05/2026 18:01:00.000\",\"5\",\"6\"\n",
       {"2026-11-05T18:01:00Z@A windows; nonpaged.bytes=5; paged.bytes=6"},
       "f:2: 2 fields where the header has 3"},
      {"a perfmon counter twice",
       "\"(PDH-CSV 4.0) (UTC)(0)\",\"\\\\A\\Memory\\Pool Nonpaged Bytes\",\"\\\\A\\Memory\\Pool Nonpaged Bytes\"\n"
       "\"11/05/2026 18:00:00.000\",\"5\",\"6\"\n",
       {"2026-11-05T18:00:00Z@A windows; nonpaged.bytes=5"},
       "f:2: Memory\\Pool Nonpaged Bytes has two columns and two values, \"5\" and \"6\"; the first is used"},
      {"!vm without blanks",
       "2026-11-05 18:00:00Z\nNonPagedPool Usage:51200(204800 Kb)\nPagedPool Usage:1(4 Kb)\n",
       {"2026-11-05T18:00:00Z windows; nonpaged.bytes=209715200; paged.bytes=4096"}},
      {"!vm whose pages are not its Kb",
       "2026-11-05 18:00:00Z\nNonPagedPool Usage:   51200 (     2048 Kb)\nPagedPool Usage: 1 ( 4 Kb)\n",
       {"2026-11-05T18:00:00Z windows; paged.bytes=4096"},
       "f:2: 51200 pages are not 2048 Kb, as pages have 4 Kb"},
      {"poolmon with K",
       "2026-11-05 18:00:00Z\n"
       " Tag  Type     Allocs            Frees            Diff   Bytes      Per Alloc\n"
       " Leak Nonp       1060 (  60)        60 (   0)     1000   1000K (  6144)   1024\n",
       {},
       "f:3: Bytes is not a number that fits"},
      {"two poolmon tables side by side",
       "2026-11-05 18:00:00Z\n"
       " Tag  Type Allocs Frees Diff Bytes Per Alloc   Tag  Type Allocs Frees Diff Bytes Per Alloc\n"
       " Leak Nonp 1060 60 1000 1024000 1024   CM31 Paged 10 0 10 1000 100\n",
       {},
       "f:3: two rows in one line"},
      {"meminfo beyond 64 bits",
       "2026-11-05 18:00:00\nMemTotal: 100 kB\nSUnreclaim: 99999999999999999999999 kB\nSReclaimable: 5 kB\n",
       {"2026-11-05T18:00:00Z linux; physical=102400; slab_reclaimable.bytes=5120"},
       "f:3: not a row of /proc/meminfo"},
      {"perfmon processes in German",
       "\"(PDH-CSV 4.0) (UTC)(0)\",\"\\\\A\\Prozess(svchost)\\Handleanzahl\",\"\\\\A\\Prozess(svchost)\\Prozess-ID\"\n"
       "\"11/05/2026 18:00:00.000\",\"2059\",\"420\"\n",
       {"2026-11-05T18:00:00Z@A windows; svchost (420) 2059 - -"}},
      {"Get-Counter in French",
       "\"Path\",\"InstanceName\",\"CookedValue\",\"Status\",\"Timestamp\"\n"
       "\"\\\\srv\\m\303\251moire\\octets de r\303\251serve non pagin\303\251e\",\"\",\"123456\",\"0\",\"13/11/2026 "
       "18:00:00\"\n",
       {"2026-11-13T18:00:00Z@srv windows; nonpaged.bytes=123456"}},
      {"Get-Counter with a status",
       "\"Path\",\"CookedValue\",\"Status\",\"Timestamp\"\n"
       "\"\\\\srv\\memory\\pool nonpaged bytes\",\"0\",\"3221228472\",\"13/11/2026 18:00:00\"\n"
       "\"\\\\srv\\memory\\pool nonpaged bytes\",\"5\",\"0\",\"13/11/2026 19:00:00\"\n",
       {"2026-11-13T19:00:00Z@srv windows; nonpaged.bytes=5"},
       "f:2: Memory\\Pool Nonpaged Bytes has the status \"3221228472\" and so no value"},
      {"a script in KB with decimal commas",
       "DateTime;Tag;Paged KB;NonPaged KB\n2026-11-05 18:00:00;Leak;1,5;2\n",
       {"2026-11-05T18:00:00Z windows; nonpaged 'Leak' 2048 ?; paged 'Leak' 1536 ?"}},
      {"a unit in a cell",
       "DateTime,Tag,NonPagedUsedBytes\n2026-11-05 18:00:00,Leak,12 KB\n",
       {},
       "f:2: bytes \"12 KB\" is not a count"},
      {"pools in other letters",
       "Timestamp,Pool,Tag,Bytes\n2026-11-05T18:00:00Z,NonPaged,Leak,5\n2026-11-05T18:00:00Z,Nonp,CM31,5\n",
       {"2026-11-05T18:00:00Z windows; nonpaged 'Leak' 5 ?"},
       "f:3: pool \"Nonp\" is not known"},
      {"a tag twice in a table",
       "2026-11-05 18:00:00Z\n Tag  Type Allocs Frees Diff Bytes Per Alloc\n"
       " Leak Nonp 1060 60 1000 1024000 1024\n Leak Nonp 1061 60 1001 1025024 1024\n",
       {kAt18},
       "f:4: the snapshot has this tag already"},
      {"sar over a restart",
       "Linux 6.1.0 (h) \t2026-11-05 \t_x86_64_\t(4 CPU)\n\n"
       "17:50:01    kbmemfree   kbavail kbmemused  %memused kbcommit kbslab\n18:00:01    1 2 3 75,0 4 5\n\n"
       "18:05:00     LINUX RESTART\t(4 CPU)\n\n"
       "18:10:01    kbmemfree   kbavail kbmemused  %memused kbcommit kbslab\n18:20:01    1 2 3 75,0 4 6\n",
       {"2026-11-05T18:00:01Z@h linux; slab_unreclaimable 'kbslab' 5120 ?; available=2048; commit=4096",
        "2026-11-05T18:20:01Z@h linux boot=2026-11-05T18:05:00Z; slab_unreclaimable 'kbslab' 6144 ?; available=2048; "
        "commit=4096"}},
      {"sar over midnight",
       "Linux 6.1.0 (h) \t2026-11-05 \t_x86_64_\t(4 CPU)\n\n"
       "23:40:01    kbmemfree   kbavail kbmemused  %memused kbcommit kbslab\n23:50:01    1 2 3 75,0 4 5\n"
       "00:00:01    1 2 3 75,0 4 6\n",
       {"2026-11-05T23:50:01Z@h linux; slab_unreclaimable 'kbslab' 5120 ?; available=2048; commit=4096",
        "2026-11-06T00:00:01Z@h linux; slab_unreclaimable 'kbslab' 6144 ?; available=2048; commit=4096"}},
      {"wmi_exporter",
       "{__name__=\"wmi_memory_pool_nonpaged_bytes\", instance=\"s\"} 5 1793901600000\n"
       "{__name__=\"wmi_os_physical_memory_free_bytes\", instance=\"s\"} 7 1793901600000\n",
       {"2026-11-05T18:00:00Z@s windows; nonpaged.bytes=5"},
       "f:2: metric \"wmi_os_physical_memory_free_bytes\" says nothing about kernel memory"},
      {"node_exporter's slabs",
       "{__name__=\"node_slabinfo_objects\", instance=\"s\", slab=\"leaky\"} 1024 1793901600000\n"
       "{__name__=\"node_slabinfo_object_size_bytes\", instance=\"s\", slab=\"leaky\"} 64 1793901600000\n"
       "{__name__=\"node_slabinfo_active_objects\", instance=\"s\", slab=\"leaky\"} 1000 1793901600000\n",
       {"2026-11-05T18:00:00Z@s linux; slab_unreclaimable 'leaky' 65536 1000"}},
      {"poolmon beyond 2 GiB",
       "2026-11-05 18:00:00Z\n"
       " Tag  Type     Allocs            Frees            Diff   Bytes      Per Alloc\n"
       " Leak Nonp 3000000000 (   0)         0 (   0) -1294967296 -1294967296 (     0)      1\n",
       {"2026-11-05T18:00:00Z windows; nonpaged 'Leak' 3000000000 3000000000 32 3000000000 0"}},
      {"two CR before LF",
       "2026-11-05 18:00:00Z\r\r\n"
       " Tag  Type     Allocs            Frees            Diff   Bytes      Per Alloc\r\r\n"
       " Leak Nonp       1060 (  60)        60 (   0)     1000   1024000 (  6144)   1024\r\r\n",
       {kAt18}},
      {"a mark within the text",
       "\357\273\2772026-11-05 18:00:00Z\n" + kTable + "\357\273\2772026-11-05 19:00:00Z\n" + kTable,
       {kAt18, "2026-11-05T19:00:00Z windows; nonpaged 'Leak' 1024000 1000 32 1060 60"}},
      {"a tag of other letters",
       "2026-11-05 18:00:00Z\n Tag  Type Allocs Frees Diff Bytes Per Alloc\n"
       " \303\244b\303\266c Nonp 1060 60 1000 1024000 1024\n",
       {"2026-11-05T18:00:00Z windows; nonpaged '\\xe4b\\xf6c' 1024000 1000 32 1060 60"}},
      {"a tag with bars",
       "2026-11-05 18:00:00Z\n Tag  Type Allocs Frees Diff Bytes Per Alloc\n"
       " A|B| Nonp 1060 60 1000 1024000 1024\n",
       {"2026-11-05T18:00:00Z windows; nonpaged 'A|B|' 1024000 1000 32 1060 60"}},
      {"a tag with angles",
       "2026-11-05 18:00:00Z\n Tag  Type Allocs Frees Diff Bytes Per Alloc\n"
       " >Lk> Nonp 1060 60 1000 1024000 1024\n",
       {"2026-11-05T18:00:00Z windows; nonpaged '>Lk>' 1024000 1000 32 1060 60"}},
      {"EST",
       "Thu Nov  5 18:00:00 EST 2026\n" + kTable,
       {"2026-11-05T23:00:00Z windows; nonpaged 'Leak' 1024000 1000 32 1060 60"}},
      {"a zone that nobody knows",
       "Thu Nov  5 18:00:00 XYZT 2026\n" + kTable,
       {},
       "f:1: \"XYZT\" is no zone that is known, or means several; write the offset from UTC; the table below is passed over"},
      {"counters of 64 bits",
       "2026-11-05 18:00:00Z\n"
       " Tag  Type     Allocs            Frees            Diff   Bytes      Per Alloc\n"
       " Leak Nonp 18446744073709551615 (0) 18446744073709551614 (0) 1 4096 (0) 4096\n",
       {"2026-11-05T18:00:00Z windows; nonpaged 'Leak' 4096 1 64 18446744073709551615 18446744073709551614"}},
      {"meminfo without kB",
       "2026-11-05 18:00:00\nMemTotal: 100\nSUnreclaim: 5\n",
       {},
       "f:2: no unit behind the number, where the kernel writes kB"},
  };
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
       "looks like a script's processes without times; a column DateTime is needed"},
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
  for (Shape& one : more_shapes()) all.push_back(std::move(one));
  return all;
}

class HistoryOfShape : public testing::TestWithParam<Shape> {};

TEST_P(HistoryOfShape, IsWhatAHandTakesFromIt) {
  const Shape& shape = GetParam();
  const auto [lines, said] = test::told_by(shape.path, shape.text);
  EXPECT_THAT(lines, ElementsAreArray(shape.wanted));
  if (shape.said.empty()) EXPECT_EQ(said, "");
  else EXPECT_THAT(said, HasSubstr(shape.said));
}

INSTANTIATE_TEST_SUITE_P(Posted, HistoryOfShape, testing::ValuesIn(shapes()));

}  // namespace
}  // namespace kmem::history
