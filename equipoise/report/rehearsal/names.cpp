#include "equipoise/report/rehearsal/names.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "equipoise/core/text.h"
#include "equipoise/report/rehearsal/ratio.h"

namespace equipoise::report::rehearsal {
namespace {

int decimals_of(double error) {
  if (!(error > 0) || !std::isfinite(error)) return 0;
  int exponent = int(std::floor(std::log10(error)));
  double lead = error / std::pow(10.0, exponent);
  if (lead >= 9.5) lead = 1, ++exponent;
  return std::clamp(-exponent + (lead < 1.95 ? 1 : 0), 0, 8);
}

results::Results simulated() {
  results::Results none;
  none.provenance.simulated = true;
  return none;
}

/// What a claim reads, its own conditions and those of the claims it builds on.
struct Read {
  std::set<std::string, std::less<>> endpoints, arms;
};

void gather(protocol::Protocol const& plan, results::ScenarioCharacteristics const& scenario, std::string_view claim, int depth,
            Read& read) {
  for (protocol::Claim const& one : plan.claims) {
    if (one.id != claim || depth > 16) continue;
    for (protocol::ClaimPart const& part : one.all) {
      if (!part.claim.empty()) gather(plan, scenario, part.claim, depth + 1, read);
      read.arms.insert(part.arms.begin(), part.arms.end());
      for (auto const& statement : scenario.statements)
        if (statement.analysis == part.analysis) read.endpoints.insert(statement.endpoint);
    }
  }
}

template <class Wanted>
World judged(results::ScenarioCharacteristics const& scenario, Wanted const& wanted) {
  World world = World::unknown;
  for (auto const& one : scenario.statements) {
    if (one.against.empty() || !wanted(one)) continue;
    if (!one.no_difference) return World::differs;
    world = World::same;
  }
  return world;
}

}  // namespace

Printed printed(results::Measured const& measured, double times) {
  if (std::isnan(measured.value)) return {std::string(results::not_estimable), {}};
  const double value = times * measured.value, error = times * measured.mc_se;
  if (!std::isfinite(error)) return {results::significant(value, 3), {}};
  if (!(error > 0)) return {value == std::round(value) ? results::fixed(value, 0) : results::significant(value, 3), "0"};
  const int decimals = decimals_of(error);
  return {results::fixed(value, decimals), results::fixed(error, decimals)};
}

Printed printed(results::Share const& share) {
  if (share.of <= 0) return {std::string(results::not_estimable), {}};
  if (share.n == 0) return {"0", {}};
  if (share.n == share.of) return {"100", {}};
  return printed(results::Measured{share.value(), share.mc_se()}, 100);
}

std::string grouped(std::int64_t n) {
  std::string digits = std::to_string(n < 0 ? -n : n);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return n < 0 ? "-" + digits : digits;
}

Names::Names(protocol::Protocol const& protocol, results::Rehearsal const& r, std::string language)
    : plan(protocol), rehearsal(r), nothing_(simulated()), context(protocol, nothing_, std::move(language)) {
  int same = 0, differing = 0;
  constexpr std::array<int, 6> ramp = {2, 6, 4, 7, 3, 5};
  constexpr std::array<int, 6> shapes = {1, 2, 3, 4, 5, 0};
  for (auto const& scenario : r.scenarios) {
    const bool neutral = world(scenario) != World::differs;
    const int slot = neutral ? std::min(same++, 1) : ramp[std::size_t(differing % 6)];
    const int shape = neutral ? (same - 1) % 6 : shapes[std::size_t(differing++ % 6)];
    styles.push_back({.slot = slot, .shape = neutral ? (shape == 0 ? 0 : 5) : shape, .colour = palette(slot, false)});
  }
}

std::string Names::scenario(std::size_t index) const { return rehearsal.scenarios[index].id; }

std::string Names::analysis(std::string_view id) const {
  const auto planned = std::ranges::find(plan.analyses, id, &protocol::Analysis::id);
  if (planned != plan.analyses.end() && !planned->label.empty()) return context.label(planned->label, id);
  std::string endpoint = planned != plan.analyses.end() ? planned->endpoint : std::string();
  for (auto const& scenario : rehearsal.scenarios)
    for (auto const& one : scenario.statements)
      if (one.analysis == id && endpoint.empty()) endpoint = one.endpoint;
  auto const* found = plan.endpoint(endpoint);
  auto const* estimand = planned != plan.analyses.end() ? plan.estimand(planned->estimand) : nullptr;
  const bool named = found && !found->label.empty() && context.label(found->label, endpoint) != endpoint;
  if (!named && estimand && !estimand->objective.empty()) return estimand->objective;
  return endpoint.empty() ? results::in_plain_words(id) : context.endpoint(endpoint);
}

std::string Names::method(results::StatementCharacteristics const& one) const {
  return results::method_label(one.method, language());
}

std::string Names::statement(std::string_view arm, std::string_view against) const {
  const std::string name = arm.empty() ? std::string() : context.arm(arm);
  if (against.empty()) return name.empty() ? name : (*this)(Term::statement_alone, name);
  return name.empty() ? context.arm(against) : (*this)(Term::statement_between, name, context.arm(against));
}

std::string Names::claim(results::ClaimCharacteristics const& one) const {
  for (protocol::Claim const& claim : plan.claims)
    if (claim.id == one.id && !claim.label.empty()) return context.label(claim.label, one.id);
  return one.label.empty() ? results::in_plain_words(one.id) : one.label;
}

std::string Names::percent(double share) const {
  std::string text = results::fixed(100 * share, 4);
  while (text.find('.') != std::string::npos && (text.back() == '0' || text.back() == '.')) {
    const bool point = text.back() == '.';
    text.pop_back();
    if (point) break;
  }
  return text + "%";
}

std::string Names::share(results::Share const& share) const {
  if (share.of <= 0) return (*this)(Term::not_counted);
  if (share.of == 1) return (*this)(Term::of_one, share.n);
  const auto bound = [&](double per_cent) { return results::significant(per_cent, per_cent >= 10 && per_cent < 90 ? 2 : 1); };
  if (share.n == 0) return (*this)(Term::none_of, grouped(share.of), bound(100 * none_in(double(share.of))));
  if (share.n == share.of) {
    const double missed = 100 * none_in(double(share.of));
    const std::string rounded = bound(missed);
    const auto point = rounded.find('.');
    const int decimals = point == std::string::npos ? 0 : int(rounded.size() - point - 1);
    return (*this)(Term::all_of, grouped(share.of), results::fixed(100 - missed, decimals));
  }
  const Printed text = printed(share);
  return (*this)(Term::some_of, text.value, text.se);
}

std::string Names::measured(results::Measured const& one) const {
  const Printed text = printed(one);
  return text.se.empty() ? text.value : (*this)(Term::words_measured, text.value, text.se);
}

World Names::world(results::ScenarioCharacteristics const& scenario) const {
  return judged(scenario, [](auto const&) { return true; });
}

World Names::world(results::ScenarioCharacteristics const& scenario, std::string_view claim) const {
  Read read;
  gather(plan, scenario, claim, 0, read);
  const World by_claim = judged(scenario, [&](results::StatementCharacteristics const& one) {
    return read.endpoints.contains(one.endpoint) && (read.arms.empty() || read.arms.contains(one.arm));
  });
  return by_claim == World::unknown ? world(scenario) : by_claim;
}

bool Names::primary(results::StatementCharacteristics const& one) const {
  std::string first;
  for (auto const& scenario : rehearsal.scenarios)
    for (auto const& other : scenario.statements) {
      if (other.role == "primary") return one.role == "primary";
      if (first.empty()) first = other.analysis;
    }
  return one.analysis == first;
}

std::string Names::list(std::vector<std::string> const& items) const {
  std::string out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += (*this)(i + 1 == items.size() ? Term::and_last : Term::and_between);
    out += items[i];
  }
  return out;
}

}  // namespace equipoise::report::rehearsal
