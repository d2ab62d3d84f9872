#include "equipoise/simulate/export.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "equipoise/core/text.h"
#include "equipoise/data/formats/csv.h"
#include "equipoise/protocol/toml.h"
#include "equipoise/simulate/records.h"

namespace equipoise::simulate {
namespace {

using data::Kind;
using data::TypedColumn;

std::string column_name(protocol::Item const& item) { return item.form + "." + item.id; }

/// The text by which a data file names a site: its id, except where that is the name of another one.
std::string site_text(protocol::Protocol const& protocol, protocol::Site const& site) {
  const bool taken =
      std::ranges::any_of(protocol.sites, [&](protocol::Site const& other) { return &other != &site && other.name == site.id; });
  return taken ? site.name : site.id;
}

std::vector<std::string> ids_of(auto const& things) {
  std::vector<std::string> ids;
  for (auto const& thing : things) ids.push_back(thing.id);
  return ids;
}

/// Items in the order of their first cells.
std::vector<protocol::Item const*> items_of(Layout const& layout) {
  std::vector<protocol::Item const*> items;
  for (Layout::Cell const& cell : layout.cells)
    if (std::ranges::find(items, cell.item) == items.end()) items.push_back(cell.item);
  return items;
}

/// What a row of the file is about: a visit of the schedule, an entry, or neither.
struct Row {
  std::size_t who = 0;
  double day = 0;  ///< since randomisation
  std::size_t visit = none, form = none, entry = none;
  static constexpr std::size_t none = std::size_t(-1);
};

class Writer {
 public:
  Writer(protocol::Protocol const& protocol, Layout const& layout, VirtualTrial const& trial)
      : protocol_(protocol), layout_(layout), trial_(trial) {
    find_rows();
  }

  Expected<std::string> csv() const {
    data::DatasetBuilder builder(rows_.size());
    people(builder);
    std::vector<std::int32_t> visits, forms;
    std::vector<double> days;
    std::vector<std::string> form_ids;
    for (Layout::Form const& form : layout_.forms) form_ids.push_back(form.form->id);
    for (Row const& row : rows_) {
      visits.push_back(row.visit == Row::none ? missing_level : std::int32_t(row.visit));
      forms.push_back(row.form == Row::none ? missing_level : std::int32_t(row.form));
      days.push_back(date(row, row.day));
    }
    builder.add({.name = "day", .kind = Kind::date, .numbers = days});
    builder.add({.name = "visit", .kind = Kind::code, .codes = visits, .levels = ids_of(protocol_.visits)});
    if (!form_ids.empty()) builder.add({.name = "form", .kind = Kind::code, .codes = forms, .levels = form_ids});
    for (protocol::Item const* item : items_of(layout_)) builder.add(at_visits(*item));
    for (std::size_t f = 0; f < layout_.forms.size(); ++f)
      for (std::size_t k = 0; k < layout_.forms[f].items.size(); ++k) builder.add(of_entries(f, k));
    const auto made = builder.build();
    if (!made) return tl::unexpected(made.error());
    return data::write_csv(*made);
  }

 private:
  double date(Row const& row, double day) const { return opening_day + trial_.entry[row.who] + day; }

  void find_rows() {
    const std::size_t n = trial_.n;
    std::vector<std::uint8_t> seen(n, 0);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t v = 0; v < layout_.visits; ++v)
        if (const double day = trial_.visit_day[v * n + i]; !std::isnan(day))
          rows_.push_back({.who = i, .day = day, .visit = v}), seen[i] = 1;
    for (std::size_t f = 0; f < layout_.forms.size(); ++f) {
      VirtualTrial::Entries const& entries = trial_.entries[f];
      for (std::size_t e = 0; e < entries.date.size(); ++e) {
        rows_.push_back({.who = entries.participant[e], .day = entries.date[e], .form = f, .entry = e});
        seen[entries.participant[e]] = 1;
      }
    }
    for (std::size_t i = 0; i < n; ++i)
      if (!seen[i]) rows_.push_back({.who = i, .day = trial_.follow_up_end[i]});
    std::ranges::stable_sort(rows_, {}, [](Row const& row) { return std::pair(row.who, row.day); });
  }

