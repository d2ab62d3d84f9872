#include "equipoise/report/page.h"

#include <algorithm>
#include <array>
#include <map>

#include "equipoise/core/digest.h"
#include "equipoise/core/text.h"
#include "equipoise/report/assets.h"
#include "equipoise/report/context.h"
#include "equipoise/report/figure_data.h"
#include "equipoise/report/figures.h"
#include "equipoise/report/headline.h"
#include "equipoise/report/renderers.h"
#include "equipoise/report/tables.h"
#include "equipoise/report/tables/parts.h"
#include "equipoise/report/visits.h"

namespace equipoise::report {
namespace {

std::string base64_of_hex(std::string_view hex) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto nibble = [](char c) { return unsigned(c <= '9' ? c - '0' : c - 'a' + 10); };
  std::string bytes, out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) bytes += char(nibble(hex[i]) * 16 + nibble(hex[i + 1]));
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned triple = 0;
    for (std::size_t k = 0; k < 3; ++k)
      triple = triple << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) out += i + k > bytes.size() ? '=' : alphabet[(triple >> (18 - 6 * k)) & 63];
  }
  return out;
}

/// The image alone of what stands inside a figure.
std::string svg_in(std::string const& bytes) {
  const auto from = bytes.find("<svg"), end = bytes.find("</svg>");
  return from == std::string::npos || end == std::string::npos ? std::string() : bytes.substr(from, end + 6 - from);
}

class Page {
 public:
  explicit Page(Context const& context) : context_(context) {}

  void section(std::string const& id, Word title, Markup const& inside) {
    if (inside.empty()) return;
    contents_ += element("a", {{"href", std::string("#") + id}}, context_.words(title));
    body_ += element("section", {{"id", id}}, element("h2", context_.words(title)) + inside);
  }
  /// Numbers the figure and keeps it with its data and the R code `plot` (of figure_data.h); nothing of an empty one.
  Markup figure(std::string const& caption, Markup const& inside, FigureData data, std::string_view plot,
                Table::Chapter chapter = Table::Chapter::efficacy) {
    if (inside.empty()) return {};
    data.plot = r_plot(plot);
    if (context_.answer.provenance.simulated) data.say_simulated();
    Figure made{.number = next(figures_in_, chapter), .caption = caption, .svg = svg_in(inside.bytes()), .data = std::move(data)};
    Markup files;
    if (!made.data.empty()) {
      const std::string csv = "figure-" + made.number + ".csv";  // what the button of the page saves
      files += element("template", {{"class", std::string("csv")}}, csv_of(made.data));
      files += element("template", {{"class", std::string("r")}},
                       r_of(made.data, csv, context_.words(Word::figure_number, made.number) + " " + caption));
    }
    figures_.push_back(std::move(made));
    return captioned("figure", Word::figure_number, figures_.back().number, caption, inside + files);
  }
  /// Numbers the table and keeps it; nothing of an empty one.
  Markup table(Table table) {
    if (table.empty()) return {};
    table.number = next(tables_in_, table.chapter);
    tables_.push_back(std::move(table));
    return captioned("figure", Word::table_number, tables_.back().number, tables_.back().caption, html_of(tables_.back()));
  }
  std::vector<Table> const& tables() const { return tables_; }
  std::vector<Figure> const& figures() const { return figures_; }

  Markup contents() const { return element("nav", {{"aria-label", context_.words(Word::contents)}}, contents_); }
  Markup const& body() const { return body_; }

 private:
  using Numbered = std::map<Table::Chapter, int>;
  static std::string next(Numbered& so_far, Table::Chapter chapter) {
    return std::string(chapter_number(chapter)) + "." + std::to_string(++so_far[chapter]);
  }
  Markup captioned(std::string_view tag, Word number, std::string const& n, std::string const& caption, Markup const& inside) {
    const Markup head = element("span", "number", context_.words(number, n)) + " " + Markup(caption);
    return element(tag, "panel", element("figcaption", head) + inside);
  }

