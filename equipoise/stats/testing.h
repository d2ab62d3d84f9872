#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "equipoise/stats/method.h"

/// Frames, options and answers in the words of a test. Only tests include this.
namespace equipoise::stats::testing {

/// Columns that outlive the frames over them.
class Table {
 public:
  Table& numbers(std::string name, std::vector<double> values) {
    rows_ = values.size();
    Column& column = columns_.emplace_back(Column{std::move(name), std::move(values), {}, {}});
    frame_.columns.push_back({column.name, NumbersView(column.values)});
    return *this;
  }
  Table& category(std::string name, std::vector<std::string> levels, std::vector<std::int32_t> codes) {
    rows_ = codes.size();
    Column& column = columns_.emplace_back(Column{std::move(name), {}, std::move(levels), std::move(codes)});
    frame_.columns.push_back({column.name, CategoriesView{column.codes, column.levels}});
    return *this;
  }
  Frame const& frame() {
    frame_.rows = rows_;
    return frame_;
  }

 private:
  struct Column {
    std::string name;
    std::vector<double> values;
    std::vector<std::string> levels;
    std::vector<std::int32_t> codes;
  };
  std::deque<Column> columns_;
  Frame frame_;
  std::size_t rows_ = 0;
};

inline Node text(std::string value) { return Node(Node::Value(std::move(value))); }
inline Node number(double value) { return Node(Node::Value(value)); }
inline Node numbers(std::vector<double> const& values) {
  Node::Array array;
  for (const double value : values) array.push_back(number(value));
  return Node(Node::Value(std::move(array)));
}
inline Node texts(std::vector<std::string> const& values) {
  Node::Array array;
  for (std::string const& value : values) array.push_back(text(value));
  return Node(Node::Value(std::move(array)));
}
using Keys = std::vector<std::pair<std::string, Node>>;
inline Node table(Keys const& keys) {
  Node::Table members;
  for (auto const& [key, value] : keys) members.push_back({key, {}, value});
  return Node(Node::Value(std::move(members)));
}
inline Node difference(std::string level, std::string minus) {
  return table({{"level", text(std::move(level))}, {"minus", text(std::move(minus))}});
}

template <class M>
struct Parsed {
  std::optional<M> method;
  Problems problems;
};

template <class M>
Parsed<M> parse(Roles const& roles, Keys const& keys = {}, Match match = Match::equipoise) {
  const Node node = table(keys);
  Parsed<M> parsed;
  Section options(node, "the test", parsed.problems);
  parsed.method = M::parse(roles, options, match);
  options.finish();
  return parsed;
}

/// The answer of a method whose options are right.
template <class M>
Expected<Answer> answer(Frame const& frame, Roles const& roles, Keys const& keys = {}, Match match = Match::equipoise) {
  const Parsed<M> parsed = parse<M>(roles, keys, match);
  if (!parsed.method || !parsed.problems.empty())
    return tl::unexpected(parsed.problems.empty() ? Error{Code::failure, "no method and no problem", {}, {}}
                                                  : parsed.problems.front());
  return parsed.method->run(frame);
}

/// The number at a place; a test fails when there is none.
inline double read(Expected<Answer> const& answer, std::string_view quantity, At const& at = {}) {
  if (!answer) {
    ADD_FAILURE() << answer.error().message;
    return 0;
  }
  const auto got = answer->read(quantity, at);
  if (!got) ADD_FAILURE() << "no " << quantity;
  return got.value_or(0);
}

inline bool has_note(Expected<Answer> const& answer, std::string_view part) {
  if (!answer) return false;
  for (std::string const& note : answer->notes)
    if (note.find(part) != std::string::npos) return true;
  return false;
}

inline At term(std::string column) { return {{"term", Term{{std::move(column), {}}}}}; }
inline At term(std::string column, std::string level) { return {{"term", Term{{std::move(column), std::move(level)}}}}; }

// 6-mercaptopurine and placebo, 21 patients each, weeks in remission: Freireich et al. (1963), Blood 21, 699-716, as tabulated by
// Gehan (1965), Biometrika 52, 203-223.
inline Table leukaemia() {
  std::vector<double> event(9, 1.0);
  event.resize(21, 0.0);
  event.resize(42, 1.0);
  std::vector<std::int32_t> arm(21, 0);
  arm.resize(42, 1);
  Table table;
  table
      .numbers("time", {6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35,
                        1, 1, 2, 2, 3,  4,  4,  5,  5,  8, 8, 8,  8,  11, 11, 12, 12, 15, 17, 22, 23})
      .numbers("event", event)
      .category("arm", {"6-MP", "placebo"}, arm);
  return table;
}

}  // namespace equipoise::stats::testing