  /// What is the same in all rows of a participant.
  void people(data::DatasetBuilder& builder) const {
    std::vector<std::string> ids, sites;
    std::vector<std::int32_t> site, arm, received;
    std::vector<double> randomised, order, end;
    for (protocol::Site const& one : protocol_.sites) sites.push_back(site_text(protocol_, one));
    for (Row const& row : rows_) {
      ids.push_back(participant_id(row.who));
      site.push_back(trial_.site[row.who]), arm.push_back(trial_.arm[row.who]), received.push_back(trial_.arm_received[row.who]);
      randomised.push_back(date(row, 0)), order.push_back(double(row.who + 1));
      end.push_back(date(row, trial_.follow_up_end[row.who]));
    }
    builder.add({.name = "participant", .kind = Kind::text, .texts = ids});
    if (!sites.empty()) builder.add({.name = "site", .kind = Kind::code, .codes = site, .levels = sites});
    builder.add({.name = "arm", .kind = Kind::code, .codes = arm, .levels = ids_of(protocol_.arms)});
    builder.add({.name = "arm_received", .kind = Kind::code, .codes = received, .levels = ids_of(protocol_.arms)});
    builder.add({.name = "randomised", .kind = Kind::date, .numbers = randomised});
    builder.add({.name = "order", .kind = Kind::integer, .numbers = order});
    builder.add({.name = "last_seen", .kind = Kind::date, .numbers = end});
  }

  TypedColumn at_visits(protocol::Item const& item) const {
    std::vector<std::size_t> cell(layout_.visits, Row::none);
    for (std::size_t c = 0; c < layout_.cells.size(); ++c)
      if (layout_.cells[c].item == &item) {
        expects(layout_.cells[c].visit.has_value(), "the items of a virtual trial are those of visits and entries");
        cell[*layout_.cells[c].visit] = c;
      }
    return column(item, [&](Row const& row) {
      const bool there = row.visit != Row::none && cell[row.visit] != Row::none;
      return there ? trial_.value[cell[row.visit] * trial_.n + row.who] : missing_number;
    });
  }

  TypedColumn of_entries(std::size_t form, std::size_t item) const {
    return column(*layout_.forms[form].items[item], [&](Row const& row) {
      return row.form == form ? trial_.entries[form].items[item][row.entry] : missing_number;
    });
  }

  TypedColumn column(protocol::Item const& item, auto const& value) const {
    TypedColumn made{.name = column_name(item)};
    for (Row const& row : rows_) {
      const double x = value(row);
      switch (item.kind) {
        case protocol::ItemKind::code:
          made.codes.push_back(std::isnan(x) ? missing_level : std::int32_t(x));
          break;
        case protocol::ItemKind::text:
          made.texts.push_back(std::isnan(x) ? "" : fmt::format("{}", x));
          break;
        case protocol::ItemKind::date:
          made.numbers.push_back(date(row, x));
          break;
        default:
          made.numbers.push_back(x);
      }
    }
    switch (item.kind) {
      case protocol::ItemKind::number:
        made.kind = Kind::number;
        break;
      case protocol::ItemKind::integer:
        made.kind = Kind::integer;
        break;
      case protocol::ItemKind::code:
        made.kind = Kind::code, made.levels = ids_of(item.codes);
        break;
      case protocol::ItemKind::flag:
        made.kind = Kind::flag;
        break;
      case protocol::ItemKind::date:
        made.kind = Kind::date;
        break;
      case protocol::ItemKind::text:
        made.kind = Kind::text;
    }
    return made;
  }

