#include "config/web_config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "collectors/base/suggest.h"
#include "config/text.h"
#include "config/yaml_document.h"

namespace kmem::config {
namespace {

using Kind = YamlNode::Kind;
using Words = std::span<const std::string_view>;

constexpr std::size_t kMaxUsers = 1000;
constexpr std::size_t kMaxTextBytes = 4096;
constexpr int kMaxBcryptCost = 18;  // about 20 s a check; each step doubles it

constexpr std::uint64_t kMaxBurst = 1'000'000;

constexpr std::array<std::string_view, 4> kTlsVersions = {"TLS10", "TLS11", "TLS12", "TLS13"};
// Go's name first; the toolkit understands the second as well.
constexpr std::array<std::string_view, 6> kClientAuths = {
    "NoClientCert",     "RequestClientCert", "RequireAnyClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert",
    "RequireClientCert"};
constexpr std::array<std::string_view, 5> kHeaders = {"Content-Security-Policy", "Strict-Transport-Security",
                                                      "X-Content-Type-Options", "X-Frame-Options", "X-XSS-Protection"};
constexpr std::array<std::string_view, 11> kTrue = {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y"};
constexpr std::array<std::string_view, 11> kFalse = {"false", "False", "FALSE", "no", "No", "NO",
                                                     "off",   "Off",   "OFF",   "n",  "N"};
constexpr std::string_view kContentTypeOptions[] = {"nosniff"};
constexpr std::string_view kFrameOptions[] = {"deny", "sameorigin"};
constexpr std::array<std::string_view, 4> kCurves = {"CurveP256", "CurveP384", "CurveP521", "X25519"};
constexpr std::array<std::string_view, 4> kCurvesInOpenssl = {"P-256", "P-384", "P-521", "X25519"};
// As the toolkit: those without forward secrecy (TLS_RSA_...) are not among them.
constexpr std::array<std::string_view, 13> kCipherSuites = {
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
};

bool is_plain_text(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return false;
  return text.size() <= kMaxTextBytes;
}

/// "$2y$10$", 22 characters of salt, 31 of hash.
bool is_bcrypt(std::string_view text) {
  if (text.size() != 60 || !text.starts_with("$2") || text[3] != '$' || text[6] != '$') return false;
  const auto cost = parse_count(text.substr(4, 2));
  constexpr std::string_view kKinds = "aby";
  if (kKinds.find(text[2]) == std::string_view::npos || !cost || *cost < 4 || *cost > kMaxBcryptCost) return false;
  for (const char c : text.substr(7)) {
    const bool is_base64 = (c >= '.' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (!is_base64) return false;
  }
  return true;
}

/// A whole number as YAML 1.1 writes it: 20, +20, 1_000, 0x14, 0o24, 024, 0b10100.
std::optional<std::uint64_t> parse_yaml_count(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, int>, 4> kBases = {{{"0x", 16}, {"0o", 8}, {"0b", 2}, {"0", 8}}};
  if (text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  for (const auto& [prefix, its] : kBases) {
    if (!text.starts_with(prefix) || text.size() == prefix.size()) continue;
    base = its;
    text.remove_prefix(prefix.size());
    break;
  }
  std::string digits(text);
  std::erase(digits, '_');
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc() || end != digits.data() + digits.size() || value > INT64_MAX) return std::nullopt;
  return value;
}

/// Go's: "1.5s", "1m30s", "250us"; less than a nanosecond counts as one.
std::optional<std::chrono::nanoseconds> parse_go_duration(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, double>, 8> kUnits = {
      {{"ns", 1}, {"us", 1e3}, {"\xC2\xB5s", 1e3}, {"\xCE\xBCs", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 6e10}, {"h", 3.6e12}}};
  constexpr double kMostNs = 9.22e18;  // 292 years, as Go's
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return std::chrono::nanoseconds(0);
  double total = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_not_of("0123456789."), text.size());
    const std::string_view number = text.substr(0, end);
    const auto point = std::min(number.find('.'), number.size());
    const std::string_view whole = number.substr(0, point), part = number.substr(std::min(point + 1, number.size()));
    if (whole.empty() && part.empty()) return std::nullopt;
    if (whole.size() > 12 || part.size() > 12 || part.find('.') != std::string_view::npos) return std::nullopt;
    double value = static_cast<double>(parse_count(whole.empty() ? "0" : whole).value_or(0));
    double digit = 1;
    for (const char c : part) value += (digit /= 10) * (c - '0');
    text.remove_prefix(end);
    const auto unit_end = std::min(text.find_first_of("0123456789."), text.size());
    const auto unit =
        std::find_if(kUnits.begin(), kUnits.end(), [&](const auto& each) { return each.first == text.substr(0, unit_end); });
    if (unit == kUnits.end()) return std::nullopt;
    total += value * unit->second;
    if (total > kMostNs) return std::nullopt;
    text.remove_prefix(unit_end);
  }
  const auto ns = static_cast<std::int64_t>(total);
  return std::chrono::nanoseconds(ns == 0 && total > 0 ? 1 : ns);
}

class WebLoader {
 public:
  WebLoader(std::string_view file_name, base::FileSystem* files, WebLoadResult& out)
      : file_name_(file_name), files_(files), out_(out) {}

