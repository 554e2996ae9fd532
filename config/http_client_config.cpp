#include "config/http_client_config.h"

#include <algorithm>
#include <functional>

#include "collectors/base/suggest.h"
#include "config/text.h"
#include "config/yaml_document.h"

namespace kmem::config {
namespace {

using Kind = YamlNode::Kind;

constexpr std::size_t kMaxSecretBytes = std::size_t{64} * 1024;

class ClientLoader {
 public:
  ClientLoader(std::string_view file_name, base::FileSystem& files, HttpClientLoadResult& out)
      : file_name_(file_name), files_(files), out_(out) {}

  void root(const YamlNode& node) {
    HttpClientConfig& config = out_.config;
    section(
        node, "",
        {{"basic_auth", [&](const YamlNode& value) { basic_auth(value); }},
         {"authorization", [&](const YamlNode& value) { authorization(value); }},
         {"bearer_token", [&](const YamlNode& value) { secret(value, "bearer_token", config.bearer_token); }},
         {"bearer_token_file", [&](const YamlNode& value) { secret_file(value, "bearer_token_file", config.bearer_token); }},
         {"tls_config", [&](const YamlNode& value) { tls(value); }},
         {"follow_redirects", nullptr},
         {"enable_http2", nullptr},
         {"oauth2", nullptr},
         {"proxy_url", nullptr},
         {"no_proxy", nullptr},
         {"proxy_from_environment", nullptr},
         {"http_headers", nullptr}});
    if (!config.bearer_token.empty() && !config.username.empty())
      fault(node.place, "expected one of basic_auth and a token, got both");
  }

 private:
  /// Without a reader: Prometheus knows the key, we do not do it.
  struct Key {
    std::string_view name;
    std::function<void(const YamlNode&)> read;
  };

  void fault(Place place, std::string message) {
    if (out_.faults.size() <= kMaxFaults) out_.faults.push_back({std::string(file_name_), place, std::move(message)});
  }

  void section(const YamlNode& node, const std::string& where, const std::vector<Key>& keys) {
    if (node.kind != Kind::kMap) {
      if (node.kind != Kind::kNull && node.kind != Kind::kRefused)
        fault(node.place, (where.empty() ? "the file" : where) + ": expected sections and keys, got " + describe(node));
      return;
    }
    std::vector<std::string_view> names;
    names.reserve(keys.size());
    for (const Key& key : keys) names.push_back(key.name);
    for (const YamlEntry& entry : node.entries) {
      const auto known = std::find(names.begin(), names.end(), entry.key);
      if (known == names.end()) {
        const auto meant = base::nearest(entry.key, names);
        fault(entry.place, "unknown key " + in_quotes(entry.key) + (where.empty() ? "" : " in " + where) +
                               (meant ? "; did you mean " + in_quotes(*meant) + "?" : ""));
      } else if (const Key& key = keys[static_cast<std::size_t>(known - names.begin())]; key.read) {
        key.read(entry.value);
      } else {
        fault(entry.place, "key " + in_quotes(entry.key) + " is not supported here: expected it to be left out");
      }
    }
  }

  bool text(const YamlNode& node, const char* name, std::string& out) {
    const bool good = node.kind == Kind::kText && !node.text.empty() && is_line(node.text);
    if (good) out = node.text;
    else if (node.kind != Kind::kRefused) fault(node.place, std::string(name) + ": expected text in one line");
    return good;
  }

  static bool is_line(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  }

  void secret(const YamlNode& node, const char* name, std::string& out) { (void)text(node, name, out); }

  void secret_file(const YamlNode& node, const char* name, std::string& out) {
    std::string path;
    if (!text(node, name, path)) return;
    auto content = base::read_file(files_, relative_to_file(path, file_name_), kMaxSecretBytes);
    if (!content) return fault(node.place, std::string(name) + ": " + content.error().message);
    while (!content->empty() && (content->back() == '\n' || content->back() == '\r' || content->back() == ' '))
      content->pop_back();
    if (content->empty() || !is_line(*content)) return fault(node.place, std::string(name) + ": expected one line in the file");
    out = std::move(*content);
  }

  void basic_auth(const YamlNode& node) {
    HttpClientConfig& config = out_.config;
    section(node, "basic_auth",
            {{"username", [&](const YamlNode& value) { (void)text(value, "username", config.username); }},
             {"username_file", [&](const YamlNode& value) { secret_file(value, "username_file", config.username); }},
             {"password", [&](const YamlNode& value) { secret(value, "password", config.password); }},
             {"password_file", [&](const YamlNode& value) { secret_file(value, "password_file", config.password); }}});
    if (config.username.empty() || config.username.find(':') != std::string::npos)
      fault(node.place, "basic_auth: expected a username without colon");
  }

  void authorization(const YamlNode& node) {
    std::string type = "Bearer";
    section(node, "authorization",
            {{"type", [&](const YamlNode& value) { (void)text(value, "type", type); }},
             {"credentials", [&](const YamlNode& value) { secret(value, "credentials", out_.config.bearer_token); }},
             {"credentials_file",
              [&](const YamlNode& value) { secret_file(value, "credentials_file", out_.config.bearer_token); }}});
    if (type != "Bearer") fault(node.place, "authorization: expected the type Bearer, got " + in_quotes(type));
  }

  void file(const YamlNode& node, const char* name, std::string& out) {
    std::string path;
    if (!text(node, name, path)) return;
    out = relative_to_file(path, file_name_);
    if (const auto content = base::read_file(files_, out, kMaxFileBytes); !content)
      fault(node.place, std::string(name) + ": " + content.error().message);
  }

  void tls(const YamlNode& node) {
    HttpClientConfig& config = out_.config;
    section(node, "tls_config",
            {{"ca_file", [&](const YamlNode& value) { file(value, "ca_file", config.ca_file); }},
             {"cert_file", [&](const YamlNode& value) { file(value, "cert_file", config.cert_file); }},
             {"key_file", [&](const YamlNode& value) { file(value, "key_file", config.key_file); }},
             {"insecure_skip_verify",
              [&](const YamlNode& value) {
                if (value.kind == Kind::kText && !value.is_quoted && (value.text == "true" || value.text == "false"))
                  config.verifies_server = value.text == "false";
                else if (value.kind != Kind::kRefused)
                  fault(value.place, "insecure_skip_verify: expected true or false, got " + describe(value));
              }},
             {"server_name", nullptr},
             {"ca", nullptr},
             {"cert", nullptr},
             {"key", nullptr},
             {"min_version", nullptr},
             {"max_version", nullptr}});
    if (config.cert_file.empty() != config.key_file.empty())
      fault(node.place, "tls_config: expected both cert_file and key_file, or neither");
  }

  std::string_view file_name_;
  base::FileSystem& files_;
  HttpClientLoadResult& out_;
};

}  // namespace

HttpClientLoadResult load_http_client_config(std::string_view text, std::string_view file_name, base::FileSystem& files) {
  HttpClientLoadResult out;
  YamlDocument document = parse_yaml(text, file_name);
  out.faults = std::move(document.faults);
  ClientLoader(file_name, files, out).root(document.root);
  finish_faults(out.faults);
  return out;
}

}  // namespace kmem::config
