#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "equipoise/core/columns.h"

/// Arithmetic of whole columns of doubles, compiled once and run on many data sets: what `Compiler` (flat.h) makes of expressions
/// when every known value is exact. Truths are 0 and 1, codes level numbers, dates days; NaN is missing or unknown.
namespace equipoise::expression::flat {

/// One column: of a caller's array, a constant, or the result of an operation.
using Node = std::uint32_t;

/// Whose rows a column has: the participants', or the entries' of one form (1, 2, ...).
using Space = std::uint32_t;
inline constexpr Space participants = 0;

/// x, y, z are the operands. Each does on exact values what evaluate.h says of its namesake, to the last bit.
enum class Op : std::uint8_t {
  input,     ///< an array of the caller
  constant,  ///< one number
  add,       ///< + - * / : missing when a side is, or when the result is not finite
  subtract,
  multiply,
  divide,
  negate,  ///< -x
  log,     ///< of what is not above 0: missing
  equal,   ///< comparisons: unknown when a side is missing
  less,
  less_equal,
  both,  ///< and, or, not: Kleene's
  either,
  negation,
  missing,    ///< 1 or 0
  any_known,  ///< 1 when any of the operands is known, else 0
  coalesce,   ///< x, or y where x is missing
  select,     ///< y where x is true, else z
  smaller,    ///< the smaller of x and y, or the only one known
  larger,
  accumulate,   ///< x + y, x a sum of z values so far; x where y is missing
  remap,        ///< codes by a table
  gather,       ///< of participants to the entries of a form
  any_of,       ///< of entries to participants: whether one is true
  count_of,     ///<     how many are true; missing when one is unknown
  earliest_of,  ///<     the smallest known y among those with x true
};

/// What a run reads. Numbers are finite or NaN, truths 0, 1 or NaN, codes whole.
struct Rows {
  struct Entries {
    std::size_t rows = 0;
    std::uint32_t const* participant = nullptr;  ///< whose entry
  };
  std::size_t participants = 0;
  std::span<double const* const> arrays;  ///< of `input`, in the order of their numbers
  std::span<const Entries> entries;       ///< of space s at s - 1
};

class Program;

/// Memory that runs use again: after the first run of a size nothing is allocated.
class Workspace {
 public:
  /// Of the place-th output of the program that ran last; it holds until the next run, or as long as the array it came from.
  double const* output(std::size_t place) const { return outputs_[place]; }

 private:
  friend class Program;
  std::vector<std::vector<double>> memory_;  // of each space: a slot after the other
  std::vector<double const*> operands_, outputs_;
};

/// A graph put in order: immutable, for any thread with a workspace of its own.
class Program {
 public:
  void run(Rows const& rows, Workspace& workspace) const;
  std::size_t steps() const { return steps_.size(); }
  bool reads_array(std::uint32_t array) const;  ///< of the caller
  bool uses(Space space) const;                 ///< looks at the entries of a space, if only to count them

 private:
  friend class Graph;

  struct Place {
    bool array = false;  // of the caller
    Space space = participants;
    std::uint32_t index = 0;  // of the array, or of the slot in the memory of the space
  };
  struct Step {
    Op op = Op::constant;
    Place out;
    std::uint32_t first = 0, count = 0;  // in `operands_`
    std::uint32_t table = 0;
  };
  struct Constant {
    Place out;
    double value = 0;
  };

  std::vector<Constant> constants_;
  std::vector<Step> steps_;
  std::vector<Place> operands_, outputs_;
  std::vector<std::vector<double>> tables_;
  std::vector<std::uint32_t> slots_{0};  // of each space
  std::size_t most_operands_ = 0;
};

/// Puts operations together. An operation that is there already is not made again, and one whose operands are constants (or that
/// an operand alone decides) is made at once.
class Graph {
 public:
  Node input(std::uint32_t array, Space space = participants);
  Node constant(double value, Space space = participants);
  Node missing(Space space = participants) { return constant(missing_number, space); }
  Node add(Op op, std::vector<Node> operands);
  Node remap(Node x, std::vector<double> table);
  Node gather(Node x, Space space);
  /// any_of, count_of, earliest_of.
  Node back(Op op, std::vector<Node> operands);

  std::optional<double> constant_value(Node node) const;
  bool always_missing(Node node) const;
  Space space(Node node) const { return nodes_[node].space; }
  /// Whether x is known only where y is.
  bool needs(Node x, Node y) const;
  /// Whether x is known only where `some`, an any_known, is 1.
  bool implies(Node x, Node some) const;

  Program program(std::vector<Node> const& outputs) const;

 private:
  struct Operation {
    Op op = Op::constant;
    Space space = participants;
    std::vector<Node> operands{};
    std::uint64_t detail = 0;  // number of the array or table, bits of the constant
    auto operator<=>(Operation const&) const = default;
  };

  Node node_of(Operation operation);
  std::optional<Node> simpler(Operation const& operation);
  bool is(Node node, double value) const { return constant_value(node) == value; }

  std::vector<Operation> nodes_;
  std::map<Operation, Node> known_;
  std::vector<std::vector<double>> tables_;
};

}  // namespace equipoise::expression::flat
