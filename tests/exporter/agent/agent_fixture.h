// An agent over a kernel whose tags the test sets, over files in memory. Thread: one. Failure: none.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exporter/agent/agent.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_files.h"
#include "tests/support/tag_usage.h"

namespace kmem {

/// Counts how often it was read.
struct FakeKernel {
  std::vector<PartStatus> parts;
  bool repeated = false, busy = false;
  std::vector<std::pair<std::string, std::uint64_t>> tags{{"Thre", 4096}};
  base::UnixMillis boot_time = 1'699'000'000'000;
  std::int64_t clock_set_ms = 0;  // by how much its clock is off
  std::optional<std::uint64_t> ptes;
  std::string failure;
  int reads = 0;
  int advances = 0;
};

class FakeSource final : public KernelSource {
 public:
  FakeSource(FakeKernel& kernel, const base::Clock& clock) : kernel_(kernel), clock_(clock) {}
  base::Result<void> read(Snapshot& out) override {
    ++kernel_.reads;
    if (!kernel_.failure.empty()) return base::Error{base::ErrorCode::kIo, kernel_.failure};
    out.clear();
    out.system = System::kWindows;
    out.time = clock_.wall() + kernel_.clock_set_ms;
    out.boot_time = kernel_.boot_time + kernel_.clock_set_ms;
    out.system_ptes_free = kernel_.ptes;
    out.parts = kernel_.parts;
    out.repeated = kernel_.repeated;
    for (const auto& [name, bytes] : kernel_.tags) {
      TagUsage& tag = out.tags.emplace_back(test::tag_usage(Pool::kNonpaged, name, bytes));
      tag.counter_bits = 32;
      tag.allocations = static_cast<std::uint64_t>(clock_.wall() - kernel_.boot_time) / 100 & 0xFFFF'FFFF;
    }
    return {};
  }
  base::Result<void> read_within(Snapshot& out, const Patience& patience) override {
    patience_ = patience;
    if (kernel_.busy && patience.come_back) return base::Error{base::ErrorCode::kBusy, "later"};
    return read(out);
  }
  void last_without_old(Snapshot& out) override {
    out.clear();
    out.time = clock_.wall();
    out.parts = kernel_.parts;
  }
  bool advance() override {
    ++kernel_.advances;
    return true;
  }
  static inline Patience patience_;

 private:
  FakeKernel& kernel_;
  const base::Clock& clock_;
};

class AgentTest : public testing::Test {
 protected:
  std::unique_ptr<Agent> make() {
    return std::make_unique<Agent>(config_, std::make_unique<FakeSource>(kernel_, clock_), clock_, files_);
  }
  static std::string text(Agent& agent) {
    const auto page = agent.page(encode::Format::kText004);
    return page ? *page : "error: " + page.error().message;
  }
  static http::Response get(Agent& agent, const std::string& path, const http::Request& request = {}) {
    for (const http::Route& route : agent.routes())
      if (route.path == path) return route.handler(request);
    ADD_FAILURE() << "no route " << path;
    return {};
  }

  test::ManualClock clock_;
  test::MemoryFiles files_;
  FakeKernel kernel_;
  config::Config config_;
};

}  // namespace kmem
