#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/report/context.h"
#include "equipoise/report/rehearsal/terms.h"
#include "equipoise/results/rehearsal.h"

/// The page of a rehearsal.
namespace equipoise::report::rehearsal {

/// A number as it is printed: with as many decimals as its Monte Carlo error lets mean something (two digits of an error that
/// begins with 1, else one).
struct Printed {
  std::string value, se;  ///< `se` empty when there is none
};
Printed printed(results::Measured const& measured, double times = 1);
/// In per cent. Of none and of all trials the error by the formula is 0, and `se` is empty.
Printed printed(results::Share const& share);

/// "12,345"
std::string grouped(std::int64_t n);

/// Do arms differ in this scenario, as far as a claim can see?
enum class World { differs, same, unknown };

/// What every part of the page needs: the two documents, the words of the language, names for people.
struct Names {
  Names(protocol::Protocol const& protocol, results::Rehearsal const& r, std::string language);

  protocol::Protocol const& plan;
  results::Rehearsal const& rehearsal;

 private:
  results::Results nothing_;  // what the context of a real trial's report holds besides; empty, and simulated

 public:
  Context context;
  std::vector<ArmStyle> styles;  ///< of the scenarios: neutral where arms do not differ

  Words const& words() const { return context.words; }
  std::string const& language() const { return context.language(); }
  template <class... Args>
  std::string operator()(Term term, Args const&... args) const {
    return say(context.words, term, args...);
  }
  /// Scenarios keep the names that the protocol gives them.
  std::string scenario(std::size_t index) const;
  std::string analysis(std::string_view id) const;  ///< its own label, else its endpoint's
  std::string method(results::StatementCharacteristics const& one) const;
  std::string statement(std::string_view arm, std::string_view against) const;  ///< "Low dose against Placebo"
  std::string claim(results::ClaimCharacteristics const& one) const;
  std::string percent(double share) const;  ///< "5%", "2.5%"

  /// "9.1% (SE 0.3)"; of none or all trials how many there were, and how large (small) the share can be.
  std::string share(results::Share const& share) const;
  std::string measured(results::Measured const& one) const;

  World world(results::ScenarioCharacteristics const& scenario) const;
  /// By the comparisons of the endpoints and arms that the claim reads; by all comparisons when it reads no such.
  World world(results::ScenarioCharacteristics const& scenario, std::string_view claim) const;

  /// Statements of the primary analyses; of the first analysis when none is called primary.
  bool primary(results::StatementCharacteristics const& one) const;

  std::string list(std::vector<std::string> const& items) const;  ///< "a, b and c"
};

}  // namespace equipoise::report::rehearsal
