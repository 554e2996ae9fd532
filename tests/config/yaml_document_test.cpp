#include "config/yaml_document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <string>
#include <tuple>
#include <vector>

namespace kmem::config {
namespace {

using std::literals::operator""s;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> yaml_faults(const std::string& text) {
  std::vector<std::string> out;
  for (const Fault& fault : parse_yaml(text, "f").faults) out.push_back(fault.text());
  return out;
}

TEST(YamlDocument, KeepsValuesPlacesAndQuotes) {
  const YamlDocument document = parse_yaml("a: 1\nb:\n  - 'x'\n  - ~\nc: {d: \"e\"}\n", "f");
  ASSERT_THAT(document.faults, IsEmpty());
  ASSERT_EQ(document.root.kind, YamlNode::Kind::kMap);
  ASSERT_EQ(document.root.entries.size(), 3U);
  const auto& [a, b, c] = std::tie(document.root.entries[0], document.root.entries[1], document.root.entries[2]);
  EXPECT_EQ(a.key, "a");
  EXPECT_EQ(a.value.text, "1");
  EXPECT_FALSE(a.value.is_quoted);
  EXPECT_EQ(a.value.place, (Place{1, 4}));
  EXPECT_EQ(b.place, (Place{2, 1}));
  ASSERT_EQ(b.value.items.size(), 2U);
  EXPECT_EQ(b.value.items[0].text, "x");
  EXPECT_TRUE(b.value.items[0].is_quoted);
  EXPECT_EQ(b.value.items[1].kind, YamlNode::Kind::kNull);
  EXPECT_EQ(b.value.items[1].place, (Place{4, 5}));
  EXPECT_EQ(c.value.entries.at(0).key, "d");
  EXPECT_EQ(c.value.entries.at(0).place, (Place{5, 5}));
}

TEST(YamlDocument, EmptyIsNothing) {
  for (const char* text :
       {"", "\n\n", "# only a comment\n", "---\n", "\xEF\xBB\xBF", "\xEF\xBB\xBF# after a byte order mark\n"}) {
    const YamlDocument document = parse_yaml(text, "f");
    EXPECT_EQ(document.root.kind, YamlNode::Kind::kNull) << text;
    EXPECT_THAT(document.faults, IsEmpty()) << text;
  }
}

TEST(YamlDocument, WindowsLineEndsAndByteOrderMarkMoveNoPlaces) {
  const YamlDocument document = parse_yaml(
      "\xEF\xBB\xBF"
      "a: 1\r\nb: 2\r\n",
      "f");
  ASSERT_THAT(document.faults, IsEmpty());
  ASSERT_EQ(document.root.entries.size(), 2U);
  EXPECT_EQ(document.root.entries[0].place, (Place{1, 1}));
  EXPECT_EQ(document.root.entries[1].value.text, "2");
  EXPECT_EQ(document.root.entries[1].value.place, (Place{2, 4}));
}

TEST(YamlDocument, ColumnsCountCharacters) {
  EXPECT_THAT(yaml_faults("{\"\xC3\xA4\xE2\x82\xAC\": 1, a: 1, a: 2}"),
              ElementsAre("f:1:17: key \"a\" is given twice, first in line 1"));
}

TEST(YamlDocument, DuplicateKeysAreTold) {
  EXPECT_THAT(yaml_faults("a: 1\nb: 2\na: 3\n'b': 4\n"), ElementsAre("f:3:1: key \"a\" is given twice, first in line 1",
                                                                     "f:4:1: key \"b\" is given twice, first in line 2"));
  EXPECT_THAT(yaml_faults("x: {a: 1}\ny: {a: 1}\n"), IsEmpty());
}

TEST(YamlDocument, AnchorsAliasesAndTagsAreRefused) {
  EXPECT_THAT(
      yaml_faults("a: &x 1\nb: *x\nc: !!str 5\nd: !mine {e: 1}\n"),
      ElementsAre("f:1:4: anchors (&name) are not supported", "f:2:4: aliases (*name) are not supported: write the value out",
                  "f:3:4: tags (!str) are not supported", "f:4:4: tags (!mine) are not supported"));
}

TEST(YamlDocument, KeysArePlainText) {
  EXPECT_THAT(yaml_faults("[a, b]: 1\n"), ElementsAre("f:1:1: expected a key, got a list"));
  EXPECT_THAT(yaml_faults("~: 1\n"), ElementsAre("f:1:1: expected a key, got nothing"));
}

TEST(YamlDocument, SeveralDocumentsAreRefused) {
  EXPECT_THAT(yaml_faults("a: 1\n---\nb: 2\n"), ElementsAre("f:2:1: the document ended before this: expected one in a file"));
  EXPECT_THAT(yaml_faults("---\na: 1\n...\n"), IsEmpty());
}

TEST(YamlDocument, DepthIsBounded) {
  EXPECT_THAT(yaml_faults(std::string(16, '[') + std::string(16, ']')), IsEmpty());
  EXPECT_THAT(yaml_faults(std::string(17, '[') + std::string(17, ']')),
              ElementsAre("f:1:17: nested too deeply: expected at most 16 levels"));
  std::string blocks;
  for (std::size_t i = 0; i < 17; ++i) blocks += std::string(i, ' ') + "a:\n";
  EXPECT_THAT(yaml_faults(blocks + std::string(17, ' ') + "b: 1\n"),
              ElementsAre("f:17:17: nested too deeply: expected at most 16 levels"));
}

TEST(YamlDocument, SizeIsBounded) {
  const std::string line = "# comment to fill the file up to its limit ....................\n";
  std::string text;
  while (text.size() + line.size() <= kMaxFileBytes) text += line;
  text.resize(kMaxFileBytes, ' ');
  EXPECT_THAT(yaml_faults(text), IsEmpty());
  EXPECT_THAT(yaml_faults(text + "#"), ElementsAre("f: the file is over 256KiB: expected at most that"));
}

TEST(YamlDocument, TextThatIsNoTextIsRefused) {
  using namespace std::string_literals;
  for (const std::string& utf16 : {"\xFF\xFE"s + "a\0:\0\n\0"s, "\xFE\xFF\0a\0:\0\n"s})
    EXPECT_THAT(yaml_faults(utf16), ElementsAre("f:1:1: UTF-16: expected the file to be saved as UTF-8"));
  EXPECT_THAT(yaml_faults("a: 1\nb: \xFF\n"), ElementsAre("f:2:4: not UTF-8: expected the file to be saved as UTF-8"));
  EXPECT_THAT(yaml_faults("a: 1\nb: x\0y\n"s), ElementsAre("f:2:5: control character \"\\x00\": expected plain text"));
  // yaml-cpp takes byte 4 for the end of the file.
  EXPECT_THAT(yaml_faults("a: 1\n\x04\nb: 2\n"), ElementsAre("f:2:1: control character \"\\x04\": expected plain text"));
  EXPECT_THAT(yaml_faults("a: 1\n  \tb: 2\n"), ElementsAre("f:2:3: a tab in the indentation: expected spaces"));
  EXPECT_THAT(yaml_faults("a:\t1\t# tabs between words are fine\n\t\n\t# and here\n"), IsEmpty());
}

TEST(YamlDocument, WhatStandsBeforeAFaultOfTheTextIsReadAsWell) {
  EXPECT_THAT(
      yaml_faults("a: 1\na: 2\nb:\n\tc: 1\n\xFF: 2\n"),
      ElementsAre("f:5:1: not UTF-8: expected the file to be saved as UTF-8",
                  "f:4:1: a tab in the indentation: expected spaces", "f:2:1: key \"a\" is given twice, first in line 1"));
}

TEST(YamlDocument, SyntaxErrorsHaveTheSameForm) {
  EXPECT_THAT(yaml_faults("a: [1, 2\n"), ElementsAre("f:2:1: not valid YAML: end of sequence flow not found"));
  EXPECT_THAT(yaml_faults("a: 1\na: 2\nb: 'open\n"), ElementsAre("f:2:1: key \"a\" is given twice, first in line 1",
                                                                 "f:3:4: the quote that opens here is never closed"));
  EXPECT_THAT(yaml_faults("b: \"it's \\\" open\n"), ElementsAre("f:1:4: the quote that opens here is never closed"));
  EXPECT_THAT(yaml_faults("'k: 1\n"), ElementsAre("f:1:1: the quote that opens here is never closed"));
  EXPECT_THAT(yaml_faults("a: 'it''s'\nb: \"\\\\\"\nc: \"'\"\nd: |\n  'x\n"), IsEmpty());
  EXPECT_THAT(yaml_faults("{a: 1} b\n"), ElementsAre("f:1:8: the document ended before this: expected one in a file"));
  EXPECT_THAT(yaml_faults("a: 1\n b: 2\n"), ElementsAre("f:2:3: not valid YAML: illegal map value"));
}

TEST(YamlDocument, WhatIsBrokenOffKeepsWhatWasRead) {
  const YamlDocument document = parse_yaml("a: 1\nb: {c: 2, d: [3, ]]\n", "f");
  EXPECT_EQ(document.faults.size(), 1U);
  ASSERT_EQ(document.root.entries.size(), 2U);
  EXPECT_EQ(document.root.entries[1].value.entries.at(0).value.text, "2");
}

TEST(YamlDocument, HostileFilesTakeBoundedTime) {
  std::vector<std::string> texts;
  for (const char* piece :
       {"[",    "{",    "- ",   "? ", "a: ", "\"", "'",    "{a: ",  "[a,",   "&a ", "!a ", "*a ",  "a\n", "|",
        "%A\n", "- - ", "a: [", "#",  ": ",  ", ", "--- ", "---\n", "...\n", " ",   "\n",  "\r\n", ">\n"}) {
    std::string text;
    while (text.size() < kMaxFileBytes - 16) text += piece;
    texts.push_back(text);
  }
  std::string bombs = "a0: &a0 [x]\n", keys, duplicates;
  for (int i = 1; i < 5'000; ++i)
    bombs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  for (int i = 0; i < 20'000; ++i) keys += "k" + std::to_string(i) + ": 1\n";
  for (int i = 0; i < 50'000; ++i) duplicates += "k: 1\n";
  texts.insert(texts.end(), {bombs, keys, duplicates});
  const auto cpu_of = [](std::string_view text) {
    const std::clock_t before = std::clock();
    YamlDocument document = parse_yaml(text, "f");
    finish_faults(document.faults);
    return static_cast<double>(std::clock() - before);
  };
  // Twice the text takes at most a few times as long, whatever that is on this machine; the smallest are noise.
  std::string plain;
  while (plain.size() < kMaxFileBytes - 16) plain += "- a\n";
  const double noise = cpu_of(plain);
  for (const std::string& text : texts) {
    EXPECT_LT(cpu_of(text), 8 * (cpu_of(std::string_view(text).substr(0, text.size() / 2)) + noise)) << text.substr(0, 20);
    YamlDocument document = parse_yaml(text, "f");
    finish_faults(document.faults);
    EXPECT_LE(document.faults.size(), kMaxFaults + 1) << text.substr(0, 20);
  }
}

TEST(Yaml, AWindowsPathInDoubleQuotesIsExplained) {
  const auto fault = [](const std::string& text) {
    const YamlDocument document = parse_yaml(text, "f");
    return document.faults.empty() ? std::string() : document.faults[0].message;
  };
  const std::string hint = "; a path with backslashes goes into single quotes: 'C:\\data'";
  EXPECT_TRUE(fault("storage:\n  path: \"C:\\data\"\n").ends_with(hint)) << fault("storage:\n  path: \"C:\\data\"\n");
  EXPECT_TRUE(fault("a: 1\nb: \"D:\\kmem\\state\"\nc: 2\n").ends_with(hint));
  EXPECT_EQ(fault("path: 'C:\\data'\n"), "");
  EXPECT_FALSE(fault("a: [\n").ends_with(hint));
}

}  // namespace
}  // namespace kmem::config
