// What people have instead: one input of each shape, with every value that is to come out of it.
#include <gmock/gmock.h>

#include <functional>

#include "collectors/base/time_words.h"
#include "tests/collectors/history/read_history.h"

namespace kmem::history {
namespace {

using test::line_of;
using test::utf16;
using testing::ElementsAreArray;

struct Case {
  const char* name;
  std::string text;
  std::vector<std::string> wanted;
  std::vector<std::string> skipped = {};
  std::string error = {};
};

std::ostream& operator<<(std::ostream& out, const Case& one) { return out << one.name; }

const std::string kSlabHead =
    "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables "
    "<limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n";
const std::string kSlabRows =
    "leaky_cache        1000   1024     64   64    1 : tunables    0    0    0 : slabdata     16     16      0\n"
    "dentry              200    210    192   21    1 : tunables    0    0    0 : slabdata     10     10      0\n";
const std::string kSlabOut = "; slab_reclaimable 'dentry' 40960 200; slab_unreclaimable 'leaky_cache' 65536 1000";
const std::string kSarColumns =
    "kbmemfree   kbavail kbmemused  %memused kbbuffers  kbcached  kbcommit   %commit  kbactive   kbinact   kbdirty  "
    "kbanonpg    kbslab  kbkstack   kbpgtbl  kbvmused\n";
const std::string kSarRow = " 1000 2000 3000 75.00 10 20 4000 12.34 5 6 7 8 500 60 70 80\n";
const std::string kSarOut =
    "; slab_unreclaimable 'kbslab' 512000 ?; available=2048000; cache=20480; commit=4096000; vmalloc.bytes=81920";
const std::string kMatrix =
    R"({"status":"success","data":{"resultType":"matrix","result":[)"
    R"({"metric":{"__name__":"windows_memory_pool_nonpaged_bytes","instance":"a:9182","job":"win"},"values":[[1793898000,"1000"],[1793901600,"1100"]]},)"
    R"({"metric":{"__name__":"windows_memory_free_system_page_table_entries","instance":"a:9182","job":"win"},"values":[[1793898000,"1.6e+07"]]},)"
    R"({"metric":{"__name__":"windows_system_boot_time_timestamp","instance":"a:9182","job":"win"},"values":[[1793898000,"1793890800.5"]]}]}})";
const std::string kAnswer =
    "2026-11-05T17:00:00Z@a:9182 windows boot=2026-11-05T15:00:00.500Z; nonpaged.bytes=1000; ptes=16000000";

const std::vector<Case> kCases = {
    {"slabinfo below date",
     "Thu Nov  5 18:00:00 UTC 2026\n" + kSlabHead + kSlabRows + "Thu Nov  5 19:00:00 UTC 2026\n" + kSlabHead + kSlabRows,
     {"2026-11-05T18:00:00Z linux" + kSlabOut, "2026-11-05T19:00:00Z linux" + kSlabOut}},
    {"all of proc, with uptime",
     "2026-11-05T18:00:00+01:00\n 18:00:00 up 2 days,  3:04,  2 users,  load average: 0.00, 0.01, 0.05\n" + kSlabHead +
         kSlabRows +
         "MemTotal:        8048204 kB\nMemAvailable:    4000000 kB\nSReclaimable:      40 kB\nSUnreclaim:          64 kB\n"
         "CommitLimit:     4024100 kB\nCommitted_AS:    1000000 kB\nVmallocTotal:   34359738367 kB\nVmallocUsed:       2000 kB\n"
         "HugePages_Total:       0\n"
         "0xffffbe0d80000000-0xffffbe0d80005000   20480 irq_init_percpu_irqstack+0x114/0x1b0 vmap\n"
         "0xffffbe0d80005000-0xffffbe0d80007000    8192 leak_init+0x10/0x20 [leaky] pages=1 vmalloc\n"
         "allocinfo - version: 1.0\n#     <size>  <calls> <tag info>\n        4096        2 drivers/leak.c:12 [leaky] func:leak_one\n",
     {"2026-11-05T17:00:00Z linux boot=2026-11-03T13:56:00Z; allocinfo 'leaky:leak_one:drivers/leak.c' 4096 2" + kSlabOut +
      "; vmalloc 'irq_init_percpu_irqstack' 20480 1; vmalloc 'leak_init [leaky]' 8192 1; available=4096000000; "
      "commit=1024000000; commit.limit=4120678400; physical=8241360896; slab_reclaimable.bytes=40960; "
      "slab_unreclaimable.bytes=65536; vmalloc.bytes=2048000"}},
    {"a broken row of slabinfo is named, the rest stays",
     "2026-11-05 18:00:00Z\n" + kSlabHead + "kmalloc-64 12 zwölf\n" + kSlabRows,
     {"2026-11-05T18:00:00Z linux" + kSlabOut},
     {"f:4: not a row of /proc/slabinfo"}},
    {"date +%s and btime",
     "1793901600\nbtime 1793815200\nSUnreclaim:          64 kB\nSlab:   104 kB\n",
     {"2026-11-05T18:00:00Z linux boot=2026-11-04T18:00:00Z; slab_unreclaimable.bytes=65536"}},
    {"date, then uptime -s",
     "2026-11-05 18:00:00\n2026-11-01 12:30:00\nSUnreclaim: 64 kB\n",
     {"2026-11-05T18:00:00Z linux boot=2026-11-01T12:30:00Z; slab_unreclaimable.bytes=65536"}},
    {"/proc/uptime",
     "2026-11-05T18:00:00Z\n3600.50 7000.00\nVmallocUsed: 4 kB\n",
     {"2026-11-05T18:00:00Z linux boot=2026-11-05T16:59:59.500Z; vmalloc.bytes=4096"}},
    {"slabtop -o",
     "Thu Nov  5 18:00:00 UTC 2026\n Active / Total Objects (% used)    : 1149346 / 1176284 (97.7%)\n"
     " Minimum / Average / Maximum Object : 0.01K / 0.29K / 16.75K\n\n"
     "  OBJS ACTIVE  USE OBJ SIZE  SLABS OBJ/SLAB CACHE SIZE NAME                   \n"
     " 325542 325000 100%    0.10K   8347       39     33388K buffer_head\n  1000    900  90%    0.06K     16       64        64K leaky cache\n"
     "Thu Nov  5 19:00:00 UTC 2026\n  OBJS ACTIVE  USE OBJ SIZE  SLABS OBJ/SLAB CACHE SIZE NAME\n  1000    901  90%    0.06K     16       64        64K leaky cache\n",
     {"2026-11-05T18:00:00Z linux; slab_reclaimable 'buffer_head' 34189312 325000; slab_unreclaimable 'leaky cache' 65536 900",
      "2026-11-05T19:00:00Z linux; slab_unreclaimable 'leaky cache' 65536 901"}},
    {"two looks of slabtop without times",
     " Active / Total Objects (% used)    : 1149346 / 1176284 (97.7%)\n  OBJS ACTIVE  USE OBJ SIZE  SLABS OBJ/SLAB CACHE SIZE NAME\n"
     " 325542 325542 100%    0.10K   8347       39     33388K buffer_head\n"
     " Active / Total Objects (% used)    : 1149346 / 1176284 (97.7%)\n  OBJS ACTIVE  USE OBJ SIZE  SLABS OBJ/SLAB CACHE SIZE NAME\n"
     " 325542 325542 100%    0.10K   8347       39     33388K buffer_head\n",
     {},
     {},
     "no usable history: f: looks like slabtop without times; write `date` before each: while date; do cat /proc/slabinfo; "
     "sleep 3600; done >> FILE"},
    {"vmstat -m, its heading again in the middle",
     "2026-11-05 18:00 UTC\nCache                       Num  Total   Size  Pages\nAF_VSOCK                     36     36   1280     12\n"
     "Cache                       Num  Total   Size  Pages\ndentry                       10     42    192     21\n"
     "2026-11-05 19:00 UTC\nCache                       Num  Total   Size  Pages\nAF_VSOCK                     35     48   1280     12\n",
     {"2026-11-05T18:00:00Z linux; slab_reclaimable 'dentry' 8192 10; slab_unreclaimable 'AF_VSOCK' 49152 36",
      "2026-11-05T19:00:00Z linux; slab_unreclaimable 'AF_VSOCK' 65536 35"}},
    {"sar -r ALL, 12 hours, over midnight",
     "Linux 5.10.0-21-amd64 (web1) \t11/05/2026 \t_x86_64_\t(4 CPU)\n\n11:50:01 PM " + kSarColumns + "11:59:01 PM" + kSarRow +
         "12:09:01 AM" + kSarRow + "Average:   " + kSarRow,
     {"2026-11-05T23:59:01Z@web1 linux" + kSarOut, "2026-11-06T00:09:01Z@web1 linux" + kSarOut}},
    {"sar -r of an old version, 24 hours, restart",
     "Linux 2.6.32-754.el6.x86_64 (old.example) \t2026-11-05 \t_x86_64_\t(2 CPU)\n\n"
     "00:00:01    kbmemfree kbmemused  %memused kbbuffers  kbcached  kbcommit   %commit\n00:10:01 1000 3000 75,00 10 20 4000 12,34\n\n"
     "06:00:00       LINUX RESTART\n\n06:10:01    kbmemfree kbmemused  %memused kbbuffers  kbcached  kbcommit   %commit\n"
     "06:20:01 1000 3000 75,00 10 20 4001 12,34\n",
     {"2026-11-05T00:10:01Z@old.example linux; cache=20480; commit=4096000",
      "2026-11-05T06:20:01Z@old.example linux boot=2026-11-05T06:00:00Z; cache=20480; commit=4097024"}},
    {"sar without memory",
     "Linux 6.1.0 (web1) \t11/05/2026 \t_x86_64_\t(4 CPU)\n\n12:00:01 AM CPU %user\n12:10:01 AM all 1.00\n",
     {},
     {},
     "no usable history: f: looks like sar without memory; record it with: sar -r ALL"},
    {"sadf -d of two hosts",
     "# hostname;interval;timestamp;kbmemfree;kbavail;kbcommit;%commit;kbslab\nweb1;600;2026-11-05 00:10:01 UTC;1;2;3;4.5;6\n"
     "web2;600;2026-11-05 00:10:01 UTC;1;2;30;4.5;60\nweb1;-1;2026-11-05 00:15:00 UTC;LINUX-RESTART\t(4 CPU)\n"
     "web1;600;1793838001;1;2;3;4.5;x\n",
     {"2026-11-05T00:10:01Z@web1 linux; slab_unreclaimable 'kbslab' 6144 ?; available=2048; commit=3072",
      "2026-11-05T00:10:01Z@web2 linux; slab_unreclaimable 'kbslab' 61440 ?; available=2048; commit=30720",
      "2026-11-05T00:20:01Z@web1 linux boot=2026-11-05T00:15:00Z; available=2048; commit=3072"},
     {"f:5: kbslab \"x\" is not a count of kB"}},
    {"sadf -j",
     R"({"sysstat": {"hosts": [{"nodename": "web1", "statistics": [{"timestamp": {"date": "2026-11-05", "time": "00:10:01", "utc": 1, "interval": 600},
        "memory": {"memfree": 1, "avail": 2, "commit": 3, "commit-percent": 1.5, "slab": 6, "vmused": 0}}],
        "restarts": [{"boot": {"date": "2026-11-04", "time": "12:00:00", "utc": 1}}]}]}})",
     {"2026-11-05T00:10:01Z@web1 linux boot=2026-11-04T12:00:00Z; slab_unreclaimable 'kbslab' 6144 ?; available=2048; commit=3072"}},
    {"a script's pool tags",
     "#TYPE Selected.System.Management.Automation.PSCustomObject\n"
     "\"DateTime\",\"Tag\",\"PagedAllocs\",\"PagedFrees\",\"PagedUsedBytes\",\"NonPagedAllocs\",\"NonPagedFrees\",\"NonPagedUsedBytes\",\"TotalUsedBytes\"\n"
     "\"11/13/2026 6:00:00 PM\",\"Leak\",\"10\",\"4\",\"600\",\"100\",\"40\",\"6000\",\"6600\"\n"
     "\"11/13/2026 6:00:00 PM\",\"Irp\",\"0\",\"0\",\"0\",\"9\",\"1\",\"800\",\"800\"\n\"11/13/2026 7:00:00 PM\",\"Leak\",\"10\",\"4\",\"600\",\"x\",\"40\",\"7000\",\"7600\"\n",
     {"2026-11-13T18:00:00Z windows; nonpaged 'Irp ' 800 8 32 9 1; nonpaged 'Leak' 6000 60 32 100 40; paged 'Leak' 600 6 32 10 4",
      "2026-11-13T19:00:00Z windows; nonpaged 'Leak' 7000 ?; paged 'Leak' 600 6 32 10 4"}},
    {"a script's pool tags, other names and order",
     "Tag,NonPagedBytes,ComputerName,Paged Bytes,Timestamp\nLeak,\"1,234,567\",SRV1,10,2026-11-05T18:00:00Z\nLeak,7,SRV2,8,2026-11-05T18:00:00Z\n",
     {"2026-11-05T18:00:00Z@SRV1 windows; nonpaged 'Leak' 1234567 ?; paged 'Leak' 10 ?",
      "2026-11-05T18:00:00Z@SRV2 windows; nonpaged 'Leak' 7 ?; paged 'Leak' 8 ?"}},
    {"a script's pool tags with semicolons",
     "DateTime;Tag;PagedUsedBytes;NonPagedUsedBytes\n2026-11-05 18:00:00Z;Leak;600;6000\n",
     {"2026-11-05T18:00:00Z windows; nonpaged 'Leak' 6000 ?; paged 'Leak' 600 ?"}},
    {"a row a pool",
     "DateTime,Tag,Type,Allocs,Frees,Diff,Bytes\n2026-11-05 18:00:00Z,Thre,Nonp,5,2,3,300\n2026-11-05 18:00:00Z,CM31,Paged,1,0,1,50\n",
     {"2026-11-05T18:00:00Z windows; nonpaged 'Thre' 300 3 32 5 2; paged 'CM31' 50 1 32 1 0"}},
    {"tags without times, and again",
     "Tag,PagedUsedBytes,NonPagedUsedBytes\nLeak,1,2\nTag,PagedUsedBytes,NonPagedUsedBytes\nLeak,1,3\n",
     {"1970-01-01T00:00:00Z windows; nonpaged 'Leak' 2 ?; paged 'Leak' 1 ?"},
     {"f:3: a second table without times; it is passed over"}},
    {"counters without times",
     "Path,CookedValue\n\\\\h\\memory\\pool nonpaged bytes,2\n",
     {},
     {},
     "no usable history: f:1: looks like a script's counters without times; a column DateTime is needed"},
    {"Get-Counter's samples",
     "\"Path\",\"InstanceName\",\"CookedValue\",\"Timestamp\"\n\"\\\\srv1\\memory\\pool nonpaged bytes\",\"\",\"12345\",\"11/13/2026 6:00:00 PM\"\n"
     "\"\\\\srv1\\process(svchost#1)\\handle count\",\"svchost#1\",\"700\",\"11/13/2026 6:00:00 PM\"\n"
     "\"\\\\srv2\\memory\\pool nonpaged bytes\",\"\",\"99\",\"11/13/2026 6:00:00 PM\"\n\"\\\\srv1\\system\\system up time\",\"\",\"3600,5\",\"11/13/2026 6:00:00 PM\"\n",
     {"2026-11-13T18:00:00Z@srv1 windows boot=2026-11-13T16:59:59.500Z; svchost#1 (?) 700 - -; nonpaged.bytes=12345",
      "2026-11-13T18:00:00Z@srv2 windows; nonpaged.bytes=99"}},
    {"Get-Counter's own objects",
     "#TYPE Microsoft.PowerShell.Commands.GetCounter.PerformanceCounterSampleSet\n\"Timestamp\",\"Readings\"\n"
     "\"11/13/2026 6:00:00 PM\",\"\\\\srv1\\memory\\pool nonpaged bytes :\n12345\n\n\\\\srv1\\memory\\pool paged bytes :\n678\n\n\"\n"
     "\"11/13/2026 6:00:01 PM\",\"\\\\srv1\\memory\\pool nonpaged bytes :\n12346\n\"\n",
     {"2026-11-13T18:00:00Z@srv1 windows; nonpaged.bytes=12345; paged.bytes=678",
      "2026-11-13T18:00:01Z@srv1 windows; nonpaged.bytes=12346"}},
    {"typeperf with its last words",
     "\n\"(PDH-CSV 4.0)\",\"\\\\SRV1\\Memory\\Pool Nonpaged Bytes\",\"\\\\SRV2\\Memory\\Pool Nonpaged Bytes\"\n\"11/05/2026 18:00:00.000\",\"5.000000\",\"6.000000\"\n"
     "Exiting, please wait...                         \nThe command completed successfully.\n",
     {"2026-11-05T18:00:00Z@SRV1 windows; nonpaged.bytes=5", "2026-11-05T18:00:00Z@SRV2 windows; nonpaged.bytes=6"}},
    {"perfmon's processes",
     "\"(PDH-CSV 4.0) (UTC)(0)\",\"\\\\S\\Process(sqlservr)\\Handle Count\",\"\\\\S\\Process(svchost#2)\\ID Process\",\"\\\\S\\Process(svchost#2)\\Handle Count\","
     "\"\\\\S\\Process(svchost#2)\\Pool Paged Bytes\",\"\\\\S\\Process(svchost#2)\\Pool Nonpaged Bytes\",\"\\\\S\\Process(_Total)\\Handle Count\"\n"
     "\"11/05/2026 18:00:00.000\",\"100\",\"812\",\"200\",\"3000\",\"400\",\"99999\"\n",
     {"2026-11-05T18:00:00Z@S windows; sqlservr (?) 100 - -; svchost (812) 200 3000 400"}},
    {"Prometheus' matrix", kMatrix, {kAnswer, "2026-11-05T18:00:00Z@a:9182 windows; nonpaged.bytes=1100"}},
    {"Prometheus' matrix by PowerShell", utf16(kMatrix), {kAnswer, "2026-11-05T18:00:00Z@a:9182 windows; nonpaged.bytes=1100"}},
    {"Prometheus' vector of two hosts, as jq leaves it",
     R"([{"metric":{"__name__":"node_memory_SUnreclaim_bytes","instance":"a"},"value":[1793901600,"5"]},{"metric":{"__name__":"node_memory_SUnreclaim","instance":"b"},"value":[1793901600.5,"6"]},)"
     R"({"metric":{"__name__":"up","instance":"b"},"value":[1793901600.5,"1"]}])",
     {"2026-11-05T18:00:00Z@a linux; slab_unreclaimable.bytes=5",
      "2026-11-05T18:00:00.500Z@b linux; slab_unreclaimable.bytes=6"},
     {"f:1: metric \"up\" says nothing about kernel memory"}},
    {"Prometheus' error",
     R"({"status":"error","errorType":"bad_data","error":"exceeded maximum resolution of 11,000 points"})",
     {},
     {},
     "no usable history: f: Prometheus answered with an error: \"exceeded maximum resolution of 11,000 po...\""},
    {"an answer that is torn",
     kMatrix.substr(0, kMatrix.find("1793901600")),
     {"2026-11-05T17:00:00Z@a:9182 windows; nonpaged.bytes=1000"},
     {"f:1: no JSON from here on: the text ends in the middle"}},
    {"samples that are none are passed over; those behind them stand",
     R"([{"metric":{"__name__":"windows_memory_pool_nonpaged_bytes","instance":"a"},"values":[7,[],["x"],{"a":[]},[1793901600,"5"]]}])",
     {"2026-11-05T18:00:00Z@a windows; nonpaged.bytes=5"},
     std::vector<std::string>(4, "f:1: a sample that is no pair of time and value")},
    {"text behind an answer is named once",
     R"([{"metric":{"__name__":"windows_memory_pool_nonpaged_bytes","instance":"a"},"value":[1793901600,"5"]}] }{ "x": 1)",
     {"2026-11-05T18:00:00Z@a windows; nonpaged.bytes=5"},
     {"f:1: no JSON from here on: no JSON value"}},
    {"promtool tsdb dump",
     "{__name__=\"kmem_pool_tag_bytes\", instance=\"s:10054\", job=\"kmem\", pool=\"nonpaged\", tag=\"Irp \"} 8.192e+06 1793901600000\n"
     "{__name__=\"kmem_pool_tag_bytes\", instance=\"s:10054\", job=\"kmem\", pool=\"nonpaged\", tag=\"Irp \"} NaN 1793905200000\n"
     "{__name__=\"kmem_pool_tag_outstanding_allocations\", instance=\"s:10054\", job=\"kmem\", pool=\"nonpaged\", tag=\"Irp \"} 4 1793901600000\n"
     "{__name__=\"kmem_pool_bytes\", instance=\"s:10054\", job=\"kmem\", pool=\"nonpaged\"} 9e+06 1793901600000\n"
     "{__name__=\"kmem_process_handles\", instance=\"s:10054\", job=\"kmem\", pid=\"812\", process=\"svchost.exe\"} 44 1793901600000\n",
     {"2026-11-05T18:00:00Z@s:10054 windows; nonpaged 'Irp ' 8192000 4; svchost.exe (812) 44 - -; nonpaged.bytes=9000000"}},
    {"node_exporter's caches",
     "{__name__=\"node_slabinfo_active_objects\", instance=\"a\", slab=\"leaky_cache\"} 1000 1793901600000\n"
     "{__name__=\"node_slabinfo_objects\", instance=\"a\", slab=\"leaky_cache\"} 1024 1793901600000\n"
     "{__name__=\"node_slabinfo_object_size_bytes\", instance=\"a\", slab=\"leaky_cache\"} 192 1793901600000\n"
     "{__name__=\"node_slabinfo_objects_per_slab\", instance=\"a\", slab=\"leaky_cache\"} 21 1793901600000\n"
     "{__name__=\"node_slabinfo_pages_per_slab\", instance=\"a\", slab=\"leaky_cache\"} 1 1793901600000\n"
     "{__name__=\"node_boot_time_seconds\", instance=\"a\"} 1793890800 1793901600000\n",
     {"2026-11-05T18:00:00Z@a linux boot=2026-11-05T15:00:00Z; slab_unreclaimable 'leaky_cache' 200704 1000"}},
    {"OpenMetrics with times, an old windows_exporter",
     "# TYPE wmi_memory_pool_nonpaged_bytes_total gauge\nwmi_memory_pool_nonpaged_bytes_total{instance=\"a\"} 7 1793901600\n"
     "wmi_system_system_up_time{instance=\"a\"} 1.7938908e+09 1793901600\n# EOF\n",
     {"2026-11-05T18:00:00Z@a windows boot=2026-11-05T15:00:00Z; nonpaged.bytes=7"}},
    {"a metrics page",
     "# HELP node_memory_SUnreclaim_bytes x\nnode_memory_SUnreclaim_bytes 5\n",
     {},
     {},
     "no usable history: f: looks like a metrics page without times: it is one moment. Ask Prometheus for weeks of it: analyze "
     "--prometheus.url=http://HOST:9090"},
    {"two clusters with one instance's name",
     "{__name__=\"node_memory_SUnreclaim_bytes\", cluster=\"x\", instance=\"a\"} 1 1793901600000\n"
     "{__name__=\"node_memory_SUnreclaim_bytes\", cluster=\"y\", instance=\"a\"} 2 1793901600000\n",
     {"2026-11-05T18:00:00Z@a{cluster=\"x\"} linux; slab_unreclaimable.bytes=1",
      "2026-11-05T18:00:00Z@a{cluster=\"y\"} linux; slab_unreclaimable.bytes=2"}},
    {"free",
     "              total        used        free      shared  buff/cache   available\nMem:        8048204\n",
     {},
     {},
     "no usable history: f: looks like free, which does not tell the kernel's memory apart; record: while date; do cat /proc/meminfo "
     "/proc/slabinfo; sleep 3600; done >> FILE"},
    {"sysstat's own file",
     std::string("\x96\xd5\x21\x01\0\0", 6),
     {},
     {},
     "no usable history: f: looks like sysstat's own file; write it as text: sadf -d FILE -- -r ALL"},
};

