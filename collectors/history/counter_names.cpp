#include "collectors/history/counter_names.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "collectors/history/csv_fields.h"
#include "collectors/history/date_words.h"
#include "collectors/history/notes.h"

namespace kmem::history {
namespace {

struct Object {
  std::string_view name;
  std::string_view language;
};
// As folded_word() has them; Japanese as it is.
constexpr auto kObjects = std::to_array<Object>({
    {"arbeitsspeicher", "German"},
    {"speicher", "German"},
    {"memoire", "French"},
    {"memoria", "Spanish, Italian or Portuguese"},
    {"\xe3\x83\xa1\xe3\x83\xa2\xe3\x83\xaa", "Japanese"},
    {"geheugen", "Dutch"},
    {"pamiec", "Polish"},
    {"pamet", "Czech"},
    {"bellek", "Turkish"},
    {"minne", "Swedish"},
    {"hukommelse", "Danish"},
    {"muisti", "Finnish"},
    {"\xd0\x9f\xd0\xb0\xd0\xbc\xd1\x8f\xd1\x82\xd1\x8c", "Russian"},
    {"\xe5\x86\x85\xe5\xad\x98", "Chinese"},
    {"\xeb\xa9\x94\xeb\xaa\xa8\xeb\xa6\xac", "Korean"},
});

struct Name {
  std::string_view local;
  std::string_view english;
};
constexpr auto kCounterNames = std::to_array<Name>({
    {"auslagerungsseiten (bytes)", "Memory\\Pool Paged Bytes"},
    {"nicht-auslagerungsseiten (bytes)", "Memory\\Pool Nonpaged Bytes"},
    {"auslagerungsseiten: residente bytes", "Memory\\Pool Paged Resident Bytes"},
    {"auslagerungsseiten reserviert", "Memory\\Pool Paged Allocs"},
    {"nichtauslagerungsseiten reserviert", "Memory\\Pool Nonpaged Allocs"},
    {"freie seitentabelleneintrage", "Memory\\Free System Page Table Entries"},
    {"zugesicherte bytes", "Memory\\Committed Bytes"},
    {"zusagegrenze", "Memory\\Commit Limit"},
    {"cachebytes", "Memory\\Cache Bytes"},
    {"cachebytes (max.)", "Memory\\Cache Bytes Peak"},
    {"verfugbare bytes", "Memory\\Available Bytes"},
    {"verfugbare kb", "Memory\\Available KBytes"},
    {"verfugbare mb", "Memory\\Available MBytes"},
    {"nicht ausgelagerte seiten (bytes)", "Memory\\Pool Nonpaged Bytes"},
    {"nicht ausgelagerter pool (bytes)", "Memory\\Pool Nonpaged Bytes"},
    {"ausgelagerter pool (bytes)", "Memory\\Pool Paged Bytes"},

    {"octets de reserve paginee", "Memory\\Pool Paged Bytes"},
    {"octets de reserve non paginee", "Memory\\Pool Nonpaged Bytes"},
    {"allocations de reserve paginee", "Memory\\Pool Paged Allocs"},
    {"allocations de reserve non paginee", "Memory\\Pool Nonpaged Allocs"},
    {"entrees libres en table des pages systeme", "Memory\\Free System Page Table Entries"},
    {"octets valides", "Memory\\Committed Bytes"},
    {"limite de memoire dediee", "Memory\\Commit Limit"},
    {"octets disponibles", "Memory\\Available Bytes"},

    {"bytes de bloque paginado", "Memory\\Pool Paged Bytes"},
    {"bytes de bloque no paginado", "Memory\\Pool Nonpaged Bytes"},
    {"bytes confirmados", "Memory\\Committed Bytes"},
    {"limite de confirmacion", "Memory\\Commit Limit"},
    {"bytes disponibles", "Memory\\Available Bytes"},

    {"byte del pool di paging", "Memory\\Pool Paged Bytes"},
    {"byte del pool non di paging", "Memory\\Pool Nonpaged Bytes"},
    {"bytes do pool paginavel", "Memory\\Pool Paged Bytes"},
    {"bytes do pool nao paginavel", "Memory\\Pool Nonpaged Bytes"},
});
// Their pools' names are those of the object of memory.
constexpr auto kProcessNames = std::to_array<Name>({
    {"handleanzahl", "Handle Count"},
    {"handles", "Handle Count"},
    {"anzahl der handles", "Handle Count"},
    {"prozesskennung", "ID Process"},
    {"prozess-id", "ID Process"},
    {"id des prozesses", "ID Process"},
    {"nombre de handles", "Handle Count"},
    {"id de processus", "ID Process"},
    {"id du processus", "ID Process"},
    {"numero de identificadores", "Handle Count"},
    {"id. de proceso", "ID Process"},
    {"id de proceso", "ID Process"},
    {"numero di handle", "Handle Count"},
    {"id processo", "ID Process"},
    {"\xe3\x83\x8f\xe3\x83\xb3\xe3\x83\x89\xe3\x83\xab\xe6\x95\xb0", "Handle Count"},  // ハンドル数
    {"\xe3\x83\x97\xe3\x83\xad\xe3\x82\xbb\xe3\x82\xb9 ID", "ID Process"},             // プロセス ID
    {"\xe3\x83\x97\xe3\x83\xad\xe3\x82\xbb\xe3\x82\xb9"
     "ID",
     "ID Process"},
});
constexpr auto kProcessObjects = std::to_array<std::string_view>(
    {"prozess", "processus", "proceso", "processo", "\xe3\x83\x97\xe3\x83\xad\xe3\x82\xbb\xe3\x82\xb9"});
// In the code page of Japanese consoles, and in UTF-8: those that tell counters apart.
constexpr auto kShiftJis = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"\x83\x81\x83\x82\x83\x8a", "\xe3\x83\xa1\xe3\x83\xa2\xe3\x83\xaa"},  // メモリ
    {"\x83o\x83"
     "C\x83g",
     "\xe3\x83\x90\xe3\x82\xa4\xe3\x83\x88"},                        // バイト
    {"\x83v\x81[\x83\x8b", "\xe3\x83\x97\xe3\x83\xbc\xe3\x83\xab"},  // プール
    {"\x83y\x81[\x83W", "\xe3\x83\x9a\xe3\x83\xbc\xe3\x82\xb8"},     // ページ
    {"\x8f\xed\x92\x93", "\xe5\xb8\xb8\xe9\xa7\x90"},                // 常駐
    {"\x83R\x83~\x83"
     "b\x83g",
     "\xe3\x82\xb3\xe3\x83\x9f\xe3\x83\x83\xe3\x83\x88"},                                                    // コミット
    {"\x90\xa7\x8c\xc0", "\xe5\x88\xb6\xe9\x99\x90"},                                                        // 制限
    {"\x8eg\x97p\x92\x86", "\xe4\xbd\xbf\xe7\x94\xa8\xe4\xb8\xad"},                                          // 使用中
    {"\x94\xf1", "\xe9\x9d\x9e"},                                                                            // 非
    {"\x83n\x83\x93\x83h\x83\x8b\x90\x94", "\xe3\x83\x8f\xe3\x83\xb3\xe3\x83\x89\xe3\x83\xab\xe6\x95\xb0"},  // ハンドル数
    {"\x83v\x83\x8d\x83Z\x83X", "\xe3\x83\x97\xe3\x83\xad\xe3\x82\xbb\xe3\x82\xb9"},                         // プロセス
});
constexpr std::size_t kMostUnknown = 1000;

