#include "equipoise/expression/flat.h"

#include <gmock/gmock.h>

#include <bit>
#include <cmath>
#include <deque>

#include "equipoise/expression/evaluate.h"
#include "equipoise/expression/random_text_test.h"
#include "equipoise/expression/small_trial_test.h"

namespace equipoise::expression::flat {
namespace {

using small_trial::Data;
using small_trial::Writer;
using testing::ElementsAre;

constexpr double na = missing_number;

/// The tables of a test as arrays: every form has rows of its own.
class Arrays final : public Resolver {
 public:
  Arrays(Data const& data, Graph& graph) : data_(data), graph_(graph) {}

  std::vector<std::string> post_baseline_visits() override { return data_.post_baseline_visits(); }
  Visit visit(std::string_view id) override {
    std::vector<double> attended;
    for (const std::uint8_t there : data_.attended(id)) attended.push_back(there);
    return {array("attended " + std::string(id), attended), array("day " + std::string(id), data_.visit_date(id).low)};
  }
  Variable variable(std::string_view name, std::optional<std::string_view> visit) override {
    if (const auto rule = data_.rules.find(name); rule != data_.rules.end()) {
      Problems problems;
      return {.rule = &rules_.emplace_back(*parse(rule->second, data_.names, {.at_visit = true}, {}, problems))};
    }
    return cells(std::string(name) + "@" + std::string(visit.value_or("")), data_.variable(name, visit), participants);
  }
  Form form(std::string_view id) override {
    const Space space = space_of(id);
    return {.space = space, .date = array("date " + std::string(id), data_.entries(id).date.low, space)};
  }
  Variable entry_item(std::string_view form, std::string_view item) override {
    return cells(std::string(form) + "/" + std::string(item), data_.entries(form).items.find(item)->second, space_of(form));
  }
  Node calendar_day(double day) override { return graph_.constant(day); }

  Rows rows() {
    pointers_.clear(), entries_.clear();
    for (std::vector<double> const& each : arrays_) pointers_.push_back(each.data());
    for (std::string const& form : spaces_) {
      std::vector<std::uint32_t>& who = who_.emplace_back();
      for (const std::size_t i : data_.entries(form).participant) who.push_back(std::uint32_t(i));
      entries_.push_back({who.size(), who.data()});
    }
    return {data_.participants(), pointers_, entries_};
  }

 private:
  Node array(std::string const& key, std::vector<double> const& values, Space space = participants) {
    const auto [found, fresh] = places_.try_emplace(key, std::uint32_t(arrays_.size()));
    if (fresh) arrays_.push_back(values);
    return graph_.input(found->second, space);
  }
  Variable cells(std::string const& key, Column const& column, Space space) {
    std::vector<double> values(column.size(), na);
    bool all_missing = true;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (column.missing(i)) continue;
      all_missing = false;
      values[i] = column.type == Type::truth  ? double(column.truth[i])
                  : column.type == Type::code ? double(column.code[i])
                  : column.type == Type::text ? 0.0
                                              : column.low[i];
    }
    std::vector<std::string> levels = column.levels;
    if (all_missing) return {.node = graph_.missing(space), .levels = std::move(levels)};
    return {.node = array(key, values, space), .levels = std::move(levels)};
  }
  Space space_of(std::string_view form) {
    const auto found = std::ranges::find(spaces_, form);
    if (found != spaces_.end()) return Space(found - spaces_.begin() + 1);
    spaces_.emplace_back(form);
    return Space(spaces_.size());
  }

