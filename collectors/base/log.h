// The program's one log: leveled lines to stderr, as logfmt or JSON. Call sites log on a change of state, not on
// every repetition. Whatever the bytes, a line is one line of valid UTF-8, and values end after kMaxLogValueBytes.
// Thread: safe from any thread. Failure: a line that cannot be written is dropped.
#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace kmem::base {

enum class LogLevel { kDebug, kInfo, kWarn, kError };
enum class LogFormat { kLogfmt, kJson };

/// Extra key/value pairs of a line: {"path", path}, {"error", text}. Keys are literals in snake_case; an empty one: no pair.
using LogFields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

inline constexpr std::size_t kMaxLogValueBytes = 4096;

void set_log(LogLevel level, LogFormat format);
/// Lines (without the line end) go to `sink` instead of stderr; an empty function brings stderr back.
void set_log_sink(std::function<void(std::string_view line)> sink);
/// The same for a sink that treats levels differently.
void set_leveled_log_sink(std::function<void(LogLevel level, std::string_view line)> sink);
void log(LogLevel level, std::string_view message, LogFields fields = {});

inline void log_debug(std::string_view message, LogFields fields = {}) { log(LogLevel::kDebug, message, fields); }
inline void log_info(std::string_view message, LogFields fields = {}) { log(LogLevel::kInfo, message, fields); }
inline void log_warn(std::string_view message, LogFields fields = {}) { log(LogLevel::kWarn, message, fields); }
inline void log_error(std::string_view message, LogFields fields = {}) { log(LogLevel::kError, message, fields); }

}  // namespace kmem::base