  Context const& context_;
  Markup contents_, body_;
  Numbered figures_in_, tables_in_;
  std::vector<Table> tables_;
  std::vector<Figure> figures_;
};

Markup methods(Context const& context) {
  auto const& words = context.words;
  auto const& conventions = context.plan.conventions;
  const std::string space = words.chinese() ? "" : " ";
  std::string text = words(Word::methods_protocol, context.plan.trial.id, context.plan.trial.version) + space;
  text += words(conventions.sided == 1 ? Word::methods_alpha_one : Word::methods_alpha_two, shortest(conventions.alpha)) + space;
  text += words(Word::methods_confidence, context.confidence()) + space;
  std::string const& match = context.answer.provenance.match.empty() ? conventions.match : context.answer.provenance.match;
  text += words(Word::methods_match, match == "r" ? "R" : match == "sas" ? "SAS" : "Equipoise") + space;
  text += words(Word::methods_month, shortest(conventions.month_days));
  if (const std::string family = tables::multiplicity_methods(context); !family.empty()) text += space + family;
  if (!context.answer.quartile_rule.empty()) text += space + context.answer.quartile_rule;
  Markup out = element("p", text);
  Markup items;
  for (auto const& run : context.answer.runs) {
    Markup item = Markup(words(Word::methods_run, context.role(run.role), run.id, context.method(run),
                               inside_sentence(context.endpoint(run.endpoint)), inside_sentence(context.set(run.set)), run.n));
    std::string options;
    for (auto const& [key, value] : results::options_in_words(run.options))
      options += (options.empty() ? "" : "; ") + inside_sentence(results::in_plain_words(key)) + " " + value;
    item += words.chinese() ? "。" : ". ";
    if (!options.empty()) item += element("span", "dim", words(Word::methods_options, options) + (words.chinese() ? "。" : ". "));
    for (auto const& note : run.notes) item += context.note(note) + space;
    if (run.problem) item += element("span", "problem-inline", words(Word::methods_missing, *run.problem));
    items += element("li", item);
  }
  if (!items.empty()) out += element("ul", "methods", items);
  return out;
}

Markup head_of_page(Context const& context, std::string const& title) {
  auto const& words = context.words;
  auto const& trial = context.plan.trial;
  Markup facts;
  const auto fact = [&](std::string const& text) { facts += element("span", text); };
  fact(trial.id);
  if (!trial.phase.empty()) fact(words(Word::phase_text, trial.phase));
  if (!trial.registry.empty()) fact(words(Word::registry_text, trial.registry));
  if (!trial.version.empty()) fact(words(Word::version_text, trial.version));
  if (context.answer.provenance.cutoff) fact(words(Word::cutoff_text, *context.answer.provenance.cutoff));
  // "Name: subtitle" is how trials are titled; the part behind the first colon is the subtitle.
  std::string main = title, subtitle;
  const std::string_view colon = title.find("\uff1a") != std::string::npos ? "\uff1a" : words.chinese() ? ":" : ": ";
  if (const auto at = title.find(colon); at != std::string::npos && at > 0) {
    main = title.substr(0, at);
    subtitle = title.substr(at + colon.size());
    if (!subtitle.empty() && subtitle[0] >= 'a' && subtitle[0] <= 'z') subtitle[0] = char(subtitle[0] - 'a' + 'A');
  }
  Markup out = element("h1", main);
  if (!subtitle.empty()) out += element("p", "subtitle", subtitle);
  out += element("p", "identity", facts);
  return out;
}

/// The protocol's [report] sections in its order; all of them when it names none. Provenance is not a matter of choice.
std::vector<std::string> sections_in_order(protocol::Protocol const& protocol) {
  std::vector<std::string> order = protocol.report.sections;
  if (order.empty()) order = {"synopsis", "flow", "baseline", "endpoints", "analyses"};
  if (std::ranges::find(order, "provenance") == order.end()) order.emplace_back("provenance");
  return order;
}

