#include "equipoise/report/rehearsal/cells.h"

#include "equipoise/report/svg.h"

namespace equipoise::report::rehearsal::tables {

Markup cell(Markup const& value, std::string const& below) {
  return element("td", value + (below.empty() ? Markup() : Markup(" ") + element("span", "ci", below)));
}

Markup nothing() { return element("td", element("span", "dim", "\u2013")); }

Markup share_cell(Names const& names, results::Share const& share, std::string const& tag) {
  const Markup more = tag.empty() ? Markup() : element("span", "ci below", tag);
  if (share.of <= 0) return element("td", element("span", "dim", names(Term::not_run)) + more);
  const Printed text = printed(share);
  const std::string below = text.se.empty() ? grouped(share.n) + "/" + grouped(share.of) : "(" + text.se + ")";
  return element("td", Markup(text.value) + " " + element("span", "ci", below) + more);
}

Markup measured_cell(results::Measured const& measured, double times) {
  const Printed text = printed(measured, times);
  return cell(text.value, text.se.empty() ? std::string() : "(" + text.se + ")");
}

Markup heading(Markup const& text, bool number) {
  Attributes attributes = {{"scope", std::string("col")}};
  if (number) attributes.emplace_back("class", std::string("num"));
  return element("th", attributes, text);
}

Markup row_head(Markup const& text) { return element("th", {{"scope", std::string("row")}}, text); }

Markup scenario_name(Names const& names, std::size_t scenario) {
  ArmStyle const& style = names.styles[scenario];
  const Markup mark =
      element("svg", {{"class", std::string("key")}, {"viewBox", std::string("0 0 14 14")}, {"aria-hidden", std::string("true")}},
              svg::marker(style.shape, {7, 7}, 4.6, "mark f" + std::to_string(style.slot), style.colour));
  const std::string name = names.scenario(scenario);
  return element("span", name.size() <= 28 ? "world-name" : "world-name long", mark + Markup(name));
}

Markup data_table(Markup const& head, Markup const& bodies, std::string_view css) {
  return scrolling("scroll", element("table", css, head + bodies));
}

}  // namespace equipoise::report::rehearsal::tables
