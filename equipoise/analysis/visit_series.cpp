#include "equipoise/analysis/visit_series.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace equipoise::analysis {
namespace {

/// One participant's responses at the endpoint's visits; NaN where there is none.
struct Person {
  std::int32_t number = 0, arm = 0;
  std::vector<double> responses;
};

std::vector<Person> people_of(data::Dataset const& dataset, std::vector<std::string> const& visits) {
  const data::TypedColumn &who = *dataset.find("participant"), &visit = *dataset.find("visit"),
                          &response = *dataset.find("response");
  const data::TypedColumn* assigned = dataset.find("assigned_arm");
  const data::TypedColumn& arm = assigned ? *assigned : *dataset.find("arm");
  std::vector<std::ptrdiff_t> place;  // of each level of `visit` among the endpoint's visits
  for (std::string const& level : visit.levels) {
    const auto found = std::ranges::find(visits, level);
    place.push_back(found == visits.end() ? -1 : found - visits.begin());
  }
  std::vector<Person> people;
  std::map<std::int32_t, std::size_t> known;
  for (std::size_t row = 0; row < dataset.rows(); ++row) {
    const auto [found, is_new] = known.try_emplace(who.codes[row], people.size());
    if (is_new) people.push_back({who.codes[row], arm.codes[row], std::vector<double>(visits.size(), missing_number)});
    if (const auto at = place[std::size_t(visit.codes[row])]; at >= 0)
      people[found->second].responses[std::size_t(at)] = response.numbers[row];
  }
  return people;
}

Series trajectory(At const& at, std::vector<Person const*> const& arm) {
  std::vector<double> participant, visit, value;
  for (Person const* person : arm)
    for (std::size_t v = 0; v < person->responses.size(); ++v)
      if (!std::isnan(person->responses[v]))
        participant.push_back(person->number), visit.push_back(double(v)), value.push_back(person->responses[v]);
  return {"trajectory", at, {{"participant", std::move(participant)}, {"visit", std::move(visit)}, {"value", std::move(value)}}};
}

Series missing_pattern(At const& at, std::vector<Person const*> const& arm) {
  std::map<std::vector<bool>, double> counts;
  for (Person const* person : arm) {
    std::vector<bool> seen;
    for (const double response : person->responses) seen.push_back(!std::isnan(response));
    ++counts[seen];
  }
  std::vector<std::pair<std::vector<bool>, double>> sorted(counts.rbegin(),
                                                           counts.rend());  // of equal ones the longer seen first
  std::ranges::stable_sort(sorted, [](auto const& a, auto const& b) { return a.second > b.second; });
  std::vector<double> pattern, visit, observed, participants;
  for (std::size_t p = 0; p < sorted.size(); ++p)
    for (std::size_t v = 0; v < sorted[p].first.size(); ++v)
      pattern.push_back(double(p)), visit.push_back(double(v)), observed.push_back(sorted[p].first[v] ? 1 : 0),
          participants.push_back(sorted[p].second);
  return {"missing_pattern",
          at,
          {{"pattern", std::move(pattern)},
           {"visit", std::move(visit)},
           {"observed", std::move(observed)},
           {"participants", std::move(participants)}}};
}

Series visit_counts(At const& at, std::vector<Person const*> const& arm, std::size_t visits, bool binary) {
  std::vector<double> visit, participants(visits, double(arm.size())), n(visits, 0.0), events(visits, 0.0);
  for (std::size_t v = 0; v < visits; ++v) {
    visit.push_back(double(v));
    for (Person const* person : arm) n[v] += !std::isnan(person->responses[v]), events[v] += person->responses[v] == 1;
  }
  Series series{
      "visit_counts", at, {{"visit", std::move(visit)}, {"participants", std::move(participants)}, {"n", std::move(n)}}};
  if (binary) series.columns.emplace_back("events", std::move(events));
  return series;
}

}  // namespace

std::vector<Series> visit_series(data::Dataset const& dataset, protocol::Endpoint const& endpoint) {
  const std::vector<std::string> visits = endpoint.visits.empty() ? std::vector{endpoint.at} : endpoint.visits;
  const std::vector<Person> people = people_of(dataset, visits);
  std::vector<std::string> const& arms = dataset.find("arm")->levels;
  std::vector<Series> trajectories, patterns, counts;
  for (std::size_t a = 0; a < arms.size(); ++a) {
    std::vector<Person const*> of_arm;
    for (Person const& person : people)
      if (person.arm == std::int32_t(a)) of_arm.push_back(&person);
    if (of_arm.empty()) continue;
    const At at{{"group", arms[a]}};
    trajectories.push_back(trajectory(at, of_arm));
    patterns.push_back(missing_pattern(at, of_arm));
    counts.push_back(visit_counts(at, of_arm, visits.size(), endpoint.kind == protocol::EndpointKind::binary));
  }
  for (std::vector<Series>* more : {&patterns, &counts})
    for (Series& series : *more) trajectories.push_back(std::move(series));
  return trajectories;
}

std::string responses_left_out(data::Dataset const& dataset, std::span<const std::size_t> rows) {
  std::vector<double> const& response = dataset.find("response")->numbers;
  std::vector<std::uint8_t> used(dataset.rows(), 0);
  for (const std::size_t row : rows) used[row] = 1;
  std::int64_t responses = 0;
  std::set<std::int32_t> people;
  for (std::size_t row = 0; row < dataset.rows(); ++row)
    if (!used[row] && !std::isnan(response[row])) ++responses, people.insert(dataset.find("participant")->codes[row]);
  if (responses == 0) return {};
  return fmt::format("{} response{} of {} participant{} left out, for a covariate that is missing.", responses,
                     responses == 1 ? "" : "s", people.size(), people.size() == 1 ? "" : "s");
}

}  // namespace equipoise::analysis
