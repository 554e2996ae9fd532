#include "exporter/top/view.h"

#include <algorithm>
#include <utility>

namespace kmem::top {
namespace {

using terminal::Key;
using terminal::KeyKind;

void type(View& view, const Key& key) {
  std::string& text = *view.typed;
  switch (key.kind) {
    case KeyKind::kCharacter:
      if (text.size() < kLongestFilter) text += key.character;
      break;
    case KeyKind::kBackspace:
      if (text.empty()) view.typed.reset();
      else text.pop_back();
      break;
    case KeyKind::kEnter:
      view.choice.filter = std::move(text);
      view.typed.reset();
      break;
    case KeyKind::kEscape: view.typed.reset(); break;
    default: break;
  }
  view.first_row = 0;
}

void next_pool(View& view, const std::vector<Pool>& pools) {
  if (!view.choice.pool) {
    if (!pools.empty()) view.choice.pool = pools.front();
  } else {
    const auto at = std::find(pools.begin(), pools.end(), *view.choice.pool);
    if (at == pools.end() || at + 1 == pools.end()) view.choice.pool.reset();
    else view.choice.pool = at[1];
  }
  view.first_row = 0;
}

Asked press(View& view, char character, const Extent& extent) {
  switch (character) {
    case 'q': return Asked::kQuit;
    case ' ': return Asked::kReading;
    case 'p': next_pool(view, extent.pools); break;
    case '/': view.typed = view.choice.filter; break;
    case '?':
    case 'h': view.help = true; break;
    default:
      for (const SortWord& word : kSortWords) {
        if (word.key != character) continue;
        view.choice.sort = word.by;
        view.first_row = 0;
      }
  }
  return Asked::kNothing;
}

}  // namespace

void keep_in(View& view, const Extent& extent) {
  view.first_row = std::min(view.first_row, extent.rows - std::min(extent.rows, extent.page_rows));
  view.first_column = std::min(view.first_column, extent.columns - std::min<std::size_t>(extent.columns, 1));
}

Asked apply(View& view, const Key& key, const Extent& extent) {
  if (key.kind == KeyKind::kInterrupt) return Asked::kQuit;
  if (view.help) {
    view.help = false;
    return Asked::kNothing;
  }
  if (view.typed) {
    type(view, key);
    return Asked::kNothing;
  }
  Asked asked = Asked::kNothing;
  switch (key.kind) {
    case KeyKind::kCharacter: asked = press(view, key.character, extent); break;
    case KeyKind::kUp: view.first_row -= view.first_row > 0; break;
    case KeyKind::kDown: ++view.first_row; break;
    case KeyKind::kPageUp: view.first_row -= std::min(view.first_row, extent.page_rows); break;
    case KeyKind::kPageDown: view.first_row += extent.page_rows; break;
    case KeyKind::kHome: view.first_row = view.first_column = 0; break;
    case KeyKind::kEnd: view.first_row = extent.rows; break;
    case KeyKind::kLeft: view.first_column -= view.first_column > 0; break;
    case KeyKind::kRight: ++view.first_column; break;
    case KeyKind::kEscape: view.choice.filter.clear(); break;
    case KeyKind::kRedraw: asked = Asked::kReading; break;
    default: break;
  }
  keep_in(view, extent);
  return asked;
}

}  // namespace kmem::top
