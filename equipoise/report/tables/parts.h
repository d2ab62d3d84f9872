#pragma once

#include <cmath>
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

/// The percentage of so many: "18.5%". Somebody is never 0% and not everybody never 100%: they are "<1%" and ">99%".
inline Value percent_of(std::int64_t n, std::int64_t of, int decimals = 1) {
  Value out = value::percent("percent", double(n) / double(of), decimals);
  const auto prints_as = [&](double share) { return out.printed == results::percent(share, decimals); };
  if (n > 0 && prints_as(0)) out.printed = "<" + results::percent(std::pow(10.0, -decimals) / 100, decimals);
  if (n < of && prints_as(1)) out.printed = ">" + results::percent(1 - std::pow(10.0, -decimals) / 100, decimals);
  return out;
}

/// Decimals of the percentages of participants: those of [report], else one.
inline int percent_decimals(Context const& context) { return context.plan.report.decimals.percent.value_or(1); }

/// "12 (18.5%)" of so many; "0" for nobody.
inline Cell count_of(std::int64_t n, std::int64_t of, int decimals = 1) {
  if (n == 0 || of == 0) return Cell(value::count("n", n));
  return Cell(of_values(Piece::Kind::plain, "{} ({})", {value::count("n", n), percent_of(n, of, decimals)}));
}

}  // namespace equipoise::report::tables
