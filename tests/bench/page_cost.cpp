// A scrape of Windows beside an answer that does nothing: /metrics is the agent's page of an NT kernel's recorded answers,
// each scrape the next, by the code that asks the kernel; /noop is a body of the same size by the same server.
// page_cost FRAMES_GZ: prints its port, and serves until standard input ends. tests/bench/page_cost_bench.py counts.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/base/file_io.h"
#include "collectors/guarded_frames.h"
#include "collectors/source.h"
#include "collectors/windows/nt_query.h"
#include "collectors/windows/registry.h"
#include "collectors/windows/windows_frames.h"
#include "config/config.h"
#include "exporter/agent/agent.h"
#include "exporter/http/server.h"
#include "tests/support/nt_frames.h"

namespace {

using namespace kmem;

/// Answers by the recorded reading that is due; class 0 begins the next.
class RecordedKernel final : public windows::NtQuery {
 public:
  explicit RecordedKernel(const std::vector<RawFrame>& readings) : readings_(readings) {}
  windows::NtStatus query(std::uint32_t info_class, std::span<std::byte> buffer, std::uint32_t& needed) override {
    if (info_class == 0) at_ = (at_ + 1) % readings_.size();
    const RawPart* const part = readings_[at_].find("nt/" + std::to_string(info_class));
    if (part == nullptr) return windows::kStatusInvalidInfoClass;
    if (part->status != 0) return static_cast<windows::NtStatus>(part->status);
    needed = static_cast<std::uint32_t>(part->bytes.size());
    if (buffer.size() < part->bytes.size()) return windows::kStatusLengthMismatch;
    std::memcpy(buffer.data(), part->bytes.data(), part->bytes.size());
    return windows::kStatusOk;
  }

 private:
  const std::vector<RawFrame>& readings_;
  std::size_t at_ = 0;
};

class NoRegistry final : public windows::Registry {
 public:
  windows::NtStatus open() override { return windows::kStatusOk; }
  std::optional<std::uint32_t> value(std::string_view) override { return std::nullopt; }
};

/// Names are where they were recorded, not in this run's buffer.
class RecordedFrames final : public FrameSource {
 public:
  explicit RecordedFrames(std::unique_ptr<FrameSource> frames) : frames_(std::move(frames)) {}
  void set_gate(PartGate* gate) override { frames_->set_gate(gate); }
  base::Result<void> acquire(RawFrame& frame) override {
    const auto read = frames_->acquire(frame);
    std::erase_if(frame.parts, [](const RawPart& part) { return part.name == "nt/5.base"; });
    return read;
  }

 private:
  std::unique_ptr<FrameSource> frames_;
};

int serve(const std::string& path) {
  const std::vector<RawFrame> readings = test::read_nt_frames(path, 4);
  const base::SystemClock clock;
  config::Config config;
  config.scrape.min_interval = std::chrono::seconds(0);
  config.scrape.timeout = std::chrono::minutes(1);
  config.web.listen_addresses = {"127.0.0.1:0"};
  const auto make = [&] {
    return std::make_unique<RecordedFrames>(
        std::make_unique<windows::WindowsFrames>(std::make_unique<RecordedKernel>(readings), std::make_unique<NoRegistry>(),
                                                 config.source.collectors, clock, std::uint8_t{4}));
  };
  Agent agent(config, make_frame_backed_source(make_guarded_frames(make, System::kWindows)), clock, base::os_file_system());
  agent.tick();
  std::vector<http::Route> routes = agent.routes();
  http::Response nothing;
  const auto page =
      std::find_if(routes.begin(), routes.end(), [](const http::Route& route) { return route.path == "/metrics"; });
  page->handler = [&nothing, scrape = page->handler](const http::Request& request) {
    http::Response response = scrape(request);
    if (nothing.body.size() != response.body.size()) nothing = response;
    return response;
  };
  routes.push_back({"/noop", "noop",
                    [&nothing](const http::Request&) {
                      http::Response response = nothing;
                      response.body.reserve(response.body.size() + http::kHeadRoom);
                      return response;
                    },
                    true});
  http::Server server(config.web, std::move(routes), agent.observer(), clock);
  if (const auto started = server.start(); !started) {
    std::fprintf(stderr, "%s\n", started.error().message.c_str());
    return 1;
  }
  std::printf("%u\n", static_cast<unsigned>(server.ports().at(0)));
  std::fflush(stdout);
  while (std::getchar() != EOF) {}
  server.stop();
  return 0;
}

}  // namespace

int main(int argc, char** argv) try { return argc == 2 ? serve(argv[1]) : 2; } catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
