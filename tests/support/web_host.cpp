// For every path on stdin: an HTTP server with one page, under that web configuration file. Says where on stdout, as
// {"port": 1234}, or {"error": "..."} when it would not start. What was served before ends.
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>

#include "collectors/base/clock.h"
#include "collectors/base/file_io.h"
#include "exporter/http/server.h"
#include "exporter/http/web_file.h"

namespace {

using namespace kmem;

class NoObserver final : public http::Observer {
 public:
  void request_done(std::string_view, int, std::chrono::nanoseconds) override {}
  void rejected(std::string_view) override {}
};

std::string json_text(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    char escaped[8];
    std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    if (static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\') out += escaped;
    else out += c;
  }
  return out + '"';
}

}  // namespace

int main() {
  const base::SystemClock clock;
  NoObserver observer;
  std::unique_ptr<http::Server> server;
  for (std::string path; std::getline(std::cin, path);) {
    server.reset();
    const auto loaded = http::read_web_file(path, base::os_file_system());
    std::string error = loaded.ok() ? "" : loaded.faults[0].text();
    if (loaded.ok()) {
      config::Web web;
      web.listen_addresses = {"127.0.0.1:0"};
      http::Route page{"/metrics", "metrics", [](const http::Request&) { return http::Response{.body = "up 1\n"}; }, true};
      server = std::make_unique<http::Server>(web, std::vector{page}, observer, clock, loaded.security);
      if (const auto started = server->start(); !started) error = started.error().message;
    }
    if (error.empty()) std::printf("{\"port\": %u}\n", static_cast<unsigned>(server->ports().at(0)));
    else std::printf("{\"error\": %s}\n", json_text(error).c_str());
    std::fflush(stdout);
  }
  return 0;
}