Markup synopsis(Page& page, Context const& context) {
  Markup out = tables::synopsis(context);
  if (!out.empty()) out = element("div", "panel", out);
  out += tables::estimands(context);
  return out + page.table(tables::schedule(context));
}

/// The endpoints of a kind, each with all its analyses in one table an analysis set.
Markup summaries(Page& page, Context const& context, protocol::EndpointKind kind) {
  Markup out;
  for (auto const& endpoint : context.plan.endpoints)
    if (endpoint.kind == kind)
      for (auto const& set : context.plan.sets) out += page.table(tables::endpoint_summary(context, endpoint, set.id));
  return out;
}

Markup curves(Page& page, Context const& context) {
  Markup out;
  for (auto const& run : context.answer.runs) {
    if (run.problem) continue;
    const auto caption = [&](Word word) {
      return context.words(word, context.endpoint(run.endpoint), inside_sentence(context.set(run.set)));
    };
    if (run.method == "kaplan_meier")
      if (const Markup figure = figures::kaplan_meier(context, run); !figure.empty())
        out += page.figure(caption(Word::km_caption), figure, series_data(context, run, "survival", "kaplan_meier"), "survival");
    if (run.method == "turnbull")
      if (const Markup figure = figures::turnbull(context, run); !figure.empty())
        out += page.figure(
            caption(figures::kaplan_meier_beside(context, run) ? Word::turnbull_beside_caption : Word::turnbull_caption), figure,
            series_data(context, run, "probability", "turnbull"), "intervals");
  }
  return out + summaries(page, context, protocol::EndpointKind::time_to_event);
}

/// What an analysis is called in a caption, with its method where another analysis of the same name has such a figure too.
template <class Shows>
std::string name_among(Context const& context, results::AnalysisRun const& run, Shows const& shows) {
  const std::string name = context.analysis(run);
  for (auto const& other : context.answer.runs)
    if (other.id != run.id && !other.problem && context.analysis(other) == name && shows(other))
      return context.words.chinese() ? name + "（" + context.method(run) + "）" : name + " (" + context.method(run) + ")";
  return name;
}

/// Lines between 0 and 1 show nothing.
bool yes_or_no(Context const& context, results::AnalysisRun const& run) {
  const auto* endpoint = context.plan.endpoint(run.endpoint);
  return endpoint && endpoint->kind == protocol::EndpointKind::binary;
}

/// Sensitivity and supportive analyses of a question whose figures over visits are there already: their tables, and the figure
/// that sets all analyses side by side, say where they differ.
bool repeats_an_earlier(Context const& context, results::AnalysisRun const& run) {
  if (run.role != "sensitivity" && run.role != "supportive") return false;
  for (auto const& other : context.answer.runs) {
    if (other.id == run.id) return false;
    if (other.endpoint == run.endpoint && other.set == run.set && !other.problem && arms_over_visits(context, other)) return true;
  }
  return false;
}

/// Whether a record is one of these.
std::function<bool(results::Record const&)> one_of(std::vector<ArmsOverVisits::Cell> const& cells) {
  return [cells](results::Record const& record) {
    return std::ranges::any_of(cells, [&](auto const& cell) { return cell.record == &record && !cell.visit.empty(); });
  };
}

