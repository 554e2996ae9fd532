#include "exporter/http/basic_auth.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <random>
#include <utility>

#include "exporter/http/bcrypt.h"
#include "exporter/http/text.h"

namespace kmem::http {
namespace {

constexpr std::size_t kMaxRemembered = 256;

std::uint64_t random_word() {
  std::random_device source;
  return std::uint64_t{source()} << 32 | source();
}

std::optional<std::string> decode_base64(std::string_view text) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  std::string result;
  std::uint32_t bits = 0;
  int have = 0;
  for (const char c : text) {
    const auto digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    have += 6;
    if (have < 8) continue;
    have -= 8;
    result += static_cast<char>(bits >> have & 255);
  }
  return result;
}

/// "user:password"
std::optional<std::string> credentials(std::string_view authorization) {
  const auto space = authorization.find(' ');
  if (space == std::string_view::npos || !equal_ignoring_case(authorization.substr(0, space), "Basic")) return std::nullopt;
  auto decoded = decode_base64(trim(authorization.substr(space)));
  if (!decoded || decoded->find(':') == std::string::npos) return std::nullopt;
  return decoded;
}

/// "$2y$10$...": 10
int cost_of(std::string_view setting) {
  int cost = 0;
  if (setting.size() > 6) std::from_chars(setting.data() + 4, setting.data() + 6, cost);
  return cost;
}

std::string with_cost(int cost) {
  return std::string("$2y$") + static_cast<char>('0' + cost / 10) + static_cast<char>('0' + cost % 10) +
         "$abcdefghijklmnopqrstuu" + std::string(31, '.');
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  return difference == 0;
}

}  // namespace

std::string BasicAuth::hash(const std::string& password, const std::string& setting) {
  work_ += std::uint64_t{1} << cost_of(setting);
  return bcrypt(password, setting);
}

BasicAuth::BasicAuth(std::vector<config::BasicAuthUser> users) : users_(std::move(users)), key_{random_word(), random_word()} {}

BasicAuth::Verdict BasicAuth::remembered(std::string_view authorization) {
  const auto sent = credentials(authorization);
  if (!sent) return Verdict::kDenied;
  const auto hash = sip_hash(key_, *sent);
  const std::lock_guard lock(mutex_);
  if (allowed_.contains(hash)) return Verdict::kAllowed;
  return denied_.contains(hash) ? Verdict::kDenied : Verdict::kUnknown;
}

bool BasicAuth::check(std::string_view authorization) {
  const auto sent = credentials(authorization);
  if (!sent) return false;
  const auto colon = sent->find(':');
  const auto name = std::string_view(*sent).substr(0, colon);
  const config::BasicAuthUser* user = nullptr;
  for (const auto& each : users_) {
    if (equal_in_constant_time(each.name, name)) user = &each;
  }
  const std::string password = sent->substr(colon + 1);
  int most = 0;
  for (const auto& each : users_) most = std::max(most, cost_of(each.bcrypt_hash));
  const bool allowed = user != nullptr && equal_in_constant_time(hash(password, user->bcrypt_hash), user->bcrypt_hash);
  if (!allowed) {
    // 2^c of the user's own and 2^c, 2^(c+1) ... 2^(most-1) make 2^most; a name that is unknown is one of that cost.
    const int own = user == nullptr ? most : cost_of(user->bcrypt_hash);
    if (user == nullptr) (void)hash(password, with_cost(most));
    for (int cost = own; cost < most; ++cost) (void)hash(password, with_cost(cost));
  }
  const std::lock_guard lock(mutex_);
  auto& verdicts = allowed ? allowed_ : denied_;
  if (verdicts.size() >= kMaxRemembered) verdicts.clear();
  verdicts.insert(sip_hash(key_, *sent));
  return allowed;
}

}  // namespace kmem::http
