// A scrape of Windows without the kernel and the network: a class 22 table of 5,000 tags is parsed, selected from, built
// and encoded as the default page. The floor beside it copies the same table once.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "collectors/source.h"
#include "exporter/encode/encode.h"
#include "exporter/metrics/families.h"
#include "exporter/select/tracked_set.h"
#include "tests/bench/yardstick.h"

namespace {

constexpr std::uint32_t kTags = 5000;

template <typename T>
void put(std::string& bytes, std::size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

/// As the x64 kernel lays it out: a count, then rows of 40 bytes.
std::string pool_tag_table(std::uint32_t moved) {
  std::string bytes(8 + std::size_t{40} * kTags, '\0');
  put(bytes, 0, kTags);
  std::uint64_t noise = 88172645463325252ULL;
  for (std::uint32_t i = 0; i < kTags; ++i) {
    noise ^= noise << 13;
    noise ^= noise >> 7;
    noise ^= noise << 17;
    const std::size_t row = 8 + std::size_t{40} * i;
    const char tag[4] = {static_cast<char>('A' + i % 26), static_cast<char>('a' + i / 26 % 26),
                         static_cast<char>('a' + i / 676 % 26), i % 3 == 0 ? ' ' : '1'};
    std::memcpy(bytes.data() + row, tag, sizeof tag);
    const auto live = static_cast<std::uint32_t>(noise % 5000);
    const std::uint32_t frees = i * 7919U + moved;
    const bool paged = i % 3 != 1, nonpaged = i % 3 != 0;
    if (paged) {
      put(bytes, row + 4, frees + live);
      put(bytes, row + 8, frees);
      put(bytes, row + 16, std::uint64_t{live} * 96);
    }
    if (nonpaged) {
      put(bytes, row + 24, frees + live);
      put(bytes, row + 28, frees);
      put(bytes, row + 32, std::uint64_t{live} * 320);
    }
  }
  return bytes;
}

kmem::RawFrame frame_with(std::string table) {
  kmem::RawFrame frame;
  frame.system = kmem::System::kWindows;
  frame.time = 1'700'000'000'000;
  std::string performance(344, '\0');
  for (const std::size_t field : {44U, 48U, 52U, 56U, 112U, 116U, 120U, 124U, 128U, 132U, 136U})
    put(performance, field, static_cast<std::uint32_t>(100'000 + field));
  frame.part("nt/2").bytes = performance;
  frame.part("nt/22").bytes = std::move(table);
  return frame;
}

void whole_scrape(benchmark::State& state) {
  const kmem::RawFrame frame = frame_with(pool_tag_table(0));
  kmem::Snapshot snapshot;
  kmem::select::TrackedSet tracked{kmem::config::Tags{}, kmem::config::Processes{}};
  kmem::parse_frame(frame, snapshot);
  tracked.update(snapshot, {});
  kmem::select::Selection selection;
  std::vector<prometheus::MetricFamily> families;
  std::string page;
  for (auto _ : state) {
    kmem::parse_frame(frame, snapshot);
    tracked.fill(snapshot, selection);
    kmem::metrics::build_families({snapshot, selection}, families);
    kmem::encode::encode(families, kmem::encode::Format::kText004, page);
    benchmark::DoNotOptimize(page.data());
  }
  if (snapshot.tags.size() < kTags || selection.members.empty()) state.SkipWithError("the table was not understood");
  state.counters["tags"] = kTags;
  state.counters["members"] = static_cast<double>(selection.members.size());
  state.counters["page_bytes"] = static_cast<double>(page.size());
}

/// What the sampler does on top, once a minute.
void tick(benchmark::State& state) {
  const kmem::RawFrame frame = frame_with(pool_tag_table(0));
  kmem::Snapshot snapshot;
  kmem::select::TrackedSet tracked{kmem::config::Tags{}, kmem::config::Processes{}};
  kmem::parse_frame(frame, snapshot);
  for (auto _ : state) {
    snapshot.time += 60'000;
    tracked.update(snapshot, {});
  }
}

void parse_only(benchmark::State& state) {
  const kmem::RawFrame frame = frame_with(pool_tag_table(0));
  kmem::Snapshot snapshot;
  for (auto _ : state) {
    kmem::parse_frame(frame, snapshot);
    benchmark::DoNotOptimize(snapshot.tags.data());
  }
}

void floor_copy(benchmark::State& state) {
  const std::string table = pool_tag_table(0);
  std::string copy;
  for (auto _ : state) {
    copy.assign(table);
    benchmark::DoNotOptimize(copy.data());
  }
}

void yardstick(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(kmem::bench::yardstick_seconds(100));
}

BENCHMARK(yardstick)->Unit(benchmark::kMicrosecond);
BENCHMARK(whole_scrape)->Unit(benchmark::kMicrosecond);
BENCHMARK(parse_only)->Unit(benchmark::kMicrosecond);
BENCHMARK(tick)->Unit(benchmark::kMicrosecond);
BENCHMARK(floor_copy)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