/// Figures of repeated measures: the model's means and differences, and what they were computed from.
Markup over_visits(Page& page, Context const& context) {
  auto const& words = context.words;
  Markup out;
  for (auto const& run : context.answer.runs) {
    if (run.problem) continue;
    const std::string set = inside_sentence(context.set(run.set));
    if (const auto numbers = arms_over_visits(context, run); numbers && !repeats_an_earlier(context, run)) {
      const std::string name = name_among(context, run, [&](auto const& other) {
        return arms_over_visits(context, other).has_value() && !repeats_an_earlier(context, other);
      });
      if (const Markup figure = figures::visit_means(context, run); !figure.empty())
        out += page.figure(words(Word::visit_means_caption, name, means_in_words(context, *numbers), set), figure,
                           records_data(context, run, one_of(numbers->means), "means"), "visits");
      if (const Markup figure = figures::visit_differences(context, run); !figure.empty())
        out += page.figure(words(Word::visit_differences_caption, name, comparisons_in_words(context, *numbers), set), figure,
                           records_data(context, run, one_of(numbers->differences), "differences"), "visits");
    }
    out += page.table(tables::responders(context, run));
    if (!yes_or_no(context, run) && first_with(context, run, "trajectory")) {
      const std::string endpoint = context.endpoint(run.endpoint);
      const FigureData values = series_data(context, run, "trajectory", "trajectories");
      const auto called = [&](std::string const& id) {
        FigureData data = values;
        data.id = id + "_" + run.id;
        return data;
      };
      out +=
          page.figure(words(Word::trajectory_caption, endpoint, set), figures::trajectories(context, run), values, "trajectory");
      const Markup bars = figures::waterfall(context, run);
      FigureData at_visit = called("waterfall");
      if (!bars.empty()) figures::keep_waterfall_visit(context, run, at_visit);
      out += page.figure(tables::said(context, "Every participant's ", "各受试者的") + inside_sentence(endpoint) +
                             tables::said(context, " at ", "，") + inside_sentence(figures::waterfall_visit(context, run)) +
                             " (" + set + ")",
                         bars, std::move(at_visit), "waterfall");
      out += page.figure(tables::said(context, "Heat map: ", "热图：") + endpoint +
                             tables::said(context, " of every participant over visits (", "，各受试者随访视（") + set +
                             tables::said(context, ")", "）"),
                         figures::heat_map(context, run), called("heat_map"), "heat");
    }
  }
  return out;
}

Markup missing_data(Page& page, Context const& context) {
  auto const& words = context.words;
  const auto has_series = [&](std::string_view quantity) {
    return [&context, quantity](auto const& other) { return !series_of(context, other.id, quantity).empty(); };
  };
  Markup out;
  for (auto const& run : context.answer.runs) {
    if (run.problem) continue;
    const std::string set = inside_sentence(context.set(run.set)), endpoint = context.endpoint(run.endpoint);
    if (first_with(context, run, "missing_pattern")) {
      if (const Markup figure = figures::missing_patterns(context, run); !figure.empty())
        out += page.figure(words(Word::missing_figure_caption, endpoint, set), figure,
                           series_data(context, run, "missing_pattern", "missing_patterns"), "patterns");
      out += page.table(tables::missing_patterns(context, run));
    }
    if (const Markup figure = figures::tipping_point(context, run); !figure.empty())
      out += page.figure(words(Word::tipping_caption, name_among(context, run, has_series("tipping_point")), set), figure,
                         series_data(context, run, "tipping_point", "tipping_point"), "tipping");
  }
  return out;
}

Markup model_checks(Page& page, Context const& context) {
  auto const& words = context.words;
  Markup out;
  for (auto const& run : context.answer.runs) {
    if (run.problem) continue;
    const std::string set = inside_sentence(context.set(run.set));
    const std::string name = name_among(context, run, [&](auto const& other) {
      return !series_of(context, other.id, "residuals").empty() || !figures::covariance_groups(context, other).empty();
    });
    if (const Markup figure = figures::residuals(context, run); !figure.empty())
      out += page.figure(words(Word::residual_caption, name, set), figure, series_data(context, run, "residuals", "residuals"),
                         "residuals");
    for (auto const& group : figures::covariance_groups(context, run))
      if (const Markup figure = figures::covariance(context, run, group); !figure.empty())
        out += page.figure(group.empty() ? words(Word::covariance_caption, name, set)
                                         : words(Word::covariance_of_arm_caption, name, set, context.arm(group)),
                           figure,
                           records_data(
                               context, run, [&](auto const& record) { return figures::shows_covariance(record.finding, group); },
                               group.empty() ? "covariance" : "covariance_" + group),
                           "covariance");
  }
  return out;
}

