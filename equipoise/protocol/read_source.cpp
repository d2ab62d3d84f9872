#include <algorithm>
#include <array>
#include <set>

#include "equipoise/protocol/reader.h"
#include "equipoise/protocol/units.h"

namespace equipoise::protocol {
namespace {

/// codes = { "rIFN-g" = "interferon" }: the cell text, and what it means; the meaning must be one of `known`.
std::vector<CellCode> read_cell_codes(Reader& reader, Section& section, std::vector<std::string> const& known,
                                      std::string_view what) {
  std::vector<CellCode> codes;
  const Node* table = section.take("codes");
  if (!table) return codes;
  if (!table->table()) {
    section.report_at("codes", Code::wrong_type, "'codes' in {} must be a table from cell text to {}", section.name(), what);
    return codes;
  }
  for (Node::Member const& member : *table->table()) {
    const std::string* meaning = member.value.text();
    if (!meaning)
      add_problem(reader.problems, member.value.place(), Code::wrong_type, "'codes' in {} must be a table from cell text to {}",
                  section.name(), what);
    else if (reader.resolves(*meaning, known, what, member.value.place())) codes.push_back({member.key, *meaning});
  }
  return codes;
}

std::vector<std::string> code_meanings(Item const& item) {
  if (item.kind == ItemKind::flag) return {"true", "false"};
  return ids_of(item.codes);
}

std::vector<RowRule> read_where(Section& section) {
  std::vector<RowRule> rules;
  for (Section& rule : section.tables("where", "where")) {
    RowRule row;
    row.column = rule.need_text("column").value_or("");
    if (rule.need("is")) row.is = rule.text("is");  // empty: the rows whose cell is empty
    if (row.is && trimmed(*row.is) != *row.is)
      rule.report_at("is", Code::inconsistent, "'is' in {} has blanks at its ends, and no cell does: cells are read without them",
                     rule.name());
    rule.finish();
    rules.push_back(std::move(row));
  }
  return rules;
}

void read_items(Reader& reader, Section& source) {
  Protocol& protocol = reader.protocol;
  std::set<std::string> seen;
  for (Section& section : source.tables("item", "source item")) {
    SourceItem row{.place = section.place()};
    row.item = section.need_text("item").value_or("");
    section.rename(fmt::format("source item '{}'", row.item));
    row.column = section.need_text("column").value_or("");
    row.visit = section.filled_text("visit").value_or("");
    std::vector<std::string> items;
    for (Form const& form : protocol.forms)
      for (Item const& item : form.items) items.push_back(item.id);
    const Item* item = nullptr;
    if (!row.item.empty() && reader.resolves(row.item, items, "item", section.place_of("item"))) item = protocol.item(row.item);
    if (item) {
      std::vector<std::string> visits;
      for (Visit const& visit : protocol.visits)
        if (std::ranges::find(visit.forms, item->form) != visit.forms.end()) visits.push_back(visit.id);
      if (protocol.form(item->form)->any_time)
        section.report_at("item", Code::inconsistent,
                          "item '{}' is of the form '{}', which has no visit: map it under [[source.entry]]", item->id,
                          item->form);
      else if (row.visit.empty() && protocol.source->visits) {
        if (visits.empty())
          section.report_at("item", Code::unresolved, "no visit collects '{}', so that none can take its values", item->id);
      } else if (row.visit.empty() && visits.size() == 1) row.visit = visits.front();
      else if (row.visit.empty())
        section.report_at("item", Code::missing_key, "say at which visit '{}' was collected: visit = \"...\"", item->id).hint =
            visits.empty() ? "no visit collects it" : "it is collected at " + one_of(visits);
      else
        reader.resolves(row.visit, visits, fmt::format("visit that collects '{}' called", item->id), section.place_of("visit"));
      row.codes = read_cell_codes(reader, section, code_meanings(*item), "a code of the item");
    } else {
      section.allow("codes");
    }
    if (const auto unit = section.filled_text("unit")) {
      row.unit = *unit;
      const bool known = item && (*unit == item->unit ||
                                  std::ranges::any_of(item->also, [&](auto const& other) { return other.first == *unit; }));
      if (item && !known)
        section
            .report_at("unit", Code::unit_mismatch, "item '{}' is in {}, and has no factor from {}", item->id,
                       item->unit.empty() ? "no unit" : item->unit, *unit)
            .hint = "add it under 'also' of the item";
    }
    row.bound = section.filled_text("bound").value_or("");
    if (item && !row.bound.empty() && !item->detection_limit)
      section.report_at("bound", Code::inconsistent,
                        "'bound' says which values are limits, and item '{}' has no 'detection_limit'", item->id);
    row.where = read_where(section);
    if (section.has("where") && !(protocol.source->visits && row.visit.empty()))
      section.report_at("where", Code::inconsistent,
                        "'where' picks rows for an item that is placed by their day or by the visit that they name: "
                        "rows = \"visits\", and no 'visit' of the item");
    section.finish();
    const bool placed = protocol.source->visits && row.visit.empty();
    if (item && !row.visit.empty() && !seen.insert(row.item + "@" + row.visit).second)
      add_problem(reader.problems, row.place, Code::duplicate, "'{}@{}' is read from two columns", row.item, row.visit);
    if (item && placed && !seen.insert(row.item).second)
      add_problem(reader.problems, row.place, Code::duplicate, "the values of '{}' are read twice", row.item);
    if (item && !placed && seen.contains(row.item))
      add_problem(reader.problems, row.place, Code::inconsistent, "'{}' is placed by its rows, and read at visit '{}' too",
                  row.item, row.visit);
    protocol.source->items.push_back(std::move(row));
  }
}

void read_entries(Reader& reader, Section& source) {
  Protocol& protocol = reader.protocol;
  for (Section& section : source.tables("entry", "source entry")) {
    SourceEntry entry{.place = section.place()};
    entry.form = section.need_text("form").value_or("");
    section.rename(fmt::format("source entry of form '{}'", entry.form));
    const Form* form = nullptr;
    std::vector<std::string> forms;
    for (Form const& known : protocol.forms)
      if (known.any_time) forms.push_back(known.id);
    if (!entry.form.empty() && reader.resolves(entry.form, forms, "form without a visit called", section.place_of("form")))
      form = protocol.form(entry.form);
    entry.where = read_where(section);
    std::set<std::string> mapped;
    bool dated = false;
    for (Section& row : section.tables("items", "entry item")) {
      SourceEntryItem cell{.place = row.place()};
      cell.item = row.need_text("item").value_or("");
      row.rename(fmt::format("entry item '{}'", cell.item));
      cell.column = row.filled_text("column").value_or("");
      cell.constant = row.filled_text("is").value_or("");
      cell.day_since_randomisation = row.flag("days_since_randomisation").value_or(false);
      const Item* item = nullptr;
      if (form && !cell.item.empty() &&
          reader.resolves(cell.item, ids_of(form->items), fmt::format("item in form '{}' called", form->id),
                          row.place_of("item")))
        item = protocol.item(cell.item);
      if (item && !mapped.insert(item->id).second)
        row.report_at("item", Code::duplicate, "item '{}' is mapped twice in the entry of form '{}'", item->id, form->id);
      dated = dated || (item && item->kind == ItemKind::date);
      if (item) cell.codes = read_cell_codes(reader, row, code_meanings(*item), "a code of the item");
      else row.allow("codes");
      if (row.has("column") == row.has("is"))
        add_problem(reader.problems, row.place(), Code::inconsistent, "{} needs either a 'column' or a fixed value 'is'",
                    row.name());
      if (item && !cell.constant.empty() && !code_meanings(*item).empty())
        reader.resolves(cell.constant, code_meanings(*item), "code", row.place_of("is"));
      if (item && cell.day_since_randomisation && item->kind != ItemKind::date)
        row.report_at("days_since_randomisation", Code::inconsistent, "'{}' is not a date", item->id);
      if (item && item->kind == ItemKind::date && !cell.day_since_randomisation && !source.has("randomised"))
        add_problem(reader.problems, row.place(), Code::inconsistent,
                    "[source] names no column 'randomised', so a calendar date of '{}' has no origin", item->id)
            .hint = "name that column, or say days_since_randomisation = true";
      row.finish();
      entry.items.push_back(std::move(cell));
    }
    if (form && !dated && std::ranges::any_of(form->items, [](Item const& item) { return item.kind == ItemKind::date; }))
      add_problem(reader.problems, section.place(), Code::missing_key,
                  "the entry of form '{}' maps no date: its event could never be dated", form->id);
    section.finish();
    protocol.source->entries.push_back(std::move(entry));
  }
}

/// join = [{ file = "adsl.xpt", as = "adsl", by = "USUBJID" }]: columns are then called "adsl.AGE".
void read_joins(Reader& reader, Section& source) {
  std::set<std::string> names;
  for (Section& section : source.tables("join", "join of [source]")) {
    SourceJoin join{.place = section.place()};
    join.file = section.need_text("file").value_or("");
    const std::size_t slash = join.file.find_last_of('/') + 1;
    std::string stem = join.file.substr(slash, join.file.find('.', slash) - slash);
    join.as = section.filled_text("as").value_or(stem);
    section.rename(fmt::format("join '{}' of [source]", join.as));
    join.by = section.filled_text("by").value_or(reader.protocol.source->participant);
    if (!join.file.empty() && !names.insert(join.as).second)
      section.report_at(section.has("as") ? "as" : "file", Code::duplicate, "two files are joined as '{}'", join.as).hint = "give one of them another name with 'as'";
    join.where = read_where(section);
    section.finish();
    reader.protocol.source->joins.push_back(std::move(join));
  }
}

}  // namespace

void read_source(Reader& reader, Section& root) {
  auto section = root.table("source", "[source]");
  if (!section) return;
  Source& source = reader.protocol.source.emplace();
  source.place = section->place();
  source.file = section->filled_text("file").value_or("");
  source.note = section->text("note").value_or("");
  constexpr std::array<std::pair<std::string_view, int>, 3> rows{{{"participants", 0}, {"intervals", 1}, {"visits", 2}}};
  const int kind = section->word<int>("rows", rows).value_or(0);
  source.intervals = kind == 1, source.visits = kind == 2;
  source.day = section->filled_text("day").value_or("");
  if (source.visits && !section->has("day"))
    add_problem(reader.problems, section->place(), Code::missing_key,
                "[source] has rows = \"visits\", and needs the key 'day': the column with the day of each row");
  if (!source.visits && section->has("day")) section->report_at("day", Code::inconsistent, "'day' belongs to rows = \"visits\"");
  if (auto visit = section->table("visit", "'visit' of [source]")) {
    source.visit = visit->need_text("column").value_or("");
    source.visit_codes = read_cell_codes(reader, *visit, ids_of(reader.protocol.visits), "visit");
    visit->finish();
    if (!source.visits)
      section->report_at("visit", Code::inconsistent,
                         "'visit' of [source] names the visit of a row: it belongs to rows = \"visits\"");
  }
  source.participant = section->need_text("participant").value_or("");
  source.site = section->filled_text("site").value_or("");
  source.randomised = section->filled_text("randomised").value_or("");
  source.randomisation_order = section->filled_text("randomisation_order").value_or("");
  source.follow_up = section->filled_text("follow_up").value_or("");
  source.missing = section->texts("missing").value_or(std::vector<std::string>{});
  for (std::string const& cell : source.missing)
    if (trimmed(cell) != cell)
      section->report_at("missing", Code::inconsistent, "'{}' in 'missing' of [source] has blanks at its ends, and no cell does",
                         cell);
  section->need("arm");
  if (auto arm = section->table("arm", "'arm' of [source]")) {
    source.arm = arm->need_text("column").value_or("");
    source.arm_received = arm->filled_text("received").value_or("");
    source.arm_codes = read_cell_codes(reader, *arm, ids_of(reader.protocol.arms), "arm");
    arm->finish();
  }
  if (auto interval = section->table("interval", "'interval' of [source]")) {
    source.interval_start = interval->need_text("start").value_or("");
    source.interval_stop = interval->need_text("stop").value_or("");
    interval->finish();
  }
  if (source.intervals && !section->has("interval"))
    add_problem(reader.problems, section->place(), Code::missing_key,
                "[source] has rows = \"intervals\", and needs the key 'interval'");
  if (!source.intervals && section->has("interval"))
    section->report_at("interval", Code::inconsistent, "'interval' belongs to rows = \"intervals\"");
  if (source.intervals && section->has("follow_up"))
    section->report_at("follow_up", Code::inconsistent, "with rows = \"intervals\" follow-up ends with the last interval");
  read_joins(reader, *section);
  read_items(reader, *section);
  read_entries(reader, *section);
  section->finish();
}

}  // namespace equipoise::protocol
