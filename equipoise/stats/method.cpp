#include "equipoise/stats/method.h"

#include <algorithm>

namespace equipoise::stats {
namespace {

At normal_form(At at) {
  for (auto& [key, value] : at)
    if (Term* term = std::get_if<Term>(&value)) std::sort(term->begin(), term->end());
  return at;
}

std::optional<double> Finding::*field_named(std::string_view quantity) {
  if (quantity == "se") return &Finding::se;
  if (quantity == "df") return &Finding::df;
  if (quantity == "p") return &Finding::p;
  if (quantity == "lower") return &Finding::lower;
  if (quantity == "upper") return &Finding::upper;
  return nullptr;
}

template <class Wanted>
std::optional<double> first(std::vector<Finding> const& findings, At const& at, Wanted wanted) {
  for (Finding const& finding : findings) {
    const std::optional<double> got = wanted(finding);
    if (got && normal_form(finding.at) == at) return got;
  }
  return {};
}

}  // namespace

std::optional<double> Answer::read(std::string_view quantity, At const& where) const {
  At at = normal_form(where);

  const auto value_of = [](std::string_view name) {
    return [name](Finding const& finding) { return finding.quantity == name ? std::optional(finding.value) : std::nullopt; };
  };
  const auto field_of = [](std::string_view name, std::optional<double> Finding::*field) {
    return [name, field](Finding const& finding) { return finding.quantity == name ? finding.*field : std::nullopt; };
  };

  if (const auto found = first(findings, at, value_of(quantity))) return found;
  if (const auto field = field_named(quantity))
    return first(findings, at, [field](Finding const& finding) { return finding.*field; });

  for (const std::string_view limit : {"lower", "upper"}) {
    if (quantity.size() > limit.size() + 1 && quantity.ends_with(limit) && quantity[quantity.size() - limit.size() - 1] == '_')
      return first(findings, at, field_of(quantity.substr(0, quantity.size() - limit.size() - 1), field_named(limit)));
    if (const auto side = at.find("side"); side != at.end() && side->second == AtValue(std::string(limit))) {
      At without = at;
      without.erase("side");
      return first(findings, without, field_of(quantity, field_named(limit)));
    }
  }
  return {};
}

namespace {

ColumnView const& column(Frame const& frame, std::string_view name) {
  for (ColumnView const& candidate : frame.columns)
    if (candidate.name == name) return candidate;
  throw ContractViolation(fmt::format("the frame has no column '{}'", name));
}

}  // namespace

NumbersView Frame::numbers(std::string_view name) const {
  ColumnView const& found = column(*this, name);
  if (!found.numeric()) expects(false, fmt::format("column '{}' is asked for as numbers", name));
  return found.numbers();
}

CategoriesView const& Frame::categories(std::string_view name) const {
  ColumnView const& found = column(*this, name);
  if (found.numeric()) expects(false, fmt::format("column '{}' is asked for as a category", name));
  return found.categories();
}

}  // namespace equipoise::stats