class HistoryFromElsewhere : public testing::TestWithParam<Case> {};

TEST_P(HistoryFromElsewhere, HasTheseValues) {
  const Case& one = GetParam();
  test::MemoryFiles files;
  files.put("f", one.text);
  std::vector<std::string> lines, skipped;
  auto source = open_history(files, {"f"}, {.all_hosts = true});
  if (!source) {
    EXPECT_EQ(source.error().message, one.error);
    EXPECT_TRUE(one.wanted.empty());
    return;
  }
  EXPECT_EQ(one.error, "");
  do {
    Snapshot snapshot;
    ASSERT_TRUE((*source)->read(snapshot).ok());
    lines.push_back(line_of(snapshot, (*source)->host()));
  } while ((*source)->advance());
  for (const Skipped& piece : (*source)->skipped())
    skipped.push_back(piece.file + ":" + std::to_string(piece.line) + ": " + piece.reason);
  EXPECT_THAT(lines, ElementsAreArray(one.wanted));
  EXPECT_THAT(skipped, ElementsAreArray(one.skipped));
  ASSERT_EQ((*source)->readings().size(), 1U);
  const FileReading& reading = (*source)->readings()[0];
  EXPECT_EQ(reading.snapshots, lines.size());
  EXPECT_EQ(reading.skipped, skipped.size());
  EXPECT_NE(reading.format, "");
  EXPECT_FALSE(reading.rules.empty()) << "the reader does not say how it reads times: FileNotes::timed_by";
}

