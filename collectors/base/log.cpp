#include "collectors/base/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>

#include "collectors/base/log_out.h"
#include "collectors/base/utf8.h"

namespace kmem::base {
namespace {

std::atomic<LogFormat> g_format{LogFormat::kLogfmt};

LogLevel log_level_of(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
    case spdlog::level::debug: return LogLevel::kDebug;
    case spdlog::level::info: return LogLevel::kInfo;
    case spdlog::level::warn: return LogLevel::kWarn;
    default: return LogLevel::kError;
  }
}

// Not spdlog's stderr sink: on Windows that keeps the handle stderr had at its first line.
class LineSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  void send_to(std::function<void(LogLevel, std::string_view)> taker) {
    const std::lock_guard lock(mutex_);
    taker_ = std::move(taker);
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    if (taker_) {
      taker_(log_level_of(message.level), {line.data(), line.size()});
      return;
    }
    line.push_back('\n');
    if (lost_ > 0 && write_to_log(told_lost())) lost_ = 0;
    if (!write_to_log({line.data(), line.size()})) ++lost_;
  }
  void flush_() override { std::fflush(stderr); }

 private:
  std::string told_lost() {
    const std::string text = (g_format == LogFormat::kJson ? "\"msg\":\"lines were lost, since nobody took them\",\"count\":\""
                                                           : "msg=\"lines were lost, since nobody took them\" count=") +
                             std::to_string(lost_) + (g_format == LogFormat::kJson ? "\"" : "");
    spdlog::memory_buf_t line;
    formatter_->format({"kmem", spdlog::level::warn, text}, line);
    return std::string(line.data(), line.size()) + "\n";
  }

  std::function<void(LogLevel, std::string_view)> taker_;
  std::uint64_t lost_ = 0;
};

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarn: return spdlog::level::warn;
    case LogLevel::kError: break;
  }
  return spdlog::level::err;
}

// spdlog writes time and level, append_value has quoted the rest.
std::unique_ptr<spdlog::formatter> formatter_of(LogFormat format) {
  return std::make_unique<spdlog::pattern_formatter>(format == LogFormat::kJson
                                                         ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                                                         : "time=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v",
                                                     spdlog::pattern_time_type::utc, "");
}

const std::shared_ptr<LineSink>& line_sink() {
  static const auto instance = std::make_shared<LineSink>();
  return instance;
}

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = std::make_shared<spdlog::logger>("kmem", line_sink());
    made->set_formatter(formatter_of(LogFormat::kLogfmt));
    return made;
  }();
  return *instance;
}

void append_value(std::string& line, std::string_view text, bool always_quoted) {
  const bool plain = !always_quoted && !text.empty() && text.size() <= kMaxLogValueBytes &&
                     text.find_first_of("=\"\\") == std::string_view::npos &&
                     text.find_first_not_of(
                         "!#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`"
                         "abcdefghijklmnopqrstuvwxyz{|}~") == std::string_view::npos;
  if (plain) {
    line += text;
    return;
  }
  static constexpr char kHex[] = "0123456789abcdef";
  const bool cut = text.size() > kMaxLogValueBytes;
  text = text.substr(0, kMaxLogValueBytes);
  line += '"';
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text[0]);
    std::size_t length = utf8_length(text);  // JSON has to be valid UTF-8 throughout
    if (byte == '"' || byte == '\\') {
      line += {'\\', text[0]};
    } else if (byte < 0x20 || byte == 0x7f) {
      line += {'\\', 'u', '0', '0', kHex[byte >> 4], kHex[byte & 15]};
    } else if (length == 0) {
      line += "\\ufffd";
      length = 1;
    } else {
      line += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  if (cut) line += "...";
  line += '"';
}

}  // namespace

void set_log(LogLevel level, LogFormat format) {
  g_format = format;
  logger().set_level(level_of(level));
  logger().set_formatter(formatter_of(format));
}

void set_log_sink(std::function<void(std::string_view line)> sink) {
  if (!sink) return line_sink()->send_to({});
  line_sink()->send_to([sink = std::move(sink)](LogLevel, std::string_view line) { sink(line); });
}

void set_leveled_log_sink(std::function<void(LogLevel level, std::string_view line)> sink) {
  line_sink()->send_to(std::move(sink));
}

void log(LogLevel level, std::string_view message, LogFields fields) {
  if (!logger().should_log(level_of(level))) return;
  const bool json = g_format == LogFormat::kJson;
  std::string line = json ? "\"msg\":" : "msg=";
  append_value(line, message, true);
  for (const auto& [key, value] : fields) {
    if (key.empty()) continue;
    line += json ? ",\"" : " ";
    line += key;
    line += json ? "\":" : "=";
    append_value(line, value, json);
  }
  logger().log(level_of(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace kmem::base
