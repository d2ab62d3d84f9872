#pragma once

#include <fmt/format.h>

#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace equipoise {

/// What went wrong, as a name that programs can rely on. Sentence, HTTP status and exit status are in one table (error.cpp).
enum class Code {
  failure,          ///< something outside our control failed
  io,               ///< a file could not be read or written
  usage,            ///< the command line is wrong
  syntax,           ///< a document is not of its format
  unknown_key,      ///< a key that no section of this kind has
  missing_key,      ///< a required key is absent
  wrong_type,       ///< a value of another type than the key takes
  unknown_keyword,  ///< a word outside a closed vocabulary
  not_available,    ///< a published method that this build does not carry
  out_of_range,     ///< a number outside its limits
  duplicate,        ///< an id given twice
  unresolved,       ///< a reference to nothing
  inconsistent,     ///< parts that contradict each other
  unit_mismatch,    ///< units that do not compare
  size_mismatch,    ///< shapes that do not fit
  missing_column,   ///< data lack a column
  bad_cell,         ///< a cell is not what its column says
  no_data,          ///< nothing left to analyse
  not_estimable,    ///< the data do not determine the quantity
  no_convergence,   ///< an iteration did not reach its optimum
  verification,     ///< a known answer was not reproduced
  target_missed,    ///< a required target was not met
  refused,          ///< role, blinding or the state of the trial forbids it
  conflict,         ///< somebody else was first: look again and decide again
  unavailable,      ///< the service is not there, or not in a state to act
  interrupted,      ///< stopped by a signal
};

/// Exit statuses of the binary (DESIGN: 0 done, 1 failure, 2 usage, 3 invalid input, 4 verification, 5 target, 6 refused, 130).
struct CodeCard {
  Code code;
  std::string_view name;      ///< as printed by --json
  std::string_view sentence;  ///< what it means, for people
  int http_status;
  int exit_status;
};

CodeCard const& card(Code code);
/// The code of this name, if there is one.
std::optional<Code> code_named(std::string_view name);

/// Where in what a person wrote: file, line and column (both from 1; 0 = unknown), or data row (the line of the file) and column
/// name.
struct Place {
  std::string file{};
  int line = 0;
  int column = 0;
  std::string field{};  ///< name of the data column, when the place is a cell

  bool known() const { return !file.empty() || line > 0; }
  friend bool operator==(Place const&, Place const&) = default;
};

struct Error {
  Code code = Code::failure;
  std::string message{};
  Place place{};
  std::string hint{};

  Error&& at(Place where) && {
    place = std::move(where);
    return std::move(*this);
  }
  Error&& with_hint(std::string text) && {
    hint = std::move(text);
    return std::move(*this);
  }
};

/// `file:line:column: message` and, on a second line, the hint.
std::string to_string(Error const& error);

using Problems = std::vector<Error>;

/// Appends a problem: `add_problem(problems, place, Code::duplicate, "arm '{}' is given twice", id)`. Returns it, so that a hint
/// can be added.
template <class... Args>
Error& add_problem(Problems& problems, Place place, Code code, fmt::format_string<Args...> text, Args&&... args) {
  return problems.emplace_back(Error{code, fmt::format(text, std::forward<Args>(args)...), std::move(place), {}});
}

/// Sorts by line, then column; problems without a place come last. Stable, and equal problems are kept once.
void sort_in_file_order(Problems& problems);

/// The largest exit status among the problems (0 when there are none).
int exit_status(std::span<Error const> problems);

/// A broken promise inside our own code. Caught by `main` and the request loop only.
struct ContractViolation : std::logic_error {
  using std::logic_error::logic_error;
};

/// Throws `ContractViolation` unless the promise holds.
inline void expects(bool promise, std::string_view what) {
  if (!promise) throw ContractViolation(std::string(what));
}

}  // namespace equipoise
