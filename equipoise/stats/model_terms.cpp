#include "equipoise/stats/model_terms.h"

#include <algorithm>
#include <set>

#include "equipoise/stats/parts.h"

namespace equipoise::stats {
namespace {

std::map<std::string, std::vector<std::string>> parse_levels(Section& options) {
  std::map<std::string, std::vector<std::string>> levels;
  auto table = options.table("levels", "levels of " + options.name());
  if (!table) return levels;
  for (Node::Member const& member : *table->node().table()) {
    auto texts = table->texts(member.key);
    if (!texts) continue;
    if (texts->size() < 2) table->report_at(member.key, Code::out_of_range, "column '{}' needs two levels or more", member.key);
    if (std::set<std::string>(texts->begin(), texts->end()).size() < texts->size())
      table->report_at(member.key, Code::duplicate, "a level of column '{}' is given twice", member.key);
    levels[member.key] = std::move(*texts);
  }
  return levels;
}

}  // namespace

ModelTerms parse_model_terms(Section& options) {
  ModelTerms model;
  model.levels = parse_levels(options);
  if (const auto text = options.need_text("formula")) {
    if (auto formula = parse_formula(*text)) model.formula = std::move(*formula);
    else options.report_at("formula", formula.error().code, "{}", formula.error().message).hint = formula.error().hint;
  }
  const std::vector<std::string> columns = model.formula.columns();
  if (!columns.empty())
    for (auto const& [column, levels] : model.levels)
      if (std::find(columns.begin(), columns.end(), column) == columns.end())
        options.report_at("levels", Code::unresolved, "`levels` names the column '{}', which the formula does not have", column);
  return model;
}

void ModelTerms::add_needs(std::vector<ColumnNeed>& needs, Section& options) const {
  for (std::string const& column : formula.columns()) {
    const auto found = levels.find(column);
    if (found == levels.end()) add_need(needs, {column, Need::number}, options);
    else add_need(needs, {.name = column, .need = Need::category, .levels = found->second}, options);
  }
}

bool lacks_reference(Frame const& frame, Term const& term) {
  return std::any_of(term.begin(), term.end(), [&](Factor const& factor) {
    if (!factor.level) return false;
    const auto codes = frame.categories(factor.column).codes;
    return std::find(codes.begin(), codes.end(), 0) == codes.end();
  });
}

std::vector<Term> uncompared(Frame const& frame, Formula const& formula, std::vector<Term> const& names) {
  std::vector<Term> missing;
  for (auto const& term : formula.terms) {
    if (term.size() != 1) continue;
    const auto column =
        std::find_if(frame.columns.begin(), frame.columns.end(), [&](ColumnView const& c) { return c.name == term.front(); });
    if (column->numeric()) continue;
    CategoriesView const& category = column->categories();
    for (std::size_t level = 1; level < category.levels.size(); ++level) {
      Term name{{term.front(), category.levels[level]}};
      if (std::find(names.begin(), names.end(), name) == names.end()) missing.push_back(std::move(name));
    }
  }
  return missing;
}

}  // namespace equipoise::stats