INSTANTIATE_TEST_SUITE_P(Shapes, HistoryFromElsewhere, testing::ValuesIn(kCases));

/// One snapshot a date of the 5th or 11th month, below each date in a format's own way.
struct Dated {
  const char* name;
  std::function<std::string(const std::vector<std::string>& dates)> make;
};

std::string by_row(const std::vector<std::string>& dates, const std::string& head, const std::string& before,
                   const std::string& behind) {
  std::string text = head;
  for (const std::string& date : dates) text += before + date + behind;
  return text;
}

const std::vector<Dated> kDated = {
    {"a script's tags",
     [](const auto& dates) { return by_row(dates, "Tag,NonPagedUsedBytes,DateTime\n", "Leak,5,", " 18:00:00\n"); }},
    {"a script's tags, date and time apart",
     [](const auto& dates) { return by_row(dates, "Date;Time;Tag;NonPagedUsedBytes\n", "", ";18:00;Leak;5\n"); }},
    {"a script's tags by type",
     [](const auto& dates) {
       return by_row(dates, "\"Collected\",\"Type\",\"Tag\",\"Bytes\"\n", "\"", " 6:00:00 PM\",\"Nonp\",\"Leak\",\"5\"\n");
     }},
    {"Get-Counter's samples",
     [](const auto& dates) {
       return by_row(dates, "\"Timestamp\",\"Path\",\"CookedValue\"\n", "\"",
                     " 18:00:00\",\"\\\\h\\memory\\pool nonpaged bytes\",\"5\"\n");
     }},
    {"Get-Counter's sets",
     [](const auto& dates) {
       return by_row(dates, "\"Timestamp\",\"Readings\"\n", "\"",
                     " 18:00:00\",\"\\\\h\\memory\\pool nonpaged bytes :\n5\n\n\"\n");
     }},
    {"meminfo", [](const auto& dates) { return by_row(dates, "", "", " 18:00:00\nSUnreclaim: 64 kB\n"); }},
    {"slabtop, whose rows are no dates",
     [](const auto& dates) {
       return by_row(
           dates, "", "",
           " 18:00:00\n  OBJS ACTIVE  USE OBJ SIZE  SLABS OBJ/SLAB CACHE SIZE NAME\n  1000    900  90%    0.06K     16       64        64K x\n");
     }},
    {"sar",
     [](const auto& dates) {
       return by_row(dates, "", "Linux 6.1.0 (h) \t", " \t_x86_64_\t(4 CPU)\n\n17:00:00 " + kSarColumns + "18:00:00" + kSarRow);
     }},
    {"a spreadsheet's perfmon",
     [](const auto& dates) {
       return by_row(dates, "(PDH-CSV 4.0) (UTC)(0),\\\\h\\Memory\\Pool Nonpaged Bytes\n", "", " 18:00,5\n");
     }},
    {"poolmon",
     [](const auto& dates) {
       return by_row(
           dates, "", "",
           " 18:00:00\n Tag  Type     Allocs     Frees      Diff   Bytes  Per Alloc\n Leak Nonp         1         0         1       5      5\n");
     }},
};

