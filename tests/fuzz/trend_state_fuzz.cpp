// links: kmem_trend
// Any bytes as a saved history: refused, or an engine that reports, goes on, and reads what it saves again.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "exporter/trend/engine.h"

namespace {

using namespace kmem;

void require(bool holds) {
  if (!holds) std::abort();
}

void look_at(const trend::TrendEngine& engine) {
  const trend::Summary summary = engine.summary();
  require(summary.subjects <= 8 && summary.history_seconds >= 0 && summary.history_seconds <= 56 * 86'400.0);
  for (const trend::SubjectReport& report : engine.report(true)) {
    require(report.confidence >= 0 && report.confidence <= 1 && !std::isinf(report.limit.value_or(0)));
    require(engine.find(report.kind, report.pool, report.text).has_value());
    require(engine.course(report.kind, report.pool, report.text).has_value());
    (void)engine.daily_course(report.kind, report.pool, report.text);
  }
  require(engine.outlines().size() == summary.subjects);
  (void)engine.boot_times();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  trend::TrendEngine engine({.max_subjects = 8});
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (!engine.load(bytes)) {
    require(engine.summary().subjects == 0);
    return 0;
  }
  look_at(engine);
  trend::Sample sample;
  sample.text = "Even";
  sample.amount = 4096;
  sample.outstanding = UINT64_MAX;
  constexpr base::UnixMillis kHour = 3'600'000;
  base::UnixMillis at = engine.summary().time.value_or(0);
  for (const base::UnixMillis later : {kHour / 60, 5 * kHour, 24 * kHour, 400 * 24 * kHour}) {
    at += later;
    engine.observe({at, at - kHour, {&sample, 1}});
    look_at(engine);
  }
  engine.settle();
  trend::TrendEngine again({.max_subjects = 8});
  require(again.load(engine.save()).ok());
  look_at(again);
  return 0;
}
