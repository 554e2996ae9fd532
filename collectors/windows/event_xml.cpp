#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <vector>

#include "collectors/base/label_text.h"
#include "collectors/windows/logged_event.h"

namespace kmem::windows {
namespace {

constexpr std::size_t kMaxXmlBytes = 256 << 10;
constexpr std::size_t kMaxDepth = 32;
constexpr std::size_t kMaxDataBytes = 4096;
constexpr std::size_t kMaxTags = 3, kMaxProcesses = 3;

base::Error malformed(const char* what) { return {base::ErrorCode::kMalformed, std::string("event XML: ") + what}; }

/// Names and texts of interest are ASCII; what is not becomes \xNN in the end.
std::string decoded(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, char>, 5> kEntities = {
      {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}};
  std::string out;
  while (!text.empty()) {
    const auto entity =
        std::find_if(kEntities.begin(), kEntities.end(), [&](const auto& row) { return text.starts_with(row.first); });
    out.push_back(entity == kEntities.end() ? text.front() : entity->second);
    text.remove_prefix(entity == kEntities.end() ? 1 : entity->first.size());
  }
  return out;
}

template <typename Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  return parsed.ec == std::errc{} && parsed.ptr == end && !text.empty() ? std::optional(value) : std::nullopt;
}

/// "2026-01-31T23:59:59.1234567Z"
std::optional<base::UnixMillis> system_time(std::string_view text) {
  if (text.size() < 20 || text.back() != 'Z' || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' ||
      text[16] != ':')
    return std::nullopt;
  const auto part = [&](std::size_t at, std::size_t length) { return number<int>(text.substr(at, length)).value_or(-1); };
  const std::chrono::year_month_day day{std::chrono::year(part(0, 4)), std::chrono::month(static_cast<unsigned>(part(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(part(8, 2)))};
  const int hour = part(11, 2), minute = part(14, 2), second = part(17, 2);
  if (!day.ok() || part(0, 4) < 1970 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
    return std::nullopt;
  base::UnixMillis millis = 0;
  for (std::size_t at = 20, unit = 100; unit > 0 && at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    millis += static_cast<base::UnixMillis>(unit) * (text[at] - '0');
    unit /= 10;
  }
  const auto days = std::chrono::sys_days(day).time_since_epoch().count();
  return ((base::UnixMillis{days} * 24 + hour) * 60 + minute) * base::kMinuteMillis + second * base::kSecondMillis + millis;
}

std::string hex_bytes(std::string_view text) {
  std::string bytes;
  for (; text.size() >= 2 && bytes.size() < kMaxDataBytes; text.remove_prefix(2)) {
    unsigned value = 0;
    if (std::from_chars(text.data(), text.data() + 2, value, 16).ptr != text.data() + 2) break;
    bytes.push_back(static_cast<char>(value));
  }
  return bytes;
}

struct Tag {
  std::string_view name;  // without prefix
  std::string_view attributes;
  bool closes = false, is_empty = false;
};

/// The next tag; `text` gets what stood before it.
std::optional<Tag> next_tag(std::string_view& rest, std::string_view& text) {
  while (true) {
    const std::size_t open = rest.find('<');
    if (open == std::string_view::npos) return std::nullopt;
    text = rest.substr(0, open);
    // '>' may stand in an attribute's value.
    char quote = 0;
    std::size_t close = open + 1;
    for (; close < rest.size() && (quote != 0 || rest[close] != '>'); ++close) {
      if (quote != 0) {
        if (rest[close] == quote) quote = 0;
      } else if (rest[close] == '"' || rest[close] == '\'') {
        quote = rest[close];
      }
    }
    if (close == rest.size()) return std::nullopt;
    std::string_view inside = rest.substr(open + 1, close - open - 1);
    rest.remove_prefix(close + 1);
    if (inside.empty() || inside.front() == '?' || inside.front() == '!') continue;
    Tag tag;
    tag.closes = inside.front() == '/';
    if (tag.closes) inside.remove_prefix(1);
    tag.is_empty = !inside.empty() && inside.back() == '/';
    if (tag.is_empty) inside.remove_suffix(1);
    const std::size_t end = std::min(inside.find_first_of(" \t\r\n"), inside.size());
    tag.name = inside.substr(0, end);
    tag.attributes = inside.substr(end);
    tag.name.remove_prefix(tag.name.find(':') + 1);  // npos + 1 = 0
    return tag;
  }
}

std::string_view attribute(const Tag& tag, std::string_view name) {
  std::string_view rest = tag.attributes;
  while (true) {
    const std::size_t begin = rest.find_first_not_of(" \t\r\n");
    const std::size_t equals = rest.find('=');
    if (begin == std::string_view::npos || equals == std::string_view::npos || equals + 1 >= rest.size()) return {};
    const char quote = rest[equals + 1];
    const std::size_t end = rest.find(quote, equals + 2);
    if ((quote != '"' && quote != '\'') || end == std::string_view::npos || begin > equals) return {};
    if (rest.substr(begin, equals - begin) == name) return rest.substr(equals + 2, end - equals - 2);
    rest.remove_prefix(end + 1);
  }
}

/// What event 2004 says: commit, and who held most of commit and of each pool. The pools' tags come flat
/// (PagedPoolTag_1, PagedPoolUsed_1) or nested (PagedPoolInfo, Tag_1, Name and PoolUsed).
class Exhaustion {
 public:
  void take(std::span<const std::string_view> path, std::string_view text) {
    const std::string_view name = path.back();
    const std::string_view parent = path.size() > 1 ? path[path.size() - 2] : std::string_view();
    const std::string_view above = path.size() > 2 ? path[path.size() - 3] : std::string_view();
    if (name == "SystemCommitLimit") commit_limit_ = text;
    if (name == "SystemCommitCharge") commit_ = text;
    for (const bool paged : {true, false}) {
      auto& holders = paged ? paged_ : nonpaged_;
      const std::string_view pool = paged ? "PagedPool" : "NonPagedPool";
      if (name.starts_with(pool) && name.substr(pool.size()).starts_with("Tag_")) open(holders, kMaxTags, text);
      if (name.starts_with(pool) && name.substr(pool.size()).starts_with("Used_")) close(holders, text);
      if (above.starts_with(pool) && parent.starts_with("Tag_")) {
        if (name == "Name") open(holders, kMaxTags, text);
        if (name == "PoolUsed") close(holders, text);
      }
    }
    if (parent.starts_with("Process_")) {
      if (name == "Name") open(processes_, kMaxProcesses, text);
      if (name == "CommitCharge") close(processes_, text);
    }
  }

  [[nodiscard]] std::string detail() const {
    std::string out;
    if (!commit_.empty()) out = "commit " + digits(commit_) + " of " + digits(commit_limit_) + " bytes";
    add(out, "paged tags", paged_);
    add(out, "nonpaged tags", nonpaged_);
    add(out, "processes", processes_);
    return out;
  }

 private:
  struct Holder {
    std::string name;
    std::string_view bytes;
  };
  static std::string digits(std::string_view text) {
    const auto value = number<std::uint64_t>(text);
    return value ? std::to_string(*value) : "?";
  }
  static void open(std::vector<Holder>& holders, std::size_t most, std::string_view name) {
    if (holders.size() < most && name.size() <= 64) holders.push_back({base::label_text(decoded(name)), {}});
  }
  static void close(std::vector<Holder>& holders, std::string_view bytes) {
    if (!holders.empty() && holders.back().bytes.empty()) holders.back().bytes = bytes;
  }
  static void add(std::string& out, std::string_view what, const std::vector<Holder>& holders) {
    if (holders.empty()) return;
    if (!out.empty()) out += "; ";
    out.append(what).append(" ");
    for (std::size_t i = 0; i < holders.size(); ++i)
      out.append(i == 0 ? "" : ", ").append(holders[i].name).append(" ").append(digits(holders[i].bytes));
  }

  std::string_view commit_, commit_limit_;
  std::vector<Holder> paged_, nonpaged_, processes_;
};

}  // namespace

base::Result<LoggedEvent> parse_event_xml(std::string_view xml) {
  if (xml.size() > kMaxXmlBytes) return malformed("too long");
  LoggedEvent event;
  std::optional<base::UnixMillis> time;
  std::optional<std::uint64_t> record_id;
  std::optional<std::uint32_t> event_id;
  std::string data;
  Exhaustion exhaustion;
  std::vector<std::string_view> path;
  std::string_view text;
  while (const auto tag = next_tag(xml, text)) {
    if (tag->closes) {
      // EventData names its parts by attribute, which stands in for the element's name on the path.
      if (path.empty()) return malformed("an end without a beginning");
      const bool in_system = path.size() == 3 && path[1] == "System";
      if (in_system && path.back() == "EventID") event_id = number<std::uint32_t>(text);
      if (in_system && path.back() == "EventRecordID") record_id = number<std::uint64_t>(text);
      if (!in_system && path.back() == "Binary") data = hex_bytes(text);
      if (!in_system) exhaustion.take(path, text);
      path.pop_back();
      continue;
    }
    if (path.size() == 2 && path[1] == "System") {
      if (tag->name == "Provider") event.provider = decoded(attribute(*tag, "Name"));
      if (tag->name == "TimeCreated") time = system_time(attribute(*tag, "SystemTime"));
    }
    if (tag->is_empty) continue;
    if (path.size() == kMaxDepth) return malformed("too deep");
    const std::string_view named = tag->name == "Data" ? attribute(*tag, "Name") : std::string_view();
    path.push_back(named.empty() ? tag->name : named);
  }
  if (!path.empty()) return malformed("it ends too early");
  if (event.provider.empty() || !time || !record_id || !event_id) return malformed("System is not whole");
  event.time = *time;
  event.record_id = *record_id;
  event.event_id = *event_id & 0xFFFF;
  if (const FailureKind* kind = failure_kind(event.provider, event.event_id))
    event.detail = kind->provider == kSrv ? srv_detail(std::as_bytes(std::span(data))) : exhaustion.detail();
  return event;
}

}  // namespace kmem::windows
