#include "collectors/base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>

namespace kmem::base {
namespace {

std::atomic<LogFormat> g_format{LogFormat::kLogfmt};

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarn: return spdlog::level::warn;
    case LogLevel::kError: break;
  }
  return spdlog::level::err;
}

// The rest of the line is quoted by append_quoted, so spdlog only adds time and level.
const char* pattern_of(LogFormat format) {
  return format == LogFormat::kJson ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                                    : "time=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v";
}

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = std::make_shared<spdlog::logger>("kmem", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern(pattern_of(LogFormat::kLogfmt), spdlog::pattern_time_type::utc);
    return made;
  }();
  return *instance;
}

void append_quoted(std::string& line, std::string_view text, bool always) {
  const bool plain = !always && !text.empty() && text.find_first_of(" =\"\\") == std::string_view::npos &&
                     std::string_view::npos == text.find_first_of("\n\r\t");
  if (plain) {
    line += text;
    return;
  }
  static constexpr char kHex[] = "0123456789abcdef";
  line += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (byte < 0x20) {
      line += {'\\', 'u', '0', '0', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      line += c;
    }
  }
  line += '"';
}

}  // namespace

void set_log(LogLevel level, LogFormat format) {
  g_format = format;
  logger().set_level(level_of(level));
  logger().set_pattern(pattern_of(format), spdlog::pattern_time_type::utc);
}

void log(LogLevel level, std::string_view message, LogFields fields) {
  if (!logger().should_log(level_of(level))) return;
  const bool json = g_format == LogFormat::kJson;
  std::string line = json ? "\"msg\":" : "msg=";
  append_quoted(line, message, true);
  for (const auto& [key, value] : fields) {
    line += json ? ",\"" : " ";
    line += key;
    line += json ? "\":" : "=";
    append_quoted(line, value, json);
  }
  logger().log(level_of(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace kmem::base
