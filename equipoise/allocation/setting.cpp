#include "equipoise/allocation/setting.h"

#include <algorithm>
#include <numeric>

#include "equipoise/allocation/method.h"
#include "equipoise/core/text.h"
#include "equipoise/protocol/factors.h"

namespace equipoise::allocation {
namespace {

using protocol::Protocol;
using protocol::RandomisationFactor;

/// A cap: a whole number from 0; no_cap when it is absent or wrong, which is reported.
std::int64_t read_cap(Section& caps, std::string_view key) { return caps.integer(key, {.min = 0, .max = 1e9}).value_or(no_cap); }

std::vector<std::int64_t> stated(std::vector<std::int64_t> caps) {
  if (std::ranges::all_of(caps, [](std::int64_t cap) { return cap == no_cap; })) caps.clear();
  return caps;
}

/// A factor is known when somebody is randomised: what its rule reads must be too.
void check_known(Protocol const& protocol, RandomisationFactor const& factor, Problems& problems) {
  for (std::string const& name : factor.rule->variables()) {
    const auto at = name.find('@');
    const protocol::Visit* visit = at == std::string::npos ? nullptr : protocol.visit(std::string_view(name).substr(at + 1));
    if (visit && visit->day.offset() > 0)
      add_problem(problems, factor.place, Code::inconsistent, "the factor '{}' reads '{}', and visit '{}' is after randomisation",
                  factor.id, name, visit->id);
    if (name == "arm" || name == "randomised" || name == "randomisation")
      add_problem(problems, factor.place, Code::inconsistent,
                  "the factor '{}' reads '{}', which is known only after randomisation", factor.id, name);
  }
}

void read_ratio(Section& section, Setting& setting) {
  setting.ratio.assign(setting.arms.size(), 1);
  bool fine = true;
  const Node* table = section.take("ratio");
  for (std::size_t a = 0; table && table->table() && a < setting.arms.size(); ++a) {
    const Node* value = table->find(setting.arms[a]);
    const auto number = value ? value->number() : std::nullopt;
    if (!number || !(*number > 0)) {
      fine = false;  // reported by the protocol
    } else if (const auto whole = value->integer(); whole && *whole <= 1000000) {
      setting.ratio[a] = int(*whole);
    } else {
      fine = false;
      add_problem(section.problems(), value->place(), Code::wrong_type,
                  "the ratio of arm '{}' is {}, and must be a whole number up to 1000000", setting.arms[a], shortest(*number))
          .hint = "write 1.5 : 1 as 3 : 2";
    }
  }
  int divisor = 0;
  std::int64_t sum = 0;
  for (const int share : setting.ratio) divisor = std::gcd(divisor, share);
  for (int& share : setting.ratio) sum += share /= std::max(divisor, 1);
  if (fine && sum > most_places) {
    fine = false;
    section.report_at("ratio", Code::out_of_range, "the sum of the ratio in its smallest terms must be at most {}, and is {}",
                      most_places, sum);
  }
  for (std::size_t a = 0; fine && a < setting.arms.size(); ++a)
    setting.place_arm.insert(setting.place_arm.end(), std::size_t(setting.ratio[a]), int(a));
}

void read_factor_caps(Protocol const& protocol, Section& section, Setting& setting) {
  const Node* list = section.take("factors");
  for (Factor& factor : setting.factors) {
    factor.caps.assign(factor.levels.size(), no_cap);
    for (std::size_t i = 0; factor.id == "site" && i < factor.levels.size(); ++i)
      for (protocol::Site const& site : protocol.sites)
        if (site.id == factor.levels[i] && site.cap) factor.caps[i] = *site.cap;
    for (std::size_t row = 0; list && list->array() && row < list->array()->size(); ++row) {
      Node const& node = (*list->array())[row];
      const Node *id = node.find("id"), *caps = node.find("caps");
      if (!id || !id->text() || *id->text() != factor.id || !caps) continue;
      if (!caps->table()) {
        add_problem(section.problems(), caps->place(), Code::wrong_type, "'caps' of factor '{}' must be a table, and is {}",
                    factor.id, caps->type_name());
        continue;
      }
      Section table(*caps, fmt::format("the caps of factor '{}'", factor.id), section.problems());
      for (std::size_t i = 0; i < factor.levels.size(); ++i)
        if (table.has(factor.levels[i])) factor.caps[i] = read_cap(table, factor.levels[i]);
        else table.allow(factor.levels[i]);
      table.finish();
    }
    factor.caps = stated(std::move(factor.caps));
  }
}

}  // namespace

Setting read_setting(Protocol const& protocol, Section& section) {
  Setting setting;
  for (protocol::Arm const& arm : protocol.arms)
    if (std::ranges::find(setting.arms, arm.id) == setting.arms.end()) setting.arms.push_back(arm.id);
  setting.planned = protocol.trial.planned_participants.value_or(0);
  read_ratio(section, setting);
  for (RandomisationFactor const& factor : protocol.randomisation_factors) {
    if (factor.rule) check_known(protocol, factor, section.problems());
    std::vector<std::string> levels = protocol::levels_of(protocol, factor);
    if (levels.empty() && factor.rule && factor.rule->type() == expression::Type::code)
      add_problem(section.problems(), factor.place, Code::inconsistent,
                  "the protocol does not list the levels of the factor '{}'", factor.id);
    setting.factors.push_back({.id = factor.id, .levels = std::move(levels), .caps = {}});
  }
  for (Factor const& factor : setting.factors) {
    setting.strata *= std::max<std::size_t>(factor.levels.size(), 1);
    setting.strata = std::min(setting.strata, most_strata + 1);
  }
  if (auto caps = section.table("caps", "the caps of " + section.name())) {
    for (std::string const& arm : setting.arms) {
      if (caps->has(arm)) setting.caps.push_back(read_cap(*caps, arm));
      else caps->allow(arm), setting.caps.push_back(no_cap);
    }
    caps->finish();
    setting.caps = stated(std::move(setting.caps));
  }
  read_factor_caps(protocol, section, setting);
  return setting;
}

}  // namespace equipoise::allocation
