#include "equipoise/report/rehearsal_page.h"

#include <algorithm>

#include "equipoise/core/text.h"
#include "equipoise/report/assets.h"
#include "equipoise/report/rehearsal/figures.h"
#include "equipoise/report/rehearsal/tables.h"
#include "equipoise/report/rehearsal/words.h"

namespace equipoise::report {
namespace {

using rehearsal::Names;
using rehearsal::Paragraph;
using rehearsal::Term;
namespace figures = rehearsal::figures;
namespace tables = rehearsal::tables;

// Beside the style of a trial's report.
constexpr std::string_view more_style = R"css(
.simulated{display:flex;gap:6px 24px;align-items:center;background:var(--warn-back);border:2px solid var(--warn-line);border-radius:12px;color:var(--warn);padding:16px 22px;margin:0 0 26px}
.simulated strong{font-size:30px;line-height:1.1;letter-spacing:.08em;font-weight:760}
.simulated span{font-size:15px;line-height:1.5}
.identity code{font-size:12.5px;overflow-wrap:anywhere}
.inwords h3{margin:22px 0 8px}
.inwords p{font-size:16px;max-width:50em}
.inwords dl{margin:0}
.inwords dt{font-weight:620;margin-top:16px}
.inwords dd{margin:4px 0 0;max-width:50em;color:var(--soft);font-size:15.5px;line-height:1.6}
.inwords p.small{font-size:14px;color:var(--muted)}
svg.key{display:inline-block;width:13px;height:13px;min-width:0;margin:0 6px -1.5px 0}
.panel>details:first-child{margin-top:0}
.more>summary{margin-bottom:14px}
details.more{margin:0 0 20px}
details.more>summary{font-size:15px}
pre{margin:10px 0 0;padding:12px 14px;background:var(--tint);border-radius:8px;font:12.5px/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;color:var(--soft);white-space:pre-wrap;overflow-wrap:anywhere}
.world h3{display:flex;flex-wrap:wrap;gap:4px 12px;align-items:baseline}
.world .tag{margin:0;border-color:var(--warn-line);color:var(--warn);letter-spacing:.06em;font-size:11px}
.world-name{white-space:nowrap}.world-name.long{display:inline-block;white-space:normal;max-width:16em;overflow-wrap:anywhere}
.data tbody th{overflow-wrap:anywhere}.data th:first-child{min-width:10em}
.inline td .ci{display:inline}.inline td .ci.below{display:block}
.by-visit .place{white-space:nowrap}
.inwords dl+p.small{margin-top:24px}
.data.minor thead th.num{max-width:11em;font-weight:500}
@media (max-width:640px){.simulated{flex-direction:column;align-items:flex-start;padding:14px 16px}.simulated strong{font-size:26px}.data th:first-child{min-width:9.5em}}
@media print{.inwords{break-inside:auto}.inwords p,.inwords dd,.plot{break-inside:avoid}.inwords dt{break-after:avoid}.simulated{border-color:#000;color:#000;background:#fff}figure:has(.data){break-inside:auto}pre{font-size:8pt}}
)css";

class Page {
 public:
  explicit Page(Names const& names) : names_(names) {}

  void section(std::string const& id, Term title, Markup const& inside) {
    if (inside.empty()) return;
    contents_ += element("a", {{"href", std::string("#") + id}}, names_(title));
    body_ += element("section", {{"id", id}}, element("h2", names_(title)) + inside);
  }
  /// `notes` below what is inside.
  Markup figure(std::string const& caption, Markup const& inside, std::vector<std::string> const& notes = {}) {
    return captioned(Word::figure_number, inside.empty() ? figures_ : ++figures_, caption, inside, notes);
  }
  Markup table(std::string const& caption, Markup const& inside, std::vector<std::string> const& notes = {}) {
    return captioned(Word::table_number, inside.empty() ? tables_ : ++tables_, caption, inside, notes);
  }
  Markup contents() const {
    return contents_.empty() ? contents_ : element("nav", {{"aria-label", names_.words()(Word::contents)}}, contents_);
  }
  Markup const& body() const { return body_; }

 private:
  Markup captioned(Word number, int n, std::string const& caption, Markup const& inside, std::vector<std::string> const& notes) {
    if (inside.empty()) return {};
    const Markup head = element("span", "number", names_.words()(number, n)) + " " + Markup(caption);
    Markup below;
    for (auto const& note : notes) below += element("p", "note", note);
    return element("figure", "panel", element("figcaption", head) + inside + below);
  }

  Names const& names_;
  Markup contents_, body_;
  int figures_ = 0, tables_ = 0;
};

Markup in_words(Names const& names) {
  const bool chinese = names.words().chinese();
  Markup out;
  for (Paragraph const& one : rehearsal::opening(names)) out += element("p", one.text(chinese));
  Markup primary;
  for (Paragraph const& one : rehearsal::primary_analyses(names))
    primary += element("p", (one.head.empty() ? Markup() : element("strong", one.head) + Markup(chinese ? "" : " ")) +
                                Markup(one.text(chinese)));
  out += primary;
  Markup list;
  for (Paragraph const& one : rehearsal::claims(names)) list += element("dt", one.head) + element("dd", one.text(chinese));
  if (!list.empty()) out += element("h3", names(Term::words_claims_head)) + element("dl", list);
  for (Paragraph const& one : rehearsal::closing(names)) out += element("p", "small", one.text(chinese));
  return element("div", "panel inwords", out);
}

Markup claims(Page& page, Names const& names) {
  std::vector<figures::ShareRow> rows;
  std::vector<std::string> ids, unknown;
  auto const& scenarios = names.rehearsal.scenarios;
  for (auto const& scenario : scenarios)
    for (auto const& claim : scenario.claims) {
      if (claim.unknown > 0)
        unknown.push_back(names(Term::unknown_note, names.claim(claim), rehearsal::grouped(claim.unknown),
                                rehearsal::grouped(claim.holds.of), scenario.id));
      if (std::ranges::find(ids, claim.id) != ids.end()) continue;
      ids.push_back(claim.id);
      figures::ShareRow row{.label = names.claim(claim), .by_scenario = {}};
      for (auto const& other : scenarios) {
        const auto found = std::ranges::find(other.claims, claim.id, &results::ClaimCharacteristics::id);
        row.by_scenario.push_back(found == other.claims.end() ? std::nullopt : std::optional(found->holds));
      }
      rows.push_back(std::move(row));
    }
  Markup out =
      page.figure(names(Term::claims_chart), figures::shares(names, names(Term::claims_chart), rows, names.rehearsal.alpha));
  out += page.table(names(Term::claims_table), tables::claims(names), unknown);
  out += page.table(names(Term::ratio_table), tables::ratios(names), {names(Term::ratio_note)});
  return out;
}

std::string caption_of(Names const& names, std::string const& analysis) {
  for (auto const& scenario : names.rehearsal.scenarios)
    for (auto const& one : scenario.statements)
      if (one.analysis == analysis) return names(Term::characteristics_of, analysis, names.analysis(analysis), names.method(one));
  return analysis;
}

bool is_primary(Names const& names, std::string const& analysis) {
  for (auto const& scenario : names.rehearsal.scenarios)
    for (auto const& one : scenario.statements)
      if (one.analysis == analysis) return names.primary(one);
  return false;
}

/// What `make` gives for each analysis: of the primary ones in the open, of the others to be opened.
template <class Make>
Markup by_analysis(Names const& names, Make const& make) {
  Markup open, closed;
  std::size_t others = 0;
  for (std::string const& analysis : tables::analyses(names)) {
    const Markup made = make(analysis);
    if (made.empty()) continue;
    if (is_primary(names, analysis)) open += made;
    else closed += made, ++others;
  }
  if (others > 0) open += element("details", "more", element("summary", names(Term::other_analyses, others)) + closed);
  return open;
}

Markup characteristics(Page& page, Names const& names) {
  Markup out = page.table(names(Term::characteristics_overview, shortest(names.rehearsal.alpha)), tables::rejections(names));
  if (out.empty()) return out;
  out += by_analysis(names, [&](std::string const& analysis) {
    std::vector<std::string> notes = {names(Term::characteristics_note)};
    for (auto const& note : tables::characteristics_notes(names, analysis)) notes.push_back(note);
    return page.table(caption_of(names, analysis), tables::characteristics(names, analysis), notes);
  });
  return out;
}

Markup monitoring(Page& page, Names const& names) {
  Markup out;
  for (auto const& one : tables::monitored(names))
    out += page.table(names(Term::monitoring_caption, one.analysis, names.context.arm(one.arm)), tables::looks(names, one),
                      {names(Term::look_note)});
  out += page.table(names(Term::monitored_caption), tables::monitored_together(names));
  return out;
}

Markup grids(Page& page, Names const& names) {
  Markup out;
  for (results::Grid const& grid : names.rehearsal.grids) {
    std::size_t cells = grid.axes.empty() ? 0 : 1;
    for (auto const& axis : grid.axes) cells *= axis.values.size();
    if (cells == 0 || cells != grid.cells.size()) {
      out += element("div", "panel", element("p", "problem", names(Term::grid_broken, grid.id, grid.cells.size(), cells)));
      continue;
    }
    const auto add = [&](Term what, std::vector<figures::GridSeries> const& series) {
      const std::string caption =
          names(grid.axes.size() == 1 ? Term::grid_power : Term::grid_heat, grid.id, grid.scenario, names(what));
      out += page.figure(caption, grid.axes.size() == 1 ? figures::power_curves(names, caption, grid.axes.front(), series)
                                                        : figures::heat_maps(names, caption, grid, series));
    };
    add(Term::grid_tests, figures::tests_of(names, grid));
    add(Term::grid_claims, figures::claims_of(names, grid));
    if (const Markup table = tables::grid(names, grid); !table.empty())
      out += element("details", "more",
                     element("summary", names(Term::grid_table, grid.id)) + page.table(names(Term::grid_table, grid.id), table));
  }
  return out;
}

Markup distributions(Page& page, Names const& names) {
  return by_analysis(names, [&](std::string const& analysis) {
    const std::string name = names.analysis(analysis);
    Markup out;
    const std::string caption = names(Term::distribution_caption, name, analysis),
                      zip_caption = names(Term::zip_caption, name, analysis);
    out += page.figure(caption, figures::distributions(names, caption, analysis));
    if (is_primary(names, analysis))
      out += page.figure(zip_caption, figures::zip(names, zip_caption, analysis), {names(Term::zip_note)});
    return out;
  });
}

Markup conduct(Page& page, Names const& names) {
  const std::string caption = names(Term::accrual_caption);
  return page.figure(caption, figures::accrual(names, caption)) +
         page.table(names(Term::conduct_caption), tables::conduct(names), {names(Term::conduct_note)});
}

Markup assumptions(Names const& names) {
  Markup out;
  for (std::size_t s = 0; s < names.rehearsal.scenarios.size(); ++s) {
    auto const& scenario = names.rehearsal.scenarios[s];
    Markup inside = element("h3", Markup(scenario.id) + element("span", "tag", names(Term::assumption_label)));
    Markup notes;
    for (auto const& note : scenario.notes) notes += element("li", names.context.note(note));
    if (!notes.empty()) inside += element("ul", "methods", notes);
    for (auto const& section : names.plan.scenarios) {
      Node const* id = section.section.find("id");
      if (!id || !id->text() || *id->text() != scenario.id) continue;
      std::string text;
      for (auto const& line : tables::scenario_lines(section)) text += (text.empty() ? "" : "\n") + line;
      inside += element("details", element("summary", names(Term::scenario_as_written)) + element("pre", text));
      break;
    }
    out += element("div", "panel world", inside);
  }
  return out.empty() ? out : element("p", "lead", names(Term::assumptions_lead)) + out;
}

Markup head_of_page(Names const& names) {
  auto const& r = names.rehearsal;
  const std::string title =
      names.context.label(names.plan.trial.title, names.plan.trial.id.empty() ? r.trial : names.plan.trial.id);
  Markup facts;
  const auto fact = [&](Markup const& text) { facts += element("span", text); };
  fact(Markup(r.trial.empty() ? names.plan.trial.id : r.trial));
  if (!names.plan.trial.version.empty()) fact(Markup(names(Term::fact_version, names.plan.trial.version)));
  fact(Markup(names(Term::fact_seed, r.seed)));
  if (!r.scenarios.empty()) {
    const auto [fewest, most] = std::ranges::minmax(r.scenarios, {}, &results::ScenarioCharacteristics::replicates);
    const std::string few = rehearsal::grouped(fewest.replicates), many = rehearsal::grouped(most.replicates);
    fact(Markup(names(Term::figure_of_scenarios, r.scenarios.size())));
    fact(Markup(many == "1"   ? names(Term::fact_one_replicate)
                : few == many ? names(Term::fact_replicates, many)
                              : names(Term::fact_replicates_between, few, many)));
  }
  if (!r.version.empty()) fact("Equipoise " + r.version);
  if (!r.protocol_digest.empty()) fact(Markup(names(Term::fact_digest, r.protocol_digest.substr(0, 12))));
  const Markup banner = element("div", {{"class", std::string("simulated")}, {"role", std::string("note")}},
                                element("strong", names(Term::simulated_label)) + element("span", names(Term::simulated_text)));
  return banner + element("h1", names(Term::title)) + element("p", "subtitle", title) + element("p", "identity", facts);
}

}  // namespace

std::string rehearsal_page(protocol::Protocol const& protocol, results::Rehearsal const& rehearsal, Options const& options) {
  const Names names(protocol, rehearsal, options.language);
  Page page(names);
  page.section("words", Term::section_words, in_words(names));
  page.section("claims", Term::section_claims, claims(page, names));
  page.section("analyses", Term::section_characteristics, characteristics(page, names));
  page.section("families", Term::section_families, page.table(names(Term::family_caption), tables::hypotheses(names)));
  page.section("monitoring", Term::section_monitoring, monitoring(page, names));
  page.section("grids", Term::section_grids, grids(page, names));
  page.section("estimates", Term::section_distributions, distributions(page, names));
  page.section("conduct", Term::section_conduct, conduct(page, names));
  page.section("assumptions", Term::section_assumptions, assumptions(names));
  page.section("provenance", Term::section_provenance, element("div", "panel", tables::provenance(names)));

  const std::string title = names(Term::simulated_label) + ": " +
                            (rehearsal.trial.empty() ? protocol.trial.id : rehearsal.trial) + ", " + names(Term::title);
  const Markup head =
      element("meta", {{"charset", std::string("utf-8")}}) +
      element("meta",
              {{"http-equiv", std::string("Content-Security-Policy")},
               {"content", std::string("default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'")}}) +
      element("meta", {{"name", std::string("viewport")}, {"content", std::string("width=device-width, initial-scale=1")}}) +
      element("meta", {{"name", std::string("color-scheme")}, {"content", std::string("light dark")}}) +
      element("meta", {{"name", std::string("generator")}, {"content", std::string("Equipoise ") + rehearsal.version}}) +
      element("title", title) + element("style", Markup::trusted(std::string(style) + std::string(more_style)));
  const Markup main = head_of_page(names) + page.contents() + page.body();
  return "<!doctype html>\n" +
         element("html", {{"lang", std::string(names.words().chinese() ? "zh-Hans" : "en")}},
                 element("head", head) + element("body", element("main", main)))
             .bytes() +
         "\n";
}

std::string rehearsal_page(protocol::Protocol const& protocol, results::Rehearsal const& rehearsal) {
  Options options;
  if (!protocol.trial.languages.empty()) options.language = protocol.trial.languages.front();
  return rehearsal_page(protocol, rehearsal, options);
}

}  // namespace equipoise::report