  protocol::Protocol const& protocol_;
  Layout const& layout_;
  VirtualTrial const& trial_;
  std::vector<Row> rows_;
};

Node text(std::string value) { return Node(std::move(value)); }
Node table(std::vector<std::pair<std::string, Node>> members) {
  Node::Table made;
  for (auto& [key, value] : members) made.push_back({std::move(key), {}, std::move(value)});
  return Node(std::move(made));
}

Node item_list(std::vector<protocol::Item const*> const& items) {
  Node::Array list;
  for (protocol::Item const* item : items)
    list.push_back(table({{"item", text(item->id)}, {"column", text(column_name(*item))}}));
  return Node(std::move(list));
}

std::string which(Origin const& origin) {
  return fmt::format("virtual trial {} of scenario '{}', seed {}", origin.number, origin.scenario, origin.seed);
}

Node source_of(protocol::Protocol const& protocol, Layout const& layout, Origin const& origin, std::string const& file) {
  std::vector<std::pair<std::string, Node>> source;
  source.emplace_back("file", text(file));
  source.emplace_back("rows", text("visits"));
  source.emplace_back("day", text("day"));
  source.emplace_back("visit", table({{"column", text("visit")}}));
  source.emplace_back("participant", text("participant"));
  if (!protocol.sites.empty()) source.emplace_back("site", text("site"));
  source.emplace_back("arm", table({{"column", text("arm")}, {"received", text("arm_received")}}));
  source.emplace_back("randomised", text("randomised"));
  source.emplace_back("randomisation_order", text("order"));
  source.emplace_back("follow_up", text("last_seen"));
  source.emplace_back("note", text(fmt::format("Simulated: {}, of the protocol with the digest {}, by equipoise {}.",
                                               which(origin), protocol.digest, origin.version)));
  if (const auto items = items_of(layout); !items.empty()) source.emplace_back("item", item_list(items));
  Node::Array entries;
  for (Layout::Form const& form : layout.forms) {
    Node::Array where;
    where.push_back(table({{"column", text("form")}, {"is", text(form.form->id)}}));
    entries.push_back(
        table({{"form", text(form.form->id)}, {"where", Node(std::move(where))}, {"items", item_list(form.items)}}));
  }
  if (!entries.empty()) source.emplace_back("entry", Node(std::move(entries)));
  return table(std::move(source));
}

/// The table with the member set to the value: where it stands, or at the end.
Node with(Node const& from, std::string_view key, Node value) {
  Node::Table members = *from.table();
  const auto found = std::ranges::find(members, key, &Node::Member::key);
  if (found != members.end()) found->value = std::move(value);
  else members.push_back({std::string(key), {}, std::move(value)});
  return Node(std::move(members), from.place());
}

}  // namespace

Expected<std::string> trial_csv(protocol::Protocol const& protocol, Layout const& layout, VirtualTrial const& trial) {
  return Writer(protocol, layout, trial).csv();
}

std::string exported_protocol(Node const& document, protocol::Protocol const& protocol, Layout const& layout,
                              Origin const& origin, std::string const& file) {
  const Node* trial = document.find("trial");
  expects(trial && trial->table(), "a protocol that loads has a section [trial]");
  Node made = with(document, "trial", with(*trial, "simulated", Node(true)));
  Node::Table sections = *made.table();
  std::erase_if(sections, [](Node::Member const& section) { return section.key == "source"; });
  sections.push_back({"source", {}, source_of(protocol, layout, origin, file)});
  return fmt::format(
             "{} {}. These are not data of people.\n"
             "# Made by equipoise {} from the protocol with the digest\n"
             "# {};\n"
             "# without its comments, with a [source] for {}. 'equipoise report' analyses it as it would analyse a real "
             "trial.\n\n",
             exported_mark, which(origin), origin.version, protocol.digest, file) +
         protocol::write_toml(Node(std::move(sections)));
}

}  // namespace equipoise::simulate
