#include "equipoise/analysis/verify.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "equipoise/analysis/compile.h"
#include "equipoise/analysis/reference_case.h"
#include "equipoise/data/formats/csv.h"

namespace equipoise::analysis {
namespace {

using stats::ColumnNeed;
using stats::Need;

/// A data file of cases: cells as text, and the typed columns that cases have asked for.
class CaseData {
 public:
  explicit CaseData(data::CellTable table) : table_(std::move(table)) {}

  std::size_t rows() const { return table_.rows(); }

  /// The column as numbers, or as a category of its exact cell texts with the levels sorted by bytes. Kept; nothing after a
  /// problem.
  data::TypedColumn const* column(ColumnNeed const& need, Problems& problems) {
    const std::pair key(need.name, need.need);
    if (const auto known = columns_.find(key); known != columns_.end()) return &known->second;
    const std::size_t before = problems.size();
    data::TypedColumn made = data::read_column(
        table_, {.column = need.name, .kind = need.need == Need::number ? data::Kind::number : data::Kind::code}, problems);
    if (problems.size() != before) return nullptr;
    return &columns_.emplace(key, std::move(made)).first->second;
  }

 private:
  data::CellTable table_;
  std::map<std::pair<std::string, Need>, data::TypedColumn> columns_;
};

/// Why a case gave no answer.
struct NoAnswer {
  Status status;
  std::string reason;
};

NoAnswer because_of(Problems const& problems) {
  const auto is_unknown = [](Error const& error) {
    return error.code == Code::unknown_key || error.code == Code::unknown_keyword;
  };
  const auto is_absent = [](Error const& error) { return error.code == Code::not_available; };
  if (const auto unknown = std::ranges::find_if(problems, is_unknown); unknown != problems.end())
    return {Status::unsupported, unknown->message};
  if (const auto other = std::ranges::find_if_not(problems, is_absent); other != problems.end())
    return {Status::failed, to_string(*other)};
  return {Status::not_available, problems.front().message};
}

class Verifier {
 public:
  Verifier(DataFiles const& files) : files_(files) {}

  void run(ReferenceCase const& one) {
    Checked<ReadyMethod> method = ready_method(one.analysis);
    if (!method) return none(one, because_of(method.error()));
    CaseData* data = nullptr;
    if (one.data && !(data = open(*one.data, one.analysis.place))) return;  // reported: there will be no Verification

    Problems lacking;
    Schema schema;
    std::vector<ColumnView> views;
    for (ColumnNeed const& need : columns_needed(one.analysis, *method)) {
      if (!data) {
        add_problem(lacking, one.analysis.place, Code::missing_column, "case '{}' has no data, and needs column '{}'",
                    one.analysis.id, need.name);
        continue;
      }
      data::TypedColumn const* column = data->column(need, lacking);
      if (!column) continue;
      const bool numeric = need.need == Need::number;
      schema.push_back({need.name, numeric, column->levels});
      if (numeric) views.push_back({column->name, NumbersView(column->numbers)});
      else views.push_back({column->name, CategoriesView{column->codes, column->levels}});
    }
    if (!lacking.empty()) return none(one, because_of(lacking));
    stats::MethodCard const& card = *method->card;
    const Checked<CompiledAnalysis> compiled = compile(one.analysis, std::move(*method), schema);
    if (!compiled) return none(one, because_of(compiled.error()));
    const Expected<Outcome> outcome = compiled->run({data ? data->rows() : 0, views}, workspace_);
    if (!outcome) return none(one, because_of({outcome.error()}));
    for (ExpectedValue const& expected : one.expect) compare(one, card, expected, outcome->answer);
  }

  Problems problems;
  std::vector<CheckedValue> values;

 private:
  CaseData* open(std::string const& name, Place const& place) {
    if (const auto known = data_.find(name); known != data_.end()) return known->second ? &*known->second : nullptr;
    std::optional<CaseData>& slot = data_[name];
    Expected<std::string> bytes = files_(name);
    if (!bytes) {
      add_problem(problems, place, bytes.error().code, "the data file '{}' cannot be read: {}", name, bytes.error().message);
      return nullptr;
    }
    Checked<data::CellTable> table = data::read_csv(std::move(*bytes), name);
    if (!table) {
      for (Error const& error : table.error()) add_problem(problems, place, error.code, "{}", to_string(error));
      return nullptr;
    }
    return &slot.emplace(std::move(*table));
  }