bool is_one_of_memory(std::string_view name) { return same_word(name, "Memory") || !language_of_counter(name).empty(); }

bool alike(std::string_view folded, std::string_view name) {
  return folded.size() == name.size() &&
         std::equal(folded.begin(), folded.end(), name.begin(), [](char a, char b) { return a == b || a == kHiddenLetter; });
}

bool holds(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// Versions differ in blanks and particles, not in these words.
std::string_view japanese(std::string_view name) {
  constexpr std::string_view kNot = "\xe9\x9d\x9e";                                             // 非
  const bool bytes = holds(name, "\xe3\x83\x90\xe3\x82\xa4\xe3\x83\x88");                       // バイト
  const bool pool = holds(name, "\xe3\x83\x97\xe3\x83\xbc\xe3\x83\xab");                        // プール
  const bool page = holds(name, "\xe3\x83\x9a\xe3\x83\xbc\xe3\x82\xb8");                        // ページ
  const bool resident = holds(name, "\xe5\xb8\xb8\xe9\xa7\x90");                                // 常駐
  const bool commit = holds(name, "\xe3\x82\xb3\xe3\x83\x9f\xe3\x83\x83\xe3\x83\x88");          // コミット
  const bool limit = holds(name, "\xe5\x88\xb6\xe9\x99\x90");                                   // 制限
  const bool of_use = holds(name, "%") || holds(name, "\xe4\xbd\xbf\xe7\x94\xa8\xe4\xb8\xad");  // 使用中
  if (pool && page && bytes && !resident)
    return name.starts_with(kNot) ? "Memory\\Pool Nonpaged Bytes" : "Memory\\Pool Paged Bytes";
  if (commit && limit) return "Memory\\Commit Limit";
  if (commit && bytes && !of_use) return "Memory\\Committed Bytes";
  return {};
}

}  // namespace