  void root(const YamlNode& node) {
    section(node, "",
            {{"tls_server_config", [this](const YamlNode& value) { tls(value); }},
             {"http_server_config", [this](const YamlNode& value) { http(value); }},
             {"basic_auth_users", [this](const YamlNode& value) { users(value); }},
             {"rate_limit", [this](const YamlNode& value) { rate_limit(value); }}});
  }

 private:
  struct Key {
    std::string_view name;
    std::function<void(const YamlNode&)> read;
  };

  void fault(Place place, std::string message) {
    if (out_.faults.size() <= kMaxFaults) out_.faults.push_back({std::string(file_name_), place, std::move(message)});
  }

  bool is_section(const YamlNode& node, const std::string& where) {
    if (node.kind == Kind::kMap) return true;
    if (node.kind != Kind::kNull && node.kind != Kind::kRefused)
      fault(node.place, (where.empty() ? "the file" : where) + ": expected sections and keys, got " + describe(node));
    return false;
  }

  /// A key without a value is as if it were not there.
  void section(const YamlNode& node, const std::string& where, const std::vector<Key>& keys) {
    if (!is_section(node, where)) return;
    std::vector<std::string_view> names;
    names.reserve(keys.size());
    for (const Key& key : keys) names.push_back(key.name);
    for (const YamlEntry& entry : node.entries) {
      const auto known = std::find(names.begin(), names.end(), entry.key);
      if (known == names.end()) {
        unknown(entry.place, "key", entry.key, where, names);
      } else if (entry.value.kind != Kind::kNull) {
        keys[static_cast<std::size_t>(known - names.begin())].read(entry.value);
      }
    }
  }

  void unknown(Place place, const std::string& what, const std::string& word, const std::string& where, Words names) {
    const auto meant = base::nearest(word, names);
    fault(place, "unknown " + what + " " + in_quotes(word) + (where.empty() ? "" : " in " + where) +
                     (meant ? "; did you mean " + in_quotes(*meant) + "?" : ""));
  }

  [[nodiscard]] bool text(const YamlNode& node, const char* name, const char* expected, std::string& out) {
    const bool good = node.kind == Kind::kText && !node.text.empty() && is_plain_text(node.text);
    if (good) out = node.text;
    else if (node.kind != Kind::kRefused)
      fault(node.place, std::string(name) + ": expected " + expected + ", got " + describe(node));
    return good;
  }

  /// As Go's YAML has it, which is 1.1.
  void boolean(const YamlNode& node, const char* name, bool& out) {
    const auto is_one_of = [&node](Words words) {
      return node.kind == Kind::kText && !node.is_quoted && std::find(words.begin(), words.end(), node.text) != words.end();
    };
    if (is_one_of(kTrue)) out = true;
    else if (is_one_of(kFalse)) out = false;
    else if (node.kind != Kind::kRefused)
      fault(node.place, std::string(name) + ": expected true or false, got " + describe(node));
  }

