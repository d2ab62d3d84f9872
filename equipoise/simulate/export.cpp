#include "equipoise/simulate/export.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "equipoise/core/text.h"
#include "equipoise/data/formats/csv.h"
#include "equipoise/protocol/visit_rows.h"
#include "equipoise/simulate/records.h"

namespace equipoise::simulate {
namespace {

using data::Kind;
using data::TypedColumn;

using protocol::column_name;
using protocol::site_text;

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

std::string which(Origin const& origin) {
  return fmt::format("virtual trial {} of scenario '{}', seed {}", origin.number, origin.scenario, origin.seed);
}

protocol::VisitRows rows_of(protocol::Protocol const& protocol, Layout const& layout, Origin const& origin, std::string const& file) {
  protocol::VisitRows rows{
      .file = file,
      .items = items_of(layout),
      .note = fmt::format("Simulated: {}, of the protocol with the digest {}, by equipoise {}.", which(origin), protocol.digest,
                          origin.version)};
  for (Layout::Form const& form : layout.forms) rows.forms.push_back({form.form, form.items});
  return rows;
}

}  // namespace

Expected<std::string> trial_csv(protocol::Protocol const& protocol, Layout const& layout, VirtualTrial const& trial) {
  return Writer(protocol, layout, trial).csv();
}

std::string exported_protocol(Node const& document, protocol::Protocol const& protocol, Layout const& layout,
                              Origin const& origin, std::string const& file) {
  const Node* trial = document.find("trial");
  expects(trial && trial->table(), "a protocol that loads has a section [trial]");
  const Node made = protocol::with_member(document, "trial", protocol::with_member(*trial, "simulated", Node(true)));
  return protocol::protocol_with_source(
      made, protocol, rows_of(protocol, layout, origin, file),
      fmt::format("{} {}. These are not data of people.\n"
                  "# Made by equipoise {} from the protocol with the digest\n"
                  "# {};\n"
                  "# without its comments, with a [source] for {}. 'equipoise report' analyses it as it would analyse a real "
                  "trial.\n\n",
                  exported_mark, which(origin), origin.version, protocol.digest, file));
}

}  // namespace equipoise::simulate
