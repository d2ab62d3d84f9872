#include "equipoise/expression/flat_program.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "equipoise/core/expected.h"

namespace equipoise::expression::flat {
namespace {

constexpr double largest = std::numeric_limits<double>::max();

double finite(double value) { return std::fabs(value) <= largest ? value : missing_number; }

template <class F>
void each(double* __restrict out, double const* x, std::size_t rows, F const& f) {
  for (std::size_t i = 0; i < rows; ++i) out[i] = f(x[i]);
}
template <class F>
void each(double* __restrict out, double const* x, double const* y, std::size_t rows, F const& f) {
  for (std::size_t i = 0; i < rows; ++i) out[i] = f(x[i], y[i]);
}
template <class F>
void each(double* __restrict out, double const* x, double const* y, double const* z, std::size_t rows, F const& f) {
  for (std::size_t i = 0; i < rows; ++i) out[i] = f(x[i], y[i], z[i]);
}
template <class F>
void compared(double* __restrict out, double const* x, double const* y, std::size_t rows, F const& f) {
  each(out, x, y, rows, [&](double a, double b) {
    const double known = f(a, b) ? 1.0 : 0.0;
    return (a != a) | (b != b) ? missing_number : known;
  });
}

bool known(double x) { return x == x; }

void any_known(double* __restrict out, std::span<double const* const> in, std::size_t rows) {
  std::fill_n(out, rows, 0.0);
  for (double const* x : in)
    for (std::size_t i = 0; i < rows; ++i) out[i] = x[i] == x[i] ? 1.0 : out[i];
}

/// Operations of one space.
void apply(Op op, double* out, std::span<double const* const> in, std::size_t rows) {
  double const *x = in[0], *y = in.size() > 1 ? in[1] : nullptr, *z = in.size() > 2 ? in[2] : nullptr;
  switch (op) {
    case Op::add:
      return each(out, x, y, rows, [](double a, double b) { return finite(a + b); });
    case Op::subtract:
      return each(out, x, y, rows, [](double a, double b) { return finite(a - b); });
    case Op::multiply:
      return each(out, x, y, rows, [](double a, double b) { return finite(a * b); });
    case Op::divide:
      return each(out, x, y, rows, [](double a, double b) { return finite(a / b); });
    case Op::negate:
      return each(out, x, rows, [](double a) { return -a; });
    case Op::log:
      return each(out, x, rows, [](double a) { return a > 0 ? std::log(a) : missing_number; });
    case Op::equal:
      return compared(out, x, y, rows, [](double a, double b) { return a == b; });
    case Op::less:
      return compared(out, x, y, rows, [](double a, double b) { return a < b; });
    case Op::less_equal:
      return compared(out, x, y, rows, [](double a, double b) { return a <= b; });
    case Op::both:
      return each(out, x, y, rows, [](double a, double b) { return (a == 0) | (b == 0) ? 0.0 : a * b; });
    case Op::either:
      return each(out, x, y, rows, [](double a, double b) { return (a == 1) | (b == 1) ? 1.0 : a + b; });
    case Op::negation:
      return each(out, x, rows, [](double a) { return 1 - a; });
    case Op::missing:
      return each(out, x, rows, [](double a) { return a != a ? 1.0 : 0.0; });
    case Op::any_known:
      return any_known(out, in, rows);
    case Op::coalesce:
      return each(out, x, y, rows, [](double a, double b) { return a == a ? a : b; });
    case Op::select:
      return each(out, x, y, z, rows, [](double a, double b, double c) { return a == 1 ? b : c; });
    case Op::smaller:
      return each(out, x, y, rows, [](double a, double b) { return !known(a) ? b : known(b) ? std::fmin(a, b) : a; });
    case Op::larger:
      return each(out, x, y, rows, [](double a, double b) { return !known(a) ? b : known(b) ? -std::fmin(-a, -b) : a; });
    case Op::accumulate:
      return each(out, x, y, z, rows, [](double a, double b, double n) { return !known(b) ? a : n == 0 ? b : finite(a + b); });
    default:
      expects(false, "an operation of one space");
  }
}

/// Of entries to participants.
void apply_back(Op op, double* out, std::span<double const* const> in, std::size_t people, Rows::Entries const& entries) {
  std::fill_n(out, people, op == Op::earliest_of ? missing_number : 0.0);
  for (std::size_t k = 0; k < entries.rows; ++k) {
    double& own = out[entries.participant[k]];
    const double truth = in[0][k];
    if (op == Op::any_of) own = own == 1 || truth == 1 ? 1.0 : own + truth;
    else if (op == Op::count_of) own += truth;
    else if (truth == 1 && known(in[1][k])) own = known(own) ? std::fmin(own, in[1][k]) : in[1][k];
  }
}

bool strict(Op op) {
  return (op >= Op::add && op <= Op::less_equal) || op == Op::negation || op == Op::remap || op == Op::gather;
}

}  // namespace

// ---- Running ---------------------------------------------------------------------------------------------------------

bool Program::reads_array(std::uint32_t array) const {
  const auto is = [&](Place const& place) { return place.array && place.index == array; };
  return std::ranges::any_of(operands_, is) || std::ranges::any_of(outputs_, is);
}

bool Program::uses(Space space) const {
  const auto is = [&](Place const& place) { return place.space == space; };
  return std::ranges::any_of(operands_, is) || std::ranges::any_of(outputs_, is) || std::ranges::any_of(steps_, is, &Step::out) ||
         std::ranges::any_of(constants_, is, &Constant::out);
}

void Program::run(Rows const& rows, Workspace& workspace) const {
  const auto size_of = [&](Space space) { return space == participants ? rows.participants : rows.entries[space - 1].rows; };
  expects(rows.entries.size() + 1 >= slots_.size(), "a run gives the entries of every form");
  workspace.memory_.resize(std::max(workspace.memory_.size(), slots_.size()));
  for (Space space = 0; space < slots_.size(); ++space)
    if (const std::size_t wanted = slots_[space] * size_of(space); workspace.memory_[space].size() < wanted)
      workspace.memory_[space].resize(wanted);
  const auto slot = [&](Place const& place) {
    return workspace.memory_[place.space].data() + place.index * size_of(place.space);
  };
  const auto column = [&](Place const& place) -> double const* { return place.array ? rows.arrays[place.index] : slot(place); };
  for (Constant const& one : constants_) std::fill_n(slot(one.out), size_of(one.out.space), one.value);
  std::vector<double const*>& in = workspace.operands_;
  in.resize(most_operands_);
  for (Step const& step : steps_) {
    const std::size_t count = step.count;
    for (std::size_t k = 0; k < count; ++k) in[k] = column(operands_[step.first + k]);
    const std::span<double const* const> operands(in.data(), count);
    double* out = slot(step.out);
    const std::size_t size = size_of(step.out.space);
    if (step.op == Op::gather) {
      std::uint32_t const* who = rows.entries[step.out.space - 1].participant;
      for (std::size_t k = 0; k < size; ++k) out[k] = in[0][who[k]];
    } else if (step.op == Op::remap) {
      std::vector<double> const& table = tables_[step.table];
      for (std::size_t i = 0; i < size; ++i) out[i] = known(in[0][i]) ? table[std::size_t(in[0][i])] : missing_number;
    } else if (step.op >= Op::any_of) {
      const Space from = operands_[step.first].space;
      apply_back(step.op, out, operands, size, rows.entries[from - 1]);
    } else {
      apply(step.op, out, operands, size);
    }
  }
  workspace.outputs_.clear();
  for (Place const& place : outputs_) workspace.outputs_.push_back(column(place));
}

// ---- Putting together ------------------------------------------------------------------------------------------------

Node Graph::node_of(Operation operation) {
  const auto [found, fresh] = known_.try_emplace(std::move(operation), Node(nodes_.size()));
  if (fresh) nodes_.push_back(found->first);
  return found->second;
}

Node Graph::input(std::uint32_t array, Space space) { return node_of({Op::input, space, {}, array}); }

Node Graph::constant(double value, Space space) {
  return node_of({Op::constant, space, {}, std::bit_cast<std::uint64_t>(std::isnan(value) ? missing_number : value)});
}

Node Graph::gather(Node x, Space space) {
  if (const auto value = constant_value(x)) return constant(*value, space);
  return node_of({Op::gather, space, {x}, 0});
}

Node Graph::back(Op op, std::vector<Node> operands) { return node_of({op, participants, std::move(operands), 0}); }

Node Graph::remap(Node x, std::vector<double> table) {
  if (const auto value = constant_value(x))
    return constant(std::isnan(*value) ? *value : table[std::size_t(*value)], nodes_[x].space);
  const auto place = std::ranges::find(tables_, table) - tables_.begin();
  if (std::size_t(place) == tables_.size()) tables_.push_back(std::move(table));
  return node_of({Op::remap, nodes_[x].space, {x}, std::uint64_t(place)});
}

std::optional<double> Graph::constant_value(Node node) const {
  Operation const& operation = nodes_[node];
  if (operation.op != Op::constant) return {};
  return std::bit_cast<double>(operation.detail);
}

bool Graph::always_missing(Node node) const {
  const auto value = constant_value(node);
  return value && std::isnan(*value);
}

/// What an operation comes to when an operand alone decides.
std::optional<Node> Graph::simpler(Operation const& operation) {
  std::vector<Node> const& of = operation.operands;
  if (strict(operation.op) && std::ranges::any_of(of, [&](Node x) { return always_missing(x); })) return missing(operation.space);
  switch (operation.op) {
    case Op::both:
    case Op::either: {
      const double decides = operation.op == Op::both ? 0 : 1;
      if (is(of[0], decides) || is(of[1], decides)) return constant(decides, operation.space);
      if (is(of[0], 1 - decides) || of[0] == of[1]) return of[1];
      if (is(of[1], 1 - decides)) return of[0];
      break;
    }
    case Op::coalesce:
      if (always_missing(of[0])) return of[1];
      if (always_missing(of[1]) || constant_value(of[0]) || of[0] == of[1]) return of[0];
      break;
    case Op::select:
      if (constant_value(of[0])) return is(of[0], 1) ? of[1] : of[2];
      if (of[1] == of[2]) return of[1];
      break;
    case Op::smaller:
    case Op::larger:
      if (always_missing(of[0])) return of[1];
      if (always_missing(of[1])) return of[0];
      break;
    case Op::accumulate:
      if (always_missing(of[1])) return of[0];
      if (is(of[2], 0)) return always_missing(of[0]) ? of[1] : node_of({Op::coalesce, operation.space, {of[1], of[0]}, 0});
      break;
    default:
      break;
  }
  return {};
}

Node Graph::add(Op op, std::vector<Node> operands) {
  if (op == Op::any_known) {
    if (std::ranges::any_of(operands, [&](Node x) { return constant_value(x) && !always_missing(x); })) return constant(1);
    std::erase_if(operands, [&](Node x) { return always_missing(x); });
    std::ranges::sort(operands);
    operands.erase(std::unique(operands.begin(), operands.end()),
                   operands.end());  // not std::ranges::unique: Clang 14 cannot read it
    if (operands.empty()) return constant(0);
  }
  const Space space = nodes_[operands.front()].space;
  for (const Node operand : operands) expects(nodes_[operand].space == space, "operands have the same rows");
  Operation operation{op, space, std::move(operands), 0};
  if (const auto found = simpler(operation)) return *found;
  if (std::ranges::all_of(operation.operands, [&](Node x) { return constant_value(x).has_value(); })) {
    std::vector<double> values;
    for (const Node operand : operation.operands) values.push_back(*constant_value(operand));
    std::vector<double const*> in;
    for (double const& value : values) in.push_back(&value);
    double value = 0;
    apply(op, &value, in, 1);
    return constant(value, space);
  }
  return node_of(std::move(operation));
}

bool Graph::needs(Node x, Node y) const {
  std::map<Node, bool> judged;
  const auto judge = [&](auto const& self, Node node) -> bool {
    if (node == y || always_missing(node)) return true;
    if (const auto found = judged.find(node); found != judged.end()) return found->second;
    Operation const& operation = nodes_[node];
    bool needed = false;
    const auto of = [&](Node operand) { return self(self, operand); };
    if (strict(operation.op)) needed = std::ranges::any_of(operation.operands, of);
    else if (operation.op == Op::select) needed = of(operation.operands[1]) && of(operation.operands[2]);
    else if (operation.op == Op::both || operation.op == Op::either || operation.op == Op::coalesce ||
             operation.op == Op::smaller || operation.op == Op::larger)
      needed = std::ranges::all_of(operation.operands, of);
    judged.emplace(node, needed);
    return needed;
  };
  return judge(judge, x);
}

bool Graph::implies(Node x, Node some) const {
  if (is(some, 1)) return true;
  Operation const& operation = nodes_[some];
  return operation.op == Op::any_known &&
         std::ranges::any_of(operation.operands, [&](Node operand) { return needs(x, operand); });
}

/// Live operations in the order in which they were made; a slot is free again after its last use.
Program Graph::program(std::vector<Node> const& outputs) const {
  constexpr std::size_t never = std::numeric_limits<std::size_t>::max();
  std::vector<std::size_t> last_use(nodes_.size(), 0);
  std::vector<std::uint8_t> live(nodes_.size(), 0);
  for (const Node output : outputs) live[output] = 1, last_use[output] = never;
  for (std::size_t node = nodes_.size(); node-- > 0;)
    for (const Node operand : nodes_[node].operands)
      if (live[node]) live[operand] = 1, last_use[operand] = std::max(last_use[operand], node);

  Program made;
  made.tables_ = tables_;
  std::vector<Program::Place> places(nodes_.size());
  std::vector<std::vector<std::uint32_t>> idle;
  for (Operation const& operation : nodes_) made.slots_.resize(std::max<std::size_t>(made.slots_.size(), operation.space + 1), 0);
  made.slots_[participants] = 0;
  idle.resize(made.slots_.size());
  const auto slot = [&](Space space, bool reuse) -> std::uint32_t {
    if (!reuse || idle[space].empty()) return made.slots_[space]++;
    const std::uint32_t found = idle[space].back();
    idle[space].pop_back();
    return found;
  };
  for (std::size_t node = 0; node < nodes_.size(); ++node) {
    Operation const& operation = nodes_[node];
    if (!live[node]) continue;
    if (operation.op == Op::input) {
      places[node] = {true, operation.space, std::uint32_t(operation.detail)};
    } else if (operation.op == Op::constant) {
      // Constants are filled in before the first step, so their slots are theirs alone.
      places[node] = {false, operation.space, slot(operation.space, false)};
      made.constants_.push_back({places[node], std::bit_cast<double>(operation.detail)});
    } else {
      places[node] = {false, operation.space, slot(operation.space, true)};
      Program::Step step{.op = operation.op, .out = places[node], .first = std::uint32_t(made.operands_.size())};
      step.count = std::uint32_t(operation.operands.size());
      step.table = operation.op == Op::remap ? std::uint32_t(operation.detail) : 0;
      for (const Node operand : operation.operands) made.operands_.push_back(places[operand]);
      made.most_operands_ = std::max(made.most_operands_, operation.operands.size());
      made.steps_.push_back(step);
      std::vector<Node> done = operation.operands;
      std::ranges::sort(done);
      done.erase(std::unique(done.begin(), done.end()), done.end());  // not std::ranges::unique: Clang 14 cannot read it
      for (const Node operand : done)
        if (const Op of = nodes_[operand].op; last_use[operand] == node && of != Op::input && of != Op::constant)
          idle[nodes_[operand].space].push_back(places[operand].index);
    }
  }
  for (const Node output : outputs) made.outputs_.push_back(places[output]);
  return made;
}

}  // namespace equipoise::expression::flat
