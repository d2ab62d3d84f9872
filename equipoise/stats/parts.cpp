#include "equipoise/stats/parts.h"

#include <algorithm>

namespace equipoise::stats {

bool check_roles(MethodCard const& card, Roles const& roles, Section& options) {
  bool good = true;
  const auto bad = [&]<class... Args>(Code code, fmt::format_string<Args...> text, Args&&... args) {
    add_problem(options.problems(), options.place(), code, text, std::forward<Args>(args)...);
    good = false;
  };
  for (auto const& [name, columns] : roles) {
    const auto known =
        std::find_if(card.roles.begin(), card.roles.end(), [&name = name](RoleCard const& role) { return role.name == name; });
    if (known == card.roles.end()) bad(Code::unknown_key, "{} has no role '{}'", card.keyword, name);
    else if (columns.empty() || std::find(columns.begin(), columns.end(), "") != columns.end())
      bad(Code::missing_key, "the role '{}' of {} has no column", name, card.keyword);
    else if (columns.size() > 1 && name != "strata" && name != "factors")
      bad(Code::inconsistent, "the role '{}' of {} takes one column, and has {}", name, card.keyword, columns.size());
  }
  for (RoleCard const& role : card.roles)
    if (role.presence == Presence::required && !roles.contains(role.name))
      bad(Code::missing_key, "{} needs a column for the role '{}' ({})", card.keyword, role.name, role.help);
  return good;
}

std::string role(Roles const& roles, std::string_view name) {
  const auto found = roles.find(name);
  return found == roles.end() || found->second.empty() ? std::string() : found->second.front();
}

std::vector<std::string> role_columns(Roles const& roles, std::string_view name) {
  const auto found = roles.find(name);
  return found == roles.end() ? std::vector<std::string>() : found->second;
}

bool add_need(std::vector<ColumnNeed>& needs, ColumnNeed need, Section& options) {
  if (need.name.empty()) return true;
  for (ColumnNeed& already : needs) {
    if (already.name != need.name) continue;
    if (already.need != need.need) {
      add_problem(options.problems(), options.place(), Code::inconsistent,
                  "{} takes column '{}' both as a number and as a category", options.name(), need.name)
          .hint = "a column of the formula is a category when `levels` lists its levels";
      return false;
    }
    if (already.levels.empty()) already.levels = std::move(need.levels);
    return true;
  }
  needs.push_back(std::move(need));
  return true;
}

std::optional<Difference> parse_difference(Section& options, bool required) {
  if (!options.has("difference")) {
    if (required) options.need("difference");
    else options.allow("difference");
    return {};
  }
  auto table = options.table("difference", "difference of " + options.name());
  if (!table) return {};
  const auto level = table->need_text("level");
  const auto minus = table->need_text("minus");
  table->finish();
  if (!level || !minus) return {};
  if (*level == *minus) {
    options.report_at("difference", Code::inconsistent, "the difference compares '{}' with itself", *level);
    return {};
  }
  return Difference{*level, *minus};
}

Expected<DifferenceCodes> find_levels(Difference const& difference, CategoriesView const& groups, std::string_view column) {
  const auto code_of = [&](std::string const& level) {
    const auto found = std::find(groups.levels.begin(), groups.levels.end(), level);
    return found == groups.levels.end() ? missing_level : std::int32_t(found - groups.levels.begin());
  };
  const DifferenceCodes codes{code_of(difference.level), code_of(difference.minus)};
  for (auto const& [code, level] : {std::pair(codes.level, &difference.level), std::pair(codes.minus, &difference.minus)})
    if (code == missing_level)
      return fail(Code::unresolved, "'{}' is not a level of column '{}'; its levels are {}", *level, column,
                  groups.levels.empty() ? "none" : quoted({groups.levels.begin(), groups.levels.end()}));
  return codes;
}

std::optional<std::map<std::string, double>> parse_scores(Section& options, std::string_view key, bool required) {
  if (!options.has(key)) {
    if (required) options.need(key);
    else options.allow(key);
    return {};
  }
  auto table = options.table(key, fmt::format("{} of {}", key, options.name()));
  if (!table) return {};
  std::map<std::string, double> scores;
  const std::size_t before = options.problems().size();
  for (Node::Member const& member : *table->node().table())
    if (const auto score = table->number(member.key)) scores[member.key] = *score;
  if (scores.empty() && options.problems().size() == before)
    options.report_at(key, Code::no_data, "'{}' gives no group a score", key);
  return options.problems().size() == before ? std::optional(scores) : std::nullopt;
}

Expected<std::vector<double>> scores_by_level(std::map<std::string, double> const& scores, CategoriesView const& groups,
                                              std::string_view column) {
  std::vector<bool> present(groups.levels.size(), false);
  for (const std::int32_t code : groups.codes) present[std::size_t(code)] = true;
  std::vector<double> by_level(groups.levels.size(), missing_number);
  std::vector<std::string> without;
  for (std::size_t g = 0; g < groups.levels.size(); ++g) {
    const auto found = scores.find(groups.levels[g]);
    if (found != scores.end()) by_level[g] = found->second;
    else if (present[g]) without.push_back(groups.levels[g]);
  }
  if (!without.empty()) return fail(Code::unresolved, "no score is given to {} of column '{}'", quoted(without), column);
  for (auto const& [group, score] : scores)
    if (std::find(groups.levels.begin(), groups.levels.end(), group) == groups.levels.end())
      return fail(Code::unresolved, "a score is given to '{}', which is not a level of column '{}'", group, column);
  return by_level;
}

double parse_level(Section& options) { return options.number("level", Limits::open(0, 1)).value_or(0.95); }

std::string_view default_of(Match match) {
  switch (match) {
    case Match::r:
      return "the default of R (match = \"r\")";
    case Match::sas:
      return "the default of SAS (match = \"sas\")";
    case Match::equipoise:
      break;
  }
  return "the default";
}

std::string quoted(std::vector<std::string> const& names) {
  std::vector<std::string> in_quotes;
  constexpr std::size_t shown = 12;  // a sentence, not a listing
  for (std::size_t i = 0; i < std::min(names.size(), shown); ++i) in_quotes.push_back(fmt::format("'{}'", names[i]));
  if (names.size() > shown) in_quotes.push_back(fmt::format("{} more", names.size() - shown));
  return one_of(in_quotes, "and");
}

}  // namespace equipoise::stats
