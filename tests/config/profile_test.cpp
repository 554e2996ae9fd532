#include "config/profile.h"

#include <gtest/gtest.h>

namespace kmem::config {
namespace {

TEST(Profile, DefaultIsWhatTheKnobsSay) {
  Config config;
  config.tags.top_bytes = 3;
  config.tags.all = true;
  const Exported out = exported(config);
  EXPECT_EQ(out.tags, config.tags);
  EXPECT_EQ(out.processes, config.processes);
  EXPECT_FALSE(out.only_lean);
}

TEST(Profile, LeanKeepsNothingButSuspectsAndWhatIsNamed) {
  Config config;
  config.metrics.profile = MetricsProfile::kLean;
  config.tags.all = true;
  config.tags.include = {"Irp "};
  const Exported out = exported(config);
  EXPECT_EQ(out.tags.top_bytes + out.tags.top_outstanding + out.tags.top_growth + out.tags.top_session + out.processes.top, 0U);
  EXPECT_FALSE(out.tags.all || out.tags.counters);
  EXPECT_EQ(out.tags.dwell.count(), 0);
  EXPECT_EQ(out.tags.include, config.tags.include);
  EXPECT_EQ(out.max_suspects, kLeanSuspects);
  EXPECT_TRUE(out.only_lean);
}

TEST(Profile, WhatLeanTakesBackIsSaid) {
  Config config;
  config.metrics.profile = MetricsProfile::kLean;
  EXPECT_EQ(doubtful(config), "");
  config.tags.all = true;
  config.tags.max_exported = 200;
  config.processes.top = 200;
  EXPECT_EQ(doubtful(config),
            "metrics.profile lean exports suspects and tags.include only, so these do nothing: tags.all, tags.max_exported, "
            "processes.top");
  config.tags.include = {"Irp "};  // of these so many
  config.tags.all = false;
  EXPECT_EQ(doubtful(config),
            "metrics.profile lean exports suspects and tags.include only, so these do nothing: processes.top");
  config.metrics.profile = MetricsProfile::kFull;
  EXPECT_EQ(doubtful(config), "");
}

TEST(Profile, FullFillsEverySeat) {
  Config config;
  config.metrics.profile = MetricsProfile::kFull;
  EXPECT_EQ(exported(config).tags.top_bytes, config.tags.max_exported);
  config.tags.top_bytes = 1000;
  EXPECT_EQ(exported(config).tags.top_bytes, 1000U);
}

}  // namespace
}  // namespace kmem::config