  /// Index of one of `words`.
  std::optional<std::size_t> choice(const YamlNode& node, const std::string& name, Words words) {
    if (node.kind == Kind::kRefused) return std::nullopt;
    if (node.kind == Kind::kText) {
      const auto found = std::find(words.begin(), words.end(), node.text);
      if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
    }
    std::string all;
    if (words.size() <= 6)
      for (const std::string_view word : words) all += (all.empty() ? "one of " : ", ") + std::string(word);
    const auto meant = base::nearest(node.text, words);
    fault(node.place, name + ": expected " + (all.empty() ? "a known name" : all) + ", got " + describe(node) +
                          (meant ? "; did you mean " + in_quotes(*meant) + "?" : ""));
    return std::nullopt;
  }

  void file(const YamlNode& node, const char* name, std::string& out) {
    std::string path;
    if (!text(node, name, "a file", path)) return;
    out = relative_to_file(path, file_name_);
    if (files_ == nullptr) return;
    if (const auto content = base::read_file(*files_, out, kMaxFileBytes); !content)
      fault(node.place, std::string(name) + ": " + content.error().message);
  }

  /// A certificate or key in the file itself. What stands there is never repeated.
  void inline_pem(const YamlNode& node, const char* name, std::string& out) {
    if (node.kind == Kind::kText && node.text.find("-----BEGIN ") != std::string::npos) out = node.text;
    else if (node.kind != Kind::kRefused)
      fault(node.place, std::string(name) + ": expected PEM text, as `" + name + ": |` and below it, indented, " +
                            "-----BEGIN ... to -----END ...");
  }

  /// One of a file and PEM text, or neither.
  void one_of(Place place, const char* name, const std::string& file, const std::string& text) {
    if (!file.empty() && !text.empty())
      fault(place, std::string(name) + ": expected only one of " + name + " and " + name + "_file");
  }

  void allowed_sans(const YamlNode& node, TlsServer& tls) {
    if (node.kind == Kind::kNull || node.kind == Kind::kRefused) return;
    if (node.kind != Kind::kList) {
      fault(node.place, "client_allowed_sans: expected a list of names, addresses or URIs, got " + describe(node));
      return;
    }
    tls.client_allowed_sans.emplace();
    for (const YamlNode& item : node.items)
      if (std::string san; text(item, "client_allowed_sans", "a name, address or URI", san))
        tls.client_allowed_sans->push_back(std::move(san));
    if (node.items.empty()) fault(node.place, "client_allowed_sans: expected at least one; with none no client could come in");
  }

