#include "config/yaml_document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

#include "collectors/base/utf8.h"
#include "config/text.h"

namespace kmem::config {
namespace {

using Kind = YamlNode::Kind;

struct TooDeep {
  YAML::Mark mark;
};
struct SecondDocument {
  YAML::Mark mark;
};

/// Byte positions -> places a person can go to.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {
    for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1))
      starts_.push_back(at + 1);
  }
  [[nodiscard]] Place at(std::size_t offset) const {
    const auto next = std::upper_bound(starts_.begin(), starts_.end(), offset);
    const auto line = static_cast<std::size_t>(next - starts_.begin());
    return at(line - 1, offset - starts_[line - 1]);
  }
  /// Both from 0, the column in bytes.
  [[nodiscard]] Place at(std::size_t line, std::size_t column) const {
    line = std::min(line, starts_.size() - 1);
    int characters = 1;
    for (const char c : text_.substr(starts_[line], column))
      if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80) ++characters;
    return {static_cast<int>(line) + 1, characters};
  }
  [[nodiscard]] Place at(const YAML::Mark& mark) const {
    if (mark.is_null() || mark.line < 0 || mark.column < 0) return {};
    return at(static_cast<std::size_t>(mark.line), static_cast<std::size_t>(mark.column));
  }
  [[nodiscard]] std::size_t line_start(std::size_t offset) const {
    return *std::prev(std::upper_bound(starts_.begin(), starts_.end(), offset));
  }

 private:
  std::string_view text_;
  std::vector<std::size_t> starts_ = {0};
};

/// yaml-cpp takes the end of the file for the end of a quoted text when a line break stands before it.
bool is_closed(std::string_view text, std::size_t quote_at) {
  const char quote = text[quote_at];
  for (std::size_t at = quote_at + 1; at < text.size(); ++at) {
    if (quote == '"' && text[at] == '\\') {
      ++at;
    } else if (text[at] == quote) {
      if (quote == '"' || at + 1 == text.size() || text[at + 1] != quote) return true;
      ++at;  // a doubled single quote is one in the text
    }
  }
  return false;
}

/// yaml-cpp's events -> tree. Its Node layer is not used: it drops duplicate keys without a word and looks up in
/// linear time.
class TreeBuilder final : public YAML::EventHandler {
 public:
  /// `text` is what the parser reads: the whole file, or the lines before a fault of the text.
  TreeBuilder(std::string_view text, bool is_whole, const Lines& lines, std::string_view file, std::vector<Fault>& faults)
      : text_(text), is_whole_(is_whole), lines_(lines), file_(file), faults_(faults) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (has_document_) throw SecondDocument{mark};
    has_document_ = true;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { attach(make(Kind::kNull, mark, "?", anchor)); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    fault(lines_.at(mark), "aliases (*name) are not supported: write the value out");
    attach(make(Kind::kRefused, mark, "?", YAML::NullAnchor));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& value) override {
    YamlNode node = make(Kind::kText, mark, tag, anchor);
    node.is_quoted = tag == "!";
    node.text = value;
    const auto start = static_cast<std::size_t>(mark.pos);
    const bool has_quote = start < text_.size() && (text_[start] == '"' || text_[start] == '\'');
    if (node.is_quoted && has_quote && is_whole_ && !is_closed(text_, start)) {
      fault(node.place, "the quote that opens here is never closed");
      node.kind = Kind::kRefused;
    }
    attach(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(make(Kind::kList, mark, tag, anchor), mark);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    open(make(Kind::kMap, mark, tag, anchor), mark);
  }
  void OnMapEnd() override { close(); }

  /// What was understood, also after the parser gave up in the middle.
  YamlNode finish() {
    while (!open_.empty()) close();
    return std::move(root_);
  }

 private:
  struct Open {
    YamlNode node;
    std::map<std::string, int, std::less<>> key_lines;
    bool has_key = false;
    bool key_is_good = false;
    std::string key;
    Place key_place;
  };

  void fault(Place place, std::string message) {
    if (faults_.size() <= kMaxFaults) faults_.push_back({std::string(file_), place, std::move(message)});
  }

  YamlNode make(Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    YamlNode node;
    node.kind = kind;
    node.place = lines_.at(mark);
    if (anchor != YAML::NullAnchor) fault(node.place, "anchors (&name) are not supported");
    if (tag != "?" && tag != "!" && !tag.empty()) {
      fault(node.place, "tags (!" + tag.substr(tag.find_last_of(":!") + 1) + ") are not supported");
      if (kind == Kind::kText) node.kind = Kind::kRefused;
    }
    return node;
  }

  void open(YamlNode node, const YAML::Mark& mark) {
    if (open_.size() >= kMaxDepth) throw TooDeep{mark};
    open_.push_back({std::move(node), {}, false, false, {}, {}});
  }

  void close() {
    YamlNode node = std::move(open_.back().node);
    open_.pop_back();
    attach(std::move(node));
  }

  void attach(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Kind::kList) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.has_key) {
      take_key(parent, std::move(node));
    } else {
      parent.has_key = false;
      if (parent.key_is_good) parent.node.entries.push_back({std::move(parent.key), parent.key_place, std::move(node)});
    }
  }

  void take_key(Open& parent, YamlNode node) {
    parent.has_key = true;
    parent.key_is_good = node.kind == Kind::kText;
    if (!parent.key_is_good) {
      if (node.kind != Kind::kRefused) fault(node.place, "expected a key, got " + describe(node));
      return;
    }
    const auto [first, is_new] = parent.key_lines.try_emplace(node.text, node.place.line);
    if (!is_new) {
      parent.key_is_good = false;
      fault(node.place, "key " + in_quotes(node.text) + " is given twice, first in line " + std::to_string(first->second));
    }
    parent.key = std::move(node.text);
    parent.key_place = node.place;
  }

  std::string_view text_;
  bool is_whole_;
  const Lines& lines_;
  std::string_view file_;
  std::vector<Fault>& faults_;
  std::vector<Open> open_;
  YamlNode root_;
  bool has_document_ = false;
};

