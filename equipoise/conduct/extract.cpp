#include "equipoise/conduct/extract.h"

#include <algorithm>
#include <cmath>

#include "equipoise/conduct/records.h"
#include "equipoise/core/digest.h"
#include "equipoise/core/text.h"
#include "equipoise/data/formats/csv.h"
#include "equipoise/protocol/visit_rows.h"

namespace equipoise::conduct {
namespace {

using data::Kind;
using data::TypedColumn;
using protocol::Item;
using protocol::ItemKind;

constexpr std::string_view data_file = "data.csv";

std::vector<std::string> ids_of(auto const& things) {
  std::vector<std::string> ids;
  for (auto const& thing : things) ids.push_back(thing.id);
  return ids;
}

Kind kind_of(ItemKind kind) {
  switch (kind) {
    case ItemKind::number:
      return Kind::number;
    case ItemKind::integer:
      return Kind::integer;
    case ItemKind::flag:
      return Kind::flag;
    case ItemKind::code:
      return Kind::code;
    case ItemKind::date:
      return Kind::date;
    case ItemKind::text:
      break;
  }
  return Kind::text;
}

/// Items of visits, each once, in the order of forms; and the forms without a visit.
protocol::VisitRows layout(protocol::Protocol const& p) {
  protocol::VisitRows rows{.file = std::string(data_file)};
  for (protocol::Form const& form : p.forms) {
    const bool at_visits = std::ranges::any_of(
        p.visits, [&](protocol::Visit const& visit) { return std::ranges::find(visit.forms, form.id) != visit.forms.end(); });
    std::vector<Item const*> items;
    for (Item const& item : form.items) items.push_back(&item);
    if (form.any_time) rows.forms.push_back({&form, std::move(items)});
    else if (at_visits) rows.items.insert(rows.items.end(), items.begin(), items.end());
  }
  return rows;
}

struct Row {
  std::size_t who = 0;
  double day = 0;
  std::int32_t visit = missing_level;
  std::int32_t form = missing_level;  ///< place among the forms without a visit
  Record const* entry = nullptr;
};

class Extractor {
 public:
  Extractor(Plan const& plan, State const& state, Viewer const& viewer) : plan_(plan), p_(plan.protocol()), viewer_(viewer) {
    for (Participant const& one : state.participants)
      if (!viewer.role || !works_at_site(*viewer.role) || one.site == viewer.site) who_.push_back(&one);
    std::ranges::sort(who_, {}, [](Participant const* one) {
      return std::tuple(one->randomised ? one->randomised->request.number : std::int64_t(1) << 40, one->id);
    });
    seen_ = to_records(plan_, who_).follow_up_end;
    find_rows();
  }

  Expected<data::Dataset> make() {
    data::DatasetBuilder builder(rows_.size());
    people(builder);
    const protocol::VisitRows columns = layout(p_);
    std::vector<std::int32_t> visits, forms;
    std::vector<double> days;
    for (Row const& row : rows_) visits.push_back(row.visit), forms.push_back(row.form), days.push_back(row.day);
    builder.add({.name = "day", .kind = Kind::date, .numbers = days});
    builder.add({.name = "visit", .kind = Kind::code, .codes = visits, .levels = ids_of(p_.visits)});
    std::vector<std::string> form_ids;
    for (auto const& form : columns.forms) form_ids.push_back(form.form->id);
    if (!form_ids.empty()) builder.add({.name = "form", .kind = Kind::code, .codes = forms, .levels = form_ids});
    // What each row records of each form, found once.
    for (protocol::Form const& form : p_.forms) {
      const auto place = std::ranges::find(form_ids, form.id) - form_ids.begin();
      std::vector<Record const*> records(rows_.size(), nullptr);
      for (std::size_t r = 0; r < rows_.size(); ++r) {
        Row const& row = rows_[r];
        if (form.any_time) records[r] = row.form == place ? row.entry : nullptr;
        else if (row.visit != missing_level) records[r] = who_[row.who]->find(p_.visits[std::size_t(row.visit)].id, form.id, 0);
      }
      const bool shown = form.any_time || std::ranges::any_of(columns.items, [&](Item const* item) { return item->form == form.id; });
      for (Item const& item : form.items)
        if (shown) builder.add(column(item, records));
    }
    return builder.build();
  }

 private:
  bool used(std::size_t i) const { return !who_[i]->end("no_further_use"); }

