#pragma once

#include <string>
#include <vector>

#include "equipoise/report/rehearsal/names.h"
#include "equipoise/report/rehearsal/ratio.h"

/// What the numbers of a rehearsal say, in sentences that follow from them and from nothing else.
namespace equipoise::report::rehearsal {

/// How a share lies to a nominal level: near within three Monte Carlo standard errors (of a share that is the level); unsaid
/// where fewer than five trials are expected to count.
enum class Verdict { near, above, below, unsaid };
Verdict verdict(results::Share const& share, double nominal);
/// The smallest number of trials with which something is said.
std::int64_t trials_for_verdict(double nominal);

/// "4.8% (SE 0.7) in no-effect: near the nominal 5%"; scenarios of one verdict stand together.
struct InScenario {
  std::size_t scenario;
  results::Share share;
};
std::string with_verdicts(Names const& names, std::vector<InScenario> const& shares, double nominal);

/// A claim in a scenario in which arms differ and in one in which they do not.
struct Pair {
  std::size_t differs, same;
  results::Share with, without;
  Ratio ratio;

  bool apart() const { return ratio.lower > 1 || ratio.upper < 1; }
};
std::vector<Pair> pairs(Names const& names, std::string const& claim);
/// "16 times (12 to 21)", "at least 120 times".
std::string times(Names const& names, Ratio const& ratio);

struct Paragraph {
  std::string head;  ///< may be empty
  std::vector<std::string> sentences;
  std::string text(bool chinese) const;
};

std::vector<Paragraph> opening(Names const& names);
std::vector<Paragraph> primary_analyses(Names const& names);
std::vector<Paragraph> claims(Names const& names);
std::vector<Paragraph> closing(Names const& names);  ///< answers that failed, looks, what a rehearsal cannot say

}  // namespace equipoise::report::rehearsal
