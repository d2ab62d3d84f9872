#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "equipoise/stats/imputation/reference_based.h"
#include "equipoise/stats/testing.h"

/// A small longitudinal trial for the tests of imputation. Only tests include this.
namespace equipoise::stats::testing {

struct LongTrial {
  struct Person {
    std::int32_t arm = 0, site = 0;
    double base = 0;
    std::vector<double> y;
    std::size_t event = 0;  ///< first visit at or after it; as many as visits: none
    std::int32_t reason = missing_level;
    std::string name;
  };
  std::vector<std::string> arms{"placebo", "active"}, visits{"w1", "w2", "w3", "w4"}, sites{"n", "s"}, reasons{"effect", "harm"};
  std::vector<Person> people;

  /// Two arms of about half the people each; one in three leaves, most of them after an event.
  explicit LongTrial(std::uint64_t seed = 1, std::size_t n = 40, std::size_t m = 4) {
    visits.resize(m);
    std::mt19937_64 engine(seed * 7919 + 5);
    const auto uniform = [&] { return double(engine() >> 11) * 0x1p-53; };
    const auto normal = [&] {
      double sum = -6;
      for (int k = 0; k < 12; ++k) sum += uniform();
      return sum;
    };
    for (std::size_t i = 0; i < n; ++i) {
      Person person{.arm = std::int32_t(i % 2), .site = std::int32_t(engine() % 2), .base = 20 + 4 * normal(), .y = {}, .event = m, .name = {}};
      person.name = "p" + std::to_string(100 + i);
      const double own = 2 * normal();
      for (std::size_t j = 0; j < m; ++j) person.y.push_back(-1.0 * double(j) * (1 + person.arm) + 0.2 * person.base + own + 2 * normal());
      if (m > 1 && uniform() < 0.35) {
        const std::size_t from = 1 + std::size_t(uniform() * double(m - 1));
        for (std::size_t j = from; j < m; ++j) person.y[j] = missing_number;
        if (uniform() < 0.75) {
          person.event = from;
          person.reason = std::int32_t(engine() % 2);
        }
      }
      people.push_back(person);
    }
  }

  Table table() const {
    std::vector<double> y, base, ice;
    std::vector<std::int32_t> id, visit, arm, site, reason;
    std::vector<std::string> ids;
    for (Person const& person : people) ids.push_back(person.name);
    std::sort(ids.begin(), ids.end());
    for (Person const& person : people)
      for (std::size_t j = 0; j < visits.size(); ++j) {
        y.push_back(person.y[j]);
        base.push_back(person.base);
        ice.push_back(j >= person.event);
        id.push_back(std::int32_t(std::lower_bound(ids.begin(), ids.end(), person.name) - ids.begin()));
        visit.push_back(std::int32_t(j));
        arm.push_back(person.arm);
        site.push_back(person.site);
        reason.push_back(j >= person.event ? person.reason : missing_level);
      }
    Table made;
    made.numbers("y", y).numbers("base", base).numbers("ice", ice).category("id", ids, id).category("visit", visits, visit);
    made.category("arm", arms, arm).category("site", sites, site).category("reason", reasons, reason);
    return made;
  }

  Roles roles() const { return {{"response", {"y"}}, {"subject", {"id"}}, {"visit", {"visit"}}, {"group", {"arm"}}, {"ice", {"ice"}}}; }

  /// Options with the usual models; `more` replaces or adds.
  Keys options(Keys const& more = {}) const {
    std::string formula = "base + arm";
    Keys levels{{"arm", texts(arms)}};
    if (visits.size() > 1) {
      formula = "base + arm * visit";
      levels.push_back({"visit", texts(visits)});
    }
    Keys keys{{"strategy", text("jump_to_reference")},
              {"reference", text("placebo")},
              {"formula", text(formula)},
              {"levels", testing::table(levels)},
              {"covariance", text("unstructured")},
              {"analysis_formula", text("base + arm")}};
    for (auto const& [key, value] : more) {
      std::erase_if(keys, [&key = key](auto const& known) { return known.first == key; });
      if (!value.is_null()) keys.push_back({key, value});
    }
    return keys;
  }

  Expected<Answer> imputed(Keys const& more = {}) const {
    Table rows = table();
    return answer<ReferenceBasedImputation>(rows.frame(), roles(), options(more));
  }

  At difference(std::string const& visit) const {
    return {{"difference", LevelDifference{"arm", arms[1], arms[0]}}, {"within", Term{{"visit", visit}}}};
  }
  At mean(std::string const& arm, std::string const& visit) const { return {{"lsmean", Term{{"arm", arm}, {"visit", visit}}}}; }
};

}  // namespace equipoise::stats::testing
