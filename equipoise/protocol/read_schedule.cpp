#include <algorithm>
#include <array>
#include <cmath>

#include "equipoise/protocol/reader.h"
#include "equipoise/protocol/units.h"

namespace equipoise::protocol {
namespace {

constexpr std::array<std::pair<std::string_view, ItemKind>, 6> kinds{{{"number", ItemKind::number},
                                                                      {"integer", ItemKind::integer},
                                                                      {"code", ItemKind::code},
                                                                      {"flag", ItemKind::flag},
                                                                      {"date", ItemKind::date},
                                                                      {"text", ItemKind::text}}};

void check(Reader& reader, std::string const& unit, Place const& place) {
  if (auto fine = check_unit(unit); !fine) reader.problems.push_back(std::move(fine.error()).at(place));
}

std::optional<std::pair<double, double>> limits_of(Section& item, std::string_view key) {
  const auto pair = item.numbers(key);
  if (!pair) return {};
  if (pair->size() == 2 && (*pair)[0] <= (*pair)[1]) return std::pair((*pair)[0], (*pair)[1]);
  item.report_at(key, Code::out_of_range, "'{}' in {} must be [lowest, highest]", key, item.name());
  return {};
}

/// codes = [["F", "Female", "女"], ...]: the code, then its label in each language.
void read_codes(Reader& reader, Section& section, Item& item) {
  const Node* list = section.take("codes");
  if (!list) {
    if (item.kind == ItemKind::code)
      add_problem(reader.problems, section.place(), Code::missing_key, "{} is a code, and needs the key 'codes'", section.name());
    return;
  }
  if (!list->array()) {
    section.report_at("codes", Code::wrong_type, "'codes' in {} must be a list of [code, label], and is {}", section.name(),
                      list->type_name());
    return;
  }
  if (list->array()->empty()) section.report_at("codes", Code::out_of_range, "'codes' in {} must not be empty", section.name());
  std::set<std::string> seen;
  for (Node const& row : *list->array()) {
    const Node::Array* cells = row.array();
    const bool texts = cells && !cells->empty() && std::ranges::all_of(*cells, [](Node const& n) { return n.text() != nullptr; });
    if (!texts || cells->size() > reader.protocol.trial.languages.size() + 1) {
      add_problem(reader.problems, row.place(), Code::wrong_type,
                  "a code of {} must be [code, label] with one label for each language of the trial", section.name());
      continue;
    }
    CodeValue code{.id = *cells->front().text(), .label = {}};
    for (std::size_t i = 1; i < cells->size(); ++i)
      code.label.in_language.emplace_back(reader.protocol.trial.languages[i - 1], *(*cells)[i].text());
    if (code.label.empty()) code.label.in_language.emplace_back(reader.protocol.trial.languages.front(), code.id);
    if (!seen.insert(code.id).second)
      add_problem(reader.problems, row.place(), Code::duplicate, "the code '{}' of {} is given twice", code.id, section.name());
    item.codes.push_back(std::move(code));
  }
}

Item read_item(Reader& reader, std::string const& form, Node::Member const& member) {
  Item item{.id = member.key, .form = form, .place = member.place};
  reader.nameable(item.id, member.place);
  Section section(member.value, fmt::format("item '{}'", item.id), reader.problems);
  section.need("kind");
  const auto kind = section.word<ItemKind>("kind", kinds);
  item.kind = kind.value_or(ItemKind::number);
  const bool numeric = item.kind == ItemKind::number || item.kind == ItemKind::integer;
  item.label = reader.text(section, "label");
  if (item.label.empty()) item.label = {{{reader.protocol.trial.languages.front(), item.id}}};
  item.required = section.flag("required").value_or(false);
  if (const auto unit = section.filled_text("unit")) item.unit = *unit, check(reader, *unit, section.place_of("unit"));
  if (const Node* also = section.take("also")) {
    const Node::Array* rows = also->array();
    if (!rows) section.report_at("also", Code::wrong_type, "'also' in {} must be a list of [unit, factor]", section.name());
    else
      for (Node const& row : *rows) {
        const Node::Array* cells = row.array();
        if (!cells || cells->size() != 2 || !(*cells)[0].text() || !(*cells)[1].number() || *(*cells)[1].number() <= 0) {
          add_problem(reader.problems, row.place(), Code::wrong_type, "'also' in {} must be a list of [unit, factor above 0]",
                      section.name());
          continue;
        }
        item.also.emplace_back(*(*cells)[0].text(), *(*cells)[1].number());
        check(reader, item.also.back().first, (*cells)[0].place());
      }
  }
  item.hard = limits_of(section, "hard");
  item.soft = limits_of(section, "soft");
  if (item.hard && item.soft && (item.soft->first < item.hard->first || item.soft->second > item.hard->second))
    section.report_at("soft", Code::inconsistent, "the soft limits of {} reach beyond its hard limits", section.name());
  item.detection_limit = section.number("detection_limit", Limits::above(0));
  item.below_limit = section.word<LimitRule>("below_limit", below_limit_rules);
  item.above_limit = section.word<LimitRule>("above_limit", above_limit_rules);
  constexpr std::array<std::pair<std::string_view, Worst>, 2> ends{{{"lowest", Worst::lowest}, {"highest", Worst::highest}}};
  item.worst = section.word<Worst>("worst", ends).value_or(Worst::unstated);
  for (const std::string_view key : {"below_limit", "above_limit"})
    if (section.has(key) && numeric && !section.has("detection_limit"))
      section.report_at(key, Code::inconsistent,
                        "'{}' says what a value beyond a limit counts as, and {} has no 'detection_limit'", key, section.name());
  item.step = section.number("step", Limits::above(0));
  item.max_length = section.integer("max", Limits::at_least(1));
  read_codes(reader, section, item);
  section.finish();
  if (kind && !numeric)
    for (const std::string_view key :
         {"unit", "also", "hard", "soft", "detection_limit", "below_limit", "above_limit", "worst", "step"})
      if (section.has(key))
        section.report_at(key, Code::inconsistent, "'{}' belongs to a number, and {} is a {}", key, section.name(),
                          *section.node().find("kind")->text());
  if (kind && item.kind != ItemKind::code && section.has("codes"))
    section.report_at("codes", Code::inconsistent, "'codes' belong to a code, and {} is a {}", section.name(),
                      *section.node().find("kind")->text());
  return item;
}

void read_forms(Reader& reader, Section& root) {
  const Node* forms = root.take("form");
  if (!forms) return;
  if (!forms->table()) {
    root.report_at("form", Code::wrong_type, "forms are written as tables: [form.vitals]");
    return;
  }
  std::set<std::string> seen;
  for (Node::Member const& member : *forms->table()) {
    Form form{.id = member.key, .place = member.place};
    if (!is_id(form.id))
      add_problem(reader.problems, member.place, Code::syntax, "the id '{}' must begin with a-z and go on with a-z, 0-9 or '_'",
                  form.id);
    form.label = {{{reader.protocol.trial.languages.front(), form.id}}};
    const Node::Table* items = member.value.table();
    if (!items) {
      add_problem(reader.problems, member.place, Code::wrong_type, "form '{}' must be a table of items", form.id);
      continue;
    }
    for (Node::Member const& item : *items) {
      if (item.key == "label" && !item.value.find("kind")) {
        Section section(member.value, fmt::format("form '{}'", form.id), reader.problems);
        form.label = reader.text(section, "label");
      } else if (!item.value.table()) {
        add_problem(reader.problems, item.place, Code::wrong_type,
                    "item '{}' of form '{}' must be a table such as {{ kind = \"number\" }}", item.key, form.id);
      } else {
        reader.unique(seen, item.key, "items", item.place);
        form.items.push_back(read_item(reader, form.id, item));
      }
    }
    reader.protocol.forms.push_back(std::move(form));
  }
}

Visit read_visit(Reader& reader, Section& section) {
  Visit visit{.place = section.place()};
  visit.id = section.id("id").value_or("");
  section.rename(fmt::format("visit '{}'", visit.id));
  visit.epoch = section.filled_text("epoch").value_or("");
  if (!visit.epoch.empty()) reader.resolves(visit.epoch, reader.protocol.epochs, "epoch", section.place_of("epoch"));
  section.need("day");
  if (const auto day = section.integer("day", {.min = -36500, .max = 36500})) {
    if (const auto study_day = StudyDay::from(int(*day))) visit.day = *study_day;
    else
      section.report_at("day", Code::out_of_range,
                        "there is no study day 0: day 1 is the day of randomisation, and day -1 the day before");
  }
  visit.has_window = section.has("window");
  if (const auto window = section.numbers("window", {.min = 0, .max = 3650})) {
    if (std::ranges::any_of(*window, [](double days) { return std::trunc(days) != days; }))
      section.report_at("window", Code::out_of_range, "'window' in {} must be in whole days", section.name());
    else if (window->size() == 2) visit.days_before = int((*window)[0]), visit.days_after = int((*window)[1]);
    else section.report_at("window", Code::out_of_range, "'window' in {} must be [days before, days after]", section.name());
  }
  visit.label = reader.text(section, "label");
  if (visit.label.empty()) visit.label = {{{reader.protocol.trial.languages.front(), visit.id}}};
  if (const auto forms = section.texts("forms")) {
    visit.forms = *forms;
    const Node* list = section.node().find("forms");
    for (std::size_t i = 0; i < forms->size(); ++i)
      reader.resolves((*forms)[i], ids_of(reader.protocol.forms), "form", (*list->array())[i].place());
  }
  section.finish();
  return visit;
}

/// A day must belong to at most one visit, and visits come in the order of their days.
void check_windows(Reader& reader) {
  std::vector<Visit> const& visits = reader.protocol.visits;
  for (std::size_t i = 1; i < visits.size(); ++i) {
    Visit const &before = visits[i - 1], &after = visits[i];
    const int last = before.day.offset() + before.days_after, first = after.day.offset() - after.days_before;
    if (after.day <= before.day)
      add_problem(reader.problems, after.place, Code::inconsistent,
                  "visit '{}' (day {}) comes after visit '{}' (day {}) in the schedule, and not in time", after.id,
                  after.day.day(), before.id, before.day.day());
    else if (first <= last)
      add_problem(reader.problems, after.place, Code::inconsistent,
                  "the windows of visits '{}' (to day {}) and '{}' (from day {}) overlap", before.id,
                  StudyDay::from_offset(last).day(), after.id, StudyDay::from_offset(first).day());
  }
}

/// After which dated events a participant is gone. Absent: those of the usual names that the trial's dated events have.
void read_ends_of_participation(Reader& reader, Section& schedule) {
  const std::vector<std::string> events = dated_events(reader.protocol);
  std::vector<std::string>& ends = reader.protocol.ends_participation;
  if (!schedule.has("ends_participation")) {
    schedule.allow("ends_participation");
    for (const char* name : {"study_stop", "withdrawal", "lost_to_follow_up", "death"})
      if (std::ranges::find(events, name) != events.end()) ends.emplace_back(name);
    return;
  }
  const auto named = schedule.texts("ends_participation");
  if (!named) return;
  const Node* list = schedule.node().find("ends_participation");
  std::set<std::string> seen;
  for (std::size_t i = 0; i < named->size(); ++i) {
    const Place place = (*list->array())[i].place();
    reader.resolves((*named)[i], events, "dated event", place);
    if (!seen.insert((*named)[i]).second)
      add_problem(reader.problems, place, Code::duplicate, "'{}' is named twice in 'ends_participation'", (*named)[i]);
  }
  ends = *named;
}

void read_visits(Reader& reader, Section& root) {
  std::set<std::string> seen;
  for (Section& section : root.tables("epoch", "epoch")) {
    if (const auto id = section.id("id")) {
      reader.unique(seen, *id, "epochs", section.place_of("id"));
      reader.protocol.epochs.push_back(*id);
    }
    reader.text(section, "label");
    section.finish();
  }
  auto schedule = root.table("schedule", "[schedule]");
  if (!schedule) return;
  std::set<std::string> visits;
  for (Section& section : schedule->tables("visit", "visit")) {
    Visit visit = read_visit(reader, section);
    if (!visit.id.empty()) reader.unique(visits, visit.id, "visits", section.place_of("id"));
    reader.protocol.visits.push_back(std::move(visit));
  }
  check_windows(reader);
  if (const auto forms = schedule->texts("any_time")) {
    const Node* list = schedule->node().find("any_time");
    for (std::size_t i = 0; i < forms->size(); ++i)
      if (reader.resolves((*forms)[i], ids_of(reader.protocol.forms), "form", (*list->array())[i].place()))
        std::ranges::find(reader.protocol.forms, (*forms)[i], &Form::id)->any_time = true;
  }
  read_handling(reader, *schedule);
  reader.protocol.follow_up_days = schedule->number("follow_up_days", {.min = 1, .max = 36500});
  read_ends_of_participation(reader, *schedule);
  schedule->finish();
  for (Visit const& visit : reader.protocol.visits)
    for (std::string const& id : visit.forms)
      if (const Form* form = reader.protocol.form(id); form && form->any_time)
        add_problem(reader.problems, visit.place, Code::inconsistent,
                    "form '{}' is filled at any time, and visit '{}' lists it too", id, visit.id);
}

void read_interventions(Reader& reader, Section& root) {
  std::set<std::string> seen;
  for (Section& section : root.tables("intervention", "intervention")) {
    Intervention intervention;
    intervention.id = section.id("id").value_or("");
    section.rename(fmt::format("intervention '{}'", intervention.id));
    if (!intervention.id.empty()) reader.unique(seen, intervention.id, "interventions", section.place_of("id"));
    intervention.label = reader.text(section, "label");
    if (const auto visits = section.texts("visits")) {
      intervention.visits = *visits;
      const Node* list = section.node().find("visits");
      for (std::size_t i = 0; i < visits->size(); ++i)
        reader.resolves((*visits)[i], ids_of(reader.protocol.visits), "visit", (*list->array())[i].place());
    }
    intervention.amount = section.filled_text("amount").value_or("");
    intervention.amount_place = section.place_of("amount");
    intervention.digits = int(section.integer("digits", {.min = 1, .max = 15}).value_or(3));
    if (auto volume = section.table("volume", "the volume of " + section.name())) {
      intervention.volume = Dose{volume->need_number("amount", Limits::above(0)).value_or(0), {}};
      if (const auto unit = volume->need_text("unit")) check(reader, intervention.volume->unit = *unit, volume->place_of("unit"));
      volume->finish();
    }
    intervention.weight_change_confirm = section.number("weight_change_confirm", Limits::open(0, 1));
    section.finish();
    reader.protocol.interventions.push_back(std::move(intervention));
  }
}

}  // namespace

void read_schedule(Reader& reader, Section& root) {
  read_forms(reader, root);
  read_visits(reader, root);
  read_interventions(reader, root);
}

}  // namespace equipoise::protocol
