// The program's one log: leveled lines to stderr, as logfmt or JSON. Call sites log on a change of state, not on
// every repetition. Thread: safe from any thread. Failure: a line that cannot be written is dropped.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace kmem::base {

enum class LogLevel { kDebug, kInfo, kWarn, kError };
enum class LogFormat { kLogfmt, kJson };

/// Extra key/value pairs of a line: {"path", path}, {"error", text}. Keys are literals in snake_case.
using LogFields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

void set_log(LogLevel level, LogFormat format);
void log(LogLevel level, std::string_view message, LogFields fields = {});

inline void log_debug(std::string_view message, LogFields fields = {}) { log(LogLevel::kDebug, message, fields); }
inline void log_info(std::string_view message, LogFields fields = {}) { log(LogLevel::kInfo, message, fields); }
inline void log_warn(std::string_view message, LogFields fields = {}) { log(LogLevel::kWarn, message, fields); }
inline void log_error(std::string_view message, LogFields fields = {}) { log(LogLevel::kError, message, fields); }

}  // namespace kmem::base