TEST(HistoryFromElsewhere, DatesOfAFileHaveOneOrder) {
  const auto days_of = [](const std::string& text, std::optional<DateOrder> order, test::WholeHistory& whole) {
    test::MemoryFiles files;
    files.put("f", text);
    whole = test::read_history(files, {"f"}, {.date_order = order});
    std::string days;
    for (const Snapshot& snapshot : whole.snapshots) days += base::rfc3339(snapshot.time).substr(0, 13) + " ";
    return days;
  };
  for (const Dated& format : kDated) {
    SCOPED_TRACE(format.name);
    test::WholeHistory whole;
    // A day over 12 decides for all others, before it as well.
    EXPECT_EQ(days_of(format.make({"05/11/2026", "13/11/2026"}), {}, whole), "2026-11-05T18 2026-11-13T18 ");
    EXPECT_THAT(whole.skipped, testing::IsEmpty());
    EXPECT_EQ(days_of(format.make({"05/11/2026", "05/13/2026"}), {}, whole), "2026-05-11T18 2026-05-13T18 ");
    EXPECT_THAT(whole.skipped, testing::IsEmpty());
    // So do times that must rise.
    EXPECT_EQ(days_of(format.make({"30/09/2026", "05/10/2026", "06/10/2026"}), {}, whole),
              "2026-09-30T18 2026-10-05T18 2026-10-06T18 ");
    EXPECT_EQ(days_of(format.make({"12/10/2026", "01/11/2026"}), {}, whole), "2026-10-12T18 2026-11-01T18 ");
    EXPECT_EQ(days_of(format.make({"5.11.2026", "6.11.2026"}), {}, whole), "2026-11-05T18 2026-11-06T18 ");
    // Nothing decides: it is said, and what was given is obeyed.
    const std::string either = format.make({"05/11/2026"});
    EXPECT_EQ(days_of(either, {}, whole), "");
    EXPECT_THAT(whole.error, testing::HasSubstr(" can be two days, and nothing in the file says which; --date-order=dmy or "
                                                "--date-order=mdy does"));
    EXPECT_EQ(days_of(either, DateOrder::kDayMonthYear, whole), "2026-11-05T18 ");
    EXPECT_EQ(days_of(either, DateOrder::kMonthDayYear, whole), "2026-05-11T18 ");
    EXPECT_EQ(days_of(format.make({"11.5.2026"}), DateOrder::kMonthDayYear, whole), "2026-11-05T18 ");
  }
}

