// Stage 6: Authorization header -> whether a user of the web configuration file sent it. What was checked once is
// remembered by a keyed hash, so that a scrape does not cost a bcrypt (tens of ms).
// Thread: all calls from any thread; check() is slow. Failure: whatever is not right is denied.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/web_security.h"
#include "exporter/http/siphash.h"

namespace kmem::http {

class BasicAuth {
 public:
  enum class Verdict { kAllowed, kDenied, kUnknown };

  explicit BasicAuth(std::vector<config::BasicAuthUser> users);

  /// Without a bcrypt: kUnknown means ask check().
  Verdict remembered(std::string_view authorization);
  /// A denial costs as much as the costliest hash, whoever is named: nobody learns which names there are.
  bool check(std::string_view authorization);
  /// Rounds of bcrypt (2^cost each) that all checks took.
  [[nodiscard]] std::uint64_t work() const { return work_; }

 private:
  std::string hash(const std::string& password, const std::string& setting);

  const std::vector<config::BasicAuthUser> users_;
  const SipKey key_;
  std::atomic<std::uint64_t> work_{0};
  std::mutex mutex_;
  // Apart, so that wrong tries cannot push out the right ones.
  std::set<SipHash> allowed_;
  std::set<SipHash> denied_;
};

}  // namespace kmem::http
