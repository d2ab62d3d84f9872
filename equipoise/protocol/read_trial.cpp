#include <algorithm>
#include <array>

#include "equipoise/protocol/reader.h"
#include "equipoise/protocol/units.h"

namespace equipoise::protocol {
namespace {

constexpr std::array<std::pair<std::string_view, ArmRole>, 4> arm_roles{{{"investigational", ArmRole::investigational},
                                                                         {"placebo_control", ArmRole::placebo_control},
                                                                         {"active_control", ArmRole::active_control},
                                                                         {"no_treatment", ArmRole::no_treatment}}};

void read_head(Reader& reader, Section& root) {
  Trial& trial = reader.protocol.trial;
  if (!root.need("trial")) return;
  auto section = root.table("trial", "[trial]");
  if (!section) return;
  if (const auto languages = section->texts("languages")) {
    trial.languages = *languages;
    for (std::string const& language : *languages)
      if (language.size() < 2 || language.size() > 8 || !is_id(language, true))
        section->report_at("languages", Code::syntax, "'{}' is not a language code such as en or zh", language);
    std::set<std::string> seen;
    for (std::string const& language : *languages)
      if (!seen.insert(language).second)
        section->report_at("languages", Code::duplicate, "the language '{}' is given twice", language);
    if (languages->empty()) {
      section->report_at("languages", Code::out_of_range, "a trial has at least one language");
      trial.languages = {"en"};
    }
  }
  trial.id = section->id("id", true).value_or("");
  section->need("title");
  trial.title = reader.text(*section, "title");
  trial.registry = section->text("registry").value_or("");
  trial.phase = section->text("phase").value_or("");
  trial.version = section->need_text("version").value_or("");
  trial.planned_participants = section->integer("planned_participants", Limits::at_least(1));
  trial.simulated = section->flag("simulated").value_or(false);
  section->finish();
}

void read_conventions(Reader& reader, Section& root) {
  Conventions& c = reader.protocol.conventions;
  auto section = root.table("conventions", "[conventions]");
  if (!section) return;
  c.alpha = section->number("alpha", Limits::open(0, 1)).value_or(c.alpha);
  if (const auto sided = section->integer("sided", {.min = 1, .max = 2}); sided && *sided == 1)
    section->report_at("sided", Code::not_available, "this build's tests are two-sided: sided = 2");
  c.confidence = section->number("confidence", Limits::open(0, 1)).value_or(c.confidence);
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> programs{
      {{"equipoise", "equipoise"}, {"r", "r"}, {"sas", "sas"}}};
  c.match = section->word<std::string_view>("match", programs).value_or(c.match);
  c.month_days = section->number("month_days", {.min = 28, .max = 31}).value_or(c.month_days);
  c.below_limit = section->word<LimitRule>("below_limit", below_limit_rules).value_or(c.below_limit);
  c.above_limit = section->word<LimitRule>("above_limit", above_limit_rules).value_or(c.above_limit);
  section->finish();
}

std::optional<Dose> read_dose(Section& arm) {
  auto section = arm.table("dose", "the dose of " + arm.name());
  if (!section) return {};
  const auto amount = section->need_number("amount", Limits::at_least(0));
  const auto unit = section->need_text("unit");
  section->finish();
  if (unit)
    if (auto fine = check_unit(*unit); !fine)
      section->problems().push_back(std::move(fine.error()).at(section->place_of("unit")));
  if (!amount || !unit) return {};
  return Dose{*amount, *unit};
}

void read_arms(Reader& reader, Section& root) {
  std::vector<Arm>& arms = reader.protocol.arms;
  if (!root.need("arm")) return;
  std::set<std::string> seen;
  for (Section& section : root.tables("arm", "arm")) {
    Arm arm{.place = section.place()};
    arm.id = section.id("id").value_or("");
    section.rename(fmt::format("arm '{}'", arm.id));
    if (!arm.id.empty()) reader.unique(seen, arm.id, "arms", section.place_of("id"));
    section.need("role");
    arm.role = section.word<ArmRole>("role", arm_roles).value_or(ArmRole::investigational);
    arm.label = reader.text(section, "label");
    if (arm.label.empty()) arm.label = {{{reader.protocol.trial.languages.front(), arm.id}}};
    arm.dose = read_dose(section);
    section.finish();
    const auto first = std::ranges::find_if(arms, [](Arm const& other) { return other.dose.has_value(); });
    if (arm.dose && first != arms.end() && first->dose->unit != arm.dose->unit)
      add_problem(reader.problems, section.node().find("dose")->place(), Code::unit_mismatch,
                  "the dose of arm '{}' is in {}, and that of arm '{}' in {}: doses of different units do not compare", arm.id,
                  arm.dose->unit, first->id, first->dose->unit);
    arms.push_back(std::move(arm));
  }
  if (arms.size() < 2)
    add_problem(reader.problems, root.place_of("arm"), Code::out_of_range,
                "a randomised trial has at least two arms, and this one has {}", arms.size());
}

void read_sites(Reader& reader, Section& root) {
  auto section = root.table("sites", "[sites]");
  if (!section) return;
  std::set<std::string> seen;
  for (Section& row : section->tables("site", "site")) {
    Site site;
    site.id = row.id("id").value_or("");
    row.rename(fmt::format("site '{}'", site.id));
    if (!site.id.empty()) reader.unique(seen, site.id, "sites", row.place_of("id"));
    site.name = row.text("name").value_or(site.id);
    site.time_zone = row.text("time_zone").value_or("");
    site.cap = row.integer("cap", Limits::at_least(1));
    site.planned_per_month = row.number("planned_per_month", Limits::at_least(0));
    row.finish();
    reader.protocol.sites.push_back(std::move(site));
  }
  section->finish();
}

}  // namespace

void read_trial(Reader& reader, Section& root) {
  read_head(reader, root);
  read_conventions(reader, root);
  read_arms(reader, root);
  read_sites(reader, root);
}

}  // namespace equipoise::protocol
