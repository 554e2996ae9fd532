#include "exporter/agent/kept_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "collectors/base/host_key.h"
#include "collectors/base/state_file.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_files.h"

namespace kmem {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

constexpr const char* kPath = "/state/x.state";

class KeptStateTest : public testing::Test {
 protected:
  KeptState state(std::uint32_t version = 2) { return {files_, clock_, kPath, "TEST", version}; }
  void load(KeptState& kept) {
    kept.load([this](std::string_view payload) -> base::Result<void> {
      if (payload == "too old") return base::Error{base::ErrorCode::kUnsupported, "of another version"};
      if (payload == "other host") return base::Error{base::ErrorCode::kInvalid, "of another host"};
      taken_ = payload;
      return {};
    });
  }
  void put(const std::string& path, std::uint32_t version, const std::string& payload) {
    files_.put(path, base::encode_state("TEST", version, payload));
  }
  std::string kept_in(const std::string& path) {
    const auto loaded = base::load_state(files_, path, "TEST");
    return loaded ? loaded->payload : loaded.error().message;
  }

  test::MemoryFiles files_;
  test::ManualClock clock_;
  std::string taken_ = "nothing";
};

TEST_F(KeptStateTest, ADiskThatFailsAtTheStartCostsNothing) {
  put(kPath, 2, "8 weeks");
  auto kept = state();
  files_.fail_after(0);
  load(kept);
  EXPECT_EQ(taken_, "nothing");
  EXPECT_EQ(kept.failures(KeptState::kUnreadable), 1U);
  (void)kept.save("a minute");
  EXPECT_EQ(kept.failures(KeptState::kUnreadable), 2U);
  files_.repair();
  EXPECT_EQ(kept_in(kPath), "8 weeks") << "neither renamed nor replaced";
  (void)kept.save("two minutes");
  EXPECT_EQ(taken_, "8 weeks");
  EXPECT_EQ(kept_in(kPath), "8 weeks") << "what was learnt since is not in it";
  (void)kept.save("8 weeks and a minute");
  EXPECT_EQ(kept_in(kPath), "8 weeks and a minute");
  EXPECT_THAT(files_.paths(), ElementsAre(kPath));
}

TEST_F(KeptStateTest, ADiskThatNeverReadsTheFileAgainIsGivenUpOn) {
  put(kPath, 2, "lost");
  auto kept = state();
  files_.fail_after(0);
  load(kept);
  for (int i = 0; i < 12; ++i) (void)kept.save("new");
  EXPECT_EQ(kept.failures(KeptState::kUnwritable), 1U) << "then it is tried to be written";
}

TEST_F(KeptStateTest, StateOfAnotherVersionIsKeptUnderItsName) {
  put(kPath, 3, "of a newer program");
  auto older = state(2);
  load(older);
  EXPECT_EQ(taken_, "nothing");
  EXPECT_EQ(older.failures(KeptState::kOtherVersion), 1U);
  (void)older.save("of this program");
  EXPECT_EQ(kept_in(kPath), "of this program");
  EXPECT_EQ(kept_in(std::string(kPath) + ".version-3"), "of a newer program");
  // The newer program comes back and finds its own.
  files_.set_modified(clock_.wall() - 3'600'000);
  auto newer = state(3);
  load(newer);
  EXPECT_EQ(taken_, "of a newer program");
  EXPECT_EQ(kept_in(std::string(kPath) + ".version-2"), "of this program");
  EXPECT_EQ(kept_in(kPath), "of a newer program");
}

TEST_F(KeptStateTest, StateOfThisVersionFromTwoMonthsAgoIsNotPreferred) {
  put(kPath, 2, "of this month");
  put(std::string(kPath) + ".version-3", 3, "two months old");
  files_.set_modified(clock_.wall() - 56LL * 24 * 3'600'000);
  auto newer = state(3);
  load(newer);
  EXPECT_EQ(taken_, "of this month");
  EXPECT_EQ(kept_in(std::string(kPath) + ".version-3"), "two months old");
}

TEST_F(KeptStateTest, StateOfAnOlderVersionIsTakenUpUnlessItIsTooOld) {
  put(kPath, 1, "of an older program");
  auto kept = state();
  load(kept);
  EXPECT_EQ(taken_, "of an older program");
  EXPECT_EQ(kept.failures(KeptState::kOtherVersion), 0U);
  put(kPath, 1, "too old");
  auto again = state();
  load(again);
  EXPECT_EQ(again.failures(KeptState::kOtherVersion), 1U);
  EXPECT_EQ(kept_in(std::string(kPath) + ".version-1"), "too old");
  EXPECT_THAT(files_.paths(), Not(Contains(kPath)));
}

TEST_F(KeptStateTest, WhatWasSetAsideIsTakenUpIfItIsSoundAfterAll) {
  put(std::string(kPath) + ".bad-999", 2, "older");
  put(std::string(kPath) + ".bad-1700000000", 2, "8 weeks");
  files_.put(std::string(kPath) + ".bad-1700000001", "damaged");
  auto kept = state();
  load(kept);
  EXPECT_EQ(taken_, "8 weeks");
  EXPECT_EQ(kept.failures(KeptState::kDamaged), 0U);
}

TEST_F(KeptStateTest, StateOfAnotherHostIsSetAsideAndNotTakenUp) {
  put(kPath, 2, "other host");
  auto kept = state();
  load(kept);
  EXPECT_EQ(taken_, "nothing");
  EXPECT_EQ(kept.failures(KeptState::kOtherHost), 1U);
  EXPECT_THAT(files_.paths(), Not(Contains(kPath)));
  load(kept);
  EXPECT_EQ(taken_, "nothing");
}

TEST(HostKey, IsAKeyedHash) {
  const auto hex = [](const std::string& bytes) {
    std::string text;
    for (const char c : bytes) {
      text += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
      text += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
    }
    return text;
  };
  // FIPS 180-4's examples, and the lengths around a block's end.
  EXPECT_EQ(hex(base::sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(base::sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(base::sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex(base::sha256(std::string(1'000'000, 'a'))), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  const std::string id = "0123456789abcdef0123456789abcdef", key = base::host_key(id);
  EXPECT_EQ(key, "1031b7f00a611557bdf2e18775d4eab7") << "HMAC-SHA-256, by another implementation";
  EXPECT_NE(key, id);
  EXPECT_NE(key, base::host_key("0123456789abcdef0123456789abcdee"));
  EXPECT_EQ(base::host_key(""), "");
  EXPECT_TRUE(base::is_host(key, key));
  EXPECT_TRUE(base::is_host(id, key)) << "what earlier versions wrote";
  EXPECT_FALSE(base::is_host("other", key));
  EXPECT_FALSE(base::is_host("", key));
  EXPECT_TRUE(base::is_host("", ""));
}

}  // namespace
}  // namespace kmem
