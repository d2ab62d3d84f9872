#pragma once

#include <initializer_list>
#include <random>
#include <string>

/// Random expressions over the names of the small trial, for the tests of this room.
namespace equipoise::expression::small_trial {

/// Writes random well-typed expressions, with every operand in brackets and odd blanks, so that the tree is the writer's and not
/// the grammar's choice. Only raw words of the engine are used: its sequence is fixed by the standard, that of distributions is
/// not.
class Writer {
 public:
  explicit Writer(std::uint64_t seed) : engine_(seed) {}

  std::string truth(int depth) {
    if (depth == 0) return pick({"true", "false", "hiv@screening", "randomised", "response_30", "missing(comment)"});
    switch (below(9)) {
      case 0:
        return "not" + blank() + in_brackets(truth(depth - 1));
      case 1:
        return in_brackets(truth(depth - 1)) + "and" + in_brackets(truth(depth - 1));
      case 2:
        return in_brackets(truth(depth - 1)) + "or" + in_brackets(truth(depth - 1));
      case 3:
        return in_brackets(number(depth - 1)) + pick({"==", "!=", "<", "<=", ">", ">="}) + in_brackets(number(depth - 1));
      case 4:
        return in_brackets(truth(depth - 1)) + pick({"==", "!="}) + in_brackets(truth(depth - 1));
      case 5:
        return in_brackets(day(depth - 1)) + pick({"<", "==", ">="}) +
               in_brackets(pick({"randomisation", "'2020-02-29'", "infused_on@w4"}));
      case 6:
        return "confirmed(" + in_brackets(truth(depth - 1) + " or response_30") + "," + blank() + pick({"1", "2", "100"}) + ")";
      case 7:
        return "any(adverse_event," + in_brackets("serious" + blank() + pick({"and", "or"}) + " grade > 2") + ")";
      default:
        return pick({"arm == 'low'", "given!='none'", "comment == 'it''s 药'", "'' == comment", "first(given) == 'full'"});
    }
  }

  std::string number(int depth) {
    if (depth == 0) return pick({"0", "1.5", "0.5e6", "1e-300", "123456789012345678", "cd4", "cd8@w4", "count(dosing)"});
    switch (below(7)) {
      case 0:
        return "-" + in_brackets(number(depth - 1));
      case 1:
        return "log" + in_brackets(number(depth - 1));
      case 2:
        return "days(" + day(depth - 1) + "," + day(depth - 1) + ")";
      case 3:
        return pick({"min", "max", "mean", "first", "last"}) +
               in_brackets("cd4" + pick({"+", "-", "*", "/"}) + in_brackets(number(depth - 1)));
      case 4:
        return "count(adverse_event," + blank() + in_brackets("grade" + pick({">", "=="}) + in_brackets("max(cd4)")) + ")";
      default:
        return in_brackets(number(depth - 1)) + pick({"+", "-", "*", "/"}) + in_brackets(number(depth - 1));
    }
  }

  std::string day(int depth) {
    if (depth == 0)
      return pick(
          {"randomisation", "infused_on", "art_start@screening", "first(adverse_event)", "first(adverse_event, serious)"});
    return "first" + in_brackets("response_30" + blank() + "and" + in_brackets(truth(depth - 1)));
  }

 private:
  std::size_t below(std::size_t n) { return std::size_t(engine_() % n); }
  std::string pick(std::initializer_list<const char*> words) { return words.begin()[below(words.size())]; }
  std::string blank() { return pick({" ", "  ", "\t", "\n", " \r\n"}); }
  std::string in_brackets(std::string const& inside) { return "(" + inside + ")"; }

  std::mt19937_64 engine_;
};

}  // namespace equipoise::expression::small_trial
