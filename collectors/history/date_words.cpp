#include "collectors/history/date_words.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "collectors/history/csv_fields.h"
#include "collectors/history/time_text.h"

namespace kmem::history {
namespace {

constexpr char kAny = kHiddenLetter;

// Without accents, in small letters, words apart by blanks.
constexpr std::array<std::string_view, 12> kMonths = {
    "january jan januar janner januari janvier janv enero ene gennaio gen janeiro stycznia styczen sty leden ledna led "
    "tammikuuta tammikuu januar ocak oca ianuarie ian",
    "february feb februar februari fevrier fevr fev febrero febbraio fevereiro lutego luty lut unor unora uno helmikuuta "
    "helmikuu subat sub februarie",
    "march mar marz maerz mrz maart mrt mars marzo marco marca marzec brezen brezna bre maaliskuuta maaliskuu marcius mart "
    "martie",
    "april apr avril avr abril abr aprile kwietnia kwiecien kwi duben dubna dub huhtikuuta huhtikuu aprilis nisan nis "
    "aprilie",
    "may mai mei maj mayo maggio mag maio maja kveten kvetna kve toukokuuta toukokuu majus mayis",
    "june jun juni juin junio giugno giu junho czerwca czerwiec cze cerven cervna cvn kesakuuta kesakuu junius haziran haz "
    "iunie iun",
    "july jul juli juillet juil julio luglio lug julho lipca lipiec lip cervenec cervence cvc heinakuuta heinakuu julius "
    "temmuz tem iulie iul",
    "august aug aout agosto ago augustus augusti sierpnia sierpien sie srpen srpna srp elokuuta elokuu augusztus agustos",
    "september sep sept septembre septiembre settembre set setembro wrzesnia wrzesien wrz zari zar syyskuuta syyskuu "
    "szeptember eylul eyl septembrie",
    "october oct oktober okt octobre octubre ottobre ott outubro out pazdziernika pazdziernik paz rijen rijna rij "
    "lokakuuta lokakuu ekim eki octombrie",
    "november nov novembre noviembre novembro listopada listopad lis listopadu marraskuuta marraskuu kasim kas "
    "noiembrie noi",
    "december dec dezember dez decembre diciembre dic dicembre dezembro grudnia grudzien gru prosinec prosince pro "
    "joulukuuta joulukuu aralik ara decembrie"};

constexpr std::array<std::string_view, 12> kCyrillicMonths = {"января январь янв січня",
                                                              "февраля февраль фев февр февр лютого",
                                                              "марта март мар березня",
                                                              "апреля апрель апр квітня",
                                                              "мая май травня",
                                                              "июня июнь июн червня",
                                                              "июля июль июл липня",
                                                              "августа август авг серпня",
                                                              "сентября сентябрь сен сент вересня",
                                                              "октября октябрь окт жовтня",
                                                              "ноября ноябрь ноя нояб нояб листопада",
                                                              "декабря декабрь дек грудня"};

constexpr std::array<std::string_view, 7> kWeekdays = {
    "sunday sun sonntag dimanche dim domingo dom domenica niedziela niedz zondag sondag nedele vasarnap pazar "
    "sunnuntai duminica dum nie nedela son",
    "monday mon montag lundi lun lunes lunedi segunda-feira segunda seg poniedzialek pon maandag mandag man pondeli "
    "hetfo pazartesi pzt maanantai pondelok",
    "tuesday tue tues dienstag mardi mar martes martedi terca-feira terca ter wtorek wto dinsdag tisdag tis tirsdag tir "
    "utery utorok kedd sali sal tiistai marti",
    "wednesday wed mittwoch mercredi mer miercoles mie mercoledi quarta-feira quarta qua sroda sro woensdag onsdag ons "
    "streda szerda carsamba car keskiviikko",
    "thursday thu thur thurs donnerstag jeudi jeu jueves jue giovedi gio quinta-feira quinta qui czwartek czw donderdag "
    "torsdag tors tor ctvrtek stvrtok csutortok persembe per torstai joi",
    "friday fri freitag vendredi ven viernes vie venerdi sexta-feira sexta sex piatek pia piatok vrijdag fredag fre patek "
    "pentek cuma perjantai vineri vin cum",
    "saturday sat samstag sonnabend samedi sam sabado sab sabato sobota sob zaterdag lordag lor szombat cumartesi cmt "
    "lauantai sambata"};
constexpr std::array<std::string_view, 7> kShortWeekdays = {"so zo nd ne", "mo ma pn po", "di wt ut", "mi wo sr st",
                                                            "do cz ct",    "fr vr pt pa", "sa za"};
constexpr std::array<std::string_view, 7> kCyrillicWeekdays = {
    "воскресенье вс неділя", "понедельник пн понеділок", "вторник вт вівторок", "среда ср середа",
    "четверг чт четвер",     "пятница пт пятниця",       "суббота сб субота"};
// The first characters of Japanese, Chinese and Korean weekdays, and what stands before a Chinese one's number.
constexpr std::array<std::string_view, 7> kEastWeekdays = {"日", "月", "火", "水", "木", "金", "土"};
constexpr std::array<std::string_view, 8> kChineseNumbers = {"日", "一", "二", "三", "四", "五", "六", "天"};
constexpr std::array<std::string_view, 7> kKoreanWeekdays = {"일", "월", "화", "수", "목", "금", "토"};

constexpr std::string_view kFillers =
    "the current date time is now today local localtime timestamp snapshot sample at on of um uhr le a as de del den om "
    "kl klo datum uhrzeit zeit fecha hora data ora heure date/time datetime session debug system taken started start "
    "begin run collected logged log poolmon memsnap poolsnap h g r und el la du jour est l'heure actual actuelle es";

constexpr std::string_view kRemarks =
    "info notice debug warn warning error end ended stop stopped done finished before after reboot restart restarted boot "
    "leak test server host tags tag pool pools memory usage table output dump ok first last next by for the and with "
    "starting running collecting sampling capturing capture captured recording recorded record report status iteration loop script "
    "task job daily hourly nach vor neustart";

bool is_decimal(char c) { return c >= '0' && c <= '9'; }

/// A character's code and length; 0 and 1 when the bytes are no UTF-8.
struct Decoded {
  std::uint32_t code = 0;
  std::size_t length = 1;
};
Decoded decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto tail = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xc0U) == 0x80; };
  if (byte(0) >= 0xc2 && byte(0) < 0xe0 && tail(1)) return {(byte(0) & 0x1fU) << 6 | (byte(1) & 0x3fU), 2};
  if (byte(0) >= 0xe0 && byte(0) < 0xf0 && tail(1) && tail(2))
    return {(byte(0) & 0xfU) << 12 | (byte(1) & 0x3fU) << 6 | (byte(2) & 0x3fU), 3};
  return {};
}

