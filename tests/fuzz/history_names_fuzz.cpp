// links: kmem_history
// Names of two files in the first two lines, and their texts, parted by a line "=": dates and hosts in names, and files that
// turn out to be two hosts'.
#include "collectors/history/hosts_by_name.h"
#include "collectors/history/date_line.h"
#include "tests/fuzz/history_input.h"

namespace kmem {
namespace {

constexpr std::size_t kLongestName = 128;

std::string take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string line(text.substr(0, std::min(end, kLongestName)));
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

void check_name(const std::string& name) {
  std::size_t length = 0;
  for (const std::string& part : history::parts_of_name(name)) {
    if (part.empty()) __builtin_trap();
    length += part.size();
  }
  if (length > name.size()) __builtin_trap();
  const history::DateLine date = history::date_in_name(name, {});
  if (date.midnight && *date.midnight % base::kDayMillis != 0) __builtin_trap();
}

}  // namespace
}  // namespace kmem

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kmem;
  if (size > 2048) return 0;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string one = take_line(text), other = take_line(text);
  check_name(one);
  check_name(other);
  if (one.empty() || other.empty() || one == other) return 0;
  constexpr std::string_view kBetween = "\n=\n";
  const std::size_t end = std::min(text.find(kBetween), text.size());
  test::MemoryFiles files;
  files.put(one, std::string(text.substr(0, end)));
  files.put(other, std::string(text.substr(std::min(end + kBetween.size(), text.size()))));
  history::HistoryOptions options;
  options.all_hosts = true;
  for (int look = 0; look < history::kMostLooks; ++look) {
    auto source = history::open_history(files, {one, other}, options);
    if (!source) return 0;
    std::map<std::string, base::UnixMillis> last;
    do {
      Snapshot snapshot;
      if (!(*source)->read(snapshot)) __builtin_trap();
      const auto [known, is_new] = last.try_emplace((*source)->host(), snapshot.time);
      if (!is_new && snapshot.time <= known->second) __builtin_trap();
      known->second = snapshot.time;
    } while ((*source)->advance());
    if ((*source)->learned() == options.learned) break;
    options.learned = (*source)->learned();
  }
  return 0;
}
