#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/analysis/analysis.h"
#include "equipoise/core/expected.h"
#include "equipoise/stats/method.h"

/// A method by its keyword, without knowing which methods there are.
namespace equipoise::analysis {

/// A method with its options, ready to run on complete cases of the columns it needs.
struct ReadyMethod {
  stats::MethodCard const* card = nullptr;
  std::vector<stats::ColumnNeed> needs;
  std::function<Expected<stats::Answer>(stats::Frame const&)> run;
  /// Of a method that takes a focus; else empty.
  std::function<Expected<stats::Answer>(stats::Frame const&, stats::Focus const&)> run_focused{};
  /// Of a method that gives figures; else empty.
  std::function<Expected<stats::Figures>(stats::Frame const&, stats::Focus const&)> figures{};
};

/// Every method name of the reference format, carried by this build or not.
std::vector<std::string> published_methods();
inline bool is_published(std::string_view keyword) {
  for (std::string const& name : published_methods())
    if (name == keyword) return true;
  return false;
}

/// The cards of the methods of this build, and the card of one: nothing when this build does not carry it.
std::vector<stats::MethodCard> method_cards();
stats::MethodCard const* method_card(std::string_view keyword);

/// Whether a method is a model with terms, of which the arm is one, rather than a test of arms alone that may take a formula too.
bool is_model(stats::MethodCard const& card);

/// The method of an analysis with its roles and options, checked; keys of the options that nobody reads are problems too.
Checked<ReadyMethod> ready_method(Analysis const& analysis);

}  // namespace equipoise::analysis
