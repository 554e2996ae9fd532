#include "collectors/history/series_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/collectors/history/read_history.h"

namespace kmem::history {
namespace {

constexpr base::UnixMillis kStart = 1'793'901'600'000;  // a full hour
constexpr std::int64_t kMinute = 60'000;

TEST(SeriesStore, ThinsToFloorsInsteadOfForgetting) {
  SeriesStore store(100);
  const auto fill = [&](const char* name, int offset) {
    ASSERT_EQ(store.begin({{"__name__", name}, {"instance", "a"}}), "");
    // Lowest at the 7th minute of each hour, highest at the 8th.
    for (int minute = 0; minute < 600; ++minute)
      store.add(kStart + minute * kMinute, offset + minute / 60 * 1000 + (minute % 60 == 7 ? 0 : minute % 60 == 8 ? 900 : 500));
  };
  fill("windows_memory_pool_nonpaged_bytes", 10'000);
  fill("windows_memory_free_system_page_table_entries", 20'000);
  store.finish();
  EXPECT_EQ(store.points(), 1200U);
  EXPECT_EQ(store.points_left_out(), 0U);
  EXPECT_GE(store.thinned_to_ms(), 10 * kMinute);
  EXPECT_EQ(3'600'000 % store.thinned_to_ms(), 0);
  std::map<std::int64_t, std::uint64_t> lowest, most_free;
  Snapshot snapshot;
  base::UnixMillis last = 0;
  while (store.next(snapshot)) {
    EXPECT_GT(snapshot.time, last);
    last = snapshot.time;
    const std::int64_t hour = (snapshot.time - kStart) / 3'600'000;
    ASSERT_TRUE(snapshot.pools.size() == 1 && snapshot.pools[0].bytes && snapshot.system_ptes_free);
    const auto known = lowest.try_emplace(hour, *snapshot.pools[0].bytes).first;
    known->second = std::min(known->second, *snapshot.pools[0].bytes);
    most_free[hour] = std::max(most_free[hour], *snapshot.system_ptes_free);
  }
  ASSERT_EQ(lowest.size(), 10U);
  for (const auto& [hour, bytes] : lowest) {
    EXPECT_EQ(bytes, 10'000U + static_cast<std::uint64_t>(hour) * 1000);
    EXPECT_EQ(most_free[hour], 20'900U + static_cast<std::uint64_t>(hour) * 1000);
  }
}

TEST(SeriesStore, LeavesOutWhatHasNoRoomEvenThinned) {
  SeriesStore store(10);
  ASSERT_EQ(store.begin({{"__name__", "kmem_commit_bytes"}}), "");
  for (int hour = 0; hour < 15; ++hour) store.add(kStart + hour * 3'600'000, 1);
  EXPECT_EQ(store.points_left_out(), 5U);
}

TEST(SeriesStore, SeriesInPiecesAndOutOfOrderAreOne) {
  SeriesStore store;
  for (const int hour : {2, 0, 1}) {
    ASSERT_EQ(store.begin({{"__name__", "kmem_commit_bytes"}, {"instance", "a"}}), "");
    store.add(kStart + hour * 3'600'000, 100 + hour);
  }
  store.finish();
  EXPECT_EQ(store.series(), 1U);
  Snapshot snapshot;
  for (std::uint64_t hour = 0; hour < 3; ++hour) {
    ASSERT_TRUE(store.next(snapshot));
    EXPECT_EQ(snapshot.commit_bytes, 100 + hour);
    EXPECT_EQ(store.host(), "a");
  }
  EXPECT_FALSE(store.next(snapshot));
}

TEST(SeriesStore, ExportersOfOneInstanceAreOneHost) {
  SeriesStore store;
  ASSERT_EQ(store.begin({{"__name__", "windows_memory_pool_paged_bytes"}, {"instance", "a"}, {"job", "w"}, {"team", "x"}}), "");
  store.add(kStart, 5);
  ASSERT_EQ(store.begin({{"__name__", "kmem_commit_bytes"}, {"instance", "a"}, {"job", "k"}}), "");
  store.add(kStart, 6);
  store.finish();
  Snapshot snapshot;
  ASSERT_TRUE(store.next(snapshot));
  EXPECT_EQ(store.host(), "a");
  EXPECT_EQ(snapshot.commit_bytes, 6U);
  ASSERT_EQ(snapshot.pools.size(), 1U);
  EXPECT_EQ(snapshot.pools[0].bytes, 5U);
  EXPECT_FALSE(store.next(snapshot));
}

TEST(SeriesStore, ALabelThatChangesWithTimeTellsNoOtherHost) {
  for (const bool at_once : {false, true}) {
    SeriesStore store;
    for (int pod = 0; pod < 3; ++pod) {
      ASSERT_EQ(store.begin({{"__name__", "kmem_commit_bytes"}, {"instance", "a"}, {"pod", "p" + std::to_string(pod)}}), "");
      const std::int64_t first = kStart + (at_once ? 5 : 24) * pod * 3'600'000;
      for (int hour = 0; hour < 24; ++hour) store.add(first + hour * 3'600'000 + pod, 1000 + pod);
    }
    store.finish();
    Snapshot snapshot;
    std::map<std::string, int> hosts;
    while (store.next(snapshot)) ++hosts[store.host()];
    EXPECT_EQ(hosts.size(), at_once ? 3U : 1U);
    EXPECT_EQ(hosts["a"], at_once ? 0 : 72);
  }
}

TEST(SeriesStore, ReplicasOfPrometheusAreOneHostUnlessTheyDiffer) {
  for (const bool is_same : {true, false}) {
    SeriesStore store;
    for (const int replica : {0, 1}) {
      ASSERT_EQ(store.begin({{"__name__", "node_memory_SUnreclaim_bytes"},
                             {"instance", "n1:9100"},
                             {"prometheus_replica", std::string(1, static_cast<char>('a' + replica))}}),
                "");
      for (int minute = 0; minute < 60; minute += 5)
        store.add(kStart + minute * kMinute + replica * 13'000, (is_same ? 1000 : 1000 + 5000 * replica) + minute);
    }
    store.finish();
    std::map<std::string, int> hosts;
    Snapshot snapshot;
    while (store.next(snapshot)) ++hosts[store.host()];
    if (is_same) {
      EXPECT_EQ(hosts, (std::map<std::string, int>{{"n1:9100", 12}}));
    } else {
      EXPECT_EQ(hosts, (std::map<std::string, int>{{"n1:9100{replica=\"a\"}", 12}, {"n1:9100{replica=\"b\"}", 12}}));
    }
  }
}

TEST(SeriesStore, PodsOneBehindAnotherAreTheirNode) {
  for (const int step : {60, 10}) {  // minutes
    SeriesStore store;
    for (const int pod : {0, 1, 2}) {
      ASSERT_EQ(store.begin({{"__name__", "node_memory_SUnreclaim_bytes"},
                             {"instance", "10.0.0." + std::to_string(pod) + ":9100"},
                             {"node", "w1"},
                             {"pod", "p" + std::to_string(pod)}}),
                "");
      for (int minute = 0; minute < 60; minute += 5) store.add(kStart + (pod * step + minute) * kMinute, 1000);
    }
    store.finish();
    std::map<std::string, int> hosts;
    Snapshot snapshot;
    while (store.next(snapshot)) ++hosts[store.host()];
    if (step == 60) EXPECT_EQ(hosts, (std::map<std::string, int>{{"w1", 36}}));
    else EXPECT_EQ(hosts, (std::map<std::string, int>{{"10.0.0.0:9100", 12}, {"10.0.0.1:9100", 12}, {"10.0.0.2:9100", 12}}));
  }
}

TEST(SeriesStore, TwoValuesOfOneTimeAreNamed) {
  SeriesStore store;
  EXPECT_EQ(store.begin({{"__name__", "kmem_pool_tag_bytes"}, {"instance", "a"}, {"pool", "paged"}, {"tag", "Leak"}}), "");
  store.add(2000, 7);
  store.add(1000, 5);
  store.add(2000, 7);
  store.add(1000, 6);
  store.add(1000, 8);
  store.finish();
  EXPECT_EQ(store.doubled().samples, 2U);
  EXPECT_EQ(store.doubled().series, "kmem_pool_tag_bytes \"Leak\"");
  EXPECT_EQ(store.doubled().time, 1000);
  EXPECT_EQ(store.doubled().used, 5);
  EXPECT_EQ(store.doubled().other, 6);
  const test::WholeHistory whole = test::read_text(
      "{__name__=\"kmem_pool_tag_bytes\", instance=\"s\", pool=\"nonpaged\", tag=\"Leak\"} 5 1793901600000\n"
      "{__name__=\"kmem_pool_tag_bytes\", instance=\"s\", pool=\"nonpaged\", tag=\"Leak\"} 7e6 1793901600000\n");
  EXPECT_EQ(whole.warnings, std::vector<std::string>{"f: it contradicts itself, and the first value is used: "
                                                     "kmem_pool_tag_bytes \"Leak\" at 2026-11-05T18:00:00Z is 5 and 7e+06"});
}

// In a part of a history they stay one host: the next part may not show that they differ.
TEST(SeriesStore, JobsThatDifferAreHostsOfAWholeHistoryAlone) {
  for (const bool is_part : {false, true}) {
    SeriesStore store(SeriesStore::kMaxPoints, is_part);
    for (const char* const job : {"w", "x"}) {
      ASSERT_EQ(store.begin({{"__name__", "windows_memory_pool_paged_bytes"}, {"instance", "a"}, {"job", job}}), "");
      for (int i = 0; i < 3; ++i) store.add(i * 1000, *job + i);
    }
    store.finish();
    EXPECT_EQ(store.of_several_jobs(), std::vector<std::string>{"a"});
    Snapshot snapshot;
    ASSERT_TRUE(store.next(snapshot));
    EXPECT_EQ(store.host(), is_part ? "a" : "a{job=\"w\"}");
    ASSERT_EQ(snapshot.pools.size(), 1U);
    EXPECT_EQ(snapshot.pools[0].bytes, std::uint64_t{'w'});
  }
}

}  // namespace
}  // namespace kmem::history