  void tls(const YamlNode& node) {
    if (!is_section(node, "tls_server_config") || node.entries.empty()) return;
    TlsServer tls;
    Place auth_place = node.place;
    Place version_place = node.place;
    const auto version = [&](const char* name, TlsVersion& target) {
      return [this, name, &target, &version_place](const YamlNode& value) {
        version_place = value.place;
        if (const auto index = choice(value, name, kTlsVersions)) target = static_cast<TlsVersion>(*index);
      };
    };
    bool good_files = true;
    const auto path = [&](const char* name, std::string& target) {
      return [this, name, &target, &good_files](const YamlNode& value) {
        file(value, name, target);
        good_files = good_files && !target.empty();
      };
    };
    const auto pem = [&](const char* name, std::string& target) {
      return [this, name, &target, &good_files](const YamlNode& value) {
        inline_pem(value, name, target);
        good_files = good_files && !target.empty();
      };
    };
    Place sans_place = node.place;
    section(node, "tls_server_config",
            {{"cert_file", path("cert_file", tls.cert_file)},
             {"key_file", path("key_file", tls.key_file)},
             {"client_ca_file", path("client_ca_file", tls.client_ca_file)},
             {"client_auth_type",
              [&](const YamlNode& value) {
                auth_place = value.place;
                if (const auto index = choice(value, "client_auth_type", kClientAuths))
                  tls.client_auth = *index == 5 ? ClientAuth::kRequireAnyClientCert : static_cast<ClientAuth>(*index);
              }},
             {"min_version", version("min_version", tls.min_version)},
             {"max_version", version("max_version", tls.max_version)},
             {"cipher_suites",
              [&](const YamlNode& value) {
                names(value, "cipher_suites", kCipherSuites,
                      [&](std::size_t index) { tls.cipher_suites.emplace_back(kCipherSuites[index]); });
              }},
             {"prefer_server_cipher_suites",
              [&](const YamlNode& value) { boolean(value, "prefer_server_cipher_suites", tls.prefer_server_cipher_suites); }},
             {"cert", pem("cert", tls.cert)},
             {"key", pem("key", tls.key)},
             {"client_ca", pem("client_ca", tls.client_ca)},
             {"client_allowed_sans",
              [&](const YamlNode& value) {
                sans_place = value.place;
                allowed_sans(value, tls);
              }},
             {"curve_preferences", [&](const YamlNode& value) {
                names(value, "curve_preferences", kCurves, [&](std::size_t index) {
                  const std::string_view curve = kCurvesInOpenssl[index];
                  if (std::find(tls.curves.begin(), tls.curves.end(), curve) == tls.curves.end())
                    tls.curves.emplace_back(curve);
                });
              }}});
    one_of(node.place, "cert", tls.cert_file, tls.cert);
    one_of(node.place, "key", tls.key_file, tls.key);
    one_of(node.place, "client_ca", tls.client_ca_file, tls.client_ca);
    const bool has_cert = !tls.cert_file.empty() || !tls.cert.empty(), has_key = !tls.key_file.empty() || !tls.key.empty();
    if (good_files && (!has_cert || !has_key)) fault(node.place, "tls_server_config: expected both cert_file and key_file");
    if (tls.min_version > tls.max_version) fault(version_place, "min_version: expected at most max_version");
    const bool has_ca = !tls.client_ca_file.empty() || !tls.client_ca.empty();
    const bool asks = tls.client_auth != ClientAuth::kNoClientCert;
    const bool verifies =
        tls.client_auth == ClientAuth::kVerifyClientCertIfGiven || tls.client_auth == ClientAuth::kRequireAndVerifyClientCert;
    for (const YamlEntry& entry : node.entries)
      if (verifies && !has_ca && entry.key.starts_with("client_ca") && entry.value.kind == Kind::kNull)
        fault(entry.place, entry.key +
                               ": is empty; without it a certificate of any public authority would do. Remove the "
                               "line if that is meant");
    if (good_files && !asks && has_ca)
      fault(auth_place,
            "client_ca_file: expected a client_auth_type that verifies: VerifyClientCertIfGiven or "
            "RequireAndVerifyClientCert");
    if (good_files && !asks && tls.client_allowed_sans)
      fault(sans_place,
            "client_allowed_sans: expected a client_auth_type with it, best RequireAndVerifyClientCert; "
            "without one no client is asked for its certificate");
    out_.security.tls = std::move(tls);
  }

  void names(const YamlNode& node, const char* name, Words words, const std::function<void(std::size_t)>& take) {
    if (node.kind == Kind::kNull || node.kind == Kind::kRefused) return;
    if (node.kind != Kind::kList) {
      fault(node.place, std::string(name) + ": expected a list of names, got " + describe(node));
      return;
    }
    for (const YamlNode& item : node.items)
      if (const auto index = choice(item, name, words)) take(*index);
  }

  void http(const YamlNode& node) {
    // true is the toolkit's default and means "allowed": nothing is lost where it is not spoken.
    bool http2 = true;
    section(node, "http_server_config",
            {{"http2", [&](const YamlNode& value) { boolean(value, "http2", http2); }},
             {"headers", [this](const YamlNode& value) { headers(value); }}});
  }

  void headers(const YamlNode& node) {
    if (!is_section(node, "headers")) return;
    for (const YamlEntry& entry : node.entries) {
      const auto known = std::find(kHeaders.begin(), kHeaders.end(), entry.key);
      std::string value;
      if (known == kHeaders.end()) unknown(entry.place, "header", entry.key, "headers", kHeaders);
      else if (header_value(entry, value)) out_.security.headers.emplace_back(entry.key, std::move(value));
    }
  }

