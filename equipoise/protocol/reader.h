#pragma once

#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "equipoise/core/section.h"
#include "equipoise/protocol/names.h"
#include "equipoise/protocol/protocol.h"

/// The parts of `load`: each reads some sections of the file into the protocol under construction and reports what is wrong.
/// Order: trial, schedule, then everything that refers to them.
namespace equipoise::protocol {

struct Reader {
  Protocol protocol;
  Problems problems;
  std::set<std::string> endpoints_of_no_kind;  ///< their 'kind' is reported already: nothing that depends on it is

  /// A label: plain text in the trial's first language, or a table from language to text.
  Text text(Section& section, std::string_view key);

  /// A reference that must resolve; reports with the nearest known id.
  bool resolves(std::string const& id, std::vector<std::string> const& known, std::string_view what, Place const& place);

  /// Reports an id of an item or derivation that is not an id, or is one of the names that rules already have.
  void nameable(std::string const& id, Place const& place);

  /// Reports an id met before in `seen`.
  void unique(std::set<std::string>& seen, std::string const& id, std::string_view what, Place const& place);

  /// The expression under `key`, checked against the names of the trial.
  std::optional<expression::Expression> rule(Section& section, std::string_view key, expression::Context const& context,
                                             std::vector<expression::Type> const& allowed, bool required = true);
};

std::vector<std::string> ids_of(auto const& list) {
  std::vector<std::string> ids;
  for (auto const& element : list) ids.push_back(element.id);
  return ids;
}

void read_trial(Reader& reader, Section& root);     // [trial] [conventions] [[arm]] [[intervention]] [sites]
void read_schedule(Reader& reader, Section& root);  // [[epoch]] [schedule] [form.*]
void read_rules(Reader& reader,
                Section& root);  // [[edit_check]] [eligibility] [randomisation] [blinding] [derivation] [analysis_set]
void read_questions(Reader& reader, Section& root);  // [[endpoint]] [[estimand]]
void read_plan(Reader& reader, Section& root);       // [[analysis]] [multiplicity] [design] [[scenario]] [report]
void read_claims(Reader& reader, Section& root);     // [[claim]]
void read_source(Reader& reader, Section& root);     // [source]

constexpr double most_decimals = 6;  ///< of a table: two more are printed of a spread, and a double has no more to say

constexpr std::array<std::pair<std::string_view, LimitRule>, 4> below_limit_rules{
    {{"missing", LimitRule::left_out},
     {"half", LimitRule::half},
     {"limit", LimitRule::limit},
     {"limit_over_root_2", LimitRule::over_root_2}}};
constexpr std::array<std::pair<std::string_view, LimitRule>, 2> above_limit_rules{
    {{"missing", LimitRule::left_out}, {"limit", LimitRule::limit}}};

/// Of [schedule]: which of several values counts, and what baseline is.
void read_handling(Reader& reader, Section& schedule);
/// What the rules of [schedule] need of endpoints and [source]; the last thing to be read.
void check_handling(Reader& reader);

}  // namespace equipoise::protocol
