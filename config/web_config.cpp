#include "config/web_config.h"

#include <algorithm>
#include <array>
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

constexpr std::array<std::string_view, 4> kTlsVersions = {"TLS10", "TLS11", "TLS12", "TLS13"};
// Go's name first; the toolkit understands the second as well.
constexpr std::array<std::string_view, 6> kClientAuths = {
    "NoClientCert",           "RequestClientCert",          "RequireAnyClientCert",
    "VerifyClientCertIfGiven", "RequireAndVerifyClientCert", "RequireClientCert"};
constexpr std::array<std::string_view, 5> kHeaders = {"Content-Security-Policy", "Strict-Transport-Security",
                                                      "X-Content-Type-Options", "X-Frame-Options", "X-XSS-Protection"};
constexpr std::array<std::string_view, 17> kCipherSuites = {
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
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
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

class WebLoader {
 public:
  WebLoader(std::string_view file_name, base::FileSystem* files, WebLoadResult& out)
      : file_name_(file_name), files_(files), out_(out) {}

  void root(const YamlNode& node) {
    section(node, "", {{"tls_server_config", [this](const YamlNode& value) { tls(value); }},
                       {"http_server_config", [this](const YamlNode& value) { http(value); }},
                       {"basic_auth_users", [this](const YamlNode& value) { users(value); }},
                       {"rate_limit", nullptr}});
  }

 private:
  /// Without a reader: the toolkit knows the key, we do not do it.
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

  void section(const YamlNode& node, const std::string& where, const std::vector<Key>& keys) {
    if (!is_section(node, where)) return;
    std::vector<std::string_view> names;
    for (const Key& key : keys) names.push_back(key.name);
    for (const YamlEntry& entry : node.entries) {
      const auto known = std::find(names.begin(), names.end(), entry.key);
      if (known == names.end()) {
        unknown(entry.place, "key", entry.key, where, names);
      } else if (const Key& key = keys[static_cast<std::size_t>(known - names.begin())]; key.read) {
        key.read(entry.value);
      } else {
        fault(entry.place,
              "key " + in_quotes(entry.key) + " is not supported by this exporter: expected it to be left out");
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
    if (good)
      out = node.text;
    else if (node.kind != Kind::kRefused)
      fault(node.place, std::string(name) + ": expected " + expected + ", got " + describe(node));
    return good;
  }

  void boolean(const YamlNode& node, const char* name, bool& out) {
    if (node.kind == Kind::kText && !node.is_quoted && (node.text == "true" || node.text == "false"))
      out = node.text == "true";
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
             {"cipher_suites", [&](const YamlNode& value) { cipher_suites(value, tls); }},
             {"prefer_server_cipher_suites",
              [&](const YamlNode& value) {
                boolean(value, "prefer_server_cipher_suites", tls.prefer_server_cipher_suites);
              }},
             {"cert", nullptr},
             {"key", nullptr},
             {"client_ca", nullptr},
             {"client_allowed_sans", nullptr},
             {"curve_preferences", nullptr}});
    if (good_files && (tls.cert_file.empty() || tls.key_file.empty()))
      fault(node.place, "tls_server_config: expected both cert_file and key_file");
    if (tls.min_version > tls.max_version) fault(version_place, "min_version: expected at most max_version");
    const bool verifies = tls.client_auth >= ClientAuth::kVerifyClientCertIfGiven;
    if (good_files && verifies && tls.client_ca_file.empty())
      fault(auth_place, "client_auth_type: expected client_ca_file with it, to verify against");
    if (good_files && !verifies && !tls.client_ca_file.empty())
      fault(auth_place, "client_ca_file: expected a client_auth_type that verifies: VerifyClientCertIfGiven or "
                        "RequireAndVerifyClientCert");
    out_.security.tls = std::move(tls);
  }

  void cipher_suites(const YamlNode& node, TlsServer& tls) {
    if (node.kind == Kind::kNull || node.kind == Kind::kRefused) return;
    if (node.kind != Kind::kList) {
      fault(node.place, "cipher_suites: expected a list of names, got " + describe(node));
      return;
    }
    for (const YamlNode& item : node.items)
      if (const auto index = choice(item, "cipher_suites", kCipherSuites))
        tls.cipher_suites.emplace_back(kCipherSuites[*index]);
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
      if (known == kHeaders.end())
        unknown(entry.place, "header", entry.key, "headers", kHeaders);
      else if (text(entry.value, entry.key.c_str(), "text in one line", value))
        out_.security.headers.emplace_back(entry.key, std::move(value));
    }
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
        fault(entry.value.place, "basic_auth_users: expected a bcrypt hash of cost 4.." +
                                     std::to_string(kMaxBcryptCost) + " for " + in_quotes(entry.key) +
                                     ", as `htpasswd -nB` makes it");
      else
        out_.security.users.push_back({entry.key, entry.value.text});
    }
  }

  std::string_view file_name_;
  base::FileSystem* files_;
  WebLoadResult& out_;
};

}  // namespace

WebLoadResult load_web_config(std::string_view text, std::string_view file_name, base::FileSystem* files) {
  WebLoadResult out;
  YamlDocument document = parse_yaml(text, file_name);
  out.faults = std::move(document.faults);
  WebLoader(file_name, files, out).root(document.root);
  finish_faults(out.faults);
  return out;
}

}  // namespace kmem::config