  bool header_value(const YamlEntry& entry, std::string& out) {
    Words allowed;
    if (entry.key == "X-Content-Type-Options") allowed = kContentTypeOptions;
    if (entry.key == "X-Frame-Options") allowed = kFrameOptions;
    // Go sends ends of lines as blanks, and none at either end.
    YamlNode value = entry.value;
    std::replace_if(
        value.text.begin(), value.text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    value.text.erase(value.text.find_last_not_of(" \t") + 1);
    value.text.erase(0, value.text.find_first_not_of(" \t"));
    std::string sent = value.text;
    std::replace(value.text.begin(), value.text.end(), '\t', ' ');
    if (!text(value, entry.key.c_str(), "text", out)) return false;
    out = std::move(sent);
    return allowed.empty() || choice(entry.value, entry.key, allowed);
  }

  void rate_limit(const YamlNode& node) {
    RateLimit limit;
    bool has_interval = false, has_burst = false;
    section(node, "rate_limit",
            {{"burst",
              [&](const YamlNode& value) {
                const bool is_number = value.kind == Kind::kText && !value.is_quoted;
                const auto count = is_number ? parse_yaml_count(value.text) : std::nullopt;
                if (count) limit.burst = static_cast<std::size_t>(std::min(*count, kMaxBurst));
                else if (value.kind != Kind::kRefused)
                  fault(value.place, "burst: expected a number of requests, got " + describe(value));
                has_burst = !count || *count > 0;  // one fault is enough
              }},
             {"interval", [&](const YamlNode& value) {
                const auto interval = value.kind == Kind::kText ? parse_go_duration(value.text) : std::nullopt;
                if (interval) limit.interval = *interval;
                else if (value.kind != Kind::kRefused)
                  fault(value.place, "interval: expected a duration such as 100ms, 1.5s or 1m30s, got " + describe(value));
                has_interval = interval && *interval > std::chrono::nanoseconds(0);
              }}});
    // As in the toolkit: without an interval there is no limit.
    if (has_interval && !has_burst)
      fault(node.place, "rate_limit: expected a burst of at least 1; with none every request would be refused");
    if (has_interval) out_.security.rate_limit = limit;
  }

  void users(const YamlNode& node) {
    if (!is_section(node, "basic_auth_users")) return;
    if (node.entries.size() > kMaxUsers)
      fault(node.place, "basic_auth_users: expected at most " + std::to_string(kMaxUsers) + " users");
    for (const YamlEntry& entry : node.entries) {
      if (entry.key.empty() || entry.key.find(':') != std::string::npos || !is_plain_text(entry.key))
        fault(entry.place, "basic_auth_users: expected a name without colon, got " + in_quotes(entry.key));
      // What was given instead may be a password: it is not repeated.
      else if (entry.value.kind != Kind::kText || !is_bcrypt(entry.value.text))
        fault(entry.value.place, "basic_auth_users: expected a bcrypt hash of cost 4.." + std::to_string(kMaxBcryptCost) +
                                     " for " + in_quotes(entry.key) + ", as `htpasswd -nB` makes it");
      else out_.security.users.push_back({entry.key, entry.value.text});
    }
  }

  std::string_view file_name_;
  base::FileSystem* files_;
  WebLoadResult& out_;
};

}  // namespace

std::string authentication_words(const WebSecurity& security) {
  const ClientAuth asks = security.tls ? security.tls->client_auth : ClientAuth::kNoClientCert;
  const bool needs_certificate = asks == ClientAuth::kRequireAnyClientCert || asks == ClientAuth::kRequireAndVerifyClientCert;
  if (security.users.empty()) return needs_certificate ? "client certificate" : "none";
  return needs_certificate ? "basic and client certificate" : "basic";
}

std::string doubtful(const WebSecurity& security) {
  if (!security.tls || security.tls->client_auth < ClientAuth::kVerifyClientCertIfGiven ||
      !security.tls->client_ca_file.empty() || !security.tls->client_ca.empty())
    return {};
  return "client_auth_type " + std::string(kClientAuths[static_cast<std::size_t>(security.tls->client_auth)]) +
         " without client_ca_file takes certificates of the system's public authorities, and none of an authority of your own";
}

WebLoadResult load_web_config(std::string_view text, std::string_view file_name, base::FileSystem* files) {
  WebLoadResult out;
  YamlDocument document = parse_yaml(text, file_name);
  out.faults = std::move(document.faults);
  WebLoader(file_name, files, out).root(document.root);
  finish_faults(out.faults);
  return out;
}

}  // namespace kmem::config
