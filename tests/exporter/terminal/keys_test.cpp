#include "exporter/terminal/keys.h"

#include <gmock/gmock.h>

namespace kmem::terminal {

void PrintTo(const Key& key, std::ostream* out) {
  *out << static_cast<int>(key.kind) << '/' << static_cast<int>(key.character);
}

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<Key> keys_of(std::string_view bytes) {
  KeyReader reader;
  std::vector<Key> keys;
  reader.feed(bytes, keys);
  reader.settle(keys);
  return keys;
}

Key character(char c) { return {KeyKind::kCharacter, c}; }

TEST(Keys, PrintableOnesAreThemselvesAndOthersAreNamed) {
  EXPECT_THAT(keys_of("q ~"), ElementsAre(character('q'), character(' '), character('~')));
  EXPECT_THAT(keys_of("\r\n\x7f\x08\x03\x0c"),
              ElementsAre(Key{KeyKind::kEnter}, Key{KeyKind::kEnter}, Key{KeyKind::kBackspace}, Key{KeyKind::kBackspace},
                          Key{KeyKind::kInterrupt}, Key{KeyKind::kRedraw}));
  EXPECT_THAT(keys_of("\x01\xc3\xa4\xff"), IsEmpty());
}

TEST(Keys, SequencesOfAllUsualTerminals) {
  EXPECT_THAT(keys_of("\x1b[A\x1bOB\x1b[1;5C\x1b[D"),
              ElementsAre(Key{KeyKind::kUp}, Key{KeyKind::kDown}, Key{KeyKind::kRight}, Key{KeyKind::kLeft}));
  EXPECT_THAT(keys_of("\x1b[5~\x1b[6;2~"), ElementsAre(Key{KeyKind::kPageUp}, Key{KeyKind::kPageDown}));
  for (const char* const home : {"\x1b[H", "\x1bOH", "\x1b[1~", "\x1b[7~"})
    EXPECT_THAT(keys_of(home), ElementsAre(Key{KeyKind::kHome})) << home;
  for (const char* const end : {"\x1b[F", "\x1bOF", "\x1b[4~", "\x1b[8~"})
    EXPECT_THAT(keys_of(end), ElementsAre(Key{KeyKind::kEnd})) << end;
}

TEST(Keys, WhatMeansNothingIsDroppedWhole) {
  EXPECT_THAT(keys_of("\x1b[15~\x1b[200~x\x1b[201~\x1b[?1;2c\x1bOPq\x1bm"), ElementsAre(character('x'), character('q')));
}

TEST(Keys, ASequenceMayComeByteByByte) {
  KeyReader reader;
  std::vector<Key> keys;
  for (const char byte : std::string_view("\x1b[1;5A")) {
    EXPECT_THAT(keys, IsEmpty());
    reader.feed(std::string_view(&byte, 1), keys);
  }
  EXPECT_THAT(keys, ElementsAre(Key{KeyKind::kUp}));
  EXPECT_FALSE(reader.waits());
}

TEST(Keys, AnEscapeAloneIsOneOnceNothingFollows) {
  KeyReader reader;
  std::vector<Key> keys;
  reader.feed("\x1b", keys);
  EXPECT_THAT(keys, IsEmpty());
  EXPECT_TRUE(reader.waits());
  reader.settle(keys);
  EXPECT_THAT(keys, ElementsAre(Key{KeyKind::kEscape}));
  EXPECT_THAT(keys_of("\x1b\x1b"), ElementsAre(Key{KeyKind::kEscape}, Key{KeyKind::kEscape}));
  EXPECT_THAT(keys_of("\x1b\x1b[A"), ElementsAre(Key{KeyKind::kEscape}, Key{KeyKind::kUp}));
  EXPECT_THAT(keys_of("\x1b["), IsEmpty());
}

TEST(Keys, AnEndlessSequenceIsBounded) {
  KeyReader reader;
  std::vector<Key> keys;
  reader.feed("\x1b[" + std::string(1000, '1'), keys);
  EXPECT_LE(keys.size(), 1000U);
  reader.settle(keys);
  keys.clear();
  reader.feed("q", keys);
  EXPECT_THAT(keys, ElementsAre(character('q')));
}

}  // namespace
}  // namespace kmem::terminal