Markup outcome(Page& page, Context const& context) {
  Markup out = primary_in_words(context);
  if (const std::string decisions = tables::decisions_in_words(context); !decisions.empty()) out += element("p", decisions);
  if (!out.empty()) out = element("div", "panel", out);
  out += page.table(tables::multiplicity(context));
  for (auto const& run : context.answer.runs) {
    const Markup figure = figures::analyses_compared(context, run);
    if (figure.empty()) continue;
    const auto* endpoint = context.plan.endpoint(run.endpoint);
    const std::string visit =
        endpoint && !endpoint->at.empty() ? context.visit(endpoint->at) + (context.words.chinese() ? "，" : ", ") : std::string();
    out += page.figure(
        context.words(Word::compared_caption, context.endpoint(run.endpoint), figures::analyses_compared_question(context, run),
                      visit + inside_sentence(context.set(run.set))),
        figure, figures::analyses_compared_data(context, run), "flat");
  }
  for (auto const& run : context.answer.runs)
    out += page.figure(tables::said(context, "Dose-response: ", "剂量反应：") + context.analysis(run) + " (" +
                           inside_sentence(context.set(run.set)) + ")",
                       figures::dose_response(context, run), figures::dose_response_data(context, run), "dose");
  for (auto const& run : context.answer.runs) out += page.table(tables::dependence(context, run));
  for (auto const& run : context.answer.runs) {
    out += page.table(tables::subgroups(context, run));
    for (std::string const& arm : figures::forest_arms(context, run))
      out += page.figure(tables::said(context, "Subgroups: ", "亚组分析：") + context.analysis(run) +
                             (context.words.chinese() ? "，" : ", ") + context.arm(arm),
                         figures::forest(context, run, arm), subgroups_data(context, run, arm), "flat");
  }
  for (auto const& endpoint : context.plan.endpoints) out += page.table(tables::analyses_side_by_side(context, endpoint.id));
  for (auto const& run : context.answer.runs) out += page.table(tables::analysis(context, run));
  if (context.answer.runs.empty()) out += element("p", "note", context.words(Word::results_none));
  return out;
}

void add_section(Page& page, Context const& context, std::string_view name) {
  auto const& words = context.words;
  if (name == "synopsis") page.section("synopsis", Word::section_synopsis, synopsis(page, context));
  if (name == "flow")
    page.section("flow", Word::section_flow,
                 page.figure(words(Word::flow_caption), figures::participant_flow(context), flow_data(context), "flow",
                             Table::Chapter::population) +
                     page.table(tables::disposition(context)));
  if (name == "baseline")
    page.section("baseline", Word::section_baseline,
                 page.table(tables::baseline(context)) + page.table(tables::exposure(context)));
  if (name == "endpoints") {
    page.section("curves", Word::section_curves, curves(page, context));
    page.section("binary", Word::section_binary, summaries(page, context, protocol::EndpointKind::binary));
    page.section("visits", Word::section_visits, over_visits(page, context));
  }
  if (name == "analyses") {
    page.section("results", Word::section_results, outcome(page, context));
    page.section("missing", Word::section_missing, missing_data(page, context));
    page.section("checks", Word::section_checks, model_checks(page, context));
    page.section("methods", Word::section_methods, element("div", "panel prose", methods(context)));
  }
  if (name == "provenance")
    page.section("provenance", Word::section_provenance, element("div", "panel", tables::provenance(context)));
}

}  // namespace

