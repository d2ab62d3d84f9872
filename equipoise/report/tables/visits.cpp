#include "equipoise/report/visits.h"

#include <algorithm>
#include <cmath>

#include "equipoise/report/headline.h"
#include "equipoise/report/tables.h"

namespace equipoise::report::tables {
namespace {

using results::Record;

/// Which columns the numbers need.
struct Columns {
  bool n = false, mean_interval = false, compared = false, df = false, p = false, adjusted = false;
  std::string level;
  bool whole_df = true;
  int decimals = 0;  ///< of all estimates, so that a column reads as one; ratios have their own form
};

Columns columns_of(Context const& context, ArmsOverVisits const& numbers) {
  Columns has;
  for (auto const& cell : numbers.means) {
    Finding const& f = cell.record->finding;
    if (std::isfinite(f.value)) has.decimals = std::max(has.decimals, results::decimals_for(f.value, f.se));
    has.n = has.n || f.n, has.mean_interval = has.mean_interval || (f.lower && f.upper);
    if (f.lower) has.level = interval_level(context, *cell.record);
  }
  for (auto const& cell : numbers.differences) {
    Finding const& f = cell.record->finding;
    if (std::isfinite(f.value)) has.decimals = std::max(has.decimals, results::decimals_for(f.value, f.se));
    has.whole_df = has.whole_df && (!f.df || *f.df == std::round(*f.df));
    has.compared = true, has.df = has.df || f.df, has.p = has.p || f.p;
    has.adjusted = has.adjusted || adjusted_beside(context, *cell.record);
    if (f.lower) has.level = interval_level(context, *cell.record);
  }
  return has;
}

Markup head(Context const& context, ArmsOverVisits const& numbers, Columns const& has) {
  auto const& words = context.words;
  const auto column = [](Markup const& name) {
    return element("th", {{"scope", std::string("col")}, {"class", std::string("num")}}, name);
  };
  Markup row = element("th", {{"scope", std::string("col")}}, words(Word::column_arm));
  if (has.n) row += column(words(Word::baseline_n));
  row += column(numbers.ratio() ? mean_in_words(context, numbers) : words(Word::visit_table_mean));
  if (has.mean_interval) row += column(words(Word::column_interval, has.level));
  if (has.compared) {
    row += column(numbers.ratio() ? comparison_in_words(context, numbers)
                                  : words(Word::visit_table_difference, context.arm(numbers.control)));
    row += column(words(Word::column_interval, has.level));
    if (has.df) row += column(words(Word::column_df));
    if (has.p) row += column(element("i", words(Word::column_p)));
    if (has.adjusted) row += column(words(Word::family_adjusted));
  }
  return element("thead", element("tr", row));
}

class Rows {
 public:
  Rows(Context const& context, ArmsOverVisits const& numbers, Columns const& has, Footnotes& notes,
       std::vector<std::string> const& of_all)
      : context_(context), numbers_(numbers), has_(has), notes_(notes), of_all_(of_all) {}

  /// The arms at one visit; without a visit, over all of them.
  Markup block(std::string const& visit) {
    std::string name = visit.empty() ? context_.words(Word::visit_table_average) : context_.visit(visit);
    Markup title(name);
    const bool primary = !visit.empty() && visit == numbers_.primary;
    if (primary) title += element("span", "tag", context_.words(Word::visit_table_primary));
    Markup rows =
        element("tr", "visit", element("th", {{"scope", std::string("rowgroup")}, {"colspan", std::to_string(width())}}, title));
    for (auto const& arm : numbers_.arms) {
      const Record *mean = numbers_.mean(arm, visit), *difference = numbers_.difference(arm, visit);
      if (!mean && !difference) continue;
      rows += common_baseline(visit, arm) ? element("tr", shared_mean(arm)) : row(arm, mean, difference, visit.empty());
    }
    return element("tbody", Attributes{{"class", std::string(primary ? "here" : "")}}, rows);
  }
  bool ne() const { return ne_; }

 private:
  int width() const { return 2 + has_.n + has_.mean_interval + (has_.compared ? 2 + has_.df + has_.p + has_.adjusted : 0); }

  Markup cell(std::string const& text, Markup const& more = {}) {
    ne_ = ne_ || text.find(results::not_estimable) != std::string::npos;
    return element("td", Markup(text) + more);
  }