// From U+00C0 and from U+0100 on.
constexpr std::string_view kLatin1 = "aaaaaaaceeeeiiiidnooooo?ouuuuytsaaaaaaaceeeeiiiidnooooo?ouuuuyty";
constexpr std::string_view kLatinA =
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkkllllllllllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuu"
    "wwyyyzzzzzzs";
static_assert(kLatin1.size() == 64 && kLatinA.size() == 128);

std::string fold_latin(std::string_view word) {
  std::string out;
  while (!word.empty()) {
    const auto first = static_cast<unsigned char>(word.front());
    std::size_t length = 1;
    if (first < 0x80) {
      out.push_back(first >= 'A' && first <= 'Z' ? static_cast<char>(first - 'A' + 'a') : static_cast<char>(first));
    } else if (const Decoded found = decode(word); found.code >= 0xc0 && found.code < 0x100) {
      out.push_back(kLatin1[found.code - 0xc0]);
      length = found.length;
    } else if (found.code >= 0x100 && found.code < 0x180) {
      out.push_back(kLatinA[found.code - 0x100]);
      length = found.length;
    } else {
      out.push_back(kAny);
      length = found.length;
    }
    word.remove_prefix(length);
  }
  while (!out.empty() && (out.back() == '.' || out.back() == ',' || out.back() == ':')) out.pop_back();
  return out;
}

void append_cyrillic(std::string& out, std::uint32_t code) {
  if (code >= 0x410 && code < 0x430) code += 0x20;
  out.push_back(static_cast<char>(0xc0U | code >> 6));
  out.push_back(static_cast<char>(0x80U | (code & 0x3fU)));
}

enum class CodePage { kUtf8, k1251, k866 };

/// Small letters in UTF-8.
std::string fold_cyrillic(std::string_view word, CodePage page) {
  std::string out;
  while (!word.empty()) {
    const auto first = static_cast<unsigned char>(word.front());
    std::size_t length = 1;
    if (first < 0x80) {
      out.push_back(word.front());
    } else if (page == CodePage::kUtf8) {
      const Decoded found = decode(word);
      length = found.length;
      if (found.code >= 0x400 && found.code < 0x460) append_cyrillic(out, found.code);
      else out.append(word.substr(0, length));
    } else if (page == CodePage::k1251) {
      if (first >= 0xc0) append_cyrillic(out, 0x410U + first - 0xc0);
    } else if (first < 0xb0) {
      append_cyrillic(out, 0x410U + first - 0x80);
    } else if (first >= 0xe0 && first < 0xf0) {
      append_cyrillic(out, 0x440U + first - 0xe0);
    }
    word.remove_prefix(length);
  }
  while (!out.empty() && (out.back() == '.' || out.back() == ',' || out.back() == ':')) out.pop_back();
  return out;
}

