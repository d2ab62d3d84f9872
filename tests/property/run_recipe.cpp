#include "run_recipe.h"

#include <fmt/format.h>

#include "equipoise/analysis/ready_method.h"

namespace equipoise::property {

std::string case_line(Recipe const& recipe, int trial, std::string_view data,
                      std::vector<std::optional<std::string>> const& values) {
  std::string expect;
  for (std::size_t i = 0; i < recipe.readings.size(); ++i)
    if (values[i])
      expect += fmt::format(R"({}{{"quantity": "{}", "at": {}, "value": {}, "rel_tol": {}}})", expect.empty() ? "" : ", ",
                            recipe.readings[i].quantity, recipe.readings[i].at, *values[i], recipe.tolerance);
  return fmt::format(
      R"({{"id": "{}.{}", "method": "{}", "data": "{}", "where": [{{"column": "trial", "is": "{}"}}], "roles": {}, "options": {}, "expect": [{}], "source": "random trial {}"}})",
      recipe.name, trial, recipe.method, data, trial, recipe.roles, recipe.options, expect, trial);
}

analysis::ReferenceCase reference_case(Recipe const& recipe, int trial) {
  const std::vector<std::optional<std::string>> nothing(recipe.readings.size(), "\"NE\"");
  auto cases = analysis::read_reference_cases("recipes", case_line(recipe, trial, "trials.csv", nothing));
  if (!cases) throw ContractViolation(fmt::format("recipe {}: {}", recipe.name, to_string(cases.error().front())));
  return std::move(cases->front());
}

TrialColumns::TrialColumns(std::string csv) {
  auto table = data::read_csv(std::move(csv), "trials.csv");
  if (!table) throw ContractViolation(to_string(table.error().front()));
  table_ = std::move(*table);
}

data::TypedColumn const* TrialColumns::column(stats::ColumnNeed const& need, Problems& problems) {
  const std::pair key(need.name, need.need);
  if (const auto known = columns_.find(key); known != columns_.end()) return &known->second;
  const std::size_t before = problems.size();
  data::TypedColumn made = data::read_column(
      table_, {.column = need.name, .kind = need.need == stats::Need::number ? data::Kind::number : data::Kind::code}, problems);
  return problems.size() == before ? &columns_.emplace(key, std::move(made)).first->second : nullptr;
}

Said TrialColumns::run(analysis::Analysis const& analysis) {
  auto method = analysis::ready_method(analysis);
  if (!method) {
    const bool carried = analysis::method_card(analysis.method) != nullptr;
    return {.refusal = std::move(method.error()), .carried = carried};
  }
  Problems problems;
  Schema schema;
  std::vector<ColumnView> views;
  for (stats::ColumnNeed const& need : analysis::columns_needed(analysis, *method)) {
    data::TypedColumn const* found = column(need, problems);
    if (!found) return {.refusal = std::move(problems)};
    const bool numeric = need.need == stats::Need::number;
    schema.push_back({need.name, numeric, found->levels});
    if (numeric) views.push_back({found->name, NumbersView(found->numbers)});
    else views.push_back({found->name, CategoriesView{found->codes, found->levels}});
  }
  const auto compiled = analysis::compile(analysis, std::move(*method), schema);
  if (!compiled) return {.refusal = compiled.error()};
  analysis::Workspace workspace;
  auto outcome = compiled->run({table_.rows(), views}, workspace);
  if (!outcome) return {.refusal = {outcome.error()}};
  return {.answer = std::move(outcome->answer)};
}

}  // namespace equipoise::property
