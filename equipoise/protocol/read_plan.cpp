#include <algorithm>
#include <array>

#include "equipoise/protocol/reader.h"

namespace equipoise::protocol {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> roles{{{"primary", "primary"},
                                                                              {"secondary", "secondary"},
                                                                              {"sensitivity", "sensitivity"},
                                                                              {"supportive", "supportive"},
                                                                              {"exploratory", "exploratory"},
                                                                              {"safety", "safety"}}};

/// On what the analysis runs: an estimand, or an endpoint in a set.
void read_question(Reader& reader, Section& section, Analysis& analysis) {
  if (const auto estimand = section.filled_text("estimand")) {
    analysis.estimand = *estimand;
    for (const std::string_view key : {"endpoint", "set"})
      if (section.take(key))
        section.report_at(key, Code::inconsistent, "'{}' of {} follows from its estimand", key, section.name());
    if (!reader.resolves(*estimand, ids_of(reader.protocol.estimands), "estimand", section.place_of("estimand"))) return;
    analysis.endpoint = reader.protocol.estimand(*estimand)->endpoint;
    analysis.set = reader.protocol.estimand(*estimand)->set;
    return;
  }
  if (!section.has("endpoint") && !section.has("set")) {
    add_problem(reader.problems, section.place(), Code::missing_key, "{} needs the key 'estimand', or 'endpoint' and 'set'",
                section.name());
    section.allow("endpoint"), section.allow("set");
    return;
  }
  if (const auto endpoint = section.need_text("endpoint"))
    analysis.endpoint = *endpoint,
    reader.resolves(*endpoint, ids_of(reader.protocol.endpoints), "endpoint", section.place_of("endpoint"));
  if (const auto set = section.need_text("set"))
    analysis.set = *set, reader.resolves(*set, ids_of(reader.protocol.sets), "analysis set", section.place_of("set"));
}

void read_analyses(Reader& reader, Section& root) {
  std::set<std::string> seen;
  for (Section& section : root.tables("analysis", "analysis")) {
    Analysis analysis{.section = section.node(), .place = section.place()};
    analysis.id = section.id("id").value_or("");
    section.rename(fmt::format("analysis '{}'", analysis.id));
    if (!analysis.id.empty()) reader.unique(seen, analysis.id, "analyses", section.place_of("id"));
    section.need("role");
    analysis.role = section.word<std::string_view>("role", roles).value_or("");
    analysis.method = section.need_text("method").value_or("");
    analysis.method_place = section.place_of("method");
    analysis.label = reader.text(section, "label");
    read_question(reader, section, analysis);
    constexpr std::array<std::pair<std::string_view, std::string_view>, 1> by{{{"arm", "arm"}}};
    analysis.by = section.word<std::string_view>("by", by).value_or("");
    analysis.after = section.filled_text("after").value_or("");
    reader.protocol.analyses.push_back(std::move(analysis));  // the method's owner reads the other keys
  }
}

/// The arms that an analysis compares with the control: one null hypothesis each.
std::vector<std::string> compared_arms(Protocol const& protocol, Analysis const& analysis) {
  if (const Estimand* estimand = protocol.estimand(analysis.estimand)) return estimand->compare;
  std::vector<std::string> arms;
  for (Arm const& arm : protocol.arms)
    if (arm.role == ArmRole::investigational) arms.push_back(arm.id);
  return arms;
}

using Hypotheses = std::set<std::pair<std::string, std::string>>;  ///< of an analysis and an arm

/// Reads one hypothesis and adds what it covers.
void read_hypothesis(Reader& reader, Section& row, bool needs_weight, std::set<std::string>& ids, double& total,
                     Hypotheses& covered) {
  Protocol const& protocol = reader.protocol;
  const auto id = row.id("id");
  if (id) reader.unique(ids, *id, "hypotheses", row.place_of("id"));
  row.rename(fmt::format("hypothesis '{}'", id.value_or("")));
  const auto name = row.need_text("analysis");
  const auto arm = row.filled_text("arm");
  const bool known_arm = arm && reader.resolves(*arm, ids_of(protocol.arms), "arm", row.place_of("arm"));
  if (name && reader.resolves(*name, ids_of(protocol.analyses), "analysis", row.place_of("analysis"))) {
    const std::vector<std::string> arms = compared_arms(protocol, *std::ranges::find(protocol.analyses, *name, &Analysis::id));
    if (known_arm && std::ranges::find(arms, *arm) == arms.end())
      row.report_at("arm", Code::inconsistent, "analysis '{}' does not compare arm '{}'", *name, *arm);
    else if (!row.has("arm") && arms.size() > 1)
      add_problem(reader.problems, row.place(), Code::missing_key, "{} needs the key 'arm': analysis '{}' compares {} arms",
                  row.name(), *name, arms.size());
    else if (known_arm || arms.size() == 1)
      if (!covered.emplace(*name, known_arm ? *arm : arms.front()).second)
        add_problem(reader.problems, row.place(), Code::duplicate, "{} is that of another hypothesis again", row.name());
  }
  total += row.number("weight", {.min = 0, .max = 1}).value_or(0);
  if (needs_weight && !row.has("weight"))
    add_problem(reader.problems, row.place(), Code::missing_key,
                "{} needs the key 'weight': the share of alpha that it begins with", row.name());
  row.finish();
}

void read_multiplicity(Reader& reader, Section& root) {
  Protocol& protocol = reader.protocol;
  std::size_t primary = 0;
  for (Analysis const& analysis : protocol.analyses)
    if (analysis.role == "primary") primary += compared_arms(protocol, analysis).size();
  auto section = root.table("multiplicity", "[multiplicity]");
  if (!section) {
    if (primary > 1) {
      const auto first = std::ranges::find(protocol.analyses, "primary", &Analysis::role);
      add_problem(reader.problems, first->place, Code::missing_key,
                  "the plan tests {} primary hypotheses, and no [multiplicity] section says how their error rate is kept",
                  primary);
    }
    return;
  }
  const auto method = section->need_text("method");
  protocol.multiplicity = MethodSection{method.value_or(""), section->node(), section->place_of("method")};
  std::set<std::string> ids;
  double total = 0;
  Hypotheses covered;
  for (Section& row : section->tables("hypotheses", "hypothesis"))
    read_hypothesis(reader, row, method == "graphical", ids, total, covered);
  for (Analysis const& analysis : protocol.analyses) {
    if (analysis.role != "primary" || analysis.id.empty()) continue;
    const std::vector<std::string> arms = compared_arms(protocol, analysis);
    for (std::string const& arm : arms)
      if (!covered.contains({analysis.id, arm}))
        section->report_at("hypotheses", Code::inconsistent, "no hypothesis of [multiplicity] covers the primary analysis '{}'{}",
                           analysis.id, arms.size() > 1 ? fmt::format(" of arm '{}'", arm) : "");
  }
  if (total > 1 + 1e-12)
    section->report_at("hypotheses", Code::out_of_range, "the weights of the hypotheses add up to {}, and must not exceed 1",
                       shortest(total));
  std::vector<std::string> known(ids.begin(), ids.end());
  for (Section& row : section->tables("edges", "edge")) {
    for (const std::string_view end : {"from", "to"})
      if (const auto id = row.need_text(end)) reader.resolves(*id, known, "hypothesis", row.place_of(end));
    const Node* weight = row.need("weight");
    const bool small = weight && weight->text() && *weight->text() == "epsilon";  // a share that goes to 0
    if (weight && !small) row.number("weight", {.min = 0, .max = 1});
    row.finish();
  }
}

void read_design(Reader& reader, Section& root) {
  auto section = root.table("design", "[design]");
  if (!section) return;
  const auto method = section->need_text("method");
  reader.protocol.design = MethodSection{method.value_or(""), section->node(), section->place_of("method")};
  if (const auto analysis = section->filled_text("analysis"))
    reader.resolves(*analysis, ids_of(reader.protocol.analyses), "analysis", section->place_of("analysis"));
}

void read_scenarios(Reader& reader, Section& root) {
  std::map<std::string, std::string> parent;
  std::map<std::string, std::string> model;
  for (Section& section : root.tables("scenario", "scenario")) {
    const auto id = section.id("id", true);
    section.rename(fmt::format("scenario '{}'", id.value_or("")));
    const bool again = id && model.contains(*id);
    if (again) section.report_at("id", Code::duplicate, "the id '{}' is given to two scenarios", *id);
    const auto extends = section.filled_text("extends");
    std::vector<std::string> earlier;
    for (auto const& [name, unused] : model) earlier.push_back(name);
    const bool known = extends && reader.resolves(*extends, earlier, "earlier scenario", section.place_of("extends"));
    std::string keyword = section.filled_text("model").value_or(known ? model[*extends] : "");
    if (!extends) section.need("model");
    if (id) model[*id] = keyword;
    reader.protocol.scenarios.push_back(
        {keyword, section.node(), section.has("model") ? section.place_of("model") : section.place()});
  }
}

/// A section that the room which owns it reads.
std::optional<MethodSection> whole_section(Section& root, std::string const& key) {
  const auto section = root.table(key, "[" + key + "]");
  if (!section) return {};
  return MethodSection{"", section->node(), section->place()};
}

void read_report(Reader& reader, Section& root) {
  auto section = root.table("report", "[report]");
  if (!section) return;
  ReportPlan& plan = reader.protocol.report;
  plan.title = reader.text(*section, "title");
  static const std::vector<std::string> known{"synopsis", "flow", "baseline", "endpoints", "analyses", "safety", "provenance"};
  if (const auto sections = section->texts("sections")) {
    const Node* list = section->node().find("sections");
    for (std::size_t i = 0; i < sections->size(); ++i)
      reader.resolves((*sections)[i], known, "report section", (*list->array())[i].place());
    plan.sections = *sections;
  }
  if (const auto items = section->texts("baseline")) {
    const Node* list = section->node().find("baseline");
    for (std::size_t i = 0; i < items->size(); ++i) {
      const Place place = (*list->array())[i].place();
      const auto split = (*items)[i].find('@');
      const std::string name = (*items)[i].substr(0, split),
                        visit = split == std::string::npos ? "" : (*items)[i].substr(split + 1);
      const ProtocolNames names(reader.protocol);
      if (name == "site" && visit.empty()) continue;
      if (!reader.resolves(name, names.all_variables(), "item or derivation", place)) continue;
      if (visit.empty())
        add_problem(reader.problems, place, Code::missing_key, "say at which visit '{}' is read: '{}@visit'", name, name);
      else if (reader.resolves(visit, ids_of(reader.protocol.visits), "visit", place) && !names.collected(name, visit))
        add_problem(reader.problems, place, Code::unresolved, "'{}' is not collected at visit '{}'", name, visit);
      if (const auto variable = names.variable(name);
          variable && (variable->type == expression::Type::date || variable->type == expression::Type::text))
        add_problem(reader.problems, place, Code::wrong_type,
                    "'{}' is a {}, and the baseline table summarises numbers and categories", name,
                    variable->type == expression::Type::date ? "date" : "text");
    }
    plan.baseline = *items;
  }
  if (auto decimals = section->table("decimals", "'decimals' of [report]")) {
    const auto read = [&](std::string_view key, double most) -> std::optional<int> {
      const auto given = decimals->integer(key, {.min = 0, .max = most});
      return given ? std::optional(int(*given)) : std::nullopt;
    };
    plan.decimals = {.percent = read("percent", 3),
                     .mean = read("mean", most_decimals),
                     .sd = read("sd", most_decimals),
                     .median = read("median", most_decimals),
                     .range = read("range", most_decimals)};
    decimals->finish();
  }
  section->finish();
}

}  // namespace

void read_plan(Reader& reader, Section& root) {
  read_analyses(reader, root);
  read_multiplicity(reader, root);
  read_design(reader, root);
  read_scenarios(reader, root);
  read_claims(reader, root);
  reader.protocol.rehearsal = whole_section(root, "rehearsal");
  reader.protocol.monitoring = whole_section(root, "monitoring");
  read_report(reader, root);
}

}  // namespace equipoise::protocol
