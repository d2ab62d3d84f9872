#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/protocol/protocol.h"
#include "equipoise/report/html.h"
#include "equipoise/report/words.h"
#include "equipoise/results/labels.h"
#include "equipoise/results/results.h"

namespace equipoise::report {

/// How an arm looks in every figure: controls are neutral, investigational arms follow their dose along an ordered palette; the
/// marker shape says the same without colour.
struct ArmStyle {
  int slot = 0;             ///< of the palette, also the CSS classes s<slot>, f<slot>
  int shape = 0;            ///< of svg::marker
  std::string_view colour;  ///< literal, on white
  std::string_view dash{};  ///< stroke-dasharray of the arm's lines where lines cross; empty: solid
};
inline constexpr int palette_slots = 8;  ///< 0 and 1 controls, 2 to 7 investigational
std::string_view palette(int slot, bool dark);

/// What every part of the page needs: the two documents, the words of the language, and names for people.
struct Context {
  Context(protocol::Protocol const& p, results::Results const& r, std::string language);

  protocol::Protocol const& plan;
  results::Results const& answer;
  Words words;
  std::map<std::string, ArmStyle, std::less<>> arm_styles;  ///< by arm id

  std::string const& language() const { return words.language(); }
  double alpha() const { return plan.conventions.alpha; }
  std::string confidence() const;  ///< "95%"

  std::string label(protocol::Text const& text, std::string_view id) const;  ///< in the language, else the id in plain words
  std::string arm(std::string_view id) const;
  std::string endpoint(std::string_view id) const;
  /// What an analysis is called: its own label, else its endpoint's.
  std::string analysis(results::AnalysisRun const& run) const;
  std::string set(std::string_view id) const;
  std::string visit(std::string_view id) const;
  /// Unit of an endpoint as it is analysed, "/mm3", or "logarithm": of one whose variable is an item, a derivation or a change.
  std::string endpoint_unit(std::string_view id) const;
  std::string response_unit(std::string_view id) const;  ///< before any transformation
  /// The visit from which the endpoint is a change (its variable is "x - x@VISIT", by itself or as a derivation); else nothing.
  std::string changed_since(std::string_view endpoint) const;
  std::string item(std::string_view reference) const;  ///< of "age" or "age@baseline": label and unit
  std::string event(std::string_view id) const;        ///< an intercurrent event: the label of the code that is called so
  std::string role(std::string_view role) const;
  std::string method(results::AnalysisRun const& run) const;
  /// A note of a method, in which arms and visits stand by their ids ('m8'), with their names.
  std::string note(std::string const& sentence) const;
  ArmStyle style(std::string_view arm) const;

  /// A number of an analysis as it is printed; decimals as its endpoint says.
  results::Printed printed(std::string_view analysis, Finding const& finding) const;
  std::optional<int> recorded_decimals(std::string_view analysis) const;  ///< of its endpoint's values, if stated

  std::vector<results::Record const*> records(std::string_view analysis) const;
  results::AnalysisRun const* run(std::string_view analysis) const;
  results::FlowArm const* flow(std::string_view arm) const;
  std::int64_t randomised() const;
};

/// Groups of the results in the order of the protocol's arms; groups that are no arm follow in the order they came.
std::vector<std::string> in_arm_order(protocol::Protocol const& protocol, std::vector<std::string> groups);

}  // namespace equipoise::report