  Data const& data_;
  Graph& graph_;
  std::map<std::string, std::uint32_t> places_;
  std::vector<std::vector<double>> arrays_;
  std::vector<std::string> spaces_;
  std::deque<Expression> rules_;
  std::deque<std::vector<std::uint32_t>> who_;
  std::vector<double const*> pointers_;
  std::vector<Rows::Entries> entries_;
};

Expression parsed(Data const& data, std::string_view text, bool at_visit) {
  Problems problems;
  const auto expression = parse(text, data.names, {.at_visit = at_visit}, {}, problems);
  if (!expression) throw std::runtime_error(std::string(text) + ": " + to_string(problems.at(0)));
  return *expression;
}

/// The number that stands for row i in a flat column.
double as_number(Column const& column, std::size_t i) {
  if (column.missing(i)) return na;
  return column.type == Type::truth  ? double(column.truth[i])
         : column.type == Type::code ? double(column.code[i])
                                     : column.low[i];
}

bool same_bits(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

/// One program of all the expressions at all the visits; empty when one cannot be put flat.
struct Flat {
  Graph graph;
  std::optional<std::string> why_not;
  std::vector<std::vector<double>> outputs;
};

Flat flat(Data const& data, std::vector<Expression> const& expressions,
          std::vector<std::optional<std::string_view>> const& visits, bool with_seen = false) {
  Flat made;
  Arrays arrays(data, made.graph);
  Compiler compiler(made.graph, arrays);
  std::vector<Node> outputs;
  for (Expression const& expression : expressions)
    for (auto const& visit : visits) {
      outputs.push_back(compiler.value(expression, visit).node);
      if (with_seen)
        for (const auto [truth, day] : compiler.seen(expression)) outputs.push_back(truth), outputs.push_back(day);
    }
  made.why_not = compiler.why_not();
  if (made.why_not) return made;
  const Program program = made.graph.program(outputs);
  Workspace workspace;
  program.run(arrays.rows(), workspace);
  for (std::size_t k = 0; k < outputs.size(); ++k)
    made.outputs.emplace_back(workspace.output(k), workspace.output(k) + data.participants());
  return made;
}

/// A trial of chance, with what breaks programs: missing cells, zeros, numbers at both ends, equal numbers, visits that did not
/// take place or have no date, participants without entries, entries without a date.
Data random_data(std::uint64_t seed, std::size_t participants) {
  std::mt19937_64 engine(seed);
  const auto below = [&](std::size_t n) { return std::size_t(engine() % n); };
  Data data(participants);
  const auto cell = [&](Type type, std::size_t levels) {
    constexpr double numbers[] = {0, 1, -1, 0.1, 100, 130, 130, 131.3, -2.5, 1e-300, 1e300, 3};
    if (type == Type::text || below(5) == 0) return na;
    if (type == Type::number) return numbers[below(std::size(numbers))];
    return type == Type::date ? double(18300 + below(60)) : double(below(type == Type::truth ? 2 : levels));
  };
  const auto column = [&](small_trial::Trial::Entry const& entry, std::size_t rows) {
    Column made = Column::of_missing(entry.variable.type, rows);
    made.levels = entry.variable.codes;
    for (std::size_t i = 0; i < rows; ++i) {
      const double value = cell(entry.variable.type, made.levels.size());
      if (std::isnan(value)) continue;
      if (made.type == Type::truth) made.truth[i] = std::uint8_t(value);
      else if (made.type == Type::code) made.code[i] = std::int32_t(value);
      else made.low[i] = value;
    }
    return made;
  };
  data.rules = {{"response_30", "cd4 >= 1.3 * cd4@baseline"}, {"cd4_change", "cd4 - cd4@baseline"}, {"ratio", "cd4 / cd8"}};
  for (small_trial::Trial::Entry const& entry : data.names.entries) {
    if (data.rules.contains(entry.name)) continue;
    if (!entry.variable.at_visit) data.cells[entry.name] = column(entry, participants);
    for (std::string const& visit : entry.visits) data.cells[entry.name + "@" + visit] = column(entry, participants);
  }
  for (std::string const& visit : data.names.visits) {
    std::vector<double> days;
    for (std::size_t i = 0; i < participants; ++i) {
      data.attendance[visit].push_back(below(4) > 0);
      days.push_back(below(8) > 0 ? double(18310 + below(40)) : na);
    }
    data.dates[visit] = Column::of_numbers(days, Type::moment);
  }
  for (std::string const& form : data.names.forms) {
    Entries entries;
    for (std::size_t i = 0; i < participants; ++i)
      for (std::size_t k = below(4); k-- > 0;) entries.participant.push_back(i);
    const std::size_t rows = entries.participant.size();
    entries.date = column({"date", {Type::date}, {}}, rows);
    for (small_trial::Trial::Entry const& entry : data.names.entries)
      if (entry.variable.form == form) entries.items.emplace(entry.name, column(entry, rows));
    data.filled[form] = std::move(entries);
  }
  return data;
}

TEST(Flat, GivesWhatEvaluateGivesOfRandomExpressionsAndData) {
  Writer writer(31);
  const std::vector<std::string> visits{"screening", "baseline", "w4", "w8", "w12"};
  const std::vector<std::optional<std::string_view>> at(visits.begin(), visits.end());
  std::size_t known = 0, unknown = 0, true_ones = 0;
  for (int trial = 0; trial < 150; ++trial) {
    const Data data = random_data(std::uint64_t(trial), std::size_t(trial % 9));
    std::vector<Expression> expressions;
    for (int k = 0; k < 12; ++k) {
      const int depth = k % 4;
      const std::string text = k % 3 == 0 ? writer.number(depth) : k % 3 == 1 ? writer.day(depth) : writer.truth(depth);
      if (text.size() <= longest_text) expressions.push_back(parsed(data, text, true));
    }
    const Flat found = flat(data, expressions, at);
    ASSERT_FALSE(found.why_not) << *found.why_not;
    for (std::size_t e = 0, k = 0; e < expressions.size(); ++e)
      for (std::size_t v = 0; v < visits.size(); ++v, ++k) {
        const Column plain = evaluate(expressions[e], data, visits[v]);
        for (std::size_t i = 0; i < data.participants(); ++i) {
          const double wanted = as_number(plain, i), got = found.outputs[k][i];
          ASSERT_TRUE(same_bits(wanted, got)) << expressions[e].text() << "\nat " << visits[v] << ", row " << i << ": " << wanted
                                              << " and " << got << ", trial " << trial;
          std::isnan(wanted) ? ++unknown : ++known;
          true_ones += plain.type == Type::truth && wanted == 1;
        }
      }
  }
  EXPECT_GT(known, 10000u);  // the comparison saw numbers, missing ones, and truths of every kind
  EXPECT_GT(unknown, 10000u);
  EXPECT_GT(true_ones, 1000u);
}

TEST(Flat, FindsTheMomentsThatEvaluateMomentsFinds) {
  Writer writer(5);
  std::size_t dated = 0, seen = 0;
  for (int trial = 0; trial < 300; ++trial) {
    const Data data = random_data(std::uint64_t(1000 + trial), 7);
    const std::string inside = trial % 3 == 0   ? "response_30"
                               : trial % 3 == 1 ? "confirmed(response_30 or cd4 > 100, " + std::to_string(trial % 4 + 1) + ")"
                                                : "(" + writer.truth(trial % 4) + ") == (cd4 > 1)";
    const Expression expression = parsed(data, "first(" + inside + ")", false);
    const Flat found = flat(data, {expression}, {std::nullopt}, true);
    ASSERT_FALSE(found.why_not) << *found.why_not;
    const std::vector<Occurrences> plain = evaluate_moments(expression, data);
    for (std::size_t i = 0; i < data.participants(); ++i) {
      const double wanted = plain[i].dates.empty() ? na : plain[i].dates.front().earliest;
      ASSERT_TRUE(same_bits(wanted, found.outputs[0][i])) << expression.text();
      std::vector<double> without;
      for (std::size_t v = 1; v < found.outputs.size() && found.outputs[v][i] != 1; v += 2)
        if (found.outputs[v][i] == 0 && !std::isnan(found.outputs[v + 1][i])) without.push_back(found.outputs[v + 1][i]);
      ASSERT_EQ(without, plain[i].without) << expression.text();
      dated += !std::isnan(wanted), seen += without.size();
    }
  }
  EXPECT_GT(dated, 500u);
  EXPECT_GT(seen, 500u);
}

std::vector<double> numbers(Data const& data, std::string_view text, std::optional<std::string_view> visit = {}) {
  Flat found = flat(data, {parsed(data, text, visit.has_value())}, {visit});
  EXPECT_FALSE(found.why_not) << *found.why_not;
  for (double& number : found.outputs.at(0))
    if (std::isnan(number)) number = -999;
  return found.outputs.at(0);
}

/// Four participants at three visits after baseline, on days 1028, 1056, 1084; the fourth misses the second.
Data four() {
  Data data(4);
  const auto cd4 = [](std::vector<double> values) { return Column::of_numbers(std::move(values)); };
  data.cells["cd4@baseline"] = cd4({100, 200, na, 100});
  data.cells["cd4@w4"] = cd4({120, na, 150, 140});
  data.cells["cd4@w8"] = cd4({140, 280, na, 90});
  data.cells["cd4@w12"] = cd4({150, 220, na, 150});
  data.cells["cd8@w4"] = cd4({600, 700, 0, 700});
  data.attendance["w8"] = {1, 1, 1, 0};
  data.rules["response_30"] = "cd4 >= 1.3 * cd4@baseline";
  data.rules["cd4_change"] = "cd4 - cd4@baseline";
  data.rules["ratio"] = "cd4 / cd8";
  return data;
}

TEST(Flat, WorksOutHandCases) {
  const Data data = four();
  constexpr double none = -999;
  EXPECT_THAT(numbers(data, "cd4_change", "w4"), ElementsAre(20, none, none, 40));
  EXPECT_THAT(numbers(data, "ratio", "w4"), ElementsAre(0.2, none, none, 0.2));  // 150 / 0 is missing
  EXPECT_THAT(numbers(data, "response_30", "w8"), ElementsAre(1, 1, none, 0));   // read also where the visit was missed
  EXPECT_THAT(numbers(data, "first(response_30)"), ElementsAre(1056, 1056, none, 1028));
  EXPECT_THAT(numbers(data, "first(cd4 < 100)"), ElementsAre(none, none, none, none));  // 90 at a visit that did not take place
  EXPECT_THAT(numbers(data, "confirmed(response_30, 2)", "w4"), ElementsAre(0, none, none, 1));  // w12 confirms w4: w8 is skipped
  EXPECT_THAT(numbers(data, "confirmed(response_30, 2)", "w12"), ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(numbers(data, "mean(cd4)"), ElementsAre(410.0 / 3, 250, 150, 145));
  EXPECT_THAT(numbers(data, "min(cd4) + max(cd4)"), ElementsAre(270, 500, 300, 290));
  EXPECT_THAT(numbers(data, "first(cd4) - last(cd4)"), ElementsAre(-30, 60, 0, -10));
  EXPECT_THAT(numbers(data, "days(first(response_30), first(cd4 > 145))"), ElementsAre(28, 0, none, 56));
  EXPECT_THAT(numbers(data, "missing(cd4@baseline) or cd4@baseline > 100"), ElementsAre(0, 1, 1, 0));
  EXPECT_THAT(numbers(data, "log(cd4@baseline - 100)"), ElementsAre(none, std::log(100.0), none, none));
  EXPECT_THAT(numbers(data, "comment == 'x' or 'y' == 'y'", "w4"), ElementsAre(1, 1, 1, 1));  // texts are missing
}

TEST(Flat, SaysWhatItCannotCompile) {
  Data data = four();
  EXPECT_EQ(flat(data, {parsed(data, "every(response_30)", false)}, {std::nullopt}).why_not,
            "every(...) gives several dates a participant");
  data.cells["comment@w4"] = Column::of_texts({"x", {}, {}, {}});
  EXPECT_EQ(flat(data, {parsed(data, "comment == 'x'", true)}, {"w4"}).why_not, "'comment' is a text");
}

TEST(Flat, ComputesTheSameThingOnce) {
  const Data data = four();
  Graph graph;
  Arrays arrays(data, graph);
  Compiler compiler(graph, arrays);
  std::vector<Node> outputs{compiler.value(parsed(data, "first(response_30)", false)).node};
  // 1.3 * baseline once; at three visits a comparison and a choice of days; the second is missed by some, and reads no cell for
  // it
  const std::size_t alone = graph.program(outputs).steps();
  outputs.push_back(compiler.value(parsed(data, "missing(first(cd4 >= 1.3 * cd4@baseline))", false)).node);
  EXPECT_EQ(graph.program(outputs).steps(), alone + 1);
}

TEST(Flat, KnowsWhatAValueCannotDoWithout) {
  Graph graph;
  const Node x = graph.input(0), y = graph.input(1), z = graph.input(2);
  const Node sum = graph.add(Op::add, {x, y}), either = graph.add(Op::either, {x, y}), first = graph.add(Op::coalesce, {sum, x});
  const Node chosen = graph.add(Op::select, {z, sum, y}), masked = graph.add(Op::select, {z, x, graph.missing()});
  EXPECT_TRUE(graph.needs(sum, x) && graph.needs(sum, y) && graph.needs(first, x) && graph.needs(masked, x));
  EXPECT_FALSE(graph.needs(either, x) || graph.needs(first, y) || graph.needs(chosen, x) || graph.needs(chosen, z));
  EXPECT_TRUE(graph.needs(chosen, y));
  const Node some = graph.add(Op::any_known, {y, z});
  EXPECT_TRUE(graph.implies(sum, some));
  EXPECT_FALSE(graph.implies(x, some) || graph.implies(either, some));
}

TEST(Flat, UsesItsMemoryAgain) {
  const Data data = random_data(3, 50);
  Graph graph;
  Arrays arrays(data, graph);
  Compiler compiler(graph, arrays);
  const Node node = compiler.value(parsed(data, "first(confirmed(response_30, 2)) > first(adverse_event, serious)", false)).node;
  const Program program = graph.program({node});
  Workspace workspace;
  const Rows rows = arrays.rows();
  program.run(rows, workspace);
  const std::vector<double> before(workspace.output(0), workspace.output(0) + 50);
  double const* place = workspace.output(0);
  program.run(rows, workspace);
  EXPECT_EQ(workspace.output(0), place);
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_TRUE(same_bits(before[i], workspace.output(0)[i]));
}

}  // namespace
}  // namespace equipoise::expression::flat