  void find_rows() {
    std::vector<std::string> form_ids;
    for (protocol::Form const& form : p_.forms)
      if (form.any_time) form_ids.push_back(form.id);
    for (std::size_t i = 0; i < who_.size(); ++i) {
      const std::size_t before = rows_.size();
      for (std::size_t v = 0; used(i) && v < p_.visits.size(); ++v)
        if (const auto visit = who_[i]->visits.find(p_.visits[v].id); visit != who_[i]->visits.end() && !visit->second.empty())
          rows_.push_back({.who = i, .day = day_of(visit->second), .visit = std::int32_t(v)});
      for (Record const& record : who_[i]->records) {
        const auto form = std::ranges::find(form_ids, record.form);
        if (!used(i) || !record.visit.empty() || record.struck || form == form_ids.end()) continue;
        Item const* dated = date_item(*p_.form(record.form));
        Value const* date = dated ? record.find(dated->id) : nullptr;
        const double day = date ? day_of(date->value) : missing_number;
        rows_.push_back({.who = i, .day = std::isnan(day) ? seen_[i] : day, .visit = missing_level,
                         .form = std::int32_t(form - form_ids.begin()), .entry = &record});
      }
      if (rows_.size() == before) rows_.push_back({.who = i, .day = seen_[i]});
      std::stable_sort(rows_.begin() + std::ptrdiff_t(before), rows_.end(), [](Row const& a, Row const& b) { return a.day < b.day; });
    }
  }

  void people(data::DatasetBuilder& builder) const {
    std::vector<std::string> ids, sites;
    std::vector<std::int32_t> site, arm;
    std::vector<double> randomised, order, end;
    const auto level = [](std::vector<std::string> const& levels, std::string_view id) {
      const auto found = std::ranges::find(levels, id);
      return found == levels.end() ? missing_level : std::int32_t(found - levels.begin());
    };
    const std::vector<std::string> site_ids = ids_of(p_.sites), arms = ids_of(p_.arms);
    for (protocol::Site const& one : p_.sites) sites.push_back(protocol::site_text(p_, one));
    for (Row const& row : rows_) {
      Participant const& one = *who_[row.who];
      ids.push_back(one.id);
      site.push_back(level(site_ids, one.site));
      randomised.push_back(one.randomised ? day_of(one.randomised->date) : missing_number);
      order.push_back(one.randomised ? double(one.randomised->request.number) : missing_number);
      end.push_back(seen_[row.who]);
      const auto known = viewer_.arms ? viewer_.arms->find(one.id) : decltype(viewer_.arms->find(one.id)){};
      arm.push_back(viewer_.arms && known != viewer_.arms->end() ? level(arms, known->second) : missing_level);
    }
    builder.add({.name = "participant", .kind = Kind::text, .texts = ids});
    builder.add({.name = "site", .kind = Kind::code, .codes = site, .levels = sites});
    if (viewer_.arms) {
      builder.add({.name = "arm", .kind = Kind::code, .codes = arm, .levels = arms});
      builder.add({.name = "arm_received", .kind = Kind::code, .codes = arm, .levels = arms});
    }
    builder.add({.name = "randomised", .kind = Kind::date, .numbers = randomised});
    builder.add({.name = "order", .kind = Kind::integer, .numbers = order});
    builder.add({.name = "last_seen", .kind = Kind::date, .numbers = end});
  }

  TypedColumn column(Item const& item, std::vector<Record const*> const& records) const {
    TypedColumn made{.name = protocol::column_name(item), .kind = kind_of(item.kind)};
    if (made.kind == Kind::code) made.levels = ids_of(item.codes);
    constexpr double none = missing_number;
    bool bounded = false, partial = false;
    std::vector<data::Bound> bounds(rows_.size(), data::Bound::exact);
    std::vector<double> latest(rows_.size(), none);
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      Value const* value = records[r] && !records[r]->struck ? records[r]->find(item.id) : nullptr;
      const std::string_view visit = rows_[r].visit == missing_level ? std::string_view() : p_.visits[std::size_t(rows_[r].visit)].id;
      if (value && viewer_.role && plan_.masked(*viewer_.role, item.id, visit)) value = nullptr;
      const std::string_view text = value ? std::string_view(value->value) : std::string_view();
      double number = none;
      if (item.kind == ItemKind::text) {
        made.texts.push_back(value && !value->text.empty() ? "text:" + value->text.substr(0, 12) : "");
        continue;
      }
      if (item.kind == ItemKind::code) {
        const auto level = std::ranges::find(made.levels, text);
        made.codes.push_back(level == made.levels.end() ? missing_level : std::int32_t(level - made.levels.begin()));
        continue;
      }
      if (item.kind == ItemKind::flag) {
        number = text.empty() ? none : text == "true" ? 1.0 : 0.0;
      } else if (item.kind == ItemKind::date) {
        if (const auto date = to_partial_date(text)) {
          number = day_number(date->earliest), latest[r] = day_number(date->latest);
          partial |= !date->exact();
        }
      } else if (!text.empty()) {
        const bool bound = text.front() == '<' || text.front() == '>';
        if (bound) bounded = true, bounds[r] = text.front() == '<' ? data::Bound::below : data::Bound::above;
        number = to_number(bound ? text.substr(1) : text).value_or(none);
      }
      made.numbers.push_back(number);
    }
    if (bounded) made.bounds = std::move(bounds);
    if (partial) made.latest = std::move(latest);
    return made;
  }