TEST(HistoryFromElsewhere, AHeadingWithoutAUnitIsSaid) {
  const std::string rows =
      "2026-11-05 18:00:00,Leak,4000,0,500\n2026-11-05 18:00:00,CM31,96000,0,100\n"
      "2026-11-05 18:00:00,Irp,1600,0,90\n";
  for (const char* const name : {"Used", "Usage", "NonPaged", "NonPagedPool", "Size"}) {
    const bool by_type = name[0] != 'N';
    std::string text = std::string("DateTime,Tag,") + name + (by_type ? ",Type\n" : "\n");
    text += std::string("2026-11-05 18:00:00,Leak,4000") + (by_type ? ",Nonp\n" : "\n");
    const test::WholeHistory whole = test::read_text(text);
    ASSERT_EQ(whole.snapshots.size(), 1U) << name << whole.error;
    EXPECT_EQ(whole.snapshots[0].tags.at(0).bytes, 4000U);
    EXPECT_THAT(whole.warnings, testing::Contains("f: no unit stands in the heading \"" + std::string(name) +
                                                  "\": bytes are assumed; if it is another, write it there, as in UsedKB"));
  }
  for (const char* const name : {"NonPagedUsedBytes", "NonPagedKB", "NonPaged (MB)"})
    EXPECT_THAT(test::read_text(std::string("DateTime,Tag,") + name + "\n2026-11-05 18:00:00,Leak,4000\n").warnings,
                testing::Not(testing::Contains(testing::HasSubstr("no unit"))))
        << name;
}