std::string with_shift_jis_as_utf8(std::string_view path) {
  std::string out;
  if (path.find(kShiftJis[0].first) == std::string_view::npos && path.find(kShiftJis.back().first) == std::string_view::npos)
    return out;
  while (!path.empty()) {
    const auto word =
        std::find_if(kShiftJis.begin(), kShiftJis.end(), [&](const auto& one) { return path.starts_with(one.first); });
    const auto lead = static_cast<unsigned char>(path.front());
    const bool is_two = (lead >= 0x81 && lead <= 0x9f) || (lead >= 0xe0 && lead <= 0xfc);
    if (word != kShiftJis.end()) out.append(word->second);
    else if (!is_two) out.push_back(path.front());
    else out.push_back(kHiddenLetter);
    path.remove_prefix(word != kShiftJis.end() ? word->first.size() : std::min<std::size_t>(is_two ? 2 : 1, path.size()));
  }
  return out;
}

std::string_view language_of_counter(std::string_view path) {
  const std::string_view object = path.substr(0, std::min(path.find('\\'), path.size()));
  const std::string folded = folded_word(object);
  const auto found = std::find_if(kObjects.begin(), kObjects.end(), [&](const Object& one) {
    return object == one.name || (folded.find_first_not_of(kHiddenLetter) != std::string::npos && alike(folded, one.name));
  });
  return found != kObjects.end() ? found->language : std::string_view();
}

std::string_view english_counter(std::string_view path) {
  const std::size_t slash = path.find('\\');
  if (slash == std::string_view::npos) return {};
  const std::string folded = folded_word(path.substr(slash + 1));
  const std::string object = folded_word(path.substr(0, slash));
  if (object == "system" && (folded == "systembetriebszeit" || folded == "betriebszeit")) return "System\\System Up Time";
  const std::string_view language = language_of_counter(path);
  if (language.empty() && object != "memory") return {};
  if (language == "Japanese" || object == "memory")
    if (const std::string_view name = japanese(path.substr(slash + 1)); !name.empty()) return name;
  const auto found =
      std::find_if(kCounterNames.begin(), kCounterNames.end(), [&](const Name& one) { return alike(folded, one.local); });
  return found != kCounterNames.end() ? found->english : std::string_view();
}

bool is_process_object(std::string_view object) {
  const std::string folded = folded_word(object);
  return std::any_of(kProcessObjects.begin(), kProcessObjects.end(),
                     [&](std::string_view one) { return object == one || folded == one; });
}

std::string_view english_process_counter(std::string_view counter) {
  const std::string folded = folded_word(counter);
  const bool is_word = folded.find_first_not_of(kHiddenLetter) != std::string::npos;
  for (const Name& name : kProcessNames)
    if (counter == name.local || (is_word && alike(folded, name.local))) return name.english;
  std::string_view english = japanese(counter);
  for (const Name& name : kCounterNames)
    if (english.empty() && is_word && alike(folded, name.local)) english = name.english;
  constexpr std::string_view kObject = "Memory\\";
  const std::string_view name = english.substr(std::min(kObject.size(), english.size()));
  return name == "Pool Paged Bytes" || name == "Pool Nonpaged Bytes" ? name : std::string_view();
}

bool may_be_of_memory(std::string_view path) {
  const std::size_t slash = path.rfind('\\');
  if (slash == std::string_view::npos) return false;
  const std::string_view object = path.substr(0, std::min(path.find('('), path.find('\\')));
  const std::string counter = folded_word(path.substr(slash + 1));
  // Rates and shares are no amounts; sums over all processes are left out with purpose.
  if (holds(counter, "%") || holds(counter, "/s") || holds(path, "(_Total)") || holds(path, "(Idle)")) return false;
  if (same_word(object, "Memory") || same_word(object, "Process") || same_word(object, "Process V2"))
    return holds(counter, "pool") || holds(counter, "handle");
  return is_process_object(object) || is_one_of_memory(object);
}

void UnknownNames::add(std::string_view name) {
  if (names_.size() < kMostUnknown) names_.emplace(name);
}

std::string UnknownNames::text() const {
  constexpr std::size_t kMostShown = 3;
  std::string text;
  std::size_t shown = 0;
  for (const std::string& name : names_)
    if (shown++ < kMostShown) text += (text.empty() ? "" : ", ") + in_quotes(name);
  return names_.size() > kMostShown ? text + " and " + std::to_string(names_.size() - kMostShown) + " more" : text;
}

}  // namespace kmem::history