  Plan const& plan_;
  protocol::Protocol const& p_;
  Viewer const& viewer_;
  std::vector<Participant const*> who_;
  std::vector<double> seen_;
  std::vector<Row> rows_;
};

Plan const& current(Plans const& plans, State const& state) {
  Plan const* plan = plans.find(state.version().protocol);
  expects(plan, "the version in force is known");
  return *plan;
}

}  // namespace

Expected<data::Dataset> extract(Plans const& plans, State const& state, Viewer const& viewer) {
  return Extractor(current(plans, state), state, viewer).make();
}

Expected<ExtractFiles> extract_files(Plans const& plans, State const& state, Viewer const& viewer, Arms arms,
                                     std::string const& software) {
  const auto dataset = extract(plans, state, viewer);
  if (!dataset) return tl::unexpected(dataset.error());
  Plan const& plan = current(plans, state);
  protocol::VisitRows rows = layout(plan.protocol());
  rows.arms = arms != Arms::none;
  const std::string environment = state.opened->environment;
  const std::string_view kind = arms == Arms::real ? "with the arms" : arms == Arms::dummy ? "with DUMMY ARMS" : "blinded: without arms";
  rows.note = fmt::format("Extract of trial '{}' ({}), {}, of its log up to event {} with the digest {}, by {}.", state.opened->trial,
                          environment, kind, state.last, state.digest, software);
  Node document = plan.document();
  if (environment == "simulated")
    document = protocol::with_member(document, "trial", protocol::with_member(*document.find("trial"), "simulated", Node(true)));
  std::string head = fmt::format("# {}\n# 'equipoise report' of this file analyses {}.\n\n", rows.note, data_file);
  if (arms == Arms::dummy) {
    head = "# DRY RUN: the arms are dummies. No result made from this file says anything about the treatments.\n" + head;
    // Both titles, as the page is headed by that of the report where there is one.
    protocol::Protocol const& p = plan.protocol();
    for (auto const& [section, title] : {std::pair("trial", &p.trial.title), {"report", &p.report.title}}) {
      if (title->empty()) continue;
      Node labelled(Node::Table{});
      for (std::string const& language : p.trial.languages)
        labelled = protocol::with_member(labelled, language, Node("DRY RUN WITH DUMMY ARMS: " + title->in(language)));
      document = protocol::with_member(document, section, protocol::with_member(*document.find(section), "title", std::move(labelled)));
    }
  }
  return ExtractFiles{data::write_csv(*dataset), protocol::protocol_with_source(document, plan.protocol(), rows, head)};
}

std::map<std::string, std::string, std::less<>> dummy_arms(Plans const& plans, State const& state) {
  protocol::Protocol const& p = current(plans, state).protocol();
  std::vector<std::string> places;  // each arm as often as its ratio says
  Node const* ratio = p.randomisation ? p.randomisation->section.find("ratio") : nullptr;
  for (protocol::Arm const& arm : p.arms) {
    Node const* share = ratio ? ratio->find(arm.id) : nullptr;
    const auto times = share ? share->integer().value_or(1) : 1;
    for (std::int64_t k = 0; k < times; ++k) places.push_back(arm.id);
  }
  std::vector<std::pair<std::string, std::string>> order;
  for (Participant const& one : state.participants)
    if (one.randomised) order.emplace_back(sha256("dummy arms of " + state.opened->trial + "/" + one.id), one.id);
  std::ranges::sort(order);
  std::map<std::string, std::string, std::less<>> arms;
  for (std::size_t i = 0; i < order.size(); ++i) arms[order[i].second] = places[i % places.size()];
  return arms;
}

std::map<std::string, std::string, std::less<>> revealed_arms(State const& state) {
  std::map<std::string, std::string, std::less<>> arms;
  if (state.unblinded)
    for (allocation::Opening const& one : state.unblinded->reveal.allocations) arms[one.participant] = one.arm;
  return arms;
}

std::string snapshot_digest(Plans const& plans, State const& state) {
  const auto dataset = extract(plans, state, {});
  expects(dataset.has_value(), "what a log holds makes a data set");
  return sha256(data::write_csv(*dataset));
}

}  // namespace equipoise::conduct