bool alike_but_for_any(std::string_view word, std::string_view name) {
  return word.size() == name.size() &&
         std::equal(word.begin(), word.end(), name.begin(), [](char a, char b) { return a == b || a == kAny; });
}

bool is_in(std::string_view word, std::string_view names) {
  if (word.empty()) return false;
  while (!names.empty()) {
    const std::size_t end = std::min(names.find(' '), names.size());
    if (alike_but_for_any(word, names.substr(0, end))) return true;
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return false;
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), word) != names.end();
}

bool is_plain(std::string_view word) {
  return std::all_of(word.begin(), word.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// Index of the list that has the word.
template <std::size_t N>
std::optional<std::size_t> find_in(const std::array<std::string_view, N>& latin,
                                   const std::array<std::string_view, N>& cyrillic, std::string_view word) {
  const std::string folded = fold_latin(word);
  // All of it hidden is no word.
  if (folded.find_first_not_of(kAny) != std::string::npos)
    for (std::size_t i = 0; i < N; ++i)
      if (is_in(folded, latin[i])) return i;
  if (is_plain(word)) return std::nullopt;
  for (const CodePage page : {CodePage::kUtf8, CodePage::k1251, CodePage::k866}) {
    const std::string small = fold_cyrillic(word, page);
    for (std::size_t i = 0; i < N; ++i)
      if (is_in(small, cyrillic[i])) return i;
  }
  return std::nullopt;
}

}  // namespace

std::string with_plain_blanks(std::string_view line) {
  std::string out;
  const auto take = [&line](std::string_view wanted) {
    const bool is_there = line.starts_with(wanted);
    if (is_there) line.remove_prefix(wanted.size());
    return is_there;
  };
  while (!line.empty()) {
    bool replaced = false;
    for (const std::string_view blank : {"\xc2\xa0", "\xe2\x80\xaf", "\xe2\x80\x89", "\xe3\x80\x80", "&nbsp;", "&#160;"})
      if (!replaced && take(blank)) out.push_back(' '), replaced = true;
    for (const std::string_view mark : {"\xe2\x80\x8e", "\xe2\x80\x8f", "\xef\xbb\xbf"})
      if (!replaced && take(mark)) replaced = true;
    // Digits of Arabic, Persian and full width.
    const auto byte = [&](std::size_t i) { return i < line.size() ? static_cast<unsigned char>(line[i]) : 0U; };
    const bool arabic =
        (byte(0) == 0xd9 && byte(1) >= 0xa0 && byte(1) <= 0xa9) || (byte(0) == 0xdb && byte(1) >= 0xb0 && byte(1) <= 0xb9);
    const bool wide = byte(0) == 0xef && byte(1) == 0xbc && byte(2) >= 0x90 && byte(2) <= 0x99;
    if (!replaced && (arabic || wide)) {
      out.push_back(static_cast<char>('0' + (arabic ? byte(1) & 0xfU : byte(2) - 0x90)));
      line.remove_prefix(arabic ? 2 : 3);
      replaced = true;
    }
    if (replaced) continue;
    out.push_back(line.front());
    line.remove_prefix(1);
  }
  // A lone U+00A0 of a code page between other words.
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto is_high = [&](std::size_t at) { return at < out.size() && static_cast<unsigned char>(out[at]) >= 0x80; };
    if (out[i] == '\xa0' && !is_high(i + 1) && (i == 0 || !is_high(i - 1))) out[i] = ' ';
  }
  return out;
}

std::string with_joined_date(std::string_view line) {
  std::string out;
  for (std::size_t at = 0; at < line.size();) {
    std::size_t length = 1;
    for (const std::string_view part : {"년", "월", "年", "月", "시", "時", "时", "点", "點", "분", "分"})
      if (line.substr(at).starts_with(part) && !out.empty() && is_decimal(out.back())) length = part.size();
    out.append(line.substr(at, length));
    at += length;
    if (length == 1) continue;
    const std::size_t behind = std::min(line.find_first_not_of(' ', at), line.size());
    if (behind < line.size() && is_decimal(line[behind])) at = behind;
  }
  return out;
}