  static CheckedValue value_of(ReferenceCase const& one, ExpectedValue const& expected) {
    return {.analysis = one.analysis.id,
            .id = expected.id,
            .method = one.analysis.method,
            .quantity = expected.quantity,
            .at = expected.at_text,
            .expected = expected.value,
            .rel_tol = expected.rel_tol};
  }

  void none(ReferenceCase const& one, NoAnswer const& why) {
    for (ExpectedValue const& expected : one.expect) {
      CheckedValue value = value_of(one, expected);
      value.status = why.status;
      value.reason = why.reason;
      values.push_back(std::move(value));
    }
  }

  void compare(ReferenceCase const& one, stats::MethodCard const& card, ExpectedValue const& expected,
               stats::Answer const& answer) {
    CheckedValue& value = values.emplace_back(value_of(one, expected));
    const auto settle = [&](Status status, std::string reason) { value.status = status, value.reason = std::move(reason); };
    if (std::ranges::find(card.quantities, expected.quantity) == card.quantities.end())
      return settle(Status::unsupported, fmt::format("{} has no quantity '{}'", card.keyword, expected.quantity));
    if (!expected.at_problem.empty()) return settle(Status::unsupported, expected.at_problem);
    value.got = answer.read(expected.quantity, expected.at);
    if (!value.got) return settle(Status::failed, fmt::format("{} gave no '{}' there", card.keyword, expected.quantity));
    if (std::isnan(expected.value) || std::isnan(*value.got)) {
      if (std::isnan(expected.value) && std::isnan(*value.got)) return settle(Status::passed, {});
      return settle(Status::failed,
                    std::isnan(expected.value) ? "a number where none is estimable" : "not estimable where a number is expected");
    }
    const double difference = std::abs(*value.got - expected.value), scale = std::max(std::abs(expected.value), 1e-8);
    value.error = difference / scale;
    if (difference <= expected.rel_tol * scale) return settle(Status::passed, {});
    settle(Status::failed, "another number");
  }