TEST(HistoryFromElsewhere, KilobytesWithoutAUnitAreNoBytesWhereCountsShowIt) {
  // 500 KB of 1,000 allocations and so on.
  const std::string head = "DateTime,Tag,NonPagedUsed,NonPagedAllocs,NonPagedFrees\n";
  const auto row = [](const std::string& time, const std::string& tag, int used, int alive) {
    return "2026-11-05 " + time + "," + tag + "," + std::to_string(used) + "," + std::to_string(5000 + alive) + ",5000\n";
  };
  std::string text = head;
  for (const char* const time : {"18:00", "19:00"})
    text += row(time, "Big ", 900'000, 20) + row(time, "A", 500, 1000) + row(time, "B", 60, 1000) + row(time, "C", 7, 99);
  const test::WholeHistory whole = test::read_text(text);
  EXPECT_TRUE(whole.snapshots.empty());
  EXPECT_THAT(whole.error,
              testing::HasSubstr("f:5: values of \"NonPagedUsed\" hold less than 8 bytes an allocation, so they are "
                                 "no bytes; write the unit into the heading, as in UsedKB"));
  // In bytes the same counts are believed, as is a tag or two whose counts do not fit.
  std::string good = head;
  for (const char* const time : {"18:00", "19:00"})
    good += row(time, "Big ", 900'000, 20) + row(time, "A", 50'000, 1000) + row(time, "B", 60, 1000) + row(time, "C", 7000, 99);
  good.pop_back();
  EXPECT_EQ(test::read_text(good + "\n").snapshots.size(), 2U);
  // The heading that tells it is obeyed.
  std::string told = text;
  told.replace(told.find("PagedUsed"), 9, "PagedUsedKB");
  ASSERT_EQ(test::read_text(told).snapshots.size(), 2U);
  EXPECT_EQ(test::read_text(told).snapshots[0].tags.at(1).bytes, 500U * 1024);
  // poolmon's own quotient tells it, too.
  const test::WholeHistory table = test::read_text(
      "2026-11-05 18:00:00Z\n Tag  Type Allocs Frees Diff Bytes Per Alloc\n Leak Nonp 5000 1000 4000 4000 1024\n"
      " CM31 Paged 500 100 400 409600 1024\n");
  EXPECT_THAT(table.skipped,
              testing::ElementsAre("f:3: Bytes is a 1024th of Diff times Per Alloc, as of KB; take poolmon's own table"));
  EXPECT_EQ(table.lost, std::vector<std::string>{"nonpaged Leak 1"});
}

TEST(HistoryFromElsewhere, PerfmonsOwnTimesHaveTheMonthFirstWhateverIsGiven) {
  const std::string head = "(PDH-CSV 4.0) (UTC)(0),\\\\h\\Memory\\Pool Nonpaged Bytes\n";
  const auto time_of = [&](const std::string& cell) {
    test::MemoryFiles files;
    files.put("f", head + cell + ",5\n");
    const test::WholeHistory whole = test::read_history(files, {"f"}, {.date_order = DateOrder::kDayMonthYear});
    return whole.snapshots.empty() ? whole.error : base::rfc3339(whole.snapshots[0].time);
  };
  EXPECT_EQ(time_of("11/05/2026 18:00:00.000"), "2026-11-05T18:00:00Z");
  EXPECT_EQ(time_of("11/05/2026 18:00:00"), "2026-05-11T18:00:00Z");  // another program's
}

TEST(HistoryFromElsewhere, ADayOfSarThatNothingDecidesIsMonthFirstByAmAndPmAlone) {
  const std::string heading = "Linux 6.1.0 (web1) \t05/11/26 \t_x86_64_\t(4 CPU)\n\n";
  const test::WholeHistory american = test::read_text(heading + "11:50:01 PM " + kSarColumns + "11:59:01 PM" + kSarRow);
  ASSERT_EQ(american.snapshots.size(), 1U);
  EXPECT_EQ(base::rfc3339(american.snapshots[0].time), "2026-05-11T23:59:01Z");
  EXPECT_THAT(american.warnings,
              testing::Contains("f: the day \"05/11/26\" is taken as month first, for its times have AM and PM; "
                                "else --date-order=dmy"));
  const test::WholeHistory other = test::read_text(heading + "23:50:01 " + kSarColumns + "23:59:01" + kSarRow);
  EXPECT_EQ(other.error,
            "no usable history: f:1: \"05/11/26\" can be two days, and nothing in the file says which; --date-order=dmy or "
            "--date-order=mdy does; the tables below are passed over; nothing usable is in this file");
}

TEST(HistoryFromElsewhere, SarsRestartsAndDaysAreThoseOfTheMemorysTable) {
  const auto lines_in = [](const std::string& text) {
    test::MemoryFiles files;
    files.put("f", text);
    auto source = open_history(files, {"f"}, {.all_hosts = true});
    std::vector<std::string> lines;
    if (!source) return std::vector<std::string>{source.error().message};
    do {
      Snapshot snapshot;
      EXPECT_TRUE((*source)->read(snapshot).ok());
      lines.push_back(base::rfc3339(snapshot.time) + "@" + (*source)->host() +
                      (snapshot.boot_time ? " boot=" + base::rfc3339(*snapshot.boot_time) : ""));
    } while ((*source)->advance());
    EXPECT_EQ((*source)->skipped_count(), 0U);
    return lines;
  };
  const std::string day = "Linux 6.1.0 (h) \t2026-11-05 \t_x86_64_\t(4 CPU)\n\n";
  const std::string restart = "\n06:00:00       LINUX RESTART\t(4 CPU)\n\n", memory = "06:00:00 " + kSarColumns;
  const std::string cpu = "00:00:00 CPU %user\n", cpu_row = "23:50:00 all 1.00\n";
  // A day's file of all activities: one table behind the other, the restart in each.
  const std::string of_memory = memory + "05:50:00" + kSarRow + restart + memory + "23:50:00" + kSarRow;
  const std::string of_cpu = cpu + "05:50:00 all 1.00\n" + restart + cpu + cpu_row;
  const std::vector<std::string> wanted = {"2026-11-05T05:50:00Z@h", "2026-11-05T23:50:00Z@h boot=2026-11-05T06:00:00Z"};
  EXPECT_THAT(lines_in(day + of_cpu + "\n" + of_memory), ElementsAreArray(wanted));
  EXPECT_THAT(lines_in(day + of_memory + "\n" + of_cpu), ElementsAreArray(wanted));
  // Followed on a terminal, both headings at each row, over midnight.
  const auto look = [&](const std::string& clock) { return cpu + clock + " all 1.00\n\n" + memory + clock + kSarRow + "\n"; };
  EXPECT_THAT(lines_in(day + look("23:00:00") + look("00:00:00") + look("23:30:00") + look("00:30:00")),
              testing::ElementsAre("2026-11-05T23:00:00Z@h", "2026-11-06T00:00:00Z@h", "2026-11-06T23:30:00Z@h",
                                   "2026-11-07T00:30:00Z@h"));
  // Of two hosts each has its own boot.
  EXPECT_THAT(lines_in("# hostname;interval;timestamp;kbcommit\na;-1;2026-11-05 00:05:00 UTC;LINUX-RESTART\t(4 CPU)\n"
                       "a;60;2026-11-05 00:10:00 UTC;1\nb;60;2026-11-05 00:10:00 UTC;2\n"),
              testing::ElementsAre("2026-11-05T00:10:00Z@a boot=2026-11-05T00:05:00Z", "2026-11-05T00:10:00Z@b"));
}

TEST(HistoryFromElsewhere, TheOnlyTableOfAFileHasTheTimeOfItsName) {
  const std::string proc = "3600.50 7000.00\n" + kSlabHead + kSlabRows + "SUnreclaim: 64 kB\n";
  test::MemoryFiles files;
  files.set_modified(1'793'901'600'000);
  files.put("slab-2026-11-05_1600.txt", proc);
  files.put("slab-2026-11-05_1700.txt", proc);
  files.put("slab.txt", kSlabHead + kSlabRows);
  const test::WholeHistory whole =
      test::read_history(files, {"slab.txt", "slab-2026-11-05_1700.txt", "slab-2026-11-05_1600.txt"});
  EXPECT_THAT(whole.skipped, testing::IsEmpty());
  EXPECT_THAT(whole.warnings,
              testing::UnorderedElementsAre("slab.txt: no time in the text: its only table gets the time the file was modified",
                                            "slab-2026-11-05_1700.txt: no time in the text: it is taken from the file's name",
                                            "slab-2026-11-05_1600.txt: no time in the text: it is taken from the file's name"));
  std::vector<std::string> lines;
  for (const Snapshot& snapshot : whole.snapshots) lines.push_back(line_of(snapshot, ""));
  EXPECT_THAT(lines,
              testing::ElementsAre(
                  "2026-11-05T16:00:00Z linux boot=2026-11-05T14:59:59.500Z" + kSlabOut + "; slab_unreclaimable.bytes=65536",
                  "2026-11-05T17:00:00Z linux boot=2026-11-05T15:59:59.500Z" + kSlabOut + "; slab_unreclaimable.bytes=65536",
                  "2026-11-05T18:00:00Z linux" + kSlabOut));

  files.put("tags_20261105_1800.csv",
            "\"Tag\",\"PagedUsedBytes\",\"NonPagedUsedBytes\"\n\"Leak\",\"1\",\"2\"\n\"Irp \",\"0\",\"3\"\n");
  const test::WholeHistory tags = test::read_history(files, {"tags_20261105_1800.csv"});
  ASSERT_EQ(tags.snapshots.size(), 1U);
  EXPECT_EQ(line_of(tags.snapshots[0], ""),
            "2026-11-05T18:00:00Z windows; nonpaged 'Irp ' 3 ?; nonpaged 'Leak' 2 ?; paged 'Leak' 1 ?");
}

TEST(HistoryFromElsewhere, TheHourThatSummerTimesEndRepeatsIsToldOnce) {
  const std::string again = "f: it contradicts what was read before of the same time, which is used: line ";
  const auto both = [&](const std::string& head, const std::function<std::string(const std::string& time, int value)>& look) {
    const test::WholeHistory whole = test::read_text(head + look("25.10.2026 01:00:00", 1) + look("25.10.2026 02:00:00", 2) +
                                                     look("25.10.2026 02:00:00", 3) + look("25.10.2026 03:00:00", 4));
    EXPECT_THAT(whole.skipped, testing::IsEmpty());
    EXPECT_THAT(whole.warnings, testing::Contains(testing::StartsWith(again)));
    std::vector<std::string> lines;
    for (const Snapshot& snapshot : whole.snapshots) lines.push_back(line_of(snapshot, ""));
    return lines;
  };
  EXPECT_THAT(both("DateTime;Tag;PagedUsedBytes;NonPagedUsedBytes\n",
                   [](const std::string& time, int value) {
                     return time + ";A;0;" + std::to_string(value) + "\n" + time + ";B;1;9\n";
                   }),
              testing::ElementsAre("2026-10-25T01:00:00Z windows; nonpaged 'A   ' 1 ?; nonpaged 'B   ' 9 ?; paged 'B   ' 1 ?",
                                   "2026-10-25T02:00:00Z windows; nonpaged 'A   ' 2 ?; nonpaged 'B   ' 9 ?; paged 'B   ' 1 ?",
                                   "2026-10-25T03:00:00Z windows; nonpaged 'A   ' 4 ?; nonpaged 'B   ' 9 ?; paged 'B   ' 1 ?"));
  EXPECT_THAT(both("DateTime,Tag,Type,Bytes\n",
                   [](const std::string& time, int value) {
                     return time + ",A,Nonp," + std::to_string(value) + "\n" + time + ",A,Paged,9\n";
                   }),
              testing::ElementsAre("2026-10-25T01:00:00Z windows; nonpaged 'A   ' 1 ?; paged 'A   ' 9 ?",
                                   "2026-10-25T02:00:00Z windows; nonpaged 'A   ' 2 ?; paged 'A   ' 9 ?",
                                   "2026-10-25T03:00:00Z windows; nonpaged 'A   ' 4 ?; paged 'A   ' 9 ?"));
  EXPECT_THAT(both("Timestamp,Path,CookedValue\n",
                   [](const std::string& time, int value) {
                     return time + ",\\\\h\\memory\\pool nonpaged bytes," + std::to_string(value) + "\n" + time +
                            ",\\\\h\\memory\\pool paged bytes,9\n";
                   }),
              testing::ElementsAre("2026-10-25T01:00:00Z windows; nonpaged.bytes=1; paged.bytes=9",
                                   "2026-10-25T02:00:00Z windows; nonpaged.bytes=2; paged.bytes=9",
                                   "2026-10-25T03:00:00Z windows; nonpaged.bytes=4; paged.bytes=9"));
}

TEST(HistoryFromElsewhere, ADateOfNoUseTakesItsTablesAlong) {
  const test::WholeHistory whole = test::read_text(
      "2026-11-05 18:00:00Z\nSUnreclaim: 64 kB\n31/31/2026 19:00:00\nSUnreclaim: 65 kB\n2026-11-05 20:00:00Z\nSUnreclaim: 66 kB\n");
  ASSERT_EQ(whole.snapshots.size(), 2U);
  EXPECT_EQ(test::totals_of(whole.snapshots[0]).at("slab_unreclaimable.bytes"), 64U * 1024);
  EXPECT_EQ(test::totals_of(whole.snapshots[1]).at("slab_unreclaimable.bytes"), 66U * 1024);
  ASSERT_EQ(whole.skipped.size(), 1U);
  EXPECT_THAT(whole.skipped[0], testing::StartsWith("f:3: \"31/31/2026\" is no day of the calendar"));
}

TEST(HistoryFromElsewhere, SumsBelowATablesDateAreNoRows) {
  const std::string table = " Tag  Type Allocs Frees Diff Bytes Per Alloc\n Leak Nonp 2 1 1 64 64\n";
  const test::WholeHistory whole =
      test::read_text(" 2026-11-05T18:00:00Z\n Memory 8.00G   Avail 4.00G\n" + table +
                      " 2026-11-05T19:00:00Z\n Memory 8.00G   Avail 4.00G\n nonpaged 165M of ~256M (64%)   Free PTEs 12345\n" +
                      table + " 7 8\n");
  EXPECT_EQ(whole.snapshots.size(), 2U);
  EXPECT_THAT(whole.skipped, testing::ElementsAre("f:10: not a row of this table"));
}

TEST(HistoryFromElsewhere, OneHostUnlessAllAreWanted) {
  test::MemoryFiles files;
  files.put("f", "# hostname;interval;timestamp;kbcommit\na;60;2026-11-05 00:10:00 UTC;1\nB;60;2026-11-05 00:10:00 UTC;2\n");
  const test::WholeHistory first = test::read_history(files, {"f"});
  ASSERT_EQ(first.snapshots.size(), 1U);
  EXPECT_EQ(first.snapshots[0].commit_bytes, 1024U);
  EXPECT_THAT(first.warnings, testing::Contains("f: several hosts: only \"a\" is used, not \"B\""));
  auto second = open_history(files, {"f"}, {.all_hosts = false, .host = "b"});
  ASSERT_TRUE(second.ok());
  Snapshot snapshot;
  ASSERT_TRUE((*second)->read(snapshot).ok());
  EXPECT_EQ(snapshot.commit_bytes, 2048U);
  EXPECT_EQ((*second)->host(), "B");
  const auto none = open_history(files, {"f"}, {.all_hosts = false, .host = "c"});
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().message, "no usable history: host \"c\" is not in it; there are \"a\", \"B\"");
}

TEST(HistoryFromElsewhere, WhatTellsNoHostIsOfTheSameTimeAsTheOneThatIsUsed) {
  const test::WholeHistory whole = test::read_text(
      R"({"status":"success","data":{"resultType":"matrix","result":[)"
      R"({"metric":{"__name__":"windows_memory_pool_nonpaged_bytes","job":"win"},"values":[[1793898000,"1000"],[1793901600,"1100"]]},)"
      R"({"metric":{"__name__":"windows_memory_free_system_page_table_entries","instance":"a:9182"},"values":[[1793898000,"16"]]},)"
      R"({"metric":{"__name__":"windows_memory_free_system_page_table_entries","instance":"b:9182"},"values":[[1793898000,"17"]]}]}})");
  ASSERT_EQ(whole.snapshots.size(), 2U) << "one of each time";
  EXPECT_EQ(whole.snapshots[0].system_ptes_free, 16U);
  EXPECT_LT(whole.snapshots[0].time, whole.snapshots[1].time);
}

}  // namespace
}  // namespace kmem::history