  Markup marks(Record const& record) {
    Markup out;
    for (auto const& footnote : record.footnotes)
      if (std::ranges::find(of_all_, footnote) == of_all_.end()) out += notes_.mark(context_.note(footnote));
    return out;
  }

  /// "12.3 (4.1)"
  Markup estimate(Record const& record, results::Printed const& text) {
    ne_ = ne_ || text.ne;
    Markup inside = element("span", "est", text.value);
    if (!text.se.empty()) inside += " (" + text.se + ")";
    return element("td", inside + marks(record));
  }

  /// A constrained baseline has one mean, which stands in the row of the control; the other arms have nobody of their own there.
  bool common_baseline(std::string const& visit, std::string const& arm) const {
    return numbers_.constrained && !visit.empty() && visit == numbers_.visits.front() && arm != numbers_.control;
  }
  Markup shared_mean(std::string const& arm) const {
    return element("th", {{"scope", std::string("row")}, {"class", std::string("sub")}}, context_.arm(arm)) +
           element("td", {{"colspan", std::to_string(width() - 1)}, {"class", std::string("same")}},
                   context_.words(Word::visit_table_one_mean, context_.arm(numbers_.control)));
  }

  Markup row(std::string const& arm, Record const* mean, Record const* difference, bool over_visits) {
    const auto printed = [&](Record const* record) {
      if (!record) return results::Printed();
      Finding const& f = record->finding;
      results::Printed text = results::printed(f, context_.language(), context_.alpha());
      if (f.df && !has_.whole_df) text.df = results::fixed(*f.df, 1);
      if (numbers_.ratio()) return text;
      text.value = results::fixed(f.value, has_.decimals);
      if (f.se) text.se = results::fixed(*f.se, has_.decimals + 1);
      if (f.lower && f.upper)
        text.interval = results::interval(results::fixed(*f.lower, has_.decimals), results::fixed(*f.upper, has_.decimals),
                                          context_.language());
      return text;
    };
    const results::Printed of_mean = printed(mean), of_difference = printed(difference);
    Markup out = element("th", {{"scope", std::string("row")}, {"class", std::string("sub")}}, context_.arm(arm));
    // Over visits the method counts values, and the column counts participants.
    if (has_.n) out += cell(mean && mean->finding.n && !over_visits ? std::to_string(*mean->finding.n) : std::string());
    out += mean ? estimate(*mean, of_mean) : cell("");
    if (has_.mean_interval) out += cell(of_mean.interval);
    if (!has_.compared) return element("tr", out);
    out += difference ? estimate(*difference, of_difference) : cell("");
    out += cell(of_difference.interval);
    if (has_.df) out += cell(of_difference.df);
    if (has_.p) out += cell(of_difference.p);
    if (has_.adjusted) {
      const Record* beside = difference ? adjusted_beside(context_, *difference) : nullptr;
      out += cell(beside ? results::p_value(beside->finding.value, context_.alpha()) : std::string());
    }
    return element("tr", out);
  }

  Context const& context_;
  ArmsOverVisits const& numbers_;
  Columns const& has_;
  Footnotes& notes_;
  std::vector<std::string> const& of_all_;
  bool ne_ = false;
};

}  // namespace

Markup visits(Context const& context, ArmsOverVisits const& numbers, Footnotes& notes, std::vector<std::string> const& of_all) {
  const Columns has = columns_of(context, numbers);
  Rows rows(context, numbers, has, notes, of_all);
  Markup body;
  for (auto const& visit : numbers.visits) body += rows.block(visit);
  // With a constrained baseline the average over all visits is no arm's.
  if (!numbers.constrained && std::ranges::any_of(numbers.arms, [&](std::string const& arm) {
        return numbers.mean_over_visits(arm) || numbers.difference_over_visits(arm);
      }))
    body += rows.block({});
  if (has.n) notes.mark(context.words(numbers.imputed ? Word::visit_table_n_imputed : Word::visit_table_n));
  const bool said = std::ranges::any_of(  // by the method
      of_all, [](std::string const& note) { return note.find("not adjusted for multiplicity") != std::string::npos; });
  if (has.compared && !has.adjusted && !said) notes.mark(context.words(Word::visit_table_unadjusted));
  if (rows.ne()) notes.mark(context.words(Word::ne_note));
  return element("div", "scroll", element("table", "data by-visit", head(context, numbers, has) + body));
}

}  // namespace equipoise::report::tables