  DataFiles const& files_;
  std::map<std::string, std::optional<CaseData>> data_;
  Workspace workspace_;
};

void count(MethodTally& tally, CheckedValue const& value) {
  ++tally.values;
  switch (value.status) {
    case Status::passed:
      ++tally.passed;
      break;
    case Status::failed:
      ++tally.failed;
      break;
    case Status::not_available:
      ++tally.not_available;
      break;
    case Status::unsupported:
      ++tally.unsupported;
      break;
  }
  if (value.error) tally.largest_error = std::max(tally.largest_error, *value.error);
}

std::string number_text(std::optional<double> value) { return !value ? "nothing" : std::isnan(*value) ? "NE" : shortest(*value); }

Node number_node(double value) {
  return std::isfinite(value) ? Node(value) : Node(std::isnan(value) ? std::string("NE") : shortest(value));
}

void add(Node::Table& table, std::string key, Node value) { table.push_back({std::move(key), {}, std::move(value)}); }

}  // namespace

std::string_view phrase(Status status) {
  constexpr std::string_view phrases[] = {"passed", "failed", "not available", "unsupported"};
  return phrases[std::size_t(status)];
}

MethodTally Verification::total() const {
  MethodTally sum{.method = "total"};
  for (CheckedValue const& value : values) count(sum, value);
  return sum;
}

bool Verification::reproduced() const {
  const MethodTally sum = total();
  return sum.passed > 0 && sum.failed == 0 && sum.unsupported == 0;
}

Checked<Verification> verify(std::string_view file_name, std::string_view jsonl, DataFiles const& data) {
  Checked<std::vector<ReferenceCase>> cases = read_reference_cases(file_name, jsonl);
  if (!cases) return fail(std::move(cases.error()));
  Verifier verifier(data);
  for (ReferenceCase const& one : *cases) verifier.run(one);
  if (!verifier.problems.empty()) {
    sort_in_file_order(verifier.problems);
    return fail(std::move(verifier.problems));
  }
  Verification made{.file = std::string(file_name), .values = std::move(verifier.values), .methods = {}};
  for (CheckedValue const& value : made.values) {
    auto tally = std::ranges::find(made.methods, value.method, &MethodTally::method);
    if (tally == made.methods.end()) tally = made.methods.insert(tally, {.method = value.method});
    count(*tally, value);
  }
  return made;
}

std::string to_text(Verification const& verification, std::size_t shown) {
  std::vector<MethodTally> tallies = verification.methods;
  tallies.push_back(verification.total());
  std::size_t width = std::string_view("method").size();
  for (MethodTally const& tally : tallies) width = std::max(width, tally.method.size());
  std::string out = fmt::format("{:<{}}  {:>6}  {:>6}  {:>6}  {:>13}  {:>11}  {:>13}\n", "method", width, "values", "passed",
                                "failed", "not available", "unsupported", "largest error");
  for (MethodTally const& tally : tallies) {
    const bool compared = std::ranges::any_of(verification.values, [&](CheckedValue const& value) {
      return value.error && (tally.method == "total" || value.method == tally.method);
    });
    out += fmt::format("{:<{}}  {:>6}  {:>6}  {:>6}  {:>13}  {:>11}  {:>13}\n", tally.method, width, tally.values, tally.passed,
                       tally.failed, tally.not_available, tally.unsupported,
                       compared ? fmt::format("{:.1e}", tally.largest_error) : "-");
  }
  for (const Status status : {Status::failed, Status::unsupported, Status::not_available}) {
    std::size_t found = 0;
    for (CheckedValue const& value : verification.values) {
      if (value.status != status || ++found > shown) continue;
      if (found == 1) out += fmt::format("\n{}\n", phrase(status));
      out += fmt::format("  {} {}{}: ", value.analysis, value.quantity, value.at.empty() ? "" : " " + value.at);
      out += value.error ? fmt::format("{}, expected {} within {}: relative error {:.1e}\n", number_text(value.got),
                                       number_text(value.expected), shortest(value.rel_tol), *value.error)
                         : fmt::format("{}\n", value.reason);
    }
    if (found > shown) out += fmt::format("  and {} more\n", found - shown);
  }
  return out;
}

std::string to_json(Verification const& verification) {
  Node::Array methods, values;
  for (MethodTally const& tally : verification.methods) {
    Node::Table one;
    add(one, "method", Node(tally.method));
    for (auto const& [key, n] :
         {std::pair("values", tally.values), std::pair("passed", tally.passed), std::pair("failed", tally.failed),
          std::pair("not_available", tally.not_available), std::pair("unsupported", tally.unsupported)})
      add(one, key, Node(std::int64_t(n)));
    add(one, "largest_error", number_node(tally.largest_error));
    methods.emplace_back(std::move(one));
  }
  for (CheckedValue const& value : verification.values) {
    Node::Table one;
    for (auto const& [key, text] :
         {std::pair("case", &value.analysis), std::pair("id", &value.id), std::pair("method", &value.method),
          std::pair("quantity", &value.quantity), std::pair("at", &value.at), std::pair("reason", &value.reason)})
      if (!text->empty()) add(one, key, Node(*text));
    std::string status(phrase(value.status));
    std::ranges::replace(status, ' ', '_');
    add(one, "status", Node(std::move(status)));
    add(one, "expected", number_node(value.expected));
    add(one, "rel_tol", number_node(value.rel_tol));
    if (value.got) add(one, "got", number_node(*value.got));
    if (value.error) add(one, "error", number_node(*value.error));
    values.emplace_back(std::move(one));
  }
  Node::Table whole;
  add(whole, "file", Node(verification.file));
  add(whole, "methods", Node(std::move(methods)));
  add(whole, "values", Node(std::move(values)));
  return canonical(Node(std::move(whole)));
}

}  // namespace equipoise::analysis
