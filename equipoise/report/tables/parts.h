#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "equipoise/report/cells.h"
#include "equipoise/report/context.h"

/// What several tables are made of.
namespace equipoise::report::tables {

/// A sentence of one table only, in the language of the page.
inline std::string said(Context const& context, std::string_view english, std::string_view chinese) {
  return std::string(context.words.chinese() ? chinese : english);
}

/// A column for an arm, or for all of them, with the participants in it below its name.
inline Column counted_column(Context const& context, std::string const& name, std::int64_t n) {
  Column column{.name = Cell(name)};
  column.name.pieces.push_back({Piece::Kind::n, context.words(Word::n_equals, n), {value::count("N", n)}});
  return column;
}

/// "12 (18.5%)" of so many; "0" for nobody.
inline Cell count_of(std::int64_t n, std::int64_t of) {
  if (n == 0 || of == 0) return Cell(value::count("n", n));
  return Cell(
      of_values(Piece::Kind::plain, "{} ({})", {value::count("n", n), value::percent("percent", double(n) / double(of))}));
}

}  // namespace equipoise::report::tables