std::string_view without_title(std::string_view line) {
  line = trimmed(line);
  if (line.starts_with("zzz ")) return line.substr(4);
  // A prompt that shows its command.
  for (const std::string_view echo : {">echo ", "> echo "})
    if (const std::size_t at = line.find(echo); at != std::string_view::npos) return trimmed(line.substr(at + echo.size()));
  // watch: "Every 2.0s: cat /proc/meminfo    web01: Thu Nov  5 18:00:00 2026"
  if (line.starts_with("Every ") && line.find("s: ") < line.rfind(": ")) return trimmed(line.substr(line.rfind(": ") + 2));
  const auto word_is = [&](std::string_view word) {
    return line.size() > word.size() && same_word(line.substr(0, word.size()), word);
  };
  for (const std::string_view name : {"LocalDateTime=", "DateTime=", "Timestamp=", "Date=", "Time="})
    if (word_is(name)) return line.substr(name.size());
  for (const std::string_view name : {"Run ", "Sample ", "Snapshot ", "Iteration ", "Pass ", "Loop ", "Collection "}) {
    if (!word_is(name)) continue;
    std::string_view rest = trimmed(line.substr(name.size()));
    (void)take_char(rest, '#');
    if (!take_digits(rest, 1, 7)) return line;
    rest = trimmed(rest);
    for (const std::string_view of : {"of ", "/"}) {
      std::string_view count = rest;
      if (!count.starts_with(of)) continue;
      count.remove_prefix(of.size());
      count = trimmed(count);
      if (!take_digits(count, 1, 7)) return line;
      rest = trimmed(count);
    }
    // Without a mark between, what is left may go on with the number.
    const std::size_t begin = rest.find_first_not_of("-:,;|@( ");
    return begin == std::string_view::npos || begin == 0 ? line : rest.substr(begin);
  }
  return line;
}

std::string folded_word(std::string_view word) { return fold_latin(word); }

bool is_weak_month(std::string_view word) {
  constexpr std::string_view kWeak =
      "ago ara car dic eki gen kas led lip lis lug mag maj mart nis noi oca ott out pro set sub tem uno";
  return is_plain(word) && !word.ends_with('.') && is_in(fold_latin(word), kWeak);
}

int month_of(std::string_view word) {
  if (word.size() < 3) return 0;
  const auto found = find_in(kMonths, kCyrillicMonths, word);
  return found ? static_cast<int>(*found) + 1 : 0;
}

std::optional<int> weekday_of(std::string_view word, bool is_first) {
  if (const auto found = find_in(kWeekdays, kCyrillicWeekdays, word)) return static_cast<int>(*found);
  if (is_first) {
    const std::string folded = fold_latin(word);
    // Two letters of which one is hidden may be anything.
    for (std::size_t i = 0; i < kShortWeekdays.size(); ++i)
      if (folded.size() == 2 && folded.find(kAny) == std::string::npos && is_in(folded, kShortWeekdays[i]))
        return static_cast<int>(i);
  }
  for (const std::string_view before : {"星期", "周", "週", "礼拜"}) {
    if (!word.starts_with(before)) continue;
    for (std::size_t i = 0; i < kChineseNumbers.size(); ++i)
      if (word.substr(before.size()) == kChineseNumbers[i]) return static_cast<int>(i % 7);
  }
  for (std::size_t i = 0; i < 7; ++i) {
    if (word == kEastWeekdays[i] || word == std::string(kEastWeekdays[i]) + "曜日" ||
        word == std::string(kEastWeekdays[i]) + "曜")
      return static_cast<int>(i);
    if (word == kKoreanWeekdays[i] || word == std::string(kKoreanWeekdays[i]) + "요일") return static_cast<int>(i);
  }
  return std::nullopt;
}

bool means_saturday_too(std::string_view word) { return fold_latin(word) == "so"; }

std::optional<bool> half_of_day(std::string_view word) {
  const std::string folded = is_plain(word) ? fold_latin(word) : std::string();
  if (word == "a." || is_in(folded, "am a.m vorm f.m dop") ||
      is_one_of(word, {"上午", "午前", "오전", "ÖÖ", "πμ", "π.μ.", "ص"}))
    return false;
  if (word == "p." || is_in(folded, "pm p.m nachm e.m odp") ||
      is_one_of(word, {"下午", "午後", "오후", "ÖS", "μμ", "μ.μ.", "م"}))
    return true;
  return std::nullopt;
}

bool stands_ahead(std::string_view half) {
  return is_one_of(half, {"上午", "午前", "오전", "下午", "午後", "오후", "AM", "PM"});
}

bool is_log_level(std::string_view word) {
  return is_plain(word) &&
         is_in(fold_latin(word), "info information notice debug trace verbose warn warning error err critical fatal");
}

bool is_remark(std::string_view word) { return is_plain(word) && is_in(fold_latin(word), kRemarks); }

bool is_filler(std::string_view word) {
  std::string folded = fold_latin(word);
  return folded.empty() || is_in(folded, kFillers) || folded == "m" || folded == "г" || word == "г." || word == "г";
}

}  // namespace kmem::history