struct TextFault {
  std::size_t offset = 0;
  std::string message;
};

/// The first of each kind of fault that makes the rest of the text unreliable.
std::vector<TextFault> check_text(std::string_view text) {
  std::vector<TextFault> faults;
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    return {{0, "UTF-16: expected the file to be saved as UTF-8"}};
  if (const std::size_t at = base::find_non_utf8(text); at != std::string_view::npos)
    faults.push_back({at, "not UTF-8: expected the file to be saved as UTF-8"});
  // yaml-cpp takes byte 4 for the end of the file, and would drop the rest silently.
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const bool line_end = byte == '\n' || (byte == '\r' && at + 1 < text.size() && text[at + 1] == '\n');
    if ((byte >= 0x20 && byte != 0x7F) || byte == '\t' || line_end) continue;
    faults.push_back({at, "control character " + in_quotes(text.substr(at, 1)) + ": expected plain text"});
    break;
  }
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::size_t content = std::min(text.find_first_not_of(" \t\r", start), end);
    const std::size_t tab = text.substr(0, content).find('\t', start);
    if (tab != std::string_view::npos && content < end && text[content] != '#') {
      faults.push_back({tab, "a tab in the indentation: expected spaces"});
      break;
    }
    start = end + 1;
  }
  return faults;
}

/// In double quotes a backslash begins an escape: "C:\data" is no path.
std::string escape_hint(std::string_view text, const YAML::Mark& mark) {
  if (mark.is_null() || mark.pos < 0) return {};
  const auto at = std::min(static_cast<std::size_t>(mark.pos), text.size());
  const std::size_t start = text.substr(0, at).find_last_of('\n') + 1;
  const std::string_view line = text.substr(start, text.find('\n', start) - start);
  const std::size_t open = line.find('"');
  if (open == std::string_view::npos || line.find('\\', open) == std::string_view::npos) return {};
  return "; a path with backslashes goes into single quotes: 'C:\\data'";
}

}  // namespace

YamlDocument parse_yaml(std::string_view text, std::string_view file_name) {
  YamlDocument out;
  const auto fault = [&](Place place, std::string message) {
    out.faults.push_back({std::string(file_name), place, std::move(message)});
  };
  if (text.size() > kMaxFileBytes) {
    fault({}, "the file is over " + bytes_text(kMaxFileBytes) + ": expected at most that");
    return out;
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const Lines lines(text);
  std::size_t usable = text.size();
  for (TextFault& bad : check_text(text)) {
    fault(lines.at(bad.offset), std::move(bad.message));
    usable = std::min(usable, lines.line_start(bad.offset));
  }
  // Lines before a fault of the text are still read for theirs; where they break off is not the writer's doing.
  const bool is_whole = usable == text.size();

  text = text.substr(0, usable);
  TreeBuilder builder(text, is_whole, lines, file_name, out.faults);
  try {
    std::istringstream input{std::string(text)};
    YAML::Parser parser(input);
    while (parser.HandleNextDocument(builder)) {}
    out.root = builder.finish();
  } catch (const SecondDocument& second) {
    out.root = builder.finish();
    if (is_whole) fault(lines.at(second.mark), "the document ended before this: expected one in a file");
  } catch (const TooDeep& deep) {
    out.root = builder.finish();
    fault(lines.at(deep.mark), "nested too deeply: expected at most " + std::to_string(kMaxDepth) + " levels");
  } catch (const YAML::Exception& bad) {
    out.root = builder.finish();
    if (is_whole) fault(lines.at(bad.mark), "not valid YAML: " + bad.msg + escape_hint(text, bad.mark));
  }
  return out;
}

std::string describe(const YamlNode& node) {
  switch (node.kind) {
    case Kind::kNull: return "nothing";
    case Kind::kList: return "a list";
    case Kind::kMap: return "a section";
    case Kind::kText:
    case Kind::kRefused: break;
  }
  return in_quotes(node.text);
}

void finish_faults(std::vector<Fault>& faults) {
  std::stable_sort(faults.begin(), faults.end(), [](const Fault& a, const Fault& b) { return a.place < b.place; });
  if (faults.size() <= kMaxFaults) return;
  faults.resize(kMaxFaults);
  faults.push_back({faults[0].file, {}, "more than " + std::to_string(kMaxFaults) + " faults: the rest is not shown"});
}

}  // namespace kmem::config
