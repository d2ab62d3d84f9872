#include "equipoise/core/error.h"

#include <algorithm>
#include <array>
#include <tuple>

namespace equipoise {
namespace {

constexpr std::array<CodeCard, 26> cards{{
    {Code::failure, "failure", "Something outside our control failed.", 500, 1},
    {Code::io, "io", "A file could not be read or written.", 500, 1},
    {Code::usage, "usage", "The command line is wrong.", 400, 2},
    {Code::syntax, "syntax", "A document is not of its format.", 400, 3},
    {Code::unknown_key, "unknown_key", "No section of this kind has this key.", 400, 3},
    {Code::missing_key, "missing_key", "A required key is absent.", 400, 3},
    {Code::wrong_type, "wrong_type", "The value is of another type than the key takes.", 400, 3},
    {Code::unknown_keyword, "unknown_keyword", "The word is not in the vocabulary.", 400, 3},
    {Code::not_available, "not_available", "The method is known, and this build does not carry it yet.", 501, 3},
    {Code::out_of_range, "out_of_range", "The number is outside its limits.", 400, 3},
    {Code::duplicate, "duplicate", "The id is given twice.", 400, 3},
    {Code::unresolved, "unresolved", "The reference points to nothing.", 400, 3},
    {Code::inconsistent, "inconsistent", "Two parts contradict each other.", 400, 3},
    {Code::unit_mismatch, "unit_mismatch", "The units do not compare.", 400, 3},
    {Code::size_mismatch, "size_mismatch", "The shapes do not fit.", 400, 3},
    {Code::missing_column, "missing_column", "The data lack a column.", 400, 3},
    {Code::bad_cell, "bad_cell", "A cell is not what its column says.", 400, 3},
    {Code::no_data, "no_data", "Nothing is left to analyse.", 400, 3},
    {Code::not_estimable, "not_estimable", "The data do not determine the quantity.", 422, 3},
    {Code::no_convergence, "no_convergence", "The iteration did not reach its optimum.", 422, 1},
    {Code::verification, "verification", "A known answer was not reproduced.", 422, 4},
    {Code::target_missed, "target_missed", "A required target was not met.", 422, 5},
    {Code::refused, "refused", "The role, the blinding or the state of the trial forbids it.", 403, 6},
    {Code::conflict, "conflict", "Somebody else was first: look again and decide again.", 409, 1},
    {Code::unavailable, "unavailable", "The service is not there, or not in a state to act.", 503, 1},
    {Code::interrupted, "interrupted", "Stopped by a signal.", 503, 130},
}};

}  // namespace

CodeCard const& card(Code code) {
  const auto found = std::ranges::find(cards, code, &CodeCard::code);
  expects(found != cards.end(), "every code has a card");
  return *found;
}

std::optional<Code> code_named(std::string_view name) {
  const auto found = std::ranges::find(cards, name, &CodeCard::name);
  return found == cards.end() ? std::nullopt : std::optional(found->code);
}

std::string to_string(Error const& error) {
  std::string text;
  if (!error.place.file.empty()) text += error.place.file + ":";
  if (error.place.line > 0) text += fmt::format("{}:", error.place.line);
  if (error.place.column > 0) text += fmt::format("{}:", error.place.column);
  if (!text.empty()) text += " ";
  if (!error.place.field.empty()) text += fmt::format("column '{}': ", error.place.field);
  text += error.message;
  if (!error.hint.empty()) text += "\n  hint: " + error.hint;
  return text;
}

void sort_in_file_order(Problems& problems) {
  const auto key = [](Error const& error) {
    const int line = error.place.line > 0 ? error.place.line : 1 << 30;
    return std::tuple(line, error.place.column);
  };
  std::ranges::stable_sort(problems, {}, key);
  const auto same = [](Error const& a, Error const& b) { return a.message == b.message && a.place == b.place; };
  problems.erase(std::unique(problems.begin(), problems.end(), same), problems.end());
}

int exit_status(std::span<Error const> problems) {
  int status = 0;
  for (Error const& problem : problems) status = std::max(status, card(problem.code).exit_status);
  return status;
}

}  // namespace equipoise
