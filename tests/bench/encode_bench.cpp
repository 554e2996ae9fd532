// Stages 4 and 5 on pages of the real shape, beside prometheus-cpp's TextSerializer in the same run.
// Argument: exported tags a pool, of three pools; a tag of the Linux shape is two series, of the Windows shape four.
#include <benchmark/benchmark.h>
#include <prometheus/text_serializer.h>

#include <sstream>
#include <string>
#include <vector>

#include "exporter/encode/encode.h"
#include "exporter/encode/gzip.h"
#include "exporter/metrics/families.h"

namespace {

using kmem::Pool;

struct Page {
  kmem::Snapshot snapshot;
  kmem::select::Selection selection;

  explicit Page(std::size_t tags_a_pool, bool windows) {
    std::uint64_t noise = 0x9E3779B97F4A7C15ULL;
    const auto next = [&noise](std::uint64_t bound) {
      noise = noise * 6364136223846793005ULL + 1442695040888963407ULL;
      return (noise >> 20) % bound;
    };
    const std::vector<Pool> pools = windows
                                        ? std::vector<Pool>{Pool::kPaged, Pool::kNonpaged}
                                        : std::vector<Pool>{Pool::kSlabReclaimable, Pool::kSlabUnreclaimable, Pool::kVmalloc};
    snapshot.commit_bytes = next(1ULL << 36);
    snapshot.commit_limit_bytes = next(1ULL << 36);
    snapshot.physical_memory_bytes = 1ULL << 36;
    snapshot.available_bytes = next(1ULL << 36);
    for (const Pool pool : pools) {
      snapshot.pools.push_back({pool, next(1ULL << 33), {}, {}, {}, {}});
      kmem::select::PoolSelection row;
      row.pool = pool;
      row.live_tags = tags_a_pool * 2;
      row.other_bytes = next(1ULL << 24);
      selection.pools.push_back(row);
      for (std::size_t i = 0; i < tags_a_pool; ++i) {
        kmem::select::Member member;
        member.pool = pool;
        member.present = true;
        // No tag comes twice in a pool: a repeated series is no page's shape.
        member.tag = windows ? "T" + std::to_string(100 + i) : std::to_string(i) + "_inode_cache_of_fs";
        member.tag.resize(windows ? 4 : 8 + i % 12);
        member.bytes = next(1ULL << 28) & ~4095ULL;
        member.outstanding = next(1ULL << 16);
        if (windows) {
          member.allocations_total = next(1ULL << 33);
          member.frees_total = next(1ULL << 33);
        }
        selection.members.push_back(member);
      }
    }
    for (std::uint64_t pid = 0; pid < 20; ++pid)
      selection.processes.push_back({pid * 1234, "process-" + std::to_string(pid), next(5000), {}, {}});
    for (const char* name : {"meminfo", "slabinfo", "stat", "processes", "settings"})
      snapshot.parts.push_back({name, kmem::PartState::kOk, "", 0.000123, 0});
  }

  [[nodiscard]] std::vector<prometheus::MetricFamily> families() const {
    std::vector<prometheus::MetricFamily> out;
    kmem::metrics::build_families({snapshot, selection}, out);
    return out;
  }
};

void report(benchmark::State& state, const std::vector<prometheus::MetricFamily>& families, std::size_t bytes) {
  std::size_t series = 0;
  for (const auto& family : families) series += family.metric.size();
  state.counters["series"] = static_cast<double>(series);
  state.counters["page_bytes"] = static_cast<double>(bytes);
  state.counters["ns_a_series"] = benchmark::Counter(
      static_cast<double>(series) * 1e-9, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void build_reused(benchmark::State& state) {
  const Page page(static_cast<std::size_t>(state.range(0)), state.range(1) != 0);
  std::vector<prometheus::MetricFamily> families;
  for (auto _ : state) kmem::metrics::build_families({page.snapshot, page.selection}, families);
  report(state, families, 0);
}

void build_fresh(benchmark::State& state) {
  const Page page(static_cast<std::size_t>(state.range(0)), state.range(1) != 0);
  for (auto _ : state) benchmark::DoNotOptimize(page.families());
  report(state, page.families(), 0);
}

template <kmem::encode::Format format>
void encode_ours(benchmark::State& state) {
  const auto families = Page(static_cast<std::size_t>(state.range(0)), state.range(1) != 0).families();
  std::string out;
  for (auto _ : state) {
    kmem::encode::encode(families, format, out);
    benchmark::DoNotOptimize(out.data());
  }
  report(state, families, out.size());
}

void encode_prometheus_cpp(benchmark::State& state) {
  const auto families = Page(static_cast<std::size_t>(state.range(0)), state.range(1) != 0).families();
  std::string out;
  for (auto _ : state) {
    std::ostringstream stream;
    prometheus::TextSerializer().Serialize(stream, families);
    out = stream.str();
    benchmark::DoNotOptimize(out.data());
  }
  report(state, families, out.size());
}

void gzip_page(benchmark::State& state) {
  const auto families = Page(static_cast<std::size_t>(state.range(0)), state.range(1) != 0).families();
  std::string page, out;
  kmem::encode::encode(families, kmem::encode::Format::kText004, page);
  kmem::encode::Gzip gzip;
  for (auto _ : state)
    if (!gzip.compress(page, out)) state.SkipWithError("gzip failed");
  report(state, families, page.size());
  state.counters["gzip_bytes"] = static_cast<double>(out.size());
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"tags", "windows"});
  for (const std::int64_t tags : {40, 80, 320}) benchmark->Args({tags, 0});
  for (const std::int64_t tags : {40, 60, 240}) benchmark->Args({tags, 1});
}

BENCHMARK(build_reused)->Apply(sizes);
BENCHMARK(build_fresh)->Apply(sizes);
BENCHMARK(encode_ours<kmem::encode::Format::kText004>)->Apply(sizes);
BENCHMARK(encode_ours<kmem::encode::Format::kOpenMetrics100>)->Apply(sizes);
BENCHMARK(encode_prometheus_cpp)->Apply(sizes);
BENCHMARK(gzip_page)->Apply(sizes);

}  // namespace

BENCHMARK_MAIN();