Document document(protocol::Protocol const& protocol, results::Results const& answers, Options const& options) {
  // A trial that is simulated by its protocol or by its data is labelled so: neither flag can take the label away.
  results::Results labelled = answers;
  labelled.provenance.simulated = answers.provenance.simulated || protocol.trial.simulated;
  const Context context(protocol, labelled, options.language);
  auto const& words = context.words;
  const std::string title = protocol.report.title.empty() ? context.label(protocol.trial.title, protocol.trial.id)
                                                          : context.label(protocol.report.title, protocol.trial.id);

  Page page(context);
  for (std::string const& section : sections_in_order(protocol)) add_section(page, context, section);

  Markup main = head_of_page(context, title);
  if (labelled.provenance.simulated)
    main += element("p", {{"class", std::string("banner")}, {"role", std::string("note")}}, words(Word::simulated_banner));
  if (options.blinded)
    main += element("p", {{"class", std::string("banner")}, {"role", std::string("note")}},
                    tables::said(context, "Blinded: arms are shown by letters, and no outcome is shown.",
                                 "盲态：各组以字母表示，不显示任何结局。"));
  main += page.contents() + headline_cards(context) + page.body();

  const std::string policy = std::string("default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-") +
                             base64_of_hex(sha256(script)) + "'; base-uri 'none'; form-action 'none'";
  const Markup head =
      element("meta", {{"charset", std::string("utf-8")}}) +
      element("meta", {{"http-equiv", std::string("Content-Security-Policy")}, {"content", policy}}) +
      element("meta", {{"name", std::string("viewport")}, {"content", std::string("width=device-width, initial-scale=1")}}) +
      element("meta", {{"name", std::string("color-scheme")}, {"content", std::string("light dark")}}) +
      element("meta",
              {{"name", std::string("generator")}, {"content", std::string("Equipoise ") + labelled.provenance.version}}) +
      element("title", title) + element("style", Markup::trusted(style));
  const Markup body = element("main", main) + element("script", Markup::trusted(script));
  Document out;
  out.html =
      "<!doctype html>\n" +
      element("html", {{"lang", std::string(words.chinese() ? "zh-Hans" : "en")}}, element("head", head) + element("body", body))
          .bytes() +
      "\n";
  out.tables = page.tables();
  out.figures = page.figures();
  auto const& from = labelled.provenance;
  out.frame = {.language = options.language,
               .trial = protocol.trial.id,
               .version = protocol.trial.version,
               .cutoff = from.cutoff.value_or(""),
               .program = from.version,
               .protocol_digest = from.protocol_digest,
               .data_digest = from.data_digest,
               .data_file = from.data_file,
               .simulated = from.simulated,
               .blinded = options.blinded};
  return out;
}

std::string file_name(Figure const& figure) { return file_name_of("f", figure.number, figure.data.id); }

std::vector<std::pair<std::string, std::string>> files_of(Document const& document, std::vector<std::string> const& formats) {
  const auto wanted = [&](std::string_view format) { return std::ranges::find(formats, format) != formats.end(); };
  std::vector<std::pair<std::string, std::string>> files;
  if (wanted("html")) files.emplace_back("report.html", document.html);
  if (wanted("rtf")) files.emplace_back("tables.rtf", rtf_of(document.tables, document.frame));
  for (Table const& table : document.tables) {
    const std::string name = "tables/" + file_name(table);
    if (wanted("rtf")) files.emplace_back(name + ".rtf", rtf_of({table}, document.frame));
    if (wanted("csv")) files.emplace_back(name + ".csv", csv_of(table, document.frame.simulated));
  }
  for (Figure const& figure : document.figures) {
    const std::string name = file_name(figure);
    if (wanted("svg") && !figure.svg.empty())
      files.emplace_back("figures/" + name + ".svg", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + figure.svg + "\n");
    if (!wanted("csv") || figure.data.empty()) continue;
    files.emplace_back("figures/" + name + ".csv", csv_of(figure.data));
    files.emplace_back("figures/" + name + ".R", r_of(figure.data, name + ".csv", figure.number + " " + figure.caption));
  }
  return files;
}

std::string html(protocol::Protocol const& protocol, results::Results const& results, Options const& options) {
  return document(protocol, results, options).html;
}

}  // namespace equipoise::report
